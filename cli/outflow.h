/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes to standard output: terminal, pipe or file. What the other side does not take yet is kept;
 * whoever produces it waits until it is gone, so that no more than one part is ever kept.
 */
#ifndef POWERCTL_CLI_OUTFLOW_H
#define POWERCTL_CLI_OUTFLOW_H

#include <powerctl/buf.h>

#include "standard.h"

typedef void outflow_fn(void *data);

struct outflow {
	struct standard to;
	struct pctl_buf kept;
	size_t done;      /* bytes of it that have left */
	int fault;        /* errno of the first write that failed: nothing is written any more */
	outflow_fn *gone; /* what was kept is gone, or there is a fault */
	void *data;
};

void outflow_init(struct outflow *out, uv_loop_t *loop, int fd, outflow_fn *gone, void *data);
/* Writes, or keeps. Never calls gone. */
void outflow_add(struct outflow *out, const char *bytes, size_t n);
/* Whether something is kept: add no more until gone. */
bool outflow_waits(const struct outflow *out);
/* For good. The handle is closed by the loop's next turn. */
void outflow_close(struct outflow *out);

#endif
