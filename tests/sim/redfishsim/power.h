/* SPDX-License-Identifier: Apache-2.0 */
/* The host's power: what resets do to it, and how long that takes. */
#ifndef POWERCTL_REDFISHSIM_POWER_H
#define POWERCTL_REDFISHSIM_POWER_H

#include "util.h"

struct host;

enum power_state {
	POWER_OFF,
	POWER_ON,
	POWER_PAUSED,
};

/* then_on: an off that is the first half of a cycle. */
struct power {
	enum power_state state;
	enum power_state target;
	bool changing;
	bool then_on;
	uint64_t until;
	uint64_t off_at;
	uint64_t post_until;
};

enum reset {
	RESET_ON,
	RESET_OFF,
	RESET_SOFT_OFF,
	RESET_RESTART,
	RESET_SOFT_RESTART,
	RESET_CYCLE,
	RESET_NMI,
	RESET_BUTTON,
	RESET_PAUSE,
	RESET_RESUME,
};

/* false: no such ResetType. */
bool reset_of_word(struct str word, enum reset *ret);

/* State of the host now: changes that are due have happened. */
enum power_state power_now(struct host *sys);
/* At once. */
void power_set(struct host *sys, enum power_state state);
bool power_of_word(struct str word, enum power_state *ret);
const char *power_word(enum power_state state);
/* PowerState as the service shows it; NULL is null. */
const char *power_shown(struct host *sys);
/* Whether a reset makes no difference, or cannot be while the host is off. */
bool power_is_so(struct host *sys, enum reset reset);
bool power_needs_on(enum reset reset);
void power_reset(struct host *sys, enum reset reset);

#endif
