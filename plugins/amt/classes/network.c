/* SPDX-License-Identifier: Apache-2.0 */
/* network: the addresses of the management engine itself, and how its wired port logs in. */
#include <arpa/inet.h>
#include <string.h>

#include "classes/chain.h"
#include "classes/eap.h"
#include "classes/methods.h"
#include "classes/network.h"
#include "classes/refer.h"

#define PORT_WIRED "Intel(r) AMT Ethernet Port Settings 0"

static const char *const methods[] = { "off", "eap-tls", "eap-ttls", "peap", "peap-gtc", NULL };

const struct pctl_property network_parameters[] = {
	PCTL_PROPERTY(.name = "dhcp", .type = PCTL_TYPE_BOOL,
		.help = "on: addresses come from DHCP; off: they are the ones given here"),
	PCTL_PROPERTY(.name = "address", .type = PCTL_TYPE_TEXT, .help = "IPv4 address"),
	PCTL_PROPERTY(.name = "mask", .type = PCTL_TYPE_TEXT, .help = "network mask"),
	PCTL_PROPERTY(.name = "gateway", .type = PCTL_TYPE_TEXT, .help = "default gateway"),
	PCTL_PROPERTY(.name = "dns", .type = PCTL_TYPE_TEXT, .help = "name server"),
	PCTL_PROPERTY(.name = "dns2", .type = PCTL_TYPE_TEXT, .help = "a second one"),
	EAP_PARAMETERS(methods, "802.1X: how the device logs in to the network; off: not"),
	{ .name = NULL },
};

/* Parameters that are addresses, and their fields. */
static const struct {
	const char *name, *field;
} addresses[] = {
	{ "gateway", "DefaultGateway" },
	{ "address", "IPAddress" },
	{ "dns", "PrimaryDNS" },
	{ "dns2", "SecondaryDNS" },
	{ "mask", "SubnetMask" },
};
#define ADDRESSES (sizeof(addresses) / sizeof(addresses[0]))

static bool is_port(const struct xml_node *item, const char *port)
{
	const char *id = xml_text(item, "InstanceID");

	return id && strcmp(id, port) == 0;
}

/* Of all ports under "ports", the one that is asked for; the list goes. */
void network_keep_port(
	struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map, const char *port)
{
	struct pctl_value *kept = chain_kept(dev);

	if (!is_port(item, port))
		return;
	pctl_value_set(kept, "port", pctl_value_copy(map));
}

/* The kept port's keys become the answer's. False: there is no such port. */
bool network_show_port(struct amt_dev *dev)
{
	struct pctl_value *ret = chain_work(dev)->ret;
	const struct pctl_value *port = pctl_value_get(chain_kept(dev), "port");

	(void)pctl_value_unset(ret, "ports");
	for (size_t i = 0; port && i < pctl_value_count(port); i++)
		pctl_value_set(
			ret, pctl_value_key_at(port, i), pctl_value_copy(pctl_value_at(port, i)));
	return port != NULL;
}

static void also_wired(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	network_keep_port(dev, item, map, PORT_WIRED);
}

static const struct chain_step wired_steps[] = {
	{ &class_ethernet, "ports", STEP_LIST, also_wired },
	EAP_WIRED_STEPS,
	{ .class = NULL },
};

static void network_read(struct amt_dev *dev)
{
	eap_show_wired(dev);
	if (network_show_port(dev))
		chain_end(dev);
	else
		amt_fail(dev, PCTL_E_UNSUPPORTED, "this machine has no wired port");
}

/* What DHCP gave is not what is set by hand: a change of one starts from none of the other. */
static void forget_addresses(struct amt_dev *dev)
{
	for (size_t i = 0; i < ADDRESSES; i++)
		(void)pctl_value_unset(chain_work(dev)->ret, addresses[i].name);
}

static void read_network(struct amt_dev *dev)
{
	forget_addresses(dev);
	chain_read(dev, wired_steps, network_read);
}

static const struct wsman_selector wired[] = { { "InstanceID", PORT_WIRED }, { NULL, NULL } };

static void change_eap(struct amt_dev *dev)
{
	eap_change_wired(dev, read_network);
}

/* With DHCP the addresses have to be left out of the Put. */
static void put_network(struct amt_dev *dev, bool dhcp)
{
	chain_change(dev, "DHCPEnabled", dhcp ? "true" : "false");
	for (size_t i = 0; i < ADDRESSES; i++) {
		if (dhcp)
			chain_change(dev, addresses[i].field, NULL);
		else if (chain_given(dev, addresses[i].name))
			chain_change(dev, addresses[i].field, chain_text(dev, addresses[i].name));
	}
	chain_put(dev, &class_ethernet, wired, change_eap);
}

static const char *kept_text(struct amt_dev *dev, const char *key)
{
	return pctl_value_text(pctl_value_get(pctl_value_get(chain_kept(dev), "port"), key));
}

static bool has_addresses(struct amt_dev *dev)
{
	bool any = chain_given(dev, "dhcp");

	for (size_t i = 0; i < ADDRESSES; i++)
		any |= chain_given(dev, addresses[i].name);
	return any;
}

static void change_network(struct amt_dev *dev)
{
	const struct pctl_value *port = pctl_value_get(chain_kept(dev), "port");
	bool was = pctl_value_bool(pctl_value_get(port, "dhcp"));
	bool dhcp = chain_given(dev, "dhcp") ? pctl_argument_bool(chain_work(dev)->args, "dhcp")
					     : was && !chain_given(dev, "address");

	if (!port) {
		amt_fail(dev, PCTL_E_UNSUPPORTED, "this machine has no wired port");
		return;
	}
	for (size_t i = 0; i < ADDRESSES; i++) {
		if (!dhcp || !chain_given(dev, addresses[i].name))
			continue;
		amt_fail(dev, PCTL_E_CONFIG,
			"%s: with DHCP it is the server's to say; dhcp=off sets it by hand",
			addresses[i].name);
		return;
	}
	if (!dhcp && (!(chain_given(dev, "address") || (!was && kept_text(dev, "address"))) ||
			     !(chain_given(dev, "mask") || (!was && kept_text(dev, "mask")))))
		amt_fail(dev, PCTL_E_CONFIG, "address: and mask are needed where there is no DHCP");
	else
		put_network(dev, dhcp);
}

/* What would be refused after something else was changed. */
static void begin_change(struct amt_dev *dev)
{
	const struct pctl_value *ret = chain_work(dev)->ret;
	bool knows = pctl_value_get(ret, "eap_now") || pctl_value_get(ret, "eap_then");
	struct pctl_error err = { 0 };

	if (eap_check_certificates(dev, &err) < 0) {
		amt_end(dev, &err);
		return;
	}
	refer_done(dev);
	if (chain_given(dev, "eap") && !knows)
		amt_fail(dev, PCTL_E_UNSUPPORTED, "eap: this firmware knows no 802.1X");
	else if (has_addresses(dev))
		change_network(dev);
	else
		change_eap(dev);
}

static void look_first(struct amt_dev *dev)
{
	if (chain_given(dev, "ca_certificate"))
		refer_read(dev, begin_change);
	else
		begin_change(dev);
}

static int check_addresses(struct amt_dev *dev, struct pctl_error *err)
{
	for (size_t i = 0; i < ADDRESSES; i++) {
		const char *text = chain_text(dev, addresses[i].name);
		struct in_addr a;

		if (text && inet_pton(AF_INET, text, &a) != 1)
			return pctl_error_set(err, PCTL_E_CONFIG, "%s: '%s' is no IPv4 address",
				addresses[i].name, text);
		uint32_t host = text ? ~ntohl(a.s_addr) : 0;
		if (text && strcmp(addresses[i].name, "mask") == 0 &&
			((host & (host + 1)) || host == UINT32_MAX))
			return pctl_error_set(err, PCTL_E_CONFIG,
				"mask: '%s' is no network mask, as 255.255.255.0 is", text);
	}
	return 0;
}

void network_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct amt_dev *dev = data;
	struct pctl_error err = { 0 };

	chain_begin(dev, op, args, ret);
	const char *eap = chain_text(dev, "eap");
	bool in_use = eap && strcmp(eap, "off") != 0;

	if (check_addresses(dev, &err) < 0 || eap_check(dev, in_use, &err) < 0)
		amt_end(dev, &err);
	else
		chain_read(dev, wired_steps,
			chain_any(dev, network_parameters) ? look_first : network_read);
}
