/* SPDX-License-Identifier: Apache-2.0 */
#include <powerctl/udp.h>

#include <errno.h>
#include <netinet/in.h>
#include <search.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>

#define BATCH         64u
#define BATCHES       16u /* at once; then others have a turn */
#define RECEIVE_BYTES (8 * 1024 * 1024)

/* An address in one form, so that bytes can be compared. */
struct place {
	uint8_t addr[16];
	uint32_t scope;
	uint16_t port, family;
};

struct pctl_udp_peer {
	struct place place; /* first: what the tree is ordered by */
	struct sockaddr_storage addr;
	socklen_t len;
	struct udp_socket *socket;
	struct pctl_udp_member *members;
};

struct udp_socket {
	uv_poll_t poll;
	struct pctl_udp *udp;
	int fd; /* -1: not opened yet */
};

/* Filled and handed out within one callback. */
struct batch {
	struct mmsghdr heads[BATCH];
	struct iovec parts[BATCH];
	struct sockaddr_storage from[BATCH];
	uint8_t bytes[];
};

struct pctl_udp {
	uv_loop_t *loop;
	pctl_udp_receive_fn *receive;
	size_t packet_size;  /* one more than is wanted: too long is seen */
	struct batch *batch; /* NULL: no socket was opened yet */
	struct udp_socket v4, v6;
	void *peers; /* tsearch(3), by place */
	size_t open;
	pctl_closed_fn *closed;
	void *closed_data;
};

static struct place place_of(const struct sockaddr *addr)
{
	struct place p = { .family = addr->sa_family };

	if (addr->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const void *)addr;

		memcpy(p.addr, &in->sin6_addr, 16);
		p.port = in->sin6_port;
		p.scope = in->sin6_scope_id;
	} else {
		const struct sockaddr_in *in = (const void *)addr;

		memcpy(p.addr, &in->sin_addr, 4);
		p.port = in->sin_port;
	}
	return p;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct place));
}

/* --- Receiving. ------------------------------------------------------------------------------- */

static void hand_out(
	struct pctl_udp *udp, const struct sockaddr *from, const uint8_t *packet, size_t n)
{
	struct place place = place_of(from);
	struct pctl_udp_peer **found = tfind(&place, &udp->peers, compare);

	for (struct pctl_udp_member *m = found ? (*found)->members : NULL; m; m = m->next)
		if (udp->receive(m, packet, n))
			return;
}

static void aim(struct batch *b, size_t packet_size)
{
	for (size_t i = 0; i < BATCH; i++) {
		b->parts[i] = (struct iovec){ b->bytes + i * packet_size, packet_size };
		b->heads[i].msg_hdr = (struct msghdr){
			.msg_name = &b->from[i],
			.msg_namelen = sizeof(b->from[i]),
			.msg_iov = &b->parts[i],
			.msg_iovlen = 1,
		};
	}
}

static void read_all(const struct udp_socket *socket)
{
	struct pctl_udp *udp = socket->udp;
	struct batch *b = udp->batch;
	int n = BATCH;

	for (unsigned turn = 0; turn < BATCHES && n == BATCH; turn++) {
		aim(b, udp->packet_size);
		n = recvmmsg(socket->fd, b->heads, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++)
			hand_out(udp, (const struct sockaddr *)&b->from[i], b->parts[i].iov_base,
				b->heads[i].msg_len);
	}
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	(void)status, (void)events;
	read_all(pctl_container_of(poll, struct udp_socket, poll));
}

/* --- Life. ------------------------------------------------------------------------------------ */

struct pctl_udp *pctl_udp_new(uv_loop_t *loop, size_t packet_max, pctl_udp_receive_fn *receive)
{
	struct pctl_udp *udp = pctl_xcalloc(1, sizeof(*udp));

	udp->loop = loop;
	udp->receive = receive;
	udp->packet_size = packet_max + 1;
	udp->v4 = (struct udp_socket){ .udp = udp, .fd = -1 };
	udp->v6 = (struct udp_socket){ .udp = udp, .fd = -1 };
	return udp;
}

static void finish(struct pctl_udp *udp)
{
	pctl_closed_fn *closed = udp->closed;
	void *data = udp->closed_data;

	free(udp->batch);
	free(udp);
	closed(data);
}

static void on_closed(uv_handle_t *handle)
{
	struct udp_socket *socket = pctl_container_of((uv_poll_t *)handle, struct udp_socket, poll);
	struct pctl_udp *udp = socket->udp;

	(void)close(socket->fd);
	if (--udp->open == 0)
		finish(udp);
}

void pctl_udp_close(struct pctl_udp *udp, pctl_closed_fn *closed, void *data)
{
	udp->closed = closed;
	udp->closed_data = data;
	if (udp->v4.fd >= 0)
		uv_close((uv_handle_t *)&udp->v4.poll, on_closed);
	if (udp->v6.fd >= 0)
		uv_close((uv_handle_t *)&udp->v6.poll, on_closed);
	if (!udp->open)
		finish(udp);
}

/* Thousands may answer at once; the kernel gives what it allows, and losses are made up for. */
static void enlarge(int fd)
{
	const int bytes = RECEIVE_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

static int open_socket(struct udp_socket *s, int family, struct pctl_error *err)
{
	if (s->fd >= 0)
		return 0;
	s->fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0 && pctl_error_shortage(err, errno))
		return PCTL_E_INTERNAL;
	if (s->fd < 0)
		return pctl_error_set(err, PCTL_E_INTERNAL, "no UDP socket: %s", strerror(errno));
	enlarge(s->fd);
	int e = uv_poll_init(s->udp->loop, &s->poll, s->fd);
	if (e < 0) {
		(void)close(s->fd);
		s->fd = -1;
		return pctl_error_set(err, PCTL_E_INTERNAL, "no UDP socket: %s", uv_strerror(e));
	}
	if (!s->udp->batch)
		s->udp->batch = pctl_xcalloc(1, sizeof(struct batch) + BATCH * s->udp->packet_size);
	s->udp->open++;
	(void)uv_poll_start(&s->poll, UV_READABLE, on_readable);
	/* Whoever waits for an answer has a timer; the socket alone keeps no loop. */
	uv_unref((uv_handle_t *)&s->poll);
	return 0;
}

/* --- Members. --------------------------------------------------------------------------------- */

int pctl_udp_join(struct pctl_udp *udp, struct pctl_udp_member *member, const struct sockaddr *addr,
	socklen_t len, struct pctl_error *err)
{
	struct udp_socket *socket = addr->sa_family == AF_INET6 ? &udp->v6 : &udp->v4;
	struct place place = place_of(addr);

	int r = open_socket(socket, addr->sa_family, err);
	if (r < 0)
		return r;
	struct pctl_udp_peer **found = tfind(&place, &udp->peers, compare);
	struct pctl_udp_peer *peer = found ? *found : NULL;
	if (!peer) {
		peer = pctl_xcalloc(1, sizeof(*peer));
		peer->place = place;
		peer->len = len;
		peer->socket = socket;
		memcpy(&peer->addr, addr, len);
		while (!tsearch(peer, &udp->peers, compare))
			if (!pctl_memory_give())
				pctl_out_of_memory();
	}
	*member = (struct pctl_udp_member){
		.udp = udp, .peer = peer, .next = peer->members, .joined = true
	};
	peer->members = member;
	return 0;
}

void pctl_udp_leave(struct pctl_udp_member *member)
{
	if (!member->joined)
		return;
	struct pctl_udp_peer *peer = member->peer;
	struct pctl_udp_member **at = &peer->members;

	while (*at != member)
		at = &(*at)->next;
	*at = member->next;
	member->joined = false;
	if (!peer->members) {
		(void)tdelete(peer, &member->udp->peers, compare);
		free(peer);
	}
}

int pctl_udp_send(struct pctl_udp_member *member, const uint8_t *packet, size_t len)
{
	const struct pctl_udp_peer *peer = member->peer;
	ssize_t n = sendto(peer->socket->fd, packet, len, MSG_DONTWAIT | MSG_NOSIGNAL,
		(const struct sockaddr *)&peer->addr, peer->len);

	return n < 0 ? errno : 0;
}

void pctl_udp_look(struct pctl_udp_member *member)
{
	if (member->joined)
		read_all(member->peer->socket);
}
