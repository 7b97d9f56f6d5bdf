/* SPDX-License-Identifier: Apache-2.0 */
#include "server.h"

#include <stdio.h>
#include <string.h>

#include "address.h"
#include "conn.h"
#include "silence.h"
#include "sim.h"
#include "tls.h"

enum {
	BACKLOG = 4096, /* the kernel cuts it to somaxconn */
	PORT_TRIES = 50,
	SWEEP_MS = 500,
};

static void on_connection(uv_stream_t *stream, int status)
{
	if (status == 0)
		conn_accept(stream->data);
}

static void sync_listener(struct listener *l);

static void on_listener_closed(uv_handle_t *handle)
{
	struct listener *l = handle->data;

	l->closing = false;
	if (l->dev)
		sync_listener(l);
}

static void close_listener(struct listener *l)
{
	bool own = l->open && !(l->dev && l->sim->shared);

	l->open = false;
	if (!own)
		return;
	l->closing = true;
	uv_close((uv_handle_t *)&l->tcp, on_listener_closed);
}

static struct sockaddr_storage address_of(const struct listener *l)
{
	struct sockaddr_storage any;

	if (l->dev)
		return l->dev->address;
	memset(&any, 0, sizeof(any));
	any.ss_family = l->sim->devices[0].address.ss_family;
	return any;
}

/* What listens on all addresses shall be for this machine only, if its addresses are. */
static void keep_local(const struct listener *l)
{
	const struct sockaddr_in *first = (const void *)&l->sim->devices[0].address;
	uv_os_fd_t fd;

	if (first->sin_family != AF_INET || ntohl(first->sin_addr.s_addr) >> 24 != 127)
		return;
	if (uv_fileno((const uv_handle_t *)&l->tcp, &fd) == 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2);
}

static void hush(const struct listener *l)
{
	int r = silence_apply(l);

	if (r < 0)
		fprintf(stderr, "powerctl-amtsim: devices cannot be silent: %s\n", uv_strerror(r));
}

/* 0 or a libuv error. Port 0 lets the kernel choose. */
static int open_listener(struct listener *l, uint16_t port)
{
	struct sockaddr_storage address = address_of(l);
	int n = sizeof(address);

	address_set_port(&address, port);
	uv_tcp_init_ex(&l->sim->loop, &l->tcp, address.ss_family);
	l->tcp.data = l;
	l->open = true;
	if (!l->dev)
		keep_local(l);

	int r = uv_tcp_bind(&l->tcp, (const struct sockaddr *)&address, 0);

	if (r == 0)
		hush(l);
	if (r == 0)
		r = uv_listen((uv_stream_t *)&l->tcp, BACKLOG, on_connection);
	if (r == 0)
		r = uv_tcp_getsockname(&l->tcp, (struct sockaddr *)&address, &n);
	if (r < 0)
		close_listener(l);
	else
		l->port = address_port(&address);
	return r;
}

static bool wanted(const struct listener *l)
{
	const struct device *dev = l->dev;
	const struct options *o = &dev->sim->options;

	if (dev->knobs.dead == DEAD_REFUSE)
		return false;
	return l->tls ? !o->no_tls : !o->no_plain && dev->profile->plain;
}

static uint16_t port_for(const struct listener *l)
{
	const struct options *o = &l->sim->options;
	uint32_t port = l->tls ? o->tls_port : o->fleet.port;

	if (o->fleet.by_port && port && l->dev)
		port += 2 * (l->dev->n - 1);
	return l->port ? l->port : (uint16_t)port;
}

static int complain(const struct listener *l, int error)
{
	struct sockaddr_storage address = address_of(l);
	char text[INET6_ADDRSTRLEN] = "";

	uv_ip_name((const struct sockaddr *)&address, text, sizeof(text));
	fprintf(stderr, "powerctl-amtsim: cannot listen on %s port %u: %s\n", text, port_for(l),
		error == UV_EADDRINUSE ? "the port is in use" : uv_strerror(error));
	return -1;
}

static struct listener *shared_of(struct sim *sim, bool tls)
{
	return tls ? &sim->shared_tls : &sim->shared_plain;
}

static struct listener *listener_of(struct device *dev, bool tls)
{
	return tls ? &dev->tls : &dev->plain;
}

/* A closing handle must leave the loop before its memory is used again: then this runs anew. */
static void sync_listener(struct listener *l)
{
	if (!l->sim->running || l->closing)
		return;
	if (l->open && !wanted(l))
		close_listener(l);
	else if (wanted(l) && l->sim->shared)
		l->open = true;
	else if (wanted(l) && !l->open)
		open_listener(l, port_for(l));
	if (l->open)
		hush(l->sim->shared ? shared_of(l->sim, l->tls) : l);
}

void server_sync(struct device *dev)
{
	sync_listener(&dev->plain);
	sync_listener(&dev->tls);
}

/* All on one port that the kernel chose for the first; UV_EADDRINUSE: it is taken elsewhere. */
static int open_same_port(struct sim *sim, bool tls)
{
	uint16_t port = 0;

	for (uint32_t i = 0; i < sim->count; i++) {
		struct listener *l = listener_of(&sim->devices[i], tls);
		int r = wanted(l) ? open_listener(l, port) : 0;

		if (r < 0) {
			for (uint32_t k = 0; k < i; k++)
				close_listener(listener_of(&sim->devices[k], tls));
			uv_run(&sim->loop, UV_RUN_NOWAIT);
			return r;
		}
		port = l->open ? l->port : port;
	}
	for (uint32_t i = 0; i < sim->count; i++)
		listener_of(&sim->devices[i], tls)->port = port;
	return 0;
}

static int open_each(struct sim *sim, bool tls)
{
	for (uint32_t i = 0; i < sim->count; i++) {
		struct listener *l = listener_of(&sim->devices[i], tls);
		int r = wanted(l) ? open_listener(l, port_for(l)) : 0;

		if (r < 0)
			return complain(l, r);
	}
	return 0;
}

/* One listener for all addresses: a descriptor a device would be too many. */
static int open_shared(struct sim *sim, bool tls)
{
	struct listener *shared = shared_of(sim, tls);
	int r;

	if (tls ? sim->options.no_tls : sim->options.no_plain)
		return 0;
	shared->sim = sim;
	shared->tls = tls;
	r = open_listener(shared, port_for(shared));
	if (r < 0)
		return complain(shared, r);
	for (uint32_t i = 0; i < sim->count; i++) {
		struct listener *l = listener_of(&sim->devices[i], tls);

		l->open = wanted(l);
		l->port = shared->port;
	}
	return 0;
}

static int open_all(struct sim *sim, bool tls)
{
	int r = UV_EADDRINUSE;

	if (sim->shared)
		return open_shared(sim, tls);
	if (sim->options.fleet.by_port || (tls ? sim->options.tls_port : sim->options.fleet.port))
		return open_each(sim, tls);
	for (int i = 0; i < PORT_TRIES && r == UV_EADDRINUSE; i++)
		r = open_same_port(sim, tls);
	return r < 0 ? complain(listener_of(&sim->devices[0], tls), r) : 0;
}

struct device *server_find(struct sim *sim, const struct sockaddr *address)
{
	const struct sockaddr *first = (const struct sockaddr *)&sim->devices[0].address;
	uint32_t index = address_last_word(address) - address_last_word(first);

	if (address->sa_family != first->sa_family || index >= sim->count)
		return NULL;
	return &sim->devices[index];
}

static void on_sweep(uv_timer_t *timer)
{
	conn_sweep(timer->data);
}

static int set_addresses(struct sim *sim)
{
	struct sockaddr_storage first;

	memset(&first, 0, sizeof(first));
	if (!address_parse(sim->options.fleet.address, &first)) {
		fprintf(stderr, "powerctl-amtsim: '%s' is not an IP address\n",
			sim->options.fleet.address);
		return -1;
	}
	for (uint32_t i = 0; i < sim->count; i++) {
		struct device *dev = &sim->devices[i];

		dev->address = first;
		if (!sim->options.fleet.by_port)
			address_count_up(&dev->address, i);
	}
	return 0;
}

int server_start(struct sim *sim)
{
	sim->shared = !sim->options.fleet.by_port && sim->count > SERVER_SHARED;
	if (set_addresses(sim) < 0 || open_all(sim, false) < 0 || open_all(sim, true) < 0)
		return -1;
	sim->running = true;
	uv_timer_init(&sim->loop, &sim->sweep);
	sim->sweep.data = sim;
	return uv_timer_start(&sim->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
}

void server_stop(struct sim *sim)
{
	sim->running = false;
	close_listener(&sim->shared_plain);
	close_listener(&sim->shared_tls);
	for (uint32_t i = 0; i < sim->count; i++) {
		close_listener(&sim->devices[i].plain);
		close_listener(&sim->devices[i].tls);
	}
	conn_close_all(sim, NULL);
	if (sim->sweep.data)
		uv_close((uv_handle_t *)&sim->sweep, NULL);
}
