/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory/yaml_tree.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include <powerctl/mem.h>

#include "base/strmap.h"
#include "base/value.h"
#include "inventory/problems.h"

struct reader {
	yaml_parser_t parser;
	const char *file;
	const char *text;
	size_t len;
	size_t start; /* behind a byte order mark */
	struct pctl_problems *problems;
	struct pctl_yaml *out;
	bool want_spans;
	bool null_is_nothing;
	size_t span_cap;
	size_t values;
	bool failed;
	/* libyaml counts characters; this finds the bytes, moving from the last answer. */
	size_t at_char, at_byte;
};

static struct pctl_place place_of(const struct reader *r, const yaml_mark_t *mark)
{
	return (struct pctl_place){
		.file = r->file,
		.line = (uint32_t)mark->line + 1,
		.column = (uint32_t)mark->column + 1,
	};
}

static void complain(struct reader *r, struct pctl_place place, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void complain(struct reader *r, struct pctl_place place, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	pctl_problems_addv(r->problems, place, fmt, ap);
	va_end(ap);
	r->failed = true;
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t byte_of(struct reader *r, const yaml_mark_t *mark)
{
	while (r->at_char < mark->index && r->at_byte < r->len) {
		do
			r->at_byte++;
		while (r->at_byte < r->len && is_continuation(r->text[r->at_byte]));
		r->at_char++;
	}
	while (r->at_char > mark->index && r->at_byte > 0) {
		do
			r->at_byte--;
		while (r->at_byte > 0 && is_continuation(r->text[r->at_byte]));
		r->at_char--;
	}
	return r->at_byte;
}

/* --- What libyaml complains about, in words. -------------------------------------------------- */

#define AT_ANY (-1)
#define AT_END (-2)

struct saying {
	const char *problem; /* libyaml's text, or how it begins */
	int at;              /* only if this character stands there */
	bool context;        /* point to where the thing began */
	const char *words;
};

static const struct saying sayings[] = {
	{ "did not find expected ',' or", '[', false,
		"inside { } and [ ] a text with brackets needs quotes: \"10.0.0.[1-8]\"" },
	{ "did not find expected ',' or '}'", AT_END, true, "this '{' is never closed" },
	{ "did not find expected ',' or ']'", AT_END, true, "this '[' is never closed" },
	{ "did not find expected ',' or '}'", AT_ANY, false,
		"a ',' or the closing '}' is missing before this" },
	{ "did not find expected ',' or ']'", AT_ANY, false,
		"a ',' or the closing ']' is missing before this" },
	{ "mapping values are not allowed", AT_ANY, false,
		"a ': ' cannot stand here; quote the text, or check the indentation" },
	{ "did not find expected key", AT_ANY, false,
		"this is not a 'key: value' of the block it stands in; check the indentation" },
	{ "did not find expected '-' indicator", AT_ANY, false,
		"this is not a '- item' of the list it stands in; check the indentation" },
	{ "found character that cannot start any token", '\t', false,
		"a tab cannot indent; use blanks" },
	{ "found a tab character", AT_ANY, false, "a tab cannot indent; use blanks" },
	{ "found character that cannot start any token", AT_ANY, false,
		"a text cannot begin with this character without quotes" },
	{ "found unexpected end of stream", AT_ANY, true, "this quote is never closed" },
	{ "found unexpected document indicator", AT_ANY, true, "this quote is never closed" },
	{ "could not find expected ':'", AT_ANY, true, "after this key a ': ' is missing" },
	{ "did not find expected <document start>", AT_ANY, false,
		"this does not belong to what stands above; check the indentation" },
	{ "did not find expected node content", AT_END, false,
		"the text ends here, but a '{' or '[' is still open" },
	{ "did not find expected node content", AT_ANY, false, "a value is missing here" },
	{ "exceeded maximum depth", AT_ANY, false, "too many lists and maps in each other" },
};

static int char_at(struct reader *r, const yaml_mark_t *mark)
{
	size_t at = byte_of(r, mark);

	return at < r->len ? (unsigned char)r->text[at] : AT_END;
}

static const struct saying *saying_of(const char *problem, int at)
{
	for (size_t i = 0; i < sizeof(sayings) / sizeof(sayings[0]); i++) {
		const struct saying *s = &sayings[i];

		if (strncmp(problem, s->problem, strlen(s->problem)) == 0 &&
			(s->at == AT_ANY || s->at == at))
			return s;
	}
	return NULL;
}

/* The place of a byte, for what is not even characters. */
static struct pctl_place place_of_byte(const struct reader *r, size_t offset)
{
	struct pctl_place place = { .file = r->file, .line = 1, .column = 1 };

	for (size_t i = r->start; i < offset && i < r->len; i++) {
		if (r->text[i] == '\n') {
			place.line++;
			place.column = 1;
		} else if (!is_continuation(r->text[i])) {
			place.column++;
		}
	}
	return place;
}

static void say_unparsable(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	const char *problem = p->problem ? p->problem : "not YAML";

	if (p->error == YAML_READER_ERROR) {
		complain(r, place_of_byte(r, r->start + p->problem_offset),
			"this is not text: %s; the file must be UTF-8", problem);
		return;
	}

	int at = char_at(r, &p->problem_mark);
	const struct saying *s = saying_of(problem, at);
	struct pctl_place place = place_of(r, &p->problem_mark);
	if (s && s->context && p->context)
		place = place_of(r, &p->context_mark);
	else if (at == AT_END)
		place = place_of_byte(r, r->len); /* libyaml ends every text with a line */
	complain(r, place, "%s", s ? s->words : problem);
}

/* --- Events into values. ---------------------------------------------------------------------- */

static bool next_event(struct reader *r, yaml_event_t *event)
{
	if (yaml_parser_parse(&r->parser, event))
		return true;
	say_unparsable(r);
	return false;
}

static size_t open_span(struct reader *r, const yaml_event_t *event, bool flow)
{
	struct pctl_yaml *out = r->out;

	if (!r->want_spans)
		return 0;
	out->spans = pctl_xgrow(out->spans, &r->span_cap, out->span_count + 1, sizeof(*out->spans));
	out->spans[out->span_count] = (struct pctl_yaml_span){
		.begin = byte_of(r, &event->start_mark),
		.end = byte_of(r, &event->end_mark),
		.next = out->span_count + 1,
		.flow = flow,
	};
	return out->span_count++;
}

/* libyaml ends a block collection only at the next token, comments and blank lines later. */
static void close_span(struct reader *r, size_t at, const yaml_event_t *event)
{
	if (!r->want_spans)
		return;

	struct pctl_yaml_span *span = &r->out->spans[at];
	span->next = r->out->span_count;
	if (span->flow) {
		span->end = byte_of(r, &event->end_mark);
		return;
	}
	for (size_t i = at + 1; i < span->next; i++)
		if (r->out->spans[i].end > span->end)
			span->end = r->out->spans[i].end;
}

static void refuse_tag(struct reader *r, const yaml_event_t *event, const yaml_char_t *anchor,
	const yaml_char_t *tag)
{
	struct pctl_place place = place_of(r, &event->start_mark);

	if (anchor)
		complain(r, place, "anchors (&%s) are not understood; name a class instead",
			(const char *)anchor);
	if (tag)
		complain(r, place,
			"tags (!) are not understood; to begin a text with '!', quote it");
}

/* Where people write, only ~ stands for nothing: the word null is a text (and the name of a
 * driver). */
static bool is_nothing(const struct reader *r, const yaml_event_t *event)
{
	const char *s = (const char *)event->data.scalar.value;

	return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	       (strcmp(s, "~") == 0 || (r->null_is_nothing && strcmp(s, "null") == 0));
}

static struct pctl_value *scalar_value(struct reader *r, const yaml_event_t *event)
{
	const char *s = (const char *)event->data.scalar.value;

	refuse_tag(r, event, event->data.scalar.anchor, event->data.scalar.tag);
	if (strlen(s) != event->data.scalar.length)
		complain(r, place_of(r, &event->start_mark), "a text cannot hold a zero byte");
	return pctl_value_new_text(is_nothing(r, event) ? "" : s);
}

static struct pctl_value *value_of(struct reader *r, yaml_event_t *event, unsigned depth);

static struct pctl_value *list_value(struct reader *r, const yaml_event_t *start, unsigned depth)
{
	struct pctl_value *list = pctl_value_new_list();
	size_t span =
		open_span(r, start, start->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE);
	yaml_event_t event;

	refuse_tag(r, start, start->data.sequence_start.anchor, start->data.sequence_start.tag);
	while (next_event(r, &event)) {
		if (event.type == YAML_SEQUENCE_END_EVENT) {
			close_span(r, span, &event);
			yaml_event_delete(&event);
			return list;
		}
		struct pctl_value *item = value_of(r, &event, depth + 1);
		if (!item)
			break;
		pctl_value_add(list, item);
	}
	pctl_value_free(list);
	return NULL;
}

/* The keys of a map under way: maps of thousands of nodes must not be searched for each key. */
struct keys {
	struct pctl_value *map;
	struct pctl_strmap index; /* key to 1 + its position, once there are many */
};

#define KEYS_FEW 16u

/* The position of key + 1, or 0. */
static size_t find_key(struct keys *keys, const char *key)
{
	size_t n = pctl_value_count(keys->map);

	if (n > KEYS_FEW)
		return (size_t)(uintptr_t)pctl_strmap_get(&keys->index, key);
	for (size_t i = 0; i < n; i++)
		if (strcmp(pctl_value_key_at(keys->map, i), key) == 0)
			return i + 1;
	return 0;
}

static void add_key(
	struct keys *keys, const char *key, struct pctl_value *take_v, struct pctl_place place)
{
	size_t n = pctl_value_count(keys->map);

	pctl_value_append(keys->map, key, take_v);
	pctl_value_set_key_place(keys->map, n, place);
	if (n < KEYS_FEW)
		return;
	for (size_t i = n == KEYS_FEW ? 0 : n; i <= n; i++)
		*pctl_strmap_put(&keys->index, pctl_value_key_at(keys->map, i)) =
			(void *)(uintptr_t)(i + 1);
}

/* Reads the value behind a key and adds both, unless the key stands there already. */
static bool read_member(struct reader *r, struct keys *keys, yaml_event_t *key, unsigned depth)
{
	struct pctl_place place = place_of(r, &key->start_mark);
	yaml_event_t event;

	if (key->type != YAML_SCALAR_EVENT) {
		complain(r, place,
			"a key must be a text; to begin one with '[', '{' or '*', quote it");
		yaml_event_delete(key);
		return false;
	}
	struct pctl_value *name = value_of(r, key, depth);
	if (!name || !next_event(r, &event)) {
		pctl_value_free(name);
		return false;
	}
	struct pctl_value *value = value_of(r, &event, depth);
	size_t before = value ? find_key(keys, pctl_value_text(name)) : 0;
	if (before) {
		struct pctl_place first = pctl_value_key_place(keys->map, before - 1);

		complain(r, place,
			"'%s' stands here twice; the first is on line %u, keep one of them",
			pctl_value_text(name), first.line);
		pctl_value_free(value);
	} else if (value) {
		add_key(keys, pctl_value_text(name), value, place);
	}
	pctl_value_free(name);
	return value != NULL;
}

static struct pctl_value *map_value(struct reader *r, const yaml_event_t *start, unsigned depth)
{
	struct keys keys = { .map = pctl_value_new_map() };
	size_t span =
		open_span(r, start, start->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE);
	yaml_event_t event;

	refuse_tag(r, start, start->data.mapping_start.anchor, start->data.mapping_start.tag);
	for (;;) {
		if (!next_event(r, &event))
			break;
		if (event.type == YAML_MAPPING_END_EVENT) {
			close_span(r, span, &event);
			yaml_event_delete(&event);
			pctl_strmap_done(&keys.index);
			return keys.map;
		}
		if (!read_member(r, &keys, &event, depth + 1))
			break;
	}
	pctl_strmap_done(&keys.index);
	pctl_value_free(keys.map);
	return NULL;
}

/* Takes event and all that belongs to it. NULL: the text cannot be parsed any further. */
static struct pctl_value *value_of(struct reader *r, yaml_event_t *event, unsigned depth)
{
	struct pctl_place place = place_of(r, &event->start_mark);
	struct pctl_value *value = NULL;

	if (depth > PCTL_YAML_DEPTH_MAX)
		complain(
			r, place, "more than %u lists and maps in each other", PCTL_YAML_DEPTH_MAX);
	else if (++r->values > PCTL_YAML_VALUE_MAX)
		pctl_problems_add(
			r->problems, place, "more than %u values in a file", PCTL_YAML_VALUE_MAX);
	else if (event->type == YAML_SCALAR_EVENT) {
		(void)open_span(r, event, false);
		value = scalar_value(r, event);
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		value = list_value(r, event, depth);
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		value = map_value(r, event, depth);
	} else {
		complain(r, place,
			"aliases (*) are not understood; to begin a text with '*', quote it");
	}
	yaml_event_delete(event);
	if (!value)
		return NULL;
	pctl_value_set_place(value, place);
	pctl_value_trim(value);
	return value;
}

static void read_stream(struct reader *r)
{
	yaml_event_t event;
	unsigned documents = 0;

	while (next_event(r, &event)) {
		switch (event.type) {
		case YAML_STREAM_END_EVENT:
			yaml_event_delete(&event);
			return;
		case YAML_DOCUMENT_START_EVENT:
			if (++documents > 1) {
				complain(r, place_of(r, &event.start_mark),
					"a second document begins here; one file holds one");
				yaml_event_delete(&event);
				return;
			}
			yaml_event_delete(&event);
			break;
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_END_EVENT:
			yaml_event_delete(&event);
			break;
		default:
			r->out->root = value_of(r, &event, 1);
			if (!r->out->root)
				return;
			break;
		}
	}
	pctl_value_free(r->out->root);
	r->out->root = NULL;
}

static int parse(struct reader *r)
{
	size_t bom = r->len >= 3 && memcmp(r->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	*r->out = (struct pctl_yaml){ 0 };
	r->start = bom;
	r->at_byte = bom;
	if (r->len > PCTL_YAML_FILE_MAX || !yaml_parser_initialize(&r->parser)) {
		pctl_problems_add(r->problems, (struct pctl_place){ r->file, 1, 1 },
			"the file is too large: at most %u MB", PCTL_YAML_FILE_MAX >> 20);
		return PCTL_E_CONFIG;
	}
	yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
		&r->parser, (const unsigned char *)r->text + bom, r->len - bom);
	read_stream(r);
	yaml_parser_delete(&r->parser);
	return r->failed ? PCTL_E_CONFIG : 0;
}

int pctl_yaml_parse(struct pctl_yaml *ret, const char *file, const char *text, size_t len,
	bool want_spans, struct pctl_problems *problems)
{
	return parse(&(struct reader){
		.file = file,
		.text = text,
		.len = len,
		.problems = problems,
		.out = ret,
		.want_spans = want_spans,
	});
}

int pctl_yaml_parse_answer(struct pctl_yaml *ret, const char *file, const char *text, size_t len,
	struct pctl_problems *problems)
{
	return parse(&(struct reader){
		.file = file,
		.text = text,
		.len = len,
		.problems = problems,
		.out = ret,
		.null_is_nothing = true,
	});
}

void pctl_yaml_done(struct pctl_yaml *yaml)
{
	pctl_value_free(yaml->root);
	free(yaml->spans);
	*yaml = (struct pctl_yaml){ 0 };
}

size_t pctl_yaml_member(
	const struct pctl_yaml *yaml, const struct pctl_value *value, size_t at, size_t i)
{
	bool map = pctl_value_kind(value) == PCTL_VALUE_MAP;

	for (at++;; at = yaml->spans[at].next) {
		if (map)
			at++;
		if (i-- == 0)
			return at;
	}
}
