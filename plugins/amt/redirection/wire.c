/* SPDX-License-Identifier: Apache-2.0 */
#include "redirection/wire.h"

#include <string.h>

#include <powerctl/connection.h>
#include <powerctl/log.h>
#include <powerctl/mem.h>

#include "amt.h"

#define QUEUE_MAX ((size_t)64 << 10)
/* What waits, and what is written while little waits: no more than the largest frame. */
#define FRAMES_MAX (2 * QUEUE_MAX + 64)
#define READ_SIZE  ((size_t)16 << 10)
/* Turns of the loop are shared: after so many bytes others have theirs. */
#define READ_AT_ONCE ((size_t)64 << 10)

struct wire {
	struct pctl_device *device;
	struct pctl_connection *connection;
	const struct wire_user *user;
	void *data;
	void (*bytes)(void *user, const uint8_t *bytes, size_t len);
	struct frame_reader reader;
	struct pctl_buf queue; /* the first `left` bytes have left */
	size_t left;
	bool tls, open, paused, over;
	bool sent;                /* and nobody was told so far that all of it has left */
	struct pctl_error failed; /* by writing; said when the loop gets there */
	bool closed;              /* while `inside`: freed when that is left */
	unsigned inside;
};

/* --- The end. --------------------------------------------------------------------------------- */

static void release(struct wire *w)
{
	frame_reader_done(&w->reader);
	pctl_buf_done(&w->queue);
	free(w);
}

void wire_close(struct wire *w)
{
	if (!w)
		return;
	pctl_connection_close(w->connection);
	w->connection = NULL;
	w->closed = w->over = true;
	if (!w->inside)
		release(w);
}

static void leave(struct wire *w)
{
	if (--w->inside == 0 && w->closed)
		release(w);
}

int wire_take(struct wire *w)
{
	if (wire_queued(w) || frame_reader_inside(&w->reader))
		return -1;
	int fd = pctl_connection_take(w->connection);
	if (fd < 0)
		return -1;
	w->connection = NULL;
	wire_close(w);
	return fd;
}

/* --- Waiting. --------------------------------------------------------------------------------- */

static void watch(struct wire *w)
{
	unsigned what = 0;

	if (!w->over && !w->paused && (w->bytes || w->user->frame))
		what |= PCTL_CONNECTION_READ;
	if (!w->over && (wire_queued(w) || w->sent))
		what |= PCTL_CONNECTION_WRITE;
	if (w->connection)
		pctl_connection_watch(w->connection, what);
}

static void end(struct wire *w, const struct pctl_error *err)
{
	if (w->over)
		return;
	w->over = true;
	watch(w);
	w->user->ended(w->data, err);
}

/* --- Out. ------------------------------------------------------------------------------------- */

size_t wire_queued(const struct wire *w)
{
	return w->queue.len - w->left;
}

/* How many of these bytes have left. */
static size_t write_some(struct wire *w, const char *p, size_t len)
{
	size_t at = 0, n = 1;

	while (n && at < len && !w->failed.code) {
		if (pctl_connection_write(w->connection, p + at, len - at, &n, &w->failed) < 0)
			break;
		at += n;
	}
	return at;
}

static void flush(struct wire *w)
{
	w->left += write_some(w, w->queue.data + w->left, wire_queued(w));
	if (wire_queued(w))
		return;
	/* It may have held secrets, and most often there is nothing more for long. */
	pctl_buf_done(&w->queue);
	pctl_buf_init_secret(&w->queue, FRAMES_MAX);
	w->left = 0;
}

int wire_send(struct wire *w, struct pctl_buf *out, struct pctl_error *err)
{
	size_t waiting = wire_queued(w), gone = 0;

	if (w->over)
		return pctl_error_set(err, PCTL_E_UNREACHABLE, "connection closed");
	if (waiting && waiting + out->len > QUEUE_MAX)
		return pctl_error_set(err, PCTL_E_BUSY, "the device does not take what it is sent");
	memmove(w->queue.data, w->queue.data + w->left, waiting);
	pctl_buf_cut(&w->queue, waiting);
	w->left = 0;
	if (w->open && !waiting)
		gone = write_some(w, out->data, out->len);
	pctl_buf_add(&w->queue, out->data + gone, out->len - gone);
	pctl_buf_cut(out, 0);
	/* That it has left, or failed, is said when the loop gets there. */
	w->sent = true;
	watch(w);
	return 0;
}

static void write_on(struct wire *w)
{
	flush(w);
	if (w->failed.code) {
		end(w, &w->failed);
		return;
	}
	bool drained = !wire_queued(w);
	w->sent = w->sent && !drained;
	watch(w);
	if (drained && w->user->drained)
		w->user->drained(w->data);
}

/* --- In. -------------------------------------------------------------------------------------- */

static bool reads(const struct wire *w)
{
	return !w->over && !w->paused && (w->bytes || w->user->frame);
}

static void cut_within_frame(struct pctl_error *err)
{
	unsigned flags = err->flags;

	(void)pctl_error_set(
		err, PCTL_E_UNREACHABLE, "connection closed within a redirection frame");
	(void)pctl_error_flag(err, flags);
}

/* One frame at most, and nothing beyond it. False: nothing more is there now, or it is over. */
static bool read_frame(struct wire *w, size_t *total)
{
	struct pctl_error err = { 0 };
	struct frame frame;
	uint8_t buf[READ_SIZE];
	size_t want = frame_reader_wants(&w->reader), n, used;

	int r = pctl_connection_read(
		w->connection, buf, want < sizeof(buf) ? want : sizeof(buf), &n, &err);
	if (r == 0 && !n)
		return false;
	if (r == 0)
		r = frame_reader_feed(&w->reader, buf, n, &used, &frame, &err);
	explicit_bzero(buf, r == 0 || r == 1 ? n : 0);
	if (r < 0) {
		if (err.code == PCTL_E_UNREACHABLE && wire_is_inside(w))
			cut_within_frame(&err);
		end(w, &err);
		return false;
	}
	*total += n;
	if (r == 1) {
		pctl_connection_expect(w->connection, 0);
		w->user->frame(w->data, &frame);
	}
	return true;
}

static bool read_bytes(struct wire *w, size_t *total)
{
	struct pctl_error err = { 0 };
	uint8_t buf[READ_SIZE];
	size_t n;

	if (pctl_connection_read(w->connection, buf, sizeof(buf), &n, &err) < 0) {
		end(w, &err);
		return false;
	}
	*total += n;
	if (n)
		w->bytes(w->data, buf, n);
	return n > 0;
}

static void read_on(struct wire *w)
{
	size_t total = 0;

	while (reads(w) && total < READ_AT_ONCE)
		if (!(w->bytes ? read_bytes(w, &total) : read_frame(w, &total)))
			break;
	if (w->connection)
		watch(w);
}

/* --- Events. ---------------------------------------------------------------------------------- */

static void on_opened(void *data, const struct pctl_error *err)
{
	struct wire *w = data;

	w->inside++;
	w->open = !err;
	if (err)
		end(w, err);
	else if (w->user->opened)
		w->user->opened(w->data);
	leave(w);
}

static void on_ready(void *data, unsigned what)
{
	struct wire *w = data;

	w->inside++;
	if (what & PCTL_CONNECTION_WRITE && !w->over)
		write_on(w);
	if (what & PCTL_CONNECTION_READ && !w->over)
		read_on(w);
	leave(w);
}

void wire_use(struct wire *w, const struct wire_user *user, void *data)
{
	w->user = user;
	w->data = data;
	watch(w);
}

void wire_use_bytes(struct wire *w, void (*data)(void *user, const uint8_t *bytes, size_t len))
{
	w->bytes = data;
	watch(w);
}

void wire_speak(struct wire *w, enum frame_speech speech)
{
	w->reader.speech = speech;
}

bool wire_is_tls(const struct wire *w)
{
	return w->tls;
}

bool wire_is_inside(const struct wire *w)
{
	return frame_reader_inside(&w->reader);
}

void wire_expect(struct wire *w, uint64_t ms)
{
	pctl_connection_expect(w->connection, ms);
}

void wire_pause(struct wire *w, bool pause)
{
	w->paused = pause;
	watch(w);
}

/* --- The beginning. --------------------------------------------------------------------------- */

static int port(const struct amt_dev *dev, uint16_t *ret, struct pctl_error *err)
{
	bool tls = dev->link.tls;
	const char *name = tls ? "redirection_tls_port" : "redirection_port";
	uint64_t n = pctl_setting_given(dev->device, name)
			     ? pctl_setting_uint(dev->device, name)
			     : amt_link_port(dev->device, tls) + (uint64_t)2;

	if (n > UINT16_MAX)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s: is the port of WS-Management + 2 unless it is set, and there is no "
			"port %u",
			name, (unsigned)n);
	*ret = (uint16_t)n;
	return 0;
}

static const struct pctl_connection_events connection_events = {
	.size = sizeof(connection_events),
	.opened = on_opened,
	.ready = on_ready,
};

int wire_open(struct amt_dev *dev, const struct wire_user *user, void *data, struct wire **ret,
	struct pctl_error *err)
{
	struct pctl_device *d = dev->device;
	bool tls = dev->link.tls;
	struct pctl_connection_settings s = {
		.size = sizeof(s),
		.device = d,
		.tls = tls,
		.legacy_tls = tls && pctl_setting_bool(d, "legacy_tls"),
		.client_cert = tls ? pctl_setting_text(d, "client_cert") : NULL,
		.client_key = tls ? pctl_setting_text(d, "client_key") : NULL,
		.ca_file = tls ? pctl_setting_text(d, "ca_file") : NULL,
	};

	int r = port(dev, &s.port, err);
	if (r < 0)
		return r;
	struct wire *w = pctl_xcalloc(1, sizeof(*w));
	*w = (struct wire){ .device = d, .user = user, .data = data, .tls = tls };
	frame_reader_init(&w->reader, FRAME_FROM_DEVICE);
	pctl_buf_init_secret(&w->queue, FRAMES_MAX);
	r = pctl_connection_new(dev->amt->http, &s, &connection_events, w, &w->connection, err);
	if (r < 0) {
		release(w);
		return r;
	}
	watch(w);
	pctl_log(PCTL_LOG_TRACE, d, "-> redirection port %u%s", s.port, tls ? ", TLS" : "");
	*ret = w;
	return 0;
}
