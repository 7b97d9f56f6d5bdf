/* SPDX-License-Identifier: Apache-2.0 */
/* users: the accounts beside the administrator's, and what they may do. */
#include <stdio.h>
#include <string.h>

#include <powerctl/parse.h>

#include "classes/chain.h"
#include "classes/methods.h"
#include "classes/pki.h"

#define NAME_MAX_ 16u

static const char *const accesses[] = { "local", "network", "any", NULL };
/* In the order of words_realm. */
static const char *const realms[] = { "redirection", "admin", "hardware", "remote-control",
	"storage", "event-manager", "storage-admin", "agent-local", "agent-remote",
	"circuit-breaker", "network-time", "general-info", "firmware-update", "eit",
	"local-notification", "eac", "eac-admin", "event-log", "audit-log", "users", "local-system",
	NULL };

const struct pctl_property users_parameters[] = {
	PCTL_PROPERTY(.name = "add", .type = PCTL_TYPE_TEXT, .wants = "password realms",
		.excludes = "change remove enable disable", .help = "name of a new user"),
	PCTL_PROPERTY(.name = "change", .type = PCTL_TYPE_TEXT, .wants = "password",
		.excludes = "remove enable disable",
		.help = "name of a user, who gets this password, and other rights where they are "
			"given"),
	PCTL_PROPERTY(.name = "password", .type = PCTL_TYPE_TEXT,
		.flags = PCTL_PROPERTY_SECRET | PCTL_PROPERTY_NEW, .needs = "add change",
		.help = "the user's password; the firmware wants it with each change"),
	PCTL_PROPERTY(.name = "realms", .type = PCTL_TYPE_FLAGS, .choices = realms,
		.needs = "add change",
		.help = "what the user may do, like remote-control,hardware"),
	PCTL_PROPERTY(.name = "access", .type = PCTL_TYPE_CHOICE, .choices = accesses,
		.needs = "add change",
		.help = "from where: the machine itself, the network; a new user: any"),
	PCTL_PROPERTY(.name = "remove", .type = PCTL_TYPE_TEXT, .excludes = "enable disable",
		.help = "name of a user"),
	PCTL_PROPERTY(.name = "enable", .type = PCTL_TYPE_TEXT, .excludes = "disable",
		.help = "name of a user"),
	PCTL_PROPERTY(.name = "disable", .type = PCTL_TYPE_TEXT, .help = "name of a user"),
	{ .name = NULL },
};

#define SERVICE(of, ...)                                                                        \
	{                                                                                       \
		.class = &amt_authorization, .name = (of), .returns = STATUS_PLAIN, .inputs = { \
			__VA_ARGS__                                                             \
		}                                                                               \
	}
static const struct class_method read_entry = SERVICE("GetUserAclEntryEx", "Handle");
static const struct class_method read_enabled = SERVICE("GetAclEnabledState", "Handle");
static const struct class_method set_enabled = SERVICE("SetAclEnabledState", "Handle", "Enabled");
static const struct class_method remove_entry = SERVICE("RemoveUserAclEntry", "Handle");

/* An output of a method is read as an instance is. */
static const struct class_field entry_fields[] = {
	{ .name = "DigestUsername", .key = "name" },
	{ .name = "KerberosUserSid", .key = "kerberos_sid" },
	{ .name = "AccessPermission", .key = "access", .type = FIELD_WORD, .words = words_access },
	{ .name = "Realms",
		.key = "realms",
		.type = FIELD_WORD,
		.flags = FIELD_LIST,
		.words = words_realm },
	{ .name = NULL },
};
static const struct class entry = CLASS(WSMAN_AMT, "AMT_AuthorizationService", entry_fields);

/* --- Reading: who there is, and then each of them. -------------------------------------------- */

static void read_next(struct amt_dev *dev);

static void ask(struct amt_dev *dev, const struct class_method *method, const char *input,
	amt_then_fn *then)
{
	const struct class_input inputs[] = { { .name = method->inputs[0], .text = input },
		{ .name = NULL } };
	struct wsman *w = amt_invoke(dev, method->class, method->name, method->returns);

	class_call(w, method, inputs);
	amt_send(dev, then, chain_work(dev)->is.users.except);
}

static const char *id_of(const struct pctl_value *user)
{
	return pctl_value_text(pctl_value_get(user, "id"));
}

static struct pctl_value *users_of(struct amt_dev *dev)
{
	return pctl_value_get(chain_work(dev)->ret, "users");
}

static struct pctl_value *this_user(struct amt_dev *dev)
{
	return pctl_value_at(users_of(dev), chain_work(dev)->is.users.at);
}

static void got_enabled(struct amt_dev *dev, const struct xml_node *answer)
{
	const char *text = xml_text(answer, "Enabled");

	if (text)
		pctl_value_set_bool(this_user(dev), "enabled", strcmp(text, "true") == 0);
	chain_work(dev)->is.users.at++;
	read_next(dev);
}

static void got_entry(struct amt_dev *dev, const struct xml_node *answer)
{
	class_read(&entry, answer, this_user(dev));
	ask(dev, &read_enabled, id_of(this_user(dev)), got_enabled);
}

static void read_next(struct amt_dev *dev)
{
	struct chain_work *w = chain_work(dev);

	if (w->is.users.at < pctl_value_count(users_of(dev)))
		ask(dev, &read_entry, id_of(this_user(dev)), got_entry);
	else
		w->is.users.then(dev);
}

static void listed(struct amt_dev *dev)
{
	const struct account_list *list = &chain_work(dev)->is.users.list;

	for (size_t i = 0; i < list->n; i++) {
		struct pctl_value *map = pctl_value_new_map();
		char id[16];

		(void)snprintf(id, sizeof(id), "%u", (unsigned)list->handles[i]);
		pctl_value_set_text(map, "id", id);
		pctl_value_add(users_of(dev), map);
	}
	read_next(dev);
}

static void read_users(struct amt_dev *dev)
{
	chain_work(dev)->is.users.at = 0;
	pctl_value_set(chain_work(dev)->ret, "users", pctl_value_new_list());
	amt_account_list(
		dev, &chain_work(dev)->is.users.list, listed, chain_work(dev)->is.users.except);
}

/* What this account may not see is not there. */
static void not_shown(struct amt_dev *dev, const struct pctl_error *err)
{
	if (pctl_error_retried(err->code)) {
		amt_end(dev, err);
		return;
	}
	(void)pctl_value_unset(chain_work(dev)->ret, "users");
	chain_work(dev)->is.users.then(dev);
}

void users_look(struct amt_dev *dev, chain_fn *then)
{
	chain_work(dev)->is.users.then = then;
	chain_work(dev)->is.users.except = not_shown;
	read_users(dev);
}

/* --- Changing. -------------------------------------------------------------------------------- */

static void changed(struct amt_dev *dev)
{
	chain_work(dev)->is.users.changed = true;
	read_users(dev);
}

static void add_word(
	struct wsman *w, const char *field, const struct class_word *words, const char *word)
{
	const struct class_word *row = class_number(words, word);

	if (row)
		wsman_uint(w, field, row->number);
	else
		wsman_text(w, field, word); /* a number that has no word */
}

/* What is given, else what the user has. was: NULL: a new one. */
static void add_rights(struct amt_dev *dev, struct wsman *w, const struct pctl_value *was)
{
	uint64_t some = pctl_argument_flags(chain_work(dev)->args, "realms");
	const struct pctl_value *had = was ? pctl_value_get(was, "realms") : NULL;
	const char *access = chain_text(dev, "access");

	if (!access && was)
		access = pctl_value_text(pctl_value_get(was, "access"));
	add_word(w, "AccessPermission", words_access, access ? access : "any");
	for (size_t i = 0; realms[i]; i++)
		if (some >> i & 1)
			add_word(w, "Realms", words_realm, realms[i]);
	for (size_t i = 0; !some && had && i < pctl_value_count(had); i++)
		add_word(w, "Realms", words_realm, pctl_value_text(pctl_value_at(had, i)));
}

static void write_user(struct amt_dev *dev, const char *realm)
{
	const struct pctl_arguments *args = chain_work(dev)->args;
	const char *change = chain_text(dev, "change");
	const char *name = change ? change : chain_text(dev, "add");
	const struct pctl_value *was = change ? chain_find(dev, "users", "name", change) : NULL;
	const char *password = pctl_secret_data(pctl_argument_secret(args, "password"));
	struct wsman *w = amt_invoke(dev, &amt_authorization,
		change ? "UpdateUserAclEntryEx" : "AddUserAclEntryEx", STATUS_PLAIN);
	struct pctl_buf digest;

	pctl_buf_init_secret(&digest, 64);
	if (!pki_digest_password(name, realm, password, &digest)) {
		pctl_buf_done(&digest);
		amt_fail(dev, PCTL_E_INTERNAL, PKI_NO_DIGEST);
		return;
	}
	if (was)
		wsman_text(w, "Handle", id_of(was));
	wsman_text(w, "DigestUsername", name);
	wsman_text(w, "DigestPassword", digest.data);
	add_rights(dev, w, was);
	pctl_buf_done(&digest);
	chain_send(dev, changed);
}

static void got_general(struct amt_dev *dev, const struct xml_node *answer)
{
	const char *realm = amt_account_realm(dev, answer);

	if (realm)
		write_user(dev, realm);
}

static const char *verb_of(struct amt_dev *dev);

/* Who is not listed and there all the same. */
static void got_admin(struct amt_dev *dev, const struct xml_node *answer)
{
	const char *admin = xml_text(answer, "Username");
	const char *name = chain_text(dev, verb_of(dev));

	if (admin && strcmp(admin, name) == 0)
		amt_fail(dev, PCTL_E_REFUSED,
			"'%s' is the administrator, which is always there: it is not listed, and "
			"neither removed nor disabled; `powerctl passwd` changes its password",
			name);
	else
		amt_fail(dev, PCTL_E_REFUSED, "there is no user '%s'", name);
}

static void not_admin(struct amt_dev *dev, const struct pctl_error *err)
{
	if (answer_is_verdict(err))
		got_admin(dev, NULL);
	else
		amt_end(dev, err);
}

static void look_for_admin(struct amt_dev *dev)
{
	(void)amt_invoke(dev, &amt_authorization, "GetAdminAclEntry", STATUS_PLAIN);
	amt_send(dev, got_admin, not_admin);
}

static bool is_enabled(const struct pctl_value *user, bool enabled)
{
	const struct pctl_value *is = pctl_value_get(user, "enabled");

	return is && pctl_value_bool(is) == enabled;
}

/* remove, enable and disable: who is meant has to be there. */
static void change_user(struct amt_dev *dev, const char *word)
{
	const char *name = chain_text(dev, word);
	const struct pctl_value *map = chain_find(dev, "users", "name", name);
	bool remove = strcmp(word, "remove") == 0, enable = strcmp(word, "enable") == 0;
	const struct class_input inputs[] = { { .name = "Handle", .text = map ? id_of(map) : NULL },
		{ .name = "Enabled", .text = enable ? "true" : "false" }, { .name = NULL } };

	if (!map)
		look_for_admin(dev);
	else if (!remove && is_enabled(map, enable))
		chain_end(dev);
	else
		chain_call(dev, remove ? &remove_entry : &set_enabled, NULL, inputs, changed);
}

static const char *const verbs[] = { "add", "change", "remove", "enable", "disable" };

/* One at a time; NULL: none. */
static const char *verb_of(struct amt_dev *dev)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (chain_given(dev, verbs[i]))
			return verbs[i];
	return NULL;
}

static void change_or_end(struct amt_dev *dev)
{
	const char *verb = verb_of(dev);
	bool add = verb && strcmp(verb, "add") == 0, change = verb && strcmp(verb, "change") == 0;

	if (!verb || chain_work(dev)->is.users.changed)
		chain_end(dev);
	else if (!add && !change)
		change_user(dev, verb);
	else if (add && chain_find(dev, "users", "name", chain_text(dev, verb)))
		amt_fail(
			dev, PCTL_E_REFUSED, "there is a user '%s' already", chain_text(dev, verb));
	else if (change && !chain_find(dev, "users", "name", chain_text(dev, verb)))
		look_for_admin(dev);
	else
		amt_get(dev, &class_general.class, got_general, NULL);
}

/* --- Before anything is read. ----------------------------------------------------------------- */

int users_check(const struct pctl_arguments *args, struct pctl_error *err)
{
	const struct pctl_secret *password = pctl_argument_secret(args, "password");
	const char *verb = pctl_argument_given(args, "add") ? "add" : "change";
	const char *name = pctl_argument_text(args, verb);

	if (!name)
		return 0;
	if (!*name || strlen(name) > NAME_MAX_ || strpbrk(name, ":,\"&<>") || name[0] == '$')
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s: a user's name has from 1 to %u characters, none of : , \" & < > "
			"and no $ before the others",
			verb, NAME_MAX_);
	if (!pki_is_strong(pctl_secret_data(password)))
		return pctl_error_set(err, PCTL_E_CONFIG, "password: " PKI_STRONG);
	return 0;
}

/* Who saws off the branch that he sits on would not get back. */
static bool is_own(struct amt_dev *dev, const char *verb)
{
	return strcmp(verb, "add") != 0 && strcmp(verb, "enable") != 0 &&
	       strcmp(chain_text(dev, verb), pctl_setting_text(dev->device, "username")) == 0;
}

void users_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct amt_dev *dev = data;

	chain_begin(dev, op, args, ret);
	const char *verb = verb_of(dev);
	chain_work(dev)->is.users.then = change_or_end;
	if (verb && is_own(dev, verb))
		amt_fail(dev, PCTL_E_CONFIG,
			"%s: '%s' is who this command logs in as; `powerctl passwd` changes the "
			"password, and another user's login the rest",
			verb, chain_text(dev, verb));
	else
		read_users(dev);
}
