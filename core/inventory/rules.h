/* SPDX-License-Identifier: Apache-2.0 */
/* What may stand where in an inventory, as tables: the check, and the JSON Schema, go by them. */
#ifndef POWERCTL_CORE_RULES_H
#define POWERCTL_CORE_RULES_H

#include <stdint.h>

enum pctl_shape {
	PCTL_SHAPE_ANY,
	PCTL_SHAPE_TEXT,
	PCTL_SHAPE_REASON, /* a text that is not mistaken for a switch */
	PCTL_SHAPE_TEXTS,
	PCTL_SHAPE_TEXT_OR_TEXTS,
	PCTL_SHAPE_UINT,
	PCTL_SHAPE_DURATION,
	PCTL_SHAPE_BOOL,
	PCTL_SHAPE_CHOICE,
	PCTL_SHAPE_MAP,
	PCTL_SHAPE_MAPS,
	PCTL_SHAPE_FEEDS, /* a text, a map, or a list of these */
};

/* What becomes of keys that a map's rule does not know. */
enum pctl_unknown {
	PCTL_UNKNOWN_REFUSED,
	PCTL_UNKNOWN_DRIVERS, /* they are a driver's */
	PCTL_UNKNOWN_DRIVERS_BUT_TYPOS,
};

struct pctl_rule {
	const char *key;                 /* NULL: the table's end */
	const char *help;                /* one line, or NULL */
	const char *const *choices;      /* CHOICE */
	const char *pattern;             /* TEXT: what the schema asks of it, or NULL */
	const struct pctl_rule *members; /* MAP: by key; NULL: anything goes */
	const struct pctl_rule *each;    /* MAP, MAPS, FEEDS: what every member is */
	uint64_t max;                    /* UINT */
	enum pctl_shape shape;
	enum pctl_unknown unknown; /* MAP */
};

/* The whole file's, a node's, one source's, and those of what a source prints. */
extern const struct pctl_rule pctl_inventory_rules, pctl_node_rules, pctl_source_rules,
	pctl_answer_rules;

#endif
