/* SPDX-License-Identifier: Apache-2.0 */
/*
 * genders(5): `n[1-4],m1 compute,bmc=%n-bmc,rack=r1`. A node may have many lines; # begins a
 * comment; %n in a value is the node's name and %% a percent sign; a value in double quotes may
 * have blanks and commas. Every attribute is a group of the nodes that have it, and so is every
 * attribute with its value.
 */
#include <string.h>

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

#define BLANKS " \t\r\f\v"

struct reader {
	const char *file;
	const struct pctl_genders_map *map;
	bool want_nodes;
	struct pctl_value *nodes, *groups;
	struct pctl_strmap by_name; /* of the groups */
	struct pctl_problems *problems;
	const char *line; /* where the present one begins */
	uint32_t number;
};

static struct pctl_place place_of(const struct reader *r, const char *at)
{
	uint32_t column = 1;

	for (const char *s = r->line; s < at; s++)
		column += ((unsigned char)*s & 0xc0) != 0x80;
	return (struct pctl_place){ r->file, r->number, column };
}

static struct pctl_value *text_at(const char *text, struct pctl_place place)
{
	struct pctl_value *v = pctl_value_new_text(text);

	pctl_value_set_place(v, place);
	return v;
}

static void append(
	struct pctl_value *map, const char *key, struct pctl_value *take_v, struct pctl_place place)
{
	pctl_value_append(map, key, take_v);
	pctl_value_set_key_place(map, pctl_value_count(map) - 1, place);
}

/* --- Groups. ---------------------------------------------------------------------------------- */

/* What cannot be written behind an @ cannot be asked for. */
static void add_members(struct reader *r, const char *group, const struct pctl_value *patterns,
	struct pctl_place place)
{
	struct pctl_value *list;

	if (!pctl_source_can_name(group))
		return;
	list = pctl_strmap_get(&r->by_name, group);
	if (!list) {
		list = pctl_value_new_list();
		pctl_value_set_place(list, place);
		append(r->groups, group, list, place);
		*pctl_strmap_put(&r->by_name, group) = list;
	}
	for (size_t i = 0; i < pctl_value_count(patterns); i++)
		pctl_value_add(list, pctl_value_copy(pctl_value_at(patterns, i)));
}

/* --- Values. ---------------------------------------------------------------------------------- */

static unsigned count_names(const char *value)
{
	unsigned n = 0;

	for (; *value; value++) {
		if (value[0] == '%' && value[1] == 'n')
			n++;
		if (value[0] == '%' && (value[1] == 'n' || value[1] == '%'))
			value++;
	}
	return n;
}

static char *substitute(const char *value, const char *name)
{
	struct pctl_buf out;

	pctl_buf_init(&out, PCTL_YAML_FILE_MAX);
	for (; *value; value++) {
		if (value[0] == '%' && value[1] == 'n')
			pctl_buf_adds(&out, name);
		else
			pctl_buf_add(&out, value, 1);
		if (value[0] == '%' && (value[1] == 'n' || value[1] == '%'))
			value++;
	}
	return pctl_buf_steal(&out);
}

/* --- Nodes. ----------------------------------------------------------------------------------- */

/* An attribute of the line that gives a setting. */
struct given {
	const char *key;
	char *value;
	struct pctl_place place;
};

#define GIVEN_MAX 4u

struct line {
	struct pctl_value *patterns; /* a list of texts */
	struct given given[GIVEN_MAX];
	size_t given_count;
};

static const char *setting_of(const struct reader *r, const char *attribute)
{
	for (const struct pctl_genders_map *m = r->map; m->key; m++)
		if (strcmp(m->attribute, attribute) == 0)
			return m->key;
	return NULL;
}

static void add_node(
	struct reader *r, const struct line *line, const char *name, struct pctl_place place)
{
	struct pctl_value *settings = pctl_value_new_map();

	pctl_value_set_place(settings, place);
	for (size_t i = 0; i < line->given_count; i++) {
		const struct given *given = &line->given[i];
		PCTL_AUTO(free) char *text = substitute(given->value, name);

		pctl_value_set(settings, given->key, text_at(text, given->place));
	}
	append(r->nodes, name, settings, place);
}

struct each {
	struct reader *r;
	const struct line *line;
	struct pctl_place place;
};

static int add_each(void *data, size_t i, const char *name)
{
	const struct each *e = data;

	(void)i;
	add_node(e->r, e->line, name, e->place);
	return 0;
}

/* Whether n[1-4] with %n-bmc can stay one entry, n[1-4] with n[1-4]-bmc. Only addresses pair before
 * anybody asks for one. */
static bool can_pair(const struct given *given)
{
	unsigned names = count_names(given->value);

	return !strchr(given->value, '[') && names <= (strcmp(given->key, "address") == 0 ? 1 : 0);
}

static void add_nodes(struct reader *r, const struct line *line)
{
	bool pairs = true;

	if (!r->want_nodes)
		return;
	for (size_t i = 0; i < line->given_count; i++)
		pairs = pairs && can_pair(&line->given[i]);
	for (size_t i = 0; i < pctl_value_count(line->patterns); i++) {
		const struct pctl_value *v = pctl_value_at(line->patterns, i);
		const char *pattern = pctl_value_text(v);
		struct each each = { r, line, pctl_value_place(v) };

		if (pairs || !strchr(pattern, '['))
			add_node(r, line, pattern, pctl_value_place(v));
		else
			(void)pctl_range_each(pattern, add_each, &each, NULL, NULL);
	}
}

/* --- Lines. ----------------------------------------------------------------------------------- */

/* The end of an item: a comma that is in neither brackets nor quotes. Quotes are for values. */
static size_t item_length(const char *s, const char *end, bool quotes)
{
	bool quoted = false, bracket = false;
	size_t n = 0;

	for (; s + n < end; n++) {
		quoted = quotes && s[n] == '"' ? !quoted : quoted;
		bracket = !quotes && (s[n] == '[' || (bracket && s[n] != ']'));
		if (s[n] == ',' && !quoted && !bracket)
			break;
	}
	return n;
}

static bool take_patterns(
	struct reader *r, const char *s, const char *end, struct pctl_value *patterns)
{
	for (;; s++) {
		size_t len = item_length(s, end, false);
		PCTL_AUTO(free) char *pattern = pctl_xstrndup(s, len);
		struct pctl_error err = { 0 };
		uint64_t count;

		if (!len)
			pctl_error_set(&err, PCTL_E_CONFIG, "a node's name is missing here");
		else if (strpbrk(pattern, "@%!&^*\""))
			pctl_error_set(
				&err, PCTL_E_CONFIG, "'%s' is not the name of nodes", pattern);
		else if (pctl_range_count(pattern, &count, NULL, &err) == 0)
			pctl_value_add(patterns, text_at(pattern, place_of(r, s)));
		if (err.code) {
			pctl_problems_add(r->problems, place_of(r, s), "%s", err.text);
			return false;
		}
		s += len;
		if (s >= end)
			return true;
	}
}

/* Without its quotes. */
static char *unquoted(const char *s, size_t len)
{
	char *text = pctl_xstrndup(s, len), *out = text;

	for (const char *c = text; *c; c++)
		if (*c != '"')
			*out++ = *c;
	*out = '\0';
	return text;
}

static void take_attribute(struct reader *r, const char *s, size_t len, struct line *line)
{
	PCTL_AUTO(free) char *item = unquoted(s, len);
	char *value = strchr(item, '=');
	struct pctl_place place = place_of(r, s);

	if (!*item || value == item || (value && !value[1])) {
		pctl_problems_add(r->problems, place,
			*item ? "'%s': an attribute is a word, or a word=value"
			      : "an attribute is missing here%s",
			item);
		return;
	}
	if (value)
		*value++ = '\0';
	add_members(r, item, line->patterns, place);
	const char *key = value ? setting_of(r, item) : NULL;
	if (key && line->given_count < GIVEN_MAX) {
		line->given[line->given_count++] =
			(struct given){ key, pctl_xstrdup(value), place };
	} else if (value && !count_names(value)) {
		PCTL_AUTO(free) char *plain = substitute(value, "");
		PCTL_AUTO(free) char *group = pctl_xasprintf("%s=%s", item, plain);

		add_members(r, group, line->patterns, place);
	}
}

/* The first of these characters that is not in quotes, else the end; *ret_open: a quote is. */
static const char *find_plain(const char *s, const char *end, const char *stops, bool *ret_open)
{
	bool quoted = false;

	for (; s < end && (quoted || !strchr(stops, *s)); s++)
		quoted = quoted != (*s == '"');
	*ret_open = quoted;
	return s;
}

static void take_attributes(struct reader *r, const char *s, const char *end, struct line *line)
{
	bool open;
	const char *blank = find_plain(s, end, BLANKS, &open);

	if (blank < end || open) {
		pctl_problems_add(r->problems, place_of(r, open ? s : blank), "%s",
			open ? "a quote is never closed here"
			     : "a blank cannot stand among the attributes; put the value into "
			       "quotes");
		return;
	}
	for (;; s++) {
		size_t len = item_length(s, end, true);

		take_attribute(r, s, len, line);
		s += len;
		if (s >= end)
			return;
	}
}

static void take_line(struct reader *r, const char *end)
{
	struct line line = { .patterns = NULL };
	const char *s = r->line;
	bool open;

	end = find_plain(s, end, "#", &open);
	while (s < end && strchr(BLANKS, *s))
		s++;
	while (end > s && strchr(BLANKS, end[-1]))
		end--;
	if (s == end)
		return;
	const char *nodes = s;
	while (s < end && !strchr(BLANKS, *s))
		s++;
	line.patterns = pctl_value_new_list();
	if (take_patterns(r, nodes, s, line.patterns)) {
		while (s < end && strchr(BLANKS, *s))
			s++;
		if (s < end)
			take_attributes(r, s, end, &line);
		add_nodes(r, &line);
	}
	for (size_t i = 0; i < line.given_count; i++)
		free(line.given[i].value);
	pctl_value_free(line.patterns);
}

struct pctl_value *pctl_genders_parse(const char *file, const char *text, size_t len,
	const struct pctl_genders_map *map, bool want_nodes, struct pctl_problems *problems)
{
	struct pctl_value *root = pctl_value_new_map();
	struct reader r = {
		.file = file,
		.map = map,
		.want_nodes = want_nodes || map->key,
		.nodes = pctl_value_new_map(),
		.groups = pctl_value_new_map(),
		.problems = problems,
	};
	const char *end = text + len;

	if (memchr(text, 0, len)) {
		pctl_problems_add(problems, (struct pctl_place){ file, 1, 1 },
			"this is not text: it has a zero byte");
		end = text;
	}
	for (const char *s = text; s < end;) {
		const char *eol = memchr(s, '\n', (size_t)(end - s));

		eol = eol ? eol : end;
		r.line = s;
		r.number++;
		take_line(&r, eol);
		s = eol + 1;
	}
	pctl_strmap_done(&r.by_name);
	pctl_value_set(root, "nodes", r.nodes);
	pctl_value_set(root, "groups", r.groups);
	return root;
}

/* --- The file. -------------------------------------------------------------------------------- */

void pctl_source_genders(struct pctl_source *source, struct pctl_problems *problems)
{
	static const char *const keys[] = { "address", "class", "driver", NULL };
	struct pctl_genders_map map[GIVEN_MAX] = { { NULL, NULL } };
	const struct pctl_value *v = pctl_value_get(source->config, "genders");
	const char *nodes = pctl_value_text(pctl_value_get(source->config, "nodes"));
	PCTL_AUTO(free) char *path = pctl_path_of(v);
	struct pctl_error err;
	struct pctl_buf text;
	bool want_nodes = false;
	size_t n = 0;

	for (const char *const *key = keys; *key; key++) {
		const char *attribute = pctl_value_text(pctl_value_get(source->config, *key));

		if (attribute && *attribute)
			map[n++] = (struct pctl_genders_map){ *key, attribute };
	}
	if (nodes)
		(void)pctl_parse_bool(nodes, &want_nodes);
	pctl_buf_init(&text, PCTL_YAML_FILE_MAX);
	(void)pctl_names_add(source->files, path);
	if (pctl_file_read(path, &text, NULL, &err) < 0)
		pctl_problems_add(problems, pctl_value_place(v), "%s", err.text);
	else
		source->root = pctl_genders_parse(pctl_names_at(source->files, 0), text.data,
			text.len, map, want_nodes, problems);
	pctl_buf_done(&text);
}
