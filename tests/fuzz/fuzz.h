/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzz targets of texts share. */
#ifndef POWERCTL_TESTS_FUZZ_H
#define POWERCTL_TESTS_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void require(bool holds)
{
	if (!holds)
		abort();
}

/* More nodes than numbers of 4 digits stand for take long and show no more. */
static inline bool has_many_digits(const char *text)
{
	for (; *text; text++) {
		size_t n = strspn(text, "0123456789");

		if (n > 4)
			return true;
		text += n ? n - 1 : 0;
	}
	return false;
}

#endif
