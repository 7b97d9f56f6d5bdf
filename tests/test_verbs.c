/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs over a device that follows a script: which ops they send, in which order, and what they
 * say came of it. A script is a line of words, one per op that is expected: what the device
 * answers.
 */
#include "run_help.h"

/* One answer. A read gives a state, an action an outcome; a script that ends goes on with its last.
 */
enum answer {
	END, /* of a script */
	OFF,
	ON,
	SLEEP,
	ODD,        /* a state that nobody knows */
	GONE,       /* unreachable */
	DROPPED,    /* the same, but it is there */
	OK,         /* an action accepted */
	LOST,       /* an action sent, its answer lost */
	LOST_BUT,   /* the same, but the device takes the commit back */
	HANG_SENT,  /* sent, and no end to it */
	HANG_TAKEN, /* the same, but the device said that it took it */
	REFUSED,
	BUSY,
	UNSUPPORTED,
	HANG,
};

struct script {
	enum answer reads[16];
	enum answer actions[8];
	enum answer boots[4]; /* END: goes well */
};

struct fake {
	const struct script *script;
	size_t read, acted, booted;
	struct calls asked;
	uv_loop_t *loop;
};

static struct fake *current; /* the one device of the one core of a test */

/* Later than the connect limit, as on a host that is busy with thousands of others. */
static void drop(struct pctl_op *op)
{
	struct pctl_error err = { 0 };
	uint64_t late = uv_now(current->loop) + 25;

	while (uv_now(current->loop) < late)
		uv_update_time(current->loop);
	pctl_error_set(&err, PCTL_E_UNREACHABLE, "connection closed before an answer");
	(void)pctl_error_flag(&err, PCTL_ERROR_DROPPED);
	pctl_op_fail_error(op, &err);
}

static void answer(struct pctl_op *op, enum answer a)
{
	switch (a) {
	case GONE:
		pctl_op_fail(op, PCTL_E_UNREACHABLE, "no answer in 6 s");
		break;
	case DROPPED:
		drop(op);
		break;
	case LOST:
		answer_lost(op);
		break;
	case LOST_BUT:
		pctl_op_committed(op);
		pctl_op_not_taken(op);
		pctl_op_fail(op, PCTL_E_BUSY, "the device is busy");
		break;
	case REFUSED:
		answer_refused(op);
		break;
	case BUSY:
		answer_busy(op);
		break;
	case UNSUPPORTED:
		pctl_op_fail(op, PCTL_E_UNSUPPORTED, "it cannot");
		break;
	case HANG_TAKEN:
	case HANG_SENT:
		pctl_op_committed(op);
		if (a == HANG_TAKEN)
			pctl_op_taken(op);
		pctl_op_pending(op, ignore_abort, NULL);
		break;
	case HANG:
		pctl_op_pending(op, ignore_abort, NULL);
		break;
	default:
		pctl_op_done(op);
		break;
	}
}

static void fake_get(void *dev, struct pctl_op *op, unsigned flags, struct pctl_power *ret)
{
	const struct script *s = current->script;
	enum answer a = s->reads[current->read];

	(void)dev;
	calls_note(&current->asked, flags & PCTL_GET_CONFIRM ? "confirm" : "get");
	if (s->reads[current->read + 1] != END)
		current->read++;
	ret->state = a == OFF     ? PCTL_POWER_OFF
		     : a == ON    ? PCTL_POWER_ON
		     : a == SLEEP ? PCTL_POWER_SLEEP
				  : PCTL_POWER_UNKNOWN;
	answer(op, a);
}

static void fake_act(void *dev, struct pctl_op *op, enum pctl_action action)
{
	char what[32];

	(void)dev;
	(void)snprintf(what, sizeof(what), "act:%s", pctl_action_name(action));
	calls_note(&current->asked, what);
	answer(op, current->script->actions[current->acted++]);
}

static void fake_boot_set(void *dev, struct pctl_op *op, const struct pctl_boot *boot)
{
	char what[32];

	(void)dev;
	(void)snprintf(what, sizeof(what), "boot:%s", pctl_boot_device_name(boot->device));
	calls_note(&current->asked, what);
	answer(op, current->script->boots[current->booted++]);
}

/* --- One verb on one node, in a world of its own. --------------------------------------------- */

struct play {
	struct world world;
	struct pctl_plugin *plugin;
	struct fake fake;
	struct outcome got;
};

static const struct pctl_power_if fake_power = {
	.actions = PCTL_ACTION_BIT(PCTL_ACTION_COUNT) - 1,
	.get = fake_get,
	.act = fake_act,
};

static const struct pctl_driver fake_driver = {
	.name = "fake",
	.open = open_nothing,
	.close = close_nothing,
	.power = &fake_power,
};

static int setup(void **state)
{
	struct play *w = pctl_xcalloc(1, sizeof(*w));

	world_init(&w->world, "nodes:\n"
			      "  n1: {driver: fake, timeouts: {outage: 20ms, confirm: 600ms, "
			      "reboot: 600ms, soft: 600ms, "
			      "verify: 60ms, poll: 5ms, connect: 20ms, read: 100ms}}\n"
			      "  m1: {driver: fake, maintenance: why}\n"
			      "  p1: {driver: fake, protected: why}\n");
	w->plugin = world_enter(&w->world, &fake_driver);
	w->plugin->boot = (struct pctl_boot_if){ .once = PCTL_BOOT_BIT(PCTL_BOOT_COUNT) - 1,
		.set = fake_boot_set };
	w->plugin->driver.boot = &w->plugin->boot;
	w->fake.loop = &w->world.loop;
	current = &w->fake;
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct play *w = *state;

	outcome_done(&w->got);
	world_done(&w->world);
	free(w);
	return 0;
}

static void play_on(
	struct play *w, const char *name, const struct script *script, struct pctl_request request)
{
	w->fake.script = script;
	w->fake.read = w->fake.acted = w->fake.booted = 0;
	w->fake.asked.log[0] = '\0';
	outcome_of(&w->world, name, &request, &w->got);
}

static void play(struct play *w, const struct script *script, struct pctl_request request)
{
	play_on(w, "n1", script, request);
}

static void succeeds(const struct play *w, const char *log, const char *word, const char *confirmed)
{
	if (!w->got.result.ok)
		fail_msg("failed: %s (%s)", w->got.text, w->fake.asked.log);
	assert_string_equal(w->fake.asked.log, log);
	assert_string_equal(w->got.word, word);
	assert_string_equal(w->got.confirmed, confirmed);
}

static void fails(const struct play *w, int code, const char *log, const char *text)
{
	outcome_failed(&w->got, code, text);
	if (log)
		assert_string_equal(w->fake.asked.log, log);
}

/* --- status and wait. ------------------------------------------------------------------------- */

static void test_status(void **state)
{
	struct play *w = *state;
	const struct script on = { .reads = { ON } }, odd = { .reads = { ODD } };
	const struct script gone = { .reads = { GONE } };

	play(w, &on, VERB(PCTL_VERB_STATUS));
	succeeds(w, "get", "on", "-");
	play(w, &odd, VERB(PCTL_VERB_STATUS));
	succeeds(w, "get", "unknown", "-");
	play(w, &gone, VERB(PCTL_VERB_STATUS));
	fails(w, PCTL_E_UNREACHABLE, NULL, "no answer in 6 s");
	assert_string_equal(w->got.word, "unknown");
	assert_false(w->got.result.state_known);
	assert_int_equal(w->got.result.state, PCTL_POWER_UNKNOWN);
}

static void test_reads_are_tried_again_within_limits(void **state)
{
	struct play *w = *state;
	const struct script once = { .reads = { GONE, ON } },
			    busy = { .reads = { BUSY, BUSY, OFF } };

	play(w, &once, VERB(PCTL_VERB_STATUS, .timeout_ms = 3000));
	succeeds(w, "get get", "on", "-");
	assert_int_equal(w->got.result.attempts, 2);
	play(w, &busy, VERB(PCTL_VERB_STATUS, .timeout_ms = 3000));
	succeeds(w, "get get get", "off", "-");
	assert_int_equal(w->got.result.attempts, 3);
}

static void test_a_device_that_drops_connections_gets_three_tries_however_late(void **state)
{
	struct play *w = *state;
	const struct script twice = { .reads = { DROPPED, DROPPED, ON } };
	const struct script always = { .reads = { DROPPED } };

	play(w, &twice, VERB(PCTL_VERB_STATUS, .timeout_ms = 3000));
	succeeds(w, "get get get", "on", "-");
	play(w, &always, VERB(PCTL_VERB_STATUS, .timeout_ms = 3000));
	fails(w, PCTL_E_UNREACHABLE, "get get get", "connection closed before an answer");
}

static void test_wait_for_a_state(void **state)
{
	struct play *w = *state;
	const struct script later = { .reads = { ON, GONE, ON, OFF } }, never = { .reads = { ON } };

	play(w, &later, VERB(PCTL_VERB_WAIT, .wait_state = PCTL_POWER_OFF));
	assert_true(w->got.result.ok);
	assert_string_equal(w->got.word, "off");
	play(w, &never, VERB(PCTL_VERB_WAIT, .wait_state = PCTL_POWER_OFF, .timeout_ms = 50));
	fails(w, PCTL_E_TIMEOUT, NULL, "it still reads on after");
}

/* --- on and off. ------------------------------------------------------------------------------ */

static void test_on(void **state)
{
	struct play *w = *state;
	const struct script already = { .reads = { ON } };
	const struct script off = { .reads = { OFF, OFF, ON }, .actions = { OK } };
	const struct script asleep = { .reads = { SLEEP, ON }, .actions = { OK } };

	play(w, &already, VERB(PCTL_VERB_ON));
	succeeds(w, "get", "on", "-");
	assert_false(w->got.result.changed);
	play(w, &off, VERB(PCTL_VERB_ON));
	succeeds(w, "get act:on confirm confirm", "on", "seen");
	assert_true(w->got.result.changed);
	play(w, &asleep, VERB(PCTL_VERB_ON));
	succeeds(w, "get act:on confirm", "on", "seen");
	play(w, &off, VERB(PCTL_VERB_ON, .no_wait = true));
	succeeds(w, "get act:on", "accepted", "accepted");
	play(w, &off, VERB(PCTL_VERB_ON, .dry_run = true));
	succeeds(w, "get", "ok", "-");
	assert_string_equal(w->got.notes, "would send 'on'; it is off");
}

static void test_on_that_is_not_confirmed_fails(void **state)
{
	struct play *w = *state;
	const struct script liar = { .reads = { OFF }, .actions = { OK } };

	play(w, &liar, VERB(PCTL_VERB_ON));
	fails(w, PCTL_E_TIMEOUT, NULL, "'on' was accepted, but it still reads off after 600 ms");
}

static void test_off_is_only_what_reads_off(void **state)
{
	struct play *w = *state;
	const struct script off = { .reads = { ON, ON, GONE, OFF }, .actions = { OK } };
	const struct script asleep = { .reads = { ON, SLEEP }, .actions = { OK } };
	const struct script gone = { .reads = { ON, GONE }, .actions = { OK } };

	play(w, &off, VERB(PCTL_VERB_OFF));
	assert_true(w->got.result.ok);
	assert_string_equal(w->got.word, "off");
	play(w, &asleep, VERB(PCTL_VERB_OFF));
	fails(w, PCTL_E_TIMEOUT, NULL, "still reads sleep");
	play(w, &gone, VERB(PCTL_VERB_OFF));
	fails(w, PCTL_E_UNREACHABLE, NULL, "no answer");
}

static void test_a_lost_on_is_looked_at_before_it_is_sent_again(void **state)
{
	struct play *w = *state;
	const struct script done = { .reads = { OFF, ON }, .actions = { LOST } };
	const struct script twice = { .reads = { OFF }, .actions = { LOST, LOST } };
	const struct script back = { .reads = { OFF, ON }, .actions = { LOST_BUT, OK } };

	play(w, &done, VERB(PCTL_VERB_ON));
	succeeds(w, "get act:on confirm", "on", "seen");
	play(w, &twice, VERB(PCTL_VERB_ON));
	fails(w, PCTL_E_OUTCOME_UNKNOWN, NULL, "it reads off, and it is not sent a third time");
	assert_int_equal(w->fake.acted, 2);
	play(w, &back, VERB(PCTL_VERB_ON));
	succeeds(w, "get act:on act:on confirm", "on", "seen");
	assert_int_equal(w->got.result.attempts, 2);
}

static void test_a_no_is_a_no(void **state)
{
	struct play *w = *state;
	const struct script no = { .reads = { OFF }, .actions = { REFUSED } };

	play(w, &no, VERB(PCTL_VERB_ON));
	fails(w, PCTL_E_REFUSED, "get act:on", "the device said no");
}

static void test_soft_off(void **state)
{
	struct play *w = *state;
	const struct script good = { .reads = { ON, ON, OFF }, .actions = { OK } };
	const struct script deaf = { .reads = { ON }, .actions = { OK } };
	const struct script forced = { .reads = { ON, ON, ON, ON, ON, ON, ON, ON, OFF },
		.actions = { OK, OK } };
	const struct script lost = { .reads = { ON }, .actions = { LOST } };

	play(w, &good, VERB(PCTL_VERB_OFF, .soft = true));
	succeeds(w, "confirm act:soft_off confirm confirm", "off", "seen");
	play(w, &deaf, VERB(PCTL_VERB_OFF, .soft = true, .timeout_ms = 60));
	fails(w, PCTL_E_TIMEOUT, NULL, "'soft_off' was accepted, but it still reads on");
	play(w, &forced, VERB(PCTL_VERB_OFF, .soft = true, .force_after_ms = 20));
	assert_true(w->got.result.ok);
	assert_non_null(strstr(w->fake.asked.log, "act:off"));
	assert_int_equal(w->fake.acted, 2);
	play(w, &lost, VERB(PCTL_VERB_OFF, .soft = true, .timeout_ms = 60));
	fails(w, PCTL_E_OUTCOME_UNKNOWN, NULL, "it is not sent again");
	assert_int_equal(w->fake.acted, 1);
}

/* --- Restarts. -------------------------------------------------------------------------------- */

static void test_reboot(void **state)
{
	struct play *w = *state;
	const struct script seen = { .reads = { ON, OFF, ON }, .actions = { OK } };
	const struct script unseen = { .reads = { ON, ON }, .actions = { OK } };
	const struct script off = { .reads = { OFF, ON }, .actions = { OK } };

	play(w, &seen, VERB(PCTL_VERB_REBOOT));
	succeeds(w, "confirm act:cycle confirm confirm", "on", "seen");
	play(w, &unseen, VERB(PCTL_VERB_REBOOT));
	succeeds(w, "confirm act:cycle confirm", "on", "accepted");
	play(w, &off, VERB(PCTL_VERB_REBOOT));
	succeeds(w, "confirm act:on confirm", "on", "seen");
	play(w, &off, VERB(PCTL_VERB_CYCLE));
	fails(w, PCTL_E_STATE, "confirm", "it is off");
	play(w, &off, VERB(PCTL_VERB_RESET));
	fails(w, PCTL_E_STATE, "confirm", "--on-if-off");
	play(w, &off, VERB(PCTL_VERB_RESET, .on_if_off = true));
	succeeds(w, "confirm act:on confirm", "on", "seen");
	play(w, &unseen, VERB(PCTL_VERB_REBOOT, .soft = true));
	succeeds(w, "confirm act:soft_reset confirm", "on", "accepted");
}

static void test_a_device_that_cannot_cycle_is_turned_off_and_on(void **state)
{
	struct play *w = *state;
	const struct script s = { .reads = { ON, OFF, ON }, .actions = { UNSUPPORTED, OK, OK } };

	play(w, &s, VERB(PCTL_VERB_REBOOT));
	succeeds(w, "confirm act:cycle act:off confirm act:on confirm", "on", "seen");
}

static void test_a_lost_restart_is_never_sent_again(void **state)
{
	struct play *w = *state;
	const struct script unseen = { .reads = { ON }, .actions = { LOST, OK } };
	const struct script seen = { .reads = { ON, OFF, ON }, .actions = { LOST, OK } };

	play(w, &unseen, VERB(PCTL_VERB_REBOOT));
	fails(w, PCTL_E_OUTCOME_UNKNOWN, NULL, "it is not sent again");
	assert_int_equal(w->fake.acted, 1);
	play(w, &seen, VERB(PCTL_VERB_RESET));
	succeeds(w, "confirm act:reset confirm confirm", "on", "seen");
	assert_int_equal(w->fake.acted, 1);
}

/* --- Boot. ------------------------------------------------------------------------------------ */

static void test_boot(void **state)
{
	struct play *w = *state;
	const struct script asleep = { .reads = { SLEEP, ON }, .actions = { OK } };
	const struct script on = { .reads = { ON, ON }, .actions = { OK } };
	const struct script off = { .reads = { OFF, ON }, .actions = { OK } };
	const struct pctl_boot pxe = { .device = PCTL_BOOT_PXE };

	play(w, &on, VERB(PCTL_VERB_BOOT, .boot = pxe));
	succeeds(w, "confirm boot:pxe act:reset confirm", "on", "accepted");
	play(w, &off, VERB(PCTL_VERB_BOOT, .boot = pxe));
	succeeds(w, "confirm boot:pxe act:on confirm", "on", "seen");
	play(w, &asleep, VERB(PCTL_VERB_BOOT, .boot = pxe));
	succeeds(w, "confirm boot:pxe act:reset confirm", "on", "seen"); /* "on" would resume it */
	play(w, &off, VERB(PCTL_VERB_BOOTDEV, .boot = pxe));
	succeeds(w, "boot:pxe", "ok", "-");
	play(w, &off,
		VERB(PCTL_VERB_BOOT, .boot = { .device = PCTL_BOOT_PXE, .persistent = true }));
	fails(w, PCTL_E_UNSUPPORTED, "", "cannot boot from 'pxe' persistently");
}

static void test_a_held_intent_goes_with_the_next_start(void **state)
{
	struct play *w = *state;
	const struct script on = { .reads = { ON, ON }, .actions = { OK } };
	const struct script off = { .reads = { OFF, ON }, .actions = { OK, OK } };
	const struct script asleep = { .reads = { SLEEP, ON }, .actions = { OK } };
	const struct pctl_boot pxe = { .device = PCTL_BOOT_PXE };

	w->plugin->boot.flags = PCTL_BOOT_APPLY_AT_POWER_ACTION;
	play(w, &on, VERB(PCTL_VERB_BOOTDEV, .boot = pxe));
	succeeds(w, "", "ok", "-");
	assert_non_null(strstr(w->got.notes, "held"));
	play(w, &on, VERB(PCTL_VERB_OFF, .no_wait = true));
	assert_string_equal(w->fake.asked.log, "confirm act:off"); /* not an off */
	play(w, &asleep, VERB(PCTL_VERB_ON));
	succeeds(w, "get act:on confirm", "on", "seen"); /* resumed, not started */
	play(w, &off, VERB(PCTL_VERB_ON));
	succeeds(w, "get boot:pxe act:on confirm", "on", "seen");
	play(w, &off, VERB(PCTL_VERB_ON));
	succeeds(w, "get act:on confirm", "on", "seen"); /* once */

	play(w, &on, VERB(PCTL_VERB_BOOTDEV, .boot = pxe));
	play(w, &on, VERB(PCTL_VERB_BOOTDEV, .boot = { .device = PCTL_BOOT_NONE }));
	succeeds(w, "boot:none", "ok", "-");
	play(w, &off, VERB(PCTL_VERB_ON));
	succeeds(w, "get act:on confirm", "on", "seen");
}

/* --- Who is left out, and the end of patience. ------------------------------------------------ */

static void test_an_armed_boot_is_told(void **state)
{
	struct play *w = *state;
	const struct script hang = { .reads = { OFF }, .actions = { HANG } };
	const struct script no = { .reads = { OFF }, .actions = { REFUSED } };
	const struct pctl_boot pxe = { .device = PCTL_BOOT_PXE };

	play(w, &hang, VERB(PCTL_VERB_BOOT, .boot = pxe, .deadline_ms = 40));
	fails(w, PCTL_E_TIMEOUT, "confirm boot:pxe act:on",
		"the boot device may be set for the next start");
	assert_true(w->got.result.changed);
	play(w, &no, VERB(PCTL_VERB_BOOT, .boot = pxe));
	fails(w, PCTL_E_REFUSED, NULL, "the device said no; the boot device stays set");
}

static void test_a_lost_boot_device_is_set_again(void **state)
{
	struct play *w = *state;
	const struct script once = { .reads = { OFF, ON }, .actions = { OK }, .boots = { LOST } };
	const struct script twice = { .reads = { OFF }, .boots = { LOST, LOST } };
	const struct script sent = { .reads = { OFF }, .boots = { HANG_SENT } };
	const struct pctl_boot pxe = { .device = PCTL_BOOT_PXE };

	play(w, &once, VERB(PCTL_VERB_BOOT, .boot = pxe, .timeout_ms = 3000));
	succeeds(w, "confirm boot:pxe boot:pxe act:on confirm", "on", "seen");
	play(w, &twice, VERB(PCTL_VERB_BOOT, .boot = pxe, .timeout_ms = 3000));
	fails(w, PCTL_E_OUTCOME_UNKNOWN, "confirm boot:pxe boot:pxe",
		"before an answer; the boot device may be set, `powerctl bootdev none`");
	assert_true(w->got.result.changed);
	play(w, &sent, VERB(PCTL_VERB_BOOT, .boot = pxe, .deadline_ms = 40));
	fails(w, PCTL_E_TIMEOUT, "confirm boot:pxe", "the boot device may be set");
	assert_true(w->got.result.changed);
}

/* What was lost stays in doubt, whatever goes wrong after it. */
static void test_a_doubt_outweighs_what_follows(void **state)
{
	struct play *w = *state;
	const struct script gone = { .reads = { ON, GONE }, .actions = { LOST, GONE, GONE } };
	const struct script taken = { .reads = { ON }, .actions = { HANG_TAKEN } };
	const struct script mute = { .reads = { ON, GONE }, .actions = { OK } };

	play(w, &gone, VERB(PCTL_VERB_OFF));
	fails(w, PCTL_E_OUTCOME_UNKNOWN, NULL,
		"whether 'off' was taken is not known (connection closed before an answer); tried "
		"again: no answer in 6 s");
	assert_true(w->got.result.changed);
	play(w, &taken, VERB(PCTL_VERB_OFF, .deadline_ms = 40));
	fails(w, PCTL_E_TIMEOUT, NULL, "'off' was accepted, last read: on");
	assert_true(w->got.result.changed);
	play(w, &mute, VERB(PCTL_VERB_OFF));
	fails(w, PCTL_E_UNREACHABLE, NULL, "'off' was accepted, and then: no answer in 6 s");
}

static void test_the_trouble_before_the_deadline_is_told(void **state)
{
	struct play *w = *state;
	const struct script busy = { .reads = { BUSY } };

	play(w, &busy, VERB(PCTL_VERB_ON, .timeout_ms = 5000, .deadline_ms = 60));
	fails(w, PCTL_E_TIMEOUT, NULL, "before that: the device is busy");
}

static void test_maintenance_and_protected(void **state)
{
	struct play *w = *state;
	const struct script on = { .reads = { ON, OFF }, .actions = { OK } };

	play_on(w, "m1", &on, VERB(PCTL_VERB_OFF));
	succeeds(w, "", "skipped", "-");
	assert_string_equal(w->got.notes, "why");
	play_on(w, "m1", &on, VERB(PCTL_VERB_OFF, .maintenance = true));
	succeeds(w, "confirm act:off confirm", "off", "seen");
	play_on(w, "p1", &on, VERB(PCTL_VERB_OFF));
	fails(w, PCTL_E_FORBIDDEN, "", "why");
	play_on(w, "p1", &on, VERB(PCTL_VERB_STATUS));
	succeeds(w, "get", "on", "-");
	play_on(w, "p1", &on, VERB(PCTL_VERB_OFF, .override_protected = true));
	succeeds(w, "confirm act:off confirm", "off", "seen");
}

static void test_time_over_says_what_is_known(void **state)
{
	struct play *w = *state;
	const struct script hang = { .reads = { HANG } };
	const struct script sent = { .reads = { ON, ON }, .actions = { OK } };

	play(w, &hang, VERB(PCTL_VERB_STATUS, .timeout_ms = 30));
	fails(w, PCTL_E_TIMEOUT, "get", "no answer in 30 ms");
	play(w, &sent, VERB(PCTL_VERB_OFF, .deadline_ms = 40));
	fails(w, PCTL_E_TIMEOUT, NULL,
		"the command's time was over; 'off' was accepted, last read: on");
}

static void test_a_paused_run_begins_nothing(void **state)
{
	struct play *w = *state;
	const struct script on = { .reads = { ON } };
	const struct pctl_request request = VERB(PCTL_VERB_STATUS);
	const struct pctl_run_callbacks callbacks = {
		.result = outcome_on_result, .done = outcome_on_done, .data = &w->got
	};
	struct pctl_problems *problems = pctl_problems_new();
	size_t node = (size_t)pctl_inventory_index(w->world.inventory, "n1");
	struct pctl_run *run = NULL;

	w->fake.script = &on;
	assert_int_equal(
		pctl_run_new(w->world.core, w->world.inventory, &node, 1, &request, &run, problems),
		0);
	pctl_problems_free(problems);
	pctl_run_start(run, &callbacks);
	pctl_run_pause(run, true);
	for (unsigned i = 0; i < 20; i++)
		(void)uv_run(&w->world.loop, UV_RUN_NOWAIT);
	assert_string_equal(w->fake.asked.log, "");
	pctl_run_pause(run, false);
	assert_int_equal(uv_run(&w->world.loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(w->got.done, 1);
	succeeds(w, "get", "on", "-");
}

/* --- A request. ------------------------------------------------------------------------------- */

static void read_log(void *dev, struct pctl_op *op, const char *after, struct pctl_value *ret)
{
	static const char *const sources[] = { "event", "audit" };
	struct pctl_value *events = pctl_value_new_list();

	(void)dev, (void)after;
	for (size_t i = 0; i < 4; i++) {
		struct pctl_value *event = pctl_value_new_map();

		pctl_value_set_text(event, "time", i < 2 ? "2026-01-01" : "2026-02-01");
		pctl_value_set_text(event, "source", sources[i % 2]);
		pctl_value_add(events, event);
	}
	pctl_value_set(ret, "events", events);
	pctl_op_done(op);
}

/* It is a run's own from the first moment: the caller's texts may be gone. */
static void test_a_request_is_copied(void **state)
{
	static const char *const sources[] = { "event", "audit", NULL };
	static const struct pctl_log_if log_if = { .read = read_log, .sources = sources };
	static const struct pctl_driver driver = {
		.name = "logs", .open = open_nothing, .close = close_nothing, .log = &log_if
	};
	char since[] = "2026-02", source[] = "audit";
	struct pctl_request request = VERB(PCTL_VERB_LOG, .log_since = since, .log_source = source);
	struct pctl_problems *problems = pctl_problems_new();
	struct outcome got = { 0 };
	const struct pctl_run_callbacks callbacks = {
		.result = outcome_on_result, .done = outcome_on_done, .data = &got
	};
	struct pctl_run *run = NULL;
	const size_t node = 0;
	struct world w;

	(void)state;
	world_init(&w, "nodes: {n1: {driver: logs}}\n");
	(void)world_enter(&w, &driver);
	assert_int_equal(pctl_run_new(w.core, w.inventory, &node, 1, &request, &run, problems), 0);
	memset(since, 'x', sizeof(since) - 1);
	memset(source, 'x', sizeof(source) - 1);
	pctl_problems_free(problems);
	pctl_run_start(run, &callbacks);
	assert_int_equal(uv_run(&w.loop, UV_RUN_DEFAULT), 0);
	assert_true(got.result.ok);
	assert_int_equal(pctl_value_count(pctl_value_get(got.tree, "events")), 1);
	outcome_done(&got);
	world_done(&w);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_status),
		TEST(test_reads_are_tried_again_within_limits),
		TEST(test_a_device_that_drops_connections_gets_three_tries_however_late),
		TEST(test_wait_for_a_state),
		TEST(test_on),
		TEST(test_on_that_is_not_confirmed_fails),
		TEST(test_off_is_only_what_reads_off),
		TEST(test_a_lost_on_is_looked_at_before_it_is_sent_again),
		TEST(test_a_no_is_a_no),
		TEST(test_soft_off),
		TEST(test_reboot),
		TEST(test_a_device_that_cannot_cycle_is_turned_off_and_on),
		TEST(test_a_lost_restart_is_never_sent_again),
		TEST(test_boot),
		TEST(test_a_held_intent_goes_with_the_next_start),
		TEST(test_an_armed_boot_is_told),
		TEST(test_a_lost_boot_device_is_set_again),
		TEST(test_a_doubt_outweighs_what_follows),
		TEST(test_the_trouble_before_the_deadline_is_told),
		TEST(test_maintenance_and_protected),
		TEST(test_time_over_says_what_is_known),
		TEST(test_a_paused_run_begins_nothing),
		cmocka_unit_test(test_a_request_is_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
