/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal that ssh runs on, seen from our side of it. */
#ifndef POWERCTL_CORE_SSH_TERMINAL_H
#define POWERCTL_CORE_SSH_TERMINAL_H

#include <stddef.h>

#include <powerctl/session.h>

#define PCTL_SSH_TERMINAL_NAME 64u

/* Our side of a new one, non-blocking, and the name of the other. 0, or an errno value. */
int pctl_ssh_terminal_open(int *ret_fd, char name[PCTL_SSH_TERMINAL_NAME]);

/*
 * Whether ssh is logged in. It makes its terminal raw then and not before: a question of its own
 * switches the echo off at most, and we have it ask none.
 */
bool pctl_ssh_terminal_logged_in(int fd);
/* How many bytes wait to be read. */
int pctl_ssh_terminal_waiting(int fd);
bool pctl_ssh_terminal_hung_up(int fd);
/* Reads what waits: the last line of it, cut and printable (PCTL_PROGRAM_LAST_SIZE bytes), or "".
 */
void pctl_ssh_terminal_last_line(int fd, char *ret);

/* Of a session whose descriptor it is: "resize". */
extern const struct pctl_control pctl_ssh_terminal_controls[];

#endif
