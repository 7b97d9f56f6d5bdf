/* SPDX-License-Identifier: Apache-2.0 */
/* Which limits a node is under: put together once, as groups may be large and overlap. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "inventory/inventory.h"

struct node_limit { /* one limit of one node */
	uint32_t limit;
	uint32_t next; /* the node's next one, 1 + its number; 0: none */
};

struct pctl_limit_index {
	struct pctl_inventory_limit *limits; /* by name */
	size_t n;
	uint32_t *first; /* by node: 1 + number of its first one */
	size_t nodes;
	struct node_limit *all;
	size_t used, cap;
};

void pctl_inventory_free_limits(struct pctl_inventory *inv)
{
	struct pctl_limit_index *index = inv->limit_index;

	inv->limit_index = NULL;
	if (!index)
		return;
	free(index->limits);
	free(index->first);
	free(index->all);
	free(index);
}

static int by_name(const void *a, const void *b)
{
	const struct pctl_inventory_limit *x = a, *y = b;

	return strcmp(x->group, y->group);
}

/* What cannot be read was a mistake when the file was checked. */
static struct pctl_inventory_limit read_limit(const struct pctl_item *item)
{
	struct pctl_inventory_limit limit = { .group = item->name };
	const char *max = pctl_value_text(pctl_value_get(item->value, "max_at_once"));
	const char *stagger = pctl_value_text(pctl_value_get(item->value, "stagger"));
	uint64_t n = 0;

	if (max && pctl_parse_uint(max, UINT32_MAX, &n) == 0)
		limit.max_at_once = (uint32_t)n;
	if (stagger)
		(void)pctl_parse_duration(stagger, &limit.stagger_ms);
	return limit;
}

/* Whoever does not know which machines are under a limit cannot hold it: that is a mistake. */
static void add_members(const struct pctl_inventory *inv, struct pctl_limit_index *index, size_t i,
	struct pctl_problems *problems)
{
	const char *group = index->limits[i].group;
	struct pctl_names_resolver resolver = pctl_inventory_resolver(inv);
	struct pctl_names *names = pctl_names_new();
	struct pctl_error err = { 0 };

	const struct pctl_item *item = pctl_items_find(&inv->groups, group);
	int r = item ? resolver.group(resolver.data, group, names, &err) : 0;
	/* Those of files were said already. */
	if (r < 0 && item->source)
		pctl_problems_add(
			problems, pctl_items_find(&inv->limits, group)->place, "%s", err.text);
	for (size_t k = 0; k < pctl_names_count(names); k++) {
		int64_t node = pctl_inventory_index(inv, pctl_names_at(names, k));

		if (node < 0)
			continue;
		index->all =
			pctl_xgrow(index->all, &index->cap, index->used + 1, sizeof(*index->all));
		index->all[index->used++] = (struct node_limit){ (uint32_t)i, index->first[node] };
		index->first[node] = (uint32_t)index->used;
	}
	pctl_names_free(names);
}

void pctl_inventory_index_limits(struct pctl_inventory *inv, struct pctl_problems *problems)
{
	if (!inv->limits.n)
		return;
	struct pctl_limit_index *index = pctl_xcalloc(1, sizeof(*index));
	inv->limit_index = index;
	index->nodes = inv->names.n;
	index->first = pctl_xcalloc(index->nodes, sizeof(*index->first));
	index->limits = pctl_xcalloc(inv->limits.n, sizeof(*index->limits));
	for (size_t i = 0; i < inv->limits.n; i++) {
		struct pctl_inventory_limit limit = read_limit(&inv->limits.v[i]);

		if (limit.max_at_once || limit.stagger_ms)
			index->limits[index->n++] = limit;
	}
	qsort(index->limits, index->n, sizeof(*index->limits), by_name);
	/* A node's chain grows at its head: backwards, it comes out in order. */
	for (size_t i = index->n; i-- > 0;)
		add_members(inv, index, i, problems);
}

const struct pctl_inventory_limit *pctl_inventory_limit_of(
	const struct pctl_inventory *inv, size_t node, size_t i)
{
	const struct pctl_limit_index *index = inv->limit_index;

	if (!index || node >= index->nodes)
		return NULL;
	uint32_t at = index->first[node];
	while (at && i-- > 0)
		at = index->all[at - 1].next;
	return at ? &index->limits[index->all[at - 1].limit] : NULL;
}

const char *pctl_inventory_limit_words(
	const struct pctl_inventory_limit *limit, char *buf, size_t size)
{
	char max[32] = "", apart[48] = "", stagger[32];

	if (limit->max_at_once)
		(void)snprintf(max, sizeof(max), "%u at once", limit->max_at_once);
	if (limit->stagger_ms)
		(void)snprintf(apart, sizeof(apart), "%s apart",
			pctl_format_duration(limit->stagger_ms, stagger, sizeof(stagger)));
	(void)snprintf(
		buf, size, "%.100s (%s%s%s)", limit->group, max, *max && *apart ? ", " : "", apart);
	return buf;
}
