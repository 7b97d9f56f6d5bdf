/* SPDX-License-Identifier: Apache-2.0 */
/* The small things everything stands on: buffers, numbers, errors, secrets, values, maps. */
#include "test.h"

#include <errno.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>
#include <powerctl/secret.h>
#include <powerctl/value.h>

#include "base/strmap.h"

static void test_buf_keeps_its_limit(void **state)
{
	struct pctl_buf buf;

	(void)state;
	pctl_buf_init(&buf, 10);
	assert_string_equal(buf.data, "");
	pctl_buf_adds(&buf, "12345");
	pctl_buf_addf(&buf, "%s", "67890");
	assert_false(buf.full);
	assert_string_equal(buf.data, "1234567890");
	pctl_buf_adds(&buf, "x");
	assert_true(buf.full);
	assert_int_equal(buf.len, 10);
	pctl_buf_cut(&buf, 3);
	assert_false(buf.full);
	assert_string_equal(buf.data, "123");
	pctl_buf_done(&buf);
}

static void test_buf_formats_what_is_long(void **state)
{
	struct pctl_buf buf;

	(void)state;
	pctl_buf_init(&buf, 1000);
	pctl_buf_addf(&buf, "%0700d", 7);
	assert_int_equal(buf.len, 700);
	assert_int_equal(buf.data[699], '7');
	pctl_buf_addf(&buf, "%0700d", 7);
	assert_true(buf.full);
	assert_int_equal(buf.len, 700);
	char *s = pctl_buf_steal(&buf);
	assert_int_equal(strlen(s), 700);
	free(s);
	pctl_buf_done(&buf);
}

static void test_uint_is_strict(void **state)
{
	static const char *const bad[] = { "", " 1", "1 ", "-1", "+1", "0x1", "1.0", "11", "x",
		"18446744073709551616" };
	uint64_t n = 99;

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(bad); i++)
		assert_true(pctl_parse_uint(bad[i], 10, &n) < 0);
	assert_int_equal(n, 99);
	assert_int_equal(pctl_parse_uint("10", 10, &n), 0);
	assert_int_equal(n, 10);
	assert_int_equal(pctl_parse_uint("18446744073709551615", UINT64_MAX, &n), 0);
	assert_true(n == UINT64_MAX);
	assert_true(pctl_parse_uint("18446744073709551616", UINT64_MAX, &n) < 0);
}

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} good[] = { { "500ms", 500 }, { "60s", 60000 }, { "2m", 120000 }, { "1h", 3600000 },
		{ "5", 5000 }, { "0.5", 500 }, { "1.5s", 1500 }, { "0", 0 } };
	static const char *const bad[] = { "", "ms", "5x", "5 s", "-1", "1..5", ".", "s", "1e3",
		"99999999999" };
	uint64_t ms = 7;

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(good); i++) {
		assert_int_equal(pctl_parse_duration(good[i].text, &ms), 0);
		assert_int_equal(ms, good[i].ms);
	}
	ms = 7;
	for (size_t i = 0; i < TEST_COUNT(bad); i++)
		assert_true(pctl_parse_duration(bad[i], &ms) < 0);
	assert_int_equal(ms, 7);
}

static void test_durations_for_people(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(pctl_format_duration(500, buf, sizeof(buf)), "500 ms");
	assert_string_equal(pctl_format_duration(6000, buf, sizeof(buf)), "6 s");
	assert_string_equal(pctl_format_duration(1500, buf, sizeof(buf)), "1.5 s");
	assert_string_equal(pctl_format_duration(120000, buf, sizeof(buf)), "2 m");
	assert_string_equal(pctl_format_duration(90000, buf, sizeof(buf)), "90 s");
}

static void test_nearest_word(void **state)
{
	static const char *const words[] = { "status", "reboot", "reset", "on", "off", NULL };

	(void)state;
	assert_string_equal(pctl_parse_nearest("stauts", words), "status");
	assert_string_equal(pctl_parse_nearest("rebot", words), "reboot");
	assert_null(pctl_parse_nearest("xyzzy", words));
	assert_string_equal(pctl_parse_nearest("of", words), "off");
	assert_null(pctl_parse_nearest("xn", words)); /* too short to guess */
	assert_null(pctl_parse_nearest("", words));
}

static void test_error_texts_are_one_line(void **state)
{
	struct pctl_error err = { 0 };

	(void)state;
	assert_int_equal(
		pctl_error_set(&err, PCTL_E_BUSY, "two\nlines\tand %s", "\x1b[31m"), PCTL_E_BUSY);
	assert_string_equal(err.text, "two lines and  [31m");
	assert_int_equal(pctl_error_device_code(&err, "HTTP %d", 503), PCTL_E_BUSY);
	assert_string_equal(err.device_code, "HTTP 503");
	assert_int_equal(pctl_error_set(NULL, PCTL_E_AUTH, "x"), PCTL_E_AUTH);
}

static void test_every_class_has_a_name(void **state)
{
	(void)state;
	for (int code = PCTL_E_CONFIG; code >= PCTL_E_INTERNAL; code--)
		assert_non_null(pctl_error_name(code));
	assert_null(pctl_error_name(0));
	assert_null(pctl_error_name(PCTL_E_INTERNAL - 1));
	assert_true(pctl_error_retried(PCTL_E_BUSY));
	assert_false(pctl_error_retried(PCTL_E_AUTH));
	assert_false(pctl_error_retried(PCTL_E_OUTCOME_UNKNOWN));
	assert_int_equal(pctl_error_from_errno(ECONNREFUSED), PCTL_E_UNREACHABLE);
	struct pctl_error flagged = { 0 };
	pctl_error_set(&flagged, PCTL_E_BUSY, "x");
	assert_int_equal(pctl_error_flag(&flagged, PCTL_ERROR_SILENT), PCTL_E_BUSY);
	assert_int_equal(pctl_error_flag(&flagged, PCTL_ERROR_NOT_LISTENING), PCTL_E_BUSY);
	assert_int_equal(flagged.flags, PCTL_ERROR_SILENT | PCTL_ERROR_NOT_LISTENING);
	pctl_error_set(&flagged, PCTL_E_BUSY, "y");
	assert_int_equal(flagged.flags, 0);
	assert_int_equal(pctl_error_flag(NULL, PCTL_ERROR_SILENT), 0);
	assert_int_equal(pctl_error_device_code(NULL, "x"), 0);
	assert_int_equal(pctl_error_from_errno(ENOSPC), PCTL_E_INTERNAL);
}

static void test_secret(void **state)
{
	char big[PCTL_SECRET_MAX + 1] = { 0 };

	(void)state;
	struct pctl_secret *s = pctl_secret_new("a\0b", 3);
	struct pctl_secret *copy = pctl_secret_copy(s);
	pctl_secret_free(s);
	assert_int_equal(pctl_secret_len(copy), 3);
	assert_memory_equal(pctl_secret_data(copy), "a\0b", 4);
	pctl_secret_free(copy);
	assert_null(pctl_secret_new(big, sizeof(big)));
	assert_null(pctl_secret_copy(NULL));
	pctl_secret_free(NULL);
}

static void test_values_merge_maps_and_replace_lists(void **state)
{
	(void)state;
	struct pctl_value *base = pctl_value_new_map(), *over = pctl_value_new_map();
	struct pctl_value *inner = pctl_value_new_map(), *inner2 = pctl_value_new_map();
	struct pctl_value *list = pctl_value_new_list();

	pctl_value_set_text(inner, "driver", "x");
	pctl_value_set_text(inner, "keep", "yes");
	pctl_value_set(base, "console", inner);
	pctl_value_set_text(base, "list", "old");
	pctl_value_set_text(inner2, "driver", "y");
	pctl_value_set(over, "console", inner2);
	pctl_value_add(list, pctl_value_new_int(1));
	pctl_value_set(over, "list", list);
	pctl_value_merge(base, over);
	pctl_value_free(over);

	const struct pctl_value *console = pctl_value_get(base, "console");
	assert_string_equal(pctl_value_text(pctl_value_get(console, "driver")), "y");
	assert_string_equal(pctl_value_text(pctl_value_get(console, "keep")), "yes");
	assert_int_equal(pctl_value_count(pctl_value_get(base, "list")), 1);
	assert_true(pctl_value_unset(base, "list"));
	assert_false(pctl_value_unset(base, "list"));
	assert_string_equal(pctl_value_key_at(base, 0), "console");
	assert_null(pctl_value_at(base, 1));
	pctl_value_free(base);
}

static void count_entries(void *data, const char *key, void *value)
{
	(void)key, (void)value;
	(*(size_t *)data)++;
}

static void test_strmap_survives_removals(void **state)
{
	struct pctl_strmap map = { 0 };
	char key[16];
	size_t n = 0;

	(void)state;
	assert_null(pctl_strmap_get(&map, "x"));
	assert_null(pctl_strmap_remove(&map, "x"));
	for (uintptr_t i = 1; i <= 1000; i++) {
		(void)snprintf(key, sizeof(key), "k%u", (unsigned)i);
		*pctl_strmap_put(&map, key) = (void *)i;
	}
	for (uintptr_t i = 1; i <= 1000; i += 3) {
		(void)snprintf(key, sizeof(key), "k%u", (unsigned)i);
		assert_ptr_equal(pctl_strmap_remove(&map, key), (void *)i);
	}
	for (uintptr_t i = 1; i <= 1000; i++) {
		(void)snprintf(key, sizeof(key), "k%u", (unsigned)i);
		assert_ptr_equal(pctl_strmap_get(&map, key), i % 3 == 1 ? NULL : (void *)i);
	}
	pctl_strmap_each(&map, count_entries, &n);
	assert_int_equal(n, 666);
	pctl_strmap_done(&map);
}

static void test_a_shortage_is_told_apart(void **state)
{
	static const int few[] = { EMFILE, ENFILE, ENOBUFS, ENOMEM };
	struct pctl_error err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(few) / sizeof(few[0]); i++) {
		assert_true(pctl_error_shortage(&err, few[i]));
		assert_int_equal(err.code, PCTL_E_INTERNAL);
		assert_non_null(strstr(err.text, "--fanout"));
		assert_true(pctl_error_is_shortage(&err));
		assert_true(pctl_error_shortage(NULL, few[i]));
	}
	pctl_error_set(&err, PCTL_E_REFUSED, "no");
	assert_false(pctl_error_shortage(&err, ECONNREFUSED));
	assert_int_equal(err.code, PCTL_E_REFUSED);
	assert_false(pctl_error_is_shortage(&err));
	pctl_error_device_code(&err, "EMFILE"); /* a device that says so */
	assert_false(pctl_error_is_shortage(&err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_shortage_is_told_apart),
		cmocka_unit_test(test_buf_keeps_its_limit),
		cmocka_unit_test(test_buf_formats_what_is_long),
		cmocka_unit_test(test_uint_is_strict),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_durations_for_people),
		cmocka_unit_test(test_nearest_word),
		cmocka_unit_test(test_error_texts_are_one_line),
		cmocka_unit_test(test_every_class_has_a_name),
		cmocka_unit_test(test_secret),
		cmocka_unit_test(test_values_merge_maps_and_replace_lists),
		cmocka_unit_test(test_strmap_survives_removals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
