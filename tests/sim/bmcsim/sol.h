/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serial over LAN, sections 15 and 24: packets with 4-bit numbers, one in flight each way, each one
 * answered with how many of its characters were taken.
 */
#ifndef POWERCTL_BMCSIM_SOL_H
#define POWERCTL_BMCSIM_SOL_H

#include "util.h"

struct device;
struct session;
struct sol;

enum {
	SOL_INSTANCES = 4,
	SOL_HEAD = 4,
	SOL_OTHER = 0x0BADC0DE, /* the session of whoever has taken it */
};

/* The order is that of the words in knobs.c. */
enum sol_taken { SOL_FREE, SOL_TAKEN, SOL_HELD };
enum sol_encryption { SOL_ANY, SOL_FORCED, SOL_REFUSED };
enum sol_sizes { SOL_SIZES_RIGHT, SOL_SIZES_SWAPPED, SOL_SIZES_ZERO };

/* What Set SOL Configuration Parameters keeps; nothing but enable has an effect. */
struct sol_settings {
	uint8_t progress;
	uint8_t enable;
	uint8_t authentication;
	uint8_t accumulate[2];
	uint8_t retry[2];
	uint8_t rate;
	uint8_t rate_now;
};

void sol_settings_init(struct sol_settings *s);
/* Instances count from 1. */
void sol_activate(struct device *dev, struct session *s, uint32_t instance);
/* Tells the console, unless it asked itself. */
void sol_deactivate(struct device *dev, uint32_t instance, const struct session *by);
bool sol_active(const struct device *dev, uint32_t instance);
/* 0: nobody's. */
uint32_t sol_session(const struct device *dev, uint32_t instance);
/* A payload of an active session. */
void sol_receive(struct device *dev, struct session *s, const uint8_t *p, size_t n);
void sol_session_gone(struct device *dev, struct session *s);
/* The knob sol_taken has changed. */
void sol_take(struct device *dev);

#endif
