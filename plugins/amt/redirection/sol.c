/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The serial console: Serial over LAN. Between the user's descriptor and the frames stands a
 * socketpair; what one side does not take, the other side is not asked for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <powerctl/log.h>
#include <powerctl/mem.h>

#include "amt.h"
#include "redirection/session.h"
#include "redirection/switch.h"

/* What peers ask for, and firmware is known to take. The device ends a session that is silent for
 * RX_TIMEOUT_MS, and all of them beat this often. */
#define TX_BUFFER     10000u
#define TX_TIMEOUT_MS 100u
#define RX_TIMEOUT_MS 10000u
#define RX_FLUSH_MS   100u
#define BEAT_MS       ((uint64_t)2000)
#define FAREWELL_MS   ((uint64_t)1000)
#define ASK_AFTER_MS  ((uint64_t)1000)
#define ASK_MS        ((uint64_t)2500)
/* Typed bytes that wait for the device, at most. */
#define TYPED_MAX ((size_t)8192)
#define KEPT_MAX  ((size_t)1 << 17)

enum state {
	OPENING, /* within the op */
	OPEN,
	ASKING,   /* the connection is gone, and the device is asked who has the session now */
	DRAINING, /* it is over, and the user has not read all of it */
	OVER,     /* said so, or about to when it is closed */
	LEAVING,  /* closed; the goodbye is on its way */
	GONE,
};

struct sol {
	struct pctl_session session; /* what the user sees */
	struct amt_dev *dev;
	struct pctl_session **ret_session;
	struct wire *wire;
	enum state state;
	int ours; /* the other end of session.fd */
	unsigned handles;
	uv_poll_t poll; /* of ours */
	uv_timer_t timer;
	bool polled;
	struct pctl_buf kept; /* from the device, that the user does not take yet */
	size_t taken;         /* the first so many he has */
	uint32_t sequence;
	uint8_t status; /* SOL_ bits as last told */
	bool has_status;
	struct redirection_facts facts;
	struct pctl_error why; /* it ended */
};

/* --- The end. --------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
	struct sol *s = handle->data;
	struct amt_dev *dev = s->dev;

	if (--s->handles)
		return;
	if (s->session.ended)
		s->session.ended(s->session.data, &s->why);
	pctl_value_free(s->session.facts);
	pctl_buf_done(&s->kept);
	free(s);
	amt_release(dev);
}

static void close_fds(struct sol *s)
{
	if (s->ours >= 0)
		(void)close(s->ours);
	if (s->session.fd >= 0)
		(void)close(s->session.fd);
	s->ours = s->session.fd = -1;
}

static void dispose(struct sol *s)
{
	if (s->state == GONE)
		return;
	s->state = GONE;
	wire_close(s->wire);
	s->wire = NULL;
	uv_close((uv_handle_t *)&s->timer, on_closed);
	if (s->polled)
		uv_close((uv_handle_t *)&s->poll, on_closed);
	close_fds(s);
}

/* Nothing more is to be read; the descriptor's end shows it, and where somebody listens words do.
 */
static void tell_end(struct sol *s)
{
	void (*ended)(void *, const struct pctl_error *) = s->session.ended;

	s->state = OVER;
	(void)uv_timer_stop(&s->timer);
	(void)uv_poll_stop(&s->poll);
	(void)shutdown(s->ours, SHUT_WR);
	s->session.ended = NULL;
	if (ended)
		ended(s->session.data, &s->why);
}

static void watch(struct sol *s);

static void finish(struct sol *s)
{
	wire_close(s->wire);
	s->wire = NULL;
	s->state = DRAINING;
	(void)uv_timer_stop(&s->timer);
	if (s->kept.len == s->taken)
		tell_end(s);
	else
		watch(s);
}

/* --- The user's side. ------------------------------------------------------------------------- */

/* Hands out what is kept; false: the user does not take it all now. */
static bool hand_out(struct sol *s)
{
	while (s->taken < s->kept.len) {
		ssize_t n = send(s->ours, s->kept.data + s->taken, s->kept.len - s->taken,
			MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return false;
		/* Nobody reads it any more: it is about to be closed. */
		s->taken = n < 0 ? s->kept.len : s->taken + (size_t)n;
	}
	pctl_buf_done(&s->kept);
	pctl_buf_init_secret(&s->kept, KEPT_MAX);
	s->taken = 0;
	return true;
}

static void send_frame(struct sol *s, struct pctl_buf *out)
{
	struct pctl_error err = { 0 };

	/* One that does not fit is a heartbeat behind much that was typed; a lost wire says so. */
	(void)wire_send(s->wire, out, &err);
	pctl_buf_done(out);
}

static void send_typed(struct sol *s)
{
	char typed[SOL_CHUNK_MAX];
	ssize_t n = recv(s->ours, typed, sizeof(typed), MSG_DONTWAIT);
	struct pctl_buf out;

	if (n <= 0)
		return;
	pctl_buf_init_secret(&out, SOL_CHUNK_MAX + 64);
	frame_put_sol_data(&out, typed, (size_t)n);
	explicit_bzero(typed, (size_t)n);
	send_frame(s, &out);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct sol *s = poll->data;

	if (status < 0)
		events = UV_READABLE | UV_WRITABLE;
	if (events & UV_WRITABLE && hand_out(s)) {
		if (s->state == DRAINING) {
			tell_end(s);
			return;
		}
		if (s->wire)
			wire_pause(s->wire, false);
	}
	if (events & UV_READABLE && s->state == OPEN)
		send_typed(s);
	watch(s);
}

/* What the user types is not read while the device does not take it, nor the other way round. */
static void watch(struct sol *s)
{
	int events = 0;

	if (s->state == OPEN && wire_queued(s->wire) < TYPED_MAX)
		events |= UV_READABLE;
	if (s->taken < s->kept.len)
		events |= UV_WRITABLE;
	if (events)
		(void)uv_poll_start(&s->poll, events, on_poll);
	else
		(void)uv_poll_stop(&s->poll);
}

/* --- The device's side. ----------------------------------------------------------------------- */

static void note(struct sol *s, const char *text)
{
	if (s->session.note)
		s->session.note(s->session.data, text);
}

static void on_data(struct sol *s, const struct frame *frame)
{
	const uint8_t *data;
	size_t len;
	struct pctl_error err;

	if (frame_read_sol_data(frame, &data, &len, &err) < 0)
		return;
	pctl_buf_add(&s->kept, data, len);
	if (!hand_out(s))
		wire_pause(s->wire, true);
	watch(s);
}

static const struct {
	uint8_t bit;
	const char *set, *cleared;
} states[] = {
	{ SOL_TX_OVERFLOW, "characters for the machine were lost: it does not take them", NULL },
	{ SOL_LOOPBACK, "the serial port is in loopback mode: what is typed may not arrive",
		"the serial port has left loopback mode" },
	{ SOL_POWER, "the machine is on", "the machine is off" },
};

/* The first one says how it is, which is no news; overflow always is. */
static void on_controls(struct sol *s, const struct frame *frame)
{
	uint8_t now = frame_read_sol_controls(frame).status;
	uint8_t before = s->has_status ? s->status : now & SOL_POWER;

	s->has_status = true;
	s->status = now & (uint8_t)~SOL_TX_OVERFLOW;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		uint8_t bit = states[i].bit;
		const char *text = now & bit ? states[i].set : states[i].cleared;
		if ((now ^ before) & bit && text)
			note(s, text);
	}
}

static void end_with(struct sol *s, const struct pctl_error *err)
{
	s->why = *err;
	finish(s);
}

static void on_frame(void *data, const struct frame *frame)
{
	struct sol *s = data;
	struct pctl_buf out;

	switch (frame->command) {
	case FRAME_SOL_FROM_HOST:
		on_data(s, frame);
		break;
	case FRAME_SOL_CONTROLS:
		on_controls(s, frame);
		break;
	case FRAME_SOL_PING:
		pctl_buf_init(&out, 64);
		frame_put_short(&out, FRAME_SOL_PONG, s->sequence++);
		send_frame(s, &out);
		break;
	case FRAME_SOL_CLOSED:
		finish(s);
		break;
	default: /* heartbeats and pongs */
		break;
	}
}

static void on_drained(void *data)
{
	struct sol *s = data;

	if (s->state == LEAVING)
		dispose(s);
	else if (s->state == OPEN)
		watch(s);
}

/* --- Who has it now. -------------------------------------------------------------------------- */

/*
 * A device hangs up on a session that somebody else ended to have it himself. It does not say so,
 * but whoever asks for one then hears that it is busy.
 */
static void answered(void *data, const struct frame *frame)
{
	struct sol *s = data;
	struct frame_started started;
	struct pctl_error err = { 0 };

	if (frame_read_started(frame, &started, &err) == 0 && started.status == START_BUSY)
		(void)pctl_error_set(&s->why, PCTL_E_BUSY, "taken over by another session");
	finish(s);
}

static void ask(void *data)
{
	struct sol *s = data;
	struct pctl_buf out;

	pctl_buf_init(&out, 64);
	frame_put_start(&out, REDIRECTION_SOL);
	send_frame(s, &out);
}

static void not_answered(void *data, const struct pctl_error *err)
{
	(void)err;
	finish(data);
}

static const struct wire_user asking = { .opened = ask, .frame = answered, .ended = not_answered };

static void on_no_answer(uv_timer_t *timer)
{
	finish(timer->data);
}

/* By now whoever ended it may have it. */
static void on_ask(uv_timer_t *timer)
{
	struct sol *s = timer->data;
	struct pctl_error unused;

	if (wire_open(s->dev, &asking, s, &s->wire, &unused) < 0)
		finish(s);
	else
		(void)uv_timer_start(&s->timer, on_no_answer, ASK_MS, 0);
}

static void on_ended(void *data, const struct pctl_error *err)
{
	struct sol *s = data;

	wire_close(s->wire);
	s->wire = NULL;
	if (s->state == LEAVING) {
		dispose(s);
		return;
	}
	if (!(err->flags & PCTL_ERROR_DROPPED)) {
		end_with(s, err);
		return;
	}
	(void)pctl_error_set(
		&s->why, PCTL_E_UNREACHABLE, "connection lost: %s", "the device closed it");
	s->state = ASKING;
	watch(s);
	(void)uv_timer_start(&s->timer, on_ask, ASK_AFTER_MS, 0);
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

static void close_session(struct pctl_session *session)
{
	struct sol *s = pctl_container_of(session, struct sol, session);
	bool open = s->state == OPEN;
	struct pctl_buf out;

	if (s->state != OVER)
		s->why = (struct pctl_error){ 0 };
	(void)uv_timer_stop(&s->timer);
	(void)uv_poll_stop(&s->poll);
	if (!open) {
		dispose(s);
		return;
	}
	s->state = LEAVING;
	wire_pause(s->wire, true);
	pctl_buf_init(&out, 64);
	frame_put_short(&out, FRAME_SOL_CLOSE, s->sequence++);
	frame_put_end(&out);
	send_frame(s, &out);
	(void)uv_timer_start(&s->timer, on_no_farewell, FAREWELL_MS, 0);
}

/* --- Opening. --------------------------------------------------------------------------------- */

static int send_break(struct pctl_session *session, const char *arg, struct pctl_error *err)
{
	(void)session, (void)arg;
	return pctl_error_set(err, PCTL_E_UNSUPPORTED,
		"Intel AMT's Serial over LAN carries no break; where it is meant for SysRq, "
		"`powerctl nmi` or /proc/sysrq-trigger does instead");
}

static const struct pctl_control controls[] = {
	{ .size = sizeof(struct pctl_control),
		.name = "break",
		.help = "not possible with Intel AMT: says so",
		.run = send_break },
	{ .name = NULL },
};

static void on_beat(uv_timer_t *timer)
{
	struct sol *s = timer->data;
	struct pctl_buf out;

	pctl_buf_init(&out, 64);
	frame_put_short(&out, FRAME_SOL_HEARTBEAT, s->sequence++);
	send_frame(s, &out);
}

/* The op has ended, well, badly or by abort. */
static void on_op_over(void *kept)
{
	struct sol *s = kept;

	if (s->state == OPENING)
		dispose(s);
}

static int make_descriptors(struct sol *s, struct pctl_error *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) {
		if (pctl_error_shortage(err, errno))
			return PCTL_E_INTERNAL;
		return pctl_error_set(err, PCTL_E_INTERNAL, "no socket: %s", strerror(errno));
	}
	s->session.fd = pair[0];
	s->ours = pair[1];
	(void)uv_poll_init(pctl_device_loop(s->dev->device), &s->poll, s->ours);
	s->poll.data = s;
	s->polled = true;
	s->handles++;
	return 0;
}

static void succeed(struct sol *s)
{
	struct pctl_value *facts = pctl_value_new_map();

	pctl_value_set_text(facts, "kind", "sol");
	if (s->facts.switched_on)
		pctl_value_set_text(facts, "note",
			"Serial over LAN or its listener was off; it was switched on");
	s->session.facts = facts;
	s->state = OPEN;
	wire_use(s->wire, &open_user, s);
	(void)uv_timer_start(&s->timer, on_beat, BEAT_MS, BEAT_MS);
	watch(s);
	*s->ret_session = &s->session;
	/* It may be open for days, and the device's web server has few connections. */
	amt_link_idle(s->dev);
	amt_end(s->dev, NULL);
}

static void on_opened(void *data, const struct frame *frame)
{
	struct sol *s = data;
	struct pctl_error err = { 0 };

	if (frame->command != FRAME_SOL_OPENED)
		return; /* controls and heartbeats may come before */
	if (frame->data[1] != START_OK)
		amt_fail(s->dev, PCTL_E_REFUSED, "it does not begin Serial over LAN (status %u)",
			frame->data[1]);
	else if (make_descriptors(s, &err) < 0)
		amt_end(s->dev, &err);
	else
		succeed(s);
}

static void on_not_opened(void *data, const struct pctl_error *err)
{
	amt_end(((struct sol *)data)->dev, err);
}

static const struct wire_user opening_user = { .frame = on_opened, .ended = on_not_opened };

static void started(
	struct amt_dev *dev, struct wire *wire, const struct redirection_facts *facts, void *data)
{
	static const struct frame_sol_open open = {
		.tx_buffer = TX_BUFFER,
		.tx_timeout = TX_TIMEOUT_MS,
		.rx_timeout = RX_TIMEOUT_MS,
		.rx_flush_timeout = RX_FLUSH_MS,
	};
	struct sol *s = data;
	struct pctl_buf out;

	s->wire = wire;
	s->facts = *facts;
	wire_use(wire, &opening_user, s);
	pctl_buf_init(&out, 64);
	frame_put_sol_open(&out, &open);
	send_frame(s, &out);
	wire_expect(wire, pctl_device_answer_ms(dev->device));
}

static void open_console(
	void *data, struct pctl_op *op, unsigned flags, struct pctl_session **ret_session)
{
	struct amt_dev *dev = data;
	struct sol *s = pctl_xcalloc(1, sizeof(*s));

	s->session = (struct pctl_session){
		.size = sizeof(s->session), .fd = -1, .controls = controls, .close = close_session
	};
	s->dev = dev;
	s->ret_session = ret_session;
	s->ours = -1;
	s->handles = 1;
	s->timer.data = s;
	pctl_buf_init_secret(&s->kept, KEPT_MAX);
	(void)uv_timer_init(pctl_device_loop(dev->device), &s->timer);
	s->timer.data = s;
	amt_hold_open(dev);
	amt_begin(dev, op);
	amt_keep(dev, s, on_op_over);
	redirection_open(dev, &(struct redirection_want){ .what = REDIRECTION_SOL,
				      .steal = flags & PCTL_CONSOLE_STEAL,
				      .opened = started,
				      .data = s });
}

const struct pctl_console_if amt_console = {
	.size = sizeof(amt_console),
	.open = open_console,
	.end_sessions = redirection_end_all,
	.refused_actions = PCTL_ACTION_BIT(PCTL_ACTION_OFF) | PCTL_ACTION_BIT(PCTL_ACTION_CYCLE),
};
