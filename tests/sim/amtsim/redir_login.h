/* SPDX-License-Identifier: Apache-2.0 */
/* The login of a redirection session: bytes in, bytes out. */
#ifndef POWERCTL_AMTSIM_REDIR_LOGIN_H
#define POWERCTL_AMTSIM_REDIR_LOGIN_H

#include "util.h"

struct device;

struct redir_login {
	bool tls;
	uint8_t type; /* of the challenge that was given; 0: none */
	char realm[48];
	char nonce[40];
};

enum redir_verdict {
	REDIR_GOES_ON,
	REDIR_CHALLENGED,
	REDIR_LOGGED_IN,
	REDIR_REFUSED,
};

void redir_login_init(struct redir_login *login, bool tls);
void redir_login_done(struct redir_login *login);
/* A whole frame 13; what is to be said goes to out. */
enum redir_verdict redir_login_take(struct redir_login *login, struct device *dev,
	const uint8_t *frame, size_t n, struct buf *out);

#endif
