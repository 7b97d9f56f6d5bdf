/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of a hostile Intel AMT device: nothing crashes, every record becomes one event whose
 * texts are printable, and what was read once is not new when it is read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "records/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CURSOR_MAX 200u
#define TEXTS_MAX  64u

static void must(bool true_of_it)
{
	if (!true_of_it)
		abort();
}

static void check_event(const struct pctl_value *event)
{
	for (size_t i = 0; i < pctl_value_count(event); i++) {
		const char *s = pctl_value_text(pctl_value_at(event, i));

		must(s && *s);
		for (; *s; s++)
			must(*s >= ' ' && *s < 0x7f);
	}
	must(pctl_value_get(event, "severity") && pctl_value_get(event, "source"));
}

/* Bytes as they are, beside texts that claim to be base64. */
static void decode(const uint8_t *data, size_t size)
{
	struct pctl_value *v = NULL;
	struct event e;
	struct audit a;

	must(event_parse(data, size, &e) == (size == EVENT_RECORD));
	if (size == EVENT_RECORD)
		v = event_tell(&e);
	if (v)
		check_event(v);
	pctl_value_free(v);
	if (size > AUDIT_RECORD_MAX || !audit_parse(data, size, &a))
		return;
	v = audit_tell(&a);
	check_event(v);
	pctl_value_free(v);
}

/* A line is an event, or behind a '#' an audit. */
static struct pctl_value *read_lines(char *text, const char *cursor, size_t *ret_records)
{
	struct pctl_value *ret = pctl_value_new_map();
	struct records *r = records_new(cursor);
	uint32_t start = records_audit_start(r), index = 0;
	char *save = NULL;

	*ret_records = 0;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (*ret_records >= TEXTS_MAX)
			break;
		++*ret_records;
		if (*line != '#')
			must(records_add_event(r, line));
		else if (++index >= start)
			must(records_add_audit(r, index, line + 1));
	}
	records_tell(r, ret);
	records_free(r);
	return ret;
}

static void walk(const char *text)
{
	char *copy = strdup(text), *again = strdup(text);
	size_t n = 0;

	if (!copy || !again)
		abort();
	struct pctl_value *first = read_lines(copy, NULL, &n);
	const struct pctl_value *events = pctl_value_get(first, "events");
	const char *cursor = pctl_value_text(pctl_value_get(first, "cursor"));
	must(pctl_value_count(events) == n && cursor && strlen(cursor) <= CURSOR_MAX);
	for (size_t i = 0; i < n; i++)
		check_event(pctl_value_at(events, i));
	struct pctl_value *second = read_lines(again, cursor, &n);
	must(pctl_value_count(pctl_value_get(second, "events")) == 0);
	pctl_value_free(second);
	pctl_value_free(first);
	free(copy);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct records *r;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	decode(data, size);
	walk(text);
	r = records_new(text);
	must(records_audit_start(r) >= 1);
	records_free(r);
	free(text);
	return 0;
}
