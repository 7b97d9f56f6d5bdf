/* SPDX-License-Identifier: Apache-2.0 */
#include "rmcp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "device.h"
#include "sim.h"
#include "util.h"

enum { PING_MIN = 12, PONG = 28, TYPE_PING = 0x80, TYPE_PONG = 0x40 };

static char scratch[512];

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *ret)
{
	(void)handle;
	(void)size;
	*ret = uv_buf_init(scratch, sizeof(scratch));
}

static bool is_ping(const uint8_t *p, ssize_t n)
{
	static const uint8_t asf[] = { 0x00, 0x00, 0x11, 0xBE };

	return n >= PING_MIN && p[0] == 6 && p[3] == 6 && memcmp(p + 4, asf, 4) == 0 &&
	       p[8] == TYPE_PING;
}

static void put16(uint8_t *p, uint16_t n)
{
	p[0] = (uint8_t)(n >> 8);
	p[1] = (uint8_t)n;
}

static void make_pong(const struct device *dev, uint8_t tag, uint8_t p[PONG])
{
	static const uint8_t head[] = { 6, 0, 0xFF, 6, 0, 0, 0x11, 0xBE, TYPE_PONG, 0, 0, 16, 0, 0,
		1, 0x57 };
	bool both = dev->profile->plain && !dev->sim->options.web.no_tls;
	const struct web_listener *one = dev->profile->plain ? &dev->web.plain : &dev->web.tls;
	const char *minor = strchr(dev->profile->version, '.');

	memset(p, 0, PONG);
	memcpy(p, head, sizeof(head));
	p[9] = tag;
	put16(p + 16, one->port);
	p[18] = (uint8_t)(dev->profile->major << 4 | (minor ? minor[1] & 15 : 0));
	p[19] = (uint8_t)((2 - dev->knobs.provisioning) | (both ? 4 : 0));
	p[21] = 0x20;
}

static void on_datagram(
	uv_udp_t *udp, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from, unsigned flags)
{
	struct device *dev = udp->data;
	uint8_t pong[PONG];
	uv_buf_t out = uv_buf_init((char *)pong, PONG);

	(void)flags;
	if (!from || !is_ping((const uint8_t *)buf->base, n))
		return;
	dev->counters.pings++;
	if (dev->knobs.no_pong || dev->knobs.web.dead == WEB_DEAD_SILENT || device_asleep(dev))
		return;
	make_pong(dev, (uint8_t)buf->base[9], pong);
	uv_udp_try_send(udp, &out, 1, from);
}

static void on_closed(uv_handle_t *handle)
{
	free(handle);
}

static int listen_at(struct sim *sim, struct device *dev)
{
	uint32_t port = sim->options.rmcp;
	struct sockaddr_storage address = dev->web.address;
	int length = sizeof(address);

	if (port && sim->options.fleet.by_port)
		port += dev->n - 1;
	address_set_port(&address, (uint16_t)port);
	dev->rmcp = xcalloc(1, sizeof(*dev->rmcp));
	uv_udp_init(&sim->loop, dev->rmcp);
	dev->rmcp->data = dev;

	int r = uv_udp_bind(dev->rmcp, (const struct sockaddr *)&address, 0);

	if (r == 0)
		r = uv_udp_recv_start(dev->rmcp, on_alloc, on_datagram);
	if (r == 0)
		r = uv_udp_getsockname(dev->rmcp, (struct sockaddr *)&address, &length);
	if (r < 0) {
		fprintf(stderr, "powerctl-amtsim: UDP port %u of device %u: %s\n", port, dev->n,
			uv_strerror(r));
		return -1;
	}
	dev->rmcp_port = address_port(&address);
	return 0;
}

static int start(const struct control *control)
{
	struct sim *sim = control->sim;
	int r = sim->start_web(control);

	for (uint32_t i = 0; r == 0 && sim->options.rmcp != RMCP_OFF && i < sim->fleet.count; i++)
		r = listen_at(sim, fleet_device(&sim->fleet, i));
	return r;
}

static void stop(const struct control *control)
{
	struct sim *sim = control->sim;

	for (uint32_t i = 0; i < sim->fleet.count; i++) {
		struct device *dev = fleet_device(&sim->fleet, i);

		if (dev->rmcp)
			uv_close((uv_handle_t *)dev->rmcp, on_closed);
		dev->rmcp = NULL;
	}
	sim->stop_web(control);
}

void rmcp_join(struct sim *sim)
{
	sim->start_web = sim->fleet.start;
	sim->stop_web = sim->fleet.stop;
	sim->fleet.start = start;
	sim->fleet.stop = stop;
}
