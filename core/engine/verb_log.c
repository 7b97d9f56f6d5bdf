/* SPDX-License-Identifier: Apache-2.0 */
/* log and sensors: what the device has noted and what it measures. */
#include <string.h>

#include <powerctl/log.h>
#include <powerctl/mem.h>

#include "engine/task.h"
#include "inventory/inventory.h"

/* What the log of a device is called that has no other. */
#define ONLY_LOG   "event"
#define CURSOR     "cursor"
#define CURSOR_MAX 200u

/* The list that was to be filled in, which a program then always finds. */
static size_t settle_list(struct pctl_value *tree, const char *key)
{
	const struct pctl_value *list = pctl_value_get(tree, key);

	if (!list || pctl_value_kind(list) != PCTL_VALUE_LIST)
		pctl_value_set(tree, key, pctl_value_new_list());
	return pctl_value_count(pctl_value_get(tree, key));
}

/* --- log. ------------------------------------------------------------------------------------- */

static bool is_filtered(const struct pctl_request *r)
{
	return r->log_since || r->log_newest || r->log_source;
}

/* Which of several was asked for; NULL: all, or there is one. */
static const char *wanted_source(const struct pctl_task *t)
{
	return t->target->loaded->driver->log->sources ? t->request->log_source : NULL;
}

/* Whoever looks at all there is has seen it, with or without log_new. */
static void move_mark(struct pctl_task *t)
{
	const char *cursor = pctl_value_text(pctl_value_get(t->tree, CURSOR));

	if (!cursor || !*cursor || t->request->dry_run || is_filtered(t->request))
		return;
	if (strlen(cursor) > CURSOR_MAX)
		pctl_log(PCTL_LOG_DEBUG, t->device, "its log's cursor is too long to be kept");
	else
		pctl_store_put(t->target->core->looks, t->target->machine, CURSOR, cursor);
}

static void start_read(struct pctl_task *t, const struct pctl_driver *d, void *dev)
{
	d->log->read(dev, &t->op, t->log_after, pctl_task_new_tree(t));
}

/* A walk of any length, of which the driver bounds each step; so are a hundred sensors. */
static const struct pctl_call log_read = {
	.name = "log.read",
	.start = start_read,
	.limit_offset = offsetof(struct pctl_target, confirm_ms),
	.times = 1,
};

static bool is_wanted(const struct pctl_task *t, const struct pctl_value *event)
{
	const char *wanted = wanted_source(t), *since = t->request->log_since;
	const char *source = pctl_value_text(pctl_value_get(event, "source"));
	const char *time = pctl_value_text(pctl_value_get(event, "time"));

	if (wanted && !(source && strcmp(source, wanted) == 0))
		return false;
	return !since || !time || strcmp(time, since) >= 0;
}

/* Of all that the device told, what was asked for. */
static void filter(struct pctl_task *t)
{
	const struct pctl_request *r = t->request;
	const struct pctl_value *all = pctl_value_get(t->tree, "events");
	struct pctl_value *some = pctl_value_new_list();
	size_t n = 0, skip = 0;

	for (size_t i = 0; i < pctl_value_count(all); i++)
		n += is_wanted(t, pctl_value_at(all, i));
	if (r->log_newest && n > r->log_newest)
		skip = n - (size_t)r->log_newest;
	for (size_t i = 0; i < pctl_value_count(all); i++) {
		const struct pctl_value *event = pctl_value_at(all, i);

		if (!is_wanted(t, event))
			continue;
		if (skip)
			skip--;
		else
			pctl_value_add(some, pctl_value_copy(event));
	}
	pctl_value_set(t->tree, "events", some);
}

static int class_of(const char *word)
{
	int code = PCTL_E_CONFIG;

	while (word && pctl_error_name(code) && strcmp(pctl_error_name(code), word) != 0)
		code--;
	return word && pctl_error_name(code) ? code : PCTL_E_REFUSED;
}

static const char *text_in(const struct pctl_value *map, const char *key)
{
	return pctl_value_text(pctl_value_get(map, key));
}

/* Only that of several logs was asked for which is left out: that is no log without events. */
static bool is_left_out(struct pctl_task *t)
{
	const struct pctl_value *left = pctl_value_get(t->tree, "left_out");
	const char *wanted = t->request->log_source;

	for (size_t i = 0; wanted && left && i < pctl_value_count(left); i++) {
		const struct pctl_value *map = pctl_value_at(left, i);
		const char *source = text_in(map, "source"), *text = text_in(map, "text");

		if (!source || strcmp(source, wanted) != 0)
			continue;
		pctl_task_end_fail(t, class_of(text_in(map, "class")), "%s",
			text ? text : "the device does not tell this log");
		return true;
	}
	if (wanted)
		(void)pctl_value_unset(t->tree, "left_out");
	return false;
}
static void end_log(struct pctl_task *t)
{
	if (is_left_out(t))
		return;
	move_mark(t);
	(void)pctl_value_unset(t->tree, CURSOR);
	if (settle_list(t->tree, "events") > 0 && is_filtered(t->request))
		filter(t);
	if (pctl_value_count(pctl_value_get(t->tree, "events")) == 0)
		pctl_task_note(t, "%s",
			is_filtered(t->request) ? "no such events"
			: t->log_after          ? "no new events"
						: "no events");
	pctl_task_end_ok(t, "ok");
}

/* The place of a device's log among its driver's; -1: there is none, and the task has ended. */
static int find_source(struct pctl_task *t, const struct pctl_driver *d)
{
	const char *word = t->request->log_source;
	const char *const *sources = d->log->sources;

	for (int i = 0; sources && sources[i]; i++)
		if (strcmp(sources[i], word) == 0)
			return i;
	if (!sources && strcmp(word, ONLY_LOG) == 0)
		return 0;
	if (!sources) {
		pctl_task_end_fail(t, PCTL_E_UNSUPPORTED,
			"driver %s has one log only, that of --kind %s", d->name, ONLY_LOG);
		return -1;
	}
	PCTL_AUTO(free) char *all = pctl_words_join(sources);
	pctl_task_end_fail(t, PCTL_E_CONFIG, "there is no log '%s'; it is one of: %s", word, all);
	return -1;
}

void pctl_verb_log(struct pctl_task *t)
{
	const struct pctl_driver *d = t->target->loaded->driver;
	struct pctl_store *looks = t->target->core->looks;

	if (!d->log) {
		pctl_task_end_fail(
			t, PCTL_E_UNSUPPORTED, "driver %s cannot read the device's log", d->name);
		return;
	}
	if (t->request->log_source && find_source(t, d) < 0)
		return;
	pctl_store_refresh(looks);
	const char *seen = pctl_store_get(looks, t->target->machine, CURSOR);
	if (t->request->log_new && seen)
		t->log_after = pctl_xstrdup(seen);
	pctl_step_try(t, &log_read, end_log);
}

/* --- log --clear. ----------------------------------------------------------------------------- */

/* The event that the mark stands for is gone, or may be. */
static void drop_mark(struct pctl_task *t)
{
	pctl_store_put(t->target->core->looks, t->target->machine, CURSOR, NULL);
}

static void start_clear(struct pctl_task *t, const struct pctl_driver *d, void *dev)
{
	if (wanted_source(t))
		d->log->clear_source(dev, &t->op, (unsigned)find_source(t, d));
	else
		d->log->clear(dev, &t->op);
}

static const struct pctl_call log_clear = {
	.name = "log.clear",
	.start = start_clear,
	.what = "log --clear",
	.limit_offset = offsetof(struct pctl_target, read_ms),
	.times = 2,
	.sent_offset = offsetof(struct pctl_task, sent),
};

static void on_cleared(struct pctl_task *t)
{
	drop_mark(t);
	t->result.confirmed = "accepted";
	pctl_task_end_ok(t, "ok");
}

static void on_clear_failed(struct pctl_task *t)
{
	if (t->sent.how != PCTL_SENT_NOTHING)
		drop_mark(t);
	pctl_task_end_error(t, &t->error);
}

void pctl_verb_log_clear(struct pctl_task *t)
{
	const struct pctl_driver *d = t->target->loaded->driver;

	if (!d->log || !d->log->clear) {
		pctl_task_end_fail(
			t, PCTL_E_UNSUPPORTED, "driver %s cannot empty the device's log", d->name);
	} else if (t->request->log_source && find_source(t, d) < 0) {
		return;
	} else if (wanted_source(t) && !d->log->clear_source) {
		pctl_task_end_fail(
			t, PCTL_E_UNSUPPORTED, "driver %s empties all its logs at once", d->name);
	} else if (t->request->dry_run && d->log->sources && !t->request->log_source) {
		PCTL_AUTO(free) char *all = pctl_words_join(d->log->sources);

		pctl_task_note(t, "would empty its logs: %s", all);
		pctl_task_end_ok(t, "ok");
	} else if (t->request->dry_run) {
		pctl_task_note(t, "would empty its %s%slog",
			wanted_source(t) ? wanted_source(t) : "", wanted_source(t) ? " " : "");
		pctl_task_end_ok(t, "ok");
	} else {
		pctl_step_try_or(t, &log_clear, on_cleared, on_clear_failed);
	}
}

/* --- sensors. --------------------------------------------------------------------------------- */

static void start_sensors(struct pctl_task *t, const struct pctl_driver *d, void *dev)
{
	d->sensors->read(dev, &t->op, pctl_task_new_tree(t));
}

static const struct pctl_call sensors_read = {
	.name = "sensors.read",
	.start = start_sensors,
	.limit_offset = offsetof(struct pctl_target, confirm_ms),
	.times = 1,
};

static void end_sensors(struct pctl_task *t)
{
	if (settle_list(t->tree, "sensors") == 0)
		pctl_task_note(t, "no sensors");
	pctl_task_end_ok(t, "ok");
}

void pctl_verb_sensors(struct pctl_task *t)
{
	const struct pctl_driver *d = t->target->loaded->driver;

	if (d->sensors)
		pctl_step_try(t, &sensors_read, end_sensors);
	else
		pctl_task_end_fail(t, PCTL_E_UNSUPPORTED, "driver %s cannot read sensors", d->name);
}
