/* SPDX-License-Identifier: Apache-2.0 */
/* Lines, words and records of the texts that are taken over. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "import/import.h"
#include "text.h"

uint32_t import_wrong_line(const char *text, size_t len)
{
	uint32_t line = 1;
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		n = text_character(text + i);
		if (n == 0)
			return line;
		line += text[i] == '\n';
	}
	return 0;
}

void import_text_begin(struct import_text *text, char *whole)
{
	*text = (struct import_text){ .line = 0 };
	text->next = whole;
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

char import_key_char(char c)
{
	return c == ' ' || c == '-' ? '_' : (char)tolower((unsigned char)c);
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

/* Takes the blanks off the end of a text that goes on at end. */
static void cut_blanks(const char *begin, char *end)
{
	while (end > begin && strchr(" \t\r", end[-1]))
		*--end = '\0';
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
		cut_blanks(begin, end);
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
		char *end = take_cell(text, separator, ret, at);

		last = *end;
		at = last ? end + 1 : end;
		*end = '\0';
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
