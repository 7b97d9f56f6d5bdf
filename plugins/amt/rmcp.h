/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RMCP presence ping and pong (ASF 2.0, sections 3.2.2, 3.2.4.2 and 3.2.4.3) as Intel AMT answers
 * them, bytes to structs and back, no I/O.
 */
#ifndef POWERCTL_AMT_RMCP_H
#define POWERCTL_AMT_RMCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RMCP_PING_LEN 12u
#define RMCP_PONG_MAX 128u /* of what is looked at; a pong is far shorter */

struct rmcp_pong {
	uint8_t tag;
	uint16_t port; /* of WS-Management, plain or TLS; 0: not told */
	uint8_t major, minor;
	uint8_t provisioning; /* 0: pre, 1: in, 2: post */
	bool both;            /* plain and TLS ports are open */
};

void rmcp_ping(uint8_t tag, uint8_t packet[RMCP_PING_LEN]);
/* False: no pong, or not one of Intel AMT. */
bool rmcp_read_pong(const uint8_t *packet, size_t len, struct rmcp_pong *ret);

#endif
