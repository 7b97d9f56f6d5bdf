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
