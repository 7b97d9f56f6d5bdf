/* SPDX-License-Identifier: Apache-2.0 */
#include "wsman/xml.h"

#include <errno.h>
#include <expat.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

/* Most answers fit the first block, so that reading one takes no memory at all. */
#define BLOCK_BYTES 8192u

struct block {
	struct block *next;
	size_t used, size;
	max_align_t data[];
};

struct xml_reader {
	XML_Parser parser;
	unsigned long salt;   /* of its hash tables; 0: expat asks the kernel, for each document */
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
	(void)XML_StopParser(r->parser, XML_FALSE);
}

/* What was gathered belongs to the open element if it has no child yet. */
static void settle_text(struct xml_reader *r)
{
	if (r->open && !r->open->first && r->text.len)
		r->open->text = take_text(r, r->text.data, r->text.len);
	pctl_buf_cut(&r->text, 0);
}

static const char *local_part(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon ? colon + 1 : name;
}

/* attributes: name and value in turn. */
static const char *find_key(struct xml_reader *r, const char **attributes)
{
	for (; *attributes; attributes += 2) {
		if (strcmp(local_part(attributes[0]), "Name") == 0)
			return take_text(r, attributes[1], strlen(attributes[1]));
	}
	return NULL;
}

static void start_element(void *data, const char *name, const char **attributes)
{
	struct xml_reader *r = data;

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
		.name = take_text(r, local_part(name), strlen(local_part(name))),
		.text = "",
		.key = find_key(r, attributes),
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

static void end_element(void *data, const char *name)
{
	struct xml_reader *r = data;

	(void)name;
	if (r->refused)
		return;
	settle_text(r);
	r->open = r->open->parent;
	r->depth--;
}

static void characters(void *data, const char *s, int len)
{
	struct xml_reader *r = data;

	if (!r->refused && r->open && !r->open->first)
		pctl_buf_add(&r->text, s, (size_t)len);
}

/* Entities are declared inside a document type, which is never read. */
static void document_type(void *data, const char *name, const char *system_id,
	const char *public_id, int has_internal_subset)
{
	(void)name, (void)system_id, (void)public_id, (void)has_internal_subset;
	refuse(data, "a document type declaration, which WS-Management forbids");
}

struct xml_reader *xml_reader_new(void)
{
	struct xml_reader *r = pctl_xcalloc(1, sizeof(*r));

	pctl_buf_init(&r->text, XML_MAX_BYTES);
	if (getrandom(&r->salt, sizeof(r->salt), GRND_NONBLOCK) != sizeof(r->salt))
		r->salt = 0;
	return r;
}

void xml_reader_free(struct xml_reader *reader)
{
	if (!reader)
		return;
	XML_ParserFree(reader->parser);
	drop_blocks(reader, false);
	pctl_buf_done(&reader->text);
	free(reader);
}

/* A fresh parser, or the one of the last time. */
static bool ready(struct xml_reader *r)
{
	if (r->parser)
		(void)XML_ParserReset(r->parser, NULL);
	else
		r->parser = XML_ParserCreate(NULL);
	if (!r->parser)
		return false;
	(void)XML_SetHashSalt(r->parser, r->salt);
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, start_element, end_element);
	XML_SetCharacterDataHandler(r->parser, characters);
	XML_SetStartDoctypeDeclHandler(r->parser, document_type);
	drop_blocks(r, true);
	pctl_buf_cut(&r->text, 0);
	r->root = r->open = NULL;
	r->depth = r->nodes = 0;
	r->refused = NULL;
	return true;
}

static int complain(const struct xml_reader *r, struct pctl_error *err)
{
	if (r->refused)
		return pctl_error_set(
			err, PCTL_E_PROTOCOL, "the answer is refused: it has %s", r->refused);
	if (XML_GetErrorCode(r->parser) == XML_ERROR_NO_MEMORY)
		return pctl_error_shortage(err, ENOMEM), PCTL_E_INTERNAL;
	return pctl_error_set(err, PCTL_E_PROTOCOL, "the answer is not XML: line %lu: %s",
		(unsigned long)XML_GetCurrentLineNumber(r->parser),
		XML_ErrorString(XML_GetErrorCode(r->parser)));
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
		(void)pctl_error_shortage(err, ENOMEM);
		return NULL;
	}

	bool whole = XML_Parse(reader->parser, data, (int)len, 1) == XML_STATUS_OK;
	if (reader->refused || !whole) {
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

uint32_t xml_uint(const struct xml_node *node, const char *name, uint32_t otherwise)
{
	const char *text = xml_text(node, name);
	uint64_t n;

	return text && pctl_parse_uint(text, UINT32_MAX, &n) == 0 ? (uint32_t)n : otherwise;
}

bool xml_true(const struct xml_node *node, const char *name)
{
	const char *text = xml_text(node, name);

	return text && strcmp(text, "true") == 0;
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
