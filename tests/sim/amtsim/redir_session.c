/* SPDX-License-Identifier: Apache-2.0 */
#include "redir_session.h"

#include <stdlib.h>

#include "sim.h"

enum { FRAME_MAX = 8 << 20, LARGE = 65535 };

void *redir_session_begin(struct redir_conn *c, size_t size, void (*done)(void *session))
{
	struct redir_session *s = xcalloc(1, size);

	s->conn = c;
	s->dev = redir_device(c);
	s->done = done;
	uv_timer_init(&s->dev->sim->loop, &s->timer);
	s->timer.data = s;
	return s;
}

static void on_closed(uv_handle_t *handle)
{
	struct redir_session *s = handle->data;

	if (s->done)
		s->done(s);
	free(s);
}

void redir_session_end(void *session)
{
	struct redir_session *s = session;

	s->conn = NULL;
	s->open = false;
	uv_close((uv_handle_t *)&s->timer, on_closed);
}

void redir_frame(struct redir_session *s, uint8_t command, const void *p, size_t n)
{
	const char head[8] = { (char)command, 0, 0, 0, (char)s->number, (char)(s->number >> 8),
		(char)(s->number >> 16), (char)(s->number >> 24) };
	struct buf whole;

	s->number++;
	buf_init(&whole, FRAME_MAX);
	buf_add(&whole, head, sizeof(head));
	if (n)
		buf_add(&whole, p, n);
	redir_send(s->conn, whole.p, whole.n);
	buf_done(&whole);
}

static void talk_too_much(struct redir_session *s, const struct redir_nonsense *how)
{
	char *p = xcalloc(1, how->large_at - 8 + 2 + LARGE);

	p[how->large_at - 8] = (char)(LARGE & 255);
	p[how->large_at - 7] = (char)(LARGE >> 8);
	redir_frame(s, how->large, p, how->large_at - 8u + 2u + LARGE);
	free(p);
}

bool redir_talk_nonsense(struct redir_session *s, const struct redir_nonsense *how, struct str word)
{
	static const char ends[2] = { (char)0xFF, 0 };

	if (str_is(word, "unknown")) {
		redir_frame(s, 0x99, NULL, 0);
	} else if (str_is(word, "interleave")) {
		redir_send(s->conn, how->alien, how->alien_n);
	} else if (str_is(word, "oversize")) {
		talk_too_much(s, how);
	} else if (str_is(word, "truncate")) {
		redir_frame(s, how->cut, ends, sizeof(ends));
		redir_hang_up(s->conn);
	} else {
		return false;
	}
	return true;
}
