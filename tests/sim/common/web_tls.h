/* SPDX-License-Identifier: Apache-2.0 */
/* TLS over bytes that somebody else carries. */
#ifndef POWERCTL_SIM_WEB_TLS_H
#define POWERCTL_SIM_WEB_TLS_H

#include "util.h"

struct web_device;
struct web;
struct web_tls;

/* The context of the process; 0, or -1 having said on stderr why not. */
int tls_setup(struct web *web);
void tls_teardown(struct web *web);

/* The same key, and another certificate from the next connection on. */
void tls_forget_certificate(struct web_device *dev);
/* The device shows a new key and certificate from the next handshake on. */
void tls_new_certificate(struct web_device *dev);

struct web_tls *tls_new(struct web_device *dev);
void tls_free(struct web_tls *tls);

enum tls_result {
	TLS_OPEN,
	/* The peer said goodbye, or broke the protocol after the handshake. */
	TLS_ENDED,
	/* The handshake came to nothing. */
	TLS_FAILED,
};

/* n bytes came in. Plain text is appended to in, bytes for the wire (alerts too) to out. */
enum tls_result tls_feed(
	struct web_tls *tls, const char *p, size_t n, struct buf *in, struct buf *out);
/* Encrypts n bytes to out. */
void tls_write(struct web_tls *tls, const char *p, size_t n, struct buf *out);
/* A close_notify for out. */
void tls_close(struct web_tls *tls, struct buf *out);

#endif
