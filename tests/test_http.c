/* SPDX-License-Identifier: Apache-2.0 */
#include "http_fake.h"

#include <fcntl.h>

#include <powerctl/log.h>

#define CHALLENGE(nonce)                                                     \
	"WWW-Authenticate: Digest realm=\"Digest:A4070000\", nonce=\"" nonce \
	"\",stale=\"false\",qop=\"auth-int, auth\"\r\n"
#define R401(nonce, connection)                                     \
	"HTTP/1.1 401 Unauthorized\r\n" CHALLENGE(nonce) connection \
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
#define DRIPS(t)                               \
	{                                      \
		.text = (t), .then = FAKE_DRIP \
	}

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

static void on_done(void *data, const struct pctl_http_answer *answer, const struct pctl_error *err)
{
	struct bench *b = data;

	assert_true(!answer != !err);
	uv_stop(&b->loop);
	b->done++;
	b->status = answer ? answer->status : 0;
	b->err = err ? *err : (struct pctl_error){ 0 };
	(void)snprintf(b->body, sizeof(b->body), "%s", answer ? answer->body : "");
	(void)snprintf(b->server_name, sizeof(b->server_name), "%s", answer ? answer->server : "");
	if (answer)
		assert_int_equal(strlen(answer->body), answer->len);
}

static struct pctl_http_settings settings(struct bench *b, const struct pctl_secret *password)
{
	return (struct pctl_http_settings){
		.size = sizeof(struct pctl_http_settings),
		.device = &b->device,
		.port = 16992,
		.auth = PCTL_HTTP_AUTH_DIGEST,
		.username = "admin",
		.password = password,
		.pin_realm = true,
		.max_answer = 4096,
	};
}

static void open_session(struct bench *b, enum pctl_http_auth auth)
{
	struct pctl_secret *password = pctl_secret_new("P@ssw0rd", 8);
	struct pctl_http_settings s = settings(b, password);
	struct pctl_error err;

	s.auth = auth;
	assert_int_equal(pctl_http_session_new(b->http, &s, &b->session, &err), 0);
	pctl_secret_free(password);
}

static int set_up(void **state)
{
	struct bench *b = test_calloc(1, sizeof(*b));
	struct pctl_error err;

	assert_int_equal(uv_loop_init(&b->loop), 0);
	fake_server_start(&b->server, &b->loop);
	b->device = (struct pctl_device){ .loop = &b->loop,
		.host = "n1.example",
		.port = b->server.port,
		.connect_ms = 2000,
		.answer_ms = 2000 };
	b->op.server = &b->server;
	assert_int_equal(pctl_http_new(&b->loop, &b->http, &err), 0);
	open_session(b, PCTL_HTTP_AUTH_DIGEST);
	*state = b;
	return 0;
}

static void on_engine_closed(void *data)
{
	((struct bench *)data)->engine_closed = true;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	pctl_http_session_free(b->session);
	pctl_http_close(b->http, on_engine_closed, b);
	assert_false(b->engine_closed);
	fake_server_stop(&b->server);
	assert_int_equal(uv_run(&b->loop, UV_RUN_DEFAULT), 0);
	assert_true(b->engine_closed);
	assert_int_equal(uv_loop_close(&b->loop), 0); /* nothing left behind */
	test_free(b);
	return 0;
}

static void send_only(struct bench *b, bool changes)
{
	static const char body[] = "<request/>";
	char *type = strdup("text/xml"), *path = strdup("/wsman");
	const struct pctl_http_request request = { .method = "POST",
		.path = path,
		.content_type = type,
		.body = body,
		.body_len = sizeof(body) - 1,
		.changes = changes };

	b->done = 0;
	pctl_http_send(b->session, &b->op, &request, on_done, b);
	assert_int_equal(b->done, 0);
	/* Only the body has to live until the answer. */
	memset(path, 'x', strlen(path));
	free(type);
	free(path);
}

static void wait_done(struct bench *b)
{
	if (!b->done)
		(void)uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_int_equal(b->done, 1);
}

static void post(struct bench *b, bool changes)
{
	send_only(b, changes);
	wait_done(b);
}

#define SCRIPT(b, ...)                                              \
	static const struct fake_reply replies[] = { __VA_ARGS__ }; \
	fake_server_script(&(b)->server, replies, TEST_COUNT(replies))

/* Nothing is open any more once the loop had a moment. */
static void settle(struct bench *b)
{
	for (int i = 0; i < 1000 && b->server.open; i++)
		uv_run(&b->loop, UV_RUN_NOWAIT);
}

static void assert_failed(const struct bench *b, int code, const char *text)
{
	if (b->err.code != code || !strstr(b->err.text, text))
		fail_msg("%d %s, not %d %s", b->err.code, b->err.text, code, text);
}

static void assert_request(const struct bench *b, int i, const char *text, bool there)
{
	assert_true(i < b->server.n);
	if (!strstr(b->server.requests[i], text) == there)
		fail_msg("%s %s:\n%s", there ? "lacks" : "has", text, b->server.requests[i]);
}

/* --- Logins. ---------------------------------------------------------------------------------- */

static void assert_right_response(const struct bench *b, int i)
{
	struct pctl_digest seen, challenge = { .qop_auth = true, .algorithm = "MD5" };
	const char *authorization = strstr(b->server.requests[i], "Authorization: ");
	char cnonce[64] = "", want[1024];

	assert_non_null(authorization);
	authorization += strlen("Authorization: ");
	size_t len = strcspn(authorization, "\r");
	assert_int_equal(pctl_digest_parse(authorization, len, &seen), 0);
	const char *from = strstr(authorization, "cnonce=\"") + strlen("cnonce=\"");
	(void)snprintf(cnonce, sizeof(cnonce), "%.*s", (int)strcspn(from, "\""), from);
	assert_int_equal(strlen(cnonce), 32);
	(void)snprintf(challenge.realm, sizeof(challenge.realm), "%s", seen.realm);
	(void)snprintf(challenge.nonce, sizeof(challenge.nonce), "%s", seen.nonce);
	const struct pctl_digest_answer answer = { .username = "admin",
		.method = "POST",
		.uri = "/wsman",
		.password = "P@ssw0rd",
		.password_len = 8,
		.cnonce = cnonce,
		.nc = strstr(authorization, "nc=00000001") ? 1 : 2 };
	assert_int_equal(pctl_digest_answer(&challenge, &answer, want, sizeof(want)), 0);
	assert_int_equal(len, strlen(want));
	assert_memory_equal(authorization, want, len);
}

static void test_cold_login_sends_the_body_once(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, CLOSES(R401("n1", CLOSING)), SAYS(R200));

	post(b, false);
	assert_int_equal(b->status, 200);
	assert_string_equal(b->body, "<a/>");
	assert_string_equal(b->server_name, "AMT 16");
	assert_int_equal(b->server.n, 2);
	assert_int_equal(b->server.accepted, 2);
	assert_int_equal(b->server.max_open, 1);
	assert_request(b, 0, "POST /wsman HTTP/1.1\r\n", true);
	assert_request(b, 0, "Host: n1.example:16992\r\n", true);
	assert_request(b, 0, "Content-Length: 0\r\n", true);
	assert_request(b, 0, "<request/>", false);
	assert_request(b, 0, "Authorization", false);
	assert_request(b, 0, "Content-Type", false);
	assert_request(b, 0, "Expect", false);
	assert_request(b, 1, "POST /wsman HTTP/1.1\r\n", true);
	assert_request(b, 1, "Content-Type: text/xml\r\n", true);
	assert_request(b, 1, "\r\n\r\n<request/>", true);
	assert_request(b, 1, "nc=00000001", true);
	assert_request(b, 1, "Expect", false);
	assert_right_response(b, 1);
	assert_int_equal(b->op.committed, 0);
	assert_string_equal(b->device.realm.shown, "Digest:A4070000");
}

static void test_nonce_is_used_again(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, CLOSES(R401("n1", CLOSING)), SAYS(R200), SAYS(R200), SAYS(R200));

	post(b, false);
	post(b, false);
	assert_int_equal(b->status, 200);
	assert_int_equal(b->server.n, 3);
	assert_int_equal(b->server.accepted, 2); /* and the connection too */
	assert_request(b, 2, "nc=00000002", true);
	assert_request(b, 2, "nonce=\"n1\"", true);
	assert_right_response(b, 2);

	pctl_http_session_idle(b->session);
	settle(b);
	assert_int_equal(b->server.open, 0);
	post(b, false);
	assert_int_equal(b->server.n, 4);
	assert_int_equal(b->server.accepted, 3);
	assert_request(b, 3, "nc=00000003", true);
}

static void test_401_that_stays_open_costs_no_connection(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS(R401("n1", "")), SAYS(R200));

	post(b, false);
	assert_int_equal(b->status, 200);
	assert_int_equal(b->server.n, 2);
	assert_int_equal(b->server.accepted, 1);
}

static void test_stale_nonce_is_replaced_once(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, CLOSES(R401("n1", CLOSING)), SAYS(R200), CLOSES(R401("n2", CLOSING)), SAYS(R200));

	post(b, false);
	post(b, true);
	assert_int_equal(b->status, 200);
	assert_int_equal(b->server.n, 4);
	assert_int_equal(b->server.max_open, 1);
	assert_request(b, 2, "nc=00000002", true);
	assert_request(b, 3, "nonce=\"n2\"", true);
	assert_request(b, 3, "nc=00000001", true);
	assert_int_equal(b->op.committed, 2);
	assert_int_equal(b->op.not_taken, 1);
}

static void test_wrong_password_is_tried_once(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, CLOSES(R401("n1", CLOSING)), CLOSES(R401("n2", CLOSING)), SAYS(R200));

	post(b, true);
	assert_failed(b, PCTL_E_AUTH, "user 'admin' or its password was refused (HTTP 401)");
	assert_string_equal(b->err.device_code, "HTTP 401");
	assert_int_equal(b->server.n, 2);
	assert_int_equal(b->op.committed, 1);
	assert_int_equal(b->op.not_taken, 1);
}

static void test_password_changed_meanwhile(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, CLOSES(R401("n1", CLOSING)), SAYS(R200), CLOSES(R401("n2", CLOSING)),
		CLOSES(R401("n3", CLOSING)), SAYS(R200));

	post(b, false);
	post(b, false);
	assert_failed(b, PCTL_E_AUTH, "refused");
	assert_int_equal(b->server.n, 4);
}

static void test_lost_login_is_no_third_try(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS(R401("n1", "")), CLOSES(""), CLOSES(R401("n2", CLOSING)), SAYS(R200));

	post(b, false);
	assert_failed(b, PCTL_E_AUTH, "refused");
	assert_int_equal(b->server.n, 3);
	assert_request(b, 2, "nc=00000002", true);
}

static void test_locked_account_is_told(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, CLOSES(R401("n1", CLOSING)),
		CLOSES("HTTP/1.1 401 No\r\n" CHALLENGE("n2") CLOSING "\r\nor temporarily Locked"));

	post(b, false);
	assert_failed(b, PCTL_E_AUTH, "may be locked");
}

static void test_unknown_kind_of_login(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS("HTTP/1.1 401 No\r\nWWW-Authenticate: Negotiate\r\nContent-Length: "
		       "0\r\n\r\n"));

	post(b, false);
	assert_failed(b, PCTL_E_AUTH, "not supported");
	assert_int_equal(b->server.n, 1);
}

static void test_several_challenges(void **state)
{
	struct bench *b = *state;
	SCRIPT(b,
		SAYS("HTTP/1.1 401 No\r\nWWW-Authenticate: Negotiate\r\nwww-authenticate:  "
		     "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"  \r\nContent-Length: "
		     "0\r\n\r\n"),
		SAYS(R200));

	post(b, false);
	assert_int_equal(b->status, 200);
	assert_string_equal(b->device.realm.shown, "r");
}

static void test_other_realm_gets_no_login(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, CLOSES(R401("n1", CLOSING)), SAYS(R200));

	b->device.realm.known = "Digest:B0000000";
	post(b, true);
	assert_failed(b, PCTL_E_TRUST, "powerctl trust");
	assert_int_equal(b->server.n, 1);
	assert_int_equal(b->op.committed, 0);
}

/* The empty first request is our idea; who does not like it gets the real one. */
static void test_empty_request_not_understood(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS("HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n"),
		CLOSES(R401("n1", CLOSING)), SAYS(R200));

	post(b, true);
	assert_int_equal(b->status, 200);
	assert_int_equal(b->server.n, 3);
	assert_request(b, 1, "<request/>", true);
	assert_request(b, 1, "Authorization", false);
	assert_request(b, 2, "<request/>", true);
	assert_right_response(b, 2);
	assert_int_equal(b->op.committed, 2);
	assert_int_equal(b->op.not_taken, 1);
}

static void test_device_without_login(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), SAYS(R200));

	post(b, true);
	assert_int_equal(b->status, 200);
	assert_int_equal(b->server.n, 2);
	assert_int_equal(b->op.committed, 1);
}

static void test_basic(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS(R200), CLOSES(R401("n1", CLOSING)), SAYS(R200));

	pctl_http_session_free(b->session);
	open_session(b, PCTL_HTTP_AUTH_BASIC);
	post(b, false);
	assert_int_equal(b->status, 200);
	assert_request(b, 0, "Authorization: Basic YWRtaW46UEBzc3cwcmQ=\r\n", true);
	post(b, false);
	assert_failed(b, PCTL_E_AUTH, "refused");
	assert_int_equal(b->server.n, 2);
}

static void test_none(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS(R200), CLOSES(R401("n1", CLOSING)));

	pctl_http_session_free(b->session);
	open_session(b, PCTL_HTTP_AUTH_NONE);
	post(b, false);
	assert_int_equal(b->status, 200);
	assert_request(b, 0, "Authorization", false);
	post(b, false);
	assert_failed(b, PCTL_E_AUTH, "wants a user");
}

static void test_methods(void **state)
{
	struct bench *b = *state;
	struct pctl_http_request r = { .method = "GET", .path = "/redfish/v1/?a=b" };
	SCRIPT(b, SAYS(R200), SAYS(R200), SAYS(R200));

	pctl_http_session_free(b->session);
	open_session(b, PCTL_HTTP_AUTH_NONE);
	b->done = 0;
	pctl_http_send(b->session, NULL, &r, on_done, b);
	wait_done(b);
	assert_request(b, 0, "GET /redfish/v1/?a=b HTTP/1.1\r\n", true);
	assert_request(b, 0, "Content-Length", false);
	r = (struct pctl_http_request){ .method = "DELETE", .path = "/x/../y", .changes = true };
	b->done = 0;
	pctl_http_send(b->session, &b->op, &r, on_done, b);
	wait_done(b);
	assert_request(b, 1, "DELETE /x/../y HTTP/1.1\r\n", true);
	assert_int_equal(b->op.committed, 1);
	r = (struct pctl_http_request){
		.method = "PATCH", .path = "/z", .body = "{}", .body_len = 2, .content_type = "a/j"
	};
	b->done = 0;
	pctl_http_send(b->session, &b->op, &r, on_done, b);
	wait_done(b);
	assert_request(b, 2, "PATCH /z HTTP/1.1\r\n", true);
	assert_request(b, 2, "Content-Type: a/j\r\n", true);
	assert_request(b, 2, "\r\n\r\n{}", true);
}

static void test_paths_that_would_smuggle(void **state)
{
	static const char *const paths[] = { "/a b", "/a\r\nX: y", "http://elsewhere/", "/\x80" };
	struct bench *b = *state;

	SCRIPT(b, SAYS(R200));
	for (size_t i = 0; i < TEST_COUNT(paths); i++) {
		const struct pctl_http_request r = { .method = "GET", .path = paths[i] };

		b->done = 0;
		pctl_http_send(b->session, &b->op, &r, on_done, b);
		assert_int_equal(b->done, 0);
		wait_done(b);
		assert_failed(b, PCTL_E_PROTOCOL, "not a path");
	}
	assert_int_equal(b->device.dials, 0);
}

/* --- The commit point. ------------------------------------------------------------------------ */

static void test_commit_comes_right_before_the_body(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, CLOSES(R401("n1", CLOSING)), SAYS(R200));

	post(b, true);
	assert_int_equal(b->op.committed, 1);
	assert_int_equal(b->op.not_taken, 0);
	assert_int_equal(b->op.requests_before, 1);
}

static void test_busy_was_not_taken(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, CLOSES(R401("n1", CLOSING)),
		CLOSES("HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\ncut"));

	post(b, true);
	assert_failed(b, PCTL_E_BUSY, "busy");
	assert_string_equal(b->err.device_code, "HTTP 503");
	assert_int_equal(b->op.committed, 1);
	assert_int_equal(b->op.not_taken, 1);
}

static void test_nothing_is_committed_without_a_connection(void **state)
{
	struct bench *b = *state;
	struct fake_server gone;

	fake_server_start(&gone, &b->loop);
	b->device.port = gone.port;
	fake_server_stop(&gone);
	uv_run(&b->loop, UV_RUN_NOWAIT);
	post(b, true);
	assert_failed(b, PCTL_E_UNREACHABLE, "connection refused by port 16992");
	assert_int_equal(b->op.committed, 0);
}

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

	post(b, false);
	/* A read, at once, and a change, after the loop has seen it: neither can be lost. */
	post(b, false);
	assert_int_equal(b->status, 200);
	settle(b);
	for (int i = 0; i < 5; i++)
		uv_run(&b->loop, UV_RUN_NOWAIT);
	/* One is libcurl's own, and one a pair of them. */
	assert_in_range(open_descriptors(), before, before + 2);
	post(b, true);
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
	open_session(b, PCTL_HTTP_AUTH_NONE);
	post(b, false);
	assert_string_equal(b->body, "<a/>");
	while (b->server.open)
		uv_run(&b->loop, UV_RUN_ONCE);
	post(b, true);
	assert_string_equal(b->body, "<a/>");
	assert_int_equal(b->server.accepted, 2);
}

static void dies_under_a_read(struct bench *b)
{
	post(b, false);
	assert_int_equal(b->status, 200);
	post(b, false);
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
	post(b, false);
	assert_int_equal(b->status, 200);
	post(b, true);
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

	post(b, false);
	assert_failed(b, PCTL_E_UNREACHABLE, "connection closed before an answer");
	assert_int_equal(b->server.n, 1);
	assert_int_equal(b->device.dials, 1);
}

static void test_read_is_repeated_only_once(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS(R401("n1", "")), CLOSES(""), CLOSES(""), SAYS(R200));

	post(b, false);
	assert_failed(b, PCTL_E_UNREACHABLE, "connection closed before an answer");
	assert_int_equal(b->server.n, 3);
}

/* --- Answers. --------------------------------------------------------------------------------- */

static void test_chunks_split_anywhere(void **state)
{
	struct bench *b = *state;
	static const char text[] = CHUNKED "0\r\n\r\n";
	struct fake_reply reply = { text, FAKE_KEEP, 0 };

	pctl_http_session_free(b->session);
	open_session(b, PCTL_HTTP_AUTH_NONE);
	for (size_t split = 1; split < sizeof(text) - 1; split++) {
		reply.split = split;
		fake_server_script(&b->server, &reply, 1);
		post(b, false);
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
	open_session(b, PCTL_HTTP_AUTH_NONE);
	/* Up to the end of the document, of which the last chunk's line end is no part. */
	for (size_t len = 1; len < sizeof(whole) - 1; len++) {
		char *text = strndup(whole, len);
		const struct fake_reply reply = { text, len % 2 ? FAKE_CLOSE : FAKE_RESET, 0 };

		/* A reset overtakes what was sent, or does not. */
		b->op = (struct pctl_op){ .committed = 0 };
		fake_server_script(&b->server, &reply, 1);
		post(b, true);
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
	open_session(b, PCTL_HTTP_AUTH_NONE);
	post(b, false);
	assert_string_equal(b->body, "to the end");
	post(b, false);
	assert_string_equal(b->body, "old");
	post(b, false);
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
	open_session(b, PCTL_HTTP_AUTH_NONE);
	memset(text, 'x', sizeof(text));
	memcpy(text, head, head_len);
	text[4096] = '\0';
	fake_server_script(&b->server, &reply, 1);
	post(b, false);
	assert_int_equal(b->status, 200);

	memset(text, 'x', sizeof(text));
	memcpy(text, head, head_len);
	text[strlen("HTTP/1.1 200 OK\r\nContent-Length: 405")] = '6';
	text[4097] = '\0';
	fake_server_script(&b->server, &reply, 1);
	post(b, false);
	assert_failed(b, PCTL_E_PROTOCOL, "answer larger than 4096 bytes");

	/* Headers alone. */
	memset(text, 'x', sizeof(text));
	memcpy(text, "HTTP/1.1 200 OK\r\nA: ", 20);
	text[4198] = '\n';
	text[4199] = '\0';
	fake_server_script(&b->server, &reply, 1);
	post(b, false);
	assert_failed(b, PCTL_E_PROTOCOL, "answer larger than 4096 bytes");
}

static void test_what_is_not_http(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS("SSH-2.0-OpenSSH_9.2\r\n"), CLOSES("HTTP/1.1 abc\r\n\r\n"));

	pctl_http_session_free(b->session);
	open_session(b, PCTL_HTTP_AUTH_NONE);
	post(b, false);
	assert_failed(b, PCTL_E_PROTOCOL, "is not HTTP");
	post(b, false);
	assert_int_equal(b->err.code, PCTL_E_PROTOCOL);
}

/* --- Time. ------------------------------------------------------------------------------------ */

static void test_no_answer(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, CLOSES(R401("n1", CLOSING)), IS_SILENT(""));

	b->device.answer_ms = 50;
	post(b, true);
	assert_failed(b, PCTL_E_TIMEOUT, "no answer in 50 ms");
	assert_int_equal(b->op.committed, 1);
	assert_int_equal(b->op.not_taken, 0);
	settle(b);
	assert_int_equal(b->server.open, 0);
}

static void test_a_byte_at_a_time_buys_no_time(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, DRIPS(CHUNKED CHUNKED CHUNKED));

	b->device.answer_ms = 100;
	uint64_t from = uv_now(&b->loop);
	post(b, false);
	assert_failed(b, PCTL_E_TIMEOUT, "the answer did not end in 100 ms");
	assert_in_range(uv_now(&b->loop) - from, 90, 400);
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
	struct pctl_http_settings s = settings(b, NULL);
	struct pctl_error err;
	s.tls = true;
	assert_int_equal(pctl_http_session_new(b->http, &s, &b->session, &err), 0);
	post(b, true);
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

	send_only(b, true);
	while (b->server.n < 1)
		uv_run(&b->loop, UV_RUN_ONCE);
	pctl_http_cancel(b->session);
	settle(b);
	assert_int_equal(b->server.open, 0);
	assert_int_equal(b->done, 0);
	pctl_http_cancel(b->session);

	/* Before anything left, too. */
	send_only(b, true);
	pctl_http_cancel(b->session);
	for (int i = 0; i < 20; i++)
		uv_run(&b->loop, UV_RUN_NOWAIT);
	assert_int_equal(b->done, 0);
	assert_int_equal(b->server.n, 1);
	post(b, false);
	assert_int_equal(b->status, 200);
}

static void test_free_in_flight(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS("HTTP/1.1 200 OK\r\nContent-Le"));

	send_only(b, true);
	while (b->server.n < 1)
		uv_run(&b->loop, UV_RUN_ONCE);
	uv_run(&b->loop, UV_RUN_NOWAIT);
	pctl_http_session_free(b->session);
	b->session = NULL;
	settle(b);
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
	const struct pctl_http_request r = { .method = "GET", .path = "/" };
	SCRIPT(b, SAYS(R200));

	pctl_http_send(b->session, &b->op, &r, free_inside, b);
	wait_done(b);
	settle(b);
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
	struct pctl_http_settings s = settings(b, NULL);
	const struct pctl_http_request r = { .method = "GET", .path = "/" };
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
	for (int i = 0; i < SESSIONS; i++) {
		pctl_http_session_idle(sessions[i]);
		pctl_http_session_idle(sessions[i]);
	}
	settle(b);
	assert_int_equal(b->server.open, 0);
	for (int i = 0; i < SESSIONS; i++)
		pctl_http_session_free(sessions[i]);
}

static void count_polls(uv_handle_t *handle, void *data)
{
	*(int *)data +=
		uv_handle_get_type(handle) == UV_POLL && uv_is_active(handle) && uv_has_ref(handle);
}

static void test_kept_connection_keeps_no_loop_running(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS(R401("n1", "")), SAYS(R200), IS_SILENT(""));
	int polls = 0;

	post(b, false);
	assert_int_equal(b->server.open, 1);
	uv_walk(&b->loop, count_polls, &polls);
	assert_int_equal(polls, 0);
	/* A request in flight on it does. */
	send_only(b, false);
	while (b->server.n < 3)
		uv_run(&b->loop, UV_RUN_ONCE);
	uv_walk(&b->loop, count_polls, &polls);
	assert_int_equal(polls, 1);
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
	struct pctl_http_settings s = settings(b, NULL);
	const struct pctl_http_request r = { .method = "GET", .path = "/" };
	struct pctl_error err;

	b->device.dial_error = "no way";
	assert_int_equal(pctl_http_session_new(b->http, &s, &b->other, &err), 0);
	pctl_http_send(b->session, NULL, &r, cancel_other, b);
	pctl_http_send(b->other, NULL, &r, cancel_other, b);
	wait_done(b);
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
	post(b, true);
	assert_int_equal(b->status, 200);
	post(b, true);
	assert_int_equal(b->status, 200);
	assert_int_equal(b->device.dials, 2);
	assert_int_equal(b->server.n, 3);
	assert_int_equal(b->server.max_open, 1);
	pctl_http_session_idle(b->session);
	settle(b);
	assert_int_equal(b->server.open, 0);
}

static void test_channel_that_fails(void **state)
{
	struct bench *b = *state;

	b->device.pipe_to = &b->server;
	b->device.channel_error = "the tunnel is down";
	post(b, false);
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
	post(b, false);
	post(b, false);
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
	struct pctl_http_settings s = settings(b, NULL);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_cold_login_sends_the_body_once),
		TEST(test_nonce_is_used_again),
		TEST(test_401_that_stays_open_costs_no_connection),
		TEST(test_stale_nonce_is_replaced_once),
		TEST(test_wrong_password_is_tried_once),
		TEST(test_password_changed_meanwhile),
		TEST(test_lost_login_is_no_third_try),
		TEST(test_locked_account_is_told),
		TEST(test_unknown_kind_of_login),
		TEST(test_several_challenges),
		TEST(test_other_realm_gets_no_login),
		TEST(test_empty_request_not_understood),
		TEST(test_device_without_login),
		TEST(test_basic),
		TEST(test_none),
		TEST(test_methods),
		TEST(test_paths_that_would_smuggle),
		TEST(test_commit_comes_right_before_the_body),
		TEST(test_busy_was_not_taken),
		TEST(test_nothing_is_committed_without_a_connection),
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
