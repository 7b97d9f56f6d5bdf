/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XML from a device, read with expat into one compact tree of elements. No document type, so no
 * entities but the five of XML itself; depth, number of elements and size are capped. Names are
 * local names: prefixes differ between answers of one firmware.
 */
#ifndef POWERCTL_AMT_XML_H
#define POWERCTL_AMT_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <powerctl/error.h>

#define XML_MAX_BYTES ((size_t)1 << 20)
#define XML_MAX_DEPTH 64u
#define XML_MAX_NODES 20000u

struct xml_node {
	const char *name; /* without its prefix */
	const char *text; /* up to the first child, blanks around it removed; "" if there is none */
	const char *key;  /* the value of its attribute Name (of a Selector), or NULL */
	struct xml_node *parent;
	struct xml_node *first; /* child */
	struct xml_node *last;  /* child */
	struct xml_node *next;  /* sibling */
};

/* A parser with its memory, for one document after the other. Not for two threads at once. */
struct xml_reader;

struct xml_reader *xml_reader_new(void);
void xml_reader_free(struct xml_reader *reader);

/*
 * Reads one document; white space before and after it is no fault. Returns its root, which lives
 * until the next read, or NULL with err: PCTL_E_PROTOCOL.
 */
const struct xml_node *xml_read(
	struct xml_reader *reader, const char *data, size_t len, struct pctl_error *err);

/* The first child of that name, or NULL. node may be NULL. */
const struct xml_node *xml_child(const struct xml_node *node, const char *name);

/* The next sibling of the same name, or NULL: xml_child() and this walk an array. */
const struct xml_node *xml_again(const struct xml_node *node);

/* The text of the first child of that name, or NULL if there is no such child. */
const char *xml_text(const struct xml_node *node, const char *name);

/* The number of 32 bits that such a text is; otherwise: there is none. */
uint32_t xml_uint(const struct xml_node *node, const char *name, uint32_t otherwise);

/* Whether such a text says "true". */
bool xml_true(const struct xml_node *node, const char *name);

/* The first element of that name in node or below it, in the order of the document, or NULL. */
const struct xml_node *xml_find(const struct xml_node *node, const char *name);

/* What follows node when everything in top is walked in the order of the document, or NULL. */
const struct xml_node *xml_walk(const struct xml_node *node, const struct xml_node *top);

#endif
