/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jitter.h"

#include <uv.h>

uint64_t pctl_jitter(uint64_t ms)
{
	/* Not for secrets: only spreads work in time. */
	uint64_t x = uv_hrtime() * 2862933555777941757u + 3037000493u;

	return ms - ms / 4 + (x >> 33) % (ms / 2 + 1);
}
