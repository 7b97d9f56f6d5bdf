/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inventory as a JSON Schema (draft 7, which editors know best), made from the tables that the
 * checks go by: rules.c for what is the core's, property tables for what is a driver's.
 *
 * It takes all that the checks take, and a little more: that a range stands beside a name of
 * equally many, what a class adds to a node, and whether a name stands for something, only the
 * checks know.
 */
#include <string.h>

#include <powerctl/driver.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>
#include <powerctl/powerctl.h>

#include "inventory/rules.h"

/* What may be a range: an address in brackets is none. */
#define RANGE    "\\[[^\\]:]*\\]"
#define DURATION "^([0-9]+[.]?[0-9]*|[.][0-9]+)(ms|s|m|h)?$"
/* Definitions: what any driver knows; a node, and a class, which is the same. */
#define ANY  "any"
#define NODE "node"

struct schema {
	const struct pctl_driver *const *drivers;
	size_t count;
};

/* --- Small pieces. ---------------------------------------------------------------------------- */

static struct pctl_value *with_text(const char *key, const char *text)
{
	struct pctl_value *map = pctl_value_new_map();

	pctl_value_set_text(map, key, text);
	return map;
}

static struct pctl_value *with_value(const char *key, struct pctl_value *take_v)
{
	struct pctl_value *map = pctl_value_new_map();

	pctl_value_set(map, key, take_v);
	return map;
}

static struct pctl_value *texts(const char *const *words)
{
	struct pctl_value *list = pctl_value_new_list();

	for (; words && *words; words++)
		pctl_value_add(list, pctl_value_new_text(*words));
	return list;
}

static struct pctl_value *reference(const char *name)
{
	PCTL_AUTO(free) char *path = pctl_xasprintf("#/definitions/%s", name);

	return with_text("$ref", path);
}

static struct pctl_value *either(struct pctl_value *take_a, struct pctl_value *take_b)
{
	struct pctl_value *list = pctl_value_new_list();

	pctl_value_add(list, take_a);
	pctl_value_add(list, take_b);
	return with_value("anyOf", list);
}

/* A text that matches. */
static struct pctl_value *pattern(const char *regex)
{
	struct pctl_value *map = with_text("type", "string");

	pctl_value_set_text(map, "pattern", regex);
	return map;
}

/* YAML reads some plain texts as something else. A key without a value is an empty text. */
static struct pctl_value *scalar(void)
{
	static const char *const kinds[] = { "string", "number", "boolean", "null", NULL };

	return with_value("type", texts(kinds));
}

/* The same, or a range that pairs with the nodes' names, a bare number, a key without a value. */
static struct pctl_value *patterned(const char *regex)
{
	static const char *const others[] = { "number", "null", NULL };

	return either(either(pattern(regex), pattern(RANGE)), with_value("type", texts(others)));
}

static struct pctl_value *list_of(struct pctl_value *take_items)
{
	struct pctl_value *map = with_text("type", "array");

	pctl_value_set(map, "items", take_items);
	return map;
}

/* A number, or the same in quotes. 2^63 and more is no limit that JSON could tell. */
static struct pctl_value *number(uint64_t min, uint64_t max)
{
	struct pctl_value *map = with_text("type", "integer");

	pctl_value_set_int(map, "minimum", (int64_t)min);
	if (max && max <= INT64_MAX)
		pctl_value_set_int(map, "maximum", (int64_t)max);
	return either(map, pattern("^[0-9]+$"));
}

static struct pctl_value *duration(void)
{
	struct pctl_value *seconds = with_text("type", "number");

	pctl_value_set_int(seconds, "minimum", 0);
	return either(seconds, pattern(DURATION));
}

static struct pctl_value *boolean(void)
{
	static const char *const words[] = { "true", "false", "yes", "no", "on", "off", NULL };

	return either(with_text("type", "boolean"), with_value("enum", texts(words)));
}

/* What YAML makes of a word that stands without quotes: a boolean, a number, nothing. */
static void add_as_read(struct pctl_value *list, const char *word)
{
	struct pctl_value *v = NULL;
	uint64_t n;

	if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0)
		v = pctl_value_new_bool(*word == 't');
	else if (pctl_parse_uint(word, INT64_MAX, &n) == 0)
		v = pctl_value_new_int((int64_t)n);
	if (v)
		pctl_value_add(list, v);
}

static struct pctl_value *choice(const char *const *words)
{
	struct pctl_value *list = texts(words);
	bool nothing = false, decimal = false;

	for (size_t i = 0; words && words[i]; i++) {
		add_as_read(list, words[i]);
		nothing = nothing || strcmp(words[i], "null") == 0;
		/* "2.0" without quotes is a number that has lost its digits. */
		decimal = decimal || strchr(words[i], '.');
	}
	struct pctl_value *map = with_value("enum", list);
	if (nothing)
		map = either(map, with_text("type", "null"));
	return decimal ? either(map, with_text("type", "number")) : map;
}

static void describe(struct pctl_value *map, const char *help)
{
	pctl_value_set_text(map, "description", help);
}

/* --- A driver's settings. --------------------------------------------------------------------- */

/* A setting may be a range that pairs with the nodes' names. */
static struct pctl_value *plain_setting(const struct pctl_property *p)
{
	switch (p->type) {
	case PCTL_TYPE_BOOL:
		return boolean();
	case PCTL_TYPE_UINT:
		return number(p->min, p->max);
	case PCTL_TYPE_DURATION:
		return duration();
	case PCTL_TYPE_CHOICE:
		return choice(p->choices);
	default:
		return p->pattern ? patterned(p->pattern) : scalar();
	}
}

static struct pctl_value *setting(const struct pctl_property *p)
{
	struct pctl_value *map;

	if (p->type == PCTL_TYPE_TEXTS)
		map = list_of(scalar());
	else if (p->type == PCTL_TYPE_FLAGS)
		map = either(list_of(choice(p->choices)), choice(p->choices));
	else
		map = either(plain_setting(p), pattern("\\["));
	describe(map, p->help);
	pctl_value_set_text(map, "default", p->default_text);
	return map;
}

static void add_secret(struct pctl_value *map, const struct pctl_property *p)
{
	static const struct {
		const char *end, *help;
	} ways[] = {
		{ "_file", "a file that holds %s, which others cannot read" },
		{ "_env", "a variable of the environment that holds %s" },
		{ "_command", "a program and its arguments that prints %s; no shell" },
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		PCTL_AUTO(free) char *key = pctl_xasprintf("%s%s", p->name, ways[i].end);
		const char *rest = strstr(ways[i].help, "%s");
		PCTL_AUTO(free)
		char *help = pctl_xasprintf(
			"%.*s%s%s", (int)(rest - ways[i].help), ways[i].help, p->name, rest + 2);
		struct pctl_value *one =
			strcmp(ways[i].end, "_command") == 0 ? list_of(scalar()) : scalar();

		describe(one, help);
		pctl_value_set(map, key, one);
	}
}

static struct pctl_value *settings_of(const struct pctl_driver *d)
{
	struct pctl_value *map = pctl_value_new_map();

	for (const struct pctl_property *p = d->properties; p && p->name; p++) {
		pctl_value_set(map, p->name, setting(p));
		if (p->flags & PCTL_PROPERTY_SECRET)
			add_secret(map, p);
	}
	return map;
}

static struct pctl_value *keys_of(const struct pctl_value *map)
{
	struct pctl_value *list = pctl_value_new_list();

	for (size_t i = 0; i < pctl_value_count(map); i++)
		pctl_value_add(list, pctl_value_new_text(pctl_value_key_at(map, i)));
	return with_value("enum", list);
}

/* Its own settings decide on more of them: any key may be right. */
static bool selects(const struct pctl_driver *d)
{
	for (const struct pctl_property *p = d->properties; p && p->name; p++)
		if (p->flags & PCTL_PROPERTY_SELECTOR)
			return true;
	return false;
}

static void define(
	struct pctl_value *definitions, const char *name, struct pctl_value *take_all, bool open)
{
	PCTL_AUTO(free) char *keys = pctl_xasprintf("%s-keys", name);

	pctl_value_set(definitions, keys, open ? pctl_value_new_map() : keys_of(take_all));
	pctl_value_set(definitions, name, with_value("properties", take_all));
}

/* Where several drivers have a setting of one name, what is right for one of them. */
static void add_to_union(struct pctl_value *all, const struct pctl_value *settings)
{
	for (size_t i = 0; i < pctl_value_count(settings); i++) {
		const char *key = pctl_value_key_at(settings, i);
		struct pctl_value *one = pctl_value_copy(pctl_value_at(settings, i));
		const struct pctl_value *old = pctl_value_get(all, key);

		pctl_value_set(all, key, old ? either(pctl_value_copy(old), one) : one);
	}
}

static struct pctl_value *definitions_of(const struct schema *s)
{
	struct pctl_value *definitions = pctl_value_new_map();
	struct pctl_value *all = pctl_value_new_map();
	bool open = false;

	for (size_t i = 0; i < s->count; i++) {
		struct pctl_value *settings = settings_of(s->drivers[i]);
		PCTL_AUTO(free) char *name = pctl_xasprintf("driver-%s", s->drivers[i]->name);

		add_to_union(all, settings);
		open = open || selects(s->drivers[i]);
		define(definitions, name, settings, selects(s->drivers[i]));
	}
	define(definitions, ANY, all, open);
	return definitions;
}

/* --- What is the core's. ---------------------------------------------------------------------- */

/* YAML's null is the driver of that name. */
static struct pctl_value *driver_words(const struct schema *s)
{
	PCTL_AUTO(free) const char **words = pctl_xcalloc(s->count + 1, sizeof(*words));

	for (size_t i = 0; i < s->count; i++)
		words[i] = s->drivers[i]->name;
	return choice(words);
}

static struct pctl_value *key_list(const struct pctl_rule *members)
{
	struct pctl_value *list = pctl_value_new_list();

	for (const struct pctl_rule *r = members; r && r->key; r++)
		pctl_value_add(list, pctl_value_new_text(r->key));
	return with_value("enum", list);
}

/* The settings of one definition, and no other keys than these and the core's. */
static struct pctl_value *settings_and_keys(const struct pctl_rule *members, const char *definition)
{
	PCTL_AUTO(free) char *keys = pctl_xasprintf("%s-keys", definition);
	struct pctl_value *map = pctl_value_new_map(), *list = pctl_value_new_list();

	pctl_value_add(list, reference(definition));
	pctl_value_set(map, "allOf", list);
	pctl_value_set(map, "propertyNames", either(key_list(members), reference(keys)));
	return map;
}

/* {"if": the driver is this one, "then": its settings} */
static struct pctl_value *when_driver(const struct pctl_rule *members, const struct pctl_driver *d)
{
	static const char *const driver[] = { "driver", NULL };
	const char *const name[] = { d->name, NULL };
	PCTL_AUTO(free) char *definition = pctl_xasprintf("driver-%s", d->name);
	struct pctl_value *condition = pctl_value_new_map(), *map = pctl_value_new_map();

	pctl_value_set(condition, "properties", with_value("driver", choice(name)));
	pctl_value_set(condition, "required", texts(driver));
	pctl_value_set(map, "if", condition);
	pctl_value_set(map, "then", settings_and_keys(members, definition));
	return map;
}

/* Without one its class says which driver it is, and the class of that: any may be right. */
static struct pctl_value *when_none(const struct pctl_rule *members)
{
	static const char *const driver[] = { "driver", NULL };
	struct pctl_value *map = pctl_value_new_map();

	pctl_value_set(map, "if", with_value("required", texts(driver)));
	pctl_value_set(map, "else", settings_and_keys(members, ANY));
	return map;
}

static struct pctl_value *shape_of(const struct schema *s, const struct pctl_rule *rule);

static struct pctl_value *members_of(const struct schema *s, const struct pctl_rule *members)
{
	struct pctl_value *map = pctl_value_new_map();

	for (const struct pctl_rule *r = members; r->key; r++) {
		struct pctl_value *one =
			strcmp(r->key, "driver") == 0 && members != pctl_source_rules.members
				? driver_words(s)
				: shape_of(s, r);

		describe(one, r->help);
		pctl_value_set(map, r->key, one);
	}
	return map;
}

static bool knows_driver(const struct pctl_rule *members)
{
	for (const struct pctl_rule *r = members; r->key; r++)
		if (strcmp(r->key, "driver") == 0)
			return true;
	return false;
}

static struct pctl_value *map_of(const struct schema *s, const struct pctl_rule *rule)
{
	static const char *const kinds[] = { "object", "null", NULL };
	struct pctl_value *map = with_value("type", texts(kinds));

	if (rule->each)
		pctl_value_set(map, "additionalProperties",
			rule->each == &pctl_node_rules ? reference(NODE) : shape_of(s, rule->each));
	if (!rule->members)
		return map;
	pctl_value_set(map, "properties", members_of(s, rule->members));
	if (rule->unknown == PCTL_UNKNOWN_REFUSED) {
		pctl_value_set_bool(map, "additionalProperties", false);
		return map;
	}
	struct pctl_value *all = pctl_value_new_list();
	if (!knows_driver(rule->members)) {
		pctl_value_add(all, settings_and_keys(rule->members, ANY));
	} else {
		/* An interface may say all that a node may: trust of its own, for one. */
		for (size_t i = 0; i < s->count; i++)
			pctl_value_add(all, when_driver(pctl_node_rules.members, s->drivers[i]));
		pctl_value_add(all, when_none(pctl_node_rules.members));
	}
	pctl_value_set(map, "allOf", all);
	return map;
}

/* A reason is no switch. */
static struct pctl_value *reason(void)
{
	struct pctl_value *map = scalar();

	pctl_value_set(map, "not", boolean());
	return map;
}

/* Recursion: as deep as the tables nest, which is four. */
static struct pctl_value *shape_of(/* NOLINT(misc-no-recursion) */
	const struct schema *s, const struct pctl_rule *rule)
{
	switch (rule->shape) {
	case PCTL_SHAPE_ANY:
		return pctl_value_new_map();
	case PCTL_SHAPE_TEXT:
		return rule->pattern ? patterned(rule->pattern) : scalar();
	case PCTL_SHAPE_REASON:
		return reason();
	case PCTL_SHAPE_TEXTS:
		return either(list_of(scalar()), with_text("type", "null"));
	case PCTL_SHAPE_TEXT_OR_TEXTS:
		return either(scalar(), list_of(scalar()));
	case PCTL_SHAPE_UINT:
		return either(number(0, rule->max), with_text("type", "null"));
	case PCTL_SHAPE_DURATION:
		return either(duration(), with_text("type", "null"));
	case PCTL_SHAPE_BOOL:
		return either(boolean(), with_text("type", "null"));
	case PCTL_SHAPE_CHOICE:
		return either(choice(rule->choices), with_text("type", "null"));
	case PCTL_SHAPE_MAP:
		return map_of(s, rule);
	case PCTL_SHAPE_MAPS:
		return list_of(shape_of(s, rule->each));
	case PCTL_SHAPE_FEEDS:
		return either(either(scalar(), shape_of(s, rule->each)),
			list_of(either(scalar(), shape_of(s, rule->each))));
	}
	return pctl_value_new_map();
}

struct pctl_value *pctl_drivers_schema(const struct pctl_driver *const *drivers, size_t count)
{
	const struct schema s = { drivers, count };
	struct pctl_value *root = pctl_value_new_map();
	struct pctl_value *file = map_of(&s, &pctl_inventory_rules);
	struct pctl_value *definitions = definitions_of(&s);

	pctl_value_set_text(root, "$schema", "http://json-schema.org/draft-07/schema#");
	pctl_value_set_text(root, "title", "The inventory of powerctl");
	describe(root, "powerctl.yaml(5). Made by `powerctl drivers --schema` for the drivers that "
		       "were installed there.");
	pctl_value_merge(root, file);
	pctl_value_free(file);
	pctl_value_set(definitions, NODE, map_of(&s, &pctl_node_rules));
	pctl_value_set(root, "definitions", definitions);
	return root;
}
