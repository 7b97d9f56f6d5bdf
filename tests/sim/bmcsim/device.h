/* SPDX-License-Identifier: Apache-2.0 */
/* One BMC: what it is called, what it counts. */
#ifndef POWERCTL_BMCSIM_DEVICE_H
#define POWERCTL_BMCSIM_DEVICE_H

#include "counter.h"

struct sim;

extern const struct counter_table device_counters;

/* In zeroed memory; n counts from 1. Opens no port. */
void device_init(struct device *dev, struct sim *sim, uint32_t n);
void device_done(struct device *dev);
/* Sessions are gone, nothing is heard for reset_ms. The host does not notice. */
void device_reset(struct device *dev);
void device_reset_counters(struct device *dev);
/* The state, knobs, counters and log as a JSON object. */
void device_json(struct device *dev, struct buf *out);
/* A few members only. */
void device_json_brief(struct device *dev, struct buf *out);
/* Members that say who and where it is, and those that stand for them in a large fleet. */
void device_json_identity(const struct device *dev, struct buf *out);
/* All ports, in a list. */
void device_json_ports(struct sim *sim, struct buf *out);
/* 8-4-4-4-12 in the order of the bytes; out has room for 37. */
void device_guid_text(const struct device *dev, char *out);

#endif
