/* SPDX-License-Identifier: Apache-2.0 */
/* cira: the server to which the device itself opens a connection, when, and where it does not. */
#include "classes/cira.h"

#include <string.h>

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
	PCTL_PROPERTY(.name = "server", .type = PCTL_TYPE_TEXT,
		.help = "name or address of the one server from now on"),
	PCTL_PROPERTY(.name = "port", .type = PCTL_TYPE_UINT, .min = 1, .max = 65535,
		.default_text = "4433", .help = "its TCP port"),
	PCTL_PROPERTY(.name = "certificate_name", .type = PCTL_TYPE_TEXT,
		.help = "the name in its certificate; needed where server is an address"),
	PCTL_PROPERTY(.name = "user", .type = PCTL_TYPE_TEXT, .help = "the device's login there"),
	PCTL_PROPERTY(.name = "password", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_SECRET,
		.help = "that login's password"),
	PCTL_PROPERTY(.name = "certificate", .type = PCTL_TYPE_TEXT,
		.help = "in place of user and password: the device's own, by its id in `amt "
			"certs`"),
	PCTL_PROPERTY(.name = "every", .type = PCTL_TYPE_DURATION,
		.help = "how often it tries to connect by itself; without it only when asked to"),
	PCTL_PROPERTY(.name = "daily", .type = PCTL_TYPE_TEXT,
		.help = "in place of every: once a day at this time, like 03:30, by its own clock"),
	PCTL_PROPERTY(.name = "on_alert", .type = PCTL_TYPE_BOOL, .default_text = "false",
		.help = "it connects to tell of an alert, too"),
	PCTL_PROPERTY(.name = "lifetime", .type = PCTL_TYPE_DURATION, .default_text = "0s",
		.help = "after how long it hangs up; 0s: never"),
	PCTL_PROPERTY(.name = "networks", .type = PCTL_TYPE_CHOICE, .choices = networks,
		.help = "from where it connects: outside of its own networks, inside, both"),
	PCTL_PROPERTY(.name = "by_user", .type = PCTL_TYPE_CHOICE, .choices = by_user,
		.help = "who at the machine may ask for a connection: in the BIOS, in the system"),
	PCTL_PROPERTY(.name = "detection", .type = PCTL_TYPE_TEXTS,
		.help = "a DNS suffix of the own network, inside of which it does not connect; "
			"one that is nowhere: it always does"),
	PCTL_PROPERTY(.name = "proxy", .type = PCTL_TYPE_TEXT,
		.help = "name or address of one more HTTP proxy between it and the server"),
	PCTL_PROPERTY(.name = "proxy_port", .type = PCTL_TYPE_UINT, .min = 1, .max = 65535,
		.default_text = "8080", .help = "that proxy's TCP port"),
	PCTL_PROPERTY(.name = "proxy_suffix", .type = PCTL_TYPE_TEXT,
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

const char *cira_selector(const struct xml_node *element, const char *name)
{
	const struct xml_node *set = xml_find(element, "SelectorSet");

	for (const struct xml_node *s = set ? set->first : NULL; s; s = s->next)
		if (s->key && strcmp(s->key, name) == 0)
			return s->text;
	return NULL;
}

static void also_applies(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	const char *policy = cira_selector(xml_child(item, "PolicySet"), "PolicyRuleName");
	const char *server = cira_selector(xml_child(item, "ManagedElement"), "Name");

	(void)dev;
	pctl_value_set_text(map, "policy", policy ? policy : "");
	pctl_value_set_text(map, "server", server ? server : "");
}

static const struct chain_step steps[] = {
	{ &class_cira, NULL, 0, NULL },
	{ &class_cira_server, "servers", STEP_LIST | STEP_MAY_LACK, NULL },
	{ &class_cira_policy, "policies", STEP_LIST | STEP_MAY_LACK, NULL },
	{ &class_cira_applies, "applied", STEP_LIST | STEP_MAY_LACK, also_applies },
	{ &class_cira_by_user, NULL, STEP_MAY_LACK, NULL },
	{ &class_environment, NULL, STEP_MAY_LACK, NULL },
	{ &class_proxy_service, NULL, STEP_MAY_LACK, NULL },
	{ &class_proxy, "proxies", STEP_LIST | STEP_MAY_LACK, NULL },
	{ .class = NULL },
};
const struct chain_step cira_applied_steps[] = {
	{ &class_cira_applies, "applied", STEP_LIST | STEP_MAY_LACK, also_applies },
	{ .class = NULL },
};
static const struct pctl_value *listed(struct amt_dev *dev, const char *list)
{
	return pctl_value_get(chain_work(dev)->ret, list);
}

const char *cira_text_in(const struct pctl_value *map, const char *key)
{
	const char *text = pctl_value_text(pctl_value_get(map, key));

	return text ? text : "";
}

/* Which networks a policy is for stands with it, and nothing else of how it applies. */
static void was_read(struct amt_dev *dev)
{
	const struct pctl_value *applied = listed(dev, "applied");

	for (size_t i = 0; applied && i < pctl_value_count(applied); i++) {
		const struct pctl_value *map = pctl_value_at(applied, i);
		const struct pctl_value *type = pctl_value_get(map, "networks");
		struct pctl_value *policy =
			chain_find(dev, "policies", "name", cira_text_in(map, "policy"));

		if (policy && type)
			pctl_value_set(policy, "networks", pctl_value_copy(type));
	}
	(void)pctl_value_unset(chain_work(dev)->ret, "applied");
	chain_end(dev);
}

void cira_read(struct amt_dev *dev)
{
	(void)pctl_value_unset(chain_work(dev)->ret, "detection");
	chain_read(dev, steps, was_read);
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
		 !listed(dev, "proxies"))
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

/* Of what belongs to a server that is not given. */
static int check_stray(struct amt_dev *dev, struct pctl_error *err)
{
	static const char *const of_server[] = { "user", "password", "certificate", "port",
		"certificate_name", "every", "daily", "on_alert", "lifetime" };
	static const char *const of_proxy[] = { "proxy_port", "proxy_suffix" };

	for (size_t i = 0; i < sizeof(of_server) / sizeof(of_server[0]); i++)
		if (!chain_given(dev, "server") && chain_given(dev, of_server[i]))
			return pctl_error_set(err, PCTL_E_CONFIG,
				"server: is missing: whose %s it is", of_server[i]);
	for (size_t i = 0; i < sizeof(of_proxy) / sizeof(of_proxy[0]); i++)
		if (!chain_given(dev, "proxy") && chain_given(dev, of_proxy[i]))
			return pctl_error_set(err, PCTL_E_CONFIG,
				"proxy: is missing: whose %s it is", of_proxy[i]);
	return 0;
}

static int check_login(struct amt_dev *dev, struct pctl_error *err)
{
	const struct pctl_secret *password =
		pctl_argument_secret(chain_work(dev)->args, "password");
	const char *user = chain_text(dev, "user"), *certificate = chain_text(dev, "certificate");

	if (certificate && (user || password))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"certificate: or user and password_file, one of them and not both");
	if (certificate)
		return 0;
	if (!user || !password)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"user: and password_file are needed, or certificate: the device's login "
			"at the server");
	if (!*user || strlen(user) > LOGIN_MAX || pctl_secret_len(password) > LOGIN_MAX)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"user: and password have at most %u characters here", LOGIN_MAX);
	return 0;
}

static int check_server(struct amt_dev *dev, struct pctl_error *err)
{
	const char *server = chain_text(dev, "server"), *daily = chain_text(dev, "daily");
	unsigned hours, minutes;

	if (!server)
		return 0;
	if (daily && chain_given(dev, "every"))
		return pctl_error_set(
			err, PCTL_E_CONFIG, "daily: or every, one of them and not both");
	if (daily && !cira_parse_time(daily, &hours, &minutes))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"daily: '%s' is no time of the day, as 03:30 is", daily);
	if (cira_format(server) != CIRA_NAME && !chain_given(dev, "certificate_name"))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"certificate_name: is missing; where server is an address the device "
			"compares the certificate with this");
	return check_login(dev, err);
}

static int check_proxy(struct amt_dev *dev, struct pctl_error *err)
{
	const char *proxy = chain_text(dev, "proxy"), *suffix = chain_text(dev, "proxy_suffix");

	if (!proxy)
		return 0;
	if (!*proxy || strlen(proxy) > ADDRESS_MAX)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "proxy: has from 1 to %u characters", ADDRESS_MAX);
	if (!suffix || !*suffix || strlen(suffix) > SUFFIX_MAX)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"proxy_suffix: is missing: in which network the proxy is, by its DNS "
			"suffix of at most %u characters",
			SUFFIX_MAX);
	return 0;
}

static int check(struct amt_dev *dev, struct pctl_error *err)
{
	int r = check_stray(dev, err);

	if (r == 0 && pctl_argument_bool(chain_work(dev)->args, "clear") &&
		chain_given(dev, "server"))
		r = pctl_error_set(
			err, PCTL_E_CONFIG, "clear: or server, one of them and not both");
	if (r == 0 && pctl_argument_texts(chain_work(dev)->args, "detection") > DETECTION_MAX)
		r = pctl_error_set(err, PCTL_E_CONFIG, "detection: at most %u", DETECTION_MAX);
	r = r == 0 ? check_server(dev, err) : r;
	return r == 0 ? check_proxy(dev, err) : r;
}

void cira_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct amt_dev *dev = data;
	struct pctl_error err = { 0 };

	chain_begin(dev, op, args, ret);
	if (!chain_any(dev, cira_parameters))
		cira_read(dev);
	else if (check(dev, &err) < 0)
		amt_end(dev, &err);
	else
		chain_read(dev, steps, read_certificates);
}
