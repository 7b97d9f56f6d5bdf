/* SPDX-License-Identifier: Apache-2.0 */
/* What one datagram means to a BMC, and what it sends back: sessions around messages. */
#ifndef POWERCTL_BMCSIM_WIRE_H
#define POWERCTL_BMCSIM_WIRE_H

#include <sys/socket.h>

#include "packet.h"

struct device;
struct request;
struct session;

/* Answers through server_send, at once or later. */
void wire_receive(
	struct device *dev, const struct sockaddr_storage *peer, const uint8_t *p, size_t n);
/* A payload of an active 2.0 session, to its console. */
void wire_send_payload(struct device *dev, struct session *s, enum payload_type type,
	const uint8_t *p, size_t n, uint64_t after_ms);
/* The authentication code of a 1.5 packet, 22.17.1. */
void wire_code_v15(struct device *dev, const struct session *s, uint8_t auth_type,
	uint32_t sequence, const uint8_t *p, size_t n, uint8_t out[16]);

#endif
