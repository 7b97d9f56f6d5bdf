/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ^C: the first asks the command to end and to say what is known, the second ends it at once.
 *
 * A driver that does not let the loop turn cannot keep the program from ending: it is named, and
 * the program ends with status 130, some 5 s after the last turn, or 1 to 2 s where there was a
 * second signal. This holds from the first to signals_stop(); in that time SIGALRM is ours.
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
	struct sigaction before[SIGNALS], alarm_before;
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
