/* SPDX-License-Identifier: Apache-2.0 */
/* Which port, TLS or not: the settings, what is remembered, and what must never happen silently. */
#include "amt_fake.h"

#include <string.h>

static int set_up(void **state)
{
	*state = fake_new();
	return 0;
}

static int tear_down(void **state)
{
	fake_free(*state);
	return 0;
}

#define OFF                \
	.want = { "Get" }, \
	.body = INSTANCE("CIM_AssociatedPowerManagementService", FIELD("PowerState", "8"))
#define REFUSED  .want = { "Get" }, .error = PCTL_E_UNREACHABLE, .code = "ECONNREFUSED"
#define DEAD     .want = { "Get" }, .error = PCTL_E_UNREACHABLE
#define OVER_TLS .tls = true

static void status(struct fake *f)
{
	struct pctl_power p = { .size = sizeof(p) };

	fake_get(f, 0, &p);
}

static void test_tls_is_preferred_and_remembered(void **state)
{
	struct fake *f = *state;

	f->tls = "auto";
	SCRIPT(f, { OFF, OVER_TLS });
	status(f);
	fake_assert_done(f);
	assert_string_equal(fake_fact(f, "tls"), "yes");
}

static void test_plain_after_a_refusal_and_remembered(void **state)
{
	struct fake *f = *state;

	f->tls = "auto";
	SCRIPT(f, { REFUSED, OVER_TLS }, { OFF });
	status(f);
	fake_assert_done(f);
	assert_string_equal(fake_fact(f, "tls"), "no");
	SCRIPT(f, { OFF });
	status(f);
	fake_reopen(f);
	SCRIPT(f, { OFF });
	status(f);
	fake_assert_done(f);
}

static void test_a_dead_host_is_asked_once(void **state)
{
	struct fake *f = *state;

	f->tls = "auto";
	SCRIPT(f, { DEAD, OVER_TLS });
	status(f);
	fake_assert_failed(f, PCTL_E_UNREACHABLE, "scripted");
	assert_null(fake_fact(f, "tls"));
	/* And what did not work is not held on to. */
	SCRIPT(f, { REFUSED, OVER_TLS }, { OFF });
	status(f);
	fake_assert_done(f);
}

static void test_only_a_refusal_leads_to_plain(void **state)
{
	struct fake *f = *state;
	static const int classes[] = { PCTL_E_TRUST, PCTL_E_PROTOCOL, PCTL_E_TIMEOUT, PCTL_E_AUTH,
		PCTL_E_BUSY };

	f->tls = "auto";
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		const struct exchange x = { .want = { "Get" }, .error = classes[i], .tls = true };
		fake_script(f, &x, 1);
		status(f);
		fake_assert_failed(f, classes[i], "scripted");
	}
}

static void test_no_silent_downgrade(void **state)
{
	struct fake *f = *state;

	f->tls = "auto";
	fake_set_fact(f, "tls", "yes");
	for (int i = 0; i < 2; i++) {
		SCRIPT(f, { REFUSED, OVER_TLS });
		status(f);
		fake_assert_failed(f, PCTL_E_UNREACHABLE, "over TLS before; `tls: false` allows");
	}
	assert_string_equal(fake_fact(f, "tls"), "yes");

	/* Nor while it is open, and a login refused over TLS was TLS all the same. */
	fake_set_fact(f, "tls", "no");
	SCRIPT(f, { REFUSED }, { .want = { "Get" }, .error = PCTL_E_AUTH, OVER_TLS });
	status(f);
	fake_assert_failed(f, PCTL_E_AUTH, "");
	assert_string_equal(fake_fact(f, "tls"), "yes");
	SCRIPT(f, { REFUSED, OVER_TLS });
	status(f);
	fake_assert_failed(f, PCTL_E_UNREACHABLE, "scripted");
	SCRIPT(f, { REFUSED, OVER_TLS });
	status(f);
	fake_assert_failed(f, PCTL_E_UNREACHABLE, "over TLS before");
}

static void test_a_pin_holds_where_the_fact_was_lost(void **state)
{
	struct fake *f = *state;

	f->tls = "auto";
	fake_set_fact(f, "pin_tls", "some certificate");
	SCRIPT(f, { REFUSED, OVER_TLS });
	status(f);
	fake_assert_failed(f, PCTL_E_UNREACHABLE, "over TLS before");
}

static void test_a_device_that_got_tls(void **state)
{
	struct fake *f = *state;

	f->tls = "auto";
	fake_set_fact(f, "tls", "no");
	SCRIPT(f, { REFUSED }, { OFF, OVER_TLS });
	status(f);
	fake_assert_done(f);
	assert_string_equal(fake_fact(f, "tls"), "yes");
}

static void test_both_refused(void **state)
{
	struct fake *f = *state;

	f->tls = "auto";
	for (int i = 0; i < 2; i++) {
		SCRIPT(f, { REFUSED, OVER_TLS }, { REFUSED });
		status(f);
		fake_assert_failed(f, PCTL_E_UNREACHABLE, "scripted");
	}
	assert_null(fake_fact(f, "tls"));
}

static void test_true_and_false_are_obeyed(void **state)
{
	struct fake *f = *state;

	f->tls = "true";
	SCRIPT(f, { REFUSED, OVER_TLS });
	status(f);
	fake_assert_failed(f, PCTL_E_UNREACHABLE, "scripted");
	f->tls = "false";
	SCRIPT(f, { REFUSED });
	status(f);
	fake_assert_failed(f, PCTL_E_UNREACHABLE, "scripted");
	SCRIPT(f, { OFF });
	status(f);
	assert_null(fake_fact(f, "tls"));
	f->tls = "true";
	fake_reopen(f);
	SCRIPT(f, { OFF, OVER_TLS });
	status(f);
	assert_string_equal(fake_fact(f, "tls"), "yes");
}

/* Whether its first byte left is not known to the driver: the core tries again, over the other. */
static void test_a_change_is_never_sent_twice(void **state)
{
	struct fake *f = *state;

	f->tls = "auto";
	SCRIPT(f, { .want = { "RequestPowerStateChange" },
			  .error = PCTL_E_UNREACHABLE,
			  .code = "ECONNREFUSED",
			  .changes = true,
			  OVER_TLS });
	fake_act(f, PCTL_ACTION_NMI);
	fake_assert_failed(f, PCTL_E_UNREACHABLE, "");
	SCRIPT(f, { .want = { "RequestPowerStateChange" },
			  .body = OUTPUT("RequestPowerStateChange", "0"),
			  .changes = true });
	fake_act(f, PCTL_ACTION_NMI);
	fake_assert_done(f);
}

static void test_ports(void **state)
{
	struct fake *f = *state;
	static const struct {
		const char *tls, *port, *tls_port;
		uint16_t over_tls, plain; /* 0: not tried */
	} rows[] = {
		{ "auto", NULL, NULL, 16993, 16992 },
		{ "auto", "80", NULL, 81, 80 },
		{ "auto", "80", "443", 443, 80 },
		{ "auto", NULL, "443", 443, 16992 },
		{ "true", NULL, NULL, 16993, 0 },
		{ "true", "8443", NULL, 8443, 0 },
		{ "true", "80", "443", 443, 0 },
		{ "false", NULL, NULL, 0, 16992 },
		{ "false", "80", "443", 0, 80 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct exchange script[2] = { { REFUSED, OVER_TLS }, { REFUSED } };
		f->tls = rows[i].tls;
		f->port = rows[i].port;
		f->tls_port = rows[i].tls_port;
		size_t from = rows[i].over_tls ? 0 : 1;
		size_t n = (rows[i].over_tls != 0) + (rows[i].plain != 0);
		fake_reopen(f);
		fake_script(f, script + from, n);
		status(f);
		assert_int_equal(f->ports[1], rows[i].over_tls);
		assert_int_equal(f->ports[0], rows[i].plain);
	}
}

static void test_settings_that_make_no_sense(void **state)
{
	struct fake *f = *state;
	const char *const wanted[] = {
		"username: ", "client_key: ", "client_cert: ", "tls_port: ", "client_cert: "
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		f->tls = i == 3 ? "auto" : i == 4 ? "false" : "true";
		f->username = i == 0 ? "" : NULL;
		f->port = i == 3 ? "65535" : NULL;
		f->client_cert = i == 1 || i == 4 ? "/c.pem" : NULL;
		f->client_key = i == 2 || i == 4 ? "/k.pem" : NULL;
		fake_open(f);
		assert_null(f->dev);
		assert_int_equal(f->opened.code, PCTL_E_CONFIG);
		assert_ptr_equal(strstr(f->opened.text, wanted[i]), f->opened.text);
	}
	f->tls = "true";
	f->port = NULL;
	f->username = NULL;
	f->client_cert = "/c.pem";
	f->client_key = "/k.pem";
	fake_open(f);
	assert_non_null(f->dev);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tls_is_preferred_and_remembered),
		TEST(test_plain_after_a_refusal_and_remembered),
		TEST(test_a_dead_host_is_asked_once),
		TEST(test_only_a_refusal_leads_to_plain),
		TEST(test_no_silent_downgrade),
		TEST(test_a_pin_holds_where_the_fact_was_lost),
		TEST(test_a_device_that_got_tls),
		TEST(test_both_refused),
		TEST(test_true_and_false_are_obeyed),
		TEST(test_a_change_is_never_sent_twice),
		TEST(test_ports),
		TEST(test_settings_that_make_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
