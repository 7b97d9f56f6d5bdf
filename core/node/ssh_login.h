/* SPDX-License-Identifier: Apache-2.0 */
/* Logins by the system's ssh (see <powerctl/ssh.h>): all of one core, so that it can wait for them.
 */
#ifndef POWERCTL_CORE_SSH_LOGIN_H
#define POWERCTL_CORE_SSH_LOGIN_H

#include <powerctl/driver.h>
#include <powerctl/ssh.h>

struct pctl_ssh_logins;

struct pctl_ssh_logins *pctl_ssh_logins_new(uv_loop_t *loop);
/* Nobody has one any more; waits for those that end still. Frees it; closed comes from the loop, or
 * at once. */
void pctl_ssh_logins_close(struct pctl_ssh_logins *all, pctl_closed_fn *closed, void *data);

/* --- How it ended (ssh_end.c). -----------------------------------------------------------------
 */

enum pctl_ssh_password {
	PCTL_SSH_PASSWORD_NONE, /* ssh was given none */
	PCTL_SSH_PASSWORD_KEPT, /* it has not asked for it */
	PCTL_SSH_PASSWORD_TAKEN,
};

struct pctl_ssh_end {
	const char *said; /* by ssh itself */
	int status;       /* as wait() tells it */
	const char *spot; /* as it is typed behind "ssh" */
	bool open;        /* there was a session */
	enum pctl_ssh_password password;
	const char *no_password; /* why ssh was given none though there is one, or NULL */
	const char *shown;       /* the device's last line that nobody has read, or "" */
};

/* Code 0: the far side has ended an open session; else a class and words. Pure, for tests. */
int pctl_ssh_explain_end(const struct pctl_ssh_end *end, struct pctl_error *err);

/* --- The answer to the one question that ssh may ask (ssh_answer.c). -------------------------- */

/* A password on its way to ssh's askpass program: in a pipe that has a name, and on no disk. */
struct pctl_ssh_answer {
	int fd;     /* -1: nothing is there */
	char *path; /* of the pipe */
	/* What ssh has to find in its environment, if fd is there. */
	char *environment[3];
	const char *missing; /* why nothing is there though there is a password; NULL */
};

/* Without a password, or a program that could ask for it, there is nothing and *ret says so. Pipes
 * that processes have left behind are taken away. */
int pctl_ssh_answer_init(struct pctl_ssh_answer *ret, const struct pctl_secret *password,
	unsigned serial, struct pctl_error *err);
/* Whether ssh has got it. */
bool pctl_ssh_answer_taken(const struct pctl_ssh_answer *answer);
/* Takes it back, wherever it is by now. */
void pctl_ssh_answer_done(struct pctl_ssh_answer *answer);

#endif
