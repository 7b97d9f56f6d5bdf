/* SPDX-License-Identifier: Apache-2.0 */
#include "again.h"

#include <powerctl/error.h>

#define FIRST_MS ((uint64_t)1000)
#define MOST_MS  ((uint64_t)60000)
/* What was open for so long was no mere attempt. */
#define STABLE_MS ((uint64_t)30000)

bool again_helps(int code, bool was_open)
{
	switch (code) {
	case PCTL_E_UNREACHABLE:
	case PCTL_E_TIMEOUT:
	case PCTL_E_PROTOCOL:
	case PCTL_E_STATE:
	case PCTL_E_OUTCOME_UNKNOWN:
		return true;
	case PCTL_E_BUSY:
		return !was_open;
	default:
		return false;
	}
}

void again_opened(struct again *a, uint64_t now)
{
	a->opened_at = now;
}

uint64_t again_next(struct again *a, uint64_t now, bool was_open)
{
	if (!a->delay_ms || (was_open && now - a->opened_at >= STABLE_MS))
		a->delay_ms = FIRST_MS;
	uint64_t delay = a->delay_ms;

	a->delay_ms = delay * 2 < MOST_MS ? delay * 2 : MOST_MS;
	return delay;
}
