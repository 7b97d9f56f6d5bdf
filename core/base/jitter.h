/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POWERCTL_CORE_JITTER_H
#define POWERCTL_CORE_JITTER_H

#include <stdint.h>

/* ms, give or take a quarter, so that thousands do not come at once. */
uint64_t pctl_jitter(uint64_t ms);

#endif
