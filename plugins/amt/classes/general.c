/* SPDX-License-Identifier: Apache-2.0 */
/* general: what the device is called, what it answers to, when it sleeps. mebx-password. */
#include <stdio.h>
#include <string.h>

#include "classes/chain.h"
#include "classes/methods.h"
#include "classes/pki.h"

/* --- general. --------------------------------------------------------------------------------- */

#define NAME_MAX_ 63u
#define IDLE_MAX  65535u /* minutes */

const struct pctl_property general_parameters[] = {
	PCTL_PROPERTY(.name = "hostname", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_OWN,
		.help = "the device's name, without its domain"),
	PCTL_PROPERTY(.name = "domain", .type = PCTL_TYPE_TEXT, .help = "its DNS domain"),
	PCTL_PROPERTY(.name = "shared_name", .type = PCTL_TYPE_BOOL,
		.help = "it has the operating system's name, which sets it; off: one of its own"),
	PCTL_PROPERTY(.name = "dns_update", .type = PCTL_TYPE_BOOL,
		.help = "it enters its name into the DNS itself"),
	PCTL_PROPERTY(.name = "ping", .type = PCTL_TYPE_BOOL, .help = "it answers to pings"),
	PCTL_PROPERTY(.name = "rmcp_ping", .type = PCTL_TYPE_BOOL,
		.help = "it answers to who looks for devices like it (RMCP, UDP port 623)"),
	PCTL_PROPERTY(.name = "web_pages", .type = PCTL_TYPE_BOOL,
		.help = "it has pages for browsers; powerctl does not need them"),
	PCTL_PROPERTY(.name = "idle", .type = PCTL_TYPE_DURATION,
		.help = "after how long without requests it may sleep while the machine is off"),
	{ .name = NULL },
};

/* Truths of parameters, and their fields. */
static const struct {
	const char *name, *field;
	bool opposite;
} truths[] = {
	{ "shared_name", "SharedFQDN", false },
	{ "dns_update", "DDNSUpdateEnabled", false },
	{ "ping", "PingResponseEnabled", false },
	{ "rmcp_ping", "RmcpPingResponseEnabled", false },
	{ "web_pages", "WsmanOnlyMode", true },
};
#define TRUTHS (sizeof(truths) / sizeof(truths[0]))

static void also_general(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	const char *only = xml_text(item, "WsmanOnlyMode");
	uint64_t minutes = xml_uint(item, "IdleWakeTimeout", 0);
	char text[24];

	(void)dev;
	if (only)
		pctl_value_set_bool(map, "web_pages", strcmp(only, "true") != 0);
	(void)snprintf(text, sizeof(text), "%llum", (unsigned long long)minutes);
	if (xml_child(item, "IdleWakeTimeout"))
		pctl_value_set_text(map, "idle", text);
}

static const struct chain_step steps[] = {
	{ &class_general, NULL, 0, also_general },
	{ .class = NULL },
};

static void read_general(struct amt_dev *dev)
{
	chain_read(dev, steps, chain_end);
}

static void change_general(struct amt_dev *dev)
{
	struct chain_work *w = chain_work(dev);

	if (chain_given(dev, "hostname"))
		chain_change(dev, "HostName", chain_text(dev, "hostname"));
	if (chain_given(dev, "domain"))
		chain_change(dev, "DomainName", chain_text(dev, "domain"));
	for (size_t i = 0; i < TRUTHS; i++) {
		bool on = pctl_argument_bool(w->args, truths[i].name) != truths[i].opposite;

		if (chain_given(dev, truths[i].name))
			chain_change(dev, truths[i].field, on ? "true" : "false");
	}
	if (chain_given(dev, "idle")) {
		(void)snprintf(w->is.general.minutes, sizeof(w->is.general.minutes), "%llu",
			(unsigned long long)pctl_argument_duration(w->args, "idle") / 60000);
		chain_change(dev, "IdleWakeTimeout", w->is.general.minutes);
	}
	chain_put(dev, &class_general, NULL, read_general);
}

static bool is_name(const char *text, const char *beside)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	size_t n = 0;

	for (; text[n]; n++)
		if (!strchr(letters, text[n]) && !strchr(beside, text[n]))
			return false;
	return n > 0 && text[0] != '-' && text[0] != '.';
}

int general_check(const struct pctl_arguments *args, struct pctl_error *err)
{
	const char *name = pctl_argument_text(args, "hostname");
	const char *domain = pctl_argument_text(args, "domain");
	uint64_t idle = pctl_argument_duration(args, "idle");

	if (name && (!is_name(name, "") || strlen(name) > NAME_MAX_))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"hostname: is one name of letters, digits and -, of at most %u characters",
			NAME_MAX_);
	if (domain && *domain && (!is_name(domain, ".") || strlen(domain) > 190))
		return pctl_error_set(
			err, PCTL_E_CONFIG, "domain: is names of letters, digits and - with dots");
	if (pctl_argument_given(args, "idle") && (!idle || idle % 60000 || idle / 60000 > IDLE_MAX))
		return pctl_error_set(
			err, PCTL_E_CONFIG, "idle: is from 1m to %um, in whole minutes", IDLE_MAX);
	return 0;
}

void general_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct amt_dev *dev = data;

	chain_begin(dev, op, args, ret);
	if (chain_any(dev, general_parameters))
		change_general(dev);
	else
		read_general(dev);
}

/* --- mebx-password. --------------------------------------------------------------------------- */

const struct pctl_property mebx_parameters[] = {
	PCTL_PROPERTY(.name = "password", .type = PCTL_TYPE_TEXT,
		.flags = PCTL_PROPERTY_SECRET | PCTL_PROPERTY_NEW,
		.help = "the new one; its rules are those of the firmware's users"),
	{ .name = NULL },
};

static void mebx_is_set(struct amt_dev *dev)
{
	pctl_value_set_bool(chain_work(dev)->ret, "mebx_password_set", true);
	chain_end(dev);
}

int mebx_check(const struct pctl_arguments *args, struct pctl_error *err)
{
	const struct pctl_secret *password = pctl_argument_secret(args, "password");

	if (!password)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"password_file: is missing; it names the file with the new password, and - "
			"asks for it");
	if (!pki_is_strong(pctl_secret_data(password)))
		return pctl_error_set(err, PCTL_E_CONFIG, "password: " PKI_STRONG);
	return 0;
}

void mebx_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct amt_dev *dev = data;
	const struct pctl_secret *password = pctl_argument_secret(args, "password");

	chain_begin(dev, op, args, ret);
	struct wsman *w = amt_invoke(dev, &class_setup.class, "SetMEBxPassword", STATUS_PLAIN);
	wsman_text(w, "Password", pctl_secret_data(password));
	chain_send(dev, mebx_is_set);
}
