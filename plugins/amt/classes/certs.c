/* SPDX-License-Identifier: Apache-2.0 */
/* certs: the certificates and keys that the device keeps. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "classes/chain.h"
#include "classes/file.h"
#include "classes/methods.h"
#include "classes/pki.h"

enum { KIND_AUTO, KIND_ROOT, KIND_LEAF };
static const char *const kinds[] = { "auto", "root", "leaf", NULL };

const struct pctl_property certs_parameters[] = {
	PCTL_PROPERTY(.name = "add", .type = PCTL_TYPE_FILE,
		.help = "a certificate, in PEM or DER"),
	PCTL_PROPERTY(.name = "kind", .type = PCTL_TYPE_CHOICE, .choices = kinds,
		.default_text = "auto",
		.help = "root: one that the device trusts; leaf: one that it shows; auto: root "
			"if it signed itself and may sign others"),
	PCTL_PROPERTY(.name = "private_key", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_SECRET,
		.help = "the leaf's key (RSA, PEM), which the device needs once"),
	PCTL_PROPERTY(.name = "remove", .type = PCTL_TYPE_TEXT, .help = "a certificate's id"),
	PCTL_PROPERTY(.name = "remove_key", .type = PCTL_TYPE_TEXT, .help = "a key's id"),
	{ .name = NULL },
};

static const struct wsman_class management =
	WSMAN_CLASS(WSMAN_AMT, "AMT_PublicKeyManagementService");
static const struct class_method add_key = {
	.class = &management,
	.name = "AddKey",
	.returns = STATUS_PLAIN,
	.inputs = { "KeyBlob" },
};
static const struct class_method add_root = {
	.class = &management,
	.name = "AddTrustedRootCertificate",
	.returns = STATUS_PLAIN,
	.inputs = { "CertificateBlob" },
};
static const struct class_method add_leaf = {
	.class = &management,
	.name = "AddCertificate",
	.returns = STATUS_PLAIN,
	.inputs = { "CertificateBlob" },
};

/* --- Reading. --------------------------------------------------------------------------------- */

static void shorten_id(struct pctl_value *map)
{
	const char *id = pctl_value_text(pctl_value_get(map, "id"));
	struct pctl_value *handle = id ? pctl_value_new_text(pki_handle(id)) : NULL;

	if (handle)
		pctl_value_set(map, "id", handle);
}

static void also_certificate(
	struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	const char *blob = xml_text(item, "X509Certificate");

	(void)dev;
	shorten_id(map);
	if (blob)
		pki_describe(blob, map);
}

static void also_key(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	(void)dev, (void)item;
	shorten_id(map);
}

static void also_credential(
	struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	const char *id = pctl_value_text(pctl_value_get(map, "certificate"));
	struct pctl_value *used = id ? chain_find(dev, "certificates", "id", pki_handle(id)) : NULL;

	(void)item;
	if (used)
		pctl_value_set_text(used, "used_for", "tls");
}

static const struct chain_step steps[] = {
	{ &class_certificate, "certificates", STEP_LIST, also_certificate },
	{ &class_key, "keys", STEP_LIST | STEP_MAY_LACK, also_key },
	{ &class_tls_credential, "credentials", STEP_LIST | STEP_MAY_LACK, also_credential },
	{ .class = NULL },
};

static void was_read(struct amt_dev *dev)
{
	(void)pctl_value_unset(chain_work(dev)->ret, "credentials");
	chain_end(dev);
}

static void read_again(struct amt_dev *dev)
{
	chain_read(dev, steps, was_read);
}

/* --- Changing. -------------------------------------------------------------------------------- */

static void remove_certificate(struct amt_dev *dev)
{
	const char *id = chain_text(dev, "remove");
	const struct pctl_value *map = chain_find(dev, "certificates", "id", id);
	char name[96];
	const struct wsman_selector s[] = { { "InstanceID", name }, { NULL, NULL } };

	(void)snprintf(name, sizeof(name), PKI_CERTIFICATE "%.40s", id);
	if (!map) {
		amt_fail(dev, PCTL_E_REFUSED, "there is no certificate with the id '%s'", id);
		return;
	}
	if (pctl_value_get(map, "used_for")) {
		amt_fail(dev, PCTL_E_REFUSED,
			"certificate %s is the one that the device shows over TLS; `amt tls "
			"certificate=ID` takes another one first",
			id);
		return;
	}
	(void)amt_request(dev,
		&(struct wsman_head){
			.verb = WSMAN_DELETE, .class = &class_certificate.class, .selectors = s },
		STATUS_PLAIN);
	chain_send(dev, read_again);
}

static void remove_key(struct amt_dev *dev)
{
	const char *id = chain_text(dev, "remove_key");
	char name[96];
	const struct wsman_selector s[] = { { "InstanceID", name }, { NULL, NULL } };

	(void)snprintf(name, sizeof(name), PKI_KEY "%.40s", id);
	if (!chain_find(dev, "keys", "id", id)) {
		amt_fail(dev, PCTL_E_REFUSED, "there is no key with the id '%s'", id);
		return;
	}
	(void)amt_request(dev,
		&(struct wsman_head){
			.verb = WSMAN_DELETE, .class = &class_key.class, .selectors = s },
		STATUS_PLAIN);
	chain_send(dev, read_again);
}

static void add_certificate(struct amt_dev *dev)
{
	const struct pctl_value *kept = chain_kept(dev);
	int kind = pctl_argument_choice(chain_work(dev)->args, "kind");
	bool root = kind == KIND_ROOT ||
		    (kind == KIND_AUTO && pctl_value_bool(pctl_value_get(kept, "root")));
	const struct class_input inputs[] = { { .name = "CertificateBlob",
						      .text = pctl_value_text(
							      pctl_value_get(kept, "blob")) },
		{ .name = NULL } };

	chain_call(dev, root ? &add_root : &add_leaf, NULL, inputs, read_again);
}

static void key_added(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	amt_changed(dev);
	add_certificate(dev);
}

/* A key that is there already does no harm. */
static void key_not_added(struct amt_dev *dev, const struct pctl_error *err)
{
	if (strcmp(err->device_code, "ReturnValue 2058") == 0)
		add_certificate(dev);
	else
		amt_end(dev, err);
}

static void change_certs(struct amt_dev *dev)
{
	const struct pctl_secret *key = pctl_argument_secret(chain_work(dev)->args, "private_key");
	struct pctl_error err = { 0 };
	struct pctl_buf blob;

	if (chain_given(dev, "remove") || chain_given(dev, "remove_key")) {
		(chain_given(dev, "remove") ? remove_certificate : remove_key)(dev);
		return;
	}
	if (!key) {
		add_certificate(dev);
		return;
	}
	pctl_buf_init_secret(&blob, METHODS_FILE_MAX);
	if (pki_private_key(pctl_secret_data(key), pctl_secret_len(key), &blob, &err) < 0) {
		amt_end(dev, &err);
	} else {
		const struct class_input inputs[] = { { .name = "KeyBlob", .text = blob.data },
			{ .name = NULL } };
		struct wsman *w = amt_invoke(dev, &management, add_key.name, add_key.returns);

		chain_hide(dev);
		class_call(w, &add_key, inputs);
		amt_changes(dev);
		amt_send(dev, key_added, key_not_added);
	}
	pctl_buf_done(&blob);
}

static void got_file(struct amt_dev *dev, const char *data, size_t len)
{
	struct pctl_value *kept = chain_kept(dev);
	struct pctl_error err = { 0 };
	struct pctl_buf blob;
	bool root = false;

	pctl_buf_init(&blob, METHODS_FILE_MAX);
	if (pki_certificate(data, len, &blob, &root, &err) < 0) {
		amt_fail(dev, err.code, "add: %s: %s", chain_text(dev, "add"), err.text);
	} else {
		pctl_value_set_text(kept, "blob", blob.data);
		pctl_value_set_bool(kept, "root", root);
		chain_read(dev, steps, change_certs);
	}
	pctl_buf_done(&blob);
}

void certs_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct amt_dev *dev = data;

	chain_begin(dev, op, args, ret);
	if (!chain_any(dev, certs_parameters))
		read_again(dev);
	else if (chain_given(dev, "add") + chain_given(dev, "remove") +
			 chain_given(dev, "remove_key") !=
		 1)
		amt_fail(dev, PCTL_E_CONFIG, "add: or remove, remove_key: one of them at a time");
	else if (chain_given(dev, "add"))
		file_read(dev, "add", got_file);
	else
		chain_read(dev, steps, change_certs);
}
