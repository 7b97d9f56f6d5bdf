/* SPDX-License-Identifier: Apache-2.0 */
/* `log --follow`: what devices note, as it comes. */
#ifndef POWERCTL_CLI_LOG_FOLLOW_H
#define POWERCTL_CLI_LOG_FOLLOW_H

#include "select.h"

/* Goes on until it is interrupted or no node is left. Returns an enum cli_status. */
int log_follow(struct cli *cli, const struct selection *selection);

#endif
