/* SPDX-License-Identifier: Apache-2.0 */
/* What every stand-in's process is: devices in a row, a control port, a ready line, an end. */
#ifndef POWERCTL_SIM_FLEET_H
#define POWERCTL_SIM_FLEET_H

#include <uv.h>

#include "counter.h"
#include "knob.h"
#include "option.h"

struct control;
struct control_route;
struct sim;

/* What a program is made of: count devices of that size. */
struct fleet {
	const char *program;
	const struct fleet_options *options;
	uint32_t count;
	char *devices;
	size_t size;
	const struct knob_table *knobs;
	const struct counter_table *counters;
	/* 0, or -1 having said what is in the way; stop() follows in any case. */
	int (*start)(struct sim *sim);
	void (*stop)(struct sim *sim);
	/*
	 * Members of the ready line: of each device. Of more than 100 only the first is there; the
	 * others count up from it (by address), or all ports are listed (by port).
	 */
	void (*json_identity)(const struct device *dev, struct buf *out);
	void (*json_ports)(struct sim *sim, struct buf *out);
	void (*json)(struct device *dev, struct buf *out);
	void (*json_brief)(struct device *dev, struct buf *out);
	void (*reset_counters)(struct device *dev);
	/* Calls of its own, beside the common ones. */
	const struct control_route *routes;
	size_t nroutes;
};

struct device *fleet_device(const struct fleet *fleet, uint32_t index);
void fleet_json_ready(const struct control *control, struct buf *out);

/*
 * Starts the devices and the control port (fleet and sim of which are filled in), says the ready
 * line, and runs until SIGTERM or SIGINT; nothing is left in the loop then. 0, or -1 having said on
 * stderr what is in the way.
 */
int fleet_serve(struct control *control, uv_loop_t *loop);

#endif
