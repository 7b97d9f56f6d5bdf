/* SPDX-License-Identifier: Apache-2.0 */
/* media: what is in the machine's drives. Attached, it may be a session that lives on. */
#include "engine/task.h"

static const char *media_word(const struct pctl_task *t)
{
	return t->request->verb == PCTL_VERB_MEDIA_ATTACH ? "media attach" : "media detach";
}

static void start_attach(struct pctl_task *t, const struct pctl_driver *d, void *dev)
{
	t->session = NULL;
	d->media->attach(dev, &t->op, &t->request->media, &t->session);
}

static void start_detach(struct pctl_task *t, const struct pctl_driver *d, void *dev)
{
	if (!pctl_run_served(t->run, t->target, &t->op, NULL))
		d->media->detach(dev, &t->op);
}

static void start_status(struct pctl_task *t, const struct pctl_driver *d, void *dev)
{
	struct pctl_value *tree = pctl_task_new_tree(t);

	if (pctl_run_served(t->run, t->target, &t->op, tree))
		return;
	if (d->media->status)
		d->media->status(dev, &t->op, tree);
	else
		pctl_op_fail(&t->op, PCTL_E_UNSUPPORTED, "driver %s cannot tell what is attached",
			d->name);
}

static const struct pctl_call media_attach = {
	.name = "media.attach",
	.start = start_attach,
	.argument = media_word,
	.limit_offset = offsetof(struct pctl_target, read_ms),
	.times = 2,
	.sent_offset = offsetof(struct pctl_task, sent),
	.flags = PCTL_CALL_BUSY_IS_FINAL,
};

static const struct pctl_call media_detach = {
	.name = "media.detach",
	.start = start_detach,
	.argument = media_word,
	.limit_offset = offsetof(struct pctl_target, read_ms),
	.times = 2,
	.sent_offset = offsetof(struct pctl_task, sent),
	.flags = PCTL_CALL_REPEATABLE,
};

static const struct pctl_call media_status = {
	.name = "media.status",
	.start = start_status,
	.limit_offset = offsetof(struct pctl_target, read_ms),
	.times = 2,
};

static void end_well(struct pctl_task *t)
{
	pctl_task_end_ok(t, "ok");
}

static void end_accepted(struct pctl_task *t)
{
	t->result.confirmed = "accepted";
	pctl_task_end_ok(t, "ok");
}

static void on_attached(struct pctl_task *t)
{
	if (t->session)
		pctl_task_keep_session(t);
	if (t->session && pctl_run_interrupted(t->run, NULL))
		pctl_task_end_interrupted(t);
	else
		end_accepted(t);
}

void pctl_verb_media(struct pctl_task *t)
{
	const struct pctl_driver *d = t->target->loaded->driver;
	enum pctl_verb verb = t->request->verb;

	if (!d->media)
		pctl_task_end_fail(t, PCTL_E_UNSUPPORTED, "driver %s has no media", d->name);
	else if (verb == PCTL_VERB_MEDIA_ATTACH && !pctl_task_would(t, "attach the media"))
		pctl_step_try(t, &media_attach, on_attached);
	else if (verb == PCTL_VERB_MEDIA_DETACH && !pctl_task_would(t, "detach the media"))
		pctl_step_try(t, &media_detach, end_accepted);
	else if (verb == PCTL_VERB_MEDIA_STATUS)
		pctl_step_try(t, &media_status, end_well);
}
