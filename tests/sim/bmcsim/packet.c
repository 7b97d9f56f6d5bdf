/* SPDX-License-Identifier: Apache-2.0 */
#include "packet.h"

#include <string.h>

enum {
	RMCP_VERSION = 0x06,
	RMCP_NO_ACK = 0xFF,
	CLASS_ASF = 0x06,
	CLASS_IPMI = 0x07,
	ASF_PING = 0x80,
	ASF_PONG = 0x40,
	V15_HEAD = 10, /* without an authentication code */
	V20_HEAD = 12,
	BMC_ADDRESS = 0x20,
	NEXT_HEADER = 0x07,
};

static const uint8_t asf_enterprise[] = { 0x00, 0x00, 0x11, 0xBE };

uint16_t get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)get_u16(p) | (uint32_t)get_u16(p + 2) << 16;
}

uint8_t *put_u16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)value;
	p[1] = (uint8_t)(value >> 8);
	return p + 2;
}

uint8_t *put_u32(uint8_t *p, uint32_t value)
{
	return put_u16(put_u16(p, value), value >> 16);
}

uint8_t checksum(const uint8_t *p, size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += p[i];
	return (uint8_t)(0x100 - (sum & 0xFF));
}

static bool parse_ping(const uint8_t *p, size_t n, struct frame *ret)
{
	if (n < PACKET_RMCP + 8 || memcmp(p + 4, asf_enterprise, 4) != 0 || p[8] != ASF_PING)
		return false;
	*ret = (struct frame){ .kind = FRAME_PING, .tag = p[9] };
	return true;
}

static bool parse_v15(const uint8_t *p, size_t n, struct frame *ret)
{
	struct frame f = { .kind = FRAME_V15, .auth_type = p[4] };
	size_t at = PACKET_RMCP + 9;

	if (n < PACKET_RMCP + V15_HEAD)
		return false;
	f.sequence = get_u32(p + 5);
	f.session = get_u32(p + 9);
	if (f.auth_type != AUTH_NONE) {
		f.auth_code = p + at;
		at += 16;
	}
	if (n < at + 1 || n - at - 1 < p[at])
		return false;
	f.payload = p + at + 1;
	f.n = p[at];
	*ret = f;
	return true;
}

static bool parse_v20(const uint8_t *p, size_t n, struct frame *ret)
{
	struct frame f = { .kind = FRAME_V20, .auth_type = AUTH_RMCPPLUS };
	const size_t at = PACKET_RMCP + V20_HEAD;

	if (n < at)
		return false;
	f.encrypted = p[5] & 0x80;
	f.authenticated = p[5] & 0x40;
	f.payload_type = p[5] & 0x3F;
	f.session = get_u32(p + 6);
	f.sequence = get_u32(p + 10);
	f.payload = p + at;
	f.n = get_u16(p + 14);
	if (f.payload_type == PAYLOAD_OEM || n - at < f.n)
		return false;
	f.signed_from = p + PACKET_RMCP;
	f.signed_n = n - PACKET_RMCP;
	*ret = f;
	return true;
}

bool frame_parse(const uint8_t *p, size_t n, struct frame *ret)
{
	if (n <= PACKET_RMCP || p[0] != RMCP_VERSION)
		return false;
	if (p[3] == CLASS_ASF)
		return parse_ping(p, n, ret);
	if (p[3] != CLASS_IPMI)
		return false;
	return p[4] == AUTH_RMCPPLUS ? parse_v20(p, n, ret) : parse_v15(p, n, ret);
}

bool frame_trailer(const struct frame *f, size_t code_n, size_t *ret_over, const uint8_t **ret_code)
{
	size_t head = V20_HEAD + f->n, over, pad;

	if (f->signed_n < head + 2 + code_n)
		return false;
	over = f->signed_n - code_n;
	pad = f->signed_from[over - 2];
	if (f->signed_from[over - 1] != NEXT_HEADER || over != head + pad + 2)
		return false;
	*ret_over = over;
	*ret_code = f->signed_from + over;
	return true;
}

bool message_parse(const uint8_t *p, size_t n, struct message *ret)
{
	if (n < 7 || checksum(p, 3) || checksum(p + 3, n - 3))
		return false;
	*ret = (struct message){
		.netfn = p[1] >> 2,
		.lun = p[1] & 3,
		.rq_address = p[3],
		.rq_seq = p[4] >> 2,
		.rq_lun = p[4] & 3,
		.command = p[5],
		.data = p + 6,
		.n = n - 7,
	};
	return true;
}

size_t message_respond(
	const struct message *m, uint8_t cc, const uint8_t *data, size_t n, uint8_t *out)
{
	out[0] = m->rq_address;
	out[1] = (uint8_t)((m->netfn | 1) << 2 | m->rq_lun);
	out[2] = checksum(out, 2);
	out[3] = BMC_ADDRESS;
	out[4] = (uint8_t)(m->rq_seq << 2 | m->lun);
	out[5] = m->command;
	out[6] = cc;
	if (n)
		memcpy(out + 7, data, n);
	out[7 + n] = checksum(out + 3, 4 + n);
	return MESSAGE_FRAME + n;
}

static void rmcp_head(uint8_t class, uint8_t *out)
{
	out[0] = RMCP_VERSION;
	out[1] = 0;
	out[2] = RMCP_NO_ACK;
	out[3] = class;
}

void pong_build(uint8_t tag, bool ipmi, uint8_t *out)
{
	memset(out, 0, PACKET_PONG);
	rmcp_head(CLASS_ASF, out);
	memcpy(out + 4, asf_enterprise, 4);
	out[8] = ASF_PONG;
	out[9] = tag;
	out[11] = 16;
	memcpy(out + 12, asf_enterprise, 4);
	out[20] = ipmi ? 0x81 : 0x01;
}

size_t frame_head_v15(
	uint8_t auth_type, uint32_t sequence, uint32_t session, uint8_t n, uint8_t *out)
{
	uint8_t *at = out + PACKET_RMCP;

	rmcp_head(CLASS_IPMI, out);
	*at++ = auth_type;
	at = put_u32(at, sequence);
	at = put_u32(at, session);
	if (auth_type != AUTH_NONE) {
		memset(at, 0, 16);
		at += 16;
	}
	*at++ = n;
	return (size_t)(at - out);
}

size_t frame_head_v20(
	uint8_t payload_type, uint32_t session, uint32_t sequence, size_t n, uint8_t *out)
{
	uint8_t *at = out + PACKET_RMCP;

	rmcp_head(CLASS_IPMI, out);
	*at++ = AUTH_RMCPPLUS;
	*at++ = payload_type;
	at = put_u32(at, session);
	at = put_u32(at, sequence);
	at = put_u16(at, (uint32_t)n);
	return (size_t)(at - out);
}
