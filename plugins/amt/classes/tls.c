/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls: whether the ports of the network speak TLS. The order is the one that locks nobody out: a
 * certificate first, then TLS beside plain HTTP, and plain HTTP is closed by a command that came
 * over TLS itself.
 */
#include <stdio.h>
#include <string.h>

#include "classes/chain.h"
#include "classes/methods.h"
#include "classes/pki.h"

#define NAMES_MAX 4u
#define REMOTE    "Intel(r) AMT 802.3 TLS Settings"
const struct pctl_property tls_parameters[] = {
	PCTL_PROPERTY(.name = "enabled", .type = PCTL_TYPE_BOOL, .help = "TLS on the network"),
	PCTL_PROPERTY(.name = "certificate", .type = PCTL_TYPE_TEXT,
		.help = "the device's own, by its id in `amt certs`"),
	PCTL_PROPERTY(.name = "plain", .type = PCTL_TYPE_BOOL,
		.help = "HTTP without TLS is taken as well; off only by a command over TLS"),
	PCTL_PROPERTY(.name = "mutual", .type = PCTL_TYPE_BOOL,
		.help = "clients have to show a certificate too"),
	PCTL_PROPERTY(.name = "trusted_name", .type = PCTL_TYPE_TEXTS,
		.help = "a name, or how names end, that a client's certificate may have; an empty "
			"one: any"),
	{ .name = NULL },
};

static const struct class_method commit = {
	.class = &class_setup.class,
	.name = "CommitChanges",
	.returns = STATUS_PLAIN,
	.inputs = { NULL },
};

/* Each by what it is for, in place of a list. */
static void also_settings(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	const char *id = xml_text(item, "InstanceID");
	bool remote = id && strcmp(id, REMOTE) == 0;

	pctl_value_set(chain_work(dev)->ret, remote ? "network" : "local", pctl_value_copy(map));
}

static void also_credential(
	struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	const char *id = pctl_value_text(pctl_value_get(map, "certificate"));

	(void)item;
	if (id)
		pctl_value_set_text(chain_work(dev)->ret, "certificate", pki_handle(id));
}

static const struct chain_step steps[] = {
	{ &class_tls, "settings", STEP_LIST, also_settings },
	{ &class_tls_credential, "credentials", STEP_LIST | STEP_MAY_LACK, also_credential },
	{ .class = NULL },
};

static void tidy(struct amt_dev *dev)
{
	struct pctl_value *ret = chain_work(dev)->ret;

	(void)pctl_value_unset(ret, "settings");
	(void)pctl_value_unset(ret, "credentials");
}

static void was_read(struct amt_dev *dev)
{
	tidy(dev);
	chain_end(dev);
}

/* --- Changing. -------------------------------------------------------------------------------- */

static bool is(struct amt_dev *dev, const char *key)
{
	const struct pctl_value *map = pctl_value_get(chain_work(dev)->ret, "network");
	const struct pctl_value *v = pctl_value_get(map, key);

	return v && pctl_value_kind(v) == PCTL_VALUE_BOOL && pctl_value_bool(v);
}

static bool wanted(struct amt_dev *dev, const char *key)
{
	return chain_given(dev, key) ? pctl_argument_bool(chain_work(dev)->args, key)
				     : is(dev, key);
}

/* NonSecureConnectionsSupported says so, where there is it. */
static bool tls_only(struct amt_dev *dev)
{
	const struct pctl_value *map = pctl_value_get(chain_work(dev)->ret, "network");

	return pctl_value_get(map, "plain_supported") && !is(dev, "plain_supported");
}

static int check_wish(struct amt_dev *dev, struct pctl_error *err)
{
	const char *id = chain_text(dev, "certificate");
	bool on = wanted(dev, "enabled");

	if (id && (strspn(id, "0123456789") != strlen(id) || !*id || strlen(id) > 9))
		return pctl_error_set(
			err, PCTL_E_CONFIG, "certificate: is a number, its id in `amt certs`");
	if (!pctl_value_get(chain_work(dev)->ret, "network"))
		return pctl_error_set(err, PCTL_E_UNSUPPORTED, "this firmware has no TLS");
	if (tls_only(dev) && (!on || (chain_given(dev, "plain") && wanted(dev, "plain"))))
		return pctl_error_set(err, PCTL_E_UNSUPPORTED,
			"this firmware speaks TLS only, and HTTP without it cannot be opened");
	if (on && !id && !is(dev, "enabled") &&
		!pctl_value_get(chain_work(dev)->ret, "certificate"))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"certificate: is missing; TLS needs one of the device's own: `amt certs` "
			"lists them, and adds one with its key");
	if (pctl_argument_texts(chain_work(dev)->args, "trusted_name") > NAMES_MAX)
		return pctl_error_set(err, PCTL_E_CONFIG, "trusted_name: at most %u", NAMES_MAX);
	if (chain_given(dev, "plain") && !wanted(dev, "plain") && !dev->link.tls)
		return pctl_error_set(err, PCTL_E_STATE,
			"plain: this command came without TLS, and the next one might not get "
			"through; once the device speaks TLS, say plain=off over it (`tls: true`)");
	return 0;
}

static void committed(struct amt_dev *dev)
{
	/* With `tls: auto` the next command looks there first. */
	if (chain_given(dev, "enabled"))
		pctl_fact_put(dev->device, FACT_TLS, wanted(dev, "enabled") ? "yes" : "no");
	chain_end(dev);
}

/* Read before, for it starts its listener anew then. */
static void read_again(struct amt_dev *dev)
{
	tidy(dev);
	chain_call(dev, &commit, NULL, NULL, committed);
}

static void read_what_is_set(struct amt_dev *dev)
{
	chain_read(dev, steps, read_again);
}

static void change_names(struct amt_dev *dev)
{
	const struct pctl_arguments *args = chain_work(dev)->args;
	size_t n = pctl_argument_texts(args, "trusted_name");

	if (n == 1 && !*pctl_argument_texts_at(args, "trusted_name", 0)) {
		chain_change(dev, "TrustedCN", NULL);
		return;
	}
	for (size_t i = 0; i < n; i++)
		chain_change(dev, "TrustedCN", pctl_argument_texts_at(args, "trusted_name", i));
}

static void change_settings(struct amt_dev *dev)
{
	static const struct wsman_selector remote[] = { { "InstanceID", REMOTE }, { NULL, NULL } };
	bool first = !is(dev, "enabled") && wanted(dev, "enabled");

	if (!tls_only(dev) && (first || chain_given(dev, "plain")))
		chain_change(dev, "AcceptNonSecureConnections",
			!chain_given(dev, "plain") || wanted(dev, "plain") ? "true" : "false");
	chain_change(dev, "Enabled", wanted(dev, "enabled") ? "true" : "false");
	chain_change(dev, "MutualAuthentication", wanted(dev, "mutual") ? "true" : "false");
	change_names(dev);
	chain_put(dev, &class_tls, remote, read_what_is_set);
}

/* What its certificate is for has two spellings: it is read first. */
static void got_collection(struct amt_dev *dev, const struct xml_node *answer)
{
	const char *name = xml_text(answer, "ElementName");
	const char *old = pctl_value_text(pctl_value_get(chain_work(dev)->ret, "certificate"));
	char wanted_id[64], old_id[64];
	const struct wsman_selector certificate[] = { { "InstanceID", wanted_id }, { NULL, NULL } };
	const struct wsman_selector in_use[] = { { "InstanceID", old_id }, { NULL, NULL } };
	const struct wsman_selector ports[] = { { "ElementName", name ? name : "" },
		{ NULL, NULL } };
	const struct wsman_link links[] = {
		{ "ElementInContext", &class_certificate.class, in_use },
		{ "ElementProvidingContext", &class_tls_collection.class, ports },
		{ .name = NULL },
	};

	(void)snprintf(
		wanted_id, sizeof(wanted_id), PKI_CERTIFICATE "%s", chain_text(dev, "certificate"));
	(void)snprintf(old_id, sizeof(old_id), PKI_CERTIFICATE "%s", old ? old : "");
	struct wsman *w = amt_request(dev,
		&(struct wsman_head){ .verb = old ? WSMAN_PUT : WSMAN_CREATE,
			.class = &class_tls_credential.class,
			.links = old ? links : NULL },
		STATUS_PLAIN);
	wsman_reference(w, "ElementInContext", &class_certificate.class, certificate);
	wsman_reference(w, "ElementProvidingContext", &class_tls_collection.class, ports);
	chain_send(dev, change_settings);
}

static void change_tls(struct amt_dev *dev)
{
	const char *in_use = pctl_value_text(pctl_value_get(chain_work(dev)->ret, "certificate"));
	const char *id = chain_text(dev, "certificate");
	struct pctl_error err = { 0 };

	if (check_wish(dev, &err) < 0)
		amt_end(dev, &err);
	else if (id && !(in_use && strcmp(in_use, id) == 0))
		amt_get(dev, &class_tls_collection.class, got_collection, NULL);
	else
		change_settings(dev);
}

void tls_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct amt_dev *dev = data;

	chain_begin(dev, op, args, ret);
	chain_read(dev, steps, chain_any(dev, tls_parameters) ? change_tls : was_read);
}
