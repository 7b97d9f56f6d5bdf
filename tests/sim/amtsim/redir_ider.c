/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of IDE redirection; what the machine does with the drives is in ider_script.c. */
#include "redir_ider.h"

#include <stdlib.h>

#include "ider_script.h"
#include "sim.h"

enum {
	OPEN = 0x40,
	OPENED = 0x41,
	CLOSE = 0x42,
	CLOSED = 0x43,
	PING = 0x44,
	PONG = 0x45,
	RESET_DONE = 0x47,
	FEATURES = 0x48,
	FEATURES_REPLY = 0x49,
	ERROR = 0x4A,
	HEARTBEAT = 0x4B,
	COMMAND = 0x50,
	COMMAND_END = 0x51,
	WANTS = 0x52,
	WRITTEN = 0x53,
	DATA = 0x54,

	FLOOD = 1024,
	FLOOD_BLOCKS = 32,

	ENABLED = 1,
	WHEN = 0x18,
};

/* --- The session. ----------------------------------------------------------------------------- */

static void open_ider(struct ider *s, const uint8_t *p)
{
	uint32_t size = s->base.dev->knobs.ider_readbfr ? s->base.dev->knobs.ider_readbfr : 8192;
	uint8_t reply[22] = { 1, 0, (uint8_t)s->base.dev->profile->major, 0, [8] = (uint8_t)size,
		(uint8_t)(size >> 8), (uint8_t)size, (uint8_t)(size >> 8), [17] = 0x57, 1 };

	if ((le16(p + 8) < 10000 || (le16(p + 12) && le16(p + 12) < 1000) || p[14] != 1) &&
		!ider_odd(s, "times or version of an opening are out of range"))
		return;
	s->base.open = true;
	redir_frame(&s->base, OPENED, reply, sizeof(reply));
}

static void set_features(struct ider *s, const uint8_t *p)
{
	uint8_t reply[5] = { p[8], p[8] == 3 ? 1 : p[8] == 2 ? 2 * s->enabled : 1 };

	redir_frame(&s->base, FEATURES_REPLY, reply, sizeof(reply));
	if (p[8] != 3 || s->enabled == (p[9] & ENABLED))
		return;
	s->enabled = p[9] & ENABLED;
	if (s->enabled && (p[9] & WHEN) == WHEN)
		ider_start(s);
}

static void act(struct ider *s, const uint8_t *p, size_t n)
{
	switch (p[0]) {
	case OPEN:
		open_ider(s, p);
		break;
	case CLOSE:
		s->base.dev->counters.redir_goodbyes++;
		redir_frame(&s->base, CLOSED, NULL, 0);
		redir_hang_up(s->base.conn);
		break;
	case PING:
		s->base.dev->counters.ider_pings++;
		redir_frame(&s->base, PONG, NULL, 0);
		break;
	case PONG:
		s->base.dev->counters.ider_pongs++;
		break;
	case RESET_DONE:
		ider_take_reset_done(s);
		break;
	case FEATURES:
		set_features(s, p);
		break;
	case COMMAND_END:
		ider_take_end(s, p);
		break;
	case WANTS:
		ider_take_wants(s, p);
		break;
	case DATA:
		ider_take_data(s, p, n - 34);
		break;
	default:
		break;
	}
}

/* 0: more is needed to know; SIZE_MAX: that is no frame. */
static size_t length(const struct ider *s, const uint8_t *p, size_t n)
{
	if (!s->base.open && p[0] != OPEN)
		return SIZE_MAX;
	switch (p[0]) {
	case OPEN:
		return s->base.open ? SIZE_MAX : 18;
	case CLOSE:
	case PING:
	case PONG:
	case RESET_DONE:
		return 8;
	case HEARTBEAT:
		return s->base.dev->knobs.ider_lenient ? 8 : SIZE_MAX;
	case FEATURES:
		return n < 9 ? 0 : p[8] == 3 ? 13 : 9;
	case COMMAND_END:
	case WANTS:
		return 31;
	case DATA:
		return n < 11 ? 0 : 34 + (size_t)le16(p + 9);
	default:
		return SIZE_MAX;
	}
}

static size_t take(struct redir_conn *c, void *session, const uint8_t *p, size_t n)
{
	struct ider *s = session;
	size_t len = length(s, p, n);

	if (len == SIZE_MAX) {
		ider_fail(s, "frame %02X is out of place", p[0]);
		return n;
	}
	if (!len || n < len)
		return 0;
	uint32_t number = le16(p + 4) | (uint32_t)le16(p + 6) << 16;

	if (number != s->expected &&
		!ider_odd(s, "frame %02X has number %u, not %u", p[0], number, s->expected))
		return n;
	s->expected = number + 1;
	act(s, p, len);
	(void)c;
	return len;
}

static void done(void *session)
{
	struct ider *s = session;

	EVP_MD_CTX_free(s->md);
	EVP_MD_CTX_free(s->md_done);
}

static void *begin(struct redir_conn *c)
{
	struct ider *s = redir_session_begin(c, sizeof(*s), done);
	struct device *dev = s->base.dev;

	if (!dev->ider)
		dev->ider = xcalloc(1, sizeof(*dev->ider));
	s->report = dev->ider;
	*s->report = (struct ider_report){ .state = "idle", .booted = "" };
	s->md = EVP_MD_CTX_new();
	s->md_done = EVP_MD_CTX_new();
	ider_rest(s);
	return s;
}

const struct redir_protocol redir_ider = {
	.name = "IDER",
	.magic = "IDER",
	.begin = begin,
	.take = take,
	.end = redir_session_end,
};

/* --- Knobs. ----------------------------------------------------------------------------------- */

/* It reads no answers either, until it is told to drain: a quick client would keep up with it. */
static void flood(struct ider *s)
{
	uint8_t p[20] = { 0, 1, [6] = 0x10, 0xA0, 0x28, [16] = FLOOD_BLOCKS };

	s->enabled = false;
	redir_pause(s->base.conn, true);
	for (int i = 0; i < FLOOD; i++)
		redir_frame(&s->base, COMMAND, p, sizeof(p));
}

bool ider_set_send(struct device *dev, struct str value)
{
	static const struct redir_nonsense nonsense = { .cut = COMMAND,
		.large = WRITTEN,
		.large_at = 9,
		.alien = "\x2A\0\0\0\0\0\0\0\2\0hi",
		.alien_n = 12 };
	static const uint8_t zeros[3];
	struct ider *s = redir_session(dev, REDIR_IDER);

	if (!s || !s->base.open)
		return false;
	if (redir_talk_nonsense(&s->base, &nonsense, value))
		return true;
	if (str_is(value, "ping"))
		redir_frame(&s->base, PING, NULL, 0);
	else if (str_is(value, "heartbeat"))
		redir_frame(&s->base, HEARTBEAT, NULL, 0);
	else if (str_is(value, "error"))
		redir_frame(&s->base, ERROR, zeros, sizeof(zeros));
	else if (str_is(value, "close"))
		redir_frame(&s->base, CLOSED, NULL, 0);
	else if (str_is(value, "flood"))
		flood(s);
	else if (str_is(value, "drain"))
		redir_pause(s->base.conn, false);
	else if (str_is(value, "eject") || str_is(value, "load"))
		ider_move_tray(s, str_is(value, "load"));
	else if (!str_is(value, "number"))
		return false;
	if (str_is(value, "number")) {
		s->base.number += 7;
		redir_frame(&s->base, PING, NULL, 0);
	}
	return true;
}
