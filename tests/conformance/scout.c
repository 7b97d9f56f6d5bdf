/* SPDX-License-Identifier: Apache-2.0 */
/* What the driver is with these settings: its own table, and the one that its selector's value
 * chooses. */
#include <stdio.h>
#include <string.h>

#include <powerctl/driver.h>
#include <powerctl/parse.h>

#include "inventory/inventory.h"
#include "node/describe.h"
#include "rig.h"

const char *setting_given(const struct options *o, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = o->sets_n; i-- > 0;)
		if (strncmp(o->sets[i], name, len) == 0 && o->sets[i][len] == '=')
			return o->sets[i] + len + 1;
	return NULL;
}

bool setting_is_of(const char *name, size_t len, const char *secret)
{
	size_t own = strlen(secret);

	if (!own || len < own || strncmp(name, secret, own) != 0)
		return false;
	for (size_t i = 0; i < PCTL_SECRET_ENDS; i++)
		if (strlen(pctl_secret_ends[i]) == len - own &&
			strncmp(name + own, pctl_secret_ends[i], len - own) == 0)
			return true;
	return false;
}

static bool is_set(const struct options *o, const char *secret)
{
	for (size_t i = 0; i < o->sets_n; i++)
		if (setting_is_of(o->sets[i], strcspn(o->sets[i], "="), secret))
			return true;
	return false;
}

/* port, status_port, ipport; but not which port of a hub is meant. */
static bool is_port(const struct pctl_property *p)
{
	size_t len = strlen(p->name);

	return p->type == PCTL_TYPE_UINT && !(p->flags & PCTL_PROPERTY_UNIT) && len >= 4 &&
	       strcmp(p->name + len - 4, "port") == 0;
}

static void take_port(const struct bench *bench, const struct pctl_property *p)
{
	const char *text = setting_given(bench->options, p->name);
	struct shared *s = bench->shared;
	uint64_t number;

	if (!text)
		text = p->default_text;
	if (!text || pctl_parse_uint(text, 65535, &number) < 0 || !number)
		return;
	(void)snprintf(s->ports[s->ports_n].name, sizeof(s->ports[0].name), "%s", p->name);
	s->ports[s->ports_n++].device = (uint16_t)number;
}

/* The first that is set; else the first there is. */
static void take_secret(const struct bench *bench, const struct pctl_property *p)
{
	bool set = is_set(bench->options, p->name);
	struct shared *s = bench->shared;

	if (s->has_secret || (*s->secret && !set))
		return;
	(void)snprintf(s->secret, sizeof(s->secret), "%s", p->name);
	s->has_secret = set;
}

static void take_table(const struct bench *bench, const struct pctl_property *table)
{
	for (const struct pctl_property *p = table; p && p->name; p++) {
		if (p->flags & PCTL_PROPERTY_SECRET)
			take_secret(bench, p);
		if (bench->shared->networked && is_port(p) && bench->shared->ports_n < RELAY_PORTS)
			take_port(bench, p);
	}
}

/* What is wrong with a value rig_init() says. */
const struct pctl_described *describe_driver(const struct bench *bench,
	const struct pctl_driver *driver, struct pctl_descriptions *descriptions)
{
	for (const struct pctl_property *p = driver->properties; p->name; p++) {
		if (!(p->flags & PCTL_PROPERTY_SELECTOR))
			continue;
		const char *value = setting_given(bench->options, p->name);
		if (!value)
			value = p->default_text;
		if (!value)
			return NULL;
		doing(bench, "describe");
		const struct pctl_described *found =
			pctl_descriptions_get(descriptions, driver, value, NULL);
		return found->err.code ? NULL : found;
	}
	return NULL;
}

void scout(const struct bench *bench)
{
	struct pctl_descriptions descriptions = { 0 };
	const struct pctl_driver *d = load_driver(bench);
	struct shared *s = bench->shared;

	/* What a selector chooses says by itself whether it wants an address. */
	s->networked = d->default_port || bench->options->address;
	s->tells_power = d->power;
	take_table(bench, d->properties);
	const struct pctl_described *more = describe_driver(bench, d, &descriptions);
	if (more)
		take_table(bench, more->properties);
	s->loaded = true;
	pctl_descriptions_done(&descriptions);
}
