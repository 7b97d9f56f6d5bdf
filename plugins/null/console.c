/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A console that echoes: how a driver whose protocol stays between device and user opens a session.
 * The user gets one end of a socketpair; what is written there comes back.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <powerctl/driver.h>
#include <powerctl/mem.h>

#include "null.h"

#define PART 4096u

struct echo {
	struct pctl_session session; /* what the user sees */
	uv_pipe_t near;              /* our end */
	uv_write_t write;
	char part[PART];
	bool told; /* ended() was called */
};

static void tell_end(struct echo *echo, const struct pctl_error *err)
{
	if (echo->told)
		return;
	echo->told = true;
	if (echo->session.ended)
		echo->session.ended(echo->session.data, err);
}

static void on_closed(uv_handle_t *handle)
{
	struct echo *echo = pctl_container_of((uv_pipe_t *)handle, struct echo, near);
	const struct pctl_error fine = { 0 };

	tell_end(echo, &fine);
	(void)close(echo->session.fd);
	pctl_value_free(echo->session.facts);
	free(echo);
}

static void close_session(struct pctl_session *session)
{
	struct echo *echo = pctl_container_of(session, struct echo, session);

	uv_close((uv_handle_t *)&echo->near, on_closed);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct echo *echo = pctl_container_of((uv_pipe_t *)handle, struct echo, near);

	(void)size;
	*buf = uv_buf_init(echo->part, PART);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

static void on_written(uv_write_t *write, int status)
{
	struct echo *echo = pctl_container_of(write, struct echo, write);

	if (status == 0)
		(void)uv_read_start((uv_stream_t *)&echo->near, on_alloc, on_read);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct echo *echo = pctl_container_of((uv_pipe_t *)stream, struct echo, near);
	const struct pctl_error fine = { 0 };

	if (n == 0)
		return;
	/* One part at a time: a user who does not read stops the device from talking. */
	(void)uv_read_stop(stream);
	if (n < 0) {
		tell_end(echo, &fine);
		return;
	}
	uv_buf_t part = uv_buf_init(buf->base, (unsigned)n);
	(void)uv_write(&echo->write, stream, &part, 1, on_written);
}

static int send_break(struct pctl_session *session, const char *arg, struct pctl_error *err)
{
	struct echo *echo = pctl_container_of(session, struct echo, session);
	static const char word[] = "<break>";
	uv_buf_t part = uv_buf_init((char *)(uintptr_t)word, sizeof(word) - 1);

	(void)arg;
	int n = uv_try_write((uv_stream_t *)&echo->near, &part, 1);
	return n < 0 ? pctl_error_set(err, PCTL_E_BUSY, "the console takes nothing now") : 0;
}

static const struct pctl_control controls[] = {
	{ .size = sizeof(struct pctl_control),
		.name = "break",
		.help = "answers <break>",
		.run = send_break },
	{ 0 },
};

static void open_console(
	void *data, struct pctl_op *op, unsigned flags, struct pctl_session **ret_session)
{
	struct pctl_device *device = null_device(data);
	int pair[2];

	(void)flags;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) {
		pctl_op_fail(op, PCTL_E_INTERNAL, "no socketpair: %s", strerror(errno));
		return;
	}
	struct echo *echo = pctl_xcalloc(1, sizeof(*echo));
	echo->session = (struct pctl_session){ .size = sizeof(echo->session),
		.fd = pair[0],
		.facts = pctl_value_new_map(),
		.controls = controls,
		.close = close_session };
	pctl_value_set_text(echo->session.facts, "kind", "echo");
	(void)uv_pipe_init(pctl_device_loop(device), &echo->near, 0);
	(void)uv_pipe_open(&echo->near, pair[1]);
	(void)uv_read_start((uv_stream_t *)&echo->near, on_alloc, on_read);
	*ret_session = &echo->session;
	pctl_op_done(op);
}

const struct pctl_console_if null_console = {
	.size = sizeof(null_console),
	.open = open_console,
};
