/* SPDX-License-Identifier: Apache-2.0 */
/* `wait ready`, and what --until ready adds to a verb: the machine's own test, behind its power. */
#include <stdio.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "engine/task.h"

static void on_passed(void *data)
{
	struct pctl_task *t = data;

	(void)uv_timer_stop(&t->timer);
	pctl_task_end_ok(t, t->request->verb == PCTL_VERB_WAIT_READY ? "ok" : NULL);
}

/* The limit and not the clock, and no address: equal errors fold. */
static void on_late(uv_timer_t *timer)
{
	struct pctl_task *t = pctl_container_of(timer, struct pctl_task, timer);
	const char *why = pctl_ready_watch_why(t->ready);
	const char *before = t->request->verb == PCTL_VERB_WAIT_READY ? "" : "on, but ";
	struct pctl_error err = { 0 };
	char limit[32];

	pctl_format_duration(t->request->timeout_ms ? t->request->timeout_ms : t->target->ready_ms,
		limit, sizeof(limit));
	if (pctl_ready_watch_never_failed(t->ready))
		pctl_error_set(&err, PCTL_E_TIMEOUT,
			"on, but whether it restarted is not known: its ready test has not failed "
			"once in %s since '%s' was accepted",
			limit, t->sent.what);
	else
		pctl_error_set(&err, PCTL_E_TIMEOUT, "%snot ready in %s: %s", before, limit,
			*why ? why : "no try has ended");
	(void)pctl_error_device_code(&err, "%s", t->target->ready.host);
	pctl_task_end_error(t, &err);
}

static void wait_ready(struct pctl_task *t, uint64_t until)
{
	if (pctl_run_interrupted(t->run, NULL)) {
		pctl_task_end_interrupted(t);
		return;
	}
	if (!t->ready)
		t->ready = pctl_ready_watch_new(t->target, false, on_passed, t);
	pctl_ready_watch_settle(t->ready, t->seen);
	t->busy = PCTL_TASK_READY;
	(void)uv_timer_start(
		&t->timer, on_late, until > pctl_task_now(t) ? until - pctl_task_now(t) : 0, 0);
}

void pctl_verb_wait_ready(struct pctl_task *t)
{
	wait_ready(t, t->deadline);
}

void pctl_task_watch_restart(struct pctl_task *t)
{
	if (t->request->until_ready && !t->ready)
		t->ready = pctl_ready_watch_new(t->target, true, on_passed, t);
}

void pctl_task_end_on(struct pctl_task *t)
{
	bool on = t->power.state == PCTL_POWER_ON;

	if (!t->request->until_ready || !on || t->request->dry_run) {
		pctl_task_end_ok(t, NULL);
		return;
	}
	/* A start takes minutes, and neither lock nor connection is needed for it. */
	pctl_task_let_others(t);
	wait_ready(
		t, t->request->timeout_ms ? t->deadline : pctl_task_now(t) + t->target->ready_ms);
}
