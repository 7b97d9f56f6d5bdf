/* SPDX-License-Identifier: Apache-2.0 */
#include "metadata.h"

#include <expat.h>
#include <string.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>

struct reader {
	XML_Parser parser;
	struct fence_metadata *metadata;
	struct fence_parameter *open; /* the parameter that is being read */
	struct pctl_buf text;         /* of its shortdesc */
	unsigned depth;
	bool in_help, in_content, seen_root;
	const char *refused; /* why reading was stopped */
};

static void refuse(struct reader *r, const char *why)
{
	if (!r->refused)
		r->refused = why;
	(void)XML_StopParser(r->parser, XML_FALSE);
}

/* --- Texts and attributes. -------------------------------------------------------------------- */

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

static bool has_control(const char *s)
{
	for (; *s; s++)
		if (is_control(*s))
			return true;
	return false;
}

/* In one line, single blanks between words. */
static char *one_line(const char *s, size_t len)
{
	char *line = pctl_xcalloc(len + 1, 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		bool blank = is_control(s[i]) || s[i] == ' ';

		if (!blank)
			line[n++] = s[i];
		else if (n && line[n - 1] != ' ')
			line[n++] = ' ';
	}
	while (n && line[n - 1] == ' ')
		n--;
	line[n] = '\0';
	return line;
}

/* attributes: name and value in turn. NULL: there is none. */
static const char *attribute(struct reader *r, const char **attributes, const char *name)
{
	for (; *attributes; attributes += 2) {
		if (strcmp(attributes[0], name) != 0)
			continue;
		if (strlen(attributes[1]) > FENCE_TEXT_MAX) {
			refuse(r, "a text is too long");
			return NULL;
		}
		return attributes[1];
	}
	return NULL;
}

static bool is_set(struct reader *r, const char **attributes, const char *name)
{
	const char *value = attribute(r, attributes, name);

	return value && (strcmp(value, "1") == 0 || strcmp(value, "true") == 0);
}

/* --- Elements. -------------------------------------------------------------------------------- */

static void begin_agent(struct reader *r, const char **attributes)
{
	const char *name = attribute(r, attributes, "name");
	const char *summary = attribute(r, attributes, "shortdesc");

	r->metadata->name = one_line(name ? name : "", name ? strlen(name) : 0);
	r->metadata->summary = one_line(summary ? summary : "", summary ? strlen(summary) : 0);
}

static void begin_parameter(struct reader *r, const char **attributes)
{
	struct fence_metadata *m = r->metadata;
	const char *name = attribute(r, attributes, "name");

	if (!name || !*name || strpbrk(name, "=#\"' \t") || has_control(name)) {
		refuse(r, "a parameter has no name, or one that cannot stand before '='");
		return;
	}
	if (m->n == FENCE_PARAMETERS_MAX) {
		refuse(r, "there are more than 200 parameters");
		return;
	}
	struct fence_parameter *p = &m->parameters[m->n++];
	p->name = pctl_xstrdup(name);
	p->help = pctl_xstrdup("");
	p->required = is_set(r, attributes, "required");
	p->deprecated = is_set(r, attributes, "deprecated");
	r->open = p;
}

static void begin_content(struct reader *r, const char **attributes)
{
	static const struct {
		const char *word;
		enum fence_kind kind;
	} kinds[] = {
		{ "string", FENCE_STRING },
		{ "boolean", FENCE_BOOLEAN },
		{ "integer", FENCE_INTEGER },
		{ "second", FENCE_SECOND },
		{ "time", FENCE_SECOND },
		{ "select", FENCE_SELECT },
	};
	const char *type = attribute(r, attributes, "type");
	const char *fallback = attribute(r, attributes, "default");

	for (size_t i = 0; type && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(type, kinds[i].word) == 0)
			r->open->kind = kinds[i].kind;
	if (fallback && *fallback && !has_control(fallback) && !r->open->fallback)
		r->open->fallback = pctl_xstrdup(fallback);
	r->in_content = true;
}

static void begin_option(struct reader *r, const char **attributes)
{
	struct fence_parameter *p = r->open;
	const char *value = attribute(r, attributes, "value");

	if (!value || !*value || has_control(value))
		return;
	if (p->choices_n == FENCE_CHOICES_MAX) {
		refuse(r, "a parameter has more than 64 options");
		return;
	}
	if (!p->choices)
		p->choices = pctl_xcalloc(FENCE_CHOICES_MAX + 1, sizeof(char *));
	p->choices[p->choices_n++] = pctl_xstrdup(value);
}

static void begin_action(struct reader *r, const char **attributes)
{
	static const struct {
		const char *word;
		unsigned can;
	} actions[] = {
		{ "on", FENCE_CAN_ON },
		{ "off", FENCE_CAN_OFF },
		{ "reboot", FENCE_CAN_REBOOT },
		{ "status", FENCE_CAN_STATUS },
	};
	const char *name = attribute(r, attributes, "name");

	for (size_t i = 0; name && i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(name, actions[i].word) != 0)
			continue;
		r->metadata->can |= actions[i].can;
		if (actions[i].can == FENCE_CAN_ON && is_set(r, attributes, "on_target"))
			r->metadata->on_target = true;
	}
}

static void start_element(void *data, const char *name, const char **attributes)
{
	struct reader *r = data;

	if (r->refused)
		return;
	if (++r->depth > FENCE_DEPTH_MAX) {
		refuse(r, "elements are nested too deeply");
		return;
	}
	if (r->depth == 1) {
		r->seen_root = strcmp(name, "resource-agent") == 0;
		if (!r->seen_root)
			refuse(r, "it does not begin with <resource-agent>");
		else
			begin_agent(r, attributes);
	} else if (strcmp(name, "parameter") == 0) {
		if (r->open)
			refuse(r, "a parameter stands in another one");
		else
			begin_parameter(r, attributes);
	} else if (strcmp(name, "action") == 0) {
		begin_action(r, attributes);
	} else if (r->open && strcmp(name, "content") == 0) {
		begin_content(r, attributes);
	} else if (r->open && r->in_content && strcmp(name, "option") == 0) {
		begin_option(r, attributes);
	} else if (r->open && strcmp(name, "shortdesc") == 0) {
		r->in_help = true;
		pctl_buf_cut(&r->text, 0);
	}
}

static void end_element(void *data, const char *name)
{
	struct reader *r = data;

	if (r->refused)
		return;
	r->depth--;
	if (strcmp(name, "parameter") == 0) {
		r->open = NULL;
		r->in_content = r->in_help = false;
	} else if (strcmp(name, "content") == 0) {
		r->in_content = false;
	} else if (r->in_help && strcmp(name, "shortdesc") == 0) {
		/* More than one: of several languages the first is English. */
		if (!*r->open->help) {
			free(r->open->help);
			r->open->help = one_line(r->text.data, r->text.len);
		}
		r->in_help = false;
	}
}

static void characters(void *data, const char *s, int len)
{
	struct reader *r = data;

	if (!r->refused && r->in_help)
		pctl_buf_add(&r->text, s, (size_t)len);
}

/* Entities are declared inside a document type, which no agent has. */
static void document_type(void *data, const char *name, const char *system_id,
	const char *public_id, int has_internal_subset)
{
	(void)name, (void)system_id, (void)public_id, (void)has_internal_subset;
	refuse(data, "it has a document type, which metadata has not");
}

/* --- The whole document. ---------------------------------------------------------------------- */

static int explain(const struct reader *r, struct pctl_error *err)
{
	const char *why = r->refused;

	if (!why)
		why = XML_ErrorString(XML_GetErrorCode(r->parser));
	return pctl_error_set(err, PCTL_E_PROTOCOL, "metadata:%lu:%lu: %s",
		(unsigned long)XML_GetCurrentLineNumber(r->parser),
		(unsigned long)XML_GetCurrentColumnNumber(r->parser) + 1, why);
}

static int read_all(struct reader *r, const char *text, size_t len, struct pctl_error *err)
{
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, start_element, end_element);
	XML_SetCharacterDataHandler(r->parser, characters);
	XML_SetStartDoctypeDeclHandler(r->parser, document_type);
	if (XML_Parse(r->parser, text, (int)len, XML_TRUE) != XML_STATUS_OK || r->refused)
		return explain(r, err);
	if (!r->metadata->can)
		return pctl_error_set(err, PCTL_E_PROTOCOL, "metadata names no action");
	return 0;
}

int fence_metadata_parse(
	const char *text, size_t len, struct fence_metadata **ret, struct pctl_error *err)
{
	struct reader r = { .parser = NULL };

	if (len > FENCE_METADATA_BYTES)
		return pctl_error_set(err, PCTL_E_PROTOCOL, "metadata of more than %u bytes",
			FENCE_METADATA_BYTES);
	r.parser = XML_ParserCreate(NULL);
	if (!r.parser)
		pctl_out_of_memory();
	pctl_buf_init(&r.text, FENCE_TEXT_MAX);
	r.metadata = pctl_xcalloc(1, sizeof(*r.metadata));
	r.metadata->parameters =
		pctl_xcalloc(FENCE_PARAMETERS_MAX, sizeof(*r.metadata->parameters));
	int result = read_all(&r, text, len, err);
	XML_ParserFree(r.parser);
	pctl_buf_done(&r.text);
	if (result < 0)
		fence_metadata_free(r.metadata);
	else
		*ret = r.metadata;
	return result;
}

void fence_metadata_free(struct fence_metadata *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n; i++) {
		struct fence_parameter *p = &m->parameters[i];

		for (size_t k = 0; k < p->choices_n; k++)
			free(p->choices[k]);
		free(p->choices);
		free(p->name);
		free(p->help);
		free(p->fallback);
	}
	free(m->parameters);
	free(m->name);
	free(m->summary);
	free(m);
}
