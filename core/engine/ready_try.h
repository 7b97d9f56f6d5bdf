/* SPDX-License-Identifier: Apache-2.0 */
/* One try of a machine's ready test (ready.h): a connection, or a command. */
#ifndef POWERCTL_CORE_READY_TRY_H
#define POWERCTL_CORE_READY_TRY_H

#include "node/core.h"

struct pctl_ready_try;

/* Once, from the loop, when nothing is left of it. why: NULL: passed. */
typedef void pctl_ready_tried_fn(void *data, const char *why);

/* Connects to the addresses one after another, port set; each gets the test's limit. addrs is
 * borrowed. */
struct pctl_ready_try *pctl_ready_connect(const struct pctl_target *target,
	const struct sockaddr_storage *addrs, size_t n, pctl_ready_tried_fn *done, void *data);

/*
 * Runs the command without a shell, as soon as fewer than some dozens run; it gets the test's limit
 * and is killed with its process group then. The environment says which node it is about:
 * POWERCTL_NODE, POWERCTL_HOST, POWERCTL_ADDRESS, POWERCTL_DRIVER. why has the last line that it
 * printed.
 */
struct pctl_ready_try *pctl_ready_run(
	const struct pctl_target *target, pctl_ready_tried_fn *done, void *data);

/* Ends it soon: done follows. */
void pctl_ready_try_drop(struct pctl_ready_try *try);

#endif
