/* SPDX-License-Identifier: Apache-2.0 */
/* Serial over LAN, section 15 and 24. */
#ifndef POWERCTL_BMCSIM_SOL_H
#define POWERCTL_BMCSIM_SOL_H

#include <stddef.h>
#include <stdint.h>

struct device;
struct session;

/* A payload of an active session. */
void sol_receive(struct device *dev, struct session *s, const uint8_t *p, size_t n);
void sol_session_gone(struct device *dev, struct session *s);

#endif
