/* SPDX-License-Identifier: Apache-2.0 */
/* drivers new: the beginning of a driver outside this tree, as a folder of files. */
#ifndef POWERCTL_CLI_DRIVER_NEW_H
#define POWERCTL_CLI_DRIVER_NEW_H

#include "cli.h"

/* Writes the folder `name` below --dir, or here. CLI_OK or CLI_USAGE, everything said. */
int driver_new(struct cli *cli, const char *name);

#endif
