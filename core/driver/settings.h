/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A driver's settings of one node: what the inventory says, checked against the property table and
 * turned into numbers, choices and secrets once.
 */
#ifndef POWERCTL_CORE_SETTINGS_H
#define POWERCTL_CORE_SETTINGS_H

#include <powerctl/driver.h>
#include <powerctl/inventory.h>

struct pctl_setting {
	const struct pctl_property *property; /* borrowed from the plugin */
	const char *text;              /* borrowed from the map or the table; NULL: not set */
	const struct pctl_value *list; /* PCTL_TYPE_TEXTS */
	char *path;                    /* PCTL_TYPE_FILE: made absolute; ours */
	uint64_t number;               /* UINT, DURATION (ms), BOOL, CHOICE (index), FLAGS (bits) */
	const struct pctl_secret *secret; /* borrowed from the secrets reader */
	bool given;
};

struct pctl_settings {
	struct pctl_setting *v;
	size_t n;
};

/* Where mistakes are said: about this node, at the place of a value or else of the node itself. */
struct pctl_settings_context {
	const char *node;
	struct pctl_place place;
	struct pctl_secrets *secrets; /* NULL: do not read secrets */
	struct pctl_problems *problems;
};

/*
 * map is the node's merged settings and outlives *ret. Keys that are the core's are left alone;
 * keys that are nobody's, wrong values, missing required ones and unreadable secrets are problems.
 * PCTL_E_CONFIG if there was any; *ret is to be done in any case.
 */
int pctl_settings_init(struct pctl_settings *ret, const char *driver,
	const struct pctl_property *table, const struct pctl_value *map,
	const struct pctl_settings_context *context);
/*
 * The same for a table alone: keys of map that are not in it are not looked at, values of the rows
 * are. For a method's parameters, where context->node is the method.
 */
int pctl_settings_read(struct pctl_settings *ret, const struct pctl_property *table,
	const struct pctl_value *map, const struct pctl_settings_context *context);
void pctl_settings_done(struct pctl_settings *settings);

/* By name; NULL if the table has no such property. */
const struct pctl_setting *pctl_settings_find(
	const struct pctl_settings *settings, const char *name);

/* The one that says which machine behind the endpoint is meant; NULL: none, or it is not set. */
const struct pctl_setting *pctl_settings_unit(const struct pctl_settings *settings);

/*
 * For what a driver asks of its own table: a name that is not in it, or of another type, is a
 * mistake of the driver's.
 */
const struct pctl_setting *pctl_settings_at(const struct pctl_settings *settings, const char *name);
uint64_t pctl_settings_number(
	const struct pctl_settings *settings, const char *name, enum pctl_type type);

/* The settings that the core itself understands, NULL-terminated, for checks and "did you mean". */
extern const char *const pctl_core_keys[];

#endif
