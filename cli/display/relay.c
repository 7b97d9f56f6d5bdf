/* SPDX-License-Identifier: Apache-2.0 */
#include "display/relay.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <powerctl/mem.h>

#define ROOM ((size_t)256 << 10)
/* Turns of the loop are shared: after so many parts it is the other direction's turn. */
#define PARTS 8
/* Source: RFC 6143, 7.1 to 7.3: version, security type and ClientInit of a viewer. */
#define HELLO ((size_t)14)

struct side {
	uv_poll_t poll;
	struct relay *relay;
	int fd;
	bool gone; /* nobody reads there any more */
	/* What came from here and is on its way to the other side. */
	char *bytes;
	size_t from, to;
	bool ended;  /* no more comes from here */
	size_t came; /* bytes */
};

struct relay {
	struct side screen, viewer;
	bool greeted, shown, over;
	unsigned handles;
	relay_fn *ended_fn;
	void *data;
};

bool relay_greeting(const char *server, char *ret_viewer)
{
	static const char ours[] = "RFB 003.008\n";

	if (memcmp(server, "RFB 00", 6) != 0 || server[7] != '.' || server[11] != '\n' ||
		server[6] < '3' || server[6] > '9')
		return false;
	memcpy(ret_viewer, memcmp(server, ours, RELAY_GREETING) > 0 ? ours : server,
		RELAY_GREETING);
	return true;
}

static void end(struct relay *r, enum relay_end how)
{
	if (r->over)
		return;
	r->over = true;
	(void)uv_poll_stop(&r->screen.poll);
	(void)uv_poll_stop(&r->viewer.poll);
	r->ended_fn(r->data, how);
}

static size_t waiting(const struct side *s)
{
	return s->to - s->from;
}

/* False: nothing more is there now. */
static bool take(struct side *s)
{
	if (s->from == s->to)
		s->from = s->to = 0;
	if (s->ended || s->to == ROOM)
		return false;
	ssize_t n = recv(s->fd, s->bytes + s->to, ROOM - s->to, MSG_DONTWAIT);
	if (n > 0) {
		s->to += (size_t)n;
		s->came += (size_t)n;
		return true;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		s->ended = true;
	return false;
}

/* False: the other side takes no more now. */
static bool give(struct side *s, struct side *other)
{
	while (waiting(s)) {
		ssize_t n = send(
			other->fd, s->bytes + s->from, waiting(s), MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n < 0) {
			other->gone = true;
			s->from = s->to;
			return false;
		}
		s->from += (size_t)n;
	}
	return true;
}

/* Nothing is handed on before the whole greeting is there. */
static bool greet(struct relay *r)
{
	char *bytes = r->screen.bytes;

	if (r->greeted || r->screen.to < RELAY_GREETING)
		return r->greeted;
	r->greeted = relay_greeting(bytes, bytes);
	if (!r->greeted)
		end(r, RELAY_NO_SCREEN);
	return r->greeted;
}

static void pass(struct side *s, struct side *other)
{
	struct relay *r = s->relay;

	for (int i = 0; i < PARTS && !r->over; i++) {
		bool more = take(s);

		if (more && s == &r->screen)
			r->shown |= r->viewer.came > HELLO;
		if (s == &r->screen && !greet(r))
			return;
		if (!give(s, other) || !more)
			return;
	}
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(struct side *s, const struct side *other)
{
	int events = 0;

	if (!s->ended && s->to - s->from < ROOM && (s->to < ROOM || s->from == s->to))
		events |= UV_READABLE;
	if (waiting(other) && (s != &s->relay->viewer || s->relay->greeted))
		events |= UV_WRITABLE;
	if (events)
		(void)uv_poll_start(&s->poll, events, on_poll);
	else
		(void)uv_poll_stop(&s->poll);
}

static void turn(struct relay *r)
{
	struct side *screen = &r->screen, *viewer = &r->viewer;

	pass(screen, viewer);
	pass(viewer, screen);
	if (r->over)
		return;
	if (viewer->gone || (viewer->ended && !waiting(viewer)))
		end(r, RELAY_VIEWER_LEFT);
	else if (screen->gone || (screen->ended && (!waiting(screen) || !r->greeted)))
		end(r, RELAY_SCREEN_LEFT);
	if (r->over)
		return;
	watch(screen, viewer);
	watch(viewer, screen);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	(void)status, (void)events;
	turn(((struct side *)poll->data)->relay);
}

static void start(struct relay *r, struct side *s, uv_loop_t *loop, int fd)
{
	s->relay = r;
	s->fd = fd;
	s->bytes = pctl_xmalloc(ROOM);
	(void)uv_poll_init(loop, &s->poll, fd);
	s->poll.data = s;
	r->handles++;
}

struct relay *relay_new(uv_loop_t *loop, int screen, int viewer, relay_fn *ended, void *data)
{
	struct relay *r = pctl_xcalloc(1, sizeof(*r));

	r->ended_fn = ended;
	r->data = data;
	start(r, &r->screen, loop, screen);
	start(r, &r->viewer, loop, viewer);
	watch(&r->screen, &r->viewer);
	watch(&r->viewer, &r->screen);
	return r;
}

bool relay_has_shown(const struct relay *r)
{
	return r->shown;
}

static void on_closed(uv_handle_t *handle)
{
	struct relay *r = ((struct side *)handle->data)->relay;

	if (--r->handles)
		return;
	free(r->screen.bytes);
	free(r->viewer.bytes);
	free(r);
}

void relay_close(struct relay *r)
{
	if (!r)
		return;
	r->over = true;
	uv_close((uv_handle_t *)&r->screen.poll, on_closed);
	uv_close((uv_handle_t *)&r->viewer.poll, on_closed);
}
