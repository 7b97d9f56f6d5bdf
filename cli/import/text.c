/* SPDX-License-Identifier: Apache-2.0 */
/* Lines, words and records of the texts that are taken over. */
#include <string.h>
#include <strings.h>

#include "import/import.h"

/* Bytes of the character at s, of which there are len; 0: it is none (RFC 3629). */
static size_t character(const unsigned char *s, size_t len)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} kinds[] = { { 0x80, 0, 1 }, { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 },
		{ 0xf8, 0xf0, 0x10000 } };

	for (size_t n = 0; n < sizeof(kinds) / sizeof(kinds[0]); n++) {
		uint32_t code = s[0] & (unsigned char)~kinds[n].mask;

		if ((s[0] & kinds[n].mask) != kinds[n].lead || n >= len)
			continue;
		for (size_t i = 1; i <= n; i++) {
			if ((s[i] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (s[i] & 0x3f);
		}
		bool wrong = code < kinds[n].least || code > 0x10ffff ||
			     (code >= 0xd800 && code < 0xe000);
		return wrong ? 0 : n + 1;
	}
	return 0;
}

uint32_t import_wrong_line(const char *text, size_t len)
{
	uint32_t line = 1;
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		n = character((const unsigned char *)text + i, len - i);
		if (n == 0)
			return line;
		line += text[i] == '\n';
	}
	return 0;
}

char *import_line(struct import_text *text)
{
	char *line = text->next;

	if (!line || !*line)
		return NULL;
	char *end = line + strcspn(line, "\n");
	text->next = *end ? end + 1 : NULL;
	text->line++;
	*end = '\0';
	if (end > line && end[-1] == '\r')
		end[-1] = '\0';
	return line;
}

char *import_trim(char *text)
{
	text += strspn(text, " \t");
	size_t len = strlen(text);

	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		text[--len] = '\0';
	return text;
}

char *import_word(char **text, const char *separators)
{
	char *word = *text + strspn(*text, separators);

	if (!*word)
		return NULL;
	*text = word + strcspn(word, separators);
	if (**text)
		*(*text)++ = '\0';
	return word;
}

char *import_shell_word(char **text, bool *ret_broken)
{
	char *in = *text + strspn(*text, " \t\r\n"), *out = in, *word = in;
	char quote = '\0';

	*ret_broken = false;
	if (!*in)
		return NULL;
	for (; *in && (quote || !strchr(" \t\r\n", *in)); in++) {
		if (quote ? *in == quote : *in == '\'' || *in == '"') {
			quote = quote ? '\0' : *in;
			continue;
		}
		if (*in == '\\' && quote != '\'' && in[1])
			in++;
		*out++ = *in;
	}
	*text = *in ? in + 1 : in;
	*out = '\0';
	*ret_broken = quote != '\0';
	return quote ? NULL : word;
}

bool import_same(const char *a, const char *b)
{
	return strcasecmp(a, b) == 0;
}

/* --- Comma-separated values (RFC 4180). ------------------------------------------------------- */

/* Takes the quotes off a cell whose first one is at in; returns what follows it. */
static char *unquote(struct import_text *text, struct import_record *record, char *in, char *out)
{
	for (in++; *in && (*in != '"' || in[1] == '"'); in++) {
		if (*in == '"')
			in++;
		text->line += *in == '\n';
		*out++ = *in;
	}
	record->broken = !*in;
	in += *in == '"';
	*out = '\0';
	return in;
}

/* The next cell; returns what stands behind it: the separator, a line break or the end. */
static char *take_cell(
	struct import_text *text, char separator, struct import_record *record, char *at)
{
	const char ends[] = { separator, '\n', '\0' };
	char *begin = at + strspn(at, separator == '\t' ? " " : " \t"), *end;

	if (*begin == '"') {
		end = unquote(text, record, begin, begin);
		end += strcspn(end, ends);
	} else {
		end = begin + strcspn(begin, ends);
	}
	if (record->n < IMPORT_CELLS_MAX)
		record->cells[record->n++] = begin;
	else
		record->too_many = true;
	return end;
}

static void take_record(struct import_text *text, char separator, struct import_record *ret)
{
	char *at = text->next, last = separator;

	*ret = (struct import_record){ .line = text->line + 1 };
	while (last == separator && !ret->broken) {
		bool quoted = at[strspn(at, separator == '\t' ? " " : " \t")] == '"';
		char *end = take_cell(text, separator, ret, at);

		last = *end;
		at = last ? end + 1 : end;
		*end = '\0';
		if (!quoted && ret->n) {
			char *cell = ret->cells[ret->n - 1];
			size_t len = strlen(cell);

			while (len > 0 && strchr(" \t\r", cell[len - 1]))
				cell[--len] = '\0';
		}
	}
	text->line++;
	text->next = last ? at : NULL;
}

bool import_csv(struct import_text *text, char separator, struct import_record *ret)
{
	while (text->next && *text->next) {
		take_record(text, separator, ret);
		if (ret->n > 1 || ret->broken || *ret->cells[0])
			return true;
	}
	return false;
}
