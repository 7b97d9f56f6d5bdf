/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls: whether the ports of the network speak TLS. The order is the one that locks nobody out: a
 * certificate first, then TLS beside plain HTTP, and plain HTTP is closed by a command that came
 * over TLS itself. Certificates of clients are asked for when we have one that the device trusts.
 */
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <powerctl/mem.h>

#include "classes/chain.h"
#include "classes/methods.h"
#include "classes/pki.h"

#define NAMES_MAX 4u
#define NO_CLIENT                                                                            \
	"mutual: the node has no client_cert and client_key, so the next command would not " \
	"get in; set them first (powerctl set)"
#define REMOTE "Intel(r) AMT 802.3 TLS Settings"
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

/* Some way in is left: TLS, or HTTP without it. */
static int check_way_in(struct amt_dev *dev, struct pctl_error *err)
{
	bool on = wanted(dev, "enabled"), plain = wanted(dev, "plain");
	bool has_plain = pctl_value_get(pctl_value_get(chain_work(dev)->ret, "network"), "plain");

	if (chain_given(dev, "plain") && !plain && !on)
		return pctl_error_set(err, PCTL_E_STATE,
			"plain: without TLS it is the only way in; enabled=on opens TLS first");
	if (chain_given(dev, "enabled") && !on && has_plain && !plain)
		return pctl_error_set(err, PCTL_E_STATE,
			"enabled: HTTP without TLS is closed, so TLS is the only way in; plain=on "
			"beside it opens the other");
	if (chain_given(dev, "mutual") && wanted(dev, "mutual") && !is(dev, "mutual") &&
		!pctl_setting_text(dev->device, "client_cert"))
		return pctl_error_set(err, PCTL_E_CONFIG, NO_CLIENT);
	return 0;
}

static int check_wish(struct amt_dev *dev, struct pctl_error *err)
{
	const char *id = chain_text(dev, "certificate");
	bool on = wanted(dev, "enabled");

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
	if (chain_given(dev, "plain") && !wanted(dev, "plain") && !dev->link.tls)
		return pctl_error_set(err, PCTL_E_STATE,
			"plain: this command came without TLS, and the next one might not get "
			"through; once the device speaks TLS, say plain=off over it (`tls: true`)");
	return check_way_in(dev, err);
}

/* --- Whether it will let us in when clients have to show a certificate. ----------------------- */

/* Its roots. */
static X509_STORE *roots_of(struct amt_dev *dev)
{
	return amt_kept(dev);
}

static void free_roots(void *kept)
{
	X509_STORE_free(kept);
}

static void also_root(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	const char *blob = xml_text(item, "X509Certificate");
	X509 *x = blob && pctl_value_bool(pctl_value_get(map, "trusted_root")) ? pki_decode(blob)
									       : NULL;

	if (x)
		(void)X509_STORE_add_cert(roots_of(dev), x);
	X509_free(x);
}

static const struct chain_step root_steps[] = {
	{ &class_certificate, "roots", STEP_LIST, also_root },
	{ .class = NULL },
};

/* All certificates of a PEM file: ours, and what leads to its root. NULL: there are none. */
static STACK_OF(X509) * read_chain(const char *path)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	BIO *bio = BIO_new_file(path, "r");
	X509 *x;

	while (bio && chain && sk_X509_num(chain) < 16 &&
		(x = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		if (!sk_X509_push(chain, x))
			X509_free(x);
	BIO_free(bio);
	if (chain && sk_X509_num(chain) > 0)
		return chain;
	sk_X509_free(chain);
	return NULL;
}

static bool vouches(X509_STORE *roots, STACK_OF(X509) * chain)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool ok = ctx && X509_STORE_CTX_init(ctx, roots, sk_X509_value(chain, 0), chain) == 1 &&
		  X509_verify_cert(ctx) == 1;

	X509_STORE_CTX_free(ctx);
	return ok;
}

/* The name of our certificate as the device looks at it: one of those, or it ends like one. */
static bool is_trusted_name(const char *name, const char *trusted)
{
	size_t n = strlen(name), t = strlen(trusted);

	return !t || (n >= t && strcasecmp(name + n - t, trusted) == 0);
}

static bool has_trusted_name(struct amt_dev *dev, X509 *x)
{
	const struct pctl_arguments *args = chain_work(dev)->args;
	const struct pctl_value *network = pctl_value_get(chain_work(dev)->ret, "network");
	const struct pctl_value *now = pctl_value_get(network, "trusted_names");
	bool given = chain_given(dev, "trusted_name");
	size_t n = given ? pctl_argument_texts(args, "trusted_name")
		   : now ? pctl_value_count(now)
			 : 0;
	char name[256] = "";

	(void)X509_NAME_get_text_by_NID(
		X509_get_subject_name(x), NID_commonName, name, (int)sizeof(name));
	for (size_t i = 0; i < n; i++)
		if (is_trusted_name(name, given ? pctl_argument_texts_at(args, "trusted_name", i)
						: pctl_value_text(pctl_value_at(now, i))))
			return true;
	return n == 0;
}

static void change_certificate(struct amt_dev *dev);

static void check_client(struct amt_dev *dev)
{
	const char *path = pctl_setting_text(dev->device, "client_cert");
	STACK_OF(X509) *chain = path ? read_chain(path) : NULL;

	(void)pctl_value_unset(chain_work(dev)->ret, "roots");
	if (!path)
		amt_fail(dev, PCTL_E_CONFIG, NO_CLIENT);
	else if (!chain)
		amt_fail(dev, PCTL_E_CONFIG, "client_cert: %s: holds no certificate in PEM", path);
	else if (!vouches(roots_of(dev), chain))
		amt_fail(dev, PCTL_E_REFUSED,
			"mutual: the device trusts no root that vouches for the node's "
			"client_cert, so the next command would not get in; `amt certs "
			"add=ROOT.pem` adds it");
	else if (!has_trusted_name(dev, sk_X509_value(chain, 0)))
		amt_fail(dev, PCTL_E_REFUSED,
			"trusted_name: is not the name of the node's client_cert, so the next "
			"command would not get in");
	else
		change_certificate(dev);
	sk_X509_pop_free(chain, X509_free);
}

/* Only where it is about to become otherwise. */
static bool needs_client(struct amt_dev *dev)
{
	return wanted(dev, "enabled") && wanted(dev, "mutual") &&
	       (!is(dev, "mutual") || !is(dev, "enabled") || chain_given(dev, "trusted_name"));
}

static void read_roots(struct amt_dev *dev)
{
	X509_STORE *roots = X509_STORE_new();

	if (!roots) {
		amt_fail(dev, PCTL_E_INTERNAL, "OpenSSL gave no room for certificates");
		return;
	}
	amt_keep(dev, roots, free_roots);
	chain_read(dev, root_steps, check_client);
}

/* --- Changing, in order. ---------------------------------------------------------------------- */

/* What this host remembers of the old one is in the way of the next command. */
static void tell_of_certificate(struct amt_dev *dev)
{
	struct pctl_value *ret = chain_work(dev)->ret;

	if (chain_work(dev)->is.tls.certificate_changed && wanted(dev, "enabled") &&
		pctl_pin_known(dev->device, "tls"))
		pctl_value_set_text(ret, "hint",
			"it shows another certificate from now on, the one with this id, and this "
			"host remembers the old one: the next command needs `powerctl trust` "
			"before it");
}

static void committed(struct amt_dev *dev)
{
	tell_of_certificate(dev);
	pctl_fact_put(dev->device, FACT_TLS_COMMITTED, "yes");
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

/* What is so already may still wait for a commit that was lost. */
static void read_what_is_set(struct amt_dev *dev)
{
	if (dev->call.taken || !chain_work(dev)->is.tls.was_committed) {
		chain_read(dev, steps, read_again);
		return;
	}
	pctl_fact_put(dev->device, FACT_TLS_COMMITTED, "yes");
	was_read(dev);
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
	PCTL_AUTO(free)
	char *wanted_id = pctl_xasprintf(PKI_CERTIFICATE "%s", chain_text(dev, "certificate"));
	PCTL_AUTO(free) char *old_id = pctl_xasprintf(PKI_CERTIFICATE "%s", old ? old : "");
	const struct wsman_selector certificate[] = { { "InstanceID", wanted_id }, { NULL, NULL } };
	const struct wsman_selector in_use[] = { { "InstanceID", old_id }, { NULL, NULL } };
	const struct wsman_selector ports[] = { { "ElementName", name ? name : "" },
		{ NULL, NULL } };
	const struct wsman_link links[] = {
		{ "ElementInContext", &class_certificate.class, in_use },
		{ "ElementProvidingContext", &class_tls_collection.class, ports },
		{ .name = NULL },
	};

	chain_work(dev)->is.tls.certificate_changed = true;
	struct wsman *w = amt_request(dev,
		&(struct wsman_head){ .verb = old ? WSMAN_PUT : WSMAN_CREATE,
			.class = &class_tls_credential.class,
			.links = old ? links : NULL },
		STATUS_PLAIN);
	wsman_reference(w, "ElementInContext", &class_certificate.class, certificate);
	wsman_reference(w, "ElementProvidingContext", &class_tls_collection.class, ports);
	chain_send(dev, change_settings);
}

/* Before anything is sent: whose answer is lost is not committed either. */
static void note_change(struct amt_dev *dev)
{
	const char *fact = pctl_fact_get(dev->device, FACT_TLS_COMMITTED);

	chain_work(dev)->is.tls.was_committed = fact && strcmp(fact, "yes") == 0;
	if (!pctl_op_dry(dev->call.op))
		pctl_fact_put(dev->device, FACT_TLS_COMMITTED, "no");
}

static void change_certificate(struct amt_dev *dev)
{
	const char *in_use = pctl_value_text(pctl_value_get(chain_work(dev)->ret, "certificate"));
	const char *id = chain_text(dev, "certificate");

	note_change(dev);
	if (id && !(in_use && strcmp(in_use, id) == 0))
		amt_get(dev, &class_tls_collection.class, got_collection, NULL);
	else
		change_settings(dev);
}

static void change_tls(struct amt_dev *dev)
{
	struct pctl_error err = { 0 };

	if (check_wish(dev, &err) < 0)
		amt_end(dev, &err);
	else if (needs_client(dev))
		read_roots(dev);
	else
		change_certificate(dev);
}

int tls_check(const struct pctl_arguments *args, struct pctl_error *err)
{
	const char *id = pctl_argument_text(args, "certificate");

	if (id && (strspn(id, "0123456789") != strlen(id) || !*id || strlen(id) > 9))
		return pctl_error_set(
			err, PCTL_E_CONFIG, "certificate: is a number, its id in `amt certs`");
	if (pctl_argument_texts(args, "trusted_name") > NAMES_MAX)
		return pctl_error_set(err, PCTL_E_CONFIG, "trusted_name: at most %u", NAMES_MAX);
	return 0;
}

void tls_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct amt_dev *dev = data;

	chain_begin(dev, op, args, ret);
	chain_read(dev, steps, chain_any(dev, tls_parameters) ? change_tls : was_read);
}
