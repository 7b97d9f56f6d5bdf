/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strmap.h"

#include <stdint.h>
#include <string.h>

#include <powerctl/mem.h>

static size_t hash(const char *s)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a, folded once more for the low bits */

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	return (size_t)(h ^ (h >> 29));
}

void pctl_strmap_done(struct pctl_strmap *map)
{
	for (size_t i = 0; i < map->cap; i++)
		free(map->slots[i].key);
	free(map->slots);
	*map = (struct pctl_strmap){ 0 };
}

/* The slot that holds key, or the free one where it would go. cap is a power of two, never full. */
static struct pctl_strmap_slot *slot_of(const struct pctl_strmap *map, const char *key)
{
	size_t i = hash(key) & (map->cap - 1);

	while (map->slots[i].key && strcmp(map->slots[i].key, key) != 0)
		i = (i + 1) & (map->cap - 1);
	return &map->slots[i];
}

void *pctl_strmap_get(const struct pctl_strmap *map, const char *key)
{
	return map->cap ? slot_of(map, key)->value : NULL;
}

static void grow(struct pctl_strmap *map)
{
	struct pctl_strmap old = *map;

	map->cap = old.cap ? old.cap * 2 : 16;
	map->slots = pctl_xcalloc(map->cap, sizeof(*map->slots));
	for (size_t i = 0; i < old.cap; i++)
		if (old.slots[i].key)
			*slot_of(map, old.slots[i].key) = old.slots[i];
	free(old.slots);
}

void **pctl_strmap_put(struct pctl_strmap *map, const char *key)
{
	if ((map->n + 1) * 4 > map->cap * 3)
		grow(map);

	struct pctl_strmap_slot *slot = slot_of(map, key);
	if (!slot->key) {
		slot->key = pctl_xstrdup(key);
		map->n++;
	}
	return &slot->value;
}

void *pctl_strmap_remove(struct pctl_strmap *map, const char *key)
{
	struct pctl_strmap_slot *slot = map->cap ? slot_of(map, key) : NULL;

	if (!slot || !slot->key)
		return NULL;
	void *value = slot->value;
	free(slot->key);
	*slot = (struct pctl_strmap_slot){ 0 };
	map->n--;

	/* Move up those that were pushed past the hole. */
	size_t i = (size_t)(slot - map->slots);
	for (;;) {
		i = (i + 1) & (map->cap - 1);
		struct pctl_strmap_slot moved = map->slots[i];
		if (!moved.key)
			return value;
		map->slots[i] = (struct pctl_strmap_slot){ 0 };
		*slot_of(map, moved.key) = moved;
	}
}

void pctl_strmap_each(const struct pctl_strmap *map, pctl_strmap_each_fn *fn, void *data)
{
	for (size_t i = 0; i < map->cap; i++)
		if (map->slots[i].key)
			fn(data, map->slots[i].key, map->slots[i].value);
}
