/* SPDX-License-Identifier: Apache-2.0 */
#include "node/socks5.h"

#include <arpa/inet.h>
#include <string.h>

#define VERSION       5u
#define LOGIN_VERSION 1u
#define CONNECT       1u
#define IPV4          1u
#define NAME          3u
#define IPV6          4u
#define NO_LOGIN      0u
#define PASSWORD      2u
#define NONE_OF_THEM  0xffu

static void put(struct pctl_socks5 *s, const void *bytes, size_t n)
{
	memcpy(s->send + s->send_n, bytes, n);
	s->send_n += n;
}

static void put_byte(struct pctl_socks5 *s, unsigned byte)
{
	s->send[s->send_n++] = (uint8_t)byte;
}

int pctl_socks5_begin(struct pctl_socks5 *s, const char *host, uint16_t port, const char *user,
	const struct pctl_secret *secret, struct pctl_error *err)
{
	size_t len = strlen(host);

	if (!len || len > PCTL_SOCKS5_NAME_MAX)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"SOCKS takes names of 1 to %u bytes; this one has %zu",
			PCTL_SOCKS5_NAME_MAX, len);
	*s = (struct pctl_socks5){ .host = host, .port = port, .user = user, .secret = secret };
	put_byte(s, VERSION);
	put_byte(s, user ? 2 : 1);
	put_byte(s, NO_LOGIN);
	if (user)
		put_byte(s, PASSWORD);
	return 0;
}

void pctl_socks5_done(struct pctl_socks5 *s)
{
	explicit_bzero(s->send, sizeof(s->send));
	s->send_n = 0;
}

/* --- What goes out. --------------------------------------------------------------------------- */

static void ask_connect(struct pctl_socks5 *s)
{
	uint8_t number[16], port[2] = { (uint8_t)(s->port >> 8), (uint8_t)s->port };
	size_t len = strlen(s->host);

	s->step = PCTL_SOCKS5_REPLY;
	put_byte(s, VERSION);
	put_byte(s, CONNECT);
	put_byte(s, 0);
	if (inet_pton(AF_INET, s->host, number) == 1) {
		put_byte(s, IPV4);
		put(s, number, 4);
	} else if (inet_pton(AF_INET6, s->host, number) == 1) {
		put_byte(s, IPV6);
		put(s, number, 16);
	} else {
		put_byte(s, NAME);
		put_byte(s, (unsigned)len);
		put(s, s->host, len);
	}
	put(s, port, sizeof(port));
}

static int log_in(struct pctl_socks5 *s, struct pctl_error *err)
{
	size_t user = s->user ? strlen(s->user) : 0;
	size_t password = s->secret ? pctl_secret_len(s->secret) : 0;

	if (!user || user > 255 || !password || password > 255)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"it wants a login, and that takes a user and a password of 1 to 255 bytes; "
			"check `via_credential`");
	s->step = PCTL_SOCKS5_LOGIN;
	put_byte(s, LOGIN_VERSION);
	put_byte(s, (unsigned)user);
	put(s, s->user, user);
	put_byte(s, (unsigned)password);
	put(s, pctl_secret_data(s->secret), password);
	return 0;
}

/* --- What comes in. --------------------------------------------------------------------------- */

static int take_method(struct pctl_socks5 *s, struct pctl_error *err)
{
	if (s->taken[0] != VERSION)
		return pctl_error_set(err, PCTL_E_PROTOCOL, "what answers there is not SOCKS 5");
	switch (s->taken[1]) {
	case NO_LOGIN:
		ask_connect(s);
		return 0;
	case PASSWORD:
		if (s->user)
			return log_in(s, err);
		break;
	case NONE_OF_THEM:
		return s->user ? pctl_error_set(err, PCTL_E_AUTH,
					 "it takes neither a password nor nobody's requests")
			       : pctl_error_set(err, PCTL_E_AUTH,
					 "it wants a login: say `via_credential: NAME`, a "
					 "credential with username and password");
	default:
		break;
	}
	return pctl_error_set(err, PCTL_E_PROTOCOL, "it chose a login that was not offered");
}

static int take_login(struct pctl_socks5 *s, struct pctl_error *err)
{
	if (s->taken[1] != 0)
		return pctl_error_set(
			err, PCTL_E_AUTH, "it refused user or password; check `via_credential`");
	ask_connect(s);
	return 0;
}

/* RFC 1928, section 6. */
static const struct {
	int code;
	unsigned flags;
	const char *text;
} replies[] = {
	[1] = { PCTL_E_UNREACHABLE, 0, "it failed, and does not say why" },
	[2] = { PCTL_E_FORBIDDEN, 0, "its rules do not allow this connection" },
	[3] = { PCTL_E_UNREACHABLE, 0, "no route from there to the network" },
	[4] = { PCTL_E_UNREACHABLE, 0, "no route from there to it" },
	[5] = { PCTL_E_UNREACHABLE, PCTL_ERROR_NOT_LISTENING, "connection refused" },
	[6] = { PCTL_E_UNREACHABLE, 0, "it gave up on the way there (TTL expired)" },
	[7] = { PCTL_E_UNSUPPORTED, 0, "it has no CONNECT" },
	[8] = { PCTL_E_UNSUPPORTED, 0, "it does not take this kind of address" },
};

static int take_reply(const struct pctl_socks5 *s, struct pctl_error *err)
{
	unsigned reply = s->taken[1];

	if (s->taken[0] != VERSION)
		return pctl_error_set(err, PCTL_E_PROTOCOL, "its reply is not SOCKS 5");
	if (reply == 0)
		return 1;
	if (reply >= sizeof(replies) / sizeof(replies[0]))
		pctl_error_set(err, PCTL_E_PROTOCOL, "it refused for a reason without a name");
	else
		pctl_error_set(err, replies[reply].code, "%s", replies[reply].text);
	if (reply < sizeof(replies) / sizeof(replies[0]))
		(void)pctl_error_flag(err, replies[reply].flags);
	(void)pctl_error_device_code(err, "SOCKS reply %u", reply);
	return reply < sizeof(replies) / sizeof(replies[0]) ? replies[reply].code : PCTL_E_PROTOCOL;
}

/* How long the message is whose beginning was taken; 0: no such thing. */
static size_t length_of(const struct pctl_socks5 *s)
{
	if (s->step != PCTL_SOCKS5_REPLY || s->taken_n < 2)
		return 2;
	if (s->taken[1] != 0 || s->taken[0] != VERSION)
		return 2; /* some servers close behind these */
	if (s->taken_n < 5)
		return 5;
	switch (s->taken[3]) {
	case IPV4:
		return 4 + 4 + 2;
	case IPV6:
		return 4 + 16 + 2;
	case NAME:
		return 4 + 1 + (size_t)s->taken[4] + 2;
	default:
		return 0;
	}
}

static int take_message(struct pctl_socks5 *s, struct pctl_error *err)
{
	s->taken_n = 0;
	switch (s->step) {
	case PCTL_SOCKS5_METHOD:
		return take_method(s, err);
	case PCTL_SOCKS5_LOGIN:
		return take_login(s, err);
	default:
		s->step = PCTL_SOCKS5_OPEN;
		return take_reply(s, err);
	}
}

int pctl_socks5_take(struct pctl_socks5 *s, const uint8_t *data, size_t len, size_t *ret_used,
	struct pctl_error *err)
{
	size_t used = 0;
	int r = s->step == PCTL_SOCKS5_OPEN;

	pctl_socks5_done(s); /* whoever calls has sent it */
	while (r == 0 && !s->send_n && used < len) {
		s->taken[s->taken_n++] = data[used++];
		size_t whole = length_of(s);
		if (!whole)
			r = pctl_error_set(
				err, PCTL_E_PROTOCOL, "its reply has no kind of address");
		else if (s->taken_n == whole)
			r = take_message(s, err);
	}
	*ret_used = used;
	return r;
}
