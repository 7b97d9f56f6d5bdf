/* SPDX-License-Identifier: Apache-2.0 */
/* One pattern: what it stands for, in which order, and where its mistakes are. */
#include "test.h"

#include <powerctl/buf.h>
#include <powerctl/mem.h>
#include <powerctl/nodeset.h>

static int add_word(void *data, size_t i, const char *name)
{
	struct pctl_buf *out = data;

	pctl_buf_addf(out, i ? " %s" : "%s", name);
	return 0;
}

/* Checks each, count and at with one pattern. */
static void check(const char *pattern, const char *names)
{
	struct pctl_error err = { 0 };
	struct pctl_buf by_each, by_at;
	uint64_t count = 0;

	pctl_buf_init(&by_each, 100000);
	pctl_buf_init(&by_at, 100000);
	if (pctl_range_each(pattern, add_word, &by_each, NULL, &err) < 0)
		fail_msg("%s: %s", pattern, err.text);
	assert_string_equal(by_each.data, names);
	assert_int_equal(pctl_range_count(pattern, &count, NULL, NULL), 0);
	for (uint64_t i = 0; i < count; i++) {
		PCTL_AUTO(free) char *name = pctl_range_at(pattern, i);

		(void)add_word(&by_at, i, name);
	}
	assert_string_equal(by_at.data, names);
	pctl_buf_done(&by_each);
	pctl_buf_done(&by_at);
}

static void test_names(void **state)
{
	(void)state;
	check("n", "n");
	check("n1", "n1");
	check("rack-3.n_1:a", "rack-3.n_1:a");
	check("k\xc3\xbc[1-2]", "k\xc3\xbc"
				"1 k\xc3\xbc"
				"2");
	check("n[1-3]", "n1 n2 n3");
	check("n[3]", "n3");
	check("n[1-3,7]s", "n1s n2s n3s n7s");
	check("[8-10]", "8 9 10");
	check("10.0.0.[11-13]", "10.0.0.11 10.0.0.12 10.0.0.13");
	check("n[ 1 - 2 , 4 ]", "n1 n2 n4");
}

static void test_padding_is_kept(void **state)
{
	(void)state;
	check("n[09-11]", "n09 n10 n11");
	check("n[9-11]", "n9 n10 n11");
	check("n[098-102]", "n098 n099 n100 n101 n102");
	check("n[1-3,7,010-012]", "n1 n2 n3 n7 n010 n011 n012");
	check("n[0,00,000]", "n0 n00 n000");
	check("n[0-2]", "n0 n1 n2");
	check("n[00-02]", "n00 n01 n02");
	check("n0[8-10]", "n08 n09 n010");
}

static void test_steps(void **state)
{
	(void)state;
	check("n[0-10/2]", "n0 n2 n4 n6 n8 n10");
	check("n[0-10/3]", "n0 n3 n6 n9");
	check("n[1-2/5,00-20/10]", "n1 n00 n10 n20");
}

static void test_brackets_turn_like_an_odometer(void **state)
{
	(void)state;
	check("r[1-2]n[1-3]", "r1n1 r1n2 r1n3 r2n1 r2n2 r2n3");
	check("r[1,9]n[08-09,1]x[0-1]", "r1n08x0 r1n08x1 r1n09x0 r1n09x1 r1n1x0 r1n1x1 "
					"r9n08x0 r9n08x1 r9n09x0 r9n09x1 r9n1x0 r9n1x1");
	check("n[9-10][1-2]", "n91 n92 n101 n102");
	check("a[99-100]b[7]c", "a99b7c a100b7c");
}

static void test_duplicates_are_kept(void **state)
{
	(void)state;
	check("n[1,1,1-2]", "n1 n1 n1 n2");
}

static void test_numbers_of_18_digits(void **state)
{
	(void)state;
	check("n[999999999999999998-999999999999999999]",
		"n999999999999999998 n999999999999999999");
	check("n[000000000000000009-000000000000000010]",
		"n000000000000000009 n000000000000000010");
}

static void check_count(const char *pattern, uint64_t wanted)
{
	uint64_t count = 0;

	assert_int_equal(pctl_range_count(pattern, &count, NULL, NULL), 0);
	assert_true(count == wanted);
}

static void test_counting_makes_nothing(void **state)
{
	(void)state;
	check_count("n[1-999999999]", 999999999);
	check_count("n[1-2000000000/1000]", 2000000);
	check_count("n[0-999999999999999999]", 1000000000000000000u);
	check_count("n[0-99999999999][0-99999999999]", UINT64_MAX);
	check_count("n[0-99999999999][0-99999999999]x[1-2]", UINT64_MAX);

	struct pctl_buf many;
	pctl_buf_init(&many, 1000);
	for (int i = 0; i < 19; i++)
		pctl_buf_addf(&many, "%s0-999999999999999999", i ? "," : "n[");
	pctl_buf_adds(&many, "]");
	check_count(many.data, UINT64_MAX);
	pctl_buf_done(&many);
}

static void test_one_of_many(void **state)
{
	PCTL_AUTO(free) char *name = pctl_range_at("r[1-1000000]n[000001-999999]", 999998000002u);
	PCTL_AUTO(free) char *last = pctl_range_at("n[0-999999999999999999]", 999999999999999999u);

	(void)state;
	assert_string_equal(name, "r1000000n000002");
	assert_string_equal(last, "n999999999999999999");
}

static int stop_at_2(void *data, size_t i, const char *name)
{
	(void)name;
	*(size_t *)data = i;
	return i == 2 ? PCTL_E_CANCELED : 0;
}

static void test_each_can_stop(void **state)
{
	size_t last = 0;

	(void)state;
	assert_int_equal(pctl_range_each("n[1-9]", stop_at_2, &last, NULL, NULL), PCTL_E_CANCELED);
	assert_int_equal(last, 2);
}

static const struct mistake {
	const char *pattern;
	size_t at;
	const char *says;
} mistakes[] = {
	{ "", 0, "an empty name" }, { ",n1", 0, "an empty name" },
	{ "-n1", 0, "cannot begin with '-'" }, { "n[]", 1, "nothing in the brackets" },
	{ "n[1-3]x[]", 7, "nothing in the brackets" }, { "n[", 1, "never closed" },
	{ "n[1", 1, "never closed" }, { "n[1-", 1, "never closed" },
	{ "n[1-3,", 1, "never closed" }, { "n[1-[2]]", 4, "a '[' within a bracket" },
	{ "n[[1]]", 2, "a '[' within a bracket" }, { "n[1[2]]", 3, "a '[' within a bracket" },
	{ "n1]", 2, "a ']' without its '['" }, { "n[1]]", 4, "a ']' without its '['" },
	{ "n[5-1]", 2, "write 1-5" }, { "n[1-3,09-05]", 6, "write 05-09" },
	{ "n[1-010]", 4, "write 001-010 or 1-10" }, { "n[01-100]", 5, "write 001-100 or 1-100" },
	{ "n[010-1]", 6, "write 001-010 or 1-10" }, { "n[1,]", 4, "a number has to be here" },
	{ "n[,1]", 2, "a number has to be here" }, { "n[-1]", 2, "a number has to be here" },
	{ "n[a-b]", 2, "'a' in a bracket" }, { "n[1\x01]", 3, "byte 0x01" },
	{ "n[1 2]", 4, "after a number comes" }, { "n[1-2-3]", 5, "after a number comes" },
	{ "n[0-9/0]", 6, "the least is 1" }, { "n[0-9/x]", 6, "a number has to be here" },
	{ "n[7/2]", 3, "a step has to follow a range" },
	{ "n[1234567890123456789]", 2, "19 digits; the most in a bracket are 18" },
	{ "n[1-0000000000000000001]", 4, "19 digits" }, { "n1,n2", 2, "only one can be here" },
	{ "n1 ", 2, "only one can be here" }, { "n[1-2]!n1", 6, "only one can be here" },
	{ "n1@rack", 2, "'@' within a name" }, { "%lab", 0, "'%' within a name" },
	{ "n\x1b[1]", 1, "byte 0x1b" }, { "n\x7f", 1, "byte 0x7f" }, { "n\xff", 1, "byte 0xff" },
	{ "n\xc2\x9b", 1, "byte 0xc2" },         /* a control character of 8 bits */
	{ "n\xc2\xa0x", 1, "byte 0xc2" },        /* a blank that does not break */
	{ "n\xc0\xaf", 1, "byte 0xc0" },         /* overlong */
	{ "n\xe0\x82\xaf", 1, "byte 0xe0" },     /* overlong */
	{ "n\xed\xa0\x80", 1, "byte 0xed" },     /* half of a pair */
	{ "n\xf4\x90\x80\x80", 1, "byte 0xf4" }, /* over 10ffff */
	{ "n\xe2\x82", 1, "byte 0xe2" },         /* cut off */
};

static void test_mistakes_say_where_and_what(void **state)
{
	(void)state;
	for (size_t i = 0; i < TEST_COUNT(mistakes); i++) {
		const struct mistake *m = &mistakes[i];
		struct pctl_error err = { 0 };
		uint64_t count = 77;
		size_t at = 99;

		if (pctl_range_count(m->pattern, &count, &at, &err) != PCTL_E_CONFIG ||
			at != m->at || !strstr(err.text, m->says))
			fail_msg("'%s' at %zu: %s", m->pattern, at, err.text);
		assert_int_equal(err.code, PCTL_E_CONFIG);
		assert_int_equal(count, 77);
		assert_int_equal(
			pctl_range_each(m->pattern, add_word, NULL, NULL, NULL), PCTL_E_CONFIG);
	}
}

static void test_too_many_names_the_limit(void **state)
{
	struct pctl_error err = { 0 };
	size_t at = 99;

	(void)state;
	assert_int_equal(
		pctl_range_each("n[1-999999999]", add_word, NULL, &at, &err), PCTL_E_CONFIG);
	assert_non_null(strstr(err.text, "2,000,000"));
	assert_non_null(strstr(err.text, "999999999 names"));
	assert_int_equal(at, 1);
	assert_int_equal(
		pctl_range_each("r[1-2]n[1-1000001]", add_word, NULL, &at, &err), PCTL_E_CONFIG);
	assert_int_equal(at, 7);
}

static void test_what_is_plain(void **state)
{
	static const char *const plain[] = { "n1", "n-1.example", "a:b", "n*" };
	static const char *const other[] = { "", "n[1]", "n]", "@g", "%t", "a,b", "a b", "a!b",
		"a&b", "a^b", "a\tb", "*" };

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(plain); i++)
		assert_true(pctl_range_is_plain(plain[i]));
	for (size_t i = 0; i < TEST_COUNT(other); i++)
		assert_false(pctl_range_is_plain(other[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_padding_is_kept),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_brackets_turn_like_an_odometer),
		cmocka_unit_test(test_duplicates_are_kept),
		cmocka_unit_test(test_numbers_of_18_digits),
		cmocka_unit_test(test_counting_makes_nothing),
		cmocka_unit_test(test_one_of_many),
		cmocka_unit_test(test_each_can_stop),
		cmocka_unit_test(test_mistakes_say_where_and_what),
		cmocka_unit_test(test_too_many_names_the_limit),
		cmocka_unit_test(test_what_is_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
