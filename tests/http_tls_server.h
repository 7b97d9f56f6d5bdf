/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of TLS begin with: certificates made on the spot, and a server on a thread of its own.
 */
#ifndef POWERCTL_TESTS_HTTP_TLS_SERVER_H
#define POWERCTL_TESTS_HTTP_TLS_SERVER_H

#include <pthread.h>
#include <stdint.h>

#include <openssl/ssl.h>
#include <openssl/x509.h>

/* Signed by issuer, or by itself where that is NULL; the caller frees it. */
X509 *tls_certificate(
	const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, long days);
/* Of a server that shows cert. */
SSL_CTX *tls_context(X509 *cert, EVP_PKEY *key);

struct tls_server {
	int fd; /* serve() accepts from it until that fails */
	uint16_t port;
	SSL_CTX *ctx; /* NULL: plain */
	pthread_t thread;
};

/* On a port of 127.0.0.1 that the kernel gives; serve(data) runs on the thread. */
void tls_server_start(
	struct tls_server *s, SSL_CTX *take_ctx, void *(*serve)(void *data), void *data);
/* Returns when serve() has. */
void tls_server_stop(struct tls_server *s);

#endif
