/* SPDX-License-Identifier: Apache-2.0 */
/* wsman-get, -enumerate, -put, -invoke: any class of the firmware by its name. */
#include <stdio.h>
#include <string.h>

#include <powerctl/mem.h>

#include "classes/chain.h"
#include "classes/file.h"
#include "classes/methods.h"

#define FIELDS_MAX    64u
#define SELECTORS_MAX 8u
#define WORD_LETTERS  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

#define CLASS_WORD                                                    \
	PCTL_PROPERTY(.name = "class", .type = PCTL_TYPE_TEXT,        \
		.flags = PCTL_PROPERTY_REQUIRED | PCTL_PROPERTY_WORD, \
		.help = "its name, which begins with AMT_, CIM_ or IPS_")
#define SELECTOR                                                   \
	PCTL_PROPERTY(.name = "selector", .type = PCTL_TYPE_TEXTS, \
		.help = "which instance: KEY=VALUE")
#define SET                                                   \
	PCTL_PROPERTY(.name = "set", .type = PCTL_TYPE_TEXTS, \
		.help = "a field: NAME=VALUE; a reference is CLASS(KEY=VALUE)")
#define FIELDS_FILE                                           \
	PCTL_PROPERTY(.name = "file", .type = PCTL_TYPE_FILE, \
		.help = "fields, one NAME=VALUE on a line; # begins a remark")

const struct pctl_property wsman_get_parameters[] = { CLASS_WORD, SELECTOR, { .name = NULL } };
const struct pctl_property wsman_enumerate_parameters[] = { CLASS_WORD, { .name = NULL } };
const struct pctl_property wsman_put_parameters[] = { CLASS_WORD, SELECTOR, SET, FIELDS_FILE,
	{ .name = NULL } };
const struct pctl_property wsman_invoke_parameters[] = { CLASS_WORD,
	PCTL_PROPERTY(.name = "method", .type = PCTL_TYPE_TEXT,
		.flags = PCTL_PROPERTY_REQUIRED | PCTL_PROPERTY_WORD, .help = "its name"),
	SELECTOR, SET, FIELDS_FILE, { .name = NULL } };

/* --- Names. ----------------------------------------------------------------------------------- */

/* text holds the URI, class points to both. False: it is no class's name. */
static bool find_class(const char *name, char *text, size_t size, struct wsman_class *ret)
{
	static const struct {
		const char *prefix, *ns;
	} spaces[] = { { "AMT_", WSMAN_AMT }, { "CIM_", WSMAN_CIM }, { "IPS_", WSMAN_IPS } };

	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
		if (strncmp(name, spaces[i].prefix, 4) != 0)
			continue;
		int n = snprintf(text, size, "%s/%s", spaces[i].ns, name);

		*ret = (struct wsman_class){ .uri = text, .name = name };
		return n > 0 && (size_t)n < size && strspn(name, WORD_LETTERS) == strlen(name);
	}
	return false;
}

static bool take_class(struct amt_dev *dev)
{
	struct chain_work *w = chain_work(dev);
	const char *name = chain_text(dev, "class");

	if (find_class(name, w->text, sizeof(w->text), &w->explored))
		return true;
	amt_fail(dev, PCTL_E_CONFIG,
		"class: '%s' is no name of a class; they begin with AMT_, CIM_ or IPS_", name);
	return false;
}

/* KEY=VALUE, its key copied; NULL where it is not that. free() *ret_key. */
static const char *split(const char *text, char **ret_key)
{
	size_t len = strspn(text, WORD_LETTERS);

	if (!len || text[len] != '=')
		return NULL;
	*ret_key = pctl_xstrndup(text, len);
	return text + len + 1;
}

struct selectors {
	struct wsman_selector v[SELECTORS_MAX + 1];
	char *keys[SELECTORS_MAX];
	size_t n;
};

static void selectors_done(struct selectors *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->keys[i]);
}

/* False, and the op has ended: one of them is none. */
static bool take_selectors(struct amt_dev *dev, struct selectors *ret)
{
	const struct pctl_arguments *args = chain_work(dev)->args;
	size_t n = pctl_argument_texts(args, "selector");

	*ret = (struct selectors){ 0 };
	for (size_t i = 0; i < n; i++) {
		const char *text = pctl_argument_texts_at(args, "selector", i);
		const char *value = i < SELECTORS_MAX ? split(text, &ret->keys[ret->n]) : NULL;

		if (!value) {
			selectors_done(ret);
			amt_fail(dev, PCTL_E_CONFIG,
				"selector: '%s' is not KEY=VALUE, or there are more than %u", text,
				SELECTORS_MAX);
			return false;
		}
		ret->v[ret->n] = (struct wsman_selector){ ret->keys[ret->n], value };
		ret->n++;
	}
	return true;
}

/* Begins a request for the class and the instance that are asked for; NULL: the op has ended. */
static struct wsman *begin(
	struct amt_dev *dev, enum wsman_verb verb, const char *method, enum status_kind returns)
{
	struct selectors s;

	if (!take_selectors(dev, &s))
		return NULL;
	struct wsman *w = amt_request(dev,
		&(struct wsman_head){ .verb = verb,
			.class = &chain_work(dev)->explored,
			.method = method,
			.selectors = s.n ? s.v : NULL },
		returns);
	selectors_done(&s);
	return w;
}

/* --- Reading. --------------------------------------------------------------------------------- */

static void show(struct pctl_value *map, const struct xml_node *element)
{
	struct pctl_value *tree = pctl_value_new_map();

	class_tree(element, tree);
	pctl_value_set(map, element->name, tree);
}

static void got_it(struct amt_dev *dev, const struct xml_node *answer)
{
	show(chain_work(dev)->ret, answer);
	amt_end(dev, NULL);
}

void wsman_get_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct amt_dev *dev = data;

	chain_begin(dev, op, args, ret);
	if (take_class(dev) && begin(dev, WSMAN_GET, NULL, STATUS_PLAIN))
		amt_send(dev, got_it, NULL);
}

static void each_item(struct amt_dev *dev, const struct xml_node *item)
{
	struct pctl_value *ret = chain_work(dev)->ret, *map = pctl_value_new_map();

	if (dev->call.items == 1)
		pctl_value_set(ret, "items", pctl_value_new_list());
	show(map, item);
	pctl_value_add(pctl_value_get(ret, "items"), map);
}

static void got_all(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	amt_end(dev, NULL);
}

void wsman_enumerate_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct amt_dev *dev = data;

	chain_begin(dev, op, args, ret);
	if (!take_class(dev))
		return;
	pctl_value_set(ret, "items", pctl_value_new_list());
	amt_list(dev, &chain_work(dev)->explored, each_item, got_all, NULL);
}

/* --- Fields: those of the command line behind those of the file. ------------------------------ */

/* A list of the op's: each a text NAME=VALUE. */
static struct pctl_value *fields_of(struct amt_dev *dev)
{
	struct pctl_value *list = pctl_value_get(chain_kept(dev), "fields");

	if (!list) {
		list = pctl_value_new_list();
		pctl_value_set(chain_kept(dev), "fields", list);
	}
	return list;
}

/* False, and the op has ended: it is no field, or one too many. */
static bool keep_field(struct amt_dev *dev, const char *text, const char *from)
{
	struct pctl_value *map = pctl_value_new_map();
	char *key = NULL;
	const char *value = split(text, &key);

	if (!value || pctl_value_count(fields_of(dev)) == FIELDS_MAX) {
		pctl_value_free(map);
		free(key);
		amt_fail(dev, PCTL_E_CONFIG,
			"%s: '%.80s' is not NAME=VALUE, or there are more than %u", from, text,
			FIELDS_MAX);
		return false;
	}
	pctl_value_set_text(map, "name", key);
	pctl_value_set_text(map, "value", value);
	pctl_value_add(fields_of(dev), map);
	free(key);
	return true;
}

static bool keep_lines(struct amt_dev *dev, const char *data, size_t len)
{
	PCTL_AUTO(free) char *copy = pctl_xstrndup(data, len);
	char *rest = copy;

	for (char *line; (line = strsep(&rest, "\n"));) {
		size_t n = strlen(line);

		while (n && (line[n - 1] == '\r' || line[n - 1] == ' '))
			line[--n] = '\0';
		line += strspn(line, " \t");
		if (*line && *line != '#' && !keep_field(dev, line, "file"))
			return false;
	}
	return true;
}

static bool keep_arguments(struct amt_dev *dev)
{
	const struct pctl_arguments *args = chain_work(dev)->args;

	for (size_t i = 0; i < pctl_argument_texts(args, "set"); i++)
		if (!keep_field(dev, pctl_argument_texts_at(args, "set", i), "set"))
			return false;
	return true;
}

static const char *field_text(const struct pctl_value *list, size_t i, const char *key)
{
	return pctl_value_text(pctl_value_get(pctl_value_at(list, i), key));
}

/* --- Put. ------------------------------------------------------------------------------------- */

static const struct class *const known[] = { &class_redirection, &class_consent, &class_ethernet,
	&class_tls, &class_environment };

/* With the table of a class that there is one for: it knows what is read-only. */
static const struct class_field *known_fields(const char *name)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i]->class.name, name) == 0)
			return known[i]->fields;
	return NULL;
}

static void was_put(struct amt_dev *dev, const struct xml_node *answer)
{
	amt_changed(dev);
	got_it(dev, answer);
}

static void got_instance(struct amt_dev *dev, const struct xml_node *answer)
{
	const struct pctl_value *fields = fields_of(dev);
	struct chain_work *w = chain_work(dev);
	const struct class class = { .class = w->explored,
		.fields = known_fields(w->explored.name) };
	struct class_change changes[FIELDS_MAX + 1] = { 0 };
	struct pctl_error err = { 0 };

	for (size_t i = 0; i < pctl_value_count(fields); i++)
		changes[i] = (struct class_change){ field_text(fields, i, "name"),
			field_text(fields, i, "value") };
	struct wsman *put = begin(dev, WSMAN_PUT, NULL, STATUS_PLAIN);
	if (!put)
		return;
	if (class_put(put, &class, answer, changes, &err) < 0) {
		amt_end(dev, &err);
		return;
	}
	amt_changes(dev);
	amt_send(dev, was_put, NULL);
}

/* Fields come from the arguments, or from a file beside them. */
static void run_with_file(struct amt_dev *dev, struct pctl_op *op,
	const struct pctl_arguments *args, struct pctl_value *ret,
	void (*start)(struct amt_dev *dev), file_fn *from_file)
{
	chain_begin(dev, op, args, ret);
	if (!take_class(dev))
		return;
	if (chain_given(dev, "file"))
		file_read(dev, "file", from_file);
	else
		start(dev);
}

static void start_put(struct amt_dev *dev)
{
	if (!keep_arguments(dev))
		return;
	if (!pctl_value_count(fields_of(dev)))
		amt_fail(dev, PCTL_E_CONFIG, "set: is missing, and file: there is nothing to put");
	else if (begin(dev, WSMAN_GET, NULL, STATUS_PLAIN))
		amt_send(dev, got_instance, NULL);
}

static void put_file(struct amt_dev *dev, const char *data, size_t len)
{
	if (take_class(dev) && keep_lines(dev, data, len))
		start_put(dev);
}

void wsman_put_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	run_with_file(data, op, args, ret, start_put, put_file);
}

/* --- Invoke. ---------------------------------------------------------------------------------- */

/* CLASS(KEY=VALUE) is a reference, anything else a text. */
static void add_input(struct wsman *w, const char *name, const char *value)
{
	const char *open = strchr(value, '(');
	size_t len = strlen(value);
	PCTL_AUTO(free)
	char *class_name = open ? pctl_xstrndup(value, (size_t)(open - value)) : NULL;
	PCTL_AUTO(free) char *key = NULL;
	struct wsman_class class;
	char uri[128];

	if (open && value[len - 1] == ')' && find_class(class_name, uri, sizeof(uri), &class)) {
		PCTL_AUTO(free) char *inner = pctl_xstrndup(open + 1, len - strlen(class_name) - 2);
		const char *key_value = split(inner, &key);
		const struct wsman_selector s[] = { { key, key_value }, { NULL, NULL } };

		if (key_value) {
			wsman_reference(w, name, &class, s);
			return;
		}
	}
	wsman_text(w, name, value);
}

static void was_invoked(struct amt_dev *dev, const struct xml_node *answer)
{
	amt_changed(dev);
	got_it(dev, answer);
}

static void start_invoke(struct amt_dev *dev)
{
	const char *method = chain_text(dev, "method");
	bool cim = strncmp(chain_text(dev, "class"), "CIM_", 4) == 0;

	if (!keep_arguments(dev))
		return;
	if (!*method || strspn(method, WORD_LETTERS) != strlen(method) || strlen(method) > 64) {
		amt_fail(dev, PCTL_E_CONFIG, "method: '%.64s' is no name of a method", method);
		return;
	}
	struct wsman *w = begin(dev, WSMAN_INVOKE, method, cim ? STATUS_OTHER : STATUS_PLAIN);
	const struct pctl_value *fields = w ? fields_of(dev) : NULL;
	if (!w)
		return;
	for (size_t i = 0; i < pctl_value_count(fields); i++)
		add_input(w, field_text(fields, i, "name"), field_text(fields, i, "value"));
	amt_changes(dev);
	amt_send(dev, was_invoked, NULL);
}

static void invoke_file(struct amt_dev *dev, const char *data, size_t len)
{
	if (take_class(dev) && keep_lines(dev, data, len))
		start_invoke(dev);
}

void wsman_invoke_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	run_with_file(data, op, args, ret, start_invoke, invoke_file);
}
