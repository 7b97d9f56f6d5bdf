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
#define IPV6_WIRED "Intel(r) IPS IPv6 Settings 0"

static const char *const methods[] = { "off", "eap-tls", "eap-ttls", "peap", "peap-gtc", NULL };

const struct pctl_property network_parameters[] = {
	PCTL_PROPERTY(.name = "dhcp", .type = PCTL_TYPE_BOOL,
		.help = "on: addresses come from DHCP; off: they are the ones given here"),
	PCTL_PROPERTY(.name = "address", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_OWN,
		.help = "IPv4 address"),
	PCTL_PROPERTY(.name = "mask", .type = PCTL_TYPE_TEXT, .help = "network mask"),
	PCTL_PROPERTY(.name = "gateway", .type = PCTL_TYPE_TEXT,
		.help = "default gateway, or none"),
	PCTL_PROPERTY(.name = "dns", .type = PCTL_TYPE_TEXT, .help = "name server, or none"),
	PCTL_PROPERTY(.name = "dns2", .type = PCTL_TYPE_TEXT, .help = "a second one, or none"),
	EAP_PARAMETERS(methods, NULL, "802.1X: how the device logs in to the network; off: not"),
	{ .name = NULL },
};

/* Parameters that are addresses, and their fields. */
static const struct {
	const char *name, *field;
	bool may_lack; /* "none" is one, too */
} addresses[] = {
	{ "gateway", "DefaultGateway", true },
	{ "address", "IPAddress", false },
	{ "dns", "PrimaryDNS", true },
	{ "dns2", "SecondaryDNS", true },
	{ "mask", "SubnetMask", false },
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

/* --- IPv6: read, never set: what a Put of it has to have, no source tells. ---------------- */

/* It is on where the setting is the current one (CIM_ElementSettingData). */
static void also_used(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	const struct xml_node *set = xml_find(xml_child(item, "SettingData"), "SelectorSet");
	const char *current = xml_text(item, "IsCurrent");

	(void)map;
	if (set && set->first && strcmp(set->first->text, IPV6_WIRED) == 0 && current)
		pctl_value_set_bool(chain_kept(dev), "ipv6", strcmp(current, "1") == 0);
}

/* Of "fe80::1,0,2,1" what stands before the first comma. */
static struct pctl_value *list_addresses(const struct xml_node *item)
{
	struct pctl_value *list = pctl_value_new_list();

	for (const struct xml_node *n = xml_child(item, "CurrentAddressInfo"); n;
		n = xml_again(n)) {
		char text[INET6_ADDRSTRLEN] = "";
		size_t len = strcspn(n->text, ",");
		struct in6_addr a;

		if (len < sizeof(text))
			memcpy(text, n->text, len);
		if (inet_pton(AF_INET6, text, &a) == 1 && !IN6_IS_ADDR_UNSPECIFIED(&a))
			pctl_value_add(list, pctl_value_new_text(text));
	}
	return list;
}

static void also_ipv6(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	struct pctl_value *ipv6 = pctl_value_new_map();
	const struct pctl_value *on = pctl_value_get(chain_kept(dev), "ipv6");

	if (!is_port(item, IPV6_WIRED)) {
		pctl_value_free(ipv6);
		return;
	}
	if (on)
		pctl_value_set_bool(ipv6, "enabled", pctl_value_bool(on));
	pctl_value_set(ipv6, "addresses", list_addresses(item));
	for (size_t i = 0; i < pctl_value_count(map); i++) {
		const char *text = pctl_value_text(pctl_value_at(map, i));

		if (text && *text && strcmp(text, "::") != 0)
			pctl_value_set_text(ipv6, pctl_value_key_at(map, i), text);
	}
	pctl_value_set(chain_work(dev)->ret, "ipv6", ipv6);
}

static void tidy_ipv6(struct amt_dev *dev)
{
	(void)pctl_value_unset(chain_work(dev)->ret, "settings");
	(void)pctl_value_unset(chain_work(dev)->ret, "ipv6_ports");
}

/* --- The wired port. -------------------------------------------------------------------------- */

static const struct chain_step wired_steps[] = {
	{ &class_ethernet, "ports", STEP_LIST, also_wired },
	{ &class_setting_used, "settings", STEP_LIST | STEP_MAY_LACK, also_used },
	{ &class_ipv6, "ipv6_ports", STEP_LIST | STEP_MAY_LACK, also_ipv6 },
	EAP_WIRED_STEPS,
	{ .class = NULL },
};

static void network_read(struct amt_dev *dev)
{
	eap_show_wired(dev);
	tidy_ipv6(dev);
	if (network_show_port(dev))
		chain_end(dev);
	else
		amt_fail(dev, PCTL_E_UNSUPPORTED, "this machine has no wired port");
}

/* Before the answer is read again: what is not there any more shall not be told. */
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

/* NULL: it is none. */
static const char *given_address(struct amt_dev *dev, size_t i)
{
	const char *text = chain_text(dev, addresses[i].name);

	return text && strcmp(text, "none") == 0 ? NULL : text;
}

/* With DHCP the addresses have to be left out of the Put. */
static void put_network(struct amt_dev *dev, bool dhcp)
{
	chain_change(dev, "DHCPEnabled", dhcp ? "true" : "false");
	for (size_t i = 0; i < ADDRESSES; i++) {
		if (dhcp)
			chain_change(dev, addresses[i].field, NULL);
		else if (chain_given(dev, addresses[i].name))
			chain_change(dev, addresses[i].field, given_address(dev, i));
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

/* Of DHCP's, what would become fixed, or be lost, without a word. */
static int check_lease(struct amt_dev *dev, struct pctl_error *err)
{
	struct pctl_buf words;
	int r = 0;

	pctl_buf_init(&words, 1024);
	for (size_t i = 0; i < ADDRESSES; i++) {
		const char *was = kept_text(dev, addresses[i].name);

		if (addresses[i].may_lack && was && !chain_given(dev, addresses[i].name))
			pctl_buf_addf(&words, " %s=%s", addresses[i].name, was);
	}
	if (words.len)
		r = pctl_error_set(err, PCTL_E_CONFIG,
			"dhcp: off ends what DHCP gave; to keep it say%s, else another one or "
			"none",
			words.data);
	pctl_buf_done(&words);
	return r;
}

/* What will be: what is given, else what is. False: there is none. */
static bool will_be(struct amt_dev *dev, const char *name, uint32_t *ret)
{
	const char *text = chain_given(dev, name) ? chain_text(dev, name) : kept_text(dev, name);
	struct in_addr a;

	if (!text || inet_pton(AF_INET, text, &a) != 1)
		return false;
	*ret = ntohl(a.s_addr);
	return true;
}

static int check_gateway(struct amt_dev *dev, struct pctl_error *err)
{
	uint32_t address, mask, gateway;

	if (!will_be(dev, "address", &address) || !will_be(dev, "mask", &mask))
		return pctl_error_set(
			err, PCTL_E_CONFIG, "address: and mask are needed where there is no DHCP");
	if (~mask > 1 && (!(address & ~mask) || (address & ~mask) == ~mask))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"address: is the network itself with this mask, or its broadcast, and no "
			"machine's");
	if (will_be(dev, "gateway", &gateway) && (gateway & mask) != (address & mask))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"gateway: is outside of the network that address and mask make, and could "
			"not be reached; gateway=none leaves it out");
	if (will_be(dev, "gateway", &gateway) && gateway == address)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"gateway: is its own address; gateway=none leaves it out");
	return 0;
}

static int check_fixed(struct amt_dev *dev, bool was_dhcp, struct pctl_error *err)
{
	if (was_dhcp && (!chain_given(dev, "address") || !chain_given(dev, "mask")))
		return pctl_error_set(
			err, PCTL_E_CONFIG, "address: and mask are needed where there is no DHCP");
	if (was_dhcp && check_lease(dev, err) < 0)
		return err->code;
	return check_gateway(dev, err);
}

static void change_network(struct amt_dev *dev)
{
	const struct pctl_value *port = pctl_value_get(chain_kept(dev), "port");
	bool was = pctl_value_bool(pctl_value_get(port, "dhcp"));
	bool dhcp = chain_given(dev, "dhcp") ? pctl_argument_bool(chain_work(dev)->args, "dhcp")
					     : was && !chain_given(dev, "address");
	struct pctl_error err = { 0 };

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
	if (!dhcp && check_fixed(dev, was, &err) < 0)
		amt_end(dev, &err);
	else if (dhcp && was)
		change_eap(dev); /* it is so already, whatever addresses it got */
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

static int check_address(const char *name, bool may_lack, const char *text, struct pctl_error *err)
{
	struct in_addr a;

	if (!text || (may_lack && strcmp(text, "none") == 0))
		return 0;
	if (inet_pton(AF_INET, text, &a) != 1)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "%s: '%s' is no IPv4 address", name, text);
	uint32_t host = ~ntohl(a.s_addr), net = ntohl(a.s_addr) >> 24;
	if (strcmp(name, "mask") != 0 && (!net || net == IN_LOOPBACKNET || net >= 224))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s: '%s' is no address that one machine in a network has", name, text);
	if (strcmp(name, "mask") == 0 && ((host & (host + 1)) || host == UINT32_MAX))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"mask: '%s' is no network mask, as 255.255.255.0 is", text);
	return 0;
}

int network_check(const struct pctl_arguments *args, struct pctl_error *err)
{
	for (size_t i = 0; i < ADDRESSES; i++) {
		const char *name = addresses[i].name;
		int r = check_address(
			name, addresses[i].may_lack, pctl_argument_text(args, name), err);

		if (r < 0)
			return r;
	}
	return eap_check(args, err);
}

void network_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct amt_dev *dev = data;

	chain_begin(dev, op, args, ret);
	chain_read(
		dev, wired_steps, chain_any(dev, network_parameters) ? look_first : network_read);
}
