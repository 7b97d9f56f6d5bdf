/* SPDX-License-Identifier: Apache-2.0 */
/* @failed: the nodes that failed in this user's last command, a name per line in the state folder.
 */
#ifndef POWERCTL_CLI_FAILED_H
#define POWERCTL_CLI_FAILED_H

#include <powerctl/nodeset.h>

/* Adds the names to out. PCTL_E_CONFIG: there was no command yet, or the file cannot be read. */
int failed_load(struct pctl_names *out, struct pctl_error *err);

/* Replaces what was remembered. A fault only costs the next command its @failed. */
void failed_save(const struct pctl_names *names);

#endif
