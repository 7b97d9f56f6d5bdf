/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sensor data records and readings: from tables of the specification, and cut short everywhere. */
#include "test.h"

#include <powerctl/mem.h>

#include "reading.h"

static const struct maker nobody = { 0, 0 };

/* A full record of a fan: 25 x, RPM, four thresholds. */
static const uint8_t fan[] = { 0x34, 0x12, 0x51, 0x01, 0x30, /* id 1234h, version, full, 48 bytes */
	0x20, 0x00, 0x41, 29, 1, 0x7f, 0x68, 0x04, 0x01,     /* BMC, number 41h, fan, threshold */
	0x95, 0x7a, 0x95, 0x7a, 0x1b, 0x1b,                  /* readable: UC UNC LC LNC */
	0x00, 18, 0x00, 0x00,                                /* unsigned, RPM, linear */
	25, 0, 0, 0, 0, 0, 0, 0x28, 0xff, 0x00, 0xff, 0x00,  /* M = 25 */
	0xff, 0xf0, 0xe0, 0x00, 0x10, 0x20, 0x02, 0x02, 0, 0, 0, /* UNR UC UNC LNR LC LNC */
	0xc5, 'F', 'A', 'N', ' ', '1' };

static void test_full(void **state)
{
	struct sdr s;
	char text[READING_NUMBER_SIZE], unit[READING_UNIT_SIZE];

	(void)state;
	assert_int_equal(sdr_length(fan, sizeof(fan)), sizeof(fan));
	assert_true(sdr_decode(fan, sizeof(fan), &s));
	assert_int_equal(s.id, 0x1234);
	assert_int_equal(s.type, SDR_FULL);
	assert_string_equal(s.name, "FAN 1");
	assert_int_equal(s.owner, 0x20);
	assert_int_equal(s.number, 0x41);
	assert_int_equal(s.entity, 29);
	assert_int_equal(s.instance, 1);
	assert_int_equal(s.sensor_type, 4);
	assert_int_equal(s.reading_type, 1);
	assert_int_equal(s.share, 1);
	assert_int_equal(s.factors.m, 25);
	assert_int_equal(s.threshold_access, 2);
	assert_int_equal(s.readable, 0x1b);
	assert_int_equal(s.thresholds[SDR_UPPER_FATAL], 0xff);
	assert_int_equal(s.thresholds[SDR_UPPER_CRITICAL], 0xf0);
	assert_int_equal(s.thresholds[SDR_UPPER_WARNING], 0xe0);
	assert_int_equal(s.thresholds[SDR_LOWER_FATAL], 0x00);
	assert_int_equal(s.thresholds[SDR_LOWER_CRITICAL], 0x10);
	assert_int_equal(s.thresholds[SDR_LOWER_WARNING], 0x20);
	assert_true(sdr_is_sensor(&s) && sdr_is_readable(&s));
	assert_true(reading_number(&s, &s.factors, 200, text));
	assert_string_equal(text, "5000");
	assert_true(reading_unit(&s, unit));
	assert_string_equal(unit, "rpm");
}

static void test_every_length(void **state)
{
	struct sdr s;

	(void)state;
	for (size_t n = 0; n < sizeof(fan); n++) {
		/* At its exact size, so that a byte too many is found. */
		uint8_t *cut = pctl_xcalloc(1, n ? n : 1);

		memcpy(cut, fan, n);
		assert_false(sdr_decode(cut, n, &s));
		free(cut);
	}
	/* The same where the record itself says so: it needs its name's length, not its name. */
	for (size_t n = 5; n < sizeof(fan); n++) {
		uint8_t *cut = pctl_xcalloc(1, n);

		memcpy(cut, fan, n);
		cut[4] = (uint8_t)(n - 5);
		assert_int_equal(sdr_decode(cut, n, &s), n >= 48);
		if (n == 50)
			assert_string_equal(s.name, "FA");
		free(cut);
	}
}

/* The same record with other factors. */
static struct sdr factors(uint8_t format, uint8_t function, int m, int b, int r_exp, int b_exp)
{
	uint8_t record[sizeof(fan)];
	struct sdr s;

	memcpy(record, fan, sizeof(fan));
	record[20] = (uint8_t)(format << 6);
	record[23] = function;
	record[24] = (uint8_t)m;
	record[25] = (uint8_t)(((unsigned)m >> 8 & 3) << 6 | 0x3f);
	record[26] = (uint8_t)b;
	record[27] = (uint8_t)(((unsigned)b >> 8 & 3) << 6 | 0x3f);
	record[29] = (uint8_t)(((unsigned)r_exp & 0xf) << 4 | ((unsigned)b_exp & 0xf));
	assert_true(sdr_decode(record, sizeof(record), &s));
	assert_int_equal(s.factors.m, m);
	assert_int_equal(s.factors.b, b);
	assert_int_equal(s.factors.r_exp, r_exp);
	assert_int_equal(s.factors.b_exp, b_exp);
	return s;
}

static void test_numbers(void **state)
{
	static const struct {
		int format, function, m, b, r_exp, b_exp;
		uint8_t raw;
		const char *text; /* NULL: none */
	} rows[] = {
		{ 0, 0, 1, 0, 0, 0, 35, "35" },
		{ 2, 0, 1, 0, 0, 0, 0xfb, "-5" }, /* two's complement */
		{ 1, 0, 1, 0, 0, 0, 0xfa, "-5" }, /* one's complement */
		{ 1, 0, 1, 0, 0, 0, 0xff, "0" },  /* and its negative zero */
		{ 3, 0, 1, 0, 0, 0, 35, NULL },   /* no numbers */
		{ 0, 0, 63, 0, -3, 0, 192, "12.096" },
		{ 0, 0, 60, 0, -3, 0, 200, "12" }, /* no zeros behind the point */
		{ 0, 0, 4, 0, 1, 0, 5, "200" }, { 0, 0, -512, 511, 0, 0, 1, "-1" },
		{ 0, 0, 1, 5, 0, -1, 10, "10.5" }, { 0, 0, 1, 5, -2, 2, 10, "5.1" },
		{ 0, 0, 1, 1, -8, -8, 1, "0.0000000100000001" },
		{ 0, 7, 1, 0, 0, 0, 3, "0.333" },    /* 1/x */
		{ 0, 8, 2, 0, 0, 0, 3, "36" },       /* x^2 */
		{ 0, 1, 1, 0, 0, 0, 0, NULL },       /* ln 0 */
		{ 0, 5, 511, 511, 7, 7, 255, NULL }, /* 10^... */
		{ 0, 0x70, 2, 0, 0, 0, 4, "8" },     /* non-linear: the factors asked for hold */
	};
	char text[READING_NUMBER_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sdr s = factors((uint8_t)rows[i].format, (uint8_t)rows[i].function,
			rows[i].m, rows[i].b, rows[i].r_exp, rows[i].b_exp);
		bool has = reading_number(&s, &s.factors, rows[i].raw, text);

		assert_int_equal(has, rows[i].text != NULL);
		if (has)
			assert_string_equal(text, rows[i].text);
	}
}

/* A compact record of four slots that share it. */
static const uint8_t slots[] = { 0x02, 0x00, 0x51, 0x02, 0x21, 0x20, 0x00, 0x50, 11, 1, 0x63, 0x40,
	0x21, 0x6f, 0x01, 0x00, 0x01, 0x00, 0x01, 0x00, 0xc0, 0, 0, 0x04, 0x81, 0, 0, 0, 0, 0,
	0, /* four, numbered from 1 */
	0xc6, 'S', 'l', 'o', 't', ' ', '#' };

static void test_shared(void **state)
{
	uint8_t letters[sizeof(slots)];
	struct sdr s;
	unsigned index = 9;
	char name[TEXT_SIZE];

	(void)state;
	assert_true(sdr_decode(slots, sizeof(slots), &s));
	assert_int_equal(s.share, 4);
	sdr_sensor_name(&s, 0, name);
	assert_string_equal(name, "Slot #1");
	sdr_sensor_name(&s, 3, name);
	assert_string_equal(name, "Slot #4");
	assert_true(sdr_find_sensor(slots, sizeof(slots), 0x20, 0, 0x53, &s, &index));
	assert_int_equal(index, 3);
	assert_false(sdr_find_sensor(slots, sizeof(slots), 0x20, 0, 0x54, &s, &index));
	assert_false(sdr_find_sensor(slots, sizeof(slots), 0x20, 0, 0x4f, &s, &index));
	assert_false(sdr_find_sensor(slots, sizeof(slots), 0x22, 0, 0x50, &s, &index));
	assert_false(sdr_find_sensor(slots, sizeof(slots), 0x20, 1, 0x50, &s, &index));

	memcpy(letters, slots, sizeof(slots));
	letters[23] = 0x14;
	letters[24] = 25;
	assert_true(sdr_decode(letters, sizeof(letters), &s));
	sdr_sensor_name(&s, 0, name);
	assert_string_equal(name, "Slot #Z");
	sdr_sensor_name(&s, 1, name);
	assert_string_equal(name, "Slot #AA");
}

static void test_other_types(void **state)
{
	static const uint8_t event_only[] = { 0x03, 0x00, 0x51, 0x03, 0x11, 0x21, 0x00, 0x07, 34, 1,
		0x0f, 0x6f, 0, 0, 0, 0, 0xc0 };
	static const uint8_t locator[] = { 0x04, 0x00, 0x51, 0x11, 0x0e, 0x20, 0x03, 0x80, 0, 0,
		0x10, 0x01, 10, 2, 0, 0x83, 0x29, 0xdc, 0xa6 }; /* 6 bits */
	static const uint8_t mc[] = { 0x05, 0x00, 0x51, 0x12, 0x0e, 0x20, 0, 0, 0xbf, 0, 0, 0, 46,
		1, 0, 0x43, 0x12, 0xa3, 0xc4 }; /* BCD plus */
	static const uint8_t oem[] = { 0x06, 0x00, 0x51, 0xc0, 0x04, 1, 2, 3, 4 };
	static const uint8_t unicode[] = { 0x04, 0x00, 0x51, 0x11, 0x0f, 0x20, 0x03, 0x80, 0, 0,
		0x10, 0x01, 10, 2, 0, 0x04, 0xe9, 0x00, 0xac, 0x20 };
	struct sdr s;
	char name[TEXT_SIZE];

	(void)state;
	assert_false(sdr_decode(event_only, sizeof(event_only), &s)); /* says one byte more */
	uint8_t whole[sizeof(event_only)];
	memcpy(whole, event_only, sizeof(whole));
	whole[4] = 0x0c;
	assert_true(sdr_decode(whole, sizeof(whole), &s));
	assert_true(sdr_is_sensor(&s));
	assert_false(sdr_is_readable(&s));
	assert_int_equal(s.sensor_type, 0x0f);
	assert_int_equal(s.reading_type, 0x6f);
	sdr_sensor_name(&s, 0, name);
	assert_string_equal(name, "sensor 07h");

	assert_true(sdr_decode(locator, sizeof(locator), &s));
	assert_false(sdr_is_sensor(&s));
	assert_int_equal(s.access_address, 0x20);
	assert_int_equal(s.fru_id, 3);
	assert_true(s.logical);
	assert_int_equal(s.entity, 10);
	assert_int_equal(s.device_type, 0x10);
	assert_string_equal(s.name, "IPMI");

	assert_true(sdr_decode(mc, sizeof(mc), &s));
	assert_int_equal(s.type, SDR_MC_LOCATOR);
	assert_string_equal(s.name, "12 3.4");

	assert_true(sdr_decode(unicode, sizeof(unicode), &s));
	assert_string_equal(s.name, "\xc3\xa9\xe2\x82\xac"); /* e acute, euro */

	assert_int_equal(sdr_length(oem, sizeof(oem)), sizeof(oem));
	assert_false(sdr_decode(oem, sizeof(oem), &s));
}

static void test_repository(void **state)
{
	uint8_t all[sizeof(fan) + sizeof(slots) + 3];
	const uint8_t *record;
	size_t at = 0, len;
	struct sdr s;
	unsigned index;

	(void)state;
	memcpy(all, fan, sizeof(fan));
	memcpy(all + sizeof(fan), slots, sizeof(slots));
	memset(all + sizeof(fan) + sizeof(slots), 0xff, 3);
	assert_true(sdr_next(all, sizeof(all), &at, &record, &len));
	assert_ptr_equal(record, all);
	assert_int_equal(len, sizeof(fan));
	assert_true(sdr_next(all, sizeof(all), &at, &record, &len));
	assert_ptr_equal(record, all + sizeof(fan));
	assert_false(sdr_next(all, sizeof(all), &at, &record, &len));
	assert_true(sdr_find_sensor(all, sizeof(all), 0x20, 0, 0x41, &s, &index));
	assert_string_equal(s.name, "FAN 1");
}

/* --- Readings. -------------------------------------------------------------------------------- */

static const char *text_of(const struct pctl_value *map, const char *key)
{
	const char *s = pctl_value_text(pctl_value_get(map, key));

	return s ? s : "(none)";
}

/* What one answer to Get Sensor Reading makes of a sensor. */
static struct pctl_value *fill(const struct sdr *s, const uint8_t *answer, size_t len)
{
	struct pctl_value *ret = pctl_value_new_map();
	struct reading_words *words = reading_words_new(&nobody);
	struct reading r;

	assert_true(reading_decode(answer, len, &r));
	reading_fill(words, s, 0, &s->factors, &r, ret);
	reading_words_free(words);
	return ret;
}

static void check(const struct sdr *s, const uint8_t answer[4], const char *value,
	const char *state, const char *event)
{
	struct pctl_value *ret = fill(s, answer, 4);
	const struct pctl_value *events = pctl_value_get(ret, "events");

	assert_string_equal(text_of(ret, "value"), value);
	assert_string_equal(text_of(ret, "state"), state);
	assert_int_equal(events != NULL, event != NULL);
	if (event)
		assert_string_equal(pctl_value_text(pctl_value_at(events, 0)), event);
	pctl_value_free(ret);
}

static void test_threshold_states(void **state)
{
	struct sdr s;

	(void)state;
	assert_true(sdr_decode(fan, sizeof(fan), &s));
#define ANSWER(...) ((const uint8_t[4]){ __VA_ARGS__ })
	check(&s, ANSWER(200, 0xc0, 0xc0, 0), "5000", "ok", NULL); /* the upper two bits are 1 */
	check(&s, ANSWER(30, 0xc0, 0xc1, 0), "750", "warning", "lower_warning");
	check(&s, ANSWER(10, 0xc0, 0xc3, 0), "250", "critical", "lower_warning");
	check(&s, ANSWER(0, 0xc0, 0xc4, 0), "0", "critical", "lower_fatal");
	check(&s, ANSWER(250, 0xc0, 0xc8, 0), "6250", "warning", "upper_warning");
	check(&s, ANSWER(250, 0xc0, 0xe0, 0), "6250", "critical", "upper_fatal");
	check(&s, ANSWER(200, 0xe0, 0xc0, 0), "(none)", "unknown", NULL); /* not available */
	check(&s, ANSWER(200, 0x80, 0xc0, 0), "(none)", "unknown", NULL); /* not scanned */

	/* Two bytes are an answer, one is not. */
	struct pctl_value *ret = fill(&s, ANSWER(200, 0x40, 0, 0), 2);
	struct reading r;
	assert_string_equal(text_of(ret, "value"), "5000");
	assert_string_equal(text_of(ret, "state"), "ok");
	pctl_value_free(ret);
	assert_false(reading_decode(ANSWER(200, 0x40, 0, 0), 1, &r));
}

static void test_discrete_states(void **state)
{
	struct sdr s;

	(void)state;
	assert_true(sdr_decode(slots, sizeof(slots), &s));
	s.sensor_type = 0x08; /* power supply */
	check(&s, ANSWER(0, 0xc0, 0x01, 0x80), "(none)", "ok", "Presence detected");
	check(&s, ANSWER(0, 0xc0, 0x02, 0x80), "(none)", "critical",
		"Power Supply Failure detected");
	check(&s, ANSWER(0, 0xc0, 0x00, 0x81), "(none)", "unknown", "state 8 of type 6fh");
	check(&s, ANSWER(0, 0xc0, 0x00, 0x80), "(none)", "ok", NULL);
	s.sensor_type = 0x25; /* entity presence */
	check(&s, ANSWER(0, 0xc0, 0x02, 0x80), "(none)", "absent", "Entity Absent");
	s.reading_type = 0x08;
	check(&s, ANSWER(0, 0xc0, 0x01, 0x80), "(none)", "absent", "Device Removed/Device Absent");
	check(&s, ANSWER(0, 0xc0, 0x02, 0x80), "(none)", "ok", "Device Inserted/Device Present");
	s.reading_type = 0x07;
	s.sensor_type = 0xc3; /* nobody knows it, but the severity tells */
	check(&s, ANSWER(0, 0xc0, 0x04, 0x80), "(none)", "critical",
		"transition to Critical from less severe");
	check(&s, ANSWER(0, 0xc0, 0x01, 0x80), "(none)", "ok", "transition to OK");
}

static void test_thresholds(void **state)
{
	struct pctl_value *ret = pctl_value_new_map();
	const struct pctl_value *map;
	struct sdr s;

	(void)state;
	assert_true(sdr_decode(fan, sizeof(fan), &s));
	reading_fill_thresholds(&s, &s.factors, s.readable, s.thresholds, ret);
	map = pctl_value_get(ret, "thresholds");
	assert_int_equal(pctl_value_count(map), 4);
	assert_string_equal(text_of(map, "lower_warning"), "800");
	assert_string_equal(text_of(map, "lower_critical"), "400");
	assert_string_equal(text_of(map, "upper_warning"), "5600");
	assert_string_equal(text_of(map, "upper_critical"), "6000");
	pctl_value_free(ret);
}

static void test_types_and_units(void **state)
{
	static const struct {
		uint8_t flags, base, modifier;
		const char *unit; /* NULL: none */
	} rows[] = {
		{ 0, 1, 0, "C" },
		{ 1, 0, 0, "%" },
		{ 0, 6, 0, "W" },
		{ 0, 0, 0, NULL },
		{ 0, 0xee, 0, NULL },
		{ 0xfe, 0xff, 0xff, NULL },
	};
	char text[READING_UNIT_SIZE];
	struct sdr s;

	(void)state;
	assert_true(sdr_decode(fan, sizeof(fan), &s));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		s.unit_flags = rows[i].flags;
		s.unit_base = rows[i].base;
		s.unit_modifier = rows[i].modifier;
		assert_int_equal(reading_unit(&s, text), rows[i].unit != NULL);
		if (rows[i].unit)
			assert_string_equal(text, rows[i].unit);
	}
	static const struct {
		uint8_t type, unit;
		const char *word;
	} types[] = { { 0x01, 1, "temperature" }, { 0x08, 6, "power_supply" }, { 0x0b, 6, "power" },
		{ 0x0b, 7, "energy" }, { 0x0b, 0, "other" }, { 0, 0, "other" },
		{ 0x60, 0, "other" }, { 0xc3, 0, "other" }, { 0x21, 0, "slot_connector" } };
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		reading_type(&nobody, types[i].type, 0x6f, types[i].unit, text);
		assert_string_equal(text, types[i].word);
	}
	/* Every one of them is a text or none. */
	for (unsigned i = 0; i < 256 * 256; i++) {
		char event[READING_EVENT_SIZE];

		reading_type(&nobody, (uint8_t)i, (uint8_t)(i >> 8), (uint8_t)(i >> 3), text);
		assert_true(*text);
		reading_event(&nobody, (uint8_t)i, (uint8_t)(i >> 8) & 0x7f, 1, i % 15, event);
		assert_true(*event);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_other_types),
		cmocka_unit_test(test_repository),
		cmocka_unit_test(test_threshold_states),
		cmocka_unit_test(test_discrete_states),
		cmocka_unit_test(test_thresholds),
		cmocka_unit_test(test_types_and_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
