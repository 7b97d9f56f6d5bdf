/* SPDX-License-Identifier: Apache-2.0 */
/* Changes to entries of the inventory's file, for rm and set. */
#ifndef POWERCTL_CLI_EDIT_H
#define POWERCTL_CLI_EDIT_H

#include "cli.h"

typedef int edit_fn(const char *path, const char *name, void *data, struct pctl_error *err);

/*
 * Changes each of words (NULL-terminated): first as it stands, since an entry of the file may be a
 * range; where there is no such entry, each node that the word stands for. Says what was done and
 * what was not. Returns an enum cli_status.
 */
int edit_each(struct cli *cli, const char *const *words, edit_fn *change, void *data);

/*
 * Whether the file still makes sense for words after edit_each(); says what does not. Returns an
 * enum cli_status.
 */
int edit_check(struct cli *cli, const char *const *words);

#endif
