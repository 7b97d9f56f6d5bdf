/* SPDX-License-Identifier: Apache-2.0 */
/* Settings and parameters as KEY=VALUE. Those of nodes come from the schema that editors use. */
#include <string.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>

#include "complete.h"
#include "login.h"
#include "methods.h"
#include "property.h"
#include "text.h"

#define DRIVERS_MAX 64u

struct drivers {
	const struct pctl_driver *v[DRIVERS_MAX];
	size_t n;
	/* One of them with what the value of its selector brings; free() its table. */
	struct pctl_driver with;
	struct pctl_property *table;
};

/* The value that the line gives a setting, before the word that is being typed; NULL: none. */
static const char *given(const struct completion *c, const char *key)
{
	const struct words *settings = &c->cli->options.settings;
	size_t len = strlen(key);

	for (size_t i = settings->n; i-- > 0;)
		if (strncmp(settings->v[i], key, len) == 0 && settings->v[i][len] == '=')
			return settings->v[i] + len + 1;
	return NULL;
}

/* Which settings come with a selector's value, where the line has one. */
static void describe(const struct completion *c, struct drivers *drivers)
{
	const struct pctl_description *about = NULL;

	for (size_t i = 0; i < drivers->n && !drivers->table; i++) {
		const struct pctl_driver *d = drivers->v[i];
		const struct pctl_property *selector = login_selector(d);
		const char *value = selector ? given(c, selector->name) : NULL;

		if (!value || pctl_core_describe(cli_core(c->cli), d->name, value, &about, NULL))
			continue;
		drivers->table = property_join(d->properties, about->properties);
		drivers->with = *d;
		drivers->with.properties = drivers->table;
		drivers->v[i] = &drivers->with;
	}
}

static void add_driver(struct completion *c, struct drivers *drivers, const char *name)
{
	for (size_t i = 0; i < drivers->n; i++)
		if (strcmp(drivers->v[i]->name, name) == 0)
			return;
	if (drivers->n < DRIVERS_MAX &&
		pctl_core_driver(cli_core(c->cli), name, &drivers->v[drivers->n], NULL) == 0)
		drivers->n++;
}

/* The one that was named, else those that the inventory's nodes have. */
static void find_drivers(struct completion *c, const char *named, struct drivers *ret)
{
	const struct pctl_inventory *inventory = named ? NULL : complete_inventory(c);
	struct pctl_names *names = pctl_names_new();

	if (named)
		(void)pctl_names_add(names, named);
	for (size_t i = 0; inventory && i < pctl_inventory_count(inventory); i++) {
		const char *driver = pctl_inventory_text(inventory, i, "driver");

		if (driver)
			(void)pctl_names_add(names, driver);
	}
	for (size_t i = 0; i < pctl_names_count(names); i++)
		add_driver(c, ret, pctl_names_at(names, i));
	pctl_names_free(names);
}

/* --- Values. ---------------------------------------------------------------------------------- */

static bool holds(const struct pctl_value *list, const char *word)
{
	for (size_t i = 0; i < pctl_value_count(list); i++) {
		const char *text = pctl_value_text(pctl_value_at(list, i));

		if (text && strcmp(text, word) == 0)
			return true;
	}
	return false;
}

/* yes, no, on and off mean the same as true and false, which do. */
static void offer_enum(
	const struct completion *c, const struct pctl_value *list, struct pctl_names *said)
{
	bool switches = holds(list, "true") && holds(list, "yes");

	for (size_t i = 0; i < pctl_value_count(list); i++) {
		const char *text = pctl_value_text(pctl_value_at(list, i));

		if (!text || (switches && *text != 't' && *text != 'f'))
			continue;
		if (pctl_names_add(said, text))
			complete_offer(c, text, NULL);
	}
}

/* Recursion: as deep as the schema of one setting. */
static void offer_values(const struct completion *c, /* NOLINT(misc-no-recursion) */
	const struct pctl_value *schema, struct pctl_names *said)
{
	const struct pctl_value *any = pctl_value_get(schema, "anyOf");

	offer_enum(c, pctl_value_get(schema, "enum"), said);
	for (size_t i = 0; i < pctl_value_count(any); i++)
		offer_values(c, pctl_value_at(any, i), said);
}

static const struct pctl_property *property_of(const struct drivers *drivers, const char *key)
{
	for (size_t i = 0; i < drivers->n; i++)
		for (const struct pctl_property *p = drivers->v[i]->properties; p && p->name; p++)
			if (strcmp(p->name, key) == 0)
				return p;
	return NULL;
}

static bool is_file(const struct drivers *drivers, const char *key)
{
	const struct pctl_property *p = property_of(drivers, key);
	size_t len = strlen(key);

	if (p)
		return p->type == PCTL_TYPE_FILE;
	return len > 5 && strcmp(key + len - 5, "_file") == 0;
}

static void offer_path(const struct completion *c)
{
	(void)printf(":files\t%.*s\n", (int)(c->begun - c->word), c->word);
}

static void offer_one(void *data, const char *value)
{
	complete_offer(data, value, NULL);
}

static void offer_selector(struct completion *c, const struct pctl_driver *driver)
{
	if (driver->values)
		driver->values(offer_one, c);
}

static bool offer_reference(struct completion *c, const char *key)
{
	const struct pctl_inventory *inventory;
	struct pctl_names *names = pctl_names_new();
	bool known = true;

	if (strcmp(key, "driver") == 0)
		pctl_core_driver_names(cli_core(c->cli), names);
	else if (strcmp(key, "class") == 0 && (inventory = complete_inventory(c)))
		pctl_inventory_classes(inventory, names);
	else if (strcmp(key, "credential") == 0 && (inventory = complete_inventory(c)))
		pctl_inventory_credentials(inventory, names);
	else
		known = false;
	for (size_t i = 0; i < pctl_names_count(names); i++)
		complete_offer(c, pctl_names_at(names, i), NULL);
	pctl_names_free(names);
	return known;
}

/* --- Keys. ------------------------------------------------------------------------------------ */

static void offer_keys(const struct completion *c, const struct pctl_value *properties)
{
	for (size_t i = 0; i < pctl_value_count(properties); i++) {
		PCTL_AUTO(free)
		char *word = pctl_xasprintf("%s=", pctl_value_key_at(properties, i));

		complete_offer(c, word,
			pctl_value_text(
				pctl_value_get(pctl_value_at(properties, i), "description")));
	}
}

void complete_selector(struct completion *c, const char *driver)
{
	struct drivers drivers = { .n = 0 };

	add_driver(c, &drivers, driver);
	const struct pctl_property *p = drivers.n ? login_selector(drivers.v[0]) : NULL;
	if (p && p->type == PCTL_TYPE_FILE)
		offer_path(c);
	else if (p)
		offer_selector(c, drivers.v[0]);
}

void complete_setting(struct completion *c)
{
	const char *named = c->cli->options.driver;
	struct drivers drivers = { .n = 0 };

	find_drivers(c, named ? named : given(c, "driver"), &drivers);
	describe(c, &drivers);
	struct pctl_value *schema = pctl_drivers_schema(drivers.v, drivers.n);
	const struct pctl_value *definitions = pctl_value_get(schema, "definitions");
	const struct pctl_value *tables[] = {
		pctl_value_get(pctl_value_get(definitions, "node"), "properties"),
		pctl_value_get(pctl_value_get(definitions, "any"), "properties"),
	};
	size_t len = strcspn(c->begun, "=");
	PCTL_AUTO(free) char *key = pctl_xstrndup(c->begun, len);
	if (!c->begun[len]) {
		offer_keys(c, tables[0]);
		offer_keys(c, tables[1]);
	} else {
		struct pctl_names *said = pctl_names_new();

		c->begun += len + 1;
		if (is_file(&drivers, key))
			offer_path(c);
		else if (!offer_reference(c, key))
			for (size_t i = 0; i < 2; i++)
				offer_values(c, pctl_value_get(tables[i], key), said);
		for (size_t i = 0; i < drivers.n; i++) {
			const struct pctl_property *p = login_selector(drivers.v[i]);

			if (p && strcmp(p->name, key) == 0)
				offer_selector(c, drivers.v[i]);
		}
		pctl_names_free(said);
	}
	pctl_value_free(schema);
	free(drivers.table);
}

void complete_parameter(struct completion *c, const struct pctl_method *method)
{
	size_t len = strcspn(c->begun, "=");
	bool value = c->begun[len] == '=';

	for (const struct pctl_property *p = method->parameters; p && p->name; p++) {
		PCTL_AUTO(free) char *name = NULL;
		const struct pctl_property shown = method_parameter(p, &name);
		PCTL_AUTO(free) char *word = pctl_xasprintf("%s=", shown.name);

		if (p->flags & PCTL_PROPERTY_WORD)
			continue;
		if (!value) {
			complete_offer(c, word, p->help);
			continue;
		}
		if (strlen(shown.name) != len || strncmp(shown.name, c->begun, len) != 0)
			continue;
		c->begun += len + 1;
		for (size_t i = 0; p->choices && p->choices[i]; i++)
			complete_offer(c, p->choices[i], NULL);
		if (p->type == PCTL_TYPE_BOOL) {
			complete_offer(c, "true", NULL);
			complete_offer(c, "false", NULL);
		} else if (shown.type == PCTL_TYPE_FILE) {
			offer_path(c);
		}
		return;
	}
}
