/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that run beside the loop: one is started without a shell, gets bytes on its standard
 * input, has a limited time to end, and what it printed is told of once.
 *
 * It runs in a session of its own, with no terminal and no descriptor but its three, umask 077, the
 * folder / and the signals as they are by default. Its environment is LANG, LC_ALL, LC_CTYPE,
 * LC_MESSAGES, HOME, LOGNAME, PATH, TMPDIR, TZ and USER, as far as we have them, and what the
 * caller adds.
 *
 * Where it has to be ended it gets SIGTERM with all of its process group, and a second later, or
 * earlier where an op's time would be over before, SIGKILL. When it has ended, what it leaves in
 * its group is killed as well; a child in a session of its own gets away, and nobody waits for it.
 * What cannot be killed at all (it became another user's, or hangs in the kernel) is left alone
 * after one second more.
 *
 * Of one core some dozens run at a time. The others wait in line, and their time has not begun.
 */
#ifndef POWERCTL_PROGRAM_H
#define POWERCTL_PROGRAM_H

#include <powerctl/error.h>
#include <powerctl/op.h>
#include <powerctl/secret.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pctl_core;
struct pctl_program;

#define PCTL_PROGRAM_INPUT_MAX ((size_t)64 << 10) /* what a pipe holds: nobody waits to write */
#define PCTL_PROGRAM_SAID_MAX  ((size_t)64 << 10)

/* It runs as if somebody had typed it: with our whole environment (but $POWERCTL_PASSWORD), our
 * folder and our umask. */
#define PCTL_PROGRAM_AS_TYPED 1u
/* What it prints counts as its standard error, in the order in which it comes; there is no output.
 */
#define PCTL_PROGRAM_MERGE 2u

/* What to run. All of it is copied. */
struct pctl_program_options {
	uint32_t size;
	unsigned flags;
	/*
	 * NULL-terminated. argv[0] is an absolute path, or a name without a slash that is looked
	 * for in our $PATH; PCTL_PROGRAM_AS_TYPED takes any path.
	 */
	const char *const *argv;
	const char *const *environment; /* more of it, "NAME=VALUE", NULL-terminated; NULL: none */
	/* Its standard input, at most PCTL_PROGRAM_INPUT_MAX; it may hold secrets. Ours is wiped.
	 */
	const void *input;
	size_t input_len;
	/* From its start. With an op never more than pctl_program_time(), which 0 stands for;
	 * without one required. */
	uint64_t timeout_ms;
	size_t out_max;  /* who prints more to standard output is ended and has failed */
	size_t said_max; /* of its standard error that much is kept, from the end; 0: 4096 */
	/* NULL-terminated, or NULL: where these stand in what it said they become stars. Borrowed
	 * until the end, or abort. */
	const struct pctl_secret *const *secrets;
	/*
	 * For whom it runs: as long as it waits in line, the op's time stands still. Its time is
	 * the op's, and who has less than 200 ms of that is not started. NULL: nobody.
	 */
	struct pctl_op *op;
	/*
	 * Optional. Runs right before it is started, from pctl_program_run() itself or later from
	 * the loop: the moment for pctl_op_committed(). It must not abort.
	 */
	void (*starting)(void *data);
};

enum pctl_program_end {
	PCTL_PROGRAM_EXITED,      /* by itself, with a status */
	PCTL_PROGRAM_SIGNALED,    /* killed by a signal that was not ours */
	PCTL_PROGRAM_LATE,        /* its time was over, and it was killed */
	PCTL_PROGRAM_NOISY,       /* it printed more than out_max, and was killed */
	PCTL_PROGRAM_NOT_STARTED, /* nothing of it ever ran */
	PCTL_PROGRAM_INTERRUPTED, /* pctl_program_wait(): a signal was to end us */
};

/* What came of it; all of it is borrowed for the call, and wiped then. */
struct pctl_program_result {
	uint32_t size;
	enum pctl_program_end end;
	int status;      /* EXITED: 0 to 255; SIGNALED: the signal; else 0 */
	const char *out; /* a zero byte follows, as after said */
	size_t out_len;
	const char *said;
	size_t said_len;
	const char *last; /* of what it said the last line that is not blank, cut, printable; "" */
	/*
	 * Code 0 where it ended by itself with status 0. Else a class and a text that names the
	 * program: PCTL_E_CONFIG or a shortage (pctl_error_shortage()) where it was not started,
	 * or PCTL_E_TIMEOUT where its op had no time left; PCTL_E_TIMEOUT with the time that it
	 * had, PCTL_E_PROTOCOL; with its last line where it said something. PCTL_E_CANCELED:
	 * interrupted.
	 */
	struct pctl_error err;
};

/* Once, from the loop, when it is gone; the program is freed behind it. */
typedef void pctl_program_done_fn(void *data, const struct pctl_program_result *result);

/*
 * Runs a program, now or when others have ended. Never NULL: what is wrong is told by done(),
 * which never runs before this returns. data is starting's and done's. From the loop's thread, and
 * not after the driver's stop.
 */
PCTL_API struct pctl_program *pctl_program_run(struct pctl_core *core,
	const struct pctl_program_options *options, pctl_program_done_fn *done, void *data);

/*
 * How many ms a program that is started now may run for an op: all that the op has left but the
 * margin that ending it takes, which is an eighth of that and at most a second. Who tells a program
 * its time, or sets its limits by it, takes this.
 */
PCTL_API uint64_t pctl_program_time(const struct pctl_op *op);

/*
 * Ends it, or takes it out of the line: nothing is heard of it any more, done does not run and data
 * is not touched. The core waits for it where it must; the caller need not.
 */
PCTL_API void pctl_program_abort(struct pctl_program *program);

/*
 * Runs a program and waits for it, on a loop of its own: for describe(), where there is no other.
 * done runs before this returns. A signal that would end us ends the program first.
 */
PCTL_API void pctl_program_wait(
	const struct pctl_program_options *options, pctl_program_done_fn *done, void *data);

/* Whether it was started already; false: it waits in line. */
PCTL_API bool pctl_program_is_started(const struct pctl_program *program);

/* Puts stars where one of the secrets (NULL-terminated; may be NULL) stands in a text, or where the
 * text was cut within one. */
PCTL_API void pctl_program_redact(char *text, size_t len, const struct pctl_secret *const *secrets);

#ifdef __cplusplus
}
#endif

#endif
