/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>

#include <powerctl/mem.h>

#include "inventory/source.h"

struct reader {
	struct pctl_value *into;
	const char *file;
	struct pctl_problems *problems;
	struct pctl_value *section; /* NULL: none has begun */
	char *key;                  /* of the option that a line may continue; NULL: none */
	size_t indent;              /* of that option */
	uint32_t line;
};

static char *trimmed(const char *s, size_t len)
{
	while (len && isspace((unsigned char)*s)) {
		s++;
		len--;
	}
	while (len && isspace((unsigned char)s[len - 1]))
		len--;
	return pctl_xstrndup(s, len);
}

static void set(struct reader *r, const char *key, const char *text, uint32_t column)
{
	struct pctl_value *v = pctl_value_new_text(text);

	pctl_value_set_place(v, (struct pctl_place){ r->file, r->line, column });
	pctl_value_set(r->section, key, v);
}

static void complain(struct reader *r, const char *what)
{
	pctl_problems_add(r->problems, (struct pctl_place){ r->file, r->line, 1 }, "%s", what);
}

static void forget_key(struct reader *r)
{
	free(r->key);
	r->key = NULL;
}

static void take_section(struct reader *r, const char *text)
{
	const char *end = strchr(text, ']');

	forget_key(r);
	if (!end) {
		complain(r, "this '[' is never closed");
		return;
	}
	PCTL_AUTO(free) char *name = pctl_xstrndup(text + 1, (size_t)(end - text) - 1);
	r->section = pctl_value_get(r->into, name);
	if (!r->section) {
		r->section = pctl_value_new_map();
		pctl_value_set_place(r->section, (struct pctl_place){ r->file, r->line, 1 });
		pctl_value_set(r->into, name, r->section);
	}
}

static void take_option(struct reader *r, const char *text, size_t indent)
{
	size_t len = strcspn(text, "=:");

	forget_key(r);
	if (!r->section || !text[len] || !len) {
		complain(r, r->section ? "this is neither a '[section]' nor a 'key: value'"
				       : "no '[section]' stands before this");
		return;
	}
	r->key = trimmed(text, len);
	for (char *c = r->key; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	r->indent = indent;
	PCTL_AUTO(free) char *value = trimmed(text + len + 1, strlen(text + len + 1));
	set(r, r->key, value, (uint32_t)(indent + len + 2));
}

static void continue_option(struct reader *r, const char *text)
{
	const struct pctl_value *v = pctl_value_get(r->section, r->key);
	PCTL_AUTO(free) char *longer = pctl_xasprintf("%s\n%s", pctl_value_text(v), text);

	set(r, r->key, longer, 1);
}

static void take_line(struct reader *r, const char *line, size_t len)
{
	size_t indent = 0;
	PCTL_AUTO(free) char *text = trimmed(line, len);

	while (indent < len && isspace((unsigned char)line[indent]))
		indent++;
	if (!*text || *text == '#' || *text == ';')
		return;
	if (r->key && indent > r->indent)
		continue_option(r, text);
	else if (*text == '[')
		take_section(r, text);
	else
		take_option(r, text, indent);
}

void pctl_ini_parse(struct pctl_value *into, const char *file, const char *text, size_t len,
	struct pctl_problems *problems)
{
	struct reader r = { .into = into, .file = file, .problems = problems };
	const char *end = text + len;

	for (const char *s = text; s < end;) {
		const char *eol = memchr(s, '\n', (size_t)(end - s));

		eol = eol ? eol : end;
		r.line++;
		take_line(&r, s, (size_t)(eol - s));
		s = eol + 1;
	}
	forget_key(&r);
}
