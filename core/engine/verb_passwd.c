/* SPDX-License-Identifier: Apache-2.0 */
/*
 * passwd and login: one step each of a change that engine/rotation.c keeps account of. Which
 * password the node is opened with is decided by then (run_prepare.c).
 */
#include "engine/task.h"

static bool has_account(struct pctl_task *t)
{
	const struct pctl_driver *d = t->target->loaded->driver;

	if (d->account && t->request->rotation)
		return true;
	pctl_task_end_fail(t, PCTL_E_UNSUPPORTED, "driver %s cannot change its password", d->name);
	return false;
}

/* --- passwd. ---------------------------------------------------------------------------------- */

/* On the disk before it is on the wire: a crash in between leaves a node that is asked first. */
static void start_set(struct pctl_task *t, const struct pctl_driver *d, void *dev)
{
	struct pctl_rotation *rotation = t->request->rotation;
	const struct pctl_secret *password =
		pctl_rotation_secret(rotation, t->target->node, PCTL_PASSWORD_NEW);
	struct pctl_error err = { 0 };

	if (!password)
		pctl_op_fail(&t->op, PCTL_E_INTERNAL, "there is no new password for it");
	else if (pctl_rotation_mark(rotation, t->target->node, PCTL_PASSWORD_SENT, &err) < 0)
		pctl_op_fail(&t->op, PCTL_E_INTERNAL, "nothing was sent: %.280s", err.text);
	else
		d->account->set_password(dev, &t->op, password);
}

/* Never a second time by itself: which password holds is found out by a login. */
static const struct pctl_call account_set = {
	.name = "account.set_password",
	.start = start_set,
	.what = "passwd",
	.limit_offset = offsetof(struct pctl_target, read_ms),
	.times = 2,
	.sent_offset = offsetof(struct pctl_task, sent),
};

static void on_set(struct pctl_task *t)
{
	t->result.confirmed = "accepted";
	pctl_task_end_ok(t, "ok");
}

void pctl_verb_passwd(struct pctl_task *t)
{
	const char *user = t->result.user;

	if (!has_account(t))
		return;
	if (!t->request->dry_run) {
		pctl_step_try(t, &account_set, on_set);
		return;
	}
	if (user)
		pctl_task_note(t, "would set a new password for '%s'", user);
	else
		pctl_task_note(t, "would set a new password");
	pctl_task_end_ok(t, "ok");
}

/* --- login. ----------------------------------------------------------------------------------- */

static void start_login(struct pctl_task *t, const struct pctl_driver *d, void *dev)
{
	d->account->login(dev, &t->op);
}

static const struct pctl_call account_login = {
	.name = "account.login",
	.start = start_login,
	.limit_offset = offsetof(struct pctl_target, read_ms),
	.times = 1,
};

static void on_login(struct pctl_task *t)
{
	pctl_task_end_ok(t, "ok");
}

void pctl_verb_login(struct pctl_task *t)
{
	if (has_account(t))
		pctl_step_try(t, &account_login, on_login);
}
