/* SPDX-License-Identifier: Apache-2.0 */
/* Connections without HTTP: an echo on a thread, plain and over TLS, and whom we trust there. */
#include "http_fake.h"
#include "http_tls_server.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <powerctl/connection.h>

#define WORDS "words"

struct bench {
	uv_loop_t loop;
	struct pctl_device device;
	struct pctl_http *http;
	EVP_PKEY *key;
	X509 *cert;
	struct tls_server server;
	int heard; /* bytes that the server read */
	struct pctl_connection *connection;
	int opened, failed, ended;
	struct pctl_error err;
	char in[64];
	size_t in_n, at_once;
};

/* --- The server: says back what it hears, until nothing comes. -------------------------------- */

static void echo_plain(struct bench *b, int fd)
{
	char in[64];
	ssize_t n;

	while ((n = read(fd, in, sizeof(in))) > 0) {
		b->heard += (int)n;
		(void)!write(fd, in, (size_t)n);
	}
}

static void echo_tls(struct bench *b, int fd)
{
	SSL *ssl = SSL_new(b->server.ctx);
	char in[64];
	int n;

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1) {
		while ((n = SSL_read(ssl, in, sizeof(in))) > 0) {
			b->heard += n;
			(void)SSL_write(ssl, in, n);
		}
	}
	SSL_free(ssl);
	ERR_clear_error();
}

static void *serve(void *data)
{
	struct bench *b = data;
	int fd;

	while ((fd = accept(b->server.fd, NULL, NULL)) >= 0) {
		if (b->server.ctx)
			echo_tls(b, fd);
		else
			echo_plain(b, fd);
		(void)close(fd);
	}
	return NULL;
}

/* --- The bench. ------------------------------------------------------------------------------- */

static void begin(struct bench *b, bool tls)
{
	struct pctl_error err;

	*b = (struct bench){ .at_once = sizeof(b->in) };
	assert_int_equal(uv_loop_init(&b->loop), 0);
	b->device = (struct pctl_device){
		.loop = &b->loop, .host = "n1.example", .connect_ms = 5000, .answer_ms = 5000
	};
	assert_int_equal(pctl_http_new(&b->loop, &b->http, &err), 0);
	b->key = EVP_EC_gen("P-256");
	b->cert = tls_certificate("n1.example", b->key, NULL, NULL, 10);
	tls_server_start(&b->server, tls ? tls_context(b->cert, b->key) : NULL, serve, b);
	b->device.port = b->server.port;
}

static void ignore(void *data)
{
	(void)data;
}

static void end(struct bench *b)
{
	pctl_connection_close(b->connection);
	tls_server_stop(&b->server);
	pctl_http_close(b->http, ignore, NULL);
	assert_int_equal(uv_run(&b->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&b->loop), 0); /* nothing left behind */
	X509_free(b->cert);
	EVP_PKEY_free(b->key);
}

static void on_opened(void *data, const struct pctl_error *err)
{
	struct bench *b = data;

	uv_stop(&b->loop);
	b->opened += !err;
	b->failed += err != NULL;
	b->err = err ? *err : (struct pctl_error){ 0 };
}

/* A byte at a time where at_once is 1: then the rest is what only TLS knows of. */
static void on_ready(void *data, unsigned what)
{
	struct bench *b = data;
	size_t n = 0;

	assert_int_equal(what, PCTL_CONNECTION_READ);
	uv_stop(&b->loop);
	b->ended +=
		pctl_connection_read(b->connection, b->in + b->in_n, b->at_once, &n, &b->err) < 0;
	b->in_n += n;
	if (b->ended)
		pctl_connection_watch(b->connection, 0);
}

static const struct pctl_connection_events events = {
	.size = sizeof(events), .opened = on_opened, .ready = on_ready
};

static int dial(struct bench *b, bool tls)
{
	const struct pctl_connection_settings s = {
		.size = sizeof(s), .device = &b->device, .port = 16994, .tls = tls
	};

	b->opened = b->failed = 0;
	int r = pctl_connection_new(b->http, &s, &events, b, &b->connection, &b->err);
	if (r < 0)
		return r;
	assert_int_equal(b->opened + b->failed, 0); /* never from within */
	while (!b->opened && !b->failed)
		(void)uv_run(&b->loop, UV_RUN_ONCE);
	return b->err.code;
}

static void say(struct bench *b)
{
	size_t n;

	b->in_n = 0;
	assert_int_equal(
		pctl_connection_write(b->connection, WORDS, strlen(WORDS), &n, &b->err), 0);
	assert_int_equal(n, strlen(WORDS));
	while (b->in_n < strlen(WORDS) && !b->ended)
		(void)uv_run(&b->loop, UV_RUN_ONCE);
	assert_memory_equal(b->in, WORDS, strlen(WORDS));
}

static void hang_up(struct bench *b)
{
	pctl_connection_close(b->connection);
	b->connection = NULL;
}

static void test_echo(void **state)
{
	(void)state;
	for (int tls = 0; tls < 2; tls++) {
		struct bench b;

		begin(&b, tls);
		assert_int_equal(dial(&b, tls), 0);
		pctl_connection_watch(b.connection, PCTL_CONNECTION_READ);
		say(&b);
		b.at_once = 1;
		say(&b);
		/* Time is up: reading says so, and nothing else is lost. */
		pctl_connection_expect(b.connection, 1);
		while (!b.ended)
			(void)uv_run(&b.loop, UV_RUN_ONCE);
		assert_int_equal(b.err.code, PCTL_E_TIMEOUT);
		b.ended = 0;
		pctl_connection_watch(b.connection, PCTL_CONNECTION_READ);
		say(&b);
		end(&b);
	}
}

static int refuse(int ok, X509_STORE_CTX *ctx)
{
	(void)ok;
	X509_STORE_CTX_set_error(ctx, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT);
	return 0;
}

/* In TLS 1.3 it is only reading that hears of it. */
static void test_mutual(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct bench b;

		begin(&b, true);
		SSL_CTX_set_verify(
			b.server.ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, refuse);
		assert_int_equal(SSL_CTX_set_max_proto_version(b.server.ctx, versions[i]), 1);
		if (dial(&b, true) == 0)
			pctl_connection_watch(b.connection, PCTL_CONNECTION_READ);
		while (!b.failed && !b.ended)
			(void)uv_run(&b.loop, UV_RUN_ONCE);
		assert_int_equal(b.failed, i == 0);
		assert_int_equal(b.err.code, PCTL_E_TRUST);
		assert_true(b.err.flags & PCTL_ERROR_OURS);
		assert_non_null(strstr(b.err.text, "set client_cert and client_key"));
		end(&b);
	}
}

static void test_taken(void **state)
{
	struct bench b;
	char in[8];

	(void)state;
	begin(&b, false);
	assert_int_equal(dial(&b, false), 0);
	int fd = pctl_connection_take(b.connection);
	b.connection = NULL;
	assert_true(fd >= 0);
	(void)uv_run(&b.loop, UV_RUN_NOWAIT);
	assert_int_equal(write(fd, "x", 1), 1);
	while (read(fd, in, 1) < 0)
		(void)usleep(1000);
	assert_int_equal(in[0], 'x');
	(void)close(fd);
	end(&b);

	begin(&b, true);
	assert_int_equal(dial(&b, true), 0);
	assert_int_equal(pctl_connection_take(b.connection), -1);
	pctl_connection_watch(b.connection, PCTL_CONNECTION_READ);
	say(&b);
	end(&b);
}

static void test_trust(void **state)
{
	struct bench b;
	char shown[100];

	(void)state;
	begin(&b, true);
	assert_int_equal(dial(&b, true), 0);
	assert_int_equal(b.device.tls.asked, 1);
	(void)snprintf(shown, sizeof(shown), "%s", b.device.tls.shown);
	assert_int_equal(strlen(shown), 64);
	hang_up(&b);

	b.device.trust = PCTL_TRUST_STRICT;
	assert_int_equal(dial(&b, true), PCTL_E_TRUST);
	hang_up(&b);
	b.device.tls.known = shown;
	assert_int_equal(dial(&b, true), 0);
	hang_up(&b);
	b.device.tls.known = "another";
	assert_int_equal(dial(&b, true), PCTL_E_TRUST);
	assert_string_equal(b.err.text, "another one: `powerctl trust n1`");
	assert_int_equal(b.heard, 0);
	end(&b);
}

static void test_not_there(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, false);
	/* Plain where TLS is wanted. */
	assert_int_equal(dial(&b, true), PCTL_E_PROTOCOL);
	hang_up(&b);
	b.device.connect_ms = 30;
	b.device.dial_error = "no way";
	assert_int_equal(dial(&b, false), PCTL_E_UNREACHABLE);
	assert_string_equal(b.err.text, "no way");
	b.device.dial_error = NULL;
	/* Nobody says a word of TLS. */
	int silent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	assert_int_equal(bind(silent, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(getsockname(silent, (struct sockaddr *)&addr, &len), 0);
	b.device.port = ntohs(addr.sin_port);
	assert_int_equal(dial(&b, false), PCTL_E_UNREACHABLE);
	assert_true(b.err.flags & PCTL_ERROR_NOT_LISTENING);
	hang_up(&b);
	assert_int_equal(listen(silent, 4), 0);
	assert_int_equal(dial(&b, true), PCTL_E_UNREACHABLE);
	assert_non_null(strstr(b.err.text, "TLS was not established in"));
	hang_up(&b);
	(void)close(silent);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_mutual),
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_trust),
		cmocka_unit_test(test_not_there),
	};

	(void)signal(SIGPIPE, SIG_IGN); /* as programs do: OpenSSL writes without asking */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
