/* SPDX-License-Identifier: Apache-2.0 */
/* A system's log: made-up entries, as many as a knob says, and what really happened. */
#ifndef POWERCTL_REDFISHSIM_EVENTS_H
#define POWERCTL_REDFISHSIM_EVENTS_H

#include <jansson.h>
#include <time.h>

#include "util.h"

struct host;

enum { EVENTS_KEPT = 16 };

struct event {
	time_t at;
	const char *text;
};

struct events {
	struct event ring[EVENTS_KEPT];
	uint32_t added;
	bool cleared;
};

/* text is a literal. */
void event_add(struct host *sys, const char *text);
void events_clear(struct host *sys);
uint32_t events_count(const struct host *sys);
/* The index-th entry (from 0); Id is index + 1. */
json_t *events_entry(const struct host *sys, uint32_t index);

#endif
