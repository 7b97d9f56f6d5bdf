/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory/source.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "inventory/inventory.h"

#define WARNING_MAX 4096u

/* --- What the kinds share. -------------------------------------------------------------------- */

static void extend(char **what, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

static void extend(char **what, const char *fmt, va_list ap)
{
	char text[WARNING_MAX];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	char *longer = *what ? pctl_xasprintf("%s; %s", *what, text) : pctl_xstrdup(text);
	free(*what);
	*what = longer;
}

void pctl_source_warn(struct pctl_source *source, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	extend(&source->warning, fmt, ap);
	va_end(ap);
}

void pctl_source_note(struct pctl_source *source, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	extend(&source->note, fmt, ap);
	va_end(ap);
}

bool pctl_source_can_name(const char *group)
{
	size_t good = strspn(group, PCTL_GROUP_CHARACTERS);

	return good > 0 && !group[good];
}

char *pctl_source_skipped_hint(const struct pctl_source *source, const char *group)
{
	size_t len = strcspn(group, ":");
	PCTL_AUTO(free)
	char *prefix = group[len] ? pctl_xstrndup(group, len) : NULL;
	const char *skipped = prefix ? prefix : source->skipped_default;

	if (!skipped || !source->skipped || !pctl_names_has(source->skipped, skipped))
		return pctl_xstrdup("");
	return pctl_xasprintf("; the groups of '%s' come from a shell command, and powerctl runs "
			      "none: a source 'command:' can print them",
		skipped);
}

/* --- One item of the list. -------------------------------------------------------------------- */

static const char *const kinds[] = { "clustershell", "genders", "command", NULL };

/* Keys that only one kind has. */
static const struct {
	const char *key, *kind;
} own_keys[] = {
	{ "every", "command" },
	{ "nodes", "genders" },
	{ "address", "genders" },
	{ "class", "genders" },
	{ "driver", "genders" },
};

static const char *kind_of(const struct pctl_value *config, struct pctl_problems *problems)
{
	const char *kind = NULL;

	for (const char *const *k = kinds; *k; k++) {
		if (!pctl_value_get(config, *k))
			continue;
		if (kind) {
			pctl_problems_add(problems, pctl_value_place(config),
				"a source is one of %s and %s; make two of it", kind, *k);
			return NULL;
		}
		kind = *k;
	}
	if (!kind)
		pctl_problems_add(problems, pctl_value_place(config),
			"a source has one of these keys: clustershell, genders, command");
	return kind;
}

static void check_own_keys(
	const struct pctl_value *config, const char *kind, struct pctl_problems *problems)
{
	for (size_t i = 0; i < pctl_value_count(config); i++)
		for (size_t k = 0; k < sizeof(own_keys) / sizeof(own_keys[0]); k++)
			if (strcmp(pctl_value_key_at(config, i), own_keys[k].key) == 0 &&
				strcmp(kind, own_keys[k].kind) != 0)
				pctl_problems_add(problems, pctl_value_key_place(config, i),
					"'%s' belongs to a source with '%s:', not to one with "
					"'%s:'",
					own_keys[k].key, own_keys[k].kind, kind);
}

/* What a person calls it: a program, a path, or the kind. NULL: there is nothing to read. */
static const char *title_of(const struct pctl_value *config, const char *kind)
{
	const struct pctl_value *v = pctl_value_get(config, kind);
	const char *text = pctl_value_text(v);
	bool b;

	if (strcmp(kind, "command") == 0) {
		text = pctl_value_text(pctl_value_at(v, 0));
		const char *slash = text ? strrchr(text, '/') : NULL;
		return slash ? slash + 1 : text;
	}
	if (text && strcmp(kind, "clustershell") == 0 && pctl_parse_bool(text, &b) == 0)
		return b ? kind : NULL;
	return text && *text ? text : NULL;
}

static bool is_true(const struct pctl_value *v)
{
	bool b = false;

	return pctl_value_text(v) && pctl_parse_bool(pctl_value_text(v), &b) == 0 && b;
}

/* A mistake is said before any program runs. */
static bool keys_are_good(
	const struct pctl_value *config, const char *kind, struct pctl_problems *problems)
{
	struct pctl_problems *own = pctl_problems_new();

	pctl_inventory_check_source(config, own);
	check_own_keys(config, kind, own);
	size_t count = pctl_problems_count(own);
	for (size_t i = 0; pctl_problems_at(own, i); i++)
		pctl_problems_add(
			problems, (struct pctl_place){ 0 }, "%s", pctl_problems_at(own, i));
	pctl_problems_free(own);
	return count == 0;
}

static void read_source(
	struct pctl_inventory *inv, const struct pctl_value *config, struct pctl_problems *problems)
{
	if (pctl_value_kind(config) != PCTL_VALUE_MAP)
		return; /* inventory_check.c has said so */
	const char *kind = kind_of(config, problems);
	const char *title = kind ? title_of(config, kind) : NULL;
	if (kind && strcmp(kind, "command") == 0 &&
		pctl_value_kind(pctl_value_get(config, kind)) == PCTL_VALUE_LIST && !title)
		pctl_problems_add(problems, pctl_value_place(pctl_value_get(config, kind)),
			"command: the name of a program is missing here");
	if (!title || !keys_are_good(config, kind, problems))
		return;

	struct pctl_source *source = pctl_xcalloc(1, sizeof(*source));
	source->name = pctl_xasprintf("source '%s'", title);
	source->config = config;
	source->place = pctl_value_place(config);
	source->only_known = is_true(pctl_value_get(config, "only_known"));
	source->files = pctl_names_new();
	source->skipped = pctl_names_new();
	inv->sources = pctl_xgrow(inv->sources, &inv->source_cap, inv->source_count + 1,
		sizeof(struct pctl_source *));
	inv->sources[inv->source_count++] = source;
	if (strcmp(kind, "clustershell") == 0)
		pctl_source_clustershell(source, problems);
	else if (strcmp(kind, "genders") == 0)
		pctl_source_genders(source, problems);
	else
		pctl_source_command(inv, source, problems);
}

void pctl_sources_read(struct pctl_inventory *inv, struct pctl_problems *problems)
{
	for (size_t i = 0; i < inv->file_count; i++) {
		const struct pctl_value *list = pctl_value_get(inv->files[i]->root, "sources");

		if (!list || pctl_value_kind(list) != PCTL_VALUE_LIST)
			continue;
		for (size_t k = 0; k < pctl_value_count(list); k++)
			read_source(inv, pctl_value_at(list, k), problems);
	}
}

void pctl_source_free(struct pctl_source *source)
{
	if (!source)
		return;
	pctl_answer_drop(source);
	pctl_value_free(source->root);
	pctl_names_free(source->files);
	pctl_names_free(source->skipped);
	free(source->skipped_default);
	free(source->warning);
	free(source->note);
	free(source->name);
	free(source);
}

/* --- What a person is told. ------------------------------------------------------------------- */

size_t pctl_inventory_source_count(const struct pctl_inventory *inv)
{
	return inv->source_count;
}

char *pctl_inventory_source_words(const struct pctl_inventory *inv, size_t i)
{
	const struct pctl_source *source = inv->sources[i];
	PCTL_AUTO(free) char *age = source->aged ? pctl_source_age(source->age_s) : NULL;
	PCTL_AUTO(free)
	char *nodes = source->node_count
			      ? pctl_xasprintf("%" PRIu64 " node%s, ", source->node_count,
					source->node_count == 1 ? "" : "s")
			      : pctl_xstrdup("");

	return pctl_xasprintf("%s: %s%zu group%s%s%s%s%s%s", source->name, nodes,
		source->group_count, source->group_count == 1 ? "" : "s", age ? ", " : "",
		age ? age : "", age ? " old" : "", source->note ? "; " : "",
		source->note ? source->note : "");
}

char *pctl_inventory_source_warning(const struct pctl_inventory *inv, size_t i)
{
	const struct pctl_source *source = inv->sources[i];

	return source->warning ? pctl_xasprintf("%s: %s", source->name, source->warning) : NULL;
}

char *pctl_source_age(uint64_t s)
{
	if (s < 120)
		return pctl_xasprintf("%" PRIu64 " s", s);
	if (s < UINT64_C(2) * 3600)
		return pctl_xasprintf("%" PRIu64 " min", s / 60);
	if (s < UINT64_C(48) * 3600)
		return pctl_xasprintf("%" PRIu64 " h", s / 3600);
	return pctl_xasprintf("%" PRIu64 " days", s / 86400);
}
