/* SPDX-License-Identifier: Apache-2.0 */
/* Inside cira: what it changes, one stage after the other, each of which goes on by itself. */
#include "classes/cira.h"

#include <stdio.h>
#include <string.h>

#include "classes/chain.h"

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

static void change_server(struct amt_dev *dev)
{
	cira_change_server(dev, next_stage);
}

static bool is_leaving(struct amt_dev *dev, const struct pctl_value *proxy)
{
	const char *address = chain_text(dev, "remove_proxy");

	return cira_is_cleared(dev) ||
	       (address && strcmp(cira_text_in(proxy, "address"), address) == 0);
}

/* Those that are to go, from cira.at on. */
static void remove_proxies(struct amt_dev *dev)
{
	const struct pctl_value *proxies = pctl_value_get(chain_work(dev)->ret, "proxies");
	struct cira *c = cira_of(dev);

	while (proxies && c->at < pctl_value_count(proxies)) {
		const struct pctl_value *map = pctl_value_at(proxies, c->at++);

		if (!is_leaving(dev, map))
			continue;
		chain_delete(dev, &class_proxy, "Name", cira_text_in(map, "name"));
		chain_send(dev, remove_proxies);
		return;
	}
	next_stage(dev);
}

/* --- What is the device's own: who may ask, by which proxy, where it is at home. ---------------
 */

static void change_by_user(struct amt_dev *dev)
{
	const char *word = chain_text(dev, "by_user");
	char number[24];
	const struct class_input inputs[] = { { .name = "RequestedState", .text = number },
		{ .name = NULL } };

	if (!word || strcmp(cira_text_in(chain_work(dev)->ret, "by_user"), word) == 0) {
		next_stage(dev);
		return;
	}
	(void)snprintf(number, sizeof(number), "%llu",
		(unsigned long long)class_number(words_user_initiated, word)->number);
	chain_call(dev, &allow_user, NULL, inputs, next_stage);
}

/* Whether there is just the one that is asked for, and stays. */
static bool is_proxy(struct amt_dev *dev, const char *proxy)
{
	const struct pctl_value *map = chain_find(dev, "proxies", "address", proxy);
	uint64_t port = pctl_argument_uint(chain_work(dev)->args, "proxy_port");

	return map && !is_leaving(dev, map) &&
	       (uint64_t)pctl_value_int(pctl_value_get(map, "port")) == port &&
	       strcmp(cira_text_in(map, "suffix"), chain_text(dev, "proxy_suffix")) == 0;
}

static void add_new_proxy(struct amt_dev *dev)
{
	const char *proxy = chain_text(dev, "proxy");
	char format[16], port[16];
	const struct class_input inputs[] = { { .name = "AccessInfo", .text = proxy },
		{ .name = "InfoFormat", .text = format }, { .name = "Port", .text = port },
		{ .name = "NetworkDnsSuffix", .text = chain_text(dev, "proxy_suffix") },
		{ .name = NULL } };

	if (!proxy || is_proxy(dev, proxy)) {
		next_stage(dev);
		return;
	}
	(void)snprintf(format, sizeof(format), "%d", (int)cira_format(proxy));
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

	if (!n && !cira_is_cleared(dev)) {
		next_stage(dev);
		return;
	}
	for (size_t i = 0; i < n; i++)
		chain_change(dev, "DetectionStrings", pctl_argument_texts_at(args, "detection", i));
	if (!n)
		chain_change(dev, "DetectionStrings", NULL);
	chain_put(dev, &class_environment, NULL, next_stage);
}

static chain_fn *const stages[] = { change_server, remove_proxies, change_by_user, add_new_proxy,
	change_sync, change_detection, cira_read };

static void next_stage(struct amt_dev *dev) /* NOLINT(misc-no-recursion) */
{
	struct cira *c = cira_of(dev);

	c->at = 0;
	stages[c->stage++](dev);
}

void cira_change(struct amt_dev *dev)
{
	next_stage(dev);
}
