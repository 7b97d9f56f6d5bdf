/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the inventory share: files, and problems as one text. */
#ifndef POWERCTL_TESTS_INVENTORY_HELP_H
#define POWERCTL_TESTS_INVENTORY_HELP_H

#include "test.h"

#include <sys/stat.h>

#include <powerctl/buf.h>
#include <powerctl/inventory.h>
#include <powerctl/mem.h>

#include "inventory/inventory.h"

/* FILE in the folder; free() it. */
static inline char *test_path(const char *dir, const char *file)
{
	return pctl_xasprintf("%s/%s", dir, file);
}

static inline void test_write(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static inline char *test_read(const char *path)
{
	FILE *f = fopen(path, "re");
	struct pctl_buf text;
	int c;

	assert_non_null(f);
	pctl_buf_init(&text, 1 << 22);
	while ((c = getc(f)) != EOF) {
		char byte = (char)c;

		pctl_buf_add(&text, &byte, 1);
	}
	(void)fclose(f);
	return pctl_buf_steal(&text);
}

/* All problems, a line each; free() it. */
static inline char *test_problems(const struct pctl_problems *problems)
{
	struct pctl_buf text;

	pctl_buf_init(&text, 1 << 20);
	for (size_t i = 0; i < pctl_problems_count(problems); i++)
		pctl_buf_addf(&text, "%s%s", i ? "\n" : "", pctl_problems_at(problems, i));
	return pctl_buf_steal(&text);
}

/* Reads a text without any problem; its places say "f". */
static inline struct pctl_inventory *test_inventory(const char *text)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_inventory *inv = NULL;

	int r = pctl_inventory_parse("f", text, strlen(text), &inv, problems);
	PCTL_AUTO(free) char *said = test_problems(problems);
	assert_string_equal(said, "");
	assert_int_equal(r, 0);
	pctl_problems_free(problems);
	return inv;
}

/* A node's text setting as it is merged; "-" if it has none. free() it. */
static inline char *test_setting(
	const struct pctl_inventory *inv, const char *node, const char *key)
{
	int64_t i = pctl_inventory_index(inv, node);

	assert_true(i >= 0);
	struct pctl_value *settings = pctl_inventory_settings(inv, (size_t)i);
	const char *text = pctl_value_text(pctl_value_get(settings, key));
	char *copy = pctl_xstrdup(text ? text : "-");
	pctl_value_free(settings);
	return copy;
}

#define check_setting(inv, node, key, wanted)                                  \
	do {                                                                   \
		PCTL_AUTO(free) char *setting_ = test_setting(inv, node, key); \
		assert_string_equal(setting_, wanted);                         \
	} while (0)

#endif
