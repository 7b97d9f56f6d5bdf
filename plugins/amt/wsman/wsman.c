/* SPDX-License-Identifier: Apache-2.0 */
#include "wsman/wsman.h"

#include <string.h>

#include "wsman/xml.h"

#define ADDRESSING  "http://schemas.xmlsoap.org/ws/2004/08/addressing"
#define TRANSFER    "http://schemas.xmlsoap.org/ws/2004/09/transfer"
#define ENUMERATION "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
#define COMMON      "http://schemas.dmtf.org/wbem/wscim/1/common"
#define WSMAN       "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"

/* More than any firmware holds: an enumeration normally arrives in one piece. */
#define MAX_ELEMENTS   "999"
#define MAX_CHARACTERS "99999"

static const char *const actions[] = {
	[WSMAN_GET] = TRANSFER "/Get",
	[WSMAN_PUT] = TRANSFER "/Put",
	[WSMAN_ENUMERATE] = ENUMERATION "/Enumerate",
	[WSMAN_PULL] = ENUMERATION "/Pull",
	[WSMAN_CREATE] = TRANSFER "/Create",
	[WSMAN_DELETE] = TRANSFER "/Delete",
};

static const char envelope[] =
	"<?xml version=\"1.0\" encoding=\"utf-8\"?>"
	"<Envelope xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
	" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\""
	" xmlns:a=\"" ADDRESSING "\" xmlns:w=\"" WSMAN "\""
	" xmlns=\"http://www.w3.org/2003/05/soap-envelope\"><Header><a:Action>";
static const char after_action[] = "</a:Action><a:To>/wsman</a:To><w:ResourceURI>";
static const char after_id[] =
	"</a:MessageID><a:ReplyTo><a:Address>" ADDRESSING "/role/anonymous</a:Address></a:ReplyTo>"
	"<w:OperationTimeout>PT60S</w:OperationTimeout>";

/* Bytes of the UTF-8 sequence at s if XML may hold its character, else 0. */
static size_t character(const unsigned char *s)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} forms[] = { { 0x80, 0x00, 0x20 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 },
		{ 0xf8, 0xf0, 0x10000 } };
	size_t n = 0;

	while (n < 4 && (s[0] & forms[n].mask) != forms[n].lead)
		n++;
	if (n == 4)
		return 0;

	uint32_t c = s[0] & (unsigned char)~forms[n].mask;
	for (size_t i = 1; i <= n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c == '\t' || c == '\n' || c == '\r')
		return 1;
	if (c < forms[n].least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) || c == 0xfffe ||
		c == 0xffff)
		return 0;
	return n + 1;
}

/* What stands for c, or NULL if c stands for itself. */
static const char *reference(char c)
{
	switch (c) {
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '&':
		return "&amp;";
	case '"':
		return "&quot;";
	case '\t': /* a blank, inside an attribute */
		return "&#9;";
	case '\n':
		return "&#10;";
	case '\r':
		return "&#13;";
	default:
		return NULL;
	}
}

bool wsman_escape(struct pctl_buf *out, const char *text)
{
	size_t len = 0;

	for (size_t n; text[len]; len += n) {
		n = character((const unsigned char *)text + len);
		if (!n)
			return false;
	}

	size_t from = 0;
	for (size_t i = 0; i < len; i++) {
		const char *r = reference(text[i]);
		if (!r)
			continue;
		pctl_buf_add(out, text + from, i - from);
		pctl_buf_adds(out, r);
		from = i + 1;
	}
	pctl_buf_add(out, text + from, len - from);
	return true;
}

static void escape(struct wsman *w, const char *text)
{
	if (!wsman_escape(&w->out, text))
		w->invalid = true;
}

static void add_all(struct pctl_buf *out, const char *const *pieces)
{
	for (; *pieces; pieces++)
		pctl_buf_adds(out, *pieces);
}
#define ADD(w, ...) add_all(&(w)->out, (const char *const[]){ __VA_ARGS__, NULL })

/* prefix is "w:", or "" where the namespace is the default one. */
static void add_selectors(struct wsman *w, const char *prefix, const struct wsman_selector *s)
{
	for (; s->name; s++) {
		ADD(w, "<", prefix, "Selector Name=\"");
		escape(w, s->name);
		ADD(w, "\">");
		escape(w, s->value);
		ADD(w, "</", prefix, "Selector>");
	}
}

/* Address and reference parameters of an instance, behind an open tag. */
static void add_target(
	struct wsman *w, const struct wsman_class *class, const struct wsman_selector *selectors)
{
	ADD(w, "<Address xmlns=\"" ADDRESSING "\">" ADDRESSING "</Address>",
		"<ReferenceParameters xmlns=\"" ADDRESSING "\"><ResourceURI xmlns=\"" WSMAN "\">",
		class->uri, "</ResourceURI><SelectorSet xmlns=\"" WSMAN "\">");
	add_selectors(w, "", selectors);
	ADD(w, "</SelectorSet></ReferenceParameters>");
}

static void add_links(struct wsman *w, const struct wsman_link *links)
{
	for (; links && links->name; links++) {
		ADD(w, "<w:Selector Name=\"", links->name, "\"><a:EndpointReference>");
		add_target(w, links->class, links->selectors);
		ADD(w, "</a:EndpointReference></w:Selector>");
	}
}

static void open_body(struct wsman *w)
{
	const struct wsman_head *h = &w->head;

	switch (h->verb) {
	case WSMAN_GET:
	case WSMAN_DELETE:
		break;
	case WSMAN_PUT:
	case WSMAN_CREATE:
		ADD(w, "<h:", h->class->name, " xmlns:h=\"", h->class->uri, "\">");
		break;
	case WSMAN_INVOKE:
		ADD(w, "<h:", h->method, "_INPUT xmlns:h=\"", h->class->uri, "\">");
		break;
	case WSMAN_ENUMERATE:
		ADD(w, "<Enumerate xmlns=\"" ENUMERATION "\" />");
		break;
	case WSMAN_PULL:
		ADD(w, "<Pull xmlns=\"" ENUMERATION "\"><EnumerationContext>");
		escape(w, h->context);
		ADD(w, "</EnumerationContext><MaxElements>" MAX_ELEMENTS "</MaxElements>"
		       "<MaxCharacters>" MAX_CHARACTERS "</MaxCharacters></Pull>");
		break;
	}
}

void wsman_begin(struct wsman *w, const struct wsman_head *head)
{
	*w = (struct wsman){ .head = *head, .prefix = 'h' };
	pctl_buf_init_secret(&w->out, WSMAN_MAX_REQUEST);

	pctl_buf_add(&w->out, envelope, sizeof(envelope) - 1);
	if (head->verb == WSMAN_INVOKE)
		ADD(w, head->class->uri, "/", head->method);
	else
		ADD(w, actions[head->verb]);
	ADD(w, after_action, head->class->uri, "</w:ResourceURI><a:MessageID>");
	pctl_buf_addf(&w->out, "%u", head->message_id);
	pctl_buf_add(&w->out, after_id, sizeof(after_id) - 1);
	if (head->selectors || head->links) {
		ADD(w, "<w:SelectorSet>");
		if (head->selectors)
			add_selectors(w, "w:", head->selectors);
		add_links(w, head->links);
		ADD(w, "</w:SelectorSet>");
	}
	ADD(w, "</Header><Body>");
	open_body(w);
}

void wsman_done(struct wsman *w)
{
	pctl_buf_done(&w->out);
}

/* name is one of ours, or one that somebody typed: only what a name may have gets into a tag. */
static void tag(struct wsman *w, const char *open, const char *name)
{
	static const char good[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

	if (!*name || strspn(name, good) != strlen(name) || (*name >= '0' && *name <= '9'))
		w->invalid = true;
	else
		pctl_buf_addf(&w->out, "%s%c:%s>", open, w->prefix, name);
}

void wsman_text(struct wsman *w, const char *name, const char *value)
{
	tag(w, "<", name);
	escape(w, value);
	tag(w, "</", name);
}

void wsman_uint(struct wsman *w, const char *name, uint64_t value)
{
	tag(w, "<", name);
	pctl_buf_addf(&w->out, "%llu", (unsigned long long)value);
	tag(w, "</", name);
}

void wsman_reference(struct wsman *w, const char *name, const struct wsman_class *class,
	const struct wsman_selector *selectors)
{
	tag(w, "<", name);
	add_target(w, class, selectors);
	tag(w, "</", name);
}

void wsman_common(struct wsman *w, const char *name, const char *inner, const char *value)
{
	tag(w, "<", name);
	ADD(w, "<p:", inner, " xmlns:p=\"" COMMON "\">");
	escape(w, value);
	ADD(w, "</p:", inner, ">");
	tag(w, "</", name);
}

void wsman_open(struct wsman *w, const char *name, const struct wsman_class *class)
{
	ADD(w, "<h:", name, " xmlns:s=\"", class->uri, "\">");
	w->prefix = 's';
}

void wsman_close(struct wsman *w, const char *name)
{
	w->prefix = 'h';
	tag(w, "</", name);
}

/* --- A field as it came. ---------------------------------------------------------------------- */

/* A reference's selectors may be references again; the reader caps how deep. */
static void copy_target(/* NOLINT(misc-no-recursion) */
	struct wsman *w, const struct xml_node *target)
{
	const struct xml_node *parameters = xml_child(target, "ReferenceParameters");
	const struct xml_node *set = xml_child(parameters, "SelectorSet");
	const char *uri = xml_text(parameters, "ResourceURI");

	ADD(w, "<Address xmlns=\"" ADDRESSING "\">" ADDRESSING "</Address>"
	       "<ReferenceParameters xmlns=\"" ADDRESSING "\"><ResourceURI xmlns=\"" WSMAN "\">");
	escape(w, uri ? uri : "");
	ADD(w, "</ResourceURI><SelectorSet xmlns=\"" WSMAN "\">");
	for (const struct xml_node *s = set ? set->first : NULL; s; s = s->next) {
		const struct xml_node *inner = xml_child(s, "EndpointReference");

		ADD(w, "<Selector Name=\"");
		escape(w, s->key ? s->key : "");
		ADD(w, "\">");
		if (inner) {
			ADD(w, "<EndpointReference xmlns=\"" ADDRESSING "\">");
			copy_target(w, inner);
			ADD(w, "</EndpointReference>");
		} else {
			escape(w, s->text);
		}
		ADD(w, "</Selector>");
	}
	ADD(w, "</SelectorSet></ReferenceParameters>");
}

bool wsman_copy(struct wsman *w, const struct xml_node *field)
{
	const struct xml_node *inner = field->first;

	if (!inner) {
		wsman_text(w, field->name, field->text);
	} else if (xml_child(field, "ReferenceParameters")) {
		tag(w, "<", field->name);
		copy_target(w, field);
		tag(w, "</", field->name);
	} else if (!inner->next && !inner->first &&
		   (strcmp(inner->name, "Datetime") == 0 || strcmp(inner->name, "Interval") == 0)) {
		wsman_common(w, field->name, inner->name, inner->text);
	} else {
		return false;
	}
	return true;
}

int wsman_end(struct wsman *w, struct pctl_error *err)
{
	const struct wsman_head *h = &w->head;

	if (h->verb == WSMAN_PUT || h->verb == WSMAN_CREATE)
		ADD(w, "</h:", h->class->name, ">");
	else if (h->verb == WSMAN_INVOKE)
		ADD(w, "</h:", h->method, "_INPUT>");
	ADD(w, "</Body></Envelope>");

	if (w->invalid)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"a value for %s has characters that XML cannot carry, or a field no name; "
			"only UTF-8 without control characters can be sent",
			h->class->name);
	if (w->out.full)
		return pctl_error_set(err, PCTL_E_INTERNAL, "the request for %s grew over %u bytes",
			h->class->name, WSMAN_MAX_REQUEST);
	return 0;
}
