/* SPDX-License-Identifier: Apache-2.0 */
/* The word that stands before NODES and decides what a command does. */
#ifndef POWERCTL_CLI_CHOICE_H
#define POWERCTL_CLI_CHOICE_H

#include "cli.h"

/*
 * Which of choices, a NULL-terminated list, the first argument is. -1: none, which was said, with
 * what was probably meant; what: "boot device".
 */
int choose(const struct cli *cli, const char *what, const char *const *choices);

#endif
