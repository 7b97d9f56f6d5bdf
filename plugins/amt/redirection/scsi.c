/* SPDX-License-Identifier: Apache-2.0 */
#include "redirection/scsi.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct frame_sense no_medium = { 0x02, 0x3A, 0x00 };
static const struct frame_sense invalid_command = { 0x05, 0x20, 0x00 };
static const struct frame_sense out_of_range = { 0x05, 0x21, 0x00 };
static const struct frame_sense invalid_field = { 0x05, 0x24, 0x00 };
static const struct frame_sense changed = { 0x06, 0x28, 0x00 };
static const struct frame_sense write_protected = { 0x07, 0x27, 0x00 };
const struct frame_sense scsi_unreadable = { 0x03, 0x11, 0x00 };

/* --- Pages of MODE SENSE(10), with the head before them. ---------------------------------------
 */

#define BYTES(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

#define Z4  0, 0, 0, 0
#define Z6  Z4, 0, 0
#define Z7  Z6, 0
#define Z10 Z6, Z4
#define Z12 Z6, Z6

struct page {
	uint8_t code;
	const uint8_t *data;
	size_t len;
};

#define CD_HEAD(len)  0, (len), 0x01, 0x80, Z4
#define CD_ERRORS     0x01, 0x06, 0x00, 0xFF, Z4
#define CD_CAN(speed) 0x2A, 0x18, Z4, (speed), Z6, 0x80, Z12

static const struct page cd_pages[] = {
	{ 0x01, BYTES(CD_HEAD(0x0E), CD_ERRORS) },
	{ 0x1A, BYTES(CD_HEAD(0x12), 0x1A, 0x0A, Z10) },
	{ 0x1D, BYTES(CD_HEAD(0x12), 0x1D, 0x0A, Z10) },
	{ 0x2A, BYTES(CD_HEAD(0x20), CD_CAN(0x20)) },
	{ 0x3F, BYTES(CD_HEAD(0x28), CD_ERRORS, CD_CAN(0x02)) },
};

#define F_HEAD(len, type) 0, (len), (type), 0x80, Z4
#define F_ERRORS          0x01, 0x0A, 0x00, 0x01, Z4, 0x02, 0, 0, 0
#define F_FORMAT          0x03, 0x16, 0x00, 0xA0, Z4, 0, 0x12, 0x02, Z7, 0xA0, 0, 0, 0
#define F_144             0x05, 0x1E, 0x04, 0xB0, 0x02, 0x12, 0x02, 0, 0, 0x50
#define F_120             0x05, 0x1E, 0x10, 0xA9, 0x08, 0x20, 0x02, 0, 0x03, 0xC3
#define F_REST            Z10, 0x28, Z7, 0x02, 0xD0, 0, 0
#define F_LAST            0x08, 0x0A, Z10, 0x0B, 0x06, 0, 0, 0, 0x11, 0x24, 0x31

static const struct page floppy_pages[] = {
	{ 0x01, BYTES(F_HEAD(0x12, 0x24), F_ERRORS) },
	{ 0x05, BYTES(F_HEAD(0x26, 0x24), F_144, F_REST) },
	{ 0x3F, BYTES(F_HEAD(0x5C, 0x24), F_ERRORS, F_FORMAT, F_144, F_REST, F_LAST) },
};

/* What is larger than a floppy is an LS-120. */
static const struct page large_pages[] = {
	{ 0x01, BYTES(F_HEAD(0x12, 0x31), F_ERRORS) },
	{ 0x05, BYTES(F_HEAD(0x26, 0x31), F_120, F_REST) },
	{ 0x3F, BYTES(F_HEAD(0x5C, 0x31), F_ERRORS, F_FORMAT, F_120, F_REST, F_LAST) },
};

/* --- Features of GET CONFIGURATION. ----------------------------------------------------------- */

static const struct {
	uint16_t code;
	uint8_t data[12];
	uint8_t len;
} features[] = {
	{ 0x0000, { 0x00, 0x00, 0x03, 0x04, 0x00, 0x08, 0x01, 0x00 }, 8 },
	{ 0x0001, { 0x00, 0x01, 0x03, 0x04, 0x00, 0x00, 0x00, 0x02 }, 8 },
	{ 0x0002, { 0x00, 0x02, 0x03, 0x04 }, 8 },
	{ 0x0003, { 0x00, 0x03, 0x03, 0x04, 0x29, 0x00, 0x00, 0x02 }, 8 },
	{ 0x0010, { 0x00, 0x10, 0x01, 0x08, 0x00, 0x00, 0x08, 0x00, 0x00, 0x01 }, 12 },
	{ 0x001E, { 0x00, 0x1E, 0x03, 0x00 }, 4 },
	{ 0x0100, { 0x01, 0x00, 0x03, 0x00 }, 4 },
	{ 0x0105, { 0x01, 0x05, 0x03, 0x00 }, 4 },
};

/* --- Answers. --------------------------------------------------------------------------------- */

static uint32_t get_be(const uint8_t *p, size_t size)
{
	uint32_t n = 0;

	while (size--)
		n = n << 8 | *p++;
	return n;
}

static void put_be(uint8_t *p, uint32_t n)
{
	for (int i = 3; i >= 0; i--, n >>= 8)
		p[i] = (uint8_t)n;
}

static void fail(struct scsi_answer *ret, const struct frame_sense *sense)
{
	ret->what = SCSI_ENDED;
	ret->sense = *sense;
}

/* No more than the machine has room for; nothing is an end without data. */
static void answer(struct scsi_answer *ret, const uint8_t *data, size_t len, size_t room)
{
	ret->len = len < room ? len : room;
	memcpy(ret->data, data, ret->len);
	ret->what = ret->len ? SCSI_DATA : SCSI_ENDED;
}

typedef void run_fn(struct scsi_drive *drive, const uint8_t *cdb, struct scsi_answer *ret);

static void run_ready(struct scsi_drive *d, const uint8_t *cdb, struct scsi_answer *ret)
{
	(void)cdb;
	if (!d->present)
		fail(ret, &no_medium);
	else if (!d->told)
		fail(ret, &changed);
	d->told = d->present;
}

static void run_well(struct scsi_drive *d, const uint8_t *cdb, struct scsi_answer *ret)
{
	(void)d, (void)cdb, (void)ret;
}

static void run_write(struct scsi_drive *d, const uint8_t *cdb, struct scsi_answer *ret)
{
	(void)cdb;
	fail(ret, d->present ? &write_protected : &no_medium);
}

static void read_blocks(
	const struct scsi_drive *d, uint32_t lba, uint32_t count, struct scsi_answer *ret)
{
	if (!d->present) {
		fail(ret, &no_medium);
	} else if (lba > d->blocks || count > d->blocks - lba) {
		fail(ret, &out_of_range);
	} else if (count) {
		ret->what = SCSI_READ;
		ret->lba = lba;
		ret->count = count;
	}
}

static void run_read6(struct scsi_drive *d, const uint8_t *cdb, struct scsi_answer *ret)
{
	read_blocks(d, get_be(cdb + 1, 3) & 0x1FFFFF, cdb[4] ? cdb[4] : 256, ret);
}

static void run_read10(struct scsi_drive *d, const uint8_t *cdb, struct scsi_answer *ret)
{
	read_blocks(d, get_be(cdb + 2, 4), get_be(cdb + 7, 2), ret);
}

static void run_read12(struct scsi_drive *d, const uint8_t *cdb, struct scsi_answer *ret)
{
	read_blocks(d, get_be(cdb + 2, 4), get_be(cdb + 6, 4), ret);
}

static void run_mode_sense6(struct scsi_drive *d, const uint8_t *cdb, struct scsi_answer *ret)
{
	const uint8_t reply[] = { 0x00, d->cd ? 0x05 : 0x00, 0x80, 0x00 };

	if ((cdb[2] & 0x3F) != 0x3F || cdb[3])
		fail(ret, &invalid_field);
	else
		answer(ret, reply, sizeof(reply), cdb[4]);
}

static void run_mode_sense10(struct scsi_drive *d, const uint8_t *cdb, struct scsi_answer *ret)
{
	bool large = d->blocks > SCSI_FLOPPY_BLOCKS;
	const struct page *pages = d->cd ? cd_pages : large ? large_pages : floppy_pages;
	size_t n = d->cd ? COUNT(cd_pages) : COUNT(floppy_pages);

	for (size_t i = 0; i < n; i++) {
		if (pages[i].code != (cdb[2] & 0x3F))
			continue;
		answer(ret, pages[i].data, pages[i].len, get_be(cdb + 7, 2));
		return;
	}
	fail(ret, &invalid_field);
}

/* The machine's own wish to have the tray open, or shut again. */
static void run_start_stop(struct scsi_drive *d, const uint8_t *cdb, struct scsi_answer *ret)
{
	bool moves = cdb[4] & 2, in = cdb[4] & 1;

	if (!moves || !d->blocks || d->removed || d->present == in)
		return;
	d->present = in;
	d->told = false;
	ret->ejected = !in;
	ret->loaded = in;
}

bool scsi_remove(struct scsi_drive *d)
{
	if (!d->blocks || d->removed)
		return false;
	d->removed = true;
	d->present = d->told = false;
	return true;
}

static void run_format_capacities(struct scsi_drive *d, const uint8_t *cdb, struct scsi_answer *ret)
{
	uint8_t reply[12] = { 0, 0, 0, 8, 0, 0, 0, 0, 0x02, 0x00, 0x02, 0x00 };

	put_be(reply + 4, d->blocks);
	if (d->cd)
		fail(ret, &invalid_command);
	else if (!d->present)
		fail(ret, &no_medium);
	else
		answer(ret, reply, sizeof(reply), get_be(cdb + 7, 2));
}

static void run_capacity(struct scsi_drive *d, const uint8_t *cdb, struct scsi_answer *ret)
{
	uint8_t reply[8];

	(void)cdb;
	put_be(reply, d->blocks - 1);
	put_be(reply + 4, scsi_block(d));
	if (!d->present)
		fail(ret, &no_medium);
	else
		answer(ret, reply, sizeof(reply), sizeof(reply));
}

static void run_toc(struct scsi_drive *d, const uint8_t *cdb, struct scsi_answer *ret)
{
	static const uint8_t blocks[] = { 0x00, 0x12, 0x01, 0x01, 0x00, 0x14, 0x01, 0x00, Z4, 0x00,
		0x14, 0xAA, 0x00, Z4 };
	static const uint8_t minutes[] = { 0x00, 0x12, 0x01, 0x01, 0x00, 0x14, 0x01, 0x00, 0x00,
		0x00, 0x02, 0x00, 0x00, 0x14, 0xAA, 0x00, 0x00, 0x00, 0x34, 0x13 };
	static const uint8_t session[] = { 0x00, 0x0A, 0x01, 0x01, 0x00, 0x14, 0x01, 0x00, Z4 };
	/* Its place in MMC-5, and the one of SFF-8020i, which older drivers use. */
	unsigned format = cdb[2] & 0x0F ? cdb[2] & 0x0F : cdb[9] >> 6;
	size_t room = get_be(cdb + 7, 2);

	if (!d->cd)
		fail(ret, &invalid_command);
	else if (!d->present)
		fail(ret, &no_medium);
	else if (format == 1)
		answer(ret, session, sizeof(session), room);
	else if (format != 0)
		fail(ret, &invalid_field);
	else if (cdb[1] & 2)
		answer(ret, minutes, sizeof(minutes), room);
	else
		answer(ret, blocks, sizeof(blocks), room);
}

/* All features from one on (RT 0 and 1), or just that one (RT 2). */
static void run_configuration(struct scsi_drive *d, const uint8_t *cdb, struct scsi_answer *ret)
{
	uint32_t first = get_be(cdb + 2, 2), rt = cdb[1] & 3;
	uint8_t reply[SCSI_ANSWER_MAX] = { 0 };
	size_t len = 8;

	for (size_t i = 0; i < COUNT(features); i++) {
		if (features[i].code < first || (rt == 2 && features[i].code != first))
			continue;
		memcpy(reply + len, features[i].data, features[i].len);
		len += features[i].len;
	}
	put_be(reply, (uint32_t)len - 4);
	put_be(reply + 4, 8); /* the profile of a CD-ROM */
	if (d->cd)
		answer(ret, reply, len, get_be(cdb + 7, 2));
	else
		fail(ret, &invalid_command);
}

static void run_event(struct scsi_drive *d, const uint8_t *cdb, struct scsi_answer *ret)
{
	const uint8_t reply[] = { 0x00, d->present ? 0x02 : 0x00, 0x80, 0x00 };

	/* Only when asked at once, and about the medium. */
	if (!(cdb[1] & 1) || !(cdb[4] & 0x10))
		fail(ret, &invalid_field);
	else
		answer(ret, reply, sizeof(reply), get_be(cdb + 7, 2));
}

static void run_performance(struct scsi_drive *d, const uint8_t *cdb, struct scsi_answer *ret)
{
	static const uint8_t reply[] = { 0x00, 0x00, 0x00, 0x04, 0x02, 0x00, 0x00, 0x00 };

	(void)d, (void)cdb;
	answer(ret, reply, sizeof(reply), sizeof(reply));
}

static const struct {
	uint8_t operation;
	run_fn *run;
} commands[] = {
	{ 0x00, run_ready },
	{ 0x08, run_read6 },
	{ 0x0A, run_write },
	{ 0x1A, run_mode_sense6 },
	{ 0x1B, run_start_stop },
	{ 0x1E, run_well }, /* PREVENT ALLOW MEDIUM REMOVAL */
	{ 0x23, run_format_capacities },
	{ 0x25, run_capacity },
	{ 0x28, run_read10 },
	{ 0x2A, run_write },
	{ 0x2E, run_write }, /* WRITE AND VERIFY */
	{ 0x43, run_toc },
	{ 0x46, run_configuration },
	{ 0x4A, run_event },
	{ 0x5A, run_mode_sense10 },
	{ 0xA8, run_read12 },
	{ 0xAC, run_performance },
};

void scsi_run(struct scsi_drive *drive, const uint8_t cdb[12], struct scsi_answer *ret)
{
	*ret = (struct scsi_answer){ .what = SCSI_ENDED };
	for (size_t i = 0; i < COUNT(commands); i++) {
		if (commands[i].operation != cdb[0])
			continue;
		commands[i].run(drive, cdb, ret);
		return;
	}
	fail(ret, &invalid_command);
}
