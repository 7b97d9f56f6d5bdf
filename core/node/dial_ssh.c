/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Through an ssh gateway: the program that is logged in there gets the other end of the socketpair,
 * by its control socket, and no byte of it passes here. That connection to the control socket says
 * when the channel is open, and lives as long as the channel.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "node/channel.h"
#include "node/core.h"
#include "node/gateway.h"
#include "node/mux.h"

struct tunnel {
	const struct pctl_target *target; /* lives as long as the channel does */
	struct pctl_gateway *gateway;
	struct pctl_gateway_wait wait;
	struct pctl_channel *channel;
	struct pctl_mux mux;
	uv_poll_t poll;
	uv_timer_t limit;
	int handles;
	int control; /* -1: not connected to it yet */
	int far;     /* the other end; -1: the program has it */
	uint16_t port;
};

static void on_handle_closed(uv_handle_t *handle)
{
	struct tunnel *t = handle->data;

	if (--t->handles > 0)
		return;
	if (t->control >= 0)
		(void)close(t->control);
	free(t);
}

/* The program lets the channel go when its control connection closes. */
static void finish(struct tunnel *t, const struct pctl_error *err)
{
	if (uv_is_closing((uv_handle_t *)&t->limit))
		return;
	pctl_channel_end(&t->channel, err);
	pctl_gateway_leave(&t->wait);
	pctl_gateway_count(t->gateway, -1);
	if (t->far >= 0) {
		(void)shutdown(t->far, SHUT_RDWR);
		(void)close(t->far);
		t->far = -1;
	}
	if (t->control >= 0)
		uv_close((uv_handle_t *)&t->poll, on_handle_closed);
	uv_close((uv_handle_t *)&t->limit, on_handle_closed);
}

static void fail(struct tunnel *t, struct pctl_error *err)
{
	if (!pctl_error_is_shortage(err))
		pctl_dial_blame(err, t->target->via);
	finish(t, err);
}

static void on_limit(uv_timer_t *timer)
{
	struct tunnel *t = timer->data;
	struct pctl_error err;

	pctl_dial_late(&err, t->target);
	fail(t, &err);
}

/* --- What the program says. ------------------------------------------------------------------- */

static void on_gone(struct tunnel *t)
{
	struct pctl_error err;
	bool open = t->far < 0;

	if (pctl_gateway_alive(t->gateway, &err)) {
		if (open) { /* the device hung up */
			finish(t, NULL);
			return;
		}
		pctl_error_set(&err, PCTL_E_UNREACHABLE, "it let the connection go");
		(void)pctl_error_flag(&err, PCTL_ERROR_DROPPED);
	}
	if (open) {
		char text[sizeof(err.text)];

		(void)snprintf(text, sizeof(text), "%s", err.text);
		pctl_error_set(&err, PCTL_E_UNREACHABLE, "gateway %.90s: lost: %.190s",
			t->target->via->text, text);
		(void)pctl_error_flag(&err, PCTL_ERROR_GATEWAY | PCTL_ERROR_DROPPED);
		finish(t, &err);
	} else {
		fail(t, &err);
	}
}

/* The far side of the gateway did not get through. */
static void explain(struct tunnel *t)
{
	struct pctl_error err;
	int code = pctl_gateway_why(t->gateway, &err);

	if (code == PCTL_E_UNREACHABLE) {
		pctl_dial_quote(&err, t->target->via);
		finish(t, &err);
	} else {
		fail(t, &err);
	}
}

static void take(struct tunnel *t, const uint8_t *data, size_t len)
{
	struct pctl_error err;
	int r = t->far >= 0 ? pctl_mux_take(&t->mux, data, len, &err) : 0;

	if (r == PCTL_E_REFUSED) {
		explain(t);
	} else if (r < 0) {
		fail(t, &err);
	} else if (r > 0) {
		(void)uv_timer_stop(&t->limit);
		(void)close(t->far);
		t->far = -1;
	}
}

static void hear(struct tunnel *t)
{
	uint8_t chunk[512];

	while (!uv_is_closing((uv_handle_t *)&t->limit)) {
		ssize_t n = recv(t->control, chunk, sizeof(chunk), MSG_DONTWAIT);

		if (n > 0) {
			take(t, chunk, (size_t)n);
		} else if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			return;
		} else {
			on_gone(t);
			return;
		}
	}
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	(void)status, (void)events;
	hear(poll->data);
}

/* --- What it is asked. ------------------------------------------------------------------------ */

static bool send_fd(int to, int fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };
	char byte = 0;
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(to, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

/* All of it fits into a socket's buffer: the program reads the descriptors while it waits. */
static int ask(struct tunnel *t, struct pctl_error *err)
{
	uint8_t bytes[PCTL_MUX_SEND_MAX];
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	const char *path = pctl_gateway_socket(t->gateway);
	int n = pctl_mux_ask(bytes, t->target->address, t->port, err);

	if (n < 0)
		return n;
	memcpy(name.sun_path, path, strlen(path) + 1);
	if (connect(t->control, (const struct sockaddr *)&name, sizeof(name)) < 0) {
		if (errno == EAGAIN) {
			(void)pctl_error_shortage(err, EUSERS);
			return PCTL_E_INTERNAL;
		}
		return pctl_error_set(err, PCTL_E_UNREACHABLE, "its ssh takes no connection: %s",
			strerror(errno));
	}
	if (send(t->control, bytes, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) != n ||
		!send_fd(t->control, t->far) || !send_fd(t->control, t->far))
		return pctl_error_set(
			err, PCTL_E_UNREACHABLE, "its ssh takes no request: %s", strerror(errno));
	return 0;
}

static void open_channel(struct tunnel *t)
{
	struct pctl_error err;

	t->control = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (t->control < 0) {
		if (!pctl_error_shortage(&err, errno))
			pctl_error_set(&err, PCTL_E_INTERNAL, "no socket: %s", strerror(errno));
		fail(t, &err);
		return;
	}
	t->handles++;
	(void)uv_poll_init(t->target->core->loop, &t->poll, t->control);
	t->poll.data = t;
	if (ask(t, &err) < 0)
		fail(t, &err);
	else
		(void)uv_poll_start(&t->poll, UV_READABLE, on_readable);
}

static void on_told(struct pctl_gateway_wait *wait, const struct pctl_error *err)
{
	struct tunnel *t = pctl_container_of(wait, struct tunnel, wait);
	struct pctl_error copy;

	if (!err) {
		open_channel(t);
		return;
	}
	copy = *err;
	fail(t, &copy);
}

/* --- Dialling. -------------------------------------------------------------------------------- */

static void stop(void *work)
{
	finish(work, NULL);
}

static void look(void *work)
{
	struct tunnel *t = work;

	if (t->control >= 0)
		hear(t);
}

static void begin(struct tunnel *t, struct pctl_device *device, int fd)
{
	struct pctl_error err;

	t->handles = 1;
	(void)uv_timer_init(pctl_device_loop(device), &t->limit);
	t->limit.data = t;
	t->channel = pctl_channel_new(device, fd, t, stop, look);
	(void)uv_timer_start(&t->limit, on_limit, t->target->connect_ms, 0);
	int r = pctl_gateway_join(t->gateway, &t->wait, &err);
	pctl_gateway_count(t->gateway, 1);
	if (r < 0)
		fail(t, &err);
	else if (r > 0)
		open_channel(t);
}

static int dial(
	struct pctl_device *device, uint16_t port, struct pctl_dial *ret, struct pctl_error *err)
{
	const struct pctl_target *target = device->target;
	int pair[2] = { -1, -1 };
	int r = pctl_channel_pair(pair, err);

	if (r < 0)
		return r;
	struct tunnel *t = pctl_xcalloc(1, sizeof(*t));
	*t = (struct tunnel){ .target = target,
		.gateway = pctl_gateway_get(target->core->gateways, target->via),
		.wait.told = on_told,
		.control = -1,
		.far = pair[1],
		.port = port };
	*ret = (struct pctl_dial){ .fd = pair[0] };
	begin(t, device, pair[0]);
	return 0;
}

const struct pctl_dialer pctl_dial_ssh = {
	.gateway = true,
	.files = 2,
	.dial = dial,
};
