/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to an answer, and the answers that are wrong on purpose. */
#ifndef POWERCTL_REDFISHSIM_SERVICE_H
#define POWERCTL_REDFISHSIM_SERVICE_H

#include "web.h"

/* For struct web. */
void service_answer(struct device *dev, const struct http_request *request, struct reply *reply);
void service_malformed(struct device *dev, struct reply *reply);
void service_filler(struct buf *out, size_t n, uint64_t left);

#endif
