/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verbs on a machine where somebody has to agree first. The device keeps to the rules of the
 * contract: it shows one code, counts wrong ones, and takes boot devices once it has the right one.
 * The person answers as a script says.
 */
#include "run_help.h"

#define CODE "012345"

/* What a person does when asked. */
enum person {
	NOBODY, /* never asked, or the end of a script */
	RIGHT,
	WRONG,
	ODD, /* no code at all: "abc" */
	LATE,
	LEAVES,
	SILENT,
	INTERRUPTS,
};

struct play {
	struct world world;
	struct pctl_plugin *plugin;
	struct pctl_run *run;
	struct calls asked;
	struct pctl_consent_question question;
	unsigned questions, withdrawn;
	uv_timer_t timer;

	/* The device. */
	enum pctl_consent_state state;
	enum pctl_power_state power;
	unsigned wrong;
	uint32_t display_s;
	bool slow;                    /* to say its state */
	struct pctl_op *op;           /* that it is slow about */
	unsigned reads, interrupt_at; /* the run is interrupted at that read; 0: never */
	bool busy, lose_answer, lose_request, refuse_request, stubborn, private;
	unsigned busy_looks; /* so often it says so when asked for its consent */
	size_t first;        /* node */

	enum person persons[8];
	struct outcome got;
};

static struct play *current;

static void note(const char *what)
{
	calls_note(&current->asked, what);
}

static void on_slow(uv_timer_t *timer)
{
	(void)timer;
	pctl_op_done(current->op);
}

static void stop_slow(struct pctl_op *op, void *work)
{
	(void)op, (void)work;
	(void)uv_timer_stop(&current->timer);
}

static void answer_slowly(struct pctl_op *op)
{
	current->op = op;
	pctl_op_pending(op, stop_slow, NULL);
	(void)uv_timer_start(&current->timer, on_slow, 30, 0);
}

static void get_power(void *dev, struct pctl_op *op, unsigned flags, struct pctl_power *ret)
{
	(void)dev, (void)flags;
	note("get");
	ret->state = current->power;
	if (current->private && current->state < PCTL_CONSENT_RECEIVED)
		pctl_op_fail(op, PCTL_E_CONSENT, "even that needs consent");
	else if (++current->reads == current->interrupt_at)
		pctl_run_cancel(current->run);
	else if (current->slow)
		answer_slowly(op);
	else
		pctl_op_done(op);
}

static void act(void *dev, struct pctl_op *op, enum pctl_action action)
{
	(void)dev;
	note(pctl_action_name(action));
	pctl_op_committed(op);
	current->power = PCTL_POWER_ON;
	pctl_op_done(op);
}

static void set_boot(void *dev, struct pctl_op *op, const struct pctl_boot *boot)
{
	(void)dev, (void)boot;
	note("boot");
	if (!current->stubborn && current->state >= PCTL_CONSENT_RECEIVED)
		pctl_op_done(op);
	else
		pctl_op_fail(op, PCTL_E_CONSENT, "boot options need consent");
}

static void get_consent(void *dev, struct pctl_op *op, struct pctl_consent *ret)
{
	(void)dev;
	note("consent");
	if (current->busy_looks) {
		current->busy_looks--;
		answer_busy(op);
		return;
	}
	ret->required = PCTL_CONSENT_ALL;
	ret->state = current->state;
	ret->display_s = current->display_s;
	ret->idle_s = 120;
	pctl_op_done(op);
}

static void request(void *dev, struct pctl_op *op, struct pctl_consent *ret)
{
	(void)dev;
	note("request");
	if (current->refuse_request) {
		pctl_op_fail(op, PCTL_E_BUSY, "blocked");
		return;
	}
	ret->turned_on = current->power == PCTL_POWER_OFF;
	current->power = PCTL_POWER_ON;
	if (current->lose_request) {
		current->lose_request = false;
		answer_lost(op);
		return;
	}
	if (current->state < PCTL_CONSENT_RECEIVED)
		current->state = PCTL_CONSENT_DISPLAYED;
	ret->state = current->state;
	ret->display_s = current->display_s;
	pctl_op_done(op);
}

static void submit(void *dev, struct pctl_op *op, const char *code)
{
	(void)dev;
	note("submit");
	pctl_op_committed(op);
	if (current->busy) {
		pctl_op_not_taken(op);
		answer_busy(op);
	} else if (current->state != PCTL_CONSENT_DISPLAYED) {
		pctl_op_fail(op, PCTL_E_STATE, "it shows no code");
	} else if (strcmp(code, CODE) == 0) {
		current->state = PCTL_CONSENT_RECEIVED;
		if (current->lose_answer)
			answer_lost(op);
		else
			pctl_op_done(op);
	} else if (++current->wrong < 3) {
		pctl_op_fail(op, PCTL_E_CONSENT, "the code is wrong");
	} else {
		current->state = PCTL_CONSENT_IDLE;
		pctl_op_fail(op, PCTL_E_FORBIDDEN, "the code is wrong, and that was the last try");
	}
}

static void cancel(void *dev, struct pctl_op *op)
{
	(void)dev;
	note("cancel");
	current->state = PCTL_CONSENT_IDLE;
	pctl_op_done(op);
}

static const struct pctl_power_if fake_power = {
	.actions = PCTL_ACTION_BIT(PCTL_ACTION_COUNT) - 1,
	.get = get_power,
	.act = act,
};

static const struct pctl_consent_if fake_consent = {
	.digits = 6,
	.tries = 3,
	.get = get_consent,
	.request = request,
	.submit = submit,
	.cancel = cancel,
};

static const struct pctl_driver fake_driver = {
	.name = "fake",
	.open = open_nothing,
	.close = close_nothing,
	.power = &fake_power,
};

static int setup(void **state)
{
	struct play *p = pctl_xcalloc(1, sizeof(*p));

	world_init(&p->world, "defaults: {timeouts: {confirm: 2s, verify: 60ms, poll: 5ms, "
			      "connect: 20ms, read: 1s}}\n"
			      "nodes:\n"
			      "  n1: {driver: fake}\n"
			      "  n2: {driver: fake}\n"
			      "  quick: {driver: fake, timeouts: {read: 100ms}}\n");
	p->plugin = world_enter(&p->world, &fake_driver);
	p->plugin->boot = (struct pctl_boot_if){ .once = PCTL_BOOT_BIT(PCTL_BOOT_COUNT) - 1,
		.set = set_boot };
	p->plugin->driver.boot = &p->plugin->boot;
	p->plugin->consent = fake_consent;
	p->plugin->driver.consent = &p->plugin->consent;
	(void)uv_timer_init(&p->world.loop, &p->timer);
	p->power = PCTL_POWER_ON;
	current = p;
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct play *p = *state;

	outcome_done(&p->got);
	uv_close((uv_handle_t *)&p->timer, NULL);
	world_done(&p->world);
	free(p);
	return 0;
}

/* --- The person. ------------------------------------------------------------------------------ */

static void on_late(uv_timer_t *timer)
{
	(void)timer;
	pctl_run_consent(current->run, 0, CODE);
}

static void on_question(void *data, const struct pctl_consent_question *q)
{
	struct play *p = current;
	enum person person;

	(void)data;
	if (!q) {
		p->withdrawn++;
		return;
	}
	note("?");
	person = p->persons[p->questions++];
	p->question = *q;
	assert_int_equal(q->digits, 6);
	switch (person) {
	case RIGHT:
		pctl_run_consent(p->run, q->node, CODE);
		pctl_run_consent(p->run, q->node, "999999"); /* too late: does nothing */
		break;
	case WRONG:
		pctl_run_consent(p->run, q->node + 1, CODE); /* of another node */
		pctl_run_consent(p->run, q->node, "000000");
		break;
	case ODD:
		pctl_run_consent(p->run, q->node, "12345x");
		break;
	case LATE:
		(void)uv_timer_start(&p->timer, on_late, 1200, 0);
		break;
	case LEAVES:
		pctl_run_consent(p->run, q->node, NULL);
		break;
	case INTERRUPTS:
		pctl_run_cancel(p->run);
		break;
	case SILENT:
		break;
	case NOBODY:
		fail_msg("nobody was to be asked (%s)", p->asked.log);
	}
}

static void run_nodes(struct play *p, size_t count, const struct pctl_request *request, bool person)
{
	struct pctl_problems *problems = pctl_problems_new();
	const size_t nodes[] = { p->first, p->first + 1 };
	const struct pctl_run_callbacks callbacks = {
		.result = outcome_on_result,
		.done = outcome_on_done,
		.data = &p->got,
		.consent = person ? on_question : NULL,
	};

	outcome_done(&p->got);
	p->got.results = 1 - (int)count; /* the last is kept */
	p->asked.log[0] = '\0';
	p->questions = p->withdrawn = 0;
	assert_int_equal(pctl_run_new(p->world.core, p->world.inventory, nodes, count, request,
				 &p->run, problems),
		0);
	pctl_problems_free(problems);
	pctl_run_start(p->run, &callbacks);
	assert_int_equal(uv_run(&p->world.loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(p->got.done, 1);
}

#define PXE .boot = { .device = PCTL_BOOT_PXE }

/* Boots n1; persons are those of its questions. */
static void boot(struct play *p, enum person first, enum person second, enum person third)
{
	const struct pctl_request request = VERB(PCTL_VERB_BOOT, PXE);

	p->persons[0] = first;
	p->persons[1] = second;
	p->persons[2] = third;
	run_nodes(p, 1, &request, true);
}

static void succeeds(const struct play *p, const char *log)
{
	if (!p->got.result.ok)
		fail_msg("failed: %s (%s)", p->got.text, p->asked.log);
	assert_string_equal(p->asked.log, log);
}

static void fails(const struct play *p, int code, const char *log, const char *text)
{
	outcome_failed(&p->got, code, text);
	assert_string_equal(p->asked.log, log);
}

/* --- Verbs that need it. ---------------------------------------------------------------------- */

static void test_asks_and_begins_anew(void **state)
{
	struct play *p = *state;

	boot(p, RIGHT, NOBODY, NOBODY);
	succeeds(p, "get boot request ? submit get boot reset get");
	assert_string_equal(p->question.name, "n1");
	assert_int_equal(p->question.left, 3);
	assert_false(p->question.turned_on);
	assert_int_equal(p->state, PCTL_CONSENT_RECEIVED); /* an agreement is not taken back */

	/* Agreed to, it is not asked for again. */
	boot(p, NOBODY, NOBODY, NOBODY);
	succeeds(p, "get boot reset get");
}

static void test_a_machine_that_was_off_is_looked_at_again(void **state)
{
	struct play *p = *state;

	p->power = PCTL_POWER_OFF;
	boot(p, RIGHT, NOBODY, NOBODY);
	/* It is on by then: a reset makes use of the boot device, "on" would not. */
	succeeds(p, "get boot request ? submit get boot reset get");
	assert_true(p->question.turned_on);
	assert_true(p->got.result.changed);
	assert_non_null(strstr(p->got.notes, "turned on"));

	/* Also where nothing comes of it. */
	const enum person persons[] = { LEAVES, INTERRUPTS };
	for (size_t i = 0; i < 2; i++) {
		p->power = PCTL_POWER_OFF;
		p->state = PCTL_CONSENT_IDLE;
		boot(p, persons[i], NOBODY, NOBODY);
		assert_false(p->got.result.ok);
		assert_true(p->got.result.changed);
		assert_false(p->got.result.state_known);
		assert_non_null(strstr(p->got.text, "was turned on to show its code"));
	}
}

static void test_asks_once(void **state)
{
	struct play *p = *state;

	p->stubborn = true;
	boot(p, RIGHT, NOBODY, NOBODY);
	fails(p, PCTL_E_CONSENT, "get boot request ? submit get boot", "boot options need consent");
}

static void test_wrong_codes(void **state)
{
	struct play *p = *state;

	boot(p, WRONG, RIGHT, NOBODY);
	succeeds(p, "get boot request ? submit ? submit get boot reset get");
	assert_int_equal(p->question.wrong, 1);
	assert_int_equal(p->question.left, 2);

	p->state = PCTL_CONSENT_IDLE;
	p->wrong = 0;
	boot(p, WRONG, WRONG, WRONG);
	fails(p, PCTL_E_FORBIDDEN, "get boot request ? submit ? submit ? submit", "last try");
	assert_int_equal(p->question.left, 1);

	/* What is no code does not count, and is not sent. */
	p->wrong = 0;
	boot(p, ODD, RIGHT, NOBODY);
	succeeds(p, "get boot request ? ? submit get boot reset get");
	assert_int_equal(p->question.wrong, 0);
}

/* A device that bears more of them than it says: no code stays on its screen all the same. */
static void test_no_code_stays_after_the_last_try(void **state)
{
	struct play *p = *state;

	p->plugin->consent.tries = 2;
	boot(p, WRONG, WRONG, NOBODY);
	fails(p, PCTL_E_CONSENT, "get boot request ? submit ? submit cancel", "wrong");
}

static void test_no_answer(void **state)
{
	struct play *p = *state;

	boot(p, LEAVES, NOBODY, NOBODY);
	fails(p, PCTL_E_CONSENT, "get boot request ? cancel",
		"boot options need consent; no code was given");
	assert_int_equal(p->withdrawn, 0);

	p->display_s = 1;
	boot(p, SILENT, NOBODY, NOBODY);
	fails(p, PCTL_E_CONSENT, "get boot request ? cancel", "nobody said which code");
	assert_int_equal(p->withdrawn, 1);
}

static void test_an_interruption_clears_the_screen(void **state)
{
	struct play *p = *state;

	boot(p, INTERRUPTS, NOBODY, NOBODY);
	fails(p, PCTL_E_CANCELED, "get boot request ? cancel", "interrupted; nothing was sent");
	assert_int_equal(p->withdrawn, 1);
	assert_int_equal(p->state, PCTL_CONSENT_IDLE);

	/* The command's own time is an interruption as well. */
	const struct pctl_request request = VERB(PCTL_VERB_BOOT, PXE, .deadline_ms = 1000);
	p->persons[0] = SILENT;
	run_nodes(p, 1, &request, true);
	fails(p, PCTL_E_TIMEOUT, "get boot request ? cancel", "time was over");
}

/* What was agreed to is left: other verbs may go on under it. */
static void test_an_agreement_outlives_an_interruption(void **state)
{
	struct play *p = *state;

	p->interrupt_at = 2;
	boot(p, RIGHT, NOBODY, NOBODY);
	fails(p, PCTL_E_CANCELED, "get boot request ? submit get", "interrupted");
	assert_int_equal(p->state, PCTL_CONSENT_RECEIVED);
}

static void test_asking_takes_no_time(void **state)
{
	struct play *p = *state;
	const struct pctl_request request = VERB(PCTL_VERB_BOOT, PXE, .timeout_ms = 1000);

	p->slow = true;
	p->persons[0] = LATE; /* by more than the verb has */
	run_nodes(p, 1, &request, true);
	succeeds(p, "get boot request ? submit get boot reset get");
	assert_true(p->got.result.elapsed_ms < 1000);
}

static void test_an_answer_that_is_lost(void **state)
{
	struct play *p = *state;

	p->lose_answer = true;
	boot(p, RIGHT, NOBODY, NOBODY);
	succeeds(p, "get boot request ? submit consent get boot reset get");
}

/* A device that is busy is asked again, and not for ever. */
static void test_a_look_at_a_busy_device(void **state)
{
	struct play *p = *state;

	p->lose_answer = true;
	p->busy_looks = 1;
	boot(p, RIGHT, NOBODY, NOBODY);
	succeeds(p, "get boot request ? submit consent consent get boot reset get");

	p->first = 2;
	p->state = PCTL_CONSENT_IDLE;
	p->busy_looks = 5;
	boot(p, RIGHT, NOBODY, NOBODY);
	outcome_failed(&p->got, PCTL_E_OUTCOME_UNKNOWN, "connection closed");
	assert_true(p->busy_looks > 1);
	assert_non_null(strstr(p->asked.log, "consent cancel"));
}

/* Nothing is shown at the machine, and nobody is asked, for what is not to be done. */
static void test_a_dry_run_asks_nobody(void **state)
{
	struct play *p = *state;
	struct pctl_request request = VERB(PCTL_VERB_BOOT, PXE, .dry_run = true);

	p->private = true;
	run_nodes(p, 1, &request, true);
	fails(p, PCTL_E_CONSENT, "get", "powerctl consent request");
	request.consent_code = CODE;
	p->state = PCTL_CONSENT_DISPLAYED;
	run_nodes(p, 1, &request, true);
	fails(p, PCTL_E_CONSENT, "get", "even that needs consent");
}

/* The second try finds it on, by the first. */
static void test_a_request_whose_answer_is_lost(void **state)
{
	struct play *p = *state;

	p->power = PCTL_POWER_OFF;
	p->lose_request = true;
	boot(p, RIGHT, NOBODY, NOBODY);
	succeeds(p, "get boot request request ? submit get boot reset get");
	assert_true(p->question.turned_on);
	assert_true(p->got.result.changed);
}

static void test_a_request_that_is_refused(void **state)
{
	struct play *p = *state;

	p->refuse_request = true;
	boot(p, NOBODY, NOBODY, NOBODY);
	fails(p, PCTL_E_BUSY, "get boot request cancel", "blocked");
}

static void test_a_code_that_is_not_looked_at(void **state)
{
	struct play *p = *state;

	p->busy = true;
	boot(p, RIGHT, NOBODY, NOBODY);
	fails(p, PCTL_E_BUSY, "get boot request ? submit cancel", "busy");
}

static void test_nodes_ask_in_turn(void **state)
{
	struct play *p = *state;
	const struct pctl_request request = VERB(PCTL_VERB_BOOTDEV, PXE);

	/* One device stands for both: had the second asked too early, it would have been told. */
	p->persons[0] = LEAVES;
	p->persons[1] = RIGHT;
	run_nodes(p, 2, &request, true);
	succeeds(p, "boot boot request ? cancel request ? submit boot");
	assert_string_equal(p->question.name, "n2");

	/* Who waits in the line is told at once. */
	p->state = PCTL_CONSENT_IDLE;
	p->persons[0] = INTERRUPTS;
	run_nodes(p, 2, &request, true);
	assert_string_equal(p->asked.log, "boot boot request ? cancel");
	assert_false(p->got.result.ok);
}

static void test_a_code_that_is_given(void **state)
{
	struct play *p = *state;
	struct pctl_request request = VERB(PCTL_VERB_BOOT, PXE, .consent_code = CODE);

	/* Nobody has asked for one: a new one would not be the one that was read out. */
	run_nodes(p, 1, &request, true);
	fails(p, PCTL_E_STATE, "get boot submit", "powerctl consent request");

	p->state = PCTL_CONSENT_DISPLAYED;
	run_nodes(p, 1, &request, false);
	succeeds(p, "get boot submit get boot reset get");

	/* A wrong one leaves the other tries to whoever knows better. */
	p->state = PCTL_CONSENT_DISPLAYED;
	request.consent_code = "000000";
	run_nodes(p, 1, &request, true);
	fails(p, PCTL_E_CONSENT, "get boot submit", "wrong");
	assert_int_equal(p->state, PCTL_CONSENT_DISPLAYED);

	request.consent_code = "12345";
	run_nodes(p, 1, &request, true);
	fails(p, PCTL_E_CONFIG, "get boot", "6 digits");
}

static void test_nobody_to_ask(void **state)
{
	struct play *p = *state;
	const struct pctl_request request = VERB(PCTL_VERB_BOOT, PXE);

	run_nodes(p, 1, &request, false);
	fails(p, PCTL_E_CONSENT, "get boot", "--consent-code");
	p->plugin->driver.consent = NULL;
	run_nodes(p, 1, &request, true);
	fails(p, PCTL_E_CONSENT, "get boot", "boot options need consent");
	assert_null(strstr(p->got.text, "powerctl"));
}

/* --- The verbs about it. ---------------------------------------------------------------------- */

static void play(struct play *p, struct pctl_request request)
{
	run_nodes(p, 1, &request, true);
}

static void test_verbs(void **state)
{
	struct play *p = *state;

	play(p, VERB(PCTL_VERB_CONSENT_SUBMIT, .consent_code = CODE));
	fails(p, PCTL_E_STATE, "consent submit", "powerctl consent request");
	play(p, VERB(PCTL_VERB_CONSENT_REQUEST));
	succeeds(p, "request");
	assert_false(p->got.result.changed);
	play(p, VERB(PCTL_VERB_CONSENT_STATUS));
	succeeds(p, "consent");
	assert_string_equal(pctl_value_text(pctl_value_get(p->got.tree, "required")), "all");
	assert_string_equal(pctl_value_text(pctl_value_get(p->got.tree, "state")), "displayed");
	assert_int_equal(pctl_value_int(pctl_value_get(p->got.tree, "idle_s")), 120);
	assert_null(pctl_value_get(p->got.tree, "display_s"));
	play(p, VERB(PCTL_VERB_CONSENT_SUBMIT, .consent_code = "1"));
	fails(p, PCTL_E_CONFIG, "", "6 digits");
	play(p, VERB(PCTL_VERB_CONSENT_SUBMIT, .consent_code = "000000"));
	fails(p, PCTL_E_CONSENT, "consent submit", "wrong");
	p->lose_answer = true;
	play(p, VERB(PCTL_VERB_CONSENT_SUBMIT, .consent_code = CODE));
	succeeds(p, "consent submit consent");
	play(p, VERB(PCTL_VERB_CONSENT_SUBMIT, .consent_code = "000000"));
	succeeds(p, "consent");
	assert_non_null(strstr(p->got.notes, "was not sent"));
	play(p, VERB(PCTL_VERB_CONSENT_REQUEST));
	succeeds(p, "request");
	assert_non_null(strstr(p->got.notes, "already"));
	play(p, VERB(PCTL_VERB_CONSENT_CANCEL));
	succeeds(p, "cancel");
	play(p, VERB(PCTL_VERB_CONSENT_REQUEST, .dry_run = true));
	succeeds(p, "");
}

static void test_a_machine_that_was_off_is_told_of(void **state)
{
	struct play *p = *state;

	p->power = PCTL_POWER_OFF;
	play(p, VERB(PCTL_VERB_CONSENT_REQUEST));
	succeeds(p, "request");
	assert_true(p->got.result.changed);
	assert_non_null(strstr(p->got.notes, "turned on"));
	p->plugin->driver.consent = NULL;
	play(p, VERB(PCTL_VERB_CONSENT_STATUS));
	fails(p, PCTL_E_UNSUPPORTED, "", "knows no consent");
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_asks_and_begins_anew),
		TEST(test_a_machine_that_was_off_is_looked_at_again),
		TEST(test_asks_once),
		TEST(test_wrong_codes),
		TEST(test_no_code_stays_after_the_last_try),
		TEST(test_no_answer),
		TEST(test_an_interruption_clears_the_screen),
		TEST(test_an_agreement_outlives_an_interruption),
		TEST(test_asking_takes_no_time),
		TEST(test_an_answer_that_is_lost),
		TEST(test_a_look_at_a_busy_device),
		TEST(test_a_dry_run_asks_nobody),
		TEST(test_a_request_whose_answer_is_lost),
		TEST(test_a_request_that_is_refused),
		TEST(test_a_code_that_is_not_looked_at),
		TEST(test_nodes_ask_in_turn),
		TEST(test_a_code_that_is_given),
		TEST(test_nobody_to_ask),
		TEST(test_verbs),
		TEST(test_a_machine_that_was_off_is_told_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
