/* SPDX-License-Identifier: Apache-2.0 */
/* wsman-get, -enumerate, -put, -invoke: any class of the firmware by its name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "classes/chain.h"
#include "classes/file.h"
#include "classes/methods.h"
#include "classes/typed.h"

#define SELECTORS_MAX 8u
#define METHOD_MAX    64u
#define NAME_SIZE     64
#define NAMES_MAX     128u

#define CLASS_WORD                                                    \
	PCTL_PROPERTY(.name = "class", .type = PCTL_TYPE_TEXT,        \
		.flags = PCTL_PROPERTY_REQUIRED | PCTL_PROPERTY_WORD, \
		.help = "its name, which begins with AMT_, CIM_ or IPS_")
#define SELECTOR                                                   \
	PCTL_PROPERTY(.name = "selector", .type = PCTL_TYPE_TEXTS, \
		.help = "which instance: KEY=VALUE")
#define SET                                                                             \
	PCTL_PROPERTY(.name = "set", .type = PCTL_TYPE_TEXTS,                           \
		.help = "a field: NAME=VALUE; a reference is CLASS(KEY=VALUE,...), an " \
			"instance CLASS{NAME=VALUE,...}, a time Datetime(...) or "      \
			"Interval(...), and \"in quotes\" is a text whatever stands there")
#define FIELDS_FILE                                           \
	PCTL_PROPERTY(.name = "file", .type = PCTL_TYPE_FILE, \
		.help = "fields, one NAME=VALUE on a line; # begins a remark")
#define AS_XML                                                                      \
	PCTL_PROPERTY(.name = "xml", .type = PCTL_TYPE_BOOL, .default_text = "off", \
		.help = "the answer as it came, in `xml`, in place of a tree")

const struct pctl_property wsman_get_parameters[] = { CLASS_WORD, SELECTOR, AS_XML,
	{ .name = NULL } };
const struct pctl_property wsman_enumerate_parameters[] = { CLASS_WORD, AS_XML, { .name = NULL } };
const struct pctl_property wsman_put_parameters[] = { CLASS_WORD, SELECTOR, SET, FIELDS_FILE,
	AS_XML, { .name = NULL } };
const struct pctl_property wsman_invoke_parameters[] = { CLASS_WORD,
	PCTL_PROPERTY(.name = "method", .type = PCTL_TYPE_TEXT,
		.flags = PCTL_PROPERTY_REQUIRED | PCTL_PROPERTY_WORD, .help = "its name"),
	SELECTOR, SET, FIELDS_FILE, AS_XML, { .name = NULL } };

/* --- What is asked for. ----------------------------------------------------------------------- */

struct explorer {
	struct wsman_class class;
	char uri[TYPED_URI_SIZE];
	struct wsman_selector selectors[SELECTORS_MAX + 1];
	char *keys[SELECTORS_MAX]; /* of selectors */
	size_t n;
	struct typed_fields fields;
	enum wsman_verb verb;
	/* The first field to be put that the instance came without, and one that it has; or "". */
	char strange[NAME_SIZE], near[NAME_SIZE];
};

static void explorer_free(void *data)
{
	struct explorer *e = data;

	if (!e)
		return;
	for (size_t i = 0; i < e->n; i++)
		free(e->keys[i]);
	typed_done(&e->fields);
	free(e);
}

static int take_selectors(
	struct explorer *e, const struct pctl_arguments *args, struct pctl_error *err)
{
	for (size_t i = 0; i < pctl_argument_texts(args, "selector"); i++) {
		const char *text = pctl_argument_texts_at(args, "selector", i);

		if (e->n == SELECTORS_MAX)
			return pctl_error_set(
				err, PCTL_E_CONFIG, "selector: more than %u", SELECTORS_MAX);
		const char *value = typed_split(text, &e->keys[e->n]);
		if (!value)
			return pctl_error_set(
				err, PCTL_E_CONFIG, "selector: '%s' is not KEY=VALUE", text);
		e->selectors[e->n] = (struct wsman_selector){ e->keys[e->n], value };
		e->n++;
	}
	return 0;
}

/* What only some of the methods take. */
#define TAKES_SELECTORS 1u
#define TAKES_FIELDS    2u

/* data: what stands in `file`, or NULL. NULL: err says what is wrong. */
static struct explorer *explorer_new(const struct pctl_arguments *args, unsigned takes,
	const char *data, size_t len, struct pctl_error *err)
{
	struct explorer *e = pctl_xcalloc(1, sizeof(*e));
	const char *name = pctl_argument_text(args, "class");
	int r = 0;

	if (!typed_class(name, e->uri, &e->class))
		r = pctl_error_set(err, PCTL_E_CONFIG,
			"class: '%s' is no name of a class; they begin with AMT_, CIM_ or IPS_",
			name);
	if (r == 0 && takes & TAKES_SELECTORS)
		r = take_selectors(e, args, err);
	if (r == 0 && data)
		r = typed_add_lines(&e->fields, "file", data, len, err);
	for (size_t i = 0; r == 0 && takes & TAKES_FIELDS && i < pctl_argument_texts(args, "set");
		i++)
		r = typed_add(&e->fields, "set", pctl_argument_texts_at(args, "set", i), err);
	if (r == 0)
		return e;
	explorer_free(e);
	return NULL;
}

/* --- Before there is any device. -------------------------------------------------------------- */

static int check(const struct pctl_arguments *args, unsigned takes, size_t *ret_fields,
	struct pctl_error *err)
{
	const char *path = takes & TAKES_FIELDS ? pctl_argument_text(args, "file") : NULL;
	PCTL_AUTO(file_free) char *data = NULL;
	size_t len = 0;
	int r = path ? file_check("file", path, &data, &len, err) : 0;

	if (r < 0)
		return r;
	struct explorer *e = explorer_new(args, takes, data, len, err);
	if (!e)
		return PCTL_E_CONFIG;
	*ret_fields = path && !data ? 1 : e->fields.n;
	explorer_free(e);
	return 0;
}

int wsman_get_check(const struct pctl_arguments *args, struct pctl_error *err)
{
	size_t fields;

	return check(args, TAKES_SELECTORS, &fields, err);
}

int wsman_enumerate_check(const struct pctl_arguments *args, struct pctl_error *err)
{
	size_t fields;

	return check(args, 0, &fields, err);
}

int wsman_put_check(const struct pctl_arguments *args, struct pctl_error *err)
{
	size_t fields;
	int r = check(args, TAKES_SELECTORS | TAKES_FIELDS, &fields, err);

	if (r == 0 && !fields)
		r = pctl_error_set(err, PCTL_E_CONFIG,
			"set and file are both missing: there is nothing to put");
	return r;
}

int wsman_invoke_check(const struct pctl_arguments *args, struct pctl_error *err)
{
	const char *method = pctl_argument_text(args, "method");
	size_t fields;

	if (!*method || strspn(method, TYPED_LETTERS) != strlen(method) ||
		strlen(method) > METHOD_MAX)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "method: '%.64s' is no name of a method", method);
	return check(args, TAKES_SELECTORS | TAKES_FIELDS, &fields, err);
}

/* --- Requests and answers. -------------------------------------------------------------------- */

static struct explorer *explorer_of(struct amt_dev *dev)
{
	return amt_kept(dev);
}

static void begin(struct amt_dev *dev, enum wsman_verb verb, const char *method)
{
	struct explorer *e = explorer_of(dev);
	bool cim = strncmp(e->class.name, "CIM_", 4) == 0;

	e->verb = verb;
	(void)amt_request(dev,
		&(struct wsman_head){ .verb = verb,
			.class = &e->class,
			.method = method,
			.selectors = e->n ? e->selectors : NULL },
		method && cim ? STATUS_OTHER : STATUS_PLAIN);
}

/* It is not the firmware that lacks something: this is as a word of its own is told. */
static struct pctl_error as_refused(const struct pctl_error *err)
{
	struct pctl_error e = *err;

	e.code = PCTL_E_REFUSED;
	return e;
}

/* What the firmware's own words leave unsaid. */
static void failed(struct amt_dev *dev, const struct pctl_error *err)
{
	const struct explorer *e = explorer_of(dev);
	const struct pctl_error no = as_refused(err);
	bool put = e->verb == WSMAN_PUT && *e->strange;
	/* So is an instance that is not there, and a class. */
	bool absent = strcmp(err->device_code, "DestinationUnreachable") == 0;

	if (put && (answer_is_verdict(err) || *err->device_code))
		amt_end_saying(dev, &no,
			"the device did not take it, and has no field %s in what it tells of "
			"%s%s%s: "
			"%.100s",
			e->strange, e->class.name, *e->near ? "; did you mean " : "", e->near,
			err->text);
	else if (e->n && (strcmp(err->device_code, "InvalidSelectors") == 0 || absent))
		amt_end_saying(dev, &no,
			"there is no %s with the selector %.60s=%.60s%s: `amt wsman enumerate %s` "
			"lists those there are",
			e->class.name, e->selectors[0].name, e->selectors[0].value,
			e->n > 1 ? " and the others" : "", e->class.name);
	else if (strcmp(err->device_code, "InvalidSelectors") == 0)
		amt_fail(dev, PCTL_E_REFUSED,
			"%s has several instances, or none: `amt wsman enumerate %s` lists them, "
			"selector=KEY=VALUE says which",
			e->class.name, e->class.name);
	else if (strcmp(err->device_code, "ActionNotSupported") == 0 && e->verb == WSMAN_PUT)
		amt_fail(dev, PCTL_E_UNSUPPORTED, "the firmware does not let %s be written",
			e->class.name);
	else
		amt_end(dev, err);
}

static const struct class *const known[] = { &class_redirection, &class_consent, &class_ethernet,
	&class_tls, &class_environment };
/* Those that are told with the types of their tables, but lack what a Put needs. */
static const struct class *const typed[] = { &class_kvm, &class_clock, &class_alarm,
	&class_wifi_port, &class_wifi_profile, &class_wifi_service, &class_certificate, &class_cira,
	&class_cira_server, &class_cira_policy, &class_cira_by_user, &class_setting_used,
	&class_setup };

static const struct class_field *find_fields(
	const struct class *const *classes, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(classes[i]->class.name, name) == 0)
			return classes[i]->fields;
	return NULL;
}
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool wants_xml(struct amt_dev *dev)
{
	return pctl_argument_bool(chain_work(dev)->args, "xml");
}

static void show(struct pctl_value *map, const struct xml_node *element)
{
	const char *name = element->name;
	struct pctl_value *tree = pctl_value_new_map();
	const struct class_field *fields = find_fields(known, COUNT(known), name);

	if (!fields)
		fields = find_fields(typed, COUNT(typed), name);
	class_tree(element, fields, tree);
	pctl_value_set(map, element->name, tree);
}

/* On one line, as it may be anyway. */
static struct pctl_value *raw_xml(struct amt_dev *dev)
{
	PCTL_AUTO(free) char *text = pctl_xstrndup(dev->call.raw->body, dev->call.raw->len);

	for (char *s = text; *s; s++)
		if (*s == '\n' || *s == '\r' || *s == '\t')
			*s = ' ';
	return pctl_value_new_text(text);
}

static void got_it(struct amt_dev *dev, const struct xml_node *answer)
{
	struct pctl_value *ret = chain_work(dev)->ret;

	if (wants_xml(dev))
		pctl_value_set(ret, "xml", raw_xml(dev));
	else
		show(ret, answer);
	amt_end(dev, NULL);
}

static void was_changed(struct amt_dev *dev, const struct xml_node *answer)
{
	amt_changed(dev);
	got_it(dev, answer);
}

/* --- get and enumerate. ----------------------------------------------------------------------- */

/* False, and the op has ended. */
static bool explore(struct amt_dev *dev, unsigned takes, const char *data, size_t len)
{
	struct pctl_error err = { 0 };
	struct explorer *e = explorer_new(chain_work(dev)->args, takes, data, len, &err);

	if (e)
		amt_keep(dev, e, explorer_free);
	else
		amt_end(dev, &err);
	return e != NULL;
}

void wsman_get_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct amt_dev *dev = data;

	chain_begin(dev, op, args, ret);
	if (!explore(dev, TAKES_SELECTORS, NULL, 0))
		return;
	begin(dev, WSMAN_GET, NULL);
	amt_send(dev, got_it, failed);
}

static void each_item(struct amt_dev *dev, const struct xml_node *item)
{
	struct pctl_value *ret = chain_work(dev)->ret;
	const char *key = wants_xml(dev) ? "xml" : "items";

	/* A list that had to be begun anew comes twice. */
	if (dev->call.items == 1)
		pctl_value_set(ret, key, pctl_value_new_list());
	if (!wants_xml(dev)) {
		struct pctl_value *map = pctl_value_new_map();

		show(map, item);
		pctl_value_add(pctl_value_get(ret, key), map);
	} else if (item->parent->first == item) { /* once for all in it */
		pctl_value_add(pctl_value_get(ret, key), raw_xml(dev));
	}
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
	if (!explore(dev, 0, NULL, 0))
		return;
	pctl_value_set(ret, wants_xml(dev) ? "xml" : "items", pctl_value_new_list());
	explorer_of(dev)->verb = WSMAN_ENUMERATE;
	amt_list(dev, &explorer_of(dev)->class, each_item, got_all, failed);
}

/* --- put and invoke. -------------------------------------------------------------------------- */

/* Some fields are never told, and may be put all the same: the device has the last word. */
static void find_strange(struct explorer *e, const struct xml_node *instance)
{
	const char *names[NAMES_MAX + 1] = { NULL };
	size_t n = 0, i = 0;

	for (const struct xml_node *c = instance->first; c && n < NAMES_MAX; c = c->next)
		names[n++] = c->name;
	while (i < e->fields.n && xml_child(instance, e->fields.v[i].name))
		i++;
	if (i == e->fields.n)
		return;
	const char *near = pctl_parse_nearest(e->fields.v[i].name, names);
	(void)snprintf(e->strange, sizeof(e->strange), "%s", e->fields.v[i].name);
	(void)snprintf(e->near, sizeof(e->near), "%s", near ? near : "");
}

static void not_put(struct amt_dev *dev, const struct pctl_error *err)
{
	const struct explorer *e = explorer_of(dev);

	if (*e->near)
		amt_end_saying(dev, err, "%s; did you mean %s?", err->text, e->near);
	else
		amt_end(dev, err);
}

static void got_instance(struct amt_dev *dev, const struct xml_node *answer)
{
	struct explorer *e = explorer_of(dev);
	const struct class class = { .class = e->class,
		.fields = find_fields(known, COUNT(known), e->class.name),
		.write = typed_write };
	struct class_change changes[TYPED_FIELDS_MAX + 1] = { { NULL, NULL } };
	struct pctl_error err = { 0 };

	for (size_t i = 0; i < e->fields.n; i++)
		changes[i] = (struct class_change){ e->fields.v[i].name, e->fields.v[i].value };
	find_strange(e, answer);
	begin(dev, WSMAN_PUT, NULL);
	if (class_put(&dev->call.request, &class, answer, changes, &err) < 0) {
		not_put(dev, &err);
		return;
	}
	amt_changes(dev);
	amt_send(dev, was_changed, failed);
}

static void put_fields(struct amt_dev *dev, const char *data, size_t len)
{
	if (!explore(dev, TAKES_SELECTORS | TAKES_FIELDS, data, len))
		return;
	begin(dev, WSMAN_GET, NULL);
	amt_send(dev, got_instance, failed);
}

static void invoke_fields(struct amt_dev *dev, const char *data, size_t len)
{
	if (!explore(dev, TAKES_SELECTORS | TAKES_FIELDS, data, len))
		return;
	const struct typed_fields *fields = &explorer_of(dev)->fields;

	begin(dev, WSMAN_INVOKE, chain_text(dev, "method"));
	for (size_t i = 0; i < fields->n; i++)
		typed_write(&dev->call.request, fields->v[i].name, fields->v[i].value);
	amt_changes(dev);
	amt_send(dev, was_changed, failed);
}

/* Fields come from the arguments, behind those of a file. */
static void run_with_file(struct amt_dev *dev, struct pctl_op *op,
	const struct pctl_arguments *args, struct pctl_value *ret, file_fn *go_on)
{
	chain_begin(dev, op, args, ret);
	if (chain_given(dev, "file"))
		file_read(dev, "file", go_on);
	else
		go_on(dev, NULL, 0);
}

void wsman_put_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	run_with_file(data, op, args, ret, put_fields);
}

void wsman_invoke_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	run_with_file(data, op, args, ret, invoke_fields);
}
