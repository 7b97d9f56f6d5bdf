/* SPDX-License-Identifier: Apache-2.0 */
/* The host's power: changes take time, and what is shown may lag behind. Section 28.3. */
#ifndef POWERCTL_BMCSIM_POWER_H
#define POWERCTL_BMCSIM_POWER_H

#include <stdbool.h>
#include <stdint.h>

struct device;

enum power_action {
	POWER_DOWN,
	POWER_UP,
	POWER_CYCLE,
	POWER_RESET,
	POWER_DIAG,
	POWER_SOFT,
	POWER_ACTIONS,
};

struct power {
	bool on;
	bool changing;
	bool target;
	bool boots;
	bool was_on;
	uint8_t policy; /* restore policy, 28.8 */
	uint8_t cause;  /* of the last restart, 28.11 */
	uint8_t event;  /* last power event, table 28-3 */
	uint64_t ends;
	uint64_t changed;
};

/* At once, as a hand on the switch would. */
void power_set(struct device *dev, bool on);
/* Brings it up to now. */
void power_update(struct device *dev);
/* What Get Chassis Status tells. */
bool power_shown(struct device *dev);
/* A completion code. */
uint8_t power_request(struct device *dev, unsigned action);
const char *power_action_word(unsigned action);

#endif
