/* SPDX-License-Identifier: Apache-2.0 */
#include "optin.h"

#include <openssl/rand.h>

#include "sim.h"

enum {
	DISPLAY_MS = 300 * 1000,
	CODE_MS = 120 * 1000,
	WRONG_MAX = 3,
	RETURN_INVALID_STATE = 2,
	RETURN_BLOCKED = 3,
	RETURN_WRONG_CODE = 5,
};

uint32_t optin_required(const struct device *dev)
{
	if (dev->knobs.ccm || dev->knobs.consent == CONSENT_ALL)
		return UINT32_MAX;
	return dev->knobs.consent == CONSENT_KVM;
}

enum optin_state optin_state(struct device *dev)
{
	struct optin *o = &dev->optin;

	if (o->state && sim_now(dev->sim) >= o->until)
		o->state = OPTIN_NOT_STARTED;
	if (o->state == OPTIN_REQUESTED && power_shown(dev) == POWER_ON)
		o->state = OPTIN_DISPLAYED;
	return o->state;
}

bool optin_allows_boot(struct device *dev)
{
	return optin_required(dev) != UINT32_MAX || optin_state(dev) >= OPTIN_RECEIVED;
}

uint32_t optin_start(struct device *dev)
{
	struct optin *o = &dev->optin;
	uint32_t random = 0;

	if (sim_now(dev->sim) < o->blocked_until)
		return RETURN_BLOCKED;
	if (optin_state(dev) != OPTIN_NOT_STARTED)
		return RETURN_INVALID_STATE;
	RAND_bytes((unsigned char *)&random, sizeof(random));
	o->code = random % 1000000;
	o->wrong = 0;
	o->state = OPTIN_REQUESTED;
	o->until = sim_now(dev->sim) + DISPLAY_MS;
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
		return RETURN_WRONG_CODE;
	}
	o->state = OPTIN_RECEIVED;
	o->until = sim_now(dev->sim) + CODE_MS;
	return 0;
}

uint32_t optin_cancel(struct device *dev)
{
	if (optin_state(dev) == OPTIN_NOT_STARTED)
		return RETURN_INVALID_STATE;
	dev->optin.state = OPTIN_NOT_STARTED;
	return 0;
}
