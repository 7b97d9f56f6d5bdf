/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that several things power: what is sent to which of them, and what is said of it. */
#include "feeds_help.h"

/* --- status. ---------------------------------------------------------------------------------- */

static void test_status(void **state)
{
	static const struct {
		enum pctl_power_state b, s1, s2;
		enum fault fb, f2;
		bool ok;
		const char *word, *text;
	} rows[] = {
		{ ON, ON, ON, NONE, NONE, true, "on", "" },
		{ SLEEP, ON, ON, NONE, NONE, true, "sleep", "" },
		{ ON, OFF, OFF, NONE, NONE, true, "off", "" }, /* it is silent then */
		{ OFF, ON, ON, NONE, NONE, false, "unknown",
			"bmc is off; strip 1 and strip 2 are on" },
		{ ON, ON, OFF, NONE, NONE, false, "unknown",
			"strip 2 is off; bmc and strip 1 are on" },
		{ ON, ON, ON, DEAD, NONE, false, "unknown",
			"bmc: nobody is there; strip 1 and strip 2 are on" },
		{ ON, OFF, ON, DEAD, NONE, false, "unknown", "strip 1 is off; strip 2 is on" },
		{ ON, OFF, OFF, NONE, DEAD, false, "unknown",
			"bmc and strip 2: nobody is there; strip 1 is off" },
		{ ON, ON, ON, NONE, DEAD, false, "unknown",
			"strip 2: nobody is there; bmc and strip 1 are on" },
		{ SLEEP, ON, OFF, NONE, NONE, false, "unknown", "bmc is sleep" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put(rows[i].b, rows[i].s1, rows[i].s2);
		machine("b")->fault = rows[i].fb;
		machine("s/2")->fault = rows[i].f2;
		const struct told *told = run_all("n", VERB(PCTL_VERB_STATUS));
		assert_string_equal(told->word, rows[i].word);
		assert_int_equal(told->ok, rows[i].ok);
		assert_int_equal(told->known, rows[i].ok);
		has(told->text, rows[i].text);
		assert_int_equal(told->feeds, 3);
		assert_string_equal(lab->log, "");
	}
}

/* What answers has power: a wrong password is no silence. */
static void test_an_answer_is_not_silence(void **state)
{
	(void)state;
	machine("s/1")->state = OFF;
	machine("c")->fault = DEAD;
	assert_string_equal(run_all("lit", VERB(PCTL_VERB_STATUS))->word, "off");
	machine("c")->fault = WRONG_LOGIN;
	assert_string_equal(run_all("lit", VERB(PCTL_VERB_STATUS))->word, "unknown");
	assert_int_equal(lab->told[0].code, PCTL_E_AUTH);
	fails(run_all("lit", VERB(PCTL_VERB_OFF)), PCTL_E_AUTH, "", "strip is off");
}

static void test_feeds_are_told(void **state)
{
	(void)state;
	put(ON, ON, OFF);
	machine("b")->fault = DEAD;
	const struct told *told = run_all("n", VERB(PCTL_VERB_STATUS));
	assert_string_equal(told->names, "bmc=bmc strip 1=strip strip 2=strip ");
	assert_false(told->feed[0].ok);
	assert_false(told->feed[0].state_known);
	assert_int_equal(told->feed[0].error.code, PCTL_E_UNREACHABLE);
	assert_true(told->feed[2].ok);
	assert_int_equal(told->feed[2].state, OFF);
	assert_int_equal(run_all("one", VERB(PCTL_VERB_STATUS))->feeds, 0);
}

/* --- off. ------------------------------------------------------------------------------------- */

static void test_off(void **state)
{
	(void)state;
	put(ON, ON, ON);
	succeeds(run_all("n", VERB(PCTL_VERB_OFF)), "off", "b:off s/1:off s/2:off ");
	assert_string_equal(lab->told[0].confirmed, "seen");
	assert_true(lab->told[0].changed);
	succeeds(run_all("n", VERB(PCTL_VERB_OFF)), "off", "");
	assert_false(lab->told[0].changed);
	put(OFF, ON, OFF);
	succeeds(run_all("n", VERB(PCTL_VERB_OFF)), "off", "s/1:off ");
	put(ON, ON, ON);
	succeeds(run_all("n", VERB(PCTL_VERB_OFF, .soft = true)), "off",
		"b:soft_off s/1:off s/2:off ");
	put(ON, ON, ON);
	succeeds(run_all("n", VERB(PCTL_VERB_OFF, .dry_run = true)), "ok", "");
	has(lab->told[0].note, "would send 'off' to bmc, strip 1 and strip 2");
}

/* Hard is hard: a management processor that is silent, refuses or knows us not keeps no power. */
static void test_off_without_the_processors_help(void **state)
{
	static const enum fault faults[] = { DEAD, REFUSES, WRONG_LOGIN };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		put(ON, ON, ON);
		machine("b")->fault = faults[i];
		if (faults[i] == WRONG_LOGIN) {
			/* It would be silent without power. */
			succeeds(run_all("n", VERB(PCTL_VERB_OFF)), "off", "s/1:off s/2:off ");
			break;
		}
		succeeds(run_all("n", VERB(PCTL_VERB_OFF)), "off", "s/1:off s/2:off ");
		has(lab->told[0].note, "all outlets that feed it are off");
	}
	put(ON, ON, ON);
	machine("b")->fault = REFUSES;
	fails(run_all("n", VERB(PCTL_VERB_OFF, .soft = true)), PCTL_E_REFUSED, "",
		"bmc: the relay is stuck");
}

/* What may be another machine's keeps the power; what only takes no certificate of ours does not.
 */
static void test_off_where_certificates_fail(void **state)
{
	(void)state;
	put(ON, ON, ON);
	machine("b")->fault = DISTRUSTS;
	succeeds(run_all("n", VERB(PCTL_VERB_OFF)), "off", "s/1:off s/2:off ");
	put(ON, ON, ON);
	machine("b")->fault = STRANGER;
	fails(run_all("n", VERB(PCTL_VERB_OFF)), PCTL_E_TRUST, "", "another certificate");
}

static void test_off_is_not_half_off(void **state)
{
	(void)state;
	put(ON, ON, ON);
	machine("s/2")->fault = REFUSES;
	fails(run_all("n", VERB(PCTL_VERB_OFF)), PCTL_E_REFUSED, "b:off s/1:off ",
		"strip 2: the relay is stuck; bmc and strip 1 are off; strip 2 is on");
	assert_false(lab->told[0].known);
	machine("s/2")->fault = DEAD;
	put(ON, ON, ON);
	fails(run_all("n", VERB(PCTL_VERB_OFF)), PCTL_E_UNREACHABLE, "b:off s/1:off ",
		"strip 2: nobody is there; bmc and strip 1 are off");
	/* All outlets say off, and the machine says on: it has another feed. */
	machine("s/2")->fault = NONE;
	put(ON, ON, ON);
	machine("s/1")->claims_on = true;
	fails(run_all("n", VERB(PCTL_VERB_OFF, .timeout_ms = 300)), PCTL_E_TIMEOUT,
		"b:off s/1:off s/2:off ", "strip 1: ");
}

/* --- on. -------------------------------------------------------------------------------------- */

static void test_on(void **state)
{
	(void)state;
	put(OFF, OFF, OFF);
	machine("b")->silent = 3;
	succeeds(run_all("n", VERB(PCTL_VERB_ON)), "on", "s/1:on s/2:on b:on ");
	succeeds(run_all("n", VERB(PCTL_VERB_ON)), "on", "");
	put(OFF, ON, ON);
	succeeds(run_all("n", VERB(PCTL_VERB_ON)), "on", "b:on ");
	put(OFF, ON, OFF);
	succeeds(run_all("n", VERB(PCTL_VERB_ON, .dry_run = true)), "ok", "");
	has(lab->told[0].note, "would send 'on' to bmc and strip 2");
}

static void test_on_sends_nothing_in_vain(void **state)
{
	(void)state;
	put(OFF, OFF, OFF);
	machine("s/2")->fault = DEAD;
	fails(run_all("n", VERB(PCTL_VERB_ON)), PCTL_E_UNREACHABLE, "", "nothing was sent");
	machine("s/2")->fault = NONE;
	put(OFF, ON, ON);
	machine("b")->fault = DEAD;
	fails(run_all("n", VERB(PCTL_VERB_ON)), PCTL_E_UNREACHABLE, "",
		"nothing was sent; bmc: nobody is there; strip 1 and strip 2 are on");
	machine("b")->fault = NONE;
	put(OFF, OFF, OFF);
	machine("s/1")->fault = REFUSES;
	fails(run_all("n", VERB(PCTL_VERB_ON)), PCTL_E_REFUSED, "s/2:on ",
		"strip 1: the relay is stuck");
}

static void test_a_processor_that_does_not_return(void **state)
{
	(void)state;
	put(OFF, OFF, OFF);
	machine("b")->fault = DEAD;
	fails(run_all("n", VERB(PCTL_VERB_ON, .timeout_ms = 200)), PCTL_E_UNREACHABLE,
		"s/1:on s/2:on ", "bmc: nobody is there; strip 1 and strip 2 are on");
}

/* --- Restarts. -------------------------------------------------------------------------------- */

static void test_outlets_go_dark_together(void **state)
{
	static const enum pctl_verb verbs[] = { PCTL_VERB_REBOOT, PCTL_VERB_CYCLE,
		PCTL_VERB_AC_CYCLE };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		put(ON, ON, ON);
		succeeds(run_all("two", VERB(verbs[i])), "on", "s/1:off s/2:off s/1:on s/2:on ");
		assert_string_equal(lab->told[0].confirmed, "seen");
	}
	put(ON, OFF, OFF);
	succeeds(run_all("two", VERB(PCTL_VERB_REBOOT)), "on", "s/1:on s/2:on ");
	put(ON, OFF, OFF);
	fails(run_all("two", VERB(PCTL_VERB_CYCLE)), PCTL_E_STATE, "", "off already");
	fails(run_all("two", VERB(PCTL_VERB_RESET)), PCTL_E_UNSUPPORTED, "", "'reset' wants");
	put(ON, ON, OFF);
	succeeds(run_all("two", VERB(PCTL_VERB_CYCLE)), "on", "s/1:off s/1:on s/2:on ");
}

/* What did not go dark is not restarted, and what did is wanted. */
static void test_half_an_outage(void **state)
{
	(void)state;
	put(ON, ON, ON);
	machine("s/2")->fault = REFUSES;
	fails(run_all("two", VERB(PCTL_VERB_CYCLE)), PCTL_E_REFUSED, "s/1:off s/1:on ",
		"strip 2: the relay is stuck");
	machine("s/2")->fault = DEAD;
	fails(run_all("two", VERB(PCTL_VERB_CYCLE)), PCTL_E_UNREACHABLE, "", "nothing was sent");
}

static void test_ac_cycle(void **state)
{
	(void)state;
	put(ON, ON, ON);
	machine("b")->silent = 2;
	succeeds(run_all("n", VERB(PCTL_VERB_AC_CYCLE)), "on",
		"s/1:off s/2:off s/1:on s/2:on b:on ");
	put(OFF, ON, ON);
	succeeds(run_all("n", VERB(PCTL_VERB_AC_CYCLE)), "ok", "s/1:off s/2:off s/1:on s/2:on ");
	has(lab->told[0].note, "bmc is off, and was not on before");
	put(ON, ON, ON);
	machine("b")->fault = DEAD;
	fails(run_all("n", VERB(PCTL_VERB_AC_CYCLE, .timeout_ms = 300)), PCTL_E_UNREACHABLE,
		"s/1:off s/2:off s/1:on s/2:on ", "bmc: nobody is there");
	machine("b")->fault = NONE;
	put(ON, OFF, OFF);
	fails(run_all("n", VERB(PCTL_VERB_AC_CYCLE)), PCTL_E_STATE, "", "off already");
	put(ON, ON, ON);
	succeeds(run_all("n", VERB(PCTL_VERB_AC_CYCLE, .dry_run = true)), "ok", "");
	machine("k1")->state = machine("k2")->state = OFF;
	/* Where the driver can do it, and nothing else feeds the machine. */
	succeeds(run_all("ch", VERB(PCTL_VERB_AC_CYCLE, .maintenance = false)), "on",
		"ch:ac_cycle ");
}

static void test_the_processor_alone(void **state)
{
	(void)state;
	put(ON, ON, ON);
	succeeds(run_all("n", VERB(PCTL_VERB_RESET)), "on", "b:reset ");
	succeeds(run_all("n", VERB(PCTL_VERB_CYCLE)), "on", "b:cycle ");
	succeeds(run_all("n", VERB(PCTL_VERB_NMI)), "accepted", "b:nmi ");
	put(ON, ON, OFF);
	fails(run_all("n", VERB(PCTL_VERB_REBOOT)), PCTL_E_STATE, "", "strip 2: no power there");
	put(ON, ON, ON);
	machine("s/2")->fault = DEAD;
	succeeds(run_all("n", VERB(PCTL_VERB_RESET)), "on", "b:reset ");
	has(lab->told[0].note, "strip 2 could not be read");
}

static void test_wait(void **state)
{
	(void)state;
	put(ON, OFF, OFF);
	succeeds(run_all("n", VERB(PCTL_VERB_WAIT, .wait_state = OFF)), "off", "");
	put(ON, ON, OFF);
	fails(run_all("n", VERB(PCTL_VERB_WAIT, .wait_state = OFF, .timeout_ms = 100)),
		PCTL_E_TIMEOUT, "", "not off in time; strip 2 is off; bmc and strip 1 are on");
}

/* --- With others. ----------------------------------------------------------------------------- */

/* They name the same outlets in another order, and never come between each other. */
static void test_two_nodes_of_the_same_outlets(void **state)
{
	static const char *const words[] = { "two,owt,one", "one,two,owt", "owt,one,two" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		put(ON, ON, ON);
		(void)run_all(words[i], VERB(PCTL_VERB_CYCLE, .on_if_off = true));
		assert_non_null(strstr(lab->log, "s/1:off s/2:off s/1:on s/2:on "));
		assert_non_null(strstr(lab->log, "s/2:off s/1:off s/2:on s/1:on "));
	}
}

/* What waits for the strip is not kept from it by nodes that wait for it inside the fanout. */
static void test_a_node_between_two_joints(void **state)
{
	(void)state;
	(void)run_all("p7,l1,p8,l2", VERB(PCTL_VERB_OFF, .fanout = 2));
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(lab->told[i].word, "off");
}

/* Every part waits for the strip, which takes one at a time, and for one place in the limit. */
static void test_many_at_a_strip(void **state)
{
	(void)state;
	for (unsigned fanout = 1; fanout < 8; fanout += 3) {
		(void)run_all("l[1-6]", VERB(PCTL_VERB_OFF, .fanout = fanout));
		for (size_t i = 0; i < 6; i++)
			assert_string_equal(lab->told[i].word, "off");
		(void)run_all("l[1-6]", VERB(PCTL_VERB_ON, .fanout = fanout));
		for (size_t i = 0; i < 6; i++)
			assert_string_equal(lab->told[i].word, "on");
	}
}

static void test_a_wrong_password_gets_there_once(void **state)
{
	(void)state;
	(void)setenv("FEEDS_PASSWORD", "wrong", 1);
	const struct told *told = run_all("w", VERB(PCTL_VERB_STATUS));
	assert_int_equal(told->code, PCTL_E_AUTH);
	assert_int_equal(lab->logins, 1);
	has(told->text, "credential 'strip'");
}

/* Each feed is told of. */
static void write_secret(const char *name, const char *text)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", lab->world.dir, name);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fchmod(fileno(f), 0600), 0);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* A change of its password was interrupted: that keeps nobody from turning it off, now or later. */
static void test_a_password_in_doubt(void **state)
{
	(void)state;
	write_secret("x", RIGHT);
	write_secret("x.pending", "powerctl-pending 1\nsecret 6e6577\nsent x\n");
	for (int i = 0; i < 3; i++) {
		machine("x")->state = machine("s/1")->state = ON;
		succeeds(run_all("x", VERB(PCTL_VERB_OFF)), "off", "x:off s/1:off ");
		assert_int_equal(lab->logins, 1); /* the other one is tried once */
	}
}

static void test_interrupted(void **state)
{
	(void)state;
	put(ON, ON, ON);
	lab->cancel_at = "b:off";
	fails(run_all("n", VERB(PCTL_VERB_OFF)), PCTL_E_CANCELED, "b:off ", "interrupted");
	has(lab->told[0].text, "strip 1 and strip 2 are on");
	put(ON, ON, ON);
	machine("s/1")->fault = HANGS;
	lab->cancel_at = "s/2:off";
	lab->strip->driver.max_in_flight = 2;
	fails(run_all("n", VERB(PCTL_VERB_OFF)), PCTL_E_OUTCOME_UNKNOWN, "b:off s/2:off ",
		"strip 1: interrupted after 'off' was sent; whether it was taken is not known");
	assert_int_equal(lab->told[0].feed[1].error.code, PCTL_E_OUTCOME_UNKNOWN);
	machine("s/1")->fault = NONE;
	put(ON, ON, ON);
	(void)run_all("n", VERB(PCTL_VERB_OFF)); /* and all was given back */
	assert_true(lab->told[0].ok);
}

static int gate[2];

static void open_gate(void)
{
	assert_string_equal(lab->log, "");
	assert_int_equal(write(gate[1], "x", 1), 1);
}

/* Another process, with the lock of one machine until the gate opens. */
static pid_t hold(const char *machine)
{
	int told[2];
	char c;

	assert_int_equal(pipe(gate) | pipe(told), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct pctl_locks *locks = pctl_locks_new("other");
		bool good = pctl_lock_try(locks, machine, NULL, 0, NULL) == 0 &&
			    write(told[1], "x", 1) == 1 && read(gate[0], &c, 1) == 1;

		_exit(good ? 0 : 1);
	}
	assert_int_equal(close(told[1]), 0);
	assert_int_equal(read(told[0], &c, 1), 1);
	assert_int_equal(close(told[0]), 0);
	return child;
}

/* The locks of all its machines are waited for, and given back. */
static void test_locks(void **state)
{
	static const char *const machines[] = { "bmc:b", "strip:s/1", "strip:s/2" };

	(void)state;
	for (size_t round = 0; round < 2; round++) {
		for (size_t i = 0; i < 3; i++) {
			pid_t child = hold(machines[i]);
			int status = 1;

			put(ON, ON, ON);
			lab->waiting = open_gate;
			assert_true(run_all("n", VERB(PCTL_VERB_OFF))->ok);
			assert_int_equal(waitpid(child, &status, 0), child);
			assert_int_equal(status, 0);
			assert_int_equal(close(gate[0]) | close(gate[1]), 0);
		}
	}
}

/* --- Inventories. ----------------------------------------------------------------------------- */

static void problem_of(const char *nodes, const char *wanted)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_inventory *inv = NULL;
	PCTL_AUTO(free)
	char *text = pctl_xasprintf("classes: {m: {driver: bmc}}\nnodes:\n%s", nodes);

	if (pctl_inventory_parse("i.yaml", text, strlen(text), &inv, problems) == 0)
		(void)pctl_core_check(lab->world.core, inv, NULL, 0, false, problems);
	for (size_t i = 0; i < pctl_problems_count(problems); i++)
		if (strstr(pctl_problems_at(problems, i), wanted))
			wanted = NULL, i = SIZE_MAX - 1;
	if (wanted)
		fail_msg("no '%s'; %s", wanted,
			pctl_problems_count(problems) ? pctl_problems_at(problems, 0) : "none");
	pctl_inventory_free(inv);
	pctl_problems_free(problems);
}

static void test_mistakes(void **state)
{
	(void)state;
	problem_of("  a: {class: m, address: b, power: [bcm, {driver: strip, address: s}]}\n",
		"i.yaml:3:37: power: 'bcm' is no feed; it is 'bmc'");
	problem_of("  a: {class: m, address: b, power: [bmc, bmc]}\n",
		"i.yaml:3:42: power: the node's own driver stands here twice");
	problem_of(
		"  a: {class: m, address: b, power: [bmc, {driver: strip, address: s, outlet: 1}, "
		"{driver: strip, address: s, outlet: 01}]}\n",
		"power: this is the same as an earlier feed");
	problem_of("  a: {class: m, address: b, power: [bmc, {address: s}]}\n", "no driver");
	problem_of("  a: {class: m, address: b, power: [bmc, {driver: strip, outlat: 1}]}\n",
		"did you mean");
	problem_of("  a: {class: m, address: b, power: []}\n", "the list is empty");
	problem_of("  a: {class: m, address: b, power: [bmc, {driver: strip, credential: no}]}\n",
		"unknown credential 'no'");
	problem_of("  a: {class: m, address: b, power: [bmc, [bmc]]}\n", "a map");
	problem_of("  a: {class: m, address: b, boot: {driver: strip}}\n", "boot: what a machine");
	problem_of("  a[1-3]: {class: m, address: b, power: [bmc, {driver: strip, outlet: "
		   "\"[1-2]\"}]}\n",
		"names 2 but 'a[1-3]' names 3");
	problem_of(
		"  a: {class: m, address: b, parent: c}\n", "i.yaml:3:37: parent: 'c' is no node");
	problem_of("  a: {class: m, address: b, parent: a}\n", "parent: a is in itself: a circle");
	problem_of(
		"  a: {class: m, address: b, parent: c}\n  c: {class: m, address: d, parent: a}\n",
		"i.yaml:3:37: parent: a is in c, c is in a: a circle");
}

static void test_ranges(void **state)
{
	struct pctl_problems *problems = pctl_problems_new();
	size_t node = (size_t)pctl_inventory_index(lab->world.inventory, "l4");
	struct pctl_target target;

	(void)state;
	assert_int_equal(pctl_target_init(&target, lab->world.core, lab->world.inventory, node,
				 "power", false, problems),
		0);
	assert_int_equal(target.feeds->n, 2);
	assert_string_equal(target.feeds->v[0].target->machine, "strip:q/4");
	assert_string_equal(target.feeds->v[1].target->machine, "strip:r/4");
	assert_int_equal(target.feeds->outage_ms, 1);
	pctl_target_done(&target);
	/* One that is all there is stands for the node. */
	node = (size_t)pctl_inventory_index(lab->world.inventory, "one");
	assert_int_equal(pctl_target_init(&target, lab->world.core, lab->world.inventory, node,
				 "power", false, problems),
		0);
	assert_null(target.feeds);
	assert_string_equal(target.machine, "strip:s/1");
	pctl_target_done(&target);
	assert_int_equal(pctl_target_init(&target, lab->world.core, lab->world.inventory, node,
				 NULL, false, problems),
		0);
	assert_string_equal(target.machine, "bmc:c");
	pctl_target_done(&target);
	pctl_problems_free(problems);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_status),
		TEST(test_an_answer_is_not_silence),
		TEST(test_feeds_are_told),
		TEST(test_off),
		TEST(test_off_without_the_processors_help),
		TEST(test_off_where_certificates_fail),
		TEST(test_off_is_not_half_off),
		TEST(test_on),
		TEST(test_on_sends_nothing_in_vain),
		TEST(test_a_processor_that_does_not_return),
		TEST(test_outlets_go_dark_together),
		TEST(test_half_an_outage),
		TEST(test_ac_cycle),
		TEST(test_the_processor_alone),
		TEST(test_wait),
		TEST(test_two_nodes_of_the_same_outlets),
		TEST(test_a_node_between_two_joints),
		TEST(test_many_at_a_strip),
		TEST(test_a_wrong_password_gets_there_once),
		TEST(test_a_password_in_doubt),
		TEST(test_interrupted),
		TEST(test_locks),
		TEST(test_mistakes),
		TEST(test_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
