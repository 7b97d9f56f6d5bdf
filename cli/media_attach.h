/* SPDX-License-Identifier: Apache-2.0 */
/* `media attach`: one node's media, for as long as they are read from this computer. */
#ifndef POWERCTL_CLI_MEDIA_ATTACH_H
#define POWERCTL_CLI_MEDIA_ATTACH_H

#include "cli.h"

/* cd may be NULL where --floppy is given. Returns an enum cli_status. */
int media_attach(struct cli *cli, size_t node, const char *cd);

#endif
