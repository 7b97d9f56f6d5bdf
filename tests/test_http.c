/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that die, answers that do not end, and everything else that can be in the way. */
#include "http_bench.h"

#include <fcntl.h>

#include <powerctl/log.h>

/* --- Connections that die. -------------------------------------------------------------------- */

static int open_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void test_idle_connection_closed_by_the_device(void **state)
{
	struct bench *b = *state;
	int before = open_descriptors();
	SCRIPT(b, CLOSES(R401("n1", CLOSING)), CLOSES(R200), CLOSES(R200), SAYS(R200));

	bench_post(b, false);
	/* A read, at once, and a change, after the loop has seen it: neither can be lost. */
	bench_post(b, false);
	assert_int_equal(b->status, 200);
	bench_settle(b);
	for (int i = 0; i < 5; i++)
		uv_run(&b->loop, UV_RUN_NOWAIT);
	/* One is libcurl's own, and one a pair of them. */
	assert_in_range(open_descriptors(), before, before + 2);
	bench_post(b, true);
	assert_int_equal(b->status, 200);
	assert_int_equal(b->server.n, 4);
	assert_int_equal(b->server.max_open, 1);
	assert_int_equal(b->op.committed, 1);
}

/* What the device says unasked must not answer the next request. */
static void test_unasked_answer(void **state)
{
	struct bench *b = *state;
	SCRIPT(b,
		{ .text = R200 "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbad",
			.split = sizeof(R200) - 1 },
		SAYS(R200));

	pctl_http_session_free(b->session);
	bench_open(b, PCTL_HTTP_AUTH_NONE);
	bench_post(b, false);
	assert_string_equal(b->body, "<a/>");
	while (b->server.open)
		uv_run(&b->loop, UV_RUN_ONCE);
	bench_post(b, true);
	assert_string_equal(b->body, "<a/>");
	assert_int_equal(b->server.accepted, 2);
}

static void dies_under_a_read(struct bench *b)
{
	bench_post(b, false);
	assert_int_equal(b->status, 200);
	bench_post(b, false);
	assert_int_equal(b->status, 200);
	assert_int_equal(b->server.n, 4);
	assert_int_equal(b->server.accepted, 3);
	assert_int_equal(b->server.max_open, 1);
	/* The number was spent: whether the device saw it nobody knows. */
	assert_request(b, 3, "nc=00000003", true);
}

static void test_kept_connection_dies_under_a_read(void **state)
{
	SCRIPT((struct bench *)*state, CLOSES(R401("n1", CLOSING)), SAYS(R200), CLOSES(""),
		SAYS(R200));

	dies_under_a_read(*state);
}

static void test_kept_connection_is_reset_under_a_read(void **state)
{
	SCRIPT((struct bench *)*state, CLOSES(R401("n1", CLOSING)), SAYS(R200), RESETS(""),
		SAYS(R200));

	dies_under_a_read(*state);
}

static void dies_under_a_change(struct bench *b)
{
	bench_post(b, false);
	assert_int_equal(b->status, 200);
	bench_post(b, true);
	assert_failed(b, PCTL_E_UNREACHABLE, "connection closed before an answer");
	assert_int_equal(b->server.n, 3);
	assert_int_equal(b->server.accepted, 2);
	assert_int_equal(b->op.committed, 1);
	assert_int_equal(b->op.not_taken, 0);
}

static void test_kept_connection_dies_under_a_change(void **state)
{
	SCRIPT((struct bench *)*state, CLOSES(R401("n1", CLOSING)), SAYS(R200), CLOSES(""),
		SAYS(R200));

	dies_under_a_change(*state);
}

static void test_kept_connection_is_reset_under_a_change(void **state)
{
	SCRIPT((struct bench *)*state, CLOSES(R401("n1", CLOSING)), SAYS(R200), RESETS(""),
		SAYS(R200));

	dies_under_a_change(*state);
}

static void test_new_connection_that_dies_is_not_tried_again(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, CLOSES(""), SAYS(R200));

	bench_post(b, false);
	assert_failed(b, PCTL_E_UNREACHABLE, "connection closed before an answer");
	assert_int_equal(b->server.n, 1);
	assert_int_equal(b->device.dials, 1);
}

static void test_read_is_repeated_only_once(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS(R401("n1", "")), CLOSES(""), CLOSES(""), SAYS(R200));

	bench_post(b, false);
	assert_failed(b, PCTL_E_UNREACHABLE, "connection closed before an answer");
	assert_int_equal(b->err.flags, PCTL_ERROR_DROPPED);
	assert_int_equal(b->server.n, 3);
}

/* --- Answers. --------------------------------------------------------------------------------- */

static void test_chunks_split_anywhere(void **state)
{
	struct bench *b = *state;
	static const char text[] = CHUNKED "0\r\n\r\n";
	struct fake_reply reply = { text, FAKE_KEEP, 0 };

	pctl_http_session_free(b->session);
	bench_open(b, PCTL_HTTP_AUTH_NONE);
	for (size_t split = 1; split < sizeof(text) - 1; split++) {
		reply.split = split;
		fake_server_script(&b->server, &reply, 1);
		bench_post(b, false);
		if (b->status != 200 || strcmp(b->body, WHOLE_BODY) != 0)
			fail_msg(
				"split at %zu: %d '%s' %s", split, b->status, b->body, b->err.text);
		assert_int_equal(b->server.accepted, split == 1);
	}
}

static void test_cut_answers(void **state)
{
	static const char whole[] = CHUNKED;
	struct bench *b = *state;

	pctl_http_session_free(b->session);
	bench_open(b, PCTL_HTTP_AUTH_NONE);
	/* Up to the end of the document, of which the last chunk's line end is no part. */
	for (size_t len = 1; len < sizeof(whole) - 1; len++) {
		char *text = strndup(whole, len);
		const struct fake_reply reply = { text, len % 2 ? FAKE_CLOSE : FAKE_RESET, 0 };

		/* A reset overtakes what was sent, or does not. */
		b->op = (struct pctl_op){ .committed = 0 };
		fake_server_script(&b->server, &reply, 1);
		bench_post(b, true);
		bool complete = len >= sizeof(whole) - 3;
		if (!complete || reply.then == FAKE_RESET)
			assert_true(b->err.code == PCTL_E_UNREACHABLE || (complete && b->status));
		else
			assert_string_equal(b->body, WHOLE_BODY);
		assert_int_equal(b->op.not_taken, 0);
		assert_int_equal(b->op.committed, 1);
		assert_int_equal(b->server.n, 1);
		free(text);
	}
}

static void test_end_of_connection_ends_the_answer(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, CLOSES("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end"),
		CLOSES("HTTP/1.0 200 OK\r\n\r\nold"),
		SAYS("HTTP/1.1 100 Continue\r\nServer: x\r\n\r\nHTTP/1.1 400 No\r\nContent-Length: "
		     "2\r\n\r\nhi"));

	pctl_http_session_free(b->session);
	bench_open(b, PCTL_HTTP_AUTH_NONE);
	bench_post(b, false);
	assert_string_equal(b->body, "to the end");
	bench_post(b, false);
	assert_string_equal(b->body, "old");
	bench_post(b, false);
	assert_int_equal(b->status, 400);
	assert_string_equal(b->body, "hi");
	assert_string_equal(b->server_name, "");
}

static void test_large_answers(void **state)
{
	struct bench *b = *state;
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 4055\r\n\r\n";
	char text[4200];
	const struct fake_reply reply = { text, FAKE_KEEP, 0 };
	size_t head_len = sizeof(head) - 1;

	assert_int_equal(head_len + 4055, 4096);
	pctl_http_session_free(b->session);
	bench_open(b, PCTL_HTTP_AUTH_NONE);
	memset(text, 'x', sizeof(text));
	memcpy(text, head, head_len);
	text[4096] = '\0';
	fake_server_script(&b->server, &reply, 1);
	bench_post(b, false);
	assert_int_equal(b->status, 200);

	memset(text, 'x', sizeof(text));
	memcpy(text, head, head_len);
	text[strlen("HTTP/1.1 200 OK\r\nContent-Length: 405")] = '6';
	text[4097] = '\0';
	fake_server_script(&b->server, &reply, 1);
	bench_post(b, false);
	assert_failed(b, PCTL_E_PROTOCOL, "answer larger than 4096 bytes");

	/* Headers alone. */
	memset(text, 'x', sizeof(text));
	memcpy(text, "HTTP/1.1 200 OK\r\nA: ", 20);
	text[4198] = '\n';
	text[4199] = '\0';
	fake_server_script(&b->server, &reply, 1);
	bench_post(b, false);
	assert_failed(b, PCTL_E_PROTOCOL, "answer larger than 4096 bytes");
}

static void test_what_is_not_http(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS("SSH-2.0-OpenSSH_9.2\r\n"), CLOSES("HTTP/1.1 abc\r\n\r\n"));

	pctl_http_session_free(b->session);
	bench_open(b, PCTL_HTTP_AUTH_NONE);
	bench_post(b, false);
	assert_failed(b, PCTL_E_PROTOCOL, "is not HTTP");
	bench_post(b, false);
	assert_int_equal(b->err.code, PCTL_E_PROTOCOL);
}

/* --- Time. ------------------------------------------------------------------------------------ */

static void test_no_answer(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, CLOSES(R401("n1", CLOSING)), IS_SILENT(""));

	b->device.answer_ms = 50;
	bench_post(b, true);
	assert_failed(b, PCTL_E_TIMEOUT, "no answer in 50 ms");
	assert_int_equal(b->op.committed, 1);
	assert_int_equal(b->op.not_taken, 0);
	bench_settle(b);
	assert_int_equal(b->server.open, 0);
}

#define TEN    "0123456789"
#define EIGHTY TEN TEN TEN TEN TEN TEN TEN TEN

static void test_a_byte_at_a_time_buys_no_time(void **state)
{
	struct bench *b = *state;
	/* The body takes four seconds if nobody loses patience. */
	SCRIPT(b, { .text = "HTTP/1.1 401 No\r\nContent-Length: 800\r\n\r\n" EIGHTY EIGHTY EIGHTY
				  EIGHTY EIGHTY EIGHTY EIGHTY EIGHTY EIGHTY EIGHTY,
			  .then = FAKE_DRIP,
			  .split = 30 });

	b->device.answer_ms = 100;
	uint64_t from = uv_now(&b->loop);
	bench_post(b, false);
	assert_failed(b, PCTL_E_TIMEOUT, "the answer did not end in 100 ms");
	assert_in_range(uv_now(&b->loop) - from, 90, 2000);
}

static void test_connection_that_does_not_come(void **state)
{
	struct bench *b = *state;
	struct fake_server full;

	/* A channel that never answers is connected already: only TLS can be waited for there. */
	fake_server_start(&full, &b->loop);
	full.mute = true;
	b->device.pipe_to = &full;
	b->device.connect_ms = 50;
	pctl_http_session_free(b->session);
	struct pctl_http_settings s = bench_settings(b, NULL);
	struct pctl_error err;
	s.tls = true;
	assert_int_equal(pctl_http_session_new(b->http, &s, &b->session, &err), 0);
	bench_post(b, true);
	assert_failed(b, PCTL_E_UNREACHABLE, "TLS was not established in 50 ms");
	assert_int_equal(b->op.committed, 0);
	fake_server_stop(&full);
	uv_run(&b->loop, UV_RUN_NOWAIT);
}

/* --- Ends. ------------------------------------------------------------------------------------ */

static void test_cancel_is_silent_and_hangs_up(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, IS_SILENT(""), CLOSES(R401("n1", CLOSING)), SAYS(R200));

	bench_send(b, true);
	while (b->server.n < 1)
		uv_run(&b->loop, UV_RUN_ONCE);
	pctl_http_cancel(b->session);
	bench_settle(b);
	assert_int_equal(b->server.open, 0);
	assert_int_equal(b->done, 0);
	pctl_http_cancel(b->session);

	/* Before anything left, too. */
	bench_send(b, true);
	pctl_http_cancel(b->session);
	for (int i = 0; i < 20; i++)
		uv_run(&b->loop, UV_RUN_NOWAIT);
	assert_int_equal(b->done, 0);
	assert_int_equal(b->server.n, 1);
	bench_post(b, false);
	assert_int_equal(b->status, 200);
}

static void test_free_in_flight(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS("HTTP/1.1 200 OK\r\nContent-Le"));

	bench_send(b, true);
	while (b->server.n < 1)
		uv_run(&b->loop, UV_RUN_ONCE);
	uv_run(&b->loop, UV_RUN_NOWAIT);
	pctl_http_session_free(b->session);
	b->session = NULL;
	bench_settle(b);
	assert_int_equal(b->server.open, 0);
	assert_int_equal(b->done, 0);
}

static void free_inside(
	void *data, const struct pctl_http_answer *answer, const struct pctl_error *err)
{
	struct bench *b = data;

	assert_null(err);
	pctl_http_session_free(b->session);
	b->session = NULL;
	assert_string_equal(answer->body, "<a/>");
	uv_stop(&b->loop);
	b->done++;
}

static void test_free_inside_the_callback(void **state)
{
	struct bench *b = *state;
	const struct pctl_http_request r = { .size = sizeof(r), .method = "GET", .path = "/" };
	SCRIPT(b, SAYS(R200));

	pctl_http_send(b->session, &b->op, &r, free_inside, b);
	bench_wait(b);
	bench_settle(b);
	assert_int_equal(b->server.open, 0);
}

/* Many at once, more than a lane takes, each with a connection of its own to the same address. */
static void on_many(void *data, const struct pctl_http_answer *answer, const struct pctl_error *err)
{
	assert_null(err);
	assert_int_equal(answer->status, 200);
	++*(int *)data;
}

static void test_sessions_do_not_share_connections(void **state)
{
	enum { SESSIONS = 5 };
	struct bench *b = *state;
	struct pctl_http_session *sessions[SESSIONS];
	struct pctl_http_settings s = bench_settings(b, NULL);
	const struct pctl_http_request r = { .size = sizeof(r), .method = "GET", .path = "/" };
	int done = 0;
	SCRIPT(b, SAYS(R200), SAYS(R200), SAYS(R200), SAYS(R200), SAYS(R200));

	s.auth = PCTL_HTTP_AUTH_NONE;
	for (int i = 0; i < SESSIONS; i++) {
		struct pctl_error err;
		assert_int_equal(pctl_http_session_new(b->http, &s, &sessions[i], &err), 0);
		/* One after the other, so that libcurl has idle ones to choose from. */
		pctl_http_send(sessions[i], NULL, &r, on_many, &done);
		while (done <= i)
			uv_run(&b->loop, UV_RUN_ONCE);
	}
	assert_int_equal(b->server.accepted, SESSIONS);
	assert_int_equal(b->server.open, SESSIONS);
	int descriptors = open_descriptors();
	for (int i = 0; i < SESSIONS; i++) {
		pctl_http_session_idle(sessions[i]);
		pctl_http_session_idle(sessions[i]);
	}
	/* libcurl keeps none that nobody can use any more. */
	assert_int_equal(open_descriptors(), descriptors - SESSIONS);
	bench_settle(b);
	assert_int_equal(b->server.open, 0);
	for (int i = 0; i < SESSIONS; i++)
		pctl_http_session_free(sessions[i]);
}

/* Those of the engine: the server has neither. */
static void count_waiting(uv_handle_t *handle, void *data)
{
	uv_handle_type type = uv_handle_get_type(handle);

	*(int *)data +=
		(type == UV_POLL || type == UV_TIMER) && uv_is_active(handle) && uv_has_ref(handle);
}

static void test_kept_connection_keeps_no_loop_running(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS(R401("n1", "")), SAYS(R200), IS_SILENT(""));
	int waiting = 0;

	bench_post(b, false);
	assert_int_equal(b->server.open, 1);
	uv_walk(&b->loop, count_waiting, &waiting);
	assert_int_equal(waiting, 0);
	/* A request in flight on it does. */
	bench_send(b, false);
	while (b->server.n < 3)
		uv_run(&b->loop, UV_RUN_ONCE);
	uv_walk(&b->loop, count_waiting, &waiting);
	assert_in_range(waiting, 1, 2);
}

/* Two end in one go, and whoever hears of the first gives up the second. */
static void cancel_other(
	void *data, const struct pctl_http_answer *answered, const struct pctl_error *err)
{
	struct bench *b = data;

	assert_null(answered);
	assert_string_equal(err->text, "no way");
	uv_stop(&b->loop);
	b->done++;
	pctl_http_cancel(b->session);
	pctl_http_cancel(b->other);
}

static void test_cancel_inside_anothers_callback(void **state)
{
	struct bench *b = *state;
	struct pctl_http_settings s = bench_settings(b, NULL);
	const struct pctl_http_request r = { .size = sizeof(r), .method = "GET", .path = "/" };
	struct pctl_error err;

	b->device.dial_error = "no way";
	assert_int_equal(pctl_http_session_new(b->http, &s, &b->other, &err), 0);
	pctl_http_send(b->session, NULL, &r, cancel_other, b);
	pctl_http_send(b->other, NULL, &r, cancel_other, b);
	bench_wait(b);
	for (int i = 0; i < 5; i++)
		uv_run(&b->loop, UV_RUN_NOWAIT);
	assert_int_equal(b->done, 1);
	assert_int_equal(b->device.dials, 2);
	pctl_http_session_free(b->other);
}

/* --- Dialed descriptors. ---------------------------------------------------------------------- */

static void test_channel(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, CLOSES(R401("n1", CLOSING)), SAYS(R200), SAYS(R200));

	b->device.pipe_to = &b->server;
	bench_post(b, true);
	assert_int_equal(b->status, 200);
	bench_post(b, true);
	assert_int_equal(b->status, 200);
	assert_int_equal(b->device.dials, 2);
	assert_int_equal(b->server.n, 3);
	assert_int_equal(b->server.max_open, 1);
	pctl_http_session_idle(b->session);
	bench_settle(b);
	assert_int_equal(b->server.open, 0);
}

static void test_channel_that_fails(void **state)
{
	struct bench *b = *state;

	b->device.pipe_to = &b->server;
	b->device.channel_error = "the tunnel is down";
	bench_post(b, false);
	assert_failed(b, PCTL_E_UNREACHABLE, "the tunnel is down");
}

/* --- Trace. ----------------------------------------------------------------------------------- */

static char traced[4096];

static void on_line(void *data, enum pctl_log_level level, const char *node, const char *line)
{
	size_t len = strlen(traced);

	(void)data, (void)level;
	(void)snprintf(traced + len, sizeof(traced) - len, "%s: %s\n", node, line);
}

static void test_trace_has_no_secrets(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, CLOSES(R401("n1", CLOSING)), SAYS(R200), SAYS(R200));

	traced[0] = '\0';
	pctl_log_set_sink(on_line, NULL, PCTL_LOG_TRACE);
	bench_post(b, false);
	bench_post(b, false);
	pctl_log_set_sink(NULL, NULL, PCTL_LOG_DEBUG);
	assert_non_null(strstr(traced, "n1: http POST /wsman (empty, for a challenge) -> 401, "));
	assert_non_null(strstr(traced, "n1: http POST /wsman -> 200, "));
	assert_non_null(strstr(traced, "new connection"));
	assert_non_null(strstr(traced, "kept connection"));
	assert_null(strstr(traced, "P@ssw0rd"));
	assert_null(strstr(traced, "response"));
	assert_null(strstr(traced, "request/"));
}

static void test_settings_are_checked(void **state)
{
	struct bench *b = *state;
	struct pctl_http_settings s = bench_settings(b, NULL);
	struct pctl_http_session *session = NULL;
	struct pctl_error err;

	s.username = NULL;
	assert_int_equal(pctl_http_session_new(b->http, &s, &session, &err), PCTL_E_CONFIG);
	s.username = "a:b";
	s.auth = PCTL_HTTP_AUTH_BASIC;
	assert_int_equal(pctl_http_session_new(b->http, &s, &session, &err), PCTL_E_CONFIG);
	s.auth = PCTL_HTTP_AUTH_NONE;
	s.ca_file = "/nonexistent/ca.pem";
	assert_int_equal(pctl_http_session_new(b->http, &s, &session, &err), PCTL_E_CONFIG);
	assert_non_null(strstr(err.text, "/nonexistent/ca.pem"));
	/* What an older program's shorter structure lacks is not read. */
	s.size = offsetof(struct pctl_http_settings, ca_file);
	assert_null(session);
	assert_int_equal(pctl_http_session_new(b->http, &s, &session, &err), 0);
	pctl_http_session_free(session);
	pctl_http_session_free(NULL);
}

/* --- A host that lets SYNs fall: nothing refuses and nothing answers. ------------------------- */

/* A listener whose queue is full; returns its port. */
static uint16_t mute_host(int *ret_listener, int *clients, size_t n)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);

	*ret_listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(*ret_listener, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(*ret_listener, 0), 0);
	assert_int_equal(getsockname(*ret_listener, (struct sockaddr *)&addr, &len), 0);
	for (size_t i = 0; i < n; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(clients[i], (struct sockaddr *)&addr, len);
	}
	return ntohs(addr.sin_port);
}

/* The engine's close, in tear-down, would not end if a handle of the connection were left. */
static void test_a_mute_host_is_let_go(void **state)
{
	struct bench *b = *state;
	int listener, clients[4];

	b->device.port = mute_host(&listener, clients, TEST_COUNT(clients));
	b->device.connect_ms = 50;
	bench_post(b, false);
	assert_failed(b, PCTL_E_UNREACHABLE, "no answer in 50 ms");

	bench_send(b, true);
	(void)uv_run(&b->loop, UV_RUN_NOWAIT);
	pctl_http_cancel(b->session);
	(void)uv_run(&b->loop, UV_RUN_NOWAIT);
	for (size_t i = 0; i < TEST_COUNT(clients); i++)
		(void)close(clients[i]);
	(void)close(listener);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_a_mute_host_is_let_go),
		TEST(test_idle_connection_closed_by_the_device),
		TEST(test_unasked_answer),
		TEST(test_kept_connection_dies_under_a_read),
		TEST(test_kept_connection_is_reset_under_a_read),
		TEST(test_kept_connection_dies_under_a_change),
		TEST(test_kept_connection_is_reset_under_a_change),
		TEST(test_new_connection_that_dies_is_not_tried_again),
		TEST(test_read_is_repeated_only_once),
		TEST(test_chunks_split_anywhere),
		TEST(test_cut_answers),
		TEST(test_end_of_connection_ends_the_answer),
		TEST(test_large_answers),
		TEST(test_what_is_not_http),
		TEST(test_no_answer),
		TEST(test_a_byte_at_a_time_buys_no_time),
		TEST(test_connection_that_does_not_come),
		TEST(test_cancel_is_silent_and_hangs_up),
		TEST(test_free_in_flight),
		TEST(test_free_inside_the_callback),
		TEST(test_sessions_do_not_share_connections),
		TEST(test_kept_connection_keeps_no_loop_running),
		TEST(test_cancel_inside_anothers_callback),
		TEST(test_channel),
		TEST(test_channel_that_fails),
		TEST(test_trace_has_no_secrets),
		TEST(test_settings_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
