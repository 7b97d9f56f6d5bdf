/* SPDX-License-Identifier: Apache-2.0 */
/* The control port: plain HTTP and JSON on 127.0.0.1, for curl and for tests. */
#ifndef POWERCTL_SIM_CONTROL_H
#define POWERCTL_SIM_CONTROL_H

#include <uv.h>

#include "fleet.h"

struct http_request;

/* One request: what is left of the path, and where the answer goes. */
struct control_job {
	struct control *control;
	const struct http_request *request;
	struct str rest;
	struct buf *out;
	const char *status;
};

struct control_route {
	const char *method;
	const char *path;
	/* More follows the path: which devices. */
	bool prefix;
	void (*run)(struct control_job *job);
	const char *help;
};

/* In zeroed memory; fleet and sim are the program's to fill in. */
struct control {
	const struct fleet *fleet;
	struct sim *sim;
	uv_loop_t *loop;
	uv_tcp_t tcp;
	uint16_t port;
	struct control_conn *conns;
	char read_buffer[64 * 1024];
};

/* Port 0 lets the kernel choose, c->port is it; 0, or -1 having said what is in the way. */
int control_start(struct control *c, uv_loop_t *loop, uint32_t port);
void control_stop(struct control *c);

/* For routes: which devices job->rest names; false: a failure is the answer already. */
bool control_devices(struct control_job *job, uint32_t *ret_first, uint32_t *ret_last);
/* why, and not what the route wrote so far, is the answer. */
void control_fail(struct control_job *job, const char *status, const char *why);

#endif
