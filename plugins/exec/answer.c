/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <powerctl/mem.h>

static int wrong(const char *name, struct pctl_error *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int wrong(const char *name, struct pctl_error *err, const char *fmt, ...)
{
	char what[200];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return pctl_error_set(err, PCTL_E_PROTOCOL, "the answer of '%.90s': %s", name, what);
}

/* --- The line. -------------------------------------------------------------------------------- */

static bool is_blank(const char *text, size_t len)
{
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	return len == 0;
}

json_t *answer_read(const char *text, size_t len, const char *name, struct pctl_error *err)
{
	const char *newline = memchr(text, '\n', len);
	size_t line = newline ? (size_t)(newline - text) : len;
	json_error_t where;

	if (is_blank(text, len)) {
		(void)wrong(name, err, "there is none: it printed nothing");
		return NULL;
	}
	if (newline && !is_blank(newline, len - line)) {
		(void)wrong(name, err, "more than one line; what is no answer goes to stderr");
		return NULL;
	}
	json_t *json = json_loadb(text, line, JSON_REJECT_DUPLICATES, &where);
	if (!json) {
		(void)wrong(name, err, "line %d, column %d: no JSON: %s", where.line, where.column,
			where.text);
	} else if (!json_is_object(json)) {
		(void)wrong(name, err, "line 1, column 1: no JSON object");
		json_decref(json);
		json = NULL;
	}
	return json;
}

/* --- Members. --------------------------------------------------------------------------------- */

/* Absent (NULL) and null are the same. */
static const json_t *member(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	return json_is_null(v) ? NULL : v;
}

static int read_bool(
	const json_t *object, const char *key, const char *name, bool *ret, struct pctl_error *err)
{
	const json_t *v = member(object, key);

	if (v && !json_is_boolean(v))
		return wrong(name, err, "\"%.40s\" is neither true nor false", key);
	if (v)
		*ret = json_is_true(v);
	return 0;
}

/* *ret is borrowed from object; untouched where there is none. */
static int read_text(const json_t *object, const char *key, const char *name, const char **ret,
	struct pctl_error *err)
{
	const json_t *v = member(object, key);

	if (v && !json_is_string(v))
		return wrong(name, err, "\"%.40s\" is no text", key);
	if (v)
		*ret = json_string_value(v);
	return 0;
}

/* A word of a closed list, by its names. */
typedef const char *name_fn(unsigned i);

static const char *state_name(unsigned i)
{
	return i <= PCTL_POWER_HIBERNATE ? pctl_power_state_name((enum pctl_power_state)i) : NULL;
}

static const char *action_name(unsigned i)
{
	return i < PCTL_ACTION_COUNT ? pctl_action_name((enum pctl_action)i) : NULL;
}

static const char *device_name(unsigned i)
{
	return i < PCTL_BOOT_COUNT ? pctl_boot_device_name((enum pctl_boot_device)i) : NULL;
}

static const char *mode_name(unsigned i)
{
	if (i == PCTL_BOOT_MODE_ANY)
		return "any";
	return i <= PCTL_BOOT_MODE_UEFI ? pctl_boot_mode_name((enum pctl_boot_mode)i) : NULL;
}

static int find_word(const char *key, const char *word, name_fn *name_of, const char *name,
	struct pctl_error *err)
{
	char all[120] = "";
	size_t len = 0;

	for (unsigned i = 0; name_of(i); i++) {
		if (strcmp(word, name_of(i)) == 0)
			return (int)i;
		if (len < sizeof(all))
			len += (size_t)snprintf(
				all + len, sizeof(all) - len, "%s%s", i ? ", " : "", name_of(i));
	}
	return wrong(name, err, "\"%.40s\" is '%.30s', and not one of %s", key, word, all);
}

/* *ret: the bits of the words in a list; untouched where there is none. */
static int read_words(const json_t *object, const char *key, name_fn *name_of, const char *name,
	uint32_t *ret, struct pctl_error *err)
{
	const json_t *list = member(object, key);
	uint32_t bits = 0;

	if (!list)
		return 0;
	if (!json_is_array(list))
		return wrong(name, err, "\"%.40s\" is no list", key);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *word = json_string_value(json_array_get(list, i));
		int r = word ? find_word(key, word, name_of, name, err)
			     : wrong(name, err, "\"%.40s\" is no list of words", key);

		if (r < 0)
			return r;
		bits |= 1u << r;
	}
	*ret = bits;
	return 0;
}

/* --- What came of it. ------------------------------------------------------------------------- */

/* Classes that a program may name: what happened out there, not what the core makes of it. */
static int class_of(const char *word)
{
	for (int code = PCTL_E_CONFIG; code >= PCTL_E_OUTCOME_UNKNOWN; code--)
		if (strcmp(word, pctl_error_name(code)) == 0)
			return code;
	return 0;
}

static int read_error(const json_t *error, const char *name, struct pctl_error *err)
{
	const char *class = NULL, *message = NULL, *code = NULL;

	if (!json_is_object(error))
		return wrong(name, err, "\"ok\" is false, and there is no object \"error\"");
	int r = read_text(error, "class", name, &class, err);
	if (r == 0)
		r = read_text(error, "message", name, &message, err);
	if (r == 0)
		r = read_text(error, "code", name, &code, err);
	if (r < 0)
		return r;
	if (!class || !message || !*message)
		return wrong(name, err, "its \"error\" lacks \"class\" or \"message\"");
	if (!class_of(class))
		return wrong(name, err, "'%.30s' is no class of errors, which came with: %.120s",
			class, message);
	r = pctl_error_set(err, class_of(class), "%s", message);
	return code ? pctl_error_device_code(err, "%s", code) : r;
}

int answer_verdict(const json_t *answer, const char *name, bool *ret_unsent, struct pctl_error *err)
{
	const json_t *version = json_object_get(answer, "v"), *ok = json_object_get(answer, "ok");
	bool sent = true;

	if (version && json_integer_value(version) != EXEC_VERSION)
		return wrong(name, err, "\"v\" is not %d, the only version that powerctl speaks",
			EXEC_VERSION);
	if (!json_is_boolean(ok))
		return wrong(name, err, "there is no \"ok\" that is true or false");
	if (json_is_true(ok))
		return 0;
	int r = read_bool(answer, "sent", name, &sent, err);
	if (r < 0)
		return r;
	*ret_unsent = !sent;
	return read_error(json_object_get(answer, "error"), name, err);
}

int answer_power(
	const json_t *answer, const char *name, struct pctl_power *ret, struct pctl_error *err)
{
	const char *state = NULL, *code = "";
	bool changing = false;
	uint32_t actions = 0;
	int r = read_text(answer, "state", name, &state, err);

	if (r == 0 && !state)
		r = wrong(name, err, "there is no \"state\"");
	int found = r == 0 ? find_word("state", state, state_name, name, err) : r;
	r = found < 0 ? found : read_bool(answer, "changing", name, &changing, err);
	if (r == 0)
		r = read_text(answer, "code", name, &code, err);
	if (r == 0)
		r = read_words(answer, "actions", action_name, name, &actions, err);
	if (r < 0)
		return r;
	ret->state = (enum pctl_power_state)found;
	ret->changing = changing;
	ret->tells_actions = member(answer, "actions") != NULL;
	ret->actions = actions;
	(void)snprintf(ret->device_code, sizeof(ret->device_code), "%s", code);
	return 0;
}

int answer_boot(
	const json_t *answer, const char *name, struct pctl_boot *ret, struct pctl_error *err)
{
	const char *device = NULL, *mode = "any";
	bool persistent = false;
	int r = read_text(answer, "device", name, &device, err);

	if (r == 0 && !device)
		r = wrong(name, err, "there is no \"device\"");
	if (r == 0)
		r = read_text(answer, "mode", name, &mode, err);
	if (r == 0)
		r = read_bool(answer, "persistent", name, &persistent, err);
	int which = r == 0 ? find_word("device", device, device_name, name, err) : r;
	int how = which < 0 ? which : find_word("mode", mode, mode_name, name, err);
	if (how < 0)
		return how;
	ret->device = (enum pctl_boot_device)which;
	ret->mode = (enum pctl_boot_mode)how;
	ret->persistent = persistent;
	return 0;
}

/* --- What it says of itself. ------------------------------------------------------------------ */

static const char *const types[] = { [PCTL_TYPE_TEXT] = "text",
	[PCTL_TYPE_BOOL] = "boolean",
	[PCTL_TYPE_UINT] = "number",
	[PCTL_TYPE_DURATION] = "duration",
	[PCTL_TYPE_CHOICE] = "choice",
	[PCTL_TYPE_FILE] = "file",
	[PCTL_TYPE_TEXTS] = "list",
	[PCTL_TYPE_FLAGS] = "flags" };

static const char *type_name(unsigned i)
{
	return i < sizeof(types) / sizeof(types[0]) ? types[i] : NULL;
}

static const struct {
	const char *key;
	uint32_t flag;
} flags[] = {
	{ "required", PCTL_PROPERTY_REQUIRED },
	{ "secret", PCTL_PROPERTY_SECRET },
	{ "unit", PCTL_PROPERTY_UNIT },
};

#define CHOICES_MAX    256u
#define PROPERTIES_MAX 200u
#define IN_FLIGHT_MAX  64u

/* A default is written as it would stand in the inventory, or as JSON has it. */
static int read_default(
	const json_t *row, const char *name, const char **ret, struct pctl_error *err)
{
	const json_t *v = member(row, "default");

	if (!v)
		return 0;
	if (json_is_string(v))
		*ret = pctl_xstrdup(json_string_value(v));
	else if (json_is_integer(v))
		*ret = pctl_xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(v));
	else if (json_is_boolean(v))
		*ret = pctl_xstrdup(json_is_true(v) ? "true" : "false");
	else
		return wrong(name, err, "\"default\" is neither a text, a number nor a boolean");
	return 0;
}

static int read_choices(
	const json_t *row, const char *name, const char *const **ret, struct pctl_error *err)
{
	const json_t *list = member(row, "choices");
	size_t n = json_array_size(list);

	if (!list)
		return 0;
	if (!json_is_array(list) || n > CHOICES_MAX)
		return wrong(name, err, "\"choices\" is no list of up to %u words", CHOICES_MAX);
	for (size_t i = 0; i < n; i++)
		if (!json_is_string(json_array_get(list, i)))
			return wrong(name, err, "\"choices\" is no list of words");
	const char **choices = pctl_xcalloc(n + 1, sizeof(*choices));
	for (size_t i = 0; i < n; i++)
		choices[i] = pctl_xstrdup(json_string_value(json_array_get(list, i)));
	*ret = choices;
	return 0;
}

static int read_bound(
	const json_t *row, const char *key, const char *name, uint64_t *ret, struct pctl_error *err)
{
	const json_t *v = member(row, key);

	if (!v)
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return wrong(name, err, "\"%s\" is no number from 0", key);
	*ret = (uint64_t)json_integer_value(v);
	return 0;
}

static int read_flags(const json_t *row, const char *name, uint32_t *ret, struct pctl_error *err)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		bool set = false;
		int r = read_bool(row, flags[i].key, name, &set, err);

		if (r < 0)
			return r;
		*ret |= set ? flags[i].flag : 0;
	}
	return 0;
}

/* What is wrong with its values the core says, who checks every table. */
static int read_property(
	const json_t *row, const char *name, struct pctl_property *p, struct pctl_error *err)
{
	const char *own = NULL, *type = "text", *help = "";
	int r = read_text(row, "name", name, &own, err);

	if (r == 0 && (!own || !*own))
		r = wrong(name, err, "a property has no \"name\"");
	if (r == 0)
		r = read_text(row, "type", name, &type, err);
	if (r == 0)
		r = read_text(row, "help", name, &help, err);
	int which = r == 0 ? find_word("type", type, type_name, name, err) : r;
	if (which < 0)
		return which;
	p->size = sizeof(*p);
	p->type = (enum pctl_type)which;
	p->name = pctl_xstrdup(own);
	p->help = pctl_xstrdup(help);
	r = read_default(row, name, &p->default_text, err);
	if (r == 0)
		r = read_choices(row, name, &p->choices, err);
	if (r == 0)
		r = read_bound(row, "min", name, &p->min, err);
	if (r == 0)
		r = read_bound(row, "max", name, &p->max, err);
	return r < 0 ? r : read_flags(row, name, &p->flags, err);
}

static int read_properties(
	const json_t *answer, const char *name, struct exec_description *d, struct pctl_error *err)
{
	const json_t *list = member(answer, "properties");
	size_t n = json_array_size(list);
	int r = 0;

	if (list && (!json_is_array(list) || n > PROPERTIES_MAX))
		return wrong(name, err, "\"properties\" is no list of up to %u", PROPERTIES_MAX);
	d->properties = pctl_xcalloc(n + 1, sizeof(*d->properties));
	for (size_t i = 0; i < n && r == 0; i++)
		r = read_property(json_array_get(list, i), name, &d->properties[i], err);
	return r;
}

static int read_in_flight(
	const json_t *answer, const char *name, struct pctl_description *c, struct pctl_error *err)
{
	const json_t *v = member(answer, "max_in_flight");

	if (!v)
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < 1 ||
		json_integer_value(v) > IN_FLIGHT_MAX)
		return wrong(
			name, err, "\"max_in_flight\" is no number from 1 to %u", IN_FLIGHT_MAX);
	c->max_in_flight = (uint32_t)json_integer_value(v);
	return 0;
}

static int read_abilities(
	const json_t *answer, const char *name, struct exec_description *d, struct pctl_error *err)
{
	struct pctl_description *c = &d->description;
	int r = read_words(answer, "actions", action_name, name, &c->actions, err);

	if (r == 0)
		r = read_words(answer, "boot", device_name, name, &c->boot_once, err);
	if (r == 0)
		r = read_words(
			answer, "boot_persistent", device_name, name, &c->boot_persistent, err);
	if (r == 0)
		r = read_bool(answer, "boot_reads", name, &d->reads_boot, err);
	return r < 0 ? r : read_in_flight(answer, name, c, err);
}

static int read_summary(
	const json_t *answer, const char *name, struct exec_description *d, struct pctl_error *err)
{
	const char *own = NULL, *summary = NULL;
	int r = read_text(answer, "name", name, &own, err);

	if (r == 0)
		r = read_text(answer, "summary", name, &summary, err);
	if (r < 0)
		return r;
	if (!own || !*own)
		return wrong(name, err, "there is no \"name\"");
	d->summary = summary ? pctl_xasprintf("%s: %s", own, summary) : pctl_xstrdup(own);
	return 0;
}

struct exec_description *answer_description(
	const json_t *answer, const char *name, struct pctl_error *err)
{
	struct exec_description *d = pctl_xcalloc(1, sizeof(*d));
	int r = json_object_get(answer, "v")
			? 0
			: wrong(name, err, "there is no \"v\", the version of what it speaks");

	if (r == 0)
		r = read_summary(answer, name, d, err);
	if (r == 0)
		r = read_abilities(answer, name, d, err);
	if (r == 0)
		r = read_properties(answer, name, d, err);
	if (r < 0) {
		exec_free_description(d);
		return NULL;
	}
	d->description.size = sizeof(d->description);
	d->description.summary = d->summary;
	d->description.properties = d->properties;
	return d;
}

static void free_property(struct pctl_property *p)
{
	for (size_t i = 0; p->choices && p->choices[i]; i++)
		free((void *)(uintptr_t)p->choices[i]);
	free((void *)(uintptr_t)p->choices);
	free((void *)(uintptr_t)p->name);
	free((void *)(uintptr_t)p->help);
	free((void *)(uintptr_t)p->default_text);
}

void exec_free_description(struct exec_description *d)
{
	if (!d)
		return;
	for (struct pctl_property *p = d->properties; p && p->name; p++)
		free_property(p);
	free(d->properties);
	free(d->summary);
	free(d->path);
	free(d);
}
