/* SPDX-License-Identifier: Apache-2.0 */
/* What one call of powerctl works with; made by main(), filled as the command needs it. */
#ifndef POWERCTL_CLI_CLI_H
#define POWERCTL_CLI_CLI_H

#include <powerctl/powerctl.h>

#include "options.h"

struct command;

/* Exit statuses, as powerctl(1) explains them. */
enum cli_status {
	CLI_OK = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2, /* found before anything was sent */
	CLI_UNREACHABLE = 3,
	CLI_AUTH = 4,
	CLI_TIMEOUT = 5,
	CLI_INTERRUPTED = 130,
};

struct cli {
	uv_loop_t loop;
	struct options options;
	const struct command *command;
	const char *const *args; /* the words after the verb, NULL-terminated */
	size_t nargs;

	struct pctl_core *core;           /* NULL until cli_core() */
	struct pctl_inventory *inventory; /* NULL until cli_inventory() */
	int output_fault;                 /* errno of a write to stdout; it was said already */
	size_t inventory_count;           /* nodes of the file; those of URLs come after them */
};

void cli_init(struct cli *cli);
/* Closes what was opened. */
void cli_done(struct cli *cli);

/* The core, made on first use. */
struct pctl_core *cli_core(struct cli *cli);

/*
 * Loads the inventory, or takes an empty one where only URLs are named and nothing refers to it.
 * CLI_OK or CLI_USAGE, everything said.
 */
int cli_inventory(struct cli *cli, bool only_urls);

/* The file that holds, or the one to begin with where there is none yet; free() *ret. */
int cli_inventory_path(const struct cli *cli, char **ret, struct pctl_error *err);

/* Loads the file again after it was edited. CLI_OK or CLI_USAGE, everything said. */
int cli_inventory_reload(struct cli *cli, const char *path);

/* Whether a person sits at this descriptor. */
bool cli_is_terminal(int fd);

#endif
