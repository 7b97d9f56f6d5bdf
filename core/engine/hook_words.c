/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/hook_words.h"

#include <stdio.h>
#include <unistd.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "base/json_text.h"
#include "engine/run.h"
#include "inventory/inventory.h"
#include "keep/lock.h"

#define GROUPS_MAX 256u

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

void pctl_hook_write_event(
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

char **pctl_hook_environment(const struct pctl_run *run, const struct pctl_hook *hook,
	const struct pctl_target *target, bool after)
{
	static const char *const kept[] = { "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME",
		"XDG_RUNTIME_DIR" };
	const size_t kept_n = sizeof(kept) / sizeof(kept[0]);
	PCTL_AUTO(free) char *inventory = absolute(pctl_inventory_path(run->inventory));
	PCTL_AUTO(free) char *word = pctl_run_word(run);
	const char *above = getenv(PCTL_LOCK_CALLERS);
	char **env = pctl_xcalloc(7 + kept_n, sizeof(*env));
	size_t n = 0;

	env[n++] = pctl_xasprintf(PCTL_LOCK_CALLERS "=%.200s%s%d", above ? above : "",
		above ? "," : "", (int)getpid());
	env[n++] = pctl_xasprintf("POWERCTL_CALLER=hook:%s", hook->item->name);
	env[n++] = pctl_xasprintf("POWERCTL_WHEN=%s", after ? "after" : "before");
	env[n++] = pctl_xasprintf("POWERCTL_VERB=%s", word);
	env[n++] = pctl_xasprintf("POWERCTL_NODE=%s", target->name);
	if (inventory)
		env[n++] = pctl_xasprintf("POWERCTL_INVENTORY=%s", inventory);
	for (size_t i = 0; i < kept_n; i++)
		if (getenv(kept[i]))
			env[n++] = pctl_xasprintf("%s=%s", kept[i], getenv(kept[i]));
	return env;
}

char **pctl_hook_argv(const struct pctl_hook *hook)
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

void pctl_hook_explain(const struct pctl_hook *hook, const struct pctl_program_result *result,
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
