/* SPDX-License-Identifier: Apache-2.0 */
#include "classes/class.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <powerctl/parse.h>

/* --- Reading. --------------------------------------------------------------------------------- */

const char *class_word(const struct class_word *words, const char *text)
{
	uint64_t n;

	if (!text || pctl_parse_uint(text, UINT32_MAX, &n) < 0)
		return text;
	for (; words->word; words++)
		if (words->number == n)
			return words->word;
	return text;
}

const struct class_word *class_number(const struct class_word *words, const char *word)
{
	for (; words->word; words++)
		if (strcmp(words->word, word) == 0)
			return words;
	return NULL;
}

/* One number and its unit off the front of *s, which stands behind them then. */
static bool take_unit(const char **s, char unit, uint64_t *ret)
{
	size_t len = strspn(*s, "0123456789");
	char digits[8];

	if (!len || len >= sizeof(digits) || (*s)[len] != unit)
		return false;
	(void)snprintf(digits, sizeof(digits), "%.*s", (int)len, *s);
	*s += len + 1;
	return pctl_parse_uint(digits, UINT32_MAX, ret) == 0;
}

void class_interval(const char *iso, char out[CLASS_INTERVAL_SIZE])
{
	uint64_t days = 0, hours = 0, minutes = 0, seconds = 0;
	const char *s = iso;

	*out = '\0';
	if (*s++ != 'P')
		return;
	(void)take_unit(&s, 'D', &days);
	if (*s == 'T') {
		s++;
		(void)take_unit(&s, 'H', &hours);
		(void)take_unit(&s, 'M', &minutes);
		(void)take_unit(&s, 'S', &seconds);
	}
	minutes += (days * 24 + hours) * 60;
	if (*s || !(minutes + seconds))
		return;
	size_t n = 0;
	if (minutes / 60)
		n += (size_t)snprintf(
			out, CLASS_INTERVAL_SIZE, "%lluh", (unsigned long long)(minutes / 60));
	if (minutes % 60)
		n += (size_t)snprintf(
			out + n, CLASS_INTERVAL_SIZE - n, "%um", (unsigned)(minutes % 60));
	if (seconds)
		(void)snprintf(
			out + n, CLASS_INTERVAL_SIZE - n, "%llus", (unsigned long long)seconds);
}

static char lower(char c)
{
	return (char)tolower((unsigned char)c);
}

static struct pctl_value *mac_value(const char *text)
{
	char mac[18];

	if (strlen(text) != 17)
		return pctl_value_new_text(text);
	for (size_t i = 0; i <= 17; i++)
		mac[i] = text[i] == '-' ? ':' : lower(text[i]);
	return pctl_value_new_text(mac);
}

static struct pctl_value *bool_value(const char *text)
{
	bool yes = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;

	if (!yes && strcmp(text, "false") != 0 && strcmp(text, "0") != 0)
		return pctl_value_new_text(text);
	return pctl_value_new_bool(yes);
}

static struct pctl_value *interval_value(const struct xml_node *n)
{
	const char *text = xml_text(n, "Interval");
	char words[CLASS_INTERVAL_SIZE];

	text = text ? text : n->text;
	class_interval(text, words);
	/* Some firmware says 0 for none. */
	if (!*words && *text == 'P')
		return NULL;
	if (!*words && strspn(text, "0") == strlen(text))
		return NULL;
	return pctl_value_new_text(*words ? words : text);
}

static const struct xml_node *last_selector(const struct xml_node *n)
{
	const struct xml_node *set = xml_child(xml_child(n, "ReferenceParameters"), "SelectorSet");

	return set ? set->last : NULL;
}

/* NULL: there is nothing to tell. */
static struct pctl_value *value_of(const struct class_field *f, const struct xml_node *n)
{
	const struct xml_node *last = last_selector(n);
	const char *text = n->text;
	uint64_t number;

	switch (f->type) {
	case FIELD_TIME:
		text = xml_text(n, "Datetime") ? xml_text(n, "Datetime") : text;
		break;
	case FIELD_REFERENCE:
		text = last ? last->text : text;
		break;
	case FIELD_INTERVAL:
		return interval_value(n);
	default:
		break;
	}
	if (!*text)
		return NULL;
	switch (f->type) {
	case FIELD_BOOL:
		return bool_value(text);
	case FIELD_UINT:
		return pctl_parse_uint(text, INT64_MAX, &number) == 0
			       ? pctl_value_new_int((int64_t)number)
			       : pctl_value_new_text(text);
	case FIELD_WORD:
		return pctl_value_new_text(class_word(f->words, text));
	case FIELD_MAC:
		return mac_value(text);
	default:
		return pctl_value_new_text(text);
	}
}

static void read_field(
	const struct class_field *f, const struct xml_node *first, struct pctl_value *map)
{
	struct pctl_value *list = f->flags & FIELD_LIST ? pctl_value_new_list() : NULL;

	for (const struct xml_node *n = first; n; n = list ? xml_again(n) : NULL) {
		struct pctl_value *v = value_of(f, n);

		if (v && list)
			pctl_value_add(list, v);
		else if (v)
			pctl_value_set(map, f->key, v);
	}
	if (list && pctl_value_count(list))
		pctl_value_set(map, f->key, list);
	else
		pctl_value_free(list);
}

void class_read(const struct class *class, const struct xml_node *instance, struct pctl_value *map)
{
	for (const struct class_field *f = class->fields; f && f->name; f++) {
		const struct xml_node *n = xml_child(instance, f->name);

		if (n && f->key && !(f->flags & FIELD_WRITE_ONLY))
			read_field(f, n, map);
	}
}

/* --- A class without a table. ----------------------------------------------------------------- */

/* Of the properties that many classes have: what CIM says of them. */
static const struct class_field commons[] = {
	{ .name = "AvailableRequestedStates", .type = FIELD_UINT, .flags = FIELD_LIST },
	{ .name = "EnabledDefault", .type = FIELD_UINT },
	{ .name = "EnabledState", .type = FIELD_UINT },
	{ .name = "HealthState", .type = FIELD_UINT },
	{ .name = "OperationalStatus", .type = FIELD_UINT, .flags = FIELD_LIST },
	{ .name = "RequestedState", .type = FIELD_UINT },
	{ .name = "ReturnValue", .type = FIELD_UINT },
	{ .name = "StatusDescriptions", .flags = FIELD_LIST },
	{ .name = "TransitioningToState", .type = FIELD_UINT },
	{ .name = NULL },
};

static const struct class_field *row_of(const struct class_field *fields, const char *name)
{
	for (const struct class_field *f = fields; f && f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	for (const struct class_field *f = commons; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

static struct pctl_value *scalar_of(const struct class_field *f, const char *text)
{
	bool is_number = f && (f->type == FIELD_UINT || f->type == FIELD_WORD);
	uint64_t number;

	if (f && f->type == FIELD_BOOL)
		return bool_value(text);
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		return pctl_value_new_bool(*text == 't');
	if (is_number && pctl_parse_uint(text, INT64_MAX, &number) == 0)
		return pctl_value_new_int((int64_t)number);
	return pctl_value_new_text(text);
}

/* What comes again becomes a list; no value of a tree is one by itself. */
static void add_again(struct pctl_value *map, const char *key, struct pctl_value *v, bool is_list)
{
	struct pctl_value *was = pctl_value_get(map, key), *list;

	if (!was && is_list) {
		list = pctl_value_new_list();
		pctl_value_add(list, v);
		pctl_value_set(map, key, list);
	} else if (!was) {
		pctl_value_set(map, key, v);
	} else if (pctl_value_kind(was) == PCTL_VALUE_LIST) {
		pctl_value_add(was, v);
	} else {
		list = pctl_value_new_list();
		pctl_value_add(list, pctl_value_copy(was));
		pctl_value_add(list, v);
		pctl_value_set(map, key, list);
	}
}

static struct pctl_value *tree_of(const struct class_field *f, const struct xml_node *n);

/* {class: CIM_X, selectors: {Name: value}} */
static struct pctl_value *reference_tree(const struct xml_node *n) /* NOLINT(misc-no-recursion) */
{
	const struct xml_node *parameters = xml_child(n, "ReferenceParameters");
	const struct xml_node *set = xml_child(parameters, "SelectorSet");
	const char *uri = xml_text(parameters, "ResourceURI");
	const char *slash = uri ? strrchr(uri, '/') : NULL;
	struct pctl_value *map = pctl_value_new_map(), *selectors = pctl_value_new_map();

	pctl_value_set_text(map, "class", slash ? slash + 1 : uri);
	for (const struct xml_node *s = set ? set->first : NULL; s; s = s->next) {
		const struct xml_node *inner = xml_child(s, "EndpointReference");

		pctl_value_set(selectors, s->key ? s->key : s->name,
			inner ? reference_tree(inner) : pctl_value_new_text(s->text));
	}
	pctl_value_set(map, "selectors", selectors);
	return map;
}

/* As deep as XML_MAX_DEPTH. */
static struct pctl_value *tree_of(/* NOLINT(misc-no-recursion) */
	const struct class_field *f, const struct xml_node *n)
{
	if (!n->first)
		return scalar_of(f, n->text);
	if (xml_child(n, "ReferenceParameters"))
		return reference_tree(n);
	/* <StartTime><Datetime>...: what it is shows. */
	if (!n->first->next && !n->first->first &&
		(strcmp(n->first->name, "Datetime") == 0 ||
			strcmp(n->first->name, "Interval") == 0))
		return pctl_value_new_text(n->first->text);

	struct pctl_value *map = pctl_value_new_map();
	class_tree(n, NULL, map);
	return map;
}

void class_tree(/* NOLINT(misc-no-recursion) */
	const struct xml_node *element, const struct class_field *fields, struct pctl_value *map)
{
	for (const struct xml_node *n = element->first; n; n = n->next) {
		const struct class_field *f = row_of(fields, n->name);
		bool is_list = f && f->flags & FIELD_LIST;

		/* An empty list comes as one empty element. */
		if (is_list && !n->first && !*n->text && !pctl_value_get(map, n->name))
			pctl_value_set(map, n->name, pctl_value_new_list());
		else
			add_again(map, n->name, tree_of(f, n), is_list);
	}
}

/* --- Writing. --------------------------------------------------------------------------------- */

static const struct class_field *find_field(const struct class *class, const char *name)
{
	for (const struct class_field *f = class->fields; f && f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

static const struct class_change *find_change(const struct class_change *c, const char *name)
{
	for (; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static int check_changes(const struct class *class, const struct xml_node *instance,
	const struct class_change *changes, struct pctl_error *err)
{
	for (const struct class_change *c = changes; c->name; c++) {
		const struct class_field *f = find_field(class, c->name);

		if (f && f->flags & FIELD_READ_ONLY)
			return pctl_error_set(err, PCTL_E_CONFIG, "%s can only be read", c->name);
		if (!c->value || !class->fields || (f && f->flags & FIELD_OPTIONAL) ||
			xml_child(instance, c->name))
			continue;
		return pctl_error_set(err, PCTL_E_UNSUPPORTED, "this firmware has no %s.%s",
			class->class.name, c->name);
	}
	return 0;
}

static void put_field(struct wsman *w, const struct class *class, const struct class_field *f,
	const char *name, const char *value)
{
	if (class->write && !(f && (f->type == FIELD_TIME || f->type == FIELD_INTERVAL)))
		class->write(w, name, value);
	else if (f && f->type == FIELD_TIME)
		wsman_common(w, name, "Datetime", value);
	else if (f && f->type == FIELD_INTERVAL)
		wsman_common(w, name, "Interval", value);
	else
		wsman_text(w, name, value);
}

static void put_changed(struct wsman *w, const struct class *class, const struct class_field *f,
	const struct class_change *changes, const char *name)
{
	for (const struct class_change *c = changes; c->name; c++)
		if (strcmp(c->name, name) == 0 && c->value)
			put_field(w, class, f, name, c->value);
}

/* What the Get does not have, of the rows of the table up to end (NULL: all that are left). */
static const struct class_field *put_missing(struct wsman *w, const struct class *class,
	const struct class_field *from, const struct class_field *end,
	const struct xml_node *instance, const struct class_change *changes)
{
	for (; from && from->name && from != end; from++)
		if (!xml_child(instance, from->name))
			put_changed(w, class, from, changes, from->name);
	return from;
}

/* As it came. An empty list comes as one empty element, which is not taken back. */
static int put_same(struct wsman *w, const struct class_field *f, const struct xml_node *n,
	struct pctl_error *err)
{
	for (; n; n = xml_again(n)) {
		if (f && f->flags & FIELD_LIST && !n->first && !*n->text)
			continue;
		if (!wsman_copy(w, n))
			return pctl_error_set(err, PCTL_E_UNSUPPORTED,
				"%s is of a shape that cannot be sent back", n->name);
	}
	return 0;
}

/* The first of its name; the others come with it. */
static bool is_first(const struct xml_node *n)
{
	return xml_child(n->parent, n->name) == n;
}

int class_put(struct wsman *w, const struct class *class, const struct xml_node *instance,
	const struct class_change *changes, struct pctl_error *err)
{
	const struct class_field *next = class->fields;
	int r = check_changes(class, instance, changes, err);

	for (const struct xml_node *n = instance->first; n && r == 0; n = n->next) {
		const struct class_field *f = find_field(class, n->name);
		bool changed = find_change(changes, n->name) != NULL;

		if (!is_first(n))
			continue;
		if (f && f >= next) {
			(void)put_missing(w, class, next, f, instance, changes);
			next = f + 1;
		}
		if (changed)
			put_changed(w, class, f, changes, n->name);
		else if (!f || !(f->flags & (FIELD_READ_ONLY | FIELD_WRITE_ONLY)))
			r = put_same(w, f, n, err);
	}
	if (r < 0)
		return r;
	(void)put_missing(w, class, next, NULL, instance, changes);
	for (const struct class_change *c = changes; !class->fields && c->name; c++)
		if (c->value && !xml_child(instance, c->name))
			put_field(w, class, NULL, c->name, c->value);
	return 0;
}

void class_call(
	struct wsman *w, const struct class_method *method, const struct class_input *inputs)
{
	for (const char *const *name = method->inputs; *name; name++)
		for (const struct class_input *i = inputs; i->name; i++) {
			if (strcmp(i->name, *name) != 0)
				continue;
			if (i->class)
				wsman_reference(w, i->name, i->class, i->selectors);
			else if (i->text)
				wsman_text(w, i->name, i->text);
		}
}
