/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/op.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "driver/crash.h"

/* --- What a driver must not do. --------------------------------------------------------------- */

static void die_of(const char *words)
{
	(void)fprintf(stderr, "powerctl: %s\n", words);
	pctl_crash_said();
	abort();
}

pctl_op_fault_fn *pctl_op_on_fault = die_of;

#ifdef PCTL_DEBUG
bool pctl_op_strict = true;
#else
bool pctl_op_strict = false;
#endif

static void fault(const struct pctl_op *op, const char *what)
{
	char words[400];

	(void)snprintf(words, sizeof(words),
		"driver %s %s (%s%s%s): that is a fault of the driver, please report it to whoever "
		"makes it",
		op->driver ? op->driver : "?", what, op->call ? op->call : "an op",
		op->node ? " of " : "", op->node ? op->node : "");
	pctl_op_on_fault(words);
}

/* Any of these would touch what belongs to somebody else by now. */
static void check(const struct pctl_op *op, const char *doing)
{
	char what[200];
	const char *why = NULL;

	if (!pthread_equal(op->thread, pthread_self()))
		why = "from another thread than the loop's";
	else if (op->abandoned)
		why = "after it was aborted";
	else if (op->settled)
		why = "a second time, or after its end";
	if (!why)
		return;
	(void)snprintf(what, sizeof(what), "%s %s", doing, why);
	fault(op, what);
}

static void tell(struct pctl_op *op)
{
	/* Last touch: op may be gone, or begun again, when this returns. */
	op->done(op, &op->result);
}

/* Of those that ended in one turn, the first is the last that libuv closes. */
static void tell_in_order(struct pctl_op_order *order)
{
	while (order->first && order->first->closed) {
		struct pctl_op *op = order->first;

		order->first = op->next;
		if (!order->first)
			order->last = NULL;
		tell(op);
	}
}

static void on_closed(uv_handle_t *handle)
{
	struct pctl_op *op = pctl_container_of(handle, struct pctl_op, deadline);

	op->closed = true;
	if (!op->order)
		tell(op);
	else if (op->order->first == op)
		tell_in_order(op->order);
}

static void queue(struct pctl_op *op)
{
	struct pctl_op_order *order = op->order;

	if (order->last)
		order->last->next = op;
	else
		order->first = op;
	order->last = op;
}

/* What happened to the request once it may have reached the device: nobody knows. */
static void doubt(struct pctl_op *op)
{
	int code = op->result.code;

	if (!op->committed || op->taken || (!pctl_error_retried(code) && code != PCTL_E_CANCELED))
		return;
	op->result.code = PCTL_E_OUTCOME_UNKNOWN;
}

static void stop_waiting(struct pctl_op *op)
{
	if (op->waits)
		op->waited_ms += uv_now(op->deadline.loop) - op->since;
	op->waits = false;
}

static void settle(struct pctl_op *op)
{
	op->settled = true;
	stop_waiting(op);
	op->abort = NULL;
	doubt(op);
	if (op->order)
		queue(op);
	uv_close((uv_handle_t *)&op->deadline, on_closed);
}

static void abandon(struct pctl_op *op)
{
	pctl_op_abort_fn *stop = op->abort;

	op->abort = NULL;
	op->abandoned = true;
	if (stop)
		stop(op, op->work);
	settle(op);
}

static void on_deadline(uv_timer_t *timer)
{
	struct pctl_op *op = pctl_container_of(timer, struct pctl_op, deadline);
	char limit[32];

	pctl_format_duration(op->timeout_ms, limit, sizeof(limit));
	if (op->program) {
		pctl_error_set(&op->result, PCTL_E_TIMEOUT,
			"no answer from %.100s in %s; it was killed", op->program, limit);
	} else {
		pctl_error_set(&op->result, PCTL_E_TIMEOUT, "no answer in %s", limit);
		(void)pctl_error_flag(&op->result, PCTL_ERROR_SILENT);
	}
	abandon(op);
}

void pctl_op_begin(
	struct pctl_op *op, uv_loop_t *loop, uint64_t timeout_ms, pctl_op_done_fn *done, void *data)
{
	*op = (struct pctl_op){
		.data = data, .done = done, .timeout_ms = timeout_ms, .thread = pthread_self()
	};
	uv_timer_init(loop, &op->deadline);
	uv_timer_start(&op->deadline, on_deadline, timeout_ms, 0);
}

void pctl_op_enter(struct pctl_op *op, const char *driver, const char *call, const char *node)
{
	op->driver = driver;
	op->call = call;
	op->node = node;
	pctl_crash_enter(driver, call, node);
}

void pctl_op_leave(struct pctl_op *op)
{
	pctl_crash_leave();
	if (pctl_op_strict && !op->settled && !op->abort)
		fault(op, "neither ended an op nor said by pctl_op_pending() that it goes on with "
			  "it");
}

void pctl_op_in_order(struct pctl_op *op, struct pctl_op_order *order)
{
	op->order = order;
}

void pctl_op_cancel(struct pctl_op *op)
{
	if (op->settled)
		return;
	pctl_error_set(&op->result, PCTL_E_CANCELED, "interrupted");
	abandon(op);
}

void pctl_op_committed(struct pctl_op *op)
{
	check(op, "committed an op");
	if (op->dry)
		fault(op, "committed, in a dry run,");
	op->committed = true;
}

void pctl_op_not_taken(struct pctl_op *op)
{
	check(op, "took an op's commit back");
	op->committed = false;
}

void pctl_op_untouched(struct pctl_op *op, bool untouched)
{
	check(op, "said that an op changed nothing");
	op->untouched = untouched;
}

void pctl_op_taken(struct pctl_op *op)
{
	check(op, "said that an op was taken");
	op->taken = true;
}

bool pctl_op_dry(const struct pctl_op *op)
{
	return op->dry;
}

void pctl_op_would(struct pctl_op *op, const char *fmt, ...)
{
	va_list ap;

	check(op, "said what an op would send");
	va_start(ap, fmt);
	(void)vsnprintf(op->would, sizeof(op->would), fmt, ap);
	va_end(ap);
}

void pctl_op_done(struct pctl_op *op)
{
	check(op, "ended an op");
	op->result = (struct pctl_error){ 0 };
	settle(op);
}

void pctl_op_fail(struct pctl_op *op, int code, const char *fmt, ...)
{
	va_list ap;

	check(op, "ended an op");
	assert(code < 0);
	va_start(ap, fmt);
	(void)pctl_error_setv(&op->result, code, fmt, ap);
	va_end(ap);
	settle(op);
}

void pctl_op_fail_error(struct pctl_op *op, const struct pctl_error *err)
{
	check(op, "ended an op");
	assert(err->code < 0);
	op->result = *err;
	settle(op);
}

void pctl_op_waits(struct pctl_op *op)
{
	assert(!op->settled);
	if (op->waits)
		return;
	op->waits = true;
	op->left_ms = uv_timer_get_due_in(&op->deadline);
	op->since = uv_now(op->deadline.loop);
	(void)uv_timer_stop(&op->deadline);
}

void pctl_op_goes_on(struct pctl_op *op)
{
	assert(!op->settled);
	if (!op->waits)
		return;
	stop_waiting(op);
	(void)uv_timer_start(&op->deadline, on_deadline, op->left_ms, 0);
}

void pctl_op_runs(struct pctl_op *op, const char *program)
{
	op->program = program;
}

uint64_t pctl_op_time_left(const struct pctl_op *op)
{
	if (op->waits)
		return op->left_ms;
	return uv_timer_get_due_in(&op->deadline);
}

struct work {
	uv_work_t req;
	struct pctl_op *op; /* NULL once aborted */
	void *job;
	pctl_work_fn *run, *give_up; /* the latter or NULL */
	pctl_work_after_fn *after;
};

static void run_work(uv_work_t *req)
{
	struct work *w = pctl_container_of(req, struct work, req);

	w->run(w->job);
}

static void after_work(uv_work_t *req, int status)
{
	struct work *w = pctl_container_of(req, struct work, req);

	(void)status;
	/* From here on there is nothing to detach: w goes before op does. */
	if (w->op)
		w->op->abort = NULL;
	w->after(w->job, w->op);
	free(w->job);
	free(w);
}

/* Running work cannot be stopped, only told: it goes on without the op. */
static void detach_work(struct pctl_op *op, void *work)
{
	struct work *w = work;

	(void)op;
	w->op = NULL;
	if (w->give_up)
		w->give_up(w->job);
}

void pctl_op_pending(struct pctl_op *op, pctl_op_abort_fn *abort, void *work)
{
	check(op, "went on with an op");
	assert(op->abort != detach_work && "work that is under way has to hear of an abort");
	op->abort = abort;
	op->work = work;
}

void pctl_op_work_until(struct pctl_op *op, void *take_job, pctl_work_fn *work,
	pctl_work_fn *give_up, pctl_work_after_fn *after)
{
	struct work *w = pctl_xcalloc(1, sizeof(*w));

	*w = (struct work){
		.op = op, .job = take_job, .run = work, .give_up = give_up, .after = after
	};
	pctl_op_pending(op, detach_work, w);
	uv_queue_work(op->deadline.loop, &w->req, run_work, after_work);
}

void pctl_op_work(struct pctl_op *op, void *take_job, pctl_work_fn *work, pctl_work_after_fn *after)
{
	pctl_op_work_until(op, take_job, work, NULL, after);
}
