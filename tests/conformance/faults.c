/* SPDX-License-Identifier: Apache-2.0 */
/* What the line does to it: faults of the relay in front of the device. */
#include <string.h>

#include "rig.h"

#define FAULT_MS ((uint64_t)6000)
#define LOSE_MS  ((uint64_t)1000)
#define LOSE_MAX 16u /* requests after which an action's answer is lost */

static const struct rig_options plain = { .where = RIG_RELAY };
static const struct rig_options hasty = { .where = RIG_RELAY, .impatient = true };

/* Ends with a failure of the line, or with the truth. */
static void check_truth(struct rig *rig, const struct run *run, enum pctl_power_state truth)
{
	static const int allowed[] = { PCTL_E_UNREACHABLE, PCTL_E_TIMEOUT, PCTL_E_BUSY,
		PCTL_E_PROTOCOL, PCTL_E_AUTH, PCTL_E_TRUST };
	bool fine = false;

	if (!run->result.code && run->power.state == truth)
		return;
	if (!run->result.code)
		fail(rig->bench, "the machine is %s, and power.get says %s",
			pctl_power_state_name(truth), pctl_power_state_name(run->power.state));
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		fine |= run->result.code == allowed[i];
	if (!fine)
		fail(rig->bench, "the line is at fault, and power.get fails as something else: %s",
			rig_words(run));
}

/* The line is well again: so is the driver, at the latest the third time. */
static void must_recover(struct rig *rig, struct pctl_device *device)
{
	const struct run *run = NULL;

	relay_set(&rig->bench->shared->relay, RELAY_PASS, 0);
	for (int i = 0; i < 3; i++) {
		run = rig_read(rig, device);
		if (!run->result.code)
			return;
	}
	fail(rig->bench, "the line is well again, and power.get still fails: %s", rig_words(run));
}

/* With a device that is new, and with one that has a session. */
static void disturb(const struct bench *bench, enum relay_mode mode, unsigned arg, bool must_work)
{
	struct rig rig;

	rig_init(&rig, bench, must_work ? &plain : &hasty);
	struct pctl_device *watcher = rig_open(&rig);
	rig_make(&rig, watcher, PCTL_POWER_ON);
	rig_close(&rig, watcher);
	for (int warm = 0; warm < 2; warm++) {
		struct pctl_device *device = rig_open(&rig);

		if (warm)
			must_recover(&rig, device);
		relay_set(&bench->shared->relay, mode, arg);
		const struct run *run =
			rig_run(&rig, device, rig_reads, must_work ? RIG_PATIENT_MS : FAULT_MS);
		if (must_work && run->result.code)
			fail(bench, "the line is only slow, and power.get fails: %s",
				rig_words(run));
		check_truth(&rig, run, PCTL_POWER_ON);
		must_recover(&rig, device);
		rig_close(&rig, device);
	}
	rig_done(&rig);
}

static void check_reset(const struct bench *bench)
{
	disturb(bench, RELAY_RESET, 0, false);
}

static void check_half_open(const struct bench *bench)
{
	disturb(bench, RELAY_SILENT, 0, false);
}

static void check_trickle(const struct bench *bench)
{
	disturb(bench, RELAY_TRICKLE, 0, true);
}

static void check_slow(const struct bench *bench)
{
	disturb(bench, RELAY_SLOW, 150, true);
}

static void check_garbage(const struct bench *bench)
{
	disturb(bench, RELAY_GARBAGE, 0, false);
}

static void check_cut(const struct bench *bench)
{
	static const unsigned after[] = { 0, 1, 30, 200, 700 };

	for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++)
		disturb(bench, RELAY_CUT, after[i], false);
}

/* --- The commit point. ------------------------------------------------------------------------ */

/*
 * Turns it on, and the answers after the first so many are lost. Whether it had ended well: then
 * more need not be tried.
 */
static bool lose_after(struct rig *rig, struct pctl_device *watcher, unsigned answered)
{
	relay_set(&rig->bench->shared->relay, RELAY_PASS, 0);
	rig_make(rig, watcher, PCTL_POWER_OFF);
	struct pctl_device *device = rig_open(rig);
	rig_must_read(rig, device, "");
	relay_set(&rig->bench->shared->relay, RELAY_LOSE, answered);
	const struct run *run = rig_do(rig, device, PCTL_ACTION_ON, LOSE_MS);
	relay_set(&rig->bench->shared->relay, RELAY_PASS, 0);
	rig_close(rig, device);
	rig_idle(rig, 200);
	const struct run *now = rig_read(rig, watcher);
	bool went_on =
		!now->result.code && (now->power.state == PCTL_POWER_ON || now->power.changing);

	if (went_on && pctl_error_retried(run->result.code))
		fail(rig->bench,
			"an action's answer was lost and the machine went on, and power.act "
			"fails as '%s', which says that nothing happened: "
			"pctl_op_committed() was not called before the request left",
			pctl_error_name(run->result.code));
	if (!run->result.code && !went_on)
		rig_reach(rig, watcher, PCTL_POWER_ON);
	return !run->result.code;
}

static void check_lost(const struct bench *bench)
{
	struct rig rig;
	unsigned n = 0;

	rig_init(&rig, bench, &plain);
	if (!(rig.target.actions & PCTL_ACTION_BIT(PCTL_ACTION_OFF)))
		skip(bench, "it cannot turn off");
	struct pctl_device *watcher = rig_open(&rig);
	while (n < LOSE_MAX && !lose_after(&rig, watcher, n))
		n++;
	rig_close(&rig, watcher);
	rig_done(&rig);
	note(bench, "lost after 0 to %u requests", n);
}

#define NEEDS (NEEDS_DEVICE | NEEDS_RELAY | NEEDS_POWER)

const struct check fault_checks[] = {
	{ "faults", "reset", "a connection that is reset", check_reset, NEEDS },
	{ "faults", "half-open", "a connection on which nothing comes", check_half_open, NEEDS },
	{ "faults", "trickle", "answers that come one byte at a time", check_trickle, NEEDS },
	{ "faults", "slow", "answers that come late", check_slow, NEEDS },
	{ "faults", "garbage", "answers that are nonsense", check_garbage, NEEDS },
	{ "faults", "cut", "connections that end in the middle of an answer", check_cut, NEEDS },
	{ "faults", "lost", "the commit point is before the request that changes the machine",
		check_lost, NEEDS },
	{ 0 },
};
