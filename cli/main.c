/* SPDX-License-Identifier: Apache-2.0 */
/* powerctl: power machines on, off and through their next boot. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include <powerctl/powerctl.h>

#include "command.h"
#include "face.h"
#include "say.h"
#include "terminal.h"

#define THREADS "64" /* look-ups get half of them */

/* Secrets pass through this process: no core dumps, no debuggers of other processes. */
static void harden(void)
{
	const struct rlimit none = { 0, 0 };

	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
}

/* A file opened later must not become standard output because the caller closed that. */
static void keep_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
}

/* What could not be written is a failure, and a reader that has left needs no word about it. */
static int finish_output(const struct cli *cli, int status)
{
	if (cli->output_fault)
		return status;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	if (errno != EPIPE && errno != 0)
		say("standard output cannot be written: %s", strerror(errno));
	return status == CLI_OK ? CLI_FAILED : status;
}

#if defined(__SANITIZE_ADDRESS__)
#define LEAKS_CHECKED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAKS_CHECKED 1
#endif
#endif

#ifdef LEAKS_CHECKED
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>

enum { LEAKS = 99 };

static int status_without_checker;

static void checker_fell(void)
{
	_exit(status_without_checker);
}

/* Once in ten thousand times the checker falls over a thread that is about to go: that is no leak,
 * and nothing that powerctl did. */
static void check_leaks(int status)
{
	uv_library_shutdown();
	status_without_checker = status;
	__sanitizer_set_death_callback(checker_fell);
	if (__lsan_do_recoverable_leak_check())
		_exit(LEAKS);
}
#else
static void check_leaks(int status)
{
	(void)status;
}
#endif

/* Everything of ours is closed and written; the libraries' own farewells only take time. */
static void leave(int status)
{
	pctl_program_ends();
	check_leaks(status);
	_exit(status);
}

/*
 * A name server that is silent holds a thread for many seconds: there are to be others. Where
 * memory or processes are limited libuv's own few have to do: it ends the program if it gets no
 * thread.
 */
static void give_threads(void)
{
	static const struct {
		int what;
		rlim_t least;
	} limits[] = { { RLIMIT_AS, (rlim_t)2 << 30 }, { RLIMIT_NPROC, 1000 } };
	struct rlimit limit;

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (getrlimit(limits[i].what, &limit) < 0 || limit.rlim_cur < limits[i].least)
			return;
	(void)setenv("UV_THREADPOOL_SIZE", THREADS, 0);
}

int main(int argc, char **argv)
{
	struct cli cli;

	harden();
	give_threads();
	keep_standard_files();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is like a full disk */
	pctl_name_crashes("powerctl", terminal_restore);
	cli_init(&cli);
	errno = 0;
	const struct face *face = face_find(argc > 0 ? argv[0] : NULL);
	int status = finish_output(
		&cli, face ? face_main(face, &cli, argc, argv) : command_main(&cli, argc, argv));
	cli_done(&cli);
	(void)fflush(stderr);
	leave(status);
	return status;
}
