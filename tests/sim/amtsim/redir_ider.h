/* SPDX-License-Identifier: Apache-2.0 */
/* Drives that are redirected: the machine reads them as its BIOS and its system would. */
#ifndef POWERCTL_AMTSIM_REDIR_IDER_H
#define POWERCTL_AMTSIM_REDIR_IDER_H

#include "util.h"

struct device;

/* In the order of the words of the knob ider_script. */
enum ider_script {
	IDER_SCRIPT_FULL,
	IDER_SCRIPT_ONCE,
	IDER_SCRIPT_NONE,
};

/* What one drive turned out to hold. */
struct ider_found {
	bool present;
	uint32_t blocks;
	uint32_t block_size;
	uint64_t bytes;  /* read of it */
	char sha256[65]; /* of all of it, one after the other; "" so far */
	char again[65];  /* the same in another pattern */
};

/* What was not as it is to be, each once. */
struct ider_odds {
	size_t n;
	char text[24][120];
};

/* What the last session showed; made with the first. */
struct ider_report {
	const char *state; /* idle, running, done, failed */
	char error[120];
	struct ider_found floppy;
	struct ider_found cd;
	const char *booted; /* "cd", "floppy": the host started from that; "" so far */
	uint32_t commands;
	uint32_t reads;
	uint32_t refused; /* commands that ended with a sense key other than "not ready" */
	uint32_t medium_errors;
	uint32_t resets;
	uint64_t first_at; /* loop time of the first and the last byte of the first reading of the
			      CD */
	uint64_t last_at;
	struct ider_odds odds;
};

/* Its report, where there was a session. */
void ider_done(struct device *dev);
void ider_json(const struct device *dev, struct buf *out);
void ider_note_odd(struct ider_odds *odds, const char *text);
/* The host starts, and is to boot from IDER: it looks at the drives anew. */
void ider_boot(struct device *dev);

bool ider_set_send(struct device *dev, struct str value);

#endif
