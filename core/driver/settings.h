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
	bool no_login; /* it names none that is there, and that was said already */
};

/*
 * Adds the rows of a table (NULL: none) to *settings, which is all zero at first, with their values
 * in map, which outlives it. Wrong values, missing required ones and unreadable secrets are
 * problems; PCTL_E_CONFIG if there was any. *settings is to be done in any case. Keys that are in
 * no table are not looked at. For a node's settings, and for a method's parameters, where
 * context->node is the method.
 */
int pctl_settings_read(struct pctl_settings *settings, const struct pctl_property *table,
	const struct pctl_value *map, const struct pctl_settings_context *context);
/* Once all tables are read: keys of map that are neither in them nor the core's are problems. */
int pctl_settings_check_keys(const struct pctl_settings *settings, const char *driver,
	const struct pctl_value *map, const struct pctl_settings_context *context);
/* A mistake at a place, or at the node's where place has no file. */
void pctl_settings_complain(
	const struct pctl_settings_context *context, struct pctl_place place, const char *what);
void pctl_settings_done(struct pctl_settings *settings);

/* By name; NULL if the table has no such property. */
const struct pctl_setting *pctl_settings_find(
	const struct pctl_settings *settings, const char *name);

/* The one that says which machine behind the endpoint is meant; NULL: none, or it is not set. */
const struct pctl_setting *pctl_settings_unit(const struct pctl_settings *settings);

/* The one whose value decides on a second table, set or not; NULL: there is none. */
const struct pctl_setting *pctl_settings_selector(const struct pctl_settings *settings);

/*
 * For what a driver asks of its own table: a name that is not in it, or of another type, is a
 * mistake of the driver's.
 */
const struct pctl_setting *pctl_settings_at(const struct pctl_settings *settings, const char *name);
uint64_t pctl_settings_number(
	const struct pctl_settings *settings, const char *name, enum pctl_type type);

/* Whether a key of map that nobody knows is most likely to be this one; it is told of where it
 * stands. */
bool pctl_settings_is_mistyped(
	const struct pctl_settings *settings, const char *name, const struct pctl_value *map);

/* The settings that the core itself understands, NULL-terminated, for checks and "did you mean". */
extern const char *const pctl_core_keys[];

#endif
