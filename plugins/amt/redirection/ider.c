/* SPDX-License-Identifier: Apache-2.0 */
#include "redirection/ider.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <powerctl/log.h>
#include <powerctl/mem.h>

#include "redirection/scsi.h"
#include "redirection/session.h"

/* What peers ask for. The device ends a session that is silent for RX_TIMEOUT_MS. */
#define RX_TIMEOUT_MS 30000u
#define HEARTBEAT_MS  20000u
#define PING_MS       ((uint64_t)10000)
/* A device that says nothing for so long, not even its heartbeat, is gone. */
#define SILENCE_MS ((uint64_t)60000)

/* Reads that may wait. A machine has one under way for each drive, as ATAPI knows no queues. */
#define READS_MAX 64u
/* What is made at a time: the machine works on the first part while the next is made. */
#define BATCH_FRAMES 4u
#define BATCH_MAX    ((size_t)BATCH_FRAMES * (IDER_CHUNK_MAX + 64))
/* After so many others have their turn. */
#define BATCHES 8u

enum { FLOPPY, CD, DRIVES };
static const uint8_t drive_names[DRIVES] = { IDER_FLOPPY, IDER_CD };
static const char *const drive_words[DRIVES] = { "floppy", "CD" };

struct drive {
	struct scsi_drive scsi;
	struct image *image;
	uint64_t sent; /* bytes of it */
	bool complained;
};

struct reading {
	uint8_t drive;
	bool dma;
	uint64_t at, end; /* bytes of its image */
};

struct ider {
	struct session session;
	struct drive drives[DRIVES];
	uint32_t number, expected; /* of the next frame of ours, and of the device's */
	size_t chunk;              /* bytes that one frame may carry */
	struct reading reads[READS_MAX];
	size_t first, waiting; /* reads[first] is under way */
	bool reset;            /* to be answered when that has ended */
	uint64_t commands, last_lba;
	struct pctl_buf out;
};

static struct ider *ider(struct session *s)
{
	return pctl_container_of(s, struct ider, session);
}

static struct ider *ider_of(struct pctl_session *user)
{
	return ider(pctl_container_of(user, struct session, user));
}

/* --- What is sent. ---------------------------------------------------------------------------- */

/* A device that asks and does not take the answers is not waited for. */
static void transmit(struct ider *s)
{
	session_send_all(&s->session, &s->out);
}

static void send_short(struct ider *s, uint8_t command)
{
	frame_put_short(&s->out, command, s->number++);
	transmit(s);
}

static void put_end(struct ider *s, uint8_t drive, const struct frame_sense *sense)
{
	frame_put_ider_end(&s->out, s->number++, drive_names[drive], sense);
}

static void complain(struct ider *s, struct drive *d, const struct pctl_error *err)
{
	if (!d->complained)
		session_note(&s->session, err->text);
	d->complained = true;
}

/* Puts the next part of a read into out. 1: it has ended; 0: not yet; negative: nothing is there
 * now. */
static int put_part(struct ider *s, struct reading *r)
{
	struct drive *d = &s->drives[r->drive];
	struct pctl_error err = { 0 };
	const uint8_t *data;
	uint64_t left = r->end - r->at;

	int64_t n =
		image_read(d->image, r->at, left < s->chunk ? (size_t)left : s->chunk, &data, &err);
	if (n == 0)
		return -1;
	if (n < 0) {
		complain(s, d, &err);
		put_end(s, r->drive, &scsi_unreadable);
		return 1;
	}
	r->at += (uint64_t)n;
	d->sent += (uint64_t)n;
	frame_put_ider_data(&s->out, s->number++, drive_names[r->drive], r->dma, r->at == r->end,
		data, (size_t)n);
	return r->at == r->end;
}

static void answer_reset(struct ider *s)
{
	s->reset = false;
	for (size_t i = 0; i < DRIVES; i++)
		s->drives[i].scsi.told = false;
	frame_put_short(&s->out, FRAME_IDER_RESET_DONE, s->number++);
}

static void put_batch(struct ider *s)
{
	for (unsigned frames = 0; s->waiting && frames < BATCH_FRAMES; frames++) {
		int r = put_part(s, &s->reads[s->first]);
		if (r < 0)
			break;
		if (r == 0)
			continue;
		s->first = (s->first + 1) % READS_MAX;
		s->waiting--;
		if (s->reset)
			answer_reset(s);
	}
}

/* As much of what is to be read as there is, while what was made before leaves at once. */
static void pump(struct ider *s)
{
	for (unsigned n = 0;
		n < BATCHES && s->session.state == SESSION_OPEN && !wire_queued(s->session.wire);
		n++) {
		put_batch(s);
		if (!s->out.len)
			break;
		transmit(s);
	}
}

static void on_ready(void *data)
{
	pump(data);
}

/* --- What comes. ------------------------------------------------------------------------------ */

static void add_read(struct ider *s, uint8_t drive, bool dma, const struct scsi_answer *answer)
{
	uint32_t block = scsi_block(&s->drives[drive].scsi);
	uint64_t at = (uint64_t)answer->lba * block;

	if (s->waiting == READS_MAX) {
		session_fail(&s->session, PCTL_E_PROTOCOL,
			"it asks for more at a time than drives can be asked for");
		return;
	}
	s->reads[(s->first + s->waiting++) % READS_MAX] = (struct reading){
		.drive = drive, .dma = dma, .at = at, .end = at + (uint64_t)answer->count * block
	};
	if (drive == CD)
		s->last_lba = answer->lba + answer->count - 1;
	pump(s);
}

static void tell_tray(struct ider *s, uint8_t drive, bool ejected)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "the machine has %s the %s",
		ejected ? "ejected" : "loaded", drive_words[drive]);
	session_note(&s->session, text);
}

static void on_command(struct ider *s, const struct frame *frame)
{
	struct frame_ider_command c = frame_read_ider_command(frame);
	uint8_t drive = c.drive == IDER_CD ? CD : FLOPPY;
	struct scsi_answer answer;

	s->commands++;
	scsi_run(&s->drives[drive].scsi, c.cdb, &answer);
	switch (answer.what) {
	case SCSI_READ:
		add_read(s, drive, c.dma, &answer);
		return;
	case SCSI_DATA:
		for (size_t at = 0, n; at < answer.len; at += n) {
			n = answer.len - at < s->chunk ? answer.len - at : s->chunk;
			frame_put_ider_data(&s->out, s->number++, c.drive, c.dma,
				at + n == answer.len, answer.data + at, n);
		}
		break;
	case SCSI_ENDED:
		put_end(s, drive, &answer.sense);
		break;
	}
	transmit(s);
	if (s->session.state == SESSION_OPEN && (answer.ejected || answer.loaded))
		tell_tray(s, drive, answer.ejected);
}

/* What is under way is ended first; what waits behind it, the machine has forgotten. */
static void on_reset(struct ider *s)
{
	if (s->waiting > 1)
		s->waiting = 1;
	s->reset = true;
	if (s->waiting)
		return;
	answer_reset(s);
	transmit(s);
}

static void on_device_error(struct ider *s, const struct frame *frame)
{
	struct pctl_error err = { 0 };

	(void)pctl_error_set(&err, PCTL_E_REFUSED, "the device reports an error of its IDER");
	(void)pctl_error_device_code(&err, "IDER error %u", frame->data[8]);
	session_end(&s->session, &err);
}

/* False: it is not what may come now, and the session is over. */
static bool check_number(struct ider *s, const struct frame *frame)
{
	uint32_t number = frame_ider_sequence(frame);

	if (number == s->expected++)
		return true;
	session_fail(&s->session, PCTL_E_PROTOCOL,
		"a frame of IDER is lost: number %" PRIu32 " came, where %" PRIu32 " is due",
		number, s->expected - 1);
	return false;
}

static void on_frame(struct session *session, const struct frame *frame)
{
	struct ider *s = ider(session);

	if (!check_number(s, frame))
		return;
	switch (frame->command) {
	case FRAME_IDER_COMMAND:
		on_command(s, frame);
		break;
	case FRAME_IDER_PING:
		send_short(s, FRAME_IDER_PONG);
		break;
	case FRAME_IDER_RESET:
		on_reset(s);
		break;
	case FRAME_IDER_ERROR:
		on_device_error(s, frame);
		break;
	case FRAME_IDER_CLOSED:
		session_end(session, NULL);
		break;
	case FRAME_IDER_OPENED:
		session_fail(session, PCTL_E_PROTOCOL, "it opens IDER a second time");
		break;
	default: /* heartbeats, pongs, what was written though nothing was asked for */
		break;
	}
}

static void on_room(struct session *session)
{
	pump(ider(session));
}

/* --- What is asked of it. --------------------------------------------------------------------- */

static void put_farewell(struct session *session, struct pctl_buf *out)
{
	frame_put_short(out, FRAME_IDER_CLOSE, ider(session)->number++);
}

static void tell_drive(struct pctl_value *list, const struct drive *d, const char *name)
{
	struct pctl_value *map = pctl_value_new_map();

	pctl_value_set_text(map, "drive", name);
	pctl_value_set_bool(map, "inserted", d->scsi.present);
	pctl_value_set_text(map, "image", image_path(d->image));
	pctl_value_set_int(map, "size", (int64_t)image_size(d->image));
	pctl_value_set_int(map, "read", (int64_t)d->sent);
	pctl_value_add(list, map);
}

static void tell_facts(struct session *session, struct pctl_value *facts)
{
	const struct ider *s = ider(session);
	struct pctl_value *drives = pctl_value_new_list();

	if (s->drives[CD].image)
		tell_drive(drives, &s->drives[CD], "cd");
	if (image_path(s->drives[FLOPPY].image)) /* else it is the empty one */
		tell_drive(drives, &s->drives[FLOPPY], "floppy");
	pctl_value_set(facts, "drives", drives);
	pctl_value_set_int(facts, "commands", (int64_t)s->commands);
	pctl_value_set_int(facts, "last_lba", (int64_t)s->last_lba);
}

/* Brings the facts up to date. */
static int tell_progress(struct pctl_session *session, const char *arg, struct pctl_error *err)
{
	(void)arg, (void)err;
	tell_facts(&ider_of(session)->session, session->facts);
	return 0;
}

static int eject(struct pctl_session *session, const char *arg, struct pctl_error *err)
{
	struct ider *s = ider_of(session);
	struct drive *d = &s->drives[arg && strcmp(arg, "floppy") == 0 ? FLOPPY : CD];

	if (arg && strcmp(arg, "floppy") != 0 && strcmp(arg, "cd") != 0)
		return pctl_error_set(err, PCTL_E_CONFIG, "'%s' is no drive: cd or floppy", arg);
	if (!scsi_remove(&d->scsi))
		return pctl_error_set(err, PCTL_E_STATE, "nothing is in that drive");
	return 0;
}

static const struct pctl_control controls[] = {
	{ .size = sizeof(struct pctl_control),
		.name = "progress",
		.help = "brings drives, commands and last_lba of the facts up to date",
		.run = tell_progress },
	{ .size = sizeof(struct pctl_control),
		.name = "eject",
		.help = "takes the medium out of a drive: cd or floppy",
		.run = eject },
	{ .name = NULL },
};

/* --- Opening. --------------------------------------------------------------------------------- */

static void on_beat(struct session *session)
{
	send_short(ider(session), FRAME_IDER_PING);
}

static void on_opened(struct ider *s, const struct frame *frame)
{
	struct frame_ider_opened opened;
	struct pctl_error err = { 0 };

	if (s->chunk) {
		session_fail(&s->session, PCTL_E_PROTOCOL, "it opens IDER a second time");
		return;
	}
	if (frame_read_ider_opened(frame, &opened, &err) < 0) {
		session_end(&s->session, &err);
		return;
	}
	s->chunk = opened.read_size;
	frame_put_ider_features(&s->out, s->number++, IDER_ENABLED | IDER_NOW);
	transmit(s);
}

static void on_features(struct ider *s, const struct frame *frame)
{
	struct frame_ider_features f = frame_read_ider_features(frame);

	if (s->chunk && f.type == IDER_SET && f.value & 1)
		session_opened(&s->session);
	else
		session_fail(&s->session, PCTL_E_REFUSED,
			"it does not give the machine the drives (features %u: %" PRIu32 ")",
			f.type, f.value);
}

static void on_opening(struct session *session, const struct frame *frame)
{
	struct ider *s = ider(session);

	if (!check_number(s, frame))
		return;
	if (frame->command == FRAME_IDER_OPENED)
		on_opened(s, frame);
	else if (frame->command == FRAME_IDER_FEATURES_REPLY)
		on_features(s, frame);
	else if (frame->command == FRAME_IDER_PING)
		send_short(s, FRAME_IDER_PONG);
	else if (frame->command == FRAME_IDER_CLOSED || frame->command == FRAME_IDER_ERROR)
		session_fail(session, PCTL_E_REFUSED, "it does not begin IDE redirection");
}

static void start(struct session *session)
{
	static const struct frame_ider_open open = { .rx_timeout = RX_TIMEOUT_MS,
		.heartbeat = HEARTBEAT_MS };
	struct ider *s = ider(session);

	frame_put_ider_open(&s->out, s->number++, &open);
	transmit(s);
}

/* Without a floppy a machine may wait for one again and again, so it gets an empty one. */
static void fill_drive(struct ider *s, uint8_t drive, struct image *image)
{
	struct drive *d = &s->drives[drive];
	struct pctl_error unused;

	d->scsi.cd = drive == CD;
	d->image = image;
	if (!image && drive == FLOPPY)
		(void)image_open(
			NULL, (uint64_t)SCSI_FLOPPY_BLOCKS * SCSI_FLOPPY_BLOCK, &d->image, &unused);
	if (!d->image)
		return;
	uint32_t block = scsi_block(&d->scsi);
	d->scsi.blocks = (uint32_t)((image_size(d->image) + block - 1) / block);
	d->scsi.present = true;
	image_use(d->image, pctl_device_loop(s->session.dev->device), block, on_ready, s);
}

static void free_ider(struct session *session)
{
	struct ider *s = ider(session);

	for (size_t i = 0; i < DRIVES; i++)
		image_close(s->drives[i].image);
	pctl_buf_done(&s->out);
	free(s);
}

static const struct session_kind kind = {
	.what = REDIRECTION_IDER,
	.word = "ider",
	.name = "IDE redirection",
	.controls = controls,
	.beat_ms = PING_MS,
	.silence_ms = SILENCE_MS,
	.start = start,
	.opening = on_opening,
	.frame = on_frame,
	.room = on_room,
	.beat = on_beat,
	.tell_facts = tell_facts,
	.farewell = put_farewell,
	.goodbye = FRAME_IDER_CLOSED,
	.free = free_ider,
};

void ider_open(struct amt_dev *dev, struct pctl_op *op, const struct ider_media *media,
	struct pctl_session **ret_session)
{
	struct ider *s = pctl_xcalloc(1, sizeof(*s));

	pctl_buf_init(&s->out, BATCH_MAX);
	session_begin(&s->session, &kind, dev, op, ret_session);
	fill_drive(s, FLOPPY, media->floppy);
	fill_drive(s, CD, media->cd);
	s->session.again = media->again;
	session_start(&s->session, false);
}
