/* SPDX-License-Identifier: Apache-2.0 */
/* kvm: the machine's screen as a session that lives on, and the device's own port for viewers. */
#include "engine/task.h"

static void start_open(struct pctl_task *t, const struct pctl_driver *d, void *dev)
{
	t->wish = (struct pctl_display_wish){ .size = sizeof(t->wish),
		.flags = t->request->steal ? PCTL_DISPLAY_STEAL : 0,
		.display = t->request->display };
	d->display->open(dev, &t->op, &t->wish, &t->session);
}

static const char *how_to_open(const struct pctl_task *t)
{
	return t->request->steal ? "steal" : NULL;
}

static const struct pctl_call display_open = {
	.name = "display.open",
	.start = start_open,
	.argument = how_to_open,
	.limit_offset = offsetof(struct pctl_target, read_ms),
	.times = 1,
	.flags = PCTL_CALL_BUSY_IS_FINAL,
};

/* Who takes it away from others may find it busy for the moment that this takes. */
static const struct pctl_call display_steal = {
	.name = "display.open",
	.start = start_open,
	.argument = how_to_open,
	.limit_offset = offsetof(struct pctl_target, read_ms),
	.times = 1,
};

void pctl_verb_kvm(struct pctl_task *t)
{
	const struct pctl_driver *d = t->target->loaded->driver;

	if (!d->display)
		pctl_task_end_fail(t, PCTL_E_UNSUPPORTED, "driver %s has no display", d->name);
	else if (!pctl_task_would(t, "open its screen"))
		pctl_step_try(t, t->request->steal ? &display_steal : &display_open,
			pctl_task_end_opened);
}

/* --- The device's own port. ------------------------------------------------------------------- */

static void start_direct(struct pctl_task *t, const struct pctl_driver *d, void *dev)
{
	t->direct = (struct pctl_display_direct){ .size = sizeof(t->direct),
		.on = t->request->display_password != NULL,
		.password = t->request->display_password };
	d->display->direct(dev, &t->op, &t->direct, pctl_task_new_tree(t));
}

static const char *on_or_off(const struct pctl_task *t)
{
	return t->request->display_password ? "on" : "off";
}

static const struct pctl_call display_direct = {
	.name = "display.direct",
	.what = "kvm --direct",
	.start = start_direct,
	.argument = on_or_off,
	.limit_offset = offsetof(struct pctl_target, read_ms),
	.times = 2,
	.sent_offset = offsetof(struct pctl_task, sent),
	.flags = PCTL_CALL_REPEATABLE | PCTL_CALL_MANY | PCTL_CALL_MAY_BE_SO,
};

static void on_set(struct pctl_task *t)
{
	t->result.confirmed = "accepted";
	pctl_task_end_ok(t, "ok");
}

static const char *what_it_does(const struct pctl_task *t)
{
	return t->request->display_password ? "switch the device's own VNC port on"
					    : "switch the device's own VNC port off";
}

void pctl_verb_kvm_direct(struct pctl_task *t)
{
	const struct pctl_driver *d = t->target->loaded->driver;

	if (!d->display || !d->display->direct)
		pctl_task_end_fail(t, PCTL_E_UNSUPPORTED,
			"driver %s has no VNC port of the device's own to set up", d->name);
	else if (!pctl_task_would(t, what_it_does(t)))
		pctl_step_try(t, &display_direct, on_set);
}
