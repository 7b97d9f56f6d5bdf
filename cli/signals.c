/* SPDX-License-Identifier: Apache-2.0 */
#include "signals.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include <powerctl/powerctl.h>

#include "cli.h"

/* What a loop that turns takes for less than a tenth; a driver may block it for ever. */
#define FIRST_S  5u
#define SECOND_S 1u

static const int signums[SIGNALS] = { SIGINT, SIGTERM, SIGHUP };

/* The loop's own handlers; ours stand before them. */
static struct sigaction loops[SIGNALS];
static volatile sig_atomic_t arrived;

static void on_arrival(int signum)
{
	pctl_end_blocked(arrived ? SECOND_S : FIRST_S, CLI_INTERRUPTED);
	arrived = 1 + (arrived > 0);
	for (size_t i = 0; i < SIGNALS; i++)
		if (signums[i] == signum && loops[i].sa_handler)
			loops[i].sa_handler(signum);
}

/* libuv sets its handler with a signal's first watcher, and takes it away with the last. */
static void stand_before(size_t i)
{
	struct sigaction now;

	if (sigaction(signums[i], NULL, &now) < 0 || now.sa_handler == on_arrival)
		return;
	loops[i] = now;
	now.sa_handler = on_arrival;
	(void)sigaction(signums[i], &now, NULL);
}

static void on_signal(uv_signal_t *handle, int signum)
{
	struct signals *s = handle->data;

	(void)signum;
	if (!s->came) {
		s->came = true;
		if (arrived < 2)
			pctl_end_blocked(0, CLI_INTERRUPTED);
		s->first(s->data);
		return;
	}
	if (s->second)
		s->second(s->data);
	_exit(CLI_INTERRUPTED);
}

/* By nohup, or a shell for what it runs in the background: then it stays so. */
static bool is_ignored(int signum)
{
	struct sigaction now;

	return sigaction(signum, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

void signals_start(
	struct signals *s, uv_loop_t *loop, signals_fn *first, signals_fn *second, void *data)
{
	*s = (struct signals){ .first = first, .second = second, .data = data };
	arrived = 0;
	for (size_t i = 0; i < SIGNALS; i++) {
		(void)uv_signal_init(loop, &s->handles[i]);
		s->handles[i].data = s;
		if (!is_ignored(signums[i]) &&
			uv_signal_start(&s->handles[i], on_signal, signums[i]) == 0)
			stand_before(i);
	}
}

void signals_stop(struct signals *s)
{
	pctl_end_blocked(0, CLI_INTERRUPTED);
	for (size_t i = 0; i < SIGNALS; i++)
		uv_close((uv_handle_t *)&s->handles[i], NULL);
}
