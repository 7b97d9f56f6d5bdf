/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as an inventory. A problem is at a place inside the text; what loads without problems
 * loads without problems again when its tree is written out anew, with the same nodes; and adding a
 * node by splicing either leaves something unreadable, which the editor refuses, or keeps every
 * node.
 */
#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "fuzz.h"
#include "inventory/inventory.h"
#include "inventory/splice.h"

#define TEXT_MAX 4096u

/* Every byte that may end a line counts as one: no text has more lines than that. */
static uint64_t count_lines(const char *text, size_t len)
{
	uint64_t lines = 1;

	for (size_t i = 0; i < len; i++)
		if (strchr("\r\n\x85\xa8\xa9", text[i]))
			lines++;
	return lines;
}

static uint64_t read_number(const char **s)
{
	size_t len = strspn(*s, "0123456789");
	PCTL_AUTO(free) char *digits = pctl_xstrndup(*s, len);
	uint64_t n = 0;

	require(pctl_parse_uint(digits, UINT32_MAX, &n) == 0 && n > 0);
	*s += len;
	return n;
}

static void check_places(const struct pctl_problems *problems, const char *text, size_t len)
{
	for (size_t i = 0; pctl_problems_at(problems, i); i++) {
		const char *s = pctl_problems_at(problems, i);

		require(strncmp(s, "f:", 2) == 0);
		s += 2;
		require(read_number(&s) <= count_lines(text, len));
		require(*s++ == ':');
		require(read_number(&s) <= len + 1);
		require(strncmp(s, ": ", 2) == 0 && s[2]);
	}
}

static struct pctl_inventory *load(const char *text, size_t len)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_inventory *inv = NULL;
	int r = pctl_inventory_parse("f", text, len, &inv, problems);

	require((r == 0) == (pctl_problems_count(problems) == 0));
	check_places(problems, text, len);
	pctl_problems_free(problems);
	if (r == 0)
		return inv;
	pctl_inventory_free(inv);
	return NULL;
}

static void check_nodes(const struct pctl_inventory *inv)
{
	for (size_t i = 0; i < pctl_inventory_count(inv); i++) {
		const char *name = pctl_inventory_name(inv, i);
		struct pctl_value *settings = pctl_inventory_settings(inv, i);
		const char *driver = pctl_inventory_text(inv, i, "driver");
		const char *same = pctl_value_text(pctl_value_get(settings, "driver"));

		require(pctl_inventory_index(inv, name) == (int64_t)i);
		require(driver ? same && strcmp(driver, same) == 0 : !same);
		pctl_value_free(settings);
	}
}

static void check_written_anew(const struct pctl_inventory *inv)
{
	struct pctl_buf out;

	pctl_buf_init(&out, PCTL_YAML_FILE_MAX);
	pctl_yaml_write(&out, inv->files[0]->root, false);
	struct pctl_inventory *again = load(out.data, out.len);
	require(again && pctl_inventory_count(again) == pctl_inventory_count(inv));
	pctl_inventory_free(again);
	pctl_buf_done(&out);
}

static void check_splice(const struct pctl_inventory *inv, const char *text, size_t len)
{
	struct pctl_value *added = pctl_value_new_map();
	struct pctl_splice splice;
	struct pctl_buf out;

	require(pctl_splice_init(&splice, "f", text, len, NULL) == 0);
	pctl_buf_init(&out, PCTL_YAML_FILE_MAX);
	struct pctl_spot root = pctl_splice_root(&splice);
	struct pctl_spot nodes = pctl_splice_find(&splice, &root, "nodes");
	pctl_value_set(added, "fuzz", pctl_value_new_map());
	pctl_value_set(added, "fuzz2", pctl_value_new_map());
	pctl_splice_add_all(
		&splice, nodes.value ? &nodes : &root, nodes.value ? NULL : "nodes", added);
	pctl_splice_apply(&splice, &out);
	struct pctl_inventory *more = load(out.data, out.len);
	if (more && pctl_inventory_index(inv, "fuzz") < 0 &&
		pctl_inventory_index(inv, "fuzz2") < 0 && pctl_inventory_index(more, "fuzz") >= 0)
		require(pctl_inventory_count(more) == pctl_inventory_count(inv) + 2);
	pctl_inventory_free(more);
	pctl_buf_done(&out);
	pctl_splice_done(&splice);
	pctl_value_free(added);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > TEXT_MAX)
		return 0;
	PCTL_AUTO(free) char *text = pctl_xcalloc(size + 1, 1);
	if (size)
		memcpy(text, data, size);
	if (has_many_digits(text))
		return 0;

	struct pctl_inventory *inv = load(text, size);
	if (inv) {
		check_nodes(inv);
		check_written_anew(inv);
		check_splice(inv, text, size);
	}
	pctl_inventory_free(inv);
	return 0;
}
