/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two drives that a machine has by IDER, as SCSI commands and their answers; no I/O. What a
 * command reads of a medium is told as blocks, for the caller to send.
 *
 * Source: SPC-4 and MMC-5 (the commands), SFF-8070i (the floppy); which of them the firmware
 * passes on, and answers that it is known to be content with: MeshCommander.
 */
#ifndef POWERCTL_AMT_REDIRECTION_SCSI_H
#define POWERCTL_AMT_REDIRECTION_SCSI_H

#include "redirection/frame.h"

#define SCSI_FLOPPY_BLOCK 512u
#define SCSI_CD_BLOCK     2048u
/* Of an ordinary floppy: 1.44 MB. */
#define SCSI_FLOPPY_BLOCKS 2880u

/* One drive. Its medium is write-protected. */
struct scsi_drive {
	bool cd;
	uint32_t blocks; /* of the medium */
	bool present;    /* there is one */
	bool told;       /* the machine knows that it was changed */
	bool removed;    /* it was taken out for good: the machine cannot load it again */
};

static inline uint32_t scsi_block(const struct scsi_drive *drive)
{
	return drive->cd ? SCSI_CD_BLOCK : SCSI_FLOPPY_BLOCK;
}

/* Takes the medium out, from where the machine has ejected it as well. False: there is none. */
bool scsi_remove(struct scsi_drive *drive);

#define SCSI_ANSWER_MAX 96u

struct scsi_answer {
	enum {
		SCSI_ENDED, /* sense says how */
		SCSI_DATA,  /* these go to the machine, at least one byte */
		SCSI_READ,  /* count blocks from lba on, at least one, all of them on the medium */
	} what;
	struct frame_sense sense;
	uint8_t data[SCSI_ANSWER_MAX];
	size_t len;
	uint32_t lba, count;
	bool ejected, loaded; /* the machine asked for that, and it is so now */
};

/* Does a command. Takes any twelve bytes. */
void scsi_run(struct scsi_drive *drive, const uint8_t cdb[12], struct scsi_answer *ret);

/* What is answered where the medium cannot be read. */
extern const struct frame_sense scsi_unreadable;

#endif
