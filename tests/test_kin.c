/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that stand in others: who waits for whom, and who is refused. */
#include "feeds_help.h"

/* --- Chassis and blades. ---------------------------------------------------------------------- */

static const struct told *told_of(const char *name)
{
	for (size_t i = 0; i < lab->told_n; i++)
		if (strcmp(lab->told[i].name, name) == 0)
			return &lab->told[i];
	fail_msg("%s was not told of", name);
	return &lab->told[0];
}

static void put_kin(enum pctl_power_state ch, enum pctl_power_state k1, enum pctl_power_state k2)
{
	machine("ch")->state = ch;
	machine("k1")->state = k1;
	machine("k2")->state = k2;
}

static void test_a_parent_goes_first(void **state)
{
	(void)state;
	put_kin(OFF, OFF, OFF);
	fails(run_all("k1", VERB(PCTL_VERB_ON)), PCTL_E_STATE, "", "its parent ch is off");
	succeeds(run_all("k[1-2],ch", VERB(PCTL_VERB_ON)), "on", "ch:on k1:on k2:on ");
	succeeds(run_all("k1", VERB(PCTL_VERB_REBOOT)), "on", "k1:cycle ");
	put_kin(OFF, OFF, OFF);
	machine("ch")->fault = REFUSES;
	(void)run_all("ch,k1", VERB(PCTL_VERB_ON));
	has(told_of("k1")->text, "its parent ch failed");
	assert_string_equal(lab->log, "");
	machine("ch")->fault = DEAD;
	fails(run_all("k1", VERB(PCTL_VERB_ON)), PCTL_E_STATE, "", "could not be read");
}

static void test_children_go_first(void **state)
{
	(void)state;
	put_kin(ON, ON, OFF);
	fails(run_all("ch", VERB(PCTL_VERB_OFF)), PCTL_E_STATE, "", "not off for certain: k1;");
	fails(run_all("ch", VERB(PCTL_VERB_RESET)), PCTL_E_STATE, "", "k1;");
	(void)run_all("ch,k[1-2]", VERB(PCTL_VERB_OFF));
	assert_string_equal(lab->log, "k1:off ch:off ");
	put_kin(ON, ON, OFF);
	machine("k1")->fault = REFUSES;
	(void)run_all("ch,k[1-2]", VERB(PCTL_VERB_OFF));
	has(told_of("ch")->text, "not off for certain: k1;");
	assert_string_equal(lab->log, "");
	machine("k1")->fault = DEAD;
	fails(run_all("ch", VERB(PCTL_VERB_OFF)), PCTL_E_STATE, "", "k1;"); /* unknown is not off */
	machine("k1")->fault = NONE;
	put_kin(ON, OFF, OFF);
	machine("k3")->state = ON; /* in maintenance: in nobody's way */
	succeeds(run_all("ch", VERB(PCTL_VERB_OFF)), "off", "ch:off ");
	put_kin(ON, ON, ON);
	succeeds(run_all("ch", VERB(PCTL_VERB_NMI)), "accepted", "ch:nmi ");
	succeeds(run_all("ch", VERB(PCTL_VERB_STATUS)), "on", "");
}

/* Restarts of both: what stands in it is on, so the chassis stays. */
static void test_both_restart(void **state)
{
	(void)state;
	put_kin(ON, ON, ON);
	(void)run_all("ch,k[1-2]", VERB(PCTL_VERB_REBOOT));
	assert_string_equal(lab->log, "");
	assert_int_equal(told_of("ch")->code, PCTL_E_STATE);
	put_kin(ON, OFF, OFF);
	(void)run_all("ch,k[1-2]", VERB(PCTL_VERB_REBOOT));
	assert_string_equal(lab->log, "ch:cycle k1:on k2:on ");
}

static void test_interrupted_relatives(void **state)
{
	(void)state;
	put_kin(OFF, OFF, OFF);
	lab->cancel_at = "ch:on";
	(void)run_all("k[1-2],ch", VERB(PCTL_VERB_ON));
	assert_string_equal(lab->log, "ch:on ");
	assert_int_equal(told_of("k1")->code, PCTL_E_CANCELED);
	has(told_of("k2")->text, "nothing was sent");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_a_parent_goes_first),
		TEST(test_children_go_first),
		TEST(test_both_restart),
		TEST(test_interrupted_relatives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
