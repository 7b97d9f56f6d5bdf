/* SPDX-License-Identifier: Apache-2.0 */
/* Which path is what. */
#ifndef POWERCTL_REDFISHSIM_ROUTE_H
#define POWERCTL_REDFISHSIM_ROUTE_H

#include "call.h"

/* Decodes the target of a request into c; false: the answer is there already. */
bool route_target(struct call *c);
/* Whether it needs no login. */
bool route_is_open(const struct call *c);
/* Lets the resource answer. */
void route_run(struct call *c);

#endif
