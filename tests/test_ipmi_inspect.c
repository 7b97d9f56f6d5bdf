/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Info, hardware and methods against a BMC of bytes: what they tell, ask, and do not fail of. */
#include "ipmi_fake.h"

static const uint8_t locator[] = { 8, 0, 0x51, 0x11, 0x0f, 0x20, 2, 0x80, 0, 0, 0x10, 1, 10, 1, 0,
	0xc4, 'P', 'S', 'U', '1' };
static const uint8_t empty_bay[] = { 9, 0, 0x51, 0x11, 0x0f, 0x20, 3, 0x80, 0, 0, 0x10, 1, 10, 2, 0,
	0xc4, 'P', 'S', 'U', '2' };

static int set_up(void **state)
{
	struct fake *f = fake_new();

	fake_cache_forget();
	*state = f;
	fake_add_sdr(f, locator, sizeof(locator));
	fake_add_sdr(f, empty_bay, sizeof(empty_bay));
	return 0;
}

static int tear_down(void **state)
{
	fake_free(*state);
	fake_cache_forget();
	return 0;
}

/* --- Inspecting. ------------------------------------------------------------------------------ */

static void test_info(void **state)
{
	struct fake *f = *state;
	static const uint8_t guid[] = { 0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x46, 0x88, 0x99,
		0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	static const uint8_t status[] = { 0x41, 0x12, 0, 0 };
	static const uint8_t cause[] = { 0x04, 0x01 };

	fake_answer(f, &command_get_system_guid, guid, sizeof(guid));
	fake_answer(f, &command_get_chassis_status, status, sizeof(status));
	fake_answer(f, &command_get_restart_cause, cause, sizeof(cause));
	fake_info(f);
	fake_assert_done(f);
	assert_string_equal(fake_text(f, "vendor"), "Supermicro");
	assert_string_equal(fake_text(f, "vendor_id"), "10876");
	assert_string_equal(fake_text(f, "product_id"), "0x1234");
	assert_string_equal(fake_text(f, "device_id"), "32");
	assert_string_equal(fake_text(f, "ipmi_version"), "2.0");
	assert_string_equal(fake_text(f, "firmware.version"), "3.45");
	assert_string_equal(fake_text(f, "firmware.aux"), "01020304");
	assert_int_equal(pctl_value_count(fake_value(f, "supports")), 7);
	assert_string_equal(fake_text(f, "supports.2"), "sel");
	assert_string_equal(fake_text(f, "uuid"), "00112233-4455-4677-8899-aabbccddeeff");
	assert_string_equal(fake_text(f, "power_policy"), "always-on");
	assert_string_equal(fake_text(f, "last_power_event.0"), "overload");
	assert_string_equal(fake_text(f, "last_power_event.1"), "turned on by IPMI");
	assert_string_equal(fake_text(f, "restart_cause"), "watchdog");
	assert_int_equal(fake_asked(f, &command_get_device_guid), 0);
}

static void test_info_of_little(void **state)
{
	struct fake *f = *state;
	static const uint8_t zeros[16], device[16] = { 0xff, 0xee, 0xdd, 0xcc, 0xbb, 0xaa, 0x99,
		0x88, 0x77, 0x16, 0x55, 0x44, 0x33, 0x22, 0x11, 0x00 };
	static const uint8_t status[] = { 0x61, 0 };

	fake_answer(f, &command_get_system_guid, zeros, sizeof(zeros));
	fake_answer(f, &command_get_device_guid, device, sizeof(device));
	fake_answer(f, &command_get_chassis_status, status, sizeof(status)); /* too short */
	fake_info(f);
	fake_assert_done(f);
	/* Reversed throughout, as the specification has it: only so it makes sense. */
	assert_string_equal(fake_text(f, "uuid"), "00112233-4455-1677-8899-aabbccddeeff");
	assert_null(fake_value(f, "power_policy"));
	assert_null(fake_value(f, "restart_cause"));
	fake_fail(f, &command_get_device_id, 0xc1, 1, 1);
	fake_info(f);
	fake_assert_done(f);
	assert_null(fake_value(f, "vendor"));
	fake_fail(f, &command_get_restart_cause, PCTL_E_TIMEOUT, 2, 1);
	fake_info(f);
	fake_assert_failed(f, PCTL_E_TIMEOUT, "Restart Cause");
}

static void test_guids(void **state)
{
	static const struct {
		uint8_t bytes[GUID_BYTES];
		const char *text; /* NULL: says nothing */
	} rows[] = {
		{ { 0x33, 0x22, 0x11, 0, 0x55, 0x44, 0x77, 0x16, 0xb8, 9, 1, 2, 3, 4, 5, 6 },
			"00112233-4455-1677-b809-010203040506" },
		/* As the specification has it, and as RFC 4122 has it. */
		{ { 6, 5, 4, 3, 2, 1, 9, 0xb8, 0x77, 0x16, 0x55, 0x44, 0x33, 0x22, 0x11, 0 },
			"00112233-4455-1677-b809-010203040506" },
		{ { 0x53, 0x3b, 0xcb, 0x3c, 0x1e, 0x25, 0x43, 0x7b, 0x9c, 0x8d, 1, 2, 3, 4, 5, 6 },
			"533bcb3c-1e25-437b-9c8d-010203040506" },
		{ { 0x53, 0x3b, 0xcb, 0x3c, 0x1e, 0x25, 0x43, 0, 0x9c, 0x4d, 1, 2, 3, 4, 5, 6 },
			"533bcb3c-1e25-4300-9c4d-010203040506" },
		/* None of them: SMBIOS's. */
		{ { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 },
			"04030201-0605-0807-090a-0b0c0d0e0f10" },
		{ { 0 }, NULL },
		{ { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			  0xff, 0xff, 0xff },
			NULL },
	};
	char text[GUID_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		assert_int_equal(guid_format(rows[i].bytes, text), rows[i].text != NULL);
		if (rows[i].text)
			assert_string_equal(text, rows[i].text);
	}
}

/* Header, and a product area: "ACME" "Box", all in 8-bit ASCII. */
static const uint8_t fru[] = { 1, 0, 0, 0, 1, 0, 0, 0xfe, 1, 3, 25, 0xc4, 'A', 'C', 'M', 'E', 0xc3,
	'B', 'o', 'x', 0xc2, 'P', '1', 0xc0, 0xc2, 'S', '1', 0xc1, 0, 0, 0, 0x13 };

static void test_hardware(void **state)
{
	struct fake *f = *state;

	f->bmc.frus[0] = f->bmc.frus[2] = fru;
	f->bmc.frus_len[0] = 256; /* says more than it needs */
	f->bmc.frus_len[0] = f->bmc.frus_len[2] = sizeof(fru);
	for (size_t most = 4; most < 70; most += 3) {
		for (int words = 0; words < 2; words++) {
			f->bmc.most = most;
			f->bmc.words = words;
			fake_hardware(f);
			fake_assert_done(f);
			assert_string_equal(fake_text(f, "product.manufacturer"), "ACME");
			assert_string_equal(fake_text(f, "product.serial"), "S1");
			assert_string_equal(fake_text(f, "product.checksum"), "(none)");
			assert_int_equal(pctl_value_count(fake_value(f, "parts")), 1);
			assert_string_equal(fake_text(f, "parts.0.name"), "PSU1");
			assert_string_equal(fake_text(f, "parts.0.type"), "power_supply");
			assert_string_equal(fake_text(f, "parts.0.product"), "Box");
			assert_string_equal(fake_text(f, "parts.0.serial"), "S1");
		}
	}
}

static void test_hardware_that_goes_wrong(void **state)
{
	struct fake *f = *state;

	fake_hardware(f);
	fake_assert_failed(f, PCTL_E_UNSUPPORTED, "Get FRU Inventory Area Info");
	f->bmc.frus[0] = fru;
	f->bmc.frus_len[0] = 20; /* it ends amid its area */
	fake_hardware(f);
	fake_assert_done(f);
	assert_string_equal(fake_text(f, "product.manufacturer"), "ACME");
	assert_string_equal(fake_text(f, "product.checksum"), "wrong");
	assert_null(fake_value(f, "parts"));
	f->bmc.words = true; /* and has half a word at its end */
	f->bmc.frus_len[0] = 21;
	fake_hardware(f);
	fake_assert_done(f);
	f->bmc.words = false;
	f->bmc.frus_len[0] = sizeof(fru);
	fake_forget(f);
	fake_fail(f, &command_read_fru, 0x81, 0, 3); /* busy, for a while */
	fake_hardware(f);
	fake_assert_done(f);
	assert_int_equal(fake_asked(f, &command_read_fru), 3 + 3);
	static const uint8_t blank[64] = { 0xff };
	f->bmc.frus[0] = blank;
	fake_hardware(f);
	fake_assert_failed(f, PCTL_E_UNSUPPORTED, "no FRU information");
}

/* --- Methods. --------------------------------------------------------------------------------- */

static struct pctl_value *arguments(const char *key, const char *value, const char *key2,
	const char *value2, const char *key3, const char *value3)
{
	struct pctl_value *map = pctl_value_new_map();

	pctl_value_set_text(map, key, value);
	if (key2)
		pctl_value_set_text(map, key2, value2);
	if (key3)
		pctl_value_set_text(map, key3, value3);
	return map;
}

static void test_policy(void **state)
{
	struct fake *f = *state;
	static const uint8_t status[] = { 0x21, 0, 0 }, supports[] = { 7 };

	fake_answer(f, &command_get_chassis_status, status, sizeof(status));
	fake_answer(f, &command_set_power_restore_policy, supports, sizeof(supports));
	fake_method(f, "policy", pctl_value_new_map());
	fake_assert_done(f);
	assert_string_equal(fake_text(f, "policy"), "previous");
	assert_false(f->committed);
	fake_forget(f);
	fake_method(f, "policy", arguments("set", "always-on", NULL, NULL, NULL, NULL));
	fake_assert_done(f);
	assert_true(f->committed);
	assert_int_equal(fake_asked(f, &command_set_power_restore_policy), 1);
	assert_string_equal(
		fake_text(f, "policy"), "previous"); /* what it says, not what was wished */
}

static void test_raw(void **state)
{
	struct fake *f = *state;
	static const struct {
		const char *netfn, *command, *data, *bad;
		uint8_t bytes[4];
		size_t len;
	} rows[] = {
		{ "06", "3b", "", NULL, { 0 }, 0 },
		{ "0x06", "0x3B", "0x01 02,0xFf", NULL, { 1, 2, 0xff }, 3 },
		{ "6", "1", "0102ff", NULL, { 1, 2, 0xff }, 3 },
		{ "6", "1", " 1 2 f ", NULL, { 1, 2, 0xf }, 3 },
		{ "07", "01", "", "netfn", { 0 }, 0 },
		{ "40", "01", "", "netfn", { 0 }, 0 },
		{ "", "01", "", "netfn", { 0 }, 0 },
		{ "06", "100", "", "command", { 0 }, 0 },
		{ "06", "xy", "", "command", { 0 }, 0 },
		{ "06", "01 02", "", "command", { 0 }, 0 },
		{ "06", "01", "0x", "data", { 0 }, 0 },
		{ "06", "01", "01 0g", "data", { 0 }, 0 },
		{ "06", "01", "011", "data", { 0 }, 0 },
	};

	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		fake_method(f, "raw",
			arguments("netfn", rows[i].netfn, "command", rows[i].command, "data",
				rows[i].data));
		if (rows[i].bad) {
			fake_assert_failed(f, PCTL_E_CONFIG, rows[i].bad);
			continue;
		}
		fake_assert_failed(f, PCTL_E_UNSUPPORTED, "completion code C1h");
		assert_true(f->committed);
		assert_int_equal(f->bmc.last_len, rows[i].len);
		assert_memory_equal(f->bmc.last, rows[i].bytes, rows[i].len);
	}
	/* 64 bytes are the most. */
	char most[131];
	memset(most, '1', sizeof(most));
	most[128] = '\0';
	fake_method(f, "raw", arguments("netfn", "06", "command", "01", "data", most));
	assert_int_equal(f->bmc.last_len, 64);
	most[128] = '1';
	most[130] = '\0';
	fake_method(f, "raw", arguments("netfn", "06", "command", "01", "data", most));
	fake_assert_failed(f, PCTL_E_CONFIG, "data");
}

static void test_restart_cause(void **state)
{
	struct fake *f = *state;
	static const uint8_t cause[] = { 0xf1, 0x0f };

	fake_answer(f, &command_get_restart_cause, cause, sizeof(cause));
	fake_method(f, "restart-cause", pctl_value_new_map());
	fake_assert_done(f);
	assert_string_equal(fake_text(f, "restart_cause"), "chassis control");
	assert_int_equal(pctl_value_int(fake_value(f, "channel")), 15);
}

/* It answers on for a while, is gone, refuses, is not ready, and is back. */
static void test_reset(void **state)
{
	struct fake *f = *state;

	fake_answer(f, &command_cold_reset, "", 0);
	fake_fail(f, &command_get_device_id, PCTL_E_TIMEOUT, 3, 1);
	fake_fail(f, &command_get_device_id, PCTL_E_UNREACHABLE, 4, 3);
	fake_fail(f, &command_get_device_id, PCTL_E_AUTH, 7, 1);
	fake_fail(f, &command_get_device_id, 0xd2, 8, 2);
	fake_method(f, "bmc-reset", pctl_value_new_map());
	fake_assert_done(f);
	assert_true(f->committed);
	assert_int_equal(fake_asked(f, &command_cold_reset), 1);
	assert_int_equal(fake_asked(f, &command_get_device_id), 11);
	assert_true(pctl_value_bool(fake_value(f, "restarted")));
	assert_string_equal(fake_text(f, "kind"), "cold");
}

static void test_reset_that_keeps_its_session(void **state)
{
	struct fake *f = *state;

	fake_answer(f, &command_warm_reset, "", 0);
	fake_method(f, "bmc-reset", arguments("kind", "warm", NULL, NULL, NULL, NULL));
	fake_assert_done(f);
	assert_false(pctl_value_bool(fake_value(f, "restarted")));
	assert_true(fake_asked(f, &command_get_device_id) >= 10);
}

static void test_reset_that_fails(void **state)
{
	struct fake *f = *state;

	fake_method(f, "bmc-reset", pctl_value_new_map());
	fake_assert_failed(f, PCTL_E_UNSUPPORTED, "Cold Reset");
	fake_answer(f, &command_cold_reset, "", 0);
	/* A password that is refused twice is not tried a third time. */
	fake_fail(f, &command_get_device_id, PCTL_E_AUTH, 0, 100);
	fake_method(f, "bmc-reset", pctl_value_new_map());
	fake_assert_failed(f, PCTL_E_AUTH, "");
	assert_int_equal(fake_asked(f, &command_get_device_id), 2);
}

static void test_reset_without_an_answer(void **state)
{
	struct fake *f = *state;

	fake_fail(f, &command_cold_reset, PCTL_E_TIMEOUT, 0, 1);
	fake_method(f, "bmc-reset", pctl_value_new_map());
	fake_assert_done(f);
	assert_true(pctl_value_bool(fake_value(f, "restarted")));
	assert_int_equal(fake_asked(f, &command_cold_reset), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_info),
		TEST(test_info_of_little),
		TEST(test_guids),
		TEST(test_hardware),
		TEST(test_hardware_that_goes_wrong),
		TEST(test_policy),
		TEST(test_raw),
		TEST(test_restart_cause),
		TEST(test_reset),
		TEST(test_reset_that_keeps_its_session),
		TEST(test_reset_that_fails),
		TEST(test_reset_without_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
