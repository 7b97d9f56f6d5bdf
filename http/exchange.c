/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

static void on_timer(uv_timer_t *timer)
{
	struct exchange *ex = pctl_container_of(timer, struct exchange, timer);
	uint64_t now = uv_now(ex->http->loop);

	if (now < ex->deadline)
		(void)uv_timer_start(timer, on_timer, ex->deadline - now, 0);
	else
		exchange_expire(ex);
}

/* A timer that runs out earlier may do so: most often the answer comes first. */
void exchange_arm(struct exchange *ex, uint64_t ms)
{
	uv_update_time(ex->http->loop);
	uint64_t now = uv_now(ex->http->loop);

	ex->deadline = now + ms;
	if (!uv_is_active((uv_handle_t *)&ex->timer) || uv_timer_get_due_in(&ex->timer) > ms)
		(void)uv_timer_start(&ex->timer, on_timer, ms, 0);
}

/* --- What libcurl calls. ---------------------------------------------------------------------- */

/* Connected: from here the request leaves, and the device's time to answer runs. */
static int on_ready(void *data, char *local, char *remote, /* NOLINT(*-non-const-parameter) */
	int local_port, int remote_port)
{
	struct exchange *ex = data;
	struct wire *wire = ex->session->wire;

	(void)local, (void)remote, (void)local_port, (void)remote_port;
	/* libcurl's own second try, which may be a second action. */
	ex->turn.lost |= ex->turn.sent;
	if (ex->turn.sent || !wire || wire_ready(wire) < 0)
		return CURL_PREREQFUNC_ABORT;
	ex->turn.sent = true;
	ex->turn.kept = wire->turns++ > 0;
	if (ex->request.changes && ex->step != STEP_PROBE) {
		ex->turn.committed = true;
		if (ex->op)
			pctl_op_committed(ex->op);
	}
	exchange_arm(ex, pctl_device_answer_ms(ex->session->device));
	return CURL_PREREQFUNC_OK;
}

/* Headers and body, whatever comes of them, within one limit. */
static bool count(struct exchange *ex, size_t len)
{
	size_t max = ex->session->max_answer;

	if (len <= max - ex->turn.received) {
		ex->turn.received += len;
		return true;
	}
	pctl_error_set(&ex->err, PCTL_E_PROTOCOL, "answer larger than %zu bytes", max);
	return false;
}

bool exchange_is_header(const char *line, size_t len, const char *name, const char **ret, size_t *n)
{
	size_t name_len = strlen(name);

	if (len <= name_len || line[name_len] != ':' || strncasecmp(line, name, name_len) != 0)
		return false;
	const char *value = line + name_len + 1, *end = line + len;
	while (value < end && isspace((unsigned char)*value))
		value++;
	while (end > value && isspace((unsigned char)end[-1]))
		end--;
	*ret = value;
	*n = (size_t)(end - value);
	return true;
}

static void keep(char *field, size_t size, const char *value, size_t len)
{
	len = len < size ? len : size - 1;
	for (size_t i = 0; i < len; i++)
		field[i] = (char)(iscntrl((unsigned char)value[i]) ? ' ' : value[i]);
	field[len] = '\0';
}

static size_t on_header(char *line, size_t size, size_t n, void *data)
{
	struct exchange *ex = data;
	size_t len = size * n, value_len;
	const char *value;

	if (!count(ex, len))
		return 0;
	if (ex->fields && !ex->turn.head_done)
		fields_note(ex->fields, line, len);
	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		/* After a 100 comes another. */
		ex->server[0] = ex->content_type[0] = '\0';
		ex->turn.head_done = ex->turn.challenged = false;
		fields_forget(ex->fields);
	} else if (ex->turn.head_done) {
		return len; /* a trailer */
	} else if (len <= 2) {
		ex->turn.head_done = true;
	} else if (exchange_is_header(line, len, "Server", &value, &value_len)) {
		keep(ex->server, sizeof(ex->server), value, value_len);
	} else if (exchange_is_header(line, len, "Content-Type", &value, &value_len)) {
		keep(ex->content_type, sizeof(ex->content_type), value, value_len);
	} else if (!ex->turn.challenged &&
		   exchange_is_header(line, len, "WWW-Authenticate", &value, &value_len)) {
		ex->turn.challenged = pctl_digest_parse(value, value_len, &ex->turn.challenge) == 0;
	}
	return len;
}

static size_t on_body(char *part, size_t size, size_t n, void *data)
{
	struct exchange *ex = data;
	long status = 0;

	if (!count(ex, size * n))
		return 0;
	curl_easy_getinfo(ex->easy, CURLINFO_RESPONSE_CODE, &status);
	/* The page of a 401 is for browsers: what it wants is in its headers. */
	if (status != 401 || ex->request.any_status)
		pctl_buf_add(&ex->body, part, size * n);
	return size * n;
}

/* --- What libcurl is told. -------------------------------------------------------------------- */

static void set_address(struct exchange *ex)
{
	const struct pctl_http_session *session = ex->session;
	const char *host = pctl_device_host(session->device);
	bool bare_v6 = strchr(host, ':') && *host != '[';
	uint64_t serial = session->serial;

	/* A zone is for whoever connects, and that is not libcurl. */
	(void)snprintf(ex->url, sizeof(ex->url), "%s://%s%.*s%s:%u/",
		session->tls ? "https" : "http", bare_v6 ? "[" : "",
		(int)strcspn(host, bare_v6 ? "%" : ""), host, bare_v6 ? "]" : "", session->port);
	/*
	 * Where to is wire_open()'s matter. Here the address only has to be one that needs no
	 * resolver and that no other session has.
	 */
	(void)snprintf(ex->connect_to, sizeof(ex->connect_to), "::127.%u.%u.%u:%u",
		(unsigned)(serial >> 16 & 0xff), (unsigned)(serial >> 8 & 0xff),
		(unsigned)(serial & 0xff), (unsigned)(1 + (serial >> 24) % 65535));
	ex->connect_node = (struct curl_slist){ .data = ex->connect_to };
	curl_easy_setopt(ex->easy, CURLOPT_URL, ex->url);
	curl_easy_setopt(ex->easy, CURLOPT_CONNECT_TO, &ex->connect_node);
}

static void set_method(struct exchange *ex)
{
	const struct pctl_http_request *request = &ex->request;
	bool post = strcmp(request->method, "POST") == 0;
	bool empty = ex->step == STEP_PROBE || !request->body;

	if (post || request->body) {
		curl_easy_setopt(ex->easy, CURLOPT_POST, 1L);
		curl_easy_setopt(ex->easy, CURLOPT_POSTFIELDS, empty ? "" : request->body);
		curl_easy_setopt(ex->easy, CURLOPT_POSTFIELDSIZE_LARGE,
			(curl_off_t)(empty ? 0 : request->body_len));
	} else {
		bool head = strcmp(request->method, "HEAD") == 0;
		curl_easy_setopt(ex->easy, head ? CURLOPT_NOBODY : CURLOPT_HTTPGET, 1L);
	}
	curl_easy_setopt(ex->easy, CURLOPT_CUSTOMREQUEST, post ? NULL : request->method);
	curl_easy_setopt(ex->easy, CURLOPT_REQUEST_TARGET, request->path);
}

static void set_headers(struct exchange *ex)
{
	static char no_expect[] = "Expect:", no_type[] = "Content-Type:";
	bool typed = *ex->content_type_line && ex->step != STEP_PROBE;
	struct curl_slist *list = ex->headers;

	/* By hand: curl_slist_append() would leave copies of the login in freed memory. */
	list[0] = (struct curl_slist){ .data = no_expect, .next = &list[1] };
	list[1] = (struct curl_slist){ .data = typed ? ex->content_type_line : no_type };
	list[2] = (struct curl_slist){ .data = ex->authorization };
	struct curl_slist **end = &list[1].next;
	if (ex->step == STEP_LOGIN) {
		*end = &list[2];
		end = &list[2].next;
	}
	if (ex->fields)
		*end = fields_list(ex->fields);
	curl_easy_setopt(ex->easy, CURLOPT_HTTPHEADER, list);
}

static const struct {
	CURLoption option;
	long value;
} constants[] = {
	{ CURLOPT_NOSIGNAL, 1 },
	{ CURLOPT_BUFFERSIZE, 4096 },
	{ CURLOPT_DNS_CACHE_TIMEOUT, 0 }, /* else every look-up walks all entries */
	{ CURLOPT_TCP_NODELAY, 0 },       /* wire_open() sets it, once */
	{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
	{ CURLOPT_FOLLOWLOCATION, 0 },
};

/* What is the same for all turns. */
static int set_up(struct exchange *ex)
{
	CURL *easy = ex->easy;

	if (ex->set_up)
		return 0;

	for (size_t i = 0; i < sizeof(constants) / sizeof(*constants); i++)
		curl_easy_setopt(easy, constants[i].option, constants[i].value);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_PRIVATE, ex);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, ex->curl_text);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, wire_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, ex);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, wire_close);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, ex->http);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_ready);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, ex);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, ex);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, ex);
	set_address(ex);
	ex->set_up = !ex->session->tls || tls_set_up(ex) == 0;
	return ex->set_up ? 0 : PCTL_E_INTERNAL;
}

/* --- Logins. ---------------------------------------------------------------------------------- */

static int basic(struct exchange *ex, char *value, size_t size)
{
	const struct pctl_http_session *session = ex->session;
	struct pctl_buf plain;

	pctl_buf_init_secret(&plain, size / 4 * 3 - 4);
	pctl_buf_adds(&plain, session->username);
	pctl_buf_adds(&plain, ":");
	pctl_buf_add(
		&plain, pctl_secret_data(session->password), pctl_secret_len(session->password));
	bool full = plain.full;
	if (!full)
		(void)EVP_EncodeBlock(
			(unsigned char *)value, (const unsigned char *)plain.data, (int)plain.len);
	pctl_buf_done(&plain);
	return full ? PCTL_E_INTERNAL : 0;
}

static int digest(struct exchange *ex, char *value, size_t size)
{
	struct pctl_http_session *session = ex->session;
	const struct pctl_digest_answer answer = {
		.username = session->username,
		.method = ex->request.method,
		.uri = ex->request.path,
		.password = pctl_secret_data(session->password),
		.password_len = pctl_secret_len(session->password),
		.body = ex->request.body,
		.body_len = ex->request.body_len,
		.cnonce = session->cnonce,
		.nc = ++session->nc,
	};

	return pctl_digest_answer(&session->challenge, &answer, value, size);
}

static int authorize(struct exchange *ex)
{
	static const char basic_start[] = "Authorization: Basic ";
	static const char digest_start[] = "Authorization: ";
	bool is_basic = ex->session->auth == PCTL_HTTP_AUTH_BASIC;
	const char *start = is_basic ? basic_start : digest_start;
	size_t len = strlen(start), size = sizeof(ex->authorization) - len;
	char *value = ex->authorization + len;

	memcpy(ex->authorization, start, len);
	if ((is_basic ? basic(ex, value, size) : digest(ex, value, size)) == 0)
		return 0;
	return pctl_error_set(&ex->err, PCTL_E_INTERNAL,
		"its login cannot be calculated: user name, path or realm is too long or has a "
		"forbidden character");
}

/* --- A turn. ---------------------------------------------------------------------------------- */

static void leave(struct exchange *ex)
{
	if (!ex->running)
		return;
	ex->running = false;
	(void)curl_multi_remove_handle(ex->session->lane->multi, ex->easy);
	wire_check(ex->session);
}

int exchange_start(struct exchange *ex)
{
	struct pctl_http_session *session = ex->session;

	ex->turn = (struct turn){ .status = 0 };
	ex->server[0] = ex->content_type[0] = ex->curl_text[0] = '\0';
	pctl_buf_done(&ex->body);
	pctl_buf_init(&ex->body, session->max_answer);
	fields_forget(ex->fields);
	if (http_lane_join(session, &ex->err) < 0 ||
		(ex->step == STEP_LOGIN && authorize(ex) < 0) || set_up(ex) < 0)
		return ex->err.code ? ex->err.code
				    : pctl_error_set(&ex->err, PCTL_E_INTERNAL,
					      "libcurl takes no such request");
	set_method(ex);
	set_headers(ex);
	leave(ex); /* only now: until then it is what closes a kept connection */
	exchange_arm(ex, pctl_device_connect_ms(session->device));
	ex->turn.started = uv_now(ex->http->loop);
	if (curl_multi_add_handle(session->lane->multi, ex->easy) != CURLM_OK)
		return pctl_error_set(&ex->err, PCTL_E_INTERNAL, "libcurl takes no request");
	ex->running = true;
	return 0;
}

void exchange_stop(struct exchange *ex)
{
	(void)uv_timer_stop(&ex->timer);
	leave(ex);
}

/*
 * libcurl has no call that closes one connection of its cache. But a handle that only connects
 * takes the connection with it when it goes, for no other handle could make use of it.
 */
void exchange_hang_up(struct exchange *ex)
{
	curl_easy_setopt(ex->easy, CURLOPT_CONNECT_ONLY, 1L);
	exchange_stop(ex);
	curl_easy_setopt(ex->easy, CURLOPT_CONNECT_ONLY, 0L);
}

/* --- What went wrong. ------------------------------------------------------------------------- */

int exchange_not_connected(uint16_t port, int number, struct pctl_error *ret)
{
	switch (number) {
	case ECONNREFUSED:
		pctl_error_set(ret, PCTL_E_UNREACHABLE, "connection refused by port %u", port);
		(void)pctl_error_flag(ret, PCTL_ERROR_NOT_LISTENING);
		return pctl_error_device_code(ret, "ECONNREFUSED");
	case EHOSTUNREACH:
		return pctl_error_set(ret, PCTL_E_UNREACHABLE, "no route to it");
	case ENETUNREACH:
		return pctl_error_set(ret, PCTL_E_UNREACHABLE, "no route to its network");
	case ETIMEDOUT:
		return pctl_error_set(ret, PCTL_E_UNREACHABLE, "no answer");
	case 0:
		return pctl_error_set(ret, PCTL_E_UNREACHABLE, "no connection");
	case ECONNRESET:
		pctl_error_set(ret, PCTL_E_UNREACHABLE, "no connection: %s", strerror(ECONNRESET));
		return pctl_error_flag(ret, PCTL_ERROR_DROPPED);
	default:
		if (pctl_error_shortage(ret, number))
			return PCTL_E_INTERNAL;
		return pctl_error_set(
			ret, pctl_error_from_errno(number), "no connection: %s", strerror(number));
	}
}

static int not_connected(const struct exchange *ex, struct pctl_error *ret)
{
	long number = 0;

	curl_easy_getinfo(ex->easy, CURLINFO_OS_ERRNO, &number);
	return exchange_not_connected(ex->session->port, (int)number, ret);
}

/* Lost on the way: whoever sent a change does not know what became of it. */
static int lost(const struct exchange *ex, struct pctl_error *ret)
{
	if (!ex->turn.received) {
		bool tls = !ex->session->tls && !ex->session->heard;

		pctl_error_set(ret, PCTL_E_UNREACHABLE, "connection closed before an answer%s",
			tls ? "; a port that speaks TLS does so: then set tls: true" : "");
	} else {
		pctl_error_set(ret, PCTL_E_UNREACHABLE, "answer cut short");
		(void)pctl_error_device_code(ret, "after %zu bytes", ex->turn.received);
	}
	return pctl_error_flag(ret, PCTL_ERROR_DROPPED);
}

static int malformed(const struct exchange *ex, struct pctl_error *ret)
{
	if (strstr(ex->curl_text, "HTTP/0.9"))
		return pctl_error_set(ret, PCTL_E_PROTOCOL, "what answers on port %u is not HTTP%s",
			ex->session->port,
			ex->session->tls ? "" : "; if it is HTTPS, set tls: true");
	return pctl_error_set(ret, PCTL_E_PROTOCOL, "malformed answer: %s",
		*ex->curl_text ? ex->curl_text : curl_easy_strerror(ex->turn.result));
}

int exchange_error(struct exchange *ex, struct pctl_error *ret)
{
	if (ex->err.code || ex->turn.channel.code) {
		*ret = ex->err.code ? ex->err : ex->turn.channel;
		return ret->code;
	}
	int r = ex->session->tls ? tls_error(ex, ret) : 0;
	if (r < 0)
		return r;
	switch (ex->turn.result) {
	case CURLE_COULDNT_CONNECT:
		return ex->turn.lost ? lost(ex, ret) : not_connected(ex, ret);
	case CURLE_OK: /* it ended within its headers */
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_PARTIAL_FILE:
	case CURLE_HTTP2_STREAM:
	case CURLE_ABORTED_BY_CALLBACK:
		return lost(ex, ret);
	case CURLE_URL_MALFORMAT:
		return pctl_error_set(ret, PCTL_E_CONFIG, "'%s' is no host name or address",
			pctl_device_host(ex->session->device));
	case CURLE_OUT_OF_MEMORY:
	case CURLE_COULDNT_RESOLVE_HOST: /* it is given numbers: it had no memory for one */
		(void)pctl_error_shortage(ret, ENOMEM);
		return PCTL_E_INTERNAL;
	case CURLE_FAILED_INIT:
		return pctl_error_set(
			ret, PCTL_E_INTERNAL, "libcurl: %s", curl_easy_strerror(ex->turn.result));
	default:
		return malformed(ex, ret);
	}
}
