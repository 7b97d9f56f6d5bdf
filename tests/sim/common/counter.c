/* SPDX-License-Identifier: Apache-2.0 */
#include "counter.h"

#include "json.h"

static uint64_t value_of(const struct counter_table *table, const char *dev, size_t i)
{
	return *(const uint64_t *)(const void *)(dev + table->at + table->counters[i].at);
}

void counter_json_totals(const struct counter_table *table, const char *devices, size_t size,
	size_t n, struct buf *out)
{
	buf_char(out, '{');
	for (size_t i = 0; i < table->count; i++) {
		uint64_t total = 0;

		for (size_t k = 0; k < n; k++) {
			uint64_t value = value_of(table, devices + k * size, i);

			if (!table->counters[i].peak)
				total += value;
			else if (value > total)
				total = value;
		}
		json_member_number(out, table->counters[i].name, total);
	}
	buf_char(out, '}');
}

void counter_json(const struct counter_table *table, const struct device *dev, struct buf *out)
{
	counter_json_totals(table, (const char *)dev, 0, 1, out);
}
