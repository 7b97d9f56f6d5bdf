/* SPDX-License-Identifier: Apache-2.0 */
/* The serial console: Serial over LAN. */
#include <stdlib.h>

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
#define HEARTBEAT_MS  5000u /* the device's own */

_Static_assert(TAP_PART <= SOL_CHUNK_MAX, "what is typed fits into a frame");

struct sol {
	struct session session;
	uint32_t sequence;
	uint8_t status; /* SOL_ bits as last told */
	bool has_status;
};

static struct sol *sol(struct session *s)
{
	return pctl_container_of(s, struct sol, session);
}

static void send_short(struct session *s, uint8_t command)
{
	struct pctl_buf out;

	pctl_buf_init(&out, 64);
	frame_put_short(&out, command, sol(s)->sequence++);
	session_send(s, &out);
}

/* --- The device's side. ----------------------------------------------------------------------- */

static void on_data(struct session *s, const struct frame *frame)
{
	const uint8_t *data;
	size_t len;
	struct pctl_error err;

	if (frame_read_sol_data(frame, &data, &len, &err) == 0)
		session_give(s, data, len);
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
			session_note(&s->session, text);
	}
}

/*
 * No source says that all firmware beats as it was asked to, and an idle machine says nothing else:
 * only one that has beaten is gone when it stops. Two beats and the time for an answer.
 */
static void on_heartbeat(struct session *s)
{
	session_expect(s, (uint64_t)2 * HEARTBEAT_MS + pctl_device_answer_ms(s->dev->device));
}

static void on_frame(struct session *s, const struct frame *frame)
{
	switch (frame->command) {
	case FRAME_SOL_FROM_HOST:
		on_data(s, frame);
		break;
	case FRAME_SOL_CONTROLS:
		on_controls(sol(s), frame);
		break;
	case FRAME_SOL_PING:
		send_short(s, FRAME_SOL_PONG);
		break;
	case FRAME_SOL_HEARTBEAT:
		on_heartbeat(s);
		break;
	case FRAME_SOL_CLOSED:
		session_end(s, NULL);
		break;
	default: /* pongs */
		break;
	}
}

static void on_typed(struct session *s, const char *bytes, size_t len, struct pctl_buf *out)
{
	(void)s;
	frame_put_sol_data(out, bytes, len);
}

static void on_beat(struct session *s)
{
	send_short(s, FRAME_SOL_HEARTBEAT);
}

static void put_farewell(struct session *s, struct pctl_buf *out)
{
	frame_put_short(out, FRAME_SOL_CLOSE, sol(s)->sequence++);
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

static void start(struct session *s)
{
	static const struct frame_sol_open open = {
		.tx_buffer = TX_BUFFER,
		.tx_timeout = TX_TIMEOUT_MS,
		.rx_timeout = RX_TIMEOUT_MS,
		.rx_flush_timeout = RX_FLUSH_MS,
		.heartbeat = HEARTBEAT_MS,
	};
	struct pctl_buf out;

	pctl_buf_init(&out, 64);
	frame_put_sol_open(&out, &open);
	session_send(s, &out);
}

static void on_opening(struct session *s, const struct frame *frame)
{
	struct pctl_error err = { 0 };

	if (!session_agreed(s, frame, FRAME_SOL_OPENED))
		return;
	if (session_tap(s, &err) < 0)
		session_end(s, &err);
	else
		session_opened(s);
}

static void free_sol(struct session *s)
{
	free(sol(s));
}

static const struct session_kind kind = {
	.what = REDIRECTION_SOL,
	.word = "sol",
	.name = "Serial over LAN",
	.controls = controls,
	.beat_ms = BEAT_MS,
	.start = start,
	.opening = on_opening,
	.frame = on_frame,
	.typed = on_typed,
	.beat = on_beat,
	.farewell = put_farewell,
	.goodbye = FRAME_SOL_CLOSED,
	.free = free_sol,
};

static void open_console(
	void *data, struct pctl_op *op, unsigned flags, struct pctl_session **ret_session)
{
	struct sol *s = pctl_xcalloc(1, sizeof(*s));

	session_begin(&s->session, &kind, data, op, ret_session);
	s->session.again = flags & PCTL_CONSOLE_AGAIN;
	session_start(&s->session, flags & PCTL_CONSOLE_STEAL);
}

const struct pctl_console_if amt_console = {
	.size = sizeof(amt_console),
	.open = open_console,
	.end_sessions = redirection_end_all,
	.refused_actions = PCTL_ACTION_BIT(PCTL_ACTION_OFF) | PCTL_ACTION_BIT(PCTL_ACTION_CYCLE),
};
