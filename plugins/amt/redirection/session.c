/* SPDX-License-Identifier: Apache-2.0 */
#include "redirection/session.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <powerctl/mem.h>

/* Typed bytes that wait for the device, at most. */
#define TYPED_MAX   ((size_t)8192)
#define FAREWELL_MS ((uint64_t)1000)
/*
 * A device hangs up on a session that somebody else ended to have it himself, and he may have it a
 * moment later: it is asked twice, the second time so long after the first. All of it, of one that
 * is being closed, takes less than the 2 s it may.
 */
#define ASK_AFTER_MS  ((uint64_t)600)
#define ASK_AGAIN_MS  ((uint64_t)900)
#define ASK_MS        ((uint64_t)2500)
#define ASK_CLOSED_MS ((uint64_t)400)

/* --- The end. --------------------------------------------------------------------------------- */

static void release(struct session *s)
{
	struct amt_dev *dev = s->dev;

	if (--s->handles)
		return;
	if (s->user.ended)
		s->user.ended(s->user.data, &s->why);
	pctl_value_free(s->user.facts);
	s->kind->free(s);
	amt_release(dev);
}

static void on_timer_closed(uv_handle_t *handle)
{
	release(handle->data);
}

static void on_tap_closed(void *data)
{
	release(data);
}

static void close_descriptor(struct session *s)
{
	if (s->user.fd >= 0)
		(void)close(s->user.fd);
	s->user.fd = -1;
}

static void dispose(struct session *s)
{
	if (s->state == SESSION_GONE)
		return;
	s->state = SESSION_GONE;
	wire_close(s->wire);
	s->wire = NULL;
	asking_end(&s->asking);
	s->handles = 1;
	uv_close((uv_handle_t *)&s->timer, on_timer_closed);
	s->handles += tap_close(&s->tap);
	close_descriptor(s);
}

/* Nothing more is to be read; the descriptor's end shows it, and where somebody listens words do.
 */
static void tell_end(struct session *s)
{
	void (*ended)(void *, const struct pctl_error *) = s->user.ended;

	s->state = SESSION_OVER;
	tap_end(&s->tap);
	s->user.ended = NULL;
	if (ended)
		ended(s->user.data, &s->why);
}

static void watch(struct session *s)
{
	/* What the user types is not read while the device does not take it. */
	tap_listen(&s->tap, s->state == SESSION_OPEN && wire_queued(s->wire) < TYPED_MAX);
}

static void finish(struct session *s)
{
	(void)uv_timer_stop(&s->timer);
	asking_end(&s->asking);
	if (s->closed) {
		dispose(s);
		return;
	}
	s->state = SESSION_DRAINING;
	if (tap_empty(&s->tap))
		tell_end(s);
	else
		watch(s);
}

static void hang_up(struct session *s)
{
	(void)uv_timer_stop(&s->timer);
	wire_close(s->wire);
	s->wire = NULL;
}

void session_end(struct session *s, const struct pctl_error *err)
{
	static const struct pctl_error normal = { 0 };

	if (s->state == SESSION_OPENING) {
		amt_end(s->dev, err); /* s is gone soon */
	} else if (s->state == SESSION_OPEN) {
		s->why = err ? *err : normal;
		hang_up(s);
		finish(s);
	}
}

void session_fail(struct session *s, int code, const char *fmt, ...)
{
	struct pctl_error err = { 0 };
	va_list ap;

	va_start(ap, fmt);
	(void)pctl_error_setv(&err, code, fmt, ap);
	va_end(ap);
	session_end(s, &err);
}

/* --- Who has it now. -------------------------------------------------------------------------- */

/* Nobody has it: the first time that is not the end yet, and the timer goes on. */
static void on_heard(void *data, bool busy, const struct pctl_error *err)
{
	struct session *s = data;

	(void)err;
	if (busy)
		(void)pctl_error_set(&s->why, PCTL_E_BUSY, "taken over by another session");
	if (busy || s->asked_again)
		finish(s);
}

static void on_nothing_heard(uv_timer_t *timer)
{
	finish(timer->data);
}

static void on_ask_again(uv_timer_t *timer)
{
	struct session *s = timer->data;
	struct pctl_error unused;

	s->asked_again = true;
	asking_end(&s->asking);
	if (asking_begin(&s->asking, &unused) < 0)
		finish(s);
	else
		(void)uv_timer_start(
			timer, on_nothing_heard, s->closed ? ASK_CLOSED_MS : ASK_MS, 0);
}

static void on_ask(uv_timer_t *timer)
{
	struct session *s = timer->data;
	struct pctl_error unused;

	(void)uv_timer_start(timer, on_ask_again, ASK_AGAIN_MS, 0);
	(void)asking_begin(&s->asking, &unused);
}

/* It does not say so, but whoever asks for a session then hears that it is busy. */
static void ask(struct session *s)
{
	(void)pctl_error_set(
		&s->why, PCTL_E_UNREACHABLE, "connection lost: %s", "the device closed it");
	s->state = SESSION_ASKING;
	s->asking = (struct asking){
		.dev = s->dev, .what = s->kind->what, .heard = on_heard, .data = s
	};
	watch(s);
	(void)uv_timer_start(&s->timer, on_ask, ASK_AFTER_MS, 0);
}

/* --- An open one. ----------------------------------------------------------------------------- */

void session_note(struct session *s, const char *text)
{
	if (s->user.note)
		s->user.note(s->user.data, text);
}

void session_send(struct session *s, struct pctl_buf *out)
{
	struct pctl_error err = { 0 };

	/* One that does not fit is a beat behind much that was typed; a lost wire says so. */
	if (s->wire)
		(void)wire_send(s->wire, out, &err);
	pctl_buf_done(out);
}

void session_send_all(struct session *s, struct pctl_buf *out)
{
	struct pctl_error err = { 0 };

	if (!out->len || !s->wire || wire_send(s->wire, out, &err) == 0)
		return;
	pctl_buf_cut(out, 0);
	session_end(s, &err);
}

void session_expect(struct session *s, uint64_t silence_ms)
{
	s->silence_ms = silence_ms;
	if (s->wire)
		wire_expect(s->wire, silence_ms);
}

/* Nobody listens while it is paused, so nothing is expected. */
static void pause_wire(struct session *s, bool pause)
{
	wire_pause(s->wire, pause);
	wire_expect(s->wire, pause ? 0 : s->silence_ms);
}

void session_give(struct session *s, const void *bytes, size_t len)
{
	if (!tap_give(&s->tap, bytes, len))
		pause_wire(s, true);
}

static void on_emptied(void *data)
{
	struct session *s = data;

	if (s->state == SESSION_DRAINING)
		tell_end(s);
	else if (s->state == SESSION_OPEN)
		pause_wire(s, false);
}

static void on_typed(void *data, const char *bytes, size_t len)
{
	struct session *s = data;
	struct pctl_buf out;

	pctl_buf_init_secret(&out, TAP_PART + 64);
	s->kind->typed(s, bytes, len, &out);
	session_send(s, &out);
	watch(s);
}

static const struct tap_user tap_user = {
	.typed = on_typed,
	.emptied = on_emptied,
	.closed = on_tap_closed,
};

static void on_beat(uv_timer_t *timer)
{
	struct session *s = timer->data;

	s->kind->beat(s);
}

static void on_frame(void *data, const struct frame *frame)
{
	struct session *s = data;

	if (s->state == SESSION_LEAVING) {
		if (frame->command == s->kind->goodbye)
			dispose(s);
		return;
	}
	if (s->silence_ms)
		wire_expect(s->wire, s->silence_ms);
	s->kind->frame(s, frame);
}

static void on_bytes(void *data, const uint8_t *bytes, size_t len)
{
	session_give(data, bytes, len);
}

static void on_drained(void *data)
{
	struct session *s = data;

	if (s->kind->room)
		s->kind->room(s);
	watch(s);
}

static void on_ended(void *data, const struct pctl_error *err)
{
	struct session *s = data;
	bool leaves = s->state == SESSION_LEAVING;
	const struct pctl_error e = *err;

	hang_up(s);
	if (leaves)
		dispose(s);
	else if (e.flags & PCTL_ERROR_DROPPED)
		ask(s);
	else if (e.code == PCTL_E_TIMEOUT)
		session_fail(s, PCTL_E_UNREACHABLE,
			"connection lost: not even a heartbeat came in %u s",
			(unsigned)(s->silence_ms / 1000));
	else
		session_end(s, &e);
}

static const struct wire_user open_user = {
	.frame = on_frame,
	.drained = on_drained,
	.ended = on_ended,
};

/* --- Closing. --------------------------------------------------------------------------------- */

static void on_no_farewell(uv_timer_t *timer)
{
	dispose(timer->data);
}

/* Who hangs up with bytes unread resets the connection, and the device may never read it. */
static void say_goodbye(struct session *s)
{
	struct pctl_buf out;

	s->state = SESSION_LEAVING;
	tap_listen(&s->tap, false);
	wire_pause(s->wire, false);
	pctl_buf_init(&out, 64);
	s->kind->farewell(s, &out);
	frame_put_end(&out);
	session_send(s, &out);
	(void)uv_timer_start(&s->timer, on_no_farewell, FAREWELL_MS, 0);
}

/* The device's own descriptor: that it has hung up may lie behind bytes that nobody has read. */
static bool has_hung_up(const struct session *s)
{
	struct pollfd one = { .fd = s->user.fd, .events = POLLRDHUP };

	return s->state == SESSION_OPEN && !s->wire && poll(&one, 1, 0) > 0;
}

static void close_session(struct pctl_session *user)
{
	struct session *s = pctl_container_of(user, struct session, user);

	s->closed = true;
	(void)uv_timer_stop(&s->timer);
	if (has_hung_up(s)) {
		int r = pctl_dial_error(s->dev->device, s->user.fd, &s->why);
		close_descriptor(s);
		if (r == 0)
			ask(s);
		else
			dispose(s);
	} else if (s->state == SESSION_OPEN && s->wire && s->kind->farewell) {
		say_goodbye(s);
	} else {
		dispose(s);
	}
}

/* --- Opening. --------------------------------------------------------------------------------- */

/* The op has ended, well, badly or by abort. */
static void on_op_over(void *kept)
{
	struct session *s = kept;

	if (s->state == SESSION_OPENING)
		dispose(s);
}

static void on_opening(void *data, const struct frame *frame)
{
	struct session *s = data;

	wire_expect(s->wire, pctl_device_answer_ms(s->dev->device));
	s->kind->opening(s, frame);
}

static void on_not_opened(void *data, const struct pctl_error *err)
{
	struct session *s = data;

	bool declined = err->flags & PCTL_ERROR_DROPPED && !wire_is_inside(s->wire);

	if (declined && s->kind->not_opened)
		session_fail(s, PCTL_E_REFUSED, "%s", s->kind->not_opened);
	else
		session_end(s, err);
}

static const struct wire_user opening_user = { .frame = on_opening, .ended = on_not_opened };

static void started(
	struct amt_dev *dev, struct wire *wire, const struct redirection_facts *facts, void *data)
{
	struct session *s = data;

	s->wire = wire;
	s->facts = *facts;
	wire_use(wire, &opening_user, s);
	s->kind->start(s);
	if (s->wire)
		wire_expect(wire, pctl_device_answer_ms(dev->device));
}

int session_tap(struct session *s, struct pctl_error *err)
{
	return tap_open(&s->tap, pctl_device_loop(s->dev->device), &tap_user, s, &s->user.fd, err);
}

bool session_agreed(struct session *s, const struct frame *frame, uint8_t command)
{
	if (frame->command != command)
		return false; /* others may come before */
	if (frame->data[1] == START_OK)
		return true;
	session_fail(s, PCTL_E_REFUSED, "it does not begin %s (status %u)", s->kind->name,
		frame->data[1]);
	return false;
}

/* Behind what the kind of session has to say itself. */
static void tell_switched_on(const struct session *s, struct pctl_value *facts)
{
	const char *before = pctl_value_text(pctl_value_get(facts, "note"));
	char note[192];

	(void)snprintf(note, sizeof(note), "%s%s%s or its listener was off; it was switched on",
		before ? before : "", before ? "; " : "", s->kind->name);
	pctl_value_set_text(facts, "note", note);
}

static struct pctl_value *new_facts(struct session *s)
{
	struct pctl_value *facts = pctl_value_new_map();

	pctl_value_set_text(facts, "kind", s->kind->word);
	if (s->kind->tell_facts)
		s->kind->tell_facts(s, facts);
	if (s->facts.switched_on)
		tell_switched_on(s, facts);
	return facts;
}

void session_opened(struct session *s)
{
	const struct session_kind *kind = s->kind;

	s->user.facts = new_facts(s);
	s->state = SESSION_OPEN;
	if (s->wire) {
		wire_use(s->wire, &open_user, s);
		session_expect(s, kind->silence_ms);
		if (!kind->frame)
			wire_use_bytes(s->wire, on_bytes);
		watch(s);
	}
	if (kind->beat_ms)
		(void)uv_timer_start(&s->timer, on_beat, kind->beat_ms, kind->beat_ms);
	*s->ret_session = &s->user;
	/* It may be open for days, and the device's web server has few connections. */
	amt_link_idle(s->dev);
	amt_end(s->dev, NULL);
}

void session_begin(struct session *s, const struct session_kind *kind, struct amt_dev *dev,
	struct pctl_op *op, struct pctl_session **ret_session)
{
	s->user = (struct pctl_session){ .size = sizeof(s->user),
		.fd = -1,
		.controls = kind->controls,
		.close = close_session };
	s->kind = kind;
	s->dev = dev;
	s->ret_session = ret_session;
	s->tap.ours = -1;
	(void)uv_timer_init(pctl_device_loop(dev->device), &s->timer);
	s->timer.data = s;
	amt_hold_open(dev);
	amt_begin(dev, op);
	amt_keep(dev, s, on_op_over);
}

void session_start(struct session *s, bool steal)
{
	redirection_open(s->dev, &(struct redirection_want){ .what = s->kind->what,
					 .steal = steal,
					 .leave = s->again,
					 .opened = started,
					 .data = s });
}
