/* SPDX-License-Identifier: Apache-2.0 */
/* One BMC: what it is called, what it counts. */
#ifndef POWERCTL_BMCSIM_DEVICE_H
#define POWERCTL_BMCSIM_DEVICE_H

#include "counter.h"

struct control;
struct sim;

extern const struct counter_table device_counters;

/* In zeroed memory; n counts from 1. Opens no port. */
void device_init(struct device *dev, struct sim *sim, uint32_t n);
void device_done(struct device *dev);
/* Sessions are gone, nothing is heard for reset_ms. The host does not notice. */
void device_reset(struct device *dev);
void device_reset_counters(struct device *dev);
/* For struct fleet. */
void device_json(struct device *dev, struct buf *out);
void device_json_brief(struct device *dev, struct buf *out);
void device_json_identity(const struct device *dev, struct buf *out);
void device_json_ports(const struct control *control, struct buf *out);
uint32_t device_calls(const struct device *dev);
void device_json_call(const struct device *dev, uint32_t i, struct buf *out);

#endif
