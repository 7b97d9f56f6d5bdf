/* SPDX-License-Identifier: Apache-2.0 */
/* console: opens a session that lives on when the task has ended. */
#include "task.h"

static void on_opened(struct pctl_task *t)
{
	t->stream = pctl_stream_new(t->run, t->device, t->session);
	t->device = NULL;
	if (pctl_run_interrupted(t->run, NULL))
		pctl_task_end_interrupted(t);
	else
		pctl_task_end_ok(t, "ok");
}

void pctl_verb_console(struct pctl_task *t)
{
	const struct pctl_driver *d = t->target->loaded->driver;

	if (d->console)
		pctl_step_try(t, PCTL_TRY_CONSOLE, on_opened);
	else
		pctl_task_end_fail(t, PCTL_E_UNSUPPORTED, "driver %s has no console", d->name);
}
