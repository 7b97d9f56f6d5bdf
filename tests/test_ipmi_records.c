/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sensors and the event log against a BMC of bytes: what they tell, what they ask, what goes wrong.
 */
#include "ipmi_fake.h"

#include "sel.h"

/* A full record: id, number, name; C, M = 1, all thresholds readable. */
#define TEMPERATURE(id, number, access, linear, ...)                                               \
	{                                                                                          \
		(id), 0, 0x51, 0x01, 0x2b + sizeof((uint8_t[]){ __VA_ARGS__ }), 0x20, 0, (number), \
			3, 1, 0x7f, 0x60 | (access) << 2, 1, 1, 0, 0, 0, 0, 0x3f, 0x3f, 0x80, 1,   \
			0, (linear), 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 90, 85, 0, 5, 10, 0, \
			0, 0, 0, 0, 0xc0 + sizeof((uint8_t[]){ __VA_ARGS__ }), __VA_ARGS__         \
	}
static const uint8_t inlet[] = TEMPERATURE(1, 0x30, 2, 0, 'I', 'n', 'l', 'e', 't', ' ');
static const uint8_t exhaust[] = TEMPERATURE(2, 0x31, 1, 0, 'E', 'x', 'h', 'a', 'u', 's', 't');
static const uint8_t curved[] = TEMPERATURE(3, 0x32, 1, 0x70, 'C', 'u', 'r', 'v', 'e', 'd');
/* Two power supplies share a compact record. */
static const uint8_t supplies[] = { 4, 0, 0x51, 0x02, 0x1e, 0x20, 0, 0x50, 10, 1, 0x63, 0x40, 8,
	0x6f, 1, 0, 1, 0, 1, 0, 0xc0, 0, 0, 0x02, 0x81, 0, 0, 0, 0, 0, 0, 0xc3, 'P', 'S', 'U' };
/* What is not the BMC's own, and what cannot be read. */
static const uint8_t foreign[] = { 5, 0, 0x51, 0x02, 0x1e, 0x2c, 0, 0x60, 10, 1, 0x63, 0x40, 8,
	0x6f, 1, 0, 1, 0, 1, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xc3, 'M', 'E', '1' };
static const uint8_t event_only[] = { 6, 0, 0x51, 0x03, 0x0f, 0x20, 0, 0x70, 34, 1, 0x0f, 0x6f, 1,
	0, 0, 0, 0xc3, 'B', 'I', 'O' };
static const uint8_t oem[] = { 7, 0, 0x51, 0xc0, 0x04, 1, 2, 3, 4 };
static const uint8_t locator[] = { 8, 0, 0x51, 0x11, 0x0f, 0x20, 2, 0x80, 0, 0, 0x10, 1, 10, 1, 0,
	0xc4, 'P', 'S', 'U', '1' };

static int set_up(void **state)
{
	struct fake *f = fake_new();

	fake_cache_forget();
	*state = f;
	fake_add_sdr(f, inlet, sizeof(inlet));
	fake_add_sdr(f, exhaust, sizeof(exhaust));
	fake_add_sdr(f, curved, sizeof(curved));
	fake_add_sdr(f, supplies, sizeof(supplies));
	fake_add_sdr(f, foreign, sizeof(foreign));
	fake_add_sdr(f, event_only, sizeof(event_only));
	fake_add_sdr(f, oem, sizeof(oem));
	fake_add_sdr(f, locator, sizeof(locator));
	static const uint8_t readings[][5] = { { 0x30, 35, 0xc0, 0xc0, 0 },
		{ 0x31, 95, 0xc0, 0xd8, 0 }, { 0x32, 10, 0xc0, 0xc0, 0 },
		{ 0x50, 0, 0xc0, 0x01, 0x80 }, { 0x51, 0, 0xc0, 0x09, 0x80 } };
	for (size_t i = 0; i < TEST_COUNT(readings); i++) {
		memcpy(f->bmc.readings[readings[i][0]], readings[i] + 1, 4);
		f->bmc.readings_len[readings[i][0]] = 4;
	}
	static const uint8_t thresholds[] = { 0x3f, 11, 6, 0, 80, 88, 99 };
	fake_answer(f, &command_get_sensor_thresholds, thresholds, sizeof(thresholds));
	static const uint8_t factors[] = { 20, 2, 0, 0, 0, 0, 0 };
	fake_answer(f, &command_get_sensor_reading_factors, factors, sizeof(factors));
	return 0;
}

static int tear_down(void **state)
{
	fake_free(*state);
	fake_cache_forget();
	return 0;
}

/* --- Sensors. --------------------------------------------------------------------------------- */

static void check_all_sensors(const struct fake *f)
{
	fake_assert_done(f);
	assert_int_equal(pctl_value_count(fake_value(f, "sensors")), 5);
	assert_string_equal(fake_text(f, "sensors.0.name"), "Inlet");
	assert_string_equal(fake_text(f, "sensors.0.type"), "temperature");
	assert_string_equal(fake_text(f, "sensors.0.value"), "35");
	assert_string_equal(fake_text(f, "sensors.0.unit"), "C");
	assert_string_equal(fake_text(f, "sensors.0.state"), "ok");
	assert_string_equal(fake_text(f, "sensors.1.name"), "Exhaust");
	assert_string_equal(fake_text(f, "sensors.1.state"), "critical");
	assert_string_equal(fake_text(f, "sensors.1.events.1"), "upper_critical");
	assert_string_equal(fake_text(f, "sensors.1.thresholds.upper_critical"), "90");
	assert_string_equal(fake_text(f, "sensors.2.value"), "20"); /* by its own factors */
	assert_null(fake_value(f, "sensors.2.thresholds"));
	assert_string_equal(fake_text(f, "sensors.3.name"), "PSU1");
	assert_string_equal(fake_text(f, "sensors.3.type"), "power_supply");
	assert_string_equal(fake_text(f, "sensors.3.state"), "ok");
	assert_string_equal(fake_text(f, "sensors.4.name"), "PSU2");
	assert_string_equal(fake_text(f, "sensors.4.state"), "critical");
	assert_string_equal(fake_text(f, "sensors.4.events.0"), "Presence detected");
}

static void test_sensors(void **state)
{
	struct fake *f = *state;

	fake_sensors(f);
	check_all_sensors(f);
	/* Thresholds that can be set are asked for, the others are as the record says. */
	assert_string_equal(fake_text(f, "sensors.0.thresholds.upper_warning"), "80");
	assert_string_equal(fake_text(f, "sensors.1.thresholds.upper_warning"), "85");
	assert_int_equal(fake_asked(f, &command_get_sensor_thresholds), 1);
	assert_int_equal(fake_asked(f, &command_get_sdr), 8);
	assert_int_equal(fake_asked(f, &command_get_sensor_reading), 5);
	assert_int_equal(fake_cache_puts(), 1);

	/* The second time the records come from the cache. */
	fake_forget(f);
	fake_sensors(f);
	check_all_sensors(f);
	assert_int_equal(fake_asked(f, &command_get_sdr), 0);
	assert_int_equal(fake_asked(f, &command_reserve_sdr), 0);
	assert_int_equal(f->bmc.total, 2 + 5 + 1 + 1);
	assert_int_equal(fake_cache_puts(), 1);
}

/* Another firmware, another repository, a damaged file: the records are read again. */
static void test_cache_of_others(void **state)
{
	struct fake *f = *state;
	uint8_t id[] = { 0x20, 0x01, 0x03, 0x46, 0x02, 0xbf, 0x7c, 0x2a, 0x00, 0x34, 0x12 };
	uint8_t info[] = { 0x51, 9, 0, 0xff, 0xff, 0x81, 0x7b, 0xd4, 0x65, 0, 0, 0, 0, 2 };

	fake_sensors(f);
	fake_answer(f, &command_get_device_id, id, sizeof(id));
	fake_sensors(f);
	assert_int_equal(fake_cache_puts(), 2);
	fake_answer(f, &command_get_sdr_info, info, sizeof(info));
	fake_sensors(f);
	assert_int_equal(fake_cache_puts(), 3);
	fake_sensors(f);
	assert_int_equal(fake_cache_puts(), 3);
	fake_cache_damage();
	fake_sensors(f);
	check_all_sensors(f);
	assert_int_equal(fake_cache_puts(), 4);
	/* Without a time equal keys do not mean equal records: they are one BMC's. */
	memset(info + 5, 0, 4);
	fake_answer(f, &command_get_sdr_info, info, sizeof(info));
	fake_sensors(f);
	assert_int_equal(fake_cache_puts(), 5);
	fake_sensors(f);
	assert_int_equal(fake_cache_puts(), 5);
}

static void test_chunks(void **state)
{
	static const uint8_t codes[] = { 0xca, 0xc8, 0xc7, 0xff, 0xc9 };
	struct fake *f = *state;

	for (size_t i = 0; i < TEST_COUNT(codes); i++) {
		for (size_t most = 4; most < 64; most += most < 20 ? 1 : 13) {
			fake_cache_forget();
			f->bmc.most = most;
			f->bmc.too_many = codes[i];
			fake_sensors(f);
			check_all_sensors(f);
			assert_int_equal(fake_cache_puts(), 1);
		}
	}
	f->bmc.cuts = true;
	for (size_t most = 1; most < 64; most++) {
		fake_cache_forget();
		f->bmc.most = most;
		fake_sensors(f);
		check_all_sensors(f);
	}
	f->bmc.cuts = false;
	f->bmc.most = 3; /* nobody's limit */
	fake_cache_forget();
	fake_sensors(f);
	fake_assert_failed(f, PCTL_E_REFUSED, "Get SDR");
}

static void test_lost_reservations(void **state)
{
	struct fake *f = *state;

	f->bmc.lose_each = 20;
	f->bmc.most = 16;
	fake_sensors(f);
	check_all_sensors(f);
	assert_true(fake_asked(f, &command_reserve_sdr) > 2);
	fake_cache_forget();
	f->bmc.lose_each = 1;
	fake_sensors(f);
	fake_assert_failed(f, PCTL_E_PROTOCOL, "change faster");
	assert_int_equal(fake_cache_puts(), 0);
}

/* With the reservation the record may change: never half of one and half of another. */
static void test_changing_record(void **state)
{
	static const uint8_t other[] = TEMPERATURE(1, 0x31, 1, 0, 'O', 'u', 't', 'l', 'e', 't');
	struct fake *f = *state;

	for (unsigned at = 4; at < 8; at++) {
		memcpy(f->bmc.sdr, inlet, sizeof(inlet));
		f->bmc.most = 16;
		f->bmc.reserved = 0;
		f->bmc.change_at = at;
		f->bmc.changed = other;
		fake_cache_forget();
		fake_sensors(f);
		fake_assert_done(f);
		assert_string_equal(fake_text(f, "sensors.0.name"), "Outlet");
		assert_string_equal(fake_text(f, "sensors.0.value"), "95");
	}
}

static void test_no_reservations(void **state)
{
	struct fake *f = *state;

	fake_fail(f, &command_reserve_sdr, 0xc1, 0, 1000);
	fake_sensors(f);
	check_all_sensors(f);
}

static void test_endless_repository(void **state)
{
	struct fake *f = *state;

	f->bmc.endless = true;
	fake_sensors(f);
	check_all_sensors(f);
	assert_int_equal(fake_cache_puts(), 0); /* it may not be whole */
}

static void test_no_repository(void **state)
{
	struct fake *f = *state;

	fake_fail(f, &command_get_sdr_info, 0xc1, 0, 1);
	fake_sensors(f);
	fake_assert_failed(f, PCTL_E_UNSUPPORTED, "Get SDR Repository Info");
	f->bmc.sdr_len = 0;
	fake_sensors(f);
	fake_assert_done(f);
	assert_int_equal(pctl_value_count(fake_value(f, "sensors")), 0);
}

/* Long answers that never come are asked for in chunks the next time. */
static void test_silence_to_whole_records(void **state)
{
	struct fake *f = *state;

	fake_fail(f, &command_get_sdr, PCTL_E_TIMEOUT, 0, 1);
	fake_sensors(f);
	fake_assert_failed(f, PCTL_E_TIMEOUT, "Get SDR");
	assert_string_equal(fake_fact(FACT_SDR_CHUNK), "32");
	f->bmc.most = 32;
	f->bmc.too_many = 0xd0; /* no code that shrinks: asking for more would fail */
	fake_sensors(f);
	check_all_sensors(f);
}

static void test_sensors_that_fail(void **state)
{
	struct fake *f = *state;

	f->bmc.readings_len[0x30] = 0; /* CBh */
	f->bmc.readings[0x31][1] = 0xe0;
	fake_fail(f, &command_get_sensor_reading_factors, 0xcc, 0, 1);
	fake_fail(f, &command_get_sensor_reading, 0xc0, 3, 1);
	fake_fail(f, &command_get_sensor_reading, PCTL_E_TIMEOUT, 4, 1);
	fake_sensors(f);
	fake_assert_done(f);
	assert_string_equal(fake_text(f, "sensors.0.state"), "absent");
	assert_string_equal(fake_text(f, "sensors.1.state"), "unknown");
	assert_string_equal(fake_text(f, "sensors.1.value"), "(none)");
	assert_string_equal(fake_text(f, "sensors.2.state"), "ok");
	assert_string_equal(fake_text(f, "sensors.2.value"), "(none)");
	assert_string_equal(fake_text(f, "sensors.3.state"), "unknown");
	assert_string_equal(fake_text(f, "sensors.4.state"), "unknown");
}

static void test_thresholds_that_fail(void **state)
{
	struct fake *f = *state;

	fake_fail(f, &command_get_sensor_thresholds, 0xcd, 0, 1);
	fake_sensors(f);
	check_all_sensors(f);
	assert_string_equal(fake_text(f, "sensors.0.thresholds.upper_warning"), "85");
}

static void test_silent_bmc(void **state)
{
	struct fake *f = *state;

	fake_fail(f, &command_get_sensor_reading, PCTL_E_TIMEOUT, 1, 2);
	fake_sensors(f);
	fake_assert_failed(f, PCTL_E_TIMEOUT, "Get Sensor Reading");
	fake_fail(f, &command_get_sensor_reading, PCTL_E_UNREACHABLE, 3, 1);
	fake_sensors(f);
	fake_assert_failed(f, PCTL_E_UNREACHABLE, "Get Sensor Reading");
	/* Wherever it falls silent, the op ends and nothing is left. */
	for (unsigned i = 0; i < 12; i++) {
		struct fake *g = fake_new();

		fake_cache_forget();
		memcpy(g->bmc.sdr, f->bmc.sdr, sizeof(f->bmc.sdr));
		g->bmc.sdr_len = f->bmc.sdr_len;
		g->bmc.most = 16;
		fake_fail(
			g, i < 1 ? &command_get_device_id : &command_get_sdr, PCTL_E_TIMEOUT, i, 1);
		fake_sensors(g);
		fake_assert_failed(g, PCTL_E_TIMEOUT, "");
		fake_free(g);
	}
}

/* --- The event log. --------------------------------------------------------------------------- */

/* Event n: the inlet too hot by n degrees. */
static void add_event(struct fake *f, uint8_t id, uint8_t n)
{
	const uint8_t record[] = { id, 0, 2, 0x80, 0x7b, 0xd4, 0x65, 0x20, 0, 4, 1, 0x30, 1, 0x59,
		n, 90 };

	fake_add_event(f, record);
}

static void test_log(void **state)
{
	struct fake *f = *state;
	char cursor[SEL_CURSOR_SIZE];

	for (uint8_t i = 1; i <= 5; i++)
		add_event(f, i, 90 + i);
	fake_log(f, NULL);
	fake_assert_done(f);
	assert_int_equal(pctl_value_count(fake_value(f, "events")), 5);
	assert_string_equal(fake_text(f, "events.0.id"), "1");
	assert_string_equal(fake_text(f, "events.0.sensor"), "Inlet");
	assert_string_equal(fake_text(f, "events.4.event"),
		"Upper Critical - going high: read 95 C, threshold 90 C");
	assert_int_equal(fake_asked(f, &command_get_sel_entry), 5);
	assert_int_equal(fake_cache_puts(), 1);
	(void)snprintf(cursor, sizeof(cursor), "%s", fake_text(f, "cursor"));

	/* Nothing is new: three requests, and the cursor stays. */
	fake_forget(f);
	fake_log(f, cursor);
	fake_assert_done(f);
	assert_int_equal(pctl_value_count(fake_value(f, "events")), 0);
	assert_string_equal(fake_text(f, "cursor"), cursor);
	assert_int_equal(f->bmc.total, 2);

	add_event(f, 6, 99);
	fake_forget(f);
	fake_log(f, cursor);
	fake_assert_done(f);
	assert_int_equal(pctl_value_count(fake_value(f, "events")), 1);
	assert_string_equal(fake_text(f, "events.0.id"), "6");
	assert_string_not_equal(fake_text(f, "cursor"), cursor);
	assert_int_equal(fake_asked(f, &command_get_sel_entry), 2);

	/* The log was emptied and has others under the same ids. */
	f->bmc.events_n = 0;
	for (uint8_t i = 1; i <= 5; i++)
		add_event(f, i, 100);
	fake_log(f, cursor);
	assert_int_equal(pctl_value_count(fake_value(f, "events")), 5);
	/* Or has not got as far. */
	f->bmc.events_n = 0;
	add_event(f, 1, 100);
	fake_log(f, cursor);
	assert_int_equal(pctl_value_count(fake_value(f, "events")), 1);
	/* What is no cursor of ours is none. */
	fake_log(f, "0");
	assert_int_equal(pctl_value_count(fake_value(f, "events")), 1);
}

static void test_empty_log(void **state)
{
	struct fake *f = *state;
	static const uint8_t info[14] = { 0x51 };

	fake_answer(f, &command_get_sel_info, info, sizeof(info));
	fake_log(f, NULL);
	fake_assert_done(f);
	assert_int_equal(pctl_value_count(fake_value(f, "events")), 0);
	assert_null(fake_value(f, "cursor"));
	assert_int_equal(f->bmc.total, 1);
}

static void test_log_that_goes_wrong(void **state)
{
	struct fake *f = *state;

	for (uint8_t i = 1; i <= 5; i++)
		add_event(f, i, 90);
	f->bmc.endless = true;
	fake_log(f, NULL);
	fake_assert_done(f);
	assert_int_equal(pctl_value_count(fake_value(f, "events")), 5);
	f->bmc.endless = false;
	f->bmc.most = 15; /* entries only with their length said */
	fake_log(f, NULL);
	fake_assert_done(f);
	assert_int_equal(pctl_value_count(fake_value(f, "events")), 5);
	f->bmc.most = 255;
	/* Without records events have no names of sensors, but are told. */
	fake_cache_forget();
	fake_fail(f, &command_get_sdr_info, 0xc1, 0, 100);
	fake_log(f, NULL);
	fake_assert_done(f);
	assert_string_equal(fake_text(f, "events.0.sensor"), "sensor 30h");
	/* An event that came in between takes the reservation away. */
	fake_forget(f);
	fake_fail(f, &command_get_sel_entry, 0xc5, 2, 1);
	fake_log(f, NULL);
	fake_assert_done(f);
	assert_int_equal(pctl_value_count(fake_value(f, "events")), 5);
	assert_int_equal(fake_asked(f, &command_reserve_sel), 1);
	fake_forget(f);
	fake_fail(f, &command_get_sel_entry, 0xc5, 3, 1000);
	fake_log(f, NULL);
	fake_assert_failed(f, PCTL_E_BUSY, "reservation");
}

static void test_no_log(void **state)
{
	struct fake *f = *state;

	fake_log(f, NULL);
	fake_assert_failed(f, PCTL_E_UNSUPPORTED, "Get SEL Info");
	add_event(f, 1, 90);
	fake_fail(f, &command_get_sel_entry, 0x81, 0, 1);
	fake_log(f, NULL);
	fake_assert_failed(f, PCTL_E_BUSY, "being erased");
}

static void test_clear(void **state)
{
	struct fake *f = *state;

	add_event(f, 1, 90);
	f->bmc.erasing = 3;
	fake_clear(f);
	fake_assert_done(f);
	assert_true(f->committed);
	assert_int_equal(f->bmc.events_n, 0);
	assert_int_equal(fake_asked(f, &command_clear_sel), 4);
	assert_int_equal(f->bmc.last[5], 0); /* the last ones only asked how far it is */

	fake_forget(f);
	fake_fail(f, &command_clear_sel, 0xc5, 0, 1);
	fake_clear(f);
	fake_assert_done(f);
	assert_int_equal(fake_asked(f, &command_reserve_sel), 2);
	fake_forget(f);
	fake_fail(f, &command_clear_sel, 0xc5, 0, 100);
	fake_clear(f);
	fake_assert_failed(f, PCTL_E_BUSY, "reservation");
	assert_int_equal(fake_asked(f, &command_clear_sel), 3);
}

/* Erasing takes longer than there is time: nothing is left behind. */
static void test_clear_out_of_time(void **state)
{
	struct fake *f = *state;

	f->bmc.erasing = 100000;
	f->deadline_ms = 3000;
	fake_clear(f);
	assert_true(f->result.code == PCTL_E_TIMEOUT || f->result.code == PCTL_E_OUTCOME_UNKNOWN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sensors),
		TEST(test_cache_of_others),
		TEST(test_chunks),
		TEST(test_lost_reservations),
		TEST(test_changing_record),
		TEST(test_no_reservations),
		TEST(test_endless_repository),
		TEST(test_no_repository),
		TEST(test_silence_to_whole_records),
		TEST(test_sensors_that_fail),
		TEST(test_thresholds_that_fail),
		TEST(test_silent_bmc),
		TEST(test_log),
		TEST(test_empty_log),
		TEST(test_log_that_goes_wrong),
		TEST(test_no_log),
		TEST(test_clear),
		TEST(test_clear_out_of_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
