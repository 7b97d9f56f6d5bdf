/* SPDX-License-Identifier: Apache-2.0 */
/* Intel AMT over WS-Management: settings, and the table through which the core finds the rest. */
#include "amt.h"

#include <stdlib.h>

#include <powerctl/mem.h>

#include "boot_recovery.h"
#include "rmcp.h"
#include "url_check.h"

static const char *const tls_choices[] = {
	[LINK_TLS_FALSE] = "false",
	[LINK_TLS_TRUE] = "true",
	[LINK_TLS_AUTO] = "auto",
	NULL,
};

static const struct pctl_property properties[] = {
	PCTL_PROPERTY(.name = "username", .type = PCTL_TYPE_TEXT, .default_text = "admin",
		.help = "user of the management engine"),
	PCTL_PROPERTY(.name = "password", .type = PCTL_TYPE_TEXT,
		.flags = PCTL_PROPERTY_SECRET | PCTL_PROPERTY_REQUIRED,
		.help = "that user's password"),
	PCTL_PROPERTY(.name = "tls", .type = PCTL_TYPE_CHOICE, .choices = tls_choices,
		.default_text = "auto",
		.help = "true: HTTPS only; false: plain HTTP; auto: HTTPS, else plain HTTP"),
	PCTL_PROPERTY(.name = "port", .type = PCTL_TYPE_UINT, .min = 1, .max = 65535,
		.default_text = "16992",
		.help = "TCP port of plain HTTP; with tls: true, of HTTPS"),
	PCTL_PROPERTY(.name = "tls_port", .type = PCTL_TYPE_UINT, .min = 1, .max = 65535,
		.default_text = "16993",
		.help = "TCP port of HTTPS; where only port is set: port + 1 with tls: auto"),
	PCTL_PROPERTY(.name = "redirection_port", .type = PCTL_TYPE_UINT, .min = 1, .max = 65535,
		.help = "TCP port of consoles, screens and media; none: the one of HTTP + 2"),
	PCTL_PROPERTY(.name = "redirection_tls_port", .type = PCTL_TYPE_UINT, .min = 1,
		.max = 65535, .help = "the same over TLS; none: the one of HTTPS + 2"),
	PCTL_PROPERTY(.name = "rmcp_port", .type = PCTL_TYPE_UINT, .min = 1, .max = 65535,
		.default_text = "623", .help = "UDP port of the pings that `discover` sends"),
	PCTL_PROPERTY(.name = "legacy_tls", .type = PCTL_TYPE_BOOL, .default_text = "false",
		.help = "allow TLS 1.0, short keys and old ciphers, for AMT up to 11"),
	PCTL_PROPERTY(.name = "ca_file", .type = PCTL_TYPE_FILE,
		.help = "certificates (PEM) that may vouch for the device's; none: the system's"),
	PCTL_PROPERTY(.name = "client_cert", .type = PCTL_TYPE_FILE,
		.help = "our certificate (PEM) for mutual TLS"),
	PCTL_PROPERTY(.name = "client_key", .type = PCTL_TYPE_FILE,
		.help = "its private key (PEM)"),
	PCTL_PROPERTY(.name = "secure_boot", .type = PCTL_TYPE_BOOL, .default_text = "true",
		.help = "with boot http and boot recovery: Secure Boot holds for what is "
			"started"),
	PCTL_PROPERTY(.name = "recovery", .type = PCTL_TYPE_TEXT, .default_text = "winre",
		.help = "what boot recovery starts: winre; pba: the application that the BIOS "
			"lists; or a part of its path"),
	PCTL_PROPERTY(.name = "boot_user", .type = PCTL_TYPE_TEXT,
		.help = "with boot http: user of the image's server (Digest), up to 16 characters"),
	PCTL_PROPERTY(.name = "boot_password", .type = PCTL_TYPE_TEXT,
		.flags = PCTL_PROPERTY_SECRET, .help = "that user's password, up to 16 characters"),
	PCTL_PROPERTY(.name = "boot_server_name", .type = PCTL_TYPE_TEXT,
		.help = "with boot http: the name in its certificate; .NAME: how that ends; none: "
			"the URL's"),
	PCTL_PROPERTY(.name = "boot_server_hash", .type = PCTL_TYPE_TEXT,
		.help = "with boot http: the SHA-256, -384 or -512 sum of its certificate, in "
			"hexadecimal"),
	PCTL_PROPERTY(.name = "boot_image_hash", .type = PCTL_TYPE_TEXT,
		.help = "with boot http: the same of the image, which the firmware checks"),
	{ .name = NULL },
};

static int start(struct pctl_core *core, uv_loop_t *loop, void **ret_ctx, struct pctl_error *err)
{
	struct amt *amt = pctl_xcalloc(1, sizeof(*amt));

	(void)core;
	int r = pctl_http_new(loop, &amt->http, err);
	if (r < 0) {
		free(amt);
		return r;
	}
	amt->reader = xml_reader_new();
	amt->loop = loop;
	amt->pings = pctl_udp_new(loop, RMCP_PONG_MAX, amt_discover_receive);
	*ret_ctx = amt;
	return 0;
}

static void on_pings_closed(void *data)
{
	struct amt *amt = data;
	struct pctl_http *http = amt->http;
	pctl_closed_fn *closed = amt->closed;
	void *closed_data = amt->closed_data;

	free(amt);
	pctl_http_close(http, closed, closed_data);
}

static void url_checks_stopped(struct amt *amt)
{
	xml_reader_free(amt->reader);
	pctl_udp_close(amt->pings, on_pings_closed, amt);
}

static void stop(void *ctx, pctl_closed_fn *closed, void *data)
{
	struct amt *amt = ctx;

	amt->closed = closed;
	amt->closed_data = data;
	url_checks_stop(amt, url_checks_stopped);
}

/* What the table of settings cannot say. */
static int check(const struct pctl_device *d, struct pctl_error *err)
{
	const char *cert = pctl_setting_text(d, "client_cert");
	const char *key = pctl_setting_text(d, "client_key");
	const char *username = pctl_setting_text(d, "username");

	if (!*username)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "username: is empty; Intel AMT's own is admin");
	if (pctl_setting_given(d, "port") && pctl_setting_uint(d, "port") == 65535 &&
		!pctl_setting_given(d, "tls_port") &&
		pctl_setting_choice(d, "tls") == LINK_TLS_AUTO)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"tls_port: is port + 1 unless it is set, and there is no port 65536");
	if (!cert != !key)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s: is missing; mutual TLS takes client_cert and client_key",
			cert ? "client_key" : "client_cert");
	if (cert && pctl_setting_choice(d, "tls") == LINK_TLS_FALSE)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "client_cert: is of no use with tls: false");
	return boot_recovery_check(d, err);
}

/* A machine has two ports in a row; the plain one names it, whichever is spoken to. */
static uint16_t key_port(const struct pctl_device *d)
{
	uint64_t plain = pctl_setting_uint(d, "port"), tls = pctl_setting_uint(d, "tls_port");
	bool plain_given = pctl_setting_given(d, "port");

	if (pctl_setting_given(d, "tls_port"))
		return (uint16_t)(plain_given ? plain : tls - 1);
	if (plain_given && pctl_setting_choice(d, "tls") == LINK_TLS_TRUE)
		return (uint16_t)(plain - 1);
	return (uint16_t)plain;
}

static int open_device(
	void *ctx, struct pctl_device *device, void **ret_dev, struct pctl_error *err)
{
	int r = check(device, err);
	if (r < 0)
		return r;

	struct amt_dev *dev = pctl_xcalloc(1, sizeof(*dev));
	dev->amt = ctx;
	dev->device = device;
	*ret_dev = dev;
	return 0;
}

static void dispose(struct amt_dev *dev)
{
	pctl_closed_fn *closed = dev->closed;
	void *data = dev->closed_data;

	amt_link_done(dev);
	free(dev);
	closed(data);
}

void amt_hold_open(struct amt_dev *dev)
{
	dev->holds++;
}

void amt_release(struct amt_dev *dev)
{
	if (--dev->holds == 0 && dev->closed)
		dispose(dev);
}

/* HTTP has no goodbye: hanging up is all. */
static void close_device(void *data, pctl_closed_fn *closed, void *closed_data)
{
	struct amt_dev *dev = data;

	dev->closed = closed;
	dev->closed_data = closed_data;
	if (!dev->holds)
		dispose(dev);
}

static void idle(void *data)
{
	amt_link_idle(data);
}

PCTL_API const struct pctl_driver pctl_driver = {
	.size = sizeof(pctl_driver),
	.abi = PCTL_DRIVER_ABI,
	.name = "amt",
	.summary = "Intel AMT and Intel Standard Manageability (vPro) over WS-Management",
	.maturity = PCTL_BETA,
	.properties = properties,
	.start = start,
	.stop = stop,
	.open = open_device,
	.close = close_device,
	.idle = idle,
	.power = &amt_power,
	.boot = &amt_boot,
	.inspect = &amt_inspect,
	.console = &amt_console,
	.log = &amt_log,
	.sensors = &amt_sensors,
	.methods = amt_methods,
	.consent = &amt_consent,
	.media = &amt_media,
	/* Its engine sleeps, and loses the packets that wake it. */
	.connect_ms = 6000,
	.default_port = 16992,
	.key_port = key_port,
	.check = check,
	.display = &amt_display,
	.account = &amt_account,
	.discover = &amt_discover,
};
