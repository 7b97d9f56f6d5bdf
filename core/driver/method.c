/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/method.h"

#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>
#include <powerctl/powerctl.h>

#include "inventory/inventory.h"

#define NEAREST 256u

const struct pctl_method *pctl_method_find(const struct pctl_driver *driver, const char *name)
{
	for (const struct pctl_method *m = driver->methods; m && m->name; m++)
		if (strcmp(m->name, name) == 0)
			return m;
	return NULL;
}

unsigned pctl_method_verb_flags(const struct pctl_method *m, const struct pctl_value *arguments)
{
	unsigned flags = 0;

	if ((m->flags & PCTL_METHOD_READS_BARE) && (!arguments || !pctl_value_count(arguments)))
		return 0;
	if (m->flags & (PCTL_METHOD_CHANGES | PCTL_METHOD_DISRUPTS))
		flags |= PCTL_VERB_CHANGES;
	if (m->flags & PCTL_METHOD_DISRUPTS)
		flags |= PCTL_VERB_DISRUPTS;
	if (m->flags & PCTL_METHOD_CONFIRM)
		flags |= PCTL_VERB_CONFIRM;
	return flags;
}

/* --- What it is called with. ------------------------------------------------------------------ */

static void no_method(
	const struct pctl_driver *driver, const char *name, struct pctl_problems *problems)
{
	const struct pctl_place nowhere = { 0 };
	const char *names[NEAREST + 1] = { NULL };
	size_t n = 0;

	for (const struct pctl_method *m = driver->methods; m && m->name && n < NEAREST; m++)
		names[n++] = m->name;
	const char *near = pctl_parse_nearest(name, names);
	if (near)
		pctl_problems_add(problems, nowhere,
			"driver %s has no method '%s'; did you mean '%s'?", driver->name, name,
			near);
	else if (n)
		pctl_problems_add(problems, nowhere,
			"driver %s has no method '%s'; `powerctl help %s` lists them", driver->name,
			name, driver->name);
	else
		pctl_problems_add(
			problems, nowhere, "driver %s has no methods of its own", driver->name);
}

static void no_parameter(const struct pctl_settings *settings, const char *what, const char *key,
	struct pctl_problems *problems)
{
	const struct pctl_place nowhere = { 0 };
	const char *names[NEAREST + 1] = { NULL };

	for (size_t i = 0; i < settings->n && i < NEAREST; i++)
		names[i] = settings->v[i].property->name;
	const char *near = pctl_parse_nearest(key, names);
	PCTL_AUTO(free) char *all = pctl_words_join(names);
	if (near)
		pctl_problems_add(problems, nowhere, "%s has no parameter '%s'; did you mean '%s'?",
			what, key, near);
	else if (settings->n)
		pctl_problems_add(
			problems, nowhere, "%s has no parameter '%s'; it has: %s", what, key, all);
	else
		pctl_problems_add(
			problems, nowhere, "%s has no parameter '%s', nor any other", what, key);
}

/* A row's own name, or one of the ways to give its secret. */
static const struct pctl_property *find_row(
	const struct pctl_property *table, const char *key, bool *ret_in_place)
{
	for (const struct pctl_property *p = table; p && p->name; p++) {
		size_t len = strlen(p->name);
		bool secret = p->flags & PCTL_PROPERTY_SECRET;

		*ret_in_place = secret && strcmp(key, p->name) == 0;
		if (strcmp(key, p->name) == 0)
			return p;
		for (size_t i = 1; secret && i < PCTL_SECRET_ENDS; i++)
			if (strncmp(key, p->name, len) == 0 &&
				strcmp(key + len, pctl_secret_ends[i]) == 0)
				return p;
	}
	return NULL;
}

static int check_keys(
	const struct pctl_arguments *args, const char *what, struct pctl_problems *problems)
{
	const struct pctl_place nowhere = { 0 };
	int r = 0;

	for (size_t i = 0; i < pctl_value_count(args->map); i++) {
		const char *key = pctl_value_key_at(args->map, i);
		bool in_place = false;
		const struct pctl_property *p = find_row(args->method->parameters, key, &in_place);

		if (p && !in_place)
			continue;
		if (in_place)
			pctl_problems_add(problems, nowhere,
				"%s: a secret does not stand on a command line; %s_file=FILE names "
				"a file that holds it, %s_env=VARIABLE a variable",
				key, key, key);
		else
			no_parameter(&args->settings, what, key, problems);
		r = PCTL_E_CONFIG;
	}
	return r;
}

int pctl_arguments_new(const struct pctl_driver *driver, const char *method,
	const struct pctl_value *map, struct pctl_arguments **ret, struct pctl_problems *problems)
{
	const struct pctl_method *found = pctl_method_find(driver, method);

	if (!found) {
		no_method(driver, method, problems);
		return PCTL_E_CONFIG;
	}

	PCTL_AUTO(free) char *what = pctl_xasprintf("%s %s", driver->name, method);
	struct pctl_arguments *args = pctl_xcalloc(1, sizeof(*args));
	args->method = found;
	args->map = map ? pctl_value_copy(map) : pctl_value_new_map();
	args->secrets = pctl_secrets_new();
	struct pctl_settings_context context = {
		.node = what, .problems = problems, .secrets = args->secrets
	};
	int r = pctl_settings_read(&args->settings, found->parameters, args->map, &context);
	if (check_keys(args, what, problems) < 0)
		r = PCTL_E_CONFIG;
	if (r == 0)
		r = pctl_arguments_check(args, what, problems);
	if (r < 0) {
		pctl_arguments_free(args);
		return r;
	}
	*ret = args;
	return 0;
}

void pctl_arguments_free(struct pctl_arguments *args)
{
	if (!args)
		return;
	pctl_settings_done(&args->settings);
	pctl_secrets_free(args->secrets);
	pctl_value_free(args->map);
	free(args);
}

/* --- For drivers. ----------------------------------------------------------------------------- */

const char *pctl_argument_text(const struct pctl_arguments *args, const char *name)
{
	return pctl_settings_at(&args->settings, name)->text;
}

bool pctl_argument_bool(const struct pctl_arguments *args, const char *name)
{
	return pctl_settings_number(&args->settings, name, PCTL_TYPE_BOOL) != 0;
}

uint64_t pctl_argument_uint(const struct pctl_arguments *args, const char *name)
{
	return pctl_settings_number(&args->settings, name, PCTL_TYPE_UINT);
}

uint64_t pctl_argument_duration(const struct pctl_arguments *args, const char *name)
{
	return pctl_settings_number(&args->settings, name, PCTL_TYPE_DURATION);
}

int pctl_argument_choice(const struct pctl_arguments *args, const char *name)
{
	return (int)pctl_settings_number(&args->settings, name, PCTL_TYPE_CHOICE);
}

uint64_t pctl_argument_flags(const struct pctl_arguments *args, const char *name)
{
	return pctl_settings_number(&args->settings, name, PCTL_TYPE_FLAGS);
}

size_t pctl_argument_texts(const struct pctl_arguments *args, const char *name)
{
	const struct pctl_value *list = pctl_settings_at(&args->settings, name)->list;

	return list ? pctl_value_count(list) : 0;
}

const char *pctl_argument_texts_at(const struct pctl_arguments *args, const char *name, size_t i)
{
	const struct pctl_value *list = pctl_settings_at(&args->settings, name)->list;

	return list ? pctl_value_text(pctl_value_at(list, i)) : NULL;
}

const struct pctl_secret *pctl_argument_secret(const struct pctl_arguments *args, const char *name)
{
	return pctl_settings_at(&args->settings, name)->secret;
}

bool pctl_argument_given(const struct pctl_arguments *args, const char *name)
{
	return pctl_settings_at(&args->settings, name)->given;
}
