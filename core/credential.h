/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets that a program of the user's fetches. */
#ifndef POWERCTL_CORE_CREDENTIAL_H
#define POWERCTL_CORE_CREDENTIAL_H

#include <powerctl/buf.h>
#include <powerctl/error.h>

#define PCTL_SECRET_COMMAND_MS 30000u

/*
 * Runs argv (NULL-terminated; argv[0] is looked for in $PATH) without a shell, with nothing on its
 * standard input and our standard error, and appends what it prints to out, whose maximum holds. It
 * gets a process group of its own, which is killed when the time is over or it prints too much.
 * Blocks. PCTL_E_CONFIG unless it ended by itself with status 0.
 */
int pctl_command_run(
	char *const *argv, uint64_t timeout_ms, struct pctl_buf *out, struct pctl_error *err);

#endif
