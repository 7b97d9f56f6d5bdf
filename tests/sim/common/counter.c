/* SPDX-License-Identifier: Apache-2.0 */
#include "counter.h"

#include "json.h"

static uint64_t *value_of(const struct counters *c, const struct counter *counter)
{
	return (uint64_t *)((uintptr_t)c + counter->at);
}

void counter_json(const struct counter *table, size_t n, const struct counters *c, struct buf *out)
{
	buf_char(out, '{');
	for (size_t i = 0; i < n; i++)
		json_member_number(out, table[i].name, *value_of(c, &table[i]));
	buf_char(out, '}');
}

void counter_add(
	const struct counter *table, size_t n, struct counters *total, const struct counters *c)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t value = *value_of(c, &table[i]);
		uint64_t *sum = value_of(total, &table[i]);

		if (!table[i].peak)
			*sum += value;
		else if (value > *sum)
			*sum = value;
	}
}
