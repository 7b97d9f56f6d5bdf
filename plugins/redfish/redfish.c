/* SPDX-License-Identifier: Apache-2.0 */
/* Redfish (DSP0266): settings, and the table through which the core finds the rest. */
#include "redfish.h"

#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>

#define DEFAULT_PORT 443
#define HEADERS_MAX  ((size_t)64 << 10)

static const char *const auth_choices[] = {
	[REDFISH_AUTH_AUTO] = "auto",
	[REDFISH_AUTH_SESSION] = "session",
	[REDFISH_AUTH_BASIC] = "basic",
	NULL,
};

static const char *const tls_choices[] = { "false", "true", NULL };

static const struct pctl_property properties[] = {
	PCTL_PROPERTY(.name = "username", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_REQUIRED,
		.help = "user of the service"),
	PCTL_PROPERTY(.name = "password", .type = PCTL_TYPE_TEXT,
		.flags = PCTL_PROPERTY_SECRET | PCTL_PROPERTY_REQUIRED,
		.help = "that user's password"),
	PCTL_PROPERTY(.name = "system", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_UNIT,
		.help = "which system, by its id, where the service has several"),
	PCTL_PROPERTY(.name = "tls", .type = PCTL_TYPE_CHOICE, .choices = tls_choices,
		.default_text = "true", .help = "true: HTTPS; false: plain HTTP"),
	PCTL_PROPERTY(.name = "port", .type = PCTL_TYPE_UINT, .min = 1, .max = 65535,
		.default_text = "443", .help = "TCP port"),
	PCTL_PROPERTY(.name = "auth", .type = PCTL_TYPE_CHOICE, .choices = auth_choices,
		.default_text = "auto",
		.help = "session, basic, or auto: a session where it saves requests"),
	PCTL_PROPERTY(.name = "quirks", .type = PCTL_TYPE_CHOICE, .choices = quirks_choices,
		.default_text = "auto", .help = "whose firmware it is; auto: as it says"),
	PCTL_PROPERTY(.name = "legacy_tls", .type = PCTL_TYPE_BOOL, .default_text = "false",
		.help = "allow TLS 1.0, short keys and old ciphers"),
	PCTL_PROPERTY(.name = "ca_file", .type = PCTL_TYPE_FILE,
		.help = "certificates (PEM) that may vouch for the service's; none: the system's"),
	PCTL_PROPERTY(.name = "client_cert", .type = PCTL_TYPE_FILE,
		.help = "our certificate (PEM) for mutual TLS"),
	PCTL_PROPERTY(.name = "client_key", .type = PCTL_TYPE_FILE,
		.help = "its private key (PEM)"),
	PCTL_PROPERTY(.name = "console_command", .type = PCTL_TYPE_TEXT,
		.help = "typed after the SSH login to enter the console; none: what the service "
			"names"),
	{ .name = NULL },
};

static int start(struct pctl_core *core, uv_loop_t *loop, void **ret_ctx, struct pctl_error *err)
{
	struct redfish *redfish = pctl_xcalloc(1, sizeof(*redfish));

	(void)core;
	int r = pctl_http_new(loop, &redfish->http, err);
	if (r < 0) {
		free(redfish);
		return r;
	}
	*ret_ctx = redfish;
	return 0;
}

static void stop(void *ctx, pctl_closed_fn *closed, void *data)
{
	struct redfish *redfish = ctx;
	struct pctl_http *http = redfish->http;

	free(redfish);
	pctl_http_close(http, closed, data);
}

/* --- One device. ------------------------------------------------------------------------------ */

static bool is_id(const char *s)
{
	for (const char *p = s; *p; p++)
		if (*p <= ' ' || *p > '~' || strchr("/?#", *p))
			return false;
	return *s && strlen(s) < 200;
}

/* What the table of settings cannot say. */
static int check(const struct pctl_device *d, struct pctl_error *err)
{
	const char *cert = pctl_setting_text(d, "client_cert");
	const char *key = pctl_setting_text(d, "client_key");
	const char *username = pctl_setting_text(d, "username");
	const char *host = pctl_setting_text(d, "system");
	const char *command = pctl_setting_text(d, "console_command");
	bool tls = pctl_setting_choice(d, "tls");

	if (!*username || strchr(username, ':'))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"username: is empty, or has a colon, which ends a name in HTTP");
	if (command && !redfish_console_is_line(command))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"console_command: is one line of at most %u plain characters",
			REDFISH_CONSOLE_MAX);
	if (host && !is_id(host))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"system: is an id, the last part of its path: 1 of /redfish/v1/Systems/1");
	if (!cert != !key)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s: is missing; mutual TLS takes client_cert and client_key",
			cert ? "client_key" : "client_cert");
	if (cert && !tls)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "client_cert: is of no use with tls: false");
	return 0;
}

static int open_http(struct redfish_dev *dev, struct pctl_error *err)
{
	struct pctl_device *d = dev->device;
	const struct pctl_http_settings s = {
		.size = sizeof(s),
		.device = d,
		.port = dev->port,
		.tls = dev->tls,
		.legacy_tls = dev->tls && pctl_setting_bool(d, "legacy_tls"),
		.auth = PCTL_HTTP_AUTH_BASIC,
		.username = pctl_setting_text(d, "username"),
		.password = pctl_setting_secret(d, "password"),
		.client_cert = dev->tls ? pctl_setting_text(d, "client_cert") : NULL,
		.client_key = dev->tls ? pctl_setting_text(d, "client_key") : NULL,
		.ca_file = dev->tls ? pctl_setting_text(d, "ca_file") : NULL,
		.max_answer = DOC_BYTES_MAX + HEADERS_MAX,
		.http2 = true,
	};

	return pctl_http_session_new(dev->redfish->http, &s, &dev->http, err);
}

static int open_device(
	void *ctx, struct pctl_device *device, void **ret_dev, struct pctl_error *err)
{
	const char *login = pctl_fact_get(device, FACT_LOGIN);
	int r = check(device, err);

	if (r < 0)
		return r;
	struct redfish_dev *dev = pctl_xcalloc(1, sizeof(*dev));
	dev->redfish = ctx;
	dev->device = device;
	dev->port = (uint16_t)pctl_setting_uint(device, "port");
	dev->tls = pctl_setting_choice(device, "tls");
	dev->auth = (enum redfish_auth)pctl_setting_choice(device, "auth");
	dev->unit = pctl_setting_text(device, "system");
	if (dev->auth == REDFISH_AUTH_AUTO) {
		dev->basic_only = login && strcmp(login, "basic") == 0;
		dev->session_only = login && strcmp(login, "session") == 0;
	}
	r = open_http(dev, err);
	if (r < 0) {
		free(dev);
		return r;
	}
	pctl_buf_init_secret(&dev->call.login, 0);
	(void)uv_timer_init(pctl_device_loop(device), &dev->timer);
	dev->timer.data = dev;
	*ret_dev = dev;
	return 0;
}

static void on_closed(struct redfish_dev *dev)
{
	pctl_closed_fn *closed = dev->closed_fn;
	void *data = dev->closed_data;

	free(dev);
	closed(data);
}

static void close_device(void *data, pctl_closed_fn *closed, void *closed_data)
{
	struct redfish_dev *dev = data;

	dev->closed_fn = closed;
	dev->closed_data = closed_data;
	redfish_client_close(dev, on_closed);
}

static void idle(void *data)
{
	struct redfish_dev *dev = data;

	pctl_http_session_idle(dev->http);
}

PCTL_API const struct pctl_driver pctl_driver = {
	.size = sizeof(pctl_driver),
	.abi = PCTL_DRIVER_ABI,
	.name = "redfish",
	.summary = "Redfish over HTTPS: the BMCs of servers, and services with many systems",
	.maturity = PCTL_BETA,
	.properties = properties,
	.start = start,
	.stop = stop,
	.open = open_device,
	.close = close_device,
	.idle = idle,
	.power = &redfish_power,
	.boot = &redfish_boot,
	.inspect = &redfish_inspect,
	.identify = &redfish_identify,
	.console = &redfish_console,
	.default_port = DEFAULT_PORT,
	.log = &redfish_log,
	.sensors = &redfish_sensors,
	.media = &redfish_media,
	.account = &redfish_account,
	.methods = redfish_methods,
	/* A BMC does little at a time, and has few sessions; so has an aggregator's user. */
	.max_in_flight = 2,
	.check = check,
	.discover = &redfish_discover,
};
