/* SPDX-License-Identifier: Apache-2.0 */
/* The classes about the machine, its set-up and consent. */
#include <stdio.h>
#include <string.h>

#include "classes.h"
#include "device.h"
#include "optin.h"
#include "security.h"
#include "sim.h"
#include "store.h"

enum { NOT_PERMITTED = 16 };

#define SERVICE_KEYS "CreationClassName Name SystemCreationClassName SystemName"
#define TAG_KEYS     "CreationClassName Tag"

/* Identity rows: a NULL value stands for the version or the build of the profile. */
static const struct {
	const char *id;
	const char *value;
	bool build;
} software[] = {
	{ "Flash", NULL, false },
	{ "Netstack", NULL, false },
	{ "AMTApps", NULL, false },
	{ "AMT", NULL, false },
	{ "Sku", "16392", false },
	{ "VendorID", "8086", false },
	{ "Build Number", NULL, true },
	{ "Recovery Version", NULL, false },
	{ "Recovery Build Num", NULL, true },
	{ "Legacy Mode", "False", false },
	{ "AMT FW Core Version", NULL, false },
};

static size_t count_software(const struct device *dev)
{
	(void)dev;
	return COUNT(software);
}

static const char *software_id(const struct device *dev, size_t i)
{
	(void)dev;
	return software[i].id;
}

static void emit_software(struct call *c, size_t i)
{
	const struct profile *p = c->dev->profile;

	emit_field(c, "InstanceID", software[i].id);
	emit_field(c, "IsEntity", "true");
	emit_field(c, "VersionString",
		software[i].value   ? software[i].value
		: software[i].build ? p->build
		: *c->dev->firmware ? c->dev->firmware
				    : p->version);
}

/* What of AMT_GeneralSettings can be set, and how it was made. */
static const struct store_field general_fields[] = {
	{ "DDNSUpdateEnabled", STORE_BOOL, 0 },
	{ "DomainName", STORE_TEXT, 0 },
	{ "HostName", STORE_TEXT, 0 },
	{ "IdleWakeTimeout", STORE_NUMBER, 0 },
	{ "PingResponseEnabled", STORE_BOOL, 0 },
	{ "RmcpPingResponseEnabled", STORE_BOOL, 0 },
	{ "SharedFQDN", STORE_BOOL, 0 },
	{ "WsmanOnlyMode", STORE_BOOL, 0 },
};
static const char *const general_values[] = { "false", "", NULL, "1", "true", "true", "true",
	"false" };
static const struct store_class general_store = {
	.fields = general_fields,
	.nfields = COUNT(general_fields),
	.initial = general_values,
	.ninitial = 1,
	.at = STORE_GENERAL,
};

/* In the order of an answer and of a Put; what stands here is always the same. */
static const struct {
	const char *name, *value;
	unsigned major;
} generals[] = {
	{ "AMTNetworkEnabled", "1", 0 },
	{ "DDNSPeriodicUpdateInterval", "1440", 0 },
	{ "DDNSTTL", "900", 0 },
	{ "DDNSUpdateByDHCPServerEnabled", "true", 0 },
	{ "DDNSUpdateEnabled", NULL, 0 },
	{ "DHCPSyncRequiresHostname", "1", 15 },
	{ "DHCPv6ConfigurationTimeout", "0", 0 },
	{ "DigestRealm", NULL, 0 },
	{ "DomainName", NULL, 0 },
	{ "ElementName", "Intel(r) AMT: General Settings", 0 },
	{ "HostName", NULL, 0 },
	{ "HostOSFQDN", "", 0 },
	{ "IdleWakeTimeout", NULL, 0 },
	{ "InstanceID", "Intel(r) AMT: General Settings", 0 },
	{ "NetworkInterfaceEnabled", "true", 0 },
	{ "PingResponseEnabled", NULL, 0 },
	{ "PowerSource", "0", 0 },
	{ "PreferredAddressFamily", "0", 0 },
	{ "PresenceNotificationInterval", "0", 0 },
	{ "PrivacyLevel", "0", 0 },
	{ "RmcpPingResponseEnabled", NULL, 0 },
	{ "SharedFQDN", NULL, 0 },
	{ "ThunderboltDockEnabled", "0", 15 },
	{ "WsmanOnlyMode", NULL, 0 },
};

/* Most fleets are never asked to change this: only then there is a row of a device's own. */
static const char *general_value(struct device *dev, size_t i, char host[24])
{
	const struct store_table *t = dev->store ? &dev->store->tables[STORE_GENERAL] : NULL;
	size_t at = store_index(&general_store, generals[i].name);

	if (generals[i].value)
		return generals[i].value;
	if (strcmp(generals[i].name, "DigestRealm") == 0)
		return dev->knobs.told_realm ? "gateway" : dev->realm;
	if (t && t->rows && t->rows[0].values[at])
		return t->rows[0].values[at];
	if (general_values[at])
		return general_values[at];
	snprintf(host, 24, "amtsim%u", dev->n);
	return host;
}

static void emit_general(struct call *c, size_t unused)
{
	char host[24];

	(void)unused;
	for (size_t i = 0; i < COUNT(generals); i++)
		if (c->dev->profile->major >= generals[i].major)
			emit_field(c, generals[i].name, general_value(c->dev, i, host));
}

/* All of it, in its order; what cannot be set has to be as it is. */
static bool general_fits(struct call *c)
{
	int n = xml_first(c->doc, c->node);
	char host[24];

	for (size_t i = 0; i < COUNT(generals); i++) {
		if (c->dev->profile->major < generals[i].major)
			continue;
		if (n < 0 || !str_is(c->doc->nodes[n].name, generals[i].name) ||
			!str_is(c->doc->nodes[n].ns, c->wclass->uri))
			return false;
		if ((generals[i].value || strcmp(generals[i].name, "DigestRealm") == 0) &&
			!str_is(xml_text(c->doc, n), general_value(c->dev, i, host)))
			return false;
		n = xml_next(c->doc, n);
	}
	return n < 0;
}

static enum fault put_general(struct call *c)
{
	if (!general_fits(c))
		return FAULT_INVALID_REPRESENTATION;
	c->status = store_write(c, "Put", false);
	if (c->status)
		return FAULT_INTERNAL;
	struct store_row *row = &store_table(c->dev, &general_store)->rows[0];
	for (size_t f = 0; f < COUNT(general_fields); f++)
		store_set(&general_store, row, general_fields[f].name,
			param(c, general_fields[f].name));
	return FAULT_NONE;
}

/* Client control mode has none of it. */
static enum fault set_mebx(struct call *c, uint32_t *ret_value)
{
	struct str password = param(c, "Password");

	if (!password.p)
		return FAULT_INVALID_REPRESENTATION;
	*ret_value = c->dev->knobs.ccm                   ? 0x10
		     : password.n < 8 || password.n > 32 ? 0x806
							 : store_write(c, "SetMEBxPassword", true);
	return FAULT_NONE;
}

static void emit_setup(struct call *c, size_t i)
{
	(void)i;
	emit_field(c, "CreationClassName", "AMT_SetupAndConfigurationService");
	emit_field(c, "ElementName", "Intel(r) AMT Setup and Configuration Service");
	emit_field(c, "EnabledState", "5");
	emit_field(c, "Name", "Intel(r) AMT Setup and Configuration Service");
	emit_field(c, "PasswordModel", "1");
	emit_field(c, "ProvisioningMode", c->dev->knobs.ccm ? "4" : "1");
	emit_field(c, "ProvisioningServerOTP", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
	emit_field(c, "ProvisioningState", "2");
	emit_field(c, "RequestedState", "12");
	emit_field(c, "SystemCreationClassName", "CIM_ComputerSystem");
	emit_field(c, "SystemName", "Intel(r) AMT");
	emit_field(c, "ZeroTouchConfigurationEnabled", "true");
}

static enum fault get_uuid(struct call *c, uint32_t *ret_value)
{
	char text[25];

	base64_encode(c->dev->uuid, sizeof(c->dev->uuid), text);
	emit_field(c, "UUID", text);
	*ret_value = 0;
	return FAULT_NONE;
}

static void emit_host_setup(struct call *c, size_t i)
{
	(void)i;
	emit_field(c, "AllowedControlModes", "2");
	emit_field(c, "AllowedControlModes", "1");
	emit_field(c, "CertChainStatus", "0");
	emit_field(c, "ConfigurationNonce", "4P3sY7swlhjkhJNxDkEBIUcmpHE=");
	emit_field(c, "CreationClassName", "IPS_HostBasedSetupService");
	emit_field(c, "CurrentControlMode", c->dev->knobs.ccm ? "1" : "2");
	emit_field(c, "ElementName", "Intel(r) AMT Host Based Setup Service");
	emit_service_keys(c, "Intel(r) AMT Host Based Setup Service", "Intel(r) AMT");
}

static bool has_host_setup(const struct device *dev)
{
	return dev->profile->major >= 7;
}

static void emit_package(struct call *c, size_t i)
{
	static const char *const chassis[] = { "CreationClassName", "CIM_Chassis", "Tag",
		"CIM_Chassis", NULL };
	static const char *const host[] = { "CreationClassName", "CIM_ComputerSystem", "Name",
		"ManagedSystem", NULL };

	(void)i;
	emit_epr(c, "Antecedent", NS_CIM "CIM_Chassis", chassis);
	emit_epr(c, "Dependent", NS_CIM "CIM_ComputerSystem", host);
	buf_fmt(c->out, "<%c:PlatformGUID>", c->prefix);
	buf_hex(c->out, c->dev->uuid, sizeof(c->dev->uuid));
	buf_fmt(c->out, "</%c:PlatformGUID>", c->prefix);
}

static void emit_serial(struct call *c, const char *prefix)
{
	char serial[24];

	snprintf(serial, sizeof(serial), "%s%06u", prefix, c->dev->n);
	emit_field(c, "SerialNumber", serial);
}

static void emit_chassis(struct call *c, size_t i)
{
	static const char *const head[] = { "ChassisPackageType", "0", "CreationClassName",
		"CIM_Chassis", "ElementName", "Managed System Chassis", "Manufacturer",
		"Intel(R) Client Systems", "Model", "NUC9V7QNX", "OperationalStatus", "0",
		"PackageType", "3", NULL };

	(void)i;
	emit_constants(c, head);
	emit_serial(c, "SIMC");
	emit_field(c, "Tag", "CIM_Chassis");
	emit_field(c, "Version", "K47174-402");
}

static void emit_card(struct call *c, size_t i)
{
	static const char *const head[] = { "CanBeFRUed", "true", "CreationClassName", "CIM_Card",
		"ElementName", "Managed System Base Board", "Manufacturer", "Intel Corporation",
		"Model", "NUC9V7QNB", "OperationalStatus", "0", "PackageType", "9", NULL };

	(void)i;
	emit_constants(c, head);
	emit_serial(c, "SIMB");
	emit_field(c, "Tag", "CIM_Card");
	emit_field(c, "Version", "K47180-402");
}

static void emit_bios(struct call *c, size_t i)
{
	static const char *const head[] = { "ElementName", "Primary BIOS", "Manufacturer",
		"Intel Corp.", "Name", "Primary BIOS", "OperationalStatus", "0", "PrimaryBIOS",
		"true", NULL };
	static const char *const tail[] = { "SoftwareElementID", "QNCFLX70.0054.2020.0810.2227",
		"SoftwareElementState", "2", "TargetOperatingSystem", "66", "Version",
		"QNCFLX70.0054.2020.0810.2227", NULL };

	(void)i;
	emit_constants(c, head);
	buf_fmt(c->out,
		"<%c:ReleaseDate><%c:Datetime>2020-08-10T00:00:00Z</%c:Datetime></%c:ReleaseDate>",
		c->prefix, c->common, c->common, c->prefix);
	emit_constants(c, tail);
}

static void emit_optin(struct call *c, size_t i)
{
	(void)i;
	emit_field(c, "CanModifyOptInPolicy", c->dev->knobs.ccm ? "0" : "1");
	emit_field(c, "CreationClassName", "IPS_OptInService");
	emit_field(c, "ElementName", "Intel(r) AMT OptIn Service");
	emit_field(c, "Name", "Intel(r) AMT OptIn Service");
	emit_number(c, "OptInCodeTimeout", c->dev->knobs.consent_idle_s);
	emit_number(c, "OptInDisplayTimeout", c->dev->knobs.consent_display_s);
	emit_number(c, "OptInRequired", optin_required(c->dev));
	emit_number(c, "OptInState", optin_state(c->dev));
	emit_field(c, "SystemCreationClassName", "CIM_ComputerSystem");
	emit_field(c, "SystemName", "Intel(r) AMT");
}

/* All fields in their order; what only one of them may change is the policy, and not in CCM. */
static enum fault put_optin(struct call *c)
{
	static const char *const fields[] = { "CanModifyOptInPolicy", "CreationClassName",
		"ElementName", "Name", "OptInCodeTimeout", "OptInDisplayTimeout", "OptInRequired",
		"OptInState", "SystemCreationClassName", "SystemName" };
	uint64_t required;
	size_t i = 0;

	for (int n = xml_first(c->doc, c->node); n >= 0; n = xml_next(c->doc, n), i++)
		if (i >= COUNT(fields) || !str_is(c->doc->nodes[n].name, fields[i]))
			return FAULT_INVALID_REPRESENTATION;
	if (i != COUNT(fields) || !param_uint(c, "OptInRequired", UINT32_MAX, &required) ||
		(required > 1 && required != UINT32_MAX))
		return FAULT_INVALID_REPRESENTATION;
	c->status = c->dev->knobs.ccm ? NOT_PERMITTED : store_write(c, "Put", true);
	if (c->status)
		return FAULT_INTERNAL;
	c->dev->knobs.consent = required == UINT32_MAX ? CONSENT_ALL
				: required             ? CONSENT_KVM
						       : CONSENT_NONE;
	return FAULT_NONE;
}

static enum fault start_optin(struct call *c, uint32_t *ret_value)
{
	*ret_value = optin_start(c->dev);
	return FAULT_NONE;
}

static enum fault send_optin(struct call *c, uint32_t *ret_value)
{
	uint64_t code;

	if (!param_uint(c, "OptInCode", UINT32_MAX, &code))
		return FAULT_INVALID_REPRESENTATION;
	*ret_value = optin_send(c->dev, (uint32_t)code);
	return FAULT_NONE;
}

static enum fault cancel_optin(struct call *c, uint32_t *ret_value)
{
	*ret_value = optin_cancel(c->dev);
	return FAULT_NONE;
}

static const struct method setup_methods[] = {
	{ "GetUuid", "", get_uuid, 0, NULL },
	{ "CommitChanges", "", security_commit, 0, NULL },
	{ "Unprovision", "ProvisioningMode", security_unprovision, 0, NULL },
	{ "SetMEBxPassword", "Password", set_mebx, 0, NULL },
};
static const struct method optin_methods[] = {
	{ "StartOptIn", "", start_optin, 0, NULL },
	{ "SendOptInCode", "OptInCode", send_optin, 0, NULL },
	{ "CancelOptIn", "", cancel_optin, 0, NULL },
};

/* The parts of CurrentAddressInfo behind the address are made up. */
static void emit_ipv6(struct call *c, size_t i)
{
	bool on = c->dev->knobs.ipv6;

	(void)i;
	if (on) {
		emit_field(c, "CurrentAddressInfo", "fe80::2a0:98ff:fe00:1,0,1,1");
		emit_field(c, "CurrentAddressInfo", "2001:db8::10,1,1,1");
	}
	emit_field(c, "CurrentDefaultRouter", on ? "fe80::1" : "::");
	emit_field(c, "CurrentPrimaryDNS", on ? "2001:db8::53" : "::");
	emit_field(c, "CurrentSecondaryDNS", "::");
	emit_field(c, "DefaultRouter", "::");
	emit_field(c, "ElementName", "Intel(r) IPS IPv6 Settings 0");
	emit_field(c, "IPv6Address", on ? "2001:db8::10" : "::");
	emit_field(c, "InstanceID", "Intel(r) IPS IPv6 Settings 0");
	emit_field(c, "InterfaceIDType", "0");
	emit_field(c, "ManualInterfaceID", "0000000000000000");
	emit_field(c, "PrimaryDNS", "::");
	emit_field(c, "SecondaryDNS", "::");
}

const struct wclass info_classes[] = {
	{
		.name = "CIM_SoftwareIdentity",
		.uri = NS_CIM "CIM_SoftwareIdentity",
		.key = "InstanceID",
		.common = true,
		.count = count_software,
		.key_of = software_id,
		.emit = emit_software,
	},
	{
		.name = "AMT_GeneralSettings",
		.uri = NS_AMT "AMT_GeneralSettings",
		.selectors = "InstanceID",
		.emit = emit_general,
		.put = put_general,
	},
	{
		.name = "AMT_SetupAndConfigurationService",
		.uri = NS_AMT "AMT_SetupAndConfigurationService",
		.selectors = SERVICE_KEYS,
		.common = true,
		.emit = emit_setup,
		METHODS(setup_methods),
	},
	{
		.name = "IPS_HostBasedSetupService",
		.uri = NS_IPS "IPS_HostBasedSetupService",
		.selectors = SERVICE_KEYS,
		.common = true,
		.present = has_host_setup,
		.emit = emit_host_setup,
	},
	{
		.name = "CIM_ComputerSystemPackage",
		.uri = NS_CIM "CIM_ComputerSystemPackage",
		.selectors = "Antecedent Dependent",
		.emit = emit_package,
	},
	{
		.name = "CIM_Chassis",
		.uri = NS_CIM "CIM_Chassis",
		.selectors = TAG_KEYS,
		.emit = emit_chassis,
	},
	{
		.name = "CIM_Card",
		.uri = NS_CIM "CIM_Card",
		.selectors = TAG_KEYS,
		.emit = emit_card,
	},
	{
		.name = "CIM_BIOSElement",
		.uri = NS_CIM "CIM_BIOSElement",
		.selectors = "Name SoftwareElementID SoftwareElementState TargetOperatingSystem "
			     "Version",
		.common = true,
		.emit = emit_bios,
	},
	{
		.name = "IPS_IPv6PortSettings",
		.uri = NS_IPS "IPS_IPv6PortSettings",
		.selectors = "InstanceID",
		.emit = emit_ipv6,
	},
	{
		.name = "IPS_OptInService",
		.uri = NS_IPS "IPS_OptInService",
		.selectors = SERVICE_KEYS,
		.common = true,
		.emit = emit_optin,
		.put = put_optin,
		METHODS(optin_methods),
	},
};

const size_t info_classes_count = COUNT(info_classes);
