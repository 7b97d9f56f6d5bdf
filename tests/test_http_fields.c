/* SPDX-License-Identifier: Apache-2.0 */
/* Header fields of requests and answers, and who gets to see 401 and 503. */
#include "http_bench.h"

#include <powerctl/log.h>

#define R_OK_FIELDS                                                                             \
	"HTTP/1.1 201 Created\r\nX-Auth-Token: t0ken\r\nlocation:  /redfish/v1/Sessions/1 \r\n" \
	"ETag: W/\"1\"\r\nETag: \"2\"\r\nContent-Length: 2\r\n\r\n{}"
#define R_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define R_DENIED                                                               \
	"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\n" \
	"Content-Length: 5\r\n\r\nno!!!"
#define R_BUSY "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nlate"

static const char *const wanted[] = { "ETag", "Location", "X-Auth-Token", "Retry-After", NULL };

struct seen {
	struct bench *b;
	char etag[64], location[64], token[64], retry[64];
	bool unwanted;
};

static void keep(char *field, const struct pctl_http_answer *answer, const char *name)
{
	const char *value = pctl_http_answer_field(answer, name);

	(void)snprintf(field, 64, "%s", value ? value : "-");
}

static void on_done(void *data, const struct pctl_http_answer *answer, const struct pctl_error *err)
{
	struct seen *s = data;

	if (answer) {
		keep(s->etag, answer, "etag");
		keep(s->location, answer, "Location");
		keep(s->token, answer, "X-Auth-Token");
		keep(s->retry, answer, "Retry-After");
		s->unwanted = pctl_http_answer_field(answer, "Content-Length") != NULL;
		assert_int_equal(answer->size, sizeof(*answer));
	}
	bench_done(s->b, answer, err);
}

static struct seen ask(struct bench *b, struct pctl_http_request r)
{
	struct seen s = { .b = b };

	r.size = sizeof(r);
	if (!r.method)
		r.method = "GET";
	r.path = "/";
	b->done = 0;
	pctl_http_send(b->session, &b->op, &r, on_done, &s);
	assert_int_equal(b->done, 0);
	bench_wait(b);
	return s;
}

static void reopen(struct bench *b, enum pctl_http_auth auth)
{
	pctl_http_session_free(b->session);
	bench_open(b, auth);
}

static void test_fields_go_and_come(void **state)
{
	char value[] = "W/\"abc\"";
	const struct pctl_http_field fields[] = { { "OData-Version", "4.0", false },
		{ "If-Match", value, false }, { "X-Auth-Token", "secret", true },
		{ "X-Empty", "", false } };
	struct bench *b = *state;
	SCRIPT(b, SAYS(R_OK_FIELDS), SAYS(R_EMPTY));

	reopen(b, PCTL_HTTP_AUTH_NONE);
	struct seen s = ask(
		b, (struct pctl_http_request){ .fields = fields, .n_fields = 4, .wanted = wanted });
	assert_int_equal(b->status, 201);
	assert_string_equal(s.etag, "W/\"1\"");
	assert_string_equal(s.location, "/redfish/v1/Sessions/1");
	assert_string_equal(s.token, "t0ken");
	assert_string_equal(s.retry, "-");
	assert_false(s.unwanted);
	assert_request(b, 0, "OData-Version: 4.0\r\n", true);
	assert_request(b, 0, "If-Match: W/\"abc\"\r\n", true);
	assert_request(b, 0, "X-Auth-Token: secret\r\n", true);
	assert_request(b, 0, "X-Empty", false);
	assert_request(b, 0, "Authorization", false);
	/* Nothing of one request is left for the next. */
	s = ask(b, (struct pctl_http_request){ .wanted = wanted });
	assert_string_equal(s.token, "-");
	assert_request(b, 1, "X-Auth-Token", false);
	assert_int_equal(b->server.accepted, 1);
}

static void test_fields_beside_a_login(void **state)
{
	const struct pctl_http_field field = { "If-Match", "\"x\"", false };
	struct bench *b = *state;
	SCRIPT(b, SAYS(R401("n1", "")), SAYS(R_OK_FIELDS));

	struct seen s = ask(
		b, (struct pctl_http_request){ .fields = &field, .n_fields = 1, .wanted = wanted });
	assert_int_equal(b->status, 201);
	assert_string_equal(s.etag, "W/\"1\"");
	assert_request(b, 1, "If-Match: \"x\"\r\n", true);
	assert_request(b, 1, "Authorization: Digest", true);
}

static void test_fields_that_would_smuggle(void **state)
{
	static const struct pctl_http_field bad[] = { { "If-Match", "\"a\"\r\nX: y", false },
		{ "If-Match", "a\nb", false }, { "If-Match", "a\x7f", false },
		{ "If Match", "a", false }, { "If-Match:", "a", false }, { "", "a", false } };
	struct pctl_http_field many[PCTL_HTTP_FIELDS_MAX + 1];
	struct bench *b = *state;
	SCRIPT(b, SAYS(R_EMPTY));

	for (size_t i = 0; i < TEST_COUNT(bad); i++) {
		(void)ask(b, (struct pctl_http_request){ .fields = &bad[i], .n_fields = 1 });
		assert_failed(b, PCTL_E_PROTOCOL, "cannot be sent");
	}
	for (size_t i = 0; i < TEST_COUNT(many); i++)
		many[i] = (struct pctl_http_field){ "X-Y", "z", false };
	(void)ask(b, (struct pctl_http_request){ .fields = many, .n_fields = TEST_COUNT(many) });
	assert_failed(b, PCTL_E_PROTOCOL, "one too many");
	assert_int_equal(b->device.dials, 0);
}

static void test_a_long_value_is_left_out(void **state)
{
	struct bench *b = *state;
	char text[10240] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: ";
	size_t len = strlen(text);
	struct pctl_secret *password = pctl_secret_new("", 0);
	struct pctl_http_settings settings = bench_settings(b, password);
	struct pctl_error err;

	memset(text + len, 'x', 9000);
	(void)snprintf(text + len + 9000, 64, "\r\nLocation: /y\r\n\r\n");
	const struct fake_reply reply = { .text = text };
	fake_server_script(&b->server, &reply, 1);
	pctl_http_session_free(b->session);
	settings.auth = PCTL_HTTP_AUTH_NONE;
	settings.max_answer = 20000;
	assert_int_equal(pctl_http_session_new(b->http, &settings, &b->session, &err), 0);
	pctl_secret_free(password);
	struct seen s = ask(b, (struct pctl_http_request){ .wanted = wanted });
	assert_int_equal(b->status, 200);
	assert_string_equal(s.etag, "-");
	assert_string_equal(s.location, "/y");
}

/* --- Statuses. -------------------------------------------------------------------------------- */

static void test_401_for_who_asks_for_it(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS(R_DENIED), SAYS(R_DENIED), SAYS(R_OK_FIELDS));

	reopen(b, PCTL_HTTP_AUTH_BASIC);
	(void)ask(b, (struct pctl_http_request){ .any_status = true, .changes = true });
	assert_int_equal(b->status, 401);
	assert_string_equal(b->body, "no!!!");
	assert_int_equal(b->op.not_taken, 1);
	assert_request(b, 0, "Authorization: Basic", true);
	(void)ask(b, (struct pctl_http_request){ .changes = true });
	assert_failed(b, PCTL_E_AUTH, "was refused");
	assert_int_equal(b->op.not_taken, 2);
	(void)ask(b, (struct pctl_http_request){ .no_login = true });
	assert_request(b, 2, "Authorization", false);
	assert_int_equal(b->server.n, 3);
}

static void test_401_without_a_login(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS(R401("n1", "")), SAYS(R401("n1", "")));

	/* It would know how to answer the challenge. */
	(void)ask(b, (struct pctl_http_request){ .no_login = true });
	assert_failed(b, PCTL_E_AUTH, "it wants a user and a password");
	(void)ask(b, (struct pctl_http_request){ .no_login = true, .any_status = true });
	assert_int_equal(b->status, 401);
	assert_int_equal(b->server.n, 2);
	assert_request(b, 1, "Authorization", false);
}

static void test_second_401_of_a_digest_login(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS(R401("n1", "")), SAYS(R401("n2", "")), SAYS(R_EMPTY));

	(void)ask(b, (struct pctl_http_request){ .any_status = true });
	assert_int_equal(b->status, 401);
	assert_int_equal(b->server.n, 2);
}

static void test_503_for_who_asks_for_it(void **state)
{
	struct bench *b = *state;
	SCRIPT(b, SAYS(R_BUSY), SAYS(R_BUSY));

	reopen(b, PCTL_HTTP_AUTH_NONE);
	struct seen s = ask(b, (struct pctl_http_request){
				       .any_status = true, .changes = true, .wanted = wanted });
	assert_int_equal(b->status, 503);
	assert_string_equal(s.retry, "7");
	assert_string_equal(b->body, "late");
	assert_int_equal(b->op.not_taken, 1);
	(void)ask(b, (struct pctl_http_request){ .wanted = wanted });
	assert_failed(b, PCTL_E_BUSY, "HTTP 503");
}

/* --- Requests of older callers, traces. ------------------------------------------------------- */

static void test_a_shorter_request(void **state)
{
	struct bench *b = *state;
	struct pctl_http_request r = { .size = offsetof(struct pctl_http_request, no_login),
		.method = "GET",
		.path = "/",
		.no_login = true,
		.any_status = true,
		.n_fields = 99 };
	SCRIPT(b, SAYS(R401("n1", "")), SAYS(R200));

	b->done = 0;
	pctl_http_send(b->session, &b->op, &r, bench_done, b);
	bench_wait(b);
	assert_int_equal(b->status, 200);
}

static char traced[4096];

static void on_line(void *data, enum pctl_log_level level, const char *node, const char *line)
{
	size_t len = strlen(traced);

	(void)data, (void)level, (void)node;
	(void)snprintf(traced + len, sizeof(traced) - len, "%s\n", line);
}

static void test_traces_keep_secrets(void **state)
{
	static const struct pctl_http_field fields[] = { { "If-Match", "\"etag\"", false },
		{ "X-Auth-Token", "t0ken", true } };
	struct bench *b = *state;
	SCRIPT(b, SAYS(R_OK_FIELDS));

	reopen(b, PCTL_HTTP_AUTH_BASIC);
	pctl_log_set_sink(on_line, NULL, PCTL_LOG_TRACE);
	(void)ask(
		b, (struct pctl_http_request){ .fields = fields, .n_fields = 2, .wanted = wanted });
	pctl_log_set_sink(NULL, NULL, PCTL_LOG_DEBUG);
	assert_int_equal(b->status, 201);
	assert_non_null(strstr(traced, "If-Match: \"etag\""));
	assert_non_null(strstr(traced, "X-Auth-Token: (secret)"));
	assert_null(strstr(traced, "t0ken"));
	assert_null(strstr(traced, "Basic"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_fields_go_and_come),
		TEST(test_fields_beside_a_login),
		TEST(test_fields_that_would_smuggle),
		TEST(test_a_long_value_is_left_out),
		TEST(test_401_for_who_asks_for_it),
		TEST(test_401_without_a_login),
		TEST(test_second_401_of_a_digest_login),
		TEST(test_503_for_who_asks_for_it),
		TEST(test_a_shorter_request),
		TEST(test_traces_keep_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
