/* SPDX-License-Identifier: Apache-2.0 */
/* NODES of the command line into nodes of the inventory. */
#ifndef POWERCTL_CLI_SELECT_H
#define POWERCTL_CLI_SELECT_H

#include "cli.h"

struct selection {
	size_t *nodes; /* indices in cli->inventory */
	size_t count;
};

/*
 * Loads the inventory and resolves words (NULL-terminated; none: all nodes) and -x. `-` reads words
 * from standard input, @failed is the last command's, URLs get their login. CLI_OK with at least
 * one node, or CLI_USAGE with everything said.
 */
int select_nodes(struct cli *cli, const char *const *words, struct selection *ret);
/* Adds the words as they are, `-` replaced by what standard input holds; each once. */
int select_words(const struct cli *cli, const char *const *words, struct pctl_names *out);
/* Whether a word from outside can be nothing but names: see --names in powerctl(1). */
bool select_is_names(const char *word);
void selection_done(struct selection *selection);

/* The selected names, folded: free() it. */
char *selection_fold(const struct cli *cli, const struct selection *selection);

/*
 * Adds what words (NULL-terminated), -a and -x stand for, in the order in which it is named; the
 * names need not be in the inventory, which is loaded only where a group, a tag, @failed or -a asks
 * for it. CLI_OK, also where nothing is left, or CLI_USAGE with everything said.
 */
int select_names(struct cli *cli, const char *const *words, struct pctl_names *out);

#endif
