/* SPDX-License-Identifier: Apache-2.0 */
/* The commands: one row each, which is all that help, checks and dispatch need to know. */
#ifndef POWERCTL_CLI_COMMAND_H
#define POWERCTL_CLI_COMMAND_H

#include "cli.h"

#define COMMAND_NODES       1u /* NODES come last; without -a and without words: a usage error */
#define COMMAND_ALL         2u /* ... or all of the inventory */
#define COMMAND_NO_ARGUMENT 4u /* with --show the argument before NODES is left out */

struct command {
	const char *name;
	const char *usage;             /* after "powerctl NAME ": "DEVICE NODES" */
	const char *summary;           /* one line, for the list of commands */
	const char *help;              /* paragraphs, for `powerctl help NAME` */
	void (*more)(FILE *out);       /* prints what follows them, from a table; or NULL */
	unsigned flags;                /* COMMAND_ */
	size_t arguments;              /* words between the verb and NODES */
	const enum option_id *options; /* OPTIONS(...) beside the global ones */
	int (*exec)(struct cli *cli);  /* returns an enum cli_status */
	enum pctl_verb verb;           /* of those that command_exec_verb() does */
};

/* In the order of help; the last is NULL. */
extern const struct command *const commands[];

/* By name or habit (stat, soft). NULL: none. */
const struct command *command_find(const char *word);

/* The flags that a habit stands for beside its command; NULL: none. */
const enum option_id *command_implied(const char *word);

/* Says which verb the first of words (NULL-terminated) was meant to be. Returns CLI_USAGE. */
int command_unknown(struct cli *cli, const char *const *words);

/* Whether cli->args has the words that cli->command needs; says what is missing. */
int command_check_words(const struct cli *cli);

/* Parses the command line and does what it says. Returns an enum cli_status. */
int command_main(struct cli *cli, int argc, char **argv);

/* The options that most commands about nodes share. */
#define OPTIONS_NODES  OPTION_ALL, OPTION_EXCLUDE, OPTION_NAMES
#define OPTIONS_FORM   OPTION_JSON, OPTION_FOLD, OPTION_NO_FOLD
#define OPTIONS_OUTPUT OPTIONS_FORM, OPTION_SORT
#define OPTIONS_SECRET OPTION_CREDENTIAL, OPTION_USER, OPTION_PASSWORD_FILE, OPTION_PASSWORD_STDIN
#define OPTIONS_RUN                                                                       \
	OPTIONS_NODES, OPTIONS_OUTPUT, OPTIONS_SECRET, OPTION_EXIT_CLASS, OPTION_TIMEOUT, \
		OPTION_DEADLINE, OPTION_FANOUT, OPTION_MAINTENANCE, OPTION_TRY_ANYWAY,    \
		OPTION_CALLER
#define OPTIONS_CHANGE  OPTIONS_RUN, OPTION_DRY_RUN, OPTION_NO_HOOKS, OPTION_LOCK_WAIT
#define OPTIONS_DISRUPT OPTIONS_CHANGE, OPTION_PROTECTED, OPTION_YES

extern const struct command command_status, command_on, command_off, command_reboot, command_cycle,
	command_reset, command_bootdev, command_boot, command_pxeboot, command_nmi, command_sleep,
	command_identify, command_wait, command_info, command_hardware, command_caps, command_add,
	command_console, command_kvm, command_rm, command_list, command_show, command_set,
	command_check, command_trust, command_drivers, command_help, command_log, command_sensors,
	command_expand, command_fold, command_discover, command_consent, command_ac_cycle,
	command_history, command_coprocess, command_import, command_passwd, command_media;

/* cmd_help.c: what `powerctl`, --help and --version say. */
void help_overview(FILE *out);
void help_command(FILE *out, const struct command *command);
void help_version(FILE *out);

#endif
