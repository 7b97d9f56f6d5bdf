/* SPDX-License-Identifier: Apache-2.0 */
#include "rmcp.h"

#include <string.h>

/* Version 6, no acknowledgement wanted, class ASF; then the enterprise number of ASF, 4542. */
static const uint8_t head[] = { 0x06, 0x00, 0xff, 0x06, 0x00, 0x00, 0x11, 0xbe };
static const uint8_t intel[] = { 0x00, 0x00, 0x01, 0x57 };

enum {
	TYPE_PING = 0x80,
	TYPE_PONG = 0x40,
	AT_TYPE = 8,
	AT_TAG = 9,
	AT_DATA_LEN = 11,
	AT_ENTERPRISE = 12,
	AT_PORT = 16,
	AT_VERSION = 18,
	AT_STATE = 19,
	AT_INTERACTIONS = 21,
	PONG_LEN = 22, /* as far as anything is read */
	INTERACTION_AMT = 0x20,
	STATE_BOTH_PORTS = 0x04,
};

void rmcp_ping(uint8_t tag, uint8_t packet[RMCP_PING_LEN])
{
	memset(packet, 0, RMCP_PING_LEN);
	memcpy(packet, head, sizeof(head));
	packet[AT_TYPE] = TYPE_PING;
	packet[AT_TAG] = tag;
}

/* The sequence number (the third byte) is what the answer likes. */
static bool is_asf(const uint8_t *p)
{
	return p[0] == head[0] && p[3] == head[3] && memcmp(p + 4, head + 4, 4) == 0;
}

bool rmcp_read_pong(const uint8_t *p, size_t len, struct rmcp_pong *ret)
{
	if (len < PONG_LEN || !is_asf(p) || p[AT_TYPE] != TYPE_PONG ||
		p[AT_DATA_LEN] < PONG_LEN - AT_ENTERPRISE ||
		memcmp(p + AT_ENTERPRISE, intel, sizeof(intel)) != 0 ||
		!(p[AT_INTERACTIONS] & INTERACTION_AMT) || (p[AT_STATE] & 3) == 3)
		return false;
	*ret = (struct rmcp_pong){
		.tag = p[AT_TAG],
		.port = (uint16_t)(p[AT_PORT] << 8 | p[AT_PORT + 1]),
		.major = p[AT_VERSION] >> 4,
		.minor = p[AT_VERSION] & 0x0f,
		.provisioning = p[AT_STATE] & 3,
		.both = p[AT_STATE] & STATE_BOTH_PORTS,
	};
	return true;
}
