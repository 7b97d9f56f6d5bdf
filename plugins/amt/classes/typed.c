/* SPDX-License-Identifier: Apache-2.0 */
#include "classes/typed.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>

#define ITEMS_MAX 32u

/* A value, or a part of one. */
static void wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}
PCTL_DEFINE_AUTO(char *, wipe)

static void wipe_fields(struct typed_field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(fields[i].name);
		wipe(fields[i].value);
	}
}

bool typed_class(const char *name, char uri[TYPED_URI_SIZE], struct wsman_class *ret)
{
	static const struct {
		const char *prefix, *ns;
	} spaces[] = { { "AMT_", WSMAN_AMT }, { "CIM_", WSMAN_CIM }, { "IPS_", WSMAN_IPS } };

	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
		if (strncmp(name, spaces[i].prefix, 4) != 0)
			continue;
		int n = snprintf(uri, TYPED_URI_SIZE, "%s/%s", spaces[i].ns, name);

		*ret = (struct wsman_class){ .uri = uri, .name = name };
		return n > 0 && (size_t)n < TYPED_URI_SIZE &&
		       strspn(name, TYPED_LETTERS) == strlen(name);
	}
	return false;
}

const char *typed_split(const char *text, char **ret_key)
{
	size_t len = strspn(text, TYPED_LETTERS);

	if (!len || text[len] != '=')
		return NULL;
	*ret_key = pctl_xstrndup(text, len);
	return text + len + 1;
}

/* --- The shape of a value. -------------------------------------------------------------------- */

enum shape { SHAPE_TEXT, SHAPE_QUOTED, SHAPE_REFERENCE, SHAPE_INSTANCE, SHAPE_TIME };

/* Up to behind the closing quote of what begins with one; NULL: there is none. */
static const char *end_of_quotes(const char *s)
{
	for (s++; *s && *s != '"'; s++)
		if (*s == '\\' && s[1])
			s++;
	return *s ? s + 1 : NULL;
}

static bool is_class_word(const char *s, size_t len)
{
	return len > 4 && (strncmp(s, "AMT_", 4) == 0 || strncmp(s, "CIM_", 4) == 0 ||
				  strncmp(s, "IPS_", 4) == 0);
}

/* *ret_word: how long the word before the bracket is. */
static enum shape shape_of(const char *s, size_t *ret_word)
{
	size_t len = strspn(s, TYPED_LETTERS);

	*ret_word = len;
	if (*s == '"')
		return SHAPE_QUOTED;
	if (s[len] == '(' && ((len == 8 && strncmp(s, "Datetime", len) == 0) ||
				     (len == 8 && strncmp(s, "Interval", len) == 0)))
		return SHAPE_TIME;
	if (!is_class_word(s, len))
		return SHAPE_TEXT;
	if (s[len] == '(')
		return SHAPE_REFERENCE;
	return s[len] == '{' ? SHAPE_INSTANCE : SHAPE_TEXT;
}

/* Up to behind the bracket that closes the one at s; NULL: there is none. */
static const char *end_of_brackets(const char *s)
{
	char close = *s == '(' ? ')' : '}';
	unsigned open = 0;

	for (s++; s && *s;) {
		if (!open && *s == close)
			return s + 1;
		if (*s == '"') {
			s = end_of_quotes(s);
			continue;
		}
		if (*s == '(')
			open++;
		else if (*s == ')' && open)
			open--;
		s++;
	}
	return NULL;
}

/* "Intel(r) AMT: x": brackets that close again belong to a text. NULL: they do not. */
static const char *end_of_text(const char *s)
{
	unsigned open = 0;

	for (; *s && *s != '"'; s++) {
		if (*s == '(' || *s == '{')
			open++;
		else if (!open && (*s == ',' || *s == ')' || *s == '}'))
			return s;
		else if (*s == ')' || *s == '}')
			open--;
	}
	return NULL;
}

/* Where the value ends that begins at s and stands between brackets; NULL: it does not end. */
static const char *end_of_value(const char *s)
{
	size_t word;

	switch (shape_of(s, &word)) {
	case SHAPE_QUOTED:
		return end_of_quotes(s);
	case SHAPE_TEXT:
		return end_of_text(s);
	default:
		return end_of_brackets(s + word);
	}
}

static char *unquoted(const char *value)
{
	char *copy = pctl_xstrdup(value), *to = copy;

	if (*value != '"')
		return copy;
	for (const char *s = value + 1; *s && *s != '"'; s++) {
		if (*s == '\\' && s[1])
			s++;
		*to++ = *s;
	}
	explicit_bzero(to, strlen(to));
	return copy;
}

/* --- What stands between brackets. ------------------------------------------------------------ */

struct items {
	struct typed_field v[ITEMS_MAX];
	size_t n;
};

static void items_done(struct items *items)
{
	wipe_fields(items->v, items->n);
}

/* From the opening bracket at s to the end of the text. False: it is not like that. */
static bool take_items(const char *s, struct items *ret)
{
	char close = *s++ == '(' ? ')' : '}';

	*ret = (struct items){ .n = 0 };
	while (ret->n < ITEMS_MAX) {
		char *name = NULL;
		const char *value = typed_split(s + strspn(s, " "), &name);
		const char *end = value ? end_of_value(value) : NULL;

		if (!end) {
			free(name);
			break;
		}
		ret->v[ret->n++] =
			(struct typed_field){ name, pctl_xstrndup(value, (size_t)(end - value)) };
		if (*end == close && !end[1])
			return true;
		if (*end != ',')
			break;
		s = end + 1;
	}
	items_done(ret);
	return false;
}

/* "Datetime(...)": what stands in it, or NULL. free() it. */
static char *take_time(const char *value, size_t word)
{
	const char *inner = value + word + 1, *end = end_of_brackets(value + word);

	if (!end || *end)
		return NULL;
	PCTL_AUTO(wipe) char *text = pctl_xstrndup(inner, (size_t)(end - 1 - inner));
	return unquoted(text);
}

/* Whether the word before the bracket is short enough for a class. */
static bool has_class(const char *value, size_t word)
{
	PCTL_AUTO(free) char *name = pctl_xstrndup(value, word);
	struct wsman_class class;
	char uri[TYPED_URI_SIZE];

	return typed_class(name, uri, &class);
}

/* Of the items of a reference or an instance: whether each may stand in it. */
static bool may_stand(const struct items *items, bool instance)
{
	for (size_t i = 0; i < items->n; i++) {
		size_t word;
		enum shape shape = shape_of(items->v[i].value, &word);
		struct items inner;

		if (shape == SHAPE_INSTANCE)
			return false;
		if (!instance && shape != SHAPE_TEXT && shape != SHAPE_QUOTED)
			return false;
		if (shape != SHAPE_REFERENCE)
			continue;
		if (!has_class(items->v[i].value, word) ||
			!take_items(items->v[i].value + word, &inner))
			return false;
		bool good = may_stand(&inner, false); /* NOLINT(misc-no-recursion): once */
		items_done(&inner);
		if (!good)
			return false;
	}
	return true;
}

static bool is_good(const char *value)
{
	size_t word;
	enum shape shape = shape_of(value, &word);
	const char *end = NULL;
	struct items items;

	switch (shape) {
	case SHAPE_TEXT:
		return true;
	case SHAPE_QUOTED:
		end = end_of_quotes(value);
		return end && !*end;
	case SHAPE_TIME:
		end = end_of_brackets(value + word);
		return end && !*end;
	default:
		break;
	}
	if (!has_class(value, word) || !take_items(value + word, &items))
		return false;
	bool good = may_stand(&items, shape == SHAPE_INSTANCE);
	items_done(&items);
	return good;
}

/* --- Fields. ---------------------------------------------------------------------------------- */

/* shown: how text is named in an error. */
static int add(struct typed_fields *fields, const char *from, const char *shown, const char *text,
	struct pctl_error *err)
{
	char *name = NULL;
	const char *value = typed_split(text, &name);

	if (value && fields->n < TYPED_FIELDS_MAX && is_good(value)) {
		fields->v[fields->n++] = (struct typed_field){ name, pctl_xstrdup(value) };
		return 0;
	}
	free(name);
	if (!value)
		return pctl_error_set(err, PCTL_E_CONFIG, "%s: %s is not NAME=VALUE", from, shown);
	if (fields->n == TYPED_FIELDS_MAX)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "%s: more than %u fields", from, TYPED_FIELDS_MAX);
	return pctl_error_set(err, PCTL_E_CONFIG,
		"%s: %s begins as a reference CLASS(KEY=VALUE,...), an instance "
		"CLASS{NAME=VALUE,...}, a time or a quoted text, and does not go on like that; a "
		"text that only looks like one stands in double quotes",
		from, shown);
}

int typed_add(
	struct typed_fields *fields, const char *from, const char *text, struct pctl_error *err)
{
	char shown[96];

	(void)snprintf(shown, sizeof(shown), "'%.80s'", text);
	return add(fields, from, shown, text, err);
}

/* What stands in a file may be a secret, and is never shown. */
static int add_line(struct typed_fields *fields, const char *from, unsigned number,
	const char *data, size_t len, struct pctl_error *err)
{
	char shown[24];

	PCTL_AUTO(wipe) char *copy = pctl_xstrndup(data, len);
	const char *line = copy + strspn(copy, " \t");
	size_t n = strlen(line);

	while (n && (line[n - 1] == '\r' || line[n - 1] == ' '))
		n--;
	copy[line - copy + (ptrdiff_t)n] = '\0';
	(void)snprintf(shown, sizeof(shown), "line %u", number);
	return n && *line != '#' ? add(fields, from, shown, line, err) : 0;
}

int typed_add_lines(struct typed_fields *fields, const char *from, const char *data, size_t len,
	struct pctl_error *err)
{
	const char *end = data + strnlen(data, len);
	unsigned number = 0;
	int r = 0;

	for (const char *at = data; r == 0 && at < end;) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((eol ? eol : end) - at);

		r = add_line(fields, from, ++number, at, n, err);
		at += n + (eol != NULL);
	}
	return r;
}

void typed_done(struct typed_fields *fields)
{
	wipe_fields(fields->v, fields->n);
	fields->n = 0;
}

/* --- Writing. --------------------------------------------------------------------------------- */

static void write_reference(struct wsman *w, const char *name, const struct wsman_class *class,
	const struct items *items)
{
	struct wsman_selector selectors[ITEMS_MAX + 1] = { { NULL, NULL } };
	char *texts[ITEMS_MAX];

	for (size_t i = 0; i < items->n; i++) {
		texts[i] = unquoted(items->v[i].value);
		selectors[i] = (struct wsman_selector){ items->v[i].name, texts[i] };
	}
	wsman_reference(w, name, class, selectors);
	for (size_t i = 0; i < items->n; i++)
		wipe(texts[i]);
}

static void write_bracketed(/* NOLINT(misc-no-recursion): an instance has no instance in it */
	struct wsman *w, const char *name, const char *value, size_t word)
{
	PCTL_AUTO(free) char *class_name = pctl_xstrndup(value, word);
	struct wsman_class class;
	struct items items;
	char uri[TYPED_URI_SIZE];

	if (!typed_class(class_name, uri, &class) || !take_items(value + word, &items))
		return;
	if (value[word] == '(') {
		write_reference(w, name, &class, &items);
	} else {
		wsman_open(w, name, &class);
		for (size_t i = 0; i < items.n; i++)
			typed_write(w, items.v[i].name, items.v[i].value);
		wsman_close(w, name);
	}
	items_done(&items);
}

void typed_write(struct wsman *w, const char *name, const char *value) /* NOLINT */
{
	size_t word;
	enum shape shape = shape_of(value, &word);
	PCTL_AUTO(free) char *kind = pctl_xstrndup(value, word);
	PCTL_AUTO(wipe) char *time = shape == SHAPE_TIME ? take_time(value, word) : NULL;
	PCTL_AUTO(wipe) char *text = unquoted(value);

	if (time)
		wsman_common(w, name, kind, time);
	else if (shape == SHAPE_REFERENCE || shape == SHAPE_INSTANCE)
		write_bracketed(w, name, value, word);
	else
		wsman_text(w, name, text);
}
