/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SOCKS version 5 (RFC 1928), a client's CONNECT, with the login of RFC 1929. Bytes in, bytes out:
 * who carries them is not its matter.
 */
#ifndef POWERCTL_CORE_SOCKS5_H
#define POWERCTL_CORE_SOCKS5_H

#include <stdint.h>

#include <powerctl/error.h>
#include <powerctl/secret.h>

#define PCTL_SOCKS5_NAME_MAX 255u
/* What the server may say at one time: a reply with a name of 255 bytes (section 6). */
#define PCTL_SOCKS5_TAKE_MAX 262u
/* What goes out at one time: a login with two texts of 255 bytes. */
#define PCTL_SOCKS5_SEND_MAX 515u

enum pctl_socks5_step {
	PCTL_SOCKS5_METHOD,
	PCTL_SOCKS5_LOGIN,
	PCTL_SOCKS5_REPLY,
	PCTL_SOCKS5_OPEN,
};

struct pctl_socks5 {
	enum pctl_socks5_step step;
	const char *host; /* a name, which the server resolves, or a number */
	uint16_t port;
	const char *user; /* NULL: only without a login */
	const struct pctl_secret *secret;
	uint8_t taken[PCTL_SOCKS5_TAKE_MAX];
	size_t taken_n;
	uint8_t send[PCTL_SOCKS5_SEND_MAX]; /* holds the password for a while */
	size_t send_n;
};

/* Texts are borrowed. send has what is to be sent first. PCTL_E_CONFIG: the name is too long. */
int pctl_socks5_begin(struct pctl_socks5 *s, const char *host, uint16_t port, const char *user,
	const struct pctl_secret *secret, struct pctl_error *err);

/*
 * Takes what came, and no more than belongs to the handshake; *ret_used says how much. 1: the
 * channel is open, and what is left is the device's. 0: go on; send_n is what to send now, or 0 for
 * nothing. Negative: the class, with the server's reason in words.
 */
int pctl_socks5_take(struct pctl_socks5 *s, const uint8_t *data, size_t len, size_t *ret_used,
	struct pctl_error *err);

/* Wipes what was sent. */
void pctl_socks5_done(struct pctl_socks5 *s);

#endif
