/* SPDX-License-Identifier: Apache-2.0 */
#include "xml.h"

#include <libxml/parser.h>
#include <stdint.h>
#include <string.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>

/* Most answers fit the first block, so that reading one takes no memory at all. */
#define BLOCK_BYTES 8192u

/* Names that were ever seen stay in the parser's dictionary: past this it starts afresh. */
#define DICT_MAX_BYTES 65536u

struct block {
	struct block *next;
	size_t used, size;
	max_align_t data[];
};

struct xml_reader {
	xmlParserCtxt *parser;
	struct block *blocks; /* the newest first, the first one last */
	struct pctl_buf text; /* of the element that is open */
	struct xml_node *root, *open;
	unsigned depth, nodes;
	const char *refused; /* why reading was stopped */
};

static void *take(struct xml_reader *r, size_t size)
{
	size_t need = (size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);

	if (!r->blocks || need > r->blocks->size - r->blocks->used) {
		size_t room = need > BLOCK_BYTES ? need : BLOCK_BYTES;
		struct block *b = pctl_xcalloc(1, sizeof(*b) + room);
		b->size = room;
		b->next = r->blocks;
		r->blocks = b;
	}

	void *p = (char *)r->blocks->data + r->blocks->used;
	r->blocks->used += need;
	return p;
}

static void drop_blocks(struct xml_reader *r, bool keep_first)
{
	while (r->blocks && (r->blocks->next || !keep_first)) {
		struct block *b = r->blocks;
		r->blocks = b->next;
		free(b);
	}
	if (r->blocks)
		r->blocks->used = 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *take_text(struct xml_reader *r, const char *s, size_t len)
{
	while (len && is_blank(*s))
		s++, len--;
	while (len && is_blank(s[len - 1]))
		len--;
	if (!len)
		return "";

	char *copy = take(r, len + 1);
	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

static void refuse(struct xml_reader *r, const char *why)
{
	if (!r->refused)
		r->refused = why;
	xmlStopParser(r->parser);
}

/* What was gathered belongs to the open element if it has no child yet. */
static void settle_text(struct xml_reader *r)
{
	if (r->open && !r->open->first && r->text.len)
		r->open->text = take_text(r, r->text.data, r->text.len);
	pctl_buf_cut(&r->text, 0);
}

/* attributes: five pointers each, of which the last two bound the value. */
static const char *find_key(struct xml_reader *r, int n, const xmlChar **attributes)
{
	for (int i = 0; i < n; i++, attributes += 5) {
		if (strcmp((const char *)attributes[0], "Name") == 0)
			return take_text(r, (const char *)attributes[3],
				(size_t)(attributes[4] - attributes[3]));
	}
	return NULL;
}

static void start_element(void *data, const xmlChar *name, const xmlChar *prefix,
	const xmlChar *uri, int n_namespaces, const xmlChar **namespaces, int n_attributes,
	int n_defaulted, const xmlChar **attributes)
{
	struct xml_reader *r = data;

	(void)prefix, (void)uri, (void)n_namespaces, (void)namespaces, (void)n_defaulted;
	if (r->refused)
		return;
	settle_text(r);
	if (++r->depth > XML_MAX_DEPTH) {
		refuse(r, "elements nested too deeply");
		return;
	}
	if (++r->nodes > XML_MAX_NODES) {
		refuse(r, "too many elements");
		return;
	}

	struct xml_node *node = take(r, sizeof(*node));
	*node = (struct xml_node){
		.name = take_text(r, (const char *)name, strlen((const char *)name)),
		.text = "",
		.key = find_key(r, n_attributes, attributes),
		.parent = r->open,
	};
	if (!r->open)
		r->root = node;
	else if (!r->open->first)
		r->open->first = r->open->last = node;
	else
		r->open->last = r->open->last->next = node;
	r->open = node;
}

static void end_element(void *data, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct xml_reader *r = data;

	(void)name, (void)prefix, (void)uri;
	if (r->refused)
		return;
	settle_text(r);
	r->open = r->open->parent;
	r->depth--;
}

static void characters(void *data, const xmlChar *s, int len)
{
	struct xml_reader *r = data;

	if (!r->refused && r->open && !r->open->first)
		pctl_buf_add(&r->text, s, (size_t)len);
}

/* Entities are declared inside a document type, which is never read. */
static void document_type(
	void *data, const xmlChar *name, const xmlChar *external, const xmlChar *system_id)
{
	(void)name, (void)external, (void)system_id;
	refuse(data, "a document type declaration, which WS-Management forbids");
}

/* Without a handler libxml2 prints what it does not like. */
static void quiet(void *data, xmlError *error)
{
	(void)data, (void)error;
}

static const xmlSAXHandler handler = {
	.initialized = XML_SAX2_MAGIC,
	.internalSubset = document_type,
	.startElementNs = start_element,
	.endElementNs = end_element,
	.characters = characters,
	.ignorableWhitespace = characters,
	.cdataBlock = characters,
	.serror = quiet,
};

struct xml_reader *xml_reader_new(void)
{
	struct xml_reader *r = pctl_xcalloc(1, sizeof(*r));

	xmlInitParser(); /* as often as one likes; the first call counts */
	pctl_buf_init(&r->text, XML_MAX_BYTES);
	return r;
}

void xml_reader_free(struct xml_reader *reader)
{
	if (!reader)
		return;
	xmlFreeParserCtxt(reader->parser);
	drop_blocks(reader, false);
	pctl_buf_done(&reader->text);
	free(reader);
}

/* A fresh parser, or the one of the last time. */
static bool ready(struct xml_reader *r)
{
	if (r->parser && xmlDictGetUsage(r->parser->dict) > DICT_MAX_BYTES) {
		xmlFreeParserCtxt(r->parser);
		r->parser = NULL;
	}
	if (!r->parser) {
		r->parser = xmlNewParserCtxt();
		if (!r->parser)
			return false;
		*r->parser->sax = handler;
		r->parser->userData = r;
	}
	drop_blocks(r, true);
	pctl_buf_cut(&r->text, 0);
	r->root = r->open = NULL;
	r->depth = r->nodes = 0;
	r->refused = NULL;
	return true;
}

static int complain(const struct xml_reader *r, struct pctl_error *err)
{
	const xmlError *e = xmlCtxtGetLastError(r->parser);

	if (r->refused)
		return pctl_error_set(
			err, PCTL_E_PROTOCOL, "the answer is refused: it has %s", r->refused);
	if (e && e->message)
		return pctl_error_set(err, PCTL_E_PROTOCOL, "the answer is not XML: line %d: %.*s",
			e->line, (int)strcspn(e->message, "\n"), e->message);
	return pctl_error_set(err, PCTL_E_PROTOCOL, "the answer is not XML");
}

const struct xml_node *xml_read(
	struct xml_reader *reader, const char *data, size_t len, struct pctl_error *err)
{
	while (len && is_blank(*data))
		data++, len--;
	if (!len) {
		pctl_error_set(err, PCTL_E_PROTOCOL, "the answer is empty");
		return NULL;
	}
	if (len > XML_MAX_BYTES) {
		pctl_error_set(err, PCTL_E_PROTOCOL, "the answer is too large: %zu bytes", len);
		return NULL;
	}
	if (!ready(reader)) {
		pctl_error_set(err, PCTL_E_INTERNAL, "libxml2 has no memory for a parser");
		return NULL;
	}

	/*
	 * Our handlers build no document of libxml2's, so there is none to free. NOENT is what
	 * turns &amp; in attributes into &; other entities than XML's own cannot come into being
	 * here.
	 */
	(void)xmlCtxtReadMemory(
		reader->parser, data, (int)len, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOENT);
	if (reader->refused || !reader->parser->wellFormed || !reader->root || reader->open) {
		complain(reader, err);
		return NULL;
	}
	return reader->root;
}

const struct xml_node *xml_child(const struct xml_node *node, const char *name)
{
	for (const struct xml_node *c = node ? node->first : NULL; c; c = c->next) {
		if (strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

const struct xml_node *xml_again(const struct xml_node *node)
{
	for (const struct xml_node *n = node->next; n; n = n->next) {
		if (strcmp(n->name, node->name) == 0)
			return n;
	}
	return NULL;
}

const char *xml_text(const struct xml_node *node, const char *name)
{
	const struct xml_node *child = xml_child(node, name);

	return child ? child->text : NULL;
}

const struct xml_node *xml_walk(const struct xml_node *node, const struct xml_node *top)
{
	if (node->first)
		return node->first;
	while (node != top && !node->next)
		node = node->parent;
	return node == top ? NULL : node->next;
}

const struct xml_node *xml_find(const struct xml_node *node, const char *name)
{
	for (const struct xml_node *n = node; n; n = xml_walk(n, node)) {
		if (strcmp(n->name, name) == 0)
			return n;
	}
	return NULL;
}
