/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory/splice.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>

#define INDENT "  "

/* --- Writing. --------------------------------------------------------------------------------- */

/* Fewer texts than YAML allows, but all that are usual. Quotes are never wrong. */
static bool is_plain(const char *text, bool flow)
{
	const char *also = flow ? "_./-+@%=~" : "_./-+@%=~[]";

	if (!isalnum((unsigned char)*text) && !strchr("_/", *text))
		return false;
	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text == ':' && text[1] && strchr("/:", text[1]))
			continue;
		if (*text == ':' && isalnum((unsigned char)text[1]))
			continue;
		if (!isalnum((unsigned char)*text) && !strchr(also, *text))
			return false;
	}
	return true;
}

/* Characters of several bytes that a YAML text cannot hold as they are (YAML 1.1, section 5.1). */
static size_t write_unprintable(struct pctl_buf *out, const char *text)
{
	static const struct {
		const char *bytes, *written;
	} marks[] = { { "\xef\xbb\xbf", "\\ufeff" }, { "\xef\xbf\xbe", "\\ufffe" },
		{ "\xef\xbf\xbf", "\\uffff" } };
	unsigned char first = (unsigned char)text[0], second = (unsigned char)text[1];

	if (first == 0xc2 && second >= 0x80 && second < 0xa0) {
		pctl_buf_addf(out, "\\x%02x", second);
		return 2;
	}
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (strncmp(text, marks[i].bytes, 3) != 0)
			continue;
		pctl_buf_adds(out, marks[i].written);
		return 3;
	}
	return 0;
}

void pctl_yaml_write_text(struct pctl_buf *out, const char *text, bool flow)
{
	if (is_plain(text, flow)) {
		pctl_buf_adds(out, text);
		return;
	}
	pctl_buf_adds(out, "\"");
	for (; *text; text++) {
		size_t skipped = write_unprintable(out, text);

		if (skipped) {
			text += skipped - 1;
			continue;
		}
		if (*text == '"' || *text == '\\')
			pctl_buf_addf(out, "\\%c", *text);
		else if ((unsigned char)*text < ' ' || *text == 0x7f)
			pctl_buf_addf(out, "\\x%02x", (unsigned)*text);
		else
			pctl_buf_add(out, text, 1);
	}
	pctl_buf_adds(out, "\"");
}

/* Recursion: as deep as what a caller hands over, which is a few levels. */
void pctl_yaml_write(struct pctl_buf *out, const struct pctl_value *v, bool flow)
{
	bool map = pctl_value_kind(v) == PCTL_VALUE_MAP;

	switch (pctl_value_kind(v)) {
	case PCTL_VALUE_TEXT:
		pctl_yaml_write_text(out, pctl_value_text(v), flow);
		return;
	case PCTL_VALUE_INT:
		pctl_buf_addf(out, "%" PRId64, pctl_value_int(v));
		return;
	case PCTL_VALUE_BOOL:
		pctl_buf_adds(out, pctl_value_bool(v) ? "true" : "false");
		return;
	default:
		break;
	}
	pctl_buf_adds(out, map ? "{" : "[");
	for (size_t i = 0; i < pctl_value_count(v); i++) {
		pctl_buf_adds(out, i ? ", " : "");
		if (map) {
			pctl_yaml_write_text(out, pctl_value_key_at(v, i), true);
			pctl_buf_adds(out, ": ");
		}
		pctl_yaml_write(out, pctl_value_at(v, i), true);
	}
	pctl_buf_adds(out, map ? "}" : "]");
}

/* --- Finding. --------------------------------------------------------------------------------- */

int pctl_splice_init(struct pctl_splice *s, const char *file, const char *text, size_t len,
	struct pctl_error *err)
{
	struct pctl_problems *problems = pctl_problems_new();
	const char *newline = memchr(text, '\n', len);

	*s = (struct pctl_splice){ .text = text, .len = len };
	s->eol = newline && newline > text && newline[-1] == '\r' ? "\r\n" : "\n";
	int r = pctl_yaml_parse(&s->yaml, file, text, len, true, problems);
	if (r < 0)
		(void)pctl_error_set(err, r, "%s", pctl_problems_at(problems, 0));
	pctl_problems_free(problems);
	return r;
}

void pctl_splice_done(struct pctl_splice *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->changes[i].text);
	free(s->changes);
	pctl_yaml_done(&s->yaml);
}

struct pctl_spot pctl_splice_root(const struct pctl_splice *s)
{
	return (struct pctl_spot){ .value = s->yaml.root, .key = SIZE_MAX };
}

struct pctl_spot pctl_splice_find(
	const struct pctl_splice *s, const struct pctl_spot *map, const char *key)
{
	size_t at = map->span + 1;

	for (size_t i = 0; pctl_value_key_at(map->value, i); i++) {
		if (strcmp(pctl_value_key_at(map->value, i), key) == 0)
			return (struct pctl_spot){
				.value = pctl_value_at(map->value, i),
				.span = at + 1,
				.key = at,
				.number = i,
				.section = map->key == SIZE_MAX,
			};
		at = s->yaml.spans[at + 1].next;
	}
	return (struct pctl_spot){ .value = NULL };
}

static const struct pctl_yaml_span *span_of(const struct pctl_splice *s, size_t span)
{
	return &s->yaml.spans[span];
}

/* --- Changing. -------------------------------------------------------------------------------- */

static void change(struct pctl_splice *s, size_t begin, size_t end, const char *text)
{
	s->changes = pctl_xgrow(s->changes, &s->cap, s->n + 1, sizeof(*s->changes));
	s->changes[s->n++] = (struct pctl_change){ begin, end, pctl_xstrdup(text) };
}

static size_t line_begin(const struct pctl_splice *s, size_t at)
{
	while (at > 0 && s->text[at - 1] != '\n')
		at--;
	return at;
}

/* Behind the line that holds the last byte before at; a block scalar ends behind its line. */
static size_t line_after(const struct pctl_splice *s, size_t at)
{
	if (at > 0 && s->text[at - 1] == '\n')
		return at;
	const char *newline = memchr(s->text + at, '\n', s->len - at);
	return newline ? (size_t)(newline - s->text) + 1 : s->len;
}

/* Where the words of the line that at is in end, without its line break. */
static size_t line_end(const struct pctl_splice *s, size_t at)
{
	while (at < s->len && s->text[at] != '\n' && s->text[at] != '\r')
		at++;
	return at;
}

/* A line break first, if the text does not end with one. */
static const char *break_before(const struct pctl_splice *s, size_t at)
{
	return at > 0 && s->text[at - 1] != '\n' ? s->eol : "";
}

/* The last member's value's end, of a map that has members. */
static size_t last_end(const struct pctl_splice *s, const struct pctl_spot *map)
{
	size_t at = map->span + 1;

	for (size_t i = 0; i + 1 < pctl_value_count(map->value); i++)
		at = s->yaml.spans[at + 1].next;
	return s->yaml.spans[at + 1].end;
}

/* What is added: members of a map, all of them below a new key where there is one. */
struct addition {
	const char *below; /* or NULL */
	const struct pctl_value *members;
};

static void write_flow(struct pctl_buf *out, const struct addition *a)
{
	if (a->below) {
		pctl_yaml_write_text(out, a->below, true);
		pctl_buf_adds(out, ": {");
	}
	for (size_t i = 0; i < pctl_value_count(a->members); i++) {
		pctl_buf_adds(out, i ? ", " : "");
		pctl_yaml_write_text(out, pctl_value_key_at(a->members, i), true);
		pctl_buf_adds(out, ": ");
		pctl_yaml_write(out, pctl_value_at(a->members, i), true);
	}
	pctl_buf_adds(out, a->below ? "}" : "");
}

/* As lines of a block, each indented by the bytes at indent. */
static void write_block(const struct pctl_splice *s, struct pctl_buf *out, const struct addition *a,
	const char *indent, size_t indent_len)
{
	if (a->below) {
		pctl_buf_add(out, indent, indent_len);
		pctl_yaml_write_text(out, a->below, false);
		pctl_buf_adds(out, ":");
		pctl_buf_adds(out, s->eol);
	}
	for (size_t i = 0; i < pctl_value_count(a->members); i++) {
		pctl_buf_add(out, indent, indent_len);
		pctl_buf_adds(out, a->below ? INDENT : "");
		pctl_yaml_write_text(out, pctl_value_key_at(a->members, i), false);
		pctl_buf_adds(out, ": ");
		pctl_yaml_write(out, pctl_value_at(a->members, i), false);
		pctl_buf_adds(out, s->eol);
	}
}

static void add_to_flow(struct pctl_splice *s, const struct pctl_spot *map, struct pctl_buf *out,
	const struct addition *a)
{
	bool empty = pctl_value_count(map->value) == 0;
	size_t at = empty ? span_of(s, map->span)->begin + 1 : last_end(s, map);

	pctl_buf_adds(out, empty ? "" : ", ");
	write_flow(out, a);
	change(s, at, at, out->data);
}

static void add_to_block(struct pctl_splice *s, const struct pctl_spot *map, struct pctl_buf *out,
	const struct addition *a)
{
	size_t first = span_of(s, map->span + 1)->begin;
	size_t begin = line_begin(s, first);
	size_t at = line_after(s, last_end(s, map));

	pctl_buf_adds(out, break_before(s, at));
	write_block(s, out, a, s->text + begin, first - begin);
	change(s, at, at, out->data);
}

/* The map is empty and may become a block below its key: `nodes:` or `nodes: {}`. */
static void add_below_key(struct pctl_splice *s, const struct pctl_spot *map, struct pctl_buf *out,
	const struct addition *a)
{
	size_t key = span_of(s, map->key)->begin;
	size_t begin = line_begin(s, key);
	const struct pctl_yaml_span *old = span_of(s, map->span);
	size_t blanks = old->begin;
	size_t at = line_after(s, old->end);
	PCTL_AUTO(free)
	char *indent = pctl_xasprintf("%.*s" INDENT, (int)(key - begin), s->text + begin);

	while (old->end > old->begin && s->text[blanks - 1] == ' ')
		blanks--;
	if (old->end > old->begin)
		change(s, blanks, old->end, "");
	pctl_buf_adds(out, break_before(s, at));
	write_block(s, out, a, indent, strlen(indent));
	change(s, at, at, out->data);
}

/* Whether only blanks stand between the braces of an empty flow map. */
static bool is_bare(const struct pctl_splice *s, const struct pctl_yaml_span *span)
{
	for (size_t i = span->begin + 1; i + 1 < span->end; i++)
		if (s->text[i] != ' ')
			return false;
	return true;
}

static bool in_flow(const struct pctl_splice *s, const struct pctl_spot *spot)
{
	for (size_t i = 0; i < spot->span; i++)
		if (s->yaml.spans[i].flow && s->yaml.spans[i].next > spot->span)
			return true;
	return false;
}

/* What has no members and no braces: nothing at all, `~`, or "". */
static void add_to_nothing(struct pctl_splice *s, const struct pctl_spot *map, struct pctl_buf *out,
	const struct addition *a)
{
	const struct pctl_yaml_span *old = span_of(s, map->span);

	pctl_buf_adds(out, old->end == old->begin ? " {" : "{");
	write_flow(out, a);
	pctl_buf_adds(out, "}");
	change(s, old->begin, old->end, out->data);
}

void pctl_splice_add_all(struct pctl_splice *s, const struct pctl_spot *map, const char *below,
	const struct pctl_value *members)
{
	const struct addition a = { below, members };
	struct pctl_buf out;

	pctl_buf_init(&out, PCTL_YAML_FILE_MAX);
	if (!map->value) {
		/* Nothing but comments. */
		pctl_buf_adds(&out, break_before(s, s->len));
		write_block(s, &out, &a, "", 0);
		change(s, s->len, s->len, out.data);
		pctl_buf_done(&out);
		return;
	}

	const struct pctl_yaml_span *span = span_of(s, map->span);
	bool empty = pctl_value_count(map->value) == 0;
	/* What is added to a section stands below it, a line each; settings stand behind. */
	bool lines = map->section && !in_flow(s, map);
	if (empty && lines && (!span->flow || is_bare(s, span)))
		add_below_key(s, map, &out, &a);
	else if (span->flow)
		add_to_flow(s, map, &out, &a);
	else if (!empty)
		add_to_block(s, map, &out, &a);
	else
		add_to_nothing(s, map, &out, &a);
	pctl_buf_done(&out);
}

void pctl_splice_add(struct pctl_splice *s, const struct pctl_spot *map, const char *key,
	const struct pctl_value *value)
{
	struct pctl_value *members = pctl_value_new_map();

	pctl_value_set(members, key, pctl_value_copy(value));
	pctl_splice_add_all(s, map, NULL, members);
	pctl_value_free(members);
}

void pctl_splice_append(
	struct pctl_splice *s, const struct pctl_spot *list, const struct pctl_value *value)
{
	const struct pctl_yaml_span *span = span_of(s, list->span);
	size_t count = pctl_value_count(list->value), last = list->span + 1, at;
	struct pctl_buf out;

	for (size_t i = 0; i + 1 < count; i++)
		last = span_of(s, last)->next;
	pctl_buf_init(&out, PCTL_YAML_FILE_MAX);
	if (span->flow || !count) {
		at = count ? span_of(s, last)->end : span->begin + 1;
		pctl_buf_adds(&out, count ? ", " : "");
		pctl_yaml_write(&out, value, true);
	} else {
		size_t first = span_of(s, list->span + 1)->begin;
		size_t begin = line_begin(s, first);

		at = line_after(s, span_of(s, last)->end);
		pctl_buf_adds(&out, break_before(s, at));
		pctl_buf_add(&out, s->text + begin, first - begin);
		pctl_yaml_write(&out, value, false);
		pctl_buf_adds(&out, s->eol);
	}
	change(s, at, at, out.data);
	pctl_buf_done(&out);
}

void pctl_splice_replace(
	struct pctl_splice *s, const struct pctl_spot *spot, const struct pctl_value *value)
{
	const struct pctl_yaml_span *old = span_of(s, spot->span);
	size_t begin = old->begin, end = old->end;
	bool collection = pctl_value_text(spot->value) == NULL;
	struct pctl_buf out;

	/* A block scalar's line break is not part of what takes its place. */
	while (end > begin && (s->text[end - 1] == '\n' || s->text[end - 1] == '\r'))
		end--;
	pctl_buf_init(&out, PCTL_YAML_FILE_MAX);
	if (begin == end || (collection && !old->flow))
		pctl_buf_adds(&out, " ");
	pctl_yaml_write(&out, value, in_flow(s, spot));
	if (collection && !old->flow) {
		/* Right behind the key, before the comment there; the lines below go. */
		size_t colon = span_of(s, spot->key)->end;
		while (colon < begin && s->text[colon] != ':')
			colon++;
		size_t below = line_end(s, colon);
		change(s, colon + 1, colon + 1, out.data);
		change(s, below, end, "");
	} else {
		change(s, begin, end, out.data);
	}
	pctl_buf_done(&out);
}

void pctl_splice_remove(
	struct pctl_splice *s, const struct pctl_spot *map, const struct pctl_spot *spot)
{
	size_t begin = span_of(s, spot->key)->begin;
	size_t end = span_of(s, spot->span)->end;
	size_t next = span_of(s, spot->span)->next;

	if (!span_of(s, map->span)->flow) {
		change(s, line_begin(s, begin), line_after(s, end), "");
		return;
	}
	if (spot->number + 1 < pctl_value_count(map->value)) {
		end = span_of(s, next)->begin;
	} else if (spot->number > 0) {
		while (begin > 0 && s->text[begin - 1] != ',')
			begin--;
		begin--;
	}
	change(s, begin, end, "");
}

static int compare_changes(const void *a, const void *b)
{
	const struct pctl_change *x = a, *y = b;

	return (x->begin > y->begin) - (x->begin < y->begin);
}

void pctl_splice_apply(struct pctl_splice *s, struct pctl_buf *out)
{
	size_t at = 0;

	if (s->n)
		qsort(s->changes, s->n, sizeof(*s->changes), compare_changes);
	for (size_t i = 0; i < s->n; i++) {
		const struct pctl_change *c = &s->changes[i];

		if (c->begin < at)
			continue; /* within what goes anyway; the comparison will tell */
		pctl_buf_add(out, s->text + at, c->begin - at);
		pctl_buf_adds(out, c->text);
		at = c->end;
	}
	pctl_buf_add(out, s->text + at, s->len - at);
}
