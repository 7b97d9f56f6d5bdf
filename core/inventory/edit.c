/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes to the inventory file. Each is made twice: in the text, by splicing, and in the tree that
 * was read from it. The file is replaced only if the new text reads as the new tree, and if the
 * whole inventory has no mistake then that it did not have before.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "base/file.h"
#include "base/paths.h"
#include "inventory/edit.h"

PCTL_DEFINE_AUTO(struct pctl_names *, pctl_names_free)
PCTL_DEFINE_AUTO(struct pctl_value *, pctl_value_free)
PCTL_DEFINE_AUTO(struct pctl_inventory *, pctl_inventory_free)
PCTL_DEFINE_AUTO(struct pctl_problems *, pctl_problems_free)

/* --- Locks. ----------------------------------------------------------------------------------- */

/* The lock stands beside the file, not in it: the file itself is replaced by each change. */
static char *lock_path_of(const char *file)
{
	PCTL_AUTO(free) char *real = realpath(file, NULL);
	const char *target = real ? real : file;
	const char *slash = strrchr(target, '/');
	PCTL_AUTO(free) char *dir = pctl_path_dirname(target);

	return pctl_xasprintf("%s/.%s.lock", dir, slash ? slash + 1 : target);
}

static int lock_file(struct pctl_edit *e, const char *file, struct pctl_error *err)
{
	PCTL_AUTO(free) char *path = lock_path_of(file);
	int fd = pctl_file_lock(path, 0660, err);

	if (fd < 0)
		return fd;
	e->locks[e->lock_count++] = fd;
	return 0;
}

/* --- Begin and end. --------------------------------------------------------------------------- */

int pctl_edit_begin(struct pctl_edit *e, const char *path, struct pctl_error *err)
{
	int r;

	*e = (struct pctl_edit){ .path = path, .before = pctl_problems_new() };
	pctl_buf_init_secret(&e->text, PCTL_YAML_FILE_MAX);
	r = pctl_path_make_parent(path, err);
	if (r == 0)
		r = lock_file(e, path, err);
	if (r < 0)
		return r;
	if (access(path, F_OK) < 0) {
		e->inv = pctl_inventory_new();
		return 0;
	}
	(void)pctl_inventory_load_fresh(path, PCTL_SOURCES_KEPT, &e->inv, e->before);
	if (!e->inv)
		return pctl_error_set(err, PCTL_E_CONFIG, "%s", pctl_problems_at(e->before, 0));
	return 0;
}

int pctl_edit_open(struct pctl_edit *e, const char *file, struct pctl_error *err)
{
	int r = 0;

	e->file = file;
	if (strcmp(file, e->path) != 0)
		r = lock_file(e, file, err);
	e->exists = access(file, F_OK) == 0;
	if (r == 0 && e->exists)
		r = pctl_file_read(file, &e->text, &e->st, err);
	if (r == 0)
		r = pctl_splice_init(&e->splice, file, e->text.data, e->text.len, err);
	if (r == 0)
		e->wanted = e->splice.yaml.root ? pctl_value_copy(e->splice.yaml.root)
						: pctl_value_new_map();
	return r;
}

void pctl_edit_end(struct pctl_edit *e)
{
	for (size_t i = 0; i < e->lock_count; i++)
		(void)close(e->locks[i]);
	pctl_splice_done(&e->splice);
	pctl_buf_done(&e->text);
	pctl_value_free(e->wanted);
	pctl_inventory_free(e->inv);
	pctl_problems_free(e->before);
}

/* --- Whether the result is right. ------------------------------------------------------------- */

bool pctl_edit_is_nothing(const struct pctl_value *v)
{
	const char *text = pctl_value_text(v);

	return text ? !*text : pctl_value_kind(v) == PCTL_VALUE_MAP && pctl_value_count(v) == 0;
}

static bool is_collection(const struct pctl_value *v)
{
	return pctl_value_kind(v) == PCTL_VALUE_LIST || pctl_value_kind(v) == PCTL_VALUE_MAP;
}

/* Equal as the file says it: numbers and booleans are words there, and an empty map may be
 * nothing. */
static bool reads_as(const struct pctl_value *a, const struct pctl_value *b)
{
	if (pctl_edit_is_nothing(a) || pctl_edit_is_nothing(b))
		return pctl_edit_is_nothing(a) && pctl_edit_is_nothing(b);
	if (!is_collection(a) && !is_collection(b)) {
		struct pctl_buf x, y;

		pctl_buf_init(&x, PCTL_YAML_FILE_MAX);
		pctl_buf_init(&y, PCTL_YAML_FILE_MAX);
		pctl_yaml_write(&x, a, true);
		pctl_yaml_write(&y, b, true);
		bool same = strcmp(x.data, y.data) == 0;
		pctl_buf_done(&x);
		pctl_buf_done(&y);
		return same;
	}
	if (pctl_value_kind(a) != pctl_value_kind(b) || pctl_value_count(a) != pctl_value_count(b))
		return false;
	for (size_t i = 0; i < pctl_value_count(a); i++) {
		const char *key = pctl_value_key_at(a, i);

		if (key && strcmp(key, pctl_value_key_at(b, i)) != 0)
			return false;
		if (!reads_as(pctl_value_at(a, i), pctl_value_at(b, i)))
			return false;
	}
	return true;
}

static int compare(const struct pctl_edit *e, const struct pctl_buf *text, struct pctl_error *err)
{
	PCTL_AUTO(pctl_problems_free) struct pctl_problems *problems = pctl_problems_new();
	struct pctl_yaml yaml;
	PCTL_AUTO(pctl_value_free) struct pctl_value *nothing = pctl_value_new_map();

	int r = pctl_yaml_parse(&yaml, e->file, text->data, text->len, false, problems);
	bool same = r == 0 && reads_as(yaml.root ? yaml.root : nothing, e->wanted);
	pctl_yaml_done(&yaml);
	if (same)
		return 0;
	return pctl_error_set(err, PCTL_E_CONFIG,
		"%s is written in a way that cannot be changed safely; change it by hand", e->file);
}

/* What a problem says, without its place, which moves when lines are added. */
static const char *saying_of(const char *problem)
{
	const char *said = strstr(problem, ": ");

	return said ? said + 2 : problem;
}

static bool has_problem(const struct pctl_problems *problems, const char *problem)
{
	for (size_t i = 0; pctl_problems_at(problems, i); i++)
		if (strcmp(saying_of(pctl_problems_at(problems, i)), saying_of(problem)) == 0)
			return true;
	return false;
}

int pctl_edit_check(const struct pctl_edit *e, const struct pctl_buf *text,
	const struct pctl_inventory_draft *more, struct pctl_error *err)
{
	struct pctl_inventory_draft draft = { e->file, text->data, text->len, more };
	PCTL_AUTO(pctl_problems_free) struct pctl_problems *after = pctl_problems_new();
	PCTL_AUTO(pctl_inventory_free) struct pctl_inventory *inv = NULL;

	(void)pctl_inventory_load_draft(e->path, &draft, &inv, after);
	if (pctl_problems_count(after) <= pctl_problems_count(e->before))
		return 0;
	for (size_t i = 0; pctl_problems_at(after, i); i++) {
		const char *problem = pctl_problems_at(after, i);

		if (!has_problem(e->before, problem))
			return pctl_error_set(err, PCTL_E_CONFIG, "not done, because then: %s",
				saying_of(problem));
	}
	return 0;
}

int pctl_edit_render(struct pctl_edit *e, struct pctl_buf *text, struct pctl_error *err)
{
	pctl_splice_apply(&e->splice, text);
	if (text->full)
		return pctl_error_set(err, PCTL_E_CONFIG, "%s would be too large", e->file);
	return compare(e, text, err);
}

mode_t pctl_edit_mode(void)
{
	return geteuid() == 0 ? 0640 : 0600;
}

static int commit(struct pctl_edit *e, struct pctl_error *err)
{
	struct pctl_buf text;

	pctl_buf_init_secret(&text, PCTL_YAML_FILE_MAX);
	int r = pctl_edit_render(e, &text, err);
	if (r == 0)
		r = pctl_edit_check(e, &text, NULL, err);
	if (r == 0)
		r = pctl_file_replace(e->file, text.data, text.len, pctl_edit_mode(),
			e->exists ? &e->st : NULL, err);
	pctl_buf_done(&text);
	return r;
}

/* --- The same change in the tree and in the text. --------------------------------------------- */

int pctl_edit_need_map(const struct pctl_edit *e, const struct pctl_spot *spot, const char *what,
	struct pctl_error *err)
{
	if (!spot->value || pctl_edit_is_nothing(spot->value) ||
		pctl_value_kind(spot->value) == PCTL_VALUE_MAP)
		return 0;
	return pctl_error_set(err, PCTL_E_CONFIG, "%s:%u:%u: %s is not a map, {key: value}",
		e->file, pctl_value_place(spot->value).line, pctl_value_place(spot->value).column,
		what);
}

static struct pctl_value *map_in(struct pctl_value *map, const char *key)
{
	struct pctl_value *inner = pctl_value_get(map, key);

	if (inner && pctl_value_kind(inner) == PCTL_VALUE_MAP)
		return inner;
	inner = pctl_value_new_map();
	pctl_value_set(map, key, inner);
	return inner;
}

/* Adds members under a top-level key, which is made if it is not there. */
static int add_under(struct pctl_edit *e, const char *section, const struct pctl_value *members,
	struct pctl_error *err)
{
	struct pctl_spot root = pctl_splice_root(&e->splice);
	struct pctl_spot spot = { .value = NULL };
	int r = pctl_edit_need_map(e, &root, "the file", err);

	if (r == 0 && root.value)
		spot = pctl_splice_find(&e->splice, &root, section);
	if (r == 0)
		r = pctl_edit_need_map(e, &spot, section, err);
	if (r < 0)
		return r;
	pctl_splice_add_all(
		&e->splice, spot.value ? &spot : &root, spot.value ? NULL : section, members);
	pctl_value_merge(map_in(e->wanted, section), members);
	return 0;
}

static int add_one_under(struct pctl_edit *e, const char *section, const char *name,
	const struct pctl_value *value, struct pctl_error *err)
{
	PCTL_AUTO(pctl_value_free) struct pctl_value *members = pctl_value_new_map();

	pctl_value_set(members, name, pctl_value_copy(value));
	return add_under(e, section, members, err);
}

/* --- Add. ------------------------------------------------------------------------------------- */

static int check_new(const struct pctl_edit *e, const char *pattern, struct pctl_error *err)
{
	PCTL_AUTO(pctl_names_free) struct pctl_names *names = pctl_names_new();
	int r = pctl_names_add_pattern(names, pattern, err);

	for (size_t i = 0; r == 0 && i < pctl_names_count(names); i++) {
		const char *name = pctl_names_at(names, i);
		int64_t node = pctl_inventory_index(e->inv, name);
		struct pctl_place place;

		if (node < 0)
			continue;
		place = pctl_inventory_place(e->inv, (size_t)node);
		r = pctl_error_set(err, PCTL_E_CONFIG,
			"'%s' is already at %s:%u:%u; `powerctl set` changes it", name, place.file,
			place.line, place.column);
	}
	return r;
}

int pctl_inventory_edit_add_all(
	const char *path, const struct pctl_value *nodes, struct pctl_error *err)
{
	struct pctl_edit e;
	int r = pctl_edit_begin(&e, path, err);

	for (size_t i = 0; r == 0 && i < pctl_value_count(nodes); i++)
		r = check_new(&e, pctl_value_key_at(nodes, i), err);
	if (r == 0)
		r = pctl_edit_open(&e, path, err);
	if (r == 0)
		r = add_under(&e, "nodes", nodes, err);
	if (r == 0)
		r = commit(&e, err);
	pctl_edit_end(&e);
	return r;
}

int pctl_inventory_edit_add(const char *path, const char *name, const struct pctl_value *settings,
	struct pctl_error *err)
{
	PCTL_AUTO(pctl_value_free) struct pctl_value *nodes = pctl_value_new_map();

	pctl_value_set(nodes, name, pctl_value_copy(settings));
	return pctl_inventory_edit_add_all(path, nodes, err);
}

int pctl_inventory_edit_credential(const char *path, const char *name, const char *username,
	const char *password_file, struct pctl_error *err)
{
	PCTL_AUTO(pctl_value_free) struct pctl_value *fields = pctl_value_new_map();
	const struct pctl_item *there;
	struct pctl_edit e;
	int r = pctl_edit_begin(&e, path, err);

	pctl_value_set_text(fields, "username", username);
	pctl_value_set_text(fields, "password_file", password_file);
	there = r == 0 ? pctl_items_find(&e.inv->credentials, name) : NULL;
	if (there && !reads_as(there->value, fields))
		r = pctl_error_set(err, PCTL_E_CONFIG,
			"credential '%s' is already at %s:%u:%u and says something else", name,
			there->place.file, there->place.line, there->place.column);
	if (r == 0 && !there) {
		r = pctl_edit_open(&e, path, err);
		if (r == 0)
			r = add_one_under(&e, "credentials", name, fields, err);
		if (r == 0)
			r = commit(&e, err);
	}
	pctl_edit_end(&e);
	return r;
}

/* --- Remove. ---------------------------------------------------------------------------------- */

/* Whether all names of an entry are among names; *ret_some: whether any is. */
struct overlap {
	const struct pctl_names *names;
	bool some, all;
};

static int compare_name(void *data, size_t i, const char *name)
{
	struct overlap *o = data;

	(void)i;
	if (pctl_names_has(o->names, name))
		o->some = true;
	else
		o->all = false;
	return 0;
}

static struct overlap overlap_of(const struct pctl_entry *entry, const struct pctl_names *names)
{
	struct overlap o = { .names = names, .all = true };

	if (entry->ranged)
		(void)pctl_range_each(entry->pattern, compare_name, &o, NULL, NULL);
	else
		(void)compare_name(&o, 0, entry->pattern);
	return o;
}

static int remove_entry(struct pctl_edit *e, const struct pctl_entry *entry, struct pctl_error *err)
{
	struct pctl_spot root = pctl_splice_root(&e->splice);
	struct pctl_spot nodes = pctl_splice_find(&e->splice, &root, "nodes");
	struct pctl_spot spot = pctl_splice_find(&e->splice, &nodes, entry->pattern);

	if (!nodes.value || !spot.value)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "%s has changed meanwhile; try again", e->file);
	pctl_splice_remove(&e->splice, &nodes, &spot);
	(void)pctl_value_unset(pctl_value_get(e->wanted, "nodes"), entry->pattern);
	return 0;
}

/* An entry goes if all its nodes go; all of them must stand in one file. */
static int remove_overlapping(struct pctl_edit *e, const struct pctl_entry *entry,
	const struct pctl_names *names, struct pctl_error *err)
{
	struct overlap o = overlap_of(entry, names);

	if (!o.some)
		return 0;
	if (entry->source)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s:%u:%u: '%s' comes from %s; take it away there, or write "
			"'maintenance' or 'protected' into the inventory with `powerctl set`",
			entry->place.file, entry->place.line, entry->place.column,
			pctl_names_at(names, 0), entry->source->name);
	if (!o.all)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s:%u:%u: '%s' names other nodes as well; write it there without '%s'",
			entry->place.file, entry->place.line, entry->place.column, entry->pattern,
			pctl_names_at(names, 0));
	if (!e->file) {
		int r = pctl_edit_open(e, entry->place.file, err);

		if (r < 0)
			return r;
	}
	if (strcmp(e->file, entry->place.file) != 0)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"'%s' stands in two files: take it out of %s:%u by hand first",
			pctl_names_at(names, 0), entry->place.file, entry->place.line);
	return remove_entry(e, entry, err);
}

static int unknown_node(const struct pctl_edit *e, const char *name, struct pctl_error *err)
{
	const char *nearest = pctl_inventory_nearest(e->inv, name);

	return pctl_error_set(err, PCTL_E_CONFIG, "unknown node '%s'%s%s%s", name,
		nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

static int remove_names(struct pctl_edit *e, const char *pattern, struct pctl_error *err)
{
	PCTL_AUTO(pctl_names_free) struct pctl_names *names = pctl_names_new();
	int r = pctl_names_add_pattern(names, pattern, err);

	for (size_t i = 0; r == 0 && i < pctl_names_count(names); i++)
		if (pctl_inventory_index(e->inv, pctl_names_at(names, i)) < 0)
			r = unknown_node(e, pctl_names_at(names, i), err);
	for (size_t i = 0; r == 0 && i < e->inv->entry_count; i++)
		r = remove_overlapping(e, &e->inv->entries[i], names, err);
	return r;
}

int pctl_inventory_edit_remove(const char *path, const char *name, struct pctl_error *err)
{
	struct pctl_edit e;
	int r = pctl_edit_begin(&e, path, err);

	if (r == 0)
		r = remove_names(&e, name, err);
	if (r == 0)
		r = commit(&e, err);
	pctl_edit_end(&e);
	return r;
}

/* --- Set. ------------------------------------------------------------------------------------- */

/* A list where one is wanted: tags=lab,rack1 or workarounds=[a, b]. */
static struct pctl_value *value_of(const char *key, const char *text)
{
	struct pctl_value *list;
	const char *rest = text;

	if ((*text == '[' || *text == '{') && strcmp(key, "address") != 0) {
		PCTL_AUTO(pctl_problems_free) struct pctl_problems *ignored = pctl_problems_new();
		struct pctl_yaml yaml;

		if (pctl_yaml_parse(&yaml, NULL, text, strlen(text), false, ignored) == 0 &&
			yaml.root)
			return yaml.root;
		pctl_yaml_done(&yaml);
	}
	if (strcmp(key, "tags") != 0)
		return pctl_value_new_text(text);
	list = pctl_value_new_list();
	while (*rest) {
		size_t len = strcspn(rest, ",");
		PCTL_AUTO(free) char *item = pctl_xstrndup(rest, len);

		if (len)
			pctl_value_add(list, pctl_value_new_text(item));
		rest += len + (rest[len] == ',');
	}
	return list;
}

/* Where a setting goes: the entry of a node's own, or the range of that name. */
struct aim {
	const struct pctl_entry *own;  /* NULL: there is none yet */
	const struct pctl_entry *last; /* what a new one must come behind */
};

static int aim_at_pattern(
	const struct pctl_edit *e, const char *pattern, struct aim *ret, struct pctl_error *err)
{
	for (size_t i = e->inv->entry_count; i-- > 0;) {
		const struct pctl_entry *entry = &e->inv->entries[i];

		if (entry->source || strcmp(entry->pattern, pattern) != 0)
			continue;
		*ret = (struct aim){ entry, entry };
		return 0;
	}
	return pctl_error_set(
		err, PCTL_E_CONFIG, "no entry is called '%s'; name its nodes one by one", pattern);
}

static int aim_at(const struct pctl_edit *e, const char *name, const char *key, struct aim *ret,
	struct pctl_error *err)
{
	int64_t node = pctl_inventory_index(e->inv, name);
	struct aim aim = { NULL, NULL };

	if (strchr(name, '['))
		return aim_at_pattern(e, name, ret, err);
	if (node < 0)
		return unknown_node(e, name, err);
	for (uint32_t ref = e->inv->nodes[node].last_ref; ref; ref = e->inv->refs[ref].earlier) {
		const struct pctl_entry *entry = &e->inv->entries[e->inv->refs[ref].entry];

		aim.last = aim.last ? aim.last : entry;
		if (!entry->source && strcmp(entry->pattern, name) == 0) {
			aim.own = entry;
			break;
		}
	}
	for (uint32_t ref = e->inv->nodes[node].last_ref; aim.own && ref;
		ref = e->inv->refs[ref].earlier) {
		const struct pctl_entry *entry = &e->inv->entries[e->inv->refs[ref].entry];

		if (entry == aim.own)
			break;
		if (pctl_value_get(entry->settings, key))
			return pctl_error_set(err, PCTL_E_CONFIG,
				"%s:%u:%u: '%s' comes behind '%s' and sets %s as well; put it "
				"before that by hand",
				entry->place.file, entry->place.line, entry->place.column,
				entry->pattern, name, key);
	}
	*ret = aim;
	return 0;
}

static int not_own(
	const struct pctl_edit *e, const char *name, const char *key, struct pctl_error *err)
{
	int64_t node = pctl_inventory_index(e->inv, name);
	const struct pctl_value *v =
		node < 0 ? NULL : pctl_inventory_value(e->inv, (size_t)node, key);
	struct pctl_place place = pctl_value_place(v);

	if (!v)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "'%s' has no setting '%s' of its own", name, key);
	return pctl_error_set(err, PCTL_E_CONFIG,
		"'%s' has '%s' from %s:%u:%u, which is not its alone; change it there by hand",
		name, key, place.file, place.line, place.column);
}

static int set_in_entry(struct pctl_edit *e, const struct aim *aim, const char *name,
	const char *key, const struct pctl_value *value, struct pctl_error *err)
{
	struct pctl_spot root = pctl_splice_root(&e->splice);
	struct pctl_spot nodes = pctl_splice_find(&e->splice, &root, "nodes");
	struct pctl_spot entry = pctl_splice_find(&e->splice, &nodes, aim->own->pattern);
	struct pctl_spot old;
	struct pctl_value *tree;
	int r;

	if (!nodes.value || !entry.value)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "%s has changed meanwhile; try again", e->file);
	r = pctl_edit_need_map(e, &entry, name, err);
	if (r < 0)
		return r;
	old = pctl_splice_find(&e->splice, &entry, key);
	if (!value && !old.value)
		return not_own(e, name, key, err);
	tree = map_in(pctl_value_get(e->wanted, "nodes"), aim->own->pattern);
	if (!value) {
		pctl_splice_remove(&e->splice, &entry, &old);
		(void)pctl_value_unset(tree, key);
		return 0;
	}
	if (old.value)
		pctl_splice_replace(&e->splice, &old, value);
	else
		pctl_splice_add(&e->splice, &entry, key, value);
	pctl_value_set(tree, key, pctl_value_copy(value));
	return 0;
}

static int set(struct pctl_edit *e, const char *name, const char *key,
	const struct pctl_value *value, struct pctl_error *err)
{
	PCTL_AUTO(pctl_value_free) struct pctl_value *entry = pctl_value_new_map();
	struct aim aim = { NULL, NULL };
	int r = aim_at(e, name, key, &aim, err);

	if (!aim.last)
		return r;
	if (!aim.own && !value)
		return not_own(e, name, key, err);
	/* What a file says holds over every source. */
	r = pctl_edit_open(e, aim.last->source ? e->path : aim.last->place.file, err);
	if (r < 0)
		return r;
	if (aim.own)
		return set_in_entry(e, &aim, name, key, value, err);
	pctl_value_set(entry, key, pctl_value_copy(value));
	return add_one_under(e, "nodes", name, entry, err);
}

/* Each is one that %TAG can name. */
static int check_tags(const struct pctl_value *tags, struct pctl_error *err)
{
	for (size_t i = 0; i < pctl_value_count(tags); i++) {
		const char *tag = pctl_value_text(pctl_value_at(tags, i));
		const char *wrong = tag ? pctl_inventory_wrong_tag(tag) : NULL;

		if (wrong)
			return pctl_error_set(
				err, PCTL_E_CONFIG, "'%s': %s; write tags=a,b", tag, wrong);
	}
	return 0;
}

int pctl_inventory_edit_set(const char *path, const char *name, const char *key, const char *value,
	struct pctl_error *err)
{
	PCTL_AUTO(pctl_value_free)
	struct pctl_value *new = value ? value_of(key, value) : NULL;
	struct pctl_edit e;
	int r = new &&strcmp(key, "tags") == 0 ? check_tags(new, err) : 0;

	if (r < 0)
		return r;
	if (value && strcmp(key, "password") == 0)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"a password is never an argument, which everybody on this host can read; "
			"put it into a file and set password_file");
	r = pctl_edit_begin(&e, path, err);
	if (r == 0)
		r = set(&e, name, key, new, err);
	if (r == 0)
		r = commit(&e, err);
	pctl_edit_end(&e);
	return r;
}

/* --- Secrets. --------------------------------------------------------------------------------- */

int pctl_inventory_store_secret(const char *inventory_path, const char *name,
	const struct pctl_secret *secret, char **ret_path, struct pctl_error *err)
{
	PCTL_AUTO(free) char *dir = pctl_path_dirname(inventory_path);
	/* What is relative in an inventory is beside it, and on the command line it is not. */
	PCTL_AUTO(free) char *here = *dir == '/' ? NULL : getcwd(NULL, 0);
	PCTL_AUTO(free)
	char *path =
		pctl_xasprintf("%s%s%s/secrets/%s", here ? here : "", here ? "/" : "", dir, name);
	int r;

	if (!*name || *name == '.' || strchr(name, '/'))
		return pctl_error_set(
			err, PCTL_E_CONFIG, "'%s' cannot be the name of a secret's file", name);
	r = pctl_path_make_parent(path, err);
	if (r == 0)
		r = pctl_file_replace(
			path, pctl_secret_data(secret), pctl_secret_len(secret), 0600, NULL, err);
	if (r < 0)
		return r;
	*ret_path = path;
	path = NULL;
	return 0;
}
