/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of equal machines as a person writes them: c[001-400] with the address c[001-400]-bmc. */
#ifndef POWERCTL_CLI_IMPORT_FOLD_H
#define POWERCTL_CLI_IMPORT_FOLD_H

#include <stddef.h>

#define IMPORT_FIELDS_MAX 8u

/* A machine, or several: a name and what differs from one to the next, all as ranges. */
struct import_line_row {
	char *fields[IMPORT_FIELDS_MAX]; /* the name first; owned */
};

/*
 * Folds rows, which are in natural order of their names, in place, where every field either stays
 * as it is or counts along with the name. Returns how many are left; the others are freed. Linear
 * in the number of rows.
 */
size_t import_fold(struct import_line_row *rows, size_t count, size_t fields);

#endif
