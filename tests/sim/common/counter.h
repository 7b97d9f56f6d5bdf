/* SPDX-License-Identifier: Apache-2.0 */
/* A struct counters of uint64_t, which each program defines, by names. */
#ifndef POWERCTL_SIM_COUNTER_H
#define POWERCTL_SIM_COUNTER_H

#include "util.h"

struct counters;
struct device;

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

struct counter_table {
	const struct counter *counters;
	size_t count;
	/* Where in a struct device its struct counters is. */
	size_t at;
};

/* A JSON object of all counters. */
void counter_json(const struct counter_table *table, const struct device *dev, struct buf *out);
/* The same of n devices together, which are size bytes each. */
void counter_json_totals(const struct counter_table *table, const char *devices, size_t size,
	size_t n, struct buf *out);

#endif
