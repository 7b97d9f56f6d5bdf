/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
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

/* A closed descriptor leaves epoll by itself, and so it is not told of the end of most. */
static int watch(struct wire *wire, uint32_t events)
{
	struct epoll_event event = { .events = events,
		.data.u64 = (uint64_t)wire->serial << 32 | (uint32_t)wire->fd };
	int how = !events ? EPOLL_CTL_DEL : wire->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (events == wire->watched)
		return 0;
	wire->watched = events;
	return epoll_ctl(wire->http->epoll, how, wire->fd, &event);
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
static void cut(struct wire *wire)
{
	(void)shutdown(wire->stream >= 0 ? wire->stream : wire->fd, SHUT_RDWR);
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
	if (ex->turn.sent || pctl_dial(session->device, session->port, &dial, &ex->err) < 0)
		return CURL_SOCKET_BAD;
	if (session->wire)
		cut(session->wire);

	struct wire *wire = pctl_xcalloc(1, sizeof(*wire));
	*wire = (struct wire){ .http = ex->http,
		.lane = session->lane,
		.fd = -1,
		.stream = -1,
		.serial = ex->http->wire_serial++ };
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
	(void)watch(wire, 0);
	int r = dup3(wire->stream, wire->fd, O_CLOEXEC);
	(void)close(wire->stream);
	wire->stream = -1;
	return r < 0 || watch(wire, wire->wanted) < 0 ? PCTL_E_INTERNAL : 0;
}

/* --- Watching. -------------------------------------------------------------------------------- */

/*
 * Nothing was asked. HTTP/2 says this and that at any time, which libcurl reads before the next
 * request; then only the end counts. What HTTP/1.1 says must not answer the next request.
 */
static void act_at_rest(struct wire *wire, uint32_t events)
{
	if (wire->http2 && !(events & (EPOLLRDHUP | EPOLLERR | EPOLLHUP)))
		(void)watch(wire, EPOLLRDHUP);
	else
		wire_hang_up(wire->session);
}

static void act(struct wire *wire, uint32_t events)
{
	int flags = 0;

	if (!wire->session || (!wire->wanted && wire->session->exchange)) {
		(void)watch(wire, 0);
		return;
	}
	if (!wire->session->exchange) {
		act_at_rest(wire, events);
		return;
	}
	/* What is left to be read comes before the error. */
	if (events & (EPOLLERR | EPOLLHUP))
		events |= wire->wanted;
	if (events & EPOLLERR)
		flags |= CURL_CSELECT_ERR;
	if (events & wire->wanted & EPOLLIN)
		flags |= CURL_CSELECT_IN;
	if (events & wire->wanted & EPOLLOUT)
		flags |= CURL_CSELECT_OUT;
	if (flags)
		http_lane_act(wire->lane, wire->fd, flags);
	else
		(void)watch(wire, wire->wanted);
}

void wires_act(struct pctl_http *http)
{
	struct epoll_event events[256];
	int n = epoll_wait(http->epoll, events, sizeof(events) / sizeof(*events), 0);

	for (int i = 0; i < n; i++) {
		struct wire *wire = find(http, (curl_socket_t)(events[i].data.u64 & UINT32_MAX));

		if (wire && wire->serial == events[i].data.u64 >> 32)
			act(wire, events[i].events);
	}
}

int wire_watch(CURL *easy, curl_socket_t fd, int what, void *data, void *socket_data)
{
	struct wire *wire = find(data, fd);

	(void)easy, (void)socket_data;
	if (!wire)
		return 0;
	wire->wanted = 0;
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		wire->wanted |= EPOLLIN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		wire->wanted |= EPOLLOUT;
	/* What nobody wants is most often closed next, or rests. */
	return wire->wanted ? watch(wire, wire->wanted) : 0;
}

void wire_rest(struct wire *wire)
{
	(void)watch(wire, EPOLLIN);
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
	drop(wire);
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
	drop(wire);
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

void wire_hang_up(struct pctl_http_session *session)
{
	struct exchange *ex = session->exchange ? session->exchange : session->resting;

	if (ex)
		exchange_hang_up(ex);
	http_exchange_give_back(session->resting);
	session->resting = NULL;
	if (session->wire) {
		ask_dialer(session->wire);
		cut(session->wire);
	}
	http_lane_leave(session);
}
