/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The login of a redirection session, as a conversation of frames; no I/O. The device says which
 * kinds it takes; Digest (RFC 2617, else 2069) is taken of them. The password itself is sent only
 * over TLS, and only where the device takes nothing else.
 */
#ifndef POWERCTL_AMT_REDIRECTION_LOGIN_H
#define POWERCTL_AMT_REDIRECTION_LOGIN_H

#include <powerctl/secret.h>

#include "redirection/frame.h"

struct login {
	/* The caller's, borrowed until it is over. */
	const char *username;
	const struct pctl_secret *password;
	bool tls;
	/* 0, or why this is another machine: nothing that depends on the password is sent then. */
	int (*check_realm)(void *data, const char *realm, struct pctl_error *err);
	void *data;

	/* Private. */
	enum { LOGIN_ASKED, LOGIN_BEGUN, LOGIN_ANSWERED } step;
	enum login_type type;
};

/* Asks which logins there are. What is to be sent is added to out, which may hold secrets. */
void login_begin(struct login *login, struct pctl_buf *out);

/*
 * The device's next frame. 1: logged in; 0: out has what is to be sent; else it is over:
 * PCTL_E_AUTH for a user or password that was refused, which is not tried again.
 */
int login_take(struct login *login, const struct frame *frame, struct pctl_buf *out,
	struct pctl_error *err);

#endif
