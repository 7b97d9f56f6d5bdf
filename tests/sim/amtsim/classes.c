/* SPDX-License-Identifier: Apache-2.0 */
#include "classes.h"

#include <string.h>

#include "sim.h"
#include "store.h"

static const struct {
	const struct wclass *rows;
	const size_t *count;
} groups[] = {
	{ power_classes, &power_classes_count },
	{ boot_classes, &boot_classes_count },
	{ info_classes, &info_classes_count },
	{ hardware_classes, &hardware_classes_count },
	{ log_classes, &log_classes_count },
	{ redir_classes, &redir_classes_count },
	{ kvm_classes, &kvm_classes_count },
	{ setting_classes, &setting_classes_count },
	{ wifi_classes, &wifi_classes_count },
	{ security_classes, &security_classes_count },
	{ tls_classes, &tls_classes_count },
	{ cira_classes, &cira_classes_count },
};

const struct wclass *classes_at(size_t i)
{
	for (size_t g = 0; g < COUNT(groups); g++) {
		if (i < *groups[g].count)
			return &groups[g].rows[i];
		i -= *groups[g].count;
	}
	return NULL;
}

size_t classes_index(const struct wclass *wclass)
{
	for (size_t i = 0; classes_at(i); i++)
		if (classes_at(i) == wclass)
			return i;
	return CLASS_NONE;
}

const struct wclass *classes_find(const struct device *dev, struct str uri)
{
	for (size_t i = 0; classes_at(i); i++) {
		const struct wclass *w = classes_at(i);

		if (!str_is(uri, w->uri))
			continue;
		if (strcmp(dev->absent, w->name) == 0)
			return NULL;
		return !w->present || w->present(dev) ? w : NULL;
	}
	return NULL;
}

size_t classes_count_instances(const struct wclass *wclass, struct device *dev)
{
	if (wclass->store)
		return store_table(dev, wclass->store)->n;
	return wclass->count ? wclass->count(dev) : 1;
}

const char *classes_key(const struct wclass *wclass, struct device *dev, size_t i)
{
	const char *key;

	if (!wclass->store)
		return wclass->key_of(dev, i);
	key = store_get(wclass->store, &store_table(dev, wclass->store)->rows[i], wclass->key);
	return key ? key : "";
}

void classes_log(struct device *dev, const struct wclass *wclass, unsigned kind)
{
	struct log_entry *entry = &dev->log[dev->logged++ % SIM_LOG];

	entry->class_index = wclass ? (uint8_t)classes_index(wclass) : CLASS_NONE;
	entry->call = (uint8_t)kind;
}

void classes_log_name(struct log_entry entry, struct buf *out)
{
	static const char *const kinds[] = { "Get", "Put", "Enumerate", "Pull", "Identify",
		"Create", "Delete", "Unknown" };
	const struct wclass *w =
		entry.class_index == CLASS_NONE ? NULL : classes_at(entry.class_index);

	if (w) {
		buf_text(out, w->name);
		buf_char(out, '.');
	}
	buf_text(out, !w || entry.call < CALL_METHOD ? kinds[entry.call]
						     : w->methods[entry.call - CALL_METHOD].name);
}

static void open_tag(struct call *c, const char *name)
{
	buf_char(c->out, '<');
	buf_char(c->out, c->prefix);
	buf_char(c->out, ':');
	buf_text(c->out, name);
	buf_char(c->out, '>');
}

static void close_tag(struct call *c, const char *name)
{
	buf_add(c->out, "</", 2);
	buf_char(c->out, c->prefix);
	buf_char(c->out, ':');
	buf_text(c->out, name);
	buf_char(c->out, '>');
}

void emit_text(struct call *c, const char *name, struct str text)
{
	open_tag(c, name);
	buf_xml(c->out, text);
	close_tag(c, name);
}

void emit_field(struct call *c, const char *name, const char *value)
{
	emit_text(c, name, str_of(value));
}

void emit_number(struct call *c, const char *name, uint64_t value)
{
	open_tag(c, name);
	buf_uint(c->out, value);
	close_tag(c, name);
}

void emit_constants(struct call *c, const char *const *pairs)
{
	for (; *pairs; pairs += 2)
		emit_field(c, pairs[0], pairs[1]);
}

void emit_epr(struct call *c, const char *name, const char *uri, const char *const *selectors)
{
	struct buf *b = c->out;

	open_tag(c, name);
	buf_text(b, "<b:Address>" NS_WSA "/role/anonymous</b:Address><b:ReferenceParameters>"
		    "<c:ResourceURI>");
	buf_text(b, uri);
	buf_text(b, "</c:ResourceURI><c:SelectorSet>");
	for (; *selectors; selectors += 2) {
		buf_text(b, "<c:Selector Name=\"");
		buf_text(b, selectors[0]);
		buf_text(b, "\">");
		buf_xml(b, str_of(selectors[1]));
		buf_text(b, "</c:Selector>");
	}
	buf_text(b, "</c:SelectorSet></b:ReferenceParameters>");
	close_tag(c, name);
}

void emit_service_keys(struct call *c, const char *name, const char *owner)
{
	emit_field(c, "Name", name);
	emit_field(c, "SystemCreationClassName", "CIM_ComputerSystem");
	emit_field(c, "SystemName", owner);
}

struct str selector_name(const struct xml_doc *doc, int node)
{
	struct str name = xml_attr(doc, node, "", "Name");

	return name.p ? name : xml_attr(doc, node, NS_WSMAN, "Name");
}

struct str param(const struct call *c, const char *name)
{
	int node = xml_child(c->doc, c->node, c->wclass->uri, name);

	return node < 0 ? (struct str){ NULL, 0 } : xml_text(c->doc, node);
}

bool param_uint(const struct call *c, const char *name, uint64_t max, uint64_t *ret)
{
	struct str text = param(c, name);

	return text.p && parse_uint(text, max, ret);
}

struct str param_selector(
	const struct call *c, const char *name, const char *uri, const char *selector)
{
	const struct xml_doc *d = c->doc;
	int epr = xml_child(d, c->node, c->wclass->uri, name);
	int params = xml_child(d, epr, NS_WSA, "ReferenceParameters");
	int set = xml_child(d, params, NS_WSMAN, "SelectorSet");

	if (!str_is(xml_text(d, xml_child(d, params, NS_WSMAN, "ResourceURI")), uri))
		return (struct str){ NULL, 0 };
	for (int i = xml_first(d, set); i >= 0; i = xml_next(d, i))
		if (str_is(selector_name(d, i), selector))
			return xml_text(d, i);
	return (struct str){ NULL, 0 };
}
