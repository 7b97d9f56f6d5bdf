/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of cells, aligned by the widest of each column. */
#ifndef POWERCTL_CLI_TABLE_H
#define POWERCTL_CLI_TABLE_H

#include <powerctl/buf.h>

#define TABLE_RIGHT 1u /* the column's cells end together, as numbers do */
#define TABLE_CLOSE 2u /* it stands close to the one before, as a unit does */

struct table {
	const unsigned *columns; /* TABLE_ flags of each; borrowed */
	size_t width;            /* how many columns there are */
	char **cells;            /* row by row */
	size_t n, cap;
};

void table_init(struct table *table, const unsigned *columns, size_t width);
void table_done(struct table *table);

/* The next cell, row by row; cleaned as text_clean() does. */
void table_add(struct table *table, const char *text);

/* Each row behind before, with no blank at its end; between stands between rows. */
void table_write(
	const struct table *table, struct pctl_buf *buf, const char *before, const char *between);

#endif
