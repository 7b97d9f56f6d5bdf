/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the null driver know of each other. */
#ifndef POWERCTL_NULL_NULL_H
#define POWERCTL_NULL_NULL_H

#include <powerctl/driver.h>

/* The core's side of a device of this driver; data is what its open() returned. */
struct pctl_device *null_device(void *data);

extern const struct pctl_console_if null_console;

#endif
