/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/rotation.h"

#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>

static void close_lock(void *data, const char *folder, void *value)
{
	(void)data, (void)folder;
	if (value)
		(void)close((int)((uintptr_t)value - 1));
}

void pctl_rotation_free(struct pctl_rotation *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->file_count; i++) {
		pctl_pending_free(r->files[i].pending);
		pctl_secret_free(r->files[i].old);
		pctl_names_free(r->files[i].nodes);
		free(r->files[i].path);
	}
	pctl_strmap_each(&r->folders, close_lock, NULL);
	pctl_strmap_done(&r->folders);
	pctl_strmap_done(&r->by_path);
	free(r->files);
	free(r->nodes);
	free(r->file_of);
	free(r);
}

size_t pctl_rotation_count(const struct pctl_rotation *r)
{
	return r->node_count;
}

size_t pctl_rotation_node(const struct pctl_rotation *r, size_t i)
{
	return r->nodes[i];
}

size_t pctl_rotation_files(const struct pctl_rotation *r)
{
	return r->file_count;
}

const char *pctl_rotation_file(const struct pctl_rotation *r, size_t file)
{
	return r->files[file].path;
}

bool pctl_rotation_begun(const struct pctl_rotation *r, size_t file)
{
	return r->files[file].begun;
}

const char *pctl_rotation_pending(const struct pctl_rotation *r, size_t file)
{
	const struct pctl_pending *pending = r->files[file].pending;

	return pending ? pctl_pending_file(pending) : NULL;
}

/* --- The new passwords. ----------------------------------------------------------------------- */

static bool is_same(const struct pctl_secret *a, const struct pctl_secret *b)
{
	return pctl_secret_len(a) == pctl_secret_len(b) &&
	       memcmp(pctl_secret_data(a), pctl_secret_data(b), pctl_secret_len(a)) == 0;
}

int pctl_rotation_set(struct pctl_rotation *rotation, size_t file,
	const struct pctl_secret *password, struct pctl_error *err)
{
	struct pctl_rotation_file *f = &rotation->files[file];
	struct pctl_secret *made = NULL;
	int r = password ? pctl_password_check(&f->rules, password, err)
			 : pctl_password_make(&f->rules, &made, err);

	if (r == 0 && password && is_same(password, f->old))
		r = pctl_error_set(err, PCTL_E_CONFIG, "the new password is the old one");
	if (r == 0) {
		f->pending = pctl_pending_new(f->path, password ? password : made);
		for (size_t i = 0; i < pctl_names_count(f->nodes); i++)
			pctl_pending_add(f->pending, pctl_names_at(f->nodes, i));
	}
	pctl_secret_free(made);
	return r;
}

int pctl_rotation_write(struct pctl_rotation *rotation, struct pctl_error *err)
{
	size_t n = 0;
	int r = 0;

	for (; r == 0 && n < rotation->file_count; n++)
		r = pctl_pending_write(rotation->files[n].pending, err);
	for (size_t i = 0; r < 0 && i < n; i++)
		if (!rotation->files[i].begun)
			pctl_pending_drop(rotation->files[i].pending);
	return r;
}

/* --- Nodes. ----------------------------------------------------------------------------------- */

static struct pctl_rotation_file *file_of(const struct pctl_rotation *r, size_t node)
{
	return &r->files[r->file_of[node] - 1];
}

static const char *name_of(const struct pctl_rotation *r, size_t node)
{
	return pctl_inventory_name(r->inventory, node);
}

enum pctl_password_state pctl_rotation_state(const struct pctl_rotation *r, size_t node)
{
	const struct pctl_pending *pending = file_of(r, node)->pending;

	return pending ? pctl_pending_state(pending, name_of(r, node)) : PCTL_PASSWORD_OLD;
}

int pctl_rotation_mark(struct pctl_rotation *r, size_t node, enum pctl_password_state state,
	struct pctl_error *err)
{
	return pctl_pending_mark(file_of(r, node)->pending, name_of(r, node), state, err);
}

const struct pctl_secret *pctl_rotation_secret(
	const struct pctl_rotation *r, size_t node, enum pctl_password_state state)
{
	const struct pctl_rotation_file *f = file_of(r, node);

	if (state == PCTL_PASSWORD_OLD)
		return f->old;
	return f->pending ? pctl_pending_secret(f->pending) : NULL;
}

/* --- The end. --------------------------------------------------------------------------------- */

/* Who left the inventory, or has another password by now, is nobody to wait for. */
static size_t nodes_in(const struct pctl_rotation_file *f, enum pctl_password_state state,
	struct pctl_names *names)
{
	const struct pctl_names *nodes = f->pending ? pctl_pending_nodes(f->pending) : NULL;
	size_t count = 0;

	for (size_t i = 0; nodes && i < pctl_names_count(nodes); i++) {
		const char *name = pctl_names_at(nodes, i);

		if (!pctl_names_has(f->nodes, name) ||
			pctl_pending_state(f->pending, name) != state)
			continue;
		count++;
		if (names)
			(void)pctl_names_add(names, name);
	}
	return count;
}

void pctl_rotation_names(const struct pctl_rotation *r, size_t file, enum pctl_password_state state,
	struct pctl_names *ret)
{
	(void)nodes_in(&r->files[file], state, ret);
}

bool pctl_rotation_is_left(const struct pctl_rotation *r, size_t node)
{
	const struct pctl_rotation_file *f = file_of(r, node);

	return f->begun || nodes_in(f, PCTL_PASSWORD_SENT, NULL) ||
	       nodes_in(f, PCTL_PASSWORD_NEW, NULL);
}

int pctl_rotation_finish(
	struct pctl_rotation *rotation, size_t file, bool drop, struct pctl_error *err)
{
	struct pctl_rotation_file *f = &rotation->files[file];
	size_t old = nodes_in(f, PCTL_PASSWORD_OLD, NULL);
	size_t sent = nodes_in(f, PCTL_PASSWORD_SENT, NULL);

	if (!old && !sent) {
		int r = pctl_pending_promote(f->pending, err);

		return r < 0 ? r : 1;
	}
	if (drop && !sent && !nodes_in(f, PCTL_PASSWORD_NEW, NULL))
		pctl_pending_drop(f->pending);
	return 0;
}
