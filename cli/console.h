/* SPDX-License-Identifier: Apache-2.0 */
/* The two ways to use consoles: to talk to one, and to follow what several print. */
#ifndef POWERCTL_CLI_CONSOLE_H
#define POWERCTL_CLI_CONSOLE_H

#include "select.h"

/* escape: a character or ESCAPE_NONE. Both return an enum cli_status. */
int console_talk(struct cli *cli, size_t node, int escape);
int console_follow(struct cli *cli, const struct selection *selection);

#endif
