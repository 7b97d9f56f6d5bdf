/* SPDX-License-Identifier: Apache-2.0 */
#include "web.h"

#include <stdio.h>
#include <string.h>

#include "address.h"
#include "json.h"
#include "web_conn.h"
#include "web_silence.h"
#include "web_tls.h"

enum {
	BACKLOG = 4096, /* the kernel cuts it to somaxconn */
	PORT_TRIES = 50,
	SWEEP_MS = 500,
	OUT_MAX = 128 << 20,
};

struct web_device *web_at(const struct web *web, uint32_t index)
{
	return (struct web_device *)(void *)((char *)(void *)web->first + web->stride * index);
}

bool web_every(uint32_t every, uint32_t *seq)
{
	if (!every || ++*seq % every)
		return false;
	*seq = 0;
	return true;
}

void web_device_init(struct web_device *w, struct web *web, struct device *dev, uint32_t n)
{
	w->web = web;
	w->dev = dev;
	w->n = n;
	if (n == 1)
		web->first = w;
	w->plain.dev = w->tls.dev = w;
	w->plain.web = w->tls.web = web;
	w->tls.tls = true;
}

void web_device_done(struct web_device *w)
{
	X509_free(w->cert);
	EVP_PKEY_free(w->key);
}

void web_device_reset(struct web_device *w)
{
	w->counters->peak_connections = w->connections_open;
	w->counters->peak_requests = w->requests_open;
	if (w->connections_open)
		w->counters->peak_fleet_connections = w->web->connections_open;
	if (w->requests_open)
		w->counters->peak_fleet_requests = w->web->requests_open;
}

static void member_port(struct buf *out, const char *name, const struct web_listener *l)
{
	json_member(out, name);
	if (l->open)
		buf_uint(out, l->port);
	else
		buf_text(out, "null");
}

void web_device_json(const struct web_device *w, struct buf *out)
{
	char text[INET6_ADDRSTRLEN] = "";

	uv_ip_name((const struct sockaddr *)&w->address, text, sizeof(text));
	json_member_text(out, "address", text);
	member_port(out, "port", &w->plain);
	member_port(out, "tls_port", &w->tls);
}

static void port_list(const struct web *web, bool tls, struct buf *out)
{
	buf_char(out, '[');
	for (uint32_t i = 0; i < web->count; i++) {
		const struct web_device *w = web_at(web, i);
		const struct web_listener *l = tls ? &w->tls : &w->plain;

		if (i)
			buf_char(out, ',');
		buf_uint(out, l->open ? l->port : 0);
	}
	buf_char(out, ']');
}

void web_json_ports(const struct web *web, struct buf *out)
{
	json_member(out, "ports");
	port_list(web, false, out);
	json_member(out, "tls_ports");
	port_list(web, true, out);
}

enum option_result web_check_options(const struct option_table *table,
	const struct fleet_options *fleet, const struct web_options *o)
{
	if (o->no_tls && o->no_plain)
		return option_complain(
			table, "--no-tls and --no-plain leave nothing to listen on", "");
	if (!o->cert != !o->key)
		return option_complain(table, "--cert and --key go together", "");

	enum option_result r = option_check_ports(table, fleet, "--port", fleet->port, 2);

	return r == OPTION_RUN ? option_check_ports(table, fleet, "--tls-port", o->tls_port, 2) : r;
}

bool web_raise_files(const struct web *web)
{
	bool shared = !web->fleet->by_port && web->count > WEB_SHARED;

	return option_raise_files(
		web->program, web->count, 64 + (shared ? 0 : (uint64_t)web->count * 2));
}

int web_setup(struct web *web)
{
	buf_init(&web->out, OUT_MAX);
	return tls_setup(web);
}

void web_teardown(struct web *web)
{
	tls_teardown(web);
	buf_done(&web->out);
}

static void on_connection(uv_stream_t *stream, int status)
{
	if (status == 0)
		conn_accept(stream->data);
}

static void sync_listener(struct web_listener *l);

static void on_listener_closed(uv_handle_t *handle)
{
	struct web_listener *l = handle->data;

	l->closing = false;
	if (l->dev)
		sync_listener(l);
}

static void close_listener(struct web_listener *l)
{
	bool own = l->open && !(l->dev && l->web->shared);

	l->open = false;
	if (!own)
		return;
	l->closing = true;
	uv_close((uv_handle_t *)&l->tcp, on_listener_closed);
}

static struct sockaddr_storage address_of(const struct web_listener *l)
{
	struct sockaddr_storage any;

	if (l->dev)
		return l->dev->address;
	memset(&any, 0, sizeof(any));
	any.ss_family = web_at(l->web, 0)->address.ss_family;
	return any;
}

/* What listens on all addresses shall be for this machine only, if its addresses are. */
static void keep_local(const struct web_listener *l)
{
	const struct sockaddr_in *first = (const void *)&web_at(l->web, 0)->address;
	uv_os_fd_t fd;

	if (first->sin_family != AF_INET || ntohl(first->sin_addr.s_addr) >> 24 != 127)
		return;
	if (uv_fileno((const uv_handle_t *)&l->tcp, &fd) == 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2);
}

static void hush(const struct web_listener *l)
{
	int r = silence_apply(l);

	if (r < 0)
		fprintf(stderr, "%s: devices cannot be silent: %s\n", l->web->program,
			uv_strerror(r));
}

/* 0 or a libuv error. Port 0 lets the kernel choose. */
static int open_listener(struct web_listener *l, uint16_t port)
{
	struct sockaddr_storage address = address_of(l);
	int n = sizeof(address);

	address_set_port(&address, port);
	uv_tcp_init_ex(l->web->loop, &l->tcp, address.ss_family);
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

static bool wanted(const struct web_listener *l)
{
	const struct web_device *dev = l->dev;
	const struct web *web = dev->web;

	if (dev->knobs->dead == WEB_DEAD_REFUSE)
		return false;
	if (l->tls ? web->options->no_tls : web->options->no_plain)
		return false;
	return !web->listens || web->listens(dev->dev, l->tls);
}

static uint16_t port_for(const struct web_listener *l)
{
	const struct web *web = l->web;
	uint32_t port = l->tls ? web->options->tls_port : web->fleet->port;

	if (web->fleet->by_port && port && l->dev)
		port += 2 * (l->dev->n - 1);
	return l->port ? l->port : (uint16_t)port;
}

static int complain(const struct web_listener *l, int error)
{
	struct sockaddr_storage address = address_of(l);
	char text[INET6_ADDRSTRLEN] = "";

	uv_ip_name((const struct sockaddr *)&address, text, sizeof(text));
	fprintf(stderr, "%s: cannot listen on %s port %u: %s\n", l->web->program, text, port_for(l),
		error == UV_EADDRINUSE ? "the port is in use" : uv_strerror(error));
	return -1;
}

static struct web_listener *shared_of(struct web *web, bool tls)
{
	return tls ? &web->shared_tls : &web->shared_plain;
}

static struct web_listener *listener_of(struct web_device *dev, bool tls)
{
	return tls ? &dev->tls : &dev->plain;
}

/* A closing handle must leave the loop before its memory is used again: then this runs anew. */
static void sync_listener(struct web_listener *l)
{
	if (!l->web->running || l->closing)
		return;
	if (l->open && !wanted(l))
		close_listener(l);
	else if (wanted(l) && l->web->shared)
		l->open = true;
	else if (wanted(l) && !l->open)
		open_listener(l, port_for(l));
	if (l->open)
		hush(l->web->shared ? shared_of(l->web, l->tls) : l);
}

void web_sync_device(struct web_device *dev)
{
	sync_listener(&dev->plain);
	sync_listener(&dev->tls);
	if (dev->web->synced)
		dev->web->synced(dev->dev);
}

bool web_device_is_open(const struct web_device *w)
{
	return w->plain.open == wanted(&w->plain) && w->tls.open == wanted(&w->tls);
}

/* All on one port that the kernel chose for the first; UV_EADDRINUSE: it is taken elsewhere. */
static int open_same_port(struct web *web, bool tls)
{
	uint16_t port = 0;

	for (uint32_t i = 0; i < web->count; i++) {
		struct web_listener *l = listener_of(web_at(web, i), tls);
		int r = wanted(l) ? open_listener(l, port) : 0;

		if (r < 0) {
			for (uint32_t k = 0; k < i; k++)
				close_listener(listener_of(web_at(web, k), tls));
			uv_run(web->loop, UV_RUN_NOWAIT);
			return r;
		}
		port = l->open ? l->port : port;
	}
	for (uint32_t i = 0; i < web->count; i++)
		listener_of(web_at(web, i), tls)->port = port;
	return 0;
}

static int open_each(struct web *web, bool tls)
{
	for (uint32_t i = 0; i < web->count; i++) {
		struct web_listener *l = listener_of(web_at(web, i), tls);
		int r = wanted(l) ? open_listener(l, port_for(l)) : 0;

		if (r < 0)
			return complain(l, r);
	}
	return 0;
}

/* One listener for all addresses: a descriptor a device would be too many. */
static int open_shared(struct web *web, bool tls)
{
	struct web_listener *shared = shared_of(web, tls);
	int r;

	if (tls ? web->options->no_tls : web->options->no_plain)
		return 0;
	shared->web = web;
	shared->tls = tls;
	r = open_listener(shared, port_for(shared));
	if (r < 0)
		return complain(shared, r);
	for (uint32_t i = 0; i < web->count; i++) {
		struct web_listener *l = listener_of(web_at(web, i), tls);

		l->open = wanted(l);
		l->port = shared->port;
	}
	return 0;
}

static int open_all(struct web *web, bool tls)
{
	int r = UV_EADDRINUSE;

	if (web->shared)
		return open_shared(web, tls);
	if (web->fleet->by_port || (tls ? web->options->tls_port : web->fleet->port))
		return open_each(web, tls);
	for (int i = 0; i < PORT_TRIES && r == UV_EADDRINUSE; i++)
		r = open_same_port(web, tls);
	return r < 0 ? complain(listener_of(web_at(web, 0), tls), r) : 0;
}

struct web_device *web_find(struct web *web, const struct sockaddr *address)
{
	const struct sockaddr *first = (const struct sockaddr *)&web_at(web, 0)->address;
	uint32_t index = address_last_word(address) - address_last_word(first);

	if (address->sa_family != first->sa_family || index >= web->count)
		return NULL;
	return web_at(web, index);
}

static void on_sweep(uv_timer_t *timer)
{
	struct web *web = timer->data;

	conn_sweep(web);
	if (web->tick)
		web->tick(web);
}

static int set_addresses(struct web *web)
{
	struct sockaddr_storage first;

	memset(&first, 0, sizeof(first));
	if (!address_parse(web->fleet->address, &first)) {
		fprintf(stderr, "%s: '%s' is not an IP address\n", web->program,
			web->fleet->address);
		return -1;
	}
	for (uint32_t i = 0; i < web->count; i++) {
		struct web_device *dev = web_at(web, i);

		dev->address = first;
		if (!web->fleet->by_port)
			address_count_up(&dev->address, i);
	}
	return 0;
}

int web_start(struct web *web)
{
	web->shared = !web->fleet->by_port && web->count > WEB_SHARED;
	if (set_addresses(web) < 0 || open_all(web, false) < 0 || open_all(web, true) < 0)
		return -1;
	web->running = true;
	uv_timer_init(web->loop, &web->sweep);
	web->sweep.data = web;
	return uv_timer_start(&web->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
}

void web_stop(struct web *web)
{
	web->running = false;
	close_listener(&web->shared_plain);
	close_listener(&web->shared_tls);
	for (uint32_t i = 0; i < web->count; i++) {
		close_listener(&web_at(web, i)->plain);
		close_listener(&web_at(web, i)->tls);
	}
	conn_close_all(web, NULL);
	if (web->sweep.data)
		uv_close((uv_handle_t *)&web->sweep, NULL);
}
