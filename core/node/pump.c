/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A channel behind a socketpair: one end is the driver's, the other is pumped to and from a TCP
 * connection that the core makes. Tunnels (SOCKS, SSH, what devices dial themselves) differ only in
 * how that comes about.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include <powerctl/log.h>
#include <powerctl/mem.h>

#include "base/paths.h"
#include "node/core.h"

#define PART 16384u

struct pump;

/* One direction: what was read from one stream and is being written to the other. */
struct flow {
	struct pump *pump;
	uv_stream_t *from, *to;
	uv_write_t write;
	char part[PART];
	bool ended;
};

struct pump {
	uv_tcp_t far;
	uv_pipe_t near;
	uv_connect_t connect;
	struct flow out, in;
	int open;                     /* handles not closed yet */
	struct pctl_channel *channel; /* the device's side; NULL once it is closed */
};

static void on_handle_closed(uv_handle_t *handle)
{
	struct pump *p = handle->data;

	if (--p->open == 0)
		free(p);
}

/* What a device remembers of a descriptor it was given. */
struct pctl_channel {
	int fd;
	struct pctl_error err;
	bool told;         /* its error was asked for */
	struct pump *pump; /* NULL once the pump has ended */
	struct pctl_channel *next;
};

static void close_handle(uv_handle_t *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, on_handle_closed);
}

static void tear_down(struct pump *p)
{
	if (p->channel)
		p->channel->pump = NULL;
	p->channel = NULL;
	close_handle((uv_handle_t *)&p->far);
	close_handle((uv_handle_t *)&p->near);
}

static void start_reading(struct flow *flow);

static void on_written(uv_write_t *req, int status)
{
	struct flow *flow = pctl_container_of(req, struct flow, write);

	if (status < 0)
		tear_down(flow->pump);
	else
		start_reading(flow);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	const struct pump *p = handle->data;
	const struct flow *flow = handle == (const uv_handle_t *)&p->near ? &p->out : &p->in;

	(void)size;
	*buf = uv_buf_init((char *)(uintptr_t)flow->part, PART);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct pump *p = stream->data;
	struct flow *flow = stream == (uv_stream_t *)&p->near ? &p->out : &p->in;

	if (n == 0)
		return;
	(void)uv_read_stop(stream);
	if (n < 0) {
		tear_down(p);
		return;
	}
	/* One part at a time: a slow reader stops us from reading. */
	uv_buf_t part = uv_buf_init(buf->base, (unsigned)n);
	if (uv_write(&flow->write, flow->to, &part, 1, on_written) < 0)
		tear_down(p);
}

static void start_reading(struct flow *flow)
{
	if (uv_is_closing((uv_handle_t *)flow->from) ||
		uv_read_start(flow->from, on_alloc, on_read) < 0)
		tear_down(flow->pump);
}

static void on_connected(uv_connect_t *req, int status)
{
	struct pump *p = pctl_container_of(req, struct pump, connect);

	if (status < 0) {
		if (p->channel)
			pctl_error_set(&p->channel->err, pctl_error_from_errno(-status), "%s",
				uv_strerror(status));
		tear_down(p);
		return;
	}
	start_reading(&p->out);
	start_reading(&p->in);
}

static struct pump *pump_new(uv_loop_t *loop, int near_fd)
{
	struct pump *p = pctl_xcalloc(1, sizeof(*p));

	p->open = 2;
	(void)uv_tcp_init(loop, &p->far);
	(void)uv_pipe_init(loop, &p->near, 0);
	(void)uv_pipe_open(&p->near, near_fd);
	p->far.data = p->near.data = p;
	p->out = (struct flow){
		.pump = p, .from = (uv_stream_t *)&p->near, .to = (uv_stream_t *)&p->far
	};
	p->in = (struct flow){
		.pump = p, .from = (uv_stream_t *)&p->far, .to = (uv_stream_t *)&p->near
	};
	return p;
}

/*
 * A name for getpeername() at the other end: libcurl 7.88 takes a TLS peer without one for one that
 * is still being resolved, and makes a new connection for every request. It stands in no folder for
 * longer than this; without it things are only slower.
 */
static void give_name(int fd)
{
	PCTL_AUTO(free) char *file = pctl_xasprintf("channel.%d", (int)getpid());
	PCTL_AUTO(free) char *path = NULL;
	struct sockaddr_un name = { .sun_family = AF_UNIX };

	if (pctl_path_runtime(file, &path, NULL) < 0 || strlen(path) >= sizeof(name.sun_path))
		return;
	memcpy(name.sun_path, path, strlen(path) + 1);
	if (bind(fd, (const struct sockaddr *)&name, sizeof(name)) == 0)
		(void)unlink(path);
}

/*
 * Those that have ended and of which nothing is left to tell; fd is a new one's. A device that is
 * kept open dials many times.
 */
static void drop_ended(struct pctl_device *device, int fd)
{
	for (struct pctl_channel **link = &device->channels, *c; (c = *link);) {
		if (c->pump || (c->err.code && !c->told && c->fd != fd)) {
			link = &c->next;
			continue;
		}
		*link = c->next;
		free(c);
	}
}

static int dial_pump(
	struct pctl_device *device, uint16_t port, struct pctl_dial *ret, struct pctl_error *err)
{
	struct pctl_dial direct;
	int pair[2];
	int r = pctl_dial_direct.dial(device, port, &direct, err);

	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		return pctl_error_shortage(err, errno)
			       ? PCTL_E_INTERNAL
			       : pctl_error_set(err, PCTL_E_INTERNAL,
					 "no socketpair for its channel: %s", strerror(errno));

	give_name(pair[1]);
	struct pump *p = pump_new(pctl_device_loop(device), pair[1]);
	r = uv_tcp_connect(
		&p->connect, &p->far, (const struct sockaddr *)&direct.addr, on_connected);
	if (r < 0) {
		(void)close(pair[0]);
		tear_down(p);
		return pctl_error_set(err, pctl_error_from_errno(-r), "%s", uv_strerror(r));
	}
	drop_ended(device, pair[0]);
	struct pctl_channel *channel = pctl_xcalloc(1, sizeof(*channel));
	*channel = (struct pctl_channel){ .fd = pair[0], .pump = p, .next = device->channels };
	device->channels = p->channel = channel;
	*ret = (struct pctl_dial){ .fd = pair[0] };
	return 0;
}

static int pump_error(const struct pctl_device *device, int fd, struct pctl_error *err)
{
	for (struct pctl_channel *c = device->channels; c; c = c->next) {
		if (c->fd != fd)
			continue;
		c->told = true;
		if (c->err.code)
			*err = c->err;
		return c->err.code;
	}
	return 0;
}

size_t pctl_channels_count(const struct pctl_channel *channels)
{
	size_t n = 0;

	for (; channels; channels = channels->next)
		n++;
	return n;
}

void pctl_channels_free(struct pctl_channel *channels)
{
	while (channels) {
		struct pctl_channel *next = channels->next;

		if (channels->pump)
			tear_down(channels->pump);
		free(channels);
		channels = next;
	}
}

const struct pctl_dialer pctl_dial_pump = {
	.via = "pump",
	.dial = dial_pump,
	.error = pump_error,
};
