/* SPDX-License-Identifier: Apache-2.0 */
/* The set: what is in it, in which order, and the natural order. */
#include "test.h"

#include <powerctl/nodeset.h>

#include "names/names.h"

static void test_each_name_once_in_order(void **state)
{
	struct pctl_names *names = pctl_names_new();

	(void)state;
	assert_int_equal(pctl_names_count(names), 0);
	assert_false(pctl_names_has(names, "b"));
	assert_true(pctl_names_add(names, "b"));
	assert_true(pctl_names_add(names, "a"));
	assert_false(pctl_names_add(names, "b"));
	assert_true(pctl_names_add(names, "ab"));
	assert_int_equal(pctl_names_count(names), 3);
	assert_string_equal(pctl_names_at(names, 0), "b");
	assert_string_equal(pctl_names_at(names, 1), "a");
	assert_string_equal(pctl_names_at(names, 2), "ab");
	assert_true(pctl_names_has(names, "ab"));
	assert_false(pctl_names_has(names, "abc"));
	assert_false(pctl_names_has(names, ""));
	pctl_names_free(names);
	pctl_names_free(NULL);
}

static void test_it_keeps_copies(void **state)
{
	struct pctl_names *names = pctl_names_new();
	char name[] = "n1";

	(void)state;
	pctl_names_add(names, name);
	const char *kept = pctl_names_at(names, 0);
	name[1] = '2';
	assert_true(pctl_names_add(names, name));
	for (int i = 0; i < 10000; i++) {
		char other[16];

		(void)snprintf(other, sizeof(other), "x%d", i);
		assert_true(pctl_names_add(names, other));
	}
	assert_ptr_equal(kept, pctl_names_at(names, 0));
	assert_string_equal(kept, "n1");
	pctl_names_free(names);
}

/* Enough to grow the table many times, and texts larger than a block. */
static void test_many_and_long(void **state)
{
	static char name[3000000];
	struct pctl_names *names = pctl_names_new();

	(void)state;
	for (size_t len = 1; len < sizeof(name); len *= 3) {
		memset(name, 'x', len);
		assert_true(pctl_names_add(names, name));
		assert_false(pctl_names_add(names, name));
	}
	for (int i = 0; i < 50000; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		assert_true(pctl_names_add(names, name));
	}
	for (int i = 0; i < 50001; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(pctl_names_has(names, name), i < 50000);
	}
	pctl_names_free(names);
}

static void test_numbers_of_texts(void **state)
{
	struct pctl_names names = { 0 };

	(void)state;
	assert_true(pctl_names_find(&names, "a") == SIZE_MAX);
	assert_int_equal(pctl_names_put(&names, "abc", 2), 0);
	assert_int_equal(pctl_names_put(&names, "abc", 3), 1);
	assert_int_equal(pctl_names_put(&names, "ab", 2), 0);
	assert_int_equal(pctl_names_find(&names, "abc"), 1);
	assert_true(pctl_names_find(&names, "a") == SIZE_MAX);
	pctl_names_done(&names);
}

/* Each is before all that follow. */
static const char *const ordered[] = { "", "1", "01", "2", "02", "10", "a", "a0", "a00", "a1",
	"a1b", "a01b", "a1b2", "a01b2", "a1b10", "a2", "a10", "aa", "ab1", "b", "n-1", "n1n1",
	"n1n01", "n01n1", "n1n2", "n2", "n08", "n9", "n009", "n10", "n10x", "n11",
	"n12345678901234567890", "n12345678901234567891", "n100000000000000000000", "na",
	"n\xc3\xbc" };

static void test_natural_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < TEST_COUNT(ordered); i++) {
		for (size_t k = 0; k < TEST_COUNT(ordered); k++) {
			int order = pctl_names_compare(ordered[i], ordered[k]);

			if ((order > 0) - (order < 0) != (i > k) - (i < k))
				fail_msg("'%s' and '%s': %d", ordered[i], ordered[k], order);
		}
	}
}

static void test_sorting_keeps_the_set(void **state)
{
	struct pctl_names *names = pctl_names_new();

	(void)state;
	pctl_names_sort(names);
	for (size_t i = 0; i < TEST_COUNT(ordered); i++)
		pctl_names_add(names, ordered[i * 7 % TEST_COUNT(ordered)]);
	assert_int_equal(pctl_names_count(names), TEST_COUNT(ordered));
	for (int twice = 0; twice < 2; twice++) {
		pctl_names_sort(names);
		for (size_t i = 0; i < TEST_COUNT(ordered); i++) {
			assert_string_equal(pctl_names_at(names, i), ordered[i]);
			assert_int_equal(pctl_names_find(names, ordered[i]), i);
		}
	}
	assert_false(pctl_names_add(names, "n10"));
	assert_true(pctl_names_add(names, "new"));
	pctl_names_free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_name_once_in_order),
		cmocka_unit_test(test_it_keeps_copies),
		cmocka_unit_test(test_many_and_long),
		cmocka_unit_test(test_numbers_of_texts),
		cmocka_unit_test(test_natural_order),
		cmocka_unit_test(test_sorting_keeps_the_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
