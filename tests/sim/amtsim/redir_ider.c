/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The initiator of IDE redirection: it sends the commands that a BIOS and a system send, checks the
 * frames that answer them, and keeps what it has read as checksums.
 */
#include "redir_ider.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "redir_ider_steps.h"
#include "sim.h"

enum {
	OPEN = 0x40,
	OPENED = 0x41,
	CLOSE = 0x42,
	CLOSED = 0x43,
	PING = 0x44,
	PONG = 0x45,
	RESET = 0x46,
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

	ENABLED = 1,
	WHEN = 0x18,
	COMPLETED = 2,
	DMA = 1,

	QUEUE_MAX = 64,
	SMALL_MAX = 256,
	LENIENT_MS = 50,
	CD_BLOCK = 2048,
	MIXED_BLOCKS = 23, /* the most of one read of the second pattern */
};

struct ider {
	uv_timer_t timer;
	struct redir_conn *conn; /* NULL: it has ended */
	struct device *dev;
	struct ider_report *report;
	EVP_MD_CTX *md;
	EVP_MD_CTX *md_done;       /* of the reads that have ended */
	uint32_t number, expected; /* of frames from here, from there */
	bool open, enabled, resetting, restart;
	size_t step; /* IDER_STEPS: nothing to do */
	uint8_t small[SMALL_MAX];
	size_t small_n;
	uint32_t next; /* block that the next read begins with */
	uint32_t done; /* blocks up to here were read */
	struct {
		uint32_t lba, blocks;
		uint64_t left;
	} queue[QUEUE_MAX];
	size_t queued, tray; /* tray: commands by hand that are under way */
};

static uint16_t le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void frame(struct ider *s, uint8_t command, const uint8_t *p, size_t n)
{
	uint8_t whole[64] = { command, 0, 0, 0, (uint8_t)s->number, (uint8_t)(s->number >> 8),
		(uint8_t)(s->number >> 16), (uint8_t)(s->number >> 24) };

	s->number++;
	if (n)
		memcpy(whole + 8, p, n);
	redir_send(s->conn, whole, 8 + n);
}

/* What the other side does is not right: it is noted, and it is over. */
static void fail(struct ider *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void fail(struct ider *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->report->error, sizeof(s->report->error), fmt, ap);
	va_end(ap);
	s->report->state = "failed";
	s->enabled = false;
	redir_hang_up(s->conn);
}

/*
 * What is not as it is to be, though machines are known to take it of other programs: with
 * ider_lenient it is noted, else it is over. Whether it goes on.
 */
static bool odd(struct ider *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool odd(struct ider *s, const char *fmt, ...)
{
	char text[sizeof(s->report->error)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (s->dev->knobs.ider_lenient)
		ider_note_odd(&s->report->odds, text);
	else
		fail(s, "%s", text);
	return s->dev->knobs.ider_lenient;
}

/* --- Commands. -------------------------------------------------------------------------------- */

static struct ider_found *found(const struct ider *s)
{
	return ider_steps[s->step].cd ? &s->report->cd : &s->report->floppy;
}

static void send_command(struct ider *s, const uint8_t cdb[12], size_t bytes)
{
	uint8_t p[20] = { 0, (uint8_t)s->dev->knobs.ider_dma, 0, 0, (uint8_t)bytes,
		(uint8_t)(bytes >> 8), ider_steps[s->step].cd ? 0x10 : 0x00, 0xA0 };

	memcpy(p + 8, cdb, 12);
	s->report->commands++;
	s->small_n = 0;
	frame(s, COMMAND, p, sizeof(p));
}

static uint32_t blocks_of_read(const struct ider *s, uint32_t left)
{
	uint32_t n = s->dev->knobs.ider_blocks ? s->dev->knobs.ider_blocks : 32;

	if (ider_steps[s->step].wish == MIXED)
		n = 1 + s->next * 7 % MIXED_BLOCKS;
	return n < left ? n : left;
}

static void send_read(struct ider *s)
{
	uint32_t n = blocks_of_read(s, found(s)->blocks - s->next);
	uint8_t cdb[12] = { ider_steps[s->step].cdb[0], 0, (uint8_t)(s->next >> 24),
		(uint8_t)(s->next >> 16), (uint8_t)(s->next >> 8), (uint8_t)s->next };

	cdb[cdb[0] == 0x28 ? 8 : 9] = (uint8_t)n;
	cdb[cdb[0] == 0x28 ? 7 : 8] = (uint8_t)(n >> 8);
	s->queue[s->queued].lba = s->next;
	s->queue[s->queued].blocks = n;
	s->queue[s->queued++].left = (uint64_t)n * found(s)->block_size;
	s->next += n;
	s->report->reads++;
	send_command(s, cdb, 0xFFFE);
}

static bool reads(const struct ider *s)
{
	return s->step < IDER_STEPS && ider_steps[s->step].wish >= ALL;
}

static void send_reads(struct ider *s)
{
	size_t most = s->dev->knobs.ider_queue ? s->dev->knobs.ider_queue : 1;

	while (s->queued < most && s->next < found(s)->blocks)
		send_read(s);
}

static bool left_out(const struct ider *s)
{
	const struct ider_step *step = &ider_steps[s->step];

	if (!found(s)->present && step->wish != ATTENTION)
		return true;
	return s->dev->knobs.ider_script == IDER_SCRIPT_ONCE &&
	       (step->wish == MIXED || (step->wish == ALL && !step->cd));
}

static void send_step(struct ider *s)
{
	while (s->step < IDER_STEPS && left_out(s))
		s->step++;
	if (s->step == IDER_STEPS) {
		s->report->state = "done";
		return;
	}
	if (!reads(s)) {
		send_command(s, ider_steps[s->step].cdb, 252);
		return;
	}
	if (!s->next) {
		EVP_DigestInit_ex(s->md, EVP_sha256(), NULL);
		EVP_MD_CTX_copy_ex(s->md_done, s->md);
	}
	if (!s->next && ider_steps[s->step].wish == ALL && ider_steps[s->step].cd)
		s->report->first_at = uv_hrtime();
	send_reads(s);
}

static void on_time(uv_timer_t *timer)
{
	struct ider *s = timer->data;

	if (s->conn && s->enabled && !s->resetting)
		send_step(s);
}

static void go_on(struct ider *s)
{
	if (s->dev->knobs.ider_delay_ms)
		uv_timer_start(&s->timer, on_time, s->dev->knobs.ider_delay_ms, 0);
	else
		send_step(s);
}

/* A machine takes its time; a client that drops what comes together with an answer, needs it. */
static void begin_script(struct ider *s)
{
	if (s->dev->knobs.ider_lenient)
		uv_timer_start(&s->timer, on_time, LENIENT_MS + s->dev->knobs.ider_delay_ms, 0);
	else
		go_on(s);
}

static void start_script(struct ider *s)
{
	struct ider_report *r = s->report;

	*r = (struct ider_report){
		.state = "idle", .booted = r->booted, .resets = r->resets, .odds = r->odds
	};
	s->queued = s->next = s->done = 0;
	s->step = IDER_STEPS;
	if (s->dev->knobs.ider_script == IDER_SCRIPT_NONE)
		return;
	r->state = "running";
	s->step = 0;
	r->floppy.present = r->cd.present = true;
	begin_script(s);
}

/* --- Answers. --------------------------------------------------------------------------------- */

static void next_step(struct ider *s)
{
	s->step++;
	s->queued = s->next = s->done = 0;
	go_on(s);
}

static void end_reading(struct ider *s)
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	char *text = ider_steps[s->step].wish == ALL ? found(s)->sha256 : found(s)->again;

	EVP_DigestFinal_ex(s->md, sum, NULL);
	for (size_t i = 0; i < 32; i++)
		snprintf(text + 2 * i, 3, "%02x", sum[i]);
	if (ider_steps[s->step].wish == ALL && ider_steps[s->step].cd)
		s->report->last_at = uv_hrtime();
	next_step(s);
}

static void drop_read(struct ider *s)
{
	memmove(s->queue, s->queue + 1, --s->queued * sizeof(s->queue[0]));
}

/* The first of the reads that are under way has come. */
static void end_read(struct ider *s)
{
	if (s->queue[0].left) {
		fail(s, "a read ended %llu bytes early", (unsigned long long)s->queue[0].left);
		return;
	}
	s->done = s->queue[0].lba + s->queue[0].blocks;
	drop_read(s);
	EVP_MD_CTX_copy_ex(s->md_done, s->md);
	if (s->resetting)
		return;
	if (s->done == found(s)->blocks)
		end_reading(s);
	else
		go_on(s);
}

static void take_capacity(struct ider *s)
{
	struct ider_found *f = found(s);

	if (s->small_n != 8) {
		fail(s, "a capacity of %zu bytes", s->small_n);
		return;
	}
	f->blocks = be32(s->small) + 1;
	f->block_size = be32(s->small + 4);
	if (f->block_size != (ider_steps[s->step].cd ? 2048 : 512))
		fail(s, "blocks of %u bytes", f->block_size);
	else
		next_step(s);
}

static void end_data(struct ider *s)
{
	enum ider_wish wish = ider_steps[s->step].wish;

	if (reads(s))
		end_read(s);
	else if (wish == CAPACITY)
		take_capacity(s);
	else if (wish == SOME)
		next_step(s);
	else if (odd(s, "data for command %02X", ider_steps[s->step].cdb[0]))
		next_step(s);
}

static void at_byte(struct ider *s)
{
	struct knobs *k = &s->dev->knobs;
	static const uint8_t mask = 3;

	if (!ider_steps[s->step].cd)
		return;
	if (k->ider_drop_at && s->report->cd.bytes >= k->ider_drop_at) {
		k->ider_drop_at = 0;
		redir_hang_up(s->conn);
	} else if (k->ider_reset_at && s->report->cd.bytes >= k->ider_reset_at) {
		k->ider_reset_at = 0;
		s->resetting = true;
		frame(s, RESET, &mask, 1);
	}
}

static void take_payload(struct ider *s, const uint8_t *p, size_t n)
{
	if (reads(s)) {
		if (!s->queued || n > s->queue[0].left) {
			fail(s, "more data than were asked for");
			return;
		}
		s->queue[0].left -= n;
		EVP_DigestUpdate(s->md, p, n);
		if (ider_steps[s->step].wish == ALL)
			found(s)->bytes += n;
	} else if (s->small_n + n <= SMALL_MAX) {
		memcpy(s->small + s->small_n, p, n);
		s->small_n += n;
	} else {
		fail(s, "more data than command %02X has", ider_steps[s->step].cdb[0]);
	}
}

static bool is_last(const uint8_t *p)
{
	return p[3] & COMPLETED;
}

/* Whether a frame with data says the same everywhere. */
static bool check_data(struct ider *s, const uint8_t *p, size_t n)
{
	static const uint8_t nothing[8];
	uint8_t drive = ider_steps[s->step].cd ? 0xB0 : 0xA0;
	const uint8_t ended[8] = { 0x85, 0, 3, 0, 0, 0, drive, 0x50 };
	size_t most = s->dev->knobs.ider_readbfr ? s->dev->knobs.ider_readbfr : 8192;
	bool dma = s->dev->knobs.ider_dma;

	if (!n || n > most || n > 8192) {
		fail(s, "a frame of %zu bytes", n);
		return false;
	}
	if ((bool)(p[3] & DMA) != dma || p[12] != (dma ? 0xB4 : 0xB5))
		return odd(s, "DMA and PIO are mixed up");
	if (le16(p + 16) != (dma ? 0 : n))
		return odd(s, "a byte count of %u", le16(p + 16));
	if (p[18] != drive || p[19] != 0x58 || p[14] != 2)
		return odd(s, "another drive answers: %02X, status %02X", p[18], p[19]);
	if (memcmp(p + 20, is_last(p) ? ended : nothing, 8) != 0)
		return odd(s, "the registers of the end are wrong");
	return true;
}

static void on_data(struct ider *s, const uint8_t *p, size_t n)
{
	if (s->restart)
		return;
	if (s->step == IDER_STEPS || !s->enabled) {
		if (s->enabled)
			fail(s, "data that nobody asked for");
		return;
	}
	if (!check_data(s, p, n))
		return;
	take_payload(s, p + 34, n);
	if (!s->enabled)
		return;
	if (!s->resetting)
		at_byte(s);
	if (is_last(p))
		end_data(s);
}

static void take_sense(struct ider *s, uint8_t key, uint8_t asc)
{
	static const struct {
		uint8_t key, asc;
	} wanted[] = { [UNKNOWN] = { 5, 0x20 }, [RANGE] = { 5, 0x21 }, [PROTECTED] = { 7, 0x27 } };
	enum ider_wish wish = ider_steps[s->step].wish;
	bool data = wish == SOME || wish == CAPACITY;
	bool refusal = wish >= UNKNOWN && wish <= PROTECTED;

	if (key && key != 2)
		s->report->refused++;
	if (wish == ATTENTION && key == 2 && asc == 0x3A)
		found(s)->present = false;
	else if (wish == ATTENTION && (key != 6 || asc != 0x28))
		odd(s, "a new medium is told as %X/%02X", key, asc);
	else if (data || (wish == GOOD && key) ||
		 (refusal && (key != wanted[wish].key || asc != wanted[wish].asc)))
		odd(s, "command %02X ended with %X/%02X", ider_steps[s->step].cdb[0], key, asc);
	if (wish == CAPACITY)
		found(s)->present = false;
	if (s->enabled)
		next_step(s);
}

/* A read that cannot be had: as a system would, it goes on behind it. */
static void take_read_error(struct ider *s, uint8_t key, uint8_t asc)
{
	if (s->queued && key == 5 && asc == 0x20 && ider_steps[s->step].wish == MIXED &&
		odd(s, "command %02X ended with %X/%02X", ider_steps[s->step].cdb[0], key, asc)) {
		s->next = found(s)->blocks; /* no more of them */
		drop_read(s);
		if (!s->queued)
			next_step(s);
		return;
	}
	if (!s->queued || key != 3 || asc != 0x11) {
		fail(s, "a read ended with %X/%02X", key, asc);
		return;
	}
	s->report->medium_errors++;
	s->queue[0].left = 0;
	end_read(s);
}

static void on_end(struct ider *s, const uint8_t *p)
{
	uint8_t drive = ider_steps[s->step % IDER_STEPS].cd ? 0xB0 : 0xA0;
	bool bad = p[27] & 1;
	bool right = bad ? p[27] == 0x51 && p[20] == 0x87 && p[21] == (uint8_t)(p[28] << 4)
			 : p[27] == 0x50 && p[20] == 0xC5;

	if (s->restart || !s->enabled || (s->tray && s->tray--))
		return;
	if (s->step == IDER_STEPS) {
		fail(s, "an end that nobody waits for");
		return;
	}
	if ((p[26] != drive || p[3] != COMPLETED || p[22] != 3 || !right) &&
		!odd(s, "the registers of an end are wrong"))
		return;
	if (reads(s))
		take_read_error(s, bad ? p[28] : 0, p[29]);
	else
		take_sense(s, bad ? p[28] : 0, p[29]);
}

/* A client may take what is to be written before it refuses it. */
static void on_wants(struct ider *s, const uint8_t *p)
{
	uint8_t whole[14 + CD_BLOCK] = { WRITTEN, 0, 0, 0, (uint8_t)s->number,
		(uint8_t)(s->number >> 8), (uint8_t)(s->number >> 16),
		(uint8_t)(s->number >> 24), [9] = p[9], p[10] };

	if (s->restart || !s->enabled)
		return;
	if (s->step == IDER_STEPS || ider_steps[s->step].wish != PROTECTED ||
		le16(p + 9) > CD_BLOCK) {
		fail(s, "it wants %u bytes that nobody writes", le16(p + 9));
		return;
	}
	s->number++;
	redir_send(s->conn, whole, 14 + (size_t)le16(p + 9));
}

static void on_reset_done(struct ider *s)
{
	if (!s->resetting) {
		fail(s, "a reset that never was is answered");
		return;
	}
	s->resetting = false;
	s->report->resets++;
	if (s->restart) {
		s->restart = false;
		start_script(s);
		return;
	}
	/* What waited behind the read that was under way is forgotten, and asked for again; so is
	 * that one, if the client did not end it. */
	if (reads(s)) {
		EVP_MD_CTX_copy_ex(s->md, s->md_done);
		if (s->queued && ider_steps[s->step].wish == ALL)
			found(s)->bytes = (uint64_t)s->done * found(s)->block_size;
	}
	s->queued = 0;
	s->next = s->done;
	if (reads(s) && s->done == found(s)->blocks)
		end_reading(s);
	else
		go_on(s);
}

void ider_boot(struct device *dev)
{
	struct ider *s = redir_session(dev, REDIR_IDER);
	static const uint8_t mask = 3;

	if (!s || !s->enabled)
		return;
	s->report->booted = dev->boot.ider_device ? "cd" : "floppy";
	if (s->resetting)
		return;
	s->resetting = s->restart = true;
	frame(s, RESET, &mask, 1);
}

/* --- The session. ----------------------------------------------------------------------------- */

static void open_ider(struct ider *s, const uint8_t *p)
{
	uint32_t size = s->dev->knobs.ider_readbfr ? s->dev->knobs.ider_readbfr : 8192;
	uint8_t reply[22] = { 1, 0, (uint8_t)s->dev->profile->major, 0, [8] = (uint8_t)size,
		(uint8_t)(size >> 8), (uint8_t)size, (uint8_t)(size >> 8), [17] = 0x57, 1 };

	if ((le16(p + 8) < 10000 || (le16(p + 12) && le16(p + 12) < 1000) || p[14] != 1) &&
		!odd(s, "times or version of an opening are out of range"))
		return;
	s->open = true;
	frame(s, OPENED, reply, sizeof(reply));
}

static void set_features(struct ider *s, const uint8_t *p)
{
	uint8_t reply[5] = { p[8], p[8] == 3 ? 1 : p[8] == 2 ? 2 * s->enabled : 1 };

	frame(s, FEATURES_REPLY, reply, sizeof(reply));
	if (p[8] != 3 || s->enabled == (p[9] & ENABLED))
		return;
	s->enabled = p[9] & ENABLED;
	if (s->enabled && (p[9] & WHEN) == WHEN)
		start_script(s);
}

static void act(struct ider *s, const uint8_t *p, size_t n)
{
	switch (p[0]) {
	case OPEN:
		open_ider(s, p);
		break;
	case CLOSE:
		frame(s, CLOSED, NULL, 0);
		redir_hang_up(s->conn);
		break;
	case PING:
		frame(s, PONG, NULL, 0);
		break;
	case PONG:
		s->dev->counters.ider_pongs++;
		break;
	case RESET_DONE:
		on_reset_done(s);
		break;
	case FEATURES:
		set_features(s, p);
		break;
	case COMMAND_END:
		on_end(s, p);
		break;
	case WANTS:
		on_wants(s, p);
		break;
	case DATA:
		on_data(s, p, n - 34);
		break;
	default:
		break;
	}
}

/* 0: more is needed to know; SIZE_MAX: that is no frame. */
static size_t length(const struct ider *s, const uint8_t *p, size_t n)
{
	if (!s->open && p[0] != OPEN)
		return SIZE_MAX;
	switch (p[0]) {
	case OPEN:
		return s->open ? SIZE_MAX : 18;
	case CLOSE:
	case PING:
	case PONG:
	case RESET_DONE:
		return 8;
	case HEARTBEAT:
		return s->dev->knobs.ider_lenient ? 8 : SIZE_MAX;
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
		fail(s, "frame %02X is out of place", p[0]);
		return n;
	}
	if (!len || n < len)
		return 0;
	uint32_t number = le16(p + 4) | (uint32_t)le16(p + 6) << 16;

	if (number != s->expected &&
		!odd(s, "frame %02X has number %u, not %u", p[0], number, s->expected))
		return n;
	s->expected = number + 1;
	act(s, p, len);
	(void)c;
	return len;
}

static void *begin(struct redir_conn *c)
{
	struct ider *s = xcalloc(1, sizeof(*s));

	s->conn = c;
	s->dev = redir_device(c);
	if (!s->dev->ider)
		s->dev->ider = xcalloc(1, sizeof(*s->dev->ider));
	s->report = s->dev->ider;
	*s->report = (struct ider_report){ .state = "idle", .booted = "" };
	s->md = EVP_MD_CTX_new();
	s->md_done = EVP_MD_CTX_new();
	s->step = IDER_STEPS;
	uv_timer_init(&s->dev->sim->loop, &s->timer);
	s->timer.data = s;
	return s;
}

static void on_closed(uv_handle_t *handle)
{
	struct ider *s = handle->data;

	EVP_MD_CTX_free(s->md);
	EVP_MD_CTX_free(s->md_done);
	free(s);
}

static void end(void *session)
{
	struct ider *s = session;

	s->conn = NULL;
	uv_close((uv_handle_t *)&s->timer, on_closed);
}

const struct redir_protocol redir_ider = {
	.name = "IDER",
	.magic = "IDER",
	.begin = begin,
	.take = take,
	.end = end,
};

/* --- Knobs. ----------------------------------------------------------------------------------- */

/* It reads no answers either, until it is told to drain: or a quick client would keep up with it.
 */
static void flood(struct ider *s)
{
	uint8_t p[20] = { 0, 1, [6] = 0x10, 0xA0, 0x28, [16] = 32 };

	s->enabled = false;
	redir_pause(s->conn, true);
	for (int i = 0; i < 4 * QUEUE_MAX; i++)
		frame(s, COMMAND, p, sizeof(p));
}

/* START STOP UNIT for the CD, by somebody at the machine. Only where no script runs. */
static void move_tray(struct ider *s, bool in)
{
	uint8_t p[20] = { 0, 0, 0, 0, 0, 0, 0x10, 0xA0, 0x1B, [12] = in ? 3 : 2 };

	s->tray++;
	frame(s, COMMAND, p, sizeof(p));
}

bool ider_set_send(struct device *dev, struct str value)
{
	static const uint8_t nothing[4];
	struct ider *s = redir_session(dev, REDIR_IDER);

	if (!s || !s->open)
		return false;
	uint8_t bare = str_is(value, "ping")        ? PING
		       : str_is(value, "heartbeat") ? HEARTBEAT
		       : str_is(value, "unknown")   ? 0x99
		       : str_is(value, "close")     ? CLOSED
						    : 0;
	if (bare)
		frame(s, bare, NULL, 0);
	else if (str_is(value, "error"))
		frame(s, ERROR, nothing, 3);
	else if (str_is(value, "interleave"))
		redir_send(s->conn, "\x2A\0\0\0\0\0\0\0\2\0hi", 12);
	else if (str_is(value, "eject") || str_is(value, "load"))
		move_tray(s, str_is(value, "load"));
	else if (str_is(value, "flood"))
		flood(s);
	else if (str_is(value, "drain"))
		redir_pause(s->conn, false);
	else if (str_is(value, "truncate"))
		frame(s, COMMAND, nothing, 4);
	else if (str_is(value, "number"))
		s->number += 7;
	else
		return false;
	if (str_is(value, "number"))
		frame(s, PING, NULL, 0);
	if (str_is(value, "truncate"))
		redir_hang_up(s->conn);
	return true;
}
