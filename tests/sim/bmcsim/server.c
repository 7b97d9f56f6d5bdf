/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "sim.h"
#include "wire.h"

enum {
	PORT_TRIES = 50,
	BUFFER = 1 << 20,
};

/* What shall be sent later. */
struct delayed {
	uv_timer_t timer;
	struct device *dev;
	struct delayed *next;
	struct delayed *prev;
	struct sockaddr_storage to;
	size_t n;
	uint8_t p[];
};

/* What came while the BMC was busy; the first one is heard when the timer ends. */
struct waiting {
	uv_timer_t timer;
	struct device *dev;
	struct {
		struct sockaddr_storage peer;
		size_t n;
		uint8_t *p;
	} datagram[SIM_QUEUE];
};

static socklen_t size_of(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					      : sizeof(struct sockaddr_in);
}

/* --- Out -------------------------------------------------------------------------------------- */

static bool percent(struct device *dev)
{
	uint16_t random;

	if (!dev->knobs.drop_percent)
		return false;
	crypt_random(&dev->sim->crypt, &random, sizeof(random));
	return random % 100 < dev->knobs.drop_percent;
}

static void send_now(
	struct device *dev, const struct sockaddr_storage *to, const uint8_t *p, size_t n)
{
	if (dev->closing)
		return;
	dev->counters.replies++;
	while (sendto(dev->fd, p, n, 0, (const struct sockaddr *)to, size_of(to)) < 0)
		if (errno != EINTR)
			return;
}

static void on_delayed_closed(uv_handle_t *handle)
{
	struct delayed *d = handle->data;

	if (d->prev)
		d->prev->next = d->next;
	else
		d->dev->sim->delayed = d->next;
	if (d->next)
		d->next->prev = d->prev;
	free(d);
}

static void close_delayed(struct delayed *d)
{
	if (!uv_is_closing((uv_handle_t *)&d->timer))
		uv_close((uv_handle_t *)&d->timer, on_delayed_closed);
}

static void on_delayed(uv_timer_t *timer)
{
	struct delayed *d = timer->data;

	send_now(d->dev, &d->to, d->p, d->n);
	close_delayed(d);
}

static void send_later(struct device *dev, const struct sockaddr_storage *to, const uint8_t *p,
	size_t n, uint64_t after_ms)
{
	struct delayed *d = xcalloc(1, sizeof(*d) + n);
	struct sim *sim = dev->sim;

	d->dev = dev;
	d->to = *to;
	d->n = n;
	memcpy(d->p, p, n);
	d->timer.data = d;
	d->next = sim->delayed;
	if (d->next)
		d->next->prev = d;
	sim->delayed = d;
	uv_timer_init(&sim->loop, &d->timer);
	uv_timer_start(&d->timer, on_delayed, after_ms, 0);
}

static void send_one(struct device *dev, const struct sockaddr_storage *to, const uint8_t *p,
	size_t n, uint64_t after_ms)
{
	if (after_ms)
		send_later(dev, to, p, n, after_ms);
	else
		send_now(dev, to, p, n);
}

void server_send(struct device *dev, const struct sockaddr_storage *to, const uint8_t *p, size_t n,
	uint64_t after_ms)
{
	struct knobs *k = &dev->knobs;
	uint8_t junk[PACKET_MAX];

	if (sim_take(&k->drop_replies) || percent(dev)) {
		dev->counters.dropped++;
		return;
	}
	if (sim_take(&k->late_next))
		after_ms += k->late_ms;
	if (sim_take(&k->garbage)) {
		crypt_random(&dev->sim->crypt, junk, n);
		memcpy(junk, p, n < PACKET_RMCP ? n : PACKET_RMCP);
		p = junk;
	}
	if (sim_take(&k->truncate))
		n /= 2;
	send_one(dev, to, p, n, after_ms);
	if (k->duplicate)
		send_one(dev, to, p, n, after_ms);
}

/* --- In --------------------------------------------------------------------------------------- */

static void on_waiting_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void forget_waiting(struct device *dev)
{
	struct waiting *w = dev->waiting;

	for (uint32_t i = 0; i < dev->nwaiting; i++)
		free(w->datagram[i].p);
	dev->nwaiting = 0;
	dev->waiting = NULL;
	if (w)
		uv_close((uv_handle_t *)&w->timer, on_waiting_closed);
}

static void on_free(uv_timer_t *timer);

static void wait_more(struct device *dev)
{
	uint64_t now = sim_now(dev->sim);

	if (dev->nwaiting)
		uv_timer_start(&dev->waiting->timer, on_free,
			dev->busy_until > now ? dev->busy_until - now : 0, 0);
}

static void on_free(uv_timer_t *timer)
{
	struct waiting *w = timer->data;
	struct device *dev = w->dev;

	while (dev->nwaiting && sim_now(dev->sim) >= dev->busy_until) {
		struct sockaddr_storage peer = w->datagram[0].peer;
		size_t n = w->datagram[0].n;
		uint8_t *p = w->datagram[0].p;

		dev->nwaiting--;
		memmove(w->datagram, w->datagram + 1, dev->nwaiting * sizeof(w->datagram[0]));
		wire_receive(dev, &peer, p, n);
		free(p);
		if (dev->waiting != w) /* a reset came in between */
			return;
	}
	wait_more(dev);
}

static void enqueue(
	struct device *dev, const struct sockaddr_storage *peer, const uint8_t *p, size_t n)
{
	struct waiting *w = dev->waiting;

	if (!w) {
		w = dev->waiting = xcalloc(1, sizeof(*w));
		w->dev = dev;
		uv_timer_init(&dev->sim->loop, &w->timer);
		w->timer.data = w;
	}
	if (dev->nwaiting == SIM_QUEUE) {
		dev->counters.dropped++;
		return;
	}
	dev->counters.queued++;
	w->datagram[dev->nwaiting].peer = *peer;
	w->datagram[dev->nwaiting].n = n;
	w->datagram[dev->nwaiting].p = xcalloc(1, n);
	memcpy(w->datagram[dev->nwaiting].p, p, n);
	if (!dev->nwaiting++)
		wait_more(dev);
}

static void hear(
	struct device *dev, const struct sockaddr_storage *peer, const uint8_t *p, size_t n)
{
	uint64_t now = sim_now(dev->sim);

	dev->counters.datagrams++;
	if (dev->knobs.dead || now < dev->gone_until)
		return;
	if (sim_take(&dev->knobs.drop_requests) || percent(dev)) {
		dev->counters.dropped++;
		return;
	}
	if (now < dev->busy_until || dev->nwaiting)
		enqueue(dev, peer, p, n);
	else
		wire_receive(dev, peer, p, n);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct device *dev = poll->data;
	struct sim *sim = dev->sim;

	(void)events;
	if (status < 0)
		return;

	/* One is what there is mostly; the loop comes back for more. */
	struct sockaddr_storage peer;
	socklen_t peer_n = sizeof(peer);
	ssize_t n = recvfrom(dev->fd, sim->in, sizeof(sim->in), MSG_DONTWAIT | MSG_TRUNC,
		(struct sockaddr *)&peer, &peer_n);

	if (n < 0)
		return;
	if ((size_t)n <= sizeof(sim->in))
		hear(dev, &peer, sim->in, (size_t)n);
	else
		dev->counters.malformed++;
}

void server_vanish(struct device *dev, uint64_t ms)
{
	forget_waiting(dev);
	dev->busy_until = 0;
	dev->gone_until = sim_now(dev->sim) + ms;
}

/* --- Sockets ---------------------------------------------------------------------------------- */

static void close_device(struct device *dev)
{
	if (dev->fd < 0)
		return;
	dev->closing = true;
	if (dev->poll.data)
		uv_close((uv_handle_t *)&dev->poll, NULL);
	dev->poll.data = NULL;
	close(dev->fd);
	dev->fd = -1;
}

/* 0 or an errno. Port 0 lets the kernel choose. */
static int open_device(struct device *dev, uint16_t port)
{
	struct sockaddr_storage address = dev->address;
	socklen_t n = size_of(&address);
	int buffer = BUFFER;

	address_set_port(&address, port);
	dev->fd = socket(address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (dev->fd < 0)
		return errno;
	(void)setsockopt(dev->fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	if (bind(dev->fd, (const struct sockaddr *)&address, n) < 0 ||
		getsockname(dev->fd, (struct sockaddr *)&address, &n) < 0) {
		int error = errno;

		close(dev->fd);
		dev->fd = -1;
		return error;
	}
	dev->port = address_port(&address);
	return 0;
}

static int complain(const struct device *dev, uint32_t port, int error)
{
	char text[INET6_ADDRSTRLEN] = "";

	uv_ip_name((const struct sockaddr *)&dev->address, text, sizeof(text));
	fprintf(stderr, "powerctl-bmcsim: cannot receive on %s port %u: %s\n", text, port,
		error == EADDRINUSE ? "the port is in use" : strerror(error));
	return -1;
}

static uint32_t port_for(const struct device *dev)
{
	const struct options *o = &dev->sim->options;

	return o->fleet.by_port && o->fleet.port ? o->fleet.port + dev->n - 1 : o->fleet.port;
}

static int open_each(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->count; i++) {
		struct device *dev = &sim->devices[i];
		int error = open_device(dev, (uint16_t)port_for(dev));

		if (error)
			return complain(dev, port_for(dev), error);
	}
	return 0;
}

/* All on one port that the kernel chose for the first; EADDRINUSE: it is taken elsewhere. */
static int open_same_port(struct sim *sim, uint32_t *ret_failed)
{
	uint16_t port = 0;

	for (uint32_t i = 0; i < sim->count; i++) {
		int error = open_device(&sim->devices[i], port);

		if (error) {
			while (i-- > 0)
				close_device(&sim->devices[i]);
			*ret_failed = i + 1;
			return error;
		}
		port = sim->devices[i].port;
	}
	return 0;
}

static int open_all(struct sim *sim)
{
	uint32_t failed = 0;
	int error = EADDRINUSE;

	if (sim->options.fleet.by_port || sim->options.fleet.port)
		return open_each(sim);
	for (int i = 0; i < PORT_TRIES && error == EADDRINUSE; i++)
		error = open_same_port(sim, &failed);
	return error ? complain(&sim->devices[failed], 0, error) : 0;
}

static int set_addresses(struct sim *sim)
{
	struct sockaddr_storage first;

	memset(&first, 0, sizeof(first));
	if (!address_parse(sim->options.fleet.address, &first)) {
		fprintf(stderr, "powerctl-bmcsim: '%s' is not an IP address\n",
			sim->options.fleet.address);
		return -1;
	}
	for (uint32_t i = 0; i < sim->count; i++) {
		sim->devices[i].address = first;
		sim->devices[i].fd = -1;
		if (!sim->options.fleet.by_port)
			address_count_up(&sim->devices[i].address, i);
	}
	return 0;
}

int server_start(struct sim *sim)
{
	if (set_addresses(sim) < 0)
		return -1;
	sim->running = true;
	if (open_all(sim) < 0)
		return -1;
	for (uint32_t i = 0; i < sim->count; i++) {
		struct device *dev = &sim->devices[i];

		dev->closing = false;
		if (uv_poll_init(&sim->loop, &dev->poll, dev->fd) < 0)
			return complain(dev, dev->port, errno);
		dev->poll.data = dev;
		uv_poll_start(&dev->poll, UV_READABLE, on_readable);
	}
	return 0;
}

void server_stop(struct sim *sim)
{
	for (uint32_t i = 0; sim->running && i < sim->count; i++) {
		close_device(&sim->devices[i]);
		forget_waiting(&sim->devices[i]);
	}
	for (struct delayed *d = sim->delayed; d; d = d->next)
		close_delayed(d);
	sim->running = false;
}
