/* SPDX-License-Identifier: Apache-2.0 */
/* One BMC: what it is called, what it counts. */
#ifndef POWERCTL_BMCSIM_DEVICE_H
#define POWERCTL_BMCSIM_DEVICE_H

#include "util.h"

struct device;
struct sim;

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
/* The counters of all together; peaks are the highest one. */
void device_json_totals(struct sim *sim, struct buf *out);
/*
 * The ready line. More than 100 devices: only the first one is there, the others count up from it
 * (by address) or their ports are in an array (by port).
 */
void device_json_ready(struct sim *sim, struct buf *out);
/* 8-4-4-4-12 in the order of the bytes; out has room for 37. */
void device_guid_text(const struct device *dev, char *out);

#endif
