/* SPDX-License-Identifier: Apache-2.0 */
/* The clock of the management engine, which is nobody's but its own. */
#ifndef POWERCTL_AMTSIM_CLOCK_H
#define POWERCTL_AMTSIM_CLOCK_H

#include <stdint.h>

struct device;

/* Seconds since 1970, as it believes. */
int64_t clock_now(struct device *dev);

#endif
