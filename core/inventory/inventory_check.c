/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "inventory/inventory.h"

/* --- What may stand where, as tables. --------------------------------------------------------- */

enum shape {
	ANY,
	TEXT,
	REASON, /* a text that is not mistaken for a switch */
	TEXTS,
	TEXT_OR_TEXTS,
	UINT,
	DURATION,
	BOOL,
	CHOICE,
	MAP,
	MAPS,
};

enum unknown { REFUSED, DRIVERS, DRIVERS_BUT_TYPOS };

struct rule {
	const char *key;            /* NULL: the table's end */
	const char *const *choices; /* CHOICE */
	const struct rule *members; /* MAP: by key; NULL: anything goes */
	const struct rule *each;    /* MAP, MAPS: what every member is, by whatever key */
	uint64_t max;               /* UINT */
	enum shape shape;
	enum unknown unknown; /* MAP: what becomes of keys that members does not know */
};

#define END                 \
	{                   \
		.key = NULL \
	}

static const char *const trust_words[] = { "first-use", "strict", NULL };

static const struct rule timeouts[] = {
	{ .key = "connect", .shape = DURATION },
	{ .key = "answer", .shape = DURATION },
	{ .key = "read", .shape = DURATION },
	{ .key = "confirm", .shape = DURATION },
	{ .key = "reboot", .shape = DURATION },
	{ .key = "soft", .shape = DURATION },
	{ .key = "verify", .shape = DURATION },
	{ .key = "poll", .shape = DURATION },
	{ .key = "ready", .shape = DURATION },
	END,
};

static const struct rule defaults[] = {
	{ .key = "fanout", .shape = UINT, .max = PCTL_FANOUT_MAX },
	{ .key = "confirm_above", .shape = UINT, .max = UINT32_MAX },
	{ .key = "timeout", .shape = DURATION },
	{ .key = "deadline", .shape = DURATION },
	{ .key = "timeouts", .shape = MAP, .members = timeouts },
	END,
};

static const struct rule ready[] = {
	{ .key = "tcp", .shape = UINT, .max = 65535 },
	{ .key = "command", .shape = TEXTS },
	{ .key = "host", .shape = TEXT },
	{ .key = "timeout", .shape = DURATION },
	END,
};

/* A single interface from another driver. */
static const struct rule interface[] = {
	{ .key = "driver", .shape = TEXT },
	{ .key = "credential", .shape = TEXT },
	{ .key = "address", .shape = TEXT },
	{ .key = "timeouts", .shape = MAP, .members = timeouts },
	END,
};

static const struct rule node[] = {
	{ .key = "driver", .shape = TEXT },
	{ .key = "class", .shape = TEXT },
	{ .key = "credential", .shape = TEXT },
	{ .key = "address", .shape = TEXT },
	{ .key = "tags", .shape = TEXTS },
	{ .key = "ready", .shape = MAP, .members = ready },
	{ .key = "maintenance", .shape = REASON },
	{ .key = "protected", .shape = REASON },
	{ .key = "trust", .shape = CHOICE, .choices = trust_words },
	{ .key = "via", .shape = TEXT },
	{ .key = "via_credential", .shape = TEXT },
	{ .key = "parent", .shape = TEXT },
	{ .key = "power", .shape = MAP, .members = interface, .unknown = DRIVERS },
	{ .key = "boot", .shape = MAP, .members = interface, .unknown = DRIVERS },
	{ .key = "console", .shape = MAP, .members = interface, .unknown = DRIVERS },
	{ .key = "timeouts", .shape = MAP, .members = timeouts },
	END,
};

static const struct rule credential[] = {
	{ .key = "username", .shape = TEXT },
	{ .key = "password", .shape = TEXT },
	{ .key = "password_file", .shape = TEXT },
	{ .key = "password_env", .shape = TEXT },
	{ .key = "password_command", .shape = TEXTS },
	END,
};

static const struct rule limit[] = {
	{ .key = "max_at_once", .shape = UINT, .max = UINT32_MAX },
	{ .key = "stagger", .shape = DURATION },
	END,
};

static const struct rule any_credential = {
	.key = "", .shape = MAP, .members = credential, .unknown = DRIVERS_BUT_TYPOS
};
static const struct rule any_node = {
	.key = "", .shape = MAP, .members = node, .unknown = DRIVERS
};
static const struct rule any_group = { .key = "", .shape = TEXT_OR_TEXTS };
static const struct rule source[] = {
	{ .key = "clustershell", .shape = TEXT },
	{ .key = "genders", .shape = TEXT },
	{ .key = "command", .shape = TEXTS },
	{ .key = "every", .shape = DURATION },
	{ .key = "only_known", .shape = BOOL },
	{ .key = "nodes", .shape = BOOL },
	{ .key = "address", .shape = TEXT },
	{ .key = "class", .shape = TEXT },
	{ .key = "driver", .shape = TEXT },
	END,
};

static const struct rule any_source = { .key = "", .shape = MAP, .members = source };
static const struct rule any_limit = { .key = "", .shape = MAP, .members = limit };

static const struct rule top[] = {
	{ .key = "defaults", .shape = MAP, .members = defaults },
	{ .key = "credentials", .shape = MAP, .each = &any_credential },
	{ .key = "classes", .shape = MAP, .each = &any_node },
	{ .key = "nodes", .shape = MAP, .each = &any_node },
	{ .key = "groups", .shape = MAP, .each = &any_group },
	{ .key = "limits", .shape = MAP, .each = &any_limit },
	{ .key = "include", .shape = TEXT_OR_TEXTS },
	{ .key = "sources", .shape = MAPS, .each = &any_source },
	{ .key = "hooks", .shape = MAP },
	END,
};
static const struct rule file = { .key = "", .shape = MAP, .members = top };

static const struct rule answer_top[] = {
	{ .key = "nodes", .shape = MAP, .each = &any_node },
	{ .key = "classes", .shape = MAP, .each = &any_node },
	{ .key = "groups", .shape = MAP, .each = &any_group },
	END,
};
static const struct rule answer = { .key = "", .shape = MAP, .members = answer_top };

/* --- The check itself. ------------------------------------------------------------------------ */

static const char *wanted(enum shape shape)
{
	static const char *const words[] = {
		[ANY] = "a value",
		[TEXT] = "a text",
		[REASON] = "a text",
		[TEXTS] = "a list, [one, two],",
		[TEXT_OR_TEXTS] = "a text or a list of texts",
		[UINT] = "a number",
		[DURATION] = "a duration",
		[BOOL] = "true or false",
		[CHOICE] = "a word",
		[MAP] = "a map, {key: value},",
		[MAPS] = "a list of maps, [{key: value}],",
	};

	return words[shape];
}

static void say_kind(const struct rule *rule, const char *key, const struct pctl_value *v,
	struct pctl_problems *problems)
{
	const char *text = pctl_value_text(v);

	pctl_problems_add(problems, pctl_value_place(v),
		text ? "%s: %s is wanted here, not '%s'" : "%s: %s is wanted here, not a %s", key,
		wanted(rule->shape), text ? text : pctl_value_kind_name(pctl_value_kind(v)));
}

static void check_texts(const struct rule *rule, const char *key, const struct pctl_value *v,
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
static void check_text(const struct rule *rule, const char *key, const struct pctl_value *v,
	struct pctl_problems *problems)
{
	const char *text = pctl_value_text(v);
	struct pctl_place place = pctl_value_place(v);
	uint64_t n;
	bool b;

	switch (rule->shape) {
	case REASON:
		if (pctl_parse_bool(text, &b) == 0)
			pctl_problems_add(problems, place,
				"%s: a reason is wanted here, such as \"ticket 4711\"; without one "
				"leave the key away",
				key);
		break;
	case UINT:
		if (pctl_parse_uint(text, rule->max, &n) < 0)
			pctl_problems_add(problems, place,
				"%s: a number from 0 to %llu is wanted here, not '%s'", key,
				(unsigned long long)rule->max, text);
		break;
	case DURATION:
		if (pctl_parse_duration(text, &n) < 0)
			pctl_problems_add(problems, place,
				"%s: a duration is wanted here (500ms, 60s, 2m), not '%s'", key,
				text);
		break;
	case BOOL:
		if (pctl_parse_bool(text, &b) < 0)
			say_kind(rule, key, v, problems);
		break;
	case CHOICE:
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

static void say_unknown(const struct rule *rule, const struct pctl_value *map, size_t i,
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
	else if (rule->unknown == REFUSED)
		pctl_problems_add(problems, pctl_value_key_place(map, i),
			"unknown key '%s'; here belong: %s", key, all.data);
	pctl_buf_done(&all);
}

static const struct rule *rule_of(const struct rule *map, const char *key)
{
	if (map->each)
		return map->each;
	for (const struct rule *r = map->members; r && r->key; r++)
		if (strcmp(r->key, key) == 0)
			return r;
	return NULL;
}

static void check(const struct rule *rule, const char *key, const struct pctl_value *v,
	struct pctl_problems *problems);

static void check_list(const struct rule *rule, const char *key, const struct pctl_value *v,
	struct pctl_problems *problems)
{
	if (pctl_value_kind(v) != PCTL_VALUE_LIST) {
		say_kind(rule, key, v, problems);
		return;
	}
	for (size_t i = 0; i < pctl_value_count(v); i++)
		check(rule->each, key, pctl_value_at(v, i), problems);
}

/* Recursion: as deep as the tables nest, which is four. */
static void check(const struct rule *rule, const char *key, const struct pctl_value *v,
	struct pctl_problems *problems)
{
	const char *text = pctl_value_text(v);

	if (rule->shape == ANY || (text && !*text))
		return;
	if (rule->shape == TEXTS || (rule->shape == TEXT_OR_TEXTS && !text)) {
		check_texts(rule, key, v, problems);
		return;
	}
	if (rule->shape == MAPS) {
		check_list(rule, key, v, problems);
		return;
	}
	if (rule->shape != MAP) {
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
		const struct rule *member = rule_of(rule, name);

		if (member)
			check(member, name, pctl_value_at(v, i), problems);
		else if (rule->members && rule->unknown != DRIVERS)
			say_unknown(rule, v, i, problems);
	}
}

void pctl_inventory_check_file(const struct pctl_value *root, struct pctl_problems *problems)
{
	check(&file, "the file", root, problems);
}

void pctl_inventory_check_source(const struct pctl_value *config, struct pctl_problems *problems)
{
	check(&any_source, "sources", config, problems);
}

void pctl_inventory_check_answer(const struct pctl_value *root, struct pctl_problems *problems)
{
	check(&answer, "the answer", root, problems);
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

static void check_settings(const struct pctl_inventory *inv, const struct pctl_value *settings,
	struct pctl_problems *problems)
{
	static const char *const interfaces[] = { "power", "boot", "console", NULL };

	check_named(&inv->classes, "class", "class", settings, problems);
	check_named(&inv->credentials, "credential", "credential", settings, problems);
	check_named(&inv->credentials, "credential", "via_credential", settings, problems);
	for (const char *const *key = interfaces; *key; key++)
		check_named(&inv->credentials, "credential", "credential",
			pctl_value_get(settings, *key), problems);
}

void pctl_inventory_check_settings(const struct pctl_inventory *inv,
	const struct pctl_value *settings, struct pctl_problems *problems)
{
	check(&any_node, "the node", settings, problems);
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
