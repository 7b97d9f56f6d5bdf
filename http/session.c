/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <powerctl/log.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#define MAX_ANSWER_DEFAULT ((size_t)1 << 20)

/* --- Life. ------------------------------------------------------------------------------------ */

static int check_settings(const struct pctl_http_settings *s, struct pctl_error *err)
{
	const char *const files[] = { s->client_cert, s->client_key, s->ca_file };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		if (files[i] && access(files[i], R_OK) < 0)
			return pctl_error_set(err, PCTL_E_CONFIG, "'%s' cannot be read: %s",
				files[i], strerror(errno));
	}
	if (s->auth == PCTL_HTTP_AUTH_NONE)
		return 0;
	if (!s->username || !*s->username)
		return pctl_error_set(err, PCTL_E_CONFIG, "no user name is set");
	for (const char *p = s->username; *p; p++) {
		if (iscntrl((unsigned char)*p) || (s->auth == PCTL_HTTP_AUTH_BASIC && *p == ':'))
			return pctl_error_set(err, PCTL_E_CONFIG,
				"the user name holds a character that HTTP cannot carry");
	}
	return 0;
}

static char *copy(const char *s)
{
	return s ? pctl_xstrdup(s) : NULL;
}

int pctl_http_session_new(struct pctl_http *http, const struct pctl_http_settings *settings,
	struct pctl_http_session **ret, struct pctl_error *err)
{
	struct pctl_http_settings s = { .size = 0 };

	memcpy(&s, settings, settings->size < sizeof(s) ? settings->size : sizeof(s));
	int r = check_settings(&s, err);
	if (r < 0)
		return r;

	struct pctl_http_session *session = pctl_xcalloc(1, sizeof(*session));
	*session = (struct pctl_http_session){
		.http = http,
		.device = s.device,
		.serial = http->serial++,
		.port = s.port,
		.tls = s.tls,
		.legacy_tls = s.legacy_tls,
		.pin_realm = s.pin_realm,
		.auth = s.auth,
		.username = copy(s.username),
		.client_cert = copy(s.client_cert),
		.client_key = copy(s.client_key),
		.ca_file = copy(s.ca_file),
		.password = s.password ? pctl_secret_copy(s.password) : pctl_secret_new("", 0),
		.max_answer = s.max_answer ? s.max_answer : MAX_ANSWER_DEFAULT,
		.http2 = s.http2 && s.tls,
	};
	http->sessions++;
	*ret = session;
	return 0;
}

void pctl_http_session_idle(struct pctl_http_session *session)
{
	assert(!session->exchange);
	wire_hang_up(session);
}

const char *pctl_http_realm(const struct pctl_http_session *session)
{
	return session->challenged ? session->challenge.realm : NULL;
}

void pctl_http_session_free(struct pctl_http_session *session)
{
	if (!session)
		return;
	pctl_http_cancel(session);
	wire_hang_up(session);
	session->http->sessions--;
	free(session->username);
	free(session->client_cert);
	free(session->client_key);
	free(session->ca_file);
	pctl_secret_free(session->password);
	explicit_bzero(session, sizeof(*session));
	free(session);
}

/* --- How a request ends. ---------------------------------------------------------------------- */

/* The session is free for the next request from here on; nothing of this one is left in ex. */
static void let_go(struct exchange *ex)
{
	struct pctl_http_session *session = ex->session;

	session->exchange = NULL;
	if (session->wire) {
		wire_rest(session->wire);
		http_exchange_rest(ex);
	} else {
		http_exchange_give_back(ex);
		http_lane_leave(session);
	}
}

static void fail(struct exchange *ex, const struct pctl_error *err)
{
	struct pctl_error copied = *err;
	pctl_http_done_fn *done = ex->done;
	void *data = ex->data;

	if (ex->op && ex->turn.committed && (err->flags & PCTL_ERROR_NOT_SENT))
		pctl_op_not_taken(ex->op);

	let_go(ex);
	done(data, NULL, &copied);
}

static void succeed(struct exchange *ex)
{
	struct pctl_buf body = ex->body;
	char server[sizeof(ex->server)], content_type[sizeof(ex->content_type)];
	struct pctl_http_fields *fields = ex->fields;
	const struct pctl_http_answer answer = {
		.size = sizeof(answer),
		.status = ex->turn.status,
		.body = body.data,
		.len = body.len,
		.server = server,
		.content_type = content_type,
		.fields = fields,
	};
	pctl_http_done_fn *done = ex->done;
	void *data = ex->data;

	ex->fields = NULL;
	pctl_buf_init(&ex->body, 0);
	memcpy(server, ex->server, sizeof(server));
	memcpy(content_type, ex->content_type, sizeof(content_type));
	let_go(ex);
	/* The next request may be sent in there, or all be freed. */
	done(data, &answer, NULL);
	pctl_buf_done(&body);
	fields_free(fields);
}

void pctl_http_cancel(struct pctl_http_session *session)
{
	struct exchange *ex = session->exchange;

	if (!ex)
		return;
	/* What may still come on this connection is for nobody. */
	wire_hang_up(session);
	let_go(ex);
}

static void trace(const struct exchange *ex)
{
	if (!pctl_log_enabled(PCTL_LOG_TRACE))
		return;
	char result[64];
	if (ex->turn.status)
		(void)snprintf(result, sizeof(result), "%d", ex->turn.status);
	else
		(void)snprintf(
			result, sizeof(result), "no answer (libcurl %d)", (int)ex->turn.result);
	pctl_log(PCTL_LOG_TRACE, ex->session->device,
		"http %s %s%s -> %s, %zu bytes, %llu ms, %s connection", ex->request.method,
		ex->request.path, ex->step == STEP_PROBE ? " (empty, for a challenge)" : "", result,
		ex->turn.received, (unsigned long long)(uv_now(ex->http->loop) - ex->turn.started),
		ex->turn.kept ? "kept" : "new");
	fields_trace(ex->fields, ex->session->device);
}

/* --- What an answer means. -------------------------------------------------------------------- */

static void again(struct exchange *ex, enum step step)
{
	ex->step = step;
	if (exchange_start(ex) < 0) {
		struct pctl_error err = ex->err;
		fail(ex, &err);
	}
}

static void not_taken(struct exchange *ex)
{
	if (ex->turn.committed && ex->op)
		pctl_op_not_taken(ex->op);
	ex->turn.committed = false;
}

/* To a login: it was right, and only its nonce is one that the device takes no more. */
static bool is_stale(const struct exchange *ex)
{
	return ex->session->auth == PCTL_HTTP_AUTH_DIGEST && ex->turn.challenged &&
	       ex->turn.challenge.stale;
}

static void refused(struct exchange *ex)
{
	struct pctl_http_session *session = ex->session;
	struct pctl_error err;

	session->challenged = false;
	if (ex->request.any_status) {
		succeed(ex);
		return;
	}
	if (session->auth == PCTL_HTTP_AUTH_NONE || ex->request.no_login)
		pctl_error_set(&err, PCTL_E_AUTH, "it wants a user and a password (HTTP 401)");
	else if (ex->step != STEP_LOGIN)
		pctl_error_set(&err, PCTL_E_AUTH,
			"it wants a kind of login that is not supported (HTTP 401 without a Digest "
			"challenge)");
	else if (is_stale(ex))
		pctl_error_set(&err, PCTL_E_PROTOCOL,
			"it takes no login: it calls each nonce stale that it has just given (HTTP "
			"401)");
	else
		pctl_error_set(&err, PCTL_E_AUTH,
			"user '%s' or its password was refused, or the account is locked (HTTP "
			"401)",
			session->username);
	pctl_error_device_code(&err, "HTTP 401");
	fail(ex, &err);
}

/*
 * The kernel's: OpenSSL's own generator takes longer to set up than a login. Many at once, for they
 * are no secret and a system call for each is what a fleet feels.
 */
static bool new_cnonce(struct pctl_http_session *session)
{
	struct pctl_http *http = session->http;
	const size_t len = (sizeof(session->cnonce) - 1) / 2, size = sizeof(http->random);

	if (http->random_n < len) {
		ssize_t n = getrandom(http->random, size, 0);
		http->random_n = n == (ssize_t)size ? size : 0;
	}
	if (http->random_n < len)
		return false;
	digest_hex(http->random + size - http->random_n, len, session->cnonce);
	http->random_n -= len;
	return true;
}

static int take_challenge(struct exchange *ex)
{
	struct pctl_http_session *session = ex->session;

	if (session->pin_realm &&
		pctl_pin_check(session->device, "realm", ex->turn.challenge.realm, &ex->err) < 0)
		return ex->err.code;
	if (!new_cnonce(session))
		return pctl_error_set(&ex->err, PCTL_E_INTERNAL, "no random numbers");
	session->challenge = ex->turn.challenge;
	session->challenged = true;
	session->nc = 0;
	return 0;
}

/*
 * One 401 asks for a login, or says that the nonce of the last one has run out. The second is to a
 * nonce given a moment ago: then it is the password, and devices count wrong ones; unless it says
 * that it was only the nonce, which is believed once.
 */
static void on_401(struct exchange *ex)
{
	not_taken(ex);
	if (++ex->refusals > (is_stale(ex) ? 2 : 1) || ex->session->auth != PCTL_HTTP_AUTH_DIGEST ||
		ex->request.no_login || !ex->turn.challenged) {
		refused(ex);
		return;
	}
	if (take_challenge(ex) < 0) {
		struct pctl_error err = ex->err;
		fail(ex, &err);
		return;
	}
	again(ex, STEP_LOGIN);
}

static void on_503(struct exchange *ex)
{
	struct pctl_error err;

	not_taken(ex);
	if (ex->request.any_status) {
		succeed(ex);
		return;
	}
	pctl_error_set(&err, PCTL_E_BUSY, "the device is busy (HTTP 503)");
	pctl_error_device_code(&err, "HTTP 503");
	fail(ex, &err);
}

/*
 * AMT may hang up without the last chunk of an answer that is complete all the same: an XML
 * document whose first element was closed.
 */
static bool is_whole_document(const struct pctl_buf *body)
{
	const char *start = body->data, *end = body->data + body->len;

	while (end > start && isspace((unsigned char)end[-1]))
		end--;
	while ((start = strchr(start, '<')) && (start[1] == '?' || start[1] == '!'))
		start++;
	if (!start)
		return false;
	size_t len = strcspn(++start, " \t\r\n/>");
	return len && (size_t)(end - start) > 2 * len + 3 && end[-1] == '>' &&
	       memcmp(end - len - 1, start, len) == 0 && memcmp(end - len - 3, "</", 2) == 0;
}

/* The device has said what it has to say, however the connection ended. */
static bool answered(const struct exchange *ex)
{
	const struct turn *turn = &ex->turn;

	if (ex->err.code || !turn->head_done || turn->status < 200)
		return false;
	if (turn->result == CURLE_OK || turn->status == 401 || turn->status == 503)
		return true;
	return turn->result == CURLE_PARTIAL_FILE && is_whole_document(&ex->body);
}

/*
 * A kept connection that died unnoticed has cost nothing but a round trip, unless it was told to
 * change something. The next is a new one, so this comes once for each turn.
 */
static bool may_repeat(const struct exchange *ex)
{
	const struct turn *turn = &ex->turn;
	bool died = turn->lost || turn->result == CURLE_GOT_NOTHING ||
		    turn->result == CURLE_SEND_ERROR || turn->result == CURLE_RECV_ERROR;

	return died && turn->kept && !turn->received && !turn->committed && !ex->err.code;
}

static void note_version(const struct exchange *ex)
{
	struct wire *wire = ex->session->wire;
	long version = 0;

	curl_easy_getinfo(ex->easy, CURLINFO_HTTP_VERSION, &version);
	if (wire)
		wire->http2 = version == CURL_HTTP_VERSION_2_0;
}

/* What web servers say on a TLS port to who does not speak it: nginx, Apache, Go. */
static bool wants_tls(const struct exchange *ex)
{
	static const char *const said[] = { "plain HTTP request was sent to HTTPS port",
		"plain HTTP to an SSL-enabled server port", "HTTP request to an HTTPS server" };
	const struct pctl_buf *body = &ex->body;

	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		if (ex->turn.status == 400 && !ex->session->tls && body->len &&
			memmem(body->data, body->len, said[i], strlen(said[i])))
			return true;
	return false;
}

static void refuse_plain(struct exchange *ex)
{
	struct pctl_error err = { 0 };

	pctl_error_set(
		&err, PCTL_E_PROTOCOL, "port %u speaks TLS: set tls: true", ex->session->port);
	(void)pctl_error_device_code(&err, "HTTP 400");
	fail(ex, &err);
}

void exchange_settle(struct exchange *ex)
{
	struct pctl_error err;
	long status = 0;

	curl_easy_getinfo(ex->easy, CURLINFO_RESPONSE_CODE, &status);
	if (ex->session->http2)
		note_version(ex);
	ex->turn.status = (int)status;
	trace(ex);
	if (answered(ex)) {
		ex->session->heard = true;
		if (wants_tls(ex))
			refuse_plain(ex);
		else if (status == 401)
			on_401(ex);
		else if (status == 503)
			on_503(ex);
		else if (ex->step == STEP_PROBE)
			again(ex, STEP_BARE);
		else
			succeed(ex);
		return;
	}
	/* libcurl keeps some connections that failed. */
	wire_hang_up(ex->session);
	if (may_repeat(ex)) {
		again(ex, ex->step);
		return;
	}
	exchange_error(ex, &err);
	fail(ex, &err);
}

void exchange_expire(struct exchange *ex)
{
	const struct pctl_device *device = ex->session->device;
	uint64_t connect_ms = pctl_device_connect_ms(device);
	struct pctl_error err;
	char limit[32];

	if (ex->err.code) {
		err = ex->err;
		fail(ex, &err);
		return;
	}
	ex->turn.result = CURLE_OPERATION_TIMEDOUT;
	trace(ex);
	wire_hang_up(ex->session);
	if (!ex->turn.sent) {
		pctl_format_duration(connect_ms, limit, sizeof(limit));
		pctl_error_set(&err, PCTL_E_UNREACHABLE,
			ex->turn.handshake ? "TLS was not established in %s" : "no answer in %s",
			limit);
		(void)pctl_error_flag(&err, ex->turn.handshake ? 0 : PCTL_ERROR_SILENT);
	} else {
		pctl_format_duration(pctl_device_answer_ms(device), limit, sizeof(limit));
		pctl_error_set(&err, PCTL_E_TIMEOUT,
			ex->turn.received ? "the answer did not end in %s" : "no answer in %s",
			limit);
		(void)pctl_error_flag(&err, ex->turn.received ? 0 : PCTL_ERROR_SILENT);
	}
	fail(ex, &err);
}

/* --- How a request begins. -------------------------------------------------------------------- */

static enum step first_step(const struct pctl_http_session *session, const struct exchange *ex)
{
	const struct pctl_http_request *request = &ex->request;

	if (request->no_login)
		return STEP_BARE;
	switch (session->auth) {
	case PCTL_HTTP_AUTH_NONE:
		return STEP_BARE;
	case PCTL_HTTP_AUTH_BASIC:
		return STEP_LOGIN;
	case PCTL_HTTP_AUTH_DIGEST:
		break;
	}
	if (session->challenged)
		return STEP_LOGIN;
	return request->body && request->body_len ? STEP_PROBE : STEP_BARE;
}

/* Paths may come from the device itself, and must not become more than one. */
static int check_request(struct exchange *ex)
{
	const struct pctl_http_request *request = &ex->request;

	for (const char *p = request->path; *p; p++) {
		if (*request->path != '/' || *p <= ' ' || *p > '~')
			return pctl_error_set(&ex->err, PCTL_E_PROTOCOL,
				"'%s' is not a path that can be asked for", request->path);
	}
	return 0;
}

static int take_fields(struct exchange *ex)
{
	const struct pctl_http_request *request = &ex->request;

	return request->n_fields || request->wanted ? fields_take(ex, request) : 0;
}

void pctl_http_send(struct pctl_http_session *session, struct pctl_op *op,
	const struct pctl_http_request *request, pctl_http_done_fn *done, void *data)
{
	assert(!session->exchange && request->size);
	struct exchange *ex = session->resting;
	if (!ex)
		ex = http_exchange_take(session->http, NULL);
	while (!ex && pctl_memory_give())
		ex = http_exchange_take(session->http, NULL);
	if (!ex)
		pctl_out_of_memory();

	session->resting = NULL;
	ex->session = session;
	ex->op = op;
	ex->done = done;
	ex->data = data;
	memcpy(&ex->request, request,
		request->size < sizeof(*request) ? request->size : sizeof(*request));
	ex->request.method = pctl_xstrdup(request->method);
	ex->request.path = pctl_xstrdup(request->path);
	if (request->content_type)
		(void)snprintf(ex->content_type_line, sizeof(ex->content_type_line),
			"Content-Type: %s", request->content_type);
	session->exchange = ex;
	ex->step = first_step(session, ex);
	if (check_request(ex) < 0 || take_fields(ex) < 0 || exchange_start(ex) < 0)
		exchange_arm(ex, 0);
}
