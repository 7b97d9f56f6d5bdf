/* SPDX-License-Identifier: Apache-2.0 */
/* Through a SOCKS 5 server: look it up, connect, shake hands, pump. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "node/core.h"
#include "node/pump.h"
#include "node/socks5.h"

struct tunnel {
	struct pctl_pump pump;
	const struct pctl_target *target; /* lives as long as the channel does */
	struct pctl_socks5 socks;
	struct pctl_asking asking;
	uv_write_t write;
	size_t got, used; /* of in.part */
};

static struct tunnel *tunnel_of(struct pctl_pump *pump)
{
	return pctl_container_of(pump, struct tunnel, pump);
}

static void fail(struct tunnel *t, struct pctl_error *err)
{
	pctl_dial_blame(err, t->target->via);
	pctl_pump_end(&t->pump, err);
}

static void fail_status(struct tunnel *t, int status)
{
	struct pctl_error err;

	if (pctl_error_shortage(&err, -status)) {
		pctl_pump_end(&t->pump, &err);
		return;
	}
	pctl_error_set(&err, PCTL_E_UNREACHABLE, "%s", uv_strerror(status));
	if (status == UV_ECONNREFUSED)
		(void)pctl_error_flag(&err, PCTL_ERROR_NOT_LISTENING);
	fail(t, &err);
}

static void on_limit(uv_timer_t *timer)
{
	struct tunnel *t = tunnel_of(timer->data);
	struct pctl_error err;

	pctl_dial_late(&err, t->target);
	fail(t, &err);
}

/* --- Shaking hands. --------------------------------------------------------------------------- */

static void listen_to(struct tunnel *t);

static void on_sent(uv_write_t *req, int status)
{
	struct tunnel *t = pctl_container_of(req, struct tunnel, write);

	if (status == UV_ECANCELED)
		return;
	if (status < 0)
		fail_status(t, status);
	else
		listen_to(t);
}

static void send_step(struct tunnel *t)
{
	uv_buf_t part = uv_buf_init((char *)t->socks.send, (unsigned)t->socks.send_n);
	int r = uv_write(&t->write, (uv_stream_t *)&t->pump.far, &part, 1, on_sent);

	if (r < 0)
		fail_status(t, r);
}

static void take(struct tunnel *t)
{
	struct pctl_error err;
	size_t used = 0;
	int r = pctl_socks5_take(&t->socks, (const uint8_t *)t->pump.in.part + t->used,
		t->got - t->used, &used, &err);

	t->used += used;
	if (r == PCTL_E_UNREACHABLE) { /* it was asked to connect, and says what it met */
		pctl_dial_quote(&err, t->target->via);
		pctl_pump_end(&t->pump, &err);
	} else if (r < 0)
		fail(t, &err);
	else if (r > 0)
		pctl_pump_run(&t->pump, t->used, t->got - t->used);
	else if (t->socks.send_n)
		send_step(t);
	else
		listen_to(t);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct pctl_pump *pump = handle->data;

	(void)size;
	*buf = uv_buf_init(pump->in.part, PCTL_PUMP_PART);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct tunnel *t = tunnel_of(stream->data);
	struct pctl_error err;

	(void)buf;
	if (n == 0)
		return;
	(void)uv_read_stop(stream);
	if (n < 0) {
		pctl_error_set(
			&err, PCTL_E_UNREACHABLE, "it hung up in the middle of its handshake");
		(void)pctl_error_flag(&err, PCTL_ERROR_DROPPED);
		fail(t, &err);
		return;
	}
	t->got = (size_t)n;
	t->used = 0;
	take(t);
}

/* A server that said more than it was asked for is heard first. */
static void listen_to(struct tunnel *t)
{
	int r;

	if (t->used < t->got) {
		take(t);
		return;
	}
	r = uv_read_start((uv_stream_t *)&t->pump.far, on_alloc, on_read);
	if (r < 0)
		fail_status(t, r);
}

static void on_connected(struct pctl_pump *pump, int status)
{
	struct tunnel *t = tunnel_of(pump);

	if (status < 0) {
		fail_status(t, status);
		return;
	}
	(void)uv_tcp_nodelay(&pump->far, 1);
	send_step(t);
}

/* --- The server's address. -------------------------------------------------------------------- */

static void connect_to(struct tunnel *t, const struct sockaddr *addr)
{
	struct sockaddr_storage to = { 0 };

	if (addr->sa_family == AF_INET6) {
		memcpy(&to, addr, sizeof(struct sockaddr_in6));
		((struct sockaddr_in6 *)(void *)&to)->sin6_port =
			htons((uint16_t)t->target->via->port);
	} else {
		memcpy(&to, addr, sizeof(struct sockaddr_in));
		((struct sockaddr_in *)(void *)&to)->sin_port =
			htons((uint16_t)t->target->via->port);
	}
	int r = pctl_pump_connect(&t->pump, (const struct sockaddr *)&to);
	if (r < 0)
		fail_status(t, r);
}

static void no_address(struct tunnel *t, int status)
{
	struct pctl_error err;

	if (pctl_error_shortage(&err, -status)) {
		pctl_pump_end(&t->pump, &err);
		return;
	}
	pctl_error_set(&err, PCTL_E_UNREACHABLE, "no address for it: %s", uv_strerror(status));
	fail(t, &err);
}

static void on_resolved(struct pctl_asking *asking, const struct sockaddr *addr, int status)
{
	struct tunnel *t = pctl_container_of(asking, struct tunnel, asking);

	if (addr)
		connect_to(t, addr);
	else
		no_address(t, status);
}

static void look_up(struct tunnel *t)
{
	const char *host = t->target->via->host;
	struct sockaddr_storage addr = { 0 };

	if (uv_ip4_addr(host, 0, (struct sockaddr_in *)(void *)&addr) == 0 ||
		uv_ip6_addr(host, 0, (struct sockaddr_in6 *)(void *)&addr) == 0) {
		connect_to(t, (const struct sockaddr *)&addr);
		return;
	}
	t->asking.resolved = on_resolved;
	int r = pctl_resolve(t->target->core->resolver, host, &t->asking, &addr);
	if (r > 0)
		connect_to(t, (const struct sockaddr *)&addr);
	else if (r < 0)
		no_address(t, r);
}

/* --- Dialling. -------------------------------------------------------------------------------- */

static void on_ended(struct pctl_pump *pump)
{
	pctl_asking_leave(&tunnel_of(pump)->asking);
}

static void free_tunnel(struct pctl_pump *pump)
{
	pctl_socks5_done(&tunnel_of(pump)->socks);
	free(tunnel_of(pump));
}

static int dial(
	struct pctl_device *device, uint16_t port, struct pctl_dial *ret, struct pctl_error *err)
{
	const struct pctl_target *target = device->target;
	struct tunnel *t = pctl_xcalloc(1, sizeof(*t));
	int pair[2] = { -1, -1 };
	int r = pctl_socks5_begin(
		&t->socks, target->address, port, target->via->user, target->via->secret, err);

	if (r == 0)
		r = pctl_channel_pair(pair, err);
	if (r < 0) {
		free(t);
		return r;
	}
	t->target = target;
	t->pump.connected = on_connected;
	t->pump.ended = on_ended;
	t->pump.freed = free_tunnel;
	pctl_pump_init(&t->pump, pctl_device_loop(device), pair[1]);
	pctl_pump_enter(&t->pump, device, pair[0]);
	(void)uv_timer_start(&t->pump.limit, on_limit, target->connect_ms, 0);
	*ret = (struct pctl_dial){ .fd = pair[0] };
	look_up(t);
	return 0;
}

const struct pctl_dialer pctl_dial_socks5 = {
	.gateway = true,
	.files = 2,
	.dial = dial,
};
