/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/hook.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "base/command.h"
#include "base/json_text.h"
#include "engine/run.h"
#include "inventory/inventory.h"
#include "keep/lock.h"

#define SAID_MAX    1024u
#define EVENT_MAX   ((size_t)32 << 10) /* of the 64 KiB that a pipe holds */
#define GROUPS_MAX  256u
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

char *pctl_hooks_words(const struct pctl_run *run, const struct pctl_target *target)
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

/* --- What they are told. ---------------------------------------------------------------------- */

static void add_tags(struct pctl_buf *buf, const struct pctl_value *tags)
{
	pctl_buf_adds(buf, ",\"tags\":[");
	for (size_t i = 0; i < pctl_value_count(tags); i++) {
		pctl_buf_adds(buf, i ? "," : "");
		pctl_json_text(buf, pctl_value_text(pctl_value_at(tags, i)));
	}
	pctl_buf_adds(buf, "]");
}

/* Of sources only those that somebody has asked for: the others may be programs to be run. */
static void add_groups(struct pctl_buf *buf, const struct pctl_inventory *inv, const char *node)
{
	size_t n = 0;

	pctl_buf_adds(buf, ",\"groups\":[");
	for (size_t i = 0; i < inv->groups.n && n < GROUPS_MAX; i++) {
		const struct pctl_item *group = &inv->groups.v[i];

		if (!group->names || !pctl_names_has(group->names, node))
			continue;
		pctl_buf_adds(buf, n++ ? "," : "");
		pctl_json_text(buf, group->name);
	}
	pctl_buf_adds(buf, "]");
}

static void add_result(struct pctl_buf *buf, const struct pctl_result *r)
{
	if (!r) {
		pctl_buf_adds(buf, ",\"result\":null");
		return;
	}
	pctl_buf_addf(buf, ",\"result\":{\"ok\":%s", r->ok ? "true" : "false");
	pctl_json_add_text(buf, "outcome", r->word);
	pctl_json_add_bool(buf, "changed", r->changed);
	pctl_json_add_text(buf, "confirmed", r->confirmed);
	pctl_json_add_uint(buf, "attempts", r->attempts);
	pctl_json_add_uint(buf, "elapsed_ms", r->elapsed_ms);
	pctl_json_add_error(buf, "error", &r->error);
	pctl_buf_adds(buf, "}");
}

/* All but the hook's name, which comes last. */
static void write_event(
	struct pctl_buf *buf, const struct pctl_run *run, const struct pctl_hook_event *e)
{
	const struct pctl_inventory *inv = run->inventory;
	char time[PCTL_JSON_TIME_SIZE];

	pctl_buf_addf(buf, "{\"v\":1,\"time\":\"%s\",\"when\":\"%s\"", pctl_json_now(time),
		e->result ? "after" : "before");
	pctl_buf_adds(buf, run->record ? run->record : "");
	pctl_json_add_text(buf, "action", e->action);
	pctl_json_add_text(buf, "node", e->target->name);
	pctl_json_add_text(buf, "driver", e->target->loaded->driver->name);
	pctl_json_add_text(buf, "class", pctl_inventory_text(inv, e->target->node, "class"));
	add_tags(buf, pctl_inventory_value(inv, e->target->node, "tags"));
	add_groups(buf, inv, e->target->name);
	pctl_json_add_text(buf, "state", e->state_known ? pctl_power_state_name(e->state) : NULL);
	add_result(buf, e->result);
}

static char *absolute(const char *path)
{
	return path ? realpath(path, NULL) : NULL;
}

/* For programs that have no JSON; and so that a powerctl in a hook meets our files and locks. */
static char **make_environment(const struct pctl_hook_round *r, const struct pctl_hook *hook)
{
	static const char *const kept[] = { "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME",
		"XDG_RUNTIME_DIR" };
	const size_t kept_n = sizeof(kept) / sizeof(kept[0]);
	PCTL_AUTO(free) char *inventory = absolute(pctl_inventory_path(r->run->inventory));
	PCTL_AUTO(free) char *word = pctl_run_word(r->run);
	const char *above = getenv(PCTL_LOCK_CALLERS);
	char **env = pctl_xcalloc(7 + kept_n, sizeof(*env));
	size_t n = 0;

	env[n++] = pctl_xasprintf(PCTL_LOCK_CALLERS "=%.200s%s%d", above ? above : "",
		above ? "," : "", (int)getpid());
	env[n++] = pctl_xasprintf("POWERCTL_CALLER=hook:%s", hook->item->name);
	env[n++] = pctl_xasprintf("POWERCTL_WHEN=%s", r->after ? "after" : "before");
	env[n++] = pctl_xasprintf("POWERCTL_VERB=%s", word);
	env[n++] = pctl_xasprintf("POWERCTL_NODE=%s", r->target->name);
	if (inventory)
		env[n++] = pctl_xasprintf("POWERCTL_INVENTORY=%s", inventory);
	for (size_t i = 0; i < kept_n; i++)
		if (getenv(kept[i]))
			env[n++] = pctl_xasprintf("%s=%s", kept[i], getenv(kept[i]));
	return env;
}

/* The path, and what stands behind it in a list. */
static char **make_argv(const struct pctl_hook *hook)
{
	size_t n = pctl_value_text(hook->command) ? 1 : pctl_value_count(hook->command), k = 1;
	char **argv = pctl_xcalloc(n + 1, sizeof(*argv));

	argv[0] = pctl_xstrdup(hook->path);
	for (size_t i = 1; i < n; i++) {
		const char *text = pctl_value_text(pctl_value_at(hook->command, i));

		argv[k++] = pctl_xstrdup(text ? text : "");
	}
	return argv;
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

/* The reason in words that are the same for all nodes: what it said is the hook's affair. */
static void explain(const struct pctl_hook *hook, const struct pctl_program_result *result,
	struct pctl_error *err)
{
	const char *name = hook->item->name;
	char limit[32];

	if (result->end == PCTL_PROGRAM_LATE)
		(void)pctl_error_set(err, PCTL_E_TIMEOUT, "hook '%.60s' did not end in %s", name,
			pctl_format_duration(hook->timeout_ms, limit, sizeof(limit)));
	else if (result->end == PCTL_PROGRAM_SIGNALED)
		(void)pctl_error_set(err, PCTL_E_REFUSED, "hook '%.60s' was killed by signal %d",
			name, result->status);
	else if (result->end == PCTL_PROGRAM_NOT_STARTED)
		(void)pctl_error_set(
			err, result->err.code, "hook '%.60s': %.180s", name, result->err.text);
	else if (*result->last)
		(void)pctl_error_set(
			err, PCTL_E_REFUSED, "hook '%.60s' said: %.180s", name, result->last);
	else
		(void)pctl_error_set(err, PCTL_E_REFUSED,
			"hook '%.60s' ended with %d and said nothing", name, result->status);
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
	explain(hook_at(r->run, r->next - 1), result, &err);
	take_failure(r, &err);
}

static void run_hook(struct pctl_hook_round *r, const struct pctl_hook *hook)
{
	PCTL_AUTO(pctl_command_free_argv) char **argv = make_argv(hook);
	PCTL_AUTO(pctl_command_free_argv) char **env = make_environment(r, hook);
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
	write_event(&r->event, run, event);
	run->hooking++;
	if (r->event.full) {
		leave_all(r);
		return r;
	}
	run_next(r);
	pctl_run_feed(run);
	return r;
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
