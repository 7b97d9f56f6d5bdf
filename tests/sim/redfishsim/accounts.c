/* SPDX-License-Identifier: Apache-2.0 */
/* AccountService: who there is, and the password of the one that logs in (DSP2046). */
#include "accounts.h"

#include <stdio.h>
#include <string.h>

#include "resources.h"
#include "sim.h"
#include "system.h"

/* Dell has places that nobody has, and OpenBMC calls accounts by their names. */
static bool has_places(const struct call *c)
{
	return strcmp(c->p->name, "dell") == 0;
}

static uint32_t count_accounts(const struct call *c)
{
	return has_places(c) ? 5 : 3;
}

/* The last but one is the account that is told on the command line; one more begins like it. */
static void account_name(const struct call *c, uint32_t i, char *out, size_t size)
{
	const char *user = c->dev->sim->options.user;
	uint32_t own = count_accounts(c) - 2;

	if (i == own)
		snprintf(out, size, "%s", user);
	else if (i > own)
		snprintf(out, size, "%s2", user);
	else
		snprintf(out, size, "%s", has_places(c) ? "" : "operator");
}

static void account_id(const struct call *c, uint32_t i, char *out, size_t size)
{
	if (strcmp(c->p->name, "openbmc") == 0)
		account_name(c, i, out, size);
	else
		snprintf(out, size, "%u", i + 1);
}

static bool is_own(const struct call *c, uint32_t i)
{
	return i == count_accounts(c) - 2;
}

static void own_uri(const struct call *c, char *out)
{
	char id[CALL_ITEM];

	account_id(c, count_accounts(c) - 2, id, sizeof(id));
	call_uri(c, out, "AccountService/Accounts/%s", id);
}

void get_account_service(struct call *c)
{
	const struct knobs *k = &c->dev->knobs;

	c->out = resource(
		c, "#AccountService.v1_15_0.AccountService", "AccountService", "Account Service");
	json_object_set_new(c->out, "ServiceEnabled", json_true());
	json_object_set_new(c->out, "AccountLockoutThreshold", json_integer(k->lock_after));
	json_object_set_new(c->out, "AccountLockoutDuration", json_integer(k->lock_s));
	if (k->lock_stays)
		json_object_set_new(c->out, "AccountLockoutCounterResetEnabled", json_false());
	if (k->password_min)
		json_object_set_new(c->out, "MinPasswordLength", json_integer(k->password_min));
	if (k->password_max)
		json_object_set_new(c->out, "MaxPasswordLength", json_integer(k->password_max));
	if (k->password_action)
		json_object_set_new(c->out, "RequireChangePasswordAction", json_true());
	json_object_set_new(c->out, "Accounts", call_ref(c, "AccountService/Accounts"));
}

void get_accounts(struct call *c)
{
	collection(c, "ManagerAccountCollection", "Accounts Collection", count_accounts(c),
		account_id, NULL);
}

/* Which one the path names; false: 404 is the answer. */
static bool account_of(struct call *c, uint32_t *ret)
{
	char id[CALL_ITEM];

	for (*ret = 0; *ret < count_accounts(c); ++*ret) {
		account_id(c, *ret, id, sizeof(id));
		if (strcmp(id, c->item) == 0)
			return true;
	}
	call_fail(c, 404, "ResourceMissingAtURI", "There is no account %s.", c->item);
	return false;
}

/* What the account besides the own one has of its own. */
static void set_second(const struct call *c, json_t *doc)
{
	const struct device *dev = c->dev;
	uint32_t how = dev->knobs.second;
	char text[32];

	json_object_set_new(doc, "Enabled", json_boolean(how != SECOND_DISABLED));
	json_object_set_new(doc, "Locked", json_boolean(how == SECOND_LOCKED));
	if (!dev->second_ends)
		return;
	sim_time((uint64_t)-dev->second_ends, text);
	json_object_set_new(doc, "PasswordExpiration", json_string(text));
}

static json_t *account_document(struct call *c, uint32_t i)
{
	json_t *doc =
		resource(c, "#ManagerAccount.v1_12_0.ManagerAccount", c->item, "User Account");
	bool must = is_own(c, i) && c->dev->knobs.must_change;
	char name[CALL_ITEM], uri[CALL_PATH];

	account_name(c, i, name, sizeof(name));
	json_object_set_new(doc, "UserName", json_string(name));
	json_object_set_new(doc, "Password", json_null());
	json_object_set_new(doc, "Enabled", json_boolean(*name));
	json_object_set_new(doc, "Locked", json_boolean(is_own(c, i) && login_is_locked(c->dev)));
	json_object_set_new(doc, "PasswordExpiration", json_null());
	if (i == count_accounts(c) - 1)
		set_second(c, doc);
	json_object_set_new(doc, "RoleId", json_string(is_own(c, i) ? "Administrator" : "None"));
	json_object_set_new(doc, "PasswordChangeRequired", json_boolean(must));
	if (c->dev->knobs.password_action) {
		call_uri(c, uri, "AccountService/Accounts/%s/Actions/ManagerAccount.ChangePassword",
			c->item);
		json_object_set_new(doc, "Actions",
			json_pack("{s:{s:s}}", "#ManagerAccount.ChangePassword", "target", uri));
	}
	return doc;
}

/* An ETag is that of the first system, which changes as seldom. */
static void take_first_system(struct call *c)
{
	c->sys = c->dev->nsystems ? c->dev->systems : NULL;
}

void get_account(struct call *c)
{
	uint32_t i;

	if (!account_of(c, &i))
		return;
	take_first_system(c);
	c->out = account_document(c, i);
	system_etag(c, c->out);
}

/* Real services say the value again that they do not like. */
static bool refused(struct call *c, const char *password)
{
	const struct knobs *k = &c->dev->knobs;
	size_t n = strlen(password);

	if (k->passwd != PASSWD_REFUSE && n >= k->password_min && n < SIM_PASSWORD &&
		(!k->password_max || n <= k->password_max))
		return false;
	call_fail(c, 400, "PropertyValueFormatError",
		"The value '%s' for the property Password is not a format that the property can "
		"accept.",
		password);
	return true;
}

static void take_password(struct call *c, uint32_t i, const char *password)
{
	struct device *dev = c->dev;
	uint32_t how = dev->knobs.passwd;

	dev->counters.asked_password++;
	if (refused(c, password))
		return;
	if (how != PASSWD_IGNORE && how != PASSWD_HANG) {
		str_copy(str_of(password), dev->password, sizeof(dev->password));
		dev->knobs.must_change = 0;
		dev->counters.set_password++;
		if (dev->knobs.passwd_ends)
			login_forget(dev);
	}
	c->lost = how == PASSWD_LOSE;
	c->silent = how == PASSWD_MUTE || how == PASSWD_HANG;
	call_done(c, c->p->patch_status);
	if (c->status == 200 && !c->out)
		c->out = account_document(c, i);
}

void patch_account(struct call *c)
{
	const char *password = call_string(c, "Password");
	uint32_t i;

	if (!account_of(c, &i))
		return;
	take_first_system(c);
	if (!system_match(c, account_document(c, i)))
		return;
	if (c->dev->knobs.password_action)
		call_fail(c, 400, "PropertyNotWritable",
			"The property Password is a read-only property here.");
	else if (!password || json_object_size(c->in) != 1 || !is_own(c, i))
		call_fail(c, 400, "PropertyUnknown", "Only the own Password can be set here.");
	else
		take_password(c, i, password);
}

void post_password(struct call *c)
{
	const char *password = call_string(c, "NewPassword");
	const char *old = call_string(c, "SessionAccountPassword");
	uint32_t i;

	if (!account_of(c, &i))
		return;
	if (!c->dev->knobs.password_action)
		call_fail(c, 404, "ResourceMissingAtURI", "There is no such action.");
	else if (!password || !old || !is_own(c, i) || strcmp(old, c->dev->password) != 0)
		call_fail(c, 400, "ActionParameterMissing",
			"NewPassword, and SessionAccountPassword with the present one.");
	else
		take_password(c, i, password);
}

bool accounts_let_pass(struct call *c)
{
	char own[CALL_PATH];
	size_t n;

	if (!c->dev->knobs.must_change)
		return true;
	own_uri(c, own);
	n = strlen(own);
	if (n && own[n - 1] == '/')
		n--;
	if (strncmp(c->path, own, n) == 0 || strstr(c->path, "/Sessions"))
		return true;
	call_fail(c, 403, "PasswordChangeRequired",
		"The password provided for this account must be changed before access is granted. "
		"PATCH the Password property for this account located at the target URI '%s' to "
		"complete this process.",
		own);
	json_array_append_new(
		json_object_get(json_array_get(json_object_get(json_object_get(c->out, "error"),
						       "@Message.ExtendedInfo"),
					0),
			"MessageArgs"),
		json_string(own));
	return false;
}
