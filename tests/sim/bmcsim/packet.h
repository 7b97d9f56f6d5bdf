/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams to structures and back; no I/O, no keys. IPMI 2.0 specification: 13.1 RMCP, 13.6 the
 * session headers, 13.8 IPMI messages, 13.2.3 presence ping. Everything here points into the
 * caller's bytes.
 */
#ifndef POWERCTL_BMCSIM_PACKET_H
#define POWERCTL_BMCSIM_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PACKET_MAX = 1024,
	PACKET_RMCP = 4,
	PACKET_PONG = 28,
	MESSAGE_MAX = 272, /* data of one message */
	MESSAGE_FRAME = 8, /* what is around the data of a response, with its completion code */
};

enum frame_kind {
	FRAME_PING,
	FRAME_V15,
	FRAME_V20,
};

enum auth_type {
	AUTH_NONE = 0,
	AUTH_MD2 = 1,
	AUTH_MD5 = 2,
	AUTH_PASSWORD = 4,
	AUTH_OEM = 5,
	AUTH_RMCPPLUS = 6,
};

enum payload_type {
	PAYLOAD_IPMI = 0x00,
	PAYLOAD_SOL = 0x01,
	PAYLOAD_OEM = 0x02,
	PAYLOAD_OPEN_REQUEST = 0x10,
	PAYLOAD_OPEN_RESPONSE = 0x11,
	PAYLOAD_RAKP1 = 0x12,
	PAYLOAD_RAKP2 = 0x13,
	PAYLOAD_RAKP3 = 0x14,
	PAYLOAD_RAKP4 = 0x15,
};

struct frame {
	enum frame_kind kind;
	uint8_t tag;       /* of a ping */
	uint8_t auth_type; /* 1.5 */
	uint8_t payload_type;
	bool encrypted;
	bool authenticated;
	uint32_t sequence;
	uint32_t session;
	const uint8_t *auth_code; /* 1.5: 16 bytes; NULL without */
	const uint8_t *payload;
	size_t n;
	/* 2.0: from the authentication type to the end of the datagram. */
	const uint8_t *signed_from;
	size_t signed_n;
};

/* A request, without its checksums. */
struct message {
	uint8_t netfn;
	uint8_t lun;
	uint8_t rq_address;
	uint8_t rq_seq;
	uint8_t rq_lun;
	uint8_t command;
	const uint8_t *data;
	size_t n;
};

uint16_t get_u16(const uint8_t *p);
uint32_t get_u32(const uint8_t *p);
uint8_t *put_u16(uint8_t *p, uint32_t value);
uint8_t *put_u32(uint8_t *p, uint32_t value);
/* 8-bit two's complement. */
uint8_t checksum(const uint8_t *p, size_t n);

/* False: nothing that a BMC reads. */
bool frame_parse(const uint8_t *p, size_t n, struct frame *ret);
/*
 * The trailer of an authenticated 2.0 frame whose code has that many bytes: how much of signed_from
 * the code is over, and the code behind it; false if it does not fit.
 */
bool frame_trailer(
	const struct frame *f, size_t code_n, size_t *ret_over, const uint8_t **ret_code);
/* False: too short, or a checksum is wrong. */
bool message_parse(const uint8_t *p, size_t n, struct message *ret);
/* out has room for n + MESSAGE_FRAME bytes; how many it took. */
size_t message_respond(
	const struct message *m, uint8_t cc, const uint8_t *data, size_t n, uint8_t *out);
/* PACKET_PONG bytes. */
void pong_build(uint8_t tag, bool ipmi, uint8_t *out);
/* The headers in front of a payload of n bytes; how many bytes they are. */
size_t frame_head_v15(
	uint8_t auth_type, uint32_t sequence, uint32_t session, uint8_t n, uint8_t *out);
size_t frame_head_v20(
	uint8_t payload_type, uint32_t session, uint32_t sequence, size_t n, uint8_t *out);

#endif
