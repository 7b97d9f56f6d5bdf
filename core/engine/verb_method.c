/* SPDX-License-Identifier: Apache-2.0 */
/* One of the driver's methods: what it means is the driver's, what became of it is told here. */
#include <powerctl/buf.h>

#include "engine/task.h"

#define WORDS_MAX 65536u

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
	bool changes = pctl_run_flags(t->run) & PCTL_VERB_CHANGES;
	bool sent = t->sent.how != PCTL_SENT_NOTHING;

	if (sent)
		t->result.confirmed = "accepted";
	if (changes)
		pctl_task_end_ok(t, sent ? "changed" : "is so already");
	else
		pctl_task_end_ok(t, "ok");
}

static void start_run(struct pctl_task *t, const struct pctl_driver *d, void *dev)
{
	const struct pctl_arguments *args = pctl_run_arguments(t->run);

	(void)d;
	t->op.dry = t->request->dry_run;
	args->method->run(dev, &t->op, args, pctl_task_new_tree(t));
}

static const char *method_word(const struct pctl_task *t)
{
	return t->request->method;
}

static const struct pctl_call method_read = {
	.name = "method",
	.start = start_run,
	.argument = method_word,
};

static const struct pctl_call method_repeatable = {
	.name = "method",
	.start = start_run,
	.argument = method_word,
	.sent_offset = offsetof(struct pctl_task, sent),
	.flags = PCTL_CALL_REPEATABLE | PCTL_CALL_MAY_BE_SO,
};

static const struct pctl_call method_once = {
	.name = "method",
	.start = start_run,
	.argument = method_word,
	.sent_offset = offsetof(struct pctl_task, sent),
	.flags = PCTL_CALL_MAY_BE_SO,
};

static const struct pctl_call *call_of(const struct pctl_task *t)
{
	if (!(pctl_run_flags(t->run) & PCTL_VERB_CHANGES))
		return &method_read;
	if (pctl_run_arguments(t->run)->method->flags & PCTL_METHOD_REPEATABLE)
		return &method_repeatable;
	return &method_once;
}

static void add_word(struct pctl_buf *words, const char *key, const struct pctl_value *v)
{
	bool list = pctl_value_kind(v) == PCTL_VALUE_LIST;

	for (size_t i = 0; i < (list ? pctl_value_count(v) : 1); i++)
		pctl_buf_addf(
			words, " %s=%s", key, pctl_value_text(list ? pctl_value_at(v, i) : v));
}

/* first: what it would be, where the driver has looked; NULL: it has not. */
static void say_what_it_would_be(struct pctl_task *t, const char *first)
{
	const struct pctl_value *map = t->request->arguments;
	struct pctl_buf words;

	pctl_buf_init(&words, WORDS_MAX);
	for (size_t i = 0; i < pctl_value_count(map); i++)
		add_word(&words, pctl_value_key_at(map, i), pctl_value_at(map, i));
	if (first && !*first)
		pctl_task_note(t, "is so already: '%s%s' would send nothing", t->request->method,
			words.data);
	else
		pctl_task_note(t, "would send '%s%s'%s%s", t->request->method, words.data,
			first ? ": first " : "", first ? first : "");
	pctl_buf_done(&words);
}

/* What was read on the way says how it is, not how it would be. */
static void on_dry_done(struct pctl_task *t)
{
	say_what_it_would_be(t, t->op.would);
	pctl_value_free(t->tree);
	t->tree = NULL;
	pctl_task_end_ok(t, "ok");
}

static void dry_run(struct pctl_task *t)
{
	const struct pctl_method *m = pctl_run_arguments(t->run)->method;

	if (!(m->flags & PCTL_METHOD_DRY)) {
		say_what_it_would_be(t, NULL);
		pctl_task_end_ok(t, "ok");
	} else if (pctl_run_flags(t->run) & PCTL_VERB_CHANGES) {
		pctl_step_try(t, &method_read, on_dry_done);
	} else {
		pctl_step_try(t, &method_read, on_done);
	}
}

void pctl_verb_method(struct pctl_task *t)
{
	if (t->request->dry_run)
		dry_run(t);
	else
		pctl_step_try(t, call_of(t), on_done);
}
