/* SPDX-License-Identifier: Apache-2.0 */
#include "http_fake.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <powerctl/mem.h>

/* --- The core. -------------------------------------------------------------------------------- */

uv_loop_t *pctl_device_loop(const struct pctl_device *device)
{
	return device->loop;
}

const char *pctl_device_name(const struct pctl_device *device)
{
	(void)device;
	return "n1";
}

const char *pctl_device_host(const struct pctl_device *device)
{
	return device->host;
}

uint64_t pctl_device_connect_ms(const struct pctl_device *device)
{
	return device->connect_ms;
}

uint64_t pctl_device_answer_ms(const struct pctl_device *device)
{
	return device->answer_ms;
}

enum pctl_trust pctl_device_trust(const struct pctl_device *device)
{
	return device->trust;
}

int pctl_pin_check(
	struct pctl_device *device, const char *kind, const char *value, struct pctl_error *err)
{
	bool tls = strcmp(kind, "tls") == 0;
	struct fake_pin *pin = tls ? &device->tls : &device->realm;

	pin->asked++;
	(void)snprintf(pin->shown, sizeof(pin->shown), "%s", value);
	if (pin->known && strcmp(pin->known, value) == 0)
		return 0;
	if (!pin->known && !(tls && device->trust == PCTL_TRUST_STRICT))
		return 0;
	return pctl_error_set(err, PCTL_E_TRUST, "%s: `powerctl trust n1`",
		pin->known ? "another one" : "not known");
}

int pctl_dial(
	struct pctl_device *device, uint16_t port, struct pctl_dial *ret, struct pctl_error *err)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(device->port) };
	int pair[2];

	(void)port;
	device->dials++;
	if (device->dial_error)
		return pctl_error_set(err, PCTL_E_UNREACHABLE, "%s", device->dial_error);
	*ret = (struct pctl_dial){ .fd = -1, .addr_len = sizeof(addr) };
	memcpy(&ret->addr, &addr, sizeof(addr));
	if (device->connected) {
		ret->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(ret->fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	}
	if (!device->pipe_to)
		return 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	ret->fd = pair[0];
	if (device->channel_error)
		(void)close(pair[1]);
	else
		fake_server_adopt(device->pipe_to, pair[1]);
	return 0;
}

int pctl_dial_error(const struct pctl_device *device, int fd, struct pctl_error *err)
{
	(void)fd;
	if (!device->channel_error)
		return 0;
	return pctl_error_set(err, PCTL_E_UNREACHABLE, "%s", device->channel_error);
}

void pctl_op_committed(struct pctl_op *op)
{
	op->committed++;
	if (op->server)
		op->requests_before = op->server->n;
}

void pctl_op_not_taken(struct pctl_op *op)
{
	op->not_taken++;
}

/* --- The server. ------------------------------------------------------------------------------ */

struct fake_connection {
	union {
		uv_tcp_t tcp;
		uv_pipe_t pipe;
		uv_stream_t stream;
		uv_handle_t handle;
	} as;
	uv_timer_t timer;
	struct fake_server *server;
	struct fake_connection *next;
	int number;
	int handles;
	bool tcp;
	char in[16384];
	size_t len;
	const struct fake_reply *reply;
	size_t sent;
};

static void on_gone(uv_handle_t *handle)
{
	struct fake_connection *c = handle->data;

	if (--c->handles == 0)
		free(c);
}

static void end(struct fake_connection *c, bool reset)
{
	struct fake_connection **at = &c->server->connections;

	if (uv_is_closing(&c->as.handle))
		return;
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	c->server->open--;
	uv_close((uv_handle_t *)&c->timer, on_gone);
	if (!reset || uv_tcp_close_reset(&c->as.tcp, on_gone) < 0)
		uv_close(&c->as.handle, on_gone);
}

static void put(struct fake_connection *c, size_t len)
{
	const char *text = c->reply->text + c->sent;
	uv_buf_t buf = uv_buf_init((char *)(uintptr_t)text, (unsigned)len);

	/* The client may have hung up: then it did. */
	if (len && uv_try_write(&c->as.stream, &buf, 1) == (int)len)
		c->sent += len;
}

static void on_timer(uv_timer_t *timer)
{
	struct fake_connection *c = timer->data;
	size_t left = strlen(c->reply->text) - c->sent;

	if (c->reply->then == FAKE_DRIP) {
		put(c, left ? 1 : 0);
		return;
	}
	put(c, left);
	if (c->reply->then == FAKE_CLOSE || c->reply->then == FAKE_RESET)
		end(c, c->reply->then == FAKE_RESET);
}

static void answer(struct fake_connection *c, const struct fake_reply *reply)
{
	c->reply = reply;
	c->sent = 0;
	if (reply->then == FAKE_SILENT)
		return;
	put(c, reply->split);
	if (reply->then == FAKE_DRIP) {
		(void)uv_timer_start(&c->timer, on_timer, 5, 5);
		return;
	}
	if (reply->split)
		(void)uv_timer_start(&c->timer, on_timer, 1, 0);
	else
		on_timer(&c->timer);
}

/* The length of the first whole request in c->in, or 0. */
static size_t whole(const struct fake_connection *c)
{
	const char *end_of_head = memmem(c->in, c->len, "\r\n\r\n", 4);
	const char *length = strstr(c->in, "Content-Length: ");
	size_t n = 0;

	if (!end_of_head)
		return 0;
	if (length && length < end_of_head)
		for (length += 16; *length >= '0' && *length <= '9'; length++)
			n = n * 10 + (size_t)(*length - '0');
	n += (size_t)(end_of_head - c->in) + 4;
	return n <= c->len ? n : 0;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct fake_connection *c = stream->data;
	struct fake_server *s = c->server;
	size_t len;

	(void)buf;
	if (n < 0) {
		end(c, false);
		return;
	}
	c->len += (size_t)n;
	c->in[c->len] = '\0';
	while ((len = whole(c))) {
		int i = s->n++;
		assert_in_range(i, 0, FAKE_MAX - 1);
		s->requests[i] = pctl_xstrndup(c->in, len);
		s->connection[i] = c->number;
		memmove(c->in, c->in + len, c->len - len + 1);
		c->len -= len;
		if ((size_t)i >= s->n_replies) {
			end(c, false);
			return;
		}
		answer(c, &s->replies[i]);
		if (uv_is_closing(&c->as.handle))
			return;
	}
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct fake_connection *c = handle->data;

	(void)size;
	*buf = uv_buf_init(c->in + c->len, (unsigned)(sizeof(c->in) - c->len - 1));
}

static void begin(struct fake_connection *c)
{
	struct fake_server *s = c->server;

	c->next = s->connections;
	s->connections = c;
	c->number = ++s->accepted;
	if (++s->open > s->max_open)
		s->max_open = s->open;
	if (!s->mute)
		assert_int_equal(uv_read_start(&c->as.stream, on_alloc, on_read), 0);
}

static struct fake_connection *connection_new(struct fake_server *s, bool tcp)
{
	struct fake_connection *c = pctl_xcalloc(1, sizeof(*c));

	*c = (struct fake_connection){ .server = s, .tcp = tcp, .handles = 2 };
	if (tcp)
		uv_tcp_init(s->loop, &c->as.tcp);
	else
		uv_pipe_init(s->loop, &c->as.pipe, 0);
	uv_timer_init(s->loop, &c->timer);
	c->as.handle.data = c->timer.data = c;
	return c;
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct fake_server *s = listener->data;
	struct fake_connection *c = connection_new(s, true);

	assert_int_equal(status, 0);
	assert_int_equal(uv_accept(listener, &c->as.stream), 0);
	uv_tcp_nodelay(&c->as.tcp, 1);
	begin(c);
}

void fake_server_adopt(struct fake_server *s, int fd)
{
	struct fake_connection *c = connection_new(s, false);

	assert_int_equal(uv_pipe_open(&c->as.pipe, fd), 0);
	begin(c);
}

void fake_server_start(struct fake_server *s, uv_loop_t *loop)
{
	struct sockaddr_storage addr;
	int len = sizeof(addr);

	*s = (struct fake_server){ .loop = loop };
	uv_ip4_addr("127.0.0.1", 0, (struct sockaddr_in *)(void *)&addr);
	uv_tcp_init(loop, &s->tcp);
	s->tcp.data = s;
	assert_int_equal(uv_tcp_bind(&s->tcp, (struct sockaddr *)&addr, 0), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&s->tcp, 16, on_connection), 0);
	uv_tcp_getsockname(&s->tcp, (struct sockaddr *)&addr, &len);
	s->port = ntohs(((struct sockaddr_in *)(void *)&addr)->sin_port);
}

void fake_server_script(struct fake_server *s, const struct fake_reply *replies, size_t n)
{
	for (int i = 0; i < s->n; i++)
		free(s->requests[i]);
	s->replies = replies;
	s->n_replies = n;
	s->n = s->accepted = 0;
	s->max_open = s->open;
}

void fake_server_stop(struct fake_server *s)
{
	fake_server_script(s, NULL, 0);
	while (s->connections)
		end(s->connections, false);
	uv_close((uv_handle_t *)&s->tcp, NULL);
}
