/* SPDX-License-Identifier: Apache-2.0 */
/* One session against one scripted server, and what it is told. */
#ifndef POWERCTL_TESTS_HTTP_BENCH_H
#define POWERCTL_TESTS_HTTP_BENCH_H

#include "http_fake.h"

#define CHALLENGE_AND(nonce, stale)                                                              \
	"WWW-Authenticate: Digest realm=\"Digest:A4070000\", nonce=\"" nonce "\",stale=\"" stale \
	"\",qop=\"auth-int, auth\"\r\n"
#define CHALLENGE(nonce)        CHALLENGE_AND(nonce, "false")
#define R401(nonce, connection) R401_AND(CHALLENGE(nonce), connection)
#define R401_STALE(nonce)       R401_AND(CHALLENGE_AND(nonce, "true"), "")
#define R401_AND(challenge, connection)                      \
	"HTTP/1.1 401 Unauthorized\r\n" challenge connection \
	"Content-Type: text/html\r\nContent-Length: 16\r\n\r\n<html>no</html>\n"
#define CLOSING "Connection: close\r\n"
#define R200                                                              \
	"HTTP/1.1 200 OK\r\nServer: AMT 16\r\nContent-Type: text/xml\r\n" \
	"Content-Length: 4\r\n\r\n<a/>"
#define CHUNKED                                                 \
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" \
	"0003\r\n<a>\r\n000A\r\n0123456789\r\n0004\r\n</a>\r\n"
#define WHOLE_BODY "<a>0123456789</a>"

#define SAYS(t)             \
	{                   \
		.text = (t) \
	}
#define CLOSES(t)                               \
	{                                       \
		.text = (t), .then = FAKE_CLOSE \
	}
#define RESETS(t)                               \
	{                                       \
		.text = (t), .then = FAKE_RESET \
	}
#define IS_SILENT(t)                             \
	{                                        \
		.text = (t), .then = FAKE_SILENT \
	}
/* What the server says next, answer by answer. */
#define SCRIPT(b, ...)                                              \
	static const struct fake_reply replies[] = { __VA_ARGS__ }; \
	fake_server_script(&(b)->server, replies, TEST_COUNT(replies))

struct bench {
	uv_loop_t loop;
	struct fake_server server;
	struct pctl_device device;
	struct pctl_http *http;
	struct pctl_http_session *session, *other;
	struct pctl_op op;

	int done, status;
	struct pctl_error err;
	char body[1024], server_name[64];
	bool engine_closed;
};

/* For pctl_http_send(): notes what came and stops the loop. */
void bench_done(void *data, const struct pctl_http_answer *answer, const struct pctl_error *err);
struct pctl_http_settings bench_settings(struct bench *b, const struct pctl_secret *password);

/* In place of the session that set_up opened. */
void bench_open(struct bench *b, enum pctl_http_auth auth);

/* An engine, a server and a session that logs in by Digest. */
int bench_set_up(void **state);
int bench_tear_down(void **state);

/* POST /wsman. */
void bench_send(struct bench *b, bool changes);
void bench_wait(struct bench *b);
/* Both. */
void bench_post(struct bench *b, bool changes);

/* Waits until nobody is connected to the server. */
void bench_settle(struct bench *b);
void assert_failed(const struct bench *b, int code, const char *text);
void assert_request(const struct bench *b, int i, const char *text, bool there);

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)

#endif
