/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which cipher suites a BMC takes, by LAN parameters 23 and 24. */
#include "test.h"

#include "suites.h"

static void test_levels(void **state)
{
	const uint8_t list[] = { 0, 0, 1, 3, 17 }, levels[] = { 0, 0x40, 0x04, 0, 0, 0, 0, 0, 0 };
	struct suites s;

	(void)state;
	suites_read(list, sizeof(list), &s);
	assert_int_equal(s.n, 4);
	assert_false(suites_takes(&s, 0, levels, sizeof(levels)));
	assert_true(suites_takes(&s, 1, levels, sizeof(levels)));
	assert_true(suites_takes(&s, 3, levels, sizeof(levels)));
	assert_false(suites_takes(&s, 17, levels, sizeof(levels)));
	assert_false(suites_takes(&s, 2, levels, sizeof(levels)));
}

/* What is cut says nothing, and what is too long is not read. */
static void test_odd_lengths(void **state)
{
	uint8_t list[40] = { 0 };
	const uint8_t levels[] = { 0x44, 0x44 };
	struct suites s;

	(void)state;
	suites_read(list, 0, &s);
	assert_int_equal(s.n, 0);
	suites_read(list, 1, &s);
	assert_int_equal(s.n, 0);
	for (uint8_t i = 1; i < sizeof(list); i++)
		list[i] = (uint8_t)(i - 1);
	suites_read(list, sizeof(list), &s);
	assert_int_equal(s.n, SUITES_IDS_MAX);
	assert_true(suites_takes(&s, 1, levels, sizeof(levels)));
	assert_false(suites_takes(&s, 2, levels, sizeof(levels)));
	assert_false(suites_takes(&s, 15, levels, sizeof(levels)));
	assert_false(suites_takes(&s, 0, levels, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_odd_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
