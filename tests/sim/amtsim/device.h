/* SPDX-License-Identifier: Apache-2.0 */
/* One machine: what it is called, what it counts. */
#ifndef POWERCTL_AMTSIM_DEVICE_H
#define POWERCTL_AMTSIM_DEVICE_H

#include "util.h"

struct device;
struct sim;

/* In zeroed memory; n counts from 1. Opens no port. */
void device_init(struct device *dev, struct sim *sim, uint32_t n);
void device_done(struct device *dev);
/* Realm, UUID and HA1 anew: after a change of profile, password or wrong_realm. */
void device_identify(struct device *dev);
/* No nonce that was given out is recognised any more. */
void device_forget_nonces(struct device *dev);
void device_reset_counters(struct device *dev);
/* 8-4-4-4-12, as an operating system writes it; out has room for 37. */
void device_uuid_text(const struct device *dev, char *out);
/* The state, knobs, counters and log as a JSON object. */
void device_json(struct device *dev, struct buf *out);
/* A few members only. */
void device_json_brief(struct device *dev, struct buf *out);
/* The counters of all together; peaks are the highest one. */
void device_json_totals(struct sim *sim, struct buf *out);
/*
 * The ready line. More than 100 devices: only the first one is there, the others count up from it
 * (by address) or their ports are in two arrays, 0 where none listens (by port).
 */
void device_json_ready(struct sim *sim, struct buf *out);

#endif
