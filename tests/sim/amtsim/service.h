/* SPDX-License-Identifier: Apache-2.0 */
/* From an HTTP request to the bytes of its answer. */
#ifndef POWERCTL_AMTSIM_SERVICE_H
#define POWERCTL_AMTSIM_SERVICE_H

#include "web.h"

/* The answer is in sim->out. */
void service_answer(struct device *dev, const struct http_request *request, struct reply *reply);
/* For what could not be read as HTTP. */
void service_malformed(struct device *dev, struct reply *reply);
/* The next at most n bytes of an endless answer, left in all still to come. */
void service_filler(struct buf *out, size_t n, uint64_t left);

#endif
