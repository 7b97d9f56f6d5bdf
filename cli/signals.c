/* SPDX-License-Identifier: Apache-2.0 */
#include "signals.h"

#include <signal.h>
#include <unistd.h>

#include "cli.h"

static const int signums[SIGNALS] = { SIGINT, SIGTERM, SIGHUP };

static void on_signal(uv_signal_t *handle, int signum)
{
	struct signals *s = handle->data;

	(void)signum;
	if (!s->came) {
		s->came = true;
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
	for (size_t i = 0; i < SIGNALS; i++) {
		(void)uv_signal_init(loop, &s->handles[i]);
		s->handles[i].data = s;
		if (!is_ignored(signums[i]))
			(void)uv_signal_start(&s->handles[i], on_signal, signums[i]);
	}
}

void signals_stop(struct signals *s)
{
	for (size_t i = 0; i < SIGNALS; i++)
		uv_close((uv_handle_t *)&s->handles[i], NULL);
}
