/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of ipmipower's options (options.c), as the command line reads them (line.c). */
#ifndef POWERCTL_CLI_IPMIPOWER_ROWS_H
#define POWERCTL_CLI_IPMIPOWER_ROWS_H

#include "ipmipower/options.h"

#define IPMIPOWER_LONG_ONLY 0x1000 /* what stands for options without a letter */
#define IPMIPOWER_ROWS_MAX  63u    /* of both tables, without their ends */

/* A row's flags. */
#define IPMIPOWER_SECRET 1u /* its value is wiped where it came from */
#define IPMIPOWER_FILE   2u /* the file may have it */
#define IPMIPOWER_HELP   4u /* ends the program */

typedef const char *ipmipower_take_fn(struct ipmipower_options *options, const char *value);

struct ipmipower_row {
	const char *name;
	const char *argument; /* what help calls it; NULL: a switch */
	ipmipower_take_fn *take;
	size_t flag; /* of a switch without take: where it is, and 1 */
	int letter;
	unsigned flags;
	const char *help; /* NULL: of the file only */
};

/* The last of each has no name. */
extern const struct ipmipower_row ipmipower_rows[];
extern const struct ipmipower_action ipmipower_actions[];

/* Takes a value, NULL for a switch. NULL, or what is wrong. */
const char *ipmipower_row_take(
	struct ipmipower_options *options, const struct ipmipower_row *row, const char *value);

#endif
