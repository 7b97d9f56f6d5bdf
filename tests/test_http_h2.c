/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/2 where a device offers it: frames (RFC 9113) by hand, from a server on a thread. */
#include "http_fake.h"
#include "http_tls_server.h"

#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "internal.h"

#define FRAME_DATA       0
#define FRAME_HEADERS    1
#define FRAME_RST_STREAM 3
#define FRAME_SETTINGS   4
#define FRAME_PING       6
#define FLAG_END_STREAM  1
#define FLAG_ACK         1
#define FLAG_END_HEADERS 4

enum manner { ANSWERS, IS_SILENT, RESETS_STREAMS, SPEAKS_ONE };

struct server {
	struct tls_server tls;
	enum manner manner;
	sem_t poke; /* after an answer: a PING, then, at the second, the end */
	bool pokes;
	int connections, requests, ends; /* read after the thread has ended */
};

struct bench {
	uv_loop_t loop;
	uv_timer_t busy; /* as a daemon's loop is: what rests is watched as well */
	struct pctl_device device;
	struct pctl_http *http;
	struct pctl_http_session *session;
	struct pctl_op op;
	struct server server;
	EVP_PKEY *key;
	X509 *cert;
	int done, status;
	char body[64], location[64];
	struct pctl_error err;
};

/* --- The server. ------------------------------------------------------------------------------ */

static bool read_all(SSL *ssl, void *to, size_t len)
{
	for (size_t have = 0; have < len;) {
		int n = SSL_read(ssl, (char *)to + have, (int)(len - have));
		if (n <= 0)
			return false;
		have += (size_t)n;
	}
	return true;
}

static void put_frame(
	SSL *ssl, uint8_t type, uint8_t flags, uint8_t stream, const void *body, uint8_t len)
{
	uint8_t frame[9 + 255] = { 0, 0, len, type, flags, 0, 0, 0, stream };

	if (len)
		memcpy(frame + 9, body, len);
	(void)SSL_write(ssl, frame, 9 + len);
}

static void answer(struct server *s, SSL *ssl, uint8_t stream)
{
	/* :status 200 and location (46 of the static table): "/x" (RFC 7541). */
	static const uint8_t head[] = { 0x88, 0x0f, 0x1f, 2, '/', 'x' };
	static const uint8_t cancel[] = { 0, 0, 0, 8 };

	s->requests++;
	if (s->manner == RESETS_STREAMS) {
		put_frame(ssl, FRAME_RST_STREAM, 0, stream, cancel, 4);
	} else if (s->manner == ANSWERS) {
		put_frame(ssl, FRAME_HEADERS, FLAG_END_HEADERS, stream, head, sizeof(head));
		put_frame(ssl, FRAME_DATA, FLAG_END_STREAM, stream, "hi", 2);
	}
}

/* False: this connection is to end. */
static bool serve_frame(struct server *s, SSL *ssl)
{
	uint8_t head[9], body[16384];

	if (!read_all(ssl, head, 9))
		return false;
	size_t len = (size_t)head[1] << 8 | head[2];
	if (head[0] || len > sizeof(body) || !read_all(ssl, body, len))
		return false;
	if (head[3] == FRAME_SETTINGS && !(head[4] & FLAG_ACK))
		put_frame(ssl, FRAME_SETTINGS, FLAG_ACK, 0, NULL, 0);
	if (head[3] > FRAME_HEADERS || !(head[4] & FLAG_END_STREAM))
		return true;
	answer(s, ssl, head[8]);
	if (!s->pokes)
		return true;
	(void)sem_wait(&s->poke);
	put_frame(ssl, FRAME_PING, 0, 0, "12345678", 8);
	s->pokes = s->requests < 2;
	if (!s->pokes)
		(void)sem_wait(&s->poke);
	return s->pokes;
}

static void serve_two(struct server *s, SSL *ssl)
{
	char preface[24];

	if (!read_all(ssl, preface, sizeof(preface)) || memcmp(preface, "PRI * HTTP/2.0", 14) != 0)
		return;
	put_frame(ssl, FRAME_SETTINGS, 0, 0, NULL, 0);
	while (serve_frame(s, ssl))
		continue;
}

static void serve_one(struct server *s, SSL *ssl)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nLocation: /x\r\nContent-Length: 2\r\n\r\nhi";
	char in[4096];

	while (SSL_read(ssl, in, sizeof(in)) > 0) {
		s->requests++;
		(void)SSL_write(ssl, text, sizeof(text) - 1);
	}
}

static int choose(SSL *ssl, const unsigned char **out, unsigned char *out_len,
	const unsigned char *in, unsigned int in_len, void *data)
{
	const struct server *s = data;
	const char *want = s->manner == SPEAKS_ONE ? "\x08http/1.1" : "\x02h2";

	(void)ssl;
	return SSL_select_next_proto((unsigned char **)(uintptr_t)out, out_len,
		       (const unsigned char *)want, (unsigned)strlen(want), in,
		       in_len) == OPENSSL_NPN_NEGOTIATED
		       ? SSL_TLSEXT_ERR_OK
		       : SSL_TLSEXT_ERR_NOACK;
}

static void *serve(void *data)
{
	struct server *s = data;
	int fd;

	while ((fd = accept(s->tls.fd, NULL, NULL)) >= 0) {
		SSL *ssl = SSL_new(s->tls.ctx);

		s->connections++;
		SSL_set_fd(ssl, fd);
		if (SSL_accept(ssl) == 1) {
			if (s->manner == SPEAKS_ONE)
				serve_one(s, ssl);
			else
				serve_two(s, ssl);
		}
		s->ends++;
		SSL_free(ssl);
		(void)close(fd);
	}
	return NULL;
}

static void start_server(struct bench *b, enum manner manner)
{
	struct server *s = &b->server;
	SSL_CTX *ctx = tls_context(b->cert, b->key);

	s->manner = manner;
	SSL_CTX_set_alpn_select_cb(ctx, choose, s);
	assert_int_equal(sem_init(&s->poke, 0, 0), 0);
	tls_server_start(&s->tls, ctx, serve, s);
	b->device.port = s->tls.port;
}

static void stop_server(struct bench *b)
{
	pctl_http_session_free(b->session);
	b->session = NULL;
	tls_server_stop(&b->server.tls);
	(void)sem_destroy(&b->server.poke);
}

/* --- The bench. ------------------------------------------------------------------------------- */

static void ignore_timer(uv_timer_t *timer)
{
	(void)timer;
}

static int set_up(void **state)
{
	struct bench *b = test_calloc(1, sizeof(*b));
	struct pctl_error err;

	b->key = EVP_EC_gen("P-256");
	b->cert = tls_certificate("n1", b->key, NULL, NULL, 1);
	assert_int_equal(uv_loop_init(&b->loop), 0);
	uv_timer_init(&b->loop, &b->busy);
	uv_timer_start(&b->busy, ignore_timer, 1000, 1000);
	b->device = (struct pctl_device){
		.loop = &b->loop, .host = "n1.example", .connect_ms = 20000, .answer_ms = 20000
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

	uv_close((uv_handle_t *)&b->busy, NULL);
	pctl_http_close(b->http, ignore, NULL);
	assert_int_equal(uv_run(&b->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&b->loop), 0);
	X509_free(b->cert);
	EVP_PKEY_free(b->key);
	test_free(b);
	return 0;
}

static void begin(struct bench *b, enum manner manner)
{
	const struct pctl_http_settings s = {
		.size = sizeof(s), .device = &b->device, .port = 443, .tls = true, .http2 = true
	};
	struct pctl_error err;

	start_server(b, manner);
	assert_int_equal(pctl_http_session_new(b->http, &s, &b->session, &err), 0);
}

static void on_done(
	void *data, const struct pctl_http_answer *answered, const struct pctl_error *err)
{
	struct bench *b = data;
	const char *location = answered ? pctl_http_answer_field(answered, "Location") : NULL;

	uv_stop(&b->loop);
	b->done++;
	b->status = answered ? answered->status : 0;
	(void)snprintf(b->body, sizeof(b->body), "%s", answered ? answered->body : "");
	(void)snprintf(b->location, sizeof(b->location), "%s", location ? location : "");
	b->err = err ? *err : (struct pctl_error){ 0 };
}

static void send_one(struct bench *b)
{
	static const char *const wanted[] = { "Location", NULL };
	const struct pctl_http_request r = { .size = sizeof(r),
		.method = "POST",
		.path = "/x",
		.body = "{}",
		.body_len = 2,
		.content_type = "application/json",
		.changes = true,
		.wanted = wanted };

	b->done = 0;
	pctl_http_send(b->session, &b->op, &r, on_done, b);
}

static void post(struct bench *b)
{
	send_one(b);
	(void)uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_int_equal(b->done, 1);
}

static void assert_answered(const struct bench *b)
{
	if (b->status != 200)
		fail_msg("%d: %d %s", b->status, b->err.code, b->err.text);
	assert_string_equal(b->body, "hi");
	assert_string_equal(b->location, "/x");
}

/* --- Tests. ----------------------------------------------------------------------------------- */

static void test_one_connection_serves_all(void **state)
{
	struct bench *b = *state;

	begin(b, ANSWERS);
	for (int i = 0; i < 5; i++) {
		post(b);
		assert_answered(b);
	}
	assert_true(b->session->wire->http2);
	assert_int_equal(b->device.dials, 1);
	assert_int_equal(b->op.committed, 5);
	stop_server(b);
	assert_int_equal(b->server.requests, 5);
	assert_int_equal(b->server.connections, 1);
}

/* What a device says unasked keeps the connection; its end is noticed at once. */
static void test_noise_and_end_at_rest(void **state)
{
	struct bench *b = *state;

	b->server.pokes = true;
	begin(b, ANSWERS);
	post(b);
	assert_answered(b);
	(void)sem_post(&b->server.poke);
	while (b->session->wire && b->session->wire->watched != EPOLLRDHUP)
		(void)uv_run(&b->loop, UV_RUN_NOWAIT);
	assert_non_null(b->session->wire);
	post(b);
	assert_answered(b);
	assert_int_equal(b->device.dials, 1);
	(void)sem_post(&b->server.poke);
	(void)sem_post(&b->server.poke);
	while (b->session->wire)
		(void)uv_run(&b->loop, UV_RUN_NOWAIT);
	post(b);
	assert_answered(b);
	assert_int_equal(b->device.dials, 2);
	stop_server(b);
}

static void test_without_it(void **state)
{
	struct bench *b = *state;

	begin(b, SPEAKS_ONE);
	post(b);
	assert_answered(b);
	post(b);
	assert_answered(b);
	assert_false(b->session->wire->http2);
	assert_int_equal(b->device.dials, 1);
	stop_server(b);
}

/* A canceled request must not leave its connection behind. */
static void test_cancel_hangs_up(void **state)
{
	struct bench *b = *state;

	begin(b, IS_SILENT);
	send_one(b);
	while (!b->op.committed)
		(void)uv_run(&b->loop, UV_RUN_ONCE);
	for (int i = 0; i < 10; i++)
		(void)uv_run(&b->loop, UV_RUN_NOWAIT);
	pctl_http_cancel(b->session);
	assert_null(b->session->wire);
	assert_int_equal(b->done, 0);
	send_one(b);
	while (b->op.committed < 2)
		(void)uv_run(&b->loop, UV_RUN_ONCE);
	assert_int_equal(b->device.dials, 2);
	stop_server(b);
	assert_int_equal(b->server.ends, 2);
}

static void test_a_change_is_not_sent_again(void **state)
{
	struct bench *b = *state;

	begin(b, RESETS_STREAMS);
	post(b);
	assert_int_equal(b->status, 0);
	assert_int_equal(b->err.code, PCTL_E_UNREACHABLE);
	assert_int_equal(b->op.not_taken, 0);
	stop_server(b);
	assert_int_equal(b->server.requests, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_one_connection_serves_all),
		TEST(test_noise_and_end_at_rest),
		TEST(test_without_it),
		TEST(test_cancel_hangs_up),
		TEST(test_a_change_is_not_sent_again),
	};

	(void)signal(SIGPIPE, SIG_IGN); /* the server writes to those who left */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
