/* SPDX-License-Identifier: Apache-2.0 */
/* What a system and its chassis have in common: ETags, lights, settings. */
#ifndef POWERCTL_REDFISHSIM_SYSTEM_H
#define POWERCTL_REDFISHSIM_SYSTEM_H

#include "call.h"

/* The ETag of c->sys, in the header and in doc. */
void system_etag(struct call *c, json_t *doc);
/* If-Match against doc, which it consumes; false: 412 or 428 is the answer. */
bool system_match(struct call *c, json_t *doc);
void system_lights(const struct call *c, json_t *doc);
/* Everything that the body sets; false: an error is the answer. */
bool system_take(struct call *c, bool chassis);

#endif
