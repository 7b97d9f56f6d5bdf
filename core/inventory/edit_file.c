/* SPDX-License-Identifier: Apache-2.0 */
/* A file more for the inventory: written beside it, and included. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "base/file.h"
#include "base/paths.h"
#include "inventory/edit.h"

PCTL_DEFINE_AUTO(struct pctl_value *, pctl_value_free)
PCTL_DEFINE_AUTO(struct pctl_inventory *, pctl_inventory_free)
PCTL_DEFINE_AUTO(struct pctl_problems *, pctl_problems_free)

/* As an include of the inventory finds it. free() it. */
static char *include_path(const char *path, const char *include)
{
	PCTL_AUTO(free) char *dir = pctl_path_dirname(path);

	return strchr(path, '/') ? pctl_xasprintf("%s/%s", dir, include) : pctl_xstrdup(include);
}

/* What the inventory calls the new file: conf.d/NAME.yaml, where there is none yet. free() it. */
static char *choose_include(const char *path, const char *name)
{
	for (unsigned i = 1;; i++) {
		char *include = i == 1 ? pctl_xasprintf("conf.d/%s.yaml", name)
				       : pctl_xasprintf("conf.d/%s-%u.yaml", name, i);
		PCTL_AUTO(free) char *file = include_path(path, include);

		if (access(file, F_OK) < 0)
			return include;
		free(include);
	}
}

static int add_include(struct pctl_edit *e, const char *include, struct pctl_error *err)
{
	PCTL_AUTO(pctl_value_free) struct pctl_value *item = pctl_value_new_text(include);
	PCTL_AUTO(pctl_value_free) struct pctl_value *list = pctl_value_new_list();
	struct pctl_spot root = pctl_splice_root(&e->splice);
	struct pctl_spot spot = { .value = NULL };
	int r = pctl_edit_need_map(e, &root, "the file", err);

	if (r < 0)
		return r;
	if (root.value)
		spot = pctl_splice_find(&e->splice, &root, "include");
	if (spot.value && pctl_value_kind(spot.value) == PCTL_VALUE_LIST) {
		pctl_splice_append(&e->splice, &spot, item);
		pctl_value_add(pctl_value_get(e->wanted, "include"), pctl_value_copy(item));
		return 0;
	}
	if (spot.value && !pctl_edit_is_nothing(spot.value))
		pctl_value_add(list, pctl_value_copy(spot.value));
	pctl_value_add(list, pctl_value_copy(item));
	if (spot.value)
		pctl_splice_replace(&e->splice, &spot, list);
	else
		pctl_splice_add(&e->splice, &root, "include", list);
	pctl_value_set(e->wanted, "include", pctl_value_copy(list));
	return 0;
}

int pctl_inventory_try_file(const char *path, const char *name, const char *text, size_t len,
	char **ret_file, struct pctl_inventory **ret, struct pctl_problems *problems)
{
	PCTL_AUTO(free) char *include = choose_include(path, name);
	PCTL_AUTO(free) char *file = include_path(path, include);
	struct pctl_edit e = { .path = path };
	struct pctl_error err = { 0 };
	struct pctl_buf changed;

	pctl_buf_init_secret(&e.text, PCTL_YAML_FILE_MAX);
	pctl_buf_init_secret(&changed, PCTL_YAML_FILE_MAX);
	int r = pctl_edit_open(&e, path, &err);
	if (r == 0)
		r = add_include(&e, include, &err);
	if (r == 0)
		r = pctl_edit_render(&e, &changed, &err);
	if (r < 0) {
		pctl_problems_add(problems, (struct pctl_place){ 0 }, "%s", err.text);
	} else {
		struct pctl_inventory_draft added = { file, text, len, NULL };
		struct pctl_inventory_draft draft = { path, changed.data, changed.len, &added };

		r = pctl_inventory_load_draft(path, &draft, ret, problems);
		/* Places point to the inventory's own copy of the name. */
		*ret_file = file;
		file = NULL;
	}
	pctl_buf_done(&changed);
	pctl_edit_end(&e);
	return r;
}

/* Whether the inventory as it stands reads the file, by a pattern perhaps. */
static bool is_included(const char *path, const char *file)
{
	PCTL_AUTO(pctl_problems_free) struct pctl_problems *ignored = pctl_problems_new();
	PCTL_AUTO(pctl_inventory_free) struct pctl_inventory *inv = NULL;
	PCTL_AUTO(free) char *real = realpath(file, NULL);

	(void)pctl_inventory_load_fresh(path, PCTL_SOURCES_KEPT, &inv, ignored);
	for (size_t i = 0; inv && real && i < inv->file_count; i++)
		if (inv->files[i]->real && strcmp(inv->files[i]->real, real) == 0)
			return true;
	return false;
}

/* The file first: until the inventory says so nobody reads it. */
static int write_file(struct pctl_edit *e, const char *file,
	const struct pctl_inventory_draft *added, const struct pctl_buf *text,
	struct pctl_error *err)
{
	int r = pctl_edit_check(e, text, added, err);

	if (r == 0)
		r = pctl_path_make_parent(file, err);
	if (r == 0)
		r = pctl_file_replace(file, added->text, added->len, pctl_edit_mode(), NULL, err);
	if (r < 0 || is_included(e->path, file))
		return r;
	r = pctl_file_replace(
		e->path, text->data, text->len, pctl_edit_mode(), e->exists ? &e->st : NULL, err);
	if (r < 0)
		(void)unlink(file);
	return r;
}

int pctl_inventory_edit_file(const char *path, const char *name, const char *text, size_t len,
	char **ret_file, struct pctl_error *err)
{
	PCTL_AUTO(free) char *include = NULL;
	PCTL_AUTO(free) char *file = NULL;
	struct pctl_buf changed;
	struct pctl_edit e;
	int r = pctl_edit_begin(&e, path, err);

	pctl_buf_init_secret(&changed, PCTL_YAML_FILE_MAX);
	if (r == 0)
		r = pctl_edit_open(&e, path, err);
	if (r == 0) {
		include = choose_include(path, name);
		file = include_path(path, include);
		r = add_include(&e, include, err);
	}
	if (r == 0)
		r = pctl_edit_render(&e, &changed, err);
	if (r == 0) {
		struct pctl_inventory_draft added = { file, text, len, NULL };

		r = write_file(&e, file, &added, &changed, err);
	}
	if (r == 0) {
		*ret_file = file;
		file = NULL;
	}
	pctl_buf_done(&changed);
	pctl_edit_end(&e);
	return r;
}

void pctl_inventory_write_text(struct pctl_buf *out, const char *text, bool flow)
{
	pctl_yaml_write_text(out, text, flow);
}
