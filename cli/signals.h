/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ^C: the first asks the command to end and to say what is known, the second ends it at once; even
 * where a driver has not let the loop turn for a second since the first.
 */
#ifndef POWERCTL_CLI_SIGNALS_H
#define POWERCTL_CLI_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <uv.h>

#define SIGNALS 3u /* INT, TERM, HUP */

typedef void signals_fn(void *data);

struct signals {
	uv_async_t wake;
	struct sigaction before[SIGNALS];
	bool came;
	signals_fn *first, *second;
	void *data;
};

/*
 * For one at a time. second, or NULL, runs right before the process ends, with status 130, unless
 * the loop is held up.
 */
void signals_start(struct signals *signals, uv_loop_t *loop, signals_fn *first, signals_fn *second,
	void *data);
/* The handle is closed by the loop's next turn. */
void signals_stop(struct signals *signals);

#endif
