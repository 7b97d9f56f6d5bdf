/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A console that echoes: how a driver whose protocol stays between device and user opens a session.
 * The user gets one end of a socketpair; what is written there comes back.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <powerctl/driver.h>
#include <powerctl/mem.h>

#include "null.h"

#define PART 4096u

const char *const null_console_faults[] = { "none", "lost", "stolen", "flood", NULL };
enum fault { FAULT_NONE, FAULT_LOST, FAULT_STOLEN, FAULT_FLOOD };

struct echo {
	struct pctl_session session; /* what the user sees */
	enum fault fault;
	uv_pipe_t near; /* our end */
	uv_write_t write;
	char part[PART];
	unsigned flooded;      /* lines */
	bool ending;           /* as soon as this part is written */
	bool told;             /* ended() was called */
	struct pctl_error why; /* it ended */
};

static void tell_end(struct echo *echo)
{
	if (echo->told || !echo->session.ended)
		return;
	echo->told = true;
	echo->session.ended(echo->session.data, &echo->why);
}

static void on_closed(uv_handle_t *handle)
{
	struct echo *echo = pctl_container_of((uv_pipe_t *)handle, struct echo, near);

	tell_end(echo);
	(void)close(echo->session.fd);
	pctl_value_free(echo->session.facts);
	free(echo);
}

static void close_session(struct pctl_session *session)
{
	struct echo *echo = pctl_container_of(session, struct echo, session);

	uv_close((uv_handle_t *)&echo->near, on_closed);
}

/* By itself: the user reads the rest, then the end. */
static void end(struct echo *echo)
{
	uv_os_fd_t fd = -1;

	if (echo->fault == FAULT_LOST)
		pctl_error_set(&echo->why, PCTL_E_UNREACHABLE, "told to fail: lost");
	if (echo->fault == FAULT_STOLEN)
		pctl_error_set(&echo->why, PCTL_E_BUSY, "taken over by another session");
	(void)uv_fileno((uv_handle_t *)&echo->near, &fd);
	(void)shutdown(fd, SHUT_RDWR);
	tell_end(echo);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct echo *echo = pctl_container_of((uv_pipe_t *)handle, struct echo, near);

	(void)size;
	*buf = uv_buf_init(echo->part, PART);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);
static void flood(struct echo *echo);

static void on_written(uv_write_t *write, int status)
{
	struct echo *echo = pctl_container_of(write, struct echo, write);

	if (status < 0)
		return;
	if (echo->ending)
		end(echo);
	else if (echo->fault == FAULT_FLOOD)
		flood(echo);
	else
		(void)uv_read_start((uv_stream_t *)&echo->near, on_alloc, on_read);
}

/* One part at a time: a user who does not read stops the device from talking. */
static void print(struct echo *echo, size_t n)
{
	uv_buf_t part = uv_buf_init(echo->part, (unsigned)n);

	(void)uv_write(&echo->write, (uv_stream_t *)&echo->near, &part, 1, on_written);
}

static void flood(struct echo *echo)
{
	int n = snprintf(echo->part, PART, "flood %u\r\n", ++echo->flooded);

	print(echo, (size_t)n);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct echo *echo = pctl_container_of((uv_pipe_t *)stream, struct echo, near);

	if (n == 0)
		return;
	(void)uv_read_stop(stream);
	if (n < 0) {
		tell_end(echo);
		return;
	}
	bool line = memchr(buf->base, '\r', (size_t)n) || memchr(buf->base, '\n', (size_t)n);
	echo->ending = line && echo->fault != FAULT_NONE;
	print(echo, (size_t)n);
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

static void begin(struct echo *echo, const char *prints)
{
	if (prints) {
		size_t n = strnlen(prints, PART);

		memcpy(echo->part, prints, n);
		print(echo, n);
	} else if (echo->fault == FAULT_FLOOD) {
		flood(echo);
	} else {
		(void)uv_read_start((uv_stream_t *)&echo->near, on_alloc, on_read);
	}
}

/* Whether somebody else has it, and may keep it; ends op then. */
static bool in_use(const struct null_dev *dev, struct pctl_op *op)
{
	const char *lock = pctl_setting_text(dev->device, "console_lock");

	if (!lock || access(lock, F_OK) < 0 || (dev->steal && unlink(lock) == 0))
		return false;
	pctl_op_fail(op, PCTL_E_BUSY, "in use by another session");
	return true;
}

static void finish_open(struct null_dev *dev, struct pctl_op *op)
{
	int pair[2];

	if (in_use(dev, op))
		return;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) {
		pctl_op_fail(op, PCTL_E_INTERNAL, "no socketpair: %s", strerror(errno));
		return;
	}
	struct echo *echo = pctl_xcalloc(1, sizeof(*echo));
	echo->fault = (enum fault)pctl_setting_choice(dev->device, "console_fault");
	echo->session = (struct pctl_session){ .size = sizeof(echo->session),
		.fd = pair[0],
		.facts = pctl_value_new_map(),
		.controls = controls,
		.close = close_session };
	pctl_value_set_text(echo->session.facts, "kind", "echo");
	(void)uv_pipe_init(pctl_device_loop(dev->device), &echo->near, 0);
	(void)uv_pipe_open(&echo->near, pair[1]);
	begin(echo, pctl_setting_text(dev->device, "console_prints"));
	*dev->ret_session = &echo->session;
	pctl_op_done(op);
}

static void open_console(
	void *data, struct pctl_op *op, unsigned flags, struct pctl_session **ret_session)
{
	struct null_dev *dev = data;

	dev->steal = flags & PCTL_CONSOLE_STEAL;
	dev->ret_session = ret_session;
	null_finish_later(dev, op, finish_open);
}

const struct pctl_console_if null_console = {
	.size = sizeof(null_console),
	.open = open_console,
};
