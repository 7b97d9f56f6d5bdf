/* SPDX-License-Identifier: Apache-2.0 */
/* What the conformance tool counts of a TLS connection: as many requests as were written. */
#include "test.h"

#include "conformance/relay_tls.h"
#include "http_tls_server.h"

static struct {
	EVP_PKEY *key;
	X509 *cert;
} own;

static int set_up(void **state)
{
	(void)state;
	own.key = EVP_EC_gen("P-256");
	own.cert = tls_certificate("n1.example", own.key, NULL, NULL, 30);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	X509_free(own.cert);
	EVP_PKEY_free(own.key);
	return 0;
}

/* A client and a server, and what the relay between them makes of it. */
struct talk {
	SSL_CTX *contexts[2];
	SSL *client, *server;
	struct relay_tls tls;
	unsigned requests;
};

static int take_any(int ok, X509_STORE_CTX *store)
{
	(void)ok, (void)store;
	return 1;
}

static SSL *new_end(SSL_CTX *ctx, int version, const char *suites)
{
	assert_int_equal(SSL_CTX_set_min_proto_version(ctx, version), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(ctx, version), 1);
	if (suites)
		assert_int_equal(SSL_CTX_set_ciphersuites(ctx, suites), 1);
	SSL *ssl = SSL_new(ctx);
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	return ssl;
}

static void begin(struct talk *t, int version, const char *suites, bool client_cert)
{
	*t = (struct talk){ .contexts = { SSL_CTX_new(TLS_client_method()),
				    tls_context(own.cert, own.key) } };
	if (client_cert) {
		SSL_CTX_set_verify(t->contexts[1], SSL_VERIFY_PEER, take_any);
		assert_int_equal(SSL_CTX_use_certificate(t->contexts[0], own.cert), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(t->contexts[0], own.key), 1);
	}
	t->client = new_end(t->contexts[0], version, suites);
	t->server = new_end(t->contexts[1], version, suites);
	SSL_set_connect_state(t->client);
	SSL_set_accept_state(t->server);
}

static void end(struct talk *t)
{
	SSL_free(t->client);
	SSL_free(t->server);
	SSL_CTX_free(t->contexts[0]);
	SSL_CTX_free(t->contexts[1]);
}

/* What the client has written goes on, record by record. */
static void pass_on(struct talk *t)
{
	unsigned char *p;
	long n = BIO_get_mem_data(SSL_get_wbio(t->client), &p);

	for (long at = 0; at < n;) {
		size_t len = (size_t)p[at + 3] << 8 | p[at + 4];

		t->requests += relay_tls_is_request(&t->tls, p[at], len);
		at += 5 + (long)len;
		assert_true(at <= n);
	}
	if (n)
		assert_int_equal(BIO_write(SSL_get_rbio(t->server), p, (int)n), n);
	(void)BIO_reset(SSL_get_wbio(t->client));
}

/* And what the server has, byte by byte. */
static void pass_back(struct talk *t)
{
	unsigned char byte;

	while (BIO_read(SSL_get_wbio(t->server), &byte, 1) == 1) {
		relay_tls_said(&t->tls, &byte, 1);
		assert_int_equal(BIO_write(SSL_get_rbio(t->client), &byte, 1), 1);
	}
}

static void request(struct talk *t, const char *text)
{
	char got[64];

	assert_int_equal(SSL_write(t->client, text, (int)strlen(text)), strlen(text));
	pass_on(t);
	assert_int_equal(SSL_read(t->server, got, sizeof(got)), strlen(text));
	assert_int_equal(SSL_write(t->server, "OK\n", 3), 3);
	pass_back(t);
	assert_int_equal(SSL_read(t->client, got, sizeof(got)), 3);
}

static void check(int version, const char *suites, bool client_cert)
{
	struct talk t;

	begin(&t, version, suites, client_cert);
	for (int i = 0; i < 4; i++) {
		(void)SSL_do_handshake(t.client);
		pass_on(&t);
		(void)SSL_do_handshake(t.server);
		pass_back(&t);
	}
	assert_true(SSL_is_init_finished(t.client) && SSL_is_init_finished(t.server));
	assert_int_equal(t.requests, 0);
	request(&t, "LOGIN the-canary-sings\n");
	request(&t, "GET\n");
	request(&t, "LOGIN the-canary-sings\n");
	assert_int_equal(t.requests, 3);
	(void)SSL_shutdown(t.client);
	pass_on(&t);
	assert_int_equal(t.requests, 3);
	end(&t);
}

static void test_1_2(void **state)
{
	(void)state;
	check(TLS1_2_VERSION, NULL, false);
	check(TLS1_2_VERSION, NULL, true);
}

static void test_1_3(void **state)
{
	(void)state;
	check(TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256", false);
	check(TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384", false);
	check(TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256", true);
	check(TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384", true);
}

/* Where what is said is no server's greeting, nothing is left out. */
static void test_no_hello(void **state)
{
	struct relay_tls t = { 0 };
	unsigned char noise[100];

	(void)state;
	memset(noise, 0x13, sizeof(noise));
	relay_tls_said(&t, noise, sizeof(noise));
	assert_true(relay_tls_is_request(&t, 23, 53));
	t = (struct relay_tls){ 0 };
	noise[0] = 22, noise[5] = 2, noise[43] = 0xFF;
	relay_tls_said(&t, noise, sizeof(noise));
	assert_true(relay_tls_is_request(&t, 23, 53));
	assert_false(relay_tls_is_request(&t, 22, 53));
	assert_false(relay_tls_is_request(&t, 23, 19));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_1_2),
		cmocka_unit_test(test_1_3),
		cmocka_unit_test(test_no_hello),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
