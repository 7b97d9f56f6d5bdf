/* SPDX-License-Identifier: Apache-2.0 */
#include "redir_sol.h"

#include "redir_session.h"
#include "sim.h"
#include "terminal.h"

enum {
	OPEN = 0x20,
	OPENED = 0x21,
	CLOSE = 0x22,
	CLOSED = 0x23,
	PING = 0x24,
	PONG = 0x25,
	SETTINGS = 0x27,
	TO_HOST = 0x28,
	CONTROLS = 0x29,
	FROM_HOST = 0x2A,
	HEARTBEAT = 0x2B,

	RTS_DTR = 3,
	POWER = 4,

	OUT_MAX = 8 << 20,
	/* What the client does not take is kept up to here; then it is not heard any more. */
	KEPT_MAX = 256 << 10,
	TICK_MS = 20,
};

struct sol {
	struct redir_session base;
	struct terminal terminal;
	struct buf out;  /* waits for the client */
	uint8_t greeted; /* amtterm drops what comes together with an answer or with controls */
	bool paused;
	uint16_t chunk;
	uint32_t heartbeat_ms;
	uint32_t quiet_ms;
	uint64_t beaten;
	uint64_t heard;
};

static void data_frame(struct sol *s, const char *p, size_t n)
{
	struct buf data;

	buf_init(&data, OUT_MAX);
	buf_char(&data, (char)(n & 255));
	buf_char(&data, (char)(n >> 8));
	buf_add(&data, p, n);
	redir_frame(&s->base, FROM_HOST, data.p, data.n);
	buf_done(&data);
	s->base.dev->counters.sol_bytes_out += n;
}

static void controls(struct sol *s, uint8_t status)
{
	const uint8_t both[2] = { RTS_DTR, status };

	redir_frame(&s->base, CONTROLS, both, sizeof(both));
}

/* As much as the client takes; the rest waits, and while much waits nothing is read. */
static void flush(struct sol *s)
{
	size_t chunk = s->base.dev->knobs.sol_chunk ? s->base.dev->knobs.sol_chunk : s->chunk;

	while (s->out.n && redir_waiting(s->base.conn) < KEPT_MAX / 4) {
		size_t n = s->out.n < chunk ? s->out.n : chunk;

		data_frame(s, s->out.p, n);
		buf_drop(&s->out, n);
	}
	bool full = s->out.n > KEPT_MAX;

	if (full != s->paused)
		redir_pause(s->base.conn, full);
	if (s->paused)
		s->heard = sim_now(s->base.dev->sim); /* nobody listened */
	s->paused = full;
}

static void say_power(struct device *dev, struct buf *out)
{
	buf_fmt(out, "power %s, boots %u\r\n", power_word(dev->power.state), dev->boot.boots);
}

static void greet(struct sol *s)
{
	const struct terminal_host host = { "powerctl-amtsim", "amt", s->base.dev->n, s->base.dev,
		say_power };

	if (s->greeted == 2)
		return;
	if (s->greeted++ == 0) {
		controls(s, s->base.dev->power.state == POWER_ON ? POWER : 0);
		return;
	}
	terminal_init(&s->terminal, &host, &s->out);
	flush(s);
}

static void on_tick(uv_timer_t *timer)
{
	struct sol *s = timer->data;
	const struct knobs *k = &s->base.dev->knobs;
	uint64_t now = sim_now(s->base.dev->sim);
	uint32_t beat = k->sol_heartbeat_ms ? k->sol_heartbeat_ms : s->heartbeat_ms;
	uint32_t quiet = k->sol_quiet_ms ? k->sol_quiet_ms : s->quiet_ms;

	if (!s->base.open)
		return;
	greet(s);
	if (beat && now - s->beaten >= beat) {
		s->beaten = now;
		redir_frame(&s->base, HEARTBEAT, NULL, 0);
	}
	if (quiet && now - s->heard >= quiet && !s->paused) {
		s->base.dev->counters.sol_quiet++;
		redir_hang_up(s->base.conn);
	}
}

static void done(void *session)
{
	struct sol *s = session;

	buf_done(&s->out);
}

static void *begin(struct redir_conn *c)
{
	struct sol *s = redir_session_begin(c, sizeof(*s), done);

	s->heard = sim_now(s->base.dev->sim);
	buf_init(&s->out, OUT_MAX);
	uv_timer_start(&s->base.timer, on_tick, TICK_MS, TICK_MS);
	return s;
}

static void open_sol(struct sol *s, const uint8_t *p)
{
	/* Sizes and times as it will have them, and who made it. */
	uint8_t reply[15] = { p[8], p[9], p[10], p[11], p[12], p[13], p[14], p[15], p[16], p[17],
		p[18], p[19], 1, 0, 0 };

	s->chunk = le16(p + 8) ? le16(p + 8) : 1;
	s->quiet_ms = le16(p + 14);
	s->heartbeat_ms = le16(p + 18);
	s->beaten = sim_now(s->base.dev->sim);
	s->base.open = true;
	redir_frame(&s->base, OPENED, reply, sizeof(reply));
}

static void act(struct sol *s, const uint8_t *p, size_t n)
{
	switch (p[0]) {
	case OPEN:
		open_sol(s, p);
		break;
	case CLOSE:
		s->base.dev->counters.redir_goodbyes++;
		redir_frame(&s->base, CLOSED, NULL, 0);
		redir_hang_up(s->base.conn);
		break;
	case PING:
		redir_frame(&s->base, PONG, NULL, 0);
		break;
	case PONG:
		s->base.dev->counters.sol_pongs++;
		break;
	case HEARTBEAT:
		s->base.dev->counters.sol_heartbeats++;
		break;
	case TO_HOST:
		s->base.dev->counters.sol_bytes_in += n - 10;
		while (s->greeted < 2)
			greet(s);
		terminal_input(&s->terminal, p + 10, n - 10, &s->out);
		flush(s);
		break;
	default:
		break;
	}
}

/* 0: more is needed to know. */
static size_t length(const struct sol *s, const uint8_t *p, size_t n)
{
	switch (p[0]) {
	case OPEN:
		return s->base.open ? SIZE_MAX : 24;
	case CLOSE:
	case PING:
	case PONG:
	case HEARTBEAT:
		return 8;
	case SETTINGS:
		return 14;
	case TO_HOST:
		if (!s->base.open)
			return SIZE_MAX;
		return n < 10 ? 0 : 10 + (size_t)le16(p + 8);
	default:
		return SIZE_MAX;
	}
}

static size_t take(struct redir_conn *c, void *session, const uint8_t *p, size_t n)
{
	struct sol *s = session;
	size_t len = length(s, p, n);

	s->heard = sim_now(s->base.dev->sim);
	if (len == SIZE_MAX) {
		redir_hang_up(c);
		return n;
	}
	if (!len || n < len)
		return 0;
	act(s, p, len);
	return len;
}

static void room(struct redir_conn *c, void *session)
{
	struct sol *s = session;

	(void)c;
	if (s && s->base.open)
		flush(s);
}

const struct redir_protocol redir_sol = {
	.name = "SOL",
	.magic = "SOL ",
	.begin = begin,
	.take = take,
	.room = room,
	.end = redir_session_end,
};

/* --- Knobs. ----------------------------------------------------------------------------------- */

static struct sol *open_session(const struct device *dev)
{
	struct sol *s = redir_session(dev, REDIR_SOL);

	return s && s->base.open ? s : NULL;
}

void sol_show_bios(struct device *dev)
{
	struct sol *s = open_session(dev);

	if (!s)
		return;
	buf_fmt(&s->out, "\r\nBIOS of device %u\r\n", dev->n);
	flush(s);
}

bool sol_set_send(struct device *dev, struct str value)
{
	static const struct {
		const char *word;
		uint8_t status;
	} states[] = { { "overflow", POWER | 1 }, { "loopback", POWER | 2 }, { "power_off", 0 },
		{ "power_on", POWER } };
	static const struct redir_nonsense nonsense = { .cut = FROM_HOST,
		.large = FROM_HOST,
		.large_at = 8,
		.alien = "\x14\0\0\0\0\0\0\0\0",
		.alien_n = 9 };
	struct sol *s = open_session(dev);

	if (!s)
		return false;
	for (size_t i = 0; i < COUNT(states); i++) {
		if (str_is(value, states[i].word)) {
			controls(s, states[i].status);
			return true;
		}
	}
	if (redir_talk_nonsense(&s->base, &nonsense, value))
		return true;
	if (str_is(value, "ping"))
		redir_frame(&s->base, PING, NULL, 0);
	else if (str_is(value, "close"))
		redir_frame(&s->base, CLOSED, NULL, 0);
	else
		data_frame(s, value.p, value.n);
	return true;
}

void sol_show_send(const struct device *dev, struct buf *out)
{
	(void)dev;
	buf_text(out, "\"no\"");
}
