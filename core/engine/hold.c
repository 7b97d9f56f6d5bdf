/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/hold.h"

#include <stdio.h>

#include <powerctl/mem.h>

#include "base/jitter.h"

#define LOCK_POLL_MS 150u
#define LOCK_EACH_MS 1u /* of many that wait, one looks each ms: what that costs stays the same */

static void take(struct pctl_hold *hold, const struct pctl_target *target, uint64_t mark)
{
	*hold = (struct pctl_hold){ .target = target, .mark = mark };
}

/* Its own mark is none to be told of. */
static void go_first(
	struct pctl_hold *hold, const struct pctl_target *target, struct pctl_hold_line *line)
{
	struct pctl_locks *locks = target->core->locks;
	char holder[200] = "";
	struct pctl_error err = { 0 };

	int r = pctl_lock_try(locks, target->machine, holder, sizeof(holder), &err);
	if (r == PCTL_E_BUSY)
		r = pctl_lock_overtake(locks, target->machine, &err);
	if (r < 0 || *holder) {
		free(line->overtook);
		line->overtook = pctl_xstrdup(r < 0 ? err.text : holder);
	}
	take(hold, target, pctl_lock_mark(locks, target->machine, NULL));
}

/* The mark is read first: what is written into it later is seen. */
int pctl_hold_take(struct pctl_hold *hold, const struct pctl_target *target,
	const struct pctl_request *request, struct pctl_hold_line *line, char *holder,
	size_t holder_size, struct pctl_error *err)
{
	struct pctl_core *core = target->core;
	uint64_t mark = pctl_lock_mark(core->locks, target->machine, NULL);
	uint64_t now = uv_now(core->loop);

	int r = pctl_lock_try(
		core->locks, target->machine, line->told ? NULL : holder, holder_size, err);
	if (r == 0) {
		take(hold, target, mark);
		return 0;
	}
	if (request->lock_wait_ms && !line->until)
		line->until = now + request->lock_wait_ms;
	if (!line->until || (r == PCTL_E_BUSY && now < line->until))
		return r;
	go_first(hold, target, line);
	return 0;
}

void pctl_hold_give(struct pctl_hold *hold)
{
	if (hold->target)
		pctl_lock_release(hold->target->core->locks, hold->target->machine);
	hold->target = NULL;
}

uint64_t pctl_hold_delay(const struct pctl_core *core, const struct pctl_hold_line *line)
{
	uint64_t each = LOCK_EACH_MS * core->lock_waiters, now = uv_now(core->loop);
	uint64_t delay = pctl_jitter(each > LOCK_POLL_MS ? each : LOCK_POLL_MS);

	if (line->until && now + delay > line->until)
		return line->until > now ? line->until - now : 0;
	return delay;
}

bool pctl_hold_is_overtaken(const struct pctl_hold *hold, char *who, size_t size)
{
	pid_t pid = 0;
	uint64_t mark = hold->target ? pctl_lock_mark(hold->target->core->locks,
					       hold->target->machine, &pid)
				     : 0;

	if (!mark || mark == hold->mark) /* 0: another machine has its slot now */
		return false;
	pctl_lock_holder(pid, who, size);
	return true;
}
