/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <inttypes.h>
#include <unistd.h>

#include "cli.h"

#define FIRST_MS 500u
#define EACH_MS  200u
#define TEXT_MAX 256u

#define ERASE_LINE "\r\033[K"

void progress_text(
	struct pctl_buf *ret, const char *verb, const struct tally *tally, uint64_t elapsed_ms)
{
	pctl_buf_addf(ret, "%s: %zu/%zu done, ", verb, tally->done, tally->total);
	if (tally->failed)
		pctl_buf_addf(ret, "%zu failed, ", tally->failed);
	if (tally->waiting)
		pctl_buf_addf(ret, "%zu waiting for places, ", tally->waiting);
	pctl_buf_addf(ret, "%" PRIu64 " s", elapsed_ms / 1000);
}

static void on_timer(uv_timer_t *timer)
{
	struct progress *p = timer->data;
	struct pctl_buf line;

	pctl_buf_init(&line, TEXT_MAX);
	progress_text(&line, p->verb, p->tally, uv_now(timer->loop) - p->started);
	(void)fprintf(stderr, ERASE_LINE "%s", line.data);
	(void)fflush(stderr);
	pctl_buf_done(&line);
	p->shown = true;
}

void progress_start(struct progress *p, uv_loop_t *loop, bool quiet, const char *verb,
	const struct tally *tally)
{
	*p = (struct progress){ .active = true, .verb = verb, .tally = tally };
	uv_update_time(loop);
	p->started = uv_now(loop);
	(void)uv_timer_init(loop, &p->timer);
	p->timer.data = p;
	if (!quiet && cli_is_terminal(STDERR_FILENO))
		(void)uv_timer_start(&p->timer, on_timer, FIRST_MS, EACH_MS);
}

void progress_clear(struct progress *p)
{
	if (!p->shown)
		return;
	(void)fputs(ERASE_LINE, stderr);
	(void)fflush(stderr);
	p->shown = false;
}

void progress_stop(struct progress *p)
{
	if (!p->active)
		return;
	progress_clear(p);
	p->active = false;
	uv_close((uv_handle_t *)&p->timer, NULL);
}
