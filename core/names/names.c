/* SPDX-License-Identifier: Apache-2.0 */
#include "names/names.h"

#include <assert.h>
#include <string.h>

#include <powerctl/mem.h>

#define BLOCK_MIN ((size_t)1 << 10)
#define BLOCK_MAX ((size_t)1 << 20)

struct pctl_names_block {
	struct pctl_names_block *next;
	size_t used, size;
	char text[];
};

struct pctl_names_slot {
	uint32_t hash;
	uint32_t number; /* index in items, plus one; 0: free */
};

struct pctl_names *pctl_names_new(void)
{
	return pctl_xcalloc(1, sizeof(struct pctl_names));
}

void pctl_names_done(struct pctl_names *names)
{
	while (names->blocks) {
		struct pctl_names_block *next = names->blocks->next;

		free(names->blocks);
		names->blocks = next;
	}
	free(names->items);
	free(names->slots);
	*names = (struct pctl_names){ 0 };
}

void pctl_names_free(struct pctl_names *names)
{
	if (!names)
		return;
	pctl_names_done(names);
	free(names);
}

size_t pctl_names_count(const struct pctl_names *names)
{
	return names->n;
}

const char *pctl_names_at(const struct pctl_names *names, size_t i)
{
	assert(i < names->n);
	return names->items[i];
}

/* FNV-1a, folded once more: names differ in their last bytes, and slots are chosen by low bits. */
static uint32_t hash(const char *text, size_t len)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)text[i]) * 1099511628211u;
	return (uint32_t)(h ^ (h >> 32));
}

/* The slot that has the text, or the free one where it would go. */
static struct pctl_names_slot *slot_of(
	const struct pctl_names *names, uint32_t h, const char *text, size_t len)
{
	size_t i = h & (names->nslots - 1);

	for (;; i = (i + 1) & (names->nslots - 1)) {
		struct pctl_names_slot *slot = &names->slots[i];

		if (!slot->number)
			return slot;
		if (slot->hash != h)
			continue;
		const char *item = names->items[slot->number - 1];
		if (strncmp(item, text, len) == 0 && !item[len])
			return slot;
	}
}

/* Gives every slot a place in a table of nslots. */
static void rehash(struct pctl_names *names, size_t nslots)
{
	struct pctl_names_slot *slots = pctl_xcalloc(nslots, sizeof(*slots));

	for (size_t i = 0; i < names->nslots; i++) {
		size_t to = names->slots[i].hash & (nslots - 1);

		if (!names->slots[i].number)
			continue;
		while (slots[to].number)
			to = (to + 1) & (nslots - 1);
		slots[to] = names->slots[i];
	}
	free(names->slots);
	names->slots = slots;
	names->nslots = nslots;
}

static const char *keep_text(struct pctl_names *names, const char *text, size_t len)
{
	struct pctl_names_block *block = names->blocks;

	if (!block || block->size - block->used <= len) {
		size_t size = block ? block->size * 2 : BLOCK_MIN;

		size = size < BLOCK_MAX ? size : BLOCK_MAX;
		size = size > len ? size : len + 1;
		block = pctl_xcalloc(1, sizeof(*block) + size);
		block->size = size;
		block->next = names->blocks;
		names->blocks = block;
	}

	char *copy = block->text + block->used;
	memcpy(copy, text, len);
	copy[len] = '\0';
	block->used += len + 1;
	return copy;
}

size_t pctl_names_put(struct pctl_names *names, const char *text, size_t len)
{
	uint32_t h = hash(text, len);

	if (names->n * 4 >= names->nslots * 3)
		rehash(names, names->nslots ? names->nslots * 2 : 16);

	struct pctl_names_slot *slot = slot_of(names, h, text, len);
	if (slot->number)
		return slot->number - 1;
	assert(names->n < UINT32_MAX);
	names->items = pctl_xgrow(names->items, &names->cap, names->n + 1, sizeof(*names->items));
	names->items[names->n++] = keep_text(names, text, len);
	*slot = (struct pctl_names_slot){ .hash = h, .number = (uint32_t)names->n };
	return names->n - 1;
}

size_t pctl_names_find(const struct pctl_names *names, const char *text)
{
	size_t len = strlen(text);

	if (!names->nslots)
		return SIZE_MAX;
	return (size_t)slot_of(names, hash(text, len), text, len)->number - 1;
}

bool pctl_names_add(struct pctl_names *names, const char *name)
{
	size_t before = names->n;

	return pctl_names_put(names, name, strlen(name)) == before;
}

bool pctl_names_has(const struct pctl_names *names, const char *name)
{
	return pctl_names_find(names, name) != SIZE_MAX;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t zeros_at(const char *s)
{
	return strspn(s, "0");
}

static size_t digits_at(const char *s)
{
	size_t len = 0;

	while (is_digit(s[len]))
		len++;
	return len;
}

/* Compares the numbers at *a and *b by value and moves behind them; *padding: who has more zeros.
 */
static int compare_numbers(const char **a, const char **b, int *padding)
{
	size_t zeros_a = zeros_at(*a), zeros_b = zeros_at(*b);
	const char *na = *a + zeros_a, *nb = *b + zeros_b;
	size_t len_a = digits_at(na), len_b = digits_at(nb);

	if (len_a != len_b)
		return len_a < len_b ? -1 : 1;
	if (!*padding)
		*padding = (zeros_a > zeros_b) - (zeros_a < zeros_b);
	*a = na + len_a;
	*b = nb + len_b;
	return memcmp(na, nb, len_a);
}

int pctl_names_compare(const char *a, const char *b)
{
	int padding = 0;

	while (*a || *b) {
		if (is_digit(*a) && is_digit(*b)) {
			int order = compare_numbers(&a, &b, &padding);
			if (order)
				return order;
			continue;
		}
		if (*a != *b)
			return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
		a++;
		b++;
	}
	return padding;
}

static int compare_items(const void *a, const void *b)
{
	return pctl_names_compare(*(const char *const *)a, *(const char *const *)b);
}

static bool is_sorted(const struct pctl_names *names)
{
	for (size_t i = 1; i < names->n; i++)
		if (pctl_names_compare(names->items[i - 1], names->items[i]) > 0)
			return false;
	return true;
}

void pctl_names_sort(struct pctl_names *names)
{
	if (is_sorted(names))
		return;
	qsort(names->items, names->n, sizeof(*names->items), compare_items);
	memset(names->slots, 0, names->nslots * sizeof(*names->slots));
	for (size_t i = 0; i < names->n; i++) {
		size_t len = strlen(names->items[i]);
		uint32_t h = hash(names->items[i], len);
		struct pctl_names_slot *slot = slot_of(names, h, names->items[i], len);

		*slot = (struct pctl_names_slot){ .hash = h, .number = (uint32_t)i + 1 };
	}
}
