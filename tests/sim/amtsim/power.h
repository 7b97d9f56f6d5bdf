/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's power. Nothing here has a timer: a change that was accepted takes effect when it is
 * looked at after its time has come.
 */
#ifndef POWERCTL_AMTSIM_POWER_H
#define POWERCTL_AMTSIM_POWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device;
struct buf;

enum power_state {
	POWER_ON = 2,
	POWER_SLEEP_LIGHT = 3,
	POWER_SLEEP = 4,
	POWER_CYCLE = 5,
	POWER_OFF_HARD = 6,
	POWER_HIBERNATE = 7,
	POWER_OFF = 8,
};

/* What RequestPowerStateChange returns here. */
enum power_return {
	POWER_ACCEPTED = 0,
	POWER_NOT_READY = 2,
	POWER_INVALID_PARAMETER = 5,
};

struct power {
	uint8_t state;
	uint8_t target;
	bool changing;
	bool boots;
	bool via_off;
	uint8_t os_saving;
	uint64_t began;
	uint64_t ends;
	uint64_t accepted;
};

/* Applies what is due. Call it before looking at the state. */
void power_update(struct device *dev);
/* The number that PowerState reads now: knobs, transition and all. */
unsigned power_shown(struct device *dev);
/* "on", "sleep", … of a PowerState number; "unknown" for others. */
const char *power_word(unsigned state);
/* The number of a word or a number; 0 for neither. */
unsigned power_of_word(const char *word);
/* Sets the state at once, as a hand on the machine would: no boot is counted. */
void power_set(struct device *dev, unsigned state);
/* RequestPowerStateChange: its ReturnValue. Counts, and consumes the boot override. */
uint32_t power_request(struct device *dev, unsigned action);
/* The requests that are legal now, in the recorded order; ret has room for 16. */
size_t power_available(struct device *dev, uint8_t *ret);
/* RequestOSPowerSavingStateChange: its ReturnValue. */
uint32_t power_request_os_saving(struct device *dev, unsigned state);

#endif
