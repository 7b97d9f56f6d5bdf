/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/hook.h"

#include <powerctl/mem.h>

#include "base/command.h"
#include "base/json_text.h"
#include "engine/hook_words.h"
#include "engine/run.h"
#include "inventory/inventory.h"

#define SAID_MAX    1024u
#define EVENT_MAX   ((size_t)32 << 10) /* of the 64 KiB that a pipe holds */
#define WARNING_MAX 1000u

struct pctl_hook_round {
	struct pctl_run *run;
	const struct pctl_target *target;
	bool after;
	size_t next; /* hook */
	struct pctl_program *program;
	struct pctl_buf event, warning;
	struct pctl_error err;
	bool some_passed;
	pctl_hook_done_fn *done;
	void *data;
	struct pctl_hook_round *behind, **link; /* in the run's list of those that wait for room */
};

static size_t hook_count(const struct pctl_run *run)
{
	return run->inventory->hook_count;
}

static const struct pctl_hook *hook_at(const struct pctl_run *run, size_t i)
{
	return &run->inventory->hooks[i];
}

static bool is_for(const struct pctl_run *run, const struct pctl_hook *hook,
	const struct pctl_target *target, bool after)
{
	uint64_t bit = UINT64_C(1) << run->request.verb;

	return run->hooked && ((after ? hook->after : hook->before) & bit) && hook->path &&
	       pctl_hook_covers(hook, target->node);
}

/* --- Beforehand. ------------------------------------------------------------------------------ */

static bool concerns(const struct pctl_run *run, const struct pctl_hook *hook)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct pctl_target *t = &run->targets[i];

		if (t->maintenance && !run->request.maintenance)
			continue;
		if (is_for(run, hook, t, false) || is_for(run, hook, t, true))
			return true;
	}
	return false;
}

int pctl_hooks_prepare(struct pctl_run *run, struct pctl_problems *problems)
{
	bool some = false;
	int r = 0;

	if (!(run->flags & PCTL_VERB_CHANGES) || run->request.no_hooks)
		return 0;
	run->hooked = true;
	for (size_t i = 0; i < hook_count(run); i++) {
		const struct pctl_hook *hook = hook_at(run, i);
		struct pctl_error err = { 0 };

		if (!concerns(run, hook))
			continue;
		some = true;
		if (pctl_hook_check_file(hook, &err) == 0)
			continue;
		pctl_problems_add(problems, pctl_value_place(hook->command), "hook '%s': %s",
			hook->item->name, err.text);
		r = PCTL_E_CONFIG;
	}
	run->hooked = some;
	return r;
}

bool pctl_hooks_any(const struct pctl_run *run, const struct pctl_target *target, bool after)
{
	for (size_t i = 0; run->hooked && i < hook_count(run); i++)
		if (is_for(run, hook_at(run, i), target, after))
			return true;
	return false;
}

/* "hooks: drain before, tell after", or NULL where there are none; free() it. */
static char *words_of(const struct pctl_run *run, const struct pctl_target *target)
{
	static const char *const when[] = { "before", "after" };
	struct pctl_buf buf;

	if (!pctl_hooks_any(run, target, false) && !pctl_hooks_any(run, target, true))
		return NULL;
	pctl_buf_init(&buf, WARNING_MAX);
	for (size_t after = 0; after < 2; after++)
		for (size_t i = 0; i < hook_count(run); i++)
			if (is_for(run, hook_at(run, i), target, after))
				pctl_buf_addf(&buf, "%s %s %s",
					buf.len ? "," : "hooks:", hook_at(run, i)->item->name,
					when[after]);
	return pctl_buf_steal(&buf);
}

void pctl_hooks_note(const struct pctl_run *run, const struct pctl_target *target, char **note)
{
	PCTL_AUTO(free) char *words = words_of(run, target);

	if (!words)
		return;
	char *both = pctl_xasprintf("%s; %s", *note, words);
	free(*note);
	*note = both;
}

/* --- A round. --------------------------------------------------------------------------------- */

static void run_next(struct pctl_hook_round *r);

static void free_round(struct pctl_hook_round *r)
{
	r->run->hooking--;
	pctl_buf_done(&r->event);
	pctl_buf_done(&r->warning);
	free(r);
}

static void tell(struct pctl_hook_round *r)
{
	pctl_hook_done_fn *done = r->done;
	void *data = r->data;
	PCTL_AUTO(free) char *warning = r->warning.len ? pctl_xstrdup(r->warning.data) : NULL;
	const struct pctl_hook_end end = { r->err, warning, r->some_passed };

	free_round(r);
	done(data, &end);
}

void pctl_hooks_resume(struct pctl_run *run)
{
	struct pctl_hook_round *r = run->back;

	run->back = r->behind;
	if (r->behind)
		r->behind->link = &run->back;
	else
		run->back_end = &run->back;
	tell(r);
}

static bool only_ends(const struct pctl_hook_round *r)
{
	return r->after || r->err.code;
}

bool pctl_hooks_next(const struct pctl_run *run, bool room)
{
	return run->back && (room || only_ends(run->back));
}

/* Whoever is to send something waits for room in the fanout; who has only to tell its end does not,
 * and goes before all of these. */
static void end_round(struct pctl_hook_round *r)
{
	r->link = only_ends(r) ? &r->run->back : r->run->back_end;
	r->behind = *r->link;
	*r->link = r;
	if (r->behind)
		r->behind->link = &r->behind;
	else
		r->run->back_end = &r->behind;
	pctl_run_feed(r->run);
}

static void take_failure(struct pctl_hook_round *r, const struct pctl_error *err)
{
	if (r->after) {
		pctl_buf_addf(&r->warning, "%s%s", r->warning.len ? "; " : "", err->text);
		run_next(r);
		return;
	}
	(void)pctl_error_set(&r->err, err->code, "%.280s; nothing was sent", err->text);
	end_round(r);
}

static void on_ended(void *data, const struct pctl_program_result *result)
{
	struct pctl_hook_round *r = data;
	struct pctl_error err = { 0 };

	r->program = NULL;
	if (result->end == PCTL_PROGRAM_EXITED && result->status == 0) {
		r->some_passed = true;
		run_next(r);
		return;
	}
	pctl_hook_explain(hook_at(r->run, r->next - 1), result, &err);
	take_failure(r, &err);
}

static void run_hook(struct pctl_hook_round *r, const struct pctl_hook *hook)
{
	PCTL_AUTO(pctl_command_free_argv) char **argv = pctl_hook_argv(hook);
	PCTL_AUTO(pctl_command_free_argv)
	char **env = pctl_hook_environment(r->run, hook, r->target, r->after);
	struct pctl_buf input;

	pctl_buf_init(&input, PCTL_PROGRAM_INPUT_MAX);
	pctl_buf_add(&input, r->event.data, r->event.len);
	pctl_json_add_text(&input, "hook", hook->item->name);
	pctl_buf_adds(&input, "}\n");
	const struct pctl_program_options options = {
		.size = sizeof(options),
		.flags = PCTL_PROGRAM_MERGE,
		.argv = (const char *const *)argv,
		.environment = (const char *const *)env,
		.input = input.data,
		.input_len = input.len,
		.timeout_ms = hook->timeout_ms,
		.said_max = SAID_MAX,
	};

	r->program = pctl_programs_run(r->run->core->hooks, &options, on_ended, r);
	pctl_buf_done(&input);
}

/* Its file may have become another one since the command began. */
static void run_next(struct pctl_hook_round *r)
{
	struct pctl_error err = { 0 }, why = { 0 };

	while (r->next < hook_count(r->run) &&
		!is_for(r->run, hook_at(r->run, r->next), r->target, r->after))
		r->next++;
	if (r->next == hook_count(r->run)) {
		end_round(r);
		return;
	}
	const struct pctl_hook *hook = hook_at(r->run, r->next);
	r->next++;
	if (pctl_hook_check_file(hook, &err) < 0) {
		(void)pctl_error_set(
			&why, PCTL_E_CONFIG, "hook '%.60s': %.200s", hook->item->name, err.text);
		take_failure(r, &why);
		return;
	}
	run_hook(r, hook);
}

/* What is to be told is more than a pipe holds. */
static void leave_all(struct pctl_hook_round *r)
{
	if (r->after)
		pctl_buf_adds(&r->warning, "no hook ran afterwards: it has too many tags and "
					   "groups for one");
	else
		(void)pctl_error_set(&r->err, PCTL_E_CONFIG,
			"it has too many tags and groups for a hook; take some away, or use "
			"--no-hooks; nothing was sent");
	end_round(r);
}

struct pctl_hook_round *pctl_hooks_start(struct pctl_run *run, const struct pctl_hook_event *event,
	pctl_hook_done_fn *done, void *data)
{
	struct pctl_hook_round *r = pctl_xcalloc(1, sizeof(*r));

	r->run = run;
	r->target = event->target;
	r->after = event->result != NULL;
	r->done = done;
	r->data = data;
	pctl_buf_init(&r->event, EVENT_MAX);
	pctl_buf_init(&r->warning, WARNING_MAX);
	pctl_hook_write_event(&r->event, run, event);
	run->hooking++;
	if (r->event.full) {
		leave_all(r);
		return r;
	}
	run_next(r);
	pctl_run_feed(run);
	return r;
}

struct pctl_hook_round *pctl_hooks_start_after(struct pctl_run *run,
	const struct pctl_target *target, const struct pctl_result *result, bool passed,
	char **ret_warning, pctl_hook_done_fn *done, void *data)
{
	const struct pctl_hook_event event = { .target = target,
		.state = result->state,
		.state_known = result->state_known,
		.result = result };

	if ((!result->changed && !passed) || !pctl_hooks_any(run, target, true))
		return NULL;
	if (run->interrupted) {
		*ret_warning = pctl_xstrdup(PCTL_HOOKS_LEFT);
		return NULL;
	}
	pctl_run_give(run, target, !result->ok || run->request.no_wait);
	return pctl_hooks_start(run, &event, done, data);
}

void pctl_hooks_abort(struct pctl_hook_round *r)
{
	if (r->program)
		pctl_program_abort(r->program);
	if (r->link) {
		*r->link = r->behind;
		if (r->behind)
			r->behind->link = r->link;
		else
			r->run->back_end = r->link;
	}
	free_round(r);
}
