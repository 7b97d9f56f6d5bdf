/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <powerctl/mem.h>

static struct wire *find(const struct pctl_http *http, curl_socket_t fd)
{
	return fd >= 0 && (size_t)fd < http->wires_n ? http->wires[fd] : NULL;
}

static void enter(struct wire *wire)
{
	struct pctl_http *http = wire->http;
	size_t need = (size_t)wire->fd + 1;

	http->wires = pctl_xgrow(http->wires, &http->wires_cap, need, sizeof(struct wire *));
	while (http->wires_n < need)
		http->wires[http->wires_n++] = NULL;
	http->wires[wire->fd] = wire;
}

/* --- Opening. --------------------------------------------------------------------------------- */

static int no_socket(struct pctl_error *err)
{
	if (pctl_error_shortage(err, errno))
		return PCTL_E_INTERNAL;
	return pctl_error_set(err, PCTL_E_INTERNAL, "no socket: %s", strerror(errno));
}

/* libcurl connects: it only has to be told where. */
static int open_direct(struct wire *wire, const struct pctl_dial *dial,
	struct curl_sockaddr *address, struct pctl_error *err)
{
	const int on = 1;

	wire->fd = socket(dial->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (wire->fd < 0)
		return no_socket(err);
	(void)setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	address->family = dial->addr.ss_family;
	address->addrlen = dial->addr_len;
	/* The address is the last member, and has room for any (CURLOPT_OPENSOCKETFUNCTION(3)). */
	memcpy((char *)address + offsetof(struct curl_sockaddr, addr), &dial->addr, dial->addr_len);
	return 0;
}

/*
 * Connected already, but libcurl 7.88 connects all the same (CURL_SOCKOPT_ALREADY_CONNECTED does
 * not work between 7.87 and 8.0). A datagram socket, which connects to anything at once, stands in
 * under the same number until libcurl is content: see wire_ready().
 */
static int open_dialed(struct wire *wire, const struct pctl_dial *dial,
	const struct curl_sockaddr *address, struct pctl_error *err)
{
	int stand_in = socket(address->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	wire->dialed = true;
	wire->fd = dial->fd;
	wire->stream = fcntl(dial->fd, F_DUPFD_CLOEXEC, 0);
	bool ok = stand_in >= 0 && wire->stream >= 0 &&
		  dup3(stand_in, wire->fd, O_CLOEXEC) == wire->fd &&
		  fcntl(wire->stream, F_SETFL, O_NONBLOCK) == 0;
	if (!ok)
		no_socket(err);
	if (stand_in >= 0)
		(void)close(stand_in);
	return ok ? 0 : PCTL_E_INTERNAL;
}

static void drop(struct wire *wire)
{
	if (wire->stream >= 0)
		(void)close(wire->stream);
	if (wire->fd >= 0)
		(void)close(wire->fd);
	free(wire);
}

/* An orphan: no session has it any more, and libcurl will find it dead. */
static void cut(struct wire *wire, int how)
{
	if (wire->polled)
		(void)uv_poll_stop(&wire->poll);
	(void)shutdown(wire->stream >= 0 ? wire->stream : wire->fd, how);
	wire->session->wire = NULL;
	wire->session = NULL;
}

curl_socket_t wire_open(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct exchange *ex = data;
	struct pctl_http_session *session = ex->session;
	struct pctl_dial dial;

	(void)purpose;
	/* No second connection for what may have left already: whether it goes again we decide. */
	ex->turn.lost |= ex->turn.sent;
	if (ex->closing || ex->turn.sent ||
		pctl_dial(session->device, session->port, &dial, &ex->err) < 0)
		return CURL_SOCKET_BAD;
	if (session->wire)
		cut(session->wire, SHUT_RDWR);

	struct wire *wire = pctl_xcalloc(1, sizeof(*wire));
	*wire = (struct wire){ .http = ex->http, .lane = session->lane, .fd = -1, .stream = -1 };
	int r = dial.fd < 0 ? open_direct(wire, &dial, address, &ex->err)
			    : open_dialed(wire, &dial, address, &ex->err);
	if (r < 0) {
		drop(wire);
		return CURL_SOCKET_BAD;
	}
	wire->session = session;
	session->wire = wire;
	enter(wire);
	return wire->fd;
}

int wire_ready(struct wire *wire)
{
	if (wire->stream < 0)
		return 0;
	if (wire->polled)
		(void)uv_poll_stop(&wire->poll);
	int r = dup3(wire->stream, wire->fd, O_CLOEXEC);
	(void)close(wire->stream);
	wire->stream = -1;
	return r < 0 ? PCTL_E_INTERNAL : 0;
}

/* --- Watching. -------------------------------------------------------------------------------- */

static void on_poll_closed(uv_handle_t *handle)
{
	struct wire *wire = pctl_container_of(handle, struct wire, poll);
	struct pctl_http *http = wire->http;

	free(wire);
	http_handle_closed(http);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct wire *wire = pctl_container_of(poll, struct wire, poll);
	int flags = 0;

	if (wire->session && !wire->session->exchange) {
		wire_hang_up(wire->session);
		return;
	}
	if (status < 0)
		flags |= CURL_CSELECT_ERR;
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	http_lane_act(wire->lane, wire->fd, flags);
}

int wire_watch(CURL *easy, curl_socket_t fd, int what, void *data, void *socket_data)
{
	struct pctl_http *http = data;
	struct wire *wire = find(http, fd);
	int events = 0;

	(void)easy, (void)socket_data;
	if (!wire)
		return 0;
	if (what == CURL_POLL_REMOVE)
		return wire->polled ? uv_poll_stop(&wire->poll) : 0;
	if (!wire->polled) {
		if (uv_poll_init(http->loop, &wire->poll, fd) < 0)
			return -1;
		wire->polled = true;
		http_handle_opened(http);
	}
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= UV_READABLE;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= UV_WRITABLE;
	uv_ref((uv_handle_t *)&wire->poll);
	return uv_poll_start(&wire->poll, events, on_poll) < 0 ? -1 : 0;
}

void wire_rest(struct wire *wire)
{
	if (!wire->polled)
		return;
	/* A device that is merely connected keeps no program running. */
	uv_unref((uv_handle_t *)&wire->poll);
	(void)uv_poll_start(&wire->poll, UV_READABLE, on_poll);
}

/* --- Closing. --------------------------------------------------------------------------------- */

/* The core may know better than libcurl why a connection of its making failed. */
static void ask_dialer(const struct wire *wire)
{
	struct exchange *ex = wire->session->exchange;

	if (wire->dialed && ex)
		(void)pctl_dial_error(ex->session->device, wire->fd, &ex->turn.channel);
}

int wire_close(void *data, curl_socket_t fd)
{
	struct pctl_http *http = data;
	struct wire *wire = find(http, fd);

	if (!wire)
		return close(fd);
	http->wires[fd] = NULL;
	if (wire->session) {
		struct pctl_http_session *session = wire->session;

		ask_dialer(wire);
		session->wire = NULL;
		http_lane_leave(session);
	}
	if (!wire->polled) {
		drop(wire);
		return 0;
	}
	/* Stops at once, so that the descriptor may go before the handle has. */
	uv_close((uv_handle_t *)&wire->poll, on_poll_closed);
	(void)close(fd);
	return 0;
}

/*
 * libcurl 7.88 closes a socket that is not connected yet by itself and tells nobody. The descriptor
 * is gone (and may be another's by now); all else is still ours.
 */
static void forget(struct wire *wire)
{
	wire->http->wires[wire->fd] = NULL;
	wire->fd = -1;
	if (wire->session) {
		struct pctl_http_session *session = wire->session;

		session->wire = NULL;
		http_lane_leave(session);
	}
	if (!wire->polled) {
		drop(wire);
		return;
	}
	if (wire->stream >= 0)
		(void)close(wire->stream);
	wire->stream = -1;
	uv_close((uv_handle_t *)&wire->poll, on_poll_closed);
}

void wire_check(struct pctl_http_session *session)
{
	if (session->wire && !session->wire->turns)
		forget(session->wire);
}

void wires_forget(struct pctl_http *http)
{
	for (size_t fd = 0; fd < http->wires_n; fd++)
		if (http->wires[fd])
			forget(http->wires[fd]);
}

/*
 * libcurl has no call that closes one connection of its cache. But when a request asks for a
 * connection that has died, it closes it before it wants another one, which wire_open() denies.
 * All of that happens within one call, and nothing is sent but TLS's goodbye.
 */
static void make_libcurl_close(struct pctl_http_session *session)
{
	struct lane *lane = session->lane;
	struct exchange *ex = http_exchange_take(session->http, NULL);
	int running;

	if (!ex)
		return;
	ex->session = session;
	ex->closing = true;
	if (exchange_set_up(ex) == 0 && curl_multi_add_handle(lane->multi, ex->easy) == CURLM_OK) {
		ex->running = true;
		(void)curl_multi_socket_action(lane->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	http_exchange_give_back(ex);
	/* Others may have got on in the meantime; whoever waits for them hears it from the loop. */
	http_lane_act_soon(lane);
}

void wire_hang_up(struct pctl_http_session *session)
{
	struct wire *wire = session->wire;

	if (!wire)
		return;
	int fd = wire->fd;
	ask_dialer(wire);
	cut(wire, SHUT_RD);
	make_libcurl_close(session);
	if (find(session->http, fd) == wire)
		(void)shutdown(fd, SHUT_RDWR);
	http_lane_leave(session);
}
