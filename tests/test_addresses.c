/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of addresses: what words stand for, how many, and what is private. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "names/addresses.h"

static void check(const char *word, size_t n, const char *first, const char *last)
{
	struct pctl_addresses a = { 0 };
	struct pctl_error err = { 0 };
	char text[PCTL_ADDRESS_TEXT];

	assert_int_equal(pctl_addresses_add(&a, word, &err), 0);
	pctl_addresses_sort(&a);
	assert_int_equal(a.n, n);
	pctl_address_text(&a.v[0].any, text);
	assert_string_equal(text, first);
	pctl_address_text(&a.v[n - 1].any, text);
	assert_string_equal(text, last);
	pctl_addresses_done(&a);
}

static void words_are_read(void **state)
{
	(void)state;
	check("10.0.0.7", 1, "10.0.0.7", "10.0.0.7");
	check("10.0.0.77/24", 254, "10.0.0.1", "10.0.0.254");
	check("10.0.0.4/30", 2, "10.0.0.5", "10.0.0.6");
	check("10.0.0.4/31", 2, "10.0.0.4", "10.0.0.5");
	check("10.0.0.4/32", 1, "10.0.0.4", "10.0.0.4");
	check("10.1.0.0/16", 65534, "10.1.0.1", "10.1.255.254");
	check("10.0.0.[1-3,9]", 4, "10.0.0.1", "10.0.0.9");
	check("10.0.[1-2].0/30", 4, "10.0.1.1", "10.0.2.2");
	check("10.0.0.250-10.0.1.5", 12, "10.0.0.250", "10.0.1.5");
	check("10.0.0.9,10.0.0.[8-9],fd00::1", 3, "10.0.0.8", "fd00::1");
	check("fd00::fe-fd00::101", 4, "fd00::fe", "fd00::101");
	check("fd00::/120", 256, "fd00::", "fd00::ff");
}

static void refused(const char *word, const char *why)
{
	struct pctl_addresses a = { 0 };
	struct pctl_error err = { 0 };

	assert_int_equal(pctl_addresses_add(&a, "10.0.0.1,host-1", &err), 0);
	assert_int_equal(pctl_addresses_add(&a, word, &err), PCTL_E_CONFIG);
	assert_non_null(strstr(err.text, why));
	assert_int_equal(a.n, 1);
	assert_int_equal(a.names_n, 1);
	pctl_addresses_done(&a);
}

static void mistakes_are_named(void **state)
{
	(void)state;
	refused("10.0.0.0/8", "16777216");
	refused("10.0.0.0/15", "13107");
	refused("10.2.0.0/16,10.3.0.1", "at most 65536");
	refused("0.0.0.0/0", "4294967296 addresses");
	refused("fd00::/64", "or more");
	refused("fd00::-fd00::ffff:ffff:ffff:ffff", "or more");
	refused("::/0", "or more");
	refused("10.0.0.1/33", "0 to 32");
	refused("10.0.0.1/", "0 to 32");
	refused("host/24", "no network");
	refused("10.0.0.256", "no address");
	refused("10.0.0.9-10.0.0.8", "after the first");
	refused("10.0.0.1-fd00::1", "after the first");
	refused("fd00::1-fd01::1", "after the first");
	refused("10.0.0.3,255.255.255.255", "no machine");
	refused("ff02::1", "no machine");
	refused("", "no address");
	refused("a b", "no address");
	refused("-x", "no address");
	refused("10.0.0.1-9", "no address");
	refused("fe80::1", "interface");
	refused("fe80::1%no-such", "interface");
	refused("fd00::1%no-such", "no address");
	refused("10.0.0.[1-", "");
}

static bool is_private(const char *word)
{
	struct pctl_addresses a = { 0 };

	assert_int_equal(pctl_addresses_add(&a, word, NULL), 0);
	bool yes = pctl_address_is_private(&a.v[0].any);
	pctl_addresses_done(&a);
	return yes;
}

static void private_ones_are_known(void **state)
{
	static const char *const inside[] = { "10.0.0.1", "10.255.255.255", "172.16.0.1",
		"172.31.255.255", "192.168.0.1", "169.254.1.1", "127.0.0.1", "::1", "fc00::1",
		"fdff::1", "fe80::1%lo", "febf::1%lo", "::ffff:10.0.0.1" };
	static const char *const outside[] = { "9.255.255.255", "11.0.0.0", "172.15.255.255",
		"172.32.0.0", "192.167.1.1", "192.169.0.1", "169.253.1.1", "128.0.0.1", "8.8.8.8",
		"2001:db8::1", "fec0::1", "fbff::1", "::2", "::ffff:8.8.8.8" };

	(void)state;
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
		assert_true(is_private(inside[i]));
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
		assert_false(is_private(outside[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_read),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(private_ones_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
