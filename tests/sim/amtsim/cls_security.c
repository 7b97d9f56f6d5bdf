/* SPDX-License-Identifier: Apache-2.0 */
/* The classes about certificates, users and the end of provisioning. */
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "account.h"
#include "device.h"
#include "own_tls.h"
#include "security.h"
#include "sim.h"
#include "store.h"

enum {
	PT_NOT_PERMITTED = 0x10,
	PT_LIMIT = 0x17,
	PT_NAME = 0xC,
	PT_INDEX = 0x23,
	PT_PARAMETER = 0x24,
	PT_HANDLE = 0x805,
	PT_PASSWORD = 0x806,
	PT_REALM = 0x807,
	PT_DUPLICATE = 0x80A,
	PT_KEY = 0x80E,
	PT_CERTIFICATE = 0x80F,
	CERTIFICATES_MAX = 8,
	USERS_MAX = 7,
	DER_MAX = 8192,
};

#define KEYS "CreationClassName Name SystemCreationClassName SystemName"

/* --- Certificates and keys. ------------------------------------------------------------------- */

static const struct store_field certificate_fields[] = {
	{ "ElementName", STORE_TEXT, 0 },
	{ "InstanceID", STORE_TEXT, 0 },
	{ "Issuer", STORE_TEXT, 0 },
	{ "ReadOnlyCertificate", STORE_BOOL, 0 },
	{ "Subject", STORE_TEXT, 0 },
	{ "TrustedRootCertficate", STORE_BOOL, 0 },
	{ "X509Certificate", STORE_TEXT, 0 },
};

static const struct store_field key_fields[] = {
	{ "DERKey", STORE_TEXT, 0 },
	{ "ElementName", STORE_TEXT, 0 },
	{ "InstanceID", STORE_TEXT, 0 },
	{ "PublicKey", STORE_TEXT, STORE_HIDDEN },
	{ "KeyBlob", STORE_TEXT, STORE_HIDDEN },
};
static uint32_t key_may_go(struct call *c, const struct store_row *row);
static const struct store_class key_store = {
	.fields = key_fields,
	.nfields = COUNT(key_fields),
	.at = STORE_KEYS,
	.may_go = key_may_go,
	.deletable = true,
};

static uint32_t certificate_may_go(struct call *c, const struct store_row *row);

static const struct store_class certificate_store = {
	.fields = certificate_fields,
	.nfields = COUNT(certificate_fields),
	.at = STORE_CERTIFICATES,
	.may_go = certificate_may_go,
	.deletable = true,
};

static X509 *decode(const char *base64)
{
	uint8_t der[DER_MAX];
	int n = base64_decode(str_of(base64), der, sizeof(der));
	const unsigned char *at = der;

	return n > 0 ? d2i_X509(NULL, &at, n) : NULL;
}

/* The key inside of a certificate, as hexadecimal of its DER. */
static void public_key(EVP_PKEY *key, struct buf *out)
{
	unsigned char *der = NULL;
	int n = key ? i2d_PUBKEY(key, &der) : 0;

	if (n > 0)
		buf_hex(out, der, (size_t)n);
	OPENSSL_free(der);
}

static void add_names(struct store_row *row, const X509 *x)
{
	char *subject = X509_NAME_oneline(X509_get_subject_name(x), NULL, 0);
	char *issuer = X509_NAME_oneline(X509_get_issuer_name(x), NULL, 0);

	store_set(&certificate_store, row, "Subject", str_of(subject + 1));
	store_set(&certificate_store, row, "Issuer", str_of(issuer + 1));
	OPENSSL_free(subject);
	OPENSSL_free(issuer);
}

static void new_id(struct device *dev, const char *what, char *out, size_t size)
{
	snprintf(out, size, "Intel(r) AMT %s: Handle: %u", what, store_of(dev)->next_handle++);
}

static enum fault add_blob(struct call *c, const char *method, bool root, uint32_t *ret_value)
{
	struct str blob = param(c, "CertificateBlob");
	char text[2 * DER_MAX], id[64];
	X509 *x = blob.p && str_copy(blob, text, sizeof(text)) ? decode(text) : NULL;

	if (!blob.p)
		return FAULT_INVALID_REPRESENTATION;
	if (!x)
		*ret_value = PT_CERTIFICATE;
	else if (store_find(c->dev, &certificate_store, "X509Certificate", blob))
		*ret_value = PT_DUPLICATE;
	else if (store_table(c->dev, &certificate_store)->n >= CERTIFICATES_MAX)
		*ret_value = PT_LIMIT;
	else
		*ret_value = store_write(c, method, true);
	if (!*ret_value) {
		struct store_row *row = store_add(c->dev, &certificate_store);

		new_id(c->dev, "Certificate", id, sizeof(id));
		add_names(row, x);
		store_set(&certificate_store, row, "ElementName", STR("Intel(r) AMT Certificate"));
		store_set(&certificate_store, row, "InstanceID", str_of(id));
		store_set(&certificate_store, row, "ReadOnlyCertificate", STR("false"));
		store_set(&certificate_store, row, "TrustedRootCertficate",
			root ? STR("true") : STR("false"));
		store_set(&certificate_store, row, "X509Certificate", blob);
		emit_epr(c, "CreatedCertificate", NS_AMT "AMT_PublicKeyCertificate",
			(const char *const[]){ "InstanceID", id, NULL });
	}
	X509_free(x);
	return FAULT_NONE;
}

void security_roots(struct device *dev, struct buf *out)
{
	const struct store_table *t = store_table(dev, &certificate_store);

	for (size_t i = 0; i < t->n; i++) {
		const char *root =
			store_get(&certificate_store, &t->rows[i], "TrustedRootCertficate");

		if (strcmp(root, "true") != 0)
			continue;
		buf_text(out, store_get(&certificate_store, &t->rows[i], "X509Certificate"));
		buf_char(out, '\n');
	}
}

static enum fault add_certificate(struct call *c, uint32_t *ret_value)
{
	return add_blob(c, "AddCertificate", false, ret_value);
}

static enum fault add_root(struct call *c, uint32_t *ret_value)
{
	return add_blob(c, "AddTrustedRootCertificate", true, ret_value);
}

bool security_is_root(struct device *dev, struct str id)
{
	const struct store_row *row =
		id.p ? store_find(dev, &certificate_store, "InstanceID", id) : NULL;

	return row &&
	       strcmp(store_get(&certificate_store, row, "TrustedRootCertficate"), "true") == 0;
}

const char *security_certificate(struct device *dev, struct str id)
{
	const struct store_row *row =
		id.p ? store_find(dev, &certificate_store, "InstanceID", id) : NULL;

	return row ? store_get(&certificate_store, row, "X509Certificate") : NULL;
}

const char *security_key(struct device *dev, struct str id)
{
	const char *certificate = security_certificate(dev, id);
	X509 *x = certificate ? decode(certificate) : NULL;
	const struct store_row *row = NULL;
	struct buf hex;

	buf_init(&hex, DER_MAX);
	public_key(x ? X509_get0_pubkey(x) : NULL, &hex);
	if (x)
		row = store_find(dev, &key_store, "PublicKey", (struct str){ hex.p, hex.n });
	buf_done(&hex);
	X509_free(x);
	return row ? store_get(&key_store, row, "KeyBlob") : NULL;
}

bool security_is_own(struct device *dev, struct str id)
{
	return security_key(dev, id) != NULL;
}

/* One that a certificate needs stays. */
static uint32_t key_may_go(struct call *c, const struct store_row *row)
{
	const struct store_table *t = store_table(c->dev, &certificate_store);
	const char *key = store_get(&key_store, row, "PublicKey");
	uint32_t status = 0;

	for (size_t i = 0; i < t->n; i++) {
		X509 *x = decode(store_get(&certificate_store, &t->rows[i], "X509Certificate"));
		struct buf hex;

		buf_init(&hex, DER_MAX);
		public_key(x ? X509_get0_pubkey(x) : NULL, &hex);
		if (key && str_is((struct str){ hex.p, hex.n }, key))
			status = PT_NOT_PERMITTED;
		buf_done(&hex);
		X509_free(x);
	}
	return status;
}

/* As recorded: the public half, in base64 of PKCS#1. */
static void set_der_key(struct store_row *row, EVP_PKEY *key)
{
	unsigned char *der = NULL;
	uint8_t text[2 * DER_MAX];
	int n = i2d_PublicKey(key, &der);

	if (n > 0 && n < DER_MAX)
		store_set(&key_store, row, "DERKey",
			(struct str){ (const char *)text, (size_t)EVP_EncodeBlock(text, der, n) });
	OPENSSL_free(der);
}

static enum fault add_key(struct call *c, uint32_t *ret_value)
{
	struct str blob = param(c, "KeyBlob");
	uint8_t der[DER_MAX];
	int n = base64_decode(blob, der, sizeof(der));
	const unsigned char *at = der;
	EVP_PKEY *key = n > 0 ? d2i_PrivateKey(EVP_PKEY_RSA, NULL, &at, n) : NULL;
	struct buf hex;
	char id[64];

	if (!blob.p)
		return FAULT_INVALID_REPRESENTATION;
	buf_init(&hex, DER_MAX);
	public_key(key, &hex);

	struct str public = { hex.p, hex.n };

	if (!key)
		*ret_value = PT_KEY;
	else if (store_find(c->dev, &key_store, "PublicKey", public))
		*ret_value = PT_DUPLICATE;
	else
		*ret_value = store_write(c, "AddKey", true);
	if (!*ret_value) {
		struct store_row *row = store_add(c->dev, &key_store);

		new_id(c->dev, "Key", id, sizeof(id));
		set_der_key(row, key);
		store_set(&key_store, row, "ElementName", STR("Intel(r) AMT Key"));
		store_set(&key_store, row, "InstanceID", str_of(id));
		store_set(&key_store, row, "PublicKey", public);
		store_set(&key_store, row, "KeyBlob", blob);
		emit_epr(c, "CreatedKey", NS_AMT "AMT_PublicPrivateKeyPair",
			(const char *const[]){ "InstanceID", id, NULL });
	}
	buf_done(&hex);
	EVP_PKEY_free(key);
	return FAULT_NONE;
}

static void emit_management(struct call *c, size_t i)
{
	(void)i;
	emit_field(c, "CreationClassName", "AMT_PublicKeyManagementService");
	emit_field(c, "ElementName", "Intel(r) AMT Certificate Store Service");
	emit_service_keys(c, "Intel(r) AMT Public Key Management Service", "Intel(r) AMT");
}

/* The one that TLS shows stays. */
static uint32_t certificate_may_go(struct call *c, const struct store_row *row)
{
	const char *id = store_get(&certificate_store, row, "InstanceID");

	return str_is(own_tls_certificate(c->dev), id) ? PT_NOT_PERMITTED : 0;
}

/* --- Users. ----------------------------------------------------------------------------------- */

static const struct store_field user_fields[] = {
	{ "Handle", STORE_NUMBER, 0 },
	{ "DigestUsername", STORE_TEXT, 0 },
	{ "AccessPermission", STORE_NUMBER, 0 },
	{ "Realms", STORE_NUMBER, STORE_LIST },
	{ "DigestPassword", STORE_TEXT, STORE_HIDDEN },
	{ "Enabled", STORE_BOOL, STORE_HIDDEN },
};
#define REDIRECTION_REALM "2"

static const char *const users[] = { "1", "$$uns", "0", "16", NULL, "true" };

/* Somebody else than the administrator logs in: an entry without a password of its own. */
static void fill_users(struct device *dev, struct store_table *t)
{
	char handle[16];

	if (account_is_admin(dev))
		return;
	snprintf(handle, sizeof(handle), "%d", ACCOUNT_HANDLE);
	const struct str values[] = { str_of(handle), str_of(dev->sim->options.user), STR("2"),
		STR(ACCOUNT_REALMS) };
	for (size_t f = 0; f < COUNT(values); f++)
		t->rows[t->n].values[f] = store_copy(values[f]);
	t->rows[t->n++].values[5] = store_copy(STR("true"));
}

static const struct store_class user_store = {
	.fields = user_fields,
	.nfields = COUNT(user_fields),
	.initial = users,
	.ninitial = 1,
	.fill = fill_users,
	.at = STORE_USERS,
};

bool security_login(struct device *dev, struct str user, char ha1[33])
{
	const struct store_row *row =
		dev->store ? store_find(dev, &user_store, "DigestUsername", user) : NULL;
	const char *password = row ? store_get(&user_store, row, "DigestPassword") : NULL;
	uint8_t hash[16];

	if (!password || strcmp(store_get(&user_store, row, "Enabled"), "true") != 0 ||
		base64_decode(str_of(password), hash, sizeof(hash)) != 16)
		return false;
	hex_text(hash, sizeof(hash), ha1);
	return true;
}

bool security_redirects(struct device *dev, struct str user)
{
	const struct store_row *row =
		dev->store ? store_find(dev, &user_store, "DigestUsername", user) : NULL;
	struct str rest = str_of(row ? store_get(&user_store, row, "Realms") : ""), realm;

	while (str_split(&rest, '\n', &realm))
		if (str_is(realm, REDIRECTION_REALM))
			return true;
	return false;
}

static void emit_authorization(struct call *c, size_t i)
{
	(void)i;
	emit_field(c, "AllowHttpQopAuthOnly", "1");
	emit_field(c, "CreationClassName", "AMT_AuthorizationService");
	emit_field(c, "ElementName", "Intel(r) AMT Authorization Service");
	emit_field(c, "EnabledState", "5");
	emit_field(c, "Name", "Intel(r) AMT Authorization Service");
	emit_field(c, "RequestedState", "12");
	emit_field(c, "SystemCreationClassName", "CIM_ComputerSystem");
	emit_field(c, "SystemName", "Intel(r) AMT");
}

/* The user that a parameter Handle names; NULL with a status. */
static struct store_row *by_handle(struct call *c, uint32_t *ret_value)
{
	struct store_row *row = store_find(c->dev, &user_store, "Handle", param(c, "Handle"));

	if (!row)
		*ret_value = PT_HANDLE;
	return row;
}

/* Three at a time, so that a client has to ask again. */
static enum fault list_users(struct call *c, uint32_t *ret_value)
{
	const struct store_table *t = store_table(c->dev, &user_store);
	uint64_t start;
	size_t end;

	if (!param_uint(c, "StartIndex", UINT32_MAX, &start))
		return FAULT_INVALID_REPRESENTATION;
	if (!start || start > t->n) {
		*ret_value = PT_INDEX;
		return FAULT_NONE;
	}
	end = start + 2 < t->n ? start + 2 : t->n;
	emit_number(c, "TotalCount", t->n);
	emit_number(c, "HandlesCount", end - start + 1);
	for (size_t i = start - 1; i < end; i++)
		emit_field(c, "Handles", store_get(&user_store, &t->rows[i], "Handle"));
	return FAULT_NONE;
}

static enum fault read_user(struct call *c, uint32_t *ret_value)
{
	const struct store_row *row = by_handle(c, ret_value);
	struct str rest, realm;

	if (!row)
		return FAULT_NONE;
	emit_field(c, "DigestUsername", store_get(&user_store, row, "DigestUsername"));
	emit_field(c, "AccessPermission", store_get(&user_store, row, "AccessPermission"));
	rest = str_of(store_get(&user_store, row, "Realms"));
	while (str_split(&rest, '\n', &realm))
		emit_text(c, "Realms", realm);
	return FAULT_NONE;
}

/* Into out, a line each; false if one of them is none. */
static bool read_realms(const struct call *c, struct buf *out)
{
	uint64_t realm;

	for (int n = xml_first(c->doc, c->node); n >= 0; n = xml_next(c->doc, n)) {
		if (!str_is(c->doc->nodes[n].name, "Realms"))
			continue;
		if (!parse_uint(xml_text(c->doc, n), 24, &realm) || realm < 2 ||
			(realm > 21 && realm < 24))
			return false;
		if (out->n)
			buf_char(out, '\n');
		buf_uint(out, realm);
	}
	return out->n != 0;
}

/* old: NULL: a new one. */
static uint32_t check_user(struct call *c, const struct store_row *old, struct buf *realms)
{
	const struct store_row *same;
	struct str name = param(c, "DigestUsername");
	uint8_t hash[32];
	uint64_t access;

	if (!name.n || name.n > 16 || name.p[0] == '$')
		return PT_NAME;
	if (base64_decode(param(c, "DigestPassword"), hash, sizeof(hash)) != 16)
		return PT_PASSWORD;
	if (!param_uint(c, "AccessPermission", 2, &access))
		return PT_PARAMETER;
	if (!read_realms(c, realms))
		return PT_REALM;
	same = store_find(c->dev, &user_store, "DigestUsername", name);
	if ((same && same != old) || str_is(name, c->dev->sim->options.user))
		return PT_DUPLICATE;
	if (!old && store_table(c->dev, &user_store)->n >= USERS_MAX)
		return PT_LIMIT;
	return store_write(c, old ? "UpdateUserAclEntryEx" : "AddUserAclEntryEx", true);
}

static void put_user(struct call *c, struct store_row *row, const struct buf *realms)
{
	store_set(&user_store, row, "DigestUsername", param(c, "DigestUsername"));
	store_set(&user_store, row, "DigestPassword", param(c, "DigestPassword"));
	store_set(&user_store, row, "AccessPermission", param(c, "AccessPermission"));
	store_set(&user_store, row, "Realms", (struct str){ realms->p, realms->n });
}

/* The login's own entry is elsewhere. */
static enum fault update_user(struct call *c, uint32_t *ret_value)
{
	struct store_row *row = by_handle(c, ret_value);
	const char *name = row ? store_get(&user_store, row, "DigestUsername") : NULL;
	struct buf realms;

	if (!row || strcmp(name, c->dev->sim->options.user) == 0)
		return account_update(c, ret_value);
	buf_init(&realms, 1024);
	*ret_value = name[0] == '$' ? PT_NOT_PERMITTED : check_user(c, row, &realms);
	if (!*ret_value)
		put_user(c, row, &realms);
	buf_done(&realms);
	return FAULT_NONE;
}

static enum fault add_user(struct call *c, uint32_t *ret_value)
{
	struct buf realms;
	char handle[16];

	buf_init(&realms, 1024);
	*ret_value = check_user(c, NULL, &realms);
	if (!*ret_value) {
		struct store_row *row = store_add(c->dev, &user_store);

		snprintf(handle, sizeof(handle), "%u", store_of(c->dev)->next_handle++);
		store_set(&user_store, row, "Handle", str_of(handle));
		put_user(c, row, &realms);
		store_set(&user_store, row, "Enabled", STR("true"));
		emit_field(c, "Handle", handle);
	}
	buf_done(&realms);
	return FAULT_NONE;
}

static enum fault remove_user(struct call *c, uint32_t *ret_value)
{
	struct store_row *row = by_handle(c, ret_value);

	if (row)
		*ret_value = store_write(c, "RemoveUserAclEntry", true);
	if (row && !*ret_value)
		store_remove(c->dev, &user_store, row);
	return FAULT_NONE;
}

static enum fault read_enabled(struct call *c, uint32_t *ret_value)
{
	const struct store_row *row = by_handle(c, ret_value);

	if (row)
		emit_field(c, "Enabled", store_get(&user_store, row, "Enabled"));
	return FAULT_NONE;
}

static enum fault set_enabled(struct call *c, uint32_t *ret_value)
{
	struct store_row *row = by_handle(c, ret_value);
	struct str on = param(c, "Enabled");

	if (!str_is(on, "true") && !str_is(on, "false"))
		return FAULT_INVALID_REPRESENTATION;
	if (row)
		*ret_value = store_write(c, "SetAclEnabledState", true);
	if (row && !*ret_value)
		store_set(&user_store, row, "Enabled", on);
	return FAULT_NONE;
}

static enum fault read_admin(struct call *c, uint32_t *ret_value)
{
	*ret_value = 0;
	emit_field(c, "Username", ACCOUNT_ADMIN);
	return FAULT_NONE;
}

/* Whether its password is the one of the factory. */
static enum fault read_admin_status(struct call *c, uint32_t *ret_value)
{
	*ret_value = 0;
	emit_field(c, "IsDefault", "false");
	return FAULT_NONE;
}

/* --- Provisioning. ---------------------------------------------------------------------------- */

enum fault security_commit(struct call *c, uint32_t *ret_value)
{
	*ret_value = store_write(c, "CommitChanges", false);
	if (!*ret_value) {
		store_of(c->dev)->commits++;
		own_tls_commit(c->dev);
	}
	return FAULT_NONE;
}

/* After this answer nobody logs in any more: it is another machine. */
enum fault security_unprovision(struct call *c, uint32_t *ret_value)
{
	uint64_t mode;

	if (!param_uint(c, "ProvisioningMode", 65535, &mode))
		return FAULT_INVALID_REPRESENTATION;
	*ret_value = mode != 1 ? PT_PARAMETER : store_write(c, "Unprovision", true);
	if (*ret_value)
		return FAULT_NONE;
	store_free(c->dev);
	own_tls_forget(c->dev);
	c->dev->unprovisioned = true;
	snprintf(c->dev->password, sizeof(c->dev->password), "unprovisioned/%u", c->dev->n);
	c->dev->knobs.wrong_realm++;
	device_identify(c->dev);
	return FAULT_NONE;
}

/* --- The table. ------------------------------------------------------------------------------- */

static const struct method management_methods[] = {
	{ "AddCertificate", "CertificateBlob", add_certificate, 0, NULL },
	{ "AddTrustedRootCertificate", "CertificateBlob", add_root, 0, NULL },
	{ "AddKey", "KeyBlob", add_key, 0, NULL },
};
static const struct method user_methods[] = {
	{ "EnumerateUserAclEntries", "StartIndex", list_users, 0, NULL },
	{ "GetUserAclEntryEx", "Handle", read_user, 0, NULL },
	{ "AddUserAclEntryEx",
		"DigestUsername DigestPassword KerberosUserSid AccessPermission Realms", add_user,
		0, "Realms" },
	{ "RemoveUserAclEntry", "Handle", remove_user, 0, NULL },
	{ "GetAclEnabledState", "Handle", read_enabled, 0, NULL },
	{ "SetAclEnabledState", "Handle Enabled", set_enabled, 0, NULL },
	{ "UpdateUserAclEntryEx",
		"Handle DigestUsername DigestPassword KerberosUserSid AccessPermission Realms",
		update_user, 0, "Realms" },
	{ "GetAdminAclEntry", "", read_admin, 0, NULL },
	{ "GetAdminAclEntryStatus", "", read_admin_status, 0, NULL },
	{ "GetAdminNetAclEntryStatus", "", read_admin_status, 0, NULL },
	{ "SetAdminAclEntryEx", "Username DigestPassword", account_set_admin, 0, NULL },
};

const struct wclass security_classes[] = {
	{
		.name = "AMT_PublicKeyCertificate",
		.uri = NS_AMT "AMT_PublicKeyCertificate",
		.key = "InstanceID",
		.store = &certificate_store,
	},
	{
		.name = "AMT_PublicPrivateKeyPair",
		.uri = NS_AMT "AMT_PublicPrivateKeyPair",
		.key = "InstanceID",
		.store = &key_store,
	},
	{
		.name = "AMT_PublicKeyManagementService",
		.uri = NS_AMT "AMT_PublicKeyManagementService",
		.selectors = KEYS,
		.emit = emit_management,
		METHODS(management_methods),
	},
	{
		.name = "AMT_AuthorizationService",
		.uri = NS_AMT "AMT_AuthorizationService",
		.selectors = KEYS,
		.emit = emit_authorization,
		METHODS(user_methods),
	},
};

const size_t security_classes_count = COUNT(security_classes);
