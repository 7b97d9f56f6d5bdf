/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which records of a TLS connection are something that the client asks, seen from outside: what
 * belongs to the handshake is not, though TLS 1.3 encrypts the end of it like data. No I/O.
 */
#ifndef POWERCTL_CONFORM_RELAY_TLS_H
#define POWERCTL_CONFORM_RELAY_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RELAY_TLS_HANDSHAKE 22u

/* One connection's; zeroed at its beginning. */
struct relay_tls {
	unsigned char hello[80]; /* what the server says first */
	size_t have;
	size_t finished; /* how long the record is that ends the client's handshake, in 1.3 */
	unsigned left;   /* encrypted records of the handshake that may still come */
};

/* What the server sends, in the parts in which it comes. */
void relay_tls_said(struct relay_tls *tls, const void *data, size_t len);
/* The client has sent a record of that type, with len bytes behind its head. */
bool relay_tls_is_request(struct relay_tls *tls, uint8_t type, size_t len);

#endif
