/* SPDX-License-Identifier: Apache-2.0 */
#include "ping.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>

#define PACKET_MAX 128u
#define BATCH      256u /* datagrams at once; then others have a turn */
#define BUCKETS    1024u

struct ping_socket {
	uv_poll_t poll;
	struct pings *pings;
	int fd; /* -1: not opened yet */
};

struct pings {
	uv_loop_t *loop;
	struct ping_socket v4, v6;
	struct ping *waiting[BUCKETS]; /* by address */
	size_t open;
	pctl_closed_fn *closed;
	void *closed_data;
};

/* The last bytes are what differs within a network. */
static struct ping **bucket(struct pings *pings, const struct sockaddr_storage *addr)
{
	uint32_t n;

	if (addr->ss_family == AF_INET6)
		memcpy(&n,
			&((const struct sockaddr_in6 *)(const void *)addr)->sin6_addr.s6_addr[12],
			sizeof(n));
	else
		memcpy(&n, &((const struct sockaddr_in *)(const void *)addr)->sin_addr, sizeof(n));
	n = ntohl(n);
	return &pings->waiting[(n ^ n >> 10) % BUCKETS];
}

static bool same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;

	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return a4->sin_port == b4->sin_port && a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return a6->sin6_port == b6->sin6_port &&
	       memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof(a6->sin6_addr)) == 0;
}

static void hand_out(
	struct pings *pings, const struct sockaddr_storage *from, const uint8_t *packet, size_t len)
{
	struct rmcp_pong pong;
	struct ping *next;

	if (!rmcp_read_pong(packet, len, &pong))
		return;
	for (struct ping *ping = *bucket(pings, from); ping; ping = next) {
		next = ping->next;
		if (same(&ping->addr, from)) {
			ping->answered(ping, &pong);
			return;
		}
	}
}

static void read_pongs(struct ping_socket *s)
{
	for (unsigned i = 0; i < BATCH; i++) {
		struct sockaddr_storage from = { 0 };
		socklen_t from_len = sizeof(from);
		uint8_t packet[PACKET_MAX];
		ssize_t n = recvfrom(s->fd, packet, sizeof(packet), MSG_DONTWAIT,
			(struct sockaddr *)&from, &from_len);

		if (n < 0)
			return;
		hand_out(s->pings, &from, packet, (size_t)n);
	}
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	(void)status, (void)events;
	read_pongs(pctl_container_of(poll, struct ping_socket, poll));
}

/* --- Life. ------------------------------------------------------------------------------------ */

struct pings *pings_new(uv_loop_t *loop)
{
	struct pings *pings = pctl_xcalloc(1, sizeof(*pings));

	pings->loop = loop;
	pings->v4 = (struct ping_socket){ .pings = pings, .fd = -1 };
	pings->v6 = (struct ping_socket){ .pings = pings, .fd = -1 };
	return pings;
}

static void finish(struct pings *pings)
{
	pctl_closed_fn *closed = pings->closed;
	void *data = pings->closed_data;

	free(pings);
	closed(data);
}

static void on_closed(uv_handle_t *handle)
{
	struct ping_socket *s = pctl_container_of((uv_poll_t *)handle, struct ping_socket, poll);
	struct pings *pings = s->pings;

	(void)close(s->fd);
	if (--pings->open == 0)
		finish(pings);
}

void pings_close(struct pings *pings, pctl_closed_fn *closed, void *data)
{
	pings->closed = closed;
	pings->closed_data = data;
	if (pings->v4.fd >= 0)
		uv_close((uv_handle_t *)&pings->v4.poll, on_closed);
	if (pings->v6.fd >= 0)
		uv_close((uv_handle_t *)&pings->v6.poll, on_closed);
	if (!pings->open)
		finish(pings);
}

static int open_socket(struct ping_socket *s, int family, struct pctl_error *err)
{
	if (s->fd >= 0)
		return 0;
	s->fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0 && pctl_error_shortage(err, errno))
		return PCTL_E_INTERNAL;
	if (s->fd < 0)
		return pctl_error_set(err, PCTL_E_INTERNAL, "no UDP socket: %s", strerror(errno));
	int e = uv_poll_init(s->pings->loop, &s->poll, s->fd);
	if (e < 0) {
		(void)close(s->fd);
		s->fd = -1;
		return pctl_error_set(err, PCTL_E_INTERNAL, "no UDP socket: %s", uv_strerror(e));
	}
	s->pings->open++;
	(void)uv_poll_start(&s->poll, UV_READABLE, on_readable);
	/* Whoever waits has a timer; the socket alone keeps no loop. */
	uv_unref((uv_handle_t *)&s->poll);
	return 0;
}

/* --- Those who wait. -------------------------------------------------------------------------- */

static struct ping_socket *socket_of(const struct ping *ping)
{
	return ping->addr.ss_family == AF_INET6 ? &ping->pings->v6 : &ping->pings->v4;
}

int ping_join(struct pings *pings, struct ping *ping, const struct sockaddr_storage *addr,
	socklen_t len, ping_answered_fn *answered, struct pctl_error *err)
{
	struct ping_socket *s = addr->ss_family == AF_INET6 ? &pings->v6 : &pings->v4;
	struct ping **at = bucket(pings, addr);

	int r = open_socket(s, addr->ss_family, err);
	if (r < 0)
		return r;
	*ping = (struct ping){
		.pings = pings, .next = *at, .addr = *addr, .len = len, .answered = answered
	};
	if (*at)
		(*at)->previous = ping;
	*at = ping;
	return 0;
}

int ping_send(const struct ping *ping)
{
	uint8_t packet[RMCP_PING_LEN];

	rmcp_ping(1, packet);
	ssize_t n = sendto(socket_of(ping)->fd, packet, sizeof(packet), MSG_DONTWAIT | MSG_NOSIGNAL,
		(const struct sockaddr *)&ping->addr, ping->len);
	return n < 0 && (errno == ENETUNREACH || errno == EPERM || errno == EACCES) ? errno : 0;
}

void ping_look(const struct ping *ping)
{
	if (ping->pings)
		read_pongs(socket_of(ping));
}

void ping_leave(struct ping *ping)
{
	if (!ping->pings)
		return;
	if (ping->next)
		ping->next->previous = ping->previous;
	if (ping->previous)
		ping->previous->next = ping->next;
	else
		*bucket(ping->pings, &ping->addr) = ping->next;
	*ping = (struct ping){ 0 };
}
