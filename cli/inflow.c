/* SPDX-License-Identifier: Apache-2.0 */
#include "inflow.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void take(struct inflow *in)
{
	char part[INFLOW_MAX];
	ssize_t n = standard_read(&in->from, part, sizeof(part));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0)
		inflow_stop(in);
	in->came(in->data, part, n > 0 ? (size_t)n : 0);
	explicit_bzero(part, sizeof(part)); /* passwords are typed into consoles */
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	(void)status, (void)events;
	take(poll->data);
}

static void on_idle(uv_idle_t *idle)
{
	take(idle->data);
}

void inflow_init(struct inflow *in, uv_loop_t *loop, int fd, inflow_fn *came, void *data)
{
	*in = (struct inflow){ .came = came, .data = data };
	standard_open(&in->from, loop, fd, O_RDONLY);
	(void)uv_idle_init(loop, &in->idle);
	in->from.poll.data = in->idle.data = in;
}

void inflow_start(struct inflow *in)
{
	if (in->from.polled)
		(void)uv_poll_start(&in->from.poll, UV_READABLE, on_poll);
	else
		(void)uv_idle_start(&in->idle, on_idle);
}

void inflow_stop(struct inflow *in)
{
	if (in->from.polled)
		(void)uv_poll_stop(&in->from.poll);
	(void)uv_idle_stop(&in->idle);
}

void inflow_look(struct inflow *in)
{
	take(in);
}

void inflow_close(struct inflow *in)
{
	uv_close((uv_handle_t *)&in->idle, NULL);
	standard_close(&in->from);
}
