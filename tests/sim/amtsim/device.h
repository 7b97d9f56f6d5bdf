/* SPDX-License-Identifier: Apache-2.0 */
/* One machine: what it is called, what it counts. */
#ifndef POWERCTL_AMTSIM_DEVICE_H
#define POWERCTL_AMTSIM_DEVICE_H

#include "counter.h"

struct sim;

extern const struct counter_table device_counters;

/* In zeroed memory; n counts from 1. Opens no port. */
void device_init(struct device *dev, struct sim *sim, uint32_t n);
void device_done(struct device *dev);
/* Realm, UUID and HA1 anew: after a change of profile, password or wrong_realm. */
void device_identify(struct device *dev);
/* No nonce that was given out is recognised any more. */
void device_forget_nonces(struct device *dev);
void device_reset_counters(struct device *dev);
/* Counts for the knobs ..._every begin anew: at 0, or with the knob stagger each elsewhere. */
void device_start_faults(struct device *dev);
/* The management engine wakes up by what is sent to it, and loses that. */
bool device_asleep(struct device *dev);
/* As an operating system writes it. */
void device_uuid_text(const struct device *dev, char out[UUID_TEXT]);
/* For struct fleet. */
void device_json(struct device *dev, struct buf *out);
void device_json_brief(struct device *dev, struct buf *out);
void device_json_identity(const struct device *dev, struct buf *out);
uint32_t device_calls(const struct device *dev);
void device_json_call(const struct device *dev, uint32_t i, struct buf *out);

#endif
