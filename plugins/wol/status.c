/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether it is on, asked of the machine itself: an answer is "on". No answer is not "off": it may
 * be on and not answer, and so it is unknown.
 */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "wol.h"

#define ECHOES 3u

static uint64_t now(const struct wol_dev *dev)
{
	return uv_now(pctl_device_loop(dev->device));
}

static bool is_v6(const struct wol_dev *dev)
{
	return dev->from.ss_family == AF_INET6;
}

static socklen_t size_of(const struct wol_dev *dev)
{
	return is_v6(dev) ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

static void is_on(struct wol_dev *dev)
{
	dev->power->state = PCTL_POWER_ON;
	pctl_op_done(wol_end(dev));
}

/* Whoever waits for it, or is about to wake it, goes on; whoever wanted to know is told why not. */
static void is_unknown(struct wol_dev *dev, const struct pctl_error *why)
{
	if (dev->flags & (PCTL_GET_CONFIRM | PCTL_GET_BEFORE_CHANGE)) {
		dev->power->state = PCTL_POWER_UNKNOWN;
		pctl_op_done(wol_end(dev));
		return;
	}
	pctl_op_fail_error(wol_end(dev), why);
}

static void is_silent(struct wol_dev *dev, const char *what)
{
	struct pctl_error err = { 0 };
	char limit[32];

	pctl_format_duration(pctl_device_connect_ms(dev->device), limit, sizeof(limit));
	(void)pctl_error_set(&err, PCTL_E_TIMEOUT,
		"%s in %s: it is off, or does not answer such questions", what, limit);
	is_unknown(dev, &err);
}

/* Somebody said at once that there is no connection: the machine, or who stands before it. */
static void is_turned_away(struct wol_dev *dev, int why)
{
	unsigned port = (unsigned)pctl_setting_uint(dev->device, "status_port");
	struct pctl_error err = { 0 };

	if (why == ECONNREFUSED)
		(void)pctl_error_set(&err, PCTL_E_UNREACHABLE,
			"its port %u refuses connections: it may be on, and nothing listens there, "
			"or a firewall refuses in its place; `status_port` names another port",
			port);
	else
		(void)pctl_error_set(&err, pctl_error_from_errno(why),
			"no connection to its port %u (%s): it is off, or there is no way to it",
			port, strerror(why));
	(void)pctl_error_flag(&err, why == ECONNREFUSED ? PCTL_ERROR_NOT_LISTENING : 0);
	is_unknown(dev, &err);
}

static void fail_errno(struct wol_dev *dev, const char *what)
{
	struct pctl_error err;

	if (!pctl_error_shortage(&err, errno))
		pctl_error_set(&err, pctl_error_from_errno(errno), "%s: %s", what, strerror(errno));
	pctl_op_fail_error(wol_end(dev), &err);
}

static int watch(struct wol_dev *dev, int events, uv_poll_cb callback)
{
	dev->poll = pctl_xcalloc(1, sizeof(*dev->poll));
	int r = uv_poll_init(pctl_device_loop(dev->device), dev->poll, dev->fd);

	dev->poll->data = dev;
	return r < 0 ? r : uv_poll_start(dev->poll, events, callback);
}

/* --- ping. ------------------------------------------------------------------------------------ */

static int open_ping(struct wol_dev *dev)
{
	int protocol = is_v6(dev) ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	int flags = SOCK_CLOEXEC | SOCK_NONBLOCK;

	dev->raw = false;
	dev->fd = socket(dev->from.ss_family, SOCK_DGRAM | flags, protocol);
	if (dev->fd < 0 && (errno == EACCES || errno == EPERM)) {
		dev->raw = true;
		dev->fd = socket(dev->from.ss_family, SOCK_RAW | flags, protocol);
	}
	return dev->fd;
}

/* A port in the address of a raw socket would be taken for a protocol. */
static void clear_port(struct wol_dev *dev)
{
	if (is_v6(dev))
		((struct sockaddr_in6 *)(void *)&dev->from)->sin6_port = 0;
	else
		((struct sockaddr_in *)(void *)&dev->from)->sin_port = 0;
}

static void send_echo(uv_timer_t *timer)
{
	struct wol_dev *dev = timer->data;
	uint64_t each = pctl_device_connect_ms(dev->device) / ECHOES;
	uint8_t echo[WOL_ECHO_SIZE];

	if (now(dev) >= dev->until) {
		is_silent(dev, "no answer to ping");
		return;
	}
	wol_echo_make(echo, is_v6(dev), (uint16_t)dev->token, 1, dev->token);
	/* What does not leave, for want of a route or a neighbour, is a question without an answer.
	 */
	(void)sendto(
		dev->fd, echo, sizeof(echo), 0, (const struct sockaddr *)&dev->from, size_of(dev));
	uint64_t left = dev->until - now(dev);
	(void)uv_timer_start(timer, send_echo, left < each || left - each < 50 ? left : each, 0);
}

static bool same_host(const struct wol_dev *dev, const struct sockaddr_storage *who)
{
	const struct sockaddr_in *a = (const void *)&dev->from, *b = (const void *)who;
	const struct sockaddr_in6 *a6 = (const void *)&dev->from, *b6 = (const void *)who;

	if (who->ss_family != dev->from.ss_family)
		return false;
	if (is_v6(dev))
		return memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof(a6->sin6_addr)) == 0;
	return a->sin_addr.s_addr == b->sin_addr.s_addr;
}

static void on_echo(uv_poll_t *poll, int status, int events)
{
	struct wol_dev *dev = poll->data;
	uint8_t bytes[512];

	(void)status, (void)events;
	for (;;) {
		struct sockaddr_storage who = { 0 };
		socklen_t len = sizeof(who);
		ssize_t n =
			recvfrom(dev->fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&who, &len);

		if (n < 0)
			return; /* nothing more, or somebody says that there is no way to it */
		if (same_host(dev, &who) &&
			wol_echo_matches(bytes, (size_t)n, is_v6(dev), dev->raw, dev->token)) {
			is_on(dev);
			return;
		}
	}
}

static void ping(struct wol_dev *dev)
{
	if (open_ping(dev) < 0 && (errno == EACCES || errno == EPERM)) {
		pctl_op_fail(wol_end(dev), PCTL_E_CONFIG,
			"no right to ping: widen the sysctl net.ipv4.ping_group_range to a group "
			"of "
			"this user's, give cap_net_raw, or set `status: tcp`");
		return;
	}
	if (dev->fd < 0) {
		fail_errno(dev, "no socket");
		return;
	}
	clear_port(dev);
	if (getrandom(&dev->token, sizeof(dev->token), 0) != sizeof(dev->token) ||
		watch(dev, UV_READABLE, on_echo) < 0)
		fail_errno(dev, "cannot ping");
	else
		send_echo(&dev->timer);
}

/* --- tcp. ------------------------------------------------------------------------------------- */

static void on_late(uv_timer_t *timer)
{
	is_silent(timer->data, "its port takes no connection");
}

static void on_connected(uv_poll_t *poll, int status, int events)
{
	struct wol_dev *dev = poll->data;
	int why = 0;
	socklen_t len = sizeof(why);

	(void)events;
	/* A refusal comes with a status too, which does not say that it is one. */
	if (getsockopt(dev->fd, SOL_SOCKET, SO_ERROR, &why, &len) < 0)
		why = errno;
	if (why == 0 && status == 0)
		is_on(dev);
	else if (why == 0 || why == ETIMEDOUT)
		is_silent(dev, "its port takes no connection");
	else
		is_turned_away(dev, why);
}

/* A refusal may be a firewall's: only a connection says that it is on. */
static void connect_to(struct wol_dev *dev)
{
	dev->fd = socket(
		dev->from.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
	if (dev->fd < 0) {
		fail_errno(dev, "no socket");
		return;
	}
	if (connect(dev->fd, (const struct sockaddr *)&dev->from, size_of(dev)) == 0)
		is_on(dev);
	else if (errno != EINPROGRESS)
		is_turned_away(dev, errno);
	else if (watch(dev, UV_WRITABLE, on_connected) < 0)
		fail_errno(dev, "cannot connect");
	else
		(void)uv_timer_start(&dev->timer, on_late, pctl_device_connect_ms(dev->device), 0);
}

void wol_get(void *data, struct pctl_op *op, unsigned flags, struct pctl_power *ret)
{
	struct wol_dev *dev = data;
	int how = pctl_setting_choice(dev->device, "status");
	uint16_t port = (uint16_t)pctl_setting_uint(dev->device, "status_port");
	struct pctl_error err;
	socklen_t len;

	wol_begin(dev, op);
	dev->power = ret;
	dev->flags = flags;
	if (pctl_device_datagram_address(dev->device, port, &dev->from, &len, &err) < 0) {
		pctl_op_fail_error(wol_end(dev), &err);
		return;
	}
	dev->until = now(dev) + pctl_device_connect_ms(dev->device);
	if (how == WOL_STATUS_NONE)
		pctl_op_fail(wol_end(dev), PCTL_E_UNSUPPORTED,
			"nothing tells whether it is on: set `status: ping` or `status: tcp`");
	else if (how == WOL_STATUS_PING)
		ping(dev);
	else
		connect_to(dev);
}
