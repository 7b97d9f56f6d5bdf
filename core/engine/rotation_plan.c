/* SPDX-License-Identifier: Apache-2.0 */
/* Which files have the passwords of which nodes, and whether they can be changed together. */
#include <string.h>

#include <powerctl/mem.h>

#include "base/paths.h"
#include "engine/rotation.h"
#include "inventory/inventory.h"
#include "node/core.h"
#include "node/credential.h"

#define FILE_END "_file"

struct plan {
	struct pctl_rotation *rotation;
	struct pctl_problems *problems;
	unsigned flags;
	struct pctl_strmap real;       /* paths without symbolic links, by those of the inventory */
	struct pctl_strmap reasons;    /* struct pctl_names of nodes, by what is wrong with them */
	struct pctl_names *complaints; /* the keys of reasons, in order */
};

/* The same mistake of many nodes is said once. */
static void complain(struct plan *p, size_t node, const char *what)
{
	void **names;

	(void)pctl_names_add(p->complaints, what);
	names = pctl_strmap_put(&p->reasons, what);
	if (!*names)
		*names = pctl_names_new();
	(void)pctl_names_add(*names, pctl_inventory_name(p->rotation->inventory, node));
}

static void tell_complaints(struct plan *p)
{
	for (size_t i = 0; i < pctl_names_count(p->complaints); i++) {
		const char *what = pctl_names_at(p->complaints, i);
		struct pctl_names *names = pctl_strmap_get(&p->reasons, what);
		PCTL_AUTO(free) char *folded = pctl_names_fold(names);

		pctl_problems_add(p->problems, (struct pctl_place){ 0 }, "%s: %s", folded, what);
		pctl_names_free(names);
	}
	pctl_strmap_done(&p->reasons);
	pctl_names_free(p->complaints);
}

/* --- Files of the selected nodes. ------------------------------------------------------------- */

static struct pctl_rotation_file *file_at(struct pctl_rotation *r, const char *path, size_t *ret)
{
	void **place = pctl_strmap_put(&r->by_path, path);

	if (!*place) {
		r->files = pctl_xgrow(r->files, &r->file_cap, r->file_count + 1, sizeof(*r->files));
		r->files[r->file_count] = (struct pctl_rotation_file){ .path = pctl_xstrdup(path),
			.nodes = pctl_names_new() };
		*place = (void *)(uintptr_t)++r->file_count;
	}
	*ret = (size_t)(uintptr_t)*place;
	return &r->files[*ret - 1];
}

static int read_secret(struct plan *p, struct pctl_rotation_file *f, const struct pctl_value *map,
	const char *setting, struct pctl_error *err)
{
	struct pctl_secrets *secrets;
	const struct pctl_secret *old = NULL;
	int r = pctl_pending_read(f->path, &f->pending, err);

	f->begun = f->pending != NULL;
	if (r < 0 || (!f->begun && (p->flags & PCTL_ROTATION_RESUME)))
		return r;
	secrets = pctl_secrets_new(); /* as it is now: kept ones may be older */
	r = pctl_secrets_get(secrets, map, setting, &old, err);
	if (r == 0)
		f->old = pctl_secret_copy(old);
	pctl_secrets_free(secrets);
	return r;
}

/* Two commands at once would both write the file, and each send another password. */
static int take_lock(struct plan *p, const char *path, struct pctl_error *err)
{
	PCTL_AUTO(free) char *folder = pctl_path_dirname(path);

	if ((p->flags & PCTL_ROTATION_DRY) || pctl_strmap_get(&p->rotation->folders, folder))
		return 0;
	int fd = pctl_pending_lock(folder, err);
	if (fd < 0)
		return fd;
	*pctl_strmap_put(&p->rotation->folders, folder) = (void *)((uintptr_t)fd + 1);
	return 0;
}

static int open_file(struct plan *p, const struct pctl_value *map, const char *setting, size_t *ret,
	struct pctl_error *err)
{
	char *path = NULL;
	int r = pctl_secret_file(map, setting, &path, err);

	if (r == 0)
		r = take_lock(p, path, err);
	if (r == 0) {
		struct pctl_rotation_file *f = file_at(p->rotation, path, ret);

		if (!f->old && !f->pending)
			r = read_secret(p, f, map, setting, err);
	}
	free(path);
	return r;
}

/* NULL: PCTL_E_UNSUPPORTED, it has none; else its driver could not be loaded. */
static const struct pctl_account_if *account_of(
	struct plan *p, const struct pctl_value *map, struct pctl_error *err)
{
	const char *name = pctl_value_text(pctl_value_get(map, "driver"));
	struct pctl_loaded *loaded = NULL;

	if (!name || pctl_core_load(p->rotation->core, name, &loaded, err) < 0) {
		if (!name)
			pctl_error_set(err, PCTL_E_UNSUPPORTED, "it has no driver of its own");
		return NULL;
	}
	if (!loaded->driver->account)
		pctl_error_set(
			err, PCTL_E_UNSUPPORTED, "driver %s cannot change its password", name);
	return loaded->driver->account;
}

/* Resuming, a node is of interest only if its file is pending. */
static bool is_wanted(const struct plan *p, const struct pctl_rotation_file *f, const char *name)
{
	return !(p->flags & PCTL_ROTATION_RESUME) ||
	       (f->begun && pctl_names_has(pctl_pending_nodes(f->pending), name));
}

/* Resuming, one of which nothing can be pending is left out; whatever else is wrong is said. */
static bool is_of_interest(const struct plan *p, const struct pctl_value *map,
	const struct pctl_account_if *account, int bad)
{
	if (!(p->flags & PCTL_ROTATION_RESUME))
		return true;
	return account ? pctl_secret_may_be_pending(map, account->setting)
		       : bad != PCTL_E_UNSUPPORTED;
}

static void select_node(struct plan *p, size_t node)
{
	struct pctl_rotation *r = p->rotation;
	struct pctl_value *map = pctl_inventory_settings(r->inventory, node);
	struct pctl_error err = { 0 };
	const struct pctl_account_if *account = account_of(p, map, &err);
	size_t at = 0;
	int bad = account ? open_file(p, map, account->setting, &at, &err) : err.code;

	if (bad == 0 && is_wanted(p, &r->files[at - 1], pctl_inventory_name(r->inventory, node))) {
		r->nodes = pctl_xgrow(r->nodes, &r->node_cap, r->node_count + 1, sizeof(*r->nodes));
		r->nodes[r->node_count++] = node;
		r->file_of[node] = at;
	} else if (bad < 0 && is_of_interest(p, map, account, bad)) {
		complain(p, node, err.text);
	}
	pctl_value_free(map);
}

/* --- Who else has them. ----------------------------------------------------------------------- */

static size_t file_named(struct plan *p, const struct pctl_value *v)
{
	PCTL_AUTO(free) char *path = pctl_path_of(v);
	void **place = pctl_strmap_put(&p->real, path);

	if (!*place) {
		char *real = realpath(path, NULL);

		*place = real ? real : pctl_xstrdup("");
	}
	size_t file = (size_t)(uintptr_t)pctl_strmap_get(&p->rotation->by_path, *place);
	/* Resuming, those that nothing is pending of are only looked at. */
	if (file && (p->flags & PCTL_ROTATION_RESUME) && !p->rotation->files[file - 1].begun)
		return 0;
	return file;
}

static bool is_file_key(const char *key)
{
	size_t len = strlen(key), end = strlen(FILE_END);

	return len > end && strcmp(key + len - end, FILE_END) == 0;
}

/* Below the node's own settings: what another driver logs in with. */
static void look_below(struct plan *p, size_t node, const struct pctl_value *v, const char *where)
{
	for (size_t i = 0; i < pctl_value_count(v); i++) {
		const struct pctl_value *item = pctl_value_at(v, i);
		const char *key =
			pctl_value_kind(v) == PCTL_VALUE_MAP ? pctl_value_key_at(v, i) : "";

		if (pctl_value_kind(item) == PCTL_VALUE_MAP ||
			pctl_value_kind(item) == PCTL_VALUE_LIST) {
			look_below(p, node, item, where);
		} else if (is_file_key(key) && pctl_value_text(item) && file_named(p, item)) {
			PCTL_AUTO(free)
			char *what = pctl_xasprintf("`%s` has the same file for its %s, and would "
						    "not get the new password; give it one of its "
						    "own first",
				where, key);
			complain(p, node, what);
		}
	}
}

static void look_at_own(struct plan *p, size_t node, const struct pctl_value *map, const char *key,
	const struct pctl_value *v)
{
	struct pctl_rotation *r = p->rotation;
	const struct pctl_account_if *account = account_of(p, map, NULL);
	size_t len = strlen(key) - strlen(FILE_END), file = file_named(p, v);

	if (!file)
		return;
	if (account && strlen(account->setting) == len &&
		strncmp(account->setting, key, len) == 0) {
		struct pctl_rotation_file *f = &r->files[file - 1];

		(void)pctl_names_add(f->nodes, pctl_inventory_name(r->inventory, node));
		pctl_password_rules_add(&f->rules, account);
		if (!r->file_of[node] && !(p->flags & PCTL_ROTATION_RESUME) && !f->begun)
			complain(p, node,
				"has the same file for its password; name it too, so that all of "
				"them get the new one, or give it a file of its own");
		return;
	}
	PCTL_AUTO(free)
	char *what = pctl_xasprintf("has the same file for its %s, and would not get the new "
				    "password; give it one of its own first",
		key);
	complain(p, node, what);
}

static void look_at_gateway(struct plan *p, size_t node, const struct pctl_value *map)
{
	const char *name = pctl_value_text(pctl_value_get(map, "via_credential"));
	const struct pctl_value *login =
		name ? pctl_inventory_credential(p->rotation->inventory, name) : NULL;

	if (login)
		look_below(p, node, login, "via_credential");
}

static void look_at_node(struct plan *p, size_t node)
{
	struct pctl_value *map = pctl_inventory_settings(p->rotation->inventory, node);

	for (size_t i = 0; i < pctl_value_count(map); i++) {
		const struct pctl_value *v = pctl_value_at(map, i);
		const char *key = pctl_value_key_at(map, i);

		if (pctl_value_kind(v) == PCTL_VALUE_MAP || pctl_value_kind(v) == PCTL_VALUE_LIST)
			look_below(p, node, v, key);
		else if (is_file_key(key) && pctl_value_text(v))
			look_at_own(p, node, map, key, v);
	}
	look_at_gateway(p, node, map);
	pctl_value_free(map);
}

/* A change that was begun is for the nodes that it began with: its own file says them. */
static void check_begun(struct plan *p)
{
	for (size_t i = 0; i < p->rotation->file_count; i++) {
		struct pctl_rotation_file *f = &p->rotation->files[i];

		if (!f->old)
			continue;
		for (size_t k = 0; f->begun && k < pctl_names_count(f->nodes); k++) {
			const char *name = pctl_names_at(f->nodes, k);
			int64_t node = pctl_inventory_index(p->rotation->inventory, name);

			if (!pctl_names_has(pctl_pending_nodes(f->pending), name))
				complain(p, (size_t)node,
					"came to a password that is being changed; give it a file "
					"of its own until that has ended");
		}
	}
}

/* --- All of it. ------------------------------------------------------------------------------- */

static void free_path(void *data, const char *key, void *value)
{
	(void)data, (void)key;
	free(value);
}

/* They had no part in it. */
static void drop_others(struct pctl_rotation *r)
{
	size_t n = 0;
	size_t *moved = pctl_xcalloc(r->file_count + 1, sizeof(*moved));

	for (size_t i = 0; i < r->file_count; i++) {
		if (r->files[i].begun) {
			r->files[n] = r->files[i];
			moved[i + 1] = ++n;
			continue;
		}
		pctl_secret_free(r->files[i].old);
		pctl_names_free(r->files[i].nodes);
		free(r->files[i].path);
	}
	for (size_t i = 0; i < r->node_count; i++)
		r->file_of[r->nodes[i]] = moved[r->file_of[r->nodes[i]]];
	r->file_count = n;
	free(moved);
}

int pctl_rotation_new(struct pctl_core *core, struct pctl_inventory *inventory, const size_t *nodes,
	size_t count, unsigned flags, struct pctl_rotation **ret, struct pctl_problems *problems)
{
	size_t all = pctl_inventory_count(inventory);
	struct pctl_rotation *r = pctl_xcalloc(1, sizeof(*r));
	struct plan p = { .rotation = r, .problems = problems, .flags = flags };

	p.complaints = pctl_names_new();
	r->core = core;
	r->inventory = inventory;
	r->file_of = pctl_xcalloc(all + 1, sizeof(*r->file_of));
	for (size_t i = 0; i < count; i++)
		if (!r->file_of[nodes[i]])
			select_node(&p, nodes[i]);
	for (size_t node = 0; r->file_count && node < all; node++)
		look_at_node(&p, node);
	check_begun(&p);
	bool bad = pctl_names_count(p.complaints) > 0;
	tell_complaints(&p);
	pctl_strmap_each(&p.real, free_path, NULL);
	pctl_strmap_done(&p.real);
	if (bad) {
		pctl_rotation_free(r);
		return PCTL_E_CONFIG;
	}
	if (flags & PCTL_ROTATION_RESUME)
		drop_others(r);
	*ret = r;
	return 0;
}
