/* SPDX-License-Identifier: Apache-2.0 */
/* cira: the server to which the device itself opens a connection, when, and where it does not. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "classes/chain.h"
#include "classes/methods.h"

#define LOGIN_MAX     16u /* of user and password */
#define DETECTION_MAX 5u

enum { FORMAT_IPV4 = 3, FORMAT_IPV6 = 4, FORMAT_NAME = 201 };
enum { AUTH_PASSWORD = 2 };
enum { TRIGGER_USER = 0, TRIGGER_PERIODIC = 2 };

static const char *const by_user[] = { "off", "bios", "os", "both", NULL };

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
	PCTL_PROPERTY(.name = "every", .type = PCTL_TYPE_DURATION,
		.help = "how often it tries to connect by itself; without it only when asked to"),
	PCTL_PROPERTY(.name = "by_user", .type = PCTL_TYPE_CHOICE, .choices = by_user,
		.help = "who at the machine may ask for a connection: in the BIOS, in the system"),
	PCTL_PROPERTY(.name = "detection", .type = PCTL_TYPE_TEXTS,
		.help = "a DNS suffix of the own network, inside of which it does not connect; "
			"one that is nowhere: it always does"),
	PCTL_PROPERTY(.name = "clear", .type = PCTL_TYPE_BOOL, .default_text = "false",
		.help = "forget server, policies and detection"),
	{ .name = NULL },
};

static const struct class_method add_server = {
	.class = &class_cira.class,
	.name = "AddMpServer",
	.returns = STATUS_PLAIN,
	.inputs = { "AccessInfo", "InfoFormat", "Port", "AuthMethod", "Username", "Password",
		"CN" },
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

static const struct chain_step steps[] = {
	{ &class_cira, NULL, 0, NULL },
	{ &class_cira_server, "servers", STEP_LIST | STEP_MAY_LACK, NULL },
	{ &class_cira_policy, "policies", STEP_LIST | STEP_MAY_LACK, NULL },
	{ &class_cira_by_user, NULL, STEP_MAY_LACK, NULL },
	{ &class_environment, NULL, STEP_MAY_LACK, NULL },
	{ .class = NULL },
};

static void read_cira(struct amt_dev *dev)
{
	(void)pctl_value_unset(chain_work(dev)->ret, "detection");
	chain_read(dev, steps, chain_end);
}

static bool is_cleared(struct amt_dev *dev)
{
	return pctl_argument_bool(chain_work(dev)->args, "clear");
}

/* --- What is the device's own: who may ask, where it is at home. ------------------------------ */

/* As many as there are, or an empty one. */
static void change_detection(struct amt_dev *dev)
{
	const struct pctl_arguments *args = chain_work(dev)->args;
	size_t n = pctl_argument_texts(args, "detection");

	if (!n && !is_cleared(dev)) {
		read_cira(dev);
		return;
	}
	for (size_t i = 0; i < n; i++)
		chain_change(dev, "DetectionStrings", pctl_argument_texts_at(args, "detection", i));
	if (!n)
		chain_change(dev, "DetectionStrings", NULL);
	chain_put(dev, &class_environment, NULL, read_cira);
}

static void change_by_user(struct amt_dev *dev)
{
	const char *word = chain_text(dev, "by_user");
	char number[24];
	const struct class_input inputs[] = { { .name = "RequestedState", .text = number },
		{ .name = NULL } };

	if (!word) {
		change_detection(dev);
		return;
	}
	(void)snprintf(number, sizeof(number), "%llu",
		(unsigned long long)class_number(words_user_initiated, word)->number);
	chain_call(dev, &allow_user, NULL, inputs, change_detection);
}

/* --- The server, and when it is called. ------------------------------------------------------- */

static void invoke_policy(struct amt_dev *dev, unsigned trigger, const char *data, chain_fn *then)
{
	const struct wsman_selector server[] = { { "Name", chain_work(dev)->text },
		{ NULL, NULL } };
	char number[16];
	const struct class_input inputs[] = { { .name = "Trigger", .text = number },
		{ .name = "TunnelLifeTime", .text = "0" }, { .name = "ExtendedData", .text = data },
		{ .name = "MpServer", .class = &class_cira_server.class, .selectors = server },
		{ .name = NULL } };

	(void)snprintf(number, sizeof(number), "%u", trigger);
	chain_call(dev, &add_policy, NULL, inputs, then);
}

/* Its data: that it is an interval (0), and how many seconds; both in network order. */
static void add_periodic(struct amt_dev *dev)
{
	uint64_t seconds = pctl_argument_duration(chain_work(dev)->args, "every") / 1000;
	const unsigned char data[] = { 0, 0, 0, 0, (unsigned char)(seconds >> 24),
		(unsigned char)(seconds >> 16), (unsigned char)(seconds >> 8),
		(unsigned char)seconds };
	unsigned char text[16];

	if (!seconds) {
		change_by_user(dev);
		return;
	}
	(void)EVP_EncodeBlock(text, data, sizeof(data));
	invoke_policy(dev, TRIGGER_PERIODIC, (const char *)text, change_by_user);
}

static void server_added(struct amt_dev *dev, const struct xml_node *answer)
{
	struct chain_work *w = chain_work(dev);
	const struct xml_node *set = xml_find(answer, "SelectorSet");
	const char *name = NULL;

	amt_changed(dev);
	for (const struct xml_node *s = set ? set->first : NULL; s; s = s->next)
		if (s->key && strcmp(s->key, "Name") == 0)
			name = s->text;
	if (!name) {
		amt_fail(dev, PCTL_E_PROTOCOL, "the server was added, and its name is not told");
		return;
	}
	(void)snprintf(w->text, sizeof(w->text), "%s", name);
	invoke_policy(dev, TRIGGER_USER, NULL, add_periodic);
}

static unsigned format_of(const char *server)
{
	unsigned char a[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, server, a) == 1)
		return FORMAT_IPV4;
	return inet_pton(AF_INET6, server, a) == 1 ? FORMAT_IPV6 : FORMAT_NAME;
}

static void add_new(struct amt_dev *dev)
{
	const struct pctl_arguments *args = chain_work(dev)->args;
	const char *server = chain_text(dev, "server");
	char format[16], port[16], auth[16];

	if (!server) {
		change_by_user(dev);
		return;
	}
	const struct class_input inputs[] = { { .name = "AccessInfo", .text = server },
		{ .name = "InfoFormat", .text = format }, { .name = "Port", .text = port },
		{ .name = "AuthMethod", .text = auth },
		{ .name = "Username", .text = chain_text(dev, "user") },
		{ .name = "Password",
			.text = pctl_secret_data(pctl_argument_secret(args, "password")) },
		{ .name = "CN", .text = chain_text(dev, "certificate_name") }, { .name = NULL } };

	(void)snprintf(format, sizeof(format), "%u", format_of(server));
	(void)snprintf(port, sizeof(port), "%u", (unsigned)pctl_argument_uint(args, "port"));
	(void)snprintf(auth, sizeof(auth), "%d", AUTH_PASSWORD);
	struct wsman *w = amt_invoke(dev, add_server.class, add_server.name, add_server.returns);
	chain_hide(dev);
	class_call(w, &add_server, inputs);
	amt_changes(dev);
	amt_send(dev, server_added, NULL);
}

/* --- What was there goes first: policies, then servers. --------------------------------------- */

static const struct {
	const char *list, *key;
	const struct class *class;
} olds[] = {
	{ "policies", "PolicyRuleName", &class_cira_policy },
	{ "servers", "Name", &class_cira_server },
};

static void remove_old(struct amt_dev *dev)
{
	struct chain_work *w = chain_work(dev);
	const struct pctl_value *list = NULL;

	for (; w->stage < 2; w->stage++, w->number = 0) {
		list = pctl_value_get(w->ret, olds[w->stage].list);
		if (list && w->number < pctl_value_count(list))
			break;
	}
	if (w->stage == 2) {
		add_new(dev);
		return;
	}
	const char *name =
		pctl_value_text(pctl_value_get(pctl_value_at(list, (size_t)w->number++), "name"));
	const struct wsman_selector s[] = { { olds[w->stage].key, name ? name : "" },
		{ NULL, NULL } };
	(void)amt_request(dev,
		&(struct wsman_head){ .verb = WSMAN_DELETE,
			.class = &olds[w->stage].class->class,
			.selectors = s },
		STATUS_PLAIN);
	chain_send(dev, remove_old);
}

static void change_cira(struct amt_dev *dev)
{
	if (chain_given(dev, "server") || is_cleared(dev))
		remove_old(dev);
	else
		change_by_user(dev);
}

static int check_login(struct amt_dev *dev, struct pctl_error *err)
{
	const struct pctl_secret *password =
		pctl_argument_secret(chain_work(dev)->args, "password");
	const char *user = chain_text(dev, "user"), *server = chain_text(dev, "server");

	if (!server && (user || password || chain_given(dev, "every") || chain_given(dev, "port")))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"server: is missing: whose port, login and interval it is");
	if (!server)
		return 0;
	if (!user || !password)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"user: and password_file are needed: the device's login at the server");
	if (!*user || strlen(user) > LOGIN_MAX || pctl_secret_len(password) > LOGIN_MAX)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"user: and password have at most %u characters here", LOGIN_MAX);
	if (format_of(server) != FORMAT_NAME && !chain_given(dev, "certificate_name"))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"certificate_name: is missing; where server is an address the device "
			"compares the certificate with this");
	return 0;
}

void cira_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct amt_dev *dev = data;
	struct pctl_error err = { 0 };

	chain_begin(dev, op, args, ret);
	if (!chain_any(dev, cira_parameters))
		read_cira(dev);
	else if (is_cleared(dev) && chain_given(dev, "server"))
		amt_fail(dev, PCTL_E_CONFIG, "clear: or server, one of them and not both");
	else if (pctl_argument_texts(args, "detection") > DETECTION_MAX)
		amt_fail(dev, PCTL_E_CONFIG, "detection: at most %u", DETECTION_MAX);
	else if (check_login(dev, &err) < 0)
		amt_end(dev, &err);
	else
		chain_read(dev, steps, change_cira);
}
