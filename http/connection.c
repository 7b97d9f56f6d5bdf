/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections that carry no HTTP. libcurl has no part in them: all there is to do is to connect, to
 * shake hands as tls.c says, and to wait.
 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <powerctl/connection.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

/* A peer that vanished is noticed after about a minute and a half, or one where bytes wait for it.
 */
#define KEEPALIVE_IDLE_S     45
#define KEEPALIVE_EVERY_S    15
#define KEEPALIVE_COUNT      3
#define KEEPALIVE_UNHEARD_MS 60000

enum state {
	CONNECTING,
	SHAKING_HANDS,
	OPEN,
	OVER, /* said so, or closed */
};

struct pctl_connection {
	struct pctl_http *http;
	struct pctl_connection_settings settings;
	struct pctl_connection_events events;
	void *data;
	enum state state;
	int fd;
	bool dialed; /* the core made fd, and may know why it failed */
	unsigned handles;
	uv_poll_t poll;
	uv_timer_t timer;         /* for limit, or for what TLS has read ahead */
	uint64_t limit, limit_ms; /* when expect()'s time is over; 0: never */
	bool expired;
	unsigned wanted; /* PCTL_CONNECTION_ */
	SSL *ssl;
	bool asked; /* for a certificate of ours */
	bool reading_waits_to_write, writing_waits_to_read;
	struct pctl_error why; /* what verify() found */
};

/* --- The end. --------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
	struct pctl_connection *c = handle->data;
	struct pctl_http *http = c->http;

	if (--c->handles == 0)
		free(c);
	http_handle_closed(http);
}

static void let_go(struct pctl_connection *c)
{
	c->state = OVER;
	SSL_free(c->ssl);
	c->ssl = NULL;
	uv_close((uv_handle_t *)&c->poll, on_closed);
	uv_close((uv_handle_t *)&c->timer, on_closed);
}

void pctl_connection_close(struct pctl_connection *c)
{
	if (!c)
		return;
	ERR_clear_error();
	if (c->state == OPEN && c->ssl)
		(void)SSL_shutdown(c->ssl);
	let_go(c);
	(void)close(c->fd);
}

int pctl_connection_take(struct pctl_connection *c)
{
	int fd = c->fd;

	if (c->settings.tls)
		return -1;
	let_go(c);
	return fd;
}

static void fail(struct pctl_connection *c, const struct pctl_error *err)
{
	c->state = OVER;
	(void)uv_poll_stop(&c->poll);
	(void)uv_timer_stop(&c->timer);
	c->events.opened(c->data, err);
}

/* The core may know better why a channel of its making broke. */
static bool channel_failed(const struct pctl_connection *c, struct pctl_error *err)
{
	return c->dialed && pctl_dial_error(c->settings.device, c->fd, err) < 0;
}

static int hung_up(struct pctl_connection *c, struct pctl_error *err)
{
	if (channel_failed(c, err))
		return err->code;
	(void)pctl_error_set(err, PCTL_E_UNREACHABLE, "connection closed");
	return pctl_error_flag(err, PCTL_ERROR_DROPPED);
}

static int broken(struct pctl_connection *c, int number, struct pctl_error *err)
{
	if (number == EPIPE || number == ECONNRESET || !number)
		return hung_up(c, err);
	if (channel_failed(c, err))
		return err->code;
	return pctl_error_set(
		err, pctl_error_from_errno(number), "connection lost: %s", strerror(number));
}

/* --- Waiting. --------------------------------------------------------------------------------- */

static void on_poll(uv_poll_t *poll, int status, int events);
static void on_timer(uv_timer_t *timer);

static void arm(struct pctl_connection *c, bool at_once)
{
	uint64_t now = uv_now(c->http->loop);

	if (at_once)
		(void)uv_timer_start(&c->timer, on_timer, 0, 0);
	else if (c->limit)
		(void)uv_timer_start(&c->timer, on_timer, c->limit > now ? c->limit - now : 0, 0);
	else
		(void)uv_timer_stop(&c->timer);
}

/* The rest of a record, of which no descriptor tells. */
static bool holds(const struct pctl_connection *c)
{
	return c->wanted & PCTL_CONNECTION_READ && c->ssl && SSL_pending(c->ssl) > 0;
}

static void watch(struct pctl_connection *c)
{
	bool read = c->wanted & PCTL_CONNECTION_READ, write = c->wanted & PCTL_CONNECTION_WRITE;
	int events = 0;

	if ((read && !c->reading_waits_to_write) || (write && c->writing_waits_to_read))
		events |= UV_READABLE;
	if ((write && !c->writing_waits_to_read) || (read && c->reading_waits_to_write))
		events |= UV_WRITABLE;
	if (events)
		(void)uv_poll_start(&c->poll, events, on_poll);
	else
		(void)uv_poll_stop(&c->poll);
	arm(c, holds(c));
}

void pctl_connection_expect(struct pctl_connection *c, uint64_t ms)
{
	uv_update_time(c->http->loop);
	c->limit = ms ? uv_now(c->http->loop) + ms : 0;
	c->limit_ms = ms;
	if (c->state == OPEN)
		watch(c);
}

void pctl_connection_watch(struct pctl_connection *c, unsigned what)
{
	c->wanted = what;
	if (c->state == OPEN)
		watch(c);
}

static void tell_ready(struct pctl_connection *c, int events)
{
	unsigned what = 0;

	if (events & (c->reading_waits_to_write ? UV_WRITABLE : UV_READABLE))
		what |= PCTL_CONNECTION_READ;
	if (events & (c->writing_waits_to_read ? UV_READABLE : UV_WRITABLE))
		what |= PCTL_CONNECTION_WRITE;
	what &= c->wanted;
	if (what)
		c->events.ready(c->data, what);
}

static void opened(struct pctl_connection *c)
{
	c->state = OPEN;
	(void)uv_timer_stop(&c->timer);
	(void)uv_poll_stop(&c->poll);
	watch(c);
	c->events.opened(c->data, NULL);
}

/* --- TLS. ------------------------------------------------------------------------------------- */

static int verify(X509_STORE_CTX *ctx, void *unused)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct pctl_connection *c = SSL_get_app_data(ssl);
	const struct tls_peer peer = { .http = c->http,
		.device = c->settings.device,
		.ca_file = c->settings.ca_file,
		.legacy = c->settings.legacy_tls };

	(void)unused;
	return tls_verify(&peer, ctx, &c->why);
}

static int on_asked(SSL *ssl, void *unused)
{
	struct pctl_connection *c = SSL_get_app_data(ssl);

	(void)unused;
	c->asked = true;
	return 1;
}

static SSL_CTX *new_context(bool legacy)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx)
		return NULL;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, verify, NULL);
	SSL_CTX_set_cert_cb(ctx, on_asked, NULL);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
					    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					    SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | (legacy ? TLS_LEGACY_OPTIONS : 0));
	bool ok = SSL_CTX_set_min_proto_version(ctx, legacy ? TLS1_VERSION : TLS1_2_VERSION) == 1 &&
		  (!legacy || SSL_CTX_set_cipher_list(ctx, TLS_LEGACY_CIPHERS) == 1);
	if (ok)
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

static int use_certificate(struct pctl_connection *c, struct pctl_error *err)
{
	const struct pctl_connection_settings *s = &c->settings;

	if (!s->client_cert)
		return 0;
	if (SSL_use_certificate_chain_file(c->ssl, s->client_cert) == 1 &&
		SSL_use_PrivateKey_file(c->ssl, s->client_key, SSL_FILETYPE_PEM) == 1 &&
		SSL_check_private_key(c->ssl) == 1)
		return 0;
	const char *said = ERR_reason_error_string(ERR_peek_last_error());
	return pctl_error_set(err, PCTL_E_CONFIG, "client_cert or client_key: %s",
		said ? said : "cannot be used");
}

static int begin_tls(struct pctl_connection *c, struct pctl_error *err)
{
	SSL_CTX **ctx = &c->http->contexts[c->settings.legacy_tls];

	ERR_clear_error();
	if (!*ctx)
		*ctx = new_context(c->settings.legacy_tls);
	c->ssl = *ctx ? SSL_new(*ctx) : NULL;
	if (!c->ssl || SSL_set_fd(c->ssl, c->fd) != 1)
		return pctl_error_set(err, PCTL_E_INTERNAL, "OpenSSL makes no connection");
	SSL_set_app_data(c->ssl, c);
	SSL_set_connect_state(c->ssl);
	/* A name, not a number, is what servers choose a certificate by. */
	const char *host = pctl_device_host(c->settings.device);
	if (!strchr(host, ':') && host[strspn(host, "0123456789.")])
		(void)SSL_ctrl(c->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
			(void *)(uintptr_t)host); /* the macro takes no const */
	return use_certificate(c, err);
}

/* Why SSL_...() returned r: 0 where it only has to wait. */
static int tls_result(
	struct pctl_connection *c, int r, bool *wants_write, bool handshake, struct pctl_error *err)
{
	const struct tls_talk talk = { .handshake = handshake,
		.legacy = c->settings.legacy_tls,
		.asked = c->asked,
		.certified = c->settings.client_cert };
	int number = errno, what = SSL_get_error(c->ssl, r);
	char words[256] = "SSL_ERROR_SYSCALL";

	*wants_write = what == SSL_ERROR_WANT_WRITE;
	if (what == SSL_ERROR_WANT_READ || what == SSL_ERROR_WANT_WRITE)
		return 0;
	unsigned long said = ERR_peek_error();
	if (said)
		ERR_error_string_n(said, words, sizeof(words));
	bool cut = what == SSL_ERROR_ZERO_RETURN || what == SSL_ERROR_SYSCALL ||
		   strstr(words, "unexpected eof");
	if (c->why.code) {
		*err = c->why;
		return err->code;
	}
	if (cut && !handshake)
		return broken(c, said ? 0 : number, err);
	if (cut && channel_failed(c, err))
		return err->code;
	if (tls_said(words, &talk, err) < 0)
		return err->code;
	return pctl_error_set(err, PCTL_E_PROTOCOL, "TLS failed: %s", words);
}

static void shake_hands(struct pctl_connection *c)
{
	struct pctl_error err = { 0 };
	bool write;

	ERR_clear_error();
	errno = 0;
	int r = SSL_do_handshake(c->ssl);
	if (r == 1)
		opened(c);
	else if (tls_result(c, r, &write, true, &err) < 0)
		fail(c, &err);
	else
		(void)uv_poll_start(&c->poll, write ? UV_WRITABLE : UV_READABLE, on_poll);
}

/* --- The beginning. --------------------------------------------------------------------------- */

static void connected(struct pctl_connection *c)
{
	struct pctl_error err = { 0 };
	int number = 0;
	socklen_t len = sizeof(number);

	(void)getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &number, &len);
	if (number) {
		if (!channel_failed(c, &err))
			(void)exchange_not_connected(c->settings.port, number, &err);
		fail(c, &err);
	} else if (!c->settings.tls) {
		opened(c);
	} else if (begin_tls(c, &err) < 0) {
		fail(c, &err);
	} else {
		c->state = SHAKING_HANDS;
		shake_hands(c);
	}
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct pctl_connection *c = poll->data;

	/* An error is found by whoever tries. */
	if (status < 0)
		events = UV_READABLE | UV_WRITABLE;
	switch (c->state) {
	case CONNECTING:
		connected(c);
		break;
	case SHAKING_HANDS:
		shake_hands(c);
		break;
	case OPEN:
		tell_ready(c, events);
		break;
	case OVER:
		break;
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct pctl_connection *c = timer->data;
	struct pctl_error err = { 0 };
	char limit[32];

	if (c->state == OPEN) {
		c->expired = c->limit && uv_now(c->http->loop) >= c->limit;
		arm(c, false);
		if (c->expired || c->wanted & PCTL_CONNECTION_READ)
			c->events.ready(c->data, PCTL_CONNECTION_READ);
		return;
	}
	pctl_format_duration(pctl_device_connect_ms(c->settings.device), limit, sizeof(limit));
	(void)pctl_error_set(&err, PCTL_E_UNREACHABLE,
		c->state == SHAKING_HANDS ? "TLS was not established in %s" : "no answer in %s",
		limit);
	(void)pctl_error_flag(&err, c->state == SHAKING_HANDS ? 0 : PCTL_ERROR_SILENT);
	fail(c, &err);
}

static void keep_alive(int fd)
{
	const int on = 1, idle = KEEPALIVE_IDLE_S, every = KEEPALIVE_EVERY_S,
		  count = KEEPALIVE_COUNT, unheard = KEEPALIVE_UNHEARD_MS;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	/* Bytes that wait to be acknowledged keep those probes back, by default for 15 minutes. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unheard, sizeof(unheard));
}

static int no_socket(int number, struct pctl_error *err)
{
	if (pctl_error_shortage(err, number))
		return PCTL_E_INTERNAL;
	return pctl_error_set(err, PCTL_E_INTERNAL, "no socket: %s", strerror(number));
}

/* Its descriptor, connected or about to be. */
static int dial(struct pctl_connection *c, struct pctl_error *err)
{
	struct pctl_dial dial;

	int r = pctl_dial(c->settings.device, c->settings.port, &dial, err);
	if (r < 0)
		return r;
	c->dialed = dial.fd >= 0;
	c->fd = c->dialed ? dial.fd
			  : socket(dial.addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				    0);
	if (c->fd < 0)
		return no_socket(errno, err);
	keep_alive(c->fd);
	if (c->dialed) {
		(void)fcntl(c->fd, F_SETFL, fcntl(c->fd, F_GETFL) | O_NONBLOCK);
		return 0;
	}
	if (connect(c->fd, (const struct sockaddr *)&dial.addr, dial.addr_len) < 0 &&
		errno != EINPROGRESS)
		return exchange_not_connected(c->settings.port, errno, err);
	return 0;
}

static int begin(struct pctl_connection *c, struct pctl_error *err)
{
	int r = dial(c, err);
	if (r < 0)
		return r;
	r = uv_poll_init(c->http->loop, &c->poll, c->fd);
	if (r < 0)
		return no_socket(-r, err);
	(void)uv_timer_init(c->http->loop, &c->timer);
	c->poll.data = c->timer.data = c;
	c->handles = 2;
	http_handle_opened(c->http);
	http_handle_opened(c->http);
	uv_update_time(c->http->loop);
	(void)uv_timer_start(&c->timer, on_timer, pctl_device_connect_ms(c->settings.device), 0);
	(void)uv_poll_start(&c->poll, UV_WRITABLE, on_poll);
	return 0;
}

int pctl_connection_new(struct pctl_http *http, const struct pctl_connection_settings *settings,
	const struct pctl_connection_events *events, void *data, struct pctl_connection **ret,
	struct pctl_error *err)
{
	struct pctl_connection *c = pctl_xcalloc(1, sizeof(*c));

	c->http = http;
	c->data = data;
	c->fd = -1;
	memcpy(&c->settings, settings,
		settings->size < sizeof(c->settings) ? settings->size : sizeof(c->settings));
	memcpy(&c->events, events,
		events->size < sizeof(c->events) ? events->size : sizeof(c->events));
	int r = begin(c, err);
	if (r < 0) {
		if (c->fd >= 0)
			(void)close(c->fd);
		free(c);
		return r;
	}
	*ret = c;
	return 0;
}

/* --- Bytes. ----------------------------------------------------------------------------------- */

static int expire(struct pctl_connection *c, struct pctl_error *err)
{
	char limit[32];

	c->expired = false;
	c->limit = 0;
	pctl_format_duration(c->limit_ms, limit, sizeof(limit));
	(void)pctl_error_set(err, PCTL_E_TIMEOUT, "no answer in %s", limit);
	return pctl_error_flag(err, PCTL_ERROR_SILENT);
}

int pctl_connection_read(
	struct pctl_connection *c, void *buf, size_t size, size_t *ret_n, struct pctl_error *err)
{
	*ret_n = 0;
	errno = 0;
	if (c->expired)
		return expire(c, err);
	if (c->ssl) {
		ERR_clear_error();
		c->reading_waits_to_write = false;
		int r = SSL_read_ex(c->ssl, buf, size, ret_n);
		if (r != 1)
			return tls_result(c, r, &c->reading_waits_to_write, false, err);
		if (holds(c))
			arm(c, true);
		return 0;
	}
	ssize_t n = recv(c->fd, buf, size, 0);
	if (n > 0) {
		*ret_n = (size_t)n;
		return 0;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return broken(c, n == 0 ? 0 : errno, err);
}

int pctl_connection_write(struct pctl_connection *c, const void *data, size_t len, size_t *ret_n,
	struct pctl_error *err)
{
	*ret_n = 0;
	errno = 0;
	if (c->ssl) {
		bool wants_write;
		ERR_clear_error();
		int r = SSL_write_ex(c->ssl, data, len, ret_n);
		c->writing_waits_to_read = false;
		if (r == 1)
			return 0;
		r = tls_result(c, r, &wants_write, false, err);
		c->writing_waits_to_read = r == 0 && !wants_write;
		return r;
	}
	ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);
	if (n >= 0) {
		*ret_n = (size_t)n;
		return 0;
	}
	return errno == EAGAIN || errno == EINTR ? 0 : broken(c, errno, err);
}
