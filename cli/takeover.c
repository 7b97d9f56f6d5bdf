/* SPDX-License-Identifier: Apache-2.0 */
#include "takeover.h"

#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "login.h"
#include "say.h"

/* --- What is left out. ------------------------------------------------------------------------ */

/* Nodes that are left out for one reason, as one line with the first one's place. */
struct leftovers {
	struct pctl_names *names;
	struct pctl_place place;
};

static void leave(struct leftovers *l, struct import_node *node)
{
	if (!l->names) {
		l->names = pctl_names_new();
		l->place = node->place;
	}
	(void)pctl_names_add(l->names, node->name);
	node->dropped = true;
}

/* Says why, and how to mend it. */
static void leftovers_done(struct takeover *t, struct leftovers *l, const char *why)
{
	if (l->names) {
		PCTL_AUTO(free) char *folded = pctl_names_fold(l->names);

		import_left(&t->im, l->place, "%s: %s", folded, why);
	}
	pctl_names_free(l->names);
}

static bool has(const struct import_node *node, const char *key)
{
	return pctl_value_get(node->settings, key) != NULL;
}

/* Nodes that one file of the inventory has already. */
struct known {
	const char *file;
	uint32_t first, last; /* their lines */
	struct leftovers nodes;
};

static char *where(const char *file, uint32_t first, uint32_t last)
{
	if (!first)
		return pctl_xasprintf("in %s", file);
	if (first == last)
		return pctl_xasprintf("at %s:%u", file, first);
	return pctl_xasprintf("in %s, lines %u to %u", file, first, last);
}

/* The entry for a file; *n is how many there are, the last one is what was asked for last. */
static struct known *known_in(struct known **all, size_t *n, size_t *cap, const char *file)
{
	for (size_t i = *n; i-- > 0;)
		if (strcmp((*all)[i].file, file) == 0)
			return &(*all)[i];
	*all = pctl_xgrow(*all, cap, *n + 1, sizeof(**all));
	(*all)[*n] = (struct known){ .file = file };
	return &(*all)[(*n)++];
}

static void leave_known(struct known *in, struct import_node *node, uint32_t line)
{
	if (!in->nodes.names || line < in->first)
		in->first = line;
	if (line > in->last)
		in->last = line;
	leave(&in->nodes, node);
}

static void leave_known_nodes(struct takeover *t)
{
	struct known *known = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; t->begun && i < t->im.node_count; i++) {
		struct import_node *node = &t->im.nodes[i];
		int64_t at = pctl_inventory_index(t->cli->inventory, node->name);

		if (node->dropped || at < 0)
			continue;
		struct pctl_place place = pctl_inventory_place(t->cli->inventory, (size_t)at);
		leave_known(known_in(&known, &n, &cap, place.file ? place.file : t->path), node,
			place.line);
	}
	for (size_t i = 0; i < n; i++) {
		PCTL_AUTO(free) char *at = where(known[i].file, known[i].first, known[i].last);
		PCTL_AUTO(free)
		char *why = pctl_xasprintf("already %s, where they stay as they are", at);

		leftovers_done(t, &known[i].nodes, why);
	}
	free(known);
}

static void leave_known_group(struct takeover *t, struct import_group *group, size_t there)
{
	struct pctl_place place = pctl_inventory_group_place(t->cli->inventory, there);
	PCTL_AUTO(free)
	char *at = where(place.file ? place.file : t->path, place.line, place.line);

	import_left(&t->im, group->place, "the group '%s' is already %s, where it stays as it is",
		group->name, at);
	pctl_names_free(group->members);
	group->members = pctl_names_new();
}

static void leave_known_groups(struct takeover *t)
{
	const struct pctl_inventory *inventory = t->cli->inventory;

	for (size_t i = 0; t->begun && i < pctl_inventory_group_count(inventory); i++) {
		size_t own = import_index_find(
			&t->im.group_index, pctl_inventory_group_name(inventory, i));

		if (own != IMPORT_NOWHERE)
			leave_known_group(t, &t->im.groups[own], i);
	}
}

void takeover_leave_known(struct takeover *t)
{
	leave_known_nodes(t);
	leave_known_groups(t);
}

/* --- Drivers and logins. ---------------------------------------------------------------------- */

static bool is_one_of(const struct takeover *t, const char *name,
	void (*list)(const struct pctl_inventory *inventory, struct pctl_names *out))
{
	struct pctl_names *names = pctl_names_new();

	if (t->begun)
		list(t->cli->inventory, names);
	bool found = pctl_names_has(names, name);
	pctl_names_free(names);
	return found;
}

/* The login of the options, where there is one. */
int takeover_options(struct takeover *t)
{
	const struct options *o = &t->cli->options;
	const char *env = getenv("POWERCTL_PASSWORD");
	bool some = o->user || o->password_file || o->password_stdin || (env && *env);
	struct pctl_secret *secret = NULL;
	struct pctl_error err = { 0 };

	if (o->password_stdin && strcmp(t->file, "-") == 0) {
		say("both FILE and the password cannot come from standard input: use "
		    "--password-file FILE");
		return CLI_USAGE;
	}
	if (o->credential && !is_one_of(t, o->credential, pctl_inventory_credentials)) {
		say("--credential %s: there is no such credential in %s", o->credential, t->path);
		return CLI_USAGE;
	}
	if (!some || o->credential)
		return CLI_OK;
	if (login_password(t->cli, "Password for machines that have none there: ", &secret, &err) <
		0) {
		say("%s", err.text);
		return CLI_USAGE;
	}
	t->user_login = import_login(&t->im, o->user, pctl_secret_data(secret), NULL);
	pctl_secret_free(secret);
	return CLI_OK;
}

static bool is_same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Whether a credential's secret is this one; false too where it cannot be read. */
static bool is_same_secret(struct pctl_secrets *secrets, const struct pctl_value *credential,
	const char *key, const struct pctl_secret *wanted)
{
	const struct pctl_secret *found = NULL;

	if (pctl_secrets_get(secrets, credential, key, &found, NULL) < 0 || !found != !wanted)
		return false;
	return !found || (pctl_secret_len(found) == pctl_secret_len(wanted) &&
				 memcmp(pctl_secret_data(found), pctl_secret_data(wanted),
					 pctl_secret_len(found)) == 0);
}

/* Whether a credential says what a login says, and no more. No program is run to find out. */
static bool is_same_login(struct pctl_secrets *secrets, const struct pctl_value *credential,
	const struct import_login *login)
{
	static const char *const keys[] = { "username", "password", "password_file", "kg",
		"kg_file", NULL };

	if (!is_same_text(pctl_value_text(pctl_value_get(credential, "username")), login->user))
		return false;
	for (size_t i = 0; i < pctl_value_count(credential); i++)
		if (pctl_parse_choice(pctl_value_key_at(credential, i), keys) < 0)
			return false;
	return is_same_secret(secrets, credential, "password", login->password) &&
	       is_same_secret(secrets, credential, "kg", login->kg);
}

void takeover_reuse_logins(struct takeover *t)
{
	struct pctl_names *names = pctl_names_new();
	struct pctl_secrets *secrets = pctl_secrets_new();

	if (t->begun)
		pctl_inventory_credentials(t->cli->inventory, names);
	for (size_t i = 0; i < t->im.login_count; i++) {
		struct import_login *login = &t->im.logins[i];

		for (size_t k = 0; !login->name && k < pctl_names_count(names); k++) {
			const char *name = pctl_names_at(names, k);

			login->is_there = is_same_login(
				secrets, pctl_inventory_credential(t->cli->inventory, name), login);
			login->name = login->is_there ? pctl_xstrdup(name) : NULL;
		}
	}
	pctl_secrets_free(secrets);
	pctl_names_free(names);
}

/* What the file says of a login, filled up with what the options say. */
static void complete_login(struct takeover *t, struct import_node *node)
{
	const struct options *o = &t->cli->options;
	const struct import_login *own = node->login ? &t->im.logins[node->login - 1] : NULL;
	const struct import_login *given = t->user_login ? &t->im.logins[t->user_login - 1] : NULL;

	if ((own && own->password) || has(node, "credential") || has(node, "class"))
		return;
	if (o->credential) {
		import_set(node, "credential", o->credential);
		node->login = 0;
	} else if (given) {
		node->login = import_login(&t->im, own && own->user ? own->user : given->user,
			pctl_secret_data(given->password),
			own && own->kg ? pctl_secret_data(own->kg) : NULL);
	}
}

static bool has_login(struct takeover *t, const struct import_node *node)
{
	static const char *const ways[] = { "class", "credential", "password_file", "password_env",
		"password_command" };
	const char *name = import_setting(node, "driver");
	const struct pctl_driver *driver = NULL;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (has(node, ways[i]))
			return true;
	if (node->login && t->im.logins[node->login - 1].password)
		return true;
	/* One that is not there is found out later, and said. */
	return pctl_core_driver(cli_core(t->cli), name, &driver, NULL) < 0 ||
	       !login_property(t->cli, driver, NULL, "username") ||
	       !login_property(t->cli, driver, NULL, "password");
}

static void add_tags(const struct takeover *t, struct import_node *node)
{
	const struct words *tags = &t->cli->options.tags;
	struct pctl_value *list = pctl_value_get(node->settings, "tags");

	if (tags->n && !list) {
		list = pctl_value_new_list();
		pctl_value_set(node->settings, "tags", list);
	}
	for (size_t i = 0; i < tags->n; i++)
		pctl_value_add(list, pctl_value_new_text(tags->v[i]));
}

void takeover_complete(struct takeover *t)
{
	struct leftovers no_driver = { 0 }, no_login = { 0 }, no_class = { 0 },
			 no_credential = { 0 };

	for (size_t i = 0; i < t->im.node_count; i++) {
		struct import_node *node = &t->im.nodes[i];
		const char *class = import_setting(node, "class");
		const char *credential = import_setting(node, "credential");

		if (node->dropped)
			continue;
		if (!has(node, "driver") && !class)
			import_set(node, "driver", t->cli->options.driver);
		complete_login(t, node);
		if (class && !is_one_of(t, class, pctl_inventory_classes))
			leave(&no_class, node);
		else if (credential && !is_one_of(t, credential, pctl_inventory_credentials))
			leave(&no_credential, node);
		else if (!has(node, "driver") && !class)
			leave(&no_driver, node);
		else if (!has_login(t, node))
			leave(&no_login, node);
		else
			add_tags(t, node);
	}
	leftovers_done(
		t, &no_driver, "no driver is named; add a column 'driver', or --driver NAME");
	leftovers_done(t, &no_class, "the inventory has no such class; write it there first");
	leftovers_done(
		t, &no_credential, "the inventory has no such credential; write it there first");
	leftovers_done(t, &no_login,
		"no password is there; import again with --user NAME and --password-file FILE, or "
		"with --credential NAME");
}
