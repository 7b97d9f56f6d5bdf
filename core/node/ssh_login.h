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

/* NULL-terminated, as "NAME=VALUE" for -o: for every ssh that we start. */
extern const char *const pctl_ssh_settings[];

/*
 * How it ended, from what it printed and its wait status: 0, the far side ended it, or a class and
 * words. destination: as it is typed behind "ssh". Pure, for tests.
 */
int pctl_ssh_explain_end(
	const char *said, int status, const char *destination, struct pctl_error *err);

/* --- The answer to the one question that ssh may ask (ssh_answer.c). -------------------------- */

/* A password on its way to ssh's askpass program: in a pipe that has a name, and on no disk. */
struct pctl_ssh_answer {
	int fd;     /* -1: nothing is there */
	char *path; /* of the pipe */
	/* What ssh has to find in its environment, if fd is there. */
	char *environment[3];
};

/* Without a password, or a program that could ask for it, there is nothing and *ret says so. */
int pctl_ssh_answer_init(struct pctl_ssh_answer *ret, const struct pctl_secret *password,
	unsigned serial, struct pctl_error *err);
/* Whether ssh has got it. */
bool pctl_ssh_answer_taken(const struct pctl_ssh_answer *answer);
/* Takes it back, wherever it is by now. */
void pctl_ssh_answer_done(struct pctl_ssh_answer *answer);

#endif
