/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `powerctl DRIVER METHOD [PARAMETER=VALUE ...] NODES`: what only one driver can do. The driver's
 * tables say what there is; nothing here knows a protocol.
 */
#ifndef POWERCTL_CLI_METHODS_H
#define POWERCTL_CLI_METHODS_H

#include "cli.h"

/* The command line's first word is no command: a driver, or a mistake. Returns an enum cli_status.
 */
int method_exec(struct cli *cli);

/* `powerctl help DRIVER [METHOD]`: the words of cli->args. */
int method_help(struct cli *cli);

/* The lines about methods in the list of all verbs. */
void method_overview(FILE *out);

/* pctl_core_driver(), whose error says which driver was probably meant. */
int method_driver(
	struct cli *cli, const char *name, const struct pctl_driver **ret, struct pctl_error *err);

/* The driver that word was probably meant to be; free() it. Or NULL. */
char *method_nearest_driver(struct cli *cli, const char *word);

/* A list of maps, as in docs/json.md. The caller frees it. */
struct pctl_value *method_list(const struct pctl_driver *driver);

/*
 * For completion, which says nothing. words are DRIVER METHOD..., NULL at their end: how many words
 * the method's name has, and the method, or 0; and the options that it takes, or NULL.
 */
size_t method_find(
	struct cli *cli, const char *const *words, const struct pctl_method **ret_method);
const enum option_id *method_options(struct cli *cli, const char *const *words);

/* A row as it stands on the command line: a secret by its file. free() *ret_name. */
struct pctl_property method_parameter(const struct pctl_property *p, char **ret_name);

#endif
