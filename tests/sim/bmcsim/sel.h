/* SPDX-License-Identifier: Apache-2.0 */
/* The system event log, section 31: records of 16 bytes. */
#ifndef POWERCTL_BMCSIM_SEL_H
#define POWERCTL_BMCSIM_SEL_H

#include <stddef.h>
#include <stdint.h>

struct device;

enum {
	SEL_RECORD = 16,
	SEL_CAPACITY = 64,
};

/* Record n has the id n + 1; a full log takes no more. */
struct sel {
	uint8_t (*records)[SEL_RECORD]; /* NULL while there is none */
	uint32_t count;
	uint16_t reservation;
	bool overflow;
	uint32_t added;
	uint32_t erased;
	/* What Set SEL Time has put on top of ours, in seconds. */
	int64_t offset;
};

uint32_t sel_time(const struct device *dev);
/* Puts id and time in; 0: it is full. */
uint16_t sel_add(struct device *dev, const uint8_t record[SEL_RECORD]);
void sel_clear(struct device *dev);
void sel_done(struct device *dev);
/* An event of a discrete sensor of ours. */
void sel_event(struct device *dev, uint8_t type, uint8_t sensor, uint8_t event, uint8_t offset);

#endif
