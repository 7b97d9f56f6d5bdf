/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IPMI over LAN: settings, and the table through which the core finds the rest. */
#include "records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <freeipmi/freeipmi.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#define DEFAULT_PORT 623

static const char *const protocols[] = {
	[PROTOCOL_AUTO] = "auto",
	[PROTOCOL_20] = "2.0",
	[PROTOCOL_15] = "1.5",
	NULL,
};

/* Places in the list are the numbers of table 6-1. */
static const char *const privileges[] = {
	[PRIVILEGE_NONE] = "auto",
	[PRIVILEGE_CALLBACK] = "callback",
	[PRIVILEGE_USER] = "user",
	[PRIVILEGE_OPERATOR] = "operator",
	[PRIVILEGE_ADMIN] = "admin",
	NULL,
};

static const char *const cipher_suites[] = { "auto", "17", "3", "16", "15", "12", "11", "8", "7",
	"6", "2", "1", "0", NULL };

static const char *const boot_modes[] = { "legacy", "uefi", NULL };

enum auth_choice { AUTH_AUTO, AUTH_MD5, AUTH_MD2, AUTH_PASSWORD, AUTH_NONE };

static const char *const auth_choices[] = {
	[AUTH_AUTO] = "auto",
	[AUTH_MD5] = "md5",
	[AUTH_MD2] = "md2",
	[AUTH_PASSWORD] = "password",
	[AUTH_NONE] = "none",
	NULL,
};
static const int8_t auth_types[] = {
	[AUTH_AUTO] = -1,
	[AUTH_MD5] = IPMI_AUTHENTICATION_TYPE_MD5,
	[AUTH_MD2] = IPMI_AUTHENTICATION_TYPE_MD2,
	[AUTH_PASSWORD] = IPMI_AUTHENTICATION_TYPE_STRAIGHT_PASSWORD_KEY,
	[AUTH_NONE] = IPMI_AUTHENTICATION_TYPE_NONE,
};

static const struct pctl_property properties[] = {
	PCTL_PROPERTY(.name = "username", .type = PCTL_TYPE_TEXT, .default_text = "",
		.help = "user of the BMC; empty: its user without a name"),
	PCTL_PROPERTY(.name = "password", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_SECRET,
		.help = "that user's password; none: a user without one"),
	PCTL_PROPERTY(.name = "kg", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_SECRET,
		.help = "the BMC's key K_g, as text or as 0x and hex digits; none: it has none"),
	PCTL_PROPERTY(.name = "port", .type = PCTL_TYPE_UINT, .min = 1, .max = 65535,
		.default_text = "623", .help = "UDP port"),
	PCTL_PROPERTY(.name = "protocol", .type = PCTL_TYPE_CHOICE, .choices = protocols,
		.default_text = "auto", .help = "the version of IPMI; auto: 2.0 where there is it"),
	PCTL_PROPERTY(.name = "privilege", .type = PCTL_TYPE_CHOICE, .choices = privileges,
		.default_text = "auto",
		.help = "rights to log in with; auto: user to read, operator for the rest"),
	PCTL_PROPERTY(.name = "cipher_suite", .type = PCTL_TYPE_CHOICE, .choices = cipher_suites,
		.default_text = "auto", .help = "of IPMI 2.0; auto: 17, else 3"),
	PCTL_PROPERTY(.name = "auth_type", .type = PCTL_TYPE_CHOICE, .choices = auth_choices,
		.default_text = "auto", .help = "of IPMI 1.5; auto: md5, else md2"),
	PCTL_PROPERTY(.name = "boot_mode", .type = PCTL_TYPE_CHOICE, .choices = boot_modes,
		.default_text = "legacy",
		.help = "how to boot where neither --legacy nor --uefi says so"),
	PCTL_PROPERTY(.name = "allow_unauthenticated", .type = PCTL_TYPE_BOOL,
		.default_text = "false",
		.help = "allow cipher_suite 0 and auth_type none, where anybody may do anything"),
	PCTL_PROPERTY(.name = "workarounds", .type = PCTL_TYPE_FLAGS, .choices = workaround_names,
		.help = "for faults of BMCs, by FreeIPMI's names"),
	{ .name = NULL },
};

/* --- What the devices of one loop share. ------------------------------------------------------ */

static int start(struct pctl_core *core, uv_loop_t *loop, void **ret_ctx, struct pctl_error *err)
{
	struct ipmi *ipmi = pctl_xcalloc(1, sizeof(*ipmi));

	(void)core;
	int r = wire_new(&ipmi->wire, err);
	if (r < 0) {
		free(ipmi);
		return r;
	}
	ipmi->udp = pctl_udp_new(loop, WIRE_PACKET_MAX, session_receive);
	ipmi->finder = pctl_udp_new(loop, WIRE_PACKET_MAX, ipmi_discover_receive);
	*ret_ctx = ipmi;
	return 0;
}

struct stopping {
	struct pctl_udp *udp;
	pctl_closed_fn *closed;
	void *data;
};

static void on_finder_closed(void *data)
{
	struct stopping s = *(struct stopping *)data;

	free(data);
	pctl_udp_close(s.udp, s.closed, s.data);
}

static void stop(void *ctx, pctl_closed_fn *closed, void *data)
{
	struct ipmi *ipmi = ctx;
	struct pctl_udp *finder = ipmi->finder;
	struct stopping *s = pctl_xcalloc(1, sizeof(*s));

	*s = (struct stopping){ .udp = ipmi->udp, .closed = closed, .data = data };
	wire_free(ipmi->wire);
	free(ipmi);
	pctl_udp_close(finder, on_finder_closed, s);
}

/* --- One device. ------------------------------------------------------------------------------ */

static bool read_hex(struct credential *c, const char *hex, size_t len)
{
	if (len % 2 || len > (size_t)2 * WIRE_KG_MAX)
		return false;
	for (size_t i = 0; i < len; i += 2) {
		int high = text_hex_digit(hex[i]), low = text_hex_digit(hex[i + 1]);

		if (high < 0 || low < 0)
			return false;
		c->kg[i / 2] = (uint8_t)(high << 4 | low);
	}
	c->kg_len = len / 2;
	return true;
}

static int read_kg(struct credential *c, const struct pctl_secret *kg, struct pctl_error *err)
{
	const char *text = kg ? pctl_secret_data(kg) : "";
	size_t len = kg ? pctl_secret_len(kg) : 0;

	if (len >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		if (!read_hex(c, text + 2, len - 2))
			return pctl_error_set(err, PCTL_E_CONFIG,
				"kg: after 0x come at most 40 hex digits, two a byte");
		return 0;
	}
	if (len > WIRE_KG_MAX)
		return pctl_error_set(err, PCTL_E_CONFIG, "kg: is longer than 20 bytes");
	memcpy(c->kg, text, len);
	c->kg_len = len;
	return 0;
}

static int read_credential(
	struct ipmi_dev *dev, const struct pctl_device *d, struct pctl_error *err)
{
	struct credential *c = &dev->credential;
	size_t most = dev->protocol == PROTOCOL_15 ? WIRE_PASSWORD_15 : WIRE_PASSWORD_20;

	c->username = pctl_setting_text(d, "username");
	c->password = pctl_setting_secret(d, "password");
	c->workarounds = pctl_setting_flags(d, "workarounds");
	if (strlen(c->username) > WIRE_USER_MAX)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "username: is longer than IPMI's 16 bytes");
	if (c->password && pctl_secret_len(c->password) > most)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"password: is longer than the %zu bytes of IPMI %s", most,
			dev->protocol == PROTOCOL_15 ? "1.5" : "2.0");
	return read_kg(c, pctl_setting_secret(d, "kg"), err);
}

static int read_security(struct ipmi_dev *dev, const struct pctl_device *d, struct pctl_error *err)
{
	const char *suite = pctl_setting_text(d, "cipher_suite");
	bool allowed = pctl_setting_bool(d, "allow_unauthenticated");
	uint64_t number = 0;

	dev->auth_type = auth_types[pctl_setting_choice(d, "auth_type")];
	dev->cipher_suite = pctl_parse_uint(suite, 19, &number) == 0 ? (int16_t)number : -1;
	if (dev->cipher_suite == 0 && !allowed)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"cipher_suite: 0 has no passwords at all; allow_unauthenticated: true "
			"allows it");
	if (dev->auth_type == IPMI_AUTHENTICATION_TYPE_NONE && !allowed)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"auth_type: none has no passwords at all; allow_unauthenticated: true "
			"allows it");
	return 0;
}

static int read_settings(struct ipmi_dev *dev, const struct pctl_device *d, struct pctl_error *err)
{
	dev->protocol = (enum protocol)pctl_setting_choice(d, "protocol");
	int r = read_credential(dev, d, err);

	if (r == 0)
		r = read_security(dev, d, err);
	if (r < 0)
		explicit_bzero(&dev->credential, sizeof(dev->credential));
	return r;
}

static int check(const struct pctl_device *settings, struct pctl_error *err)
{
	PCTL_AUTO(free) struct ipmi_dev *tried = pctl_xcalloc(1, sizeof(*tried));
	int r = read_settings(tried, settings, err);

	explicit_bzero(&tried->credential, sizeof(tried->credential));
	return r;
}

static int open_device(
	void *ctx, struct pctl_device *device, void **ret_dev, struct pctl_error *err)
{
	struct ipmi_dev *dev = pctl_xcalloc(1, sizeof(*dev));

	dev->ipmi = ctx;
	dev->device = device;
	dev->port = (uint16_t)pctl_setting_uint(device, "port");
	dev->privilege = (uint8_t)pctl_setting_choice(device, "privilege");
	int r = read_settings(dev, device, err);
	if (r < 0) {
		free(dev);
		return r;
	}
	*ret_dev = dev;
	return 0;
}

void ipmi_hold(struct ipmi_dev *dev)
{
	dev->held++;
}

void ipmi_release(struct ipmi_dev *dev)
{
	pctl_closed_fn *closed = dev->closed;
	void *data = dev->closed_data;

	if (--dev->held || !closed)
		return;
	explicit_bzero(&dev->credential, sizeof(dev->credential));
	free(dev);
	closed(data);
}

static void on_session_closed(void *data)
{
	ipmi_release(data);
}

void ipmi_say_goodbye(struct ipmi_dev *dev)
{
	ipmi_hold(dev);
	session_close(dev, on_session_closed, dev);
}

static void close_device(void *data, pctl_closed_fn *closed, void *closed_data)
{
	struct ipmi_dev *dev = data;

	ipmi_hold(dev);
	dev->closed = closed;
	dev->closed_data = closed_data;
	ipmi_say_goodbye(dev);
	ipmi_release(dev);
}

static void idle(void *data)
{
	ipmi_say_goodbye(data);
}

PCTL_API const struct pctl_driver pctl_driver = {
	.size = sizeof(pctl_driver),
	.abi = PCTL_DRIVER_ABI,
	.name = "ipmi",
	.summary = "IPMI 2.0 and 1.5 over LAN: the BMCs of servers",
	.maturity = PCTL_BETA,
	.properties = properties,
	.start = start,
	.stop = stop,
	.open = open_device,
	.close = close_device,
	.idle = idle,
	.power = &ipmi_power,
	.boot = &ipmi_boot,
	.inspect = &ipmi_inspect,
	.identify = &ipmi_identify,
#ifdef IPMI_CONSOLE
	.console = &ipmi_console,
#endif
	.default_port = DEFAULT_PORT,
	.log = &ipmi_log,
	.sensors = &ipmi_sensors,
	.methods = ipmi_methods,
	.flags = PCTL_DRIVER_REPEATS,
	.check = check,
	.account = &ipmi_account,
	.discover = &ipmi_discover,
};
