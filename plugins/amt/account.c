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

#include <powerctl/buf.h>
#include <powerctl/parse.h>

#include "amt.h"
#include "classes/pki.h"

#define ADMIN "admin"

static const struct wsman_class general = WSMAN_CLASS(WSMAN_AMT, "AMT_GeneralSettings");
const struct wsman_class amt_authorization = WSMAN_CLASS(WSMAN_AMT, "AMT_AuthorizationService");

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

/* --- Who there is. It tells some at a time. ----------------------------------------------------
 */

static void list_from(struct amt_dev *dev);

static void got_handles(struct amt_dev *dev, const struct xml_node *answer)
{
	struct account_list *users = dev->users;
	size_t before = users->n;
	uint64_t handle = 0;

	for (const struct xml_node *h = xml_child(answer, "Handles"); h; h = xml_again(h))
		if (users->n < AMT_USERS_MAX && pctl_parse_uint(h->text, UINT32_MAX, &handle) == 0)
			users->handles[users->n++] = (uint32_t)handle;
	if (users->n < xml_uint(answer, "TotalCount", 0) && users->n > before &&
		users->n < AMT_USERS_MAX)
		list_from(dev);
	else
		users->then(dev);
}

static void list_from(struct amt_dev *dev)
{
	struct wsman *w =
		amt_invoke(dev, &amt_authorization, "EnumerateUserAclEntries", STATUS_PLAIN);

	wsman_uint(w, "StartIndex", dev->users->n + 1);
	amt_send(dev, got_handles, dev->users->except);
}

void amt_account_list(struct amt_dev *dev, struct account_list *list,
	void (*then)(struct amt_dev *dev), amt_except_fn *except)
{
	list->n = 0;
	list->then = then;
	list->except = except;
	dev->users = list;
	list_from(dev);
}

/* --- set_password. ---------------------------------------------------------------------------- */

/* A request that holds the hash, to be added to and sent. NULL: the op has ended. */
static struct wsman *begin_change(struct amt_dev *dev, const char *method, const char *handle)
{
	const struct account_work *work = &dev->work.account;
	struct pctl_buf hash;

	/* Whoever has it can log in with it, so it is kept as the password is. */
	pctl_buf_init_secret(&hash, 64);
	if (!pki_digest_password(
		    user_of(dev), work->realm, pctl_secret_data(work->password), &hash)) {
		pctl_buf_done(&hash);
		amt_fail(dev, PCTL_E_INTERNAL, PKI_NO_DIGEST);
		return NULL;
	}
	struct wsman *w = amt_invoke(dev, &amt_authorization, method, STATUS_PLAIN);
	if (handle)
		wsman_text(w, "Handle", handle);
	wsman_text(w, handle ? "DigestUsername" : "Username", user_of(dev));
	wsman_text(w, "DigestPassword", hash.data);
	pctl_buf_done(&hash);
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
	(void)snprintf(handle, sizeof(handle), "%u", (unsigned)work->users.handles[work->at]);
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

	if (work->at == work->users.n) {
		amt_fail(dev, PCTL_E_UNSUPPORTED,
			"the device has no user of this name in its list%s; one of a domain "
			"(Kerberos) has his password there",
			work->admin_told ? "" : ", and does not tell its administrator's name");
		return;
	}
	struct wsman *w = amt_invoke(dev, &amt_authorization, "GetUserAclEntryEx", STATUS_PLAIN);
	wsman_uint(w, "Handle", work->users.handles[work->at]);
	amt_send(dev, got_entry, NULL);
}

static void look_at_first(struct amt_dev *dev)
{
	amt_account_list(dev, &dev->work.account.users, look_at_next, NULL);
}

static void got_admin(struct amt_dev *dev, const struct xml_node *answer)
{
	const char *name = xml_text(answer, "Username");

	dev->work.account.admin_told = name;
	if (name && strcmp(name, user_of(dev)) == 0)
		set_admin(dev);
	else
		look_at_first(dev);
}

/* The firmware may keep the administrator's name to itself: then it is the usual one,
 * or a user of the list is meant. */
static void no_admin(struct amt_dev *dev, const struct pctl_error *err)
{
	if (!answer_is_lacking(err))
		amt_end(dev, err);
	else if (strcmp(user_of(dev), ADMIN) == 0)
		set_admin(dev);
	else
		look_at_first(dev);
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
	(void)amt_invoke(dev, &amt_authorization, "GetAdminAclEntry", STATUS_PLAIN);
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
