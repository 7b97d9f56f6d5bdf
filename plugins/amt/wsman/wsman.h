/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WS-Management requests as Intel AMT takes them (DSP0226 with the DMTF's CIM binding): bytes only,
 * no I/O. A request is begun, given its fields in the order in which the firmware wants them, and
 * ended:
 *
 *	wsman_begin(&w, &(struct wsman_head){ .verb = WSMAN_INVOKE, ... });
 *	wsman_text(&w, "Role", "1");
 *	r = wsman_end(&w, err);
 *
 * Every value is escaped. The firmware wants no OptionSet, no fragment headers and no envelope size
 * under 50000, so none of these is ever sent.
 */
#ifndef POWERCTL_AMT_WSMAN_H
#define POWERCTL_AMT_WSMAN_H

#include <stdbool.h>
#include <stdint.h>

#include <powerctl/buf.h>

#define WSMAN_MAX_REQUEST 65536u

struct wsman_class {
	const char *uri;
	const char *name;
};
#define WSMAN_CLASS(ns, class)                     \
	{                                          \
		.uri = ns "/" class, .name = class \
	}
#define WSMAN_CIM "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2"
#define WSMAN_AMT "http://intel.com/wbem/wscim/1/amt-schema/1"
#define WSMAN_IPS "http://intel.com/wbem/wscim/1/ips-schema/1"

/* Which instance of a class is meant. A list of these ends with a row that has no name. */
struct wsman_selector {
	const char *name;
	const char *value;
};

enum wsman_verb {
	WSMAN_GET,
	WSMAN_PUT,
	WSMAN_ENUMERATE,
	WSMAN_PULL,
	WSMAN_INVOKE,
	WSMAN_CREATE,
	WSMAN_DELETE,
};

/* A selector that is a reference to another instance. A list ends with a row that has no name. */
struct wsman_link {
	const char *name;
	const struct wsman_class *class;
	const struct wsman_selector *selectors;
};

struct wsman_head {
	enum wsman_verb verb;
	const struct wsman_class *class;
	const char *method;                     /* WSMAN_INVOKE */
	const char *context;                    /* WSMAN_PULL: where the enumeration stands */
	const struct wsman_selector *selectors; /* NULL: the class has one instance */
	const struct wsman_link *links;         /* beside selectors, or NULL */
	uint32_t message_id;
};

struct wsman {
	struct pctl_buf out;
	struct wsman_head head;
	bool invalid; /* a value holds what XML cannot carry */
	char prefix;  /* of the fields that follow */
};

/* Head is copied; its selectors and links are used at once, the rest lives until wsman_end(). */
void wsman_begin(struct wsman *w, const struct wsman_head *head);
void wsman_done(struct wsman *w);

/* A parameter of a method or a field of a Put. */
void wsman_text(struct wsman *w, const char *name, const char *value);
void wsman_uint(struct wsman *w, const char *name, uint64_t value);
/* One that refers to an instance of another class. */
void wsman_reference(struct wsman *w, const char *name, const struct wsman_class *class,
	const struct wsman_selector *selectors);
/* One that holds an element of the DMTF's common schema: inner is Datetime or Interval. */
void wsman_common(struct wsman *w, const char *name, const char *inner, const char *value);
/* An instance as a parameter: the fields between the two are class's. They are not nested. */
void wsman_open(struct wsman *w, const char *name, const struct wsman_class *class);
void wsman_close(struct wsman *w, const char *name);
/*
 * A field of an answer, as it came: a text, a reference, a Datetime or an Interval. False, and
 * nothing is added: it is of another shape, whose namespaces are not known any more.
 */
struct xml_node;
bool wsman_copy(struct wsman *w, const struct xml_node *field);

/*
 * The request is in w->out then. PCTL_E_CONFIG if a value is not valid UTF-8 or has control
 * characters, PCTL_E_INTERNAL if it grew over WSMAN_MAX_REQUEST.
 */
int wsman_end(struct wsman *w, struct pctl_error *err);

/* Adds text as XML text or attribute value; false and nothing added if XML cannot carry it. */
bool wsman_escape(struct pctl_buf *out, const char *text);

#endif
