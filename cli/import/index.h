/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers by text: where in an array something of that name is. */
#ifndef POWERCTL_CLI_IMPORT_INDEX_H
#define POWERCTL_CLI_IMPORT_INDEX_H

#include <stddef.h>

#define IMPORT_NOWHERE ((size_t)-1)

/* All zero is empty. */
struct import_index {
	struct import_slot {
		char *key; /* NULL: free */
		size_t number;
	} * slots;
	size_t n, cap;
};

void import_index_done(struct import_index *index);
/* IMPORT_NOWHERE: it is not there. */
size_t import_index_find(const struct import_index *index, const char *key);
/* The number that key has; it gets this one if it had none. */
size_t import_index_put(struct import_index *index, const char *key, size_t number);

#endif
