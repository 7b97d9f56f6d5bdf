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
struct web;

/* What a program is made of: as many devices of that size as its options say. */
struct fleet {
	const char *program;
	const struct fleet_options *options;
	size_t size;
	const struct knob_table *knobs;
	const struct counter_table *counters;
	/* Of a device in zeroed memory; n counts from 1. */
	void (*init)(struct device *dev, struct sim *sim, uint32_t n);
	void (*done)(struct device *dev);
	/* 0, or -1 having said what is in the way; stop() follows in any case. */
	int (*start)(const struct control *control);
	void (*stop)(const struct control *control);
	/*
	 * Members of an object, which has "n" already. Those that say who and where a device is are
	 * the ready line's as well: of more than 100 only the first is there; the others count up
	 * from it (by address), or all ports are listed (by port).
	 */
	void (*json_identity)(const struct device *dev, struct buf *out);
	void (*json_ports)(const struct control *control, struct buf *out);
	void (*json)(struct device *dev, struct buf *out);
	void (*json_brief)(struct device *dev, struct buf *out);
	/* What it was asked, the newest log_size calls of so many; call i as JSON. */
	uint32_t log_size;
	uint32_t (*calls)(const struct device *dev);
	void (*json_call)(const struct device *dev, uint32_t i, struct buf *out);
	void (*reset_counters)(struct device *dev);
	/* Of a fleet of HTTP services, else NULL; web_join() fills it in. */
	struct web *web;
	/* Calls of its own, beside the common ones. */
	const struct control_route *routes;
	size_t nroutes;

	/* fleet_make() fills them in. */
	uint32_t count;
	char *devices;
};

/* Makes the devices and sets their knobs as --set wants; 0, or -1 having said what is wrong. */
int fleet_make(struct fleet *fleet, struct sim *sim);
/* Takes a fleet that was never made. */
void fleet_done(struct fleet *fleet);

struct device *fleet_device(const struct fleet *fleet, uint32_t index);
void fleet_json_ready(const struct control *control, struct buf *out);
/* All there is to know of a device; or little. */
void fleet_json_device(const struct fleet *fleet, uint32_t index, struct buf *out);
void fleet_json_brief(const struct fleet *fleet, uint32_t index, struct buf *out);

/*
 * What main() does between making control and freeing it: set_up() fills in the fleet, unless the
 * command line ended it. The program's status.
 */
int fleet_main(struct control *control, uv_loop_t *loop, enum option_result parsed,
	int (*set_up)(struct sim *sim));
/*
 * Starts the devices and the control port (fleet and sim of which are filled in), says the ready
 * line, and runs until SIGTERM or SIGINT; nothing is left in the loop then. 0, or -1 having said on
 * stderr what is in the way.
 */
int fleet_serve(struct control *control, uv_loop_t *loop);

#endif
