/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as a genders file and as a configuration of ClusterShell. A problem is at a place inside
 * the text, every group can be named, and every node of a file without problems has a pattern that
 * stands for nodes.
 */
#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "fuzz.h"
#include "inventory/inventory.h"
#include "inventory/source.h"

#define TEXT_MAX 4096u

static void check_place(struct pctl_place place, size_t size)
{
	require(place.line >= 1 && place.line <= size + 1);
	require(place.column >= 1 && place.column <= size + 1);
}

static void check_genders(const char *text, size_t size, const struct pctl_genders_map *map)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_value *root = pctl_genders_parse("f", text, size, map, false, problems);
	const struct pctl_value *nodes = pctl_value_get(root, "nodes");
	const struct pctl_value *groups = pctl_value_get(root, "groups");

	for (size_t i = 0; pctl_problems_at(problems, i); i++)
		require(strncmp(pctl_problems_at(problems, i), "f:", 2) == 0);
	for (size_t i = 0; i < pctl_value_count(groups); i++) {
		require(pctl_source_can_name(pctl_value_key_at(groups, i)));
		check_place(pctl_value_key_place(groups, i), size);
		require(pctl_value_count(pctl_value_at(groups, i)) > 0);
	}
	require(map->key || pctl_value_count(nodes) == 0);
	for (size_t i = 0; i < pctl_value_count(nodes); i++) {
		uint64_t count;

		check_place(pctl_value_key_place(nodes, i), size);
		require(pctl_range_count(pctl_value_key_at(nodes, i), &count, NULL, NULL) == 0);
		require(count > 0);
	}
	pctl_value_free(root);
	pctl_problems_free(problems);
}

static void check_ini(const char *text, size_t size)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_value *root = pctl_value_new_map();

	pctl_ini_parse(root, "f", text, size, problems);
	for (size_t i = 0; i < pctl_value_count(root); i++) {
		const struct pctl_value *section = pctl_value_at(root, i);

		require(pctl_value_kind(section) == PCTL_VALUE_MAP);
		for (size_t k = 0; k < pctl_value_count(section); k++)
			check_place(pctl_value_place(pctl_value_at(section, k)), size);
	}
	pctl_value_free(root);
	pctl_problems_free(problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pctl_genders_map map[] = { { "address", "a" }, { "class", "b" },
		{ NULL, NULL } };

	if (size > TEXT_MAX)
		return 0;
	PCTL_AUTO(free) char *text = pctl_xcalloc(size + 1, 1);
	if (size)
		memcpy(text, data, size);
	if (has_many_digits(text))
		return 0;
	check_genders(text, size, map);
	check_genders(text, size, map + 2);
	check_ini(text, size);
	return 0;
}
