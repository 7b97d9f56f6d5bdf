/* SPDX-License-Identifier: Apache-2.0 */
/* System boot options, section 28.12 to 28.14: one override for the next start. */
#ifndef POWERCTL_BMCSIM_BOOT_H
#define POWERCTL_BMCSIM_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device;

enum {
	BOOT_FLAGS = 5,
	BOOT_PARAMETERS = 8,
};

struct boot {
	uint8_t progress;
	uint8_t partition;
	uint8_t scan;
	uint8_t clearing;
	uint8_t acknowledge[2];
	uint8_t flags[BOOT_FLAGS];
	uint8_t initiator[9];
	uint8_t invalid; /* a bit for each parameter marked so */
	/* A start that was asked for in time will find the flags, whenever it comes. */
	bool armed;
	uint64_t set_at;
	uint32_t boots;
	uint8_t last_device;
	bool last_valid;
	bool last_uefi;
};

/* Completion codes; data is what follows the selector. */
uint8_t boot_set_option(struct device *dev, uint8_t selector, const uint8_t *data, size_t n);
/* At most 20 bytes into out. */
uint8_t boot_get_option(struct device *dev, uint8_t selector, uint8_t *out, size_t *ret_n);
/* A start was asked for: the flags count if they are still valid. */
void boot_arm(struct device *dev);
/* The host starts, and uses up what was set for once. */
void boot_start(struct device *dev);
/* "pxe", "disk", "default", ... */
const char *boot_device_word(const struct boot *b);
const char *boot_set_word(const struct device *dev);

#endif
