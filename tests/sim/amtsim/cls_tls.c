/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The classes about TLS, and what they do: from CommitChanges on the ports show the certificate
 * that was chosen, and with MutualAuthentication let in whose certificate one of the device's roots
 * vouches for. TrustedCN holds at once.
 */
#include <openssl/ssl.h>
#include <string.h>

#include "own_tls.h"
#include "security.h"
#include "sim.h"
#include "store.h"

enum {
	PT_NOT_PERMITTED = 0x10,
	PT_PARAMETER = 0x24,
	PT_NO_KEYS = 0x80C,
	PT_NOT_FOUND = 0x814,
	DER_MAX = 8192,
	NAME_SIZE = 256,
};

#define REMOTE "Intel(r) AMT 802.3 TLS Settings"
#define LOCAL  "Intel(r) AMT LMS TLS Settings"
#define PORTS  "TLSProtocolEndpoint Instances Collection"

/* --- Classes. --------------------------------------------------------------------------------- */

static const struct store_field context_fields[] = {
	{ "ElementInContext", STORE_EPR, 0 },
	{ "ElementProvidingContext", STORE_EPR, 0 },
};

/* The last line of a reference is the value of its last selector. */
static struct str last_line(const char *lines)
{
	const char *at = lines ? strrchr(lines, '\n') : NULL;

	return at ? str_of(at + 1) : STR("");
}

/* A certificate that is there, with its key, for the ports by their name. */
static uint32_t check_context(
	struct call *c, const struct store_row *was, const struct store_row *is)
{
	struct str id = last_line(is->values[0]);

	(void)was;
	if (!is->values[0] || !is->values[1] || !str_is(last_line(is->values[1]), PORTS))
		return PT_PARAMETER;
	if (!security_certificate(c->dev, id))
		return PT_NOT_FOUND;
	return security_is_own(c->dev, id) ? 0 : PT_NO_KEYS;
}

static const struct store_class context_store = {
	.fields = context_fields,
	.nfields = COUNT(context_fields),
	.at = STORE_TLS_CONTEXT,
	.check = check_context,
	.creatable = true,
	.deletable = true,
};

static const struct store_field tls_fields[] = {
	{ "AcceptNonSecureConnections", STORE_BOOL, STORE_ABSENT_OK },
	{ "ElementName", STORE_TEXT, 0 },
	{ "Enabled", STORE_BOOL, 0 },
	{ "InstanceID", STORE_TEXT, 0 },
	{ "MutualAuthentication", STORE_BOOL, 0 },
	{ "NonSecureConnectionsSupported", STORE_BOOL, STORE_READ_ONLY },
	{ "TrustedCN", STORE_TEXT, STORE_LIST | STORE_ABSENT_OK },
};
static const char *const tls[] = { "true", REMOTE, "false", REMOTE, "false", NULL, NULL, "true",
	LOCAL, "false", LOCAL, "false", NULL, NULL };

static uint32_t check_tls(struct call *c, const struct store_row *was, const struct store_row *is)
{
	const struct store_class *class = c->wclass->store;
	bool on = strcmp(store_get(class, is, "Enabled"), "true") == 0;
	const char *plain = store_get(class, is, "AcceptNonSecureConnections");
	const char *was_plain = store_get(class, was, "AcceptNonSecureConnections");

	if (c->dev->knobs.audit_full)
		return 0x81B;
	if (c->dev->knobs.tls_only &&
		(!on || (plain && was_plain && strcmp(plain, was_plain) != 0)))
		return PT_NOT_PERMITTED;
	if (on && !c->dev->knobs.tls_only && !store_table(c->dev, &context_store)->n)
		return PT_NO_KEYS;
	return 0;
}

/* Newer firmware speaks nothing but TLS, and says so. */
static void fill_tls(struct device *dev, struct store_table *t)
{
	if (!dev->knobs.tls_only)
		return;
	for (size_t i = 0; i < t->n; i++) {
		free(t->rows[i].values[0]);
		free(t->rows[i].values[2]);
		t->rows[i].values[0] = store_copy(STR("false"));
		t->rows[i].values[2] = store_copy(STR("true"));
		t->rows[i].values[5] = store_copy(STR("false"));
	}
}

static const struct store_class tls_store = {
	.fields = tls_fields,
	.nfields = COUNT(tls_fields),
	.initial = tls,
	.ninitial = 2,
	.at = STORE_TLS,
	.check = check_tls,
	.fill = fill_tls,
};

static void emit_ports(struct call *c, size_t i)
{
	(void)i;
	emit_field(c, "ElementName", PORTS);
}

const struct wclass tls_classes[] = {
	{
		.name = "AMT_TLSSettingData",
		.uri = NS_AMT "AMT_TLSSettingData",
		.key = "InstanceID",
		.store = &tls_store,
	},
	{
		.name = "AMT_TLSCredentialContext",
		.uri = NS_AMT "AMT_TLSCredentialContext",
		.selectors = "ElementInContext ElementProvidingContext",
		.store = &context_store,
	},
	{
		.name = "AMT_TLSProtocolEndpointCollection",
		.uri = NS_AMT "AMT_TLSProtocolEndpointCollection",
		.selectors = "ElementName",
		.emit = emit_ports,
	},
};

const size_t tls_classes_count = COUNT(tls_classes);

/* --- What is in effect. ----------------------------------------------------------------------- */

struct own_tls {
	X509 *certificate;
	EVP_PKEY *key;
	bool mutual;
};

struct str own_tls_certificate(struct device *dev)
{
	const struct store_table *t = store_table(dev, &context_store);

	return t->n ? last_line(t->rows[0].values[0]) : STR("");
}

void own_tls_forget(struct device *dev)
{
	struct own_tls *own = dev->own_tls;

	dev->own_tls = NULL;
	if (!own)
		return;
	X509_free(own->certificate);
	EVP_PKEY_free(own->key);
	free(own);
}

static int decode(const char *base64, uint8_t der[DER_MAX])
{
	return base64 ? base64_decode(str_of(base64), der, DER_MAX) : -1;
}

/* NULL: there is none, or it is none. */
static X509 *read_certificate(const char *base64)
{
	uint8_t der[DER_MAX];
	int n = decode(base64, der);
	const unsigned char *at = der;

	return n > 0 ? d2i_X509(NULL, &at, n) : NULL;
}

static EVP_PKEY *read_key(const char *base64)
{
	uint8_t der[DER_MAX];
	int n = decode(base64, der);
	const unsigned char *at = der;

	return n > 0 ? d2i_PrivateKey(EVP_PKEY_RSA, NULL, &at, n) : NULL;
}

static const char *remote_setting(struct device *dev, const char *field)
{
	const struct store_row *row = store_find(dev, &tls_store, "InstanceID", STR(REMOTE));
	const char *value = row ? store_get(&tls_store, row, field) : NULL;

	return value ? value : "";
}

void own_tls_commit(struct device *dev)
{
	struct str id = own_tls_certificate(dev);
	struct own_tls *own;

	own_tls_forget(dev);
	if (strcmp(remote_setting(dev, "Enabled"), "true") != 0)
		return;
	own = dev->own_tls = xcalloc(1, sizeof(*own));
	own->certificate = read_certificate(security_certificate(dev, id));
	own->key = read_key(security_key(dev, id));
	own->mutual = strcmp(remote_setting(dev, "MutualAuthentication"), "true") == 0;
}

/* --- Handshakes. ------------------------------------------------------------------------------ */

/* A name, or how it ends; none at all: any will do. */
static bool is_trusted(struct device *dev, const X509 *client)
{
	struct str names = str_of(remote_setting(dev, "TrustedCN")), name;
	char text[NAME_SIZE] = "";
	bool any = !names.n;

	X509_NAME_get_text_by_NID(
		X509_get_subject_name(client), NID_commonName, text, (int)sizeof(text));
	while (!any && str_split(&names, '\n', &name)) {
		struct str end = str_of(text);

		if (!name.n || name.n > end.n)
			continue;
		end.p += end.n - name.n;
		end.n = name.n;
		any = strncasecmp(end.p, name.p, name.n) == 0;
	}
	return any;
}

static int on_client(int ok, X509_STORE_CTX *ctx)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());

	if (!ok || X509_STORE_CTX_get_error_depth(ctx) > 0 ||
		is_trusted(SSL_get_app_data(ssl), X509_STORE_CTX_get_current_cert(ctx)))
		return ok;
	X509_STORE_CTX_set_error(ctx, X509_V_ERR_CERT_REJECTED);
	return 0;
}

static X509_STORE *read_roots(struct device *dev)
{
	X509_STORE *store = X509_STORE_new();
	char text[2 * DER_MAX];
	struct str rest, line;
	struct buf lines;

	buf_init(&lines, SIZE_MAX);
	security_roots(dev, &lines);
	rest = (struct str){ lines.p, lines.n };
	while (store && str_split(&rest, '\n', &line)) {
		X509 *root = str_copy(line, text, sizeof(text)) ? read_certificate(text) : NULL;

		if (root)
			X509_STORE_add_cert(store, root);
		X509_free(root);
	}
	buf_done(&lines);
	return store;
}

bool own_tls_dress(struct device *dev, SSL *ssl)
{
	const struct own_tls *own = dev->own_tls;

	if (own && own->mutual) {
		SSL_set_app_data(ssl, dev);
		SSL_set0_verify_cert_store(ssl, read_roots(dev));
		SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, on_client);
	}
	return own && own->certificate && own->key &&
	       SSL_use_certificate(ssl, own->certificate) == 1 &&
	       SSL_use_PrivateKey(ssl, own->key) == 1;
}
