/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/joint.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <powerctl/log.h>
#include <powerctl/mem.h>

#include "engine/hook.h"
#include "engine/turns.h"
#include "node/breaker.h"

#define WORDS_SIZE   300u
#define LAST_LOOK_MS ((uint64_t)1000) /* what is begun in time gets the time of an answer */

static struct pctl_core *core_of(const struct pctl_joint *j)
{
	return j->target->core;
}

static uint64_t now(const struct pctl_joint *j)
{
	return uv_now(core_of(j)->loop);
}

struct pctl_run *pctl_joint_run(const struct pctl_joint *j)
{
	return j->run;
}

const struct pctl_target *pctl_joint_target(const struct pctl_joint *j)
{
	return j->target;
}

const struct pctl_request *pctl_joint_request(const struct pctl_joint *j)
{
	return j->request;
}

static struct pctl_login *login_of(const struct pctl_joint *j, const struct pctl_part *part)
{
	return pctl_login_on_trial(part->feed->target, j->request);
}

/* --- The end. --------------------------------------------------------------------------------- */

static void free_part(struct pctl_part *part)
{
	free(part->note);
	pctl_value_free(part->tree);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct pctl_joint *j = pctl_container_of((uv_timer_t *)handle, struct pctl_joint, timer);
	struct pctl_run *run = j->run;

	for (size_t i = 0; i < j->n; i++)
		free_part(&j->parts[i]);
	free_part(&j->ready);
	free(j->note);
	free(j->warning);
	free(j->told);
	free(j->line.overtook);
	free(j);
	pctl_run_joint_gone(run);
}

static void wait_for_lock(struct pctl_joint *j, bool waits)
{
	size_t *waiters = &core_of(j)->lock_waiters;

	if (waits == j->waits_lock)
		return;
	*waiters = waits ? *waiters + 1 : *waiters - 1;
	j->waits_lock = waits;
	if (!waits)
		pctl_run_waiting(j->run, j->target, NULL);
}

static void give_machines(struct pctl_joint *j)
{
	while (j->locked)
		pctl_hold_give(&j->holds[--j->locked]);
	while (j->claimed)
		pctl_run_give_turn(j->run, j->order[--j->claimed], PCTL_TURN_MACHINE);
}

void pctl_joint_let_others(struct pctl_joint *j)
{
	give_machines(j);
	pctl_run_give(j->run, j->target, false);
}

/* What others wait for. */
static void release(struct pctl_joint *j)
{
	assert(!j->working && "its parts have ended");
	j->busy = PCTL_JOINT_ENDED;
	for (size_t i = 0; i < j->n; i++)
		if (j->parts[i].held)
			pctl_login_left(j->parts[i].feed->target->login, &j->parts[i].held);
	wait_for_lock(j, false);
	give_machines(j);
	pctl_run_untrack_joint(j->run, j);
}

static void yield(struct pctl_joint *j)
{
	release(j);
	uv_close((uv_handle_t *)&j->timer, on_timer_closed);
}

static void tell_feeds(const struct pctl_joint *j, struct pctl_feed_result *told)
{
	for (size_t i = 0; i < j->n; i++) {
		const struct pctl_part *part = &j->parts[i];

		told[i] = (struct pctl_feed_result){ .feed = part->feed->name,
			.driver = part->feed->target->loaded->driver->name,
			.address = part->feed->target->address,
			.ok = part->asked && part->ok,
			.state = part->read ? part->state : PCTL_POWER_UNKNOWN,
			.state_known = part->read,
			.error = part->error };
		if (!part->asked)
			pctl_error_set(&told[i].error, PCTL_E_SKIPPED, "nothing was asked of it");
	}
}

static void tell(struct pctl_joint *j)
{
	j->result.warning = j->warning;
	release(j);
	pctl_run_give(j->run, j->target, !j->result.ok || j->request->no_wait);
	pctl_run_task_result(j->run, j->target, &j->result);
	uv_close((uv_handle_t *)&j->timer, on_timer_closed);
}

static bool changes(const struct pctl_joint *j)
{
	return pctl_run_changes(j->run, j->request);
}

static void on_hooks_after(void *data, const struct pctl_hook_end *end)
{
	struct pctl_joint *j = data;

	j->hooks = NULL;
	j->warning = end->warning ? pctl_xstrdup(end->warning) : NULL;
	tell(j);
}

static bool run_hooks_after(struct pctl_joint *j)
{
	if (changes(j))
		j->hooks = pctl_hooks_start_after(j->run, j->target, &j->result, j->hooks_passed,
			&j->warning, on_hooks_after, j);
	if (!j->hooks)
		return false;
	j->busy = PCTL_JOINT_HOOKS;
	return true;
}

/* Nodes without a state of their own (what is partly on) have the words of their errors. */
static void end(struct pctl_joint *j, struct pctl_result *r)
{
	j->told = pctl_xcalloc(j->n, sizeof(*j->told));
	tell_feeds(j, j->told);
	if (j->request->dry_run && j->note)
		pctl_hooks_note(j->run, j->target, &j->note);
	r->feeds = j->told;
	r->feed_count = j->n;
	r->attempts = j->attempts;
	r->elapsed_ms = now(j) - j->started;
	r->note = j->note;
	r->tree = j->tree;
	r->overtook = j->line.overtook;
	for (size_t i = 0; i < j->n; i++)
		r->changed |= j->parts[i].changed;
	j->result = *r;
	if (!run_hooks_after(j))
		tell(j);
}

static const char *confirmed_by(const struct pctl_joint *j)
{
	const char *confirmed = NULL;

	for (size_t i = 0; i < j->n; i++) {
		const char *part = j->parts[i].confirmed;

		/* As good as the weakest of them. */
		if (part && (!confirmed || strcmp(part, "accepted") == 0))
			confirmed = part;
	}
	return confirmed;
}

void pctl_joint_end_ok(
	struct pctl_joint *j, const char *word, enum pctl_power_state state, bool known)
{
	struct pctl_result r;

	pctl_result_init(&r, j->target, j->request->verb);
	r.ok = true;
	r.state = state;
	r.state_known = known;
	r.word = word ? word : pctl_power_state_name(state);
	r.confirmed = confirmed_by(j);
	end(j, &r);
}

void pctl_joint_end_error(struct pctl_joint *j, const struct pctl_error *err)
{
	struct pctl_result r;
	bool silent;

	pctl_result_init(&r, j->target, j->request->verb);
	r.word = j->request->verb == PCTL_VERB_STATUS ? "unknown" : "error";
	r.error = *err;
	r.state_known = pctl_joint_state(j, &r.state, &silent);
	end(j, &r);
}

void pctl_joint_end_fail(struct pctl_joint *j, int code, const char *fmt, ...)
{
	struct pctl_error err = { 0 }, what = { 0 };
	char words[WORDS_SIZE];
	va_list ap;

	va_start(ap, fmt);
	(void)pctl_error_setv(&what, code, fmt, ap);
	va_end(ap);
	(void)pctl_joint_words(j, words, sizeof(words));
	(void)pctl_error_set(
		&err, code, "%s%s%s", what.text, *what.text && *words ? "; " : "", words);
	pctl_joint_end_error(j, &err);
}

void pctl_joint_note(struct pctl_joint *j, const char *fmt, ...)
{
	char *note = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&note, fmt, ap) < 0)
		pctl_out_of_memory();
	va_end(ap);
	free(j->note);
	j->note = note;
}

/* Each feed is told of: what it was sent, or how it was read last. */
static void end_interrupted(struct pctl_joint *j)
{
	bool changed = false;
	const char *why;
	int code = pctl_run_interrupted(j->run, &why);
	int worst = pctl_joint_code(j);

	for (size_t i = 0; i < j->n; i++)
		changed |= j->parts[i].changed;
	if (worst == PCTL_E_OUTCOME_UNKNOWN)
		code = worst;
	pctl_joint_end_fail(j, code, "%s%s", why, changed ? "" : "; nothing was sent");
}

/* --- Steps. ----------------------------------------------------------------------------------- */

static void on_pause_over(uv_timer_t *timer)
{
	struct pctl_joint *j = pctl_container_of(timer, struct pctl_joint, timer);

	if (pctl_run_interrupted(j->run, NULL))
		end_interrupted(j);
	else
		j->then(j);
}

void pctl_joint_pause(struct pctl_joint *j, uint64_t ms, pctl_joint_fn *then)
{
	j->busy = PCTL_JOINT_PAUSES;
	j->then = then;
	(void)uv_timer_start(
		&j->timer, on_pause_over, pctl_run_interrupted(j->run, NULL) ? 0 : ms, 0);
}

static void leave_hooks(struct pctl_joint *j)
{
	pctl_hooks_abort(j->hooks);
	j->hooks = NULL;
	if (!j->result.word) { /* they were to run before */
		pctl_joint_pause(j, 0, NULL);
		return;
	}
	j->warning = pctl_xstrdup(PCTL_HOOKS_LEFT);
	tell(j);
}

void pctl_joint_cancel(struct pctl_joint *j)
{
	if (j->busy == PCTL_JOINT_HOOKS)
		leave_hooks(j);
	if (j->busy == PCTL_JOINT_PAUSES)
		(void)uv_timer_start(&j->timer, on_pause_over, 0, 0);
}

/* Turns that parts waited for at their endpoints are queueing, and not counted. */
static void end_step(struct pctl_joint *j)
{
	uint64_t waited = 0;

	j->sent = false;
	for (size_t i = 0; i < j->n; i++) {
		if (j->parts[i].waited > waited)
			waited = j->parts[i].waited;
		j->parts[i].waited = 0;
	}
	j->started += waited;
	j->deadline += waited;
	j->until += waited;
	if (pctl_run_interrupted(j->run, NULL))
		end_interrupted(j);
	else
		j->then(j);
}

void pctl_joint_go(struct pctl_joint *j, pctl_joint_fn *then)
{
	if (!j->working) {
		pctl_joint_pause(j, 0, then);
		return;
	}
	j->busy = PCTL_JOINT_WORKS;
	j->then = then;
}

uint64_t pctl_joint_send(struct pctl_joint *j)
{
	uint64_t early = j->sent ? 0 : pctl_run_send(j->run, j->target);

	j->sent |= !early;
	return early;
}

static void forget(struct pctl_part *part)
{
	free_part(part);
	part->note = NULL;
	part->tree = NULL;
	part->asked = true;
	part->ok = part->read = false;
	part->word = NULL;
	part->error = (struct pctl_error){ 0 };
}

void pctl_joint_begin_part(
	struct pctl_joint *j, struct pctl_part *part, const struct pctl_request *request)
{
	struct pctl_login *login = login_of(j, part);
	bool held = part->held;

	forget(part);
	part->request = *request;
	part->held = false;
	if (login && !held)
		pctl_login_hold(login, &held);
	j->working++;
	part->waited = now(j);
	part->task = pctl_task_start_part(j, part->feed->target, &part->request, held);
}

static struct pctl_part *part_of(struct pctl_joint *j, const struct pctl_task *task)
{
	for (size_t i = 0; i < j->n; i++)
		if (j->parts[i].task == task)
			return &j->parts[i];
	return &j->ready;
}

struct pctl_target *pctl_joint_part_target(struct pctl_joint *j, const struct pctl_task *task)
{
	return part_of(j, task)->feed->target;
}

uint64_t pctl_joint_bound(const struct pctl_joint *j, uint64_t deadline)
{
	uint64_t least = now(j) + LAST_LOOK_MS;
	uint64_t most = j->deadline > least ? j->deadline : least;

	return deadline < most ? deadline : most;
}

/* Whose password it was: not the node's. */
static void tell_credential(struct pctl_part *part)
{
	const char *name = pctl_value_text(pctl_value_get(part->feed->target->map, "credential"));
	struct pctl_error was = part->error;

	if (was.code == PCTL_E_AUTH && name && !strstr(was.text, name))
		(void)snprintf(part->error.text, sizeof(part->error.text),
			"%.200s (credential '%.64s')", was.text, name);
}

void pctl_joint_part_ended(
	struct pctl_joint *j, const struct pctl_task *task, const struct pctl_result *r)
{
	struct pctl_part *part = part_of(j, task);
	uint64_t took = now(j) - part->waited;

	part->waited = took > r->elapsed_ms ? took - r->elapsed_ms : 0;
	part->ok = r->ok;
	part->read = r->state_known;
	part->state = r->state;
	part->changed |= r->changed;
	part->word = r->word;
	part->error = r->error;
	part->note = r->note ? pctl_xstrdup(r->note) : NULL;
	part->tree = r->tree ? pctl_value_copy(r->tree) : NULL;
	if (r->confirmed)
		part->confirmed = r->confirmed;
	j->attempts += r->attempts - 1;
	tell_credential(part);
}

void pctl_joint_part_gone(struct pctl_joint *j, const struct pctl_task *task)
{
	part_of(j, task)->task = NULL;
	if (--j->working == 0)
		end_step(j);
}

void pctl_joint_read(struct pctl_joint *j, bool own, bool outlets, pctl_joint_fn *then)
{
	struct pctl_request request = *j->request;

	request.verb = PCTL_VERB_STATUS;
	for (size_t i = 0; i < j->n; i++)
		if (j->parts[i].feed->own ? own : outlets)
			pctl_joint_begin_part(j, &j->parts[i], &request);
	pctl_joint_go(j, then);
}

void pctl_joint_place(struct pctl_joint *j, pctl_joint_fn *then)
{
	struct pctl_error err = { 0 };
	int r = pctl_run_place(j->run, j->target, &err);

	if (r < 0)
		pctl_joint_end_error(j, &err);
	else if (r == 0)
		yield(j);
	else
		then(j);
}

/* --- The machine's own test, when all feeds are on. ------------------------------------------- */

static void on_ready(struct pctl_joint *j)
{
	struct pctl_error err = j->ready.error;

	if (j->ready.ok) {
		pctl_joint_end_ok(j, NULL, PCTL_POWER_ON, true);
		return;
	}
	(void)pctl_error_set(&err, j->ready.error.code, "on, but %.300s", j->ready.error.text);
	pctl_joint_end_error(j, &err);
}

void pctl_joint_end_on(struct pctl_joint *j)
{
	struct pctl_request request = *j->request;

	if (!j->request->until_ready) {
		pctl_joint_end_ok(j, NULL, PCTL_POWER_ON, true);
		return;
	}
	request.verb = PCTL_VERB_WAIT_READY;
	pctl_joint_let_others(j);
	j->deadline = UINT64_MAX / 2; /* the test has a time of its own */
	if (j->request->timeout_ms)
		j->deadline = j->started + j->request->timeout_ms;
	j->ready_feed = (struct pctl_feed){ .target = (struct pctl_target *)(uintptr_t)j->target };
	j->ready.feed = &j->ready_feed;
	forget(&j->ready);
	j->ready.request = request;
	j->ready.waited = now(j);
	j->working++;
	j->ready.task = pctl_task_start_part(j, j->target, &j->ready.request, false);
	pctl_joint_go(j, on_ready);
}

bool pctl_joint_is_overtaken(const struct pctl_joint *j, char *who, size_t size)
{
	for (size_t i = 0; i < j->locked; i++)
		if (pctl_hold_is_overtaken(&j->holds[i], who, size))
			return true;
	return false;
}

/* --- The beginning: machines, locks, then the verb's first step. ------------------------------ */

static void begin_verb(struct pctl_joint *j)
{
	wait_for_lock(j, false);
	if (j->line.told)
		pctl_breaker_refresh(core_of(j)->breaker);
	j->started = now(j);
	j->deadline = j->started + pctl_joint_limit(j);
	pctl_joint_begin_verb(j);
}

static void on_hooks_before(void *data, const struct pctl_hook_end *end)
{
	struct pctl_joint *j = data;

	j->hooks = NULL;
	j->hooks_passed = end->some_passed;
	if (end->err.code)
		pctl_joint_end_error(j, &end->err);
	else
		begin_verb(j);
}

void pctl_joint_change(struct pctl_joint *j, pctl_joint_fn *then)
{
	enum pctl_power_state state = PCTL_POWER_UNKNOWN;
	bool silent, known = pctl_joint_state(j, &state, &silent);
	const struct pctl_hook_event event = { .target = j->target,
		.action = pctl_verb_name(j->request->verb),
		.state = state,
		.state_known = known };

	if (j->hooks_asked || !changes(j) || !pctl_hooks_any(j->run, j->target, false)) {
		then(j);
		return;
	}
	j->hooks_asked = true;
	j->busy = PCTL_JOINT_HOOKS;
	j->hooks = pctl_hooks_start(j->run, &event, on_hooks_before, j);
}

static void step_aside(struct pctl_joint *j)
{
	for (size_t i = 0; i < j->n; i++)
		if (j->parts[i].held)
			pctl_login_step_aside(j->parts[i].feed->target->login, &j->parts[i].held);
}

static void take_locks(struct pctl_joint *j)
{
	char holder[200] = "";
	struct pctl_error err = { 0 };
	int r = 0;

	while (changes(j) && j->locked < j->n && r == 0) {
		r = pctl_hold_take(&j->holds[j->locked], j->order[j->locked], j->request, &j->line,
			holder, sizeof(holder), &err);
		j->locked += r == 0;
	}
	if (r == 0) {
		begin_verb(j);
		return;
	}
	if (r != PCTL_E_BUSY) {
		pctl_joint_end_error(j, &err);
		return;
	}
	if (pctl_lock_is_of_our_caller(core_of(j)->locks, j->order[j->locked]->machine)) {
		pctl_joint_end_fail(j, r, PCTL_HOOKS_OWN);
		return;
	}
	wait_for_lock(j, true);
	if (!j->line.told)
		pctl_run_waiting(j->run, j->target, holder);
	j->line.told = true;
	step_aside(j);
	pctl_joint_pause(j, pctl_hold_delay(core_of(j), &j->line), take_locks);
}

static void claim(struct pctl_joint *j)
{
	j->busy = PCTL_JOINT_CLAIMS;
	while (j->claimed < j->n) {
		if (!pctl_run_take_turn(j->run, j->order[j->claimed], PCTL_TURN_MACHINE, j))
			return;
		j->claimed++;
	}
	take_locks(j);
}

void pctl_joint_claimed(struct pctl_joint *j)
{
	j->claimed++;
	if (pctl_run_interrupted(j->run, NULL))
		end_interrupted(j);
	else
		claim(j);
}

static int by_machine(const void *a, const void *b)
{
	const struct pctl_target *const *x = a, *const *y = b;

	return strcmp((*x)->machine, (*y)->machine);
}

void pctl_joint_start(
	struct pctl_run *run, const struct pctl_target *target, const struct pctl_request *request)
{
	const struct pctl_feeds *feeds = target->feeds;
	struct pctl_joint *j = pctl_xcalloc(1, sizeof(*j) + feeds->n * sizeof(j->parts[0]));

	j->run = run;
	j->target = target;
	j->request = request;
	j->feeds = feeds;
	j->attempts = 1;
	for (j->n = 0; j->n < feeds->n; j->n++) {
		struct pctl_part *part = &j->parts[j->n];

		part->feed = &feeds->v[j->n];
		j->order[j->n] = part->feed->target;
		if (login_of(j, part))
			pctl_login_hold(login_of(j, part), &part->held);
	}
	/* They are pointers. NOLINTNEXTLINE(bugprone-sizeof-expression) */
	qsort(j->order, j->n, sizeof(j->order[0]), by_machine);
	(void)uv_timer_init(core_of(j)->loop, &j->timer);
	j->started = now(j);
	pctl_run_track_joint(run, j);
	claim(j);
}
