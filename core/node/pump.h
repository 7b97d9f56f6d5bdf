/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A channel behind a socketpair: one end is the driver's, the other is pumped to and from a TCP
 * connection that the core makes. What kinds there are differ only in how that comes about.
 */
#ifndef POWERCTL_CORE_PUMP_H
#define POWERCTL_CORE_PUMP_H

#include <uv.h>

#include "node/channel.h"

#define PCTL_PUMP_PART 16384u

struct pctl_pump;

/* One direction: what was read from one stream and is being written to the other. */
struct pctl_flow {
	struct pctl_pump *pump;
	uv_stream_t *from, *to;
	uv_write_t write;
	char part[PCTL_PUMP_PART];
};

struct pctl_pump {
	uv_tcp_t far;
	uv_pipe_t near;
	uv_timer_t limit; /* until it runs */
	uv_connect_t connect;
	struct pctl_flow out, in;
	int open;                     /* handles not closed yet */
	struct pctl_channel *channel; /* the device's side; NULL once it is closed */
	/* There is a connection, or (status, libuv's) none. */
	void (*connected)(struct pctl_pump *pump, int status);
	void (*ended)(
		struct pctl_pump *pump); /* from now on its handles close; NULL: nothing to do */
	void (*freed)(struct pctl_pump *pump); /* all are closed: the memory is the caller's */
};

/* Fills what is zero but for the functions. near_fd is the pump's. */
void pctl_pump_init(struct pctl_pump *pump, uv_loop_t *loop, int near_fd);

/* 0: connected() follows. Else libuv's reason. */
int pctl_pump_connect(struct pctl_pump *pump, const struct sockaddr *addr);

/* Both ways, from now on. The device gets these n bytes of in.part first. */
void pctl_pump_run(struct pctl_pump *pump, size_t from, size_t n);

/* Ends it; the driver's descriptor is shut down. err (or NULL) is what it can ask for. */
void pctl_pump_end(struct pctl_pump *pump, const struct pctl_error *err);

/* Enters it among the channels of device, whose end is fd. */
void pctl_pump_enter(struct pctl_pump *pump, struct pctl_device *device, int fd);

#endif
