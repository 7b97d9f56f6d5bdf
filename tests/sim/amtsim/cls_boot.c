/* SPDX-License-Identifier: Apache-2.0 */
/* The classes about booting. */
#include <stdlib.h>
#include <string.h>

#include "classes.h"
#include "optin.h"
#include "sim.h"
#include "store.h"

#define CONFIG  "Intel(r) AMT: Boot Configuration 0"
#define SERVICE "Intel(r) AMT Boot Service"

enum {
	RETURN_NOT_SUPPORTED = 1,
	RETURN_UNKNOWN = 2,
	RETURN_INVALID_REFERENCE = 4,
	RETURN_INVALID_PARAMETER = 5,
	/* PT_STATUS: user consent required. */
	STATUS_CONSENT = 2081,
	STATUS_MESSAGE_LENGTH = 4,
	STATUS_NOT_PERMITTED = 16,
	RETURN_VENDOR = 32768,
	ROLE_NEXT_SINGLE_USE = 1,
	ROLE_NOT_NEXT = 32768,
	STATE_OCR_OFF = 32768,
	STATE_BOTH = 32771,
};

static const char *const config_selectors[] = { "InstanceID", CONFIG, NULL };

/* Without consent: refuse, or say yes and do nothing, as some firmware was seen to. */
static bool pretends(const struct device *dev)
{
	return dev->knobs.consent_lies;
}

static void emit_config(struct call *c, size_t i)
{
	(void)i;
	emit_field(c, "ElementName", "Intel(r) AMT: Boot Configuration");
	emit_field(c, "InstanceID", CONFIG);
}

static const struct boot_source *find_source(const struct device *dev, struct str id)
{
	for (size_t i = 0; boot_source_at(dev, i); i++)
		if (str_is(id, boot_source_at(dev, i)->id))
			return boot_source_at(dev, i);
	return NULL;
}

static uint32_t select_source(struct device *dev, const struct boot_source *source)
{
	bool disk = strcmp(source->word, "disk") == 0 || strcmp(source->word, "cd") == 0;

	if (boot_clashes(&dev->boot))
		return STATUS_MESSAGE_LENGTH;
	if (dev->boot.media_index && !disk)
		return RETURN_INVALID_PARAMETER;
	if (dev->knobs.secure_boot_off && source->bios_string)
		return RETURN_UNKNOWN;
	dev->boot.source = source;
	return 0;
}

static enum fault change_boot_order(struct call *c, uint32_t *ret_value)
{
	struct device *dev = c->dev;

	if (!param(c, "Source").p) {
		dev->boot.source = NULL;
		return FAULT_NONE;
	}
	if (!optin_allows_boot(dev))
		return pretends(dev) ? FAULT_NONE : FAULT_ACCESS_DENIED;

	struct str id = param_selector(c, "Source", NS_CIM "CIM_BootSourceSetting", "InstanceID");
	const struct boot_source *source = id.p ? find_source(dev, id) : NULL;

	*ret_value = source ? select_source(dev, source) : RETURN_INVALID_REFERENCE;
	return FAULT_NONE;
}

static size_t count_sources(const struct device *dev)
{
	size_t n = 0;

	while (boot_source_at(dev, n))
		n++;
	return n;
}

static const char *source_id(const struct device *dev, size_t i)
{
	return boot_source_at(dev, i)->id;
}

static void emit_source(struct call *c, size_t i)
{
	const struct boot_source *s = boot_source_at(c->dev, i);

	if (s->bios_string)
		emit_field(c, "BIOSBootString", s->bios_string);
	if (s->boot_string)
		emit_field(c, "BootString", s->boot_string);
	emit_field(c, "ElementName", "Intel(r) AMT: Boot Source");
	emit_field(c, "FailThroughSupported", "2");
	emit_field(c, "InstanceID", s->id);
	emit_field(c, "StructuredBootString", s->structured);
}

static void emit_service(struct call *c, size_t i)
{
	(void)i;
	emit_field(c, "CreationClassName", "CIM_BootService");
	emit_field(c, "ElementName", SERVICE);
	emit_number(c, "EnabledState", boot_service_state(c->dev));
	emit_field(c, "Name", SERVICE);
	emit_field(c, "OperationalStatus", "0");
	emit_field(c, "RequestedState", "12");
	emit_field(c, "SystemCreationClassName", "CIM_ComputerSystem");
	emit_field(c, "SystemName", "Intel(r) AMT");
}

static enum fault set_role(struct call *c, uint32_t *ret_value)
{
	struct device *dev = c->dev;
	uint64_t role;
	struct str id = param_selector(
		c, "BootConfigSetting", NS_CIM "CIM_BootConfigSetting", "InstanceID");

	if (!param(c, "BootConfigSetting").p || !param_uint(c, "Role", 65535, &role))
		return FAULT_INVALID_REPRESENTATION;
	if (!str_is(id, CONFIG) || (role != ROLE_NEXT_SINGLE_USE && role != ROLE_NOT_NEXT)) {
		*ret_value = RETURN_INVALID_PARAMETER;
		return FAULT_NONE;
	}
	if (role == ROLE_NEXT_SINGLE_USE && !optin_allows_boot(dev)) {
		*ret_value = pretends(dev) ? 0 : RETURN_VENDOR + STATUS_CONSENT;
		return FAULT_NONE;
	}
	dev->boot.armed = role == ROLE_NEXT_SINGLE_USE;
	return FAULT_NONE;
}

static enum fault change_service_state(struct call *c, uint32_t *ret_value)
{
	uint64_t state;

	if (!param_uint(c, "RequestedState", 65535, &state))
		return FAULT_INVALID_REPRESENTATION;
	if (state < STATE_OCR_OFF || state > STATE_BOTH)
		*ret_value = RETURN_INVALID_PARAMETER;
	else
		c->dev->boot.service_state = (uint32_t)state;
	return FAULT_NONE;
}

static void emit_settings(struct call *c, size_t i)
{
	char scratch[16];

	(void)i;
	for (size_t k = 0; boot_field_at(k); k++) {
		const struct boot_field *f = boot_field_at(k);
		const char *value = boot_field_value(c->dev, f, scratch);

		if (!boot_has_field(c->dev, f) || !value)
			continue;
		if (f->kind == BOOT_KIND_STATUS)
			emit_field(c, f->name, "2");
		emit_field(c, f->name, value);
	}
}

static size_t field_index(const struct device *dev, struct str name)
{
	size_t i = 0;

	while (boot_field_at(i) &&
		!(str_is(name, boot_field_at(i)->name) && boot_has_field(dev, boot_field_at(i))))
		i++;
	return i;
}

/* The array of parameters may stand before or after their number. */
static bool in_order(const struct device *dev, size_t before, size_t i)
{
	bool pair = strncmp(boot_field_at(i)->name, "UefiBoot", 8) == 0;

	return !dev->knobs.strict_order || i >= before || (pair && i + 1 == before);
}

/* Applies the fields of a Put to b; false if the firmware would not have them. */
static bool apply(const struct call *c, struct boot *b)
{
	uint64_t seen = 0;
	size_t before = 0;

	for (int n = xml_first(c->doc, c->node); n >= 0; n = xml_next(c->doc, n)) {
		size_t i = field_index(c->dev, c->doc->nodes[n].name);
		const struct boot_field *f = boot_field_at(i);

		if (!f || f->read_only || seen >> i & 1 || !in_order(c->dev, before, i))
			return false;
		if (!str_is(c->doc->nodes[n].ns, c->wclass->uri))
			return false;
		if (!boot_field_set(b, f, xml_text(c->doc, n)))
			return false;
		seen |= 1ULL << i;
		before = i;
	}
	return seen != 0;
}

static void adopt(struct boot *to, struct boot *from)
{
	free(to->params_text);
	to->params_text = from->params_text;
	to->flags = from->flags;
	to->media_index = from->media_index;
	to->verbosity = from->verbosity;
	to->ider_device = from->ider_device;
	to->params = from->params;
	boot_note_change(to);
}

static enum fault refuse(struct call *c, uint32_t status)
{
	c->status = status;
	return FAULT_INTERNAL;
}

static enum fault put_settings(struct call *c)
{
	struct device *dev = c->dev;
	struct boot wanted = dev->boot;
	enum fault fault = FAULT_NONE;

	wanted.params_text = dev->boot.params_text ? strdup(dev->boot.params_text) : NULL;
	dev->counters.put_boot++;
	if (!apply(c, &wanted) || !boot_parameters_fit(&wanted))
		fault = FAULT_INVALID_REPRESENTATION;
	else if (dev->knobs.ccm && wanted.params && !boot_secure(&wanted))
		fault = refuse(c, STATUS_NOT_PERMITTED);
	else if (dev->boot.source && boot_clashes(&wanted))
		fault = refuse(c, STATUS_MESSAGE_LENGTH);
	else if (boot_wants(&wanted) && !optin_allows_boot(dev) && !pretends(dev))
		fault = refuse(c, STATUS_CONSENT);
	if (fault || (boot_wants(&wanted) && !optin_allows_boot(dev)))
		free(wanted.params_text);
	else
		adopt(&dev->boot, &wanted);
	return fault;
}

static void emit_flag(struct call *c, const char *name, bool on)
{
	emit_field(c, name, on ? "true" : "false");
}

static const struct {
	const char *name;
	bool value;
	unsigned min_major;
} capabilities[] = {
	{ "AMTSecureBootControl", true, 15 },
	{ "BIOSPause", false, 0 },
	{ "BIOSReflash", true, 0 },
	{ "BIOSSecureBoot", true, 11 },
	{ "BIOSSetup", true, 0 },
	{ "ConfigurationDataReset", false, 11 },
	{ "ElementName", false, 0 },
	{ "ForceCDorDVDBoot", true, 0 },
	{ "ForceDiagnosticBoot", false, 0 },
	{ "ForceHardDriveBoot", true, 0 },
	{ "ForceHardDriveSafeModeBoot", false, 0 },
	{ "ForcePXEBoot", true, 0 },
	{ "ForceUEFIHTTPSBoot", true, 15 },
	{ "ForceUEFIPBABoot", true, 15 },
	{ "ForceWinREBoot", true, 15 },
	{ "ForcedProgressEvents", true, 0 },
	{ "IDER", true, 0 },
	{ "InstanceID", false, 0 },
	{ "KeyboardLock", true, 0 },
	{ "PlatformErase", false, 16 },
	{ "PowerButtonLock", false, 0 },
	{ "ResetButtonLock", false, 0 },
	{ "SOL", true, 0 },
	{ "SecureErase", false, 12 },
	{ "SleepButtonLock", false, 0 },
	{ "UserPasswordBypass", true, 0 },
	{ "VerbosityQuiet", false, 0 },
	{ "VerbosityScreenBlank", false, 0 },
	{ "VerbosityVerbose", false, 0 },
};

static void emit_capabilities(struct call *c, size_t i)
{
	(void)i;
	for (size_t k = 0; k < COUNT(capabilities); k++) {
		const char *name = capabilities[k].name;

		if (c->dev->profile->major < capabilities[k].min_major)
			continue;
		if (strcmp(name, "ElementName") == 0)
			emit_field(c, name, "Intel(r) AMT: Boot Capabilities");
		else if (strcmp(name, "InstanceID") == 0)
			emit_field(c, name, "Intel(r) AMT:BootCapabilities 0");
		else if (strcmp(name, "PlatformErase") == 0)
			emit_number(c, name, 0x05000001);
		else
			emit_flag(c, name,
				strcmp(name, "ForceDiagnosticBoot") == 0 ? c->dev->knobs.diag_source
									 : capabilities[k].value);
	}
}

/* Of two power packages one is in use. */
static void emit_scheme(struct call *c, uint32_t n)
{
	static const char *const host[] = { "CreationClassName", "CIM_ComputerSystem", "Name",
		"Intel(r) AMT", NULL };
	const char *const scheme[] = { "InstanceID", n ? "SCHEME 1" : "SCHEME 0", NULL };

	emit_field(c, "IsCurrent", store_of(c->dev)->scheme == n ? "1" : "2");
	emit_field(c, "IsDefault", "2");
	emit_field(c, "IsNext", "2");
	emit_epr(c, "ManagedElement", NS_CIM "CIM_ComputerSystem", host);
	emit_epr(c, "SettingData", NS_AMT "AMT_SystemPowerScheme", scheme);
}

static size_t count_element_settings(const struct device *dev)
{
	(void)dev;
	return 4;
}

static void emit_ipv6_setting(struct call *c)
{
	static const char *const port[] = { "DeviceID", "Intel(r) Ethernet Port 0", NULL };
	static const char *const setting[] = { "InstanceID", "Intel(r) IPS IPv6 Settings 0", NULL };

	emit_field(c, "IsCurrent", c->dev->knobs.ipv6 ? "1" : "2");
	emit_field(c, "IsDefault", "2");
	emit_field(c, "IsNext", "2");
	emit_epr(c, "ManagedElement", NS_CIM "CIM_EthernetPort", port);
	emit_epr(c, "SettingData", NS_IPS "IPS_IPv6PortSettings", setting);
}

static void emit_element_setting(struct call *c, size_t i)
{
	static const char *const service[] = { "CreationClassName", "CIM_BootService", "Name",
		SERVICE, "SystemCreationClassName", "CIM_ComputerSystem", "SystemName",
		"Intel(r) AMT", NULL };

	if (i == 3) {
		emit_ipv6_setting(c);
		return;
	}
	if (i) {
		emit_scheme(c, (uint32_t)i - 1);
		return;
	}
	emit_field(c, "IsCurrent", "2");
	emit_field(c, "IsDefault", "2");
	emit_number(c, "IsNext", c->dev->boot.armed ? 3 : 2);
	emit_epr(c, "ManagedElement", NS_CIM "CIM_BootService", service);
	emit_epr(c, "SettingData", NS_CIM "CIM_BootConfigSetting", config_selectors);
}

/* 0: not in the boot order, which has one place, whether the role is armed or not. */
static void emit_ordered(struct call *c, size_t i)
{
	const struct boot_source *s = boot_source_at(c->dev, i);
	const char *const source[] = { "InstanceID", s->id, NULL };

	emit_number(c, "AssignedSequence", s == c->dev->boot.source ? 1 : 0);
	emit_epr(c, "GroupComponent", NS_CIM "CIM_BootConfigSetting", config_selectors);
	emit_epr(c, "PartComponent", NS_CIM "CIM_BootSourceSetting", source);
}

static const struct method config_methods[] = {
	{ "ChangeBootOrder", "Source", change_boot_order, 0, NULL },
};

static const struct method service_methods[] = {
	{ "SetBootConfigRole", "BootConfigSetting Role", set_role, 0, NULL },
	{ "RequestStateChange", "RequestedState", change_service_state, 16, NULL },
};

const struct wclass boot_classes[] = {
	{
		.name = "CIM_BootConfigSetting",
		.uri = NS_CIM "CIM_BootConfigSetting",
		.selectors = "InstanceID",
		.emit = emit_config,
		METHODS(config_methods),
	},
	{
		.name = "CIM_BootSourceSetting",
		.uri = NS_CIM "CIM_BootSourceSetting",
		.key = "InstanceID",
		.count = count_sources,
		.key_of = source_id,
		.emit = emit_source,
	},
	{
		.name = "CIM_BootService",
		.uri = NS_CIM "CIM_BootService",
		.selectors = "CreationClassName Name SystemCreationClassName SystemName",
		.common = true,
		.emit = emit_service,
		METHODS(service_methods),
	},
	{
		.name = "AMT_BootSettingData",
		.uri = NS_AMT "AMT_BootSettingData",
		.selectors = "InstanceID",
		.emit = emit_settings,
		.put = put_settings,
	},
	{
		.name = "AMT_BootCapabilities",
		.uri = NS_AMT "AMT_BootCapabilities",
		.selectors = "InstanceID",
		.emit = emit_capabilities,
	},
	{
		.name = "CIM_ElementSettingData",
		.uri = NS_CIM "CIM_ElementSettingData",
		.selectors = "ManagedElement SettingData",
		.enumerate_only = true,
		.count = count_element_settings,
		.emit = emit_element_setting,
	},
	{
		.name = "CIM_OrderedComponent",
		.uri = NS_CIM "CIM_OrderedComponent",
		.selectors = "GroupComponent PartComponent",
		.enumerate_only = true,
		.count = count_sources,
		.emit = emit_ordered,
	},
};

const size_t boot_classes_count = COUNT(boot_classes);
