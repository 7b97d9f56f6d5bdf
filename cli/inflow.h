/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes from standard input as they come: terminal, pipe or file. */
#ifndef POWERCTL_CLI_INFLOW_H
#define POWERCTL_CLI_INFLOW_H

#include "standard.h"

#define INFLOW_MAX 4096u /* bytes that come at once */

/* n 0: the end. May stop the flow. */
typedef void inflow_fn(void *data, const char *bytes, size_t n);

struct inflow {
	struct standard from;
	uv_idle_t idle; /* for files */
	inflow_fn *came;
	void *data;
};

void inflow_init(struct inflow *in, uv_loop_t *loop, int fd, inflow_fn *came, void *data);
void inflow_start(struct inflow *in);
void inflow_stop(struct inflow *in);
/* Takes what is there now, without waiting, also while it is stopped. */
void inflow_look(struct inflow *in);
/* For good. The handles are closed by the loop's next turn. */
void inflow_close(struct inflow *in);

#endif
