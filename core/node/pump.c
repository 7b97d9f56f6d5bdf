/* SPDX-License-Identifier: Apache-2.0 */
#include "node/pump.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "node/core.h"

static void on_handle_closed(uv_handle_t *handle)
{
	struct pctl_pump *p = handle->data;

	if (--p->open == 0)
		p->freed(p);
}

static void close_handle(uv_handle_t *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, on_handle_closed);
}

void pctl_pump_end(struct pctl_pump *p, const struct pctl_error *err)
{
	pctl_channel_end(&p->channel, err);
	if (p->ended && !uv_is_closing((uv_handle_t *)&p->far))
		p->ended(p);
	close_handle((uv_handle_t *)&p->far);
	close_handle((uv_handle_t *)&p->near);
	close_handle((uv_handle_t *)&p->limit);
}

static void start_reading(struct pctl_flow *flow);

static void on_written(uv_write_t *req, int status)
{
	struct pctl_flow *flow = pctl_container_of(req, struct pctl_flow, write);

	if (status < 0)
		pctl_pump_end(flow->pump, NULL);
	else
		start_reading(flow);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	const struct pctl_pump *p = handle->data;
	const struct pctl_flow *flow = handle == (const uv_handle_t *)&p->near ? &p->out : &p->in;

	(void)size;
	*buf = uv_buf_init((char *)(uintptr_t)flow->part, PCTL_PUMP_PART);
}

static void pass_on(struct pctl_flow *flow, size_t from, size_t n)
{
	uv_buf_t part = uv_buf_init(flow->part + from, (unsigned)n);

	if (uv_write(&flow->write, flow->to, &part, 1, on_written) < 0)
		pctl_pump_end(flow->pump, NULL);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct pctl_pump *p = stream->data;
	struct pctl_flow *flow = stream == (uv_stream_t *)&p->near ? &p->out : &p->in;

	(void)buf;
	if (n == 0)
		return;
	/* One part at a time: a slow reader stops us from reading. */
	(void)uv_read_stop(stream);
	if (n < 0)
		pctl_pump_end(p, NULL);
	else
		pass_on(flow, 0, (size_t)n);
}

static void start_reading(struct pctl_flow *flow)
{
	if (uv_is_closing((uv_handle_t *)flow->from) ||
		uv_read_start(flow->from, on_alloc, on_read) < 0)
		pctl_pump_end(flow->pump, NULL);
}

void pctl_pump_run(struct pctl_pump *p, size_t from, size_t n)
{
	(void)uv_timer_stop(&p->limit);
	start_reading(&p->out);
	if (n)
		pass_on(&p->in, from, n);
	else
		start_reading(&p->in);
}

void pctl_pump_init(struct pctl_pump *p, uv_loop_t *loop, int near_fd)
{
	p->open = 3;
	(void)uv_tcp_init(loop, &p->far);
	(void)uv_pipe_init(loop, &p->near, 0);
	(void)uv_timer_init(loop, &p->limit);
	(void)uv_pipe_open(&p->near, near_fd);
	p->far.data = p->near.data = p->limit.data = p;
	p->out.pump = p->in.pump = p;
	p->out.from = p->in.to = (uv_stream_t *)&p->near;
	p->out.to = p->in.from = (uv_stream_t *)&p->far;
}

static void on_connected(uv_connect_t *req, int status)
{
	struct pctl_pump *p = pctl_container_of(req, struct pctl_pump, connect);

	if (status != UV_ECANCELED) /* then it has ended already */
		p->connected(p, status);
}

int pctl_pump_connect(struct pctl_pump *p, const struct sockaddr *addr)
{
	return uv_tcp_connect(&p->connect, &p->far, addr, on_connected);
}

static void stop(void *work)
{
	pctl_pump_end(work, NULL);
}

void pctl_pump_enter(struct pctl_pump *p, struct pctl_device *device, int fd)
{
	p->channel = pctl_channel_new(device, fd, p, stop, NULL);
}

/* --- The plain one: what a tunnel looks like. ------------------------------------------------- */

static void plain_connected(struct pctl_pump *p, int status)
{
	struct pctl_error err;

	if (status == 0) {
		pctl_pump_run(p, 0, 0);
		return;
	}
	pctl_error_set(&err, pctl_error_from_errno(-status), "%s", uv_strerror(status));
	pctl_pump_end(p, &err);
}

static void free_plain(struct pctl_pump *p)
{
	free(p);
}

static int dial_pump(
	struct pctl_device *device, uint16_t port, struct pctl_dial *ret, struct pctl_error *err)
{
	struct pctl_dial direct;
	int pair[2] = { -1, -1 };
	int r = pctl_dial_direct.dial(device, port, &direct, err);

	if (r == 0)
		r = pctl_channel_pair(pair, err);
	if (r < 0)
		return r;
	struct pctl_pump *p = pctl_xcalloc(1, sizeof(*p));
	p->connected = plain_connected;
	p->freed = free_plain;
	pctl_pump_init(p, pctl_device_loop(device), pair[1]);
	r = pctl_pump_connect(p, (const struct sockaddr *)&direct.addr);
	if (r < 0) {
		(void)close(pair[0]);
		pctl_pump_end(p, NULL);
		return pctl_error_set(err, pctl_error_from_errno(-r), "%s", uv_strerror(r));
	}
	pctl_pump_enter(p, device, pair[0]);
	*ret = (struct pctl_dial){ .fd = pair[0] };
	return 0;
}

const struct pctl_dialer pctl_dial_pump = {
	.files = 2,
	.dial = dial_pump,
};
