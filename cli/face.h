/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faces: command lines of other programs, for the scripts that call these. powerctl is one of them
 * where it is called by its name ("powerman", "powerctl-powerman"); a link is enough.
 */
#ifndef POWERCTL_CLI_FACE_H
#define POWERCTL_CLI_FACE_H

#include <powerctl/secret.h>

#include "cli.h"

struct face {
	const char *name; /* of the program; "powerctl-" may stand before it */
	/* argv[0] is its name. Returns the exit status. */
	int (*main)(struct cli *cli, int argc, char **argv);
	/* What cli->command is while it runs: whose name others are told in locks. */
	const struct command *command;
};

/* NULL: argv[0] is powerctl itself, or whatever else somebody called it. */
const struct face *face_find(const char *argv0);
int face_main(const struct face *face, struct cli *cli, int argc, char **argv);

/* Loads the inventory ($POWERCTL_INVENTORY or the usual one). CLI_OK or CLI_USAGE, all said. */
int face_inventory(struct cli *cli);

/*
 * A password that is asked for: on the terminal; where there is none, or standard input is no
 * terminal and was to be taken first, the first line of standard input. The caller frees *ret.
 */
int face_password(
	const char *question, bool stdin_first, struct pctl_secret **ret, struct pctl_error *err);

/* Each in a file of its own: face_NAME.c. */
extern const struct face face_amtctrl, face_ipmipower, face_powerman;

#endif
