/* SPDX-License-Identifier: Apache-2.0 */
/* Whom we trust: certificates made here, shown by an OpenSSL server on a thread of its own. */
#include "http_fake.h"
#include "http_tls_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "internal.h"

struct server {
	struct tls_server tls;
	int requests, goodbyes; /* read after the thread has ended */
};

struct bench {
	char folder[64], ca_file[96], cert_file[96], key_file[96];
	EVP_PKEY *ca_key, *key;
	X509 *ca, *cert;
	uv_loop_t loop;
	struct pctl_device device;
	struct pctl_http *http;
	struct pctl_http_session *session;
	struct pctl_op op;
	struct server server;
	bool serving;

	int done, status;
	struct pctl_error err;
};

/* --- Certificates. ---------------------------------------------------------------------------- */

static void write_cert(const char *path, X509 *cert)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, cert), 1);
	assert_int_equal(fclose(f), 0);
}

static void make_files(struct bench *b)
{
	test_folder(b->folder, sizeof(b->folder));
	(void)snprintf(b->ca_file, sizeof(b->ca_file), "%s/ca.pem", b->folder);
	(void)snprintf(b->cert_file, sizeof(b->cert_file), "%s/cert.pem", b->folder);
	(void)snprintf(b->key_file, sizeof(b->key_file), "%s/key.pem", b->folder);
	b->ca_key = EVP_EC_gen("P-256");
	b->key = EVP_EC_gen("P-256");
	b->ca = tls_certificate("Test CA", b->ca_key, NULL, NULL, 10);
	b->cert = tls_certificate("n1.example", b->key, b->ca, b->ca_key, 10);
	write_cert(b->ca_file, b->ca);
	write_cert(b->cert_file, b->cert);
	FILE *f = fopen(b->key_file, "we");
	assert_int_equal(PEM_write_PrivateKey(f, b->key, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(fclose(f), 0);
}

/* --- The server. ------------------------------------------------------------------------------ */

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

static void serve_plain(int fd)
{
	static const char bad[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
	char in[4096];

	if (read(fd, in, sizeof(in)) > 0)
		(void)!write(fd, bad, sizeof(bad) - 1);
}

static void serve_tls(struct server *s, int fd)
{
	SSL *ssl = SSL_new(s->tls.ctx);
	char in[4096];
	int n = -1;

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1) {
		/* A request is small enough to come in one record. */
		while ((n = SSL_read(ssl, in, sizeof(in))) > 0) {
			s->requests++;
			(void)SSL_write(ssl, answer, sizeof(answer) - 1);
		}
		s->goodbyes += SSL_get_error(ssl, n) == SSL_ERROR_ZERO_RETURN;
	}
	/* Lingers as servers do, or a reset would overtake the alert. */
	(void)shutdown(fd, SHUT_WR);
	while (n < 0 && read(fd, in, sizeof(in)) > 0)
		continue;
	SSL_free(ssl);
}

static void *serve(void *data)
{
	struct server *s = data;
	int fd;

	while ((fd = accept(s->tls.fd, NULL, NULL)) >= 0) {
		if (s->tls.ctx)
			serve_tls(s, fd);
		else
			serve_plain(fd);
		ERR_clear_error();
		(void)close(fd);
	}
	return NULL;
}

static void start_server(struct bench *b, SSL_CTX *ctx)
{
	struct server *s = &b->server;

	*s = (struct server){ .requests = 0 };
	tls_server_start(&s->tls, ctx, serve, s);
	b->device.port = s->tls.port;
	b->serving = true;
}

static void stop_server(struct bench *b)
{
	if (!b->serving)
		return;
	b->serving = false;
	pctl_http_session_free(b->session);
	b->session = NULL;
	tls_server_stop(&b->server.tls);
}

/* --- The bench. ------------------------------------------------------------------------------- */

static int set_up(void **state)
{
	struct bench *b = test_calloc(1, sizeof(*b));
	struct pctl_error err;

	make_files(b);
	assert_int_equal(uv_loop_init(&b->loop), 0);
	b->device = (struct pctl_device){
		.loop = &b->loop, .host = "n1.example", .connect_ms = 5000, .answer_ms = 5000
	};
	assert_int_equal(pctl_http_new(&b->loop, &b->http, &err), 0);
	*state = b;
	return 0;
}

static void ignore(void *data)
{
	(void)data;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	stop_server(b);
	pctl_http_session_free(b->session);
	pctl_http_close(b->http, ignore, NULL);
	assert_int_equal(uv_run(&b->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&b->loop), 0);
	X509_free(b->cert);
	X509_free(b->ca);
	EVP_PKEY_free(b->key);
	EVP_PKEY_free(b->ca_key);
	test_remove_folder(b->folder);
	test_free(b);
	return 0;
}

static struct pctl_http_settings settings(struct bench *b)
{
	return (struct pctl_http_settings){ .size = sizeof(struct pctl_http_settings),
		.device = &b->device,
		.port = 16993,
		.tls = true };
}

static void open_session(struct bench *b, const struct pctl_http_settings *s)
{
	struct pctl_error err;

	pctl_http_session_free(b->session);
	b->session = NULL;
	assert_int_equal(pctl_http_session_new(b->http, s, &b->session, &err), 0);
}

static void on_done(
	void *data, const struct pctl_http_answer *answered, const struct pctl_error *err)
{
	struct bench *b = data;

	uv_stop(&b->loop);
	b->done++;
	b->status = answered ? answered->status : 0;
	b->err = err ? *err : (struct pctl_error){ 0 };
}

static void get(struct bench *b)
{
	const struct pctl_http_request r = {
		.size = sizeof(r), .method = "GET", .path = "/", .changes = true
	};

	b->done = 0;
	pctl_http_send(b->session, &b->op, &r, on_done, b);
	(void)uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_int_equal(b->done, 1);
}

static void assert_answered(const struct bench *b)
{
	if (b->status != 200)
		fail_msg("%d: %d %s", b->status, b->err.code, b->err.text);
}

static void assert_failed(const struct bench *b, int code, const char *text)
{
	if (b->err.code != code || !strstr(b->err.text, text))
		fail_msg("%d %s, not %d %s", b->err.code, b->err.text, code, text);
	assert_int_equal(b->status, 0);
}

static void fingerprint(X509 *cert, char hex[65])
{
	unsigned char sum[32];
	unsigned int len = 0;

	assert_int_equal(X509_digest(cert, EVP_sha256(), sum, &len), 1);
	for (unsigned int i = 0; i < len; i++)
		(void)snprintf(hex + 2 * (size_t)i, 3, "%02x", sum[i]);
}

/* --- Tests. ----------------------------------------------------------------------------------- */

static void test_first_use(void **state)
{
	struct bench *b = *state;
	struct pctl_http_settings s = settings(b);
	char hex[65];

	start_server(b, tls_context(b->cert, b->key));
	open_session(b, &s);
	get(b);
	assert_answered(b);
	fingerprint(b->cert, hex);
	assert_string_equal(b->device.tls.shown, hex);
	assert_int_equal(b->device.tls.asked, 1);
	get(b);
	assert_answered(b);
	assert_int_equal(b->device.tls.asked, 1); /* on the same connection */
	assert_int_equal(b->device.dials, 1);

	pctl_http_session_idle(b->session);
	get(b);
	assert_answered(b);
	assert_int_equal(b->device.dials, 2);
	assert_int_equal(b->device.tls.asked, 2);
	stop_server(b);
	assert_int_equal(b->server.requests, 3);
	assert_int_equal(b->server.goodbyes, 2);
}

static void test_another_certificate(void **state)
{
	struct bench *b = *state;
	struct pctl_http_settings s = settings(b);

	b->device.tls.known = "0123456789abcdef";
	start_server(b, tls_context(b->cert, b->key));
	open_session(b, &s);
	get(b);
	assert_failed(b, PCTL_E_TRUST, "another one: `powerctl trust n1`");
	assert_int_equal(b->op.committed, 0);
	stop_server(b);
	assert_int_equal(b->server.requests, 0);
}

static void test_strict(void **state)
{
	struct bench *b = *state;
	struct pctl_http_settings s = settings(b);
	char hex[65];

	b->device.trust = PCTL_TRUST_STRICT;
	start_server(b, tls_context(b->cert, b->key));
	open_session(b, &s);
	get(b);
	assert_failed(b, PCTL_E_TRUST, "not known");
	fingerprint(b->cert, hex);
	b->device.tls.known = hex;
	get(b);
	assert_answered(b);
	stop_server(b);
	assert_int_equal(b->server.requests, 1);
}

/* What a CA says of a name needs no memory; of another name it says nothing. */
static void test_ca(void **state)
{
	struct bench *b = *state;
	struct pctl_http_settings s = settings(b);
	static const char *const right[] = { "n1.example", "N1.example", "127.0.0.1" };
	static const char *const wrong[] = { "n2.example", "n1", "127.0.0.2", "x.n1.example" };

	b->device.trust = PCTL_TRUST_STRICT;
	s.ca_file = b->ca_file;
	start_server(b, tls_context(b->cert, b->key));
	for (size_t i = 0; i < TEST_COUNT(right); i++) {
		b->device.host = right[i];
		open_session(b, &s);
		get(b);
		assert_answered(b);
		assert_int_equal(b->device.tls.asked, 0);
	}
	for (size_t i = 0; i < TEST_COUNT(wrong); i++) {
		b->device.host = wrong[i];
		open_session(b, &s);
		get(b);
		assert_failed(b, PCTL_E_TRUST, "not known");
		assert_int_equal(b->device.tls.asked, (int)i + 1);
	}
}

static void test_ca_of_somebody_else(void **state)
{
	struct bench *b = *state;
	struct pctl_http_settings s = settings(b);
	X509 *other = tls_certificate("Test CA", b->key, NULL, NULL, 10);

	b->device.trust = PCTL_TRUST_STRICT;
	write_cert(b->ca_file, other);
	s.ca_file = b->ca_file;
	start_server(b, tls_context(b->cert, b->key));
	open_session(b, &s);
	get(b);
	assert_failed(b, PCTL_E_TRUST, "not known");
	/* The system's know it neither. */
	s.ca_file = NULL;
	open_session(b, &s);
	get(b);
	assert_failed(b, PCTL_E_TRUST, "not known");
	X509_free(other);
}

static void test_expired(void **state)
{
	struct bench *b = *state;
	struct pctl_http_settings s = settings(b);
	X509 *old = tls_certificate("n1.example", b->key, b->ca, b->ca_key, -1);

	b->device.trust = PCTL_TRUST_STRICT;
	s.ca_file = b->ca_file;
	start_server(b, tls_context(old, b->key));
	open_session(b, &s);
	get(b);
	assert_failed(b, PCTL_E_TRUST, "not known");
	X509_free(old);
}

static void test_old_device(void **state)
{
	struct bench *b = *state;
	struct pctl_http_settings s = settings(b);
	SSL_CTX *ctx = tls_context(b->cert, b->key);

	SSL_CTX_set_security_level(ctx, 0);
	assert_int_equal(SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION), 1);
	assert_int_equal(SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0"), 1);
	start_server(b, ctx);
	open_session(b, &s);
	get(b);
	assert_failed(b, PCTL_E_PROTOCOL, "legacy_tls: true");
	s.legacy_tls = true;
	open_session(b, &s);
	get(b);
	assert_answered(b);
}

static void test_plain_http_behind_the_port(void **state)
{
	struct bench *b = *state;
	struct pctl_http_settings s = settings(b);

	start_server(b, NULL);
	open_session(b, &s);
	get(b);
	assert_failed(b, PCTL_E_PROTOCOL, "does not speak TLS");
	assert_non_null(strstr(b->err.text, "tls: false"));
}

/* What is thought of the client's certificate. */
static int verdict = X509_V_OK;

static int judge(int ok, X509_STORE_CTX *ctx)
{
	(void)ok;
	X509_STORE_CTX_set_error(ctx, verdict);
	return verdict == X509_V_OK;
}

static SSL_CTX *mutual(struct bench *b, int version)
{
	SSL_CTX *ctx = tls_context(b->cert, b->key);

	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, judge);
	assert_int_equal(SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"t", 1), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(ctx, version), 1);
	return ctx;
}

/* Not the class of a password: nothing is counted for a login. */
static void assert_ours(struct bench *b, const char *alert, const char *words)
{
	assert_failed(b, PCTL_E_TRUST, alert);
	assert_non_null(strstr(b->err.text, words));
	assert_true(b->err.flags & PCTL_ERROR_OURS);
}

static void test_client_certificate(void **state)
{
	struct bench *b = *state;
	struct pctl_http_settings s = settings(b);

	start_server(b, mutual(b, TLS1_3_VERSION));
	open_session(b, &s);
	get(b);
	assert_ours(b, "certificate required", "set client_cert and client_key");
	s.client_cert = b->cert_file;
	s.client_key = b->key_file;
	open_session(b, &s);
	get(b);
	assert_answered(b);
	/* A file that holds something else. */
	s.client_key = b->cert_file;
	open_session(b, &s);
	get(b);
	assert_failed(b, PCTL_E_CONFIG, "client_key");
}

/* In TLS 1.2 the same alert has many reasons; it is told by what was asked for before. */
static void test_no_client_certificate_in_1_2(void **state)
{
	struct bench *b = *state;
	struct pctl_http_settings s = settings(b);

	start_server(b, mutual(b, TLS1_2_VERSION));
	open_session(b, &s);
	get(b);
	assert_ours(b, "handshake failure", "set client_cert and client_key");
	stop_server(b);
	SSL_CTX *ctx = tls_context(b->cert, b->key);
	assert_int_equal(SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION), 1);
	assert_int_equal(SSL_CTX_set_cipher_list(ctx, "ECDHE-RSA-AES128-GCM-SHA256"), 1);
	start_server(b, ctx);
	open_session(b, &s);
	get(b);
	assert_failed(b, PCTL_E_PROTOCOL, "handshake failure");
}

/* Alerts of which libcurl says only that there was no answer. */
static void test_alerts_after_the_handshake(void **state)
{
	static const char words[] = "OpenSSL SSL_read: error:0A000410:SSL routines::sslv3 alert "
				    "handshake failure, errno 0";
	struct pctl_error err = { 0 };

	(void)state;
	assert_int_equal(tls_said(words, &(struct tls_talk){ 0 }, &err), PCTL_E_PROTOCOL);
	assert_string_equal(err.text, "it ended TLS after the handshake: handshake failure");
	assert_int_equal(tls_said(words, &(struct tls_talk){ .asked = true }, &err), PCTL_E_TRUST);
	assert_int_equal(tls_said("Connection died", &(struct tls_talk){ 0 }, &err), 0);
}

/* Who asked for a certificate and was shown none may just hang up. */
static void test_closed_for_want_of_a_certificate(void **state)
{
	struct pctl_error err = { 0 };

	(void)state;
	assert_int_equal(tls_said("SSL_ERROR_SYSCALL",
				 &(struct tls_talk){ .handshake = true, .asked = true }, &err),
		PCTL_E_UNREACHABLE);
	assert_non_null(strstr(err.text, "set client_cert and client_key"));
	assert_null(strstr(err.text, "legacy_tls"));
	assert_int_equal(
		tls_said("SSL_ERROR_SYSCALL", &(struct tls_talk){ .handshake = true }, &err),
		PCTL_E_UNREACHABLE);
	assert_non_null(strstr(err.text, "legacy_tls"));
}

static void test_refused_client_certificate(void **state)
{
	static const struct {
		int verdict;
		const char *alert;
	} cases[] = {
		{ X509_V_ERR_CERT_HAS_EXPIRED, "certificate expired" },
		{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "unknown ca" },
		{ X509_V_ERR_CERT_REJECTED, "bad certificate" },
		{ X509_V_ERR_INVALID_PURPOSE, "unsupported certificate" },
		{ X509_V_ERR_APPLICATION_VERIFICATION, "handshake failure" },
	};
	static const int versions[] = { TLS1_3_VERSION, TLS1_2_VERSION };
	struct bench *b = *state;
	struct pctl_http_settings s = settings(b);

	s.client_cert = b->cert_file;
	s.client_key = b->key_file;
	for (size_t v = 0; v < 2; v++) {
		start_server(b, mutual(b, versions[v]));
		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
			verdict = cases[i].verdict;
			open_session(b, &s);
			get(b);
			assert_ours(b, cases[i].alert, "does not take our certificate");
		}
		stop_server(b);
	}
	verdict = X509_V_OK;
}

/* The handshake goes over what the core dialed, never over what stands in for it. */
static void test_over_a_dialed_descriptor(void **state)
{
	struct bench *b = *state;
	struct pctl_http_settings s = settings(b);

	b->device.connected = true;
	start_server(b, tls_context(b->cert, b->key));
	open_session(b, &s);
	get(b);
	assert_answered(b);
	get(b);
	assert_answered(b);
	assert_int_equal(b->device.dials, 1);
	stop_server(b);
	assert_int_equal(b->server.requests, 2);
	assert_int_equal(b->server.goodbyes, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_first_use),
		TEST(test_another_certificate),
		TEST(test_strict),
		TEST(test_ca),
		TEST(test_ca_of_somebody_else),
		TEST(test_expired),
		TEST(test_old_device),
		TEST(test_plain_http_behind_the_port),
		TEST(test_client_certificate),
		TEST(test_no_client_certificate_in_1_2),
		cmocka_unit_test(test_alerts_after_the_handshake),
		cmocka_unit_test(test_closed_for_want_of_a_certificate),
		TEST(test_refused_client_certificate),
		TEST(test_over_a_dialed_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
