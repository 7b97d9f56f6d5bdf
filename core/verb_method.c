/* SPDX-License-Identifier: Apache-2.0 */
/* One of the driver's methods: what it means is the driver's, what became of it is told here. */
#include <powerctl/buf.h>

#include "task.h"

#define WORDS_MAX 65536u

const char *pctl_task_sent(const struct pctl_task *t)
{
	switch (t->request->verb) {
	case PCTL_VERB_METHOD:
		return t->request->method;
	case PCTL_VERB_LOG_CLEAR:
		return "log --clear";
	default:
		return pctl_action_name(t->action);
	}
}

/* A user who gives every read longer means this one too. */
uint64_t pctl_task_method_ms(const struct pctl_task *t)
{
	uint64_t limit = pctl_run_arguments(t->run)->method->limit_ms;

	return limit > t->target->read_ms ? limit : t->target->read_ms;
}

static void on_done(struct pctl_task *t)
{
	if (pctl_value_count(t->tree) == 0) {
		pctl_value_free(t->tree);
		t->tree = NULL;
	}
	if (pctl_run_flags(t->run) & PCTL_VERB_CHANGES)
		t->result.confirmed = "accepted";
	pctl_task_end_ok(t, "ok");
}

void pctl_task_end_call_failed(struct pctl_task *t)
{
	struct pctl_error err = { 0 };

	if (t->op.taken && t->error.code == PCTL_E_TIMEOUT) {
		pctl_task_end_fail(t, PCTL_E_TIMEOUT,
			"'%s' was taken, but has not come to its end: %s", pctl_task_sent(t),
			t->error.text);
		return;
	}
	if (!t->doubtful) {
		pctl_task_end_error(t, &t->error);
		return;
	}
	/* Whatever came of a later try, the one that was lost may have done it. */
	if (t->trying.tries > 1)
		pctl_error_set(&err, PCTL_E_OUTCOME_UNKNOWN,
			"whether '%s' was taken is not known (%.120s); tried again: %.120s",
			pctl_task_sent(t), t->lost.text, t->error.text);
	else
		pctl_error_set(&err, PCTL_E_OUTCOME_UNKNOWN,
			"whether '%s' was taken is not known (%.200s); it is not sent again",
			pctl_task_sent(t), t->lost.text);
	(void)pctl_error_device_code(&err, "%s", t->lost.device_code);
	pctl_task_end_error(t, &err);
}

static void say_what_it_would_be(struct pctl_task *t)
{
	const struct pctl_value *map = t->request->arguments;
	struct pctl_buf words;

	pctl_buf_init(&words, WORDS_MAX);
	for (size_t i = 0; i < pctl_value_count(map); i++)
		pctl_buf_addf(&words, " %s=%s", pctl_value_key_at(map, i),
			pctl_value_text(pctl_value_at(map, i)));
	pctl_task_note(t, "would send '%s%s'", t->request->method, words.data);
	pctl_buf_done(&words);
}

void pctl_verb_method(struct pctl_task *t)
{
	if (t->request->dry_run) {
		say_what_it_would_be(t);
		pctl_task_end_ok(t, "ok");
	} else {
		pctl_step_try_or(t, PCTL_TRY_METHOD, on_done, pctl_task_end_call_failed);
	}
}
