/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The initiator of IDE redirection: it sends the commands that a BIOS and a system send, checks
 * what answers them, and keeps what it has read as checksums.
 */
#ifndef POWERCTL_AMTSIM_IDER_SCRIPT_H
#define POWERCTL_AMTSIM_IDER_SCRIPT_H

#include <openssl/evp.h>

#include "redir_ider.h"
#include "redir_session.h"

enum { IDER_QUEUE_MAX = 64, IDER_SMALL_MAX = 256 };

struct ider {
	struct redir_session base;
	struct ider_report *report;
	EVP_MD_CTX *md;
	EVP_MD_CTX *md_done; /* of the reads that have ended */
	uint32_t expected;   /* number of the next frame from there */
	bool enabled, resetting, restart;
	size_t step; /* of the script; behind its last: nothing to do */
	uint8_t small[IDER_SMALL_MAX];
	size_t small_n;
	uint32_t next; /* block that the next read begins with */
	uint32_t done; /* blocks up to here were read */
	struct {
		uint32_t lba, blocks;
		uint64_t left;
	} queue[IDER_QUEUE_MAX];
	size_t queued, tray; /* tray: commands by hand that are under way */
};

/* What the other side does is not right: it is noted, and it is over. */
void ider_fail(struct ider *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * What is not as it is to be, though machines are known to take it of other programs: with
 * ider_lenient it is noted, else it is over. Whether it goes on.
 */
bool ider_odd(struct ider *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* From its first command on; whatever was under way is forgotten. */
void ider_start(struct ider *s);
/* Nothing is under way, and nothing will be. */
void ider_rest(struct ider *s);

/* START STOP UNIT for the CD, by somebody at the machine. Only where no script runs. */
void ider_move_tray(struct ider *s, bool in);

/* Whole frames; n bytes of a frame's data are behind its head. */
void ider_take_data(struct ider *s, const uint8_t *p, size_t n);
void ider_take_end(struct ider *s, const uint8_t *p);
void ider_take_wants(struct ider *s, const uint8_t *p);
void ider_take_reset_done(struct ider *s);

#endif
