/* SPDX-License-Identifier: Apache-2.0 */
/* A program for those who have no loop and wait for its end. */
#include <powerctl/mem.h>

#include "base/program.h"
#include "base/spawn.h"

struct wait {
	uv_loop_t loop;
	uv_poll_t signals;
	struct pctl_program *program;
	pctl_program_done_fn *done;
	void *data;
};

static void on_signal(uv_poll_t *poll, int status, int events)
{
	struct wait *w = poll->data;

	(void)status, (void)events;
	(void)uv_poll_stop(poll); /* it stays readable: whoever waits gets the signal afterwards */
	pctl_program_interrupt(w->program);
}

static void on_waited_for(void *data, const struct pctl_program_result *result)
{
	struct wait *w = data;

	if (w->signals.data)
		uv_close((uv_handle_t *)&w->signals, NULL);
	w->done(w->data, result);
}

static void on_line_closed(void *data)
{
	(void)data;
}

void pctl_program_wait(
	const struct pctl_program_options *options, pctl_program_done_fn *done, void *data)
{
	struct wait w = { .done = done, .data = data };
	sigset_t before;
	int signals = pctl_signals_hold(&before);

	if (uv_loop_init(&w.loop) < 0)
		pctl_out_of_memory();
	struct pctl_programs *line = pctl_programs_new(&w.loop, 1);
	w.program = pctl_programs_run(line, options, on_waited_for, &w);
	if (signals >= 0 && uv_poll_init(&w.loop, &w.signals, signals) == 0) {
		w.signals.data = &w;
		(void)uv_poll_start(&w.signals, UV_READABLE, on_signal);
	}
	(void)uv_run(&w.loop, UV_RUN_DEFAULT);
	pctl_programs_close(line, on_line_closed, NULL);
	(void)uv_loop_close(&w.loop);
	pctl_signals_release(signals, &before);
}
