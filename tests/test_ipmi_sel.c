/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records of the event log: standard ones, those of makers, and nonsense. */
#include "test.h"

#include "sel.h"

static const struct maker nobody = { 0, 0 };

/* The record of a temperature sensor in C, number 30h of the BMC. */
static const uint8_t temperature[] = { 0x01, 0x00, 0x51, 0x01, 0x33, 0x20, 0x00, 0x30, 3, 1, 0x7f,
	0x68, 0x01, 0x01, 0, 0, 0, 0, 0x18, 0x18, 0x80, 1, 0, 0x00, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 90, 85, 0, 0, 0, 0, 0, 0, 0, 0, 0xc8, 'C', 'P', 'U', ' ', 'T', 'e', 'm', 'p' };

static struct pctl_value *decode(const uint8_t record[SEL_RECORD])
{
	struct reading_words *words = reading_words_new(&nobody);
	struct pctl_value *v = sel_decode(words, temperature, sizeof(temperature), record);

	reading_words_free(words);
	return v;
}

static const char *text_of(const struct pctl_value *map, const char *key)
{
	const char *s = pctl_value_text(pctl_value_get(map, key));

	return s ? s : "(none)";
}

static void test_threshold(void **state)
{
	uint8_t record[] = { 0x05, 0x01, 0x02, 0x80, 0x7b, 0xd4, 0x65, 0x20, 0x00, 0x04, 0x01, 0x30,
		0x01, 0x59, 95, 90 };
	struct pctl_value *v = decode(record);

	(void)state;
	assert_string_equal(text_of(v, "id"), "261");
	assert_string_equal(text_of(v, "time"), "2024-02-20T10:14:24Z");
	assert_string_equal(text_of(v, "severity"), "critical");
	assert_string_equal(text_of(v, "sensor"), "CPU Temp");
	assert_string_equal(text_of(v, "sensor_type"), "temperature");
	assert_string_equal(
		text_of(v, "event"), "Upper Critical - going high: read 95 C, threshold 90 C");
	assert_true(pctl_value_bool(pctl_value_get(v, "asserted")));
	assert_string_equal(text_of(v, "raw"), "050102807bd46520000401300159"
					       "5f5a");
	pctl_value_free(v);

	record[12] = 0x81; /* it went away */
	v = decode(record);
	assert_string_equal(text_of(v, "severity"), "ok");
	assert_false(pctl_value_bool(pctl_value_get(v, "asserted")));
	pctl_value_free(v);

	record[12] = 0x01;
	record[13] = 0x57; /* upper non-critical, going high */
	record[11] = 0x31; /* of a sensor without a record: the readings mean nothing */
	v = decode(record);
	assert_string_equal(text_of(v, "severity"), "warning");
	assert_string_equal(text_of(v, "sensor"), "sensor 31h");
	assert_string_equal(text_of(v, "event"), "Upper Non-critical - going high");
	pctl_value_free(v);

	record[13] = 0x0f; /* there is no such threshold */
	v = decode(record);
	assert_string_equal(text_of(v, "severity"), "unknown");
	assert_string_equal(text_of(v, "event"), "state 15 of type 01h");
	pctl_value_free(v);
}

static void test_every_threshold(void **state)
{
	static const char *const severities[] = { "warning", "warning", "critical", "critical",
		"critical", "critical", "warning", "warning", "critical", "critical", "critical",
		"critical" };
	uint8_t record[] = { 1, 0, 2, 0x80, 0x7b, 0xd4, 0x65, 0x20, 0, 4, 1, 0x30, 1, 0, 0, 0 };

	(void)state;
	for (uint8_t i = 0; i < 12; i++) {
		record[13] = i;
		struct pctl_value *v = decode(record);
		assert_string_equal(text_of(v, "severity"), severities[i]);
		pctl_value_free(v);
	}
}

static void test_discrete(void **state)
{
	/* A power supply of the wrong kind. */
	uint8_t record[] = { 1, 0, 2, 0x80, 0x7b, 0xd4, 0x65, 0x20, 0, 4, 0x08, 0x11, 0x6f, 0x36,
		0xff, 0x01 };
	struct pctl_value *v = decode(record);

	(void)state;
	assert_string_equal(text_of(v, "severity"), "critical");
	assert_string_equal(text_of(v, "sensor_type"), "power_supply");
	assert_string_equal(text_of(v, "event"), "Configuration error; Revision mismatch");
	pctl_value_free(v);

	/* What BMCs write when their log was cleared. */
	static const uint8_t cleared[] = { 1, 0, 2, 0x80, 0x7b, 0xd4, 0x65, 0x20, 0, 4, 0x10, 0x09,
		0x6f, 0x42, 0xff, 0xff };
	v = decode(cleared);
	assert_string_equal(text_of(v, "severity"), "info");
	assert_string_equal(text_of(v, "sensor_type"), "event_logging_disabled");
	assert_string_equal(text_of(v, "event"), "Log Area Reset/Cleared");
	pctl_value_free(v);

	record[10] = 0xc9; /* a maker's */
	v = decode(record);
	assert_string_equal(text_of(v, "severity"), "unknown");
	assert_string_equal(text_of(v, "event"), "state 6 of type 6fh");
	pctl_value_free(v);
}

static void test_times(void **state)
{
	static const struct {
		uint8_t bytes[4];
		const char *text;
	} rows[] = {
		{ { 0xff, 0xff, 0xff, 0xff }, "(none)" },
		{ { 0x00, 0x00, 0x00, 0x00 }, "(none)" },
		{ { 0xff, 0xff, 0xff, 0x1f }, "(none)" },
		{ { 0x00, 0x00, 0x00, 0x20 }, "1987-01-05T18:48:32Z" },
		{ { 0xfe, 0xff, 0xff, 0xff }, "2106-02-07T06:28:14Z" },
	};
	uint8_t record[] = { 1, 0, 2, 0, 0, 0, 0, 0x20, 0, 4, 1, 0x30, 1, 0, 0, 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memcpy(record + 3, rows[i].bytes, 4);
		struct pctl_value *v = decode(record);
		assert_string_equal(text_of(v, "time"), rows[i].text);
		pctl_value_free(v);
	}
}

static void test_oem(void **state)
{
	static const uint8_t timed[] = { 7, 0, 0xdf, 0x80, 0x7b, 0xd4, 0x65, 0x7c, 0x2a, 0, 1, 2, 3,
		4, 5, 0xff };
	static const uint8_t untimed[] = { 8, 0, 0xe0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13 };
	static const uint8_t neither[] = { 9, 0, 0x05, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13 };
	struct pctl_value *v = decode(timed);

	(void)state;
	assert_string_equal(text_of(v, "id"), "7");
	assert_string_equal(text_of(v, "time"), "2024-02-20T10:14:24Z");
	assert_string_equal(text_of(v, "severity"), "unknown");
	assert_string_equal(
		text_of(v, "event"), "OEM record dfh of maker 10876: 01 02 03 04 05 ff");
	assert_string_equal(text_of(v, "raw"), "0700df807bd4657c2a000102030405ff");
	pctl_value_free(v);
	v = decode(untimed);
	assert_string_equal(text_of(v, "time"), "(none)");
	assert_string_equal(
		text_of(v, "event"), "OEM record e0h: 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d");
	pctl_value_free(v);
	v = decode(neither);
	assert_string_equal(text_of(v, "event"), "(none)");
	assert_string_equal(text_of(v, "raw"), "0900050102030405060708090a0b0c0d");
	pctl_value_free(v);
}

static void test_cursor(void **state)
{
	static const char *const not_cursors[] = { "", ":", "1", "x:1", "65536:00", "-1:0",
		"123456789:0", NULL };
	uint8_t record[SEL_RECORD] = { 0x39, 0x30 };
	char a[SEL_CURSOR_SIZE], b[SEL_CURSOR_SIZE];
	uint16_t id = 7;

	(void)state;
	sel_cursor(record, a);
	assert_true(sel_cursor_parse(a, &id));
	assert_int_equal(id, 12345);
	for (size_t i = 2; i < SEL_RECORD; i++) {
		record[i] ^= 1;
		sel_cursor(record, b);
		assert_string_not_equal(a, b);
		assert_true(sel_cursor_parse(b, &id));
		assert_int_equal(id, 12345);
		record[i] ^= 1;
	}
	for (size_t i = 0; not_cursors[i]; i++)
		assert_false(sel_cursor_parse(not_cursors[i], &id));
	assert_false(sel_cursor_parse(NULL, &id));
	assert_int_equal(id, 12345);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threshold),
		cmocka_unit_test(test_every_threshold),
		cmocka_unit_test(test_discrete),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_oem),
		cmocka_unit_test(test_cursor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
