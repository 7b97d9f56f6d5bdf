/* SPDX-License-Identifier: Apache-2.0 */
#include "relay_tls.h"

#include <string.h>

/*
 * Source: RFC 8446, 5.1 and 5.2 (records, and what is around an encrypted one), 4.1.3 (ServerHello)
 * and B.4 (its suites, which say that it is 1.3). Data is of type 23; so are, since 1.3, the alert
 * at the end of a connection (2 bytes) and the client's Finished, which is as long as the suite's
 * hash and has his certificate and its proof before it where the server asks for one.
 */
#define DATA           23u
#define SERVER_HELLO   2u
#define SESSION_AT     43u /* its length; a record's head and a message's are before it */
#define SUITE_1_3      0x13u
#define SHA384_SUITE   2u
#define AROUND         17u /* type and tag */
#define ALERT_LEN      (2u + AROUND)
#define FINISHED(hash) (4u + (hash) + AROUND)
#define HANDSHAKE_MOST 3u

static void read_hello(struct relay_tls *t)
{
	const unsigned char *p = t->hello;
	size_t at = SESSION_AT + 1;

	if (p[0] != RELAY_TLS_HANDSHAKE || p[5] != SERVER_HELLO || p[SESSION_AT] > 32)
		return;
	at += p[SESSION_AT];
	if (p[at] != SUITE_1_3)
		return;
	t->finished = p[at + 1] == SHA384_SUITE ? FINISHED(48u) : FINISHED(32u);
	t->left = HANDSHAKE_MOST;
}

void relay_tls_said(struct relay_tls *t, const void *data, size_t len)
{
	size_t room = sizeof(t->hello) - t->have, n = len < room ? len : room;

	if (!n)
		return;
	memcpy(t->hello + t->have, data, n);
	t->have += n;
	if (t->have == sizeof(t->hello))
		read_hello(t);
}

bool relay_tls_is_request(struct relay_tls *t, uint8_t type, size_t len)
{
	if (type != DATA || len <= ALERT_LEN)
		return false;
	if (!t->left)
		return true;
	t->left = len == t->finished ? 0 : t->left - 1;
	return false;
}
