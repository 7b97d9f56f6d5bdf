/* SPDX-License-Identifier: Apache-2.0 */
/* Folding: the usual short form, and back again exactly. */
#include "test.h"

#include <powerctl/buf.h>
#include <powerctl/mem.h>
#include <powerctl/nodeset.h>

static bool same(const struct pctl_names *a, const struct pctl_names *b)
{
	if (pctl_names_count(a) != pctl_names_count(b))
		return false;
	for (size_t i = 0; i < pctl_names_count(a); i++)
		if (!pctl_names_has(b, pctl_names_at(a, i)))
			return false;
	return true;
}

/* Folds, and expects the folded text to stand for the same set. free() what is returned. */
static char *fold(const struct pctl_names *names)
{
	struct pctl_names *again = pctl_names_new();
	struct pctl_error err;
	char *text = pctl_names_fold(names);

	if (pctl_names_expand(again, text, NULL, NULL, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	if (!same(names, again))
		fail_msg("%s is another set", text);
	pctl_names_free(again);
	return text;
}

static void check(const char *expr, const char *wanted)
{
	struct pctl_names *names = pctl_names_new();

	assert_int_equal(pctl_names_expand(names, expr, NULL, NULL, NULL), 0);
	PCTL_AUTO(free) char *text = fold(names);
	assert_string_equal(text, wanted);
	pctl_names_free(names);
}

static void test_one_number(void **state)
{
	(void)state;
	check("", "");
	check("n1", "n1");
	check("n", "n");
	check("n1,n2", "n[1-2]");
	check("n3,n1,n2", "n[1-3]");
	check("n7,n[1-3]", "n[1-3,7]");
	check("n[1,3,5]", "n[1,3,5]");
	check("n[8-11]", "n[8-11]");
	check("n[99-101]", "n[99-101]");
	check("n[1-3]s", "n[1-3]s");
	check("[1-3]", "[1-3]");
	check("n2,n1,m1,n", "m1,n,n[1-2]");
}

static void test_padding_makes_other_names(void **state)
{
	(void)state;
	check("n[01-16]", "n[01-16]");
	check("n[1-16]", "n[1-16]");
	check("n[08-11]", "n[08-11]");
	check("n[098-101]", "n[098-101]");
	check("n[1-3,7,010-020]", "n[1-3,7,010-020]");
	check("n[1,01,001]", "n[1,01,001]");
	check("n[0,00]", "n[0,00]");
	check("n[00-01]", "n[00-01]");
	check("n[8-10],n[08-10]", "n[8-9,08-10]");
	check("n[8-10],n08", "n[8-9,08,10]");
	check("n[01-99],n100", "n[01-99,100]");
	check("n09,n010", "n[09,010]");
	check("n8,n09", "n[8,09]");
}

static void test_several_numbers(void **state)
{
	(void)state;
	check("r[1-2]n[01-16]", "r[1-2]n[01-16]");
	check("r[1-2]n[1-2]c[1-3]", "r[1-2]n[1-2]c[1-3]");
	check("r1n1,r2n2", "r1n1,r2n2");
	check("10.0.0.[11-18]", "10.0.0.[11-18]");
	check("10.0.[1-2].[11-18]", "10.0.[1-2].[11-18]");
	check("r[1,3]n[1,4,6]x", "r[1,3]n[1,4,6]x");
	check("r[01-02]n[1,3],r[1-2]n[1,3]", "r[1-2,01-02]n[1,3]");
}

static void test_what_is_no_product(void **state)
{
	(void)state;
	check("r[1-2]n[1-4]!r2n4", "r1n[1-4],r2n[1-3]");
	check("r1n[1-3],r2n1", "r1n[1-3],r2n1");
	check("r[1-9]n1,r1n2", "r[1-9]n1,r1n2");
	check("r[1-3]n[1-3]!r2n2", "r[1,3]n[1-3],r2n[1,3]");
}

static void test_natural_order(void **state)
{
	(void)state;
	check("b1,a10,a9x,a2x", "a[2,9]x,a10,b1");
	check("n10a,n9b,n2", "n2,n9b,n10a");
	check("z,n5-5,n[1-9]", "n[1-9],n5-5,z");
}

static void test_long_runs_of_digits_are_text(void **state)
{
	(void)state;
	check("n[999999999999999998-999999999999999999]",
		"n[999999999999999998-999999999999999999]");
	check("n1234567890123456789,n1234567890123456790",
		"n1234567890123456789,n1234567890123456790");
	check("n1234567890123456789x[1-2],n0x3", "n0x3,n1234567890123456789x[1-2]");
}

/* A name with more numbers than there are dimensions. */
static void test_many_numbers(void **state)
{
	(void)state;
	check("1a2a3a4a5a6a7a8a9a10a11a12a13a14a15a[16-17]",
		"1a2a3a4a5a6a7a8a9a10a11a12a13a14a15a[16-17]");
	check("1a2a3a4a5a6a7a8a9a10a11a12a13a14a15a16a[17-18]",
		"1a2a3a4a5a6a7a8a9a10a11a12a13a14a15a16a17,"
		"1a2a3a4a5a6a7a8a9a10a11a12a13a14a15a16a18");
}

/* Small grids with holes: every set of cells of 3 x 3 x 2. */
static void test_every_small_set_comes_back(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 1u << 18; bits += 37) {
		struct pctl_names *names = pctl_names_new();

		for (unsigned cell = 0; cell < 18; cell++) {
			char name[32];

			(void)snprintf(name, sizeof(name), "c%ur%02un%u", cell / 6 + 9,
				cell / 2 % 3 + 8, cell % 2);
			if (bits >> cell & 1)
				pctl_names_add(names, name);
		}
		free(fold(names));
		pctl_names_free(names);
	}
}

static void test_order_of_adding_does_not_matter(void **state)
{
	struct pctl_names *names = pctl_names_new();

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		char name[32];
		unsigned k = i * 377 % 1000;

		(void)snprintf(name, sizeof(name), "r%un%02u", k / 50, k % 50);
		pctl_names_add(names, name);
	}
	PCTL_AUTO(free) char *text = fold(names);
	assert_string_equal(text, "r[0-19]n[00-49]");
	pctl_names_free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_number),
		cmocka_unit_test(test_padding_makes_other_names),
		cmocka_unit_test(test_several_numbers),
		cmocka_unit_test(test_what_is_no_product),
		cmocka_unit_test(test_natural_order),
		cmocka_unit_test(test_long_runs_of_digits_are_text),
		cmocka_unit_test(test_many_numbers),
		cmocka_unit_test(test_every_small_set_comes_back),
		cmocka_unit_test(test_order_of_adding_does_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
