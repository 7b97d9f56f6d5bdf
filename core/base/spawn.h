/* SPDX-License-Identifier: Apache-2.0 */
/* How programs are begun, whoever waits for them. */
#ifndef POWERCTL_CORE_SPAWN_H
#define POWERCTL_CORE_SPAWN_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct pctl_spawn {
	char *const *argv; /* argv[0] is looked for in $PATH unless it has a slash */
	char *const *env;
	const char *terminal; /* the path of one: its own, and its input and output; NULL: none */
	int in, out, said; /* its standard input, output, error; below 0: /dev/null, ours, ours */
	bool session;      /* a session of its own, else only a process group of its own */
	bool apart;        /* in the folder /, with umask 077; else in ours, with ours */
};

/*
 * 0, or an errno value (positive). All signals are as by default, no descriptor but the three is
 * there. A caller that ignores SIGCHLD ceases to: the ends of programs could not be known.
 */
int pctl_spawn(const struct pctl_spawn *spawn, pid_t *ret_pid);

/* A pipe whose ends are closed by exec and are none of 0, 1, 2. 0, or an errno value. */
int pctl_spawn_pipe(int ret_fds[2]);

/*
 * For those who block while a program runs: holds back, in this thread, the signals that would end
 * us, until release, so that the program does not outlive us. Those that somebody ignores, as nohup
 * does, stay ignored. A descriptor that is readable once there is one, or -1.
 */
int pctl_signals_hold(sigset_t *ret_before);
void pctl_signals_release(int fd, const sigset_t *before);

#endif
