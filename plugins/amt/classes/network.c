/* SPDX-License-Identifier: Apache-2.0 */
/* network and wifi: the addresses of the management engine itself, and its Wi-Fi profiles. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "classes/chain.h"
#include "classes/methods.h"

#define PORT_WIRED    "Intel(r) AMT Ethernet Port Settings 0"
#define PORT_WIRELESS "Intel(r) AMT Ethernet Port Settings 1"

/* --- network. --------------------------------------------------------------------------------- */

const struct pctl_property network_parameters[] = {
	PCTL_PROPERTY(.name = "dhcp", .type = PCTL_TYPE_BOOL,
		.help = "on: addresses come from DHCP; off: they are the ones given here"),
	PCTL_PROPERTY(.name = "address", .type = PCTL_TYPE_TEXT, .help = "IPv4 address"),
	PCTL_PROPERTY(.name = "mask", .type = PCTL_TYPE_TEXT, .help = "network mask"),
	PCTL_PROPERTY(.name = "gateway", .type = PCTL_TYPE_TEXT, .help = "default gateway"),
	PCTL_PROPERTY(.name = "dns", .type = PCTL_TYPE_TEXT, .help = "name server"),
	PCTL_PROPERTY(.name = "dns2", .type = PCTL_TYPE_TEXT, .help = "a second one"),
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
static void keep_port(
	struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map, const char *port)
{
	struct pctl_value *kept = chain_kept(dev);

	if (!is_port(item, port))
		return;
	pctl_value_set(kept, "port", pctl_value_copy(map));
}

/* The kept port's keys become the answer's. False: there is no such port. */
static bool show_port(struct amt_dev *dev)
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
	keep_port(dev, item, map, PORT_WIRED);
}

static const struct chain_step wired_steps[] = {
	{ &class_ethernet, "ports", STEP_LIST, also_wired },
	{ .class = NULL },
};

static void network_read(struct amt_dev *dev)
{
	if (show_port(dev))
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
	chain_put(dev, &class_ethernet, wired, read_network);
}

static const char *kept_text(struct amt_dev *dev, const char *key)
{
	return pctl_value_text(pctl_value_get(pctl_value_get(chain_kept(dev), "port"), key));
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
	if (check_addresses(dev, &err) < 0)
		amt_end(dev, &err);
	else
		chain_read(dev, wired_steps,
			chain_any(dev, network_parameters) ? change_network : network_read);
}

/* --- wifi. ------------------------------------------------------------------------------------ */

static const char *const wifi_states[] = { "off", "s0", "s0-sx", NULL };
static const char *const preferences[] = { "me", "host", NULL };
static const char *const authentications[] = { "wpa-psk", "wpa2-psk", "wpa3-sae", NULL };

const struct pctl_property wifi_parameters[] = {
	PCTL_PROPERTY(.name = "state", .type = PCTL_TYPE_CHOICE, .choices = wifi_states,
		.help = "when it is used: off: never, s0: while the machine is on, s0-sx: also "
			"while it sleeps or is off and has mains power"),
	PCTL_PROPERTY(.name = "link_preference", .type = PCTL_TYPE_CHOICE, .choices = preferences,
		.help = "who has the radio: the management engine or the operating system"),
	PCTL_PROPERTY(.name = "preference_time", .type = PCTL_TYPE_DURATION, .default_text = "5m",
		.needs = "link_preference",
		.help = "link_preference=me ends by itself after this time"),
	PCTL_PROPERTY(.name = "add", .type = PCTL_TYPE_TEXT, .wants = "passphrase",
		.excludes = "remove", .help = "name of a new profile"),
	PCTL_PROPERTY(.name = "ssid", .type = PCTL_TYPE_TEXT, .needs = "add",
		.help = "its network; without it the profile's name"),
	PCTL_PROPERTY(.name = "authentication", .type = PCTL_TYPE_CHOICE,
		.choices = authentications, .default_text = "wpa2-psk", .needs = "add",
		.help = "how its access points know us"),
	PCTL_PROPERTY(.name = "priority", .type = PCTL_TYPE_UINT, .min = 1, .max = 255,
		.default_text = "1", .needs = "add",
		.help = "which of several profiles is tried first"),
	PCTL_PROPERTY(.name = "passphrase", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_SECRET,
		.needs = "add", .help = "its passphrase"),
	PCTL_PROPERTY(.name = "remove", .type = PCTL_TYPE_TEXT, .help = "name of a profile"),
	{ .name = NULL },
};

static const struct wsman_class wifi_endpoint = WSMAN_CLASS(WSMAN_CIM, "CIM_WiFiEndpoint");
static const struct class_method wifi_state = {
	.class = &class_wifi_port.class,
	.name = "RequestStateChange",
	.returns = STATUS_STATE,
	.inputs = { "RequestedState" },
};
static const struct class_method set_preference = {
	.class = &class_ethernet.class,
	.name = "SetLinkPreference",
	.returns = STATUS_PLAIN,
	.inputs = { "LinkPreference", "Timeout" },
};

static void also_wireless(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	keep_port(dev, item, map, PORT_WIRELESS);
}

static void also_profile(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	const char *id = xml_text(item, "InstanceID");
	const char *name = xml_text(item, "ElementName");

	struct pctl_value *ids = pctl_value_get(chain_kept(dev), "ids");

	(void)map;
	if (!ids) {
		ids = pctl_value_new_map();
		pctl_value_set(chain_kept(dev), "ids", ids);
	}
	/* By its id it is removed. */
	if (id && name)
		pctl_value_set_text(ids, name, id);
}

static const struct chain_step wifi_steps[] = {
	{ &class_wifi_port, NULL, 0, NULL },
	{ &class_ethernet, "ports", STEP_LIST | STEP_MAY_LACK, also_wireless },
	{ &class_wifi_service, NULL, STEP_MAY_LACK, NULL },
	{ &class_wifi_profile, "profiles", STEP_LIST | STEP_MAY_LACK, also_profile },
	{ .class = NULL },
};

static void wifi_read(struct amt_dev *dev)
{
	(void)show_port(dev);
	chain_end(dev);
}

static void read_wifi(struct amt_dev *dev)
{
	chain_read(dev, wifi_steps, wifi_read);
}

static void remove_profile(struct amt_dev *dev, chain_fn *then)
{
	const char *name = chain_text(dev, "remove");
	const char *id = chain_find(dev, "profiles", "name", name)
				 ? pctl_value_text(pctl_value_get(
					   pctl_value_get(chain_kept(dev), "ids"), name))
				 : NULL;
	const struct wsman_selector s[] = { { "InstanceID", id ? id : "" }, { NULL, NULL } };

	if (!id) {
		amt_fail(dev, PCTL_E_REFUSED, "there is no Wi-Fi profile '%s'", name);
		return;
	}
	(void)amt_request(dev,
		&(struct wsman_head){
			.verb = WSMAN_DELETE, .class = &class_wifi_profile.class, .selectors = s },
		STATUS_PLAIN);
	chain_send(dev, then);
}

/* The fields are in the order that this method wants. */
static void add_profile(struct amt_dev *dev, chain_fn *then)
{
	static const struct wsman_class service =
		WSMAN_CLASS(WSMAN_AMT, "AMT_WiFiPortConfigurationService");
	static const struct wsman_selector endpoint[] = { { "Name", "WiFi Endpoint 0" },
		{ NULL, NULL } };
	const struct pctl_arguments *args = chain_work(dev)->args;
	const char *name = chain_text(dev, "add");
	const char *ssid = chain_text(dev, "ssid");
	char id[160];

	(void)snprintf(id, sizeof(id), "Intel(r) AMT:WiFi Endpoint Settings %s", name);
	struct wsman *w = amt_invoke(dev, &service, "AddWiFiSettings", STATUS_WIFI);
	chain_hide(dev);
	wsman_reference(w, "WiFiEndpoint", &wifi_endpoint, endpoint);
	wsman_open(w, "WiFiEndpointSettingsInput", &class_wifi_profile.class);
	wsman_text(w, "ElementName", name);
	wsman_text(w, "InstanceID", id);
	wsman_uint(w, "AuthenticationMethod",
		class_number(words_wifi_authentication, chain_text(dev, "authentication"))->number);
	wsman_uint(w, "EncryptionMethod", 4);
	wsman_text(w, "SSID", ssid ? ssid : name);
	wsman_uint(w, "Priority", pctl_argument_uint(args, "priority"));
	wsman_text(w, "PSKPassPhrase", pctl_secret_data(pctl_argument_secret(args, "passphrase")));
	wsman_close(w, "WiFiEndpointSettingsInput");
	chain_send(dev, then);
}

static void change_profiles(struct amt_dev *dev)
{
	const char *add = chain_text(dev, "add");

	if (add && chain_find(dev, "profiles", "name", add))
		amt_fail(dev, PCTL_E_REFUSED, "there is a Wi-Fi profile '%s' already", add);
	else if (add)
		add_profile(dev, read_wifi);
	else if (chain_given(dev, "remove"))
		remove_profile(dev, read_wifi);
	else
		read_wifi(dev);
}

static void change_preference(struct amt_dev *dev)
{
	static const struct wsman_selector wireless[] = { { "InstanceID", PORT_WIRELESS },
		{ NULL, NULL } };
	bool me = pctl_argument_choice(chain_work(dev)->args, "link_preference") == 0;
	char seconds[24];
	const struct class_input inputs[] = { { .name = "LinkPreference", .text = me ? "1" : "2" },
		{ .name = "Timeout", .text = seconds }, { .name = NULL } };

	if (!chain_given(dev, "link_preference")) {
		change_profiles(dev);
		return;
	}
	(void)snprintf(seconds, sizeof(seconds), "%llu",
		(unsigned long long)pctl_argument_duration(
			chain_work(dev)->args, "preference_time") /
			1000);
	chain_call(dev, &set_preference, wireless, inputs, change_profiles);
}

static void change_wifi(struct amt_dev *dev)
{
	const char *state = chain_text(dev, "state");
	char number[24];
	const struct class_input inputs[] = { { .name = "RequestedState", .text = number },
		{ .name = NULL } };

	if (!state) {
		change_preference(dev);
		return;
	}
	(void)snprintf(number, sizeof(number), "%llu",
		(unsigned long long)class_number(words_wifi_state, state)->number);
	chain_call(dev, &wifi_state, NULL, inputs, change_preference);
}

static int check_wifi(struct amt_dev *dev, struct pctl_error *err)
{
	const struct pctl_secret *key = pctl_argument_secret(chain_work(dev)->args, "passphrase");
	const char *name = chain_text(dev, "add");
	const char *ssid = chain_given(dev, "ssid") ? chain_text(dev, "ssid") : name;

	if (name && chain_given(dev, "remove"))
		return pctl_error_set(
			err, PCTL_E_CONFIG, "add: or remove, one of them and not both");
	if (name && !key)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"passphrase_file: is missing; it names the file with the profile's "
			"passphrase");
	if (name && (pctl_secret_len(key) < 8 || pctl_secret_len(key) > 63))
		return pctl_error_set(
			err, PCTL_E_CONFIG, "passphrase: has from 8 to 63 characters");
	if (ssid && (!*ssid || strlen(ssid) > 32))
		return pctl_error_set(
			err, PCTL_E_CONFIG, "ssid: the name of a network has from 1 to 32 bytes");
	if (!name && (key || chain_given(dev, "ssid")))
		return pctl_error_set(err, PCTL_E_CONFIG, "add: is missing: the profile's name");
	return 0;
}

void wifi_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct amt_dev *dev = data;
	struct pctl_error err = { 0 };

	chain_begin(dev, op, args, ret);
	if (check_wifi(dev, &err) < 0)
		amt_end(dev, &err);
	else
		chain_read(
			dev, wifi_steps, chain_any(dev, wifi_parameters) ? change_wifi : wifi_read);
}
