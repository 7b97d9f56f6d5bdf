/* SPDX-License-Identifier: Apache-2.0 */
/* The core's side of <powerctl/stream.h>: a session and the device that it keeps open. */
#ifndef POWERCTL_CORE_STREAM_H
#define POWERCTL_CORE_STREAM_H

#include <powerctl/stream.h>

#include "node/core.h"

/*
 * Takes over the device and a session that its driver has just opened; and the target that the
 * device was opened with where it is none of run's (pctl_target_with_other()), else NULL. run is
 * held while it lives.
 */
struct pctl_stream *pctl_stream_new(struct pctl_run *run, struct pctl_device *device,
	struct pctl_target *take_other, struct pctl_session *session);

bool pctl_stream_taken(const struct pctl_stream *stream);

#endif
