/* SPDX-License-Identifier: Apache-2.0 */
#include "wsman.h"

#include <string.h>

#include "classes.h"
#include "sim.h"
#include "store.h"

#define NS_TRANSFER "http://schemas.xmlsoap.org/ws/2004/09/transfer"
#define NS_IDENTITY "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
#define ANONYMOUS   NS_WSA "/role/anonymous"
#define DETAIL      "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/"

enum { MIN_ENVELOPE = 50000 };

struct request {
	struct device *dev;
	const struct xml_doc *doc;
	struct buf *out;
	int header;
	int body;
	int node;
	int selectors;
	struct str action;
	struct str uri;
	struct str message;
	const struct wclass *wclass;
	uint32_t status;
	bool lost;
	bool page;
};

struct fault_text {
	const char *subcode;
	bool addressing;
	const char *text;
	const char *detail;
};

static const struct fault_text faults[] = {
	[FAULT_DESTINATION_UNREACHABLE] = { "b:DestinationUnreachable", true,
		"No route can be determined to reach the destination role defined by the "
		"WSAddressing "
		"To.",
		NULL },
	[FAULT_ACTION_NOT_SUPPORTED] = { "b:ActionNotSupported", true,
		"The action is not supported by the service.", NULL },
	[FAULT_HEADER_REQUIRED] = { "b:MessageInformationHeaderRequired", true,
		"A required header is missing.", NULL },
	[FAULT_MUST_UNDERSTAND] = { NULL, true, "A header that must be understood was not.", NULL },
	[FAULT_INVALID_SELECTORS] = { "e:InvalidSelectors", false,
		"The Selectors for the resource were not valid.", DETAIL "UnexpectedSelectors" },
	[FAULT_INVALID_REPRESENTATION] = { "d:InvalidRepresentation", false,
		"The XML content was not valid.", DETAIL "MissingValues" },
	[FAULT_INVALID_CONTEXT] = { "c:InvalidEnumerationContext", false,
		"The supplied enumeration context is invalid.", NULL },
	[FAULT_ACCESS_DENIED] = { "e:AccessDenied", false,
		"The sender was not authorized to access the resource.", NULL },
	[FAULT_ENCODING_LIMIT] = { "e:EncodingLimit", false,
		"An internal encoding limit was exceeded in a request or would be violated if the "
		"message were processed.",
		DETAIL "MinimumEnvelopeLimit" },
	[FAULT_ALREADY_EXISTS] = { "e:AlreadyExists", false,
		"The sender attempted to create a resource which already exists.", NULL },
	[FAULT_QUOTA] = { "e:QuotaLimit", false, "The service is busy servicing other requests.",
		NULL },
	[FAULT_INTERNAL] = { "e:InternalError", false,
		"The service cannot comply with the request due to internal processing errors.",
		NULL },
};

static void xmlns(struct buf *out, char prefix, const char *uri)
{
	buf_text(out, " xmlns:");
	buf_char(out, prefix);
	buf_text(out, "=\"");
	buf_text(out, uri);
	buf_char(out, '"');
}

static void header(struct request *r, struct str action, const char *suffix)
{
	struct buf *out = r->out;

	buf_text(out, "<a:Header><b:To>" ANONYMOUS "</b:To><b:RelatesTo>");
	buf_xml(out, r->message);
	buf_text(out, "</b:RelatesTo><b:Action a:mustUnderstand=\"true\">");
	buf_xml(out, action);
	buf_text(out, suffix);
	buf_fmt(out, "</b:Action><b:MessageID>uuid:00000000-8086-8086-8086-%012X</b:MessageID>",
		++r->dev->next_message);
}

/* own is g; item is h (NULL: none); the common namespace takes the next letter. */
static void begin(struct request *r, const char *own, const char *item, bool common)
{
	struct buf *out = r->out;
	char next = 'h';

	buf_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><a:Envelope"
		      " xmlns:a=\"" NS_SOAP "\" xmlns:b=\"" NS_WSA "\" xmlns:c=\"" NS_WSMAN "\""
		      " xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/02/trust\""
		      " xmlns:e=\"http://docs.oasis-open.org/wss/2004/01/"
		      "oasis-200401-wss-wssecurity-secext-1.0.xsd\""
		      " xmlns:f=\"http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd\"");
	xmlns(out, 'g', own);
	if (item)
		xmlns(out, next++, item);
	if (common)
		xmlns(out, next, NS_COMMON);
	buf_text(out, " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">");
}

static void begin_body(struct request *r, struct str action, const char *suffix)
{
	header(r, action, suffix);
	buf_text(r->out, "<c:ResourceURI>");
	buf_xml(r->out, r->uri);
	buf_text(r->out, "</c:ResourceURI></a:Header><a:Body>");
}

static void end(struct request *r)
{
	buf_text(r->out, "</a:Body></a:Envelope>");
}

static void write_fault(struct request *r, enum fault fault)
{
	const struct fault_text *f = &faults[fault];
	struct buf *out = r->out;

	out->n = 0;
	buf_text(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?><a:Envelope"
		" xmlns:g=\"http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd\""
		" xmlns:f=\"http://schemas.xmlsoap.org/ws/2004/08/eventing\""
		" xmlns:e=\"" NS_WSMAN "\" xmlns:d=\"" NS_TRANSFER "\" xmlns:c=\"" NS_ENUM "\""
		" xmlns:b=\"" NS_WSA "\" xmlns:a=\"" NS_SOAP "\""
		" xmlns:h=\"http://schemas.xmlsoap.org/ws/2005/02/trust\""
		" xmlns:i=\"http://docs.oasis-open.org/wss/2004/01/"
		"oasis-200401-wss-wssecurity-secext-1.0.xsd\""
		" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">");
	header(r,
		f->addressing ? STR(NS_WSA "/fault")
			      : STR("http://schemas.dmtf.org/wbem/wsman/1/wsman/fault"),
		"");
	buf_text(out, "</a:Header><a:Body><a:Fault><a:Code><a:Value>");
	buf_text(out, f->subcode ? (fault == FAULT_INTERNAL ? "a:Receiver" : "a:Sender")
				 : "a:MustUnderstand");
	buf_text(out, "</a:Value>");
	if (f->subcode)
		buf_fmt(out, "<a:Subcode><a:Value>%s</a:Value></a:Subcode>", f->subcode);
	buf_text(out, "</a:Code><a:Reason><a:Text xml:lang=\"en-US\">");
	buf_text(out, f->text);
	buf_text(out, "</a:Text></a:Reason><a:Detail>");
	if (f->detail)
		buf_fmt(out, "<e:FaultDetail>%s</e:FaultDetail>", f->detail);
	if (fault == FAULT_INTERNAL)
		buf_fmt(out, "AMT-STATUS %u", r->status);
	buf_text(out, "</a:Detail></a:Fault></a:Body></a:Envelope>");
}

static struct call call_of(struct request *r, char prefix)
{
	return (struct call){
		.dev = r->dev,
		.wclass = r->wclass,
		.doc = r->doc,
		.node = r->node,
		.selectors = r->selectors,
		.out = r->out,
		.prefix = prefix,
		.common = (char)(prefix + 1),
	};
}

static bool in_words(const char *words, struct str name)
{
	struct str rest = str_of(words ? words : ""), word;

	while (str_split(&rest, ' ', &word))
		if (word.n && str_eq(word, name))
			return true;
	return false;
}

static struct str selector(const struct request *r, const char *name)
{
	for (int i = xml_first(r->doc, r->selectors); i >= 0; i = xml_next(r->doc, i))
		if (str_is(selector_name(r->doc, i), name))
			return xml_text(r->doc, i);
	return (struct str){ NULL, 0 };
}

static enum fault check_selectors(const struct request *r)
{
	const struct wclass *w = r->wclass;

	for (int i = xml_first(r->doc, r->selectors); i >= 0; i = xml_next(r->doc, i)) {
		struct str name = selector_name(r->doc, i);

		if (!(w->key && str_is(name, w->key)) && !in_words(w->selectors, name))
			return FAULT_INVALID_SELECTORS;
	}
	return FAULT_NONE;
}

/* The key of an association: inside of the reference that is its selector. */
static struct str linked_key(const struct request *r)
{
	const struct xml_doc *d = r->doc;

	for (int i = xml_first(d, r->selectors); i >= 0; i = xml_next(d, i)) {
		int epr = xml_child(d, i, NS_WSA, "EndpointReference");
		int set = xml_child(d, xml_child(d, epr, NS_WSA, "ReferenceParameters"), NS_WSMAN,
			"SelectorSet");

		if (!str_is(selector_name(d, i), r->wclass->link))
			continue;
		for (int k = xml_first(d, set); k >= 0; k = xml_next(d, k))
			if (str_is(selector_name(d, k), r->wclass->link_key))
				return xml_text(d, k);
	}
	return (struct str){ NULL, 0 };
}

/* Which instance the selectors mean. */
static enum fault find_instance(const struct request *r, size_t *ret)
{
	const struct wclass *w = r->wclass;
	size_t n = classes_count_instances(w, r->dev);
	struct str key = w->key ? selector(r, w->key) : (struct str){ NULL, 0 };

	if (w->link)
		key = linked_key(r);
	*ret = 0;
	if (!n)
		return FAULT_DESTINATION_UNREACHABLE;
	if (!key.p)
		return w->key && n > 1 ? FAULT_INVALID_SELECTORS : FAULT_NONE;
	for (; *ret < n; ++*ret)
		if (str_is(key, classes_key(w, r->dev, *ret)))
			return FAULT_NONE;
	return FAULT_DESTINATION_UNREACHABLE;
}

static void write_instance(struct request *r, const struct wclass *w, char prefix, size_t i)
{
	struct call c = call_of(r, prefix);

	buf_char(r->out, '<');
	buf_char(r->out, prefix);
	buf_fmt(r->out, ":%s>", w->name);
	if (w->store)
		store_emit(&c, i);
	else
		w->emit(&c, i);
	buf_add(r->out, "</", 2);
	buf_char(r->out, prefix);
	buf_fmt(r->out, ":%s>", w->name);
}

static enum fault write_get(struct request *r, const char *suffix)
{
	size_t i;
	enum fault fault = find_instance(r, &i);

	if (fault)
		return fault;
	begin(r, r->wclass->uri, NULL, r->wclass->common);
	begin_body(r, STR(NS_TRANSFER), suffix);
	write_instance(r, r->wclass, 'g', i);
	end(r);
	return FAULT_NONE;
}

static enum fault do_get(struct request *r)
{
	classes_log(r->dev, r->wclass, CALL_GET);
	if (r->wclass->enumerate_only)
		return FAULT_DESTINATION_UNREACHABLE;
	return write_get(r, "/GetResponse");
}

static bool is_instance(const struct request *r)
{
	return r->node >= 0 && str_is(r->doc->nodes[r->node].name, r->wclass->name) &&
	       str_is(r->doc->nodes[r->node].ns, r->wclass->uri);
}

static enum fault do_put(struct request *r)
{
	struct call c = call_of(r, 'g');
	size_t i;
	enum fault fault = find_instance(r, &i);

	classes_log(r->dev, r->wclass, CALL_PUT);
	if (!r->wclass->put && !r->wclass->store)
		return FAULT_ACTION_NOT_SUPPORTED;
	if (fault)
		return fault;
	if (!is_instance(r))
		return FAULT_INVALID_REPRESENTATION;
	fault = r->wclass->store ? store_put(&c, i) : r->wclass->put(&c);
	r->status = c.status;
	r->lost = c.lost;
	return fault ? fault : write_get(r, "/PutResponse");
}

/* The answer refers to what was made; its selectors are not more than a name here. */
static enum fault do_create(struct request *r)
{
	struct call c = call_of(r, 'g');
	enum fault fault;

	classes_log(r->dev, r->wclass, CALL_CREATE);
	if (!r->wclass->store)
		return FAULT_ACTION_NOT_SUPPORTED;
	if (!is_instance(r))
		return FAULT_INVALID_REPRESENTATION;
	fault = store_create(&c);
	r->status = c.status;
	r->lost = c.lost;
	if (fault)
		return fault;
	begin(r, NS_TRANSFER, NULL, false);
	begin_body(r, STR(NS_TRANSFER), "/CreateResponse");
	c.out = r->out;
	emit_epr(&c, "ResourceCreated", r->wclass->uri, (const char *const[]){ NULL });
	end(r);
	return FAULT_NONE;
}

static enum fault do_delete(struct request *r)
{
	struct call c = call_of(r, 'g');
	size_t i;
	enum fault fault = find_instance(r, &i);

	classes_log(r->dev, r->wclass, CALL_DELETE);
	if (!r->wclass->store)
		return FAULT_ACTION_NOT_SUPPORTED;
	if (r->selectors < 0)
		return FAULT_INVALID_SELECTORS;
	fault = fault ? fault : store_delete(&c, i);
	r->status = c.status;
	r->lost = c.lost;
	if (fault)
		return fault;
	begin(r, r->wclass->uri, NULL, false);
	begin_body(r, STR(NS_TRANSFER), "/DeleteResponse");
	end(r);
	return FAULT_NONE;
}

static void write_context(struct buf *out, uint16_t context)
{
	uint8_t bytes[2] = { (uint8_t)context, (uint8_t)(context >> 8) };

	buf_text(out, "<g:EnumerationContext>");
	buf_hex(out, bytes, 2);
	buf_text(out, "0000-0000-0000-0000-000000000000</g:EnumerationContext>");
}

static struct pull *new_pull(struct device *dev, const struct wclass *w, uint32_t at)
{
	if (!++dev->next_context)
		dev->next_context = 1;

	struct pull *p = &dev->pulls[dev->next_context % SIM_PULLS];

	*p = (struct pull){ .context = dev->next_context,
		.class_index = (uint8_t)classes_index(w),
		.used = 1,
		.at = at };
	return p;
}

static enum fault do_enumerate(struct request *r)
{
	classes_log(r->dev, r->wclass, CALL_ENUMERATE);
	if (r->node < 0 || !str_is(r->doc->nodes[r->node].name, "Enumerate"))
		return FAULT_INVALID_REPRESENTATION;

	const struct pull *p = new_pull(r->dev, r->wclass, 0);

	begin(r, NS_ENUM, NULL, false);
	begin_body(r, STR(NS_ENUM), "/EnumerateResponse");
	buf_text(r->out, "<g:EnumerateResponse>");
	write_context(r->out, p->context);
	buf_text(r->out, "</g:EnumerateResponse>");
	end(r);
	return FAULT_NONE;
}

static bool parse_context(struct str text, uint16_t *ret)
{
	unsigned value = 0;

	if (text.n != 36 ||
		!str_is((struct str){ text.p + 4, 32 }, "0000-0000-0000-0000-000000000000"))
		return false;
	for (size_t i = 0; i < 4; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *at = text.p[i] ? strchr(digits, text.p[i] | 0x20) : NULL;

		if (!at)
			return false;
		value = value << 4 | (unsigned)(at - digits);
	}
	*ret = (uint16_t)((value & 0xFF) << 8 | value >> 8);
	return true;
}

static struct pull *find_pull(struct request *r)
{
	struct str text =
		xml_text(r->doc, xml_child(r->doc, r->node, NS_ENUM, "EnumerationContext"));
	uint16_t context;

	if (!parse_context(text, &context))
		return NULL;

	struct pull *p = &r->dev->pulls[context % SIM_PULLS];

	return p->used && p->context == context && p->class_index == classes_index(r->wclass)
		       ? p
		       : NULL;
}

/* How many items this Pull gives: without MaxElements one, as WS-Enumeration says. */
static size_t batch(const struct request *r)
{
	struct str text = xml_text(r->doc, xml_child(r->doc, r->node, NS_ENUM, "MaxElements"));
	uint64_t n = 1;

	if (text.n && !parse_uint(text, UINT32_MAX, &n))
		return 0;
	if (r->dev->knobs.pull_batch && n > r->dev->knobs.pull_batch)
		n = r->dev->knobs.pull_batch;
	return (size_t)n;
}

static void write_items(struct request *r, const struct wclass *item, size_t from, size_t to)
{
	uint32_t style = r->dev->knobs.pull_style;
	bool last = to == classes_count_instances(r->wclass, r->dev);
	bool late = style == PULL_LATE_END && from < to;

	begin(r, NS_ENUM, item->uri, item->common);
	begin_body(r, STR(NS_ENUM), "/PullResponse");
	buf_text(r->out, "<g:PullResponse>");

	if (!last || style == PULL_BOTH || late)
		write_context(r->out, new_pull(r->dev, r->wclass, (uint32_t)to)->context);
	buf_text(r->out, "<g:Items>");
	for (size_t i = from; i < to; i++)
		write_instance(r, item, 'h', i);
	buf_text(r->out, "</g:Items>");
	if (last && !late)
		buf_text(r->out, "<g:EndOfSequence></g:EndOfSequence>");
	buf_text(r->out, "</g:PullResponse>");
	end(r);
}

static enum fault do_pull(struct request *r)
{
	struct pull *p = find_pull(r);
	const struct wclass *item = r->wclass->item ? r->wclass->item : r->wclass;
	size_t n = classes_count_instances(r->wclass, r->dev), max = batch(r);

	classes_log(r->dev, r->wclass, CALL_PULL);
	if (!p)
		return FAULT_INVALID_CONTEXT;
	if (!max)
		return FAULT_INVALID_REPRESENTATION;

	size_t from = p->at;

	p->used = 0;
	write_items(r, item, from, max < n - from ? from + max : n);
	return FAULT_NONE;
}

/* Known parameters only, each once, in the documented order. */
static bool params_fit(const struct request *r, const struct method *m)
{
	struct str rest = str_of(m->params), word = { "", 0 };

	for (int i = xml_first(r->doc, r->node); i >= 0; i = xml_next(r->doc, i)) {
		struct str name = r->doc->nodes[i].name;

		if (!str_is(r->doc->nodes[i].ns, r->wclass->uri) || !in_words(m->params, name))
			return false;
		if (!r->dev->knobs.strict_order)
			continue;
		if (str_eq(word, name)) {
			if (!m->list || !str_is(name, m->list))
				return false;
			continue;
		}
		while (!str_eq(word, name))
			if (!str_split(&rest, ' ', &word))
				return false;
	}
	return true;
}

static bool is_input(const struct request *r, const struct method *m)
{
	if (r->node < 0)
		return false;

	struct str name = r->doc->nodes[r->node].name;
	size_t n = strlen(m->name);

	return str_is(r->doc->nodes[r->node].ns, r->wclass->uri) && str_starts(name, m->name) &&
	       str_is((struct str){ name.p + n, name.n - n }, "_INPUT");
}

static enum fault write_output(struct request *r, const struct method *m)
{
	struct call c = call_of(r, 'g');
	uint32_t value = 0;

	begin(r, r->wclass->uri, NULL, false);
	begin_body(r, r->action, "Response");
	buf_fmt(r->out, "<g:%s_OUTPUT>", m->name);

	enum fault fault = m->run(&c, &value);

	emit_number(&c, "ReturnValue", value);
	buf_fmt(r->out, "</g:%s_OUTPUT>", m->name);
	end(r);
	r->status = c.status;
	r->lost = c.lost;
	return fault;
}

static enum fault run_method(struct request *r, const struct method *m)
{
	size_t i;
	enum fault fault = find_instance(r, &i);

	classes_log(r->dev, r->wclass, CALL_METHOD + (unsigned)(m - r->wclass->methods));
	if (fault)
		return fault;
	if (r->dev->profile->major < m->min_major)
		return FAULT_ACTION_NOT_SUPPORTED;
	if (!is_input(r, m) || !params_fit(r, m))
		return FAULT_INVALID_REPRESENTATION;
	return write_output(r, m);
}

static enum fault do_identify(struct request *r)
{
	struct buf *out = r->out;

	classes_log(r->dev, NULL, CALL_IDENTIFY);
	buf_text(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?><a:Envelope xmlns:a=\"" NS_SOAP "\""
		" xmlns:b=\"" NS_IDENTITY "\"><a:Header></a:Header><a:Body>"
		"<b:IdentifyResponse><b:ProtocolVersion>"
		"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd</b:ProtocolVersion>"
		"<b:ProductVendor>Intel(r)</b:ProductVendor><b:ProductVersion>AMT ");
	buf_text(out, r->dev->profile->version);
	buf_text(out, "</b:ProductVersion><b:SecurityProfiles><b:SecurityProfileName>"
		      "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/http/digest"
		      "</b:SecurityProfileName></b:SecurityProfiles></b:IdentifyResponse>");
	end(r);
	return FAULT_NONE;
}

static const struct {
	const char *action;
	enum fault (*run)(struct request *r);
} operations[] = {
	{ NS_TRANSFER "/Get", do_get },
	{ NS_TRANSFER "/Put", do_put },
	{ NS_TRANSFER "/Create", do_create },
	{ NS_TRANSFER "/Delete", do_delete },
	{ NS_ENUM "/Enumerate", do_enumerate },
	{ NS_ENUM "/Pull", do_pull },
};

static const struct method *find_method(const struct request *r)
{
	size_t n = strlen(r->wclass->uri);

	if (!str_starts(r->action, r->wclass->uri) || r->action.n <= n || r->action.p[n] != '/')
		return NULL;

	struct str name = { r->action.p + n + 1, r->action.n - n - 1 };

	for (size_t i = 0; i < r->wclass->nmethods; i++)
		if (str_is(name, r->wclass->methods[i].name))
			return &r->wclass->methods[i];
	return NULL;
}

static bool wants_page(const struct request *r)
{
	return r->dev->knobs.no_software_identity && str_is(r->uri, NS_CIM "CIM_SoftwareIdentity");
}

static enum fault dispatch(struct request *r)
{
	enum fault fault;

	if (wants_page(r)) {
		r->page = true;
		return FAULT_NONE;
	}
	r->wclass = classes_find(r->dev, r->uri);
	if (!r->wclass) {
		classes_log(r->dev, NULL, CALL_UNKNOWN);
		return FAULT_DESTINATION_UNREACHABLE;
	}
	fault = check_selectors(r);
	if (fault)
		return fault;
	for (size_t i = 0; i < COUNT(operations); i++)
		if (str_is(r->action, operations[i].action))
			return operations[i].run(r);

	const struct method *m = find_method(r);

	if (m)
		return run_method(r, m);
	classes_log(r->dev, r->wclass, CALL_UNKNOWN);
	return FAULT_ACTION_NOT_SUPPORTED;
}

static const char *const known_headers[] = { "Action", "To", "ReplyTo", "FaultTo", "From",
	"MessageID", "RelatesTo", "ResourceURI", "SelectorSet", "OperationTimeout",
	"MaxEnvelopeSize", "Locale", "DataLocale" };

static bool known_header(struct str name)
{
	for (size_t i = 0; i < COUNT(known_headers); i++)
		if (str_is(name, known_headers[i]))
			return true;
	return false;
}

/* OptionSet is refused as if it had to be understood, whether it says so or not. */
static enum fault check_headers(const struct request *r)
{
	uint64_t size;

	for (int i = xml_first(r->doc, r->header); i >= 0; i = xml_next(r->doc, i)) {
		struct str must = xml_attr(r->doc, i, NS_SOAP, "mustUnderstand");
		struct str name = r->doc->nodes[i].name;

		if (known_header(name))
			continue;
		if (str_is(name, "OptionSet") || str_is(must, "true") || str_is(must, "1"))
			return FAULT_MUST_UNDERSTAND;
	}

	struct str text =
		xml_text(r->doc, xml_child(r->doc, r->header, NS_WSMAN, "MaxEnvelopeSize"));

	if (text.n && (!parse_uint(text, UINT64_MAX, &size) || size < MIN_ENVELOPE))
		return FAULT_ENCODING_LIMIT;
	return FAULT_NONE;
}

static enum fault run(struct request *r)
{
	enum fault fault;

	if (r->node >= 0 && str_is(r->doc->nodes[r->node].ns, NS_IDENTITY) &&
		str_is(r->doc->nodes[r->node].name, "Identify"))
		return do_identify(r);
	fault = check_headers(r);
	if (fault)
		return fault;
	if (!r->action.n || !r->uri.n)
		return FAULT_HEADER_REQUIRED;
	return dispatch(r);
}

static bool read_envelope(struct request *r)
{
	const struct xml_doc *d = r->doc;

	if (!str_is(d->nodes[0].name, "Envelope") || !str_is(d->nodes[0].ns, NS_SOAP))
		return false;
	r->header = xml_child(d, 0, NS_SOAP, "Header");
	r->body = xml_child(d, 0, NS_SOAP, "Body");
	if (r->body < 0)
		return false;
	r->node = xml_first(d, r->body);
	r->action = xml_text(d, xml_child(d, r->header, NS_WSA, "Action"));
	r->message = xml_text(d, xml_child(d, r->header, NS_WSA, "MessageID"));
	r->uri = xml_text(d, xml_child(d, r->header, NS_WSMAN, "ResourceURI"));
	r->selectors = xml_child(d, r->header, NS_WSMAN, "SelectorSet");
	return true;
}

enum wsman_result wsman_answer(struct device *dev, struct str body)
{
	struct request r = { .dev = dev, .doc = dev->sim->doc, .out = &dev->sim->body };

	if (xml_parse(dev->sim->doc, body) || !read_envelope(&r))
		return WSMAN_MALFORMED;

	enum fault fault = run(&r);

	if (r.page)
		return WSMAN_NO_CLASS_PAGE;
	if (r.lost && !fault)
		return WSMAN_LOST;
	if (fault)
		write_fault(&r, fault);
	return fault ? WSMAN_FAULT : WSMAN_OK;
}
