/* SPDX-License-Identifier: Apache-2.0 */
/* User consent of Intel AMT: which requests are sent in which state, and what their answers mean.
 */
#include <string.h>

#include "amt_fake.h"

static int setup(void **state)
{
	*state = fake_new();
	return 0;
}

static int teardown(void **state)
{
	fake_free(*state);
	return 0;
}

#define ALL "4294967295"
#define GET .want = { "Get</a:Action>", "ips-schema/1/IPS_OptInService<" }
#define SERVICE(required, state)                                                             \
	.body = INSTANCE("IPS_OptInService",                                                 \
		FIELD("CanModifyOptInPolicy", "0") FIELD("OptInCodeTimeout", "120")          \
			FIELD("OptInDisplayTimeout", "300") FIELD("OptInRequired", required) \
				FIELD("OptInState", state))
#define CALL(method, value) .want = { method "_INPUT" }, .body = OUTPUT(method, value)
#define GET_POWER(state)                                                      \
	.want = { "Get</a:Action>", "CIM_AssociatedPowerManagementService" }, \
	.body = INSTANCE("CIM_AssociatedPowerManagementService", FIELD("PowerState", state))
#define TURN_ON(value)                                                                 \
	.want = { "RequestPowerStateChange_INPUT", "<h:PowerState>2</h:PowerState>" }, \
	.body = OUTPUT("RequestPowerStateChange", value), .changes = true
#define SEND(digits, value)                                            \
	.want = { "SendOptInCode_INPUT", "<h:OptInCode>" digits "<" }, \
	.body = OUTPUT("SendOptInCode", value), .changes = true

static struct pctl_consent empty(void)
{
	return (struct pctl_consent){ .size = sizeof(struct pctl_consent) };
}

static void test_get(void **state)
{
	static const struct {
		struct exchange x;
		enum pctl_consent_need required;
		enum pctl_consent_state state;
		const char *fact;
	} rows[] = {
		{ { GET, SERVICE("0", "0") }, PCTL_CONSENT_NONE, PCTL_CONSENT_IDLE, "none" },
		{ { GET, SERVICE("1", "2") }, PCTL_CONSENT_KVM, PCTL_CONSENT_DISPLAYED, "kvm" },
		{ { GET, SERVICE(ALL, "4") }, PCTL_CONSENT_ALL, PCTL_CONSENT_IN_SESSION, "all" },
		{ { GET, SERVICE("x", "77") }, PCTL_CONSENT_NONE, PCTL_CONSENT_IDLE, "none" },
	};
	struct fake *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pctl_consent c = empty();

		fake_script(f, &rows[i].x, 1);
		fake_consent_get(f, &c);
		fake_assert_done(f);
		assert_int_equal(c.required, rows[i].required);
		assert_int_equal(c.state, rows[i].state);
		assert_false(c.can_modify);
		assert_int_equal(c.display_s, 300);
		assert_int_equal(c.idle_s, 120);
		assert_string_equal(fake_fact(f, "user_consent"), rows[i].fact);
	}
}

static void test_firmware_without_it_needs_none(void **state)
{
	struct fake *f = *state;
	struct pctl_consent c = empty();

	SCRIPT(f, { GET, .status = 400, .body = FAULT("b:DestinationUnreachable", "") });
	fake_consent_get(f, &c);
	fake_assert_done(f);
	assert_int_equal(c.required, PCTL_CONSENT_NONE);
	fake_script(f, f->script, 1);
	fake_consent_request(f, &c);
	fake_assert_failed(f, PCTL_E_STATE, "nobody's consent");
}

static void test_request(void **state)
{
	struct fake *f = *state;
	struct pctl_consent c = empty();

	SCRIPT(f, { GET, SERVICE(ALL, "0") }, { CALL("StartOptIn", "0") }, { GET_POWER("2") },
		{ GET, SERVICE(ALL, "2") });
	fake_consent_request(f, &c);
	fake_assert_done(f);
	assert_int_equal(c.state, PCTL_CONSENT_DISPLAYED);
	assert_false(c.turned_on);

	/* One that is shown, or about to be, is taken back first; so is one that just went. */
	SCRIPT(f, { GET, SERVICE("1", "2") }, { CALL("CancelOptIn", "0") },
		{ CALL("StartOptIn", "0") }, { GET_POWER("2") }, { GET, SERVICE("1", "1") });
	fake_consent_request(f, &c);
	fake_assert_done(f);
	SCRIPT(f, { GET, SERVICE("1", "1") }, { CALL("CancelOptIn", "2") },
		{ CALL("StartOptIn", "0") }, { GET_POWER("2") }, { GET, SERVICE("1", "2") });
	fake_consent_request(f, &c);
	fake_assert_done(f);

	/* Somebody has agreed: nothing is asked. */
	SCRIPT(f, { GET, SERVICE(ALL, "3") });
	fake_consent_request(f, &c);
	fake_assert_done(f);
	assert_int_equal(c.state, PCTL_CONSENT_RECEIVED);

	SCRIPT(f, { GET, SERVICE("0", "0") });
	fake_consent_request(f, &c);
	fake_assert_failed(f, PCTL_E_STATE, "nobody's consent");
}

/* Off, asleep: nobody would see the code. A state that is not known is left alone. */
static void test_request_turns_on(void **state)
{
	static const char *const states[] = { "8", "6", "4", "7" };
	struct fake *f = *state;

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct exchange script[] = { { GET, SERVICE(ALL, "0") },
			{ CALL("StartOptIn", "0") }, { GET_POWER("8") }, { TURN_ON("0") },
			{ GET, SERVICE(ALL, "1") } };
		struct pctl_consent c = empty();
		char body[200];

		(void)snprintf(body, sizeof(body),
			INSTANCE("CIM_AssociatedPowerManagementService", FIELD("PowerState", "%s")),
			states[i]);
		script[2].body = body;
		fake_script(f, script, 5);
		fake_consent_request(f, &c);
		fake_assert_done(f);
		assert_true(c.turned_on);
	}
	struct pctl_consent c = empty();
	SCRIPT(f, { GET, SERVICE(ALL, "0") }, { CALL("StartOptIn", "0") }, { GET_POWER("99") },
		{ GET, SERVICE(ALL, "1") });
	fake_consent_request(f, &c);
	fake_assert_done(f);
	assert_false(c.turned_on);
	SCRIPT(f, { GET, SERVICE(ALL, "0") }, { CALL("StartOptIn", "0") }, { GET_POWER("8") },
		{ TURN_ON("2") });
	fake_consent_request(f, &c);
	fake_assert_failed(f, PCTL_E_REFUSED, "not ready");
	assert_false(c.turned_on);
}

static void test_request_refused(void **state)
{
	static const struct {
		struct exchange x;
		int code;
		const char *text;
	} rows[] = {
		{ { CALL("StartOptIn", "3") }, PCTL_E_BUSY, "some minutes" },
		{ { CALL("StartOptIn", "2") }, PCTL_E_STATE, "present state" },
		{ { CALL("StartOptIn", "1") }, PCTL_E_REFUSED, "internal error" },
		{ { CALL("StartOptIn", "4") }, PCTL_E_REFUSED, "flash" },
	};
	struct fake *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct exchange script[] = { { GET, SERVICE(ALL, "0") }, rows[i].x };
		struct pctl_consent c = empty();

		fake_script(f, script, 2);
		fake_consent_request(f, &c);
		fake_assert_failed(f, rows[i].code, rows[i].text);
	}
}

static void test_submit(void **state)
{
	struct fake *f = *state;

	SCRIPT(f, { SEND("12345", "0") }); /* a number: leading zeros are nothing to it */
	fake_consent_submit(f, "012345");
	fake_assert_done(f);
	fake_script(f, NULL, 0);
	fake_consent_submit(f, "1234567");
	fake_assert_failed(f, PCTL_E_CONFIG, "six digits");
}

/* Whatever it returns, the state afterwards says what it was. */
static void test_submit_refused(void **state)
{
	static const struct {
		const char *value;
		struct exchange after;
		int code;
		const char *text;
	} rows[] = {
		{ "2066", { GET, SERVICE(ALL, "2") }, PCTL_E_CONSENT, "not the one" },
		{ "2", { GET, SERVICE(ALL, "2") }, PCTL_E_CONSENT, "not the one" },
		{ "2", { GET, SERVICE(ALL, "1") }, PCTL_E_CONSENT, "yet" },
		{ "2", { GET, SERVICE(ALL, "0") }, PCTL_E_STATE, "shows no code" },
		{ "1", { GET, SERVICE(ALL, "0") }, PCTL_E_FORBIDDEN, "last time" },
		{ "2", { GET, SERVICE(ALL, "3") }, 0, "" },
		/* Not known: but it must not be sent a second time. */
		{ "5", { GET, .error = PCTL_E_TIMEOUT }, PCTL_E_REFUSED, "SendOptInCode" },
	};
	struct fake *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char body[200];
		struct exchange script[] = { { SEND("0", "") }, rows[i].after };

		(void)snprintf(body, sizeof(body), OUTPUT("SendOptInCode", "%s"), rows[i].value);
		script[0].body = body;
		fake_script(f, script, 2);
		fake_consent_submit(f, "000000");
		assert_true(f->taken);
		if (rows[i].code)
			fake_assert_failed(f, rows[i].code, rows[i].text);
		else
			fake_assert_done(f);
	}
	SCRIPT(f, { SEND("0", "3") });
	fake_consent_submit(f, "000000");
	fake_assert_failed(f, PCTL_E_BUSY, "blocked");
	SCRIPT(f, { SEND("0", "0"), .error = PCTL_E_TIMEOUT });
	fake_consent_submit(f, "000000");
	fake_assert_failed(f, PCTL_E_OUTCOME_UNKNOWN, "");
}

static void test_cancel(void **state)
{
	struct fake *f = *state;

	SCRIPT(f, { CALL("CancelOptIn", "0") });
	fake_consent_cancel(f);
	fake_assert_done(f);
	SCRIPT(f, { CALL("CancelOptIn", "2") }, { GET, SERVICE(ALL, "0") });
	fake_consent_cancel(f);
	fake_assert_done(f);
	SCRIPT(f, { CALL("CancelOptIn", "2") }, { GET, SERVICE(ALL, "4") });
	fake_consent_cancel(f);
	fake_assert_failed(f, PCTL_E_STATE, "CancelOptIn");
	SCRIPT(f, { CALL("CancelOptIn", "1") });
	fake_consent_cancel(f);
	fake_assert_failed(f, PCTL_E_REFUSED, "internal error");
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_get),
		TEST(test_firmware_without_it_needs_none),
		TEST(test_request),
		TEST(test_request_turns_on),
		TEST(test_request_refused),
		TEST(test_submit),
		TEST(test_submit_refused),
		TEST(test_cancel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
