/* SPDX-License-Identifier: Apache-2.0 */
#include "kvm_grab.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <powerctl/file.h>
#include <powerctl/value.h>

#include "display/png.h"

#define PNG_MAX (RFB_PIXELS_MAX * 4)
/* How long a picture may take once the screen is open, unless --timeout says more. */
#define PICTURE_MS ((uint64_t)15000)
#define PART       ((size_t)64 << 10)

/* --- Packing and writing, on a worker. -------------------------------------------------------- */

static void work(uv_work_t *work)
{
	struct kvm_grab *g = work->data;

	if (display_png(&g->rfb.screen, &g->png, &g->err) == 0)
		(void)pctl_file_replace(g->path, g->png.data, g->png.len, g->mode, NULL, &g->err);
}

static void on_worked(uv_work_t *work, int status)
{
	struct kvm_grab *g = work->data;

	if (status < 0)
		(void)pctl_error_set(&g->err, PCTL_E_CANCELED, "interrupted");
	g->width = g->rfb.screen.width;
	g->height = g->rfb.screen.height;
	rfb_done(&g->rfb);
	pctl_buf_done(&g->png);
	g->done(g->data);
}

/* --- Closing. --------------------------------------------------------------------------------- */

static void release(struct kvm_grab *g)
{
	if (--g->handles)
		return;
	if (g->err.code) {
		rfb_done(&g->rfb);
		g->done(g->data);
		return;
	}
	g->work.data = g;
	pctl_buf_init(&g->png, PNG_MAX);
	(void)uv_queue_work(g->loop, &g->work, work, on_worked);
}

static void on_stream_closed(void *data, const struct pctl_error *err)
{
	struct kvm_grab *g = data;

	/* The device may know better why it hung up. */
	if (g->err.code == PCTL_E_UNREACHABLE && err->code && err->code != PCTL_E_UNREACHABLE)
		g->err = *err;
	g->stream = NULL;
	release(g);
}

static void on_handle_closed(uv_handle_t *handle)
{
	release(handle->data);
}

/* Once; err says how it went. */
static void end(struct kvm_grab *g)
{
	if (g->ended)
		return;
	g->ended = true;
	uv_close((uv_handle_t *)&g->poll, on_handle_closed);
	uv_close((uv_handle_t *)&g->timer, on_handle_closed);
	pctl_stream_close(g->stream, on_stream_closed, g);
}

static void lost(struct kvm_grab *g)
{
	bool wide = g->rfb.screen.format == RFB_RGB565;

	if (g->ended)
		return;
	g->too_wide = g->rfb.asked && !g->rfb.answered && wide && g->format == RFB_RGB565;
	(void)pctl_error_set(&g->err, PCTL_E_UNREACHABLE, "%s",
		g->rfb.asked ? "it hung up before its picture was there"
			     : "it hung up before it showed a screen: is a monitor connected, or a "
			       "plug that looks like one?");
	end(g);
}

void kvm_grab_cancel(struct kvm_grab *g)
{
	if (!g->stream || g->ended)
		return;
	(void)pctl_error_set(&g->err, PCTL_E_CANCELED, "interrupted");
	end(g);
}

/* --- While it is open. ------------------------------------------------------------------------ */

static void on_poll(uv_poll_t *poll, int status, int events);

static bool flush(struct kvm_grab *g)
{
	struct pctl_buf *out = &g->rfb.out;

	while (out->len) {
		ssize_t n = send(pctl_stream_fd(g->stream), out->data, out->len,
			MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			return false;
		memmove(out->data, out->data + n, out->len - (size_t)n);
		pctl_buf_cut(out, out->len - (size_t)n);
	}
	(void)uv_poll_start(&g->poll, UV_READABLE | (out->len ? UV_WRITABLE : 0), on_poll);
	return true;
}

static void read_part(struct kvm_grab *g)
{
	static char part[PART]; /* one thread reads */
	ssize_t n = recv(pctl_stream_fd(g->stream), part, sizeof(part), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		lost(g);
		return;
	}
	int r = rfb_feed(&g->rfb, part, (size_t)n, &g->err);
	if (r == 1 || r < 0)
		end(g);
	else if (!flush(g))
		lost(g);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct kvm_grab *g = poll->data;

	if (status < 0 || (events & UV_WRITABLE && !flush(g)))
		lost(g);
	else if (events & UV_READABLE)
		read_part(g);
}

static void on_time_over(uv_timer_t *timer)
{
	struct kvm_grab *g = timer->data;

	(void)pctl_error_set(&g->err, PCTL_E_TIMEOUT, "no whole picture in %u s",
		(unsigned)(uv_timer_get_repeat(timer) / 1000));
	end(g);
}

/* --- Opening. --------------------------------------------------------------------------------- */

/* The device has ended it; what it sent before may still be read. */
static void on_ended(void *data, const struct pctl_error *err)
{
	(void)data, (void)err;
}

static size_t picture_max(const struct pctl_stream *stream)
{
	const struct pctl_value *v = pctl_value_get(pctl_stream_facts(stream), "picture_max");
	int64_t n = v ? pctl_value_int(v) : 0;

	return n > 0 ? (size_t)n : 0;
}

void kvm_grab_begin(struct kvm_grab *g, struct pctl_stream *stream)
{
	uint64_t ms = g->timeout_ms ? g->timeout_ms : PICTURE_MS;

	pctl_stream_take(stream, on_ended, g);
	g->stream = stream;
	g->ended = g->too_wide = false;
	g->err = (struct pctl_error){ 0 };
	g->handles = 3;
	rfb_init(&g->rfb, g->format, picture_max(stream));
	(void)uv_poll_init(g->loop, &g->poll, pctl_stream_fd(stream));
	(void)uv_timer_init(g->loop, &g->timer);
	g->poll.data = g->timer.data = g;
	(void)uv_poll_start(&g->poll, UV_READABLE, on_poll);
	(void)uv_timer_start(&g->timer, on_time_over, ms, ms);
}
