/* SPDX-License-Identifier: Apache-2.0 */
/* A hash map from text to pointer: open addressing, grows geometrically, keys borrowed or copied.
 */
#ifndef POWERCTL_CORE_STRMAP_H
#define POWERCTL_CORE_STRMAP_H

#include <stdbool.h>
#include <stddef.h>

struct pctl_strmap {
	struct pctl_strmap_slot {
		char *key; /* NULL: free */
		void *value;
	} * slots;
	size_t n, cap;
};

/* All zero is an empty map. Values are not freed. */
void pctl_strmap_done(struct pctl_strmap *map);

/* NULL if it is not there. */
void *pctl_strmap_get(const struct pctl_strmap *map, const char *key);

/* The place of key's value, made (as NULL) if it was not there; valid until the next put or remove.
 */
void **pctl_strmap_put(struct pctl_strmap *map, const char *key);

/* Returns the value it had, or NULL. */
void *pctl_strmap_remove(struct pctl_strmap *map, const char *key);

/* Calls each entry once, in no order; fn must not change the map. */
typedef void pctl_strmap_each_fn(void *data, const char *key, void *value);
void pctl_strmap_each(const struct pctl_strmap *map, pctl_strmap_each_fn *fn, void *data);

#endif
