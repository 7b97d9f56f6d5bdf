/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a session that was lost, or could not be opened, is tried again: after 1 s and then ever
 * more seldom, up to once a minute.
 */
#ifndef POWERCTL_CLI_AGAIN_H
#define POWERCTL_CLI_AGAIN_H

#include <stdbool.h>
#include <stdint.h>

/* Zero: nothing was tried yet. */
struct again {
	uint64_t delay_ms, opened_at;
};

/*
 * Whether waiting helps against a class of errors. was_open: the session was there until now. One
 * that cannot be opened because somebody has it may be free later, and the one that was lost may be
 * what is in the way; one that somebody else has taken is his.
 */
bool again_helps(int code, bool was_open);

/* now: loop time in ms. */
void again_opened(struct again *again, uint64_t now);
/* How long to wait until the next try; what was open for a while begins with the shortest wait. */
uint64_t again_next(struct again *again, uint64_t now, bool was_open);

#endif
