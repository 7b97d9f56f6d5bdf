/* SPDX-License-Identifier: Apache-2.0 */
/* cira: the server to which the device itself opens a connection, when, and where it does not. */
#include "classes/cira.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <powerctl/mem.h>

#include "classes/methods.h"
#include "classes/refer.h"
#include "version.h"

#define LOGIN_MAX     16u /* of user and password */
#define DETECTION_MAX 5u
#define ADDRESS_MAX   255u
#define SUFFIX_MAX    191u

static const char *const by_user[] = { "off", "bios", "os", "both", NULL };
static const char *const networks[] = { "outside", "inside", "both", NULL };

const struct pctl_property cira_parameters[] = {
	PCTL_PROPERTY(.name = "server", .type = PCTL_TYPE_TEXT, .excludes = "clear",
		.help = "name or address of the one server from now on"),
	PCTL_PROPERTY(.name = "port", .type = PCTL_TYPE_UINT, .needs = "server", .min = 1,
		.max = 65535, .default_text = "4433", .help = "its TCP port"),
	PCTL_PROPERTY(.name = "certificate_name", .type = PCTL_TYPE_TEXT, .needs = "server",
		.help = "the name in its certificate; needed where server is an address"),
	PCTL_PROPERTY(.name = "user", .type = PCTL_TYPE_TEXT, .needs = "server",
		.wants = "password", .help = "the device's login there"),
	PCTL_PROPERTY(.name = "password", .type = PCTL_TYPE_TEXT, .needs = "server",
		.wants = "user", .flags = PCTL_PROPERTY_SECRET, .help = "that login's password"),
	PCTL_PROPERTY(.name = "certificate", .type = PCTL_TYPE_TEXT, .needs = "server",
		.excludes = "user password",
		.help = "in place of user and password: the device's own, by its id in `amt "
			"certs`"),
	PCTL_PROPERTY(.name = "every", .type = PCTL_TYPE_DURATION, .needs = "server",
		.excludes = "daily",
		.help = "how often it tries to connect by itself; without it only when asked to"),
	PCTL_PROPERTY(.name = "daily", .type = PCTL_TYPE_TEXT, .needs = "server",
		.help = "in place of every: once a day at this time, like 03:30, by its own clock"),
	PCTL_PROPERTY(.name = "on_alert", .type = PCTL_TYPE_BOOL, .needs = "server",
		.default_text = "false", .help = "it connects to tell of an alert, too"),
	PCTL_PROPERTY(.name = "lifetime", .type = PCTL_TYPE_DURATION, .needs = "server",
		.default_text = "0s", .help = "after how long it hangs up; 0s: never"),
	PCTL_PROPERTY(.name = "networks", .type = PCTL_TYPE_CHOICE, .choices = networks,
		.help = "from where it connects: outside of its own networks, inside, both"),
	PCTL_PROPERTY(.name = "by_user", .type = PCTL_TYPE_CHOICE, .choices = by_user,
		.help = "who at the machine may ask for a connection: in the BIOS, in the system"),
	PCTL_PROPERTY(.name = "detection", .type = PCTL_TYPE_TEXTS,
		.help = "a DNS suffix of the own network, inside of which it does not connect; "
			"one that is nowhere: it always does"),
	PCTL_PROPERTY(.name = "proxy", .type = PCTL_TYPE_TEXT, .wants = "proxy_suffix",
		.help = "name or address of one more HTTP proxy between it and the server"),
	PCTL_PROPERTY(.name = "proxy_port", .type = PCTL_TYPE_UINT, .needs = "proxy", .min = 1,
		.max = 65535, .default_text = "8080", .help = "that proxy's TCP port"),
	PCTL_PROPERTY(.name = "proxy_suffix", .type = PCTL_TYPE_TEXT, .needs = "proxy",
		.help = "the DNS suffix of the network that has this proxy"),
	PCTL_PROPERTY(.name = "remove_proxy", .type = PCTL_TYPE_TEXT,
		.help = "name or address of a proxy"),
	PCTL_PROPERTY(.name = "proxy_sync", .type = PCTL_TYPE_BOOL,
		.help = "the operating system's proxies are taken over"),
	PCTL_PROPERTY(.name = "clear", .type = PCTL_TYPE_BOOL, .default_text = "false",
		.help = "forget server, policies, proxies and detection"),
	{ .name = NULL },
};

/* --- Reading. --------------------------------------------------------------------------------- */

static void free_policies(struct cira *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct cira_policy *p = &c->policies[i];

		free(p->name);
		free(p->data);
		free(p->networks);
		for (size_t k = 0; k < CIRA_POLICY_SERVERS; k++)
			free(p->servers[k]);
	}
	c->n = 0;
}

static void free_cira(void *kept)
{
	struct cira *c = kept;

	free_policies(c);
	free(c->policies);
	for (size_t i = 0; i < CIRA_TRIGGERS; i++)
		free(c->made[i]);
	free(c->added);
	free(c->restored);
	free(c);
}

struct cira *cira_of(struct amt_dev *dev)
{
	if (!amt_kept(dev))
		amt_keep(dev, pctl_xcalloc(1, sizeof(struct cira)), free_cira);
	return amt_kept(dev);
}

static uint32_t big_endian(const unsigned char *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* ExtendedData of a periodic policy: 0 and how many seconds, or 1, hours and minutes. */
static void show_period(const char *data, struct pctl_value *map)
{
	unsigned char b[24];
	char text[48];
	size_t len = strlen(data);
	int n = len == 12 || len == 16 ? EVP_DecodeBlock(b, (const unsigned char *)data, (int)len)
				       : -1;

	if (n < 8)
		return;
	uint32_t value = big_endian(b + 4);
	if (len == 12 && big_endian(b) == 0 && value)
		(void)snprintf(text, sizeof(text), "PT%uH%uM%uS", value / 3600, value / 60 % 60,
			value % 60);
	else if (len == 16 && big_endian(b) == 1 && value < 24 && big_endian(b + 8) < 60)
		(void)snprintf(text, sizeof(text), "%02u:%02u", value, big_endian(b + 8));
	else
		return;
	if (len == 12) {
		char words[CLASS_INTERVAL_SIZE];

		class_interval(text, words);
		pctl_value_set_text(map, "every", words);
	} else {
		pctl_value_set_text(map, "daily", text);
	}
}

static char *copy_of(const char *text)
{
	return text && *text ? pctl_xstrdup(text) : NULL;
}

static void also_policy(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	const char *name = xml_text(item, "PolicyRuleName");
	const char *data = xml_text(item, "ExtendedData");
	uint64_t trigger = xml_uint(item, "Trigger", 0);
	struct cira *c = cira_of(dev);

	if (trigger == 2 && data)
		show_period(data, map);
	if (dev->call.items == 1)
		free_policies(c);
	c->policies = pctl_xgrow(c->policies, &c->room, c->n + 1, sizeof(*c->policies));
	c->policies[c->n++] = (struct cira_policy){ .name = pctl_xstrdup(name ? name : ""),
		.data = copy_of(data),
		.trigger = trigger,
		.lifetime = xml_uint(item, "TunnelLifeTime", 0) };
}

/* A list that had to be begun anew comes twice. */
static void add_server_of(struct cira_policy *p, const char *server)
{
	for (size_t k = 0; k < CIRA_POLICY_SERVERS; k++) {
		if (p->servers[k] && strcmp(p->servers[k], server) == 0)
			return;
		if (p->servers[k])
			continue;
		p->servers[k] = pctl_xstrdup(server);
		return;
	}
}

static void also_goes_to(struct amt_dev *dev, const struct xml_node *item)
{
	const char *policy = chain_selector(xml_child(item, "PolicySet"), "PolicyRuleName");
	const char *server = chain_selector(xml_child(item, "ManagedElement"), "Name");
	struct cira *c = cira_of(dev);

	for (size_t i = 0; policy && server && i < c->n; i++) {
		struct cira_policy *p = &c->policies[i];

		if (strcmp(p->name, policy) != 0)
			continue;
		add_server_of(p, server);
		p->order = xml_uint(item, "OrderOfAccess", 0);
		free(p->networks);
		p->networks = copy_of(xml_text(item, "MpsType"));
	}
}

static void applies(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	const char *policy = chain_selector(xml_child(item, "PolicySet"), "PolicyRuleName");
	const char *server = chain_selector(xml_child(item, "ManagedElement"), "Name");

	(void)dev;
	pctl_value_set_text(map, "policy", policy ? policy : "");
	pctl_value_set_text(map, "server", server ? server : "");
}

static void also_applies(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	applies(dev, item, map);
	also_goes_to(dev, item);
}

static const struct chain_step steps[] = {
	{ &class_cira, NULL, 0, NULL },
	{ &class_cira_server, "servers", STEP_LIST | STEP_MAY_LACK, NULL },
	{ &class_cira_policy, "policies", STEP_LIST | STEP_MAY_LACK, also_policy },
	{ &class_cira_applies, "applied", STEP_LIST | STEP_MAY_LACK, also_applies },
	{ &class_cira_by_user, NULL, STEP_MAY_LACK, NULL },
	{ &class_environment, NULL, STEP_MAY_LACK, NULL },
	{ &class_proxy_service, NULL, STEP_MAY_LACK, NULL },
	{ &class_proxy, "proxies", STEP_LIST | STEP_MAY_LACK, NULL },
	{ .class = NULL },
};
const struct chain_step cira_applied_steps[] = {
	{ &class_cira_applies, "applied", STEP_LIST | STEP_MAY_LACK, applies },
	{ .class = NULL },
};

const struct pctl_value *cira_listed(struct amt_dev *dev, const char *list)
{
	return pctl_value_get(chain_work(dev)->ret, list);
}

bool cira_is_cleared(struct amt_dev *dev)
{
	return pctl_argument_bool(chain_work(dev)->args, "clear");
}

const char *cira_text_in(const struct pctl_value *map, const char *key)
{
	const char *text = pctl_value_text(pctl_value_get(map, key));

	return text ? text : "";
}

/* Which networks a policy is for stands with it, and nothing else of how it applies. */
static void was_read(struct amt_dev *dev)
{
	const struct pctl_value *applied = cira_listed(dev, "applied");

	for (size_t i = 0; applied && i < pctl_value_count(applied); i++) {
		const struct pctl_value *map = pctl_value_at(applied, i);
		const struct pctl_value *type = pctl_value_get(map, "networks");
		struct pctl_value *policy =
			chain_find(dev, "policies", "name", cira_text_in(map, "policy"));

		struct pctl_value *server =
			chain_find(dev, "servers", "name", cira_text_in(map, "server"));

		if (policy && type)
			pctl_value_set(policy, "networks", pctl_value_copy(type));
		if (policy && server)
			pctl_value_set_text(policy, "server", cira_text_in(server, "address"));
	}
	(void)pctl_value_unset(chain_work(dev)->ret, "applied");
	chain_end(dev);
}

void cira_look(struct amt_dev *dev, chain_fn *then, amt_except_fn *except)
{
	(void)pctl_value_unset(chain_work(dev)->ret, "detection");
	chain_read_or(dev, steps, then, except);
}

void cira_read(struct amt_dev *dev)
{
	cira_look(dev, was_read, NULL);
}

/* --- Before anything is changed. -------------------------------------------------------------- */

/* With what was read: what the device would refuse when the old server is gone already. */
static void begin_change(struct amt_dev *dev)
{
	const char *proxy = chain_text(dev, "remove_proxy");
	const char *version = version_in_server(dev->server);
	struct pctl_error err = { 0 };
	struct version v;

	if (refer_check(dev, "certificate", false, &err) < 0) {
		amt_end(dev, &err);
		return;
	}
	refer_done(dev);
	if (chain_given(dev, "networks") && version && version_parse(version, &v) &&
		(v.major < 11 || (v.major == 11 && v.minor < 6)))
		amt_fail(dev, PCTL_E_UNSUPPORTED,
			"networks: firmware before 11.6 connects from outside only");
	else if ((chain_given(dev, "proxy") || chain_given(dev, "proxy_sync") || proxy) &&
		 !cira_listed(dev, "proxies"))
		amt_fail(dev, PCTL_E_UNSUPPORTED, "this firmware knows no proxies");
	else if (proxy && !chain_find(dev, "proxies", "address", proxy))
		amt_fail(dev, PCTL_E_REFUSED, "there is no proxy '%s'", proxy);
	else
		cira_change(dev);
}

static void read_certificates(struct amt_dev *dev)
{
	if (chain_given(dev, "certificate"))
		refer_read(dev, begin_change);
	else
		begin_change(dev);
}

static int check_login(const struct pctl_arguments *args, struct pctl_error *err)
{
	const struct pctl_secret *password = pctl_argument_secret(args, "password");
	const char *user = pctl_argument_text(args, "user");

	if (pctl_argument_given(args, "certificate"))
		return 0;
	if (!user)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"user: and password_file are needed, or certificate: the device's login "
			"at the server");
	if (!*user || strlen(user) > LOGIN_MAX || pctl_secret_len(password) > LOGIN_MAX)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"user: and password have at most %u characters here", LOGIN_MAX);
	return 0;
}

static bool is_name(const char *text)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

	return *text && *text != '-' && *text != '.' && !text[strspn(text, letters)];
}

static int check_host(const char *parameter, const char *text, struct pctl_error *err)
{
	if (!*text || strlen(text) > ADDRESS_MAX)
		return pctl_error_set(err, PCTL_E_CONFIG, "%s: has from 1 to %u characters",
			parameter, ADDRESS_MAX);
	if (cira_format(text) == CIRA_NAME && !is_name(text))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s: '%.80s' is neither a host's name nor an address; its port is a "
			"parameter of its own",
			parameter, text);
	return 0;
}

static int check_server(const struct pctl_arguments *args, struct pctl_error *err)
{
	const char *server = pctl_argument_text(args, "server");
	const char *daily = pctl_argument_text(args, "daily");
	unsigned hours, minutes;

	if (!server)
		return 0;
	if (daily && !cira_parse_time(daily, &hours, &minutes))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"daily: '%s' is no time of the day, as 03:30 is", daily);
	if (check_host("server", server, err) < 0)
		return err->code;
	if (cira_format(server) != CIRA_NAME && !pctl_argument_given(args, "certificate_name"))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"certificate_name: is missing; where server is an address the device "
			"compares the certificate with this");
	return check_login(args, err);
}

static int check_proxy(const struct pctl_arguments *args, struct pctl_error *err)
{
	const char *proxy = pctl_argument_text(args, "proxy");
	const char *suffix = pctl_argument_text(args, "proxy_suffix");

	if (!proxy)
		return 0;
	if (check_host("proxy", proxy, err) < 0)
		return err->code;
	if (!*suffix || strlen(suffix) > SUFFIX_MAX)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"proxy_suffix: has from 1 to %u characters", SUFFIX_MAX);
	return 0;
}

/* Its policies count whole seconds. */
static int check_seconds(const struct pctl_arguments *args, struct pctl_error *err)
{
	static const char *const names[] = { "every", "lifetime" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (pctl_argument_duration(args, names[i]) % 1000)
			return pctl_error_set(
				err, PCTL_E_CONFIG, "%s: is in whole seconds: 90s, 5m", names[i]);
	return 0;
}

static int check_detection(const struct pctl_arguments *args, struct pctl_error *err)
{
	size_t n = pctl_argument_texts(args, "detection");

	if (n > DETECTION_MAX)
		return pctl_error_set(err, PCTL_E_CONFIG, "detection: at most %u", DETECTION_MAX);
	for (size_t i = 0; i < n; i++) {
		const char *suffix = pctl_argument_texts_at(args, "detection", i);

		if (*suffix && !is_name(suffix))
			return pctl_error_set(err, PCTL_E_CONFIG,
				"detection: '%.80s' is no DNS suffix, as example.org is", suffix);
	}
	return 0;
}

int cira_check(const struct pctl_arguments *args, struct pctl_error *err)
{
	int r = check_detection(args, err);

	r = r == 0 ? check_seconds(args, err) : r;
	r = r == 0 ? check_server(args, err) : r;
	return r == 0 ? check_proxy(args, err) : r;
}

void cira_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct amt_dev *dev = data;

	chain_begin(dev, op, args, ret);
	if (chain_any(dev, cira_parameters))
		cira_look(dev, read_certificates, NULL);
	else
		cira_read(dev);
}
