/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of AMT_MessageLog: platform events as IPMI's PET has them, 21 bytes, little endian (Intel
 * AMT SDK, "Event Log Records"). Pure, no I/O.
 */
#ifndef POWERCTL_AMT_EVENT_H
#define POWERCTL_AMT_EVENT_H

#include "records/bytes.h"

#define EVENT_RECORD 21u
#define EVENT_DATA   8u

struct event {
	uint32_t time; /* seconds since 1970 by the device's clock */
	uint8_t device_address, sensor_type, event_type, offset, source, severity, sensor, entity,
		instance;
	uint8_t data[EVENT_DATA];
};

/* False for what is no record: too short or too long. */
bool event_parse(const uint8_t *record, size_t len, struct event *ret);

/* As a map of docs/names.md, "Events". What is in no table is told by its numbers. */
struct pctl_value *event_tell(const struct event *e);

#endif
