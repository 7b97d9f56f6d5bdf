/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings of one device, from a table that each program has: parsing, showing, help. A program
 * defines struct device, and in it what the table's offsets point into.
 */
#ifndef POWERCTL_SIM_KNOB_H
#define POWERCTL_SIM_KNOB_H

#include "util.h"

struct device;

enum { KNOB_WHY = 160 };

enum knob_kind {
	KNOB_NUMBER, /* a uint32_t */
	KNOB_WORD,   /* a uint32_t, the index of one of the words */
	KNOB_OWN,    /* set and show do all */
};

struct knob {
	const char *name;
	enum knob_kind kind;
	size_t at;
	uint32_t max;
	uint32_t def;
	/* Choices, or what the value looks like. */
	const char *words;
	const char *help;
	/* After a number or word was stored. */
	void (*changed)(struct device *dev);
	bool (*set)(struct device *dev, struct str value);
	/* As a JSON value. */
	void (*show)(const struct device *dev, struct buf *out);
};

struct knob_table {
	const struct knob *knobs;
	size_t count;
	/* Where in a struct device the members are that the knobs' offsets count from. */
	size_t at;
};

/* Numbers in struct knobs of the program, and the two other kinds. */
#define KNOB_NUM(member, top, value, text)                                                  \
	{                                                                                   \
		.name = #member, .kind = KNOB_NUMBER, .at = offsetof(struct knobs, member), \
		.max = (top), .def = (value), .help = (text)                                \
	}
#define KNOB_CHOICE(member, choices, text, after)                                         \
	{                                                                                 \
		.name = #member, .kind = KNOB_WORD, .at = offsetof(struct knobs, member), \
		.words = (choices), .help = (text), .changed = (after)                    \
	}
#define KNOB_CUSTOM(own, values, text, setter, shower)                              \
	{                                                                           \
		.name = (own), .kind = KNOB_OWN, .words = (values), .help = (text), \
		.set = (setter), .show = (shower)                                   \
	}

/* Values that a device begins with. */
void knob_init(const struct knob_table *table, struct device *dev);
/* Numbers are decimal or 0x...; false and a reason in why[KNOB_WHY] if there is no such thing. */
bool knob_set(const struct knob_table *table, struct device *dev, struct str name, struct str value,
	char *why);
/* "name=value". */
bool knob_set_text(const struct knob_table *table, struct device *dev, struct str text, char *why);
/* "5", "3-5" or "all" of count devices into first..last (1-based). */
bool knob_devices(uint32_t count, struct str text, uint32_t *ret_first, uint32_t *ret_last);
/* A JSON object of all knobs. */
void knob_json(const struct knob_table *table, const struct device *dev, struct buf *out);
/* The table, for people. */
void knob_print(const struct knob_table *table);
/* The same as a JSON array. */
void knob_json_help(const struct knob_table *table, struct buf *out);

#endif
