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
static void failed(struct amt_dev *dev, const struct pctl_error *err);
static void remove_policies(struct amt_dev *dev);
static void add_policies(struct amt_dev *dev);
static void begin_networks(struct amt_dev *dev);

static const struct pctl_value *listed(struct amt_dev *dev, const char *list)
{
	return pctl_value_get(chain_work(dev)->ret, list);
}

static bool is_cleared(struct amt_dev *dev)
{
	return pctl_argument_bool(chain_work(dev)->args, "clear");
}

static void send_change(struct amt_dev *dev, amt_then_fn *then, amt_except_fn *except)
{
	amt_changes(dev);
	amt_send(dev, then, except);
}

static void begin_delete(
	struct amt_dev *dev, const struct class *class, const char *key, const char *name)
{
	const struct wsman_selector s[] = { { key, name }, { NULL, NULL } };

	(void)amt_request(dev,
		&(struct wsman_head){
			.verb = WSMAN_DELETE, .class = &class->class, .selectors = s },
		STATUS_PLAIN);
}

/* The name that the firmware gave to what it added, for free(); NULL: it does not say. */
static char *name_in(const struct xml_node *answer, const char *key)
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
static void begin_server(
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

	(void)snprintf(format, sizeof(format), "%u", cira_format(address));
	(void)snprintf(port, sizeof(port), "%u", (unsigned)port_number);
	(void)snprintf(auth, sizeof(auth), "%d", id ? AUTH_CERTIFICATE : AUTH_PASSWORD);
	refer_id(id, handle);
	struct wsman *w = amt_invoke(dev, add_server.class, add_server.name, add_server.returns);
	chain_hide(dev);
	class_call(w, &add_server, inputs);
}

static void server_added(struct amt_dev *dev, const struct xml_node *answer)
{
	struct pctl_error err = { 0 };
	struct cira *c = cira_of(dev);

	amt_changed(dev);
	c->added = name_in(answer, "Name");
	c->at = 0;
	if (c->added) {
		add_policies(dev);
		return;
	}
	(void)pctl_error_set(
		&err, PCTL_E_PROTOCOL, "the server was added, and its name is not told");
	failed(dev, &err);
}

static void add_new(struct amt_dev *dev, amt_except_fn *except)
{
	begin_server(dev, chain_text(dev, "server"),
		pctl_argument_uint(chain_work(dev)->args, "port"),
		chain_text(dev, "certificate_name"));
	send_change(dev, server_added, except);
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
	const struct pctl_value *servers = listed(dev, "servers");

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
	add_new(dev, failed);
}

static void remove_first(struct amt_dev *dev)
{
	begin_delete(dev, &class_cira_server, "Name", cira_text_in(cira_of(dev)->first, "name"));
	send_change(dev, first_is_gone, failed);
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

static bool any_gone(const struct cira *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->policies[i].gone)
			return true;
	return false;
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
	begin_delete(dev, &class_cira_policy, "PolicyRuleName", p->name);
	send_change(dev, policy_is_gone, failed);
}

/* All of them: they name the servers that go then. */
static void remove_policies(struct amt_dev *dev)
{
	struct cira *c = cira_of(dev);
	struct cira_policy *p = find_policy(c, ANY_TRIGGER);

	c->at = 0;
	if (p)
		remove_policy(dev, p);
	else if (is_cleared(dev))
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

static void begin_policy(struct amt_dev *dev, const struct cira_policy *p)
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
	char *name = name_in(answer, "PolicyRuleName");

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
	begin_policy(dev,
		&(struct cira_policy){ .servers = { c->added },
			.trigger = c->at,
			.lifetime =
				pctl_argument_duration(chain_work(dev)->args, "lifetime") / 1000,
			.data = *data ? data : NULL });
	send_change(dev, policy_is_added, failed);
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

static void begin_apply(struct amt_dev *dev, const char *policy_name, const char *server_name,
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
	const struct pctl_value *applied = listed(dev, "applied");
	const char *word = chain_text(dev, "networks");
	struct pctl_error err = { 0 };
	char type[24];

	while (applied && c->at < pctl_value_count(applied)) {
		const struct pctl_value *map = pctl_value_at(applied, c->at++);

		if (!pctl_value_get(map, "networks")) {
			(void)pctl_error_set(&err, PCTL_E_UNSUPPORTED,
				"networks: this firmware connects from outside only");
			failed(dev, &err);
			return;
		}
		if (strcmp(cira_text_in(map, "networks"), word) == 0)
			continue;
		(void)snprintf(type, sizeof(type), "%llu",
			(unsigned long long)class_number(words_networks, word)->number);
		begin_apply(dev, cira_text_in(map, "policy"), cira_text_in(map, "server"), type,
			(uint64_t)pctl_value_int(pctl_value_get(map, "order")));
		send_change(dev, networks_changed, failed);
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

static void tell_what_is_left(struct amt_dev *dev);

/* The new one is in use by now: there is nothing to go back from. */
static void server_stays(struct amt_dev *dev, const struct pctl_error *err)
{
	cira_of(dev)->why = *err;
	cira_of(dev)->failures++;
	if (answer_is_verdict(err))
		tell_what_is_left(dev);
	else
		amt_end(dev, err);
}

static void remove_servers(struct amt_dev *dev)
{
	struct cira *c = cira_of(dev);
	const struct pctl_value *servers = listed(dev, "servers");
	bool all = is_cleared(dev) || c->added;

	while (all && servers && c->at < pctl_value_count(servers)) {
		const struct pctl_value *map = pctl_value_at(servers, c->at++);

		if (map == c->first && c->first_gone)
			continue;
		begin_delete(dev, &class_cira_server, "Name", cira_text_in(map, "name"));
		send_change(dev, server_is_gone, server_stays);
		return;
	}
	c->then(dev);
}

/* --- Going back. ------------------------------------------------------------------------------ */

static void undo(struct amt_dev *dev);

/* Adds the texts of a list. */
static void add_list(struct pctl_buf *buf, const struct pctl_value *list, const char *key)
{
	size_t n = list ? pctl_value_count(list) : 0;

	for (size_t i = 0; i < n; i++)
		pctl_buf_addf(
			buf, "%s%s", i ? ", " : "", cira_text_in(pctl_value_at(list, i), key));
	pctl_buf_adds(buf, n ? "" : "none");
}

/* What it has now, by its own words: whoever reads this has to go on from there. */
static void told(struct amt_dev *dev)
{
	const struct cira *c = cira_of(dev);
	const struct pctl_value *servers = listed(dev, "servers"),
				*policies = listed(dev, "policies");
	struct pctl_error err = c->why;
	struct pctl_buf left;

	pctl_buf_init(&left, 65536);
	pctl_buf_adds(&left, "servers: ");
	add_list(&left, servers, "address");
	pctl_buf_adds(&left, "; policies: ");
	add_list(&left, policies, "name");
	if (strlen(c->why.text) + left.len + 32 < sizeof(err.text))
		(void)pctl_error_set(
			&err, c->why.code, "%s; what it has now: %s", c->why.text, left.data);
	else
		(void)pctl_error_set(&err, c->why.code,
			"%.200s; it has %zu servers and %zu policies now, which `amt cira` lists",
			c->why.text, servers ? pctl_value_count(servers) : 0,
			policies ? pctl_value_count(policies) : 0);
	(void)pctl_error_device_code(&err, "%s", c->why.device_code);
	pctl_buf_done(&left);
	amt_end(dev, &err);
}

static void tell_what_is_left(struct amt_dev *dev)
{
	cira_of(dev)->first = NULL; /* it is in the list that is read anew */
	cira_look(dev, told);
}

static void is_back(struct amt_dev *dev)
{
	const struct cira *c = cira_of(dev);
	struct pctl_error err = c->why;

	if (c->failures) {
		tell_what_is_left(dev);
		return;
	}
	(void)pctl_error_set(
		&err, c->why.code, "%.240s; servers and policies are as they were", c->why.text);
	(void)pctl_error_device_code(&err, "%s", c->why.device_code);
	amt_end(dev, &err);
}

static void undone(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	amt_changed(dev);
	undo(dev);
}

static void not_undone(struct amt_dev *dev, const struct pctl_error *err)
{
	struct pctl_error both = *err;

	cira_of(dev)->failures++;
	if (answer_is_verdict(err)) {
		undo(dev);
		return;
	}
	(void)pctl_error_set(&both, err->code,
		"%.130s; and while it was put back: %.110s; `amt cira` tells what there is",
		cira_of(dev)->why.text, err->text);
	amt_end(dev, &both);
}

static bool undo_made(struct amt_dev *dev)
{
	struct cira *c = cira_of(dev);

	while (c->at < CIRA_TRIGGERS && !c->made[c->at])
		c->at++;
	if (c->at == CIRA_TRIGGERS)
		return false;
	begin_delete(dev, &class_cira_policy, "PolicyRuleName", c->made[c->at++]);
	send_change(dev, undone, not_undone);
	return true;
}

static bool undo_added(struct amt_dev *dev)
{
	struct cira *c = cira_of(dev);

	if (!c->added || c->at++)
		return false;
	begin_delete(dev, &class_cira_server, "Name", c->added);
	send_change(dev, undone, not_undone);
	return true;
}

static void first_is_back(struct amt_dev *dev, const struct xml_node *answer)
{
	struct cira *c = cira_of(dev);

	c->restored = name_in(answer, "Name");
	undone(dev, answer);
}

/* Its login cannot be read; where it is the same server, the one that is given is its own. */
static bool undo_first(struct amt_dev *dev)
{
	struct cira *c = cira_of(dev);
	const char *cn = c->first ? cira_text_in(c->first, "certificate_name") : "";

	if (!c->first_gone || c->at++)
		return false;
	if (strcmp(cira_text_in(c->first, "address"), chain_text(dev, "server")) != 0) {
		c->failures++;
		return false;
	}
	begin_server(dev, cira_text_in(c->first, "address"),
		(uint64_t)pctl_value_int(pctl_value_get(c->first, "port")), *cn ? cn : NULL);
	send_change(dev, first_is_back, not_undone);
	return true;
}

static const char *server_now(const struct cira *c, const char *name)
{
	bool first = name && c->first_gone && strcmp(name, cira_text_in(c->first, "name")) == 0;

	return first ? c->restored : name;
}

static bool undo_policies(struct amt_dev *dev)
{
	struct cira *c = cira_of(dev);

	while (c->at < c->n && !c->policies[c->at].gone)
		c->at++;
	if (c->at == c->n)
		return false;
	struct cira_policy p = c->policies[c->at++];
	for (size_t k = 0; k < CIRA_POLICY_SERVERS; k++) {
		const char *name = server_now(c, p.servers[k]);

		p.servers[k] = name ? pctl_xstrdup(name) : NULL;
	}
	begin_policy(dev, &p);
	for (size_t k = 0; k < CIRA_POLICY_SERVERS; k++)
		free(p.servers[k]);
	send_change(dev, undone, not_undone);
	return true;
}

/* Newly made ones are for calls from outside. */
static bool undo_networks(struct amt_dev *dev)
{
	struct cira *c = cira_of(dev);
	const struct cira_policy *p = NULL;

	for (; c->at < c->n; c->at++) {
		p = &c->policies[c->at];
		if (p->gone && p->networks && strcmp(p->networks, "0") != 0 &&
			server_now(c, p->servers[0]))
			break;
	}
	if (c->at++ >= c->n)
		return false;
	begin_apply(dev, p->name, server_now(c, p->servers[0]), p->networks, p->order);
	send_change(dev, undone, not_undone);
	return true;
}

static void undo(struct amt_dev *dev)
{
	static bool (*const steps[])(struct amt_dev * dev) = { undo_made, undo_added, undo_first,
		undo_policies, undo_networks };
	struct cira *c = cira_of(dev);

	for (; c->undoing < sizeof(steps) / sizeof(steps[0]); c->undoing++, c->at = 0)
		if (steps[c->undoing](dev))
			return;
	is_back(dev);
}

/* Of a clearing that stops nothing is put back: it shall go, and is tried again. */
static void failed(struct amt_dev *dev, const struct pctl_error *err)
{
	struct cira *c = cira_of(dev);
	bool verdict = answer_is_verdict(err) || err->code == PCTL_E_UNSUPPORTED;
	bool untouched = !c->added && !c->first_gone && !any_gone(c);

	c->why = *err;
	c->at = 0;
	if (verdict && is_cleared(dev))
		tell_what_is_left(dev);
	else if (!verdict || untouched)
		amt_end(dev, err);
	else
		undo(dev);
}

/* --- Where it begins. ------------------------------------------------------------------------- */

void cira_change_server(struct amt_dev *dev, chain_fn *then)
{
	cira_of(dev)->then = then;
	if (chain_given(dev, "server"))
		add_new(dev, not_added);
	else if (is_cleared(dev))
		remove_policies(dev);
	else
		begin_networks(dev);
}
