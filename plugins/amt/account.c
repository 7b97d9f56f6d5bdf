/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The login's password (Intel's AMT SDK, AMT_AuthorizationService). The firmware takes the hash of
 * user, realm and password; the realm is that of the login's challenge, for that is what the next
 * login is held against, and the settings have to tell the same. The administrator has a method of
 * his own; any other user is looked for in the list, and keeps his realms and permissions. What he
 * logs in with is another one from the moment on that the request was taken.
 */
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <powerctl/buf.h>
#include <powerctl/parse.h>

#include "amt.h"

#define ADMIN       "admin"
#define HASH_BYTES  16u
#define HASH_BASE64 25u /* of 16 bytes, with the zero */

static const struct wsman_class general = WSMAN_CLASS(WSMAN_AMT, "AMT_GeneralSettings");
static const struct wsman_class authorization = WSMAN_CLASS(WSMAN_AMT, "AMT_AuthorizationService");

static const char *user_of(const struct amt_dev *dev)
{
	return pctl_setting_text(dev->device, "username");
}

static void end_well(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	amt_end(dev, NULL);
}

/* --- login. ----------------------------------------------------------------------------------- */

/* Who may not read this has been let in. */
static void not_read(struct amt_dev *dev, const struct pctl_error *err)
{
	amt_end(dev, err->code == PCTL_E_FORBIDDEN ? NULL : err);
}

static void login(void *data, struct pctl_op *op)
{
	struct amt_dev *dev = data;

	amt_begin(dev, op);
	amt_get(dev, &general, end_well, not_read);
}

/* --- set_password. ---------------------------------------------------------------------------- */

static bool hash(const struct pctl_buf *text, char base64[HASH_BASE64])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	bool good = EVP_Digest(text->data, text->len, md, &len, EVP_md5(), NULL) == 1 &&
		    len == HASH_BYTES;

	if (good)
		(void)EVP_EncodeBlock((unsigned char *)base64, md, HASH_BYTES);
	explicit_bzero(md, sizeof(md));
	return good;
}

/* What whoever has it can log in with, so it is kept as the password is. */
static bool make_hash(const struct amt_dev *dev, char base64[HASH_BASE64])
{
	const struct account_work *work = &dev->work.account;
	struct pctl_buf text;

	pctl_buf_init_secret(&text, 8192);
	pctl_buf_addf(&text, "%s:%s:", user_of(dev), work->realm);
	pctl_buf_add(&text, pctl_secret_data(work->password), pctl_secret_len(work->password));
	bool good = !text.full && hash(&text, base64);
	pctl_buf_done(&text);
	return good;
}

/* A request that holds the hash, to be added to and sent. NULL: the op has ended. */
static struct wsman *begin_change(struct amt_dev *dev, const char *method, const char *handle)
{
	char base64[HASH_BASE64] = "";

	if (!make_hash(dev, base64)) {
		amt_fail(dev, PCTL_E_INTERNAL, "the hash of the new password cannot be made");
		return NULL;
	}
	struct wsman *w = amt_invoke(dev, &authorization, method, STATUS_PLAIN);
	w->out.secret = true;
	if (handle)
		wsman_text(w, "Handle", handle);
	wsman_text(w, handle ? "DigestUsername" : "Username", user_of(dev));
	wsman_text(w, "DigestPassword", base64);
	explicit_bzero(base64, sizeof(base64));
	amt_changes(dev);
	return w;
}

static void set_admin(struct amt_dev *dev)
{
	if (begin_change(dev, "SetAdminAclEntryEx", NULL))
		amt_send(dev, end_well, NULL);
}

static void look_at_next(struct amt_dev *dev);

static void got_entry(struct amt_dev *dev, const struct xml_node *answer)
{
	struct account_work *work = &dev->work.account;
	const char *name = xml_text(answer, "DigestUsername");
	const char *access = xml_text(answer, "AccessPermission");
	char handle[16];

	if (!name || strcmp(name, user_of(dev)) != 0) {
		work->at++;
		look_at_next(dev);
		return;
	}
	(void)snprintf(handle, sizeof(handle), "%u", (unsigned)work->handles[work->at]);
	struct wsman *w = begin_change(dev, "UpdateUserAclEntryEx", handle);
	if (!w)
		return;
	wsman_text(w, "AccessPermission", access ? access : "2");
	for (const struct xml_node *r = xml_child(answer, "Realms"); r; r = xml_again(r))
		wsman_text(w, "Realms", r->text);
	amt_send(dev, end_well, NULL);
}

static void look_at_next(struct amt_dev *dev)
{
	struct account_work *work = &dev->work.account;

	if (work->at == work->n) {
		amt_fail(dev, PCTL_E_UNSUPPORTED,
			"the device has no user of this name in its list; one of a domain "
			"(Kerberos) has his password there");
		return;
	}
	struct wsman *w = amt_invoke(dev, &authorization, "GetUserAclEntryEx", STATUS_PLAIN);
	wsman_uint(w, "Handle", work->handles[work->at]);
	amt_send(dev, got_entry, NULL);
}

static void list_from(struct amt_dev *dev);

static void got_handles(struct amt_dev *dev, const struct xml_node *answer)
{
	struct account_work *work = &dev->work.account;
	const char *total = xml_text(answer, "TotalCount");
	uint64_t all = 0, handle = 0;
	size_t before = work->n;

	for (const struct xml_node *h = xml_child(answer, "Handles"); h; h = xml_again(h))
		if (work->n < AMT_USERS_MAX && pctl_parse_uint(h->text, UINT32_MAX, &handle) == 0)
			work->handles[work->n++] = (uint32_t)handle;
	if (total && pctl_parse_uint(total, UINT32_MAX, &all) == 0 && work->n < all &&
		work->n > before && work->n < AMT_USERS_MAX)
		list_from(dev);
	else
		look_at_next(dev);
}

static void list_from(struct amt_dev *dev)
{
	struct wsman *w = amt_invoke(dev, &authorization, "EnumerateUserAclEntries", STATUS_PLAIN);

	wsman_uint(w, "StartIndex", dev->work.account.n + 1);
	amt_send(dev, got_handles, NULL);
}

static void got_admin(struct amt_dev *dev, const struct xml_node *answer)
{
	const char *name = xml_text(answer, "Username");

	if (name && strcmp(name, user_of(dev)) == 0)
		set_admin(dev);
	else
		list_from(dev);
}

/* The firmware may keep the administrator's name to itself: then it is the usual one. */
static void no_admin(struct amt_dev *dev, const struct pctl_error *err)
{
	bool declined = err->code == PCTL_E_UNSUPPORTED || err->code == PCTL_E_FORBIDDEN ||
			err->code == PCTL_E_REFUSED;

	if (declined && strcmp(user_of(dev), ADMIN) == 0)
		set_admin(dev);
	else
		amt_end(dev, err);
}

/* A hash over another realm than the one that logins are held against shuts everybody out. */
const char *amt_account_realm(struct amt_dev *dev, const struct xml_node *answer)
{
	const char *told = xml_text(answer, "DigestRealm");
	const char *realm = amt_link_realm(dev);

	if (!told || !*told)
		amt_fail(dev, PCTL_E_PROTOCOL,
			"the device does not tell the realm that its passwords belong to");
	else if (!realm)
		amt_fail(dev, PCTL_E_PROTOCOL,
			"the device asked for no Digest login, so that the realm of a new password "
			"is not known");
	else if (strcmp(told, realm) != 0)
		amt_fail(dev, PCTL_E_TRUST,
			"no password was sent: its login is for the realm '%.50s', its settings "
			"say '%.50s', and a password made for the wrong one locks its user out; "
			"give the address of the device itself, not of a proxy before it",
			realm, told);
	else
		return realm;
	return NULL;
}

static void got_realm(struct amt_dev *dev, const struct xml_node *answer)
{
	struct account_work *work = &dev->work.account;
	const char *realm = amt_account_realm(dev, answer);

	if (!realm)
		return;
	(void)snprintf(work->realm, sizeof(work->realm), "%s", realm);
	(void)amt_invoke(dev, &authorization, "GetAdminAclEntry", STATUS_PLAIN);
	amt_send(dev, got_admin, no_admin);
}

static void set_password(void *data, struct pctl_op *op, const struct pctl_secret *password)
{
	struct amt_dev *dev = data;

	amt_begin(dev, op);
	dev->work.account = (struct account_work){ .password = password };
	amt_get(dev, &general, got_realm, NULL);
}

const struct pctl_account_if amt_account = {
	.size = sizeof(amt_account),
	.min = 8,
	.max = 32,
	.made = 16,
	.classes = PCTL_PASSWORD_UPPER | PCTL_PASSWORD_LOWER | PCTL_PASSWORD_DIGIT |
		   PCTL_PASSWORD_SPECIAL,
	.forbidden = "\",:",
	.setting = "password",
	.login = login,
	.set_password = set_password,
};
