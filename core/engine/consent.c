/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/consent.h"

#include <stdio.h>
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "engine/run.h"

#define TURNED_ON "it was not on, and was turned on to show its code"
#define DISPLAY_S 300u /* where the device does not say how long a code is shown */

static const struct pctl_consent_if *interface_of(const struct pctl_task *t)
{
	return t->target->loaded->driver->consent;
}

struct pctl_consent_work *pctl_consent_of(struct pctl_task *t)
{
	if (!t->consent)
		t->consent = pctl_xcalloc(1, sizeof(*t->consent));
	return t->consent;
}

bool pctl_consent_takes(struct pctl_task *t, const char *code)
{
	unsigned digits = interface_of(t)->digits;

	if (strlen(code) == digits && strspn(code, "0123456789") == digits)
		return true;
	pctl_error_set(&t->error, PCTL_E_CONFIG,
		"the code is not one that this machine shows: those have %u digits", digits);
	return false;
}

void pctl_consent_explain(struct pctl_error *err)
{
	struct pctl_error was = *err;

	if (err->code == PCTL_E_STATE)
		(void)snprintf(err->text, sizeof(err->text),
			"%.250s; `powerctl consent request NODE` lets one appear", was.text);
}

void pctl_consent_tell(const struct pctl_task *t, struct pctl_error *err)
{
	struct pctl_error was = *err;

	if (t->consent && t->consent->turned_on)
		(void)snprintf(err->text, sizeof(err->text), "%.250s; %s", was.text, TURNED_ON);
}

/* --- Calls. ----------------------------------------------------------------------------------- */

/* Of a request that ended well or not: what was read before is so no longer. */
static void note_turned_on(struct pctl_task *t)
{
	struct pctl_consent_work *c = t->consent;

	if (!c->is.turned_on)
		return;
	c->turned_on = t->result.changed = true;
	t->power_read = false;
}

static struct pctl_consent *fresh(struct pctl_task *t)
{
	struct pctl_consent_work *c = pctl_consent_of(t);

	note_turned_on(t);
	c->is = (struct pctl_consent){ .size = sizeof(c->is) };
	return &c->is;
}

static const char *state_read(const struct pctl_task *t)
{
	return pctl_consent_state_name(t->consent->is.state);
}

static void start_get(struct pctl_task *t, const struct pctl_driver *d, void *dev)
{
	d->consent->get(dev, &t->op, fresh(t));
}

static void start_request(struct pctl_task *t, const struct pctl_driver *d, void *dev)
{
	d->consent->request(dev, &t->op, fresh(t));
}

static void start_submit(struct pctl_task *t, const struct pctl_driver *d, void *dev)
{
	d->consent->submit(dev, &t->op, t->consent->code);
}

static void start_cancel(struct pctl_task *t, const struct pctl_driver *d, void *dev)
{
	d->consent->cancel(dev, &t->op);
}

#define READS(n) .limit_offset = offsetof(struct pctl_target, read_ms), .times = (n)

const struct pctl_call pctl_call_consent_get = {
	.name = "consent.get",
	.start = start_get,
	.outcome = state_read,
	READS(1),
};

/* It may have to take an older one back, and to turn the machine on. */
const struct pctl_call pctl_call_consent_request = {
	.name = "consent.request",
	.start = start_request,
	.well = note_turned_on,
	.outcome = state_read,
	READS(3),
	.flags = PCTL_CALL_REPEATABLE | PCTL_CALL_BUSY_IS_FINAL,
};

const struct pctl_call pctl_call_consent_submit = {
	.name = "consent.submit",
	.start = start_submit,
	READS(2),
	.flags = PCTL_CALL_BUSY_IS_FINAL,
};

const struct pctl_call pctl_call_consent_cancel = {
	.name = "consent.cancel",
	.start = start_cancel,
	READS(2),
	.flags = PCTL_CALL_REPEATABLE | PCTL_CALL_BUSY_IS_FINAL,
};

/* Each has a time of its own, with room for a second try; a verb's own stands still meanwhile. */
static void send_call(
	struct pctl_task *t, const struct pctl_call *call, pctl_step_fn *then, pctl_step_fn *failed)
{
	uint64_t limit = call->times * pctl_target_ms(t->target, call->limit_offset);

	if (t->request->timeout_ms > limit)
		limit = t->request->timeout_ms;
	t->deadline = pctl_task_now(t) + 2 * limit;
	pctl_step_send(t, call, then, failed);
}

/* --- The line of those that ask. -------------------------------------------------------------- */

static void request(struct pctl_task *t);

/* Whether it is the first of them. */
static bool join_line(struct pctl_task *t)
{
	struct pctl_task **link = &t->run->asking;

	while (*link)
		link = &(*link)->consent->next;
	*link = t;
	t->consent->queued = true;
	return t->run->asking == t;
}

static void withdraw(struct pctl_task *t)
{
	struct pctl_run *run = t->run;

	if (t->consent->asks)
		run->callbacks.consent(run->callbacks.data, NULL);
	t->consent->asks = false;
	if (t->busy == PCTL_TASK_ASKS)
		t->busy = PCTL_TASK_IDLE;
	(void)uv_timer_stop(&t->timer);
}

/* The next one's turn comes from the loop: who leaves may be in the middle of something. */
static void leave_line(struct pctl_task *t)
{
	struct pctl_task **link = &t->run->asking;
	bool first = *link == t;

	if (!t->consent->queued)
		return;
	while (*link != t)
		link = &(*link)->consent->next;
	*link = t->consent->next;
	t->consent->next = NULL;
	t->consent->queued = false;
	if (first && *link && !pctl_run_interrupted(t->run, NULL))
		pctl_step_pause(*link, 0, request);
}

void pctl_consent_leave(struct pctl_task *t)
{
	withdraw(t);
	leave_line(t);
}

void pctl_consent_free(struct pctl_task *t)
{
	free(t->consent);
	t->consent = NULL;
}

/* --- The end. --------------------------------------------------------------------------------- */

/* Whatever it was that consent was missing for, its own time goes on where it stopped. */
static void restore(struct pctl_task *t)
{
	struct pctl_consent_work *c = t->consent;
	uint64_t spent = pctl_task_now(t) - c->began;

	pctl_consent_leave(t);
	t->started = c->started + spent;
	t->deadline = c->deadline + spent;
	t->wait_until += spent;
	t->trying = c->trying;
	t->trying.first += spent;
	t->trying.last += spent;
}

static void end_with(struct pctl_task *t, const struct pctl_error *why)
{
	struct pctl_error err = *why;

	restore(t);
	t->error = err;
	if (t->trying.failed)
		t->trying.failed(t);
	else
		pctl_task_end_error(t, &t->error);
}

static void on_taken_back(struct pctl_task *t)
{
	t->consent->leaves = false;
	if (pctl_run_interrupted(t->run, NULL))
		pctl_task_end_interrupted(t);
	else
		end_with(t, &t->consent->why);
}

static void take_back(struct pctl_task *t)
{
	struct pctl_consent_work *c = t->consent;

	withdraw(t);
	c->shown = false;
	c->leaves = true;
	send_call(t, &pctl_call_consent_cancel, on_taken_back, on_taken_back);
}

bool pctl_consent_takes_back(struct pctl_task *t)
{
	if (!t->consent)
		return false;
	note_turned_on(t);
	pctl_consent_leave(t);
	if (!t->consent->shown)
		return false;
	take_back(t);
	return true;
}

bool pctl_consent_leaves(const struct pctl_task *t)
{
	return t->consent && t->consent->leaves;
}

/* Ends with an error; no code stays on the screen that nobody waits for. */
static void give_up(struct pctl_task *t, const struct pctl_error *why)
{
	struct pctl_consent_work *c = t->consent;

	c->why = *why;
	if (c->shown)
		take_back(t);
	else
		end_with(t, &c->why);
}

/* --- It was agreed to. ------------------------------------------------------------------------ */

static bool has_sent_nothing(const struct pctl_task *t)
{
	return t->sent.how == PCTL_SENT_NOTHING && t->armed.how == PCTL_SENT_NOTHING && !t->stream;
}

/*
 * A verb that has sent nothing begins anew, with a look at the state as it is now: it may be
 * minutes later, and the machine may have been turned on. Else only the op is done again.
 */
static void go_on(struct pctl_task *t)
{
	t->consent->shown = false;
	restore(t);
	if (pctl_run_interrupted(t->run, NULL)) {
		pctl_task_end_interrupted(t);
		return;
	}
	if (t->consent->turned_on)
		pctl_task_note(t, TURNED_ON);
	if (!has_sent_nothing(t)) {
		pctl_step_send(t, t->trying.call, t->trying.then, t->trying.failed);
		return;
	}
	free(t->boot_url); /* of a held intent, which is looked for anew */
	t->boot_url = NULL;
	t->from_intent = false;
	pctl_verb_def(t->request->verb)->begin(t);
}

static void ask(struct pctl_task *t);

/* Whether the code was taken shows in the state. */
static void on_looked(struct pctl_task *t)
{
	if (t->consent->is.state >= PCTL_CONSENT_RECEIVED)
		go_on(t);
	else
		give_up(t, &t->consent->why);
}

static void on_not_looked(struct pctl_task *t)
{
	give_up(t, &t->consent->why);
}

static void on_wrong(struct pctl_task *t)
{
	struct pctl_consent_work *c = t->consent;

	c->wrong++;
	if (t->request->consent_code)
		end_with(t, &t->error);
	else if (c->wrong < interface_of(t)->tries)
		ask(t);
	else
		give_up(t, &t->error);
}

static void on_not_submitted(struct pctl_task *t)
{
	struct pctl_consent_work *c = t->consent;

	if (t->error.code == PCTL_E_CONSENT) {
		on_wrong(t);
	} else if (t->error.code == PCTL_E_OUTCOME_UNKNOWN) {
		c->why = t->error;
		send_call(t, &pctl_call_consent_get, on_looked, on_not_looked);
	} else {
		if (t->error.code == PCTL_E_STATE || t->error.code == PCTL_E_FORBIDDEN)
			c->shown = false;
		pctl_consent_explain(&t->error);
		give_up(t, &t->error);
	}
}

static void submit(struct pctl_task *t)
{
	send_call(t, &pctl_call_consent_submit, go_on, on_not_submitted);
}

/* --- Asking. ---------------------------------------------------------------------------------- */

static uint32_t patience(const struct pctl_task *t)
{
	return t->consent->is.display_s ? t->consent->is.display_s : DISPLAY_S;
}

static void on_no_answer(uv_timer_t *timer)
{
	struct pctl_task *t = pctl_container_of(timer, struct pctl_task, timer);
	struct pctl_error err = { 0 };
	char waited[32];

	withdraw(t);
	pctl_format_duration((uint64_t)patience(t) * 1000, waited, sizeof(waited));
	pctl_error_set(&err, PCTL_E_CONSENT, "nobody said which code it shows within %s", waited);
	give_up(t, &err);
}

static void ask(struct pctl_task *t)
{
	struct pctl_consent_work *c = t->consent;
	const struct pctl_consent_question question = {
		.node = t->target->node,
		.name = t->target->name,
		.digits = interface_of(t)->digits,
		.wrong = c->wrong,
		.left = interface_of(t)->tries - c->wrong,
		.turned_on = c->turned_on,
		.seconds = patience(t),
	};

	if (pctl_run_interrupted(t->run, NULL)) {
		pctl_task_end_interrupted(t);
		return;
	}
	c->asks = true;
	t->busy = PCTL_TASK_ASKS;
	(void)uv_timer_start(&t->timer, on_no_answer, (uint64_t)question.seconds * 1000, 0);
	t->run->callbacks.consent(t->run->callbacks.data, &question);
}

static void answered(struct pctl_task *t)
{
	struct pctl_error err = { 0 };

	if (t->consent->dropped) {
		pctl_error_set(
			&err, PCTL_E_CONSENT, "%.250s; no code was given", t->consent->wanted.text);
		give_up(t, &err);
	} else if (pctl_consent_takes(t, t->consent->code)) {
		submit(t);
	} else {
		ask(t);
	}
}

void pctl_run_consent(struct pctl_run *run, size_t node, const char *code)
{
	struct pctl_task *t = run->asking;

	if (!t || t->target->node != node || !t->consent->asks)
		return;
	t->consent->asks = false;
	t->consent->dropped = !code;
	(void)snprintf(t->consent->code, sizeof(t->consent->code), "%s", code ? code : "");
	pctl_step_pause(t, 0, answered);
}

static void on_requested(struct pctl_task *t)
{
	if (t->consent->is.state >= PCTL_CONSENT_RECEIVED)
		go_on(t);
	else
		ask(t);
}

static void on_not_requested(struct pctl_task *t)
{
	note_turned_on(t);
	give_up(t, &t->error);
}

static void request(struct pctl_task *t)
{
	t->consent->shown = true;
	send_call(t, &pctl_call_consent_request, on_requested, on_not_requested);
}

/* --- The beginning. --------------------------------------------------------------------------- */

static bool is_about_consent(enum pctl_verb verb)
{
	return verb == PCTL_VERB_CONSENT_STATUS || verb == PCTL_VERB_CONSENT_REQUEST ||
	       verb == PCTL_VERB_CONSENT_SUBMIT || verb == PCTL_VERB_CONSENT_CANCEL;
}

static void say_what_helps(struct pctl_task *t)
{
	struct pctl_error was = t->error;

	(void)snprintf(t->error.text, sizeof(t->error.text),
		"%.200s; `powerctl consent request NODE` shows a code there, --consent-code gives "
		"it",
		was.text);
}

static void begin_given(struct pctl_task *t)
{
	if (!pctl_consent_takes(t, t->request->consent_code)) {
		struct pctl_error err = t->error;

		end_with(t, &err);
		return;
	}
	(void)snprintf(t->consent->code, sizeof(t->consent->code), "%s", t->request->consent_code);
	submit(t);
}

bool pctl_consent_begin(struct pctl_task *t)
{
	/* A code that appears, and one that is given, change something. */
	bool can_ask =
		!t->request->dry_run && (t->request->consent_code || t->run->callbacks.consent);

	if (!interface_of(t) || is_about_consent(t->request->verb) || t->consent)
		return false;
	if (!can_ask) {
		say_what_helps(t);
		return false;
	}
	struct pctl_consent_work *c = pctl_consent_of(t);
	c->trying = t->trying;
	c->wanted = t->error;
	c->began = pctl_task_now(t);
	c->started = t->started;
	c->deadline = t->deadline;
	/* Others need not wait for a place that nobody can use until there is a code. */
	if (!t->joint && has_sent_nothing(t))
		pctl_run_give(t->run, t->target, false);
	if (t->request->consent_code)
		begin_given(t);
	else if (join_line(t))
		request(t);
	else
		t->busy = PCTL_TASK_ASKS;
	return true;
}
