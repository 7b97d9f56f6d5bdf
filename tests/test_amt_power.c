/* SPDX-License-Identifier: Apache-2.0 */
/* Intel AMT's power interface, request by request. */
#include "amt_fake.h"

#include <string.h>

#define STATE_CLASS "CIM_AssociatedPowerManagementService"
#define OS_CLASS    "IPS_PowerManagementService"

#define ASK_STATE .want = { "transfer/Get</a:Action>", "/cim-schema/2/" STATE_CLASS "<" }
#define ASK_OS    .want = { "transfer/Get</a:Action>", "/ips-schema/1/" OS_CLASS "<" }

#define STATE(n)    .body = INSTANCE(STATE_CLASS, FIELD("PowerState", n))
#define OS_STATE(n) .body = INSTANCE(OS_CLASS, FIELD("OSPowerSavingState", n))

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

static struct pctl_power get_now(struct fake *f, unsigned flags)
{
	struct pctl_power p = { .size = sizeof(p), .state = 99 };

	fake_get(f, flags, &p);
	return p;
}

#define BIT(a) PCTL_ACTION_BIT(PCTL_ACTION_##a)

static void test_off_takes_one_request(void **state)
{
	struct fake *f = *state;

	SCRIPT(f, { ASK_STATE, STATE("8") });
	struct pctl_power p = get_now(f, 0);
	fake_assert_done(f);
	assert_int_equal(p.size, sizeof(p));
	assert_int_equal(p.state, PCTL_POWER_OFF);
	assert_false(p.changing);
	assert_true(p.tells_actions);
	assert_int_equal(p.actions, BIT(ON));
	assert_string_equal(p.device_code, "PowerState 8");
}

static void test_on_asks_the_operating_system(void **state)
{
	struct fake *f = *state;

	SCRIPT(f, { ASK_STATE, STATE("2") }, { ASK_OS, OS_STATE("2") });
	struct pctl_power p = get_now(f, 0);
	fake_assert_done(f);
	assert_int_equal(p.state, PCTL_POWER_ON);
	assert_int_equal(p.actions, BIT(OFF) | BIT(SOFT_OFF) | BIT(CYCLE) | BIT(RESET) |
					    BIT(SOFT_RESET) | BIT(SLEEP) | BIT(NMI));
}

static void test_every_state(void **state)
{
	struct fake *f = *state;
	static const struct {
		const char *body;
		enum pctl_power_state state;
		bool changing;
	} rows[] = {
#define STATE_ROW(n, s, c) { INSTANCE(STATE_CLASS, FIELD("PowerState", n)), PCTL_POWER_##s, c }
		STATE_ROW("0", UNKNOWN, false),
		STATE_ROW("1", UNKNOWN, false),
		STATE_ROW("3", SLEEP, false),
		STATE_ROW("4", SLEEP, false),
		STATE_ROW("5", UNKNOWN, true),
		STATE_ROW("6", OFF, false),
		STATE_ROW("7", HIBERNATE, false),
		STATE_ROW("8", OFF, false),
		STATE_ROW("9", UNKNOWN, false),
		STATE_ROW("10", UNKNOWN, false),
		STATE_ROW("11", UNKNOWN, false),
		STATE_ROW("12", OFF, false),
		STATE_ROW("13", OFF, false),
		STATE_ROW("14", UNKNOWN, false),
		STATE_ROW("16", UNKNOWN, false),
		STATE_ROW("4711", UNKNOWN, false),
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct exchange x = { ASK_STATE, .body = rows[i].body };
		fake_script(f, &x, 1);
		struct pctl_power p = get_now(f, 0);
		fake_assert_done(f);
		assert_int_equal(p.state, rows[i].state);
		assert_int_equal(p.changing, rows[i].changing);
		assert_true(p.state != PCTL_POWER_UNKNOWN || !p.tells_actions);
	}
	SCRIPT(f, { ASK_STATE, STATE("4711") });
	assert_string_equal(get_now(f, 0).device_code, "PowerState 4711");
}

static void test_nonsense_is_no_state(void **state)
{
	struct fake *f = *state;
	static const char *const bodies[] = { INSTANCE(STATE_CLASS, FIELD("PowerState", "")),
		INSTANCE(STATE_CLASS, FIELD("PowerState", "off")),
		INSTANCE(STATE_CLASS, FIELD("PowerState", "-8")),
		INSTANCE(STATE_CLASS, FIELD("PowerState", "8.0")),
		INSTANCE(STATE_CLASS, FIELD("PowerState", "99999999999")),
		INSTANCE(STATE_CLASS, FIELD("Other", "8")), "" };

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		const struct exchange x = { ASK_STATE, .body = bodies[i] };
		fake_script(f, &x, 1);
		struct pctl_power p = get_now(f, 0);
		fake_assert_failed(f, PCTL_E_PROTOCOL, "PowerState");
		assert_int_equal(p.state, 99);
	}
}

static void test_the_device_says_what_it_takes(void **state)
{
	struct fake *f = *state;

#define AVAILABLE(n) FIELD("AvailableRequestedPowerStates", n)
	SCRIPT(f,
		{ ASK_STATE, .body = INSTANCE(STATE_CLASS,
				     AVAILABLE("8") AVAILABLE("5") AVAILABLE("x") AVAILABLE("9")
					     FIELD("PowerState", "2")) },
		{ ASK_OS, OS_STATE("0") });
	struct pctl_power p = get_now(f, 0);
	assert_true(p.tells_actions);
	assert_int_equal(p.actions, BIT(OFF) | BIT(CYCLE));
}

static void test_confirm_leaves_the_operating_system_out(void **state)
{
	struct fake *f = *state;

	SCRIPT(f, { ASK_STATE, STATE("2") });
	assert_int_equal(get_now(f, PCTL_GET_CONFIRM).state, PCTL_POWER_ON);
	fake_assert_done(f);
}

static void test_modern_standby_is_sleep_and_on_wakes_it(void **state)
{
	struct fake *f = *state;

	SCRIPT(f, { ASK_STATE, STATE("2") }, { ASK_OS, OS_STATE("3") });
	struct pctl_power p = get_now(f, 0);
	assert_int_equal(p.state, PCTL_POWER_SLEEP);
	assert_true(p.actions & BIT(ON));
	assert_string_equal(p.device_code, "PowerState 2, OSPowerSaving 3");

	SCRIPT(f, { .want = { "/ips-schema/1/IPS_PowerManagementService/"
			      "RequestOSPowerSavingStateChange</a:Action>",
			    "<h:OSPowerSavingState>2</h:OSPowerSavingState><h:ManagedElement>",
			    "<Selector Name=\"Name\">ManagedSystem</Selector>" },
			  .body = OUTPUT("RequestOSPowerSavingStateChange", "0"),
			  .changes = true });
	fake_act(f, PCTL_ACTION_ON);
	fake_assert_done(f);

	/* Until it is seen awake, confirming has to ask; an accident does not end that. */
	SCRIPT(f, { ASK_STATE, STATE("2") }, { ASK_OS, .error = PCTL_E_TIMEOUT });
	(void)get_now(f, PCTL_GET_CONFIRM);
	fake_assert_failed(f, PCTL_E_TIMEOUT, "");
	SCRIPT(f, { ASK_STATE, STATE("2") }, { ASK_OS, OS_STATE("2") });
	assert_int_equal(get_now(f, PCTL_GET_CONFIRM).state, PCTL_POWER_ON);
	SCRIPT(f, { ASK_STATE, STATE("2") });
	assert_int_equal(get_now(f, PCTL_GET_CONFIRM).state, PCTL_POWER_ON);
}

static void test_real_sleep_after_standby_is_woken_by_power(void **state)
{
	struct fake *f = *state;

	SCRIPT(f, { ASK_STATE, STATE("2") }, { ASK_OS, OS_STATE("3") });
	(void)get_now(f, 0);
	SCRIPT(f, { ASK_STATE, STATE("4") });
	assert_int_equal(get_now(f, 0).state, PCTL_POWER_SLEEP);
	SCRIPT(f, { .want = { "RequestPowerStateChange_INPUT", "<h:PowerState>2</h:PowerState>" },
			  .body = OUTPUT("RequestPowerStateChange", "0"),
			  .changes = true });
	fake_act(f, PCTL_ACTION_ON);
	fake_assert_done(f);
}

static void test_a_missing_class_is_asked_for_once_per_firmware(void **state)
{
	struct fake *f = *state;

	f->server = "Intel(R) Active Management Technology 9.1.42";
	SCRIPT(f, { ASK_STATE, STATE("2") },
		{ ASK_OS, .status = 400, .body = FAULT("b:DestinationUnreachable", "") });
	assert_int_equal(get_now(f, 0).state, PCTL_POWER_ON);
	fake_assert_done(f);

	fake_reopen(f); /* a fact outlives the handle */
	SCRIPT(f, { ASK_STATE, STATE("2") });
	assert_int_equal(get_now(f, 0).state, PCTL_POWER_ON);

	f->server = "Intel(R) Active Management Technology 11.8.50";
	SCRIPT(f, { ASK_STATE, STATE("2") }, { ASK_OS, OS_STATE("3") });
	assert_int_equal(get_now(f, 0).state, PCTL_POWER_SLEEP);
}

static void test_a_missing_class_is_remembered_without_a_version(void **state)
{
	struct fake *f = *state;

	SCRIPT(f, { ASK_STATE, STATE("2") },
		{ ASK_OS, .status = 400, .body = FAULT("e:InvalidResourceURI", "") });
	(void)get_now(f, 0);
	SCRIPT(f, { ASK_STATE, STATE("2") });
	assert_int_equal(get_now(f, 0).state, PCTL_POWER_ON);
}

static void test_not_allowed_to_ask_means_on(void **state)
{
	struct fake *f = *state;

	for (int i = 0; i < 2; i++) {
		SCRIPT(f, { ASK_STATE, STATE("2") },
			{ ASK_OS, .status = 400, .body = FAULT("e:AccessDenied", "") });
		assert_int_equal(get_now(f, 0).state, PCTL_POWER_ON);
		fake_assert_done(f);
	}
}

static void test_half_an_answer_is_none(void **state)
{
	struct fake *f = *state;

	SCRIPT(f, { ASK_STATE, STATE("2") }, { ASK_OS, .error = PCTL_E_TIMEOUT });
	struct pctl_power p = get_now(f, 0);
	fake_assert_failed(f, PCTL_E_TIMEOUT, "scripted");
	assert_int_equal(p.state, 99);
	SCRIPT(f, { ASK_STATE, STATE("2") }, { ASK_OS, OS_STATE("awake") });
	(void)get_now(f, 0);
	fake_assert_failed(f, PCTL_E_PROTOCOL, "OSPowerSavingState");
}

static void test_actions_are_the_documented_requests(void **state)
{
	struct fake *f = *state;
	static const struct {
		enum pctl_action action;
		const char *field;
	} rows[] = {
		{ PCTL_ACTION_ON, "<h:PowerState>2</h:PowerState>" },
		{ PCTL_ACTION_SLEEP, "<h:PowerState>4</h:PowerState>" },
		{ PCTL_ACTION_CYCLE, "<h:PowerState>5</h:PowerState>" },
		{ PCTL_ACTION_OFF, "<h:PowerState>8</h:PowerState>" },
		{ PCTL_ACTION_RESET, "<h:PowerState>10</h:PowerState>" },
		{ PCTL_ACTION_NMI, "<h:PowerState>11</h:PowerState>" },
		{ PCTL_ACTION_SOFT_OFF, "<h:PowerState>12</h:PowerState>" },
		{ PCTL_ACTION_SOFT_RESET, "<h:PowerState>14</h:PowerState>" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct exchange x = { .want = { "CIM_PowerManagementService/"
						      "RequestPowerStateChange</a:Action>",
						    rows[i].field },
			.body = OUTPUT("RequestPowerStateChange", "0"),
			.changes = true };
		fake_script(f, &x, 1);
		fake_act(f, rows[i].action);
		fake_assert_done(f);
	}
	fake_script(f, NULL, 0);
	fake_act(f, PCTL_ACTION_AC_CYCLE);
	fake_assert_failed(f, PCTL_E_UNSUPPORTED, "no such action");
}

#define ACT(value)                                                                \
	{                                                                         \
		.want = { "RequestPowerStateChange_INPUT" },                      \
		.body = OUTPUT("RequestPowerStateChange", value), .changes = true \
	}

static void test_return_values_in_words(void **state)
{
	struct fake *f = *state;
	static const struct {
		const char *body, *text, *device_code;
		int code;
	} rows[] = {
#define ROW(n, code, text) \
	{ OUTPUT("RequestPowerStateChange", n), text, "ReturnValue " n, PCTL_E_##code }
		ROW("1", UNSUPPORTED, "the device refused: not supported"),
		ROW("2", REFUSED,
			"the device refused: not ready (it may not be possible in its present "
			"state)"),
		ROW("4", REFUSED, "failed"),
		ROW("5", REFUSED, "invalid parameter"),
		/* The device says that it did not take it: no doubt is left. */
		ROW("6", BUSY, "in use"),
		ROW("4097", STATE, "present power state"),
		ROW("4099", BUSY, "busy"),
		/* Its own clock ran out: who knows. */
		ROW("3", OUTCOME_UNKNOWN, "timed out"),
		ROW("32770", REFUSED, "not ready"),
		ROW("32771", REFUSED, "provisioning mode"),
		ROW("32784", FORBIDDEN, "not permitted"),
		ROW("34843", REFUSED, "audit log"),
		ROW("34849", CONSENT, "consent"),
		ROW("77", REFUSED, "no known reason"),
		ROW("40000", REFUSED, "no known reason"),
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct exchange x = { .want = { "RequestPowerStateChange_INPUT" },
			.body = rows[i].body,
			.changes = true };
		fake_script(f, &x, 1);
		fake_act(f, PCTL_ACTION_RESET);
		fake_assert_failed(f, rows[i].code, rows[i].text);
		assert_string_equal(f->result.device_code, rows[i].device_code);
	}
	SCRIPT(f, ACT("4096"));
	fake_act(f, PCTL_ACTION_OFF);
	fake_assert_done(f);
}

static void test_no_return_value_is_no_success(void **state)
{
	struct fake *f = *state;

	SCRIPT(f, ACT(""));
	fake_act(f, PCTL_ACTION_OFF);
	fake_assert_failed(f, PCTL_E_PROTOCOL, "ReturnValue");
	SCRIPT(f, ACT("ok"));
	fake_act(f, PCTL_ACTION_OFF);
	fake_assert_failed(f, PCTL_E_PROTOCOL, "ReturnValue");
	SCRIPT(f, { .want = { "RequestPowerStateChange_INPUT" },
			  .body = OUTPUT("RequestStateChange", "0"),
			  .changes = true });
	fake_act(f, PCTL_ACTION_OFF);
	fake_assert_failed(f, PCTL_E_PROTOCOL, "RequestStateChange_OUTPUT");
}

static void test_faults_of_a_change(void **state)
{
	struct fake *f = *state;
	static const struct {
		const char *body, *text;
		int code;
	} rows[] = {
		{ FAULT("e:AccessDenied", ""), "access denied", PCTL_E_FORBIDDEN },
		{ FAULT("e:Concurrency", ""), "another request", PCTL_E_BUSY },
		{ FAULT("e:TimedOut", ""), "timed out", PCTL_E_OUTCOME_UNKNOWN },
		{ FAULT("e:InternalError", "<x:d>AMT-STATUS 2076</x:d>"), "another component",
			PCTL_E_REFUSED },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct exchange x = { .want = { "RequestPowerStateChange_INPUT" },
			.body = rows[i].body,
			.status = 400,
			.changes = true };
		fake_script(f, &x, 1);
		fake_act(f, PCTL_ACTION_CYCLE);
		fake_assert_failed(f, rows[i].code, rows[i].text);
	}
}

static void test_a_lost_answer_is_an_unknown_outcome(void **state)
{
	struct fake *f = *state;

	SCRIPT(f, { .want = { "RequestPowerStateChange_INPUT" },
			  .error = PCTL_E_TIMEOUT,
			  .changes = true });
	fake_act(f, PCTL_ACTION_CYCLE);
	fake_assert_failed(f, PCTL_E_OUTCOME_UNKNOWN, "");
	SCRIPT(f, { .want = { "RequestPowerStateChange_INPUT" },
			  .error = PCTL_E_UNREACHABLE,
			  .changes = true });
	fake_act(f, PCTL_ACTION_CYCLE);
	fake_assert_failed(f, PCTL_E_UNREACHABLE, "");
}

static void test_the_deadline_stops_it(void **state)
{
	struct fake *f = *state;

	SCRIPT(f, { ASK_STATE, .silent = true });
	struct pctl_power p = get_now(f, 0);
	fake_assert_failed(f, PCTL_E_TIMEOUT, "");
	assert_int_equal(p.state, 99);
	SCRIPT(f, { ASK_STATE, STATE("8") }); /* and nothing of it is left */
	assert_int_equal(get_now(f, 0).state, PCTL_POWER_OFF);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_off_takes_one_request),
		TEST(test_on_asks_the_operating_system),
		TEST(test_every_state),
		TEST(test_nonsense_is_no_state),
		TEST(test_the_device_says_what_it_takes),
		TEST(test_confirm_leaves_the_operating_system_out),
		TEST(test_modern_standby_is_sleep_and_on_wakes_it),
		TEST(test_real_sleep_after_standby_is_woken_by_power),
		TEST(test_a_missing_class_is_asked_for_once_per_firmware),
		TEST(test_a_missing_class_is_remembered_without_a_version),
		TEST(test_not_allowed_to_ask_means_on),
		TEST(test_half_an_answer_is_none),
		TEST(test_actions_are_the_documented_requests),
		TEST(test_return_values_in_words),
		TEST(test_no_return_value_is_no_success),
		TEST(test_faults_of_a_change),
		TEST(test_a_lost_answer_is_an_unknown_outcome),
		TEST(test_the_deadline_stops_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
