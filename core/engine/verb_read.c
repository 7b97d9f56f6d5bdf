/* SPDX-License-Identifier: Apache-2.0 */
/* status, wait, info, hardware, identify: nothing here changes power or boot. */
#include "engine/task.h"

static void end_state(struct pctl_task *t)
{
	pctl_task_end_ok(t, NULL);
}

void pctl_verb_status(struct pctl_task *t)
{
	pctl_step_get(t, 0, end_state);
}

void pctl_verb_wait(struct pctl_task *t)
{
	if (!t->target->loaded->driver->power) {
		pctl_step_get(t, 0, end_state); /* says what is missing */
		return;
	}
	pctl_step_wait_state(t, t->request->wait_state, 0, t->deadline, end_state, NULL);
}

static void end_tree(struct pctl_task *t)
{
	pctl_task_end_ok(t, "ok");
}

static void start_info(struct pctl_task *t, const struct pctl_driver *d, void *dev)
{
	d->inspect->info(dev, &t->op, pctl_task_new_tree(t));
}

static void start_hardware(struct pctl_task *t, const struct pctl_driver *d, void *dev)
{
	d->inspect->hardware(dev, &t->op, pctl_task_new_tree(t));
}

static const struct pctl_call inspect_info = {
	.name = "inspect.info",
	.start = start_info,
	.limit_offset = offsetof(struct pctl_target, read_ms),
	.times = 2,
};

static const struct pctl_call inspect_hardware = {
	.name = "inspect.hardware",
	.start = start_hardware,
	.limit_offset = offsetof(struct pctl_target, read_ms),
	.times = 2,
};

static void inspect(struct pctl_task *t, const struct pctl_call *call, bool can, const char *what)
{
	if (!can) {
		pctl_task_end_fail(t, PCTL_E_UNSUPPORTED, "driver %s cannot tell %s",
			t->target->loaded->driver->name, what);
		return;
	}
	pctl_step_try(t, call, end_tree);
}

void pctl_verb_info(struct pctl_task *t)
{
	const struct pctl_inspect_if *i = t->target->loaded->driver->inspect;

	inspect(t, &inspect_info, i && i->info, "what the machine is");
}

void pctl_verb_hardware(struct pctl_task *t)
{
	const struct pctl_inspect_if *i = t->target->loaded->driver->inspect;

	inspect(t, &inspect_hardware, i && i->hardware, "what the machine is made of");
}

static void start_identify(struct pctl_task *t, const struct pctl_driver *d, void *dev)
{
	d->identify->set(dev, &t->op, !t->request->identify_off);
}

static const char *on_or_off(const struct pctl_task *t)
{
	return t->request->identify_off ? "off" : "on";
}

static const struct pctl_call identify_set = {
	.name = "identify.set",
	.start = start_identify,
	.what = "identify",
	.argument = on_or_off,
	.limit_offset = offsetof(struct pctl_target, read_ms),
	.times = 1,
	.sent_offset = offsetof(struct pctl_task, sent),
	.flags = PCTL_CALL_REPEATABLE,
};

static void end_identified(struct pctl_task *t)
{
	t->result.confirmed = "accepted";
	pctl_task_end_ok(t, "accepted");
}

void pctl_verb_identify(struct pctl_task *t)
{
	const struct pctl_driver *d = t->target->loaded->driver;

	if (d->identify)
		pctl_step_try(t, &identify_set, end_identified);
	else
		pctl_task_end_fail(
			t, PCTL_E_UNSUPPORTED, "driver %s has no identify light", d->name);
}
