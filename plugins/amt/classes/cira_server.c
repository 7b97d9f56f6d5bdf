/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside cira: one server in place of another. The new one is added while the old one is still
 * there, for a machine may have no other way to be reached; policies, of which there is one of a
 * kind, follow. What the device refuses on the way makes it go back, step by step.
 */
#include "classes/cira.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <powerctl/mem.h>

#include "classes/refer.h"

#define DUPLICATE "ReturnValue 2058"
#define LIMIT     "ReturnValue 23"

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
static void remove_policies(struct amt_dev *dev);
static void add_policies(struct amt_dev *dev);
static void begin_networks(struct amt_dev *dev);

void cira_send(struct amt_dev *dev, amt_then_fn *then, amt_except_fn *except)
{
	amt_changes(dev);
	amt_send(dev, then, except);
}

/* The name that the firmware gave to what it added, for free(); NULL: it does not say. */
char *cira_name_in(const struct xml_node *answer, const char *key)
{
	const char *name = chain_selector(answer, key);

	return name ? pctl_xstrdup(name) : NULL;
}

/* --- The new server. -------------------------------------------------------------------------- */

enum cira_format cira_format(const char *address)
{
	unsigned char a[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, address, a) == 1)
		return CIRA_IPV4;
	return inet_pton(AF_INET6, address, a) == 1 ? CIRA_IPV6 : CIRA_NAME;
}

/* With the login that is given, and the rest as it is given here. */
void cira_begin_server(
	struct amt_dev *dev, const char *address, uint64_t port_number, const char *common_name)
{
	const struct pctl_secret *password =
		pctl_argument_secret(chain_work(dev)->args, "password");
	const char *id = chain_text(dev, "certificate");
	char format[16], port[16], auth[16], handle[REFER_SIZE];
	const struct wsman_selector certificate[] = { { "InstanceID", handle }, { NULL, NULL } };
	const struct class_input inputs[] = { { .name = "AccessInfo", .text = address },
		{ .name = "InfoFormat", .text = format }, { .name = "Port", .text = port },
		{ .name = "AuthMethod", .text = auth },
		{ .name = "Certificate",
			.class = id ? &class_certificate.class : NULL,
			.selectors = certificate },
		{ .name = "Username", .text = chain_text(dev, "user") },
		{ .name = "Password", .text = password ? pctl_secret_data(password) : NULL },
		{ .name = "CN", .text = common_name }, { .name = NULL } };

	(void)snprintf(format, sizeof(format), "%d", (int)cira_format(address));
	(void)snprintf(port, sizeof(port), "%u", (unsigned)port_number);
	(void)snprintf(auth, sizeof(auth), "%d", id ? AUTH_CERTIFICATE : AUTH_PASSWORD);
	refer_id(id, handle);
	struct wsman *w = amt_invoke(dev, add_server.class, add_server.name, add_server.returns);
	class_call(w, &add_server, inputs);
}

static void server_added(struct amt_dev *dev, const struct xml_node *answer)
{
	struct pctl_error err = { 0 };
	struct cira *c = cira_of(dev);

	amt_changed(dev);
	c->added = cira_name_in(answer, "Name");
	c->at = 0;
	if (c->added) {
		add_policies(dev);
		return;
	}
	(void)pctl_error_set(
		&err, PCTL_E_PROTOCOL, "the server was added, and its name is not told");
	cira_go_back(dev, &err);
}

static void add_new(struct amt_dev *dev, amt_except_fn *except)
{
	cira_begin_server(dev, chain_text(dev, "server"),
		pctl_argument_uint(chain_work(dev)->args, "port"),
		chain_text(dev, "certificate_name"));
	cira_send(dev, server_added, except);
}

static bool is_used(const struct cira *c, const char *server)
{
	for (size_t i = 0; i < c->n; i++)
		for (size_t k = 0; k < CIRA_POLICY_SERVERS; k++)
			if (c->policies[i].servers[k] &&
				strcmp(c->policies[i].servers[k], server) == 0)
				return true;
	return false;
}

/* One that nobody would miss. */
static const struct pctl_value *find_unused(struct amt_dev *dev)
{
	const struct pctl_value *servers = cira_listed(dev, "servers");

	for (size_t i = 0; servers && i < pctl_value_count(servers); i++)
		if (!is_used(cira_of(dev), cira_text_in(pctl_value_at(servers, i), "name")))
			return pctl_value_at(servers, i);
	return NULL;
}

/* An address it takes once, and there is room for some only: then an old one has to go before. */
static void not_added(struct amt_dev *dev, const struct pctl_error *err)
{
	struct cira *c = cira_of(dev);

	if (strcmp(err->device_code, DUPLICATE) == 0)
		c->first = chain_find(dev, "servers", "address", chain_text(dev, "server"));
	else if (strcmp(err->device_code, LIMIT) == 0)
		c->first = find_unused(dev);
	if (c->first)
		remove_policies(dev);
	else if (strcmp(err->device_code, LIMIT) == 0)
		amt_fail(dev, PCTL_E_REFUSED,
			"it has room for no more servers, and policies use all that it has; "
			"nothing was changed: amt cira clear=true makes room");
	else
		amt_end(dev, err);
}

static void first_is_gone(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	amt_changed(dev);
	cira_of(dev)->first_gone = true;
	add_new(dev, cira_go_back);
}

static void remove_first(struct amt_dev *dev)
{
	chain_delete(dev, &class_cira_server, "Name", cira_text_in(cira_of(dev)->first, "name"));
	cira_send(dev, first_is_gone, cira_go_back);
}

/* --- Policies. -------------------------------------------------------------------------------- */

#define ANY_TRIGGER UINT64_MAX

/* One that is still there. */
static struct cira_policy *find_policy(struct cira *c, uint64_t trigger)
{
	for (size_t i = 0; i < c->n; i++)
		if (!c->policies[i].gone &&
			(trigger == ANY_TRIGGER || c->policies[i].trigger == trigger))
			return &c->policies[i];
	return NULL;
}

static void remove_servers(struct amt_dev *dev);

static void policy_is_gone(struct amt_dev *dev, const struct xml_node *answer)
{
	struct cira *c = cira_of(dev);

	(void)answer;
	amt_changed(dev);
	c->going->gone = true;
	(c->added ? add_policies : remove_policies)(dev);
}

static void remove_policy(struct amt_dev *dev, struct cira_policy *p)
{
	cira_of(dev)->going = p;
	chain_delete(dev, &class_cira_policy, "PolicyRuleName", p->name);
	cira_send(dev, policy_is_gone, cira_go_back);
}

/* All of them: they name the servers that go then. */
static void remove_policies(struct amt_dev *dev)
{
	struct cira *c = cira_of(dev);
	struct cira_policy *p = find_policy(c, ANY_TRIGGER);

	c->at = 0;
	if (p)
		remove_policy(dev, p);
	else if (cira_is_cleared(dev))
		remove_servers(dev);
	else
		remove_first(dev);
}

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
enum { TRIGGER_USER, TRIGGER_ALERT, TRIGGER_PERIODIC };

static bool is_wanted(struct amt_dev *dev, size_t trigger)
{
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

void cira_begin_policy(struct amt_dev *dev, const struct cira_policy *p)
{
	const struct wsman_selector servers[CIRA_POLICY_SERVERS][2] = {
		{ { "Name", p->servers[0] }, { NULL, NULL } },
		{ { "Name", p->servers[1] }, { NULL, NULL } },
	};
	const struct wsman_class *class = &class_cira_server.class;
	char trigger[24], life[24];
	const struct class_input inputs[] = { { .name = "Trigger", .text = trigger },
		{ .name = "TunnelLifeTime", .text = life },
		{ .name = "ExtendedData", .text = p->data },
		{ .name = "MpServer",
			.class = p->servers[0] ? class : NULL,
			.selectors = servers[0] },
		{ .name = "MpServer",
			.class = p->servers[1] ? class : NULL,
			.selectors = servers[1] },
		{ .name = NULL } };

	(void)snprintf(trigger, sizeof(trigger), "%llu", (unsigned long long)p->trigger);
	(void)snprintf(life, sizeof(life), "%llu", (unsigned long long)p->lifetime);
	class_call(amt_invoke(dev, add_policy.class, add_policy.name, add_policy.returns),
		&add_policy, inputs);
}

static void policy_is_added(struct amt_dev *dev, const struct xml_node *answer)
{
	static const char *const usual[CIRA_TRIGGERS] = { "User Initiated", "Alert", "Periodic" };
	struct cira *c = cira_of(dev);
	char *name = cira_name_in(answer, "PolicyRuleName");

	amt_changed(dev);
	c->made[c->at] = name ? name : pctl_xstrdup(usual[c->at]);
	c->at++;
	add_policies(dev);
}

static void add_policy_of(struct amt_dev *dev)
{
	struct cira *c = cira_of(dev);
	char data[24] = "";

	if (c->at == TRIGGER_PERIODIC)
		periodic_data(dev, data);
	cira_begin_policy(dev,
		&(struct cira_policy){ .servers = { c->added },
			.trigger = c->at,
			.lifetime =
				pctl_argument_duration(chain_work(dev)->args, "lifetime") / 1000,
			.data = *data ? data : NULL });
	cira_send(dev, policy_is_added, cira_go_back);
}

/*
 * One trigger after the other, of which there is one policy each: whichever is refused, the others
 * still call. What nobody wants any more goes last.
 */
static void add_policies(struct amt_dev *dev)
{
	struct cira *c = cira_of(dev);

	while (c->at < CIRA_TRIGGERS && !is_wanted(dev, c->at))
		c->at++;
	struct cira_policy *old = find_policy(c, c->at < CIRA_TRIGGERS ? c->at : ANY_TRIGGER);
	if (old)
		remove_policy(dev, old);
	else if (c->at < CIRA_TRIGGERS)
		add_policy_of(dev);
	else
		begin_networks(dev);
}

/* --- From where it calls: how policies apply to the server. ----------------------------------- */

void cira_begin_apply(struct amt_dev *dev, const char *policy_name, const char *server_name,
	const char *type, uint64_t order)
{
	const struct wsman_selector server[] = {
		{ "CreationClassName", class_cira_server.class.name },
		{ "Name", server_name },
		{ "SystemCreationClassName", "CIM_ComputerSystem" },
		{ "SystemName", "Intel(r) AMT" },
		{ NULL, NULL },
	};
	const struct wsman_selector policy[] = {
		{ "CreationClassName", class_cira_policy.class.name },
		{ "PolicyRuleName", policy_name },
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
	wsman_text(w, "MpsType", type);
	wsman_uint(w, "OrderOfAccess", order);
	wsman_reference(w, "PolicySet", &class_cira_policy.class, policy);
}

static void change_networks(struct amt_dev *dev);

static void networks_changed(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	amt_changed(dev);
	change_networks(dev);
}

static void change_networks(struct amt_dev *dev)
{
	struct cira *c = cira_of(dev);
	const struct pctl_value *applied = cira_listed(dev, "applied");
	const char *word = chain_text(dev, "networks");
	struct pctl_error err = { 0 };
	char type[24];

	while (applied && c->at < pctl_value_count(applied)) {
		const struct pctl_value *map = pctl_value_at(applied, c->at++);

		if (!pctl_value_get(map, "networks")) {
			(void)pctl_error_set(&err, PCTL_E_UNSUPPORTED,
				"networks: this firmware connects from outside only");
			cira_go_back(dev, &err);
			return;
		}
		if (strcmp(cira_text_in(map, "networks"), word) == 0)
			continue;
		(void)snprintf(type, sizeof(type), "%llu",
			(unsigned long long)class_number(words_networks, word)->number);
		cira_begin_apply(dev, cira_text_in(map, "policy"), cira_text_in(map, "server"),
			type, (uint64_t)pctl_value_int(pctl_value_get(map, "order")));
		cira_send(dev, networks_changed, cira_go_back);
		return;
	}
	c->at = 0;
	remove_servers(dev);
}

static void begin_networks(struct amt_dev *dev)
{
	cira_of(dev)->at = 0;
	if (chain_given(dev, "networks"))
		chain_read(dev, cira_applied_steps, change_networks);
	else
		remove_servers(dev);
}

/* --- The old servers, which nothing names any more. ------------------------------------------- */

static void server_is_gone(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	amt_changed(dev);
	remove_servers(dev);
}

/* The new one is in use by now: there is nothing to go back from. */
static void server_stays(struct amt_dev *dev, const struct pctl_error *err)
{
	cira_of(dev)->why = *err;
	cira_of(dev)->failures++;
	if (answer_is_verdict(err))
		cira_tell_what_is_left(dev);
	else
		amt_end(dev, err);
}

static void remove_servers(struct amt_dev *dev)
{
	struct cira *c = cira_of(dev);
	const struct pctl_value *servers = cira_listed(dev, "servers");
	bool all = cira_is_cleared(dev) || c->added;

	while (all && servers && c->at < pctl_value_count(servers)) {
		const struct pctl_value *map = pctl_value_at(servers, c->at++);

		if (map == c->first && c->first_gone)
			continue;
		chain_delete(dev, &class_cira_server, "Name", cira_text_in(map, "name"));
		cira_send(dev, server_is_gone, server_stays);
		return;
	}
	c->then(dev);
}

/* --- Where it begins. ------------------------------------------------------------------------- */

void cira_change_server(struct amt_dev *dev, chain_fn *then)
{
	cira_of(dev)->then = then;
	if (chain_given(dev, "server"))
		add_new(dev, not_added);
	else if (cira_is_cleared(dev))
		remove_policies(dev);
	else
		begin_networks(dev);
}
