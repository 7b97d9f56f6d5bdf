/* SPDX-License-Identifier: Apache-2.0 */
#include "redir.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "device.h"
#include "json.h"
#include "optin.h"
#include "redir_ider.h"
#include "redir_login.h"
#include "sim.h"
#include "web_tls.h"

enum { IN_MAX = 1 << 20, OUT_MAX = 64 << 20, DRIP_MS = 1, DRIP_PIECE = 7, SEND_BUFFER = 64 << 10 };

static const struct redir_protocol *const protocols[REDIR_KINDS] = {
	[REDIR_SOL] = &redir_sol,
	[REDIR_IDER] = &redir_ider,
	[REDIR_KVM] = &redir_kvm,
};

struct redir_conn {
	uv_tcp_t tcp;
	uv_write_t write;
	uv_timer_t timer;
	struct device *dev;
	struct web_tls *tls;
	struct redir_conn *next;
	struct redir_conn *prev;
	struct buf in;
	struct buf out; /* waits */
	struct buf leaving;
	struct redir_login login;
	enum redir_kind kind;
	const struct redir_protocol *protocol; /* once it is logged in */
	void *session;
	unsigned handles;
	bool started;
	bool logged_in;
	bool writing;
	bool dripping;
	bool ending; /* when all has left */
	bool closing;
	bool ousted; /* somebody else may have its session, and is waited for */
	bool mute;
};

struct device *redir_device(const struct redir_conn *c)
{
	return c->dev;
}

/* --- The end of a connection. ----------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
	struct redir_conn *c = handle->data;

	if (--c->handles)
		return;
	tls_free(c->tls);
	buf_done(&c->in);
	buf_done(&c->out);
	buf_done(&c->leaving);
	redir_login_done(&c->login);
	free(c);
}

static void forget_session(struct redir_conn *c)
{
	if (!c->logged_in)
		return;
	c->logged_in = false;
	if (!c->ousted) {
		c->dev->redir.sessions[c->kind] = NULL;
		optin_session(c->dev, false);
	}
	if (c->session)
		c->protocol->end(c->session);
	c->session = NULL;
}

static void close_conn(struct redir_conn *c)
{
	struct sim *sim = c->dev->sim;

	if (c->closing)
		return;
	c->closing = true;
	forget_session(c);
	if (c->prev)
		c->prev->next = c->next;
	else
		sim->redir_conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	uv_close((uv_handle_t *)&c->tcp, on_closed);
	uv_close((uv_handle_t *)&c->timer, on_closed);
}

/* --- Out. ------------------------------------------------------------------------------------- */

static void send_on(struct redir_conn *c);

static void on_written(uv_write_t *write, int status)
{
	struct redir_conn *c = write->data;

	c->writing = false;
	c->leaving.n = 0;
	if (c->closing)
		return;
	if (status < 0)
		close_conn(c);
	else
		send_on(c);
}

static void on_drip(uv_timer_t *timer)
{
	struct redir_conn *c = timer->data;

	send_on(c);
}

/* A login byte by byte; what is long then, in pieces that fit nothing. */
static void drip(struct redir_conn *c)
{
	size_t piece = c->logged_in ? DRIP_PIECE : 1;
	uv_buf_t b = uv_buf_init(c->out.p, (unsigned)(piece < c->out.n ? piece : c->out.n));
	int n = uv_try_write((uv_stream_t *)&c->tcp, &b, 1);

	if (n > 0)
		buf_drop(&c->out, (size_t)n);
	if (c->out.n)
		uv_timer_start(&c->timer, on_drip, DRIP_MS, 0);
	else if (c->ending)
		close_conn(c);
}

static void send_on(struct redir_conn *c)
{
	struct buf swap = c->leaving;

	if (c->writing || c->closing)
		return;
	if (!c->out.n) {
		if (c->ending)
			close_conn(c);
		else if (c->logged_in && c->protocol->room)
			c->protocol->room(c, c->session);
		return;
	}
	if (c->dripping) {
		drip(c);
		return;
	}
	c->leaving = c->out;
	c->out = swap;

	uv_buf_t b = uv_buf_init(c->leaving.p, (unsigned)c->leaving.n);

	c->writing = true;
	if (uv_write(&c->write, (uv_stream_t *)&c->tcp, &b, 1, on_written) < 0)
		close_conn(c);
}

void redir_send(struct redir_conn *c, const void *p, size_t n)
{
	if (c->closing)
		return;
	if (c->tls)
		tls_write(c->tls, p, n, &c->out);
	else
		buf_add(&c->out, p, n);
	if (!c->dripping || !uv_is_active((uv_handle_t *)&c->timer))
		send_on(c);
}

size_t redir_waiting(const struct redir_conn *c)
{
	return c->out.n + c->leaving.n;
}

void redir_hang_up(struct redir_conn *c)
{
	c->ending = true;
	if (!c->writing && !c->out.n)
		close_conn(c);
}

/* --- Start and login. ------------------------------------------------------------------------- */

static bool needs_consent(struct device *dev, enum redir_kind kind)
{
	return kind == REDIR_KVM ? !optin_allows_kvm(dev) : !optin_allows_boot(dev);
}

static bool is_enabled(const struct device *dev, enum redir_kind kind)
{
	switch (kind) {
	case REDIR_SOL:
		return dev->redir.state & 2;
	case REDIR_IDER:
		return dev->redir.state & 1;
	default:
		return dev->redir.kvm && !dev->knobs.no_kvm;
	}
}

static uint8_t start_status(struct device *dev, enum redir_kind kind)
{
	if (dev->knobs.redirection_status)
		return (uint8_t)dev->knobs.redirection_status;
	if (kind == REDIR_KINDS)
		return 1;
	if (!is_enabled(dev, kind))
		return 3;
	if (dev->redir.sessions[kind])
		return 2;
	return needs_consent(dev, kind) ? 5 : 0;
}

static uint8_t minor_version(const struct device *dev)
{
	struct str rest = str_of(dev->profile->version), part;
	uint64_t n = 0;

	(void)(str_split(&rest, '.', &part) && str_split(&rest, '.', &part) &&
		parse_uint(part, UINT8_MAX, &n));
	return (uint8_t)n;
}

static void start(struct redir_conn *c, const uint8_t *p)
{
	uint8_t reply[13] = { 0x11, 0, 0, 0, 1, 0, 0, 0, 0x57, 1, 0, 0, 0 };

	c->kind = REDIR_SOL;
	while (c->kind < REDIR_KINDS && memcmp(protocols[c->kind]->magic, p + 4, 4) != 0)
		c->kind++;
	reply[1] = start_status(c->dev, c->kind);
	reply[6] = (uint8_t)c->dev->profile->major;
	reply[7] = minor_version(c->dev);
	c->started = !reply[1];
	redir_send(c, reply, c->started ? sizeof(reply) : 4);
}

/* What the fault makes of an answer to a login. */
static void answer_login(struct redir_conn *c, const struct buf *reply, bool challenge)
{
	static const uint8_t alien[] = { 0x2A, 0, 0, 0, 0, 0, 0, 0, 2, 0, 'h', 'i' };
	static const uint8_t unknown[] = { 0x99, 0, 0, 0, 0, 0, 0, 0 };
	enum redir_fault fault =
		challenge ? (enum redir_fault)c->dev->knobs.redirection_fault : REDIR_FAULT_NO;

	switch (fault) {
	case REDIR_FAULT_TRUNCATE:
		redir_send(c, reply->p, reply->n / 2);
		redir_hang_up(c);
		return;
	case REDIR_FAULT_OVERSIZE:
		redir_send(c, "\x14\x01\0\0\x04\xFF\xFF\xFF\x7F", 9);
		return;
	case REDIR_FAULT_EMPTY:
		redir_send(c, "\x14\x01\0\0\x04\0\0\0\0", 9);
		return;
	case REDIR_FAULT_INTERLEAVE:
		redir_send(c, alien, sizeof(alien));
		break;
	case REDIR_FAULT_UNKNOWN:
		redir_send(c, unknown, sizeof(unknown));
		break;
	case REDIR_FAULT_CLOSE:
		redir_hang_up(c);
		return;
	case REDIR_FAULT_SILENT:
		return;
	case REDIR_FAULT_DRIP:
		c->dripping = true;
		break;
	case REDIR_FAULT_NO:
		break;
	}
	redir_send(c, reply->p, reply->n);
}

static void hang_up_ousted(const struct device *dev, enum redir_kind kind)
{
	for (struct redir_conn *c = dev->sim->redir_conns, *next; c; c = next) {
		next = c->next;
		if (c->ousted && c->dev == dev && c->kind == kind)
			close_conn(c);
	}
}

static void hold_session(struct redir_conn *c, const struct redir_protocol *protocol)
{
	hang_up_ousted(c->dev, c->kind);
	c->logged_in = true;
	c->protocol = protocol;
	c->dev->redir.sessions[c->kind] = c;
	optin_session(c->dev, true);
}

static void log_in(struct redir_conn *c, const uint8_t *p, size_t n)
{
	struct buf reply;

	buf_init(&reply, IN_MAX);

	enum redir_verdict v = redir_login_take(&c->login, c->dev, p, n, &reply);

	if (v == REDIR_LOGGED_IN) {
		c->dev->counters.redir_logins++;
		hold_session(c, protocols[c->kind]);
	}
	answer_login(c, &reply, v == REDIR_CHALLENGED);
	buf_done(&reply);
	if (v == REDIR_REFUSED)
		redir_hang_up(c);
	if (v == REDIR_LOGGED_IN && !c->closing)
		c->session = c->protocol->begin(c);
}

/* One frame of start or login; how many bytes it has, 0: more are needed. */
static size_t take_frame(struct redir_conn *c, const uint8_t *p, size_t n)
{
	switch (p[0]) {
	case 0x10:
		if (n < 8)
			return 0;
		start(c, p);
		return 8;
	case 0x12:
		if (n < 4)
			return 0;
		redir_hang_up(c);
		return 4;
	case 0x13: {
		if (n < 9)
			return 0;
		size_t len = p[5] | (size_t)p[6] << 8 | (size_t)p[7] << 16 | (size_t)p[8] << 24;
		if (len > 4096 || !c->started)
			break;
		if (n < 9 + len)
			return 0;
		log_in(c, p, 9 + len);
		return 9 + len;
	}
	default:
		break;
	}
	close_conn(c);
	return n;
}

static size_t take_session(struct redir_conn *c, const uint8_t *p, size_t n)
{
	if (p[0] == 0x12 && n >= 4 && !p[1] && !p[2] && !p[3]) {
		redir_hang_up(c);
		return n;
	}
	return c->protocol->take(c, c->session, p, n);
}

static void take_all(struct redir_conn *c)
{
	size_t at = 0;

	while (at < c->in.n && !c->closing && !c->ending) {
		const uint8_t *p = (const uint8_t *)c->in.p + at;
		size_t used = c->logged_in ? take_session(c, p, c->in.n - at)
					   : take_frame(c, p, c->in.n - at);

		if (!used)
			break;
		at += used;
	}
	if (c->closing)
		return;
	buf_drop(&c->in, at);
	if (c->in.over)
		close_conn(c);
}

/* --- In. -------------------------------------------------------------------------------------- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	struct redir_conn *c = handle->data;

	(void)suggested;
	*ret = uv_buf_init(c->dev->sim->web.read_buffer, sizeof(c->dev->sim->web.read_buffer));
}

/* A client that sends small segments only once the last one was acknowledged would else wait for
 * the timer of this kernel at every read. */
static void acknowledge(struct redir_conn *c)
{
	uv_os_fd_t fd;

	if (uv_fileno((uv_handle_t *)&c->tcp, &fd) == 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &(int){ 1 }, sizeof(int));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
	struct redir_conn *c = stream->data;

	if (n < 0) {
		close_conn(c);
		return;
	}
	if (c->mute)
		return;
	if (c->dev->knobs.ider_lenient)
		acknowledge(c);
	if (!c->tls) {
		buf_add(&c->in, b->base, (size_t)n);
	} else if (tls_feed(c->tls, b->base, (size_t)n, &c->in, &c->out) != TLS_OPEN) {
		redir_hang_up(c);
		return;
	} else {
		send_on(c);
	}
	take_all(c);
}

void redir_pause(struct redir_conn *c, bool pause)
{
	if (c->closing)
		return;
	if (pause)
		uv_read_stop((uv_stream_t *)&c->tcp);
	else
		uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

/* A viewer has the screen as it comes, where it is to be had; what he says is his login. */
static void begin_vnc(struct redir_conn *c)
{
	c->kind = REDIR_KVM;
	if (start_status(c->dev, REDIR_KVM)) {
		close_conn(c);
		return;
	}
	hold_session(c, &redir_vnc);
	c->session = c->protocol->begin(c);
}

static struct redir_conn *new_conn(struct device *dev)
{
	struct redir_conn *c = xcalloc(1, sizeof(*c));

	c->dev = dev;
	c->handles = 2;
	c->mute = dev->knobs.web.dead != WEB_DEAD_NO;
	uv_tcp_init(&dev->sim->loop, &c->tcp);
	uv_timer_init(&dev->sim->loop, &c->timer);
	c->tcp.data = c->timer.data = c->write.data = c;
	buf_init(&c->in, IN_MAX);
	buf_init(&c->out, OUT_MAX);
	buf_init(&c->leaving, OUT_MAX);
	c->next = dev->sim->redir_conns;
	if (c->next)
		c->next->prev = c;
	dev->sim->redir_conns = c;
	return c;
}

void redir_accept(struct redir_listener *l, uv_stream_t *stream)
{
	struct redir_conn *c = new_conn(l->dev);

	redir_login_init(&c->login, l->door == REDIR_DOOR_TLS);
	if (uv_accept(stream, (uv_stream_t *)&c->tcp) < 0) {
		close_conn(c);
		return;
	}
	uv_tcp_nodelay(&c->tcp, 1);
	/* A management engine has no megabytes for it. */
	uv_send_buffer_size((uv_handle_t *)&c->tcp, &(int){ SEND_BUFFER });
	c->dev->counters.redir_connections++;
	if (l->door == REDIR_DOOR_TLS && !c->mute)
		c->tls = tls_new(&c->dev->web);
	redir_pause(c, false);
	if (l->door == REDIR_DOOR_VNC && !c->mute)
		begin_vnc(c);
}

void redir_close_all(struct sim *sim)
{
	while (sim->redir_conns)
		close_conn(sim->redir_conns);
}

/* --- What it tells. --------------------------------------------------------------------------- */

bool redir_is_open(const struct device *dev)
{
	for (size_t i = 0; i < REDIR_KINDS; i++)
		if (dev->redir.sessions[i])
			return true;
	return false;
}

bool redir_end(struct device *dev, enum redir_kind kind)
{
	struct redir_conn *c = dev->redir.sessions[kind];

	if (c)
		close_conn(c);
	return c != NULL;
}

bool redir_oust(struct device *dev, enum redir_kind kind)
{
	struct redir_conn *c = dev->redir.sessions[kind];

	if (!c || !dev->knobs.redirection_linger)
		return redir_end(dev, kind);
	c->ousted = true;
	dev->redir.sessions[kind] = NULL;
	optin_session(dev, false);
	return true;
}

void *redir_session(const struct device *dev, enum redir_kind kind)
{
	return dev->redir.sessions[kind] ? dev->redir.sessions[kind]->session : NULL;
}

void redir_json(const struct device *dev, struct buf *out)
{
	bool any = false;

	json_member_number(out, "redirection_state", dev->redir.state);
	json_member_bool(out, "redirection_listener", dev->redir.listening);
	json_member(out, "redirection_sessions");
	buf_char(out, '[');
	for (size_t i = 0; i < REDIR_KINDS; i++) {
		if (!dev->redir.sessions[i])
			continue;
		buf_fmt(out, "%s\"%s\"", any ? "," : "", protocols[i]->name);
		any = true;
	}
	buf_char(out, ']');
	ider_json(dev, out);
}
