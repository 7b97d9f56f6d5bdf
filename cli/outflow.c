/* SPDX-License-Identifier: Apache-2.0 */
#include "outflow.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define KEPT_MAX (4u << 20)

bool outflow_waits(const struct outflow *out)
{
	return !out->fault && out->done < out->kept.len;
}

static void forget(struct outflow *out)
{
	pctl_buf_cut(&out->kept, 0);
	out->done = 0;
}

static void write_kept(struct outflow *out)
{
	while (outflow_waits(out)) {
		ssize_t n =
			write(out->to.fd, out->kept.data + out->done, out->kept.len - out->done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
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

void outflow_init(struct outflow *out, uv_loop_t *loop, int fd, outflow_fn *gone, void *data)
{
	*out = (struct outflow){ .gone = gone, .data = data };
	standard_open(&out->to, loop, fd, O_WRONLY);
	out->to.poll.data = out;
	pctl_buf_init(&out->kept, KEPT_MAX);
}

void outflow_add(struct outflow *out, const char *bytes, size_t n)
{
	if (out->fault)
		return;
	pctl_buf_add(&out->kept, bytes, n);
	write_kept(out);
	if (outflow_waits(out))
		(void)uv_poll_start(&out->to.poll, UV_WRITABLE, on_writable);
}

void outflow_close(struct outflow *out)
{
	standard_close(&out->to);
	pctl_buf_done(&out->kept);
}
