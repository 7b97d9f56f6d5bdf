/* SPDX-License-Identifier: Apache-2.0 */
/* How it behaves towards a machine, and when there is none. */
#include "rig.h"

static const struct rig_options plain = { .where = RIG_RELAY };
static const struct rig_options hasty = { .where = RIG_RELAY, .impatient = true };
static const struct rig_options nobody = { .where = RIG_NOBODY, .impatient = true };

#define UNREACHABLE_MS ((uint64_t)12000)

/* --- Doing again what is done. ---------------------------------------------------------------- */

static void twice(const struct bench *bench, enum pctl_power_state state, enum pctl_action action)
{
	struct rig rig;

	rig_init(&rig, bench, &plain);
	if (!(rig.target.actions & PCTL_ACTION_BIT(action)))
		skip(bench, "it has no %s", pctl_action_name(action));
	struct pctl_device *device = rig_open(&rig);
	rig_make(&rig, device, state);
	const struct run *run = rig_do(&rig, device, action, RIG_PATIENT_MS);
	int code = run->result.code;
	if (code && code != PCTL_E_STATE && code != PCTL_E_REFUSED && code != PCTL_E_UNSUPPORTED)
		fail(bench,
			"%s while %s: %s; it is to succeed, or to fail as state, refused or "
			"unsupported",
			pctl_action_name(action), pctl_power_state_name(state), rig_words(run));
	rig_reach(&rig, device, state);
	rig_close(&rig, device);
	rig_done(&rig);
	note(bench, "%s", rig_words(run));
}

static void check_on_twice(const struct bench *bench)
{
	twice(bench, PCTL_POWER_ON, PCTL_ACTION_ON);
}

static void check_off_twice(const struct bench *bench)
{
	twice(bench, PCTL_POWER_OFF, PCTL_ACTION_OFF);
}

/* --- Nobody there. ---------------------------------------------------------------------------- */

/* Fencing stakes data on it: what nobody has read is no state. */
static void must_not_know(struct rig *rig, const struct run *run)
{
	int code = run->result.code;

	if (!code && run->power.state != PCTL_POWER_UNKNOWN)
		fail(rig->bench, "nobody answers, and power.get says that the machine is %s",
			pctl_power_state_name(run->power.state));
	if (!code)
		fail(rig->bench, "nobody answers, and power.get ended well: it has to fail as "
				 "unreachable or timeout");
	if (code == PCTL_E_UNSUPPORTED)
		skip(rig->bench, "nothing tells its state: %s", rig_words(run));
	if (code != PCTL_E_UNREACHABLE && code != PCTL_E_TIMEOUT)
		fail(rig->bench,
			"nobody answers, and power.get fails as something else than "
			"unreachable or timeout: %s",
			rig_words(run));
}

static void check_unreachable(const struct bench *bench)
{
	struct rig rig;

	rig_init(&rig, bench, &nobody);
	struct pctl_device *device = rig_open(&rig);
	const struct run *run = rig_run(&rig, device, rig_reads, UNREACHABLE_MS);
	must_not_know(&rig, run);
	note(bench, "%s", rig_words(run));
	if (rig.target.actions & PCTL_ACTION_BIT(PCTL_ACTION_OFF)) {
		run = rig_do(&rig, device, PCTL_ACTION_OFF, UNREACHABLE_MS);
		if (!run->result.code)
			fail(bench, "nobody answers, and power.act off ended well");
	}
	rig_close(&rig, device);
	rig_done(&rig);
}

static void check_mute(const struct bench *bench)
{
	struct rig rig;

	rig_init(&rig, bench, &hasty);
	struct pctl_device *device = rig_open(&rig);
	rig_make(&rig, device, PCTL_POWER_ON);
	relay_set(&bench->shared->relay, RELAY_DEAF, 0);
	/* What it knew a moment ago is not what it reads now. */
	must_not_know(&rig, rig_run(&rig, device, rig_reads, UNREACHABLE_MS));
	relay_set(&bench->shared->relay, RELAY_PASS, 0);
	rig_close(&rig, device);
	rig_done(&rig);
}

const struct check device_checks[] = {
	{ "device", "on-twice", "on while on leaves it on", check_on_twice,
		NEEDS_DEVICE | NEEDS_POWER },
	{ "device", "off-twice", "off while off leaves it off", check_off_twice,
		NEEDS_DEVICE | NEEDS_POWER },
	{ "device", "unreachable", "where nobody is, the state is unknown, and never off",
		check_unreachable, NEEDS_DEVICE | NEEDS_RELAY | NEEDS_POWER },
	{ "device", "mute", "a device that falls silent is unknown, whatever it was before",
		check_mute, NEEDS_DEVICE | NEEDS_RELAY | NEEDS_POWER },
	{ 0 },
};
