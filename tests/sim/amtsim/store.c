/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

enum {
	PT_LIMIT = 0x17,
	PT_INVALID_PARAMETER = 0x24,
	PT_FLASH = 0x26,
	PT_AUDIT = 0x81B,
	PT_NOT_PERMITTED = 0x10,
};

struct store *store_of(struct device *dev)
{
	if (!dev->store) {
		dev->store = xcalloc(1, sizeof(*dev->store));
		dev->store->next_handle = 5;
		dev->store->by_user = 32768;
	}
	return dev->store;
}

static void drop_row(struct store_row *row)
{
	for (size_t i = 0; i < STORE_FIELDS; i++)
		free(row->values[i]);
	*row = (struct store_row){ { NULL } };
}

void store_free(struct device *dev)
{
	for (size_t t = 0; dev->store && t < STORE_TABLES; t++) {
		for (size_t i = 0; i < dev->store->tables[t].n; i++)
			drop_row(&dev->store->tables[t].rows[i]);
		free(dev->store->tables[t].rows);
	}
	free(dev->store);
	dev->store = NULL;
}

char *store_copy(struct str s)
{
	char *text = xcalloc(1, s.n + 1);

	if (s.n)
		memcpy(text, s.p, s.n);
	return text;
}

struct store_table *store_table(struct device *dev, const struct store_class *class)
{
	struct store_table *t = &store_of(dev)->tables[class->at];

	if (t->rows)
		return t;
	t->rows = xcalloc(STORE_ROWS, sizeof(*t->rows));
	for (t->n = 0; t->n < class->ninitial; t->n++)
		for (size_t f = 0; f < class->nfields; f++) {
			const char *value = class->initial[t->n * class->nfields + f];

			if (value)
				t->rows[t->n].values[f] = store_copy(str_of(value));
		}
	if (class->fill)
		class->fill(dev, t);
	return t;
}

size_t store_index(const struct store_class *class, const char *field)
{
	size_t i = 0;

	while (i < class->nfields && strcmp(class->fields[i].name, field) != 0)
		i++;
	return i;
}

const char *store_get(
	const struct store_class *class, const struct store_row *row, const char *field)
{
	size_t i = store_index(class, field);

	return i < class->nfields ? row->values[i] : NULL;
}

void store_set(
	const struct store_class *class, struct store_row *row, const char *field, struct str value)
{
	size_t i = store_index(class, field);

	free(row->values[i]);
	row->values[i] = value.p ? store_copy(value) : NULL;
}

struct store_row *store_add(struct device *dev, const struct store_class *class)
{
	struct store_table *t = store_table(dev, class);

	return t->n < STORE_ROWS ? &t->rows[t->n++] : NULL;
}

struct store_row *store_find(
	struct device *dev, const struct store_class *class, const char *field, struct str value)
{
	struct store_table *t = store_table(dev, class);

	for (size_t i = 0; i < t->n; i++) {
		const char *is = store_get(class, &t->rows[i], field);

		if (is && str_is(value, is))
			return &t->rows[i];
	}
	return NULL;
}

void store_remove(struct device *dev, const struct store_class *class, struct store_row *row)
{
	struct store_table *t = store_table(dev, class);
	size_t i = (size_t)(row - t->rows);

	drop_row(row);
	for (t->n--; i < t->n; i++)
		t->rows[i] = t->rows[i + 1];
	t->rows[t->n] = (struct store_row){ { NULL } };
}

void store_drop_last(struct store_table *table)
{
	drop_row(&table->rows[--table->n]);
}

/* --- Writing answers. ------------------------------------------------------------------------- */

static void emit_common(struct call *c, const char *name, const char *inner, struct str value)
{
	buf_fmt(c->out, "<%c:%s><%c:%s>", c->prefix, name, c->common, inner);
	buf_xml(c->out, value);
	buf_fmt(c->out, "</%c:%s></%c:%s>", c->common, inner, c->prefix, name);
}

static void emit_reference(struct call *c, const char *name, struct str lines)
{
	const char *selectors[17] = { NULL };
	char text[512], *rest = text;
	size_t n = 0;

	if (!str_copy(lines, text, sizeof(text)))
		return;
	const char *uri = strsep(&rest, "\n");
	while (rest && n < 16)
		selectors[n++] = strsep(&rest, "\n");
	emit_epr(c, name, uri, selectors);
}

static void emit_value(struct call *c, const struct store_field *f, struct str value)
{
	switch (f->type) {
	case STORE_TIME:
		emit_common(c, f->name, "Datetime", value);
		break;
	case STORE_INTERVAL:
		emit_common(c, f->name, "Interval", value);
		break;
	case STORE_EPR:
		emit_reference(c, f->name, value);
		break;
	default:
		emit_text(c, f->name, value);
		break;
	}
}

void store_emit(struct call *c, size_t i)
{
	const struct store_class *class = c->wclass->store;
	const struct store_row *row = &store_table(c->dev, class)->rows[i];

	for (size_t k = 0; k < class->nfields; k++) {
		const struct store_field *f = &class->fields[k];
		struct str rest = row->values[k] ? str_of(row->values[k]) : STR(""), line;

		if (!row->values[k] || f->flags & STORE_HIDDEN)
			continue;
		if (f->flags & STORE_WRITE_ONLY)
			emit_field(c, f->name, "");
		else if (!(f->flags & STORE_LIST) || !rest.n)
			emit_value(c, f, rest);
		else
			while (str_split(&rest, '\n', &line))
				emit_value(c, f, line);
	}
}

/* --- Reading requests. ------------------------------------------------------------------------ */

/* The target of a reference as it is kept; false if it is none. */
static bool read_reference(const struct xml_doc *d, int node, struct buf *out)
{
	int params = xml_child(d, node, NS_WSA, "ReferenceParameters");
	int set = xml_child(d, params, NS_WSMAN, "SelectorSet");

	if (xml_child(d, node, NS_WSA, "Address") < 0 || params < 0 || set < 0)
		return false;
	buf_str(out, xml_text(d, xml_child(d, params, NS_WSMAN, "ResourceURI")));
	for (int i = xml_first(d, set); i >= 0; i = xml_next(d, i)) {
		buf_char(out, '\n');
		buf_str(out, selector_name(d, i));
		buf_char(out, '\n');
		buf_str(out, xml_text(d, i));
	}
	return true;
}

static bool is_digits(struct str s)
{
	uint64_t n;

	return parse_uint(s, UINT64_MAX, &n);
}

/* Appends what the element says to out. */
static bool read_value(
	const struct xml_doc *d, int node, const struct store_field *f, struct buf *out)
{
	struct str text = xml_text(d, node);

	switch (f->type) {
	case STORE_EPR:
		return read_reference(d, node, out);
	case STORE_TIME:
		text = xml_text(d, xml_child(d, node, NS_COMMON, "Datetime"));
		if (text.n != sizeof("2030-01-01T00:00:00Z") - 1 || text.p[text.n - 1] != 'Z')
			return false;
		break;
	case STORE_INTERVAL:
		text = xml_text(d, xml_child(d, node, NS_COMMON, "Interval"));
		if (!text.n || text.p[0] != 'P')
			return false;
		break;
	case STORE_BOOL:
		if (!str_is(text, "true") && !str_is(text, "false"))
			return false;
		break;
	case STORE_NUMBER:
		if (!is_digits(text))
			return false;
		break;
	default:
		break;
	}
	buf_str(out, text);
	return true;
}

static size_t find_field(const struct store_class *class, struct str name)
{
	size_t i = 0;

	while (i < class->nfields && !str_is(name, class->fields[i].name))
		i++;
	return i;
}

/*
 * The fields of a body into row: known ones, none of them read-only, in their order, each once but
 * for lists. node is the instance; ns its namespace.
 */
static bool read_fields(struct call *c, int node, const char *ns, struct store_row *row)
{
	const struct store_class *class = c->wclass->store;
	struct buf text;
	size_t before = 0;
	bool good = true;

	buf_init(&text, 8192);
	for (int n = xml_first(c->doc, node); n >= 0 && good; n = xml_next(c->doc, n)) {
		size_t i = find_field(class, c->doc->nodes[n].name);
		const struct store_field *f = &class->fields[i];

		text.n = 0;
		good = i < class->nfields && str_is(c->doc->nodes[n].ns, ns) &&
		       !(f->flags & STORE_READ_ONLY) &&
		       (!c->dev->knobs.strict_order || i >= before) &&
		       (!row->values[i] || f->flags & STORE_LIST);
		if (good && row->values[i]) {
			buf_text(&text, row->values[i]);
			buf_char(&text, '\n');
		}
		good = good && read_value(c->doc, n, f, &text);
		if (good) {
			free(row->values[i]);
			row->values[i] = store_copy((struct str){ text.p ? text.p : "", text.n });
		}
		before = i;
	}
	buf_done(&text);
	return good;
}

static enum fault refuse(struct call *c, uint32_t status)
{
	c->status = status;
	return FAULT_INTERNAL;
}

static void move_row(struct store_row *to, struct store_row *from)
{
	drop_row(to);
	*to = *from;
	*from = (struct store_row){ { NULL } };
}

/* What a Put leaves out: what may not be there goes, what only is read stays. Else it is wrong. */
static bool complete(
	const struct store_class *class, const struct store_row *was, struct store_row *is)
{
	for (size_t i = 0; i < class->nfields; i++) {
		unsigned flags = class->fields[i].flags;

		if (is->values[i] || !was->values[i])
			continue;
		if (flags & (STORE_READ_ONLY | STORE_WRITE_ONLY | STORE_HIDDEN))
			is->values[i] = store_copy(str_of(was->values[i]));
		else if (!(flags & STORE_ABSENT_OK))
			return false;
	}
	return true;
}

enum fault store_put(struct call *c, size_t i)
{
	const struct store_class *class = c->wclass->store;
	struct store_row *was = &store_table(c->dev, class)->rows[i], is = { { NULL } };
	enum fault fault = FAULT_INVALID_REPRESENTATION;

	if (read_fields(c, c->node, c->wclass->uri, &is) && complete(class, was, &is)) {
		uint32_t status = store_write(c, "Put", false);

		if (!status && class->check)
			status = class->check(c, was, &is);
		fault = status ? refuse(c, status) : FAULT_NONE;
	}
	if (!fault)
		move_row(was, &is);
	drop_row(&is);
	return fault;
}

enum fault store_create(struct call *c)
{
	const struct store_class *class = c->wclass->store;
	struct store_row is = { { NULL } }, *row;
	enum fault fault = FAULT_INVALID_REPRESENTATION;

	if (!class->creatable)
		return FAULT_ACTION_NOT_SUPPORTED;
	if (store_table(c->dev, class)->n && !c->wclass->key)
		return FAULT_ALREADY_EXISTS;
	if (read_fields(c, c->node, c->wclass->uri, &is)) {
		uint32_t status = store_write(c, "Create", true);

		if (!status && class->check)
			status = class->check(c, NULL, &is);
		fault = status ? refuse(c, status) : FAULT_NONE;
	}
	row = fault ? NULL : store_add(c->dev, class);
	if (row)
		move_row(row, &is);
	else if (!fault)
		fault = refuse(c, PT_LIMIT);
	drop_row(&is);
	return fault;
}

enum fault store_delete(struct call *c, size_t i)
{
	const struct store_class *class = c->wclass->store;
	struct store_row *row = &store_table(c->dev, class)->rows[i];
	uint32_t status;

	if (!class->deletable)
		return FAULT_ACTION_NOT_SUPPORTED;
	status = store_write(c, "Delete", false);
	if (!status && class->may_go)
		status = class->may_go(c, row);
	if (status)
		return refuse(c, status);
	store_remove(c->dev, class, row);
	return FAULT_NONE;
}

/* Whether the knob refuse_call means this one. */
static bool refuses(struct device *dev, const char *name, const char *method)
{
	struct knobs *k = &dev->knobs;

	if (!dev->refuse_call[0] ||
		(strcmp(dev->refuse_call, name) != 0 && strcmp(dev->refuse_call, method) != 0))
		return false;
	if (k->refuse_skip) {
		k->refuse_skip--;
		return false;
	}
	if (k->refuse_count && !--k->refuse_count)
		dev->refuse_call[0] = '\0';
	return true;
}

uint32_t store_write(struct call *c, const char *method, bool audited)
{
	struct device *dev = c->dev;
	char name[96];

	snprintf(name, sizeof(name), "%s.%s", c->wclass->name, method);
	if (refuses(dev, name, method))
		return dev->knobs.refuse_call_value ? dev->knobs.refuse_call_value : 1;
	if (audited && dev->knobs.audit_full)
		return PT_AUDIT;
	if (dev->knobs.flash_writes && dev->counters.writes >= dev->knobs.flash_writes)
		return PT_FLASH;
	dev->counters.writes++;
	if (strcmp(dev->lose_call, name) == 0 || strcmp(dev->lose_call, method) == 0) {
		dev->lose_call[0] = '\0';
		c->lost = true;
	}
	return 0;
}
