/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory/inventory.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "base/file.h"
#include "base/paths.h"
#include "inventory/yaml_tree.h"

#define SYSTEM_FILE "/etc/powerctl/powerctl.yaml"

/* --- Which file. ------------------------------------------------------------------------------ */

static int take_path(const char *path, const char *named_by, char **ret, struct pctl_error *err)
{
	if (access(path, F_OK) < 0)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"there is no inventory %s, which %s names", path, named_by);
	*ret = pctl_xstrdup(path);
	return 0;
}

int pctl_inventory_find(
	const char *override, char **ret_path, bool *ret_shadowed, struct pctl_error *err)
{
	const char *variable = getenv("POWERCTL_INVENTORY");
	PCTL_AUTO(free) char *personal = pctl_path_config("powerctl.yaml");
	bool shadowed = false;
	int r;

	if (override) {
		r = take_path(override, "--inventory", ret_path, err);
	} else if (variable && *variable) {
		r = take_path(variable, "$POWERCTL_INVENTORY", ret_path, err);
	} else if (personal && access(personal, F_OK) == 0) {
		shadowed = access(SYSTEM_FILE, F_OK) == 0;
		*ret_path = pctl_xstrdup(personal);
		r = 0;
	} else if (access(SYSTEM_FILE, F_OK) == 0) {
		*ret_path = pctl_xstrdup(SYSTEM_FILE);
		r = 0;
	} else {
		r = pctl_error_set(err, PCTL_E_CONFIG,
			"there is no inventory: looked at %s%s" SYSTEM_FILE,
			personal ? personal : "", personal ? " and " : "");
	}
	if (r == 0 && ret_shadowed)
		*ret_shadowed = shadowed;
	return r;
}

/* --- Named things. ---------------------------------------------------------------------------- */

struct pctl_item *pctl_items_find(const struct pctl_items *items, const char *name)
{
	size_t at = (size_t)(uintptr_t)pctl_strmap_get(&items->by_name, name);

	return at ? &items->v[at - 1] : NULL;
}

char *pctl_words_join(const char *const *words)
{
	char *s = pctl_xstrdup("");

	for (; words && *words; words++) {
		char *longer = pctl_xasprintf("%s%s%s", s, *s ? ", " : "", *words);
		free(s);
		s = longer;
	}
	return s;
}

char *pctl_words_hint(const char *word, const char *const *words)
{
	const char *nearest = pctl_parse_nearest(word, words);

	return nearest ? pctl_xasprintf("; did you mean '%s'?", nearest) : pctl_xstrdup("");
}

char *pctl_items_hint(const struct pctl_items *items, const char *name)
{
	PCTL_AUTO(free) const char **words = pctl_xcalloc(items->n + 1, sizeof(*words));

	for (size_t i = 0; i < items->n; i++)
		words[i] = items->v[i].name;
	return pctl_words_hint(name, words);
}

static void items_done(struct pctl_items *items)
{
	for (size_t i = 0; i < items->n; i++)
		pctl_names_free(items->v[i].names);
	free(items->v);
	pctl_strmap_done(&items->by_name);
	*items = (struct pctl_items){ 0 };
}

static void items_add(struct pctl_items *items, const struct pctl_item *item)
{
	items->v = pctl_xgrow(items->v, &items->cap, items->n + 1, sizeof(*items->v));
	items->v[items->n++] = *item;
	*pctl_strmap_put(&items->by_name, item->name) = (void *)(uintptr_t)items->n;
}

static void take_items(struct pctl_items *items, const struct pctl_value *map, const char *what,
	struct pctl_problems *problems)
{
	for (size_t i = 0; i < pctl_value_count(map); i++) {
		const char *name = pctl_value_key_at(map, i);
		struct pctl_place place = pctl_value_key_place(map, i);
		const struct pctl_item *first = name ? pctl_items_find(items, name) : NULL;

		if (!name)
			return;
		if (first) {
			pctl_problems_add(problems, place,
				"%s '%s' is already at %s:%u; keep one of them", what, name,
				first->place.file, first->place.line);
			continue;
		}
		items_add(items, &(struct pctl_item){
					 .name = name,
					 .value = pctl_value_at(map, i),
					 .place = place,
				 });
	}
}

/* --- Files. ----------------------------------------------------------------------------------- */

static struct pctl_inventory_file *add_file(struct pctl_inventory *inv, const char *path)
{
	struct pctl_inventory_file *file = pctl_xcalloc(1, sizeof(*file));

	file->path = pctl_xstrdup(path);
	inv->files = pctl_xgrow(inv->files, &inv->file_cap, inv->file_count + 1,
		sizeof(struct pctl_inventory_file *));
	inv->files[inv->file_count++] = file;
	return file;
}

static void take_defaults(
	struct pctl_inventory *inv, struct pctl_value *defaults, struct pctl_problems *problems)
{
	if (!defaults || pctl_value_kind(defaults) != PCTL_VALUE_MAP)
		return;
	if (inv->defaults) {
		struct pctl_place first = pctl_value_place(inv->defaults);

		pctl_problems_add(problems, pctl_value_place(defaults),
			"defaults are already at %s:%u; keep them in one file", first.file,
			first.line);
		return;
	}
	inv->defaults = defaults;
}

static void take_file(struct pctl_inventory *inv, const struct pctl_inventory_file *file,
	struct pctl_problems *problems)
{
	const struct pctl_value *nodes = pctl_value_get(file->root, "nodes");

	if (!file->root || pctl_value_kind(file->root) != PCTL_VALUE_MAP)
		return;
	take_defaults(inv, pctl_value_get(file->root, "defaults"), problems);
	take_items(&inv->classes, pctl_value_get(file->root, "classes"), "class", problems);
	take_items(&inv->credentials, pctl_value_get(file->root, "credentials"), "credential",
		problems);
	take_items(&inv->groups, pctl_value_get(file->root, "groups"), "group", problems);
	take_items(&inv->limits, pctl_value_get(file->root, "limits"), "limit", problems);
	take_items(&inv->hook_items, pctl_value_get(file->root, "hooks"), "hook", problems);
	for (size_t i = 0; nodes && pctl_value_key_at(nodes, i); i++)
		pctl_inventory_add_entry(inv, pctl_value_key_at(nodes, i), pctl_value_at(nodes, i),
			pctl_value_key_place(nodes, i), problems);
}

/* Parses a file's text into file->root; without one nothing of it counts. */
static int parse_file(struct pctl_inventory_file *file, const char *text, size_t len,
	struct pctl_problems *problems)
{
	struct pctl_yaml yaml;
	int r = pctl_yaml_parse(&yaml, file->path, text, len, false, problems);
	bool empty = !yaml.root ||
		     strcmp(pctl_value_text(yaml.root) ? pctl_value_text(yaml.root) : "x", "") == 0;

	if (r < 0 && !yaml.root)
		return r;
	if (empty) {
		pctl_yaml_done(&yaml);
		yaml.root = pctl_value_new_map();
	}
	file->root = yaml.root;
	if (pctl_value_kind(file->root) == PCTL_VALUE_MAP)
		return 0;
	pctl_problems_add(problems, (struct pctl_place){ file->path, 1, 1 },
		"an inventory is a map with keys like 'nodes:', not a %s",
		pctl_value_kind_name(pctl_value_kind(file->root)));
	return PCTL_E_CONFIG;
}

static int read_file(struct pctl_inventory *inv, const char *path, struct pctl_place named_at,
	struct pctl_problems *problems);

static const struct pctl_inventory_draft *draft_of(
	const struct pctl_inventory *inv, const char *path)
{
	const struct pctl_inventory_draft *draft = inv->draft;

	while (draft && strcmp(draft->path, path) != 0)
		draft = draft->next;
	return draft;
}

static void include_pattern(struct pctl_inventory *inv, const struct pctl_value *pattern,
	struct pctl_problems *problems)
{
	struct pctl_place place = pctl_value_place(pattern);
	const char *text = pctl_value_text(pattern);
	PCTL_AUTO(free) char *dir = pctl_path_dirname(place.file);
	glob_t found = { 0 };

	if (!text || !*text)
		return;
	PCTL_AUTO(free)
	char *full = *text == '/' || !strchr(place.file, '/') ? pctl_xstrdup(text)
							      : pctl_xasprintf("%s/%s", dir, text);
	/* A name without a pattern must be there; a pattern may find nothing. */
	if (draft_of(inv, full)) {
		(void)read_file(inv, full, place, problems);
	} else if (glob(full, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			(void)read_file(inv, found.gl_pathv[i], place, problems);
	} else if (!strpbrk(text, "*?[")) {
		pctl_problems_add(problems, place, "there is no file %s to include", full);
	}
	globfree(&found);
}

static void follow_includes(struct pctl_inventory *inv, const struct pctl_inventory_file *file,
	struct pctl_problems *problems)
{
	const struct pctl_value *include = pctl_value_get(file->root, "include");

	if (pctl_value_text(include))
		include_pattern(inv, include, problems);
	for (size_t i = 0; i < pctl_value_count(include); i++)
		if (pctl_value_kind(include) == PCTL_VALUE_LIST)
			include_pattern(inv, pctl_value_at(include, i), problems);
}

/* Whether the file was read before, by whatever name; says so. */
static bool met_before(const struct pctl_inventory *inv, const char *real,
	struct pctl_place named_at, struct pctl_problems *problems)
{
	for (size_t i = 0; i < inv->file_count; i++) {
		const struct pctl_inventory_file *file = inv->files[i];

		if (!file->real || strcmp(file->real, real) != 0)
			continue;
		pctl_problems_add(problems, named_at,
			file->open ? "%s includes itself; take it out"
				   : "%s is included twice; take one out",
			file->path);
		return true;
	}
	return false;
}

static int read_text(const struct pctl_inventory *inv, const char *path, struct pctl_buf *text,
	struct stat *ret_st, struct pctl_error *err)
{
	const struct pctl_inventory_draft *draft = draft_of(inv, path);

	if (!draft)
		return pctl_file_read(path, text, ret_st, err);
	pctl_buf_add(text, draft->text, draft->len);
	*ret_st = (struct stat){ 0 };
	return 0;
}

static void take_tree(struct pctl_inventory *inv, struct pctl_inventory_file *file,
	const struct stat *st, struct pctl_problems *problems)
{
	struct pctl_error err;

	if (pctl_inventory_has_secret(file->root) &&
		pctl_file_check_private(file->path, st, &err) < 0)
		pctl_problems_add(problems, (struct pctl_place){ 0 }, "%s", err.text);
	pctl_inventory_check_file(file->root, problems);
	file->open = true;
	follow_includes(inv, file, problems);
	file->open = false;
}

static int read_file(struct pctl_inventory *inv, const char *path, struct pctl_place named_at,
	struct pctl_problems *problems)
{
	PCTL_AUTO(free) char *real = realpath(path, NULL);
	struct pctl_error err;
	struct pctl_buf text;
	struct stat st;

	if (real && met_before(inv, real, named_at, problems))
		return PCTL_E_CONFIG;
	pctl_buf_init_secret(&text, PCTL_YAML_FILE_MAX);
	int r = read_text(inv, path, &text, &st, &err);
	if (r < 0) {
		pctl_buf_done(&text);
		pctl_problems_add(problems, named_at, "%s", err.text);
		return r;
	}

	struct pctl_inventory_file *file = add_file(inv, path);
	file->real = real;
	real = NULL;
	r = parse_file(file, text.data, text.len, problems);
	pctl_buf_done(&text);
	if (r == 0)
		take_tree(inv, file, &st, problems);
	return r;
}

/* --- Sources. --------------------------------------------------------------------------------- */

/* Before those of the files, which hold over them. */
static void take_source_nodes(
	struct pctl_inventory *inv, struct pctl_source *source, struct pctl_problems *problems)
{
	const struct pctl_value *nodes = pctl_value_get(source->root, "nodes");
	size_t first = inv->entry_count;

	source->node_count = 0;
	for (size_t i = 0; nodes && pctl_value_key_at(nodes, i); i++)
		pctl_inventory_add_entry(inv, pctl_value_key_at(nodes, i), pctl_value_at(nodes, i),
			pctl_value_key_place(nodes, i), problems);
	for (size_t i = first; i < inv->entry_count; i++) {
		inv->entries[i].source = source;
		source->node_count += inv->entries[i].count;
	}
}

/* What a file has under the same name holds. If two sources have it, whoever needs it is told. */
static void take_source_items(
	const struct pctl_source *source, struct pctl_items *items, const char *key)
{
	const struct pctl_value *map = pctl_value_get(source->root, key);

	for (size_t i = 0; map && pctl_value_key_at(map, i); i++) {
		struct pctl_item *first = pctl_items_find(items, pctl_value_key_at(map, i));

		if (first && first->source && !first->rival)
			first->rival = source;
		if (first)
			continue;
		items_add(items, &(struct pctl_item){
					 .name = pctl_value_key_at(map, i),
					 .value = pctl_value_at(map, i),
					 .place = pctl_value_key_place(map, i),
					 .source = source,
				 });
	}
}

/* --- Life. ------------------------------------------------------------------------------------ */

static void check_whole(struct pctl_inventory *inv, struct pctl_problems *problems)
{
	pctl_inventory_check_names(inv, problems);
	pctl_inventory_check_groups(inv, problems);
	pctl_inventory_index_limits(inv, problems);
	pctl_inventory_index_kin(inv, problems);
	pctl_inventory_index_hooks(inv, problems);
}

static void begin(struct pctl_inventory *inv)
{
	/* Reference 0 is none. */
	inv->refs = pctl_xgrow(NULL, &inv->ref_cap, 1, sizeof(*inv->refs));
	inv->refs[0] = (struct pctl_ref){ 0 };
	inv->ref_count = 1;
}

/* Everything but what was read. */
static void forget(struct pctl_inventory *inv)
{
	pctl_inventory_free_limits(inv);
	pctl_inventory_free_kin(inv);
	pctl_inventory_free_hooks(inv);
	pctl_inventory_free_nodes(inv);
	items_done(&inv->classes);
	items_done(&inv->credentials);
	items_done(&inv->groups);
	items_done(&inv->limits);
	items_done(&inv->hook_items);
	pctl_names_done(&inv->outsiders);
	inv->defaults = NULL;
}

/* What a file says holds over any source, whose items therefore come after. */
static void take_all(struct pctl_inventory *inv, struct pctl_problems *problems)
{
	for (size_t i = 0; i < inv->source_count; i++)
		take_source_nodes(inv, inv->sources[i], problems);
	for (size_t i = 0; i < inv->file_count; i++)
		take_file(inv, inv->files[i], problems);
	for (size_t i = 0; i < inv->source_count; i++) {
		struct pctl_source *source = inv->sources[i];

		take_source_items(source, &inv->classes, "classes");
		take_source_items(source, &inv->groups, "groups");
		source->group_count = pctl_value_count(pctl_value_get(source->root, "groups")) -
				      source->alias_count;
	}
	check_whole(inv, problems);
}

/* --- Answers that came just now. -------------------------------------------------------------- */

static struct pctl_problems *take_again(struct pctl_inventory *inv)
{
	struct pctl_problems *problems = pctl_problems_new();

	forget(inv);
	begin(inv);
	take_all(inv, problems);
	return problems;
}

static bool has_line(const struct pctl_problems *problems, const char *line)
{
	for (size_t i = 0; pctl_problems_at(problems, i); i++)
		if (strcmp(pctl_problems_at(problems, i), line) == 0)
			return true;
	return false;
}

static const char *first_more(const struct pctl_problems *with, const struct pctl_problems *without)
{
	size_t i = 0;

	while (pctl_problems_at(with, i) && has_line(without, pctl_problems_at(with, i)))
		i++;
	return pctl_problems_at(with, i) ? pctl_problems_at(with, i) : "it has mistakes";
}

/* A mistake may stand elsewhere, say where a class is used that the answer no longer has: the
 * answer is to blame if there are fewer with the one before. Returns what is left of problems. */
static struct pctl_problems *weigh_answer(
	struct pctl_inventory *inv, struct pctl_source *source, struct pctl_problems *problems)
{
	pctl_answer_swap(source);
	struct pctl_problems *without = take_again(inv);
	bool better = pctl_problems_count(without) < pctl_problems_count(problems);

	if (better && pctl_answer_has_former(source)) {
		pctl_answer_refuse(source, first_more(problems, without));
		pctl_problems_free(problems);
		return without;
	}
	pctl_answer_swap(source);
	pctl_problems_free(without);
	pctl_problems_free(take_again(inv));
	if (better)
		pctl_answer_drop(source);
	return problems;
}

/* Whether a problem's place is in what the source says. */
static bool stands_in(const struct pctl_source *source, const struct pctl_problems *problems)
{
	size_t len = strlen(source->name);
	const char *line;

	for (size_t i = 0; (line = pctl_problems_at(problems, i)); i++)
		if (strncmp(line, source->name, len) == 0 && line[len] == ':')
			return true;
	return false;
}

static void settle_answers(struct pctl_inventory *inv, struct pctl_problems **problems)
{
	for (size_t i = 0; i < inv->source_count && pctl_problems_count(*problems); i++)
		if (inv->sources[i]->answer)
			*problems = weigh_answer(inv, inv->sources[i], *problems);
	for (size_t i = 0; i < inv->source_count; i++) {
		struct pctl_source *source = inv->sources[i];

		if (source->answer && stands_in(source, *problems))
			pctl_answer_drop(source);
		else if (source->answer)
			pctl_answer_keep(source);
	}
}

static void take_and_settle(struct pctl_inventory *inv, struct pctl_problems *problems)
{
	struct pctl_problems *own = pctl_problems_new();

	take_all(inv, own);
	settle_answers(inv, &own);
	for (size_t i = 0; pctl_problems_at(own, i); i++)
		pctl_problems_add(
			problems, (struct pctl_place){ 0 }, "%s", pctl_problems_at(own, i));
	pctl_problems_free(own);
}

static int finish(struct pctl_inventory *inv, int r, size_t problems_before,
	struct pctl_inventory **ret, const struct pctl_problems *problems)
{
	if (r < 0 && !(inv->file_count && inv->files[0]->root)) {
		pctl_inventory_free(inv);
		*ret = NULL;
		return r;
	}
	*ret = inv;
	return r < 0 || pctl_problems_count(problems) > problems_before ? PCTL_E_CONFIG : 0;
}

static int load(struct pctl_inventory *inv, const char *path, struct pctl_inventory **ret,
	struct pctl_problems *problems)
{
	size_t before = pctl_problems_count(problems);
	int r = read_file(inv, path, (struct pctl_place){ 0 }, problems);

	pctl_sources_read(inv, problems);
	inv->draft = NULL;
	take_and_settle(inv, problems);
	return finish(inv, r, before, ret, problems);
}

int pctl_inventory_load_draft(const char *path, const struct pctl_inventory_draft *draft,
	struct pctl_inventory **ret, struct pctl_problems *problems)
{
	struct pctl_inventory *inv = pctl_inventory_new();

	inv->draft = draft;
	inv->freshness = PCTL_SOURCES_KEPT;
	return load(inv, path, ret, problems);
}

int pctl_inventory_load_fresh(const char *path, enum pctl_freshness freshness,
	struct pctl_inventory **ret, struct pctl_problems *problems)
{
	struct pctl_inventory *inv = pctl_inventory_new();

	inv->freshness = freshness;
	return load(inv, path, ret, problems);
}

int pctl_inventory_load(
	const char *path, struct pctl_inventory **ret, struct pctl_problems *problems)
{
	return pctl_inventory_load_fresh(path, PCTL_SOURCES_DUE, ret, problems);
}

int pctl_inventory_parse(const char *path, const char *text, size_t len,
	struct pctl_inventory **ret, struct pctl_problems *problems)
{
	struct pctl_inventory *inv = pctl_inventory_new();
	struct pctl_inventory_file *file = add_file(inv, path);
	size_t before = pctl_problems_count(problems);

	int r = parse_file(file, text, len, problems);
	if (r == 0) {
		pctl_inventory_check_file(file->root, problems);
		take_file(inv, file, problems);
	}
	if (file->root)
		check_whole(inv, problems);
	return finish(inv, r, before, ret, problems);
}

struct pctl_inventory *pctl_inventory_new(void)
{
	struct pctl_inventory *inv = pctl_xcalloc(1, sizeof(*inv));

	inv->urls = pctl_value_new_list();
	begin(inv);
	return inv;
}

void pctl_inventory_free(struct pctl_inventory *inv)
{
	if (!inv)
		return;
	forget(inv);
	for (size_t i = 0; i < inv->file_count; i++) {
		pctl_value_free(inv->files[i]->root);
		free(inv->files[i]->real);
		free(inv->files[i]->path);
		free(inv->files[i]);
	}
	free(inv->files);
	for (size_t i = 0; i < inv->source_count; i++)
		pctl_source_free(inv->sources[i]);
	free(inv->sources);
	pctl_value_free(inv->urls);
	free(inv);
}

const char *pctl_inventory_path(const struct pctl_inventory *inv)
{
	return inv->file_count ? inv->files[0]->path : NULL;
}

const struct pctl_value *pctl_inventory_defaults(const struct pctl_inventory *inv)
{
	return inv->defaults;
}

const struct pctl_value *pctl_inventory_limits(const struct pctl_inventory *inv, const char *group)
{
	const struct pctl_item *item = pctl_items_find(&inv->limits, group);

	return item ? item->value : NULL;
}

size_t pctl_inventory_group_count(const struct pctl_inventory *inv)
{
	return inv->groups.n;
}

const char *pctl_inventory_group_name(const struct pctl_inventory *inv, size_t group)
{
	return group < inv->groups.n ? inv->groups.v[group].name : NULL;
}

struct pctl_place pctl_inventory_group_place(const struct pctl_inventory *inv, size_t group)
{
	return group < inv->groups.n ? inv->groups.v[group].place : (struct pctl_place){ 0 };
}

static void add_names(const struct pctl_items *items, struct pctl_names *out)
{
	for (size_t i = 0; i < items->n; i++)
		(void)pctl_names_add(out, items->v[i].name);
}

void pctl_inventory_classes(const struct pctl_inventory *inv, struct pctl_names *out)
{
	add_names(&inv->classes, out);
}

void pctl_inventory_credentials(const struct pctl_inventory *inv, struct pctl_names *out)
{
	add_names(&inv->credentials, out);
}
