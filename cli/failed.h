/* SPDX-License-Identifier: Apache-2.0 */
/* @failed: the nodes that failed in this user's last command, a name per line in the state folder.
 */
#ifndef POWERCTL_CLI_FAILED_H
#define POWERCTL_CLI_FAILED_H

#include <powerctl/nodeset.h>

/*
 * Adds the names to out. PCTL_E_CONFIG: there was no command yet, the last one did not get to its
 * end, or the file cannot be read.
 */
int failed_load(struct pctl_names *out, struct pctl_error *err);

/* Before a command: those of an earlier one are not its. PCTL_E_CONFIG: they are still there. */
int failed_forget(struct pctl_error *err);
/* After it. PCTL_E_CONFIG: nothing is remembered. */
int failed_save(const struct pctl_names *names, struct pctl_error *err);

#endif
