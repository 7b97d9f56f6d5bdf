/* SPDX-License-Identifier: Apache-2.0 */
/* The classes about connections that the device opens itself. */
#include <stdio.h>
#include <string.h>

#include "security.h"
#include "sim.h"
#include "store.h"

enum {
	PT_LIMIT = 0x17,
	PT_PARAMETER = 0x24,
	PT_DUPLICATE = 0x80A,
	PT_NOT_FOUND = 0x814,
	PT_IN_USE = 0x808,
	SERVERS_MAX = 6,
	POLICIES_MAX = 3,
	LOGIN_MAX = 16,
	DETECTION_MAX = 5,
	PROXIES_MAX = 8,
};

#define KEYS    "CreationClassName Name SystemCreationClassName SystemName"
#define SERVERS "Intel(r) AMT:Management Presence Server "
#define SERVER  NS_AMT "AMT_ManagementPresenceRemoteSAP"
#define POLICY  NS_AMT "AMT_RemoteAccessPolicyRule"
#define PROXIES "Intel(r) ME:HTTP Proxy Access Point "
#define PROXY   NS_IPS "IPS_HTTPProxyAccessPoint"

static const struct store_field server_fields[] = {
	{ "AccessInfo", STORE_TEXT, 0 },
	{ "CN", STORE_TEXT, STORE_ABSENT_OK },
	{ "CreationClassName", STORE_TEXT, 0 },
	{ "ElementName", STORE_TEXT, 0 },
	{ "InfoFormat", STORE_NUMBER, 0 },
	{ "Name", STORE_TEXT, 0 },
	{ "Port", STORE_NUMBER, 0 },
	{ "SystemCreationClassName", STORE_TEXT, 0 },
	{ "SystemName", STORE_TEXT, 0 },
	{ "Username", STORE_TEXT, STORE_HIDDEN },
	{ "Password", STORE_TEXT, STORE_HIDDEN },
	{ "Certificate", STORE_TEXT, STORE_HIDDEN },
};

static const struct store_field policy_fields[] = {
	{ "CreationClassName", STORE_TEXT, 0 },
	{ "ElementName", STORE_TEXT, 0 },
	{ "ExtendedData", STORE_TEXT, STORE_ABSENT_OK },
	{ "PolicyRuleName", STORE_TEXT, 0 },
	{ "SystemCreationClassName", STORE_TEXT, 0 },
	{ "SystemName", STORE_TEXT, 0 },
	{ "Trigger", STORE_NUMBER, 0 },
	{ "TunnelLifeTime", STORE_NUMBER, 0 },
	{ "MpServer", STORE_TEXT, STORE_HIDDEN },
};
static uint32_t policy_may_go(struct call *c, const struct store_row *row);
static const struct store_class policy_store = {
	.fields = policy_fields,
	.nfields = COUNT(policy_fields),
	.at = STORE_CIRA_POLICIES,
	.may_go = policy_may_go,
	.deletable = true,
};

/* Which server a policy calls, and from where. The last field is the key, which nobody sees. */
static const struct store_field applied_fields[] = {
	{ "ManagedElement", STORE_EPR, 0 },
	{ "MpsType", STORE_NUMBER, 0 },
	{ "OrderOfAccess", STORE_NUMBER, 0 },
	{ "PolicySet", STORE_EPR, 0 },
	{ "Policy", STORE_TEXT, STORE_HIDDEN },
};

/* Only the type can be changed: the two ends are what it is. */
static uint32_t check_applied(
	struct call *c, const struct store_row *was, const struct store_row *is)
{
	const char *type = store_get(c->wclass->store, is, "MpsType");

	if (strcmp(was->values[0], is->values[0]) != 0 ||
		strcmp(was->values[3], is->values[3]) != 0)
		return PT_PARAMETER;
	return type && strlen(type) == 1 && *type <= '2' ? 0 : PT_PARAMETER;
}

static const struct store_class applied_store = {
	.fields = applied_fields,
	.nfields = COUNT(applied_fields),
	.at = STORE_CIRA_APPLIED,
	.check = check_applied,
};

/* With a policy goes how it applies. */
static uint32_t policy_may_go(struct call *c, const struct store_row *row)
{
	const char *name = store_get(&policy_store, row, "PolicyRuleName");
	struct store_row *applied = store_find(c->dev, &applied_store, "Policy", str_of(name));

	if (applied)
		store_remove(c->dev, &applied_store, applied);
	return 0;
}

/* A server that a policy names stays. */
static uint32_t server_may_go(struct call *c, const struct store_row *row)
{
	const char *name = store_get(c->wclass->store, row, "Name");

	return store_find(c->dev, &policy_store, "MpServer", str_of(name)) ? PT_IN_USE : 0;
}

static const struct store_class server_store = {
	.fields = server_fields,
	.nfields = COUNT(server_fields),
	.at = STORE_CIRA_SERVERS,
	.may_go = server_may_go,
	.deletable = true,
};

static const struct store_field environment_fields[] = {
	{ "DetectionAlgorithm", STORE_NUMBER, 0 },
	{ "DetectionStrings", STORE_TEXT, STORE_LIST | STORE_ABSENT_OK },
	{ "ElementName", STORE_TEXT, 0 },
	{ "InstanceID", STORE_TEXT, 0 },
};
static const char *const environment[] = { "0", NULL, "Intel(r) AMT Environment Detection Settings",
	"Intel(r) AMT Environment Detection Settings" };

static uint32_t check_environment(
	struct call *c, const struct store_row *was, const struct store_row *is)
{
	const char *text = store_get(c->wclass->store, is, "DetectionStrings");
	size_t n = text ? 1 : 0;

	(void)was;
	for (; text && *text; text++)
		n += *text == '\n';
	return n > DETECTION_MAX ? PT_LIMIT : 0;
}

static const struct store_class environment_store = {
	.fields = environment_fields,
	.nfields = COUNT(environment_fields),
	.initial = environment,
	.ninitial = 1,
	.at = STORE_ENVIRONMENT,
	.check = check_environment,
};

static void emit_service(struct call *c, size_t i)
{
	(void)i;
	emit_field(c, "CreationClassName", "AMT_RemoteAccessService");
	emit_field(c, "ElementName", "Intel(r) AMT Remote Access Service");
	emit_field(c, "IsRemoteTunnelConnected", "false");
	emit_field(c, "Name", "Intel(r) AMT Remote Access Service");
	emit_field(c, "RemoteTunnelKeepAliveTimeout", "4294967295");
	emit_field(c, "SystemCreationClassName", "CIM_ComputerSystem");
	emit_field(c, "SystemName", "Intel(r) AMT");
}

static struct str server_certificate(const struct call *c)
{
	return param_selector(c, "Certificate", NS_AMT "AMT_PublicKeyCertificate", "InstanceID");
}

static bool server_fits(const struct call *c)
{
	struct str user = param(c, "Username"), password = param(c, "Password");
	uint64_t format, auth, port;

	if (!param_uint(c, "InfoFormat", 65535, &format) || !param_uint(c, "Port", 65535, &port) ||
		!param_uint(c, "AuthMethod", 65535, &auth) || !param(c, "AccessInfo").n)
		return false;
	if (format != 3 && format != 4 && format != 201)
		return false;
	/* An address is in no certificate: there the name has to be told. */
	if (format != 201 && !param(c, "CN").n)
		return false;
	if (auth == 1)
		return security_is_own(c->dev, server_certificate(c)) && !user.p && !password.p;
	return auth == 2 && user.n && password.n && user.n <= LOGIN_MAX &&
	       password.n <= LOGIN_MAX && !server_certificate(c).p;
}

static void free_name(struct device *dev, char *out, size_t size)
{
	unsigned n = 0;

	do {
		snprintf(out, size, SERVERS "%u", n++);
	} while (store_find(dev, &server_store, "Name", str_of(out)));
}

static enum fault add_server(struct call *c, uint32_t *ret_value)
{
	static const char *const given[] = { "AccessInfo", "CN", "InfoFormat", "Port", "Username",
		"Password" };
	char name[64];

	if (!server_fits(c)) {
		*ret_value = PT_PARAMETER;
		return FAULT_NONE;
	}
	if (store_table(c->dev, &server_store)->n >= SERVERS_MAX)
		*ret_value = PT_LIMIT;
	else if (store_find(c->dev, &server_store, "AccessInfo", param(c, "AccessInfo")))
		*ret_value = PT_DUPLICATE;
	else
		*ret_value = store_write(c, "AddMpServer", true);
	if (*ret_value)
		return FAULT_NONE;

	free_name(c->dev, name, sizeof(name));
	struct store_row *row = store_add(c->dev, &server_store);
	for (size_t i = 0; i < COUNT(given); i++)
		store_set(&server_store, row, given[i], param(c, given[i]));
	store_set(&server_store, row, "Certificate", server_certificate(c));
	store_set(&server_store, row, "Name", str_of(name));
	store_set(&server_store, row, "CreationClassName", STR("AMT_ManagementPresenceRemoteSAP"));
	store_set(
		&server_store, row, "ElementName", STR("Intel(r) AMT:Management Presence Server"));
	store_set(&server_store, row, "SystemCreationClassName", STR("CIM_ComputerSystem"));
	store_set(&server_store, row, "SystemName", STR("Intel(r) AMT"));
	emit_epr(c, "MpServer", SERVER,
		(const char *const[]){ "CreationClassName", "AMT_ManagementPresenceRemoteSAP",
			"Name", name, "SystemCreationClassName", "CIM_ComputerSystem", "SystemName",
			"Intel(r) AMT", NULL });
	return FAULT_NONE;
}

/* An interval of seconds, or an hour and a minute. */
static bool is_period(struct str data)
{
	uint8_t b[16];
	int n = base64_decode(data, b, sizeof(b));

	if (n == 8)
		return !b[3];
	return n == 12 && b[3] == 1 && !b[6] && b[7] < 24 && !b[10] && b[11] < 60;
}

/* The types came with 11.6; before, all servers are outside. */
static void apply(struct call *c, const char *policy, struct str server)
{
	struct store_row *row = store_add(c->dev, &applied_store);
	char epr[400];

	snprintf(epr, sizeof(epr),
		SERVER "\nCreationClassName\nAMT_ManagementPresenceRemoteSAP\nName\n%.*s"
		       "\nSystemCreationClassName\nCIM_ComputerSystem\nSystemName\nIntel(r) AMT",
		(int)server.n, server.p);
	store_set(&applied_store, row, "ManagedElement", str_of(epr));
	snprintf(epr, sizeof(epr),
		POLICY "\nCreationClassName\nAMT_RemoteAccessPolicyRule\nPolicyRuleName\n%s"
		       "\nSystemCreationClassName\nCIM_ComputerSystem\nSystemName\nIntel(r) AMT",
		policy);
	store_set(&applied_store, row, "PolicySet", str_of(epr));
	store_set(&applied_store, row, "OrderOfAccess", STR("0"));
	store_set(&applied_store, row, "Policy", str_of(policy));
	if (c->dev->profile->major >= 11)
		store_set(&applied_store, row, "MpsType", STR("0"));
}

static enum fault add_policy(struct call *c, uint32_t *ret_value)
{
	static const char *const names[] = { "User Initiated", "Alert", "Periodic" };
	struct str server = param_selector(c, "MpServer", SERVER, "Name");
	struct str data = param(c, "ExtendedData");
	uint64_t trigger, life;

	if (!param_uint(c, "Trigger", 65535, &trigger) ||
		!param_uint(c, "TunnelLifeTime", UINT32_MAX, &life))
		return FAULT_INVALID_REPRESENTATION;
	if (!server.p || !store_find(c->dev, &server_store, "Name", server))
		*ret_value = PT_NOT_FOUND;
	else if (trigger > 2 || (trigger == 2) != is_period(data))
		*ret_value = PT_PARAMETER;
	else if (store_find(c->dev, &policy_store, "PolicyRuleName", str_of(names[trigger])))
		*ret_value = PT_DUPLICATE;
	else
		*ret_value = store_write(c, "AddRemoteAccessPolicyRule", true);
	if (*ret_value)
		return FAULT_NONE;

	struct store_row *row = store_add(c->dev, &policy_store);
	store_set(&policy_store, row, "CreationClassName", STR("AMT_RemoteAccessPolicyRule"));
	store_set(&policy_store, row, "ElementName", STR("Inte(r) AMT:Remote Access Policy"));
	store_set(&policy_store, row, "ExtendedData", data);
	store_set(&policy_store, row, "PolicyRuleName", str_of(names[trigger]));
	store_set(&policy_store, row, "SystemCreationClassName", STR("CIM_ComputerSystem"));
	store_set(&policy_store, row, "SystemName", STR("Intel(r) AMT"));
	store_set(&policy_store, row, "Trigger", param(c, "Trigger"));
	store_set(&policy_store, row, "TunnelLifeTime", param(c, "TunnelLifeTime"));
	store_set(&policy_store, row, "MpServer", server);
	apply(c, names[trigger], server);
	emit_epr(c, "PolicyRule", POLICY,
		(const char *const[]){ "PolicyRuleName", names[trigger], NULL });
	return FAULT_NONE;
}

static void emit_by_user(struct call *c, size_t i)
{
	(void)i;
	emit_field(c, "CreationClassName", "AMT_UserInitiatedConnectionService");
	emit_field(c, "ElementName", "Intel(r) AMT User Initiated Connection Service");
	emit_number(c, "EnabledState", store_of(c->dev)->by_user);
	emit_service_keys(c, "Intel(r) AMT User Initiated Connection Service", "Intel(r) AMT");
}

static enum fault change_by_user(struct call *c, uint32_t *ret_value)
{
	uint64_t state;

	if (!param_uint(c, "RequestedState", 65535, &state))
		return FAULT_INVALID_REPRESENTATION;
	*ret_value =
		state < 32768 || state > 32771 ? 5 : store_write(c, "RequestStateChange", false);
	if (!*ret_value)
		store_of(c->dev)->by_user = (uint32_t)state;
	return FAULT_NONE;
}

/* --- Proxies, from AMT 12 on. ------------------------------------------------------------------
 */

static bool has_proxies(const struct device *dev)
{
	return dev->profile->major >= 12;
}

static const struct store_field proxy_fields[] = {
	{ "AccessInfo", STORE_TEXT, 0 },
	{ "CreationClassName", STORE_TEXT, 0 },
	{ "ElementName", STORE_TEXT, 0 },
	{ "InfoFormat", STORE_NUMBER, 0 },
	{ "Name", STORE_TEXT, 0 },
	{ "NetworkDnsSuffix", STORE_TEXT, 0 },
	{ "Port", STORE_NUMBER, 0 },
	{ "SystemCreationClassName", STORE_TEXT, 0 },
	{ "SystemName", STORE_TEXT, 0 },
};
static const struct store_class proxy_store = {
	.fields = proxy_fields,
	.nfields = COUNT(proxy_fields),
	.at = STORE_PROXIES,
	.deletable = true,
};

static const struct store_field sync_fields[] = {
	{ "CreationClassName", STORE_TEXT, 0 },
	{ "ElementName", STORE_TEXT, 0 },
	{ "Name", STORE_TEXT, 0 },
	{ "SyncEnabled", STORE_BOOL, 0 },
	{ "SystemCreationClassName", STORE_TEXT, 0 },
	{ "SystemName", STORE_TEXT, 0 },
};
static const char *const sync_service[] = { "IPS_HTTPProxyService",
	"Intel(r) ME HTTP Proxy Service", "Intel(r) ME HTTP Proxy Service", "false",
	"CIM_ComputerSystem", "Intel(r) AMT" };
static const struct store_class sync_store = {
	.fields = sync_fields,
	.nfields = COUNT(sync_fields),
	.initial = sync_service,
	.ninitial = 1,
	.at = STORE_PROXY_SERVICE,
};

static enum fault add_proxy(struct call *c, uint32_t *ret_value)
{
	static const char *const given[] = { "AccessInfo", "InfoFormat", "Port",
		"NetworkDnsSuffix" };
	const struct store_table *t = store_table(c->dev, &proxy_store);
	uint64_t format = 0, port = 0;
	char name[64];
	unsigned n = 0;

	if (!param_uint(c, "InfoFormat", 65535, &format) || !param_uint(c, "Port", 65535, &port) ||
		!param(c, "AccessInfo").n || !param(c, "NetworkDnsSuffix").n ||
		(format != 3 && format != 4 && format != 201))
		*ret_value = PT_PARAMETER;
	else if (t->n >= PROXIES_MAX)
		*ret_value = PT_LIMIT;
	else if (store_find(c->dev, &proxy_store, "AccessInfo", param(c, "AccessInfo")))
		*ret_value = PT_DUPLICATE;
	else
		*ret_value = store_write(c, "AddProxyAccessPoint", true);
	if (*ret_value)
		return FAULT_NONE;

	do {
		snprintf(name, sizeof(name), PROXIES "%u", n++);
	} while (store_find(c->dev, &proxy_store, "Name", str_of(name)));
	struct store_row *row = store_add(c->dev, &proxy_store);
	for (size_t i = 0; i < COUNT(given); i++)
		store_set(&proxy_store, row, given[i], param(c, given[i]));
	store_set(&proxy_store, row, "Name", str_of(name));
	store_set(&proxy_store, row, "CreationClassName", STR("IPS_HTTPProxyAccessPoint"));
	store_set(&proxy_store, row, "ElementName", STR("Intel(r) ME:HTTP Proxy Access Point"));
	store_set(&proxy_store, row, "SystemCreationClassName", STR("CIM_ComputerSystem"));
	store_set(&proxy_store, row, "SystemName", STR("Intel(r) AMT"));
	emit_epr(c, "ProxyAccessPoint", PROXY, (const char *const[]){ "Name", name, NULL });
	return FAULT_NONE;
}

/* --- The table. ------------------------------------------------------------------------------- */

static const struct method proxy_methods[] = {
	{ "AddProxyAccessPoint", "AccessInfo InfoFormat Port NetworkDnsSuffix", add_proxy, 0,
		NULL },
};
static const struct method service_methods[] = {
	{ "AddMpServer", "AccessInfo InfoFormat Port AuthMethod Certificate Username Password CN",
		add_server, 0, NULL },
	{ "AddRemoteAccessPolicyRule", "Trigger TunnelLifeTime ExtendedData MpServer", add_policy,
		0, NULL },
};
static const struct method by_user_methods[] = {
	{ "RequestStateChange", "RequestedState", change_by_user, 0, NULL },
};

const struct wclass cira_classes[] = {
	{
		.name = "AMT_RemoteAccessService",
		.uri = NS_AMT "AMT_RemoteAccessService",
		.selectors = KEYS,
		.emit = emit_service,
		METHODS(service_methods),
	},
	{
		.name = "AMT_ManagementPresenceRemoteSAP",
		.uri = SERVER,
		.key = "Name",
		.selectors = "CreationClassName SystemCreationClassName SystemName",
		.store = &server_store,
	},
	{
		.name = "AMT_RemoteAccessPolicyRule",
		.uri = NS_AMT "AMT_RemoteAccessPolicyRule",
		.key = "PolicyRuleName",
		.selectors = "CreationClassName SystemCreationClassName SystemName",
		.store = &policy_store,
	},
	{
		.name = "AMT_RemoteAccessPolicyAppliesToMPS",
		.uri = NS_AMT "AMT_RemoteAccessPolicyAppliesToMPS",
		.key = "Policy",
		.link = "PolicySet",
		.link_key = "PolicyRuleName",
		.selectors = "ManagedElement PolicySet",
		.store = &applied_store,
	},
	{
		.name = "IPS_HTTPProxyService",
		.uri = NS_IPS "IPS_HTTPProxyService",
		.selectors = KEYS,
		.present = has_proxies,
		.store = &sync_store,
		METHODS(proxy_methods),
	},
	{
		.name = "IPS_HTTPProxyAccessPoint",
		.uri = PROXY,
		.key = "Name",
		.selectors = "CreationClassName SystemCreationClassName SystemName",
		.present = has_proxies,
		.store = &proxy_store,
	},
	{
		.name = "AMT_UserInitiatedConnectionService",
		.uri = NS_AMT "AMT_UserInitiatedConnectionService",
		.selectors = KEYS,
		.emit = emit_by_user,
		METHODS(by_user_methods),
	},
	{
		.name = "AMT_EnvironmentDetectionSettingData",
		.uri = NS_AMT "AMT_EnvironmentDetectionSettingData",
		.selectors = "InstanceID",
		.store = &environment_store,
	},
};

const size_t cira_classes_count = COUNT(cira_classes);
