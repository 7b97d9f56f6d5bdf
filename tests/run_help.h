/* SPDX-License-Identifier: Apache-2.0 */
/* One request for one node, and what came of it; parts of drivers whose devices follow a script. */
#ifndef POWERCTL_TESTS_RUN_HELP_H
#define POWERCTL_TESTS_RUN_HELP_H

#include "world.h"

#define VERB(...) ((struct pctl_request){ .verb = __VA_ARGS__ })

/* --- Devices. --------------------------------------------------------------------------------- */

static inline int open_nothing(
	void *ctx, struct pctl_device *device, void **ret_dev, struct pctl_error *err)
{
	(void)ctx, (void)device, (void)err;
	*ret_dev = NULL;
	return 0;
}

/* dev is the device itself. */
static inline int open_itself(
	void *ctx, struct pctl_device *device, void **ret_dev, struct pctl_error *err)
{
	(void)ctx, (void)err;
	*ret_dev = device;
	return 0;
}

static inline void close_nothing(void *dev, pctl_closed_fn *closed, void *data)
{
	(void)dev;
	closed(data);
}

static inline void ignore_abort(struct pctl_op *op, void *work)
{
	(void)op, (void)work;
}

/* Nothing happened; it was sent, and no answer came; it was sent, and refused. */
static inline void answer_busy(struct pctl_op *op)
{
	pctl_op_fail(op, PCTL_E_BUSY, "the device is busy");
}

static inline void answer_lost(struct pctl_op *op)
{
	pctl_op_committed(op);
	pctl_op_fail(op, PCTL_E_UNREACHABLE, "connection closed before an answer");
}

static inline void answer_refused(struct pctl_op *op)
{
	pctl_op_committed(op);
	pctl_op_fail(op, PCTL_E_REFUSED, "the device said no");
}

/* What a device was asked for, in words. */
struct calls {
	char log[256]; /* "get act:on confirm ..." */
};

static inline void calls_note(struct calls *calls, const char *what)
{
	size_t len = strlen(calls->log);

	(void)snprintf(calls->log + len, sizeof(calls->log) - len, "%s%s", len ? " " : "", what);
}

/* --- What came of it. ------------------------------------------------------------------------- */

struct outcome {
	int results, done;
	struct pctl_result result; /* without what it borrowed */
	char text[400], word[32], confirmed[16], notes[200];
	struct pctl_value *tree; /* a copy, NULL for none */
};

static inline void outcome_done(struct outcome *o)
{
	pctl_value_free(o->tree);
	*o = (struct outcome){ 0 };
}

static inline void outcome_on_result(void *data, const struct pctl_result *r)
{
	struct outcome *o = data;

	o->results++;
	o->result = *r;
	o->tree = r->tree ? pctl_value_copy(r->tree) : NULL;
	(void)snprintf(o->text, sizeof(o->text), "%s", r->error.text);
	(void)snprintf(o->word, sizeof(o->word), "%s", r->word);
	(void)snprintf(o->confirmed, sizeof(o->confirmed), "%s", r->confirmed ? r->confirmed : "-");
	(void)snprintf(o->notes, sizeof(o->notes), "%s", r->note ? r->note : "");
}

static inline void outcome_on_done(void *data)
{
	struct outcome *o = data;

	assert_int_equal(o->results, 1);
	o->done++;
}

/* Until there is nothing left to do; what ret held of another request is freed. */
static inline void outcome_of(
	struct world *w, const char *name, const struct pctl_request *request, struct outcome *ret)
{
	struct pctl_problems *problems = pctl_problems_new();
	size_t node = (size_t)pctl_inventory_index(w->inventory, name);
	struct pctl_run *run = NULL;
	const struct pctl_run_callbacks callbacks = {
		.result = outcome_on_result, .done = outcome_on_done, .data = ret
	};

	outcome_done(ret);
	assert_int_equal(pctl_run_new(w->core, w->inventory, &node, 1, request, &run, problems), 0);
	pctl_problems_free(problems);
	pctl_run_start(run, &callbacks);
	assert_int_equal(ret->results, 0); /* never from within */
	assert_int_equal(uv_run(&w->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(ret->done, 1);
}

static inline void outcome_failed(const struct outcome *o, int code, const char *text)
{
	assert_false(o->result.ok);
	assert_string_equal(pctl_error_name(o->result.error.code), pctl_error_name(code));
	if (!strstr(o->text, text))
		fail_msg("'%s' does not say '%s'", o->text, text);
}

/* --- A device with two logs, of which one is not told. ---------------------------------------- */

static const char *const help_sources[] __attribute__((unused)) = { "event", "audit", NULL };

/* Which one it is stands in its field: what a line begins with tells nothing. */
static inline void help_leave_out(struct pctl_value *ret)
{
	struct pctl_value *list = pctl_value_new_list(), *map = pctl_value_new_map();

	pctl_value_set_text(map, "source", "audit");
	pctl_value_set_text(map, "class", "forbidden");
	pctl_value_set_text(map, "text", "event readers may not see audits");
	pctl_value_add(list, map);
	pctl_value_set(ret, "left_out", list);
}

#endif
