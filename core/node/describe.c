/* SPDX-License-Identifier: Apache-2.0 */
#include "node/describe.h"

#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>

#include "driver/plugin.h"
#include "node/core.h"

const char *pctl_selector_value(const struct pctl_selector *selector)
{
	return selector->value;
}

const char *pctl_selector_file(const struct pctl_selector *selector)
{
	return selector->file;
}

/* driver has one. */
static const struct pctl_property *selector_of(const struct pctl_driver *driver)
{
	const struct pctl_property *p = driver->properties;

	while (!(p->flags & PCTL_PROPERTY_SELECTOR))
		p++;
	return p;
}

/* What an older, shorter description lacks is zero. */
static void take(struct pctl_described *d)
{
	static const struct pctl_property none[] = { { 0 } };
	uint32_t size = d->own->size;
	const char *why = NULL;

	memcpy(&d->full, d->own, size < sizeof(d->full) ? size : sizeof(d->full));
	d->properties = pctl_plugin_copy_second(
		d->driver, d->full.properties ? d->full.properties : none, &why);
	d->full.properties = d->properties;
	if (!d->properties)
		(void)pctl_error_set(
			&d->err, PCTL_E_CONFIG, "what it says of itself is no use: %s", why);
}

static void describe(struct pctl_described *d, const struct pctl_selector *selector)
{
	struct pctl_error err = { 0 };
	int r = d->driver->describe(selector, &d->own, &err);

	if (r < 0)
		(void)pctl_error_set(&d->err, PCTL_E_CONFIG, "%s", err.text);
	else
		take(d);
}

const struct pctl_described *pctl_descriptions_get(struct pctl_descriptions *all,
	const struct pctl_driver *driver, const char *value, const char *file)
{
	const struct pctl_selector selector = { .driver = driver, .value = value, .file = file };
	PCTL_AUTO(free)
	char *key = pctl_xasprintf("%s\n%s\n%s", driver->name, file ? file : "", value);
	void **place = pctl_strmap_put(&all->by_value, key);
	struct pctl_described *d = *place;

	if (d)
		return d;
	d = pctl_xcalloc(1, sizeof(*d));
	*place = d;
	d->driver = driver;
	d->with = pctl_xasprintf(" with %s '%s'", selector_of(driver)->name, value);
	d->next = all->first;
	all->first = d;
	describe(d, &selector);
	return d;
}

void pctl_descriptions_done(struct pctl_descriptions *all)
{
	while (all->first) {
		struct pctl_described *d = all->first;

		all->first = d->next;
		if (d->own)
			d->driver->undescribe(d->own);
		free(d->properties);
		free(d->with);
		free(d);
	}
	pctl_strmap_done(&all->by_value);
	*all = (struct pctl_descriptions){ 0 };
}

int pctl_core_describe(struct pctl_core *core, const char *driver, const char *value,
	const struct pctl_description **ret, struct pctl_error *err)
{
	struct pctl_loaded *loaded = NULL;
	int r = pctl_core_load(core, driver, &loaded, err);

	if (r < 0)
		return r;
	if (!loaded->driver->describe)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"driver %s has no setting that brings others with it; `powerctl drivers "
			"%s` "
			"lists those it has",
			driver, driver);
	/* No inventory says where a relative path starts. */
	PCTL_AUTO(free)
	char *path = *value != '/' && selector_of(loaded->driver)->type == PCTL_TYPE_FILE
			     ? realpath(value, NULL)
			     : NULL;
	const struct pctl_described *d = pctl_descriptions_get(
		&core->descriptions, loaded->driver, path ? path : value, NULL);
	if (d->err.code)
		return pctl_error_set(err, d->err.code, "%s", d->err.text);
	*ret = &d->full;
	return 0;
}

const struct pctl_description *pctl_device_description(const struct pctl_device *device)
{
	const struct pctl_described *d = device->target->described;

	return d ? d->own : NULL;
}
