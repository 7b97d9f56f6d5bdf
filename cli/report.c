/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <string.h>

#include "table.h"
#include "text.h"

#define DAY_CHARS 10u /* 2026-11-20 */

static const char *text_of(const struct pctl_value *map, const char *key)
{
	return pctl_value_text(pctl_value_get(map, key));
}

static void write_table(struct pctl_buf *buf, const struct table *t, bool indented)
{
	table_write(t, buf, indented ? "\n  " : "", indented ? "" : "\n");
}

/* --- Events. ---------------------------------------------------------------------------------- */

/* RFC 3339, the T taken out: in UTC as in JSON, since the machines may be anywhere. */
static void add_time(struct table *t, const char *time)
{
	struct pctl_buf cell;

	if (!time) {
		table_add(t, "-");
		return;
	}
	pctl_buf_init(&cell, TEXT_ANSWER_MAX);
	pctl_buf_adds(&cell, time);
	if (cell.len > DAY_CHARS && cell.data[DAY_CHARS] == 'T')
		cell.data[DAY_CHARS] = ' ';
	table_add(t, cell.data);
	pctl_buf_done(&cell);
}

/* "PSU1: AC lost" */
static void add_what(struct table *t, const struct pctl_value *event)
{
	const struct pctl_value *asserted = pctl_value_get(event, "asserted");
	const char *who = text_of(event, "sensor"), *what = text_of(event, "event");
	const char *raw = text_of(event, "raw");
	struct pctl_buf cell;

	if (!who)
		who = text_of(event, "sensor_type");
	pctl_buf_init(&cell, TEXT_ANSWER_MAX);
	if (who)
		pctl_buf_addf(&cell, "%s: ", who);
	if (what)
		pctl_buf_adds(&cell, what);
	else
		pctl_buf_addf(&cell, "not known%s%s", raw ? ", raw " : "", raw ? raw : "");
	if (asserted && pctl_value_kind(asserted) == PCTL_VALUE_BOOL && !pctl_value_bool(asserted))
		pctl_buf_adds(&cell, " (ended)");
	if (text_of(event, "clock"))
		pctl_buf_adds(&cell, " (the device's clock was not set)");
	table_add(t, cell.data);
	pctl_buf_done(&cell);
}

void report_events(struct pctl_buf *buf, const struct pctl_value *events, bool indented)
{
	static const unsigned columns[] = { 0, 0, 0 };
	struct table t;

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < pctl_value_count(events); i++) {
		const struct pctl_value *event = pctl_value_at(events, i);
		const char *severity = text_of(event, "severity");

		add_time(&t, text_of(event, "time"));
		table_add(&t, severity ? severity : "unknown");
		add_what(&t, event);
	}
	write_table(buf, &t, indented);
	table_done(&t);
}

/* --- Sensors. --------------------------------------------------------------------------------- */

static void add_list(struct table *t, const struct pctl_value *list)
{
	char number[TEXT_COUNT_SIZE];
	struct pctl_buf cell;

	pctl_buf_init(&cell, TEXT_ANSWER_MAX);
	for (size_t i = 0; i < pctl_value_count(list); i++) {
		const char *word = text_scalar(pctl_value_at(list, i), number);

		if (word)
			pctl_buf_addf(&cell, "%s%s", cell.len ? ", " : "", word);
	}
	table_add(t, cell.data);
	pctl_buf_done(&cell);
}

void report_sensors(struct pctl_buf *buf, const struct pctl_value *sensors, bool indented)
{
	static const unsigned columns[] = { 0, TABLE_RIGHT, TABLE_CLOSE, 0, 0 };
	struct table t;

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < pctl_value_count(sensors); i++) {
		const struct pctl_value *sensor = pctl_value_at(sensors, i);
		const char *name = text_of(sensor, "name"), *value = text_of(sensor, "value");
		const char *unit = text_of(sensor, "unit"), *state = text_of(sensor, "state");

		table_add(&t, name ? name : "?");
		table_add(&t, value ? value : "-");
		table_add(&t, value && unit ? unit : "");
		table_add(&t, state ? state : "unknown");
		add_list(&t, pctl_value_get(sensor, "events"));
	}
	write_table(buf, &t, indented);
	table_done(&t);
}

/* --- Hardware. -------------------------------------------------------------------------------- */

#define GIB 1024 /* in MiB */

/* What the machine is called, by whom it is sold, put together or made. */
static const char *find_thing(const struct pctl_value *tree, const char *key)
{
	static const char *const things[] = { "product", "chassis", "board" };

	for (size_t i = 0; i < sizeof(things) / sizeof(things[0]); i++) {
		const char *text = text_of(pctl_value_get(tree, things[i]), key);

		if (text)
			return text;
	}
	return NULL;
}

static bool is_part(const struct pctl_value *part, const char *type)
{
	const char *word = text_of(part, "type");

	return word && strcmp(word, type) == 0;
}

/* "16 GiB", "512 MiB"; a list of several disks: "953 GiB + 476 GiB". */
static void add_size(struct pctl_buf *cell, int64_t mib)
{
	pctl_buf_addf(cell, "%lld %s", (long long)(mib < GIB ? mib : mib / GIB),
		mib < GIB ? "MiB" : "GiB");
}

static void add_processors(struct pctl_buf *cell, const struct pctl_value *parts)
{
	const char *what = NULL;
	unsigned n = 0;

	for (size_t i = 0; i < pctl_value_count(parts); i++) {
		const struct pctl_value *part = pctl_value_at(parts, i);

		if (!is_part(part, "processor"))
			continue;
		n++;
		what = what ? what : text_of(part, "product");
		what = what ? what : text_of(part, "family");
	}
	if (n > 1)
		pctl_buf_addf(cell, "%u x ", n);
	if (n)
		text_clean(cell, what ? what : "processor");
}

static void add_sizes(
	struct pctl_buf *cell, const struct pctl_value *parts, const char *type, bool sum)
{
	int64_t all = 0;

	for (size_t i = 0; i < pctl_value_count(parts); i++) {
		const struct pctl_value *part = pctl_value_at(parts, i);
		const struct pctl_value *size = pctl_value_get(part, "size_mib");

		if (!is_part(part, type) || !size || pctl_value_int(size) <= 0)
			continue;
		all += pctl_value_int(size);
		if (sum)
			continue;
		pctl_buf_adds(cell, cell->len ? " + " : "");
		add_size(cell, pctl_value_int(size));
	}
	if (sum && all)
		add_size(cell, all);
}

static void add_bios(struct pctl_buf *cell, const struct pctl_value *firmware)
{
	for (size_t i = 0; i < pctl_value_count(firmware); i++) {
		const struct pctl_value *one = pctl_value_at(firmware, i);
		const char *name = text_of(one, "name"), *version = text_of(one, "version");

		if (!cell->len && name && version && strstr(name, "BIOS"))
			text_clean(cell, version);
	}
}

/* Two blanks before it, and blanks up to where its predecessors end on most lines. */
static void end_cell(struct pctl_buf *buf, size_t column, struct pctl_buf *cell, bool *ret_any)
{
	while (buf->len < column)
		pctl_buf_adds(buf, " ");
	if (column)
		pctl_buf_adds(buf, "  ");
	pctl_buf_adds(buf, cell->len ? cell->data : "-");
	*ret_any = *ret_any || cell->len;
	pctl_buf_done(cell);
}

void report_hardware(struct pctl_buf *buf, const struct pctl_value *tree)
{
	static const size_t columns[] = { 0, 20, 40, 84, 94, 114 };
	const struct pctl_value *parts = pctl_value_get(tree, "parts");
	const char *name = find_thing(tree, "name"), *serial = find_thing(tree, "serial");
	struct pctl_buf cells[sizeof(columns) / sizeof(columns[0])], line;
	bool any = false;

	pctl_buf_init(&line, TEXT_ANSWER_MAX);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		pctl_buf_init(&cells[i], TEXT_ANSWER_MAX);
	text_clean(&cells[0], name ? name : "");
	text_clean(&cells[1], serial ? serial : "");
	add_processors(&cells[2], parts);
	add_sizes(&cells[3], parts, "memory_module", true);
	add_sizes(&cells[4], parts, "disk", false);
	add_bios(&cells[5], pctl_value_get(tree, "firmware"));
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		end_cell(&line, columns[i], &cells[i], &any);
	if (any)
		pctl_buf_adds(buf, line.data);
	pctl_buf_done(&line);
}
