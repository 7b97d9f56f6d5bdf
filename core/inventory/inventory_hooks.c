/* SPDX-License-Identifier: Apache-2.0 */
/* `hooks:`: which programs run before and after which verbs, on which nodes. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "base/file.h"
#include "base/paths.h"
#include "inventory/inventory.h"
#include "inventory/verb_words.h"

#define HOOK_MS ((uint64_t)60000)

#define BIT(verb) (UINT64_C(1) << PCTL_VERB_##verb)
#define STARTS    (BIT(ON) | BIT(REBOOT) | BIT(CYCLE) | BIT(RESET) | BIT(BOOT) | BIT(AC_CYCLE))

#define WORD_OF(verb, word) word,
#define BIT_OF(verb, word)  BIT(verb),

static const char *const words[] = { PCTL_HOOK_VERBS(WORD_OF) "method", "start", "any", NULL };
static const uint64_t bits[] = { PCTL_HOOK_VERBS(BIT_OF) BIT(METHOD), STARTS, UINT64_MAX };

_Static_assert(sizeof(words) / sizeof(words[0]) == sizeof(bits) / sizeof(bits[0]) + 1,
	"a bit for each word");
_Static_assert(PCTL_VERB_COUNT <= 64, "a bit for each verb");

void pctl_inventory_free_hooks(struct pctl_inventory *inv)
{
	for (size_t i = 0; i < inv->hook_count; i++) {
		free(inv->hooks[i].path);
		free(inv->hooks[i].covers);
	}
	free(inv->hooks);
	inv->hooks = NULL;
	inv->hook_count = 0;
}

/* --- Reading one. ----------------------------------------------------------------------------- */

/* The i-th of a list; a text is a list of one. NULL: there are no more. */
static const struct pctl_value *one_of(const struct pctl_value *v, size_t i)
{
	if (v && pctl_value_text(v))
		return i == 0 && *pctl_value_text(v) ? v : NULL;
	return i < pctl_value_count(v) ? pctl_value_at(v, i) : NULL;
}

static uint64_t read_verbs(
	const struct pctl_item *item, const char *key, struct pctl_problems *problems)
{
	const struct pctl_value *v = pctl_value_get(item->value, key), *one;
	uint64_t verbs = 0;

	for (size_t i = 0; (one = one_of(v, i)); i++) {
		const char *word = pctl_value_text(one);
		int at = word ? pctl_parse_choice(word, words) : -1;

		if (at >= 0)
			verbs |= bits[at];
		if (at >= 0 || !word)
			continue; /* what is no text was said when the file was read */
		PCTL_AUTO(free) char *hint = pctl_words_hint(word, words);
		PCTL_AUTO(free) char *all = pctl_words_join(words);
		pctl_problems_add(problems, pctl_value_place(one),
			"hook '%s': %s: '%s' is no verb that changes nodes%s%s", item->name, key,
			word, *hint ? hint : "; it is one of: ", *hint ? "" : all);
	}
	return verbs;
}

static void read_program(struct pctl_hook *hook, struct pctl_problems *problems)
{
	const struct pctl_value *run = pctl_value_get(hook->item->value, "run");
	const struct pctl_value *first = one_of(run, 0);

	if (first && pctl_value_text(first) && *pctl_value_text(first))
		hook->path = pctl_path_of(first);
	else
		pctl_problems_add(problems, run ? pctl_value_place(run) : hook->item->place,
			"hook '%s': nothing to run; add a line `run: /path/of/program`, or `run: "
			"[/path/of/program, argument]`",
			hook->item->name);
	hook->command = run;
}

static void read_timeout(struct pctl_hook *hook, struct pctl_problems *problems)
{
	const struct pctl_value *v = pctl_value_get(hook->item->value, "timeout");
	const char *text = pctl_value_text(v);
	uint64_t ms = HOOK_MS;

	if (text && *text && pctl_parse_duration(text, &ms) == 0 && ms == 0)
		pctl_problems_add(problems, pctl_value_place(v),
			"hook '%s': timeout: more than 0 is wanted here", hook->item->name);
	hook->timeout_ms = ms;
}

/* --- Its nodes. ------------------------------------------------------------------------------- */

static void cover_names(const struct pctl_inventory *inv, struct pctl_hook *hook,
	const struct pctl_value *v, struct pctl_problems *problems)
{
	struct pctl_names_resolver resolver = pctl_inventory_resolver(inv);
	struct pctl_names *names = pctl_names_new();
	struct pctl_error err = { 0 };

	if (pctl_value_text(v) &&
		pctl_names_expand(names, pctl_value_text(v), &resolver, NULL, &err) < 0)
		pctl_problems_add(problems, pctl_value_place(v), "hook '%s': nodes: %s",
			hook->item->name, err.text);
	for (size_t i = 0; i < pctl_names_count(names); i++) {
		const char *name = pctl_names_at(names, i);
		int64_t node = pctl_inventory_index(inv, name);
		const char *nearest = node < 0 ? pctl_inventory_nearest(inv, name) : NULL;

		if (node >= 0)
			hook->covers[node] = 1;
		else if (!pctl_names_has(&inv->outsiders, name))
			pctl_problems_add(problems, pctl_value_place(v),
				"hook '%s': nodes: unknown node '%s'%s%s%s", hook->item->name, name,
				nearest ? "; did you mean '" : "", nearest ? nearest : "",
				nearest ? "'?" : "");
	}
	pctl_names_free(names);
}

/* Whether a node's class is this one, or stands on it. */
static bool is_of_class(
	const struct pctl_inventory *inv, size_t node, const struct pctl_value *class)
{
	const char *name = pctl_value_text(pctl_inventory_value(inv, node, "class"));
	const struct pctl_item *item = name ? pctl_items_find(&inv->classes, name) : NULL;
	const struct pctl_value *at = item ? item->value : NULL;

	for (unsigned depth = 0; at && depth <= PCTL_CLASS_DEPTH_MAX; depth++) {
		if (at == class)
			return true;
		at = pctl_inventory_class_of(inv, at);
	}
	return false;
}

static void cover_class(const struct pctl_inventory *inv, struct pctl_hook *hook,
	const struct pctl_value *v, struct pctl_problems *problems)
{
	const char *name = pctl_value_text(v);
	const struct pctl_item *class = name ? pctl_items_find(&inv->classes, name) : NULL;

	if (name && !class) {
		PCTL_AUTO(free) char *hint = pctl_items_hint(&inv->classes, name);

		pctl_problems_add(problems, pctl_value_place(v), "hook '%s': unknown class '%s'%s",
			hook->item->name, name, hint);
	}
	for (size_t i = 0; class && i < inv->names.n; i++)
		if (is_of_class(inv, i, class->value))
			hook->covers[i] = 1;
}

/* Where neither nodes nor classes are named it is for all, also for those that come with URLs. */
static void read_nodes(
	const struct pctl_inventory *inv, struct pctl_hook *hook, struct pctl_problems *problems)
{
	const struct pctl_value *nodes = pctl_value_get(hook->item->value, "nodes"), *v;
	const struct pctl_value *classes = pctl_value_get(hook->item->value, "classes");

	if (!nodes && !classes)
		return;
	hook->nodes = inv->names.n;
	hook->covers = pctl_xcalloc(hook->nodes + 1, sizeof(*hook->covers));
	for (size_t i = 0; (v = one_of(nodes, i)); i++)
		cover_names(inv, hook, v, problems);
	for (size_t i = 0; (v = one_of(classes, i)); i++)
		cover_class(inv, hook, v, problems);
}

void pctl_inventory_index_hooks(struct pctl_inventory *inv, struct pctl_problems *problems)
{
	inv->hooks = pctl_xcalloc(inv->hook_items.n, sizeof(*inv->hooks));
	for (; inv->hook_count < inv->hook_items.n; inv->hook_count++) {
		struct pctl_hook *hook = &inv->hooks[inv->hook_count];
		const struct pctl_item *item = &inv->hook_items.v[inv->hook_count];

		*hook = (struct pctl_hook){ .item = item };
		if (pctl_value_kind(item->value) != PCTL_VALUE_MAP)
			continue; /* said when the file was read */
		hook->before = read_verbs(item, "before", problems);
		hook->after = read_verbs(item, "after", problems);
		if (!pctl_value_get(item->value, "before") && !pctl_value_get(item->value, "after"))
			pctl_problems_add(problems, item->place,
				"hook '%s': neither before nor after which verb; add a line "
				"`before: "
				"[off, reboot]` or `after: [on]`",
				item->name);
		read_program(hook, problems);
		read_timeout(hook, problems);
		read_nodes(inv, hook, problems);
	}
}

/* --- For runs. -------------------------------------------------------------------------------- */

bool pctl_hook_covers(const struct pctl_hook *hook, size_t node)
{
	return !hook->covers || (node < hook->nodes && hook->covers[node]);
}

int pctl_hook_check_file(const struct pctl_hook *hook, struct pctl_error *err)
{
	struct stat st = { 0 };

	/* A file that is gone by now owns nothing: then it is root's or nobody's. */
	if (stat(hook->item->place.file, &st) < 0)
		st.st_uid = 0;
	return pctl_file_check_program(hook->path, st.st_uid, err);
}

void pctl_inventory_check_hooks(const struct pctl_inventory *inv, struct pctl_problems *problems)
{
	for (size_t i = 0; i < inv->hook_count; i++) {
		const struct pctl_hook *hook = &inv->hooks[i];
		struct pctl_error err = { 0 };

		if (hook->path && pctl_hook_check_file(hook, &err) < 0)
			pctl_problems_add(problems, pctl_value_place(hook->command),
				"hook '%s': %s", hook->item->name, err.text);
	}
}
