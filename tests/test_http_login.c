/* SPDX-License-Identifier: Apache-2.0 */
/* Logins, requests and the commit point. */
#include "http_bench.h"

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

	bench_post(b, false);
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

	bench_post(b, false);
	bench_post(b, false);
	assert_int_equal(b->status, 200);
	assert_int_equal(b->server.n, 3);
	assert_int_equal(b->server.accepted, 2); /* and the connection too */
	assert_request(b, 2, "nc=00000002", true);
	assert_request(b, 2, "nonce=\"n1\"", true);
	assert_right_response(b, 2);

	pctl_http_session_idle(b->session);
	bench_settle(b);
	assert_int_equal(b->server.open, 0);
	bench_post(b, false);
	assert_int_equal(b->server.n, 4);
	assert_int_equal(b->server.accepted, 3);
	assert_request(b, 3, "nc=00000003", true);
}

static void test_401_that_stays_open_costs_no_connection(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS(R401("n1", "")), SAYS(R200));

	bench_post(b, false);
	assert_int_equal(b->status, 200);
	assert_int_equal(b->server.n, 2);
	assert_int_equal(b->server.accepted, 1);
}

static void test_stale_nonce_is_replaced_once(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, CLOSES(R401("n1", CLOSING)), SAYS(R200), CLOSES(R401("n2", CLOSING)), SAYS(R200));

	bench_post(b, false);
	bench_post(b, true);
	assert_int_equal(b->status, 200);
	assert_int_equal(b->server.n, 4);
	assert_int_equal(b->server.max_open, 1);
	assert_request(b, 2, "nc=00000002", true);
	assert_request(b, 3, "nonce=\"n2\"", true);
	assert_request(b, 3, "nc=00000001", true);
	assert_int_equal(b->op.committed, 2);
	assert_int_equal(b->op.not_taken, 1);
}

/* It says that the login was right, of a nonce that it has just given. */
static void test_stale_is_no_wrong_password(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS(R401("n1", "")), SAYS(R401_STALE("n2")), SAYS(R200));

	bench_post(b, true);
	assert_int_equal(b->status, 200);
	assert_int_equal(b->server.n, 3);
	assert_request(b, 2, "nonce=\"n2\"", true);
	assert_request(b, 2, "nc=00000001", true);
	assert_right_response(b, 2);
	assert_int_equal(b->op.not_taken, 1);
}

static void test_always_stale_ends(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS(R401("n1", "")), SAYS(R401_STALE("n2")), SAYS(R401_STALE("n3")), SAYS(R200));

	bench_post(b, true);
	assert_failed(b, PCTL_E_PROTOCOL,
		"it takes no login: it calls each nonce stale that it has just given (HTTP 401)");
	assert_int_equal(b->server.n, 3);
	assert_int_equal(b->op.not_taken, 2);
}

/* Believed once. */
static void test_stale_does_not_hide_a_wrong_password(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS(R401_STALE("n1")), SAYS(R401_STALE("n2")), SAYS(R401("n3", "")), SAYS(R200));

	bench_post(b, false);
	assert_failed(b, PCTL_E_AUTH,
		"user 'admin' or its password was refused, or the account is locked (HTTP 401)");
	assert_int_equal(b->server.n, 3);
}

static void test_wrong_password_is_tried_once(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, CLOSES(R401("n1", CLOSING)), CLOSES(R401("n2", CLOSING)), SAYS(R200));

	bench_post(b, true);
	assert_failed(b, PCTL_E_AUTH,
		"user 'admin' or its password was refused, or the account is "
		"locked (HTTP 401)");
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

	bench_post(b, false);
	bench_post(b, false);
	assert_failed(b, PCTL_E_AUTH, "refused");
	assert_int_equal(b->server.n, 4);
}

static void test_lost_login_is_no_third_try(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS(R401("n1", "")), CLOSES(""), CLOSES(R401("n2", CLOSING)), SAYS(R200));

	bench_post(b, false);
	assert_failed(b, PCTL_E_AUTH, "refused");
	assert_int_equal(b->server.n, 3);
	assert_request(b, 2, "nc=00000002", true);
}

static void test_every_refusal_reads_the_same(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, CLOSES(R401("n1", CLOSING)),
		CLOSES("HTTP/1.1 401 No\r\n" CHALLENGE("n2") CLOSING "\r\nor temporarily Locked"));

	bench_post(b, false);
	assert_failed(b, PCTL_E_AUTH, "is locked (HTTP 401)");
}

static void test_unknown_kind_of_login(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS("HTTP/1.1 401 No\r\nWWW-Authenticate: Negotiate\r\nContent-Length: "
		       "0\r\n\r\n"));

	bench_post(b, false);
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

	bench_post(b, false);
	assert_int_equal(b->status, 200);
	assert_string_equal(b->device.realm.shown, "r");
}

static void test_other_realm_gets_no_login(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, CLOSES(R401("n1", CLOSING)), SAYS(R200));

	b->device.realm.known = "Digest:B0000000";
	bench_post(b, true);
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

	bench_post(b, true);
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

	bench_post(b, true);
	assert_int_equal(b->status, 200);
	assert_int_equal(b->server.n, 2);
	assert_int_equal(b->op.committed, 1);
}

static void test_basic(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS(R200), SAYS(R401_STALE("n1")), SAYS(R200)); /* a login without a nonce */

	pctl_http_session_free(b->session);
	bench_open(b, PCTL_HTTP_AUTH_BASIC);
	bench_post(b, false);
	assert_int_equal(b->status, 200);
	assert_request(b, 0, "Authorization: Basic YWRtaW46UEBzc3cwcmQ=\r\n", true);
	bench_post(b, false);
	assert_failed(b, PCTL_E_AUTH, "refused");
	assert_int_equal(b->server.n, 2);
}

static void test_none(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS(R200), CLOSES(R401("n1", CLOSING)));

	pctl_http_session_free(b->session);
	bench_open(b, PCTL_HTTP_AUTH_NONE);
	bench_post(b, false);
	assert_int_equal(b->status, 200);
	assert_request(b, 0, "Authorization", false);
	bench_post(b, false);
	assert_failed(b, PCTL_E_AUTH, "wants a user");
}

static void test_methods(void **state)
{
	struct bench *b = *state;
	struct pctl_http_request r = {
		.size = sizeof(r), .method = "GET", .path = "/redfish/v1/?a=b"
	};
	SCRIPT(b, SAYS(R200), SAYS(R200), SAYS(R200));

	pctl_http_session_free(b->session);
	bench_open(b, PCTL_HTTP_AUTH_NONE);
	b->done = 0;
	pctl_http_send(b->session, NULL, &r, bench_done, b);
	bench_wait(b);
	assert_request(b, 0, "GET /redfish/v1/?a=b HTTP/1.1\r\n", true);
	assert_request(b, 0, "Content-Length", false);
	r = (struct pctl_http_request){
		.size = sizeof(r), .method = "DELETE", .path = "/x/../y", .changes = true
	};
	b->done = 0;
	pctl_http_send(b->session, &b->op, &r, bench_done, b);
	bench_wait(b);
	assert_request(b, 1, "DELETE /x/../y HTTP/1.1\r\n", true);
	assert_int_equal(b->op.committed, 1);
	r = (struct pctl_http_request){ .size = sizeof(r),
		.method = "PATCH",
		.path = "/z",
		.body = "{}",
		.body_len = 2,
		.content_type = "a/j" };
	b->done = 0;
	pctl_http_send(b->session, &b->op, &r, bench_done, b);
	bench_wait(b);
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
		const struct pctl_http_request r = {
			.size = sizeof(r), .method = "GET", .path = paths[i]
		};

		b->done = 0;
		pctl_http_send(b->session, &b->op, &r, bench_done, b);
		assert_int_equal(b->done, 0);
		bench_wait(b);
		assert_failed(b, PCTL_E_PROTOCOL, "not a path");
	}
	assert_int_equal(b->device.dials, 0);
}

/* --- The commit point. ------------------------------------------------------------------------ */

static void test_commit_comes_right_before_the_body(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, CLOSES(R401("n1", CLOSING)), SAYS(R200));

	bench_post(b, true);
	assert_int_equal(b->op.committed, 1);
	assert_int_equal(b->op.not_taken, 0);
	assert_int_equal(b->op.requests_before, 1);
}

static void test_busy_was_not_taken(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, CLOSES(R401("n1", CLOSING)),
		CLOSES("HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\ncut"));

	bench_post(b, true);
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
	bench_post(b, true);
	assert_failed(b, PCTL_E_UNREACHABLE, "connection refused by port 16992");
	assert_int_equal(b->op.committed, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_cold_login_sends_the_body_once),
		TEST(test_nonce_is_used_again),
		TEST(test_401_that_stays_open_costs_no_connection),
		TEST(test_stale_nonce_is_replaced_once),
		TEST(test_stale_is_no_wrong_password),
		TEST(test_always_stale_ends),
		TEST(test_stale_does_not_hide_a_wrong_password),
		TEST(test_wrong_password_is_tried_once),
		TEST(test_password_changed_meanwhile),
		TEST(test_lost_login_is_no_third_try),
		TEST(test_every_refusal_reads_the_same),
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
