/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A driver that wraps another one and logs each op at PCTL_LOG_TRACE: what was asked, what came of
 * it, how long it took. Settings and secrets never pass through here.
 */
#ifndef POWERCTL_CORE_TRACE_H
#define POWERCTL_CORE_TRACE_H

#include <powerctl/driver.h>

/*
 * inner outlives the wrapper. Start it with pctl_trace_start() in place of its start(); everything
 * else goes through the wrapper's own functions.
 */
const struct pctl_driver *pctl_trace_new(const struct pctl_driver *inner);
int pctl_trace_start(const struct pctl_driver *wrapper, struct pctl_core *core, uv_loop_t *loop,
	void **ret_ctx, struct pctl_error *err);
void pctl_trace_free(const struct pctl_driver *wrapper);

#endif
