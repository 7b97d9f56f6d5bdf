/* SPDX-License-Identifier: Apache-2.0 */
/* Pongs of strangers: one that is taken has a state and a version that can be named. */
#include <assert.h>

#include "rmcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rmcp_pong pong;

	if (!rmcp_read_pong(data, size, &pong))
		return 0;
	assert(size >= 22 && pong.provisioning < 3 && pong.major < 16 && pong.minor < 16);
	return 0;
}
