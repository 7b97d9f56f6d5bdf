/* SPDX-License-Identifier: Apache-2.0 */
/* What --since says. */
#ifndef POWERCTL_CLI_SINCE_H
#define POWERCTL_CLI_SINCE_H

#include <stddef.h>

#define SINCE_CHARS 19u /* 2026-11-20T10:00:00 */

/*
 * A time ago (30m, 2h, 7d) or the beginning of one in UTC (2026-11-20, 2026-11-20 10:00) as the
 * beginning of an RFC 3339 time; NULL stays empty. CLI_USAGE, and it was said: it is neither.
 */
int since_read(const char *word, char ret[SINCE_CHARS + 1]);

#endif
