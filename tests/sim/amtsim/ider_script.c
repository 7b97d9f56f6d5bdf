/* SPDX-License-Identifier: Apache-2.0 */
#include "ider_script.h"

#include <stdio.h>
#include <string.h>

#include "sim.h"

enum {
	RESET = 0x46,
	COMMAND = 0x50,
	WRITTEN = 0x53,

	COMPLETED = 2,
	DMA = 1,

	LENIENT_MS = 50,
	CD_BLOCK = 2048,
	MIXED_BLOCKS = 23, /* the most of one read of the second pattern */
};

/* What a command is to end with. */
enum wish {
	GOOD,
	SOME,      /* data, at least one byte */
	ATTENTION, /* a medium that is new, or none */
	UNKNOWN,   /* an invalid command */
	RANGE,
	PROTECTED,
	CAPACITY,
	ALL,   /* the whole medium is read, one after the other */
	MIXED, /* the same, in pieces of differing size */
};

struct step {
	bool cd;
	enum wish wish;
	uint8_t cdb[12];
};

static const struct step steps[] = {
	{ false, ATTENTION, { 0x00 } },
	{ false, GOOD, { 0x00 } },
	{ false, SOME, { 0x1A, 0, 0x3F, 0, 192 } },
	{ false, SOME, { 0x5A, 0, 0x05, [8] = 40 } },
	{ false, SOME, { 0x5A, 0, 0x3F, [8] = 192 } },
	{ false, SOME, { 0x23, [8] = 252 } },
	{ false, CAPACITY, { 0x25 } },
	{ false, UNKNOWN, { 0x43, [8] = 20 } },
	{ false, ALL, { 0x28 } },
	{ true, ATTENTION, { 0x00 } },
	{ true, GOOD, { 0x00 } },
	{ true, SOME, { 0x4A, 1, [4] = 0x10, [8] = 8 } },
	{ true, SOME, { 0x46, 0, [8] = 8 } },
	{ true, SOME, { 0x46, 2, 0, 0x1E, [8] = 192 } },
	{ true, SOME, { 0x46, 0, [8] = 192 } },
	{ true, SOME, { 0x5A, 0, 0x2A, [8] = 128 } },
	{ true, SOME, { 0x5A, 0, 0x01, [8] = 16 } },
	{ true, SOME, { 0x1A, 0, 0x3F, 0, 4 } },
	{ true, GOOD, { 0x1E, [4] = 1 } },
	{ true, SOME, { 0x43, 0, [8] = 20 } },
	{ true, SOME, { 0x43, 2, [8] = 4 } },
	{ true, SOME, { 0x43, 0, 1, [8] = 12 } },
	{ true, SOME, { 0xAC, [9] = 1 } },
	{ true, CAPACITY, { 0x25 } },
	{ true, ALL, { 0x28 } },
	{ true, GOOD, { 0x28 } },
	{ true, UNKNOWN, { 0xF7 } },
	{ true, UNKNOWN, { 0x51, [8] = 32 } },
	{ true, RANGE, { 0x28, 0, 0x7F, 0xFF, 0xFF, 0xFF, [8] = 1 } },
	{ true, PROTECTED, { 0x2A, [8] = 1 } },
	{ true, MIXED, { 0xA8 } },
	{ true, GOOD, { 0x1E } },
	{ true, GOOD, { 0x1B, [4] = 1 } },
};

void ider_fail(struct ider *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->report->error, sizeof(s->report->error), fmt, ap);
	va_end(ap);
	s->report->state = "failed";
	s->enabled = false;
	redir_hang_up(s->base.conn);
}

/*
 * What is not as it is to be, though machines are known to take it of other programs: with
 * ider_lenient it is noted, else it is over. Whether it goes on.
 */
bool ider_odd(struct ider *s, const char *fmt, ...)
{
	char text[sizeof(s->report->error)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (s->base.dev->knobs.ider_lenient)
		ider_note_odd(&s->report->odds, text);
	else
		ider_fail(s, "%s", text);
	return s->base.dev->knobs.ider_lenient;
}

/* --- Commands. -------------------------------------------------------------------------------- */

static struct ider_found *found(const struct ider *s)
{
	return steps[s->step].cd ? &s->report->cd : &s->report->floppy;
}

static void send_command(struct ider *s, const uint8_t cdb[12], size_t bytes)
{
	uint8_t p[20] = { 0, (uint8_t)s->base.dev->knobs.ider_dma, 0, 0, (uint8_t)bytes,
		(uint8_t)(bytes >> 8), steps[s->step].cd ? 0x10 : 0x00, 0xA0 };

	memcpy(p + 8, cdb, 12);
	s->report->commands++;
	s->small_n = 0;
	redir_frame(&s->base, COMMAND, p, sizeof(p));
}

static uint32_t blocks_of_read(const struct ider *s, uint32_t left)
{
	uint32_t n = s->base.dev->knobs.ider_blocks ? s->base.dev->knobs.ider_blocks : 32;

	if (steps[s->step].wish == MIXED)
		n = 1 + s->next * 7 % MIXED_BLOCKS;
	return n < left ? n : left;
}

static void send_read(struct ider *s)
{
	uint32_t n = blocks_of_read(s, found(s)->blocks - s->next);
	uint8_t cdb[12] = { steps[s->step].cdb[0], 0, (uint8_t)(s->next >> 24),
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
	return s->step < COUNT(steps) && steps[s->step].wish >= ALL;
}

static void send_reads(struct ider *s)
{
	size_t most = s->base.dev->knobs.ider_queue ? s->base.dev->knobs.ider_queue : 1;

	while (s->queued < most && s->next < found(s)->blocks)
		send_read(s);
}

static bool left_out(const struct ider *s)
{
	const struct step *step = &steps[s->step];

	if (!found(s)->present && step->wish != ATTENTION)
		return true;
	return s->base.dev->knobs.ider_script == IDER_SCRIPT_ONCE &&
	       (step->wish == MIXED || (step->wish == ALL && !step->cd));
}

static void send_step(struct ider *s)
{
	while (s->step < COUNT(steps) && left_out(s))
		s->step++;
	if (s->step == COUNT(steps)) {
		s->report->state = "done";
		return;
	}
	if (!reads(s)) {
		send_command(s, steps[s->step].cdb, 252);
		return;
	}
	if (!s->next) {
		EVP_DigestInit_ex(s->md, EVP_sha256(), NULL);
		EVP_MD_CTX_copy_ex(s->md_done, s->md);
	}
	if (!s->next && steps[s->step].wish == ALL && steps[s->step].cd)
		s->report->first_at = uv_hrtime();
	send_reads(s);
}

static void on_time(uv_timer_t *timer)
{
	struct ider *s = timer->data;

	if (s->base.conn && s->enabled && !s->resetting)
		send_step(s);
}

static void go_on(struct ider *s)
{
	if (s->base.dev->knobs.ider_delay_ms)
		uv_timer_start(&s->base.timer, on_time, s->base.dev->knobs.ider_delay_ms, 0);
	else
		send_step(s);
}

/* A machine takes its time; a client that drops what comes together with an answer, needs it. */
static void begin_script(struct ider *s)
{
	if (s->base.dev->knobs.ider_lenient)
		uv_timer_start(
			&s->base.timer, on_time, LENIENT_MS + s->base.dev->knobs.ider_delay_ms, 0);
	else
		go_on(s);
}

void ider_start(struct ider *s)
{
	struct ider_report *r = s->report;

	*r = (struct ider_report){
		.state = "idle", .booted = r->booted, .resets = r->resets, .odds = r->odds
	};
	s->queued = s->next = s->done = 0;
	s->step = COUNT(steps);
	if (s->base.dev->knobs.ider_script == IDER_SCRIPT_NONE)
		return;
	r->state = "running";
	s->step = 0;
	r->floppy.present = r->cd.present = true;
	begin_script(s);
}

void ider_rest(struct ider *s)
{
	s->step = COUNT(steps);
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
	char *text = steps[s->step].wish == ALL ? found(s)->sha256 : found(s)->again;

	EVP_DigestFinal_ex(s->md, sum, NULL);
	hex_text(sum, 32, text);
	if (steps[s->step].wish == ALL && steps[s->step].cd)
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
		ider_fail(s, "a read ended %llu bytes early", (unsigned long long)s->queue[0].left);
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
		ider_fail(s, "a capacity of %zu bytes", s->small_n);
		return;
	}
	f->blocks = be32(s->small) + 1;
	f->block_size = be32(s->small + 4);
	if (f->block_size != (steps[s->step].cd ? 2048 : 512))
		ider_fail(s, "blocks of %u bytes", f->block_size);
	else
		next_step(s);
}

static void end_data(struct ider *s)
{
	enum wish wish = steps[s->step].wish;

	if (reads(s))
		end_read(s);
	else if (wish == CAPACITY)
		take_capacity(s);
	else if (wish == SOME)
		next_step(s);
	else if (ider_odd(s, "data for command %02X", steps[s->step].cdb[0]))
		next_step(s);
}

/* Whether it goes on. */
static bool at_byte(struct ider *s)
{
	struct knobs *k = &s->base.dev->knobs;
	static const uint8_t mask = 3;

	if (!steps[s->step].cd)
		return true;
	if (k->ider_drop_at && s->report->cd.bytes >= k->ider_drop_at) {
		k->ider_drop_at = 0;
		redir_hang_up(s->base.conn);
		return false;
	}
	if (k->ider_reset_at && s->report->cd.bytes >= k->ider_reset_at) {
		k->ider_reset_at = 0;
		s->resetting = true;
		redir_frame(&s->base, RESET, &mask, 1);
	}
	return true;
}

static void take_payload(struct ider *s, const uint8_t *p, size_t n)
{
	if (reads(s)) {
		if (!s->queued || n > s->queue[0].left) {
			ider_fail(s, "more data than were asked for");
			return;
		}
		s->queue[0].left -= n;
		EVP_DigestUpdate(s->md, p, n);
		if (steps[s->step].wish == ALL)
			found(s)->bytes += n;
	} else if (s->small_n + n <= IDER_SMALL_MAX) {
		memcpy(s->small + s->small_n, p, n);
		s->small_n += n;
	} else {
		ider_fail(s, "more data than command %02X has", steps[s->step].cdb[0]);
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
	uint8_t drive = steps[s->step].cd ? 0xB0 : 0xA0;
	const uint8_t ended[8] = { 0x85, 0, 3, 0, 0, 0, drive, 0x50 };
	size_t most = s->base.dev->knobs.ider_readbfr ? s->base.dev->knobs.ider_readbfr : 8192;
	bool dma = s->base.dev->knobs.ider_dma;

	if (!n || n > most || n > 8192) {
		ider_fail(s, "a frame of %zu bytes", n);
		return false;
	}
	if ((bool)(p[3] & DMA) != dma || p[12] != (dma ? 0xB4 : 0xB5))
		return ider_odd(s, "DMA and PIO are mixed up");
	if (le16(p + 16) != (dma ? 0 : n))
		return ider_odd(s, "a byte count of %u", le16(p + 16));
	if (p[18] != drive || p[19] != 0x58 || p[14] != 2)
		return ider_odd(s, "another drive answers: %02X, status %02X", p[18], p[19]);
	if (memcmp(p + 20, is_last(p) ? ended : nothing, 8) != 0)
		return ider_odd(s, "the registers of the end are wrong");
	return true;
}

void ider_take_data(struct ider *s, const uint8_t *p, size_t n)
{
	if (s->restart)
		return;
	if (s->step == COUNT(steps) || !s->enabled) {
		if (s->enabled)
			ider_fail(s, "data that nobody asked for");
		return;
	}
	if (!check_data(s, p, n))
		return;
	take_payload(s, p + 34, n);
	if (!s->enabled)
		return;
	if (!s->resetting && !at_byte(s))
		return;
	if (is_last(p))
		end_data(s);
}

static void take_sense(struct ider *s, uint8_t key, uint8_t asc)
{
	static const struct {
		uint8_t key, asc;
	} wanted[] = { [UNKNOWN] = { 5, 0x20 }, [RANGE] = { 5, 0x21 }, [PROTECTED] = { 7, 0x27 } };
	enum wish wish = steps[s->step].wish;
	bool data = wish == SOME || wish == CAPACITY;
	bool refusal = wish >= UNKNOWN && wish <= PROTECTED;

	if (key && key != 2)
		s->report->refused++;
	if (wish == ATTENTION && key == 2 && asc == 0x3A)
		found(s)->present = false;
	else if (wish == ATTENTION && (key != 6 || asc != 0x28))
		ider_odd(s, "a new medium is told as %X/%02X", key, asc);
	else if (data || (wish == GOOD && key) ||
		 (refusal && (key != wanted[wish].key || asc != wanted[wish].asc)))
		ider_odd(s, "command %02X ended with %X/%02X", steps[s->step].cdb[0], key, asc);
	if (wish == CAPACITY)
		found(s)->present = false;
	if (s->enabled)
		next_step(s);
}

/* A read that cannot be had: as a system would, it goes on behind it. */
static void take_read_error(struct ider *s, uint8_t key, uint8_t asc)
{
	if (s->queued && key == 5 && asc == 0x20 && steps[s->step].wish == MIXED &&
		ider_odd(s, "command %02X ended with %X/%02X", steps[s->step].cdb[0], key, asc)) {
		s->next = found(s)->blocks; /* no more of them */
		drop_read(s);
		if (!s->queued)
			next_step(s);
		return;
	}
	if (!s->queued || key != 3 || asc != 0x11) {
		ider_fail(s, "a read ended with %X/%02X", key, asc);
		return;
	}
	s->report->medium_errors++;
	s->queue[0].left = 0;
	end_read(s);
}

void ider_take_end(struct ider *s, const uint8_t *p)
{
	uint8_t drive = steps[s->step % COUNT(steps)].cd ? 0xB0 : 0xA0;
	bool bad = p[27] & 1;
	bool right = bad ? p[27] == 0x51 && p[20] == 0x87 && p[21] == (uint8_t)(p[28] << 4)
			 : p[27] == 0x50 && p[20] == 0xC5;

	if (s->restart || !s->enabled || (s->tray && s->tray--))
		return;
	if (s->step == COUNT(steps)) {
		ider_fail(s, "an end that nobody waits for");
		return;
	}
	if ((p[26] != drive || p[3] != COMPLETED || p[22] != 3 || !right) &&
		!ider_odd(s, "the registers of an end are wrong"))
		return;
	if (reads(s))
		take_read_error(s, bad ? p[28] : 0, p[29]);
	else
		take_sense(s, bad ? p[28] : 0, p[29]);
}

/* A client may take what is to be written before it refuses it. */
void ider_take_wants(struct ider *s, const uint8_t *p)
{
	uint8_t whole[14 + CD_BLOCK] = { WRITTEN, 0, 0, 0, (uint8_t)s->base.number,
		(uint8_t)(s->base.number >> 8), (uint8_t)(s->base.number >> 16),
		(uint8_t)(s->base.number >> 24), [9] = p[9], p[10] };

	if (s->restart || !s->enabled)
		return;
	if (s->step == COUNT(steps) || steps[s->step].wish != PROTECTED || le16(p + 9) > CD_BLOCK) {
		ider_fail(s, "it wants %u bytes that nobody writes", le16(p + 9));
		return;
	}
	s->base.number++;
	redir_send(s->base.conn, whole, 14 + (size_t)le16(p + 9));
}

void ider_take_reset_done(struct ider *s)
{
	if (!s->resetting) {
		ider_fail(s, "a reset that never was is answered");
		return;
	}
	s->resetting = false;
	s->report->resets++;
	if (s->restart) {
		s->restart = false;
		ider_start(s);
		return;
	}
	/* What waited behind the read that was under way is forgotten, and asked for again; so is
	 * that one, if the client did not end it. */
	if (reads(s)) {
		EVP_MD_CTX_copy_ex(s->md, s->md_done);
		if (s->queued && steps[s->step].wish == ALL)
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
	redir_frame(&s->base, RESET, &mask, 1);
}

void ider_move_tray(struct ider *s, bool in)
{
	uint8_t p[20] = { 0, 0, 0, 0, 0, 0, 0x10, 0xA0, 0x1B, [12] = in ? 3 : 2 };

	s->tray++;
	redir_frame(&s->base, COMMAND, p, sizeof(p));
}
