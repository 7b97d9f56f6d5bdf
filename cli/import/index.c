/* SPDX-License-Identifier: Apache-2.0 */
#include "import/index.h"

#include <stdint.h>
#include <string.h>

#include <powerctl/mem.h>

void import_index_done(struct import_index *index)
{
	for (size_t i = 0; i < index->cap; i++) {
		if (index->slots[i].key)
			explicit_bzero(index->slots[i].key, strlen(index->slots[i].key));
		free(index->slots[i].key);
	}
	free(index->slots);
	*index = (struct import_index){ 0 };
}

/* FNV-1a. */
static uint64_t hash(const char *key)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * UINT64_C(1099511628211);
	return h ^ h >> 32;
}

static struct import_slot *slot_of(const struct import_index *index, const char *key)
{
	size_t at = (size_t)hash(key) & (index->cap - 1);

	while (index->slots[at].key && strcmp(index->slots[at].key, key) != 0)
		at = (at + 1) & (index->cap - 1);
	return &index->slots[at];
}

size_t import_index_find(const struct import_index *index, const char *key)
{
	const struct import_slot *slot = index->cap ? slot_of(index, key) : NULL;

	return slot && slot->key ? slot->number : IMPORT_NOWHERE;
}

static void grow(struct import_index *index)
{
	struct import_index wider = { .n = index->n, .cap = index->cap ? 2 * index->cap : 64 };

	wider.slots = pctl_xcalloc(wider.cap, sizeof(*wider.slots));
	for (size_t i = 0; i < index->cap; i++)
		if (index->slots[i].key)
			*slot_of(&wider, index->slots[i].key) = index->slots[i];
	free(index->slots);
	*index = wider;
}

size_t import_index_put(struct import_index *index, const char *key, size_t number)
{
	if (2 * (index->n + 1) > index->cap)
		grow(index);
	struct import_slot *slot = slot_of(index, key);
	if (!slot->key) {
		*slot = (struct import_slot){ pctl_xstrdup(key), number };
		index->n++;
	}
	return slot->number;
}
