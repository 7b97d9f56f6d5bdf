/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever commands a machine sends by IDE redirection: no answer is longer than the room that the
 * command names, or than an answer can be, and what is to be read lies on the medium. The frames
 * they come in are cut as the reader cuts them.
 */
#include "fuzz.h"
#include "redirection/scsi.h"

static size_t room_of(const uint8_t *cdb)
{
	switch (cdb[0]) {
	case 0x1A:
		return cdb[4];
	case 0x23:
	case 0x43:
	case 0x46:
	case 0x4A:
	case 0x5A:
		return (size_t)cdb[7] << 8 | cdb[8];
	default:
		return SCSI_ANSWER_MAX;
	}
}

static void check(const struct scsi_drive *d, const uint8_t *cdb, const struct scsi_answer *a)
{
	switch (a->what) {
	case SCSI_ENDED:
		require(a->sense.key < 16);
		break;
	case SCSI_DATA:
		require(a->len && a->len <= sizeof(a->data) && a->len <= room_of(cdb));
		break;
	case SCSI_READ:
		require(d->present && a->count && (uint64_t)a->lba + a->count <= d->blocks);
		break;
	}
}

/* What an answer becomes is a frame that its reader takes. */
static void frame_it(struct frame_reader *reader, const struct scsi_answer *a, bool dma)
{
	struct pctl_buf out;
	struct pctl_error err;
	struct frame frame;
	size_t used;

	pctl_buf_init(&out, 4096);
	if (a->what == SCSI_DATA)
		frame_put_ider_data(&out, 0, IDER_CD, dma, true, a->data, a->len);
	else
		frame_put_ider_end(&out, 0, IDER_FLOPPY, &a->sense);
	require(frame_reader_feed(reader, out.data, out.len, &used, &frame, &err) == 1);
	require(used == out.len && frame.len == out.len);
	pctl_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scsi_drive drives[2] = { { .blocks = 2880, .present = true },
		{ .cd = true, .blocks = 5000, .present = true } };
	struct frame_reader in, out;
	struct pctl_error err;
	struct frame frame;

	frame_reader_init(&in, FRAME_FROM_DEVICE);
	frame_reader_init(&out, FRAME_FROM_US);
	in.speech = out.speech = SPEECH_IDER;
	while (size) {
		size_t used = 0;
		int r = frame_reader_feed(&in, data, size, &used, &frame, &err);
		if (r < 0)
			break;
		data += used;
		size -= used;
		if (r == 0 || frame.command != FRAME_IDER_COMMAND)
			continue;
		struct frame_ider_command c = frame_read_ider_command(&frame);
		struct scsi_drive *d = &drives[c.drive == IDER_CD];
		struct scsi_answer a;
		scsi_run(d, c.cdb, &a);
		check(d, c.cdb, &a);
		frame_it(&out, &a, c.dma);
	}
	frame_reader_done(&in);
	frame_reader_done(&out);
	return 0;
}
