/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any text as an expression and as a pattern. A mistake is inside the text; counting and making
 * agree; folding an expression's names and expanding the result gives the same names.
 */
#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/nodeset.h>

#include "fuzz.h"

/* More takes long and shows no more. */
#define ENOUGH 20000u

static void check_mistake(const char *text, size_t at, const struct pctl_error *err)
{
	size_t len = strlen(text);

	require(at < len || (!len && !at));
	require(err->code == PCTL_E_CONFIG && err->text[0]);
}

struct walk {
	const char *pattern;
	uint64_t count, made;
};

static int check_name(void *data, size_t i, const char *name)
{
	struct walk *walk = data;

	require(i == walk->made++);
	if (i % 97 == 0 || i + 1 == walk->count) {
		PCTL_AUTO(free) char *same = pctl_range_at(walk->pattern, i);

		require(strcmp(name, same) == 0);
	}
	return 0;
}

static void check_pattern(const char *text)
{
	struct walk walk = { .pattern = text };
	struct pctl_error err = { 0 };
	size_t at = SIZE_MAX;

	if (pctl_range_count(text, &walk.count, &at, &err) < 0) {
		check_mistake(text, at, &err);
	} else if (walk.count <= ENOUGH) {
		require(pctl_range_each(text, check_name, &walk, &at, &err) == 0);
		require(walk.made == walk.count);
	}
}

static void check_fold(const struct pctl_names *names)
{
	PCTL_AUTO(free) char *text = pctl_names_fold(names);
	struct pctl_names *again = pctl_names_new();

	require(pctl_names_expand(again, text, NULL, NULL, NULL) == 0);
	require(pctl_names_count(again) == pctl_names_count(names));
	for (size_t i = 0; i < pctl_names_count(names); i++)
		require(pctl_names_has(again, pctl_names_at(names, i)));
	pctl_names_free(again);
}

static void check_sorted(struct pctl_names *names)
{
	size_t count = pctl_names_count(names);

	pctl_names_sort(names);
	require(pctl_names_count(names) == count);
	for (size_t i = 0; i < count; i++)
		require(pctl_names_has(names, pctl_names_at(names, i)));
}

/* @w is w and w1; what is long, or all, is nobody. No tag is known. */
static int group(void *data, const char *word, struct pctl_names *out, struct pctl_error *err)
{
	PCTL_AUTO(free) char *second = pctl_xasprintf("%s1", word);

	(void)data, (void)err;
	if (*word == '*' || strlen(word) > 100)
		return 0;
	pctl_names_add(out, word);
	pctl_names_add(out, second);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pctl_names_resolver resolver = { .group = group };
	PCTL_AUTO(free) char *text = pctl_xstrndup((const char *)data, size);
	struct pctl_names *names = pctl_names_new();
	struct pctl_error err = { 0 };
	size_t at = SIZE_MAX;

	check_pattern(text);
	if (pctl_names_expand(names, text, &resolver, &at, &err) < 0) {
		check_mistake(text, at, &err);
		require(pctl_names_count(names) == 0);
	} else if (pctl_names_count(names) <= ENOUGH) {
		check_fold(names);
		check_sorted(names);
		check_fold(names);
	}
	pctl_names_free(names);
	return 0;
}
