/* SPDX-License-Identifier: Apache-2.0 */
/* What can be set on a device, from the command line and through the control port: one table. */
#ifndef POWERCTL_AMTSIM_KNOBS_H
#define POWERCTL_AMTSIM_KNOBS_H

#include "util.h"

struct device;
struct sim;

enum { KNOB_WHY = 160 };

/* Values that a device begins with. */
void knobs_init(struct device *dev);
/* False and a reason in why[KNOB_WHY] if there is no such knob or value. */
bool knobs_set(struct device *dev, struct str name, struct str value, char *why);
/* "name=value". */
bool knobs_set_text(struct device *dev, struct str text, char *why);
/* "5", "3-5" or "all" into first..last (1-based). */
bool knobs_devices(const struct sim *sim, struct str text, uint32_t *ret_first, uint32_t *ret_last);
/* A JSON object of all knobs. */
void knobs_json(const struct device *dev, struct buf *out);
/* The table, for people. */
void knobs_print(void);
/* The same as a JSON array. */
void knobs_json_help(struct buf *out);

#endif
