/* SPDX-License-Identifier: Apache-2.0 */
/* Findings: their words, and where clocks and certificates begin to be some. */
#include "test.h"

#include <time.h>

#include <powerctl/finding.h>

#define DAY (24 * 3600)

static const char *text_of(const struct pctl_value *map, const char *key)
{
	const char *s = pctl_value_text(pctl_value_get(map, key));

	return s ? s : "(none)";
}

static const struct pctl_value *last_of(const struct pctl_value *ret)
{
	const struct pctl_value *list = pctl_value_get(ret, "findings");

	return pctl_value_at(list, pctl_value_count(list) - 1);
}

static void test_words(void **state)
{
	struct pctl_value *ret = pctl_value_new_map();

	(void)state;
	assert_string_equal(pctl_finding_class_name(PCTL_FINDING_FAULT), "fault");
	assert_string_equal(pctl_finding_class_name(PCTL_FINDING_WARNING), "warning");
	assert_string_equal(pctl_finding_class_name(PCTL_FINDING_INFO), "info");
	assert_null(pctl_finding_class_name((enum pctl_finding_class)3));
	for (int how = PCTL_FINDING_FAULT; how <= PCTL_FINDING_INFO; how++)
		assert_int_equal(pctl_finding_class_of(
					 pctl_finding_class_name((enum pctl_finding_class)how)),
			how);
	assert_int_equal(pctl_finding_class_of("critical"), PCTL_FINDING_FAULT);
	assert_int_equal(pctl_finding_class_of(NULL), PCTL_FINDING_FAULT);
	struct pctl_value *map =
		pctl_finding_add(ret, PCTL_FINDING_INFO, "colour", NULL, "it is %s", "blue");
	pctl_value_set_int(map, "shade", 7);
	(void)pctl_finding_add(ret, PCTL_FINDING_FAULT, "fire", "water", "it burns");
	const struct pctl_value *list = pctl_value_get(ret, "findings");
	assert_int_equal(pctl_value_count(list), 2);
	const struct pctl_value *first = pctl_value_at(list, 0);
	assert_string_equal(text_of(first, "class"), "info");
	assert_string_equal(text_of(first, "name"), "colour");
	assert_string_equal(text_of(first, "what"), "it is blue");
	assert_null(pctl_value_get(first, "mend"));
	assert_int_equal(pctl_value_int(pctl_value_get(first, "shade")), 7);
	assert_string_equal(text_of(last_of(ret), "mend"), "water");
	pctl_value_free(ret);
}

static void test_clock(void **state)
{
	static const struct {
		int64_t skew;
		const char *what; /* NULL: none */
	} rows[] = {
		{ 0, NULL },
		{ 290, NULL },
		{ -290, NULL },
		{ 310, "its clock is minutes ahead of this host's" },
		{ -310, "its clock is minutes behind this host's" },
		{ -3500, "its clock is minutes behind this host's" },
		{ -3700, "its clock is hours behind this host's" },
		{ DAY - 100, "its clock is hours ahead of this host's" },
		{ DAY + 100, "its clock is days ahead of this host's" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pctl_value *ret = pctl_value_new_map();
		bool found = pctl_finding_clock(ret, (int64_t)time(NULL) + rows[i].skew, "set it");

		assert_int_equal(found, rows[i].what != NULL);
		if (!found) {
			assert_null(pctl_value_get(ret, "findings"));
		} else {
			int64_t skew = pctl_value_int(pctl_value_get(last_of(ret), "skew_s"));
			assert_string_equal(text_of(last_of(ret), "what"), rows[i].what);
			assert_string_equal(text_of(last_of(ret), "class"), "warning");
			assert_string_equal(text_of(last_of(ret), "mend"), "set it");
			assert_in_range(rows[i].skew - skew + 60, 0, 60);
		}
		pctl_value_free(ret);
	}
}

static void test_clock_never_set(void **state)
{
	struct pctl_value *ret = pctl_value_new_map();

	(void)state;
	assert_true(pctl_finding_clock(ret, 1262303999, NULL));
	assert_string_equal(text_of(last_of(ret), "what"), "its clock was never set");
	assert_true(pctl_finding_clock(ret, 1262304000, NULL));
	assert_string_equal(text_of(last_of(ret), "what"), "its clock is days behind this host's");
	assert_true(pctl_finding_clock(ret, 0, NULL));
	assert_string_equal(text_of(last_of(ret), "what"), "its clock was never set");
	pctl_value_free(ret);
}

static void test_certificate(void **state)
{
	static const struct {
		int64_t from, until; /* from now */
		const char *class, *what;
	} rows[] = {
		{ -DAY, 31 * DAY, NULL, NULL },
		{ -DAY, 30 * DAY - 60, "warning",
			"its TLS certificate expires in less than 30 days" },
		{ -DAY, 60, "warning", "its TLS certificate expires in less than 30 days" },
		{ -DAY, 0, "fault", "its TLS certificate has expired" },
		{ -DAY, -60, "fault", "its TLS certificate has expired" },
		{ 120, 300 * DAY, "fault", "its TLS certificate is not valid yet" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pctl_value *ret = pctl_value_new_map();
		int64_t now = (int64_t)time(NULL);
		bool found = pctl_finding_certificate(
			ret, now + rows[i].from, now + rows[i].until, "renew it");

		assert_int_equal(found, rows[i].what != NULL);
		if (found) {
			assert_string_equal(text_of(last_of(ret), "class"), rows[i].class);
			assert_string_equal(text_of(last_of(ret), "what"), rows[i].what);
			assert_non_null(strstr(text_of(last_of(ret), "not_after"), "T"));
			assert_non_null(strstr(text_of(last_of(ret), "not_before"), "Z"));
		}
		pctl_value_free(ret);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_clock_never_set),
		cmocka_unit_test(test_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
