/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
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
	if (tally->locked_out)
		pctl_buf_addf(ret, "%zu waiting for other commands, ", tally->locked_out);
	pctl_buf_addf(ret, "%" PRIu64 " s", elapsed_ms / 1000);
}

/* A terminal that is stopped (^S) would stop the loop, which times devices. */
static bool takes_more(void)
{
	struct pollfd fd = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&fd, 1, 0) == 1;
}

/* A line that breaks could not be taken away any more. */
static size_t columns(void)
{
	struct winsize size = { 0 };

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return TEXT_MAX;
	return size.ws_col - 1;
}

bool progress_put(struct pctl_buf *line)
{
	size_t width = columns();

	if (!takes_more())
		return false;
	if (line->len > width)
		pctl_buf_cut(line, width);
	(void)fprintf(stderr, "\r%s\033[K", line->data);
	(void)fflush(stderr);
	return true;
}

bool progress_erase(void)
{
	if (!takes_more())
		return false;
	(void)fputs(ERASE_LINE, stderr);
	(void)fflush(stderr);
	return true;
}

static void draw(struct progress *p)
{
	size_t width = columns();
	struct pctl_buf line, states;

	pctl_buf_init(&line, TEXT_MAX);
	pctl_buf_init(&states, TEXT_MAX);
	progress_text(&line, p->verb, p->tally, uv_now(p->timer.loop) - p->started);
	tally_words(p->tally, &states);
	if (states.len && line.len + strlen("; ") + states.len <= width)
		pctl_buf_addf(&line, "; %s", states.data);
	p->shown |= progress_put(&line);
	pctl_buf_done(&line);
	pctl_buf_done(&states);
}

static void on_timer(uv_timer_t *timer)
{
	const struct progress *p = timer->data;

	if (!p->held && takes_more())
		draw(timer->data);
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
	if (p->shown && progress_erase())
		p->shown = false;
}

void progress_hold(struct progress *p, bool held)
{
	progress_clear(p);
	p->held = held;
}

void progress_stop(struct progress *p)
{
	if (!p->active)
		return;
	progress_clear(p);
	p->active = false;
	uv_close((uv_handle_t *)&p->timer, NULL);
}
