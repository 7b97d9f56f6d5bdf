/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a file can be the medium that it is to be: looked at before anything is sent. */
#ifndef POWERCTL_CLI_MEDIUM_H
#define POWERCTL_CLI_MEDIUM_H

#include "cli.h"

/* What is found in a file; several at once, as on discs that start from a stick too. */
#define MEDIUM_ISO       1u /* ECMA-119, "ISO 9660" */
#define MEDIUM_UDF       2u /* ECMA-167 */
#define MEDIUM_EL_TORITO 4u /* a CD that machines start from */
#define MEDIUM_SECTOR    8u /* begins with a boot sector */

/* Where what is to be looked at ends. */
#define MEDIUM_HEAD ((size_t)65536)

/* Pure: of the first n bytes of a file. */
unsigned medium_look(const uint8_t *head, size_t n);

/*
 * CLI_OK, with what may be odd said, or CLI_USAGE, with why no machine could do with it what is
 * asked. cd and floppy may be NULL. What cannot be read, and URLs, are the driver's to judge.
 */
int medium_check(const struct cli *cli, const char *cd, const char *floppy);

#endif
