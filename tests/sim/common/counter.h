/* SPDX-License-Identifier: Apache-2.0 */
/* A struct counters of uint64_t, which each program defines, by names. */
#ifndef POWERCTL_SIM_COUNTER_H
#define POWERCTL_SIM_COUNTER_H

#include "util.h"

struct counters;

struct counter {
	const char *name;
	size_t at;
	/* The total is the highest one, not the sum. */
	bool peak;
};

#define COUNTER(member)                                           \
	{                                                         \
#member, offsetof(struct counters, member), false \
	}
#define COUNTER_PEAK(member)                                     \
	{                                                        \
#member, offsetof(struct counters, member), true \
	}

void counter_json(const struct counter *table, size_t n, const struct counters *c, struct buf *out);
void counter_add(
	const struct counter *table, size_t n, struct counters *total, const struct counters *c);

#endif
