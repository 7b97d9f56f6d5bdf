/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The screen: KVM redirection. Behind the login and one more frame the connection is plain RFB: the
 * user gets the device's own descriptor, and nothing stands between. Over TLS there is a socketpair
 * in place of it; what one side does not take, the other side is not asked for.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <powerctl/log.h>
#include <powerctl/mem.h>

#include "amt.h"
#include "redirection/screens.h"
#include "redirection/session.h"

/* Keys and the mouse on their way to the device, at most; and its picture on the way to the user,
 * which is what one turn of the wire can bring and a little more. */
#define TYPED_MAX ((size_t)8192)
#define KEPT_MAX  ((size_t)1 << 18)
#define PART      ((size_t)4096)
/* Firmware hangs up on more, in whatever format. */
#define PICTURE_MAX 9216000

enum state {
	OPENING, /* within the op */
	OPEN,
	DRAINING, /* the device has ended it, and the user has not read all of it */
	OVER,
	GONE,
};

struct kvm {
	struct pctl_session session; /* what the user sees */
	struct amt_dev *dev;
	struct pctl_session **ret_session;
	unsigned flags;
	enum state state;
	struct wire *wire; /* until its descriptor is taken; over TLS until the end */
	int ours;          /* the other end of session.fd, or -1: that is the device's own */
	uv_poll_t poll;    /* of ours, where polled */
	uv_timer_t later;  /* by which it is freed */
	bool polled;
	unsigned handles;
	struct pctl_buf kept;
	size_t taken; /* the first so many of them the user has */
	struct screens_work screens;
	struct redirection_facts facts;
	struct pctl_error why; /* it ended */
};

/* --- The end. --------------------------------------------------------------------------------- */

static void release(struct kvm *k)
{
	struct amt_dev *dev = k->dev;

	if (k->session.ended)
		k->session.ended(k->session.data, &k->why);
	pctl_value_free(k->session.facts);
	pctl_buf_done(&k->kept);
	free(k);
	amt_release(dev);
}

static void on_closed(uv_handle_t *handle)
{
	struct kvm *k = handle->data;

	if (--k->handles == 0)
		release(k);
}

static void dispose(struct kvm *k)
{
	if (k->state == GONE)
		return;
	k->state = GONE;
	wire_close(k->wire);
	k->wire = NULL;
	uv_close((uv_handle_t *)&k->later, on_closed);
	if (k->polled)
		uv_close((uv_handle_t *)&k->poll, on_closed);
	if (k->ours >= 0)
		(void)close(k->ours);
	if (k->session.fd >= 0)
		(void)close(k->session.fd);
	k->ours = k->session.fd = -1;
}

static void tell_end(struct kvm *k)
{
	void (*ended)(void *, const struct pctl_error *) = k->session.ended;

	k->state = OVER;
	(void)uv_poll_stop(&k->poll);
	(void)shutdown(k->ours, SHUT_WR);
	k->session.ended = NULL;
	if (ended)
		ended(k->session.data, &k->why);
}

/* The device's own descriptor: that it has hung up may lie behind bytes that nobody has read. */
static void ask_descriptor(struct kvm *k)
{
	struct pollfd one = { .fd = k->session.fd, .events = POLLRDHUP };

	if (poll(&one, 1, 0) <= 0 || pctl_dial_error(k->dev->device, k->session.fd, &k->why) < 0)
		return;
	(void)pctl_error_set(&k->why, PCTL_E_UNREACHABLE, "connection lost: the device closed it");
	(void)pctl_error_flag(&k->why, PCTL_ERROR_DROPPED);
}

static void close_session(struct pctl_session *session)
{
	struct kvm *k = pctl_container_of(session, struct kvm, session);

	if (k->state == OPEN && k->ours < 0)
		ask_descriptor(k);
	dispose(k);
}

/* --- Over TLS: between the user and the wire. ------------------------------------------------- */

static void watch(struct kvm *k);

/* Hands out what is kept; false: the user does not take it all now. */
static bool hand_out(struct kvm *k)
{
	while (k->taken < k->kept.len) {
		ssize_t n = send(k->ours, k->kept.data + k->taken, k->kept.len - k->taken,
			MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return false;
		/* Nobody reads it any more: it is about to be closed. */
		k->taken = n < 0 ? k->kept.len : k->taken + (size_t)n;
	}
	pctl_buf_cut(&k->kept, 0);
	k->taken = 0;
	return true;
}

static void on_bytes(void *data, const uint8_t *bytes, size_t len)
{
	struct kvm *k = data;

	pctl_buf_add(&k->kept, bytes, len);
	if (!hand_out(k))
		wire_pause(k->wire, true);
	watch(k);
}

static void send_typed(struct kvm *k)
{
	char typed[PART];
	ssize_t n = recv(k->ours, typed, sizeof(typed), MSG_DONTWAIT);
	struct pctl_error err = { 0 };
	struct pctl_buf out;

	if (n <= 0) {
		/* The user is about to close it; until then there is nothing to wait for. */
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			(void)uv_poll_stop(&k->poll);
		return;
	}
	pctl_buf_init_secret(&out, sizeof(typed));
	pctl_buf_add(&out, typed, (size_t)n);
	explicit_bzero(typed, (size_t)n);
	(void)wire_send(k->wire, &out, &err);
	pctl_buf_done(&out);
	watch(k);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct kvm *k = poll->data;

	if (status < 0)
		events = UV_READABLE | UV_WRITABLE;
	if (events & UV_WRITABLE && hand_out(k)) {
		if (k->state == DRAINING) {
			tell_end(k);
			return;
		}
		wire_pause(k->wire, false);
		watch(k);
	}
	if (events & UV_READABLE && k->state == OPEN)
		send_typed(k);
}

/* What the user sends is not read while the device does not take it, nor the other way round. */
static void watch(struct kvm *k)
{
	int events = 0;

	if (k->state == OPEN && wire_queued(k->wire) < TYPED_MAX)
		events |= UV_READABLE;
	if (k->taken < k->kept.len)
		events |= UV_WRITABLE;
	if (events)
		(void)uv_poll_start(&k->poll, events, on_poll);
	else
		(void)uv_poll_stop(&k->poll);
}

static void on_drained(void *data)
{
	struct kvm *k = data;

	if (k->state == OPEN)
		watch(k);
}

static void on_ended(void *data, const struct pctl_error *err)
{
	struct kvm *k = data;

	k->why = *err;
	if (err->flags & PCTL_ERROR_DROPPED)
		(void)pctl_error_set(
			&k->why, PCTL_E_UNREACHABLE, "connection lost: the device closed it");
	wire_close(k->wire);
	k->wire = NULL;
	k->state = DRAINING;
	if (k->taken == k->kept.len)
		tell_end(k);
	else
		watch(k);
}

static const struct wire_user tls_user = { .drained = on_drained, .ended = on_ended };

/* --- Opening. --------------------------------------------------------------------------------- */

static int make_pair(struct kvm *k, struct pctl_error *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) {
		if (pctl_error_shortage(err, errno))
			return PCTL_E_INTERNAL;
		return pctl_error_set(err, PCTL_E_INTERNAL, "no socket: %s", strerror(errno));
	}
	k->session.fd = pair[0];
	k->ours = pair[1];
	(void)uv_poll_init(pctl_device_loop(k->dev->device), &k->poll, k->ours);
	k->poll.data = k;
	k->polled = true;
	k->handles++;
	return 0;
}

static struct pctl_value *new_facts(const struct kvm *k)
{
	struct pctl_value *facts = pctl_value_new_map(), *formats = pctl_value_new_list();

	pctl_value_set_text(facts, "kind", "rfb");
	pctl_value_set_text(facts, "version", "3.8");
	pctl_value_add(formats, pctl_value_new_text("rgb565"));
	pctl_value_add(formats, pctl_value_new_text("rgb332"));
	pctl_value_set(facts, "pixel_formats", formats);
	pctl_value_set_int(facts, "picture_max", PICTURE_MAX);
	if (k->facts.switched_on)
		pctl_value_set_text(
			facts, "note", "KVM or its listener was off; it was switched on");
	else if (k->screens.changed)
		pctl_value_set_text(
			facts, "note", "KVM showed another display; it shows this one from now on");
	return facts;
}

static void succeed(struct kvm *k)
{
	k->session.facts = new_facts(k);
	k->state = OPEN;
	*k->ret_session = &k->session;
	amt_end(k->dev, NULL);
}

/* Plain: the device's own descriptor; over TLS one end of a socketpair. */
static void go_on(struct kvm *k)
{
	struct pctl_error err = { 0 };
	int fd = wire_take(k->wire);

	if (fd >= 0) {
		k->wire = NULL;
		k->session.fd = fd;
	} else if (make_pair(k, &err) < 0) {
		amt_end(k->dev, &err);
		return;
	}
	succeed(k);
	if (!k->wire)
		return;
	wire_use(k->wire, &tls_user, k);
	wire_use_bytes(k->wire, on_bytes);
	watch(k);
}

static void on_opened(void *data, const struct frame *frame)
{
	struct kvm *k = data;

	if (frame->command != FRAME_KVM_OPENED)
		return;
	if (frame->data[1] != START_OK)
		amt_fail(k->dev, PCTL_E_REFUSED, "it does not begin KVM (status %u)",
			frame->data[1]);
	else
		go_on(k);
}

static void on_not_opened(void *data, const struct pctl_error *err)
{
	const struct kvm *k = data;

	if (err->flags & PCTL_ERROR_DROPPED)
		amt_fail(k->dev, PCTL_E_REFUSED,
			"it closed the connection where KVM begins: KVM needs Intel graphics and a "
			"monitor, or a plug that looks like one");
	else
		amt_end(k->dev, err);
}

static const struct wire_user opening_user = { .frame = on_opened, .ended = on_not_opened };

static void started(
	struct amt_dev *dev, struct wire *wire, const struct redirection_facts *facts, void *data)
{
	struct kvm *k = data;
	struct pctl_error err = { 0 };
	struct pctl_buf out;

	k->wire = wire;
	k->facts = *facts;
	wire_use(wire, &opening_user, k);
	pctl_buf_init(&out, 64);
	frame_put_short(&out, FRAME_KVM_OPEN, 0);
	int r = wire_send(wire, &out, &err);
	pctl_buf_done(&out);
	if (r < 0)
		amt_end(dev, &err);
	else
		wire_expect(wire, pctl_device_answer_ms(dev->device));
}

static void connect_to(struct amt_dev *dev)
{
	struct kvm *k = amt_kept(dev);

	redirection_open(dev, &(struct redirection_want){ .what = REDIRECTION_KVM,
				      .steal = k->flags & PCTL_DISPLAY_STEAL,
				      .opened = started,
				      .data = k });
}

/* The op has ended, well, badly or by abort. */
static void on_op_over(void *kept)
{
	struct kvm *k = kept;

	if (k->state == OPENING)
		dispose(k);
}

static void open_display(void *data, struct pctl_op *op, const struct pctl_display_wish *wish,
	struct pctl_session **ret_session)
{
	struct amt_dev *dev = data;
	struct kvm *k = pctl_xcalloc(1, sizeof(*k));

	k->session = (struct pctl_session){
		.size = sizeof(k->session), .fd = -1, .close = close_session
	};
	k->dev = dev;
	k->ret_session = ret_session;
	k->flags = wish->flags;
	k->ours = -1;
	k->handles = 1;
	k->screens = (struct screens_work){ .display = wish->display, .then = connect_to };
	pctl_buf_init(&k->kept, KEPT_MAX);
	(void)uv_timer_init(pctl_device_loop(dev->device), &k->later);
	k->later.data = k;
	amt_hold_open(dev);
	amt_begin(dev, op);
	amt_keep(dev, k, on_op_over);
	if (wish->display)
		screens_choose(dev, &k->screens);
	else
		connect_to(dev);
}

const struct pctl_display_if amt_display = {
	.size = sizeof(amt_display),
	.open = open_display,
	.direct = screens_direct,
};
