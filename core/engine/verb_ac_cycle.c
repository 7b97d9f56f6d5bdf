/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ac-cycle of a machine whose driver takes its mains power away: it comes back as its maker or its
 * firmware likes, and is turned on again if it was on. Several feeds have an outage of their own
 * (joint_power.c).
 */
#include "engine/task.h"

static void end_seen(struct pctl_task *t)
{
	t->result.confirmed = "seen";
	pctl_task_end_on(t);
}

static void on_turned_on(struct pctl_task *t)
{
	pctl_step_wait_state(t, PCTL_POWER_ON, 0, t->deadline, end_seen, NULL);
}

/* It answers, and stays off. */
static void turn_on(struct pctl_task *t)
{
	if (t->power.state == PCTL_POWER_OFF && t->error.code == 0)
		pctl_step_act(t, PCTL_ACTION_ON, on_turned_on, NULL);
	else
		pctl_step_wait_state(t, PCTL_POWER_ON, 0, t->deadline, end_seen, NULL);
}

static void end_as_it_came(struct pctl_task *t)
{
	t->result.confirmed = "accepted";
	pctl_task_end_ok(t, NULL);
}

static void on_accepted(struct pctl_task *t)
{
	uint64_t half = pctl_task_now(t) + (t->deadline - pctl_task_now(t)) / 2;
	bool was_on = t->wanted == PCTL_POWER_ON;

	pctl_task_watch_restart(t);
	if (t->request->no_wait) {
		t->result.confirmed = "accepted";
		pctl_task_end_ok(t, "accepted");
	} else if (was_on) {
		pctl_step_wait_state(t, PCTL_POWER_ON, t->target->poll_ms, half, end_seen, turn_on);
	} else {
		pctl_step_get(t, PCTL_GET_CONFIRM, end_as_it_came);
	}
}

static void send_cycle(struct pctl_task *t)
{
	pctl_step_act(t, PCTL_ACTION_AC_CYCLE, on_accepted, NULL);
}

static void on_read(struct pctl_task *t)
{
	t->wanted = t->power.state == PCTL_POWER_ON ? PCTL_POWER_ON : PCTL_POWER_UNKNOWN;
	pctl_step_place(t, send_cycle);
}

void pctl_verb_ac_cycle(struct pctl_task *t)
{
	if (t->target->loaded->driver->power)
		pctl_step_get(t, PCTL_GET_CONFIRM, on_read);
	else
		pctl_step_get(t, 0, NULL); /* says what is missing */
}
