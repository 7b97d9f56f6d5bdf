/* SPDX-License-Identifier: Apache-2.0 */
/* The classes about power. */
#include "classes.h"
#include "sim.h"

#define SERVICE "Intel(r) AMT Power Management Service"

static const char *const service_selectors[] = { "CreationClassName", "CIM_PowerManagementService",
	"Name", SERVICE, "SystemCreationClassName", "CIM_ComputerSystem", "SystemName",
	"Intel(r) AMT", NULL };
static const char *const host_selectors[] = { "CreationClassName", "CIM_ComputerSystem", "Name",
	"ManagedSystem", NULL };

static void emit_associated(struct call *c, size_t i)
{
	uint8_t available[16];
	size_t n = c->dev->profile->available_states ? power_available(c->dev, available) : 0;

	(void)i;
	for (size_t k = 0; k < n; k++)
		emit_number(c, "AvailableRequestedPowerStates", available[k]);
	emit_number(c, "PowerState", power_shown(c->dev));
	emit_epr(c, "ServiceProvided", NS_CIM "CIM_PowerManagementService", service_selectors);
	emit_epr(c, "UserOfService", NS_CIM "CIM_ComputerSystem", host_selectors);
}

static void emit_service(struct call *c, size_t i)
{
	(void)i;
	emit_field(c, "CreationClassName", "CIM_PowerManagementService");
	emit_field(c, "ElementName", SERVICE);
	emit_field(c, "EnabledState", "5");
	emit_field(c, "Name", SERVICE);
	emit_field(c, "RequestedState", "12");
	emit_field(c, "SystemCreationClassName", "CIM_ComputerSystem");
	emit_field(c, "SystemName", "Intel(r) AMT");
}

/* ManagedElement must be the host, by its name at least. */
static bool is_host(const struct call *c)
{
	struct str name = param_selector(c, "ManagedElement", NS_CIM "CIM_ComputerSystem", "Name");

	return str_is(name, "ManagedSystem");
}

static enum fault request_power(struct call *c, uint32_t *ret_value)
{
	struct device *dev = c->dev;
	uint64_t state;

	if (!param(c, "PowerState").p || !param(c, "ManagedElement").p)
		return FAULT_INVALID_REPRESENTATION;
	if (!param_uint(c, "PowerState", 65535, &state))
		return FAULT_INVALID_REPRESENTATION;
	*ret_value = is_host(c) ? power_request(dev, (unsigned)state) : POWER_INVALID_PARAMETER;
	if (!*ret_value && dev->knobs.lose_power_answer) {
		dev->knobs.lose_power_answer--;
		c->lost = true;
	}
	return FAULT_NONE;
}

static void emit_capabilities(struct call *c, size_t i)
{
	static const char *const old[] = { "5", "8", "2", "10", NULL };
	static const char *const newer[] = { "5", "8", "2", "10", "11", "12", "14", NULL };
	static const char *const changes[] = { "2", "3", "4", "7", "8", NULL };
	const char *const *states = c->dev->profile->major >= 9 ? newer : old;

	(void)i;
	emit_field(c, "ElementName", "Power Management Capabilities");
	emit_field(c, "InstanceID", "Intel(r) AMT:PowerManagementCapabilities 0");
	buf_fmt(c->out, "<%c:OtherPowerChangeCapabilities/>", c->prefix);
	for (const char *const *p = changes; *p; p++)
		emit_field(c, "PowerChangeCapabilities", *p);
	for (const char *const *p = states; *p; p++)
		emit_field(c, "PowerStatesSupported", *p);
	for (const char *const *p = states; *p; p++)
		emit_field(c, "RequestedPowerStatesSupported", *p);
}

static bool has_os_power(const struct device *dev)
{
	return dev->profile->major >= 10;
}

static void emit_os_power(struct call *c, size_t i)
{
	(void)i;
	emit_field(c, "CreationClassName", "IPS_PowerManagementService");
	emit_field(c, "ElementName", SERVICE);
	emit_field(c, "EnabledState", "5");
	emit_field(c, "Name", SERVICE);
	emit_field(c, "RequestedState", "12");
	emit_field(c, "SystemCreationClassName", "CIM_ComputerSystem");
	emit_field(c, "SystemName", "Intel(r) AMT");
	power_update(c->dev);
	if (c->dev->power.state == POWER_ON)
		emit_number(c, "OSPowerSavingState", c->dev->power.os_saving);
}

static enum fault request_os_power(struct call *c, uint32_t *ret_value)
{
	uint64_t state;

	if (!param_uint(c, "OSPowerSavingState", 65535, &state) || !param(c, "ManagedElement").p)
		return FAULT_INVALID_REPRESENTATION;
	*ret_value = is_host(c) ? power_request_os_saving(c->dev, (unsigned)state)
				: POWER_INVALID_PARAMETER;
	return FAULT_NONE;
}

static const struct method service_methods[] = {
	{ "RequestPowerStateChange", "PowerState ManagedElement", request_power, 0, NULL },
};

static const struct method os_methods[] = {
	{ "RequestOSPowerSavingStateChange", "OSPowerSavingState ManagedElement", request_os_power,
		0, NULL },
};

#define SERVICE_KEYS "CreationClassName Name SystemCreationClassName SystemName"

const struct wclass power_classes[] = {
	{
		.name = "CIM_AssociatedPowerManagementService",
		.uri = NS_CIM "CIM_AssociatedPowerManagementService",
		.selectors = "ServiceProvided UserOfService",
		.common = true,
		.emit = emit_associated,
	},
	{
		.name = "CIM_ServiceAvailableToElement",
		.uri = NS_CIM "CIM_ServiceAvailableToElement",
		.item = &power_classes[0],
		.common = true,
		.enumerate_only = true,
	},
	{
		.name = "CIM_PowerManagementService",
		.uri = NS_CIM "CIM_PowerManagementService",
		.selectors = SERVICE_KEYS,
		.common = true,
		.emit = emit_service,
		METHODS(service_methods),
	},
	{
		.name = "CIM_PowerManagementCapabilities",
		.uri = NS_CIM "CIM_PowerManagementCapabilities",
		.selectors = "InstanceID",
		.emit = emit_capabilities,
	},
	{
		.name = "IPS_PowerManagementService",
		.uri = NS_IPS "IPS_PowerManagementService",
		.selectors = SERVICE_KEYS,
		.common = true,
		.present = has_os_power,
		.emit = emit_os_power,
		METHODS(os_methods),
	},
};

const size_t power_classes_count = COUNT(power_classes);
