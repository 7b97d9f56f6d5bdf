/* SPDX-License-Identifier: Apache-2.0 */
#include "records/records.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#define CURSOR_SIZE 120u
#define RAW_MAX     (2u * AUDIT_RECORD_MAX + 1u)

struct record {
	uint64_t hash;
	uint32_t time;  /* as the record has it; 0: none */
	uint32_t index; /* in the audit log, from 1 */
	uint64_t order; /* what it is sorted by */
	size_t len;
	uint8_t *bytes; /* NULL: they were no base64 */
	bool audit;
};

struct list {
	struct record *v;
	size_t n, cap;
};

/* The last record that was seen, of either log. */
struct mark {
	bool set;
	uint64_t hash;
	uint64_t at; /* of events: which of equal ones, from 1; of audits: its index */
};

struct records {
	struct list events, audits;
	size_t ended; /* so many events came with earlier answers */
	struct mark event_mark, audit_mark;
};

/* --- Cursors: "e:HASH:COPY a:HASH:INDEX", each with a "-" where there is none. ---------------- */

static uint64_t hash_of(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 0x100000001b3u;
	return hash;
}

static bool parse_hex(const char *s, uint64_t *ret)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t n = 0;

	for (size_t i = 0; i < 16; i++) {
		const char *at = s[i] ? strchr(digits, s[i]) : NULL;
		if (!at)
			return false;
		n = n << 4 | (uint64_t)(at - digits);
	}
	*ret = n;
	return true;
}

/* s is "HASH:NUMBER" up to end. */
static void parse_mark(const char *s, size_t len, struct mark *ret)
{
	char number[16];
	struct mark m = { .set = true };

	if (len < 18 || len > 27 || !parse_hex(s, &m.hash) || s[16] != ':')
		return;
	memcpy(number, s + 17, len - 17);
	number[len - 17] = '\0';
	if (pctl_parse_uint(number, UINT32_MAX, &m.at) == 0 && m.at)
		*ret = m;
}

static void parse_cursor(struct records *r, const char *after)
{
	const char *gap = after ? strstr(after, " a:") : NULL;

	if (!gap || strncmp(after, "e:", 2) != 0)
		return;
	parse_mark(after + 2, (size_t)(gap - after) - 2, &r->event_mark);
	parse_mark(gap + 3, strlen(gap + 3), &r->audit_mark);
}

static void print_mark(const struct mark *m, char *out, size_t size)
{
	if (m->set)
		(void)snprintf(out, size, "%016" PRIx64 ":%" PRIu64, m->hash, m->at);
	else
		(void)snprintf(out, size, "-");
}

/* --- Records as they come. -------------------------------------------------------------------- */

struct records *records_new(const char *after)
{
	struct records *r = pctl_xcalloc(1, sizeof(*r));

	parse_cursor(r, after);
	return r;
}

static void forget(struct list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i].bytes);
	free(list->v);
	*list = (struct list){ 0 };
}

void records_free(struct records *r)
{
	if (!r)
		return;
	forget(&r->events);
	forget(&r->audits);
	free(r);
}

static struct record *add(struct list *list, const char *base64, bool audit)
{
	uint8_t bytes[AUDIT_RECORD_MAX];
	struct record record = { .audit = audit };

	if (bytes_from_base64(base64, bytes, sizeof(bytes), &record.len)) {
		record.bytes = pctl_xcalloc(1, record.len + 1);
		memcpy(record.bytes, bytes, record.len);
		record.hash = hash_of(bytes, record.len);
	} else {
		record.hash = hash_of(base64, strlen(base64));
	}
	list->v = pctl_xgrow(list->v, &list->cap, list->n + 1, sizeof(*list->v));
	list->v[list->n] = record;
	return &list->v[list->n++];
}

bool records_add_event(struct records *r, const char *base64)
{
	struct event e;

	if (r->events.n >= RECORDS_EVENTS_MAX)
		return false;
	struct record *record = add(&r->events, base64, false);
	if (record->bytes && event_parse(record->bytes, record->len, &e))
		record->time = e.time;
	return true;
}

bool records_end_events(struct records *r)
{
	struct list *list = &r->events;
	size_t n = list->n - r->ended, same = 0;

	while (r->ended && same < n && same < r->ended &&
		list->v[same].hash == list->v[r->ended + same].hash)
		same++;
	/* One alone may be alike by chance. */
	if (r->ended && n && same == n && (n > 1 || r->ended == 1)) {
		while (list->n > r->ended)
			free(list->v[--list->n].bytes);
		return false;
	}
	r->ended = list->n;
	return true;
}

uint32_t records_audit_start(const struct records *r)
{
	return r->audit_mark.set ? (uint32_t)r->audit_mark.at : 1;
}

bool records_add_audit(struct records *r, uint32_t index, const char *base64)
{
	struct audit a;

	if (r->audits.n >= RECORDS_AUDITS_MAX)
		return false;
	struct record *record = add(&r->audits, base64, true);
	record->index = index;
	if (record->bytes && audit_parse(record->bytes, record->len, &a))
		record->time = a.time;
	return true;
}

bool records_audit_holds(const struct records *r)
{
	const struct mark *m = &r->audit_mark;

	return !m->set ||
	       (r->audits.n && r->audits.v[0].index == m->at && r->audits.v[0].hash == m->hash);
}

void records_audit_again(struct records *r)
{
	forget(&r->audits);
}

/* --- In order. -------------------------------------------------------------------------------- */

/* Newest first, as firmware tells them, unless no time goes back and some go on. */
static bool is_oldest_first(const struct list *list)
{
	uint32_t first = 0, last = 0;

	for (size_t i = 0; i < list->n; i++) {
		uint32_t time = list->v[i].time;

		if (!bytes_is_time(time))
			continue;
		if (time < last)
			return false;
		first = first ? first : time;
		last = time;
	}
	return first < last;
}

static void put_oldest_first(struct list *list)
{
	if (is_oldest_first(list))
		return;
	for (size_t i = 0; i < list->n / 2; i++) {
		struct record swap = list->v[i];

		list->v[i] = list->v[list->n - 1 - i];
		list->v[list->n - 1 - i] = swap;
	}
}

/* What has no time of use stands behind what it came after. Equal ones keep their order. */
static void number(struct list *list, bool audit)
{
	uint64_t time = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (bytes_is_time(list->v[i].time))
			time = list->v[i].time;
		list->v[i].order = time << 16 | (uint64_t)audit << 15 | i;
	}
}

/* How many of the oldest events are known: up to the copy that was the newest one. */
static size_t count_known_events(const struct list *list, const struct mark *m)
{
	size_t known = 0, copies = 0;

	for (size_t i = 0; m->set && i < list->n && copies < m->at; i++) {
		if (list->v[i].hash == m->hash) {
			copies++;
			known = i + 1;
		}
	}
	return known;
}

static size_t count_known_audits(const struct records *r)
{
	const struct list *list = &r->audits;
	size_t known = 0;

	if (r->audit_mark.set && records_audit_holds(r))
		return 1;
	for (size_t i = 0; r->audit_mark.set && i < list->n; i++)
		if (list->v[i].hash == r->audit_mark.hash)
			known = i + 1;
	return known;
}

static struct mark mark_event(const struct list *list)
{
	struct mark m = { .set = list->n > 0 };

	if (m.set)
		m.hash = list->v[list->n - 1].hash;
	for (size_t i = 0; i < list->n; i++)
		m.at += list->v[i].hash == m.hash;
	return m;
}

static struct mark mark_audit(const struct list *list)
{
	struct mark m = { .set = list->n > 0 };

	if (m.set)
		m = (struct mark){ true, list->v[list->n - 1].hash, list->v[list->n - 1].index };
	return m;
}

/* --- As a tree. ------------------------------------------------------------------------------- */

static struct pctl_value *tell_odd(const struct record *record)
{
	struct pctl_value *ret = pctl_value_new_map();

	pctl_value_set_text(ret, "severity", "unknown");
	pctl_value_set_text(ret, "source", record->audit ? "audit" : "event");
	if (!record->bytes)
		pctl_value_set_text(ret, "event", "a record that is damaged");
	return ret;
}

static struct pctl_value *tell(const struct record *record)
{
	struct pctl_value *ret = NULL;
	struct audit a;
	struct event e;
	char id[16];
	struct pctl_buf raw;

	if (record->audit && record->bytes && audit_parse(record->bytes, record->len, &a))
		ret = audit_tell(&a);
	else if (!record->audit && record->bytes && event_parse(record->bytes, record->len, &e))
		ret = event_tell(&e);
	else
		ret = tell_odd(record);
	(void)snprintf(id, sizeof(id), "%" PRIu32, record->index);
	pctl_value_set_text(ret, "id", record->audit ? id : NULL);
	pctl_buf_init(&raw, RAW_MAX);
	if (record->bytes)
		bytes_add_hex(&raw, record->bytes, record->len);
	if (raw.len)
		pctl_value_set_text(ret, "raw", raw.data);
	pctl_buf_done(&raw);
	return ret;
}

static int compare(const void *a, const void *b)
{
	const struct record *const *x = a, *const *y = b;

	return ((*x)->order > (*y)->order) - ((*x)->order < (*y)->order);
}

static void tell_new(const struct records *r, size_t events, size_t audits, struct pctl_value *ret)
{
	size_t n = 0;
	PCTL_AUTO(free)
	const struct record **all =
		pctl_xcalloc(r->events.n + r->audits.n + 1, sizeof(struct record *));
	struct pctl_value *list = pctl_value_new_list();

	for (size_t i = events; i < r->events.n; i++)
		all[n++] = &r->events.v[i];
	for (size_t i = audits; i < r->audits.n; i++)
		all[n++] = &r->audits.v[i];
	qsort(all, n, sizeof(struct record *), compare);
	for (size_t i = 0; i < n; i++)
		pctl_value_add(list, tell(all[i]));
	pctl_value_set(ret, "events", list);
}

void records_tell(struct records *r, struct pctl_value *ret)
{
	char cursor[CURSOR_SIZE], event[48], audit[48];

	put_oldest_first(&r->events);
	number(&r->events, false);
	number(&r->audits, true);
	tell_new(r, count_known_events(&r->events, &r->event_mark), count_known_audits(r), ret);

	/* A log that could not be read this time was seen as far as before. */
	struct mark e = mark_event(&r->events), a = mark_audit(&r->audits);
	print_mark(e.set ? &e : &r->event_mark, event, sizeof(event));
	print_mark(a.set ? &a : &r->audit_mark, audit, sizeof(audit));
	(void)snprintf(cursor, sizeof(cursor), "e:%s a:%s", event, audit);
	pctl_value_set_text(ret, "cursor", cursor);
}
