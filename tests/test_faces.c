/* SPDX-License-Identifier: Apache-2.0 */
/* What faces make of errors and of other programs' files, without any device. */
#include "test.h"

#include <powerctl/mem.h>

#include "amtctrl/hosts.h"
#include "face.h"
#include "ipmipower/options.h"
#include "ipmipower/words.h"

static void test_names(void **state)
{
	(void)state;
	assert_ptr_equal(face_find("ipmipower"), &face_ipmipower);
	assert_ptr_equal(face_find("/usr/libexec/powerctl/amtctrl"), &face_amtctrl);
	assert_ptr_equal(face_find("./powerctl-ipmipower"), &face_ipmipower);
	assert_null(face_find("powerctl"));
	assert_null(face_find("ipmipower2"));
	assert_null(face_find(NULL));
}

static const char *said(int code, const char *text, unsigned flags, bool *plain)
{
	struct pctl_error err = { 0 };

	pctl_error_set(&err, code, "%s", text);
	err.flags = flags;
	return ipmipower_word_text(ipmipower_word_of_error(&err, plain));
}

/* MAAS goes by these. The texts are the driver's; its own tests have them as well. */
static void test_words(void **state)
{
	static const struct {
		int code;
		const char *text;
		unsigned flags;
		const char *word;
		bool plain;
	} rows[] = {
		{ PCTL_E_AUTH, "user name refused: no such", 0, "username invalid", true },
		{ PCTL_E_AUTH, "password refused: RAKP 2", 0, "password invalid", true },
		{ PCTL_E_AUTH, "not tried: user 'a' was refused", 0, "password invalid", false },
		{ PCTL_E_AUTH, "K_g refused: RAKP 4", 0, "k_g invalid", true },
		{ PCTL_E_AUTH, "password verification timeout: no", 0,
			"password verification timeout", true },
		{ PCTL_E_TIMEOUT, "password verification timeout: no", 0,
			"password verification timeout", true },
		{ PCTL_E_FORBIDDEN, "privilege level cannot be obtained", 0,
			"privilege level cannot be obtained for this user", true },
		{ PCTL_E_FORBIDDEN, "Chassis Control: not enough", 0,
			"privilege level insufficient", true },
		{ PCTL_E_UNREACHABLE, "no answer in 3 s", PCTL_ERROR_SILENT, "connection timeout",
			true },
		{ PCTL_E_UNREACHABLE, "no address for its name: x", 0, "invalid hostname", true },
		{ PCTL_E_TIMEOUT, "no answer in 900 ms", PCTL_ERROR_SILENT, "connection timeout",
			true },
		{ PCTL_E_TIMEOUT, "no answer to 'x' in 3 s", 0, "session timeout", false },
		{ PCTL_E_OUTCOME_UNKNOWN, "the answer was lost", 0, "session timeout", false },
		{ PCTL_E_BUSY, "no room", 0, "BMC busy", false },
		{ PCTL_E_STATE, "it is off", 0, "operation invalid", false },
		{ PCTL_E_TRUST, "another machine answers", 0, "BMC error", false },
		{ PCTL_E_REFUSED, "completion code FFh", 0, "BMC error", false },
		{ PCTL_E_CANCELED, "interrupted", 0, "unknown", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool plain = !rows[i].plain;

		assert_string_equal(
			said(rows[i].code, rows[i].text, rows[i].flags, &plain), rows[i].word);
		assert_int_equal(plain, rows[i].plain);
	}
}

/* Success is never made of what is no success. */
static void test_results(void **state)
{
	struct pctl_result r = { .ok = true, .verb = PCTL_VERB_STATUS };
	bool plain;

	(void)state;
	assert_int_equal(ipmipower_word_of(&r, &plain), IPMIPOWER_UNKNOWN);
	r.state_known = true;
	r.state = PCTL_POWER_ON;
	assert_int_equal(ipmipower_word_of(&r, &plain), IPMIPOWER_ON);
	r.state = PCTL_POWER_OFF;
	assert_int_equal(ipmipower_word_of(&r, &plain), IPMIPOWER_OFF);
	r.state = PCTL_POWER_SLEEP;
	assert_int_equal(ipmipower_word_of(&r, &plain), IPMIPOWER_UNKNOWN);
	r.verb = PCTL_VERB_OFF;
	assert_int_equal(ipmipower_word_of(&r, &plain), IPMIPOWER_OK);
	r.error.code = PCTL_E_SKIPPED; /* ok, and yet nothing was done */
	assert_true(ipmipower_word_of(&r, &plain) >= IPMIPOWER_UNKNOWN);
}

static void test_hosts(void **state)
{
	static const char text[] = "[n1]\nhost = 10.0.0.1\npasswd = a%%b = c\n\n[n 2 ]\nHost: h\n";
	struct amtctrl_hosts hosts = { .lock = -1 };

	(void)state;
	amtctrl_hosts_parse(&hosts, text, sizeof(text) - 1);
	assert_int_equal(hosts.n, 2);
	assert_int_equal(hosts.odd, 0);
	const struct amtctrl_host *host = amtctrl_host_find(&hosts, "n1");
	assert_string_equal(amtctrl_host_get(host, "passwd"), "a%b = c");
	assert_string_equal(amtctrl_host_get(amtctrl_host_find(&hosts, "n 2 "), "host"), "h");
	assert_null(amtctrl_host_get(host, "vncpasswd"));
	amtctrl_host_remove(&hosts, "n1");
	assert_null(amtctrl_host_find(&hosts, "n1"));
	assert_string_equal(hosts.hosts[0].name, "n 2 ");
	amtctrl_hosts_done(&hosts);
}

static void test_odd_hosts(void **state)
{
	static const struct {
		const char *text;
		unsigned odd;
	} rows[] = {
		{ "[a]\nhost=x\n# note\n", 3 },
		{ "host=x\n", 1 },
		{ "[a]\nhost=%(y)s\n", 2 },
		{ "[a]\nhost=100%\n", 2 },
		{ "[a]\n more\n", 2 },
		{ "[a] b\n", 1 },
		{ "[a]]\n", 1 },
		{ "[]\n", 1 },
		{ "[a]\n= x\n", 2 },
		{ "[a]", 0 },
		{ "\n\n", 0 },
		{ "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct amtctrl_hosts hosts = { .lock = -1 };

		amtctrl_hosts_parse(&hosts, rows[i].text, strlen(rows[i].text));
		assert_int_equal(hosts.odd, rows[i].odd);
		amtctrl_hosts_done(&hosts);
	}
}

/* What is behind a zero byte would get lost. */
static void test_zero_byte(void **state)
{
	static const char text[] = "[a]\nhost = x\0y\n";
	struct amtctrl_hosts hosts = { .lock = -1 };

	(void)state;
	amtctrl_hosts_parse(&hosts, text, sizeof(text) - 1);
	assert_int_equal(hosts.odd, 2);
	assert_null(amtctrl_host_get(&hosts.hosts[0], "host"));
	amtctrl_hosts_done(&hosts);
}

/* A header that is not understood does not lend its keys to the machine before it. */
static void test_strays(void **state)
{
	static const char text[] = "[a]\nhost = x\npasswd = p\n[b] c\nhost = y\npasswd = q\n";
	struct amtctrl_hosts hosts = { .lock = -1 };

	(void)state;
	amtctrl_hosts_parse(&hosts, text, sizeof(text) - 1);
	assert_int_equal(hosts.n, 1);
	assert_int_equal(hosts.odd, 4);
	assert_string_equal(amtctrl_host_get(&hosts.hosts[0], "host"), "x");
	assert_string_equal(amtctrl_host_get(&hosts.hosts[0], "passwd"), "p");
	amtctrl_hosts_done(&hosts);
}

/* Bytes that are no text, and what a key of ipmipower's own does to one of all tools. */
static void test_config(void **state)
{
	static const char zero[] = "username a\0b\nfanout 3\n";
	static const char keys[] = "ipmipower-username own\nusername all\nfanout 3 # note\n";
	struct ipmipower_options o = { .cipher_suite = -1 };
	struct pctl_error err = { 0 };
	bool secret = true;

	(void)state;
	assert_int_equal(
		ipmipower_config_parse(&o, zero, sizeof(zero) - 1, &secret, &err), PCTL_E_CONFIG);
	assert_string_equal(err.text, "line 1: is no text");
	assert_int_equal(ipmipower_config_parse(&o, keys, sizeof(keys) - 1, &secret, &err), 0);
	assert_string_equal(o.username, "own");
	assert_int_equal(o.fanout, 3);
	assert_false(secret);
	ipmipower_options_done(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_odd_hosts),
		cmocka_unit_test(test_zero_byte),
		cmocka_unit_test(test_strays),
		cmocka_unit_test(test_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
