/* SPDX-License-Identifier: Apache-2.0 */
/* Before many machines are hit at once, a person confirms it. */
#ifndef POWERCTL_CLI_GUARD_H
#define POWERCTL_CLI_GUARD_H

#include "select.h"

/*
 * Asks if more nodes are selected than defaults.confirm_above (50) allows without, unless --yes or
 * --dry-run is given. what: "off". CLI_OK: go on; CLI_USAGE: refused, everything said.
 */
int guard_confirm(const struct cli *cli, const char *what, const struct selection *selection);

/* The same whatever the number of nodes. */
int guard_always(const struct cli *cli, const char *what, const struct selection *selection);

#endif
