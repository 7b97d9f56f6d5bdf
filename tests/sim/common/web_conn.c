/* SPDX-License-Identifier: Apache-2.0 */
#include "web_conn.h"

#include <stdlib.h>
#include <string.h>

#include "web.h"
#include "web_tls.h"

enum {
	/* An unfinished request gets a FIN after this time. */
	REQUEST_MS = 15000,
	FILLER_BLOCK = 48 * 1024,
};

/*
 * handles: how many libuv handles are still open; the last one to close frees it. out holds what
 * is still to be sent; in holds what came after a TLS handshake.
 */
struct web_conn {
	uv_tcp_t tcp;
	uv_timer_t timer;
	uv_write_t write;
	struct web *web;
	struct web_device *dev;
	struct web_conn *next;
	struct web_conn *prev;
	struct http_reader reader;
	struct web_tls *tls;
	struct buf out;
	struct reply reply;
	uint64_t quiet_since;
	unsigned handles;
	bool timer_ready;
	bool mute;
	bool busy;
	bool advancing;
	bool counted;
	bool writing;
	bool finishing;
	bool closing;
};

static void advance(struct web_conn *c);
static void send_out(struct web_conn *c);
static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b);
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret);

static void link_conn(struct web_conn *c)
{
	c->next = c->web->conns;
	if (c->next)
		c->next->prev = c;
	c->web->conns = c;
}

static void unlink_conn(struct web_conn *c)
{
	if (c->prev)
		c->prev->next = c->next;
	else
		c->web->conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct web_conn *c = handle->data;

	if (--c->handles)
		return;
	unlink_conn(c);
	http_reader_done(&c->reader);
	buf_done(&c->out);
	tls_free(c->tls);
	free(c);
}

static void end_request(struct web_conn *c)
{
	if (c->counted) {
		c->dev->requests_open--;
		c->web->requests_open--;
	}
	c->counted = c->busy = false;
}

static void shut(struct web_conn *c)
{
	if (c->closing)
		return;
	c->closing = true;
	end_request(c);
	c->dev->connections_open--;
	c->web->connections_open--;
	c->dev->last_seen = web_now(c->web);
	if (c->timer_ready)
		uv_close((uv_handle_t *)&c->timer, on_handle_closed);
}

static void close_conn(struct web_conn *c)
{
	if (c->closing)
		return;
	shut(c);
	uv_close((uv_handle_t *)&c->tcp, on_handle_closed);
}

static void reset_conn(struct web_conn *c)
{
	if (c->closing)
		return;
	shut(c);
	if (uv_tcp_close_reset(&c->tcp, on_handle_closed) < 0)
		uv_close((uv_handle_t *)&c->tcp, on_handle_closed);
}

static void start_timer(struct web_conn *c, uv_timer_cb callback, uint64_t ms)
{
	if (!c->timer_ready) {
		uv_timer_init(c->web->loop, &c->timer);
		c->timer.data = c;
		c->timer_ready = true;
		c->handles++;
	}
	uv_timer_start(&c->timer, callback, ms, 0);
}

/* Everything that was to be sent is sent. */
static void sent(struct web_conn *c)
{
	c->quiet_since = web_now(c->web);
	if (c->reply.filler) {
		send_out(c);
		return;
	}
	if (!c->busy)
		return;
	end_request(c);
	if (!c->reply.close) {
		advance(c);
		return;
	}
	if (c->tls && !c->finishing && !c->reply.cut) {
		c->finishing = true;
		tls_close(c->tls, &c->out);
		uv_buf_t b = uv_buf_init(c->out.p, (unsigned)c->out.n);

		if (b.len)
			uv_try_write((uv_stream_t *)&c->tcp, &b, 1);
	}
	close_conn(c);
}

static void on_written(uv_write_t *req, int status)
{
	struct web_conn *c = req->data;

	c->writing = false;
	c->out.n = 0;
	if (c->closing)
		return;
	if (c->tls)
		uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
	if (status < 0)
		close_conn(c);
	else
		sent(c);
}

static void on_drip(uv_timer_t *timer)
{
	struct web_conn *c = timer->data;
	uv_buf_t b = uv_buf_init(c->out.p, 1);
	int n = uv_try_write((uv_stream_t *)&c->tcp, &b, 1);

	if (n < 0 && n != UV_EAGAIN) {
		close_conn(c);
		return;
	}
	if (n > 0)
		buf_drop(&c->out, 1);
	if (c->out.n)
		start_timer(c, on_drip, c->dev->knobs->drip_ms);
	else
		sent(c);
}

/* Makes the next block of an endless answer. */
static void refill(struct web_conn *c)
{
	struct buf plain;
	size_t n = c->reply.filler < FILLER_BLOCK ? (size_t)c->reply.filler : FILLER_BLOCK;

	buf_init(&plain, SIZE_MAX);
	c->web->filler(&plain, n, c->reply.filler);
	c->reply.filler -= n;
	if (c->tls)
		tls_write(c->tls, plain.p, plain.n, &c->out);
	else
		buf_add(&c->out, plain.p, plain.n);
	buf_done(&plain);
}

/* What the kernel does not take at once stays in out. */
static bool write_at_once(struct web_conn *c, const char *p, size_t n)
{
	uv_buf_t b = uv_buf_init((char *)(uintptr_t)p, (unsigned)n);
	int r = uv_try_write((uv_stream_t *)&c->tcp, &b, 1);
	size_t done = r > 0 ? (size_t)r : 0;

	if (r < 0 && r != UV_EAGAIN) {
		close_conn(c);
		return false;
	}
	if (p == c->out.p)
		buf_drop(&c->out, done);
	else
		buf_add(&c->out, p + done, n - done);
	return true;
}

static void send_out(struct web_conn *c)
{
	if (!c->out.n && c->reply.filler)
		refill(c);
	if (c->dev->knobs->drip_ms && c->busy) {
		start_timer(c, on_drip, c->dev->knobs->drip_ms);
		return;
	}
	if (!c->out.n) {
		sent(c);
		return;
	}
	uv_buf_t b = uv_buf_init(c->out.p, (unsigned)c->out.n);

	/* The bytes must stay where they are: nothing may be added to out meanwhile. */
	c->writing = true;
	c->write.data = c;
	if (c->tls)
		uv_read_stop((uv_stream_t *)&c->tcp);
	if (uv_write(&c->write, (uv_stream_t *)&c->tcp, &b, 1, on_written) < 0)
		close_conn(c);
}

static void on_latency(uv_timer_t *timer)
{
	send_out(timer->data);
}

/* The answer is in web->out: sends it, now or later. */
static void send_answer(struct web_conn *c)
{
	struct buf *answer = &c->web->out;
	size_t n = c->reply.cut ? c->reply.cut : answer->n;
	bool later = c->dev->knobs->latency_ms || c->dev->knobs->drip_ms;

	if (c->tls)
		tls_write(c->tls, answer->p, n, &c->out);
	else if (later)
		buf_add(&c->out, answer->p, n);
	if (c->dev->knobs->latency_ms) {
		start_timer(c, on_latency, c->dev->knobs->latency_ms);
		return;
	}
	if (!later) {
		bool ok = c->tls ? write_at_once(c, c->out.p, c->out.n)
				 : write_at_once(c, answer->p, n);

		if (!ok)
			return;
		if (!c->out.n) {
			sent(c);
			return;
		}
	}
	send_out(c);
}

static void raise_to(uint64_t *peak, uint64_t now)
{
	if (now > *peak)
		*peak = now;
}

static void count_request(struct web_conn *c)
{
	struct web_device *dev = c->dev;

	if (c->counted)
		return;
	c->counted = true;
	raise_to(&dev->counters->peak_requests, ++dev->requests_open);
	raise_to(&dev->counters->peak_fleet_requests, ++c->web->requests_open);
}

static void answer(struct web_conn *c, const struct http_request *request)
{
	c->reply = (struct reply){ .lost = false };
	c->busy = true;
	if (request)
		c->web->answer(c->dev->dev, request, &c->reply);
	else
		c->web->malformed(c->dev->dev, &c->reply);
	http_reader_drop(&c->reader);
	if (c->reply.lost)
		close_conn(c);
	else if (!c->reply.silent)
		send_answer(c);
}

static bool step(struct web_conn *c)
{
	struct http_request request;

	count_request(c);
	switch (http_reader_next(&c->reader, &request)) {
	case HTTP_MORE:
		return false;
	case HTTP_DONE:
		answer(c, &request);
		break;
	case HTTP_BAD:
	case HTTP_TOO_BIG:
		answer(c, NULL);
		break;
	}
	return true;
}

/* Answers what is there, one after the other; not again from within. */
static void advance(struct web_conn *c)
{
	if (c->advancing)
		return;
	c->advancing = true;
	while (!c->busy && !c->closing && http_reader_pending(&c->reader) && step(c))
		continue;
	c->advancing = false;
}

static void feed(struct web_conn *c, const char *p, size_t n)
{
	if (c->busy)
		c->dev->counters->pipelined++;
	http_reader_feed(&c->reader, p, n);
	advance(c);
}

static void feed_tls(struct web_conn *c, const char *p, size_t n)
{
	struct buf plain;
	size_t before = c->out.n;

	buf_init(&plain, SIZE_MAX);

	enum tls_result r = tls_feed(c->tls, p, n, &plain, &c->out);

	if (c->out.n > before && !c->busy && !c->writing)
		write_at_once(c, c->out.p, c->out.n);
	if (plain.n && !c->closing)
		feed(c, plain.p, plain.n);
	buf_done(&plain);
	if (r == TLS_OPEN || c->closing)
		return;
	c->dev->counters->tls_failed += r == TLS_FAILED;
	if (!c->busy)
		close_conn(c);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
	struct web_conn *c = stream->data;

	if (c->closing || n == 0)
		return;
	if (n < 0) {
		close_conn(c);
		return;
	}
	c->quiet_since = web_now(c->web);
	if (c->mute)
		return;
	if (c->tls)
		feed_tls(c, b->base, (size_t)n);
	else
		feed(c, b->base, (size_t)n);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	struct web_conn *c = handle->data;
	(void)suggested;
	*ret = uv_buf_init(c->web->read_buffer, sizeof(c->web->read_buffer));
}

static void greet(struct web_conn *c, const struct web_listener *listener)
{
	struct web_device *dev = c->dev;

	dev->counters->connections++;
	raise_to(&dev->counters->peak_connections, ++dev->connections_open);
	raise_to(&dev->counters->peak_fleet_connections, ++c->web->connections_open);
	if ((c->web->refuses && c->web->refuses(dev->dev)) ||
		web_every(dev->knobs->connect_drop_every, &dev->drop_seq)) {
		dev->counters->dropped++;
		reset_conn(c);
		return;
	}
	c->mute = dev->knobs->dead == WEB_DEAD_HANG;
	if (listener->tls && !c->mute) {
		dev->counters->tls++;
		c->tls = tls_new(dev);
	}
	uv_tcp_nodelay(&c->tcp, 1);
	uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

/* Whom the client meant; NULL: nobody who listens. */
static struct web_device *destination(struct web_conn *c, const struct web_listener *listener)
{
	struct sockaddr_storage address;
	int n = sizeof(address);
	struct web_device *dev = listener->dev;

	if (dev)
		return dev;
	if (uv_tcp_getsockname(&c->tcp, (struct sockaddr *)&address, &n) < 0)
		return NULL;
	dev = web_find(listener->web, (const struct sockaddr *)&address);
	if (!dev || !(listener->tls ? dev->tls.open : dev->plain.open))
		return NULL;
	return dev;
}

void conn_accept(struct web_listener *listener)
{
	struct web_conn *c = xcalloc(1, sizeof(*c));

	c->web = listener->web;
	c->handles = 1;
	c->tcp.data = c;
	c->quiet_since = web_now(c->web);
	http_reader_init(&c->reader);
	buf_init(&c->out, SIZE_MAX);
	uv_tcp_init(c->web->loop, &c->tcp);
	link_conn(c);
	if (uv_accept((uv_stream_t *)&listener->tcp, (uv_stream_t *)&c->tcp) == 0)
		c->dev = destination(c, listener);
	if (c->dev) {
		greet(c, listener);
		return;
	}
	c->closing = true;
	if (uv_tcp_close_reset(&c->tcp, on_handle_closed) < 0)
		uv_close((uv_handle_t *)&c->tcp, on_handle_closed);
}

static bool too_quiet(const struct web_conn *c, uint64_t now)
{
	uint64_t quiet = now - c->quiet_since;
	uint32_t idle = c->dev ? c->dev->knobs->idle_ms : 0;

	if (c->closing || c->busy || c->mute)
		return false;
	return (c->counted && quiet >= REQUEST_MS) || (idle && !c->counted && quiet >= idle);
}

void conn_sweep(struct web *web)
{
	uint64_t now = web_now(web);

	for (struct web_conn *c = web->conns, *next; c; c = next) {
		next = c->next;
		if (too_quiet(c, now))
			close_conn(c);
	}
}

void conn_close_all(struct web *web, const struct web_device *dev)
{
	for (struct web_conn *c = web->conns, *next; c; c = next) {
		next = c->next;
		if (!dev || c->dev == dev)
			close_conn(c);
	}
}
