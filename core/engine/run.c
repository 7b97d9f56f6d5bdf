/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: a queue of our own feeds the drivers `fanout` nodes at a time; nodes wait for the
 * trial of their login (breaker.h), those behind one endpoint take turns, and who starts a machine
 * waits for its places (limit.h), which takes it out of all this until it has them; results go out
 * as they come.
 */
#include <stdio.h>
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "base/file.h"
#include "engine/gate.h"
#include "engine/task.h"
#include "engine/turns.h"
#include "node/limit.h"

#define FANOUT            512u
#define FILES_OF_OURS     16u /* descriptors that are not connections */
#define FILES_PER_CONSOLE 5u

struct pctl_run {
	struct pctl_core *core;
	struct pctl_inventory *inventory;
	struct pctl_request request;
	char *boot_url;
	struct pctl_target *targets;
	size_t count, next;           /* next: the first that was not begun */
	size_t active, ended, fanout; /* fanout: shrinks where this host is short of something */
	struct pctl_task *parked, **parked_end; /* of the active: wait for another one to end */
	size_t parked_n;
	struct pctl_gate gate; /* who waits for a login's trial */
	struct pctl_watch watch;
	struct pctl_limit *own;      /* the request's limit, or NULL */
	struct pctl_ticket *tickets; /* by target; NULL: nothing is limited */
	size_t queued;               /* so many wait for places */
	size_t *placed;              /* these have them */
	size_t placed_n, placed_cap, placed_next;
	struct pctl_turns turns;           /* who waits for an endpoint or a machine */
	struct pctl_task *oldest, *newest; /* that run */
	struct pctl_run_callbacks callbacks;
	uv_timer_t deadline;
	uv_idle_t feeder;
	int interrupted; /* a class: PCTL_E_CANCELED or PCTL_E_TIMEOUT */
	const char *why; /* its words */
	bool closing, paused;
	size_t held;                      /* by streams, which need the targets */
	bool over;                        /* done was told: gone with the last that holds it */
	struct pctl_arguments *arguments; /* METHOD */
	unsigned flags;                   /* PCTL_VERB_ */
};

/* --- Before anything is sent. ----------------------------------------------------------------- */

static size_t choose_fanout(const struct pctl_run *run)
{
	const struct pctl_value *defaults = pctl_inventory_defaults(run->inventory);
	const char *text = pctl_value_text(pctl_value_get(defaults, "fanout"));
	uint64_t n = run->request.fanout, files = pctl_file_spare();
	size_t ours = FILES_OF_OURS + pctl_limits_count(run->core->limits);
	unsigned each = run->request.verb == PCTL_VERB_CONSOLE ? FILES_PER_CONSOLE : 1;

	if (run->request.until_ready)
		each++;
	if (!n && (!text || pctl_parse_uint(text, PCTL_FANOUT_MAX, &n) < 0))
		n = FANOUT;
	/* A node may need more: then it waits, and there are fewer at once (pctl_run_park()). */
	if (files > ours && n > (files - ours) / each)
		n = (files - ours) / each;
	return (size_t)(n ? n : 1);
}

/* The nodes that are another driver's, by driver. */
static int refuse_others(const struct pctl_run *run, struct pctl_problems *problems)
{
	const struct pctl_place nowhere = { 0 };
	const char *wanted = run->request.driver;
	struct pctl_names *drivers = pctl_names_new();

	for (size_t i = 0; i < run->count; i++) {
		const struct pctl_loaded *loaded = run->targets[i].loaded;

		if (loaded && strcmp(loaded->name, wanted) != 0)
			(void)pctl_names_add(drivers, loaded->name);
	}
	size_t n = pctl_names_count(drivers);
	for (size_t k = 0; k < n; k++) {
		const char *driver = pctl_names_at(drivers, k);
		struct pctl_names *nodes = pctl_names_new();

		for (size_t i = 0; i < run->count; i++)
			if (run->targets[i].loaded &&
				strcmp(run->targets[i].loaded->name, driver) == 0)
				(void)pctl_names_add(nodes, run->targets[i].name);
		PCTL_AUTO(free) char *folded = pctl_names_fold(nodes);
		pctl_problems_add(problems, nowhere,
			"%s: driver %s; `%s %s` is for nodes of driver %s only", folded, driver,
			wanted, run->request.method, wanted);
		pctl_names_free(nodes);
	}
	pctl_names_free(drivers);
	return n ? PCTL_E_CONFIG : 0;
}

static int take_method(struct pctl_run *run, struct pctl_problems *problems)
{
	const struct pctl_place nowhere = { 0 };
	struct pctl_loaded *loaded = NULL;
	struct pctl_error err = { 0 };

	if (pctl_core_load(run->core, run->request.driver, &loaded, &err) < 0) {
		pctl_problems_add(problems, nowhere, "%s", err.text);
		return PCTL_E_CONFIG;
	}
	int r = pctl_arguments_new(loaded->driver, run->request.method, run->request.arguments,
		&run->arguments, problems);
	int e = refuse_others(run, problems);
	if (r < 0 || e < 0)
		return PCTL_E_CONFIG;
	run->flags |= pctl_method_verb_flags(run->arguments->method);
	run->request.driver = loaded->name;
	run->request.method = run->arguments->method->name;
	run->request.arguments = run->arguments->map;
	return 0;
}

static void on_granted(struct pctl_ticket *ticket);
static void on_held_up(struct pctl_ticket *ticket, const char *what);

/* A ticket for every node, if one of them needs it. */
static void find_limits(struct pctl_run *run)
{
	const struct pctl_inventory_limit own = { .group = "this command's line",
		.max_at_once = run->request.max_at_once,
		.stagger_ms = run->request.stagger_ms };
	size_t limited = 0;

	if (!(run->flags & PCTL_VERB_STARTS) || run->request.dry_run)
		return;
	if (own.max_at_once || own.stagger_ms)
		run->own = pctl_limit_new(run->core->limits, &own);
	run->tickets = pctl_xcalloc(run->count, sizeof(*run->tickets));
	for (size_t i = 0; i < run->count; i++) {
		struct pctl_ticket *ticket = &run->tickets[i];

		*ticket = (struct pctl_ticket){
			.granted = on_granted, .held_up = on_held_up, .data = run
		};
		pctl_ticket_init(
			ticket, run->core->limits, run->inventory, run->targets[i].node, run->own);
		limited += ticket->n;
	}
	if (limited)
		return;
	free(run->tickets);
	run->tickets = NULL;
}

/* Without a test there is nothing to wait for: said of all nodes before any of them is touched. */
static int take_ready(struct pctl_run *run, struct pctl_problems *problems)
{
	const struct pctl_place nowhere = { 0 };
	size_t before = pctl_problems_count(problems);
	struct pctl_names *without = pctl_names_new();

	for (size_t i = 0; i < run->count; i++) {
		struct pctl_target *t = &run->targets[i];
		bool skip = t->maintenance && !run->request.maintenance;

		if (!skip && t->loaded && !pctl_ready_read(t, problems))
			(void)pctl_names_add(without, t->name);
	}
	if (pctl_names_count(without) > 0) {
		PCTL_AUTO(free) char *folded = pctl_names_fold(without);
		pctl_problems_add(problems, nowhere,
			"%s: nothing says when the machine is ready; add a line to it or its "
			"class: `ready: {tcp: 22}`, a port that is open then, or `ready: "
			"{command: [PROGRAM, ARGUMENT]}`",
			folded);
	}
	pctl_names_free(without);
	return pctl_problems_count(problems) > before ? PCTL_E_CONFIG : 0;
}

static int init_target(struct pctl_run *run, size_t i, struct pctl_twins *twins, size_t node,
	struct pctl_problems *problems)
{
	bool skip = !run->request.maintenance &&
		    pctl_inventory_text(run->inventory, node, "maintenance");
	bool secrets = !skip && run->request.verb != PCTL_VERB_CAPS &&
		       run->request.verb != PCTL_VERB_WAIT_READY;

	if (run->request.verb == PCTL_VERB_CONSOLE)
		return pctl_target_init(&run->targets[i], run->core, run->inventory, node,
			"console", secrets, problems);
	return pctl_target_init_twin(
		&run->targets[i], twins, run->core, run->inventory, node, secrets, problems);
}

/* A few nodes need none, unless they may stand behind one endpoint, which would refuse each. */
static void find_login(struct pctl_run *run, size_t i, bool tried, size_t count)
{
	struct pctl_target *target = &run->targets[i];

	if ((tried || (count > 1 && pctl_target_has_unit(target))) && !target->login)
		target->login = pctl_breaker_login(run->core->breaker, target);
}

int pctl_run_new(struct pctl_core *core, struct pctl_inventory *inventory, const size_t *nodes,
	size_t count, const struct pctl_request *request, struct pctl_run **ret,
	struct pctl_problems *problems)
{
	struct pctl_run *run = pctl_xcalloc(1, sizeof(*run));
	struct pctl_twins twins = { 0 };
	int r = 0;

	run->core = core;
	run->parked_end = &run->parked;
	run->inventory = inventory;
	run->request = *request;
	run->flags = pctl_verb_flags(request->verb);
	run->boot_url = request->boot.url ? pctl_xstrdup(request->boot.url) : NULL;
	run->request.boot.url = run->boot_url;
	pctl_breaker_refresh(core->breaker);
	(void)pctl_store_refresh(core->pins); /* somebody may have accepted or forgotten one */
	bool ready = request->verb == PCTL_VERB_WAIT_READY;
	bool tried = !ready && pctl_breaker_matters(core->breaker, count);
	run->targets = pctl_xcalloc(count, sizeof(*run->targets));
	for (size_t i = 0; i < count; i++) {
		if (init_target(run, i, &twins, nodes[i], problems) < 0)
			r = PCTL_E_CONFIG;
		else
			find_login(run, i, tried, count);
		run->count++;
	}
	pctl_twins_done(&twins);
	if ((ready || request->until_ready) && take_ready(run, problems) < 0)
		r = PCTL_E_CONFIG;
	if (request->verb == PCTL_VERB_METHOD && take_method(run, problems) < 0)
		r = PCTL_E_CONFIG;
	find_limits(run);
	run->fanout = choose_fanout(run);
	if (r < 0) {
		pctl_run_free(run);
		return r;
	}
	*ret = run;
	return 0;
}

void pctl_run_free(struct pctl_run *run)
{
	if (!run)
		return;
	for (size_t i = 0; i < run->count; i++)
		pctl_target_done(&run->targets[i]);
	free(run->targets);
	for (size_t i = 0; run->tickets && i < run->count; i++)
		pctl_ticket_done(&run->tickets[i]);
	free(run->tickets);
	pctl_limit_free(run->own);
	free(run->placed);
	pctl_gate_done(&run->gate);
	pctl_turns_done(&run->turns);
	free(run->boot_url);
	pctl_arguments_free(run->arguments);
	free(run);
}

/* --- Places. ---------------------------------------------------------------------------------- */

static struct pctl_ticket *ticket_of(const struct pctl_run *run, const struct pctl_target *target)
{
	return run->tickets ? &run->tickets[target - run->targets] : NULL;
}

static void tell_queue(struct pctl_run *run, size_t i, const char *what)
{
	if (run->callbacks.queued)
		run->callbacks.queued(run->callbacks.data, run->targets[i].name, what, run->queued);
}

static void feed_soon(struct pctl_run *run);

/* It waits no longer: to begin anew, or to be told why not. */
static void take_from_queue(struct pctl_run *run, size_t i)
{
	run->placed =
		pctl_xgrow(run->placed, &run->placed_cap, run->placed_n + 1, sizeof(*run->placed));
	run->placed[run->placed_n++] = i;
	run->queued--;
	tell_queue(run, i, NULL);
	feed_soon(run);
}

static void on_granted(struct pctl_ticket *ticket)
{
	struct pctl_run *run = ticket->data;

	take_from_queue(run, (size_t)(ticket - run->tickets));
}

static void on_held_up(struct pctl_ticket *ticket, const char *what)
{
	struct pctl_run *run = ticket->data;

	pctl_run_waiting(run, &run->targets[ticket - run->tickets], what);
}

int pctl_run_place(struct pctl_run *run, const struct pctl_target *target, struct pctl_error *err)
{
	struct pctl_ticket *ticket = ticket_of(run, target);
	char what[200];

	int r = ticket ? pctl_ticket_take(ticket, err) : 1;
	if (r == 0) {
		run->queued++;
		tell_queue(run, (size_t)(target - run->targets),
			pctl_ticket_words(ticket, what, sizeof(what)));
	}
	return r;
}

uint64_t pctl_run_send(struct pctl_run *run, const struct pctl_target *target)
{
	struct pctl_ticket *ticket = ticket_of(run, target);

	return ticket ? pctl_ticket_send(ticket) : 0;
}

void pctl_run_give(struct pctl_run *run, const struct pctl_target *target, bool unseen)
{
	struct pctl_ticket *ticket = ticket_of(run, target);

	if (ticket)
		pctl_ticket_give(ticket, unseen);
}

static void empty_queue(struct pctl_run *run)
{
	for (size_t i = 0; run->queued && i < run->count; i++) {
		if (!run->tickets[i].waits)
			continue;
		pctl_ticket_give(&run->tickets[i], false);
		take_from_queue(run, i);
	}
}

/* --- Nodes that never become a task. ---------------------------------------------------------- */

static void tell(struct pctl_run *run, size_t i, int code, const char *what, const char *text)
{
	const struct pctl_target *target = &run->targets[i];
	struct pctl_result result;

	pctl_result_init(&result, target, run->request.verb);
	pctl_error_set(&result.error, code, "%s%s", what, text);
	result.ok = code == PCTL_E_SKIPPED;
	result.word = result.ok ? "skipped" : "error";
	result.note = result.ok ? text : NULL;
	run->ended++;
	pctl_run_give(run, target, false);
	run->callbacks.result(run->callbacks.data, &result);
}

static void tell_interrupted(struct pctl_run *run, size_t i)
{
	const struct pctl_ticket *ticket = ticket_of(run, &run->targets[i]);
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

static void begin_task(struct pctl_run *run, size_t i)
{
	run->active++;
	pctl_task_start(run, &run->targets[i], run->targets[i].login && !run->request.try_anyway);
}

static void begin_or_queue(struct pctl_run *run, size_t i)
{
	/* The endpoint has no part in it. */
	if (run->request.verb == PCTL_VERB_WAIT_READY ||
		pctl_turns_take(&run->turns, &run->targets[i]))
		begin_task(run, i);
}

/* Trial first, then turn: who waits for a turn keeps nobody from being tried elsewhere. */
static void admit(struct pctl_run *run, size_t i)
{
	struct pctl_login *login = run->request.try_anyway ? NULL : run->targets[i].login;
	bool held = false;

	if (ends_here(run, i) || is_refused(run, i))
		return;
	if (login && pctl_login_waits(login)) {
		pctl_gate_add(&run->gate, login, i);
		return;
	}
	if (login)
		pctl_login_hold(login, &held);
	begin_or_queue(run, i);
}

/* It was admitted, and ends before it began. */
static void give_up_place(struct pctl_run *run, size_t i)
{
	bool held = run->targets[i].login && !run->request.try_anyway;

	if (held)
		pctl_login_left(run->targets[i].login, &held);
}

/* It waited for its turn. */
static void begin_turn(struct pctl_run *run, size_t i)
{
	if (ends_here(run, i) || is_refused(run, i)) {
		give_up_place(run, i);
		pctl_turns_give(&run->turns, &run->targets[i]);
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

/* Who is to go next: whose turn it is, who has places, who waited, who is new. False: nobody. */
static bool feed_one(struct pctl_run *run)
{
	const struct pctl_target *called = pctl_turns_next(&run->turns);
	size_t i;

	if (called) {
		begin_turn(run, (size_t)(called - run->targets));
		return true;
	}
	if (run->placed_next < run->placed_n)
		i = run->placed[run->placed_next++];
	else if (!pctl_gate_next(&run->gate, run->interrupted, &i)) {
		if (run->next == run->count)
			return false;
		i = run->next++;
	}
	admit(run, i);
	return true;
}

static void feed(uv_idle_t *idle)
{
	struct pctl_run *run = idle->data;

	while (((run->active < run->fanout && !run->paused) || run->interrupted) && feed_one(run))
		continue;
	(void)uv_idle_stop(&run->feeder);
	if (run->ended == run->count && !run->active)
		finish(run);
}

static void feed_soon(struct pctl_run *run)
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
	for (struct pctl_task *task = run->oldest, *next; task; task = next) {
		next = task->after; /* a task that ends at once leaves the list */
		pctl_task_cancel(task);
	}
	empty_queue(run);
	feed_soon(run);
}

static void on_deadline(uv_timer_t *timer)
{
	interrupt(timer->data, PCTL_E_TIMEOUT, "the command's time was over");
}

void pctl_run_pause(struct pctl_run *run, bool paused)
{
	run->paused = paused;
	feed_soon(run);
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
	feed_soon(data);
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
	feed_soon(run);
}

/* --- What tasks say. -------------------------------------------------------------------------- */

const struct pctl_request *pctl_run_request(const struct pctl_run *run)
{
	return &run->request;
}

unsigned pctl_run_flags(const struct pctl_run *run)
{
	return run->flags;
}

const struct pctl_arguments *pctl_run_arguments(const struct pctl_run *run)
{
	return run->arguments;
}

void pctl_run_track(struct pctl_run *run, struct pctl_task *task)
{
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
	size_t working = run->active - run->parked_n - 1;

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

	while (task && run->active - run->parked_n < run->fanout) {
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
		run->callbacks.waiting(run->callbacks.data, target->name, holder);
}

void pctl_run_task_result(struct pctl_run *run, const struct pctl_result *result)
{
	run->ended++;
	run->callbacks.result(run->callbacks.data, result);
}

void pctl_run_pass_turn(struct pctl_run *run, const struct pctl_target *target)
{
	pctl_turns_give(&run->turns, target);
	feed_soon(run);
}

void pctl_run_proved(struct pctl_run *run, const struct pctl_target *target)
{
	if (target->loaded->driver->max_in_flight <= 1)
		return;
	pctl_turns_proved(&run->turns, target);
	feed_soon(run);
}

void pctl_run_task_gone(struct pctl_run *run)
{
	run->active--;
	unpark(run);
	feed_soon(run);
}
