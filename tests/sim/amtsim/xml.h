/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a request: namespace-aware, no DOM library, no allocation per request. A document type,
 * a processing instruction, an entity of its own making, wrong nesting, a prefix that nobody
 * declared, bytes that are not UTF-8 and anything deeper or bigger than the limits below are
 * refused.
 */
#ifndef POWERCTL_AMTSIM_XML_H
#define POWERCTL_AMTSIM_XML_H

#include "util.h"

enum {
	XML_NODES = 2048,
	XML_ATTRS = 512,
	XML_BINDINGS = 256,
	XML_DEPTH = 64,
};

struct xml_attr {
	struct str ns;
	struct str name;
	struct str value;
};

/* first, next: 0 where there is none (node 0 is the root element, never a child). */
struct xml_node {
	struct str ns;
	struct str name;
	struct str text;
	struct str tag;
	uint16_t parent;
	uint16_t first;
	uint16_t last;
	uint16_t next;
	uint16_t attrs;
	uint16_t nattrs;
	uint16_t bindings;
};

struct xml_binding {
	struct str prefix;
	struct str uri;
};

/* Used again for every request; slices point into the request or into text. */
struct xml_doc {
	struct xml_node nodes[XML_NODES];
	struct xml_attr attrs[XML_ATTRS];
	struct xml_binding bindings[XML_BINDINGS];
	size_t nnodes;
	size_t nattrs;
	size_t nbindings;
	struct buf text;
};

struct xml_doc *xml_doc_new(void);
void xml_doc_free(struct xml_doc *doc);

/* NULL, or what is wrong with it. input must live as long as the document is used. */
const char *xml_parse(struct xml_doc *doc, struct str input);

/* First child of that name (any namespace if ns is NULL), or -1; node -1 has no children. */
int xml_child(const struct xml_doc *doc, int node, const char *ns, const char *name);
/* First child element, or -1. */
int xml_first(const struct xml_doc *doc, int node);
/* Next sibling, or -1. */
int xml_next(const struct xml_doc *doc, int node);
/* Trimmed text; empty for node -1. */
struct str xml_text(const struct xml_doc *doc, int node);
/* Empty with p NULL if there is no such attribute. */
struct str xml_attr(const struct xml_doc *doc, int node, const char *ns, const char *name);

#endif
