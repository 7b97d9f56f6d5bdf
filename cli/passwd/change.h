/* SPDX-License-Identifier: Apache-2.0 */
/* A change of passwords, from the first request to the last file. */
#ifndef POWERCTL_CLI_PASSWD_CHANGE_H
#define POWERCTL_CLI_PASSWD_CHANGE_H

#include <powerctl/passwd.h>

#include "select.h"

/*
 * Brings the nodes of a rotation, which is on the disk, as far as they can be brought, tells what
 * became of each, and ends what can be ended. Returns an enum cli_status; CLI_OK only where all of
 * it is done.
 */
int change_passwords(
	struct cli *cli, struct pctl_rotation *rotation, const struct selection *selection);

#endif
