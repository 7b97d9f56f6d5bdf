/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <powerctl/log.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "base/jitter.h"
#include "engine/consent.h"
#include "engine/joint.h"
#include "engine/task.h"
#include "engine/turns.h"
#include "node/breaker.h"

#define SILENT_TRIES 2u /* a device that says nothing */
#define QUICK_TRIES  6u /* one that is there, but drops connections */
#define FAIR_TRIES   3u /* the same, however late it got: the time may have been ours */
#define LAST_LOOK_MS ((uint64_t)1000)
#define LATE_PART    4u /* after a try that was late, the next has at least that part of its time */
#define POLL_GROWTH  10u /* how long the last polls are, in first ones */

static void on_pause_over(uv_timer_t *timer)
{
	struct pctl_task *t = pctl_container_of(timer, struct pctl_task, timer);

	t->busy = PCTL_TASK_IDLE;
	t->after_pause(t);
}

void pctl_step_pause(struct pctl_task *t, uint64_t ms, pctl_step_fn *then)
{
	if (pctl_run_interrupted(t->run, NULL)) {
		pctl_task_end_interrupted(t);
		return;
	}
	t->busy = PCTL_TASK_PAUSE;
	t->after_pause = then;
	(void)uv_timer_start(&t->timer, on_pause_over, ms, 0);
}

static void start_try(struct pctl_task *t);
static void on_poll_failed(struct pctl_task *t);

/* Whether the answer was lost of what does the same twice as once. */
static bool may_repeat(const struct pctl_task *t)
{
	return t->error.code == PCTL_E_OUTCOME_UNKNOWN &&
	       (t->trying.call->flags & PCTL_CALL_REPEATABLE);
}

static bool is_final(const struct pctl_task *t)
{
	bool in_use =
		(t->trying.call->flags & PCTL_CALL_BUSY_IS_FINAL) && t->error.code == PCTL_E_BUSY;

	return t->op.taken || in_use || (!pctl_error_retried(t->error.code) && !may_repeat(t));
}

/*
 * A device that is there but drops connections is told from one that says nothing by the driver
 * where it knows, else by the clock, in which our own load counts as well.
 */
static bool is_silent(const struct pctl_task *t)
{
	uint64_t spent = pctl_task_now(t) - t->trying.last;

	if (t->error.flags & (PCTL_ERROR_NOT_LISTENING | PCTL_ERROR_DROPPED))
		return t->error.flags & PCTL_ERROR_NOT_LISTENING;
	return spent * 2 >= t->target->connect_ms;
}

static unsigned most_tries(const struct pctl_task *t, bool silent)
{
	bool late = pctl_task_now(t) - t->trying.first >= t->target->connect_ms;

	if (silent)
		return t->target->loaded->driver->flags & PCTL_DRIVER_REPEATS ? 1 : SILENT_TRIES;
	if (!late)
		return QUICK_TRIES;
	return t->error.flags & PCTL_ERROR_DROPPED ? FAIR_TRIES : 1;
}

/*
 * Whether what just met silence may be tried again: with the crumbs of the time that the try before
 * had, it would only be late again.
 */
static bool is_worth_another(const struct pctl_task *t)
{
	uint64_t spent = pctl_task_now(t) - t->trying.last;
	uint64_t left = t->deadline > pctl_task_now(t) ? t->deadline - pctl_task_now(t) : 0;

	return t->trying.tries < SILENT_TRIES && left >= spent / LATE_PART;
}

/* Whether and how soon the op that just failed may be tried again; 0: no. */
static uint64_t retry_delay(const struct pctl_task *t)
{
	const struct pctl_try *try = &t->trying;
	uint64_t delay = (uint64_t)100 << (try->tries < 6 ? try->tries - 1 : 5);

	if (is_final(t))
		return 0;
	if (t->error.code == PCTL_E_UNREACHABLE) {
		bool silent = is_silent(t);
		if (try->tries >= most_tries(t, silent))
			return 0;
		if (silent)
			delay = 100;
	} else if ((t->error.code == PCTL_E_TIMEOUT || t->error.code == PCTL_E_OUTCOME_UNKNOWN) &&
		   !is_worth_another(t)) {
		return 0;
	}
	delay = pctl_jitter(delay);
	/* With less time than that it would be late, and hide what this one met. */
	return pctl_task_now(t) + delay + delay / LATE_PART < t->deadline ? delay : 0;
}

static struct pctl_sent *record_of(struct pctl_task *t)
{
	size_t offset = t->trying.call->sent_offset;

	return offset ? (struct pctl_sent *)(void *)((char *)t + offset) : NULL;
}

/* A doubt stays until the same went well: a later failure says nothing about what was lost. */
static void keep_record(struct pctl_task *t, const struct pctl_error *result)
{
	struct pctl_sent *sent = record_of(t);
	const struct pctl_call *call = t->trying.call;
	bool was_so = (call->flags & PCTL_CALL_MAY_BE_SO) && !t->op.committed && !t->op.taken;
	bool some_left = (call->flags & PCTL_CALL_MANY) && !t->op.untouched &&
			 (result->code == PCTL_E_CANCELED || result->code == PCTL_E_TIMEOUT);

	if (!sent || (result->code == 0 && was_so))
		return;
	if (result->code == 0 || t->op.taken) {
		sent->how = PCTL_SENT_ACCEPTED;
	} else if (result->code == PCTL_E_OUTCOME_UNKNOWN || some_left) {
		sent->how = PCTL_SENT_DOUBTFUL;
		sent->lost = *result;
	} else {
		return;
	}
	sent->what = call->what ? call->what : call->argument(t);
}

/*
 * The time ran out in the middle of another try: what the one before it met says more; and if that
 * was silence as well, a person wants to know of all the time that went by, not of its last rest.
 */
static void tell_whole_time(struct pctl_task *t)
{
	char waited[32];

	if (t->error.code != PCTL_E_TIMEOUT || t->trying.tries < 2 ||
		!(t->error.flags & PCTL_ERROR_SILENT))
		return;
	if (*t->trouble && !t->trouble_silent) {
		pctl_error_set(&t->error, PCTL_E_TIMEOUT, "%s", t->trouble);
		return;
	}
	uint64_t seconds = (pctl_task_now(t) - t->trying.first + 500) / 1000;
	pctl_format_duration(seconds * 1000, waited, sizeof(waited));
	pctl_error_set(&t->error, PCTL_E_TIMEOUT, "no answer in %s", waited);
}

/*
 * A program that was late is told with the time that it had. The last looks may get less of it than
 * one takes: what the fullest met says more.
 */
static void tell_fullest(struct pctl_task *t)
{
	struct pctl_late *late = &t->late;
	bool is_late = t->error.code == PCTL_E_TIMEOUT && !(t->error.flags & PCTL_ERROR_SILENT);

	if (!is_late)
		late->call = NULL;
	else if (late->call == t->trying.call && t->op.timeout_ms < late->had_ms)
		t->error = late->error;
	else
		*late = (struct pctl_late){ t->trying.call, t->op.timeout_ms, t->error };
}

static void tell_login(struct pctl_task *t, int code)
{
	const struct pctl_target *target = t->device->target; /* with what it logged in with */
	struct pctl_login *login = target->login;

	/* A gateway on the way is no judge of it. */
	if (t->error.flags & PCTL_ERROR_GATEWAY)
		return;
	if (code == 0 && (t->turn & PCTL_TURN_ENDPOINT))
		pctl_run_proved(t->run, t->target);
	if (!login && code == PCTL_E_AUTH)
		login = pctl_breaker_login(target->core->breaker, target);
	if (login && code == 0)
		pctl_login_took(login, target, &t->on_trial);
	else if (login && code == PCTL_E_AUTH)
		pctl_login_refused(login, target, &t->on_trial);
}

/* What never left was no try. */
static void start_again(struct pctl_task *t)
{
	t->trying.tries--;
	start_try(t);
}

static void trace(const struct pctl_task *t, const char *end)
{
	const struct pctl_call *call = t->trying.call;
	const char *argument = call->argument ? call->argument(t) : NULL;

	pctl_log(PCTL_LOG_TRACE, t->device, "%s%s%s%s", call->name, argument ? " " : "",
		argument ? argument : "", end);
}

static void trace_end(const struct pctl_task *t, const struct pctl_error *result)
{
	const struct pctl_call *call = t->trying.call;
	uint64_t ms = pctl_task_now(t) - t->trying.last;
	char end[400];

	if (!pctl_log_enabled(PCTL_LOG_TRACE))
		return;
	if (result->code)
		(void)snprintf(end, sizeof(end), ": %s: %s%s%s%s (%" PRIu64 " ms)",
			pctl_error_name(result->code), result->text,
			*result->device_code ? " [" : "", result->device_code,
			*result->device_code ? "]" : "", ms);
	else
		(void)snprintf(end, sizeof(end), ": %s (%" PRIu64 " ms)",
			call->outcome ? call->outcome(t) : "done", ms);
	trace(t, end);
}

static void on_op_done(struct pctl_op *op, const struct pctl_error *result)
{
	struct pctl_task *t = op->data;

	t->busy = PCTL_TASK_IDLE;
	t->error = *result;
	t->started += op->waited_ms; /* queueing is not counted */
	t->deadline += op->waited_ms;
	tell_whole_time(t);
	tell_fullest(t);
	pctl_device_settle_pins(t->device, result->code);
	tell_login(t, result->code);
	trace_end(t, result);
	keep_record(t, result);
	if (result->code == 0) {
		t->trouble[0] = '\0';
		if (t->trying.call->well)
			t->trying.call->well(t);
		t->trying.then(t);
		return;
	}
	if (pctl_run_interrupted(t->run, NULL)) {
		pctl_task_end_interrupted(t);
		return;
	}
	if (pctl_task_try_other(t, start_again))
		return;
	if (!t->op.committed && pctl_task_park(t, result, start_again))
		return;
	uint64_t delay = retry_delay(t);
	if (delay) {
		pctl_log(PCTL_LOG_DEBUG, t->device, "%s: %s; trying again in %" PRIu64 " ms",
			pctl_error_name(result->code), result->text, delay);
		t->result.attempts++;
		(void)snprintf(t->trouble, sizeof(t->trouble), "%.150s", result->text);
		t->trouble_silent = result->flags & PCTL_ERROR_SILENT;
		pctl_step_pause(t, delay, start_try);
		return;
	}
	if (result->code == PCTL_E_CONSENT && pctl_consent_begin(t))
		return;
	if (t->trying.failed)
		t->trying.failed(t);
	else
		pctl_task_end_error(t, &t->error);
}

static uint64_t op_limit(const struct pctl_task *t)
{
	const struct pctl_call *call = t->trying.call;
	uint64_t left = t->deadline > pctl_task_now(t) ? t->deadline - pctl_task_now(t) : 1;
	uint64_t limit = UINT64_MAX;

	if (call->limit_offset)
		limit = call->times * pctl_target_ms(t->target, call->limit_offset);
	if (t->request->timeout_ms && t->request->timeout_ms > limit)
		limit = t->request->timeout_ms;
	/* The last look at a state that is waited for gets the time that an answer takes. */
	if (t->trying.failed == on_poll_failed && left < LAST_LOOK_MS)
		left = LAST_LOOK_MS;
	return limit < left ? limit : left;
}

struct pctl_value *pctl_task_new_tree(struct pctl_task *t)
{
	pctl_value_free(t->tree);
	t->tree = pctl_value_new_map();
	return t->tree;
}

/* Another command went first: what it did is not to be undone by what we began before. */
static bool stands_back(struct pctl_task *t)
{
	const struct pctl_call *call = t->trying.call;
	const char *what = call->what || !call->argument ? call->what : call->argument(t);
	char who[200];

	if (!call->sent_offset || !pctl_task_is_overtaken(t, who, sizeof(who)))
		return false;
	pctl_task_end_fail(t, PCTL_E_CANCELED,
		"another command went first (%s), so '%s' is not sent; it last read %s", who,
		what ? what : call->name,
		t->power_read ? pctl_power_state_name(t->power.state) : "nothing");
	return true;
}

static void start_try(struct pctl_task *t)
{
	if (stands_back(t))
		return;
	uint64_t early = t->trying.call->early ? t->trying.call->early(t) : 0;

	if (early) {
		t->started += early; /* queueing is not counted */
		t->deadline += early;
		pctl_step_pause(t, early, start_try);
		return;
	}
	t->busy = PCTL_TASK_OP;
	t->trying.tries++;
	t->trying.last = pctl_task_now(t);
	trace(t, " ...");
	pctl_op_begin(&t->op, t->target->core->loop, op_limit(t), on_op_done, t);
	pctl_op_in_order(&t->op, &t->target->core->ended);
	pctl_op_enter(
		&t->op, t->target->loaded->driver->name, t->trying.call->name, t->target->name);
	t->trying.call->start(t, t->target->loaded->driver, t->device->dev);
	pctl_op_leave(&t->op);
}

void pctl_step_try_or(
	struct pctl_task *t, const struct pctl_call *call, pctl_step_fn *then, pctl_step_fn *failed)
{
	if (pctl_run_interrupted(t->run, NULL)) {
		pctl_task_end_interrupted(t);
		return;
	}
	if (call->sent_offset &&
		pctl_task_run_hooks(t, call->what ? call->what : call->argument(t)))
		return;
	pctl_step_send(t, call, then, failed);
}

void pctl_step_send(
	struct pctl_task *t, const struct pctl_call *call, pctl_step_fn *then, pctl_step_fn *failed)
{
	t->trying = (struct pctl_try){
		.call = call, .first = pctl_task_now(t), .then = then, .failed = failed
	};
	start_try(t);
}

void pctl_step_try(struct pctl_task *t, const struct pctl_call *call, pctl_step_fn *then)
{
	pctl_step_try_or(t, call, then, NULL);
}

/* --- Power. ----------------------------------------------------------------------------------- */

static unsigned coming(const struct pctl_task *t)
{
	return pctl_task_changes(t) ? PCTL_GET_BEFORE_CHANGE : 0;
}

static void start_get(struct pctl_task *t, const struct pctl_driver *d, void *dev)
{
	t->reading = (struct pctl_power){ .size = sizeof(t->reading) };
	d->power->get(dev, &t->op, t->get_flags | coming(t), &t->reading);
}

static uint32_t lacks(const struct pctl_power *power)
{
	return power->tells_actions ? power->lacks : 0;
}

static void take_reading(struct pctl_task *t)
{
	t->power = t->reading;
	t->power_read = true;
	if (t->power.tells_actions)
		pctl_target_remember_lacks(t->target, t->power.lacks);
	if (t->power.tells_boot)
		pctl_target_remember_lacks_boot(t->target, t->power.lacks_boot);
}

static const char *how_to_read(const struct pctl_task *t)
{
	return t->get_flags & PCTL_GET_CONFIRM ? "confirm" : NULL;
}

static const char *state_read(const struct pctl_task *t)
{
	return pctl_power_state_name(t->reading.state);
}

static const struct pctl_call power_get = {
	.name = "power.get",
	.start = start_get,
	.well = take_reading,
	.argument = how_to_read,
	.outcome = state_read,
	.limit_offset = offsetof(struct pctl_target, read_ms),
	.times = 1,
};

static void start_act(struct pctl_task *t, const struct pctl_driver *d, void *dev)
{
	d->power->act(dev, &t->op, t->action);
}

static const char *action_word(const struct pctl_task *t)
{
	return pctl_action_name(t->action);
}

/* What makes a machine draw its starting current waits until the latest start is long enough ago.
 */
static uint64_t before_start(struct pctl_task *t)
{
	const unsigned starts =
		PCTL_ACTION_BIT(PCTL_ACTION_ON) | PCTL_ACTION_BIT(PCTL_ACTION_CYCLE) |
		PCTL_ACTION_BIT(PCTL_ACTION_RESET) | PCTL_ACTION_BIT(PCTL_ACTION_SOFT_RESET) |
		PCTL_ACTION_BIT(PCTL_ACTION_AC_CYCLE);

	if (!(starts & PCTL_ACTION_BIT(t->action)))
		return 0;
	return t->joint ? pctl_joint_send(t->joint) : pctl_run_send(t->run, t->target);
}

static const struct pctl_call power_act = {
	.name = "power.act",
	.early = before_start,
	.start = start_act,
	.argument = action_word,
	.limit_offset = offsetof(struct pctl_target, read_ms),
	.times = 1,
	.sent_offset = offsetof(struct pctl_task, sent),
};

void pctl_step_get(struct pctl_task *t, unsigned flags, pctl_step_fn *then)
{
	pctl_step_get_or(t, flags, then, NULL);
}

void pctl_step_get_or(struct pctl_task *t, unsigned flags, pctl_step_fn *then, pctl_step_fn *failed)
{
	if (!t->target->loaded->driver->power) {
		pctl_task_end_fail(t, PCTL_E_UNSUPPORTED, "driver %s has no power interface",
			t->target->loaded->driver->name);
		return;
	}
	t->get_flags = flags;
	if (failed)
		pctl_step_try_or(t, &power_get, then, failed);
	else
		pctl_step_try(t, &power_get, then);
}

bool pctl_task_can(const struct pctl_task *t, enum pctl_action action)
{
	uint32_t bit = PCTL_ACTION_BIT(action);

	if (!(t->target->actions & bit))
		return false;
	return !t->power_read || !t->power.tells_actions || (t->power.actions & bit);
}

/* --- Consoles that forbid actions. --------------------------------------------------------------
 */

static bool console_forbids(const struct pctl_task *t, enum pctl_action action)
{
	const struct pctl_console_if *console = t->target->loaded->driver->console;

	return console && (console->refused_actions & PCTL_ACTION_BIT(action));
}

static void start_end_sessions(struct pctl_task *t, const struct pctl_driver *d, void *dev)
{
	(void)t;
	d->console->end_sessions(dev, &t->op);
}

static const struct pctl_call end_sessions = {
	.name = "console.end_sessions",
	.start = start_end_sessions,
	.limit_offset = offsetof(struct pctl_target, read_ms),
	.times = 1,
};

static void on_sessions_ended(struct pctl_task *t)
{
	pctl_step_act(t, t->action, t->act_then, t->act_failed);
}

/* The device does not say why: a session that is open is what most often is, and not which. */
static void on_act_failed(struct pctl_task *t)
{
	pctl_step_fn *failed = t->act_failed;
	struct pctl_error *e = &t->error;

	if ((e->code == PCTL_E_REFUSED || e->code == PCTL_E_STATE) && !t->sessions_ended) {
		PCTL_AUTO(free) char *text = pctl_xstrdup(e->text);
		PCTL_AUTO(free) char *code = pctl_xstrdup(e->device_code);
		unsigned flags = e->flags;

		(void)pctl_error_set(e, e->code,
			"%s; an open console, screen or medium forbids '%s': close it, or "
			"--end-sessions",
			text, pctl_action_name(t->action));
		(void)pctl_error_device_code(e, "%s", code);
		e->flags = flags;
	}
	if (failed)
		failed(t);
	else
		pctl_task_end_error(t, e);
}

static void send_action(struct pctl_task *t, pctl_step_fn *then, pctl_step_fn *failed)
{
	const struct pctl_console_if *console = t->target->loaded->driver->console;

	if (!console_forbids(t, t->action)) {
		pctl_step_try_or(t, &power_act, then, failed);
		return;
	}
	t->act_then = then;
	t->act_failed = failed;
	if (t->request->end_sessions && console->end_sessions && !t->sessions_ended) {
		t->sessions_ended = true;
		pctl_step_try(t, &end_sessions, on_sessions_ended);
	} else {
		pctl_step_try_or(t, &power_act, then, on_act_failed);
	}
}

void pctl_step_act(
	struct pctl_task *t, enum pctl_action action, pctl_step_fn *then, pctl_step_fn *failed)
{
	const struct pctl_driver *d = t->target->loaded->driver;
	const char *word = pctl_action_name(action);

	t->action = action;
	if (!(t->target->actions & PCTL_ACTION_BIT(action))) {
		pctl_task_end_fail(t, PCTL_E_UNSUPPORTED, "driver %s cannot do '%s'%s", d->name,
			word, pctl_target_with(t->target));
	} else if (t->power_read && (lacks(&t->power) & PCTL_ACTION_BIT(action))) {
		pctl_task_end_fail(t, PCTL_E_UNSUPPORTED,
			"this device has no '%s', in whatever state; `powerctl caps` lists what it "
			"has",
			word);
	} else if (!pctl_task_can(t, action)) {
		pctl_task_end_fail(t, PCTL_E_STATE, "the device does not take '%s' while it is %s",
			word, pctl_power_state_name(t->power.state));
	} else if (t->request->dry_run) {
		pctl_task_note(t, "would send '%s'; it is %s", word,
			t->power_read ? pctl_power_state_name(t->power.state)
				      : "in a state not read");
		pctl_task_end_ok(t, "ok");
	} else {
		send_action(t, then, failed);
	}
}

void pctl_step_place(struct pctl_task *t, pctl_step_fn *then)
{
	struct pctl_error err = { 0 };

	if (pctl_run_interrupted(t->run, NULL)) {
		pctl_task_end_interrupted(t);
		return;
	}
	int r = t->request->dry_run ? 1 : pctl_run_place(t->run, pctl_task_node(t), &err);
	if (r < 0)
		pctl_task_end_error(t, &err);
	else if (r == 0)
		pctl_task_yield(t);
	else
		then(t);
}

/* --- Waiting for a state. --------------------------------------------------------------------- */

static void poll_state(struct pctl_task *t);

static void time_over(struct pctl_task *t)
{
	char after[32];

	if (t->on_time_over) {
		t->on_time_over(t);
		return;
	}
	/* The limit and not the clock, and not how long the last look took: equal errors fold. */
	pctl_format_duration(t->wait_until - t->started, after, sizeof(after));
	if (t->error.code == PCTL_E_TIMEOUT && (t->error.flags & PCTL_ERROR_SILENT))
		pctl_error_set(&t->error, t->error.code, "no answer at the end of %s", after);
	if (t->error.code && t->sent.how == PCTL_SENT_ACCEPTED) {
		pctl_task_end_fail(t, t->error.code, "'%s' was accepted, and then: %.200s",
			t->sent.what, t->error.text);
		return;
	}
	if (t->error.code) {
		pctl_task_end_error(t, &t->error);
		return;
	}
	if (t->sent.how == PCTL_SENT_ACCEPTED)
		pctl_task_end_fail(t, PCTL_E_TIMEOUT,
			"'%s' was accepted, but it still reads %s after %s", t->sent.what,
			pctl_power_state_name(t->power.state), after);
	else
		pctl_task_end_fail(t, PCTL_E_TIMEOUT, "it still reads %s after %s",
			pctl_power_state_name(t->power.state), after);
}

static void poll_again(struct pctl_task *t)
{
	uint64_t delay = pctl_jitter(t->poll_ms);

	if (pctl_task_now(t) >= t->wait_until) {
		time_over(t);
		return;
	}
	uint64_t most = t->target->poll_ms * POLL_GROWTH;
	t->poll_ms = t->poll_ms * 3 / 2 < most ? t->poll_ms * 3 / 2 : most;
	if (pctl_task_now(t) + delay > t->wait_until)
		delay = t->wait_until - pctl_task_now(t);
	pctl_step_pause(t, delay, poll_state);
}

static void on_polled(struct pctl_task *t)
{
	if (t->power.state != PCTL_POWER_ON && t->power.state != PCTL_POWER_UNKNOWN &&
		t->sent.how == PCTL_SENT_ACCEPTED)
		t->seen = true;
	if (t->power.state == t->wanted && !t->power.changing)
		t->on_state(t);
	else
		poll_again(t);
}

/* A processor that restarts with its machine does not answer for a while: only time ends the wait.
 */
static void on_poll_failed(struct pctl_task *t)
{
	if (pctl_error_retried(t->error.code))
		poll_again(t);
	else
		pctl_task_end_error(t, &t->error);
}

static void poll_state(struct pctl_task *t)
{
	t->get_flags = PCTL_GET_CONFIRM;
	pctl_step_try_or(t, &power_get, on_polled, on_poll_failed);
}

void pctl_step_wait_state(struct pctl_task *t, enum pctl_power_state wanted, uint64_t first_ms,
	uint64_t until, pctl_step_fn *on_state, pctl_step_fn *on_time_over)
{
	t->wanted = wanted;
	t->poll_ms = t->target->poll_ms;
	t->wait_until = until < t->deadline ? until : t->deadline;
	t->on_state = on_state;
	t->on_time_over = on_time_over;
	if (first_ms)
		pctl_step_pause(t, first_ms, poll_state);
	else
		poll_state(t);
}
