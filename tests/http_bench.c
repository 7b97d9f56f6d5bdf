/* SPDX-License-Identifier: Apache-2.0 */
#include "http_bench.h"

void bench_done(void *data, const struct pctl_http_answer *answer, const struct pctl_error *err)
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

struct pctl_http_settings bench_settings(struct bench *b, const struct pctl_secret *password)
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

void bench_open(struct bench *b, enum pctl_http_auth auth)
{
	struct pctl_secret *password = pctl_secret_new("P@ssw0rd", 8);
	struct pctl_http_settings s = bench_settings(b, password);
	struct pctl_error err;

	s.auth = auth;
	assert_int_equal(pctl_http_session_new(b->http, &s, &b->session, &err), 0);
	pctl_secret_free(password);
}

int bench_set_up(void **state)
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
	bench_open(b, PCTL_HTTP_AUTH_DIGEST);
	*state = b;
	return 0;
}

static void on_engine_closed(void *data)
{
	((struct bench *)data)->engine_closed = true;
}

int bench_tear_down(void **state)
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

void bench_send(struct bench *b, bool changes)
{
	static const char body[] = "<request/>";
	char *type = strdup("text/xml"), *path = strdup("/wsman");
	const struct pctl_http_request request = { .size = sizeof(request),
		.method = "POST",
		.path = path,
		.content_type = type,
		.body = body,
		.body_len = sizeof(body) - 1,
		.changes = changes };

	b->done = 0;
	pctl_http_send(b->session, &b->op, &request, bench_done, b);
	assert_int_equal(b->done, 0);
	/* Only the body has to live until the answer. */
	memset(path, 'x', strlen(path));
	free(type);
	free(path);
}

void bench_wait(struct bench *b)
{
	if (!b->done)
		(void)uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_int_equal(b->done, 1);
}

void bench_post(struct bench *b, bool changes)
{
	bench_send(b, changes);
	bench_wait(b);
}

/* Nothing is open any more once the loop had a moment. */
void bench_settle(struct bench *b)
{
	for (int i = 0; i < 1000 && b->server.open; i++)
		uv_run(&b->loop, UV_RUN_NOWAIT);
}

void assert_failed(const struct bench *b, int code, const char *text)
{
	if (b->err.code != code || !strstr(b->err.text, text))
		fail_msg("%d %s, not %d %s", b->err.code, b->err.text, code, text);
}

void assert_request(const struct bench *b, int i, const char *text, bool there)
{
	assert_true(i < b->server.n);
	if (!strstr(b->server.requests[i], text) == there)
		fail_msg("%s %s:\n%s", there ? "lacks" : "has", text, b->server.requests[i]);
}
