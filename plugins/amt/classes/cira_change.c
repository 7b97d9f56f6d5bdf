/* SPDX-License-Identifier: Apache-2.0 */
/* Inside cira: what it changes, one stage after the other, each of which goes on by itself. */
#include "classes/cira.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "classes/chain.h"
#include "classes/refer.h"

enum { AUTH_CERTIFICATE = 1, AUTH_PASSWORD = 2 };

static const struct class_method add_server = {
	.class = &class_cira.class,
	.name = "AddMpServer",
	.returns = STATUS_PLAIN,
	.inputs = { "AccessInfo", "InfoFormat", "Port", "AuthMethod", "Certificate", "Username",
		"Password", "CN" },
};
static const struct class_method add_policy = {
	.class = &class_cira.class,
	.name = "AddRemoteAccessPolicyRule",
	.returns = STATUS_PLAIN,
	.inputs = { "Trigger", "TunnelLifeTime", "ExtendedData", "MpServer" },
};
static const struct class_method allow_user = {
	.class = &class_cira_by_user.class,
	.name = "RequestStateChange",
	.returns = STATUS_STATE,
	.inputs = { "RequestedState" },
};
static const struct class_method add_proxy = {
	.class = &class_proxy_service.class,
	.name = "AddProxyAccessPoint",
	.returns = STATUS_PLAIN,
	.inputs = { "AccessInfo", "InfoFormat", "Port", "NetworkDnsSuffix" },
};

static void next_stage(struct amt_dev *dev);

static const struct pctl_value *listed(struct amt_dev *dev, const char *list)
{
	return pctl_value_get(chain_work(dev)->ret, list);
}

static bool is_cleared(struct amt_dev *dev)
{
	return pctl_argument_bool(chain_work(dev)->args, "clear");
}

enum cira_format cira_format(const char *address)
{
	unsigned char a[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, address, a) == 1)
		return CIRA_IPV4;
	return inet_pton(AF_INET6, address, a) == 1 ? CIRA_IPV6 : CIRA_NAME;
}

/* What was there goes first: policies, then the servers that they name. */
static const struct {
	const char *list, *key;
	const struct class *class;
} olds[] = {
	{ "policies", "PolicyRuleName", &class_cira_policy },
	{ "servers", "Name", &class_cira_server },
	{ "proxies", "Name", &class_proxy },
};
#define OLDS (sizeof(olds) / sizeof(olds[0]))

static bool is_to_go(struct amt_dev *dev, size_t old, const struct pctl_value *map)
{
	const char *proxy = chain_text(dev, "remove_proxy");

	if (is_cleared(dev))
		return true;
	if (olds[old].class == &class_proxy)
		return proxy && strcmp(cira_text_in(map, "address"), proxy) == 0;
	return chain_given(dev, "server");
}

/* The first from *at on, which counts through all lists; NULL: none is left. */
static const struct pctl_value *find_old(struct amt_dev *dev, uint64_t *at, size_t *ret_old)
{
	uint64_t n = 0;

	for (size_t old = 0; old < OLDS; old++) {
		const struct pctl_value *list = listed(dev, olds[old].list);

		for (size_t i = 0; list && i < pctl_value_count(list); i++, n++) {
			if (n < *at || !is_to_go(dev, old, pctl_value_at(list, i)))
				continue;
			*at = n + 1;
			*ret_old = old;
			return pctl_value_at(list, i);
		}
	}
	return NULL;
}

static void remove_olds(struct amt_dev *dev)
{
	size_t old = 0;
	const struct pctl_value *map = find_old(dev, &chain_work(dev)->number, &old);

	if (!map) {
		next_stage(dev);
		return;
	}
	const struct wsman_selector s[] = { { olds[old].key, cira_text_in(map, "name") },
		{ NULL, NULL } };
	(void)amt_request(dev,
		&(struct wsman_head){
			.verb = WSMAN_DELETE, .class = &olds[old].class->class, .selectors = s },
		STATUS_PLAIN);
	chain_send(dev, remove_olds);
}

static void server_added(struct amt_dev *dev, const struct xml_node *answer)
{
	struct chain_work *w = chain_work(dev);
	const char *name = cira_selector(answer, "Name");

	amt_changed(dev);
	if (!name) {
		amt_fail(dev, PCTL_E_PROTOCOL, "the server was added, and its name is not told");
		return;
	}
	(void)snprintf(w->text, sizeof(w->text), "%s", name);
	next_stage(dev);
}

static void add_new(struct amt_dev *dev)
{
	const struct pctl_arguments *args = chain_work(dev)->args;
	const struct pctl_secret *password = pctl_argument_secret(args, "password");
	const char *server = chain_text(dev, "server"), *id = chain_text(dev, "certificate");
	char format[16], port[16], auth[16], handle[REFER_SIZE];
	const struct wsman_selector certificate[] = { { "InstanceID", handle }, { NULL, NULL } };

	if (!server) {
		next_stage(dev);
		return;
	}
	const struct class_input inputs[] = { { .name = "AccessInfo", .text = server },
		{ .name = "InfoFormat", .text = format }, { .name = "Port", .text = port },
		{ .name = "AuthMethod", .text = auth },
		{ .name = "Certificate",
			.class = id ? &class_certificate.class : NULL,
			.selectors = certificate },
		{ .name = "Username", .text = chain_text(dev, "user") },
		{ .name = "Password", .text = password ? pctl_secret_data(password) : NULL },
		{ .name = "CN", .text = chain_text(dev, "certificate_name") }, { .name = NULL } };

	(void)snprintf(format, sizeof(format), "%u", cira_format(server));
	(void)snprintf(port, sizeof(port), "%u", (unsigned)pctl_argument_uint(args, "port"));
	(void)snprintf(auth, sizeof(auth), "%d", id ? AUTH_CERTIFICATE : AUTH_PASSWORD);
	refer_id(id, handle);
	struct wsman *w = amt_invoke(dev, add_server.class, add_server.name, add_server.returns);
	chain_hide(dev);
	class_call(w, &add_server, inputs);
	amt_changes(dev);
	amt_send(dev, server_added, NULL);
}

/* --- When it calls. --------------------------------------------------------------------------- */

bool cira_parse_time(const char *text, unsigned *ret_hours, unsigned *ret_minutes)
{
	static const char digits[] = "0123456789";

	if (strlen(text) != 5 || strspn(text, digits) != 2 || text[2] != ':' ||
		strspn(text + 3, digits) != 2)
		return false;
	*ret_hours = (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
	*ret_minutes = (unsigned)(text[3] - '0') * 10 + (unsigned)(text[4] - '0');
	return *ret_hours < 24 && *ret_minutes < 60;
}

/* As base64: 0 and how many seconds, or 1, hours and minutes; in network order. */
static void periodic_data(struct amt_dev *dev, char out[24])
{
	const char *daily = chain_text(dev, "daily");
	unsigned numbers[3] = { 0, 0, 0 };
	unsigned char bytes[sizeof(numbers)];
	size_t n = daily ? 3 : 2;

	if (daily) {
		numbers[0] = 1;
		(void)cira_parse_time(daily, &numbers[1], &numbers[2]);
	} else {
		numbers[1] =
			(unsigned)(pctl_argument_duration(chain_work(dev)->args, "every") / 1000);
	}
	for (size_t i = 0; i < 4 * n; i++)
		bytes[i] = (unsigned char)(numbers[i / 4] >> (24 - 8 * (i % 4)));
	(void)EVP_EncodeBlock((unsigned char *)out, bytes, (int)(4 * n));
}

/* Policies, by their trigger. */
enum { TRIGGER_USER, TRIGGER_ALERT, TRIGGER_PERIODIC, TRIGGERS };

static bool is_wanted(struct amt_dev *dev, uint64_t trigger)
{
	if (!chain_given(dev, "server"))
		return false;
	switch (trigger) {
	case TRIGGER_ALERT:
		return pctl_argument_bool(chain_work(dev)->args, "on_alert");
	case TRIGGER_PERIODIC:
		return chain_given(dev, "daily") ||
		       pctl_argument_duration(chain_work(dev)->args, "every") >= 1000;
	default:
		return true;
	}
}

static void add_policies(struct amt_dev *dev)
{
	struct chain_work *w = chain_work(dev);
	const struct wsman_selector server[] = { { "Name", w->text }, { NULL, NULL } };
	char trigger[16], life[24], data[24] = "";

	while (w->number < TRIGGERS && !is_wanted(dev, w->number))
		w->number++;
	if (w->number == TRIGGERS) {
		next_stage(dev);
		return;
	}
	if (w->number == TRIGGER_PERIODIC)
		periodic_data(dev, data);
	const struct class_input inputs[] = { { .name = "Trigger", .text = trigger },
		{ .name = "TunnelLifeTime", .text = life },
		{ .name = "ExtendedData", .text = *data ? data : NULL },
		{ .name = "MpServer", .class = &class_cira_server.class, .selectors = server },
		{ .name = NULL } };

	(void)snprintf(trigger, sizeof(trigger), "%u", (unsigned)w->number++);
	(void)snprintf(life, sizeof(life), "%llu",
		(unsigned long long)pctl_argument_duration(w->args, "lifetime") / 1000);
	chain_call(dev, &add_policy, NULL, inputs, add_policies);
}

/* --- From where it calls: how policies apply to the server. ----------------------------------- */

static void put_networks(struct amt_dev *dev, const struct pctl_value *map, uint64_t type)
{
	const struct wsman_selector server[] = {
		{ "CreationClassName", class_cira_server.class.name },
		{ "Name", cira_text_in(map, "server") },
		{ "SystemCreationClassName", "CIM_ComputerSystem" },
		{ "SystemName", "Intel(r) AMT" },
		{ NULL, NULL },
	};
	const struct wsman_selector policy[] = {
		{ "CreationClassName", class_cira_policy.class.name },
		{ "PolicyRuleName", cira_text_in(map, "policy") },
		{ "SystemCreationClassName", "CIM_ComputerSystem" },
		{ "SystemName", "Intel(r) AMT" },
		{ NULL, NULL },
	};
	const struct wsman_link links[] = {
		{ "ManagedElement", &class_cira_server.class, server },
		{ "PolicySet", &class_cira_policy.class, policy },
		{ .name = NULL },
	};
	struct wsman *w = amt_request(dev,
		&(struct wsman_head){
			.verb = WSMAN_PUT, .class = &class_cira_applies.class, .links = links },
		STATUS_PLAIN);

	wsman_reference(w, "ManagedElement", &class_cira_server.class, server);
	wsman_uint(w, "MpsType", type);
	wsman_uint(w, "OrderOfAccess", (uint64_t)pctl_value_int(pctl_value_get(map, "order")));
	wsman_reference(w, "PolicySet", &class_cira_policy.class, policy);
}

static void change_networks(struct amt_dev *dev)
{
	struct chain_work *w = chain_work(dev);
	const struct pctl_value *applied = listed(dev, "applied");
	const char *word = chain_text(dev, "networks");

	while (applied && w->number < pctl_value_count(applied)) {
		const struct pctl_value *map = pctl_value_at(applied, (size_t)w->number++);

		if (!pctl_value_get(map, "networks")) {
			amt_fail(dev, PCTL_E_UNSUPPORTED,
				"networks: this firmware connects from outside only");
			return;
		}
		if (strcmp(cira_text_in(map, "networks"), word) == 0)
			continue;
		put_networks(dev, map, class_number(words_networks, word)->number);
		chain_send(dev, change_networks);
		return;
	}
	next_stage(dev);
}

static void begin_networks(struct amt_dev *dev)
{
	if (!chain_given(dev, "networks"))
		next_stage(dev);
	else
		chain_read(dev, cira_applied_steps, change_networks);
}

/* --- What is the device's own: who may ask, by which proxy, where it is at home. ---------------
 */

static void change_by_user(struct amt_dev *dev)
{
	const char *word = chain_text(dev, "by_user");
	char number[24];
	const struct class_input inputs[] = { { .name = "RequestedState", .text = number },
		{ .name = NULL } };

	if (!word) {
		next_stage(dev);
		return;
	}
	(void)snprintf(number, sizeof(number), "%llu",
		(unsigned long long)class_number(words_user_initiated, word)->number);
	chain_call(dev, &allow_user, NULL, inputs, next_stage);
}

static void add_new_proxy(struct amt_dev *dev)
{
	const char *proxy = chain_text(dev, "proxy");
	char format[16], port[16];
	const struct class_input inputs[] = { { .name = "AccessInfo", .text = proxy },
		{ .name = "InfoFormat", .text = format }, { .name = "Port", .text = port },
		{ .name = "NetworkDnsSuffix", .text = chain_text(dev, "proxy_suffix") },
		{ .name = NULL } };

	if (!proxy) {
		next_stage(dev);
		return;
	}
	(void)snprintf(format, sizeof(format), "%u", cira_format(proxy));
	(void)snprintf(port, sizeof(port), "%u",
		(unsigned)pctl_argument_uint(chain_work(dev)->args, "proxy_port"));
	chain_call(dev, &add_proxy, NULL, inputs, next_stage);
}

static void change_sync(struct amt_dev *dev)
{
	bool on = pctl_argument_bool(chain_work(dev)->args, "proxy_sync");

	if (!chain_given(dev, "proxy_sync")) {
		next_stage(dev);
		return;
	}
	chain_change(dev, "SyncEnabled", on ? "true" : "false");
	chain_put(dev, &class_proxy_service, NULL, next_stage);
}

/* As many as there are, or an empty one. */
static void change_detection(struct amt_dev *dev)
{
	const struct pctl_arguments *args = chain_work(dev)->args;
	size_t n = pctl_argument_texts(args, "detection");

	if (!n && !is_cleared(dev)) {
		next_stage(dev);
		return;
	}
	for (size_t i = 0; i < n; i++)
		chain_change(dev, "DetectionStrings", pctl_argument_texts_at(args, "detection", i));
	if (!n)
		chain_change(dev, "DetectionStrings", NULL);
	chain_put(dev, &class_environment, NULL, next_stage);
}

static chain_fn *const stages[] = { remove_olds, add_new, add_policies, begin_networks,
	change_by_user, add_new_proxy, change_sync, change_detection, cira_read };

static void next_stage(struct amt_dev *dev) /* NOLINT(misc-no-recursion) */
{
	struct chain_work *w = chain_work(dev);

	w->number = 0;
	stages[w->stage++](dev);
}

void cira_change(struct amt_dev *dev)
{
	next_stage(dev);
}
