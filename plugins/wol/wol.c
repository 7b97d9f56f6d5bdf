/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wol: Wake-on-LAN. Turns on and nothing else; whether it worked can be seen only where the machine
 * itself is asked. A driver with few abilities, and what it looks like.
 */
#include "wol.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>

static const char *const statuses[] = { "none", "ping", "tcp", NULL };

/* As wol_mac_parse() has it, but for what no machine has. */
#define TWO "[0-9A-Fa-f]{2}"
#define MAC "^" TWO "(([:.-]?)" TWO ")(\\2" TWO "){4}$|^(" TWO TWO "[:.-]){2}" TWO TWO "$"

static const struct pctl_property properties[] = {
	PCTL_PROPERTY(.name = "mac", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_REQUIRED,
		.pattern = MAC, .help = "of the machine's network port: 00:11:22:aa:bb:cc"),
	PCTL_PROPERTY(.name = "secureon", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_SECRET,
		.help = "its SecureOn password: like a MAC, or four numbers with dots"),
	PCTL_PROPERTY(.name = "broadcast", .type = PCTL_TYPE_TEXT,
		.default_text = "255.255.255.255",
		.help = "where packets go: a numeric broadcast, multicast or other address"),
	PCTL_PROPERTY(.name = "interface", .type = PCTL_TYPE_TEXT,
		.help = "the network interface of this host that they leave by"),
	PCTL_PROPERTY(.name = "port", .type = PCTL_TYPE_UINT, .default_text = "9", .min = 1,
		.max = 65535, .help = "UDP port that they go to"),
	PCTL_PROPERTY(.name = "ttl", .type = PCTL_TYPE_UINT, .default_text = "0", .max = 255,
		.help = "how many routers they pass; 0: as this host is set"),
	PCTL_PROPERTY(.name = "repeat", .type = PCTL_TYPE_UINT, .default_text = "3", .min = 1,
		.max = 20, .help = "how many packets are sent, a tenth of a second apart"),
	PCTL_PROPERTY(.name = "status", .type = PCTL_TYPE_CHOICE, .choices = statuses,
		.default_text = "none", .help = "how to see that it is on"),
	PCTL_PROPERTY(.name = "status_port", .type = PCTL_TYPE_UINT, .default_text = "22", .min = 1,
		.max = 65535, .help = "TCP port that takes connections when it is on"),
	{ 0 },
};

/* --- One op at a time. ------------------------------------------------------------------------ */

static void on_poll_closed(uv_handle_t *handle)
{
	free(handle);
}

void wol_let_go(struct wol_dev *dev)
{
	(void)uv_timer_stop(&dev->timer);
	if (dev->poll) {
		(void)uv_poll_stop(dev->poll);
		uv_close((uv_handle_t *)dev->poll, on_poll_closed);
	}
	dev->poll = NULL;
	if (dev->fd >= 0)
		(void)close(dev->fd);
	dev->fd = -1;
}

struct pctl_op *wol_end(struct wol_dev *dev)
{
	struct pctl_op *op = dev->op;

	wol_let_go(dev);
	dev->op = NULL;
	return op;
}

static void on_abort(struct pctl_op *op, void *work)
{
	(void)op;
	(void)wol_end(work);
}

void wol_begin(struct wol_dev *dev, struct pctl_op *op)
{
	dev->op = op;
	pctl_op_pending(op, on_abort, dev);
}

/* --- Open and close. -------------------------------------------------------------------------- */

static int read_packet(
	struct wol_dev *dev, const struct pctl_device *device, struct pctl_error *err)
{
	const char *text = pctl_setting_text(device, "mac");
	const struct pctl_secret *password = pctl_setting_secret(device, "secureon");
	uint8_t mac[WOL_MAC_SIZE], secure[WOL_SECURE_MAX];
	size_t secure_n = 0;

	if (!wol_mac_parse(text, mac))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"mac is not that of a machine: '%.40s'; write 00:11:22:aa:bb:cc", text);
	if (password)
		secure_n = wol_secure_parse(pctl_secret_data(password), secure);
	if (password && !secure_n)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"secureon is neither six bytes (00:11:22:aa:bb:cc) nor four numbers "
			"(192.168.0.1)");
	dev->packet_n = wol_packet_make(dev->packet, mac, secure, secure_n);
	explicit_bzero(secure, sizeof(secure));
	return 0;
}

static int read_destination(
	struct wol_dev *dev, const struct pctl_device *device, struct pctl_error *err)
{
	const char *text = pctl_setting_text(device, "broadcast");
	uint16_t port = htons((uint16_t)pctl_setting_uint(device, "port"));
	struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&dev->to;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&dev->to;

	dev->interface = pctl_setting_text(device, "interface");
	if (dev->interface && (!*dev->interface || strlen(dev->interface) >= IFNAMSIZ))
		return pctl_error_set(err, PCTL_E_CONFIG, "interface is no name of one");
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = port;
		dev->to_len = sizeof(*v4);
		return 0;
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"broadcast is no numeric address: '%.60s'; write 10.0.0.255 or ff02::1",
			text);
	v6->sin6_family = AF_INET6;
	v6->sin6_port = port;
	dev->to_len = sizeof(*v6);
	if ((IN6_IS_ADDR_MC_LINKLOCAL(&v6->sin6_addr) || IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr)) &&
		!dev->interface)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"broadcast %s is one of each link's: say which by `interface`", text);
	return 0;
}

static int read_settings(
	struct wol_dev *dev, const struct pctl_device *device, struct pctl_error *err)
{
	int r = read_packet(dev, device, err);

	return r < 0 ? r : read_destination(dev, device, err);
}

static int wol_check(const struct pctl_device *settings, struct pctl_error *err)
{
	struct wol_dev tried = { .fd = -1 };
	int r = read_settings(&tried, settings, err);

	explicit_bzero(tried.packet, sizeof(tried.packet));
	return r;
}

static int wol_open(void *ctx, struct pctl_device *device, void **ret_dev, struct pctl_error *err)
{
	struct wol_dev *dev = pctl_xcalloc(1, sizeof(*dev));

	(void)ctx;
	dev->device = device;
	dev->fd = -1;
	int r = read_settings(dev, device, err);
	if (r < 0) {
		free(dev);
		return r;
	}
	(void)uv_timer_init(pctl_device_loop(device), &dev->timer);
	dev->timer.data = dev;
	*ret_dev = dev;
	return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct wol_dev *dev = handle->data;
	pctl_closed_fn *closed = dev->closed;
	void *data = dev->closed_data;

	explicit_bzero(dev->packet, sizeof(dev->packet));
	free(dev);
	closed(data);
}

static void wol_close(void *data, pctl_closed_fn *closed, void *closed_data)
{
	struct wol_dev *dev = data;

	dev->closed = closed;
	dev->closed_data = closed_data;
	uv_close((uv_handle_t *)&dev->timer, on_timer_closed);
}

static const struct pctl_power_if power = {
	.size = sizeof(power),
	.actions = PCTL_ACTION_BIT(PCTL_ACTION_ON),
	.get = wol_get,
	.act = wol_act,
};

PCTL_API const struct pctl_driver pctl_driver = {
	.size = sizeof(pctl_driver),
	.abi = PCTL_DRIVER_ABI,
	.name = "wol",
	.summary = "Wake-on-LAN: turns machines on by magic packets",
	.maturity = PCTL_BETA,
	.properties = properties,
	.open = wol_open,
	.close = wol_close,
	.power = &power,
	.default_port = 9,
	.flags = PCTL_DRIVER_REPEATS,
	.check = wol_check,
};
