/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "suites.h"

void suites_read(const uint8_t *data, size_t len, struct suites *ret)
{
	ret->n = 0;
	for (size_t i = 1; i < len && ret->n < SUITES_IDS_MAX; i++)
		ret->id[ret->n++] = data[i];
}

/* Two to a byte behind a reserved one, the first in the low half; 0: nobody may use it. */
static unsigned level_of(unsigned at, const uint8_t *levels, size_t len)
{
	size_t byte = 1 + at / 2;

	return byte < len ? levels[byte] >> at % 2 * 4 & 0xfu : 0;
}

bool suites_takes(const struct suites *suites, uint8_t id, const uint8_t *levels, size_t len)
{
	for (unsigned i = 0; i < suites->n; i++)
		if (suites->id[i] == id && level_of(i, levels, len))
			return true;
	return false;
}
