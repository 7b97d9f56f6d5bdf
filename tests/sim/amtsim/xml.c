/* SPDX-License-Identifier: Apache-2.0 */
#include "xml.h"

#include <stdlib.h>
#include <string.h>

#define XML_NS "http://www.w3.org/XML/1998/namespace"

struct scan {
	struct xml_doc *doc;
	const char *p;
	const char *end;
	size_t depth;
	int open;
	bool seen_root;
	const char *why;
};

struct xml_doc *xml_doc_new(void)
{
	struct xml_doc *doc = xcalloc(1, sizeof(*doc));

	buf_init(&doc->text, 1 << 20);
	return doc;
}

void xml_doc_free(struct xml_doc *doc)
{
	if (!doc)
		return;
	buf_done(&doc->text);
	free(doc);
}

static bool fail(struct scan *s, const char *why)
{
	s->why = why;
	return false;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Names are ASCII here: the firmware has no others. */
static bool is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name(char c)
{
	return is_name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

static void skip_space(struct scan *s)
{
	while (s->p < s->end && is_space(*s->p))
		s->p++;
}

static bool looking_at(const struct scan *s, const char *text)
{
	size_t n = strlen(text);

	return (size_t)(s->end - s->p) >= n && memcmp(s->p, text, n) == 0;
}

/* Moves behind text; false if it does not come any more. */
static bool skip_past(struct scan *s, const char *text)
{
	const char *at = memmem(s->p, (size_t)(s->end - s->p), text, strlen(text));

	if (!at)
		return fail(s, "unfinished markup");
	s->p = at + strlen(text);
	return true;
}

static size_t utf8_announced(unsigned char c)
{
	if (c < 0x80)
		return 1;
	if (c < 0xC2 || c > 0xF4)
		return 0;
	return c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

/* Longer than it need be, a surrogate, or beyond the last character. */
static bool utf8_forbidden(const unsigned char *p)
{
	switch (p[0]) {
	case 0xE0:
		return p[1] < 0xA0;
	case 0xED:
		return p[1] > 0x9F;
	case 0xF0:
		return p[1] < 0x90;
	case 0xF4:
		return p[1] > 0x8F;
	default:
		return false;
	}
}

/* Bytes of one well-formed UTF-8 character, or 0. */
static size_t utf8_length(const unsigned char *p, size_t n)
{
	size_t len = utf8_announced(p[0]);

	if (!len || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xC0) != 0x80)
			return 0;
	return utf8_forbidden(p) ? 0 : len;
}

static bool valid_text(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	for (size_t i = 0; i < s.n;) {
		if (p[i] >= 0x20 && p[i] < 0x7F) {
			i++;
			continue;
		}
		size_t len = utf8_length(p + i, s.n - i);

		if (!len || (p[i] < 0x20 && !is_space((char)p[i])))
			return false;
		i += len;
	}
	return true;
}

static void add_utf8(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_char(b, (char)c);
	} else if (c < 0x800) {
		buf_char(b, (char)(0xC0 | c >> 6));
		buf_char(b, (char)(0x80 | (c & 63)));
	} else if (c < 0x10000) {
		buf_char(b, (char)(0xE0 | c >> 12));
		buf_char(b, (char)(0x80 | (c >> 6 & 63)));
		buf_char(b, (char)(0x80 | (c & 63)));
	} else {
		buf_char(b, (char)(0xF0 | c >> 18));
		buf_char(b, (char)(0x80 | (c >> 12 & 63)));
		buf_char(b, (char)(0x80 | (c >> 6 & 63)));
		buf_char(b, (char)(0x80 | (c & 63)));
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* ref is what stands between &# and ; */
static bool char_reference(struct str ref, uint32_t *ret_char)
{
	unsigned base = ref.n && ref.p[0] == 'x' ? 16 : 10;
	uint32_t c = 0;

	if (base == 16) {
		ref.p++;
		ref.n--;
	}
	if (!ref.n || ref.n > 7)
		return false;
	for (size_t i = 0; i < ref.n; i++) {
		int digit = hex_digit(ref.p[i]);

		if (digit < 0 || (unsigned)digit >= base)
			return false;
		c = c * base + (uint32_t)digit;
	}
	if ((c < 0x20 && c != 9 && c != 10 && c != 13) || c > 0x10FFFF ||
		(c >= 0xD800 && c < 0xE000))
		return false;
	*ret_char = c;
	return true;
}

static bool add_reference(struct buf *b, struct str name)
{
	static const struct {
		const char *name;
		char c;
	} known[] = { { "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' },
		{ "apos", '\'' } };
	uint32_t c;

	if (str_starts(name, "#")) {
		if (!char_reference((struct str){ name.p + 1, name.n - 1 }, &c))
			return false;
		add_utf8(b, c);
		return true;
	}
	for (size_t i = 0; i < COUNT(known); i++)
		if (str_is(name, known[i].name)) {
			buf_char(b, known[i].c);
			return true;
		}
	return false;
}

/* Character data with its references resolved: the input itself where it has none. */
static bool decode(struct scan *s, struct str raw, struct str *ret)
{
	struct buf *b = &s->doc->text;
	size_t from = b->n;

	if (!valid_text(raw))
		return fail(s, "not UTF-8");
	if (!raw.n || !memchr(raw.p, '&', raw.n)) {
		*ret = raw;
		return true;
	}
	for (size_t i = 0; i < raw.n; i++) {
		if (raw.p[i] != '&') {
			buf_char(b, raw.p[i]);
			continue;
		}
		const char *end = memchr(raw.p + i, ';', raw.n - i);

		if (!end || !add_reference(b,
				    (struct str){ raw.p + i + 1, (size_t)(end - raw.p) - i - 1 }))
			return fail(s, "unknown entity");
		i = (size_t)(end - raw.p);
	}
	*ret = (struct str){ b->p + from, b->n - from };
	return true;
}

static bool append_text(struct scan *s, struct str part)
{
	struct buf *b = &s->doc->text;

	if (!s->depth) {
		if (str_trim(part).n)
			return fail(s, "text outside of the root element");
		return true;
	}
	struct str *text = &s->doc->nodes[s->open].text;

	if (!text->n || !str_trim(*text).n) {
		*text = part;
	} else if (str_trim(part).n) {
		size_t from = b->n;

		buf_str(b, *text);
		buf_str(b, part);
		*text = (struct str){ b->p + from, b->n - from };
	}
	return true;
}

static bool read_name(struct scan *s, struct str *ret)
{
	const char *from = s->p;
	bool colon = false;

	if (s->p == s->end || !is_name_start(*s->p))
		return fail(s, "a name was expected");
	while (s->p < s->end && (is_name(*s->p) || (*s->p == ':' && !colon))) {
		colon = colon || *s->p == ':';
		s->p++;
	}
	*ret = (struct str){ from, (size_t)(s->p - from) };
	if (ret->p[ret->n - 1] == ':')
		return fail(s, "a name was expected");
	return true;
}

static struct str prefix_of(struct str name, struct str *ret_local)
{
	const char *colon = memchr(name.p, ':', name.n);

	if (!colon) {
		*ret_local = name;
		return (struct str){ name.p, 0 };
	}
	size_t n = (size_t)(colon - name.p);

	*ret_local = (struct str){ colon + 1, name.n - n - 1 };
	return (struct str){ name.p, n };
}

static bool resolve(struct scan *s, struct str prefix, struct str *ret)
{
	if (str_is(prefix, "xml")) {
		*ret = STR(XML_NS);
		return true;
	}
	for (size_t i = s->doc->nbindings; i-- > 0;)
		if (str_eq(s->doc->bindings[i].prefix, prefix)) {
			*ret = s->doc->bindings[i].uri;
			return true;
		}
	*ret = (struct str){ "", 0 };
	return prefix.n ? fail(s, "undeclared prefix") : true;
}

static bool bind(struct scan *s, struct str name, struct str uri)
{
	struct str prefix = { "", 0 };

	if (s->doc->nbindings == XML_BINDINGS)
		return fail(s, "too many namespaces");
	if (name.n > 6)
		prefix = (struct str){ name.p + 6, name.n - 6 };
	s->doc->bindings[s->doc->nbindings++] = (struct xml_binding){ prefix, uri };
	return true;
}

static bool read_attribute(struct scan *s)
{
	struct str name, raw, value;

	if (!read_name(s, &name))
		return false;
	skip_space(s);
	if (s->p == s->end || *s->p++ != '=')
		return fail(s, "attribute without a value");
	skip_space(s);
	if (s->p == s->end || (*s->p != '"' && *s->p != '\''))
		return fail(s, "attribute without quotes");

	const char *from = s->p + 1;
	const char *to = memchr(from, *s->p, (size_t)(s->end - from));

	if (!to)
		return fail(s, "unfinished attribute");
	raw = (struct str){ from, (size_t)(to - from) };
	s->p = to + 1;
	if (raw.n && memchr(raw.p, '<', raw.n))
		return fail(s, "< in an attribute");
	if (!decode(s, raw, &value))
		return false;
	if (str_is(name, "xmlns") || str_starts(name, "xmlns:"))
		return bind(s, name, value);
	if (s->doc->nattrs == XML_ATTRS)
		return fail(s, "too many attributes");
	s->doc->attrs[s->doc->nattrs++] = (struct xml_attr){ .name = name, .value = value };
	return true;
}

/* The names, once all the bindings of the tag are known. */
static bool resolve_names(struct scan *s, struct xml_node *node)
{
	if (!resolve(s, prefix_of(node->tag, &node->name), &node->ns))
		return false;
	for (size_t i = 0; i < node->nattrs; i++) {
		struct xml_attr *attr = &s->doc->attrs[node->attrs + i];
		struct str prefix = prefix_of(attr->name, &attr->name);

		attr->ns = (struct str){ "", 0 };
		if (prefix.n && !resolve(s, prefix, &attr->ns))
			return false;
		for (size_t k = 0; k < i; k++) {
			const struct xml_attr *other = &s->doc->attrs[node->attrs + k];

			if (str_eq(other->name, attr->name) && str_eq(other->ns, attr->ns))
				return fail(s, "the same attribute twice");
		}
	}
	return true;
}

static void link_node(struct scan *s, int index)
{
	struct xml_node *node = &s->doc->nodes[index];
	struct xml_node *parent = &s->doc->nodes[s->open];

	node->parent = (uint16_t)s->open;
	if (!s->depth)
		return;
	if (parent->first)
		s->doc->nodes[parent->last].next = (uint16_t)index;
	else
		parent->first = (uint16_t)index;
	parent->last = (uint16_t)index;
}

static bool open_tag(struct scan *s)
{
	struct xml_doc *doc = s->doc;

	if (doc->nnodes == XML_NODES || s->depth == XML_DEPTH)
		return fail(s, "too many elements or too deep");
	if (!s->depth && s->seen_root)
		return fail(s, "two root elements");

	int index = (int)doc->nnodes++;
	struct xml_node *node = &doc->nodes[index];

	*node = (struct xml_node){ .text = { "", 0 },
		.attrs = (uint16_t)doc->nattrs,
		.bindings = (uint16_t)doc->nbindings };
	s->p++;
	if (!read_name(s, &node->tag))
		return false;
	for (;;) {
		const char *before = s->p;

		skip_space(s);
		if (s->p == s->end)
			return fail(s, "unfinished tag");
		if (*s->p == '>' || *s->p == '/')
			break;
		if (s->p == before)
			return fail(s, "blank expected between attributes");
		if (!read_attribute(s))
			return false;
	}
	node->nattrs = (uint16_t)(doc->nattrs - node->attrs);
	if (!resolve_names(s, node))
		return false;
	link_node(s, index);
	s->seen_root = true;
	s->open = index;
	s->depth++;
	return true;
}

static void leave(struct scan *s)
{
	const struct xml_node *node = &s->doc->nodes[s->open];

	s->doc->nbindings = node->bindings;
	s->open = node->parent;
	s->depth--;
}

static bool close_tag(struct scan *s)
{
	struct str tag;

	s->p += 2;
	if (!read_name(s, &tag))
		return false;
	skip_space(s);
	if (s->p == s->end || *s->p++ != '>')
		return fail(s, "unfinished end tag");
	if (!s->depth || !str_eq(tag, s->doc->nodes[s->open].tag))
		return fail(s, "wrong nesting");
	leave(s);
	return true;
}

static bool start_tag(struct scan *s)
{
	if (!open_tag(s))
		return false;
	if (*s->p == '/') {
		s->p++;
		if (s->p == s->end || *s->p != '>')
			return fail(s, "unfinished tag");
		leave(s);
	}
	s->p++;
	return true;
}

static bool cdata(struct scan *s)
{
	const char *from = s->p + 9;

	if (!skip_past(s, "]]>"))
		return false;

	struct str part = { from, (size_t)(s->p - 3 - from) };

	return valid_text(part) ? append_text(s, part) : fail(s, "not UTF-8");
}

static bool comment(struct scan *s)
{
	const char *from = s->p + 4;

	s->p = from;
	if (!skip_past(s, "--"))
		return false;
	if (!valid_text((struct str){ from, (size_t)(s->p - from) }))
		return fail(s, "not UTF-8");
	if (s->p == s->end || *s->p++ != '>')
		return fail(s, "-- in a comment");
	return true;
}

static bool markup(struct scan *s)
{
	if (looking_at(s, "</"))
		return close_tag(s);
	if (looking_at(s, "<?"))
		return fail(s, "a processing instruction is not accepted");
	if (looking_at(s, "<!--"))
		return comment(s);
	if (looking_at(s, "<![CDATA[") && s->depth)
		return cdata(s);
	if (looking_at(s, "<!"))
		return fail(s, "a document type is not accepted");
	return start_tag(s);
}

static bool characters(struct scan *s)
{
	const char *to = memchr(s->p, '<', (size_t)(s->end - s->p));
	struct str part = { s->p, (size_t)((to ? to : s->end) - s->p) };

	s->p = part.p + part.n;
	if (part.n && memmem(part.p, part.n, "]]>", 3))
		return fail(s, "]]> in text");
	return decode(s, part, &part) && append_text(s, part);
}

/* One name="value" of the declaration, if it is that name; false: it is there but wrong. */
static bool declared(struct scan *s, const char *name, const char *value)
{
	size_t n = strlen(value);
	char quote;

	skip_space(s);
	if (!looking_at(s, name))
		return true;
	s->p += strlen(name);
	skip_space(s);
	if (s->p == s->end || *s->p++ != '=')
		return false;
	skip_space(s);
	if ((size_t)(s->end - s->p) < n + 2 || (*s->p != '"' && *s->p != '\''))
		return false;
	quote = *s->p;
	if (!str_is_nocase((struct str){ s->p + 1, n }, value) || s->p[n + 1] != quote)
		return false;
	s->p += n + 2;
	return true;
}

static bool declaration(struct scan *s)
{
	s->p += strlen("<?xml");
	if (s->p == s->end || !is_space(*s->p))
		return fail(s, "not a declaration");
	skip_space(s);
	if (!looking_at(s, "version") || !declared(s, "version", "1.0") ||
		(s->p < s->end && *s->p != '?' && !is_space(*s->p)))
		return fail(s, "wrong version");
	if (!declared(s, "encoding", "utf-8") || !declared(s, "standalone", "yes"))
		return fail(s, "wrong declaration");
	skip_space(s);
	if (!looking_at(s, "?>"))
		return fail(s, "wrong declaration");
	s->p += 2;
	return true;
}

const char *xml_parse(struct xml_doc *doc, struct str input)
{
	struct scan s = { .doc = doc, .p = input.p, .end = input.p + input.n };

	doc->nnodes = doc->nattrs = doc->nbindings = 0;
	doc->text.n = 0;
	/* Slices point into it: it must not move while it grows. */
	if (doc->text.cap < input.n * 2) {
		buf_done(&doc->text);
		doc->text.p = xcalloc(1, input.n * 2);
		doc->text.cap = doc->text.max = input.n * 2;
	}
	if (looking_at(&s, "\xEF\xBB\xBF"))
		s.p += 3;
	if (looking_at(&s, "<?xml") && !declaration(&s))
		return s.why;
	while (s.p < s.end)
		if (!(*s.p == '<' ? markup(&s) : characters(&s)))
			return s.why;
	if (s.depth || !s.seen_root || doc->text.over)
		return "unfinished document";
	return NULL;
}

int xml_first(const struct xml_doc *doc, int node)
{
	return node >= 0 && doc->nodes[node].first ? doc->nodes[node].first : -1;
}

int xml_next(const struct xml_doc *doc, int node)
{
	return node >= 0 && doc->nodes[node].next ? doc->nodes[node].next : -1;
}

int xml_child(const struct xml_doc *doc, int node, const char *ns, const char *name)
{
	for (int i = xml_first(doc, node); i >= 0; i = xml_next(doc, i))
		if (str_is(doc->nodes[i].name, name) && (!ns || str_is(doc->nodes[i].ns, ns)))
			return i;
	return -1;
}

struct str xml_text(const struct xml_doc *doc, int node)
{
	return node >= 0 ? str_trim(doc->nodes[node].text) : (struct str){ "", 0 };
}

struct str xml_attr(const struct xml_doc *doc, int node, const char *ns, const char *name)
{
	const struct xml_node *n = &doc->nodes[node];

	for (size_t i = 0; i < n->nattrs; i++) {
		const struct xml_attr *attr = &doc->attrs[n->attrs + i];

		if (str_is(attr->name, name) && str_is(attr->ns, ns))
			return attr->value;
	}
	return (struct str){ NULL, 0 };
}
