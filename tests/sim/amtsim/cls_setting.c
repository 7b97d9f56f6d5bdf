/* SPDX-License-Identifier: Apache-2.0 */
/* The classes about time, alarms, the network and power packages. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "sim.h"
#include "store.h"

enum {
	PT_LIMIT = 0x17,
	PT_DHCP_MODE = 0x1A,
	PT_ADDRESS = 0x1B,
	PT_TIME = 0x22,
	PT_PARAMETER = 0x24,
	PT_MASK = 0x25,
	ALARMS_MAX = 5,
	/* 2004-01-02: what a clock that nobody set counts from. */
	CLOCK_BIRTH = 1073007982,
};

#define KEYS "CreationClassName Name SystemCreationClassName SystemName"

/* --- Time. ------------------------------------------------------------------------------------ */

int64_t clock_now(struct device *dev)
{
	if (dev->knobs.clock_unset)
		return CLOCK_BIRTH + (int64_t)(sim_now(dev->sim) / 1000 % 100000);
	return (int64_t)time(NULL) + (dev->store ? dev->store->clock : 0) - dev->knobs.clock_behind;
}

static void emit_time(struct call *c, size_t i)
{
	(void)i;
	emit_field(c, "CreationClassName", "AMT_TimeSynchronizationService");
	emit_field(c, "ElementName", "Intel(r) AMT Time Synchronization Service");
	emit_field(c, "EnabledState", "5");
	emit_field(c, "LocalTimeSyncEnabled", "0");
	emit_field(c, "Name", "Intel(r) AMT Time Synchronization Service");
	emit_field(c, "RequestedState", "12");
	emit_field(c, "SystemCreationClassName", "CIM_ComputerSystem");
	emit_field(c, "SystemName", "Intel(r) AMT");
	emit_field(c, "TimeSource", c->dev->knobs.clock_unset ? "0" : "1");
}

static enum fault read_time(struct call *c, uint32_t *ret_value)
{
	*ret_value = 0;
	emit_number(c, "Ta0", (uint64_t)clock_now(c->dev));
	return FAULT_NONE;
}

/* Forward by what lies between the two readings. Ta0 must be a reading of this clock. */
static enum fault set_time(struct call *c, uint32_t *ret_value)
{
	int64_t now = clock_now(c->dev);
	uint64_t theirs, sent, answered;

	if (!param_uint(c, "Ta0", UINT32_MAX, &theirs) ||
		!param_uint(c, "Tm1", UINT32_MAX, &answered) ||
		!param_uint(c, "Tm2", UINT32_MAX, &sent))
		return FAULT_INVALID_REPRESENTATION;
	if ((int64_t)theirs > now || (int64_t)theirs < now - 60) {
		*ret_value = PT_PARAMETER;
		return FAULT_NONE;
	}
	*ret_value = store_write(c, "SetHighAccuracyTimeSynch", false);
	if (*ret_value)
		return FAULT_NONE;
	store_of(c->dev)->clock = (int64_t)answered - (int64_t)theirs + now - (int64_t)time(NULL);
	c->dev->knobs.clock_unset = 0;
	c->dev->knobs.clock_behind = 0;
	return FAULT_NONE;
}

/* --- Alarms. ---------------------------------------------------------------------------------- */

static const struct store_field alarm_fields[] = {
	{ "DeleteOnCompletion", STORE_BOOL, 0 },
	{ "ElementName", STORE_TEXT, 0 },
	{ "InstanceID", STORE_TEXT, 0 },
	{ "Interval", STORE_INTERVAL, STORE_ABSENT_OK },
	{ "StartTime", STORE_TIME, 0 },
};
static const struct store_class alarm_store = {
	.fields = alarm_fields,
	.nfields = COUNT(alarm_fields),
	.at = STORE_ALARMS,
	.deletable = true,
};

/* In which order a template has to come, and what inside of it has the value. */
static const struct {
	const char *name, *inner;
	bool optional;
} template[] = {
	{ "InstanceID", NULL, false },
	{ "ElementName", NULL, false },
	{ "StartTime", "Datetime", false },
	{ "Interval", "Interval", true },
	{ "DeleteOnCompletion", NULL, false },
};

/* Seconds since 1970 of 2030-01-31T07:00:00Z, or -1. */
static int64_t parse_time(struct str text)
{
	char copy[24];
	struct tm tm = { 0 };
	const char *end;

	if (!str_copy(text, copy, sizeof(copy)))
		return -1;
	end = strptime(copy, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return end && !*end ? (int64_t)timegm(&tm) : -1;
}

static bool read_template(const struct call *c, int node, struct str values[5])
{
	int n = xml_first(c->doc, node);

	for (size_t i = 0; i < COUNT(template); i++) {
		bool there = n >= 0 && str_is(c->doc->nodes[n].name, template[i].name) &&
			     str_is(c->doc->nodes[n].ns, NS_IPS "IPS_AlarmClockOccurrence");

		values[i] = (struct str){ NULL, 0 };
		if (!there && !template[i].optional)
			return false;
		if (!there)
			continue;
		values[i] = xml_text(c->doc,
			template[i].inner ? xml_child(c->doc, n, NS_COMMON, template[i].inner) : n);
		if (!values[i].n)
			return false;
		n = xml_next(c->doc, n);
	}
	return n < 0;
}

static enum fault add_alarm(struct call *c, uint32_t *ret_value)
{
	int node = xml_child(c->doc, c->node, c->wclass->uri, "AlarmTemplate");
	struct store_table *t = store_table(c->dev, &alarm_store);
	struct str v[5];

	if (!read_template(c, node, v) || (v[3].p && v[3].p[0] != 'P') ||
		store_find(c->dev, &alarm_store, "InstanceID", v[0]))
		return FAULT_INVALID_REPRESENTATION;
	if (t->n >= ALARMS_MAX)
		return FAULT_QUOTA;
	if (parse_time(v[2]) <= clock_now(c->dev)) {
		*ret_value = PT_TIME;
		return FAULT_NONE;
	}
	*ret_value = store_write(c, "AddAlarm", false);
	if (*ret_value)
		return FAULT_NONE;

	struct store_row *row = store_add(c->dev, &alarm_store);

	for (size_t i = 0; i < COUNT(template); i++)
		store_set(&alarm_store, row, template[i].name, v[i]);
	emit_epr(c, "AlarmClock", NS_IPS "IPS_AlarmClockOccurrence",
		(const char *const[]){
			"InstanceID", store_get(&alarm_store, row, "InstanceID"), NULL });
	return FAULT_NONE;
}

static void emit_alarm_service(struct call *c, size_t i)
{
	(void)i;
	emit_field(c, "CreationClassName", "AMT_AlarmClockService");
	emit_field(c, "ElementName", "Intel(r) AMT Alarm Clock Service");
	emit_service_keys(c, "Intel(r) AMT Alarm Clock Service", "ManagedSystem");
}

static bool has_alarms(const struct device *dev)
{
	return dev->profile->major >= 8;
}

/* --- The network. ----------------------------------------------------------------------------- */

#define WIRED    "Intel(r) AMT Ethernet Port Settings 0"
#define WIRELESS "Intel(r) AMT Ethernet Port Settings 1"

static const struct store_field port_fields[] = {
	{ "ConsoleTcpMaxRetransmissions", STORE_NUMBER, 0 },
	{ "DHCPEnabled", STORE_BOOL, 0 },
	{ "DefaultGateway", STORE_TEXT, STORE_ABSENT_OK },
	{ "ElementName", STORE_TEXT, 0 },
	{ "IPAddress", STORE_TEXT, STORE_ABSENT_OK },
	{ "InstanceID", STORE_TEXT, 0 },
	{ "IpSyncEnabled", STORE_BOOL, 0 },
	{ "LinkControl", STORE_NUMBER, STORE_READ_ONLY },
	{ "LinkIsUp", STORE_BOOL, STORE_READ_ONLY },
	{ "LinkPolicy", STORE_NUMBER, STORE_LIST | STORE_ABSENT_OK },
	{ "LinkPreference", STORE_NUMBER, STORE_READ_ONLY },
	{ "MACAddress", STORE_TEXT, STORE_READ_ONLY },
	{ "PhysicalConnectionType", STORE_NUMBER, STORE_READ_ONLY },
	{ "PrimaryDNS", STORE_TEXT, STORE_ABSENT_OK },
	{ "SecondaryDNS", STORE_TEXT, STORE_ABSENT_OK },
	{ "SharedDynamicIP", STORE_BOOL, STORE_READ_ONLY },
	{ "SharedMAC", STORE_BOOL, 0 },
	{ "SharedStaticIp", STORE_BOOL, 0 },
	{ "SubnetMask", STORE_TEXT, STORE_ABSENT_OK },
	{ "WLANLinkProtectionLevel", STORE_NUMBER, STORE_READ_ONLY },
};

/* clang-format off */
static const char *const ports[] = {
	NULL, "true", "192.168.6.1", "Intel(r) AMT Ethernet Port Settings", NULL, WIRED, "true",
	NULL, "true", "1\n14", NULL, NULL, "0", "192.168.6.1", NULL, "true", "true", "false",
	"255.255.255.0", NULL,
	"5", "true", NULL, "Intel(r) AMT Ethernet Port Settings", NULL, WIRELESS, NULL,
	"2", "false", NULL, "2", "00-00-00-00-00-00", "3", NULL, NULL, NULL, "true", NULL,
	NULL, "1",
};
/* clang-format on */

static const char *const address_fields[] = { "DefaultGateway", "IPAddress", "PrimaryDNS",
	"SecondaryDNS", "SubnetMask" };

static uint32_t check_port(struct call *c, const struct store_row *was, const struct store_row *is)
{
	const struct store_class *class = c->wclass->store;
	const char *dhcp = store_get(class, is, "DHCPEnabled");
	bool given = false;
	struct in_addr a;

	(void)was;
	for (size_t i = 0; i < COUNT(address_fields); i++) {
		const char *text = store_get(class, is, address_fields[i]);

		given |= text != NULL;
		if (text && inet_pton(AF_INET, text, &a) != 1)
			return PT_ADDRESS;
	}
	if (strcmp(dhcp, "true") == 0)
		return given ? PT_DHCP_MODE : 0;
	if (!store_get(class, is, "IPAddress") || !store_get(class, is, "SubnetMask"))
		return PT_ADDRESS;
	(void)inet_pton(AF_INET, store_get(class, is, "SubnetMask"), &a);

	uint32_t host = ~ntohl(a.s_addr);

	return host & (host + 1) ? PT_MASK : 0;
}

/* The addresses of a machine are its own. */
static void fill_port(struct device *dev, struct store_table *t)
{
	const uint8_t *m = dev->mac;
	char mac[24];

	snprintf(mac, sizeof(mac), "%02x-%02x-%02x-%02x-%02x-%02x", m[0], m[1], m[2], m[3], m[4],
		m[5]);
	for (size_t i = 0; i < COUNT(port_fields); i++)
		if (strcmp(port_fields[i].name, "MACAddress") == 0)
			t->rows[0].values[i] = store_copy(str_of(mac));
	if (dev->knobs.no_wifi)
		store_drop_last(t);
}

static const struct store_class port_store = {
	.fields = port_fields,
	.nfields = COUNT(port_fields),
	.initial = ports,
	.ninitial = 2,
	.at = STORE_ETHERNET,
	.check = check_port,
	.fill = fill_port,
};

static enum fault set_preference(struct call *c, uint32_t *ret_value)
{
	struct store_row *row = store_find(c->dev, &port_store, "InstanceID", STR(WIRELESS));
	uint64_t who, seconds;

	if (!param_uint(c, "LinkPreference", UINT32_MAX, &who) ||
		!param_uint(c, "Timeout", UINT32_MAX, &seconds))
		return FAULT_INVALID_REPRESENTATION;
	if (!row || (who != 1 && who != 2))
		*ret_value = PT_PARAMETER;
	else
		*ret_value = store_write(c, "SetLinkPreference", false);
	if (*ret_value)
		return FAULT_NONE;
	store_set(&port_store, row, "LinkControl", who == 1 ? STR("1") : STR("2"));
	store_set(&port_store, row, "LinkPreference", who == 1 ? STR("1") : STR("2"));
	return FAULT_NONE;
}

/* --- Power packages. -------------------------------------------------------------------------- */

static const struct store_field scheme_fields[] = {
	{ "Description", STORE_TEXT, STORE_READ_ONLY },
	{ "ElementName", STORE_TEXT, STORE_READ_ONLY },
	{ "InstanceID", STORE_TEXT, STORE_READ_ONLY },
	{ "SchemeGUID", STORE_TEXT, STORE_READ_ONLY },
};
static const char *const schemes[] = { "Mobile: ON in S0", "Intel(r) AMT Power Scheme", "SCHEME 0",
	"djmXEQtWUEOIcJgS85G1YA==", "Mobile: ON in S0, ME Wake in S3, S4-5 (AC only)",
	"Intel(r) AMT Power Scheme", "SCHEME 1", "MIAN7gnAeEOvKHhootu+Og==" };
static const struct store_class scheme_store = {
	.fields = scheme_fields,
	.nfields = COUNT(scheme_fields),
	.initial = schemes,
	.ninitial = 2,
	.at = STORE_SCHEMES,
};

static enum fault set_scheme(struct call *c, uint32_t *ret_value)
{
	int selector = xml_first(c->doc, c->selectors);
	const struct store_row *row =
		store_find(c->dev, &scheme_store, "InstanceID", xml_text(c->doc, selector));

	if (!row)
		return FAULT_INVALID_SELECTORS;
	*ret_value = store_write(c, "SetPowerScheme", true);
	if (!*ret_value)
		store_of(c->dev)->scheme =
			(uint32_t)(row - store_table(c->dev, &scheme_store)->rows);
	return FAULT_NONE;
}

/* --- The table. ------------------------------------------------------------------------------- */

static const struct method time_methods[] = {
	{ "GetLowAccuracyTimeSynch", "", read_time, 0, NULL },
	{ "SetHighAccuracyTimeSynch", "Ta0 Tm1 Tm2", set_time, 0, NULL },
};
static const struct method alarm_methods[] = { { "AddAlarm", "AlarmTemplate", add_alarm, 8,
	NULL } };
static const struct method port_methods[] = {
	{ "SetLinkPreference", "LinkPreference Timeout", set_preference, 6, NULL },
};
static const struct method scheme_methods[] = { { "SetPowerScheme", "", set_scheme, 0, NULL } };

const struct wclass setting_classes[] = {
	{
		.name = "AMT_TimeSynchronizationService",
		.uri = NS_AMT "AMT_TimeSynchronizationService",
		.selectors = KEYS,
		.emit = emit_time,
		METHODS(time_methods),
	},
	{
		.name = "AMT_AlarmClockService",
		.uri = NS_AMT "AMT_AlarmClockService",
		.selectors = KEYS,
		.present = has_alarms,
		.emit = emit_alarm_service,
		METHODS(alarm_methods),
	},
	{
		.name = "IPS_AlarmClockOccurrence",
		.uri = NS_IPS "IPS_AlarmClockOccurrence",
		.key = "InstanceID",
		.common = true,
		.present = has_alarms,
		.store = &alarm_store,
	},
	{
		.name = "AMT_EthernetPortSettings",
		.uri = NS_AMT "AMT_EthernetPortSettings",
		.key = "InstanceID",
		.store = &port_store,
		METHODS(port_methods),
	},
	{
		.name = "AMT_SystemPowerScheme",
		.uri = NS_AMT "AMT_SystemPowerScheme",
		.key = "InstanceID",
		.store = &scheme_store,
		METHODS(scheme_methods),
	},
};

const size_t setting_classes_count = COUNT(setting_classes);
