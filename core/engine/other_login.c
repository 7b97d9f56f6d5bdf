/* SPDX-License-Identifier: Apache-2.0 */
/* While a password is being changed a device may have either of two: each is tried once. */
#include <powerctl/log.h>
#include <powerctl/mem.h>

#include "engine/task.h"
#include "node/breaker.h"

void pctl_login_choose(struct pctl_target *target, const struct pctl_request *request)
{
	if (!target->other_password || !target->login || request->try_anyway ||
		pctl_login_check(target->login, target, NULL) == 0)
		return;
	pctl_target_swap_passwords(target);
	target->login = pctl_breaker_login(target->core->breaker, target);
}

struct pctl_login *pctl_login_on_trial(
	const struct pctl_target *target, const struct pctl_request *request)
{
	return request->try_anyway || target->two_passwords ? NULL : target->login;
}

struct reopening {
	struct pctl_task *task;
	pctl_step_fn *again;
	struct sockaddr_storage addr;
	socklen_t addr_len;
};

static void on_closed(void *data)
{
	struct reopening *r = data;
	struct pctl_task *t = r->task;
	pctl_step_fn *again = r->again;
	struct pctl_error err = { 0 };
	int e = pctl_device_open(t->other, &t->device, &err);

	if (e == 0 && r->addr_len)
		pctl_device_set_address(t->device, (const struct sockaddr *)&r->addr);
	free(r);
	if (e < 0)
		pctl_task_end_error(t, &err);
	else if (pctl_run_interrupted(t->run, NULL))
		pctl_task_end_interrupted(t);
	else
		again(t);
}

bool pctl_task_try_other(struct pctl_task *t, pctl_step_fn *again)
{
	struct pctl_device *device = t->device;

	if (t->error.code != PCTL_E_AUTH || t->other || !t->target->other_password ||
		t->op.committed || t->sent.how != PCTL_SENT_NOTHING)
		return false;
	pctl_log(PCTL_LOG_DEBUG, device,
		"it may have the other one of two passwords: `powerctl passwd --resume` ends that");
	struct reopening *r = pctl_xcalloc(1, sizeof(*r));
	*r = (struct reopening){ t, again, device->addr, device->addr_len };
	t->other = pctl_target_with_other(t->target);
	t->other->login = pctl_breaker_login(t->target->core->breaker, t->other);
	t->device = NULL;
	t->result.attempts++;
	pctl_device_close(device, on_closed, r);
	return true;
}
