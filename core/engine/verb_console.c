/* SPDX-License-Identifier: Apache-2.0 */
/* console: opens a session that lives on when the task has ended. */
#include "engine/task.h"

static void start_open(struct pctl_task *t, const struct pctl_driver *d, void *dev)
{
	const struct pctl_request *r = t->request;

	d->console->open(dev, &t->op,
		(r->steal ? PCTL_CONSOLE_STEAL : 0) | (r->again ? PCTL_CONSOLE_AGAIN : 0),
		&t->session);
}

static const char *how_to_open(const struct pctl_task *t)
{
	return t->request->steal ? "steal" : NULL;
}

static const struct pctl_call console_open = {
	.name = "console.open",
	.start = start_open,
	.argument = how_to_open,
	.limit_offset = offsetof(struct pctl_target, read_ms),
	.times = 1,
	.flags = PCTL_CALL_BUSY_IS_FINAL,
};

/* Who takes it away from others may find it busy for the moment that this takes. */
static const struct pctl_call console_steal = {
	.name = "console.open",
	.start = start_open,
	.argument = how_to_open,
	.limit_offset = offsetof(struct pctl_target, read_ms),
	.times = 1,
};

void pctl_task_keep_session(struct pctl_task *t)
{
	t->stream = pctl_stream_new(t->run, t->device, t->other, t->session);
	t->device = NULL;
	t->other = NULL;
}

void pctl_task_end_opened(struct pctl_task *t)
{
	pctl_task_keep_session(t);
	if (pctl_run_interrupted(t->run, NULL))
		pctl_task_end_interrupted(t);
	else
		pctl_task_end_ok(t, "ok");
}

void pctl_verb_console(struct pctl_task *t)
{
	const struct pctl_driver *d = t->target->loaded->driver;

	if (!d->console)
		pctl_task_end_fail(t, PCTL_E_UNSUPPORTED, "driver %s has no console", d->name);
	else if (!pctl_task_would(t, "open its console"))
		pctl_step_try(t, t->request->steal ? &console_steal : &console_open,
			pctl_task_end_opened);
}
