/* SPDX-License-Identifier: Apache-2.0 */
/*
 * on, off, reboot, cycle, reset, nmi, sleep: read, act, confirm. What was sent and lost is looked
 * at before anything else is done; only on and off, which do no harm twice, are ever sent again.
 */
#include <powerctl/mem.h>

#include "base/jitter.h"
#include "engine/task.h"

static void end_on(struct pctl_task *t)
{
	if (t->sent.how != PCTL_SENT_NOTHING)
		t->result.confirmed = "seen";
	pctl_task_end_on(t);
}

static void end_accepted(struct pctl_task *t)
{
	t->result.confirmed = "accepted";
	pctl_task_end_ok(t, "accepted");
}

/* --- A held boot intent goes first, under the same lock. -------------------------------------- */

static void begin_on(struct pctl_task *t);
static void begin_restart(struct pctl_task *t);

static void begin_action(struct pctl_task *t)
{
	if (t->action == PCTL_ACTION_ON)
		begin_on(t);
	else
		begin_restart(t);
}

static void prepare_start(struct pctl_task *t)
{
	/* What sleeps is resumed by "on", not started: the intent waits for a start. */
	bool resumes = t->action == PCTL_ACTION_ON && t->power.state == PCTL_POWER_SLEEP;
	bool held = t->request->verb != PCTL_VERB_BOOT && !resumes &&
		    pctl_intent_get(t->target->core, t->target->machine, &t->boot, &t->boot_url);
	if (held && !t->request->dry_run && t->target->loaded->driver->boot) {
		t->from_intent = true;
		pctl_step_try(t, &pctl_call_boot_set, begin_action);
	} else {
		begin_action(t);
	}
}

static void start_machine(struct pctl_task *t, enum pctl_action action)
{
	t->action = action;
	pctl_step_place(t, prepare_start);
}

static void drop_intent(struct pctl_task *t)
{
	if (t->from_intent)
		pctl_intent_drop(t->target->core, t->target->machine);
	t->from_intent = false;
}

/*
 * Its state cannot be read. What the driver can never do is said before the reason for that: to
 * mend it would not help. (Where it can be read, what is so already is success all the same.)
 */
static void end_unread(struct pctl_task *t, enum pctl_action action, enum pctl_action instead)
{
	uint32_t can = t->target->actions;
	bool same = action == instead;

	if (can & (PCTL_ACTION_BIT(action) | PCTL_ACTION_BIT(instead)))
		pctl_task_end_error(t, &t->error);
	else
		pctl_task_end_fail(t, PCTL_E_UNSUPPORTED, "driver %s cannot do '%s'%s%s%s%s",
			t->target->loaded->driver->name, pctl_action_name(action),
			same ? "" : ", nor '", same ? "" : pctl_action_name(instead),
			same ? "" : "'", pctl_target_with(t->target));
}

/* --- on and off: to a state that can be confirmed. -------------------------------------------- */

static void send_to_state(struct pctl_task *t);

static void on_still_not(struct pctl_task *t)
{
	/* It had its time and nothing came of it: so the first one was not taken. */
	if (t->resent) {
		pctl_task_end_doubtful(t, "not sent a third time");
		return;
	}
	t->resent = true;
	t->result.attempts++;
	send_to_state(t);
}

static void on_state_lost(struct pctl_task *t)
{
	if (t->error.code == PCTL_E_OUTCOME_UNKNOWN)
		pctl_step_wait_state(t, t->wanted, t->target->poll_ms,
			pctl_task_now(t) + t->target->verify_ms, end_on, on_still_not);
	else
		pctl_task_end_error(t, &t->error);
}

static void on_state_accepted(struct pctl_task *t)
{
	drop_intent(t);
	if (t->request->no_wait)
		end_accepted(t);
	else
		pctl_step_wait_state(t, t->wanted, 0, t->deadline, end_on, NULL);
}

static void send_to_state(struct pctl_task *t)
{
	pctl_step_act(t, t->action, on_state_accepted, on_state_lost);
}

static void begin_on(struct pctl_task *t)
{
	t->wanted = PCTL_POWER_ON;
	send_to_state(t);
}

static void begin_off(struct pctl_task *t)
{
	t->wanted = PCTL_POWER_OFF;
	send_to_state(t);
}

static void on_read_for_on(struct pctl_task *t)
{
	if (t->power.state == PCTL_POWER_ON)
		end_on(t);
	else
		start_machine(t, PCTL_ACTION_ON);
}

/* Nothing tells its state: on does no harm twice, and what it did nobody will see. */
static void on_blind_sent(struct pctl_task *t)
{
	drop_intent(t);
	end_accepted(t);
}

static void on_blind_failed(struct pctl_task *t)
{
	pctl_task_end_error(t, &t->error);
}

static void send_blind(struct pctl_task *t)
{
	pctl_step_act(t, PCTL_ACTION_ON, on_blind_sent, on_blind_failed);
}

static void on_unread_for_on(struct pctl_task *t)
{
	const struct pctl_power_if *power = t->target->loaded->driver->power;

	if (t->error.code == PCTL_E_UNSUPPORTED &&
		(power->actions & PCTL_ACTION_BIT(PCTL_ACTION_ON)))
		pctl_step_place(t, send_blind);
	else
		pctl_task_end_error(t, &t->error);
}

void pctl_verb_on(struct pctl_task *t)
{
	pctl_step_get_or(t, 0, on_read_for_on, on_unread_for_on);
}

static void force_off(struct pctl_task *t)
{
	pctl_task_note(t, "did not shut down in time: turned off hard");
	t->action = PCTL_ACTION_OFF;
	send_to_state(t);
}

static void on_soft_accepted(struct pctl_task *t)
{
	uint64_t until = t->request->force_after_ms ? pctl_task_now(t) + t->request->force_after_ms
						    : t->deadline;

	if (t->request->no_wait)
		end_accepted(t);
	else
		pctl_step_wait_state(t, PCTL_POWER_OFF, t->target->poll_ms, until, end_on,
			t->request->force_after_ms ? force_off : NULL);
}

static void on_soft_unconfirmed(struct pctl_task *t)
{
	pctl_task_end_doubtful(t, "not sent again");
}

static void on_soft_lost(struct pctl_task *t)
{
	if (t->error.code != PCTL_E_OUTCOME_UNKNOWN)
		pctl_task_end_error(t, &t->error);
	else if (t->request->force_after_ms)
		on_soft_accepted(t);
	else
		pctl_step_wait_state(t, PCTL_POWER_OFF, t->target->poll_ms, t->deadline, end_on,
			on_soft_unconfirmed);
}

static void on_read_for_off(struct pctl_task *t)
{
	if (t->power.state == PCTL_POWER_OFF) {
		end_on(t);
	} else if (t->request->soft) {
		pctl_step_act(t, PCTL_ACTION_SOFT_OFF, on_soft_accepted, on_soft_lost);
	} else {
		t->action = PCTL_ACTION_OFF;
		begin_off(t);
	}
}

static enum pctl_action off_action(const struct pctl_task *t)
{
	return t->request->soft ? PCTL_ACTION_SOFT_OFF : PCTL_ACTION_OFF;
}

static void on_unread_for_off(struct pctl_task *t)
{
	end_unread(t, off_action(t), off_action(t));
}

void pctl_verb_off(struct pctl_task *t)
{
	pctl_step_get_or(t, PCTL_GET_CONFIRM, on_read_for_off, on_unread_for_off);
}

/* --- Restarts: from on to on, which only a glimpse of another state can prove. ---------------- */

static void end_restarted(struct pctl_task *t)
{
	t->result.confirmed = t->seen ? "seen" : "accepted";
	pctl_task_end_on(t);
}

static void on_restart_accepted(struct pctl_task *t)
{
	drop_intent(t);
	pctl_task_watch_restart(t);
	if (t->request->no_wait)
		end_accepted(t);
	else
		pctl_step_wait_state(t, PCTL_POWER_ON, pctl_jitter(t->target->poll_ms), t->deadline,
			end_restarted, NULL);
}

static void on_restart_unseen(struct pctl_task *t)
{
	pctl_task_end_doubtful(t, "not sent again");
}

/* Not on: it is on its way. */
static void on_restart_seen(struct pctl_task *t)
{
	t->seen = true;
	pctl_step_wait_state(t, PCTL_POWER_ON, 0, t->deadline, end_restarted, NULL);
}

static void turn_off_first(struct pctl_task *t);

static void on_restart_failed(struct pctl_task *t)
{
	bool restart = t->action == PCTL_ACTION_CYCLE || t->action == PCTL_ACTION_SOFT_RESET;

	if (t->error.code == PCTL_E_OUTCOME_UNKNOWN)
		pctl_step_wait_state(t, PCTL_POWER_OFF, t->target->poll_ms,
			pctl_task_now(t) + t->target->verify_ms, on_restart_seen,
			on_restart_unseen);
	else if (t->error.code == PCTL_E_UNSUPPORTED && restart && !t->request->soft)
		turn_off_first(t);
	else
		pctl_task_end_error(t, &t->error);
}

static void begin_restart(struct pctl_task *t)
{
	pctl_step_act(t, t->action, on_restart_accepted, on_restart_failed);
}

static void turn_on_again(struct pctl_task *t)
{
	start_machine(t, PCTL_ACTION_ON);
}

/* Where it cannot cycle: off, wait, on. What only hangs on an outlet notices no shorter one. */
static void on_was_off(struct pctl_task *t)
{
	t->seen = true;
	t->resent = false;
	pctl_step_pause(t, t->request->soft ? 0 : t->target->outage_ms, turn_on_again);
}

static void on_off_accepted(struct pctl_task *t)
{
	pctl_step_wait_state(t, PCTL_POWER_OFF, 0, t->deadline, on_was_off, NULL);
}

static void on_off_failed(struct pctl_task *t)
{
	if (t->error.code == PCTL_E_OUTCOME_UNKNOWN)
		on_off_accepted(t);
	else
		pctl_task_end_error(t, &t->error);
}

static void turn_off_first(struct pctl_task *t)
{
	pctl_step_act(t, off_action(t), on_off_accepted, on_off_failed);
}

static enum pctl_action restart_action(const struct pctl_task *t)
{
	return t->request->soft ? PCTL_ACTION_SOFT_RESET : PCTL_ACTION_CYCLE;
}

static void on_read_for_reboot(struct pctl_task *t)
{
	enum pctl_action action = restart_action(t);
	bool may_turn_on = t->request->verb == PCTL_VERB_REBOOT || t->request->on_if_off;

	if (t->power.state == PCTL_POWER_OFF || t->power.state == PCTL_POWER_HIBERNATE) {
		if (may_turn_on)
			start_machine(t, PCTL_ACTION_ON);
		else
			pctl_task_end_fail(t, PCTL_E_STATE,
				"it is %s; `powerctl reboot` or --on-if-off turns it on",
				pctl_power_state_name(t->power.state));
	} else if (pctl_task_can(t, action)) {
		start_machine(t, action);
	} else {
		/* It stays on until its turn has come. */
		pctl_step_place(t, turn_off_first);
	}
}

static void on_unread_for_reboot(struct pctl_task *t)
{
	end_unread(t, restart_action(t), off_action(t));
}

/* Serves reboot and cycle: they differ only for a machine that is off. */
void pctl_verb_reboot(struct pctl_task *t)
{
	pctl_step_get_or(t, PCTL_GET_CONFIRM, on_read_for_reboot, on_unread_for_reboot);
}

static void on_read_for_reset(struct pctl_task *t)
{
	if (t->power.state == PCTL_POWER_ON || t->power.state == PCTL_POWER_UNKNOWN)
		start_machine(t, PCTL_ACTION_RESET);
	else if (t->request->on_if_off)
		start_machine(t, PCTL_ACTION_ON);
	else
		pctl_task_end_fail(t, PCTL_E_STATE, "it is %s; --on-if-off turns it on",
			pctl_power_state_name(t->power.state));
}

static void on_unread_for_reset(struct pctl_task *t)
{
	end_unread(t, PCTL_ACTION_RESET, PCTL_ACTION_RESET);
}

void pctl_verb_reset(struct pctl_task *t)
{
	pctl_step_get_or(t, PCTL_GET_CONFIRM, on_read_for_reset, on_unread_for_reset);
}

/* --- boot: the override, then a restart, or on if off. ---------------------------------------- */

static void set_boot(struct pctl_task *t)
{
	pctl_step_try(t, &pctl_call_boot_set, begin_action);
}

/* Sleep has to be restarted as what is on, for "on" would only resume it, without a boot. */
static void on_read_for_boot(struct pctl_task *t)
{
	bool off = t->power.state == PCTL_POWER_OFF || t->power.state == PCTL_POWER_HIBERNATE;

	t->seen = t->power.state == PCTL_POWER_SLEEP;
	if (off)
		t->action = PCTL_ACTION_ON;
	else if (pctl_task_can(t, PCTL_ACTION_RESET))
		t->action = PCTL_ACTION_RESET;
	else
		t->action = PCTL_ACTION_CYCLE;
	if (t->request->dry_run)
		begin_action(t);
	else
		pctl_step_place(t, set_boot);
}

void pctl_verb_boot(struct pctl_task *t)
{
	if (!pctl_task_can_boot(t))
		return;
	t->boot = t->request->boot;
	t->boot.size = sizeof(t->boot);
	pctl_step_get(t, PCTL_GET_CONFIRM, on_read_for_boot);
}

/* --- nmi, sleep: accepted is all there is to know. -------------------------------------------- */

void pctl_verb_plain_action(struct pctl_task *t)
{
	enum pctl_action action =
		t->request->verb == PCTL_VERB_NMI ? PCTL_ACTION_NMI : PCTL_ACTION_SLEEP;

	pctl_step_act(t, action, end_accepted, NULL);
}
