/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: a queue of our own feeds the drivers `fanout` nodes at a time; nodes wait for the
 * trial of their login (breaker.h), those behind one endpoint take turns, and who starts a machine
 * waits for its places (limit.h), which takes it out of all this until it has them; results go out
 * as they come.
 */
#include <stdio.h>

#include <powerctl/mem.h>

#include "engine/joint.h"
#include "engine/kin.h"
#include "engine/run.h"

#define HOOKING_MAX 1024u /* nodes that are held open for their hooks */

void pctl_run_free(struct pctl_run *run)
{
	if (!run)
		return;
	for (size_t i = 0; i < run->count + run->looks; i++)
		pctl_target_done(&run->targets[i]);
	free(run->targets);
	pctl_kin_free(run->kin);
	pctl_run_free_places(run);
	pctl_gate_done(&run->gate);
	pctl_turns_done(&run->turns);
	for (size_t i = 0; i < PCTL_RUN_TEXTS; i++)
		free(run->texts[i]);
	pctl_arguments_free(run->arguments);
	free(run->record);
	free(run);
}

/* --- Nodes that never become a task. ---------------------------------------------------------- */

/* Whoever is only looked at is told of to those that mind it. */
static void hear(struct pctl_run *run, size_t i, const struct pctl_result *result)
{
	if (i < run->count) {
		run->ended++;
		pctl_run_record(run, result);
		pctl_run_feed(run);
		run->callbacks.result(run->callbacks.data, result);
	} else {
		run->looked++;
	}
	if (run->kin)
		pctl_kin_heard(run->kin, i, result);
}

static const struct pctl_request *request_of(const struct pctl_run *run, size_t i)
{
	return i < run->count ? &run->request : &run->look;
}

static void tell(struct pctl_run *run, size_t i, int code, const char *what, const char *text)
{
	const struct pctl_target *target = &run->targets[i];
	struct pctl_result result;

	pctl_result_init(&result, target, run->request.verb);
	pctl_error_set(&result.error, code, "%s%s", what, text);
	if (code == PCTL_E_TIMEOUT) /* nothing but the deadline ends them with that */
		pctl_error_flag(&result.error, PCTL_ERROR_DEADLINE);
	result.ok = code == PCTL_E_SKIPPED;
	result.word = result.ok ? "skipped" : "error";
	result.note = result.ok ? text : NULL;
	pctl_run_give(run, target, false);
	hear(run, i, &result);
}

static void tell_interrupted(struct pctl_run *run, size_t i)
{
	const struct pctl_ticket *ticket = pctl_run_ticket(run, &run->targets[i]);
	char what[200], text[256];

	if (ticket && ticket->waited) {
		(void)snprintf(text, sizeof(text), "; it waited for %s, nothing was sent",
			pctl_ticket_words(ticket, what, sizeof(what)));
		tell(run, i, run->interrupted, run->why, text);
	} else {
		tell(run, i, run->interrupted, run->why, "; nothing was sent");
	}
}

/* Whether this node ends here: in maintenance, protected, or the run was interrupted. */
static bool ends_here(struct pctl_run *run, size_t i)
{
	const struct pctl_target *target = &run->targets[i];
	bool disrupts = run->flags & PCTL_VERB_DISRUPTS;

	if (!run->interrupted && i >= run->count)
		return false;
	if (run->interrupted)
		tell_interrupted(run, i);
	else if (target->maintenance && !run->request.maintenance)
		tell(run, i, PCTL_E_SKIPPED, "", target->maintenance);
	else if (target->guard && disrupts && !run->request.override_protected)
		tell(run, i, PCTL_E_FORBIDDEN, "protected, --protected overrides: ", target->guard);
	else
		return false;
	return true;
}

/* Whether its login was refused, here or by too many others. */
static bool is_refused(struct pctl_run *run, size_t i)
{
	struct pctl_login *login = run->request.try_anyway ? NULL : run->targets[i].login;
	struct pctl_error err = { 0 };

	if (!login || pctl_login_check(login, &run->targets[i], &err) == 0)
		return false;
	tell(run, i, err.code, "", err.text);
	return true;
}

/* --- Feeding. --------------------------------------------------------------------------------- */

static struct pctl_login *trial_of(const struct pctl_run *run, size_t i)
{
	return pctl_login_on_trial(&run->targets[i], &run->request);
}

static void begin_task(struct pctl_run *run, size_t i)
{
	run->active++;
	pctl_task_start(run, &run->targets[i], request_of(run, i), trial_of(run, i) != NULL);
}

static void begin_in_turn(struct pctl_run *run, size_t i)
{
	/* The endpoint has no part in being ready. */
	if (run->request.verb == PCTL_VERB_WAIT_READY ||
		pctl_run_take_turn(run, &run->targets[i], PCTL_TURN_WHOLE, NULL))
		begin_task(run, i);
}

/* It waits for all trials of its logins before it takes part in any. */
static void admit_joint(struct pctl_run *run, size_t i)
{
	const struct pctl_feeds *feeds = run->targets[i].feeds;
	const struct pctl_request *request = request_of(run, i);

	for (size_t k = 0; k < feeds->n; k++) {
		struct pctl_login *login;

		pctl_login_choose(feeds->v[k].target, request);
		login = pctl_login_on_trial(feeds->v[k].target, request);
		if (login && pctl_login_waits(login)) {
			pctl_gate_add(&run->gate, login, i);
			return;
		}
	}
	run->active++;
	pctl_joint_start(run, &run->targets[i], request);
}

/* Whether it has to wait for others that it minds, or may not go for one of them. */
static bool minds(struct pctl_run *run, size_t i)
{
	struct pctl_error err = { 0 };
	int r = run->kin && i < run->count ? pctl_kin_check(run->kin, run, i, &err) : 1;

	if (r < 0)
		tell(run, i, err.code, "", err.text);
	return r <= 0;
}

/* Trial first, then turn: who waits for a turn keeps nobody from being tried elsewhere. */
static void admit(struct pctl_run *run, size_t i)
{
	struct pctl_login *login;
	bool held = false;

	if (ends_here(run, i) || minds(run, i))
		return;
	if (run->targets[i].feeds) {
		admit_joint(run, i);
		return;
	}
	pctl_login_choose(&run->targets[i], &run->request);
	if (is_refused(run, i))
		return;
	login = trial_of(run, i);
	if (login && pctl_login_waits(login)) {
		pctl_gate_add(&run->gate, login, i);
		return;
	}
	if (login)
		pctl_login_hold(login, &held);
	begin_in_turn(run, i);
}

/* It was admitted, and ends before it began. */
static void leave_trial(struct pctl_run *run, size_t i)
{
	bool held = trial_of(run, i) != NULL;

	if (held)
		pctl_login_left(run->targets[i].login, &held);
}

/* It waited for its turn. */
static void begin_turn(struct pctl_run *run, size_t i)
{
	if (ends_here(run, i) || is_refused(run, i)) {
		leave_trial(run, i);
		pctl_turns_give(&run->turns, &run->targets[i], PCTL_TURN_WHOLE);
	} else {
		begin_task(run, i);
	}
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct pctl_run *run = handle->data;
	struct pctl_run_callbacks callbacks = run->callbacks;

	run->over = true;
	if (!run->held)
		pctl_run_free(run);
	callbacks.done(callbacks.data);
}

static void on_feeder_closed(uv_handle_t *handle)
{
	struct pctl_run *run = handle->data;

	uv_close((uv_handle_t *)&run->deadline, on_handle_closed);
}

static void finish(struct pctl_run *run)
{
	if (run->closing)
		return;
	run->closing = true;
	pctl_breaker_unwatch(run->core->breaker, &run->watch);
	pctl_breaker_save(run->core->breaker);
	uv_close((uv_handle_t *)&run->feeder, on_feeder_closed);
}

static void call(struct pctl_run *run, const struct pctl_turn *turn)
{
	if (turn->parts == PCTL_TURN_MACHINE)
		pctl_joint_claimed(turn->who);
	else if (turn->who)
		pctl_task_has_turn(turn->who);
	else
		begin_turn(run, (size_t)(turn->target - run->targets));
}

/* Who is to begin next: whose turn it is, who has places, who waited, who is new. False: nobody. */
static bool feed_one(struct pctl_run *run)
{
	struct pctl_turn called;
	size_t i;

	if (pctl_turns_next(&run->turns, true, &called)) {
		call(run, &called);
		return true;
	}
	if (!pctl_run_next_placed(run, &i) && !pctl_gate_next(&run->gate, run->interrupted, &i) &&
		!(run->kin && pctl_kin_next(run->kin, run->interrupted, &i))) {
		if (run->next == run->looks + run->count)
			return false;
		i = run->next < run->looks ? run->count + run->next : run->next - run->looks;
		run->next++;
	}
	admit(run, i);
	return true;
}

/*
 * Who has begun is in the fanout already. A node that has its turn at an endpoint which parts of
 * joints may wait for does not wait for the fanout, in which these are.
 */
static bool go_on(struct pctl_run *run)
{
	struct pctl_turn called;

	if (!pctl_turns_next(&run->turns, run->joints != NULL, &called))
		return false;
	call(run, &called);
	return true;
}

/* Short of memory there are fewer from then on, as in pctl_run_park(). */
static bool has_room(struct pctl_run *run)
{
	size_t working = run->tasks - run->parked_n;

	if (working && run->fanout > working && pctl_memory_is_short())
		run->fanout = working;
	return run->active - run->hooking < run->fanout && run->hooking < HOOKING_MAX &&
	       !run->paused;
}

static void feed(uv_idle_t *idle)
{
	struct pctl_run *run = idle->data;

	while (go_on(run))
		continue;
	while (pctl_hooks_next(run, run->active - run->hooking < run->fanout))
		pctl_hooks_resume(run);
	while ((run->interrupted || has_room(run)) && feed_one(run))
		continue;
	(void)uv_idle_stop(&run->feeder);
	pctl_history_flush(run->core->history);
	if (run->ended == run->count && run->looked == run->looks && !run->active)
		finish(run);
}

void pctl_run_feed(struct pctl_run *run)
{
	if (!run->closing)
		(void)uv_idle_start(&run->feeder, feed);
}

static void interrupt(struct pctl_run *run, int code, const char *why)
{
	if (run->interrupted || run->closing)
		return;
	run->interrupted = code;
	run->why = why;
	for (struct pctl_joint *joint = run->joints; joint; joint = joint->after)
		pctl_joint_cancel(joint);
	for (struct pctl_task *task = run->oldest, *next; task; task = next) {
		next = task->after; /* a task that ends at once leaves the list */
		pctl_task_cancel(task);
	}
	pctl_run_empty_queue(run);
	pctl_run_feed(run);
}

static void on_deadline(uv_timer_t *timer)
{
	interrupt(timer->data, PCTL_E_TIMEOUT, "the command's time was over");
}

void pctl_run_pause(struct pctl_run *run, bool paused)
{
	run->paused = paused;
	pctl_run_feed(run);
}

void pctl_run_cancel(struct pctl_run *run)
{
	interrupt(run, PCTL_E_CANCELED, "interrupted");
}

int pctl_run_interrupted(const struct pctl_run *run, const char **ret_why)
{
	if (ret_why)
		*ret_why = run->why;
	return run->interrupted;
}

static void on_trial_changed(void *data)
{
	pctl_run_feed(data);
}

void pctl_run_start(struct pctl_run *run, const struct pctl_run_callbacks *callbacks)
{
	run->callbacks = *callbacks;
	(void)uv_timer_init(run->core->loop, &run->deadline);
	(void)uv_idle_init(run->core->loop, &run->feeder);
	run->deadline.data = run->feeder.data = run;
	run->watch = (struct pctl_watch){ .changed = on_trial_changed, .data = run };
	pctl_breaker_watch(run->core->breaker, &run->watch);
	/* The loop's clock stands while it does not run: preparing was not to count. */
	uv_update_time(run->core->loop);
	if (run->request.deadline_ms)
		(void)uv_timer_start(&run->deadline, on_deadline, run->request.deadline_ms, 0);
	pctl_run_feed(run);
}

/* --- What tasks say. -------------------------------------------------------------------------- */

const struct pctl_inventory *pctl_run_inventory(const struct pctl_run *run)
{
	return run->inventory;
}

bool pctl_run_changes(const struct pctl_run *run, const struct pctl_request *request)
{
	return request == &run->request && !request->dry_run && (run->flags & PCTL_VERB_CHANGES);
}

unsigned pctl_run_flags(const struct pctl_run *run)
{
	return run->flags;
}

const char *pctl_run_machine(const struct pctl_run *run, size_t i)
{
	return run->targets[i].machine;
}

bool pctl_run_served(const struct pctl_run *run, const struct pctl_target *target,
	struct pctl_op *op, struct pctl_value *ret)
{
	return run->callbacks.served &&
	       run->callbacks.served(run->callbacks.data, target->machine, op, ret);
}

const struct pctl_arguments *pctl_run_arguments(const struct pctl_run *run)
{
	return run->arguments;
}

void pctl_run_track(struct pctl_run *run, struct pctl_task *task)
{
	run->tasks++;
	task->before = run->newest;
	*(run->newest ? &run->newest->after : &run->oldest) = task;
	run->newest = task;
}

void pctl_run_untrack(struct pctl_run *run, struct pctl_task *task)
{
	*(task->before ? &task->before->after : &run->oldest) = task->after;
	*(task->after ? &task->after->before : &run->newest) = task->before;
}

bool pctl_run_park(struct pctl_run *run, struct pctl_task *task)
{
	size_t working = run->tasks - run->parked_n - 1;

	if (!working)
		return false;
	if (run->fanout > working)
		run->fanout = working;
	task->next_parked = NULL;
	*run->parked_end = task;
	run->parked_end = &task->next_parked;
	run->parked_n++;
	return true;
}

void pctl_run_unpark(struct pctl_run *run, struct pctl_task *task)
{
	struct pctl_task **link = &run->parked;

	while (*link != task)
		link = &(*link)->next_parked;
	*link = task->next_parked;
	if (!*link)
		run->parked_end = link;
	run->parked_n--;
}

static void unpark(struct pctl_run *run)
{
	struct pctl_task *task = run->parked;

	while (task && run->tasks - run->parked_n < run->fanout) {
		pctl_run_unpark(run, task);
		pctl_task_unpark(task);
		task = run->parked;
	}
}

void pctl_run_hold(struct pctl_run *run)
{
	run->held++;
}

void pctl_run_release(struct pctl_run *run)
{
	if (--run->held == 0 && run->over)
		pctl_run_free(run);
}

void pctl_run_waiting(struct pctl_run *run, const struct pctl_target *target, const char *holder)
{
	if (run->callbacks.waiting)
		run->callbacks.waiting(
			run->callbacks.data, target->name, holder, run->core->lock_waiters);
}

void pctl_run_task_result(
	struct pctl_run *run, const struct pctl_target *target, const struct pctl_result *result)
{
	hear(run, (size_t)(target - run->targets), result);
}

bool pctl_run_take_turn(
	struct pctl_run *run, const struct pctl_target *target, unsigned parts, void *who)
{
	return pctl_turns_take(
		&run->turns, &(struct pctl_turn){ .target = target, .parts = parts, .who = who });
}

void pctl_run_give_turn(struct pctl_run *run, const struct pctl_target *target, unsigned parts)
{
	pctl_turns_give(&run->turns, target, parts);
	pctl_run_feed(run);
}

void pctl_run_proved(struct pctl_run *run, const struct pctl_target *target)
{
	if (pctl_target_max_in_flight(target) <= 1)
		return;
	pctl_turns_proved(&run->turns, target);
	pctl_run_feed(run);
}

void pctl_run_task_gone(struct pctl_run *run, bool whole)
{
	run->tasks--;
	run->active -= whole;
	unpark(run);
	pctl_run_feed(run);
}

void pctl_run_track_joint(struct pctl_run *run, struct pctl_joint *joint)
{
	joint->after = run->joints;
	if (run->joints)
		run->joints->before = joint;
	run->joints = joint;
}

void pctl_run_untrack_joint(struct pctl_run *run, struct pctl_joint *joint)
{
	*(joint->before ? &joint->before->after : &run->joints) = joint->after;
	if (joint->after)
		joint->after->before = joint->before;
}

void pctl_run_joint_gone(struct pctl_run *run)
{
	run->active--;
	pctl_run_feed(run);
}
