/* SPDX-License-Identifier: Apache-2.0 */
/* One service: what it is called, what it counts, what happened to it. */
#ifndef POWERCTL_REDFISHSIM_DEVICE_H
#define POWERCTL_REDFISHSIM_DEVICE_H

#include "counter.h"

struct sim;

extern const struct counter_table device_counters;

/* In zeroed memory; n counts from 1. Opens no port. */
void device_init(struct device *dev, struct sim *sim, uint32_t n);
void device_done(struct device *dev);
/* UUIDs anew, after a change of other_machine. */
void device_identify(struct device *dev);
void device_reset_counters(struct device *dev);
/* Counts for the knobs ..._every begin anew: at 0, or with the knob stagger each elsewhere. */
void device_start_faults(struct device *dev);
/* Takes a note of "GET /redfish/v1/". */
void device_note(struct device *dev, struct str method, struct str target);
/* The management controller begins anew: ports closed for a while, sessions gone. */
void device_restart(struct device *dev);
/* What is due by now. */
void device_tick(struct device *dev);
/* For struct fleet. */
void device_json(struct device *dev, struct buf *out);
void device_json_brief(struct device *dev, struct buf *out);
void device_json_identity(const struct device *dev, struct buf *out);
uint32_t device_calls(const struct device *dev);
void device_json_call(const struct device *dev, uint32_t i, struct buf *out);

#endif
