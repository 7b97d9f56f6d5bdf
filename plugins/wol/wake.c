/* SPDX-License-Identifier: Apache-2.0 */
/* Sending the packets. Nobody answers: that they have left is all there is to know. */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "wol.h"

#define APART_MS 100u

static int no_socket(int errnum, struct pctl_error *err)
{
	if (pctl_error_shortage(err, errnum))
		return PCTL_E_INTERNAL;
	return pctl_error_set(err, PCTL_E_INTERNAL, "no socket: %s", strerror(errnum));
}

static int set_interface(struct wol_dev *dev, struct pctl_error *err)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&dev->to;
	unsigned index = if_nametoindex(dev->interface);

	if (!index)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "this host has no interface '%s'", dev->interface);
	if (dev->to.ss_family == AF_INET6) {
		v6->sin6_scope_id = index;
		(void)setsockopt(dev->fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof(index));
	}
	if (setsockopt(dev->fd, SOL_SOCKET, SO_BINDTODEVICE, dev->interface,
		    (socklen_t)strlen(dev->interface)) < 0)
		return pctl_error_set(err, PCTL_E_CONFIG, "cannot use interface '%s': %s",
			dev->interface, strerror(errno));
	return 0;
}

static int open_socket(struct wol_dev *dev, struct pctl_error *err)
{
	int ttl = (int)pctl_setting_uint(dev->device, "ttl"), on = 1;
	bool ipv6 = dev->to.ss_family == AF_INET6;

	dev->fd = socket(dev->to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (dev->fd < 0)
		return no_socket(errno, err);
	if (!ipv6)
		(void)setsockopt(dev->fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	if (ttl && ipv6) {
		(void)setsockopt(dev->fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &ttl, sizeof(ttl));
		(void)setsockopt(dev->fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &ttl, sizeof(ttl));
	} else if (ttl) {
		(void)setsockopt(dev->fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
		(void)setsockopt(dev->fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof(ttl));
	}
	return dev->interface ? set_interface(dev, err) : 0;
}

static int send_one(struct wol_dev *dev, struct pctl_error *err)
{
	ssize_t n = sendto(dev->fd, dev->packet, dev->packet_n, 0,
		(const struct sockaddr *)&dev->to, dev->to_len);

	if (n == (ssize_t)dev->packet_n)
		return 0;
	if (n < 0 && pctl_error_shortage(err, errno))
		return PCTL_E_INTERNAL;
	return pctl_error_set(err, n < 0 ? pctl_error_from_errno(errno) : PCTL_E_INTERNAL,
		"the packet does not leave this host: %s",
		n < 0 ? strerror(errno) : "it was cut short");
}

static void send_next(uv_timer_t *timer)
{
	struct wol_dev *dev = timer->data;

	/* One has left: that another does not is no reason to say that nothing was sent. */
	(void)send_one(dev, NULL);
	if (--dev->left == 0)
		pctl_op_done(wol_end(dev));
}

static void fail(struct wol_dev *dev, const struct pctl_error *err)
{
	pctl_op_fail_error(wol_end(dev), err);
}

void wol_act(void *data, struct pctl_op *op, enum pctl_action action)
{
	struct wol_dev *dev = data;
	struct sockaddr_storage unused;
	socklen_t unused_len;
	struct pctl_error err;

	(void)action; /* on: there is no other */
	wol_begin(dev, op);
	/* Of the address only that it is not behind a gateway matters. */
	if (pctl_device_datagram_address(dev->device, 9, &unused, &unused_len, &err) < 0 ||
		open_socket(dev, &err) < 0) {
		fail(dev, &err);
		return;
	}
	pctl_op_committed(op);
	if (send_one(dev, &err) < 0) {
		pctl_op_not_taken(op); /* nothing has left */
		fail(dev, &err);
		return;
	}
	dev->left = (unsigned)pctl_setting_uint(dev->device, "repeat") - 1;
	if (dev->left)
		(void)uv_timer_start(&dev->timer, send_next, APART_MS, APART_MS);
	else
		pctl_op_done(wol_end(dev));
}
