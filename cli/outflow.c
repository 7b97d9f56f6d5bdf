/* SPDX-License-Identifier: Apache-2.0 */
#include "outflow.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define KEPT_MAX (SIZE_MAX / 4) /* a bound is the producer's */
#define MOVE_MIN ((size_t)64 << 10)

bool outflow_waits(const struct outflow *out)
{
	return !out->fault && out->done < out->kept.len;
}

size_t outflow_kept(const struct outflow *out)
{
	return outflow_waits(out) ? out->kept.len - out->done : 0;
}

static void forget(struct outflow *out)
{
	pctl_buf_cut(&out->kept, 0);
	out->done = 0;
}

/* A reader that is never quick enough must not make it grow by what he has read already. */
static void move_up(struct outflow *out)
{
	size_t left = out->kept.len - out->done;

	if (out->done < MOVE_MIN || out->done < left)
		return;
	memmove(out->kept.data, out->kept.data + out->done, left);
	pctl_buf_cut(&out->kept, left);
	out->done = 0;
}

/* Whole lines: what others write to the same pipe comes between them, not into them (pipe(7)). */
static size_t next_piece(const struct outflow *out)
{
	const char *from = out->kept.data + out->done;
	size_t left = out->kept.len - out->done;
	const char *end = left > PIPE_BUF ? memrchr(from, '\n', PIPE_BUF) : NULL;

	return end ? (size_t)(end - from) + 1 : left;
}

static void write_kept(struct outflow *out)
{
	while (outflow_waits(out)) {
		ssize_t n = standard_write(&out->to, out->kept.data + out->done, next_piece(out));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			move_up(out);
			return;
		}
		if (n < 0)
			out->fault = errno;
		else
			out->done += (size_t)n;
	}
	forget(out);
}

static void on_writable(uv_poll_t *poll, int status, int events)
{
	struct outflow *out = poll->data;

	(void)status, (void)events;
	write_kept(out);
	if (outflow_waits(out))
		return;
	(void)uv_poll_stop(poll);
	out->gone(out->data);
}

void outflow_push(struct outflow *out)
{
	(void)uv_prepare_stop(&out->later);
	write_kept(out);
	if (outflow_waits(out))
		(void)uv_poll_start(&out->to.poll, UV_WRITABLE, on_writable);
}

static void on_later(uv_prepare_t *prepare)
{
	struct outflow *out = prepare->data;

	outflow_push(out);
	if (!outflow_waits(out))
		out->gone(out->data);
}

void outflow_init(struct outflow *out, uv_loop_t *loop, int fd, outflow_fn *gone, void *data)
{
	*out = (struct outflow){ .gone = gone, .data = data };
	standard_open(&out->to, loop, fd, O_WRONLY);
	(void)uv_prepare_init(loop, &out->later);
	out->to.poll.data = out->later.data = out;
	pctl_buf_init(&out->kept, KEPT_MAX);
}

void outflow_add(struct outflow *out, const char *bytes, size_t n)
{
	if (out->fault)
		return;
	pctl_buf_add(&out->kept, bytes, n);
	outflow_push(out);
}

void outflow_put(struct outflow *out, const char *bytes, size_t n)
{
	bool waits = outflow_waits(out);

	if (out->fault)
		return;
	pctl_buf_add(&out->kept, bytes, n);
	if (!waits)
		(void)uv_prepare_start(&out->later, on_later);
}

void outflow_close(struct outflow *out)
{
	uv_close((uv_handle_t *)&out->later, NULL);
	standard_close(&out->to);
	pctl_buf_done(&out->kept);
}
