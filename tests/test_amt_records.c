/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of the two logs of Intel AMT, what SMBIOS leaves unsaid, and the operations on them
 * against scripted answers.
 */
#include "amt_fake.h"

#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>

#include "records/records.h"
#include "smbios.h"
#include "test.h"

static int set_up(void **state)
{
	*state = fake_new();
	return 0;
}

static int tear_down(void **state)
{
	fake_free(*state);
	return 0;
}

static const char *text(const struct pctl_value *map, const char *key)
{
	const char *s = pctl_value_text(pctl_value_get(map, key));

	return s ? s : "(none)";
}

static const struct pctl_value *at(const struct pctl_value *ret, size_t i)
{
	return pctl_value_at(pctl_value_get(ret, "events"), i);
}

static size_t count(const struct pctl_value *ret)
{
	return pctl_value_count(pctl_value_get(ret, "events"));
}

/* --- Bytes. ----------------------------------------------------------------------------------- */

static void test_base64(void **state)
{
	static const struct {
		const char *text;
		int len; /* -1: it is none */
		const char *bytes;
	} rows[] = {
		{ "", 0, "" }, { "Zg==", 1, "f" }, { "Zg", 1, "f" }, { "Zm8=", 2, "fo" },
		{ "Zm9v", 3, "foo" }, { " Zm9v\r\nYmFy ", 6, "foobar" }, { "Z", -1, "" },
		{ "Zg=", -1, "" }, { "Zg===", -1, "" }, { "Zg==Zg==", -1, "" }, { "=", -1, "" },
		{ "Zm9*", -1, "" }, { "Zm9vYmFyMQ==", -1, "" }, /* more than there is room for */
	};

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		uint8_t out[6];
		size_t len = 99;
		bool good = bytes_from_base64(rows[i].text, out, sizeof(out), &len);

		if (good != (rows[i].len >= 0))
			fail_msg("'%s'", rows[i].text);
		if (good) {
			assert_int_equal(len, rows[i].len);
			assert_memory_equal(out, rows[i].bytes, len);
		} else {
			assert_int_equal(len, 99);
		}
	}
}

/* --- Events. ---------------------------------------------------------------------------------- */

struct said {
	uint8_t type, offset, data[EVENT_DATA];
	const char *words;
};

static void test_event_sentences(void **state)
{
	static const struct said rows[] = {
		{ 5, 0, { 0 }, "the case was opened" },
		{ 6, 5, { 0xaa, 10 }, "authentication failed 10 times" },
		{ 6, 5, { 0xaa, 1 }, "authentication failed 1 time" },
		{ 6, 5, { 0xaa, 2, 1 }, "authentication failed 258 times" },
		{ 15, 0, { 0x40, 1 }, "firmware error: no memory is installed" },
		{ 15, 0, { 0x40, 99 }, "firmware error: number 99" },
		{ 15, 0, { 0xeb, 1 }, "firmware error: its data are invalid" },
		{ 15, 2, { 0xeb, 1 }, "firmware progress: its data are invalid" },
		{ 15, 2, { 0x40, 19 }, "starting: the operating system's loader was called" },
		{ 15, 2, { 0x40, 21 }, "starting: step 21" },
		{ 15, 3, { 0xaa, 0x30, 5 },
			"One-Click Recovery: the server's certificate was not accepted" },
		{ 15, 3, { 0xaa, 0x40, 2 }, "remote platform erase: error 2" },
		{ 15, 5, { 0xaa, 0x30, 1, 2 }, "One-Click Recovery: boot option added for HTTPS" },
		{ 15, 5, { 0xaa, 0x30, 9 }, "One-Click Recovery: step 9" },
		{ 15, 5, { 0xaa, 0x40, 3 }, "remote platform erase: step 3" },
		{ 15, 5, { 1, 2 }, "event 5 of type 6fh, sensor type 15, data 0102000000000000" },
		{ 18, 0, { 0xaa, 1, 2, 3, 4, 5, 6, 8 },
			"watchdog of agent 010203040506...: expired" },
		{ 30, 0, { 0 }, "no bootable medium" },
		{ 32, 0, { 0 }, "the operating system hangs, or its power was interrupted" },
		{ 35, 0, { 64 },
			"the machine did not start: its watchdog expired during the self-test" },
		{ 35, 0, { 0 }, "the machine did not start" },
		{ 36, 0, { 0 }, "system defense: a filter matched" },
		{ 37, 0, { 0 }, "the firmware was started" },
		{ 192, 0, { 0xaa, 0x30, 1 }, "serial over LAN: session closed" },
		{ 192, 0, { 0xaa, 0x30, 7 }, "a security policy was invoked" },
		{ 193, 0, { 0xaa, 0x30, 0, 0 },
			"the user asked for a connection to the management server" },
		{ 99, 3, { 1 }, "event 3 of type 6fh, sensor type 99, data 0100000000000000" },
	};

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		struct event e = { .time = 1704511587,
			.sensor_type = rows[i].type,
			.event_type = 0x6f,
			.offset = rows[i].offset };

		memcpy(e.data, rows[i].data, EVENT_DATA);
		struct pctl_value *v = event_tell(&e);
		assert_string_equal(text(v, "event"), rows[i].words);
		pctl_value_free(v);
	}
}

static void test_event_fields(void **state)
{
	static const uint8_t record[EVENT_RECORD] = { 0x63, 0xc8, 0x98, 0x65, 0xff, 6, 0x6f, 5,
		0x68, 16, 0xff, 38, 97, 0xaa, 10 };
	static const struct {
		uint8_t number;
		const char *word;
	} severities[] = { { 0, "unknown" }, { 1, "info" }, { 2, "info" }, { 4, "ok" },
		{ 8, "warning" }, { 16, "critical" }, { 32, "critical" }, { 3, "unknown" } };
	struct event e = { 0 };

	(void)state;
	assert_false(event_parse(record, EVENT_RECORD - 1, &e));
	assert_true(event_parse(record, EVENT_RECORD, &e));
	struct pctl_value *v = event_tell(&e);
	assert_string_equal(text(v, "time"), "2024-01-06T03:26:27Z");
	assert_string_equal(text(v, "clock"), "(none)");
	assert_string_equal(text(v, "source"), "event");
	assert_string_equal(text(v, "sensor"), "Intel ME");
	assert_string_equal(text(v, "sensor_type"), "platform_security_violation_attempt");
	pctl_value_free(v);
	for (size_t i = 0; i < TEST_COUNT(severities); i++) {
		e.severity = severities[i].number;
		v = event_tell(&e);
		assert_string_equal(text(v, "severity"), severities[i].word);
		pctl_value_free(v);
	}
	e.entity = 3, e.instance = 2, e.time = 1072925000;
	v = event_tell(&e);
	assert_string_equal(text(v, "sensor"), "processor 2");
	assert_string_equal(text(v, "time"), "2004-01-01T02:43:20Z");
	assert_string_equal(text(v, "clock"), "unset");
	pctl_value_free(v);
	e.entity = 0, e.time = 0;
	v = event_tell(&e);
	assert_string_equal(text(v, "sensor"), "(none)");
	assert_string_equal(text(v, "time"), "(none)");
	pctl_value_free(v);
}

/* --- Audits. ---------------------------------------------------------------------------------- */

/* A record out of its parts: application, event, initiator, time 2024-01-06T03:26:27Z. */
static size_t make_audit(uint8_t out[AUDIT_RECORD_MAX], unsigned app, unsigned event,
	const char *user, const char *from, const uint8_t *more, size_t more_len)
{
	size_t n = 0, user_len = user ? strlen(user) : 0;

	out[n++] = (uint8_t)(app >> 8);
	out[n++] = (uint8_t)app;
	out[n++] = (uint8_t)(event >> 8);
	out[n++] = (uint8_t)event;
	out[n++] = user ? AUDIT_DIGEST : AUDIT_LOCAL;
	if (user) {
		out[n++] = (uint8_t)user_len;
		memcpy(out + n, user, user_len);
		n += user_len;
	}
	memcpy(out + n, (uint8_t[]){ 0x65, 0x98, 0xc8, 0x63, 0, (uint8_t)strlen(from) }, 6);
	n += 6;
	memcpy(out + n, from, strlen(from));
	n += strlen(from);
	out[n++] = (uint8_t)more_len;
	if (more_len)
		memcpy(out + n, more, more_len);
	return n + more_len;
}

static void test_audit_sentences(void **state)
{
	static const struct {
		unsigned app, event;
		const char *user;
		uint8_t more[16];
		size_t more_len;
		const char *words, *severity;
	} rows[] = {
		{ 17, 0, "admin", { 0 }, 0, "powered on, by admin from 10.1.2.3", "info" },
		{ 16, 5, NULL, { 1 }, 1,
			"login with wrong credentials (in its set-up (MEBx)), by the machine "
			"itself from 10.1.2.3",
			"warning" },
		{ 16, 7, "a", { 1, 2 }, 2,
			"TLS set (remote server, local mutual), by a from 10.1.2.3", "info" },
		{ 16, 7, "a", { 1 }, 1, "TLS set, data 01, by a from 10.1.2.3", "info" },
		{ 16, 19, "a", { 4 }, 1, "unprovisioned (by a remote request), by a from 10.1.2.3",
			"warning" },
		{ 17, 4, "a", { 1, 0, 0, 0, 0, 0, 0 }, 7,
			"boot options set (PXE), by a from 10.1.2.3", "info" },
		{ 17, 4, "a", { 193, 9, 0, 0, 0, 0, 0 }, 7,
			"boot options set (Intel's own, storage redirection, BIOS set-up), by a "
			"from 10.1.2.3",
			"info" },
		{ 21, 0, "a", { 0x65, 0x98, 0xc8, 0x63 }, 4,
			"clock set (to 2024-01-06T03:26:27Z), by a from 10.1.2.3", "info" },
		{ 30, 1, "", { 1 }, 1,
			"consent code sent (wrong three times), by nobody named from 10.1.2.3",
			"info" },
		{ 20, 0, "a\tb", { 0 }, 0, "audit log emptied, by a?b from 10.1.2.3", "warning" },
		{ 17, 99, "a", { 7 }, 1, "event 99 of application 17, data 07, by a from 10.1.2.3",
			"info" },
		{ 999, 1, "a", { 0 }, 0, "event 1 of 999, by a from 10.1.2.3", "info" },
	};

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		uint8_t bytes[AUDIT_RECORD_MAX];
		struct audit a;
		size_t n = make_audit(bytes, rows[i].app, rows[i].event, rows[i].user, "10.1.2.3",
			rows[i].more, rows[i].more_len);

		assert_true(audit_parse(bytes, n, &a));
		struct pctl_value *v = audit_tell(&a);
		assert_string_equal(text(v, "event"), rows[i].words);
		assert_string_equal(text(v, "severity"), rows[i].severity);
		assert_string_equal(text(v, "source"), "audit");
		assert_string_equal(text(v, "time"), "2024-01-06T03:26:27Z");
		pctl_value_free(v);
	}
}

/* Cut anywhere, or longer, it is no record. */
static void test_audit_lengths(void **state)
{
	uint8_t bytes[AUDIT_RECORD_MAX];
	struct audit a = { 0 };
	size_t n = make_audit(bytes, 17, 0, "admin", "10.1.2.3", (const uint8_t *)"abc", 3);

	(void)state;
	assert_true(audit_parse(bytes, n, &a));
	assert_int_equal(a.more_len, 3);
	for (size_t i = 0; i < n; i++)
		assert_false(audit_parse(bytes, i, &a));
	bytes[n] = 0;
	assert_false(audit_parse(bytes, n + 1, &a));
	bytes[4] = AUDIT_KVM_PORT + 1;
	assert_false(audit_parse(bytes, n, &a));

	/* A SID's user comes with its domain. */
	static const uint8_t kerberos[] = { 0, 17, 0, 1, AUDIT_KERBEROS, 0, 0, 0, 21, 2, 0xab, 0xcd,
		0x65, 0x98, 0xc8, 0x63, 2, 0, 0 };
	assert_true(audit_parse(kerberos, sizeof(kerberos), &a));
	struct pctl_value *v = audit_tell(&a);
	assert_string_equal(text(v, "event"), "powered off, by Kerberos 21:abcd");
	assert_string_equal(text(v, "from"), "(none)");
	pctl_value_free(v);
}

/* --- Order and cursors. ----------------------------------------------------------------------- */

/* Events of 2023-11-14 22:13:20 and some seconds, whose severity is a digit. */
#define EVENT_A "APFTZf8GbwVoEP8mYaoKAAAAAAAA" /* :20 */
#define EVENT_B "AfFTZf8GbwVoEP8mYaoKAAAAAAAA" /* :21 */
#define EVENT_C "AvFTZf8GbwVoEP8mYaoKAAAAAAAA" /* :22 */
#define AUDIT_A "ABEAAAJlU/ECAgAA"             /* 17 0, local, :22 */
#define AUDIT_B "ABEAAQI/9M1uAgAA"             /* 17 1, local, a clock that nobody set */
#define AUDIT_C "ABEAAwJlU/EDAgAA"             /* 17 3, local, :23 */

static struct pctl_value *tell(
	const char *after, const char *const *events, const char *const *audits)
{
	struct records *r = records_new(after);
	struct pctl_value *ret = pctl_value_new_map();
	uint32_t start = records_audit_start(r);

	for (; events && *events; events++)
		assert_true(records_add_event(r, *events));
	for (uint32_t i = 1; audits && *audits; audits++, i++)
		if (i >= start)
			assert_true(records_add_audit(r, i, *audits));
	records_tell(r, ret);
	records_free(r);
	return ret;
}

static void test_order(void **state)
{
	static const char *const newest_first[] = { EVENT_C, EVENT_B, EVENT_A, NULL };
	static const char *const oldest_first[] = { EVENT_A, EVENT_B, EVENT_C, NULL };
	static const char *const audits[] = { AUDIT_A, AUDIT_B, AUDIT_C, NULL };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct pctl_value *v = tell(NULL, i ? oldest_first : newest_first, audits);

		assert_int_equal(count(v), 6);
		assert_string_equal(text(at(v, 0), "time"), "2023-11-14T22:13:20Z");
		assert_string_equal(text(at(v, 2), "time"), "2023-11-14T22:13:22Z");
		assert_string_equal(text(at(v, 3), "id"), "1");
		/* It came between the first and the third, whatever its clock says. */
		assert_string_equal(text(at(v, 4), "clock"), "unset");
		assert_string_equal(text(at(v, 5), "id"), "3");
		assert_string_equal(text(at(v, 5), "raw"), "001100030265"
							   "53f103020000");
		pctl_value_free(v);
	}
}

static void test_cursor(void **state)
{
	static const char *const one[] = { EVENT_A, NULL };
	static const char *const twice[] = { EVENT_A, EVENT_A, NULL };
	static const char *const more[] = { EVENT_C, EVENT_B, EVENT_A, EVENT_A, NULL };
	static const char *const others[] = { EVENT_C, EVENT_B, NULL };
	static const char *const audits[] = { AUDIT_A, AUDIT_B, AUDIT_C, NULL };
	struct pctl_value *v = tell(NULL, one, NULL), *w;

	(void)state;
	w = tell(text(v, "cursor"), one, NULL);
	assert_int_equal(count(w), 0);
	pctl_value_free(w);
	w = tell(text(v, "cursor"), twice, NULL); /* the same again is another one */
	assert_int_equal(count(w), 1);
	pctl_value_free(v);
	v = tell(text(w, "cursor"), more, audits);
	assert_int_equal(count(v), 5);
	pctl_value_free(w);
	w = tell(text(v, "cursor"), more, audits);
	assert_int_equal(count(w), 0);
	/* What cannot be read this time is not forgotten. */
	pctl_value_free(v);
	v = tell(text(w, "cursor"), NULL, NULL);
	pctl_value_free(w);
	w = tell(text(v, "cursor"), more, audits);
	assert_int_equal(count(w), 0);
	pctl_value_free(w);
	pctl_value_free(v);
	/* Its event is gone: all are new. */
	v = tell(NULL, one, NULL);
	w = tell(text(v, "cursor"), others, NULL);
	assert_int_equal(count(w), 2);
	assert_true(strlen(text(w, "cursor")) <= 200);
	pctl_value_free(w);
	pctl_value_free(v);
}

static void test_cursor_of_others(void **state)
{
	static const char *const odd[] = { "", "e:", "4711", "e:- a:-", "e:0:1 a:0:1",
		"e:0123456789abcdef:0 a:0123456789abcdef:99999999999",
		"e:0123456789abcdeg:1 a:0123456789abcdef:x",
		"e:0123456789abcdef:1000000000000000000000000 a:" };
	static const char *const one[] = { EVENT_A, NULL };
	static const char *const audits[] = { AUDIT_A, NULL };

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(odd); i++) {
		struct pctl_value *v = tell(odd[i], one, audits);

		assert_int_equal(count(v), 2);
		pctl_value_free(v);
	}
}

static void test_odd_records(void **state)
{
	static const char *const events[] = { "!!!", "AAAA", NULL };
	static const char *const audits[] = { "ABEAAAJl", NULL };
	struct pctl_value *v = tell(NULL, events, audits);

	(void)state;
	assert_int_equal(count(v), 3);
	assert_string_equal(text(at(v, 0), "severity"), "unknown");
	assert_string_equal(text(at(v, 0), "event"), "(none)");
	assert_string_equal(text(at(v, 0), "raw"), "000000");
	assert_string_equal(text(at(v, 1), "event"), "a record that is damaged");
	assert_string_equal(text(at(v, 2), "source"), "audit");
	assert_string_equal(text(at(v, 2), "raw"), "001100000265");
	pctl_value_free(v);
}

/* --- Operations. ------------------------------------------------------------------------------ */

#define POSITION                                                                   \
	{                                                                          \
		.want = { "PositionToFirstRecord_INPUT" },                         \
		.body = "<g:PositionToFirstRecord_OUTPUT><g:IterationIdentifier>1" \
			"</g:IterationIdentifier><g:ReturnValue>0</g:ReturnValue>" \
			"</g:PositionToFirstRecord_OUTPUT>"                        \
	}
#define RECORDS(next, last, records)                                                   \
	"<g:GetRecords_OUTPUT><g:IterationIdentifier>" next "</g:IterationIdentifier>" \
	"<g:NoMoreRecords>" last "</g:NoMoreRecords>" records                          \
	"<g:ReturnValue>0</g:ReturnValue></g:GetRecords_OUTPUT>"
#define RECORD(base64) "<g:RecordArray>" base64 "</g:RecordArray>"
#define AUDITS(total, records)                                                             \
	"<g:ReadRecords_OUTPUT><g:TotalRecordCount>" total "</g:TotalRecordCount>" records \
	"<g:ReturnValue>0</g:ReturnValue></g:ReadRecords_OUTPUT>"
#define AUDIT(base64) "<g:EventRecords>" base64 "</g:EventRecords>"
#define NO_AUDITS                                               \
	{                                                       \
		.want = { "ReadRecords_INPUT" }, .status = 400, \
		.body = FAULT("w:AccessDenied", "")             \
	}

static void test_log_in_pieces(void **state)
{
	struct fake *f = *state;
	struct pctl_value *v = pctl_value_new_map();

	SCRIPT(f, POSITION,
		{ .want = { "GetRecords_INPUT", "<h:IterationIdentifier>1<" },
			.body = RECORDS("2", "false", RECORD(EVENT_C)) },
		{ .want = { "GetRecords_INPUT", "<h:IterationIdentifier>2<" },
			.body = RECORDS("3", "true", RECORD(EVENT_A)) },
		{ .want = { "ReadRecords_INPUT", "<h:StartIndex>1<" },
			.body = AUDITS("3", AUDIT(AUDIT_A) AUDIT(AUDIT_B)) },
		{ .want = { "ReadRecords_INPUT", "<h:StartIndex>3<" },
			.body = AUDITS("3", AUDIT(AUDIT_C)) });
	fake_log(f, NULL, v);
	fake_assert_done(f);
	assert_int_equal(count(v), 5);
	assert_null(pctl_value_get(v, "left_out"));
	PCTL_AUTO(free) char *cursor = strdup(text(v, "cursor"));
	pctl_value_free(v);

	/* Only the one that was seen last is read again. */
	v = pctl_value_new_map();
	SCRIPT(f, POSITION,
		{ .want = { "GetRecords_INPUT" },
			.body = RECORDS("3", "true", RECORD(EVENT_C) RECORD(EVENT_A)) },
		{ .want = { "ReadRecords_INPUT", "<h:StartIndex>3<" },
			.body = AUDITS("3", AUDIT(AUDIT_C)) });
	fake_log(f, cursor, v);
	fake_assert_done(f);
	assert_int_equal(count(v), 0);
	pctl_value_free(v);

	/* Another record stands there by now. */
	v = pctl_value_new_map();
	SCRIPT(f, POSITION, { .want = { "GetRecords_INPUT" }, .body = RECORDS("1", "true", "") },
		{ .want = { "ReadRecords_INPUT", "<h:StartIndex>3<" },
			.body = AUDITS("4", AUDIT(AUDIT_A)) },
		{ .want = { "ReadRecords_INPUT", "<h:StartIndex>1<" },
			.body = AUDITS("4",
				AUDIT(AUDIT_B) AUDIT(AUDIT_C) AUDIT(AUDIT_A) AUDIT(AUDIT_B)) });
	fake_log(f, cursor, v);
	fake_assert_done(f);
	assert_int_equal(count(v), 2); /* behind what was the last one */
	pctl_value_free(v);

	/* The audit log was emptied meanwhile: it is read from its start. */
	v = pctl_value_new_map();
	SCRIPT(f, POSITION, { .want = { "GetRecords_INPUT" }, .body = RECORDS("1", "true", "") },
		{ .want = { "ReadRecords_INPUT", "<h:StartIndex>3<" },
			.body = OUTPUT("ReadRecords", "35") },
		{ .want = { "ReadRecords_INPUT", "<h:StartIndex>1<" },
			.body = AUDITS("1", AUDIT(AUDIT_B)) });
	fake_log(f, cursor, v);
	fake_assert_done(f);
	assert_int_equal(count(v), 1);
	pctl_value_free(v);
}

static void test_log_without_end(void **state)
{
	struct fake *f = *state;
	struct pctl_value *v = pctl_value_new_map();

	/* It stays where it is. */
	SCRIPT(f, POSITION,
		{ .want = { "GetRecords_INPUT" }, .body = RECORDS("1", "false", RECORD(EVENT_A)) },
		NO_AUDITS);
	fake_log(f, NULL, v);
	fake_assert_done(f);
	assert_int_equal(count(v), 1);
	const struct pctl_value *left_out = pctl_value_get(v, "left_out");
	assert_int_equal(pctl_value_count(left_out), 1);
	const struct pctl_value *audits = pctl_value_at(left_out, 0);
	assert_string_equal(pctl_value_text(pctl_value_get(audits, "source")), "audit");
	assert_string_equal(pctl_value_text(pctl_value_get(audits, "class")), "forbidden");
	assert_non_null(strstr(pctl_value_text(pctl_value_get(audits, "text")), "audit log: "));
	pctl_value_free(v);

	/* It begins anew, under another number. */
	v = pctl_value_new_map();
	SCRIPT(f, POSITION,
		{ .want = { "GetRecords_INPUT" },
			.body = RECORDS("3", "false", RECORD(EVENT_C) RECORD(EVENT_A)) },
		{ .want = { "GetRecords_INPUT", "<h:IterationIdentifier>3<" },
			.body = RECORDS("5", "false", RECORD(EVENT_C) RECORD(EVENT_A)) },
		NO_AUDITS);
	fake_log(f, NULL, v);
	fake_assert_done(f);
	assert_int_equal(count(v), 2);
	pctl_value_free(v);
}

static void test_log_that_is_not_told(void **state)
{
	struct fake *f = *state;
	struct pctl_value *v = pctl_value_new_map();

	/* An empty log of events, and no audits to speak of. */
	SCRIPT(f,
		{ .want = { "PositionToFirstRecord_INPUT" },
			.body = OUTPUT("PositionToFirstRecord", "3") },
		{ .want = { "ReadRecords_INPUT" }, .body = OUTPUT("ReadRecords", "35") });
	fake_log(f, NULL, v);
	fake_assert_done(f);
	assert_int_equal(count(v), 0);
	assert_null(pctl_value_get(v, "left_out"));
	pctl_value_free(v);

	v = pctl_value_new_map();
	SCRIPT(f,
		{ .want = { "PositionToFirstRecord_INPUT" },
			.status = 400,
			.body = FAULT("w:AccessDenied", "") },
		{ .want = { "ReadRecords_INPUT" }, .body = AUDITS("1", AUDIT(AUDIT_A)) });
	fake_log(f, NULL, v);
	fake_assert_done(f);
	assert_int_equal(count(v), 1);
	assert_int_equal(pctl_value_count(pctl_value_get(v, "left_out")), 1);
	pctl_value_free(v);

	/* Neither of them: that is no empty log. */
	v = pctl_value_new_map();
	SCRIPT(f,
		{ .want = { "PositionToFirstRecord_INPUT" },
			.status = 400,
			.body = FAULT("w:AccessDenied", "") },
		NO_AUDITS);
	fake_log(f, NULL, v);
	fake_assert_failed(f, PCTL_E_FORBIDDEN, "PositionToFirstRecord");
	pctl_value_free(v);

	/* An accident is none of that. */
	v = pctl_value_new_map();
	SCRIPT(f, POSITION, { .want = { "GetRecords_INPUT" }, .error = PCTL_E_TIMEOUT });
	fake_log(f, NULL, v);
	fake_assert_failed(f, PCTL_E_TIMEOUT, "");
	pctl_value_free(v);
}

static void test_clear(void **state)
{
	struct fake *f = *state;

	SCRIPT(f,
		{ .want = { "AMT_MessageLog", "ClearLog_INPUT" },
			.body = OUTPUT("ClearLog", "0"),
			.changes = true },
		{ .want = { "SetAuditLock_INPUT", "<h:LockTimeoutInSeconds>10<",
			  "<h:Flag>0</h:Flag><h:Handle>0<" },
			.body = "<g:SetAuditLock_OUTPUT><g:Handle>77</g:Handle><g:ReturnValue>0"
				"</g:ReturnValue></g:SetAuditLock_OUTPUT>" },
		{ .want = { "AMT_AuditLog", "ClearLog_INPUT" },
			.body = OUTPUT("ClearLog", "0"),
			.changes = true },
		{ .want = { "SetAuditLock_INPUT", "<h:Flag>2</h:Flag><h:Handle>77<" },
			.body = OUTPUT("SetAuditLock", "0") });
	fake_clear_log(f);
	fake_assert_done(f);

	/* The lock is given back. */
	SCRIPT(f,
		{ .want = { "ClearLog_INPUT" }, .body = OUTPUT("ClearLog", "0"), .changes = true },
		{ .want = { "SetAuditLock_INPUT" },
			.body = "<g:SetAuditLock_OUTPUT><g:Handle>78</g:Handle><g:ReturnValue>0"
				"</g:ReturnValue></g:SetAuditLock_OUTPUT>" },
		{ .want = { "ClearLog_INPUT" }, .body = OUTPUT("ClearLog", "16"), .changes = true },
		{ .want = { "SetAuditLock_INPUT", "<h:Flag>2</h:Flag><h:Handle>78<" },
			.body = OUTPUT("SetAuditLock", "0") });
	fake_clear_log(f);
	fake_assert_failed(f, PCTL_E_FORBIDDEN,
		"its event log is empty now, its audit log is not empty: the device refused "
		"ClearLog: not permitted");

	/* Somebody else is its auditor. */
	SCRIPT(f,
		{ .want = { "ClearLog_INPUT" }, .body = OUTPUT("ClearLog", "0"), .changes = true },
		{ .want = { "SetAuditLock_INPUT" },
			.status = 400,
			.body = FAULT("w:AccessDenied", "") });
	fake_clear_log(f);
	fake_assert_failed(f, PCTL_E_FORBIDDEN, "its audit log is not empty: ");

	/* There is none. */
	SCRIPT(f,
		{ .want = { "ClearLog_INPUT" }, .body = OUTPUT("ClearLog", "0"), .changes = true },
		{ .want = { "SetAuditLock_INPUT" },
			.status = 400,
			.body = FAULT("w:InvalidResourceURI", "") });
	fake_clear_log(f);
	fake_assert_done(f);

	SCRIPT(f,
		{ .want = { "ClearLog_INPUT" }, .body = OUTPUT("ClearLog", "1"), .changes = true });
	fake_clear_log(f);
	fake_assert_failed(f, PCTL_E_UNSUPPORTED, "ClearLog");
}

/* --- Hardware. -------------------------------------------------------------------------------- */

static void test_smbios(void **state)
{
	static const char *const unsaid[] = { "", "To be filled by O.E.M.",
		"TO BE FILLED BY O.E.M.", "Default string", "00000000", "Not Specified",
		"System Serial Number", "none", "  ", "xxxxxxx", "........", "N/A", "0x" };
	static const char *const said[] = { "10", "JRQN0243007J", "None of it", "A",
		"Intel(R) Client Systems", "To be", "0.1" };

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(unsaid); i++)
		if (smbios_says(unsaid[i]))
			fail_msg("'%s' says something", unsaid[i]);
	for (size_t i = 0; i < TEST_COUNT(said); i++)
		assert_true(smbios_says(said[i]));
	assert_string_equal(smbios_memory_maker("80ce"), "Samsung");
	assert_null(smbios_memory_maker("ffff"));
	assert_null(smbios_memory_maker(NULL));
}

#define ABSENT(class)                                                                           \
	{                                                                                       \
		.want = { class }, .status = 400, .body = FAULT("a:DestinationUnreachable", "") \
	}

static void test_hardware_that_is_absent(void **state)
{
	struct fake *f = *state;
	struct pctl_value *v = pctl_value_new_map();

	SCRIPT(f, ABSENT("CIM_Chassis"),
		{ .want = { "CIM_Card" },
			.body = INSTANCE("CIM_Card",
				FIELD("Manufacturer", "To be filled by O.E.M.") FIELD("Model", "X1")
					FIELD("SerialNumber", "0000")) },
		ABSENT("CIM_BIOSElement"), ABSENT("CIM_Chip"), ABSENT("CIM_Processor"),
		ABSENT("CIM_PhysicalMemory"), ABSENT("CIM_MediaAccessDevice"),
		ABSENT("CIM_Battery"));
	fake_hardware(f, v);
	fake_assert_done(f);
	assert_int_equal(pctl_value_count(v), 1);
	assert_int_equal(pctl_value_count(pctl_value_get(v, "board")), 1);
	assert_string_equal(text(pctl_value_get(v, "board"), "name"), "X1");
	pctl_value_free(v);

	v = pctl_value_new_map();
	SCRIPT(f, ABSENT("CIM_Chassis"), ABSENT("CIM_Card"), ABSENT("CIM_BIOSElement"),
		ABSENT("CIM_Chip"), ABSENT("CIM_Processor"), ABSENT("CIM_PhysicalMemory"),
		ABSENT("CIM_MediaAccessDevice"), ABSENT("CIM_Battery"));
	fake_hardware(f, v);
	fake_assert_failed(f, PCTL_E_UNSUPPORTED, "CIM_Battery");
	pctl_value_free(v);
}

static void test_disks_and_packages(void **state)
{
	struct fake *f = *state;
	struct pctl_value *v = pctl_value_new_map();

	SCRIPT(f, ABSENT("CIM_Chassis"), ABSENT("CIM_Card"), ABSENT("CIM_BIOSElement"),
		{ .want = { "CIM_Chip" }, .body = CONTEXT("1") },
		{ .want = { "Pull" },
			.body = ITEMS("<g:CIM_Chip>" FIELD("Tag", "TPM 0")
					FIELD("Version", "2.0") "</g:CIM_Chip>") },
		ABSENT("CIM_Processor"), ABSENT("CIM_PhysicalMemory"),
		{ .want = { "CIM_MediaAccessDevice" }, .body = CONTEXT("2") },
		{ .want = { "Pull" },
			.body = ITEMS(
				"<g:CIM_MediaAccessDevice>" FIELD("DeviceID", "MEDIA DEV 0") FIELD(
					"MaxMediaSize", "1048576") "</g:CIM_MediaAccessDevice>") },
		{ .want = { "CIM_PhysicalPackage" }, .body = CONTEXT("3") },
		{ .want = { "Pull" },
			.body = ITEMS("<g:CIM_PhysicalPackage>" FIELD("Tag", "Storage Media 0")
					FIELD("Model", "SSD 7") FIELD(
						"SerialNumber", "S1") "</g:CIM_PhysicalPackage>") },
		ABSENT("CIM_Battery"));
	fake_hardware(f, v);
	fake_assert_done(f);
	const struct pctl_value *parts = pctl_value_get(v, "parts");
	assert_int_equal(pctl_value_count(parts), 2);
	const struct pctl_value *disk = pctl_value_at(parts, 0);
	assert_string_equal(text(disk, "name"), "MEDIA DEV 0");
	assert_string_equal(text(disk, "product"), "SSD 7");
	assert_string_equal(text(disk, "serial"), "S1");
	assert_int_equal(pctl_value_int(pctl_value_get(disk, "size_mib")), 1000);
	assert_string_equal(text(pctl_value_at(parts, 1), "type"), "tpm");
	pctl_value_free(v);
}

/* --- Sensors. --------------------------------------------------------------------------------- */

static void test_sensors(void **state)
{
	struct fake *f = *state;
	struct pctl_value *v = pctl_value_new_map();

	SCRIPT(f, { .want = { "CIM_NumericSensor" }, .body = CONTEXT("1") },
		{ .want = { "Pull" },
			.body = ITEMS("<g:CIM_NumericSensor>" FIELD("DeviceID", "T1") FIELD(
				"CurrentReading", "4512") FIELD("UnitModifier",
				"-2") FIELD("BaseUnits", "2") FIELD("SensorType", "2")
					FIELD("CurrentState", "Normal") "</g:CIM_NumericSensor>") },
		{ .want = { "CIM_Sensor" }, .body = CONTEXT("2") },
		{ .want = { "Pull" },
			.body = ITEMS("<g:CIM_Sensor>" FIELD("DeviceID", "T1") FIELD("CurrentState",
				"Bad") "</g:CIM_Sensor><g:CIM_Sensor>" FIELD("DeviceID",
				"S2") FIELD("CurrentState",
				"Bad") "</g:CIM_Sensor><g:CIM_Sensor>" FIELD("DeviceID", "S3")
					FIELD("CurrentState", "Unknown") "</g:CIM_Sensor>") });
	fake_sensors(f, v);
	fake_assert_done(f);
	const struct pctl_value *list = pctl_value_get(v, "sensors");
	assert_int_equal(pctl_value_count(list), 2);
	assert_string_equal(text(pctl_value_at(list, 0), "value"), "45.12");
	assert_string_equal(text(pctl_value_at(list, 0), "unit"), "C");
	assert_string_equal(text(pctl_value_at(list, 0), "type"), "temperature");
	assert_string_equal(text(pctl_value_at(list, 0), "state"), "ok");
	assert_string_equal(text(pctl_value_at(list, 1), "state"), "critical");
	assert_string_equal(text(pctl_value_at(list, 1), "value"), "(none)");
	pctl_value_free(v);

	v = pctl_value_new_map();
	SCRIPT(f, ABSENT("CIM_NumericSensor"), ABSENT("CIM_Sensor"));
	fake_sensors(f, v);
	fake_assert_failed(f, PCTL_E_UNSUPPORTED, "no sensors that measure");
	pctl_value_free(v);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_event_sentences),
		cmocka_unit_test(test_event_fields),
		cmocka_unit_test(test_audit_sentences),
		cmocka_unit_test(test_audit_lengths),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_cursor),
		cmocka_unit_test(test_cursor_of_others),
		cmocka_unit_test(test_odd_records),
		TEST(test_log_in_pieces),
		TEST(test_log_without_end),
		TEST(test_log_that_is_not_told),
		TEST(test_clear),
		cmocka_unit_test(test_smbios),
		TEST(test_hardware_that_is_absent),
		TEST(test_disks_and_packages),
		TEST(test_sensors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
