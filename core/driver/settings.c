/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/settings.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "base/paths.h"
#include "inventory/inventory.h"

const char *const pctl_core_keys[] = { "driver", "class", "credential", "address", "tags", "ready",
	"maintenance", "protected", "trust", "via", "via_credential", "parent", "power", "boot",
	"console", "display", "identify", "inspect", "log", "sensors", "timeouts", NULL };

static const char *const booleans[] = { "on", "off", "true", "false", NULL };

/*
 * A mistake in a class concerns many nodes and is said once: where there is a place to point at,
 * the node is not named, so that the lines are equal.
 */
void pctl_settings_complain(
	const struct pctl_settings_context *c, struct pctl_place place, const char *what)
{
	if (!place.file)
		place = c->place;
	if (place.file)
		pctl_problems_add(c->problems, place, "%s", what);
	else
		pctl_problems_add(c->problems, place, "%s: %s", c->node, what);
}

static void wrong(const struct pctl_settings_context *c, const struct pctl_value *at,
	const char *name, const char *what)
{
	PCTL_AUTO(free) char *text = pctl_xasprintf("%s %s", name, what);

	pctl_settings_complain(c, at ? pctl_value_place(at) : c->place, text);
}

static void wrong_choice(const struct pctl_settings_context *c, const struct pctl_value *at,
	const struct pctl_setting *s, const char *const *choices)
{
	PCTL_AUTO(free) char *words = pctl_words_join(choices);
	PCTL_AUTO(free)
	char *what = pctl_xasprintf("cannot be '%s'; it is one of: %s", s->text, words);

	wrong(c, at, s->property->name, what);
}

static int convert_number(const struct pctl_setting *s, uint64_t *ret)
{
	const struct pctl_property *p = s->property;
	bool yes = false;
	int r;

	switch (p->type) {
	case PCTL_TYPE_BOOL:
		r = pctl_parse_bool(s->text, &yes);
		if (r == 0)
			*ret = yes;
		return r;
	case PCTL_TYPE_UINT:
		r = pctl_parse_uint(s->text, p->max ? p->max : UINT64_MAX, ret);
		return r == 0 && *ret < p->min ? PCTL_E_CONFIG : r;
	case PCTL_TYPE_DURATION:
		return pctl_parse_duration(s->text, ret);
	case PCTL_TYPE_CHOICE:
		r = pctl_parse_choice(s->text, p->choices);
		if (r >= 0)
			*ret = (uint64_t)r;
		return r;
	default:
		return 0;
	}
}

/* Limits that every number keeps are not told. free() it. */
static char *no_number(const struct pctl_setting *s)
{
	unsigned long long min = s->property->min, max = s->property->max;

	if (max)
		return pctl_xasprintf("is not a number from %llu to %llu: '%s'", min, max, s->text);
	if (min)
		return pctl_xasprintf("is not a number from %llu on: '%s'", min, s->text);
	return pctl_xasprintf("is no number: '%s'", s->text);
}

/* s->text is set; at is the value it came from, or NULL for the table's default. */
static void convert(
	const struct pctl_settings_context *c, struct pctl_setting *s, const struct pctl_value *at)
{
	PCTL_AUTO(free) char *what = NULL;

	if (convert_number(s, &s->number) >= 0)
		return;
	switch (s->property->type) {
	case PCTL_TYPE_BOOL:
		wrong_choice(c, at, s, booleans);
		return;
	case PCTL_TYPE_CHOICE:
		wrong_choice(c, at, s, s->property->choices);
		return;
	case PCTL_TYPE_DURATION:
		what = pctl_xasprintf("is not a duration: '%s'; write 500ms, 60s or 2m", s->text);
		break;
	default:
		what = no_number(s);
		break;
	}
	wrong(c, at, s->property->name, what);
}

/* Drivers may start what is there, which runs in another folder than ours. */
static void make_absolute(struct pctl_setting *s, const struct pctl_value *at)
{
	const char *file = pctl_value_place(at).file;

	/* What a source printed stands in no folder. */
	if (*s->text == '/' || !file || (!strchr(file, '/') && access(file, F_OK) < 0))
		return;
	char *path = pctl_path_of(at);
	PCTL_AUTO(free) char *here = *path == '/' ? NULL : getcwd(NULL, 0);
	if (here) {
		s->path = pctl_xasprintf("%s/%s", here, path);
		free(path);
	} else {
		s->path = path;
	}
	s->text = s->path;
}

static void take_list(
	const struct pctl_settings_context *c, struct pctl_setting *s, const struct pctl_value *at)
{
	bool good = pctl_value_kind(at) == PCTL_VALUE_LIST;

	for (size_t i = 0; good && i < pctl_value_count(at); i++)
		good = pctl_value_text(pctl_value_at(at, i)) != NULL;
	if (!good)
		wrong(c, at, s->property->name, "is a list of texts: [one, two]");
	s->list = at;
}

/* One word may stand without brackets. */
static void take_flags(
	const struct pctl_settings_context *c, struct pctl_setting *s, const struct pctl_value *at)
{
	bool list = pctl_value_kind(at) == PCTL_VALUE_LIST;

	for (size_t i = 0; i < (list ? pctl_value_count(at) : 1); i++) {
		const struct pctl_value *v = list ? pctl_value_at(at, i) : at;

		s->text = pctl_value_text(v);
		int bit = s->text ? pctl_parse_choice(s->text, s->property->choices) : -1;
		if (bit >= 0)
			s->number |= (uint64_t)1 << bit;
		else if (s->text)
			wrong_choice(c, v, s, s->property->choices);
		else
			wrong(c, v, s->property->name, "is a list of words: [one, two]");
	}
}

/* As it would stand in the file: "one", or "[one, two]". */
static void take_default_flags(const struct pctl_settings_context *c, struct pctl_setting *s)
{
	PCTL_AUTO(free) char *text = pctl_xstrdup(s->property->default_text);
	char *rest = text;

	for (char *word; (word = strsep(&rest, "[, ]"));) {
		int bit = *word ? pctl_parse_choice(word, s->property->choices) : -1;

		s->text = word;
		if (bit >= 0)
			s->number |= (uint64_t)1 << bit;
		else if (*word)
			wrong_choice(c, NULL, s, s->property->choices);
	}
	s->text = s->property->default_text;
}

static void take_default(const struct pctl_settings_context *c, struct pctl_setting *s)
{
	if (s->property->type == PCTL_TYPE_FLAGS) {
		take_default_flags(c, s);
		return;
	}
	s->text = s->property->default_text;
	convert(c, s, NULL);
}

static void take(
	const struct pctl_settings_context *c, struct pctl_setting *s, const struct pctl_value *at)
{
	if (s->property->type == PCTL_TYPE_TEXTS) {
		take_list(c, s, at);
		return;
	}
	if (s->property->type == PCTL_TYPE_FLAGS) {
		take_flags(c, s, at);
		return;
	}
	s->text = pctl_value_text(at);
	if (!s->text) {
		wrong(c, at, s->property->name, "is one value, not a list or a map");
		return;
	}
	if (s->property->type == PCTL_TYPE_FILE)
		make_absolute(s, at);
	convert(c, s, at);
}

static bool has_source(const struct pctl_value *map, const char *name)
{
	for (size_t i = 0; i < PCTL_SECRET_ENDS; i++) {
		PCTL_AUTO(free) char *key = pctl_xasprintf("%s%s", name, pctl_secret_ends[i]);

		if (pctl_value_get(map, key))
			return true;
	}
	return false;
}

static void take_secret(
	const struct pctl_settings_context *c, struct pctl_setting *s, const struct pctl_value *map)
{
	struct pctl_error err = { 0 };

	s->given = has_source(map, s->property->name);
	if (!c->secrets || !s->given)
		return;
	if (pctl_secrets_get(c->secrets, map, s->property->name, &s->secret, &err) < 0)
		pctl_settings_complain(c, c->place, err.text);
}

static void read_one(
	const struct pctl_settings_context *c, struct pctl_setting *s, const struct pctl_value *map)
{
	const struct pctl_property *p = s->property;
	const struct pctl_value *at = pctl_value_get(map, p->name);

	if (p->flags & PCTL_PROPERTY_SECRET) {
		take_secret(c, s, map);
	} else if (at) {
		s->given = true;
		take(c, s, at);
	} else if (p->default_text) {
		take_default(c, s);
	}
}

/* Whether key is p's name, or one of the ways to give p's secret. */
static bool belongs(const struct pctl_property *p, const char *key)
{
	size_t len = strlen(p->name);

	if (strncmp(key, p->name, len) != 0)
		return false;
	size_t ways = p->flags & PCTL_PROPERTY_SECRET ? PCTL_SECRET_ENDS : 1;
	for (size_t i = 0; i < ways; i++)
		if (strcmp(key + len, pctl_secret_ends[i]) == 0)
			return true;
	return false;
}

static const char *nearest_key(const struct pctl_settings *settings, const char *key)
{
	const char *words[512];
	size_t n = 0;

	for (size_t i = 0; i < settings->n && n < 400; i++)
		words[n++] = settings->v[i].property->name;
	for (size_t i = 0; pctl_core_keys[i]; i++)
		words[n++] = pctl_core_keys[i];
	words[n] = NULL;
	return pctl_parse_nearest(key, words);
}

static bool is_known(const struct pctl_settings *settings, const char *key)
{
	if (pctl_parse_choice(key, pctl_core_keys) >= 0)
		return true;
	for (size_t i = 0; i < settings->n; i++)
		if (belongs(settings->v[i].property, key))
			return true;
	return false;
}

static bool is_missing(const struct pctl_setting *s)
{
	return (s->property->flags & PCTL_PROPERTY_REQUIRED) && !s->given &&
	       !s->property->default_text;
}

/* "passwrd_file": the secret whose name is mistyped before one of its ends; *ret_end, or NULL. */
static const struct pctl_setting *nearest_secret(
	const struct pctl_settings *settings, const char *key, const char **ret_end)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < PCTL_SECRET_ENDS; i++) {
		const char *end = pctl_secret_ends[i];
		size_t n = strlen(end);

		if (!n || len <= n || strcmp(key + len - n, end) != 0)
			continue;
		PCTL_AUTO(free) char *stem = pctl_xstrndup(key, len - n);
		const char *near = nearest_key(settings, stem);
		const struct pctl_setting *s = near ? pctl_settings_find(settings, near) : NULL;

		*ret_end = end;
		return s && s->property->flags & PCTL_PROPERTY_SECRET ? s : NULL;
	}
	return NULL;
}

/* The required setting that an unknown key was to be, or NULL. */
static const struct pctl_setting *meant(const struct pctl_settings *settings, const char *key)
{
	const char *near = is_known(settings, key) ? NULL : nearest_key(settings, key);
	const struct pctl_setting *s = near ? pctl_settings_find(settings, near) : NULL;
	const char *end;

	if (!near && !is_known(settings, key))
		s = nearest_secret(settings, key, &end);
	return s && is_missing(s) ? s : NULL;
}

/* What is there under a mistyped name is told of where it stands (check_key()). */
static void check_missing(const struct pctl_settings_context *c,
	const struct pctl_settings *settings, const struct pctl_setting *s,
	const struct pctl_value *map)
{
	if (!is_missing(s) || c->no_login)
		return;
	for (size_t i = 0; i < pctl_value_count(map); i++)
		if (meant(settings, pctl_value_key_at(map, i)) == s)
			return;
	wrong(c, NULL, s->property->name, "is missing");
}

static void check_key(const struct pctl_settings_context *c, const struct pctl_settings *settings,
	const char *driver, const struct pctl_value *map, size_t i)
{
	const char *key = pctl_value_key_at(map, i);
	struct pctl_place place = pctl_value_key_place(map, i);

	const struct pctl_setting *selector = pctl_settings_selector(settings);
	const char *value = selector ? selector->text : NULL;

	if (is_known(settings, key))
		return;
	/* Without its selector nobody knows what else it has. */
	if (selector && is_missing(selector) && !meant(settings, key))
		return;
	const char *end = "", *near = nearest_key(settings, key);
	const struct pctl_setting *secret = near ? NULL : nearest_secret(settings, key, &end);
	if (secret)
		near = secret->property->name;
	PCTL_AUTO(free)
	char *advice = near ? pctl_xasprintf("did you mean '%s%s'?", near, secret ? end : "")
			    : pctl_xasprintf("`powerctl drivers %s%s%s` lists them", driver,
				      value ? " " : "", value ? value : "");
	PCTL_AUTO(free)
	char *text = pctl_xasprintf("driver %s has no setting '%s'%s%s%s%s%s; %s", driver, key,
		value ? " with " : "", value ? selector->property->name : "", value ? " '" : "",
		value ? value : "", value ? "'" : "", advice);
	pctl_settings_complain(c, place, text);
}

int pctl_settings_read(struct pctl_settings *settings, const struct pctl_property *table,
	const struct pctl_value *map, const struct pctl_settings_context *context)
{
	size_t before = pctl_problems_count(context->problems), n = 0, first = settings->n;

	while (table && table[n].name)
		n++;
	struct pctl_setting *all = pctl_xcalloc(first + n, sizeof(*all));
	if (first)
		memcpy(all, settings->v, first * sizeof(*all));
	free(settings->v);
	settings->v = all;
	settings->n = first + n;
	for (size_t i = 0; i < n; i++) {
		all[first + i].property = &table[i];
		read_one(context, &all[first + i], map);
	}
	for (size_t i = 0; i < n; i++)
		check_missing(context, settings, &all[first + i], map);
	return pctl_problems_count(context->problems) > before ? PCTL_E_CONFIG : 0;
}

bool pctl_settings_is_mistyped(
	const struct pctl_settings *settings, const char *name, const struct pctl_value *map)
{
	for (size_t i = 0; i < pctl_value_count(map); i++) {
		const char *key = pctl_value_key_at(map, i);
		const char *near = is_known(settings, key) ? NULL : nearest_key(settings, key);

		if (near && strcmp(near, name) == 0)
			return true;
	}
	return false;
}

int pctl_settings_check_keys(const struct pctl_settings *settings, const char *driver,
	const struct pctl_value *map, const struct pctl_settings_context *context)
{
	size_t before = pctl_problems_count(context->problems);

	for (size_t i = 0; i < pctl_value_count(map); i++)
		check_key(context, settings, driver, map, i);
	return pctl_problems_count(context->problems) > before ? PCTL_E_CONFIG : 0;
}

void pctl_settings_done(struct pctl_settings *settings)
{
	for (size_t i = 0; i < settings->n; i++)
		free(settings->v[i].path);
	free(settings->v);
	*settings = (struct pctl_settings){ 0 };
}

const struct pctl_setting *pctl_settings_find(
	const struct pctl_settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->n; i++)
		if (strcmp(settings->v[i].property->name, name) == 0)
			return &settings->v[i];
	return NULL;
}

const struct pctl_setting *pctl_settings_unit(const struct pctl_settings *settings)
{
	for (size_t i = 0; i < settings->n; i++) {
		const struct pctl_setting *s = &settings->v[i];

		if (s->property->flags & PCTL_PROPERTY_UNIT)
			return s->text && *s->text ? s : NULL;
	}
	return NULL;
}

const struct pctl_setting *pctl_settings_selector(const struct pctl_settings *settings)
{
	for (size_t i = 0; i < settings->n; i++)
		if (settings->v[i].property->flags & PCTL_PROPERTY_SELECTOR)
			return &settings->v[i];
	return NULL;
}

const struct pctl_setting *pctl_settings_at(const struct pctl_settings *settings, const char *name)
{
	const struct pctl_setting *s = pctl_settings_find(settings, name);

	assert(s && "a driver asked for what its table does not have");
	return s;
}

uint64_t pctl_settings_number(
	const struct pctl_settings *settings, const char *name, enum pctl_type type)
{
	const struct pctl_setting *s = pctl_settings_at(settings, name);

	assert(s->property->type == type);
	return s->number;
}
