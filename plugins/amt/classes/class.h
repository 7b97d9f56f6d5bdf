/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A WS-Management class as a table of its fields, and what follows from that: an instance as a tree
 * with our names, a Put's body, a method's input. Pure: XML in, trees and bytes out.
 *
 * Names and order of fields are the firmware's (MOF files of the Intel AMT SDK, and its answers as
 * they were recorded), keys of trees those of docs/names.md.
 */
#ifndef POWERCTL_AMT_CLASS_H
#define POWERCTL_AMT_CLASS_H

#include <powerctl/value.h>

#include "wsman/status.h"
#include "wsman/wsman.h"
#include "wsman/xml.h"

/* Numbers of the firmware as words. A list ends with a row that has no word. */
struct class_word {
	uint64_t number;
	const char *word;
};

enum field_type {
	FIELD_TEXT,
	FIELD_BOOL,
	FIELD_UINT,
	FIELD_WORD,      /* a number that stands for a word */
	FIELD_TIME,      /* Datetime */
	FIELD_INTERVAL,  /* Interval: P1DT2H30M, told as 26h30m */
	FIELD_MAC,       /* told in lower case, with colons */
	FIELD_REFERENCE, /* to another instance: told by its last selector */
};

#define FIELD_LIST       1u /* may come several times: told as a list */
#define FIELD_READ_ONLY  2u /* never in a Put */
#define FIELD_WRITE_ONLY 4u /* never told; in a Put only where it is set: a secret */
#define FIELD_OPTIONAL   8u /* may be set though the Get does not have it */

struct class_field {
	const char *name;
	const char *key; /* NULL: not told */
	enum field_type type;
	unsigned flags;
	const struct class_word *words; /* FIELD_WORD */
};

/* fields are in the firmware's order and end with a row that has no name; NULL: none is known. */
struct class
{
	struct wsman_class class;
	const struct class_field *fields;
	/* NULL: what is changed is written as texts. */
	void (*write)(struct wsman *w, const char *name, const char *value);
};
#define CLASS(ns, of, table)                                    \
	{                                                       \
		.class = WSMAN_CLASS(ns, of), .fields = (table) \
	}

/* The word for a number; the number itself where there is none; NULL for no text at all. */
const char *class_word(const struct class_word *words, const char *text);
/* The number of a word, as it is sent; NULL: no such word. */
const struct class_word *class_number(const struct class_word *words, const char *word);

/* Adds the fields that have a key and are there to map. Odd values are told as they are. */
void class_read(const struct class *class, const struct xml_node *instance, struct pctl_value *map);

/*
 * The same by the firmware's own names, of any class: references as {class, selectors}. fields (or
 * NULL) are those of its table, for types and lists; others have a list where they come again, a
 * boolean where they say true or false, and texts.
 */
void class_tree(
	const struct xml_node *element, const struct class_field *fields, struct pctl_value *map);

/*
 * What to change in an instance. A name that comes again is a list; value NULL leaves the field
 * out. A list ends with a row that has no name.
 */
struct class_change {
	const char *name;
	const char *value;
};

/*
 * Adds the fields of a Put to w: those of a Get's answer in their order, without what is read-only,
 * with changes. PCTL_E_UNSUPPORTED: a field to be changed is not in the answer, so this firmware
 * lacks it (FIELD_OPTIONAL ones, and those of a class without a table, are added). PCTL_E_CONFIG:
 * it is read-only. Nothing is to be sent then.
 */
int class_put(struct wsman *w, const struct class *class, const struct xml_node *instance,
	const struct class_change *changes, struct pctl_error *err);

/* A method and its input's fields, in the order in which the firmware wants them. */
struct class_method {
	const struct wsman_class *class;
	const char *name;
	enum status_kind returns;
	const char *inputs[12]; /* NULL behind the last */
};

/* One of the inputs: a text, or a reference. A name that comes again is a list. */
struct class_input {
	const char *name;
	const char *text; /* NULL with a class */
	const struct wsman_class *class;
	const struct wsman_selector *selectors;
};

/* Adds inputs (ended by a row without a name) in the method's order; NULL texts are left out. */
void class_call(
	struct wsman *w, const struct class_method *method, const struct class_input *inputs);

/* "PT26H30M", "P1DT2H" and the like as "26h30m", as pctl_parse_duration() has units; "" if it is
 * not that or nothing. */
#define CLASS_INTERVAL_SIZE 32
void class_interval(const char *iso, char out[CLASS_INTERVAL_SIZE]);

#endif
