/* SPDX-License-Identifier: Apache-2.0 */
#include "optin.h"

#include <openssl/rand.h>

#include "sim.h"

enum {
	WRONG_MAX = 3,
	STARTS_WITHIN_MS = 60000,
	RETURN_INVALID_STATE = 2,
	RETURN_BLOCKED = 3,
};

static uint64_t after(const struct device *dev, uint32_t seconds)
{
	return sim_now(dev->sim) + (uint64_t)seconds * 1000;
}

uint32_t optin_required(const struct device *dev)
{
	if (dev->knobs.ccm || dev->knobs.consent == CONSENT_ALL)
		return UINT32_MAX;
	return dev->knobs.consent == CONSENT_KVM;
}

/* What was set under an agreement goes with it. */
static void end(struct device *dev)
{
	struct optin *o = &dev->optin;

	if (o->state >= OPTIN_RECEIVED && optin_required(dev) == UINT32_MAX)
		boot_forget(dev);
	o->state = OPTIN_NOT_STARTED;
}

enum optin_state optin_state(struct device *dev)
{
	struct optin *o = &dev->optin;

	if (o->state && o->state != OPTIN_IN_SESSION && sim_now(dev->sim) >= o->until)
		end(dev);
	if (o->state == OPTIN_REQUESTED && power_shown(dev) == POWER_ON &&
		sim_now(dev->sim) >= o->shown_at)
		o->state = OPTIN_DISPLAYED;
	return o->state;
}

bool optin_allows_boot(struct device *dev)
{
	return optin_required(dev) != UINT32_MAX || optin_state(dev) >= OPTIN_RECEIVED;
}

bool optin_allows_kvm(struct device *dev)
{
	return !optin_required(dev) || optin_state(dev) >= OPTIN_RECEIVED;
}

void optin_session(struct device *dev, bool open)
{
	struct optin *o = &dev->optin;
	enum optin_state state = optin_state(dev);

	o->sessions += open ? 1 : -1;
	if (open && state == OPTIN_RECEIVED)
		o->state = OPTIN_IN_SESSION;
	if (o->sessions || state != OPTIN_IN_SESSION)
		return;
	o->state = OPTIN_RECEIVED;
	o->until = after(dev, dev->knobs.consent_idle_s);
}

static bool is_blocked(struct device *dev)
{
	struct optin *o = &dev->optin;
	uint64_t now = sim_now(dev->sim);

	if (now < o->blocked_until)
		return true;
	if (now - o->starts_since >= STARTS_WITHIN_MS) {
		o->starts = 0;
		o->starts_since = now;
	}
	return dev->knobs.consent_starts && o->starts++ >= dev->knobs.consent_starts;
}

uint32_t optin_start(struct device *dev)
{
	struct optin *o = &dev->optin;
	uint32_t random = 0;

	if (is_blocked(dev))
		return RETURN_BLOCKED;
	if (optin_state(dev) != OPTIN_NOT_STARTED)
		return RETURN_INVALID_STATE;
	RAND_bytes((unsigned char *)&random, sizeof(random));
	o->code = random % 1000000;
	o->wrong = 0;
	o->state = OPTIN_REQUESTED;
	o->shown_at = sim_now(dev->sim) + dev->knobs.consent_show_ms;
	o->until = after(dev, dev->knobs.consent_display_s);
	return 0;
}

uint32_t optin_send(struct device *dev, uint32_t code)
{
	struct optin *o = &dev->optin;

	if (optin_state(dev) != OPTIN_DISPLAYED)
		return RETURN_INVALID_STATE;
	if (code != o->code) {
		if (++o->wrong >= WRONG_MAX) {
			o->state = OPTIN_NOT_STARTED;
			o->blocked_until = sim_now(dev->sim) + dev->knobs.consent_block_ms;
		}
		return dev->knobs.consent_wrong_value;
	}
	o->state = o->sessions ? OPTIN_IN_SESSION : OPTIN_RECEIVED;
	o->until = after(dev, dev->knobs.consent_idle_s);
	return 0;
}

uint32_t optin_cancel(struct device *dev)
{
	if (optin_state(dev) == OPTIN_NOT_STARTED)
		return RETURN_INVALID_STATE;
	end(dev);
	return 0;
}
