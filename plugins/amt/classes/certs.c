/* SPDX-License-Identifier: Apache-2.0 */
/* certs: the certificates and keys that the device keeps. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <powerctl/mem.h>

#include "classes/chain.h"
#include "classes/file.h"
#include "classes/methods.h"
#include "classes/pki.h"

enum { KIND_AUTO, KIND_ROOT, KIND_LEAF };
static const char *const kinds[] = { "auto", "root", "leaf", NULL };

const struct pctl_property certs_parameters[] = {
	PCTL_PROPERTY(.name = "add", .type = PCTL_TYPE_FILE, .excludes = "remove remove_key",
		.help = "a certificate, in PEM or DER; a key that stands in the PEM goes with it"),
	PCTL_PROPERTY(.name = "kind", .type = PCTL_TYPE_CHOICE, .choices = kinds,
		.default_text = "auto", .needs = "add",
		.help = "root: one that the device trusts; leaf: one that it shows; auto: root "
			"if it signed itself, may sign others and comes without its key"),
	PCTL_PROPERTY(.name = "private_key", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_SECRET,
		.needs = "add", .help = "the leaf's key (RSA, PEM), which the device needs once"),
	PCTL_PROPERTY(.name = "remove", .type = PCTL_TYPE_TEXT, .excludes = "remove_key",
		.help = "a certificate's id; its key goes with it"),
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

/* A certificate that is to be added, and what became of it; kept with the op. */
struct certs {
	char *blob;        /* it, as base64 of DER */
	char *public;      /* the key in it, as keys are listed */
	char *fingerprint; /* as certificates are listed */
	bool root;
	/* Its key in base64 of PKCS#1, a secret; empty: it comes without. */
	struct pctl_buf key;
	bool key_added;
	char *new_key; /* InstanceID of the key that was added for it; NULL: none was */
	char *orphan;  /* id of the key that goes with the certificate that is removed */
	struct pctl_error why;
};

static struct certs *new_certs(void)
{
	struct certs *c = pctl_xcalloc(1, sizeof(*c));

	pctl_buf_init_secret(&c->key, METHODS_FILE_MAX);
	return c;
}

static void free_certs(void *kept)
{
	struct certs *c = kept;

	pctl_buf_done(&c->key);
	free(c->blob);
	free(c->public);
	free(c->fingerprint);
	free(c->new_key);
	free(c->orphan);
	free(c);
}

static struct certs *certs_of(struct amt_dev *dev)
{
	if (!amt_kept(dev))
		amt_keep(dev, new_certs(), free_certs);
	return amt_kept(dev);
}

/* --- Reading. --------------------------------------------------------------------------------- */

/* Of keys and certificates while they are compared; not told. */
#define PUBLIC "public"

static const char *text_in(const struct pctl_value *map, const char *key)
{
	const char *text = pctl_value_text(pctl_value_get(map, key));

	return text ? text : "";
}

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
	struct pctl_buf public;

	(void)dev;
	shorten_id(map);
	if (!blob)
		return;
	pki_describe(blob, map);
	pctl_buf_init(&public, METHODS_FILE_MAX);
	if (pki_public_key(blob, &public))
		pctl_value_set_text(map, PUBLIC, public.data);
	pctl_buf_done(&public);
}

static void also_key(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	const char *der = xml_text(item, "DERKey");

	(void)dev;
	shorten_id(map);
	if (der && *der)
		pctl_value_set_text(map, PUBLIC, der);
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

/* The key of a certificate, or NULL. */
static const struct pctl_value *key_of(struct amt_dev *dev, const char *public)
{
	return *public ? chain_find(dev, "keys", PUBLIC, public) : NULL;
}

static void hide_keys(const struct pctl_value *list)
{
	for (size_t i = 0; list && i < pctl_value_count(list); i++)
		(void)pctl_value_unset(pctl_value_at(list, i), PUBLIC);
}

static void was_read(struct amt_dev *dev)
{
	struct pctl_value *ret = chain_work(dev)->ret;
	const struct pctl_value *all = pctl_value_get(ret, "certificates");

	for (size_t i = 0; all && i < pctl_value_count(all); i++) {
		struct pctl_value *map = pctl_value_at(all, i);
		const struct pctl_value *key = key_of(dev, text_in(map, PUBLIC));

		if (key)
			pctl_value_set_text(map, "key", text_in(key, "id"));
	}
	hide_keys(all);
	hide_keys(pctl_value_get(ret, "keys"));
	(void)pctl_value_unset(ret, "credentials");
	chain_end(dev);
}

static void read_again(struct amt_dev *dev)
{
	chain_read(dev, steps, was_read);
}

/* --- Removing. -------------------------------------------------------------------------------- */

/* Whether one more certificate than this one has that key. */
static bool is_shared(struct amt_dev *dev, const struct pctl_value *certificate)
{
	const struct pctl_value *all = pctl_value_get(chain_work(dev)->ret, "certificates");
	const char *public = text_in(certificate, PUBLIC);

	for (size_t i = 0; i < pctl_value_count(all); i++)
		if (pctl_value_at(all, i) != certificate &&
			strcmp(text_in(pctl_value_at(all, i), PUBLIC), public) == 0)
			return true;
	return false;
}

static void delete_key(struct amt_dev *dev, const char *id)
{
	PCTL_AUTO(free) char *name = pctl_xasprintf(PKI_KEY "%s", id);

	chain_delete(dev, &class_key, "InstanceID", name);
}

static void orphan_is_gone(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	amt_changed(dev);
	read_again(dev);
}

static void orphan_stays(struct amt_dev *dev, const struct pctl_error *err)
{
	amt_end_saying(dev, err,
		"the certificate is gone, and its key %.20s is not: %.200s; remove_key=%.20s tries "
		"it again",
		certs_of(dev)->orphan, err->text, certs_of(dev)->orphan);
}

static void remove_orphan(struct amt_dev *dev)
{
	if (!certs_of(dev)->orphan) {
		read_again(dev);
		return;
	}
	delete_key(dev, certs_of(dev)->orphan);
	amt_changes(dev);
	amt_send(dev, orphan_is_gone, orphan_stays);
}

static void remove_certificate(struct amt_dev *dev)
{
	const char *id = chain_text(dev, "remove");
	const struct pctl_value *map = chain_find(dev, "certificates", "id", id);
	const struct pctl_value *key = map ? key_of(dev, text_in(map, PUBLIC)) : NULL;

	if (!map && chain_find(dev, "keys", "id", id)) {
		amt_fail(dev, PCTL_E_REFUSED,
			"%s is a key and no certificate: remove_key=%s removes it", id, id);
		return;
	}
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
	if (key && !is_shared(dev, map))
		certs_of(dev)->orphan = pctl_xstrdup(text_in(key, "id"));
	PCTL_AUTO(free) char *name = pctl_xasprintf(PKI_CERTIFICATE "%s", id);
	chain_delete(dev, &class_certificate, "InstanceID", name);
	chain_send(dev, remove_orphan);
}

static void remove_key(struct amt_dev *dev)
{
	const char *id = chain_text(dev, "remove_key");

	if (!chain_find(dev, "keys", "id", id)) {
		amt_fail(dev, PCTL_E_REFUSED, "there is no key with the id '%s'", id);
		return;
	}
	delete_key(dev, id);
	chain_send(dev, read_again);
}

/* --- Adding: the key first, which is taken back where its certificate is refused. ------------- */

static void certificate_added(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	amt_changed(dev);
	read_again(dev);
}

static void key_taken_back(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	amt_changed(dev);
	amt_end(dev, &certs_of(dev)->why);
}

static void key_stays(struct amt_dev *dev, const struct pctl_error *err)
{
	const char *id = pki_handle(certs_of(dev)->new_key);

	amt_end_saying(dev, &certs_of(dev)->why,
		"%.130s; its key was added before and could not be taken back (%.90s): "
		"remove_key=%.20s does it",
		certs_of(dev)->why.text, err->text, id);
}

static void certificate_refused(struct amt_dev *dev, const struct pctl_error *err)
{
	struct certs *c = certs_of(dev);

	if (!c->key_added || !answer_is_verdict(err)) {
		amt_end(dev, err);
		return;
	}
	if (!c->new_key) {
		amt_end_saying(dev, err,
			"%.160s; its key was added before, and the device did not say as which: "
			"`amt certs` lists it, remove_key=ID takes it away",
			err->text);
		return;
	}
	c->why = *err;
	chain_delete(dev, &class_key, "InstanceID", c->new_key);
	amt_changes(dev);
	amt_send(dev, key_taken_back, key_stays);
}

static void add_certificate(struct amt_dev *dev)
{
	const struct certs *c = certs_of(dev);
	const struct class_method *method = c->root ? &add_root : &add_leaf;
	const struct class_input inputs[] = { { .name = "CertificateBlob", .text = c->blob },
		{ .name = NULL } };

	if (chain_find(dev, "certificates", "fingerprint", c->fingerprint)) {
		read_again(dev); /* it is there, and its key by now */
		return;
	}
	class_call(amt_invoke(dev, method->class, method->name, method->returns), method, inputs);
	amt_changes(dev);
	amt_send(dev, certificate_added, certificate_refused);
}

static void key_added(struct amt_dev *dev, const struct xml_node *answer)
{
	const char *id = chain_selector(answer, "InstanceID");

	amt_changed(dev);
	certs_of(dev)->key_added = true;
	certs_of(dev)->new_key = id ? pctl_xstrdup(id) : NULL;
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

static void add_its_key(struct amt_dev *dev)
{
	const struct class_input inputs[] = {
		{ .name = "KeyBlob", .text = certs_of(dev)->key.data }, { .name = NULL }
	};
	struct wsman *w = amt_invoke(dev, &management, add_key.name, add_key.returns);

	class_call(w, &add_key, inputs);
	amt_changes(dev);
	amt_send(dev, key_added, key_not_added);
}

static void begin_add(struct amt_dev *dev)
{
	const struct certs *c = certs_of(dev);
	const struct pctl_value *same =
		chain_find(dev, "certificates", "fingerprint", c->fingerprint);
	bool is_root = pctl_value_bool(pctl_value_get(same, "trusted_root"));

	if (same && is_root != c->root)
		amt_fail(dev, PCTL_E_REFUSED,
			"this certificate is there already, as a %s: remove=%s first",
			is_root ? "root" : "leaf", text_in(same, "id"));
	else if (c->key.len && !key_of(dev, c->public))
		add_its_key(dev);
	else
		add_certificate(dev);
}

/* --- What is to be added, before anything is sent. -------------------------------------------- */

static void take_certificate(struct certs *c, const char *blob)
{
	struct pctl_value *map = pctl_value_new_map();
	struct pctl_buf public;

	pctl_buf_init(&public, METHODS_FILE_MAX);
	pki_describe(blob, map);
	c->blob = pctl_xstrdup(blob);
	c->public = pctl_xstrdup(pki_public_key(blob, &public) ? public.data : "");
	c->fingerprint = pctl_xstrdup(text_in(map, "fingerprint"));
	pctl_buf_done(&public);
	pctl_value_free(map);
}

/* The firmware would take a key that belongs to another certificate. */
static int take_key(
	struct certs *c, const char *from, const char *data, size_t len, struct pctl_error *err)
{
	struct pctl_buf public;

	pctl_buf_init(&public, METHODS_FILE_MAX);
	int r = pki_private_key(data, len, &c->key, &public, err);
	if (r < 0)
		r = pctl_error_set(err, PCTL_E_CONFIG,
			"%s: holds no RSA key in PEM without a passphrase, which is what the "
			"firmware takes",
			from);
	else if (strcmp(public.data, c->public) != 0)
		r = pctl_error_set(
			err, PCTL_E_CONFIG, "%s: is not the key of this certificate", from);
	pctl_buf_done(&public);
	return r;
}

/* A certificate's own file may have its key, too. */
static int take_keys(struct certs *c, const struct pctl_arguments *args, const char *data,
	size_t len, struct pctl_error *err)
{
	const struct pctl_secret *key = pctl_argument_secret(args, "private_key");
	int kind = pctl_argument_choice(args, "kind");
	bool beside = strstr(data, "PRIVATE KEY-----");

	if (kind == KIND_ROOT && key)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"private_key: a root needs none; with kind=leaf this certificate is one "
			"that the device shows");
	if (kind == KIND_ROOT || (!key && !beside))
		return 0;
	c->root = false;
	if (key)
		return take_key(c, "private_key", pctl_secret_data(key), pctl_secret_len(key), err);
	return take_key(c, "add: the key beside the certificate", data, len, err);
}

static int take_file(struct certs *c, const struct pctl_arguments *args, const char *data,
	size_t len, struct pctl_error *err)
{
	int kind = pctl_argument_choice(args, "kind");
	struct pctl_error why = { 0 };
	struct pctl_buf blob;
	bool root = false;

	pctl_buf_init(&blob, METHODS_FILE_MAX);
	int r = pki_certificate(data, len, &blob, &root, &why);
	if (r < 0) {
		(void)pctl_error_set(
			err, r, "add: %s: %s", pctl_argument_text(args, "add"), why.text);
	} else {
		take_certificate(c, blob.data);
		c->root = kind == KIND_ROOT || (kind == KIND_AUTO && root);
		r = take_keys(c, args, data, len, err);
	}
	pctl_buf_done(&blob);
	return r;
}

/* Of files that have the key beside the certificate. */
static int check_private(const char *path, struct pctl_error *err)
{
	struct stat st;

	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || !(st.st_mode & 0007))
		return 0;
	return pctl_error_set(err, PCTL_E_CONFIG,
		"add: %s holds a secret, the key, and others can read it (mode %04o); run: chmod "
		"o-rwx %s",
		path, (unsigned)(st.st_mode & 07777), path);
}

int certs_check(const struct pctl_arguments *args, struct pctl_error *err)
{
	const char *path = pctl_argument_text(args, "add");
	PCTL_AUTO(file_free) char *data = NULL;
	size_t len = 0;
	int r = path ? file_check("add", path, &data, &len, err) : 0;

	if (r <= 0)
		return r;
	struct certs *c = new_certs();
	r = take_file(c, args, data, len, err);
	if (r == 0 && c->key.len && !pctl_argument_secret(args, "private_key"))
		r = check_private(path, err);
	free_certs(c);
	return r;
}

/* --- Where it begins. ------------------------------------------------------------------------- */

static void got_file(struct amt_dev *dev, const char *data, size_t len)
{
	struct pctl_error err = { 0 };

	if (take_file(certs_of(dev), chain_work(dev)->args, data, len, &err) < 0)
		amt_end(dev, &err);
	else
		chain_read(dev, steps, begin_add);
}

void certs_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct amt_dev *dev = data;

	chain_begin(dev, op, args, ret);
	if (chain_given(dev, "add"))
		file_read(dev, "add", got_file);
	else if (chain_given(dev, "remove"))
		chain_read(dev, steps, remove_certificate);
	else if (chain_given(dev, "remove_key"))
		chain_read(dev, steps, remove_key);
	else
		read_again(dev);
}
