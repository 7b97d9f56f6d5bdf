/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The groups of ClusterShell, looked up as its library does (groups.conf(5)): the configuration
 * folders, confdir and autodir, `source: {group: nodes}` in YAML files. Sources that are shell
 * commands are not run; only the two that ClusterShell ships, sed on a file with lines `group:
 * nodes`, are understood and the file is read.
 */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "base/file.h"
#include "base/paths.h"
#include "base/strmap.h"
#include "base/value.h"
#include "inventory/inventory.h"
#include "inventory/source.h"
#include "inventory/yaml_tree.h"

#define CONFIG "groups.conf"
#define MAIN   "Main"
#define SED    "sed -n 's/^$GROUP:\\(.*\\)/\\1/p' "
#define TEST   "[ -f "
#define BLANKS " \t\n"

struct reader {
	struct pctl_source *source;
	struct pctl_problems *problems;
	struct pctl_value *config; /* of all groups.conf together */
	struct pctl_value *groups;
	struct pctl_names *sources; /* ClusterShell's, in the order it meets them */
	struct pctl_names *seen;    /* names in groups */
	size_t unnamed;             /* groups whose names cannot be written */
};

/* --- Files. ----------------------------------------------------------------------------------- */

/* The name that places borrow. */
static const char *kept_name(struct reader *r, const char *path)
{
	struct pctl_names *files = r->source->files;

	if (pctl_names_add(files, path))
		return pctl_names_at(files, pctl_names_count(files) - 1);
	for (size_t i = 0;; i++)
		if (strcmp(pctl_names_at(files, i), path) == 0)
			return pctl_names_at(files, i);
}

/* What the user may not read is left out, as ClusterShell does, but not in silence. */
static bool read_file(struct reader *r, const char *path, struct pctl_buf *text)
{
	struct pctl_error err;

	if (access(path, R_OK) < 0 && errno == EACCES) {
		pctl_source_note(r->source, "%s cannot be read: its groups are left out", path);
		return false;
	}
	if (pctl_file_read(path, text, NULL, &err) == 0)
		return true;
	pctl_problems_add(r->problems, r->source->place, "%s: %s", r->source->name, err.text);
	return false;
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* --- Groups. ---------------------------------------------------------------------------------- */

/* Within a source @x is a group of the same source: @SOURCE:x for everybody else. */
static char *qualify(const char *nodes, const char *source)
{
	struct pctl_buf out;

	pctl_buf_init(&out, PCTL_YAML_FILE_MAX);
	while (*nodes) {
		size_t plain = strcspn(nodes, "@");
		size_t word = nodes[plain] ? strcspn(nodes + plain + 1, ",!&^@ \t\n") : 0;

		pctl_buf_add(&out, nodes, plain);
		nodes += plain;
		if (!*nodes)
			break;
		pctl_buf_adds(&out, "@");
		nodes++;
		if (!memchr(nodes, ':', word))
			pctl_buf_addf(&out, "%s:", source);
		/* All of a source's nodes. */
		if (word == 1 && *nodes == '*')
			pctl_buf_adds(&out, "all");
		else
			pctl_buf_add(&out, nodes, word);
		nodes += word;
	}
	return pctl_buf_steal(&out);
}

static struct pctl_value *qualified(const struct pctl_value *v, const char *source)
{
	const char *text = pctl_value_text(v);
	struct pctl_value *copy;

	if (text) {
		PCTL_AUTO(free) char *nodes = qualify(text, source);

		copy = pctl_value_new_text(nodes);
	} else {
		copy = pctl_value_new_list();
		for (size_t i = 0; i < pctl_value_count(v); i++)
			if (pctl_value_text(pctl_value_at(v, i)))
				pctl_value_add(copy, qualified(pctl_value_at(v, i), source));
	}
	pctl_value_set_place(copy, pctl_value_place(v));
	return copy;
}

static void add_group(struct reader *r, const char *source, const char *group,
	const struct pctl_value *nodes, struct pctl_place place)
{
	PCTL_AUTO(free) char *name = pctl_xasprintf("%s:%s", source, group);

	if (!pctl_source_can_name(name) || strchr(group, ':')) {
		r->unnamed++;
		return;
	}
	if (!pctl_names_add(r->seen, name))
		return;
	pctl_value_append(r->groups, name, qualified(nodes, source));
	pctl_value_set_key_place(r->groups, pctl_value_count(r->groups) - 1, place);
}

/* False: another one has the name already, which ClusterShell does not allow either. */
static bool begin_source(struct reader *r, const char *name, struct pctl_place place)
{
	if (pctl_names_add(r->sources, name))
		return true;
	pctl_problems_add(
		r->problems, place, "ClusterShell has two group sources '%s'; rename one", name);
	return false;
}

/* --- YAML: source: {group: nodes}. ------------------------------------------------------------ */

static void take_yaml_source(
	struct reader *r, const char *source, const struct pctl_value *map, struct pctl_place place)
{
	if (pctl_value_kind(map) != PCTL_VALUE_MAP) {
		pctl_problems_add(r->problems, place,
			"the group source '%s' is a map, {group: nodes}, not a %s", source,
			pctl_value_kind_name(pctl_value_kind(map)));
		return;
	}
	if (!begin_source(r, source, place))
		return;
	for (size_t i = 0; i < pctl_value_count(map); i++) {
		const struct pctl_value *nodes = pctl_value_at(map, i);

		if (pctl_value_kind(nodes) == PCTL_VALUE_MAP)
			pctl_problems_add(r->problems, pctl_value_place(nodes),
				"the group '%s' is a text or a list of texts, not a map",
				pctl_value_key_at(map, i));
		else
			add_group(r, source, pctl_value_key_at(map, i), nodes,
				pctl_value_key_place(map, i));
	}
}

static void take_yaml(struct reader *r, const char *path)
{
	const char *file = kept_name(r, path);
	struct pctl_yaml yaml;
	struct pctl_buf text;

	pctl_buf_init(&text, PCTL_YAML_FILE_MAX);
	if (read_file(r, path, &text)) {
		(void)pctl_yaml_parse(&yaml, file, text.data, text.len, false, r->problems);
		if (yaml.root && pctl_value_kind(yaml.root) == PCTL_VALUE_MAP)
			for (size_t i = 0; i < pctl_value_count(yaml.root); i++)
				take_yaml_source(r, pctl_value_key_at(yaml.root, i),
					pctl_value_at(yaml.root, i),
					pctl_value_key_place(yaml.root, i));
		else if (yaml.root)
			pctl_problems_add(r->problems, (struct pctl_place){ file, 1, 1 },
				"a file of groups is a map, {source: {group: nodes}}");
		pctl_yaml_done(&yaml);
	}
	pctl_buf_done(&text);
}

/* --- Flat files: group: nodes. ---------------------------------------------------------------- */

/* Lines of one name add up, as they do for sed. */
struct flat {
	struct pctl_value *groups;
	struct pctl_strmap by_name;
};

static void take_flat_line(struct flat *flat, const char *line, size_t len, struct pctl_place place)
{
	size_t name_len = 0;

	while (name_len < len && line[name_len] != ':')
		name_len++;
	if (!name_len || name_len == len || memchr(line, '#', name_len) ||
		memchr(line, ' ', name_len))
		return;
	PCTL_AUTO(free) char *name = pctl_xstrndup(line, name_len);
	PCTL_AUTO(free) char *nodes = pctl_xstrndup(line + name_len + 1, len - name_len - 1);
	struct pctl_value *list = pctl_strmap_get(&flat->by_name, name);
	struct pctl_value *v = pctl_value_new_text(nodes);

	pctl_value_set_place(v, place);
	if (!list) {
		list = pctl_value_new_list();
		pctl_value_set_place(list, place);
		pctl_value_append(flat->groups, name, list);
		pctl_value_set_key_place(flat->groups, pctl_value_count(flat->groups) - 1, place);
		*pctl_strmap_put(&flat->by_name, name) = list;
	}
	pctl_value_add(list, v);
}

static void take_flat(struct reader *r, const char *source, const char *path)
{
	struct pctl_place place = { kept_name(r, path), 0, 1 };
	struct flat flat = { .groups = pctl_value_new_map() };
	struct pctl_buf text;

	pctl_buf_init(&text, PCTL_YAML_FILE_MAX);
	if (read_file(r, path, &text)) {
		const char *end = text.data + text.len;

		for (const char *s = text.data; s < end;) {
			const char *eol = memchr(s, '\n', (size_t)(end - s));

			eol = eol ? eol : end;
			place.line++;
			take_flat_line(&flat, s, (size_t)(eol - s), place);
			s = eol + 1;
		}
	}
	for (size_t i = 0; i < pctl_value_count(flat.groups); i++)
		add_group(r, source, pctl_value_key_at(flat.groups, i),
			pctl_value_at(flat.groups, i), pctl_value_key_place(flat.groups, i));
	pctl_strmap_done(&flat.by_name);
	pctl_value_free(flat.groups);
	pctl_buf_done(&text);
}

/* --- groups.conf. ----------------------------------------------------------------------------- */

/* $CFGDIR and $SOURCE in a text. */
static char *fill_in(const char *text, const char *folder, const char *source)
{
	const struct {
		const char *name, *value;
	} vars[] = { { "$CFGDIR", folder }, { "${CFGDIR}", folder }, { "$SOURCE", source },
		{ "${SOURCE}", source } };
	struct pctl_buf out;

	pctl_buf_init(&out, PCTL_YAML_FILE_MAX);
	while (*text) {
		size_t i = 0;

		while (i < sizeof(vars) / sizeof(vars[0]) &&
			strncmp(text, vars[i].name, strlen(vars[i].name)) != 0)
			i++;
		if (i < sizeof(vars) / sizeof(vars[0])) {
			pctl_buf_adds(&out, vars[i].value);
			text += strlen(vars[i].name);
		} else {
			pctl_buf_add(&out, text++, 1);
		}
	}
	return pctl_buf_steal(&out);
}

/*
 * The file that a shipped command reads:
 *   sed -n 's/^$GROUP:\(.*\)/\1/p' FILE
 *   [ -f FILE ] && f=FILE || f=OTHER; sed -n 's/^$GROUP:\(.*\)/\1/p' $f
 * NULL: it is another command. free() it.
 */
static char *shipped_file(const char *map, const char *folder, const char *source)
{
	PCTL_AUTO(free) char *text = fill_in(map, folder, source);
	const char *sed = strstr(text, SED);
	const char *file = sed ? sed + strlen(SED) : NULL;

	if (!sed || !*file || file[strcspn(file, BLANKS ";|&<>`()'\"")])
		return NULL;
	if (sed == text)
		return strchr(file, '$') ? NULL : pctl_xstrdup(file);
	if (strncmp(text, TEST, strlen(TEST)) != 0 || strcmp(file, "$f") != 0)
		return NULL;

	const char *first = text + strlen(TEST), *other = strstr(text, " || f=");
	PCTL_AUTO(free) char *a = pctl_xstrndup(first, strcspn(first, " "));
	PCTL_AUTO(free)
	char *b = other ? pctl_xstrndup(other + 6, strcspn(other + 6, " ;")) : NULL;
	PCTL_AUTO(free)
	char *shipped = pctl_xasprintf(TEST "%s ] && f=%s || f=%s; ", a, a, b ? b : "");
	size_t len = strlen(shipped);
	if (text + len != sed || strncmp(text, shipped, len) != 0)
		return NULL;
	return pctl_xstrdup(exists(a) ? a : b);
}

static void take_upcall(
	struct reader *r, const char *source, const struct pctl_value *section, const char *folder)
{
	const char *map = pctl_value_text(pctl_value_get(section, "map"));
	PCTL_AUTO(free) char *file = map ? shipped_file(map, folder, source) : NULL;
	PCTL_AUTO(free)
	char *path = file && *file != '/' ? pctl_xasprintf("%s/%s", folder, file) : NULL;
	const char *at = path ? path : file;

	if (!begin_source(r, source, pctl_value_place(section)))
		return;
	if (!at)
		(void)pctl_names_add(r->source->skipped, source);
	else if (exists(at))
		take_flat(r, source, at);
}

/* Sections may stand for several sources: [a,b]. */
static void take_sections(struct reader *r, const struct pctl_value *config, const char *folder)
{
	for (size_t i = 0; i < pctl_value_count(config); i++) {
		const char *name = pctl_value_key_at(config, i);

		for (const char *s = name; strcmp(name, MAIN) != 0; s += *s == ',') {
			size_t len = strcspn(s, ",");
			PCTL_AUTO(free) char *source = pctl_xstrndup(s, len);

			if (len && strcmp(source, MAIN) != 0)
				take_upcall(r, source, pctl_value_at(config, i), folder);
			s += len;
			if (!*s)
				break;
		}
	}
}

static bool read_config(struct reader *r, struct pctl_value *into, const char *path)
{
	struct pctl_buf text;

	pctl_buf_init(&text, PCTL_YAML_FILE_MAX);
	bool good = read_file(r, path, &text);
	if (good)
		pctl_ini_parse(into, kept_name(r, path), text.data, text.len, r->problems);
	pctl_buf_done(&text);
	return good;
}

static void take_part(struct reader *r, const char *path, const char *folder)
{
	struct pctl_value *config = pctl_value_new_map();

	if (read_config(r, config, path))
		take_sections(r, config, folder);
	pctl_value_free(config);
}

static void take_file_of_folder(struct reader *r, const char *path, const char *folder)
{
	(void)folder;
	take_yaml(r, path);
}

typedef void take_fn(struct reader *r, const char *path, const char *folder);

/* What of a folder has that end, in the order of the names. */
static void each_file(struct reader *r, const char *folder, const char *end, take_fn *take)
{
	PCTL_AUTO(free) char *pattern = pctl_xasprintf("%s/*%s", folder, end);
	glob_t found = { 0 };

	if (glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			take(r, found.gl_pathv[i], folder);
	globfree(&found);
}

/* A list of folders as a shell has it: blanks part, quotes keep together. Each folder once. */
static void each_folder(
	struct reader *r, const char *key, const char *folder, const char *end, take_fn *take)
{
	const struct pctl_value *v = pctl_value_get(pctl_value_get(r->config, MAIN), key);
	const char *s = pctl_value_text(v) ? pctl_value_text(v) : "";
	struct pctl_names *done = pctl_names_new();

	while (*(s += strspn(s, BLANKS))) {
		char quote = *s == '"' || *s == '\'' ? *s++ : '\0';
		size_t len = quote ? strcspn(s, quote == '"' ? "\"" : "'") : strcspn(s, BLANKS);
		PCTL_AUTO(free) char *word = pctl_xstrndup(s, len);
		PCTL_AUTO(free) char *path = fill_in(word, folder, "");
		PCTL_AUTO(free) char *real = realpath(path, NULL);

		s += len + (quote && s[len]);
		if (!real || !pctl_names_add(done, real))
			continue;
		if (is_folder(path))
			each_file(r, path, end, take);
		else
			pctl_problems_add(r->problems, pctl_value_place(v),
				"%s: %s is not a folder", key, path);
	}
	pctl_names_free(done);
}

/* --- The whole. ------------------------------------------------------------------------------- */

/* @name beside @source:name. */
static void take_default(struct reader *r)
{
	const struct pctl_value *v = pctl_value_get(pctl_value_get(r->config, MAIN), "default");
	const char *name = pctl_value_text(v);
	size_t n = pctl_value_count(r->groups), len;

	if (!name || !*name)
		name = pctl_names_count(r->sources) ? pctl_names_at(r->sources, 0) : NULL;
	else if (!pctl_names_has(r->sources, name))
		pctl_problems_add(r->problems, pctl_value_place(v),
			"ClusterShell has no group source '%s'", name);
	if (!name)
		return;
	r->source->skipped_default = pctl_xstrdup(name);
	len = strlen(name);
	for (size_t i = 0; i < n; i++) {
		const char *group = pctl_value_key_at(r->groups, i);

		if (strncmp(group, name, len) != 0 || group[len] != ':')
			continue;
		r->source->alias_count++;
		PCTL_AUTO(free) char *whole = pctl_xasprintf("@%s", group);
		struct pctl_value *alias = pctl_value_new_text(whole);
		pctl_value_set_place(alias, pctl_value_place(pctl_value_at(r->groups, i)));
		pctl_value_append(r->groups, group + len + 1, alias);
		pctl_value_set_key_place(r->groups, pctl_value_count(r->groups) - 1,
			pctl_value_key_place(r->groups, i));
	}
}

static void take_config(struct reader *r, const char *folder)
{
	const struct pctl_value *main = pctl_value_get(r->config, MAIN);

	each_folder(r, pctl_value_get(main, "groupsdir") ? "groupsdir" : "confdir", folder, ".conf",
		take_part);
	each_folder(r, "autodir", folder, ".yaml", take_file_of_folder);
	take_sections(r, r->config, folder);
}

/* Where the library looks, the weakest first. */
static void find_folders(struct pctl_names *out)
{
	const char *home = getenv("HOME"), *config = getenv("XDG_CONFIG_HOME");
	const char *own = getenv("CLUSTERSHELL_CFGDIR");
	PCTL_AUTO(free)
	char *local = pctl_xasprintf("%s/.local/etc/clustershell", home ? home : "");
	PCTL_AUTO(free)
	char *personal = config ? pctl_xasprintf("%s/clustershell", config)
				: pctl_xasprintf("%s/.config/clustershell", home ? home : "");

	(void)pctl_names_add(out, "/etc/clustershell");
	if (home)
		(void)pctl_names_add(out, local);
	(void)pctl_names_add(out, "/usr/etc/clustershell");
	if (home || config)
		(void)pctl_names_add(out, personal);
	if (own)
		(void)pctl_names_add(out, own);
}

static void take_installed(struct reader *r)
{
	struct pctl_names *folders = pctl_names_new();
	const char *last = NULL;

	find_folders(folders);
	for (size_t i = 0; i < pctl_names_count(folders); i++) {
		const char *folder = pctl_names_at(folders, i);
		PCTL_AUTO(free) char *path = pctl_xasprintf("%s/" CONFIG, folder);

		if (exists(path) && read_config(r, r->config, path))
			last = folder;
	}
	if (last)
		take_config(r, last);
	else
		pctl_problems_add(r->problems, r->source->place,
			"ClusterShell has no " CONFIG " that can be read in /etc/clustershell, "
			"~/.config/clustershell or $CLUSTERSHELL_CFGDIR; name a file or a folder: "
			"'clustershell: PATH'");
	pctl_names_free(folders);
}

static bool has_end(const char *path, const char *end)
{
	size_t len = strlen(path), n = strlen(end);

	return len > n && strcmp(path + len - n, end) == 0;
}

static void take_path(struct reader *r, const struct pctl_value *v)
{
	PCTL_AUTO(free) char *path = pctl_path_of(v);
	PCTL_AUTO(free) char *config = pctl_xasprintf("%s/" CONFIG, path);
	PCTL_AUTO(free) char *folder = pctl_path_dirname(path);

	if (!exists(path)) {
		pctl_problems_add(r->problems, pctl_value_place(v), "there is no %s", path);
	} else if (is_folder(path) && exists(config)) {
		if (read_config(r, r->config, config))
			take_config(r, path);
	} else if (is_folder(path)) {
		each_file(r, path, ".yaml", take_file_of_folder);
	} else if (has_end(path, ".yaml") || has_end(path, ".yml")) {
		take_yaml(r, path);
	} else if (has_end(path, ".conf")) {
		if (read_config(r, r->config, path))
			take_config(r, folder);
	} else if (begin_source(r, "local", pctl_value_place(v))) {
		take_flat(r, "local", path);
	}
}

static void say_left_out(struct reader *r)
{
	PCTL_AUTO(free) char *skipped = pctl_names_fold(r->source->skipped);

	if (pctl_names_count(r->source->skipped))
		pctl_source_note(r->source,
			"the groups of %s come from shell commands, which are "
			"not run",
			skipped);
	if (r->unnamed)
		pctl_source_note(r->source,
			"%zu group%s left out, whose names have more than letters, digits and "
			"_ . - =",
			r->unnamed, r->unnamed == 1 ? " is" : "s are");
}

void pctl_source_clustershell(struct pctl_source *source, struct pctl_problems *problems)
{
	const struct pctl_value *v = pctl_value_get(source->config, "clustershell");
	struct reader r = {
		.source = source,
		.problems = problems,
		.config = pctl_value_new_map(),
		.groups = pctl_value_new_map(),
		.sources = pctl_names_new(),
		.seen = pctl_names_new(),
	};
	bool b;

	if (pctl_parse_bool(pctl_value_text(v), &b) == 0)
		take_installed(&r);
	else
		take_path(&r, v);
	take_default(&r);
	say_left_out(&r);
	source->root = pctl_value_new_map();
	pctl_value_set(source->root, "groups", r.groups);
	pctl_value_free(r.config);
	pctl_names_free(r.sources);
	pctl_names_free(r.seen);
}
