/* SPDX-License-Identifier: Apache-2.0 */
/* The classes about Wi-Fi, and about 802.1X, wired and not. */
#include <stdlib.h>
#include <string.h>

#include "security.h"
#include "sim.h"
#include "store.h"

enum {
	PT_INTERNAL = 1,
	PT_LIMIT = 0x17,
	PT_PARAMETER = 0x24,
	PT_DUPLICATE = 0x80A,
	PROFILES_MAX = 8,
	WIFI_PARAMETER = 5,
};

#define KEYS        "CreationClassName Name SystemCreationClassName SystemName"
#define CERTIFICATE NS_AMT "AMT_PublicKeyCertificate"

/* --- The port. -------------------------------------------------------------------------------- */

static bool has_wifi(const struct device *dev)
{
	return !dev->knobs.no_wifi;
}

static const struct store_field wifi_port_fields[] = {
	{ "CreationClassName", STORE_TEXT, STORE_READ_ONLY },
	{ "DeviceID", STORE_TEXT, STORE_READ_ONLY },
	{ "ElementName", STORE_TEXT, STORE_READ_ONLY },
	{ "EnabledState", STORE_NUMBER, STORE_READ_ONLY },
	{ "HealthState", STORE_NUMBER, STORE_READ_ONLY },
	{ "LinkTechnology", STORE_NUMBER, STORE_READ_ONLY },
	{ "PermanentAddress", STORE_TEXT, STORE_READ_ONLY },
	{ "PortType", STORE_NUMBER, STORE_READ_ONLY },
	{ "RequestedState", STORE_NUMBER, STORE_READ_ONLY },
	{ "SystemCreationClassName", STORE_TEXT, STORE_READ_ONLY },
	{ "SystemName", STORE_TEXT, STORE_READ_ONLY },
};
static const char *const wifi_port[] = { "CIM_WiFiPort", "WiFi Port 0", "WiFi Port 0", "3", "5",
	"11", "000000000000", "0", "3", "CIM_ComputerSystem", "Intel(r) AMT" };
static const struct store_class wifi_port_store = {
	.fields = wifi_port_fields,
	.nfields = COUNT(wifi_port_fields),
	.initial = wifi_port,
	.ninitial = 1,
	.at = STORE_WIFI_PORT,
};

static enum fault change_wifi(struct call *c, uint32_t *ret_value)
{
	struct store_row *row = &store_table(c->dev, &wifi_port_store)->rows[0];
	struct str state = param(c, "RequestedState");

	if (!str_is(state, "3") && !str_is(state, "32768") && !str_is(state, "32769")) {
		*ret_value = 5;
		return state.p ? FAULT_NONE : FAULT_INVALID_REPRESENTATION;
	}
	*ret_value = store_write(c, "RequestStateChange", false);
	if (*ret_value)
		return FAULT_NONE;
	store_set(&wifi_port_store, row, "EnabledState", state);
	store_set(&wifi_port_store, row, "RequestedState", state);
	return FAULT_NONE;
}

static const struct store_field profile_fields[] = {
	{ "AuthenticationMethod", STORE_NUMBER, 0 },
	{ "BSSType", STORE_NUMBER, 0 },
	{ "ElementName", STORE_TEXT, 0 },
	{ "EncryptionMethod", STORE_NUMBER, 0 },
	{ "InstanceID", STORE_TEXT, 0 },
	{ "PSKPassPhrase", STORE_TEXT, STORE_HIDDEN },
	{ "Priority", STORE_NUMBER, 0 },
	{ "SSID", STORE_TEXT, 0 },
};
static uint32_t profile_may_go(struct call *c, const struct store_row *row);
static const struct store_class profile_store = {
	.fields = profile_fields,
	.nfields = COUNT(profile_fields),
	.at = STORE_WIFI_PROFILES,
	.may_go = profile_may_go,
	.deletable = true,
};

/* --- How it logs in to a network. --------------------------------------------------------------
 */

/* In the order of the methods' input and of a Put. */
#define EAP_FIELDS                                                                    \
	{ "ElementName", STORE_TEXT, 0 }, { "InstanceID", STORE_TEXT, 0 },            \
		{ "AuthenticationProtocol", STORE_NUMBER, STORE_ABSENT_OK },          \
		{ "RoamingIdentity", STORE_TEXT, STORE_ABSENT_OK },                   \
		{ "ServerCertificateName", STORE_TEXT, STORE_ABSENT_OK },             \
		{ "ServerCertificateNameComparison", STORE_NUMBER, STORE_ABSENT_OK }, \
		{ "Username", STORE_TEXT, STORE_ABSENT_OK },                          \
		{ "Password", STORE_TEXT, STORE_HIDDEN | STORE_ABSENT_OK },           \
	{                                                                             \
		"Domain", STORE_TEXT, STORE_ABSENT_OK                                 \
	}

static const struct store_field eap_fields[] = { EAP_FIELDS };
static const struct store_class eap_store = {
	.fields = eap_fields,
	.nfields = COUNT(eap_fields),
	.at = STORE_WIFI_EAP,
};

static bool is_tls(const struct store_class *class, const struct store_row *row)
{
	const char *method = store_get(class, row, "AuthenticationProtocol");

	return method && strcmp(method, "0") == 0;
}

/* What the method has to have: a user, and his password unless it is TLS, which does not look at
 * one. */
static bool eap_fits(const struct store_class *class, const struct store_row *row)
{
	const char *method = store_get(class, row, "AuthenticationProtocol");

	return method && strlen(method) == 1 && *method <= '3' &&
	       store_get(class, row, "Username") &&
	       (is_tls(class, row) || store_get(class, row, "Password"));
}

static struct str reference(const struct call *c, const char *name)
{
	return param_selector(c, name, CERTIFICATE, "InstanceID");
}

/* The server's root, and with TLS a certificate of its own. */
static bool certificates_fit(const struct call *c, const char *own, const char *root, bool tls)
{
	return security_is_root(c->dev, reference(c, root)) &&
	       (tls ? security_is_own(c->dev, reference(c, own)) : !reference(c, own).p);
}

static void drop(struct store_row *row)
{
	for (size_t i = 0; i < STORE_FIELDS; i++)
		free(row->values[i]);
	*row = (struct store_row){ { NULL } };
}

/* The fields of an instance that is a parameter, in their order; false: they are others. */
static bool read_input(const struct call *c, const char *name, const char *ns,
	const char *const *order, const struct store_class *class, struct store_row *row)
{
	int node = xml_child(c->doc, c->node, c->wclass->uri, name), n = xml_first(c->doc, node);

	for (; *order && n >= 0; order++) {
		if (!str_is(c->doc->nodes[n].name, *order) || !str_is(c->doc->nodes[n].ns, ns))
			continue;
		if (!xml_text(c->doc, n).n)
			return false;
		store_set(class, row, *order, xml_text(c->doc, n));
		n = xml_next(c->doc, n);
	}
	return node >= 0 && n < 0;
}

/* --- Profiles. -------------------------------------------------------------------------------- */

static const char *const profile_order[] = { "ElementName", "InstanceID", "AuthenticationMethod",
	"EncryptionMethod", "SSID", "Priority", "PSKPassPhrase", NULL };
static const char *const eap_order[] = { "ElementName", "InstanceID", "AuthenticationProtocol",
	"RoamingIdentity", "ServerCertificateName", "ServerCertificateNameComparison", "Username",
	"Password", "Domain", NULL };

/* WPA with a passphrase, or with 802.1X. */
static bool profile_fits(const struct call *c, const struct store_row *profile,
	const struct store_row *eap, bool with_eap)
{
	const char *method = store_get(&profile_store, profile, "AuthenticationMethod");
	const char *phrase = store_get(&profile_store, profile, "PSKPassPhrase");
	const char *ssid = store_get(&profile_store, profile, "SSID");
	const char *protocol = store_get(&eap_store, eap, "AuthenticationProtocol");
	bool needs = method && (strcmp(method, "5") == 0 || strcmp(method, "7") == 0);

	if (!method || !ssid || strlen(ssid) > 32 || needs != with_eap || needs == (phrase != NULL))
		return false;
	if (phrase && (strlen(phrase) < 8 || strlen(phrase) > 63))
		return false;
	return !needs ||
	       (eap_fits(&eap_store, eap) && certificates_fit(c, "ClientCredential", "CACredential",
						     strcmp(protocol, "0") == 0));
}

static void put_row(struct store_row *to, struct store_row *from)
{
	drop(to);
	*to = *from;
	*from = (struct store_row){ { NULL } };
}

static void put_eap(struct call *c, const char *name, struct store_row *eap, bool with_eap)
{
	struct store_row *old = store_find(c->dev, &eap_store, "ElementName", str_of(name));

	if (old)
		store_remove(c->dev, &eap_store, old);
	if (with_eap)
		put_row(store_add(c->dev, &eap_store), eap);
}

/* old: NULL: a new one. */
static enum fault write_profile(
	struct call *c, const char *method, struct store_row *old, uint32_t *ret_value)
{
	struct store_row profile = { { NULL } }, eap = { { NULL } };
	bool with_eap = xml_child(c->doc, c->node, c->wclass->uri, "IEEE8021xSettingsInput") >= 0;
	enum fault fault = FAULT_INVALID_REPRESENTATION;

	if (read_input(c, "WiFiEndpointSettingsInput", NS_CIM "CIM_WiFiEndpointSettings",
		    profile_order, &profile_store, &profile) &&
		(!with_eap || read_input(c, "IEEE8021xSettingsInput",
				      NS_CIM "CIM_IEEE8021xSettings", eap_order, &eap_store, &eap)))
		fault = FAULT_NONE;
	if (!fault && !*ret_value && !profile_fits(c, &profile, &eap, with_eap))
		*ret_value = WIFI_PARAMETER;
	if (!fault && !*ret_value)
		*ret_value = store_write(c, method, false);
	if (!fault && !*ret_value) {
		store_set(&profile_store, &profile, "BSSType", STR("3"));
		put_eap(c, store_get(&profile_store, &profile, "ElementName"), &eap, with_eap);
		put_row(old ? old : store_add(c->dev, &profile_store), &profile);
	}
	drop(&profile);
	drop(&eap);
	return fault;
}

static enum fault add_profile(struct call *c, uint32_t *ret_value)
{
	struct str endpoint = param_selector(c, "WiFiEndpoint", NS_CIM "CIM_WiFiEndpoint", "Name");
	int input = xml_child(c->doc, c->node, c->wclass->uri, "WiFiEndpointSettingsInput");
	int id = xml_child(c->doc, input, NS_CIM "CIM_WiFiEndpointSettings", "InstanceID");

	if (!str_is(endpoint, "WiFi Endpoint 0"))
		*ret_value = WIFI_PARAMETER;
	else if (id >= 0 && store_find(c->dev, &profile_store, "InstanceID", xml_text(c->doc, id)))
		*ret_value = PT_DUPLICATE;
	else if (store_table(c->dev, &profile_store)->n >= PROFILES_MAX)
		*ret_value = PT_LIMIT;
	return write_profile(c, "AddWiFiSettings", NULL, ret_value);
}

static enum fault update_profile(struct call *c, uint32_t *ret_value)
{
	struct str id = param_selector(
		c, "WiFiEndpointSettings", NS_CIM "CIM_WiFiEndpointSettings", "InstanceID");
	struct store_row *row = id.p ? store_find(c->dev, &profile_store, "InstanceID", id) : NULL;

	if (!row)
		*ret_value = WIFI_PARAMETER;
	return write_profile(c, "UpdateWiFiSettings", row, ret_value);
}

static uint32_t profile_may_go(struct call *c, const struct store_row *row)
{
	put_eap(c, store_get(&profile_store, row, "ElementName"), NULL, false);
	return 0;
}

static const struct store_field service_fields[] = {
	{ "CreationClassName", STORE_TEXT, 0 },
	{ "ElementName", STORE_TEXT, 0 },
	{ "EnabledState", STORE_NUMBER, 0 },
	{ "HealthState", STORE_NUMBER, 0 },
	{ "LastConnectedSsidUnderMeControl", STORE_TEXT, STORE_ABSENT_OK },
	{ "Name", STORE_TEXT, 0 },
	{ "NoHostCsmeSoftwarePolicy", STORE_NUMBER, 0 },
	{ "RequestedState", STORE_NUMBER, 0 },
	{ "SystemCreationClassName", STORE_TEXT, 0 },
	{ "SystemName", STORE_TEXT, 0 },
	{ "UEFIWiFiProfileShareEnabled", STORE_BOOL, STORE_ABSENT_OK },
	{ "localProfileSynchronizationEnabled", STORE_NUMBER, 0 },
};
static const char *const services[] = { "AMT_WiFiPortConfigurationService",
	"Intel(r) AMT WiFiPort Configuration Service", "5", "5", "",
	"Intel(r) AMT WiFi Port Configuration Service", "0", "12", "CIM_ComputerSystem",
	"Intel(r) AMT", NULL, "0" };

static const struct store_class service_store;

/* Sharing with the BIOS is newer than profiles are. */
static void fill_service(struct device *dev, struct store_table *t)
{
	size_t i = store_index(&service_store, "UEFIWiFiProfileShareEnabled");

	if (dev->profile->major >= 12)
		t->rows[0].values[i] = store_copy(STR("false"));
}

static uint32_t check_service(
	struct call *c, const struct store_row *was, const struct store_row *is)
{
	const char *sync = store_get(c->wclass->store, is, "localProfileSynchronizationEnabled");

	(void)was;
	return sync && strlen(sync) == 1 && strchr("013", *sync) ? 0 : PT_PARAMETER;
}

static const struct store_class service_store = {
	.fields = service_fields,
	.nfields = COUNT(service_fields),
	.initial = services,
	.ninitial = 1,
	.at = STORE_WIFI_SERVICE,
	.fill = fill_service,
	.check = check_service,
};

/* --- The wired port. -------------------------------------------------------------------------- */

/* All firmware has AMT_8021XProfile; newer does what IPS_IEEE8021xSettings says. */
static bool has_new(const struct device *dev)
{
	return dev->profile->major >= 12;
}

static const struct store_field wired_fields[] = {
	EAP_FIELDS,
	{ "Enabled", STORE_NUMBER, 0 },
	{ "PxeTimeout", STORE_NUMBER, 0 },
	{ "AvailableInS0", STORE_BOOL, 0 },
	{ "Root", STORE_TEXT, STORE_HIDDEN },
};
static const char *const wired[] = { "Intel(r) AMT: 8021X Settings", "Intel(r) AMT: 8021X Settings",
	NULL, NULL, NULL, NULL, NULL, NULL, NULL, "3", "120", "false", NULL };

static uint32_t check_wired(struct call *c, const struct store_row *was, const struct store_row *is)
{
	const struct store_class *class = c->wclass->store;
	const char *enabled = store_get(class, is, "Enabled");
	const char *method = store_get(class, is, "AuthenticationProtocol");

	(void)was;
	if (strcmp(enabled, "3") == 0)
		return 0;
	if (!eap_fits(class, is))
		return PT_PARAMETER;
	return strcmp(enabled, strcmp(method, "0") == 0 ? "2" : "6") == 0 ? 0 : PT_PARAMETER;
}

static const struct store_class wired_store = {
	.fields = wired_fields,
	.nfields = COUNT(wired_fields),
	.initial = wired,
	.ninitial = 1,
	.at = STORE_WIRED_EAP,
	.check = check_wired,
};

static enum fault set_certificates(struct call *c, uint32_t *ret_value)
{
	struct store_row *row = &store_table(c->dev, &wired_store)->rows[0];
	const char *enabled = store_get(&wired_store, row, "Enabled");

	if (strcmp(enabled, "3") == 0 ||
		!certificates_fit(c, "ClientCertificate", "ServerCertificateIssuer",
			strcmp(enabled, "2") == 0))
		*ret_value = PT_INTERNAL;
	else
		*ret_value = store_write(c, "SetCertificates", false);
	if (!*ret_value)
		store_set(&wired_store, row, "Root", reference(c, "ServerCertificateIssuer"));
	return FAULT_NONE;
}

static const struct store_field old_fields[] = {
	{ "ElementName", STORE_TEXT, 0 },
	{ "InstanceID", STORE_TEXT, 0 },
	{ "Enabled", STORE_BOOL, 0 },
	{ "ActiveInS0", STORE_BOOL, 0 },
	{ "AuthenticationProtocol", STORE_NUMBER, STORE_ABSENT_OK },
	{ "RoamingIdentity", STORE_TEXT, STORE_ABSENT_OK },
	{ "ServerCertificateName", STORE_TEXT, STORE_ABSENT_OK },
	{ "ServerCertificateNameComparison", STORE_NUMBER, STORE_ABSENT_OK },
	{ "Username", STORE_TEXT, STORE_ABSENT_OK },
	{ "Password", STORE_TEXT, STORE_HIDDEN | STORE_ABSENT_OK },
	{ "Domain", STORE_TEXT, STORE_ABSENT_OK },
	{ "ClientCertificate", STORE_EPR, STORE_HIDDEN | STORE_ABSENT_OK },
	{ "ServerCertificateIssuer", STORE_EPR, STORE_HIDDEN | STORE_ABSENT_OK },
	{ "PxeTimeout", STORE_NUMBER, 0 },
};
static const char *const old[] = { "Intel(r) AMT 802.1x Profile", "Intel(r) AMT 802.1x Profile 0",
	"false", "true", NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "0" };

static struct str last_line(const char *lines)
{
	const char *at = lines ? strrchr(lines, '\n') : NULL;

	return at ? str_of(at + 1) : (struct str){ NULL, 0 };
}

static uint32_t check_old(struct call *c, const struct store_row *was, const struct store_row *is)
{
	const struct store_class *class = c->wclass->store;
	const char *method = store_get(class, is, "AuthenticationProtocol");
	struct str own = last_line(store_get(class, is, "ClientCertificate"));

	(void)was;
	if (strcmp(store_get(class, is, "Enabled"), "true") != 0)
		return 0;
	if (!eap_fits(class, is) || !security_is_root(c->dev, last_line(store_get(class, is,
								      "ServerCertificateIssuer"))))
		return PT_PARAMETER;
	return strcmp(method, "0") != 0 || security_is_own(c->dev, own) ? 0 : PT_PARAMETER;
}

static const struct store_class old_store = {
	.fields = old_fields,
	.nfields = COUNT(old_fields),
	.initial = old,
	.ninitial = 1,
	.at = STORE_OLD_EAP,
	.check = check_old,
};

/* --- The table. ------------------------------------------------------------------------------- */

static const struct method wifi_methods[] = {
	{ "RequestStateChange", "RequestedState", change_wifi, 0, NULL },
};
static const struct method profile_methods[] = {
	{ "AddWiFiSettings",
		"WiFiEndpoint WiFiEndpointSettingsInput IEEE8021xSettingsInput ClientCredential "
		"CACredential",
		add_profile, 0, NULL },
	{ "UpdateWiFiSettings",
		"WiFiEndpointSettings WiFiEndpointSettingsInput IEEE8021xSettingsInput "
		"ClientCredential CACredential",
		update_profile, 0, NULL },
};
static const struct method wired_methods[] = {
	{ "SetCertificates", "ServerCertificateIssuer ClientCertificate", set_certificates, 0,
		NULL },
};

const struct wclass wifi_classes[] = {
	{
		.name = "CIM_WiFiPort",
		.uri = NS_CIM "CIM_WiFiPort",
		.selectors = "CreationClassName DeviceID SystemCreationClassName SystemName",
		.present = has_wifi,
		.store = &wifi_port_store,
		METHODS(wifi_methods),
	},
	{
		.name = "AMT_WiFiPortConfigurationService",
		.uri = NS_AMT "AMT_WiFiPortConfigurationService",
		.selectors = KEYS,
		.present = has_wifi,
		.store = &service_store,
		METHODS(profile_methods),
	},
	{
		.name = "CIM_WiFiEndpointSettings",
		.uri = NS_CIM "CIM_WiFiEndpointSettings",
		.key = "InstanceID",
		.present = has_wifi,
		.store = &profile_store,
	},
	{
		.name = "CIM_IEEE8021xSettings",
		.uri = NS_CIM "CIM_IEEE8021xSettings",
		.key = "InstanceID",
		.present = has_wifi,
		.store = &eap_store,
	},
	{
		.name = "IPS_IEEE8021xSettings",
		.uri = NS_IPS "IPS_IEEE8021xSettings",
		.selectors = "InstanceID",
		.present = has_new,
		.store = &wired_store,
		METHODS(wired_methods),
	},
	{
		.name = "AMT_8021XProfile",
		.uri = NS_AMT "AMT_8021XProfile",
		.selectors = "InstanceID",
		.store = &old_store,
	},
};

const size_t wifi_classes_count = COUNT(wifi_classes);
