/* SPDX-License-Identifier: Apache-2.0 */
/* The line on stderr that shows how far a command is, where stderr is a terminal. */
#ifndef POWERCTL_CLI_PROGRESS_H
#define POWERCTL_CLI_PROGRESS_H

#include <uv.h>

#include "tally.h"

struct progress {
	uv_timer_t timer;
	bool active, shown, held;
	const char *verb;
	const struct tally *tally;
	uint64_t started; /* loop time in ms */
};

/* verb and tally are borrowed. Nothing is shown for the first half second, or if quiet. */
void progress_start(struct progress *progress, uv_loop_t *loop, bool quiet, const char *verb,
	const struct tally *tally);
/* Takes the line away, so that something else can be written; it comes again with the time. */
void progress_clear(struct progress *progress);
/* While it is held it is not drawn: somebody is asked something. */
void progress_hold(struct progress *progress, bool held);
/* For good. The timer is closed by the loop's next turn. */
void progress_stop(struct progress *progress);

/* For a line of one's own on standard error: written over the one before, and cut to the terminal's
 * width. False: the terminal takes nothing now, and nothing was written. */
bool progress_put(struct pctl_buf *line);
bool progress_erase(void);

/* "on: 812/4000 done, 3 failed, 312 waiting for places, 12 s" */
void progress_text(
	struct pctl_buf *ret, const char *verb, const struct tally *tally, uint64_t elapsed_ms);

#endif
