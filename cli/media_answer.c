/* SPDX-License-Identifier: Apache-2.0 */
#include "media_answer.h"

#include <jansson.h>
#include <unistd.h>

#include "json.h"

char *media_answer(const char *node, const struct pctl_value *facts)
{
	const struct pctl_value *drives = pctl_value_get(facts, "drives");
	struct pctl_value *tree = pctl_value_new_map();

	pctl_value_set_int(tree, "pid", getpid());
	pctl_value_set(tree, "drives", drives ? pctl_value_copy(drives) : pctl_value_new_list());
	char *text = json_node(node, tree);
	pctl_value_free(tree);
	return text;
}

static void add_text(struct pctl_value *map, const json_t *from, const char *key)
{
	const char *text = json_string_value(json_object_get(from, key));

	if (text)
		pctl_value_set_text(map, key, text);
}

static void add_number(struct pctl_value *map, const json_t *from, const char *key)
{
	const json_t *n = json_object_get(from, key);

	if (json_is_integer(n))
		pctl_value_set_int(map, key, json_integer_value(n));
}

static struct pctl_value *drive_of(const json_t *from)
{
	struct pctl_value *map = pctl_value_new_map();

	add_text(map, from, "drive");
	pctl_value_set_bool(map, "inserted", json_is_true(json_object_get(from, "inserted")));
	add_number(map, from, "size");
	add_number(map, from, "read");
	add_text(map, from, "image");
	return map;
}

bool media_answer_read(const char *answer, struct pctl_value *ret)
{
	json_t *json = json_loads(answer, JSON_REJECT_DUPLICATES, NULL);
	bool is = json_is_integer(json_object_get(json, "pid"));
	struct pctl_value *drives = is ? pctl_value_new_list() : NULL;
	const json_t *told = json_object_get(json, "drives");

	if (is) {
		pctl_value_set_bool(ret, "attached", true);
		add_number(ret, json, "pid");
		for (size_t i = 0; i < json_array_size(told); i++)
			pctl_value_add(drives, drive_of(json_array_get(told, i)));
		pctl_value_set(ret, "drives", drives);
	}
	json_decref(json);
	return is;
}
