/* SPDX-License-Identifier: Apache-2.0 */
/* wifi: when it is used, who has the radio, and the profiles of networks. */
#include <stdio.h>
#include <string.h>

#include <powerctl/mem.h>

#include "classes/chain.h"
#include "classes/eap.h"
#include "classes/methods.h"
#include "classes/network.h"
#include "classes/refer.h"

#define PORT_WIRELESS "Intel(r) AMT Ethernet Port Settings 1"

static const char *const wifi_states[] = { "off", "s0", "s0-sx", NULL };
static const char *const preferences[] = { "me", "host", NULL };
static const char *const authentications[] = { "wpa-psk", "wpa2-psk", "wpa3-sae", "wpa-802.1x",
	"wpa2-802.1x", NULL };
static const char *const methods[] = { "eap-tls", "eap-ttls", "peap", "peap-gtc", NULL };
static const char *const syncs[] = { "off", "user", "all", NULL };

const struct pctl_property wifi_parameters[] = {
	PCTL_PROPERTY(.name = "state", .type = PCTL_TYPE_CHOICE, .choices = wifi_states,
		.help = "when it is used: off: never, s0: while the machine is on, s0-sx: also "
			"while it sleeps or is off and has mains power"),
	PCTL_PROPERTY(.name = "link_preference", .type = PCTL_TYPE_CHOICE, .choices = preferences,
		.help = "who has the radio: the management engine or the operating system"),
	PCTL_PROPERTY(.name = "preference_time", .type = PCTL_TYPE_DURATION, .default_text = "5m",
		.needs = "link_preference",
		.help = "link_preference=me ends by itself after this time"),
	PCTL_PROPERTY(.name = "profile_sync", .type = PCTL_TYPE_CHOICE, .choices = syncs,
		.help = "which profiles of the operating system are taken over: none, the user's, "
			"all"),
	PCTL_PROPERTY(.name = "uefi_sharing", .type = PCTL_TYPE_BOOL,
		.help = "the BIOS gets the profiles, to boot over Wi-Fi (16.0 and later)"),
	PCTL_PROPERTY(.name = "add", .type = PCTL_TYPE_TEXT, .excludes = "change remove",
		.help = "name of a new profile"),
	PCTL_PROPERTY(.name = "change", .type = PCTL_TYPE_TEXT, .excludes = "remove",
		.help = "name of a profile, which is from now on as it is said here"),
	PCTL_PROPERTY(.name = "ssid", .type = PCTL_TYPE_TEXT, .needs = "add change",
		.help = "its network; without it the profile's name"),
	PCTL_PROPERTY(.name = "authentication", .type = PCTL_TYPE_CHOICE,
		.choices = authentications, .needs = "add change",
		.help = "how its access points know us; else wpa2-psk, with eap wpa2-802.1x"),
	PCTL_PROPERTY(.name = "priority", .type = PCTL_TYPE_UINT, .min = 1, .max = 255,
		.default_text = "1", .needs = "add change",
		.help = "which of several profiles is tried first"),
	PCTL_PROPERTY(.name = "passphrase", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_SECRET,
		.needs = "add change", .excludes = "eap", .help = "its passphrase"),
	EAP_PARAMETERS(
		methods, "add change", "802.1X: how the device logs in to the profile's network"),
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
	network_keep_port(dev, item, map, PORT_WIRELESS);
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
	{ &class_8021x_wifi, "eaps", STEP_LIST | STEP_MAY_LACK, NULL },
	{ .class = NULL },
};

/* How a profile logs in stands with it. */
static void show_eaps(struct amt_dev *dev)
{
	static const char *const same[] = { "eap", "identity", "server_name", NULL };
	struct pctl_value *ret = chain_work(dev)->ret;
	const struct pctl_value *eaps = pctl_value_get(ret, "eaps");

	for (size_t i = 0; eaps && i < pctl_value_count(eaps); i++) {
		const struct pctl_value *map = pctl_value_at(eaps, i);
		const char *name = pctl_value_text(pctl_value_get(map, "name"));
		struct pctl_value *profile =
			name ? chain_find(dev, "profiles", "name", name) : NULL;

		for (size_t k = 0; profile && same[k]; k++)
			if (pctl_value_get(map, same[k]))
				pctl_value_set(profile, same[k],
					pctl_value_copy(pctl_value_get(map, same[k])));
	}
	(void)pctl_value_unset(ret, "eaps");
}

static void wifi_read(struct amt_dev *dev)
{
	show_eaps(dev);
	(void)network_show_port(dev);
	chain_end(dev);
}

static void read_wifi(struct amt_dev *dev)
{
	chain_read(dev, wifi_steps, wifi_read);
}

static const char *id_of(struct amt_dev *dev, const char *name)
{
	if (!chain_find(dev, "profiles", "name", name))
		return NULL;
	return pctl_value_text(pctl_value_get(pctl_value_get(chain_kept(dev), "ids"), name));
}

static void remove_profile(struct amt_dev *dev, chain_fn *then)
{
	const char *id = id_of(dev, chain_text(dev, "remove"));

	chain_delete(dev, &class_wifi_profile, "InstanceID", id ? id : "");
	chain_send(dev, then);
}

static const char *authentication_of(const struct pctl_arguments *args)
{
	const char *word = pctl_argument_text(args, "authentication");

	return word ? word : pctl_argument_given(args, "eap") ? "wpa2-802.1x" : "wpa2-psk";
}

/* The fields are in the order that both methods want. */
static void add_settings(struct amt_dev *dev, struct wsman *w, const char *name, const char *id)
{
	const struct pctl_arguments *args = chain_work(dev)->args;
	const struct pctl_secret *key = pctl_argument_secret(args, "passphrase");
	const char *ssid = chain_text(dev, "ssid");

	wsman_open(w, "WiFiEndpointSettingsInput", &class_wifi_profile.class);
	wsman_text(w, "ElementName", name);
	wsman_text(w, "InstanceID", id);
	wsman_uint(w, "AuthenticationMethod",
		class_number(words_wifi_authentication, authentication_of(args))->number);
	wsman_uint(w, "EncryptionMethod", 4);
	wsman_text(w, "SSID", ssid ? ssid : name);
	wsman_uint(w, "Priority", pctl_argument_uint(args, "priority"));
	if (key)
		wsman_text(w, "PSKPassPhrase", pctl_secret_data(key));
	wsman_close(w, "WiFiEndpointSettingsInput");
}

static void add_eap(struct amt_dev *dev, struct wsman *w, const char *name)
{
	PCTL_AUTO(free) char *id = pctl_xasprintf("Intel(r) AMT:IEEE 802.1x Settings %s", name);

	wsman_open(w, "IEEE8021xSettingsInput", &class_8021x_wifi.class);
	wsman_text(w, "ElementName", name);
	wsman_text(w, "InstanceID", id);
	eap_add(dev, w);
	wsman_close(w, "IEEE8021xSettingsInput");
	refer_add(dev, w, "ClientCredential", "certificate");
	refer_add(dev, w, "CACredential", "ca_certificate");
}

/* A new profile, or other settings for the one of that id. */
static void write_profile(struct amt_dev *dev, const char *name, const char *id, chain_fn *then)
{
	static const struct wsman_selector endpoint[] = { { "Name", "WiFi Endpoint 0" },
		{ NULL, NULL } };
	const struct wsman_selector profile[] = { { "InstanceID", id ? id : "" }, { NULL, NULL } };
	PCTL_AUTO(free)
	char *new_id = pctl_xasprintf("Intel(r) AMT:WiFi Endpoint Settings %s", name);
	struct wsman *w = amt_invoke(dev, &class_wifi_service.class,
		id ? "UpdateWiFiSettings" : "AddWiFiSettings", STATUS_WIFI);

	if (id)
		wsman_reference(w, "WiFiEndpointSettings", &class_wifi_profile.class, profile);
	else
		wsman_reference(w, "WiFiEndpoint", &wifi_endpoint, endpoint);
	add_settings(dev, w, name, id ? id : new_id);
	if (chain_given(dev, "eap"))
		add_eap(dev, w, name);
	chain_send(dev, then);
}

static void change_profiles(struct amt_dev *dev)
{
	const char *add = chain_text(dev, "add"), *change = chain_text(dev, "change");

	if (add)
		write_profile(dev, add, NULL, read_wifi);
	else if (change)
		write_profile(dev, change, id_of(dev, change), read_wifi);
	else if (chain_given(dev, "remove"))
		remove_profile(dev, read_wifi);
	else
		read_wifi(dev);
}

static void change_sharing(struct amt_dev *dev)
{
	static const char *const numbers[] = { "0", "1", "3" }; /* of syncs */
	const struct pctl_arguments *args = chain_work(dev)->args;
	bool uefi = pctl_argument_bool(args, "uefi_sharing");

	if (!chain_given(dev, "profile_sync") && !chain_given(dev, "uefi_sharing")) {
		change_profiles(dev);
		return;
	}
	if (chain_given(dev, "profile_sync"))
		chain_change(dev, "localProfileSynchronizationEnabled",
			numbers[pctl_argument_choice(args, "profile_sync")]);
	if (chain_given(dev, "uefi_sharing"))
		chain_change(dev, "UEFIWiFiProfileShareEnabled", uefi ? "true" : "false");
	chain_put(dev, &class_wifi_service, NULL, change_profiles);
}

static bool has_preference(struct amt_dev *dev, const char *word)
{
	const struct pctl_value *port = pctl_value_get(chain_kept(dev), "port");
	const char *is = pctl_value_text(pctl_value_get(port, "link_preference"));

	return is && strcmp(is, word) == 0;
}

/* Said again, `me` begins its time anew. */
static void change_preference(struct amt_dev *dev)
{
	static const struct wsman_selector wireless[] = { { "InstanceID", PORT_WIRELESS },
		{ NULL, NULL } };
	bool me = pctl_argument_choice(chain_work(dev)->args, "link_preference") == 0;
	char seconds[24];
	const struct class_input inputs[] = { { .name = "LinkPreference", .text = me ? "1" : "2" },
		{ .name = "Timeout", .text = seconds }, { .name = NULL } };

	if (!chain_given(dev, "link_preference") || (!me && has_preference(dev, "host"))) {
		change_sharing(dev);
		return;
	}
	(void)snprintf(seconds, sizeof(seconds), "%llu",
		(unsigned long long)pctl_argument_duration(
			chain_work(dev)->args, "preference_time") /
			1000);
	chain_call(dev, &set_preference, wireless, inputs, change_sharing);
}

static void change_wifi(struct amt_dev *dev)
{
	const char *state = chain_text(dev, "state");
	char number[24];
	const struct class_input inputs[] = { { .name = "RequestedState", .text = number },
		{ .name = NULL } };

	const char *is = pctl_value_text(pctl_value_get(chain_work(dev)->ret, "state"));

	if (!state || (is && strcmp(is, state) == 0)) {
		change_preference(dev);
		return;
	}
	(void)snprintf(number, sizeof(number), "%llu",
		(unsigned long long)class_number(words_wifi_state, state)->number);
	chain_call(dev, &wifi_state, NULL, inputs, change_preference);
}

/* --- Before anything is changed. -------------------------------------------------------------- */

/* With what was read: profiles by their names, certificates by their ids. */
static void begin_change(struct amt_dev *dev)
{
	const char *add = chain_text(dev, "add"), *remove = chain_text(dev, "remove");
	const char *other = remove ? remove : chain_text(dev, "change");
	struct pctl_error err = { 0 };

	if (eap_check_certificates(dev, &err) < 0) {
		amt_end(dev, &err);
		return;
	}
	refer_done(dev);
	if (add && chain_find(dev, "profiles", "name", add))
		amt_fail(dev, PCTL_E_REFUSED, "there is a Wi-Fi profile '%s' already", add);
	else if (other && !id_of(dev, other))
		amt_fail(dev, PCTL_E_REFUSED, "there is no Wi-Fi profile '%s'", other);
	else
		change_wifi(dev);
}

static void look_first(struct amt_dev *dev)
{
	if (chain_given(dev, "ca_certificate"))
		refer_read(dev, begin_change);
	else
		begin_change(dev);
}

/* Of a profile that is added or changed. */
static int check_secret(const struct pctl_arguments *args, struct pctl_error *err)
{
	const struct pctl_secret *key = pctl_argument_secret(args, "passphrase");
	bool eap = pctl_argument_given(args, "eap");

	if (strstr(authentication_of(args), "802.1x") ? !eap : eap)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"eap: goes with the authentications wpa-802.1x and wpa2-802.1x, and they "
			"with it");
	if (!eap && !key)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"passphrase_file: is missing; it names the file with the profile's "
			"passphrase");
	if (key && (pctl_secret_len(key) < 8 || pctl_secret_len(key) > 63))
		return pctl_error_set(
			err, PCTL_E_CONFIG, "passphrase: has from 8 to 63 characters");
	return 0;
}

int wifi_check(const struct pctl_arguments *args, struct pctl_error *err)
{
	const char *add = pctl_argument_text(args, "add");
	const char *name = add ? add : pctl_argument_text(args, "change");
	const char *ssid =
		pctl_argument_given(args, "ssid") ? pctl_argument_text(args, "ssid") : name;

	if (eap_check(args, err) < 0 || (name && check_secret(args, err) < 0))
		return err->code;
	if (ssid && (!*ssid || strlen(ssid) > 32))
		return pctl_error_set(
			err, PCTL_E_CONFIG, "ssid: the name of a network has from 1 to 32 bytes");
	return 0;
}

void wifi_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct amt_dev *dev = data;

	chain_begin(dev, op, args, ret);
	chain_read(dev, wifi_steps, chain_any(dev, wifi_parameters) ? look_first : wifi_read);
}
