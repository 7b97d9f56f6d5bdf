/* SPDX-License-Identifier: Apache-2.0 */
#include "signals.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include <powerctl/powerctl.h>

#include "cli.h"

#define HELD_UP_S 1 /* the loop may be busy for a moment */

static const int signums[SIGNALS] = { SIGINT, SIGTERM, SIGHUP };

/* What the handler works with. */
static struct signals *current;
static volatile sig_atomic_t sent, taken; /* how many; by the loop */
static struct timespec first_at;

static void on_signal(int signum)
{
	struct timespec now;
	int kept = errno;

	(void)signum;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (sent++ == 0)
		first_at = now;
	else if (!taken && now.tv_sec - first_at.tv_sec > HELD_UP_S) {
		pctl_name_blocked();
		_exit(CLI_INTERRUPTED);
	}
	(void)uv_async_send(&current->wake);
	errno = kept;
}

static void on_wake(uv_async_t *handle)
{
	struct signals *s = handle->data;

	taken = sent;
	if (!s->came) {
		s->came = true;
		s->first(s->data);
	}
	if (taken < 2)
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
	sent = taken = 0;
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
	uv_close((uv_handle_t *)&s->wake, NULL);
}
