/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ^C: the first asks the command to end and to say what is known, the second ends it at once. Where
 * a driver blocks the loop, which would take them, a handler ends the program: within a second of
 * the second signal, or five after the first.
 */
#ifndef POWERCTL_CLI_SIGNALS_H
#define POWERCTL_CLI_SIGNALS_H

#include <stdbool.h>
#include <uv.h>

#define SIGNALS 3u /* INT, TERM, HUP */

typedef void signals_fn(void *data);

struct signals {
	uv_signal_t handles[SIGNALS];
	bool came;
	signals_fn *first, *second;
	void *data;
};

/* second, or NULL, runs right before the process ends, with status 130. */
void signals_start(struct signals *signals, uv_loop_t *loop, signals_fn *first, signals_fn *second,
	void *data);
/* The handles are closed by the loop's next turn. */
void signals_stop(struct signals *signals);

#endif
