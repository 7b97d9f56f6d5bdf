/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes to standard output or error: terminal, pipe or file. What the other side does not take yet
 * is kept, however much: it is for whoever produces it to wait until it is gone.
 */
#ifndef POWERCTL_CLI_OUTFLOW_H
#define POWERCTL_CLI_OUTFLOW_H

#include <powerctl/buf.h>

#include "standard.h"

typedef void outflow_fn(void *data);

struct outflow {
	struct standard to;
	struct pctl_buf kept;
	size_t done;        /* bytes of it that have left */
	uv_prepare_t later; /* before the loop waits: what was put off */
	int fault;          /* errno of the first write that failed: nothing is written any more */
	outflow_fn *gone;   /* what was kept is gone, or there is a fault */
	void *data;
};

void outflow_init(struct outflow *out, uv_loop_t *loop, int fd, outflow_fn *gone, void *data);
/* Writes, or keeps. Never calls gone. */
void outflow_add(struct outflow *out, const char *bytes, size_t n);
/* Keeps, and writes before the loop waits the next time: what comes at once leaves at once. */
void outflow_put(struct outflow *out, const char *bytes, size_t n);
/* Writes what was put off as far as the other side takes it now. Never calls gone. */
void outflow_push(struct outflow *out);
/* Whether something is kept: add no more until gone. */
bool outflow_waits(const struct outflow *out);
/* How many bytes are. */
size_t outflow_kept(const struct outflow *out);
/* For good. The handles are closed by the loop's next turn. */
void outflow_close(struct outflow *out);

#endif
