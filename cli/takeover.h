/* SPDX-License-Identifier: Apache-2.0 */
/* import, between what a file says and what is written: which nodes are taken over, and with what
 * login. */
#ifndef POWERCTL_CLI_TAKEOVER_H
#define POWERCTL_CLI_TAKEOVER_H

#include "command.h"
#include "import/import.h"

struct takeover {
	struct cli *cli;
	const struct import_format *format;
	const char *file; /* "-": standard input */
	struct import im;
	char *path;        /* of the inventory */
	bool begun;        /* it is there already */
	size_t user_login; /* what the options say: 1 + its number; 0: nothing */
	struct pctl_buf text;
	char *written; /* the file */
};

/* Takes the login that the options say. CLI_OK or CLI_USAGE, which is said. */
int takeover_options(struct takeover *t);
/* Leaves out the nodes and groups that the inventory has. */
void takeover_leave_known(struct takeover *t);
/* Logins that the inventory has as a credential get its name. */
void takeover_reuse_logins(struct takeover *t);
/* Fills nodes up with what the options say, and leaves out those that lack a driver or a login. */
void takeover_complete(struct takeover *t);

#endif
