/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the null driver know of each other. */
#ifndef POWERCTL_NULL_NULL_H
#define POWERCTL_NULL_NULL_H

#include <powerctl/driver.h>

/* The core's side of a device of this driver; data is what its open() returned. */
struct pctl_device *null_device(void *data);

/* Whether this op is to fail as a setting says; it ends then, or hangs. setting: "fail_reads". */
bool null_failed(void *data, struct pctl_op *op, const char *setting);
/* What the machine does by itself, at once. */
void null_set_state(void *data, enum pctl_power_state state);
void null_forget_boot(void *data);

extern const struct pctl_console_if null_console;
extern const struct pctl_log_if null_log;
extern const struct pctl_sensors_if null_sensors;
extern const struct pctl_method null_methods[];

#endif
