/* SPDX-License-Identifier: Apache-2.0 */
#include "backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "address.h"
#include "sim.h"
#include "terminal.h"

enum {
	OUT_MAX = 2 << 20,
	READ = 4096,
};

struct backend {
	struct device *dev;
	backend_output_fn *output;
	void *arg;
	bool is_terminal;
	bool connected;
	bool closed;
	bool paused;
	struct terminal terminal;
	struct buf out;
	/* The terminal's first words come from the loop. */
	uv_timer_t greet;
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} socket;
	uv_connect_t connect;
	uint8_t in[READ];
};

static bool parse_tcp(struct str where, struct sockaddr_storage *ret)
{
	char host[64];
	const char *colon = where.n ? memrchr(where.p, ':', where.n) : NULL;
	uint64_t port;

	if (!colon ||
		!str_copy((struct str){ where.p, (size_t)(colon - where.p) }, host, sizeof(host)))
		return false;
	if (!parse_uint((struct str){ colon + 1, where.n - (size_t)(colon + 1 - where.p) }, 65535,
		    &port) ||
		!address_parse(host, ret))
		return false;
	address_set_port(ret, (uint16_t)port);
	return true;
}

bool backend_valid(struct str where)
{
	struct sockaddr_storage address;

	if (str_starts(where, "tcp:"))
		return parse_tcp((struct str){ where.p + 4, where.n - 4 }, &address);
	if (str_starts(where, "unix:"))
		return where.n > 5 && where.n - 5 < sizeof(((struct sockaddr_un *)0)->sun_path);
	return str_is(where, "terminal");
}

static void say(struct backend *b, const char *text)
{
	if (!b->closed)
		b->output(b->arg, (const uint8_t *)text, strlen(text));
}

static void flush(struct backend *b)
{
	if (b->out.n && !b->closed)
		b->output(b->arg, (const uint8_t *)b->out.p, b->out.n);
	b->out.n = 0;
	b->out.over = false;
}

static void on_greet(uv_timer_t *timer)
{
	flush(timer->data);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	struct backend *b = handle->data;

	(void)suggested;
	*ret = uv_buf_init((char *)b->in, READ);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct backend *b = stream->data;

	(void)buf;
	if (n < 0) {
		uv_read_stop(stream);
		b->connected = false;
		say(b, "\r\n[serial line: closed]\r\n");
	} else if (n > 0 && !b->closed) {
		b->output(b->arg, b->in, (size_t)n);
	}
}

static void on_connected(uv_connect_t *connect, int status)
{
	struct backend *b = connect->data;

	if (status == UV_ECANCELED)
		return;
	if (status < 0) {
		say(b, "\r\n[serial line: ");
		say(b, uv_strerror(status));
		say(b, "]\r\n");
		return;
	}
	b->connected = true;
	if (!b->paused)
		uv_read_start(&b->socket.stream, on_alloc, on_read);
}

static void open_socket(struct backend *b, const char *where)
{
	struct sockaddr_storage address;
	struct sim *sim = b->dev->sim;

	b->connect.data = b;
	if (strncmp(where, "unix:", 5) == 0) {
		uv_pipe_init(&sim->loop, &b->socket.pipe, 0);
		uv_pipe_connect(&b->connect, &b->socket.pipe, where + 5, on_connected);
	} else {
		uv_tcp_init(&sim->loop, &b->socket.tcp);
		if (parse_tcp(str_of(where + 4), &address))
			uv_tcp_connect(&b->connect, &b->socket.tcp,
				(const struct sockaddr *)&address, on_connected);
	}
	b->socket.handle.data = b;
}

static void say_power(struct device *dev, struct buf *out)
{
	power_update(dev);
	buf_fmt(out, "power %s, boots %u\r\n", dev->power.on ? "on" : "off", dev->boot.boots);
}

struct backend *backend_open(struct device *dev, backend_output_fn *output, void *arg)
{
	struct backend *b = xcalloc(1, sizeof(*b));

	b->dev = dev;
	b->output = output;
	b->arg = arg;
	buf_init(&b->out, OUT_MAX);
	b->is_terminal = !dev->sol_backend;
	uv_timer_init(&dev->sim->loop, &b->greet);
	b->greet.data = b;
	if (b->is_terminal) {
		const struct terminal_host host = { "powerctl-bmcsim", "bmc", dev->n, dev,
			say_power };

		terminal_init(&b->terminal, &host, &b->out);
		uv_timer_start(&b->greet, on_greet, 0, 0);
	} else {
		open_socket(b, dev->sol_backend);
	}
	return b;
}

static void on_closed(uv_handle_t *handle)
{
	struct backend *b = handle->data;

	buf_done(&b->out);
	free(b);
}

static void on_socket_closed(uv_handle_t *handle)
{
	struct backend *b = handle->data;

	uv_close((uv_handle_t *)&b->greet, on_closed);
}

void backend_close(struct backend *b)
{
	if (!b)
		return;
	b->closed = true;
	if (b->is_terminal)
		uv_close((uv_handle_t *)&b->greet, on_closed);
	else
		uv_close(&b->socket.handle, on_socket_closed);
}

size_t backend_input(struct backend *b, const uint8_t *p, size_t n)
{
	uv_buf_t buf = uv_buf_init((char *)(uintptr_t)p, (unsigned)n);
	int r;

	if (b->is_terminal) {
		terminal_input(&b->terminal, p, n, &b->out);
		flush(b);
		return n;
	}
	if (!b->connected)
		return n; /* nobody at the other end: as a line that hangs free */
	r = uv_try_write(&b->socket.stream, &buf, 1);
	return r > 0 ? (size_t)r : 0;
}

void backend_break(struct backend *b)
{
	if (!b->is_terminal)
		return;
	terminal_break(&b->terminal, &b->out);
	flush(b);
}

void backend_pause(struct backend *b, bool paused)
{
	if (b->is_terminal || b->paused == paused)
		return;
	b->paused = paused;
	if (!b->connected)
		return;
	if (paused)
		uv_read_stop(&b->socket.stream);
	else
		uv_read_start(&b->socket.stream, on_alloc, on_read);
}
