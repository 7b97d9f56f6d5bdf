/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may come next on a command line, for the shells' completion files (contrib/completions):
 * `powerctl complete WORD...`. The words are those behind `powerctl`, without the shell's quotes;
 * the last is the one being typed, empty where none has begun. Each line of the answer is a whole
 * word that could stand in its place, a tab, and what it means; a word that ends in `=` is to go
 * on. A line `:files` or `:folders`, a tab and the first part of the word says that the rest is a
 * path.
 *
 * The words come from the tables that the commands go by. Nothing is complained of: what cannot be
 * read has no words. Nothing is sent, and drivers are only loaded where their settings or methods
 * are asked for. No program is run but one that the line itself gives as the value of a driver's
 * selector (--set agent=fence_apc) before a setting that is being typed: it is asked, as `powerctl
 * drivers` does and once for each version of it, which settings it has.
 */
#ifndef POWERCTL_CLI_COMPLETE_H
#define POWERCTL_CLI_COMPLETE_H

#include "cli.h"

struct completion {
	struct cli *cli;
	const char *word;  /* being typed */
	const char *begun; /* the part of it that is looked at: a value behind `--name=` */
};

/* What main() does for `powerctl complete`; words ends with NULL. Always CLI_OK. */
int complete_main(struct cli *cli, const char *const *words);

/* For complete_...c: one word, if it goes on from what is begun. help may be NULL. */
void complete_offer(const struct completion *c, const char *word, const char *help);
/* The inventory, as far as it can be read; NULL: there is none. */
const struct pctl_inventory *complete_inventory(struct completion *c);

/* complete_nodes.c: names, ranges, @groups, %tags, behind operators as well. */
void complete_nodes(struct completion *c);

/* complete_settings.c: KEY=VALUE of a node, by the driver and the settings that the line names. */
void complete_setting(struct completion *c);
/* The values that the selector of this driver can have here. */
void complete_selector(struct completion *c, const char *driver);
/* PARAMETER=VALUE of a method. */
void complete_parameter(struct completion *c, const struct pctl_method *method);

#endif
