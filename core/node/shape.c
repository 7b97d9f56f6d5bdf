/* SPDX-License-Identifier: Apache-2.0 */
/* Which nodes the inventory says the same about, so that it is put together once for all of them.
 */
#include <string.h>

#include <powerctl/parse.h>

#include "inventory/inventory.h"

#define FNV_START 14695981039346656037u
#define FNV_PRIME 1099511628211u
/* A range that is not the same for all names of its entry: each has settings of its own. */
#define OWN 1u

/* What each node has for itself, and no driver's setting depends on. */
static const char *const individual[] = { "address", "tags", "maintenance", "protected", NULL };

static bool is_individual(const char *key)
{
	return pctl_parse_choice(key, individual) >= 0;
}

static uint64_t add_text(uint64_t h, const char *text)
{
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * FNV_PRIME;
	return (h ^ 0xff) * FNV_PRIME; /* no byte of UTF-8: texts do not run together */
}

static uint64_t add_value(uint64_t h, const struct pctl_value *v) /* NOLINT(misc-no-recursion) */
{
	const char *text = pctl_value_text(v);

	h = (h ^ (unsigned)pctl_value_kind(v)) * FNV_PRIME;
	if (text)
		return add_text(h, text);
	for (size_t i = 0; i < pctl_value_count(v); i++) {
		const char *key = pctl_value_key_at(v, i);

		h = add_value(key ? add_text(h, key) : h, pctl_value_at(v, i));
	}
	return h;
}

static uint64_t shape_of_entry(const struct pctl_entry *entry)
{
	const struct pctl_value *map = entry->settings;
	uint64_t h = FNV_START;

	if (!map || pctl_value_kind(map) != PCTL_VALUE_MAP)
		return h;
	for (size_t i = 0; i < pctl_value_count(map); i++) {
		const char *key = pctl_value_key_at(map, i);

		if (is_individual(key))
			continue;
		if (entry->ranged && pctl_inventory_has_range(key, pctl_value_at(map, i)))
			return OWN;
		h = add_value(add_text(h, key), pctl_value_at(map, i));
	}
	return h > OWN ? h : OWN + 1;
}

uint64_t pctl_inventory_shape(const struct pctl_inventory *inv, size_t node)
{
	uint64_t h = FNV_START;

	for (uint32_t ref = inv->nodes[node].last_ref; ref; ref = inv->refs[ref].earlier) {
		struct pctl_entry *entry = &inv->entries[inv->refs[ref].entry];

		if (!entry->shape)
			entry->shape = shape_of_entry(entry);
		if (entry->shape == OWN)
			return 0;
		h = (h ^ entry->shape) * FNV_PRIME;
	}
	return h ? h : 1;
}

/* --- Whether two are really alike. ------------------------------------------------------------ */

/* A relative path starts at the file that it stands in. */
static bool same_file(const struct pctl_value *a, const struct pctl_value *b)
{
	return pctl_value_place(a).file == pctl_value_place(b).file;
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static bool equal(const struct pctl_value *a, const struct pctl_value *b)
{
	if (pctl_value_kind(a) != pctl_value_kind(b) || !same_file(a, b) ||
		pctl_value_count(a) != pctl_value_count(b))
		return false;
	if (pctl_value_text(a))
		return strcmp(pctl_value_text(a), pctl_value_text(b)) == 0;
	if (pctl_value_int(a) != pctl_value_int(b) || pctl_value_bool(a) != pctl_value_bool(b))
		return false;
	for (size_t i = 0; i < pctl_value_count(a); i++) {
		const char *key = pctl_value_key_at(a, i);

		if (key && strcmp(key, pctl_value_key_at(b, i)) != 0)
			return false;
		if (!equal(pctl_value_at(a, i), pctl_value_at(b, i)))
			return false;
	}
	return true;
}

/* The index of the next key that is not individual, from i on. */
static size_t next_shared(const struct pctl_value *map, size_t i)
{
	while (i < pctl_value_count(map) && is_individual(pctl_value_key_at(map, i)))
		i++;
	return i;
}

static bool entries_alike(const struct pctl_entry *a, const struct pctl_entry *b)
{
	const struct pctl_value *va = a->settings, *vb = b->settings;
	size_t i = next_shared(va, 0), k = next_shared(vb, 0);

	if (a == b)
		return true;
	while (i < pctl_value_count(va) && k < pctl_value_count(vb)) {
		if (strcmp(pctl_value_key_at(va, i), pctl_value_key_at(vb, k)) != 0 ||
			!equal(pctl_value_at(va, i), pctl_value_at(vb, k)))
			return false;
		i = next_shared(va, i + 1);
		k = next_shared(vb, k + 1);
	}
	return i == pctl_value_count(va) && k == pctl_value_count(vb);
}

bool pctl_inventory_alike(const struct pctl_inventory *inv, size_t a, size_t b)
{
	uint32_t ref_a = inv->nodes[a].last_ref, ref_b = inv->nodes[b].last_ref;

	while (ref_a && ref_b) {
		if (!entries_alike(&inv->entries[inv->refs[ref_a].entry],
			    &inv->entries[inv->refs[ref_b].entry]))
			return false;
		ref_a = inv->refs[ref_a].earlier;
		ref_b = inv->refs[ref_b].earlier;
	}
	return !ref_a && !ref_b;
}
