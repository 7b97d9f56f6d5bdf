/* SPDX-License-Identifier: Apache-2.0 */
/* URLs of nodes: their parts, ranges, and what is refused without being repeated. */
#include "inventory_help.h"

static void test_is_url(void **state)
{
	(void)state;
	assert_true(pctl_inventory_is_url("amt://h"));
	assert_true(pctl_inventory_is_url("x+y-z.1://"));
	assert_false(pctl_inventory_is_url("n1"));
	assert_false(pctl_inventory_is_url("://h"));
	assert_false(pctl_inventory_is_url("n[1-2]://h"));
	assert_false(pctl_inventory_is_url("amt:/h"));
}

/* The nodes a URL adds, and all texts of the last one. */
static void check(const char *url, const char *wanted)
{
	struct pctl_inventory *inv = pctl_inventory_new();
	struct pctl_names *names = pctl_names_new();
	struct pctl_error err = { 0 };
	struct pctl_buf out;

	assert_int_equal(pctl_inventory_add_url(inv, url, names, &err), 0);
	pctl_buf_init(&out, 10000);
	for (size_t i = 0; i < pctl_names_count(names); i++)
		pctl_buf_addf(&out, "%s ", pctl_names_at(names, i));
	struct pctl_value *settings = pctl_inventory_settings(inv, pctl_inventory_count(inv) - 1);
	for (size_t i = 0; i < pctl_value_count(settings); i++)
		pctl_buf_addf(&out, "%s=%s;", pctl_value_key_at(settings, i),
			pctl_value_text(pctl_value_at(settings, i)));
	assert_string_equal(out.data, wanted);
	assert_null(pctl_inventory_place(inv, 0).file);
	pctl_value_free(settings);
	pctl_buf_done(&out);
	pctl_names_free(names);
	pctl_inventory_free(inv);
}

static void test_parts(void **state)
{
	(void)state;
	check("amt://10.0.0.5", "10.0.0.5 driver=amt;address=10.0.0.5;");
	check("amt://admin@10.0.0.5/?tls=true",
		"10.0.0.5 driver=amt;username=admin;address=10.0.0.5;tls=true;");
	check("ipmi://root@h:6230?a=1&b=%20x%3d",
		"h:6230 driver=ipmi;username=root;port=6230;address=h;a=1;b= x=;");
	check("amt://a%40b%3a@h", "h driver=amt;username=a@b:;address=h;");
	check("amt://a@b@h", "h driver=amt;username=a@b;address=h;");
	check("amt://h?x=a@b:c", "h driver=amt;address=h;x=a@b:c;");
}

static void test_brackets(void **state)
{
	(void)state;
	check("ipmi://c[1-3]-bmc", "c1-bmc c2-bmc c3-bmc driver=ipmi;address=c3-bmc;");
	check("ipmi://[1-2].x:623", "1.x:623 2.x:623 driver=ipmi;port=623;address=2.x;");
	check("amt://[fe80::1]", "fe80::1 driver=amt;address=fe80::1;");
	check("amt://u@[::1]:16993", "::1:16993 driver=amt;username=u;port=16993;address=::1;");
}

static const struct {
	const char *url, *said;
} mistakes[] = {
	{ "amt://u:TOPSECRET@h", "no password in a URL" },
	{ "amt://u:@h", "no password in a URL" },
	{ "amt://h?password=TOPSECRET", "no password in a URL" },
	{ "amt://h?%70assword=TOPSECRET", "no password in a URL" },
	{ "amt://u:TOPSECRET/x@h", "a URL of a node ends with its host and port" },
	{ "amt://u:TOPSECRET/", "the port of a URL is a number" },
	{ "amt://u:12/TOPSECRET@h", "a URL of a node ends with its host and port" },
	{ "amt://u?TOPSECRET@h", "behind the '?' of a URL stand SETTING=VALUE pairs" },
	{ "amt://", "the URL has no host" },
	{ "amt://u@:1", "the URL has no host" },
	{ "amt://h:0", "the port of a URL is a number from 1 to 65535" },
	{ "amt://h:65536", "the port of a URL is a number from 1 to 65535" },
	{ "amt://h:", "the port of a URL is a number from 1 to 65535" },
	{ "amt://fe80::1", "an IPv6 address stands in brackets: [fe80::1]" },
	{ "amt://[fe80::1]x", "behind the ']' of an IPv6 address" },
	{ "amt://h/path", "a URL of a node ends with its host and port" },
	{ "amt://h#x", "a URL of a node ends with its host and port" },
	{ "amt://h?x=1&x=2", "the URL says 'x' twice" },
	{ "amt://h?driver=ipmi", "the URL says 'driver' twice" },
	{ "amt://h?=1", "behind the '?' of a URL stand SETTING=VALUE pairs" },
	{ "amt://h?x=%4", "a '%' in a URL is followed by two hex digits" },
	{ "amt://h?x=%zz", "a '%' in a URL is followed by two hex digits" },
	{ "amt://h?x=%00", "a URL cannot hold control characters" },
	{ "amt://h?trust=yes", "trust cannot be 'yes'" },
	{ "amt://h?class=none", "unknown class 'none'" },
	{ "amt://c[3-1]", "the range 3-1 runs backwards" },
	{ "amt://c[1-9999999]", "at most 2,000,000" },
	{ "amt://a%2fb", "a node's name has no blanks, slashes" },
	{ "h", "not a URL" },
};

static void test_mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < TEST_COUNT(mistakes); i++) {
		struct pctl_inventory *inv = pctl_inventory_new();
		struct pctl_names *names = pctl_names_new();
		struct pctl_error err = { 0 };

		assert_int_equal(
			pctl_inventory_add_url(inv, mistakes[i].url, names, &err), PCTL_E_CONFIG);
		if (!strstr(err.text, mistakes[i].said))
			fail_msg("%s: %s", mistakes[i].url, err.text);
		assert_null(strstr(err.text, "TOPSECRET"));
		assert_int_equal(pctl_names_count(names), 0);
		pctl_names_free(names);
		pctl_inventory_free(inv);
	}
}

static void test_twice(void **state)
{
	struct pctl_inventory *inv = test_inventory("nodes: {n1: {driver: amt}}\n");
	struct pctl_names *names = pctl_names_new();
	struct pctl_error err = { 0 };

	(void)state;
	assert_int_equal(pctl_inventory_add_url(inv, "ipmi://c[1-3]?a=b", names, &err), 0);
	assert_int_equal(pctl_inventory_add_url(inv, "ipmi://c[2-4]?a=b", names, &err), 0);
	assert_int_equal(pctl_names_count(names), 4);
	assert_int_equal(pctl_inventory_count(inv), 5);
	check_setting(inv, "c4", "address", "c4");
	check_setting(inv, "c3", "address", "c3");
	assert_int_equal(
		pctl_inventory_add_url(inv, "ipmi://c[4-5]?a=c", names, &err), PCTL_E_CONFIG);
	assert_string_equal(err.text, "two URLs for 'c4' say different things; keep one");
	assert_int_equal(pctl_inventory_index(inv, "c5"), -1); /* nothing half done */
	assert_int_equal(pctl_inventory_add_url(inv, "amt://n1", names, &err), PCTL_E_CONFIG);
	assert_string_equal(err.text, "'n1' is a node of the inventory; name it without the URL");
	pctl_names_free(names);
	pctl_inventory_free(inv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_url),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_brackets),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_twice),
	};

	return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
