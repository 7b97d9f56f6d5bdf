/* SPDX-License-Identifier: Apache-2.0 */
#include "property.h"

#include <string.h>

#include <powerctl/mem.h>

#define DESCRIPTION_MAX (64u << 10)
#define CHOICES_MAX     48u /* longer ones are left to the description */

static const struct {
	const char *name, *value;
} types[] = {
	[PCTL_TYPE_TEXT] = { "text", "TEXT" },
	[PCTL_TYPE_BOOL] = { "true or false", "on|off" },
	[PCTL_TYPE_UINT] = { "number", "NUMBER" },
	[PCTL_TYPE_DURATION] = { "duration", "DURATION" },
	[PCTL_TYPE_CHOICE] = { "one of", "WORD" },
	[PCTL_TYPE_FILE] = { "file", "FILE" },
	[PCTL_TYPE_TEXTS] = { "list", "LIST" },
	[PCTL_TYPE_FLAGS] = { "list of", "LIST" },
};
#define TYPES (sizeof(types) / sizeof(types[0]))

static size_t count(const struct pctl_property *table)
{
	size_t n = 0;

	while (table && table[n].name)
		n++;
	return n;
}

struct pctl_property *property_join(
	const struct pctl_property *own, const struct pctl_property *more)
{
	size_t n = count(own), m = count(more);
	struct pctl_property *all = pctl_xcalloc(n + m + 1, sizeof(*all));

	if (n)
		memcpy(all, own, n * sizeof(*all));
	if (m)
		memcpy(all + n, more, m * sizeof(*all));
	return all;
}

void property_describe(struct pctl_buf *buf, const struct pctl_property *p)
{
	pctl_buf_adds(buf, (size_t)p->type < TYPES ? types[p->type].name : "value");
	for (size_t i = 0; p->choices && p->choices[i]; i++)
		pctl_buf_addf(buf, "%s %s", i ? "," : "", p->choices[i]);
	if (p->type == PCTL_TYPE_UINT && p->max)
		pctl_buf_addf(buf, " from %llu to %llu", (unsigned long long)p->min,
			(unsigned long long)p->max);
	if (p->default_text && *p->default_text)
		pctl_buf_addf(buf, "; default %s", p->default_text);
	if (p->flags & PCTL_PROPERTY_REQUIRED)
		pctl_buf_adds(buf, "; required");
	if (p->flags & PCTL_PROPERTY_SECRET)
		pctl_buf_addf(buf, "; secret: better %s_file, %s_env or %s_command", p->name,
			p->name, p->name);
}

/* What scdoc would take for a mark. */
static void add_escaped(struct pctl_buf *buf, const char *s)
{
	for (; *s; s++)
		pctl_buf_addf(buf, strchr("\\*_#|[]`<+", *s) ? "\\%c" : "%c", *s);
}

void property_manual(struct pctl_buf *buf, const struct pctl_property *p)
{
	struct pctl_buf type;

	pctl_buf_init(&type, DESCRIPTION_MAX);
	property_describe(&type, p);
	pctl_buf_adds(buf, "*");
	add_escaped(buf, p->name);
	pctl_buf_adds(buf, "* (");
	add_escaped(buf, type.data);
	pctl_buf_adds(buf, ")\n\t");
	add_escaped(buf, p->help ? p->help : p->name);
	pctl_buf_adds(buf, "\n");
	pctl_buf_done(&type);
}

void property_usage(struct pctl_buf *buf, const struct pctl_property *p)
{
	bool needed = (p->flags & PCTL_PROPERTY_REQUIRED) && !p->default_text;
	struct pctl_buf choices;

	pctl_buf_init(&choices, CHOICES_MAX);
	for (size_t i = 0; p->choices && p->choices[i]; i++)
		pctl_buf_addf(&choices, "%s%s", i ? "|" : "", p->choices[i]);
	const char *value = (size_t)p->type < TYPES ? types[p->type].value : "VALUE";
	if (choices.len && !choices.full)
		value = choices.data;
	pctl_buf_addf(buf, needed ? "%s=%s" : "[%s=%s]", p->name, value);
	pctl_buf_done(&choices);
}

static struct pctl_value *map_of(const struct pctl_property *p)
{
	struct pctl_value *map = pctl_value_new_map();

	pctl_value_set_text(map, "name", p->name);
	pctl_value_set_text(map, "type", (size_t)p->type < TYPES ? types[p->type].name : NULL);
	pctl_value_set_text(map, "default", p->default_text);
	pctl_value_set_bool(map, "required", p->flags & PCTL_PROPERTY_REQUIRED);
	pctl_value_set_bool(map, "secret", p->flags & PCTL_PROPERTY_SECRET);
	pctl_value_set_text(map, "help", p->help);
	if (p->choices) {
		struct pctl_value *list = pctl_value_new_list();

		for (size_t i = 0; p->choices[i]; i++)
			pctl_value_add(list, pctl_value_new_text(p->choices[i]));
		pctl_value_set(map, "choices", list);
	}
	return map;
}

struct pctl_value *property_list(const struct pctl_property *table)
{
	struct pctl_value *list = pctl_value_new_list();

	for (const struct pctl_property *p = table; p && p->name; p++)
		pctl_value_add(list, map_of(p));
	return list;
}
