/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The login's password (DSP2046: AccountService, ManagerAccount; DSP0266, "Password management").
 * The account is the one of our name among those that the service shows, by its own @odata.id, or
 * the one that it names itself where it wants another password before anything else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>

#include "redfish.h"

#define CHANGE_ACTION "Actions/#ManagerAccount.ChangePassword/target"

struct account_job {
	struct walk *walk; /* first: see walk.c */
	const struct pctl_secret *password;
	bool by_action; /* PATCH is refused */
	unsigned found;
	char path[DOC_PATH_MAX];
};

static const char *user_of(const struct redfish_dev *dev)
{
	return pctl_setting_text(dev->device, "username");
}

static void free_job(void *data)
{
	struct account_job *job = data;

	redfish_walk_free(job->walk);
}

/* --- login. ----------------------------------------------------------------------------------- */

/* Only who was let in is told that he may not; any other 403 says nothing about the password. */
static void not_read(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply)
{
	bool in = reply->status == 403 && (doc_says(reply->doc, "InsufficientPrivilege") ||
						  doc_says(reply->doc, "PasswordChangeRequired"));

	redfish_end(dev, in ? NULL : err);
}

static void login_with_root(struct redfish_dev *dev, const struct reply *reply)
{
	const char *path = doc_link(dev->root, "AccountService");

	(void)reply;
	if (!path)
		path = doc_link(dev->root, "Systems");
	if (path)
		redfish_get(dev, path, 0, redfish_then_end, not_read);
	else
		redfish_fail(dev, PCTL_E_UNSUPPORTED, "it has nothing that a login is needed for");
}

static void login(void *data, struct pctl_op *op)
{
	struct redfish_dev *dev = data;

	redfish_begin(dev, op, false);
	redfish_with_root(dev, login_with_root);
}

/* --- The change. ------------------------------------------------------------------------------ */

/* Some say the value again that they do not like; of a text that was cut nobody knows. */
static bool leaks(const struct pctl_error *err, const struct reply *reply, const char *password)
{
	return (reply->doc && doc_holds(reply->doc, password)) || strstr(err->text, password) ||
	       strstr(err->device_code, password) || strlen(err->text) + 1 >= sizeof(err->text);
}

static void refused(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply)
{
	const struct account_job *job = redfish_kept(dev);

	if (leaks(err, reply, pctl_secret_data(job->password)))
		redfish_fail(dev, err->code,
			"it refused the new password (HTTP %d); its own words may have it in them, "
			"and are left out",
			reply->status);
	else
		redfish_end(dev, err);
}

static void add_member(struct pctl_buf *body, const char *name, const struct pctl_secret *value)
{
	pctl_buf_addf(body, "%s\"%s\":", body->len ? "," : "{", name);
	redfish_add_quoted(body, pctl_secret_data(value), pctl_secret_len(value));
}

/* As a JSON library would make it, which leaves copies. */
static void send_password(struct redfish_dev *dev, const char *etag, const char *action)
{
	const struct account_job *job = redfish_kept(dev);
	const struct pctl_secret *old = pctl_setting_secret(dev->device, "password");
	struct pctl_buf body;

	pctl_buf_init_secret(&body, (size_t)12 * PCTL_SECRET_MAX + 128);
	add_member(&body, action ? "NewPassword" : "Password", job->password);
	if (action && old)
		add_member(&body, "SessionAccountPassword", old);
	pctl_buf_adds(&body, "}");
	if (action)
		redfish_send_secret(dev, "POST", action, &body, NULL, "the new password",
			redfish_then_end, refused);
	else
		redfish_patch_secret(
			dev, job->path, &body, etag, "the new password", redfish_then_end, refused);
	pctl_buf_done(&body);
}

static void got_account(struct redfish_dev *dev, const struct reply *reply)
{
	const struct account_job *job = redfish_kept(dev);
	const char *name = doc_text(reply->doc, "UserName");
	const char *etag = reply->etag ? reply->etag : doc_text(reply->doc, "@odata.etag");
	const char *action = doc_text(reply->doc, CHANGE_ACTION);

	if (!name || strcmp(name, user_of(dev)) != 0)
		redfish_fail(dev, PCTL_E_REFUSED,
			"the account that it names is not the one that logs in; nothing was "
			"changed");
	else if (job->by_action && (!action || !doc_is_path(action)))
		redfish_fail(dev, PCTL_E_UNSUPPORTED,
			"it wants the action ChangePassword, and its account has none");
	else
		send_password(dev, etag ? etag : "", job->by_action ? action : NULL);
}

/* Where only the password may be changed, even this may be forbidden. */
static void no_account(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply)
{
	if (reply->status == 403)
		send_password(dev, "", NULL);
	else
		redfish_end(dev, err);
}

/* --- Which account it is. --------------------------------------------------------------------- */

static void each_account(struct redfish_dev *dev, const json_t *doc)
{
	struct account_job *job = redfish_kept(dev);
	const char *name = doc_text(doc, "UserName"), *path = doc_text(doc, "@odata.id");

	if (!name || !path || !doc_is_path(path) || strcmp(name, user_of(dev)) != 0 ||
		strcmp(path, job->path) == 0)
		return;
	(void)snprintf(job->path, sizeof(job->path), "%s", path);
	job->found++;
}

static void were_read(struct redfish_dev *dev, const struct pctl_error *why)
{
	const struct account_job *job = redfish_kept(dev);

	if (why)
		redfish_end(dev, why);
	else if (!job->found)
		redfish_fail(dev, PCTL_E_UNSUPPORTED,
			"the service shows no account of this name; a password from elsewhere "
			"(LDAP, Active Directory) is changed there");
	else if (job->found > 1)
		redfish_fail(dev, PCTL_E_UNSUPPORTED,
			"the service has %u accounts of this name, and which one logs in is not "
			"known; nothing was changed",
			job->found);
	else
		redfish_get(dev, job->path, 0, got_account, NULL);
}

static bool fits(struct redfish_dev *dev, const json_t *service)
{
	const struct account_job *job = redfish_kept(dev);
	json_int_t len = (json_int_t)pctl_secret_len(job->password);
	json_int_t min = json_integer_value(doc_at(service, "MinPasswordLength"));
	json_int_t max = json_integer_value(doc_at(service, "MaxPasswordLength"));

	if (len >= min && (max <= 0 || len <= max))
		return true;
	redfish_fail(dev, PCTL_E_CONFIG,
		"the new password is too %s: this service wants %s %lld "
		"characters",
		len < min ? "short" : "long", len < min ? "at least" : "at most",
		(long long)(len < min ? min : max));
	return false;
}

static void got_service(struct redfish_dev *dev, const struct reply *reply)
{
	struct account_job *job = redfish_kept(dev);
	const char *accounts = doc_link(reply->doc, "Accounts");

	job->by_action = doc_is_true(reply->doc, "RequireChangePasswordAction");
	if (!accounts) {
		redfish_fail(dev, PCTL_E_UNSUPPORTED, "the service shows no accounts");
	} else if (fits(dev, reply->doc)) {
		redfish_walk_members(job->walk, accounts, each_account);
		redfish_walk_run(dev, job->walk, were_read);
	}
}

/* Who has to change it first is told where. */
static void no_service(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply)
{
	struct account_job *job = redfish_kept(dev);
	const char *where = doc_argument(reply->doc, "PasswordChangeRequired");

	if (where && doc_same_origin(where, pctl_device_host(dev->device), dev->port, dev->tls,
			     job->path, sizeof(job->path)))
		redfish_get(dev, job->path, 0, got_account, no_account);
	else
		redfish_end(dev, err);
}

static void set_with_root(struct redfish_dev *dev, const struct reply *reply)
{
	const char *path = doc_link(dev->root, "AccountService");

	(void)reply;
	if (path)
		redfish_get(dev, path, 0, got_service, no_service);
	else
		redfish_fail(dev, PCTL_E_UNSUPPORTED,
			"the service has no accounts: its password is changed elsewhere");
}

static void set_password(void *data, struct pctl_op *op, const struct pctl_secret *password)
{
	struct redfish_dev *dev = data;

	redfish_begin(dev, op, true);
	struct account_job *job = redfish_keep(dev, sizeof(*job), free_job);
	job->walk = redfish_walk_new();
	job->password = password;
	redfish_with_root(dev, set_with_root);
}

/* Lengths are the service's own; 16 is what all of them take. */
const struct pctl_account_if redfish_account = {
	.size = sizeof(redfish_account),
	.min = 1,
	.made = 16,
	.setting = "password",
	.login = login,
	.set_password = set_password,
};
