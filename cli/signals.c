/* SPDX-License-Identifier: Apache-2.0 */
#include "signals.h"

#include <errno.h>
#include <unistd.h>

#include <powerctl/powerctl.h>

#include "cli.h"

/* So many seconds may a loop that is not held up be busy, after one signal and after a second. */
#define FIRST_S  5
#define SECOND_S 1

static const int signums[SIGNALS] = { SIGINT, SIGTERM, SIGHUP };

/* What the handlers work with. */
static struct signals *current;
static volatile sig_atomic_t sent;   /* how many signals */
static volatile sig_atomic_t silent; /* ticks since the loop turned */

/*
 * Asks the loop every second, from the first signal to the end: whatever ends may be held up, too.
 * A program that is stopped has one tick of all that time, so it is not taken for one held up.
 */
static void on_tick(int signum)
{
	int kept = errno;

	(void)signum;
	if (silent++ >= (sent > 1 ? SECOND_S : FIRST_S)) {
		pctl_name_blocked();
		_exit(CLI_INTERRUPTED);
	}
	(void)alarm(1);
	(void)uv_async_send(&current->wake);
	errno = kept;
}

/* SIGALRM is whose it was until there is a signal. */
static void start_ticks(void)
{
	struct sigaction action = { .sa_handler = on_tick, .sa_flags = SA_RESTART };

	(void)sigfillset(&action.sa_mask);
	(void)sigaction(SIGALRM, &action, &current->alarm_before);
	silent = 0;
	(void)alarm(1);
}

static void on_signal(int signum)
{
	int kept = errno;

	(void)signum;
	if (sent < 2 && ++sent == 1)
		start_ticks();
	(void)uv_async_send(&current->wake);
	errno = kept;
}

static void on_wake(uv_async_t *handle)
{
	struct signals *s = handle->data;

	silent = 0;
	if (!s->came) {
		s->came = true;
		s->first(s->data);
	}
	if (sent < 2)
		return;
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
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	*s = (struct signals){ .first = first, .second = second, .data = data };
	(void)uv_async_init(loop, &s->wake, on_wake);
	s->wake.data = s;
	current = s;
	sent = 0;
	(void)sigfillset(&action.sa_mask);
	for (size_t i = 0; i < SIGNALS; i++) {
		(void)sigaction(signums[i], NULL, &s->before[i]);
		if (!is_ignored(signums[i]))
			(void)sigaction(signums[i], &action, NULL);
	}
}

void signals_stop(struct signals *s)
{
	for (size_t i = 0; i < SIGNALS; i++)
		(void)sigaction(signums[i], &s->before[i], NULL);
	if (sent) {
		(void)alarm(0);
		(void)sigaction(SIGALRM, &s->alarm_before, NULL);
	}
	uv_close((uv_handle_t *)&s->wake, NULL);
}
