/* SPDX-License-Identifier: Apache-2.0 */
#include "redirection/tap.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool tap_empty(const struct tap *t)
{
	return t->taken == t->kept.len;
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(struct tap *t)
{
	int events = 0;

	if (t->ours < 0)
		return;
	if (t->listens && !t->left)
		events |= UV_READABLE;
	if (!tap_empty(t))
		events |= UV_WRITABLE;
	if (events == t->watched)
		return;
	t->watched = events;
	if (events)
		(void)uv_poll_start(&t->poll, events, on_poll);
	else
		(void)uv_poll_stop(&t->poll);
}

/* How much of it the user takes now. */
static size_t hand_out(const struct tap *t, const char *bytes, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = send(t->ours, bytes + done, len - done, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return done;
		/* Nobody reads it any more: it is about to be closed. */
		if (n < 0)
			return len;
		done += (size_t)n;
	}
	return done;
}

/* It may have been secret, and most often there is nothing more for long. */
static void forget_kept(struct tap *t)
{
	pctl_buf_done(&t->kept);
	pctl_buf_init_secret(&t->kept, TAP_KEPT_MAX);
	t->taken = 0;
}

bool tap_give(struct tap *t, const void *bytes, size_t len)
{
	const char *p = bytes;
	size_t done = tap_empty(t) ? hand_out(t, p, len) : 0;

	if (done < len)
		pctl_buf_add(&t->kept, p + done, len - done);
	watch(t);
	return tap_empty(t);
}

static void hand_kept(struct tap *t)
{
	t->taken += hand_out(t, t->kept.data + t->taken, t->kept.len - t->taken);
	if (!tap_empty(t))
		return;
	forget_kept(t);
	t->user->emptied(t->data);
}

static void read_part(struct tap *t)
{
	char part[TAP_PART];
	ssize_t n = recv(t->ours, part, sizeof(part), MSG_DONTWAIT);

	if (n > 0) {
		t->user->typed(t->data, part, (size_t)n);
		explicit_bzero(part, (size_t)n);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		/* He is about to close it; until then there is nothing to wait for. */
		t->left = true;
	}
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct tap *t = poll->data;

	if (status < 0)
		events = UV_READABLE | UV_WRITABLE;
	if (events & UV_WRITABLE && !tap_empty(t))
		hand_kept(t);
	if (events & UV_READABLE && t->ours >= 0 && t->listens)
		read_part(t);
	watch(t);
}

void tap_listen(struct tap *t, bool on)
{
	t->listens = on;
	watch(t);
}

static int no_tap(struct pctl_error *err, const char *what, int number)
{
	if (pctl_error_shortage(err, number))
		return PCTL_E_INTERNAL;
	return pctl_error_set(err, PCTL_E_INTERNAL, "%s: %s", what, strerror(number));
}

int tap_open(struct tap *t, uv_loop_t *loop, const struct tap_user *user, void *data, int *ret_fd,
	struct pctl_error *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		return no_tap(err, "no socket", errno);
	int r = uv_poll_init(loop, &t->poll, pair[1]);
	if (r < 0) {
		(void)close(pair[0]);
		(void)close(pair[1]);
		return no_tap(err, "a socket cannot be watched", -r);
	}
	t->poll.data = t;
	t->ours = pair[1];
	t->user = user;
	t->data = data;
	pctl_buf_init_secret(&t->kept, TAP_KEPT_MAX);
	*ret_fd = pair[0];
	return 0;
}

void tap_end(struct tap *t)
{
	tap_listen(t, false);
	if (t->ours >= 0)
		(void)shutdown(t->ours, SHUT_WR);
}

static void on_closed(uv_handle_t *handle)
{
	struct tap *t = handle->data;

	t->user->closed(t->data);
}

bool tap_close(struct tap *t)
{
	if (t->ours < 0)
		return false;
	uv_close((uv_handle_t *)&t->poll, on_closed);
	(void)close(t->ours);
	t->ours = -1;
	pctl_buf_done(&t->kept);
	t->kept = (struct pctl_buf){ 0 };
	t->taken = 0;
	return true;
}
