/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>

#include "inventory/inventory.h"

PCTL_DEFINE_AUTO(struct pctl_names *, pctl_names_free)

/* Beyond this many, unknown names of a command line are said in one folded line; those of a group
 * always are. */
#define NAMED_EACH_MAX 8u

/* --- What @group and %tag stand for. ---------------------------------------------------------- */

static int expand_into(const struct pctl_inventory *inv, struct pctl_names *out,
	const struct pctl_value *value, struct pctl_error *err)
{
	struct pctl_names_resolver resolver = pctl_inventory_resolver(inv);
	const char *text = pctl_value_text(value);
	int r = 0;

	if (text)
		return *text ? pctl_names_expand(out, text, &resolver, NULL, err) : 0;
	for (size_t i = 0; i < pctl_value_count(value) && r == 0; i++) {
		text = pctl_value_text(pctl_value_at(value, i));
		if (text && *text)
			r = pctl_names_expand(out, text, &resolver, NULL, err);
	}
	return r;
}

/* The groups of a source are nobody's mistake until somebody wants one. */
static int blame(const struct pctl_item *group, struct pctl_error *err)
{
	PCTL_AUTO(free) char *why = pctl_xstrdup(err ? err->text : "");
	size_t len = strlen(group->place.file);

	/* A group within it is to blame. */
	if (strncmp(why, group->place.file, len) == 0 && why[len] == ':')
		return PCTL_E_CONFIG;
	return pctl_error_set(err, PCTL_E_CONFIG, "%s:%u:%u: group '%s': %s", group->place.file,
		group->place.line, group->place.column, group->name, why);
}

/* A source may know more machines than the inventory does. They stay members, so that they are not
 * forgotten in silence, unless the source says only_known. Returns names or what is left of them.
 */
static struct pctl_names *take_strangers(const struct pctl_inventory *inv,
	const struct pctl_source *source, struct pctl_names *names)
{
	struct pctl_names *outsiders = (struct pctl_names *)(uintptr_t)&inv->outsiders;
	struct pctl_names *known = source->only_known ? pctl_names_new() : names;

	for (size_t i = 0; i < pctl_names_count(names); i++) {
		const char *name = pctl_names_at(names, i);
		bool node = pctl_names_has(&inv->names, name);

		if (source->only_known && node)
			(void)pctl_names_add(known, name);
		else if (!source->only_known && !node)
			(void)pctl_names_add(outsiders, name);
	}
	return known;
}

/* A group's members, made once: groups of groups must not multiply the work. */
static int members_of(
	const struct pctl_inventory *inv, struct pctl_item *group, struct pctl_error *err)
{
	if (group->names)
		return 0;
	if (group->busy)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"group '%s' comes back to itself; take one '@' of the circle out",
			group->name);

	PCTL_AUTO(pctl_names_free) struct pctl_names *names = pctl_names_new();
	group->busy = true;
	int r = expand_into(inv, names, group->value, err);
	group->busy = false;
	if (r < 0)
		return group->source ? blame(group, err) : r;
	group->names = group->source ? take_strangers(inv, group->source, names) : names;
	if (group->names == names)
		names = NULL;
	return 0;
}

static void add_all(struct pctl_names *out, const struct pctl_names *names)
{
	for (size_t i = 0; i < pctl_names_count(names); i++)
		(void)pctl_names_add(out, pctl_names_at(names, i));
}

static int unknown_group(const struct pctl_inventory *inv, const char *name, struct pctl_error *err)
{
	PCTL_AUTO(free) char *hint = pctl_xstrdup("");

	for (size_t i = 0; i < inv->source_count && !*hint; i++) {
		free(hint);
		hint = pctl_source_skipped_hint(inv->sources[i], name);
	}
	if (!*hint) {
		free(hint);
		hint = pctl_items_hint(&inv->groups, name);
	}
	return pctl_error_set(err, PCTL_E_CONFIG, "unknown group '%s'%s", name, hint);
}

static int resolve_group(
	void *data, const char *name, struct pctl_names *out, struct pctl_error *err)
{
	const struct pctl_inventory *inv = data;
	struct pctl_item *group = pctl_items_find(&inv->groups, name);

	if (strcmp(name, "*") == 0) {
		add_all(out, &inv->names);
		return 0;
	}
	if (!group)
		return unknown_group(inv, name, err);
	if (group->rival)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"group '%s' is in %s and in %s; write it in the inventory, which holds "
			"over both",
			name, group->source->name, group->rival->name);
	int r = members_of(inv, group, err);
	if (r == 0)
		add_all(out, group->names);
	return r;
}

static void add_tags(struct pctl_names *out, const struct pctl_value *settings)
{
	const struct pctl_value *tags = pctl_value_get(settings, "tags");

	for (size_t i = 0; i < pctl_value_count(tags); i++)
		if (pctl_value_text(pctl_value_at(tags, i)))
			(void)pctl_names_add(out, pctl_value_text(pctl_value_at(tags, i)));
}

void pctl_inventory_tags(const struct pctl_inventory *inv, struct pctl_names *out)
{
	for (size_t i = 0; i < inv->classes.n; i++)
		add_tags(out, inv->classes.v[i].value);
	for (size_t i = 0; i < inv->entry_count; i++)
		add_tags(out, inv->entries[i].settings);
}

const char *pctl_inventory_wrong_tag(const char *tag)
{
	return *tag && !tag[strspn(tag, PCTL_GROUP_CHARACTERS)]
		       ? NULL
		       : "a tag is one word of letters, digits and _ . - : =";
}

static bool has_tag(const struct pctl_value *tags, const char *tag)
{
	for (size_t i = 0; i < pctl_value_count(tags); i++) {
		const char *text = pctl_value_text(pctl_value_at(tags, i));

		if (text && strcmp(text, tag) == 0)
			return true;
	}
	return false;
}

static int resolve_tag(void *data, const char *tag, struct pctl_names *out, struct pctl_error *err)
{
	const struct pctl_inventory *inv = data;
	PCTL_AUTO(pctl_names_free) struct pctl_names *known = pctl_names_new();

	pctl_inventory_tags(inv, known);
	if (!pctl_names_has(known, tag)) {
		const char *nearest = pctl_names_nearest(known, tag);

		return pctl_error_set(err, PCTL_E_CONFIG, "unknown tag '%s'%s%s%s", tag,
			nearest ? "; did you mean '" : "", nearest ? nearest : "",
			nearest ? "'?" : "");
	}
	for (size_t i = 0; i < inv->names.n; i++)
		if (has_tag(pctl_inventory_value(inv, i, "tags"), tag))
			(void)pctl_names_add(out, pctl_names_at(&inv->names, i));
	return 0;
}

struct pctl_names_resolver pctl_inventory_resolver(const struct pctl_inventory *inv)
{
	return (struct pctl_names_resolver){
		.group = resolve_group,
		.tag = resolve_tag,
		.data = (void *)(uintptr_t)inv,
	};
}

/* --- Names that no node has. ------------------------------------------------------------------ */

static void say_unknown(const struct pctl_inventory *inv, const struct pctl_names *unknown,
	struct pctl_place place, const char *before, struct pctl_problems *problems)
{
	size_t n = pctl_names_count(unknown);

	if (n > (*before ? 1 : NAMED_EACH_MAX)) {
		PCTL_AUTO(free) char *folded = pctl_names_fold(unknown);

		pctl_problems_add(problems, place, "%s%zu unknown nodes: %.200s%s", before, n,
			folded, strlen(folded) > 200 ? "..." : "");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const char *name = pctl_names_at(unknown, i);
		const char *nearest = pctl_inventory_nearest(inv, name);

		pctl_problems_add(problems, place, "%sunknown node '%s'; %s%s%s", before, name,
			nearest ? "did you mean '" : "`powerctl list` shows those there are",
			nearest ? nearest : "", nearest ? "'?" : "");
	}
}

static bool is_unknown(const struct pctl_inventory *inv, const char *name)
{
	return !pctl_names_has(&inv->names, name) && !pctl_names_has(&inv->outsiders, name);
}

void pctl_inventory_check_groups(const struct pctl_inventory *inv, struct pctl_problems *problems)
{
	PCTL_AUTO(pctl_names_free) struct pctl_names *said = pctl_names_new();

	for (size_t i = 0; i < inv->groups.n; i++) {
		struct pctl_item *group = &inv->groups.v[i];
		struct pctl_place place = pctl_value_place(group->value);
		PCTL_AUTO(pctl_names_free) struct pctl_names *unknown = pctl_names_new();
		PCTL_AUTO(free)
		char *before = pctl_xasprintf("group '%s': ", group->name);
		struct pctl_error err;

		if (group->source)
			continue;
		if (members_of(inv, group, &err) < 0) {
			pctl_problems_add(problems, place, "%s%s", before, err.text);
			continue;
		}
		for (size_t k = 0; k < pctl_names_count(group->names); k++) {
			const char *name = pctl_names_at(group->names, k);

			if (is_unknown(inv, name) && pctl_names_add(said, name))
				(void)pctl_names_add(unknown, name);
		}
		say_unknown(inv, unknown, place, before, problems);
	}
}

void pctl_inventory_check_sources(const struct pctl_inventory *inv, struct pctl_problems *problems)
{
	for (size_t i = 0; i < inv->groups.n; i++) {
		struct pctl_item *group = &inv->groups.v[i];
		struct pctl_error err;

		if (group->source && !group->rival && members_of(inv, group, &err) < 0)
			pctl_problems_add(problems, (struct pctl_place){ 0 }, "%s", err.text);
	}
}

/* --- What a command line selects. ------------------------------------------------------------- */

static const struct pctl_place nowhere = { 0 };

static void expand_words(struct pctl_inventory *inv, const char *const *words,
	struct pctl_names *out, struct pctl_problems *problems)
{
	struct pctl_names_resolver resolver = pctl_inventory_resolver(inv);

	for (; words && *words; words++) {
		struct pctl_error err;

		if (pctl_inventory_is_url(*words)) {
			if (pctl_inventory_add_url(inv, *words, out, &err) < 0)
				pctl_problems_add(problems, nowhere, "%s", err.text);
		} else if (pctl_names_expand(out, *words, &resolver, NULL, &err) < 0) {
			pctl_problems_add(problems, nowhere, "'%.200s': %s", *words, err.text);
		}
	}
}

static void check_known(const struct pctl_inventory *inv, const struct pctl_names *names,
	struct pctl_problems *problems)
{
	PCTL_AUTO(pctl_names_free) struct pctl_names *unknown = pctl_names_new();

	for (size_t i = 0; i < pctl_names_count(names); i++)
		if (is_unknown(inv, pctl_names_at(names, i)))
			(void)pctl_names_add(unknown, pctl_names_at(names, i));
	say_unknown(inv, unknown, nowhere, "", problems);
}

/* The members of one group of a source among names, which are taken away from it. */
static void say_strangers_of(const struct pctl_item *group, struct pctl_names *left,
	struct pctl_names *said, struct pctl_problems *problems)
{
	PCTL_AUTO(pctl_names_free) struct pctl_names *own = pctl_names_new();

	for (size_t i = 0; i < pctl_names_count(group->names); i++) {
		const char *name = pctl_names_at(group->names, i);

		if (pctl_names_has(left, name) && pctl_names_add(said, name))
			(void)pctl_names_add(own, name);
	}
	if (!pctl_names_count(own))
		return;
	PCTL_AUTO(free) char *folded = pctl_names_fold(own);
	bool cut = strlen(folded) > 200;
	pctl_problems_add(problems, group->place,
		"group '%s' names %.200s%s, which the inventory does not have; add them, leave "
		"them out with -x, or give the source only_known: true",
		group->name, folded, cut ? "..." : "");
}

/* Whoever says `off @rack1` must not find later that a machine was left out. */
static void check_strangers(const struct pctl_inventory *inv, const struct pctl_names *wanted,
	const struct pctl_names *unwanted, struct pctl_problems *problems)
{
	PCTL_AUTO(pctl_names_free) struct pctl_names *left = pctl_names_new();
	PCTL_AUTO(pctl_names_free) struct pctl_names *said = pctl_names_new();

	for (size_t i = 0; i < pctl_names_count(&inv->outsiders); i++) {
		const char *name = pctl_names_at(&inv->outsiders, i);

		if (pctl_names_has(wanted, name) && !pctl_names_has(unwanted, name) &&
			!pctl_names_has(&inv->names, name))
			(void)pctl_names_add(left, name);
	}
	for (size_t i = 0; i < inv->groups.n && pctl_names_count(left); i++)
		if (inv->groups.v[i].source && inv->groups.v[i].names)
			say_strangers_of(&inv->groups.v[i], left, said, problems);
}

int pctl_inventory_select(struct pctl_inventory *inv, const struct pctl_selection *selection,
	size_t **ret, size_t *ret_count, struct pctl_problems *problems)
{
	PCTL_AUTO(pctl_names_free) struct pctl_names *wanted = pctl_names_new();
	PCTL_AUTO(pctl_names_free) struct pctl_names *unwanted = pctl_names_new();
	struct pctl_problems *own = pctl_problems_new();
	size_t count = 0;

	expand_words(inv, selection->words, wanted, own);
	expand_words(inv, selection->exclude, unwanted, own);
	if (!selection->words)
		add_all(wanted, &inv->names);
	check_known(inv, wanted, own);
	check_known(inv, unwanted, own);
	check_strangers(inv, wanted, unwanted, own);

	size_t mistakes = pctl_problems_count(own);
	for (size_t i = 0; i < mistakes && pctl_problems_at(own, i); i++)
		pctl_problems_add(problems, nowhere, "%s", pctl_problems_at(own, i));
	pctl_problems_free(own);
	if (mistakes)
		return PCTL_E_CONFIG;

	size_t *nodes = pctl_xcalloc(pctl_names_count(wanted), sizeof(*nodes));
	for (size_t i = 0; i < pctl_names_count(wanted); i++) {
		const char *name = pctl_names_at(wanted, i);

		if (!pctl_names_has(unwanted, name))
			nodes[count++] = (size_t)pctl_inventory_index(inv, name);
	}
	*ret = nodes;
	*ret_count = count;
	return 0;
}
