/* SPDX-License-Identifier: Apache-2.0 */
/* Which node stands in which: chassis and blades. Nothing is kept where no node says so. */
#include <powerctl/buf.h>
#include <powerctl/mem.h>

#include "inventory/inventory.h"

#define CIRCLE_WORDS_MAX 3000u
#define CIRCLE_TOLD      12u

struct pctl_kin_index {
	uint32_t *parent; /* by node: 1 + its parent; 0: none */
	uint32_t *first;  /* 1 + its first child */
	uint32_t *next;   /* 1 + the next one of the same parent */
	size_t nodes;
};

void pctl_inventory_free_kin(struct pctl_inventory *inv)
{
	struct pctl_kin_index *index = inv->kin_index;

	inv->kin_index = NULL;
	if (!index)
		return;
	free(index->parent);
	free(index->first);
	free(index->next);
	free(index);
}

static bool is_used(const struct pctl_inventory *inv)
{
	for (size_t i = 0; i < inv->entry_count; i++)
		if (pctl_value_get(inv->entries[i].settings, "parent"))
			return true;
	for (size_t i = 0; i < inv->classes.n; i++)
		if (pctl_value_get(inv->classes.v[i].value, "parent"))
			return true;
	return false;
}

static struct pctl_place place_of(const struct pctl_inventory *inv, size_t node)
{
	return pctl_value_place(pctl_inventory_value(inv, node, "parent"));
}

static void find_parent(struct pctl_inventory *inv, size_t node, struct pctl_problems *problems)
{
	const char *name = pctl_inventory_text(inv, node, "parent");
	int64_t parent = name ? pctl_inventory_index(inv, name) : -1;

	if (parent >= 0)
		inv->kin_index->parent[node] = 1 + (uint32_t)parent;
	if (!name || parent >= 0)
		return;
	const char *near = pctl_inventory_nearest(inv, name);
	pctl_problems_add(problems, place_of(inv, node),
		"parent: '%s' is no node%s%s%s; give the name of the node that this one stands in",
		name, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static void say_circle(
	const struct pctl_inventory *inv, size_t node, struct pctl_problems *problems)
{
	const uint32_t *parent = inv->kin_index->parent;
	size_t at = node, told = 0;
	struct pctl_buf words;

	pctl_buf_init(&words, CIRCLE_WORDS_MAX);
	do {
		size_t in = parent[at] - 1;

		if (told++ < CIRCLE_TOLD)
			pctl_buf_addf(&words, "%s%s is in %s", told > 1 ? ", " : "",
				pctl_inventory_name(inv, at),
				in == at ? "itself" : pctl_inventory_name(inv, in));
		at = in;
	} while (at != node);
	if (told > CIRCLE_TOLD)
		pctl_buf_addf(&words, " and so on, %zu nodes", told);
	pctl_problems_add(problems, place_of(inv, node),
		"parent: %s: a circle; take one 'parent:' of it out", words.data);
	pctl_buf_done(&words);
}

/* Each node is passed once: seen has the number of the walk that came by, or 0. */
static void find_circles(const struct pctl_inventory *inv, struct pctl_problems *problems)
{
	const struct pctl_kin_index *index = inv->kin_index;
	uint32_t *seen = pctl_xcalloc(index->nodes, sizeof(*seen));

	for (size_t i = 0; i < index->nodes; i++) {
		uint32_t walk = (uint32_t)i + 1;
		size_t at = i;

		while (!seen[at] && index->parent[at]) {
			seen[at] = walk;
			at = index->parent[at] - 1;
		}
		if (seen[at] == walk)
			say_circle(inv, at, problems);
	}
	free(seen);
}

void pctl_inventory_index_kin(struct pctl_inventory *inv, struct pctl_problems *problems)
{
	if (!is_used(inv))
		return;
	struct pctl_kin_index *index = pctl_xcalloc(1, sizeof(*index));
	inv->kin_index = index;
	index->nodes = inv->names.n;
	index->parent = pctl_xcalloc(index->nodes, sizeof(*index->parent));
	index->first = pctl_xcalloc(index->nodes, sizeof(*index->first));
	index->next = pctl_xcalloc(index->nodes, sizeof(*index->next));
	for (size_t i = 0; i < index->nodes; i++)
		find_parent(inv, i, problems);
	find_circles(inv, problems);
	/* A chain grows at its head: backwards, it comes out in order. */
	for (size_t i = index->nodes; i-- > 0;) {
		if (!index->parent[i])
			continue;
		uint32_t *first = &index->first[index->parent[i] - 1];
		index->next[i] = *first;
		*first = (uint32_t)i + 1;
	}
}

bool pctl_inventory_has_kin(const struct pctl_inventory *inv)
{
	return inv->kin_index != NULL;
}

int64_t pctl_inventory_parent(const struct pctl_inventory *inv, size_t node)
{
	const struct pctl_kin_index *index = inv->kin_index;

	return index && node < index->nodes ? (int64_t)index->parent[node] - 1 : -1;
}

int64_t pctl_inventory_child(const struct pctl_inventory *inv, size_t node, size_t i)
{
	const struct pctl_kin_index *index = inv->kin_index;

	if (!index || node >= index->nodes)
		return -1;
	uint32_t at = index->first[node];
	while (at && i-- > 0)
		at = index->next[at - 1];
	return (int64_t)at - 1;
}
