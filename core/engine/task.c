/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/task.h"

#include <stdarg.h>
#include <string.h>

#include <powerctl/mem.h>

#include "driver/crash.h"
#include "engine/consent.h"
#include "engine/hook.h"
#include "engine/joint.h"
#include "engine/turns.h"
#include "node/breaker.h"

void pctl_result_init(
	struct pctl_result *result, const struct pctl_target *target, enum pctl_verb verb)
{
	*result = (struct pctl_result){
		.node = target->node,
		.name = target->name,
		.driver = target->loaded->driver->name,
		.address = target->address,
		.via = target->via && target->via->key ? target->via->text : NULL,
		.credential = pctl_value_text(pctl_value_get(target->map, "credential")),
		.user = pctl_value_text(pctl_value_get(target->map, "username")),
		.verb = verb,
	};
}

uint64_t pctl_task_now(const struct pctl_task *t)
{
	return uv_now(t->target->core->loop);
}

const struct pctl_target *pctl_task_node(const struct pctl_task *t)
{
	return t->joint ? pctl_joint_target(t->joint) : t->target;
}

/* --- The end. --------------------------------------------------------------------------------- */

static void give_turn(struct pctl_task *t, unsigned parts)
{
	unsigned given = t->turn & parts;

	t->turn &= ~parts;
	if (given)
		pctl_run_give_turn(t->run, t->target, given);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct pctl_task *t = pctl_container_of((uv_timer_t *)handle, struct pctl_task, timer);
	struct pctl_run *run = t->run;
	struct pctl_joint *joint = t->joint;

	pctl_value_free(t->tree);
	free(t->note);
	free(t->warning);
	free(t->boot_url);
	free(t->log_after);
	pctl_consent_free(t);
	free(t->line.overtook);
	pctl_target_free_other(t->other);
	give_turn(t, PCTL_TURN_WHOLE);
	if (joint)
		pctl_joint_part_gone(joint, t);
	free(t);
	pctl_run_task_gone(run, !joint);
}

static void on_device_closed(void *data)
{
	struct pctl_task *t = data;

	uv_close((uv_handle_t *)&t->timer, on_timer_closed);
}

static void on_stream_closed(void *data, const struct pctl_error *why)
{
	(void)why;
	on_device_closed(data);
}

/* What was opened and nobody took is in nobody's way any longer than this task. */
static void let_go(void *data)
{
	struct pctl_task *t = data;

	if (t->ready) {
		struct pctl_ready_watch *ready = t->ready;

		t->ready = NULL;
		pctl_ready_watch_stop(ready, let_go, t);
	} else if (t->stream && !pctl_stream_taken(t->stream))
		pctl_stream_close(t->stream, on_stream_closed, t);
	else if (t->device)
		pctl_device_close(t->device, on_device_closed, t);
	else
		on_device_closed(t);
}

static void wait_for_lock(struct pctl_task *t, bool waits)
{
	size_t *waiters = &t->target->core->lock_waiters;

	if (waits == t->waits_lock)
		return;
	*waiters = waits ? *waiters + 1 : *waiters - 1;
	t->waits_lock = waits;
	if (!waits)
		pctl_run_waiting(t->run, t->target, NULL);
}

/* What others wait for. */
static void release(struct pctl_task *t)
{
	t->busy = PCTL_TASK_ENDED;
	if (t->on_trial)
		pctl_login_left(t->target->login, &t->on_trial);
	wait_for_lock(t, false);
	pctl_hold_give(&t->hold);
	pctl_run_untrack(t->run, t);
}

void pctl_task_yield(struct pctl_task *t)
{
	release(t);
	let_go(t);
}

static void idle(struct pctl_task *t)
{
	const struct pctl_driver *driver = t->target->loaded->driver;

	if (!driver->idle)
		return;
	pctl_crash_enter(driver->name, "idle", t->target->name);
	driver->idle(t->device->dev);
	pctl_crash_leave();
}

void pctl_task_let_others(struct pctl_task *t)
{
	idle(t);
	pctl_run_give(t->run, pctl_task_node(t), false);
	pctl_hold_give(&t->hold);
	give_turn(t, PCTL_TURN_WHOLE);
	if (t->joint)
		pctl_joint_let_others(t->joint);
}

static void tell(struct pctl_task *t)
{
	struct pctl_result *r = &t->result;

	r->warning = t->warning;
	release(t);
	if (t->joint) {
		pctl_joint_part_ended(t->joint, t, r);
	} else {
		pctl_run_give(t->run, t->target, !r->ok || t->request->no_wait);
		pctl_run_task_result(t->run, t->target, r);
	}
	let_go(t);
}

static void on_hooks_after(void *data, const struct pctl_hook_end *end)
{
	struct pctl_task *t = data;

	t->hooks = NULL;
	t->warning = end->warning ? pctl_xstrdup(end->warning) : NULL;
	tell(t);
}

static bool run_hooks_after(struct pctl_task *t)
{
	if (!t->joint && pctl_task_changes(t))
		t->hooks = pctl_hooks_start_after(t->run, t->target, &t->result, t->hooks_passed,
			&t->warning, on_hooks_after, t);
	if (!t->hooks)
		return false;
	give_turn(t, PCTL_TURN_ENDPOINT);
	t->busy = PCTL_TASK_HOOKS;
	return true;
}

void pctl_task_end(struct pctl_task *t)
{
	struct pctl_result *r = &t->result;

	r->state = t->power_read ? t->power.state : PCTL_POWER_UNKNOWN;
	r->state_known = t->power_read;
	r->changing = t->power_read && t->power.changing;
	r->changed |= t->sent.how != PCTL_SENT_NOTHING || t->armed.how != PCTL_SENT_NOTHING;
	r->elapsed_ms = pctl_task_now(t) - t->started;
	if (t->request->dry_run && r->via && t->note)
		pctl_task_note(t, "%s; the way is through %s", t->note, r->via);
	if (t->request->dry_run && t->note && !t->joint)
		pctl_hooks_note(t->run, t->target, &t->note);
	r->note = t->note;
	r->overtook = t->line.overtook;
	r->tree = r->ok || t->tree_stands ? t->tree : NULL; /* half a tree is none */
	r->stream = r->ok ? t->stream : NULL;
	if (!run_hooks_after(t))
		tell(t);
}

void pctl_task_end_ok(struct pctl_task *t, const char *word)
{
	t->result.ok = true;
	t->result.word = word ? word : pctl_power_state_name(t->power.state);
	pctl_task_end(t);
}

bool pctl_task_is_overtaken(const struct pctl_task *t, char *who, size_t size)
{
	if (t->joint)
		return pctl_joint_is_overtaken(t->joint, who, size);
	return pctl_hold_is_overtaken(&t->hold, who, size);
}

void pctl_task_note(struct pctl_task *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *note = pctl_xvasprintf(fmt, ap);
	va_end(ap);
	free(t->note);
	t->note = note;
}

bool pctl_task_would(struct pctl_task *t, const char *what)
{
	if (!t->request->dry_run)
		return false;
	pctl_task_note(t, "would %s", what);
	pctl_task_end_ok(t, "ok");
	return true;
}

static void leave_hooks(struct pctl_task *t)
{
	pctl_hooks_abort(t->hooks);
	t->hooks = NULL;
	t->busy = PCTL_TASK_IDLE;
	if (!t->result.word) { /* it has not ended: they were to run before */
		pctl_task_end_interrupted(t);
		return;
	}
	t->warning = pctl_xstrdup(PCTL_HOOKS_LEFT);
	tell(t);
}

void pctl_task_cancel(struct pctl_task *t)
{
	switch (t->busy) {
	case PCTL_TASK_OP:
		if (!pctl_consent_leaves(t))
			pctl_op_cancel(&t->op);
		break;
	case PCTL_TASK_PAUSE:
	case PCTL_TASK_READY:
		(void)uv_timer_stop(&t->timer);
		pctl_task_end_interrupted(t);
		break;
	case PCTL_TASK_RESOLVE:
		pctl_task_leave_address(t);
		pctl_task_end_interrupted(t);
		break;
	case PCTL_TASK_PARKED:
		pctl_run_unpark(t->run, t);
		pctl_task_end_interrupted(t);
		break;
	case PCTL_TASK_ASKS:
		pctl_task_end_interrupted(t);
		break;
	case PCTL_TASK_HOOKS:
		leave_hooks(t);
		break;
	default:
		break;
	}
}

/* --- Short of descriptors or memory. ---------------------------------------------------------- */

bool pctl_task_park(struct pctl_task *t, const struct pctl_error *err, pctl_step_fn *again)
{
	if (!pctl_error_is_shortage(err) || pctl_run_interrupted(t->run, NULL) ||
		!pctl_run_park(t->run, t))
		return false;
	t->busy = PCTL_TASK_PARKED;
	t->after_pause = again;
	t->parked_at = pctl_task_now(t);
	return true;
}

/* The wait was queueing, and is not counted. */
void pctl_task_unpark(struct pctl_task *t)
{
	uint64_t waited = pctl_task_now(t) - t->parked_at;

	t->started += waited;
	t->deadline += waited;
	t->wait_until += waited;
	t->trying.first += waited;
	pctl_step_pause(t, 0, t->after_pause);
}

/* --- The beginning: resolve, open, lock, then the verb's first step. -------------------------- */

static void begin_verb(struct pctl_task *t)
{
	const struct pctl_verb_def *def = pctl_verb_def(t->request->verb);
	size_t offset = t->request->soft && def->soft_limit_offset ? def->soft_limit_offset
								   : def->limit_offset;
	uint64_t limit = pctl_target_ms(t->target, offset);

	if (t->request->verb == PCTL_VERB_METHOD)
		limit = pctl_task_method_ms(t);

	/* Waiting for the lock is queueing and not counted. */
	t->started = pctl_task_now(t);
	t->deadline = t->started + (t->request->timeout_ms ? t->request->timeout_ms : limit);
	if (t->joint)
		t->deadline = pctl_joint_bound(t->joint, t->deadline);
	def->begin(t);
}

void pctl_task_has_turn(struct pctl_task *t)
{
	t->turn |= PCTL_TURN_ENDPOINT;
	t->busy = PCTL_TASK_IDLE;
	if (pctl_run_interrupted(t->run, NULL))
		pctl_task_end_interrupted(t);
	else
		t->after_pause(t);
}

/* Goes on with its turn at the endpoint. Locks come first: who has a turn waits for none. */
static void enter(struct pctl_task *t, pctl_step_fn *then)
{
	if (!(t->turn & PCTL_TURN_ENDPOINT) &&
		!pctl_run_take_turn(t->run, t->target, PCTL_TURN_ENDPOINT, t)) {
		t->busy = PCTL_TASK_TURN;
		t->after_pause = then;
		return;
	}
	t->turn |= PCTL_TURN_ENDPOINT;
	then(t);
}

/* While somebody else had the node, others may have tried its login. */
static void begin_locked(struct pctl_task *t)
{
	const struct pctl_target *target = t->other ? t->other : t->target;
	struct pctl_login *login = t->request->try_anyway ? NULL : target->login;

	if ((t->line.told || t->hooks_passed) && login) {
		pctl_breaker_refresh(target->core->breaker);
		if (pctl_login_check(login, target, &t->error) < 0) {
			if (!pctl_task_try_other(t, begin_locked))
				pctl_task_end_error(t, &t->error);
			return;
		}
		if (pctl_login_on_trial(target, t->request))
			pctl_login_hold(login, &t->on_trial);
	}
	begin_verb(t);
}

/* --- Hooks before anything is sent. ----------------------------------------------------------- */

static void on_hooks_before(void *data, const struct pctl_hook_end *end)
{
	struct pctl_task *t = data;

	t->hooks = NULL;
	t->busy = PCTL_TASK_IDLE;
	t->hooks_passed = end->some_passed;
	if (end->err.code) {
		pctl_task_end_error(t, &end->err);
		return;
	}
	free(t->boot_url); /* of a held intent, which is looked for anew */
	t->boot_url = NULL;
	t->from_intent = false;
	enter(t, begin_locked);
}

bool pctl_task_run_hooks(struct pctl_task *t, const char *action)
{
	const struct pctl_hook_event event = { .target = t->target,
		.action = action,
		.state = t->power.state,
		.state_known = t->power_read };

	if (t->joint || t->hooks_asked || !pctl_task_changes(t))
		return false;
	t->hooks_asked = true;
	if (!pctl_hooks_any(t->run, t->target, false))
		return false;
	if (t->on_trial)
		pctl_login_step_aside(t->target->login, &t->on_trial);
	idle(t);
	give_turn(t, PCTL_TURN_ENDPOINT);
	t->busy = PCTL_TASK_HOOKS;
	t->hooks = pctl_hooks_start(t->run, &event, on_hooks_before, t);
	return true;
}

static void take_lock(struct pctl_task *t)
{
	char holder[200] = "";
	struct pctl_error err = { 0 };
	int r = pctl_hold_take(
		&t->hold, t->target, t->request, &t->line, holder, sizeof(holder), &err);

	if (r == PCTL_E_BUSY &&
		pctl_lock_is_of_our_caller(t->target->core->locks, t->target->machine)) {
		pctl_task_end_fail(t, PCTL_E_BUSY, PCTL_HOOKS_OWN);
		return;
	}
	wait_for_lock(t, r == PCTL_E_BUSY);
	if (r == 0) {
		enter(t, begin_locked);
	} else if (r == PCTL_E_BUSY) {
		if (!t->line.told)
			pctl_run_waiting(t->run, t->target, holder);
		t->line.told = true;
		if (t->on_trial)
			pctl_login_step_aside(t->target->login, &t->on_trial);
		give_turn(t, PCTL_TURN_ENDPOINT);
		pctl_step_pause(t, pctl_hold_delay(t->target->core, &t->line), take_lock);
	} else {
		pctl_task_end_error(t, &err);
	}
}

bool pctl_task_changes(const struct pctl_task *t)
{
	return pctl_run_changes(t->run, t->joint ? pctl_joint_request(t->joint) : t->request);
}

static void open_device(struct pctl_task *t)
{
	if (pctl_task_changes(t) && !t->joint)
		take_lock(t);
	else
		begin_verb(t);
}

static void begin(struct pctl_task *t)
{
	struct pctl_error err = { 0 };

	if (t->request->verb == PCTL_VERB_WAIT_READY)
		begin_verb(t); /* the management processor has no part in it */
	else if (pctl_device_open(t->target, &t->device, &err) == 0)
		pctl_task_find_address(t, open_device);
	else if (!pctl_task_park(t, &err, begin))
		pctl_task_end_error(t, &err);
}

static struct pctl_task *start(struct pctl_run *run, struct pctl_joint *joint,
	const struct pctl_target *target, const struct pctl_request *request, bool on_trial)
{
	struct pctl_task *t = pctl_xcalloc(1, sizeof(*t));

	t->run = run;
	t->joint = joint;
	t->target = target;
	t->on_trial = on_trial;
	t->request = request;
	pctl_result_init(&t->result, target, request->verb);
	t->result.attempts = 1;
	(void)uv_timer_init(t->target->core->loop, &t->timer);
	t->started = pctl_task_now(t);
	pctl_run_track(run, t);
	return t;
}

void pctl_task_start(struct pctl_run *run, const struct pctl_target *target,
	const struct pctl_request *request, bool on_trial)
{
	struct pctl_task *t = start(run, NULL, target, request, on_trial);

	t->turn = t->request->verb == PCTL_VERB_WAIT_READY ? 0 : PCTL_TURN_WHOLE;
	pctl_step_pause(t, 0, begin); /* results never come from within pctl_run_start() */
}

/* While it waited, another feed of its endpoint may have tried the login. */
static void begin_in_turn(struct pctl_task *t)
{
	struct pctl_error err = { 0 };

	pctl_login_choose(pctl_joint_part_target(t->joint, t), t->request);
	if (!t->request->try_anyway && t->target->login &&
		pctl_login_check(t->target->login, t->target, &err) < 0)
		pctl_task_end_error(t, &err);
	else
		begin(t);
}

static void begin_part(struct pctl_task *t)
{
	if (t->request->verb == PCTL_VERB_WAIT_READY)
		begin(t);
	else
		enter(t, begin_in_turn);
}

struct pctl_task *pctl_task_start_part(struct pctl_joint *joint, const struct pctl_target *target,
	const struct pctl_request *request, bool on_trial)
{
	struct pctl_task *t = start(pctl_joint_run(joint), joint, target, request, on_trial);

	pctl_step_pause(t, 0, begin_part);
	return t;
}
