/* SPDX-License-Identifier: Apache-2.0 */
/* consent: whether somebody at the machine has agreed; asks for it, and takes it back. */
#include <stdio.h>

#include "engine/consent.h"

static bool has_consent(struct pctl_task *t)
{
	const struct pctl_driver *d = t->target->loaded->driver;

	if (!d->consent)
		pctl_task_end_fail(t, PCTL_E_UNSUPPORTED,
			"driver %s knows no consent: nobody at the machine is asked", d->name);
	return d->consent;
}

/* --- status. ---------------------------------------------------------------------------------- */

static void set_seconds(struct pctl_value *map, const char *key, uint32_t seconds)
{
	if (seconds)
		pctl_value_set_int(map, key, seconds);
}

static void show(struct pctl_task *t)
{
	const struct pctl_consent *is = &t->consent->is;
	struct pctl_value *map = pctl_task_new_tree(t);

	pctl_value_set_text(map, "required", pctl_consent_need_name(is->required));
	pctl_value_set_text(map, "state", pctl_consent_state_name(is->state));
	pctl_value_set_bool(map, "can_modify", is->can_modify);
	set_seconds(map, "display_s", is->display_s);
	set_seconds(map, "idle_s", is->idle_s);
	pctl_task_end_ok(t, "ok");
}

void pctl_verb_consent_status(struct pctl_task *t)
{
	if (has_consent(t))
		pctl_step_try(t, &pctl_call_consent_get, show);
}

/* --- request. --------------------------------------------------------------------------------- */

static const char *what_it_shows(const struct pctl_consent_work *c)
{
	if (c->turned_on)
		return "it was not on, and is turned on to show a code";
	return c->is.renewed ? "it shows another code, and takes the one before no more"
			     : "it shows a code";
}

static void on_requested(struct pctl_task *t)
{
	const struct pctl_consent *is = &t->consent->is;

	if (is->state >= PCTL_CONSENT_RECEIVED)
		pctl_task_note(t, "somebody there has agreed already");
	else
		pctl_task_note(t,
			"%s; somebody there reads it out: `powerctl consent submit CODE NODE`, or "
			"--consent-code of the verb that needs it",
			what_it_shows(t->consent));
	pctl_task_end_ok(t, "ok");
}

void pctl_verb_consent_request(struct pctl_task *t)
{
	if (has_consent(t) &&
		!pctl_task_would(t, "have it show a code, and turn it on where it is off"))
		pctl_step_try(t, &pctl_call_consent_request, on_requested);
}

/* --- submit. ---------------------------------------------------------------------------------- */

static void on_submitted(struct pctl_task *t)
{
	pctl_task_note(t, "agreed");
	pctl_task_end_ok(t, "ok");
}

static void on_looked(struct pctl_task *t)
{
	if (t->consent->is.state >= PCTL_CONSENT_RECEIVED)
		on_submitted(t);
	else
		pctl_task_end_error(t, &t->consent->why);
}

static void on_not_looked(struct pctl_task *t)
{
	pctl_task_end_error(t, &t->consent->why);
}

/* The answer was lost: the state tells. */
static void on_not_submitted(struct pctl_task *t)
{
	t->consent->why = t->error;
	pctl_consent_explain(&t->consent->why);
	if (t->error.code == PCTL_E_OUTCOME_UNKNOWN)
		pctl_step_try_or(t, &pctl_call_consent_get, on_looked, on_not_looked);
	else
		pctl_task_end_error(t, &t->consent->why);
}

/* Devices take any code where somebody has agreed already: whether it is right, none of them says.
 */
static void on_found(struct pctl_task *t)
{
	if (t->consent->is.state < PCTL_CONSENT_RECEIVED) {
		pctl_step_try_or(t, &pctl_call_consent_submit, on_submitted, on_not_submitted);
		return;
	}
	pctl_task_note(t, "somebody there has agreed already; the code was not sent");
	pctl_task_end_ok(t, "ok");
}

void pctl_verb_consent_submit(struct pctl_task *t)
{
	const char *code = t->request->consent_code ? t->request->consent_code : "";

	if (!has_consent(t) || pctl_task_would(t, "give it the code"))
		return;
	if (!pctl_consent_takes(t, code)) {
		pctl_task_end_error(t, &t->error);
		return;
	}
	(void)snprintf(pctl_consent_of(t)->code, sizeof(t->consent->code), "%s", code);
	pctl_step_try(t, &pctl_call_consent_get, on_found);
}

/* --- cancel. ---------------------------------------------------------------------------------- */

static void on_canceled(struct pctl_task *t)
{
	pctl_task_end_ok(t, "ok");
}

void pctl_verb_consent_cancel(struct pctl_task *t)
{
	if (has_consent(t) && !pctl_task_would(t, "take a request back"))
		pctl_step_try(t, &pctl_call_consent_cancel, on_canceled);
}
