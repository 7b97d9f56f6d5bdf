/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "inventory/inventory.h"
#include "inventory/problems.h"
#include "inventory/rules.h"

/* --- The check itself. ------------------------------------------------------------------------ */

static const char *wanted(enum pctl_shape shape)
{
	static const char *const words[] = {
		[PCTL_SHAPE_ANY] = "a value",
		[PCTL_SHAPE_TEXT] = "a text",
		[PCTL_SHAPE_REASON] = "a text",
		[PCTL_SHAPE_TEXTS] = "a list, [one, two],",
		[PCTL_SHAPE_TEXT_OR_TEXTS] = "a text or a list of texts",
		[PCTL_SHAPE_UINT] = "a number",
		[PCTL_SHAPE_DURATION] = "a duration",
		[PCTL_SHAPE_BOOL] = "true or false",
		[PCTL_SHAPE_CHOICE] = "a word",
		[PCTL_SHAPE_MAP] = "a map, {key: value},",
		[PCTL_SHAPE_MAPS] = "a list of maps, [{key: value}],",
		[PCTL_SHAPE_FEEDS] = "a list of feeds, [bmc, {driver: NAME}],",
	};

	return words[shape];
}

static void say_kind(const struct pctl_rule *rule, const char *key, const struct pctl_value *v,
	struct pctl_problems *problems)
{
	const char *text = pctl_value_text(v);

	pctl_problems_add(problems, pctl_value_place(v),
		text ? "%s: %s is wanted here, not '%s'" : "%s: %s is wanted here, not a %s", key,
		wanted(rule->shape), text ? text : pctl_value_kind_name(pctl_value_kind(v)));
}

static void check_texts(const struct pctl_rule *rule, const char *key, const struct pctl_value *v,
	struct pctl_problems *problems)
{
	if (pctl_value_kind(v) != PCTL_VALUE_LIST) {
		say_kind(rule, key, v, problems);
		return;
	}
	for (size_t i = 0; i < pctl_value_count(v); i++) {
		const struct pctl_value *item = pctl_value_at(v, i);

		if (!pctl_value_text(item))
			pctl_problems_add(problems, pctl_value_place(item),
				"%s: every item of the list is a text, not a %s", key,
				pctl_value_kind_name(pctl_value_kind(item)));
	}
}

/* v is a text that is not empty. */
static void check_text(const struct pctl_rule *rule, const char *key, const struct pctl_value *v,
	struct pctl_problems *problems)
{
	const char *text = pctl_value_text(v);
	struct pctl_place place = pctl_value_place(v);
	uint64_t n;
	bool b;

	switch (rule->shape) {
	case PCTL_SHAPE_REASON:
		if (pctl_parse_bool(text, &b) == 0)
			pctl_problems_add(problems, place,
				"%s: a reason is wanted here, such as \"ticket 4711\"; without one "
				"leave the key away",
				key);
		break;
	case PCTL_SHAPE_UINT:
		if (pctl_parse_uint(text, rule->max, &n) < 0)
			pctl_problems_add(problems, place,
				"%s: a number from 0 to %llu is wanted here, not '%s'", key,
				(unsigned long long)rule->max, text);
		break;
	case PCTL_SHAPE_DURATION:
		if (pctl_parse_duration(text, &n) < 0)
			pctl_problems_add(problems, place,
				"%s: a duration is wanted here (500ms, 60s, 2m), not '%s'", key,
				text);
		break;
	case PCTL_SHAPE_BOOL:
		if (pctl_parse_bool(text, &b) < 0)
			say_kind(rule, key, v, problems);
		break;
	case PCTL_SHAPE_CHOICE:
		if (pctl_parse_choice(text, rule->choices) < 0) {
			PCTL_AUTO(free) char *choices = pctl_words_join(rule->choices);

			pctl_problems_add(problems, place, "%s cannot be '%s'; it is one of: %s",
				key, text, choices);
		}
		break;
	default:
		break;
	}
}

#define RULES_MAX 32u

static void say_unknown(const struct pctl_rule *rule, const struct pctl_value *map, size_t i,
	struct pctl_problems *problems)
{
	const char *words[RULES_MAX + 1] = { NULL };
	const char *key = pctl_value_key_at(map, i);
	struct pctl_buf all;

	pctl_buf_init(&all, 1024);
	for (size_t k = 0; k < RULES_MAX && rule->members[k].key; k++) {
		words[k] = rule->members[k].key;
		pctl_buf_addf(&all, "%s%s", k ? ", " : "", words[k]);
	}
	PCTL_AUTO(free) char *hint = pctl_words_hint(key, words);
	if (*hint)
		pctl_problems_add(
			problems, pctl_value_key_place(map, i), "unknown key '%s'%s", key, hint);
	else if (rule->unknown == PCTL_UNKNOWN_REFUSED)
		pctl_problems_add(problems, pctl_value_key_place(map, i),
			"unknown key '%s'; here belong: %s", key, all.data);
	pctl_buf_done(&all);
}

static const struct pctl_rule *rule_of(const struct pctl_rule *map, const char *key)
{
	if (map->each)
		return map->each;
	for (const struct pctl_rule *r = map->members; r && r->key; r++)
		if (strcmp(r->key, key) == 0)
			return r;
	return NULL;
}

static void check(const struct pctl_rule *rule, const char *key, const struct pctl_value *v,
	struct pctl_problems *problems);

static void check_list(const struct pctl_rule *rule, const char *key, const struct pctl_value *v,
	struct pctl_problems *problems)
{
	if (pctl_value_kind(v) != PCTL_VALUE_LIST) {
		say_kind(rule, key, v, problems);
		return;
	}
	for (size_t i = 0; i < pctl_value_count(v); i++)
		check(rule->each, key, pctl_value_at(v, i), problems);
}

/* A text that is no driver's is told of where the node's driver is known (feeds.c). */
static void check_feeds(const struct pctl_rule *rule, const char *key, const struct pctl_value *v,
	struct pctl_problems *problems)
{
	bool list = pctl_value_kind(v) == PCTL_VALUE_LIST;

	if (list && pctl_value_count(v) == 0)
		pctl_problems_add(problems, pctl_value_place(v),
			"%s: the list is empty; leave the key away where the node's own driver "
			"is meant",
			key);
	for (size_t i = 0; list && i < pctl_value_count(v); i++)
		if (!pctl_value_text(pctl_value_at(v, i)))
			check(rule->each, key, pctl_value_at(v, i), problems);
	if (!list && !pctl_value_text(v))
		check(rule->each, key, v, problems);
}

/* Recursion: as deep as the tables nest, which is four. */
static void check(const struct pctl_rule *rule, const char *key, const struct pctl_value *v,
	struct pctl_problems *problems)
{
	const char *text = pctl_value_text(v);

	if (rule->shape == PCTL_SHAPE_ANY || (text && !*text))
		return;
	if (rule->shape == PCTL_SHAPE_TEXTS || (rule->shape == PCTL_SHAPE_TEXT_OR_TEXTS && !text)) {
		check_texts(rule, key, v, problems);
		return;
	}
	if (rule->shape == PCTL_SHAPE_MAPS || rule->shape == PCTL_SHAPE_FEEDS) {
		(rule->shape == PCTL_SHAPE_MAPS ? check_list : check_feeds)(rule, key, v, problems);
		return;
	}
	if (rule->shape != PCTL_SHAPE_MAP) {
		if (text)
			check_text(rule, key, v, problems);
		else
			say_kind(rule, key, v, problems);
		return;
	}
	if (pctl_value_kind(v) != PCTL_VALUE_MAP) {
		say_kind(rule, key, v, problems);
		return;
	}
	for (size_t i = 0; i < pctl_value_count(v); i++) {
		const char *name = pctl_value_key_at(v, i);
		const struct pctl_rule *member = rule_of(rule, name);

		if (member)
			check(member, name, pctl_value_at(v, i), problems);
		else if (rule->members && rule->unknown != PCTL_UNKNOWN_DRIVERS)
			say_unknown(rule, v, i, problems);
	}
}

void pctl_inventory_check_file(const struct pctl_value *root, struct pctl_problems *problems)
{
	check(&pctl_inventory_rules, "the file", root, problems);
}

void pctl_inventory_check_source(const struct pctl_value *config, struct pctl_problems *problems)
{
	check(&pctl_source_rules, "sources", config, problems);
}

void pctl_inventory_check_answer(const struct pctl_value *root, struct pctl_problems *problems)
{
	check(&pctl_answer_rules, "the answer", root, problems);
}

bool pctl_inventory_has_secret(const struct pctl_value *v)
{
	for (size_t i = 0; i < pctl_value_count(v); i++) {
		const char *key = pctl_value_key_at(v, i);
		const struct pctl_value *member = pctl_value_at(v, i);
		const char *text = pctl_value_text(member);

		if (text && *text && key && strcmp(key, "password") == 0)
			return true;
		if (!text && pctl_inventory_has_secret(member))
			return true;
	}
	return false;
}

/* --- Names that must exist. ------------------------------------------------------------------- */

static void check_named(const struct pctl_items *items, const char *what, const char *key,
	const struct pctl_value *settings, struct pctl_problems *problems)
{
	const struct pctl_value *v = pctl_value_get(settings, key);
	const char *name = pctl_value_text(v);

	if (!name || !*name || pctl_items_find(items, name))
		return;
	PCTL_AUTO(free) char *hint = pctl_items_hint(items, name);
	pctl_problems_add(problems, pctl_value_place(v), "unknown %s '%s'%s", what, name, hint);
}

bool pctl_inventory_has_login(const struct pctl_inventory *inv, const struct pctl_value *settings,
	struct pctl_problems *problems)
{
	size_t before = pctl_problems_said(problems);

	check_named(&inv->credentials, "credential", "credential", settings, problems);
	return pctl_problems_said(problems) == before;
}

static void check_settings(const struct pctl_inventory *inv, const struct pctl_value *settings,
	struct pctl_problems *problems)
{
	const struct pctl_value *power = pctl_value_get(settings, "power");
	const struct pctl_value *boot = pctl_value_get(settings, "boot");

	check_named(&inv->classes, "class", "class", settings, problems);
	check_named(&inv->credentials, "credential", "credential", settings, problems);
	check_named(&inv->credentials, "credential", "via_credential", settings, problems);
	for (const char *const *key = pctl_interfaces; *key; key++)
		check_named(&inv->credentials, "credential", "credential",
			pctl_value_get(settings, *key), problems);
	if (power && pctl_value_kind(power) == PCTL_VALUE_MAP)
		check_named(&inv->credentials, "credential", "credential", power, problems);
	for (size_t i = 0; power && i < pctl_value_count(power); i++)
		check_named(&inv->credentials, "credential", "credential", pctl_value_at(power, i),
			problems);
	if (boot)
		pctl_problems_add(problems, pctl_value_place(boot),
			"boot: what a machine boots from is set by the driver that starts it; "
			"give that one under 'power'");
}

void pctl_inventory_check_settings(const struct pctl_inventory *inv,
	const struct pctl_value *settings, struct pctl_problems *problems)
{
	check(&pctl_node_rules, "the node", settings, problems);
	check_settings(inv, settings, problems);
}

static void check_class_chain(const struct pctl_inventory *inv, const struct pctl_item *class,
	struct pctl_problems *problems)
{
	const struct pctl_value *at = class->value;

	for (unsigned depth = 0; depth < PCTL_CLASS_DEPTH_MAX; depth++) {
		at = pctl_inventory_class_of(inv, at);
		if (!at)
			return;
		if (at == class->value) {
			pctl_problems_add(problems,
				pctl_value_place(pctl_value_get(class->value, "class")),
				"class '%s' comes back to itself; take one 'class:' of the circle "
				"out",
				class->name);
			return;
		}
	}
	pctl_problems_add(problems, class->place,
		"class '%s' stands on more than %u others, or on a circle of them", class->name,
		PCTL_CLASS_DEPTH_MAX);
}

/* Of password, password_file and so on one holds. */
static void check_credential(const struct pctl_item *item, struct pctl_problems *problems)
{
	const char *first = NULL;

	for (size_t i = 0; i < pctl_value_count(item->value); i++) {
		const char *key = pctl_value_key_at(item->value, i);

		if (!key || strncmp(key, "password", strlen("password")) != 0)
			continue;
		if (first)
			pctl_problems_add(problems, pctl_value_key_place(item->value, i),
				"credential '%s' has %s and %s; keep one", item->name, first, key);
		first = key;
	}
}

static void check_rival(const struct pctl_item *class, struct pctl_problems *problems)
{
	if (class->rival)
		pctl_problems_add(problems, class->place,
			"class '%s' comes from %s as well; write it in the inventory, which holds "
			"over both",
			class->name, class->rival->name);
}

void pctl_inventory_check_names(const struct pctl_inventory *inv, struct pctl_problems *problems)
{
	for (size_t i = 0; i < inv->classes.n; i++) {
		check_rival(&inv->classes.v[i], problems);
		check_settings(inv, inv->classes.v[i].value, problems);
		check_class_chain(inv, &inv->classes.v[i], problems);
	}
	for (size_t i = 0; i < inv->credentials.n; i++)
		check_credential(&inv->credentials.v[i], problems);
	for (size_t i = 0; i < inv->entry_count; i++)
		check_settings(inv, inv->entries[i].settings, problems);
	for (size_t i = 0; i < inv->limits.n; i++) {
		const struct pctl_item *item = &inv->limits.v[i];

		if (pctl_items_find(&inv->groups, item->name))
			continue;
		PCTL_AUTO(free) char *hint = pctl_items_hint(&inv->groups, item->name);
		pctl_problems_add(problems, item->place, "unknown group '%s'%s", item->name, hint);
	}
}
