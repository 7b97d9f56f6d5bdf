/* SPDX-License-Identifier: Apache-2.0 */
/* The address behind a target's name, before its device is asked for anything. */
#include <powerctl/parse.h>

#include "engine/task.h"

static uint64_t resolve_limit(const struct pctl_task *t)
{
	return t->request->timeout_ms ? t->request->timeout_ms : t->target->read_ms;
}

void pctl_task_leave_address(struct pctl_task *t)
{
	pctl_asking_leave(&t->asking);
	(void)uv_timer_stop(&t->timer);
	t->busy = PCTL_TASK_IDLE;
}

static void look_up(struct pctl_task *t);

static void no_address(struct pctl_task *t, int status)
{
	struct pctl_error err;

	if (pctl_error_shortage(&err, -status) && pctl_task_park(t, &err, look_up))
		return;
	pctl_task_end_fail(
		t, PCTL_E_UNREACHABLE, "no address for its name: %s", uv_strerror(status));
}

static void on_resolved(struct pctl_asking *asking, const struct sockaddr *addr, int status)
{
	struct pctl_task *t = pctl_container_of(asking, struct pctl_task, asking);

	pctl_task_leave_address(t);
	if (addr) {
		pctl_device_set_address(t->device, addr);
		t->on_address(t);
	} else {
		no_address(t, status);
	}
}

static void watch_resolving(struct pctl_task *t);

static void on_resolving_too_long(uv_timer_t *timer)
{
	struct pctl_task *t = pctl_container_of(timer, struct pctl_task, timer);
	char limit[32];

	if (pctl_asking_due(&t->asking, resolve_limit(t)) > pctl_task_now(t)) {
		watch_resolving(t);
		return;
	}
	pctl_task_leave_address(t);
	pctl_format_duration(resolve_limit(t), limit, sizeof(limit));
	pctl_task_end_fail(t, PCTL_E_UNREACHABLE,
		"no address for its name in %s: name servers do not answer", limit);
}

static void watch_resolving(struct pctl_task *t)
{
	uint64_t due = pctl_asking_due(&t->asking, resolve_limit(t));

	(void)uv_timer_start(&t->timer, on_resolving_too_long,
		due > pctl_task_now(t) ? due - pctl_task_now(t) : 0, 0);
}

static void look_up(struct pctl_task *t)
{
	struct sockaddr_storage addr;

	t->asking.resolved = on_resolved;
	int r = pctl_resolve(t->target->core->resolver, t->target->address, &t->asking, &addr);
	if (r > 0) {
		pctl_device_set_address(t->device, (const struct sockaddr *)&addr);
		t->on_address(t);
	} else if (r < 0) {
		no_address(t, r);
	} else {
		t->busy = PCTL_TASK_RESOLVE;
		watch_resolving(t);
	}
}

void pctl_task_find_address(struct pctl_task *t, pctl_step_fn *then)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	t->on_address = then;
	if (!pctl_device_needs_resolving(t->device)) {
		then(t);
	} else if (uv_ip4_addr(t->target->address, 0, &v4) == 0) {
		pctl_device_set_address(t->device, (const struct sockaddr *)&v4);
		t->on_address(t);
	} else if (uv_ip6_addr(t->target->address, 0, &v6) == 0) {
		pctl_device_set_address(t->device, (const struct sockaddr *)&v6);
		t->on_address(t);
	} else {
		look_up(t);
	}
}
