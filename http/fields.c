/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <stdio.h>
#include <string.h>

#include <powerctl/log.h>
#include <powerctl/mem.h>

#define VALUE_MAX ((size_t)8192)
#define FIELD_MAX ((size_t)65536)

struct pctl_http_fields {
	size_t n;
	char *lines[PCTL_HTTP_FIELDS_MAX]; /* "Name: value" */
	bool secret[PCTL_HTTP_FIELDS_MAX];
	struct curl_slist nodes[PCTL_HTTP_FIELDS_MAX];
	size_t n_wanted;
	const char *const *wanted;
	char *found[PCTL_HTTP_FIELDS_MAX];
};

/* Which of them hold a login the caller knows; here all are wiped. */
static void wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

/* --- What is sent. ---------------------------------------------------------------------------- */

/* A token and a field-value (RFC 9110 section 5): values may come from the device itself. */
static bool is_clean(const struct pctl_http_field *field)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";
	const char *p = field->name;

	for (; *p; p++) {
		bool digit = *p >= '0' && *p <= '9';
		char lower = (char)(*p | 0x20);

		if (!digit && !(lower >= 'a' && lower <= 'z') && !strchr(marks, *p))
			return false;
	}
	if (p == field->name)
		return false;
	for (p = field->value; *p; p++) {
		unsigned char c = (unsigned char)*p;
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return strlen(field->name) + strlen(field->value) < FIELD_MAX;
}

static int take_one(
	struct exchange *ex, struct pctl_http_fields *f, const struct pctl_http_field *field)
{
	if (!*field->value)
		return 0;
	if (f->n == PCTL_HTTP_FIELDS_MAX || !is_clean(field))
		return pctl_error_set(&ex->err, PCTL_E_PROTOCOL,
			"the header field '%s' cannot be sent: it is too long, one too many, or "
			"holds a character that HTTP cannot carry",
			field->name);
	f->secret[f->n] = field->secret;
	f->lines[f->n] = pctl_xasprintf("%s: %s", field->name, field->value);
	f->nodes[f->n] = (struct curl_slist){ .data = f->lines[f->n] };
	if (f->n)
		f->nodes[f->n - 1].next = &f->nodes[f->n];
	f->n++;
	return 0;
}

int fields_take(struct exchange *ex, const struct pctl_http_request *request)
{
	struct pctl_http_fields *f = pctl_xcalloc(1, sizeof(*f));

	ex->fields = f;
	f->wanted = request->wanted;
	while (f->wanted && f->n_wanted < PCTL_HTTP_FIELDS_MAX && f->wanted[f->n_wanted])
		f->n_wanted++;
	for (size_t i = 0; i < request->n_fields; i++) {
		int r = take_one(ex, f, &request->fields[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

struct curl_slist *fields_list(struct pctl_http_fields *fields)
{
	return fields->n ? fields->nodes : NULL;
}

void fields_trace(const struct pctl_http_fields *fields, const struct pctl_device *device)
{
	for (size_t i = 0; fields && i < fields->n; i++) {
		const char *line = fields->lines[i];
		int name = (int)strcspn(line, ":");

		if (fields->secret[i])
			pctl_log(PCTL_LOG_TRACE, device, "http   %.*s: (secret)", name, line);
		else
			pctl_log(PCTL_LOG_TRACE, device, "http   %s", line);
	}
}

/* --- What comes. ------------------------------------------------------------------------------ */

void fields_note(struct pctl_http_fields *fields, const char *line, size_t len)
{
	const char *value;
	size_t value_len;

	for (size_t i = 0; i < fields->n_wanted; i++) {
		if (fields->found[i] ||
			!exchange_is_header(line, len, fields->wanted[i], &value, &value_len))
			continue;
		/* One that was cut would be another. */
		if (value_len <= VALUE_MAX && !memchr(value, '\0', value_len))
			fields->found[i] = pctl_xstrndup(value, value_len);
	}
}

void fields_forget(struct pctl_http_fields *fields)
{
	for (size_t i = 0; fields && i < fields->n_wanted; i++) {
		wipe(fields->found[i]);
		fields->found[i] = NULL;
	}
}

const char *pctl_http_answer_field(const struct pctl_http_answer *answer, const char *name)
{
	const struct pctl_http_fields *f = answer->fields;

	for (size_t i = 0; f && i < f->n_wanted; i++) {
		if (strcasecmp(f->wanted[i], name) == 0)
			return f->found[i];
	}
	return NULL;
}

void fields_free(struct pctl_http_fields *fields)
{
	if (!fields)
		return;
	fields_forget(fields);
	for (size_t i = 0; i < fields->n; i++)
		wipe(fields->lines[i]);
	free(fields);
}
