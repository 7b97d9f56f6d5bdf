/* SPDX-License-Identifier: Apache-2.0 */
#include "amtctrl/lines.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static char *trim(char *text)
{
	text += strspn(text, " \t\r");
	for (size_t n = strlen(text); n > 0 && isspace((unsigned char)text[n - 1]); n--)
		text[n - 1] = '\0';
	return text;
}

/* In place; false: a reference to another value, which is not followed. */
static bool undo_percents(char *value)
{
	char *out = value;

	for (; *value; value++) {
		if (*value == '%' && *++value != '%')
			return false;
		*out++ = *value;
	}
	*out = '\0';
	return true;
}

/* text begins with '['. */
static void read_header(char *text, struct amtctrl_line *ret)
{
	char *end = strchr(text, ']');

	if (!end || end[1] || end == text + 1)
		return;
	*end = '\0';
	ret->what = AMTCTRL_SECTION;
	ret->name = text + 1;
}

static void read_pair(char *text, struct amtctrl_line *ret)
{
	char *end = text + strcspn(text, "=:");

	if (!*end || end == text)
		return;
	*end = '\0';
	ret->name = trim(text);
	ret->value = trim(end + 1);
	ret->what = undo_percents(ret->value) ? AMTCTRL_PAIR : AMTCTRL_REFERENCE;
}

/* What follows a header that is not understood is nobody else's. */
static void read_line(char *word, bool indented, bool *in_section, struct amtctrl_line *ret)
{
	if (*word == '#' || *word == ';') {
		ret->what = AMTCTRL_COMMENT;
	} else if (*word == '[' && !indented) {
		read_header(word, ret);
		*in_section = ret->what == AMTCTRL_SECTION;
	} else if (*in_section && !indented) {
		read_pair(word, ret);
	}
}

void amtctrl_lines_read(char *text, size_t len, amtctrl_line_fn *each, void *data)
{
	char *const end = text + len;
	bool in_section = false;

	for (unsigned number = 1; text < end; number++) {
		struct amtctrl_line line = { .what = AMTCTRL_ODD, .number = number };
		char *stop = memchr(text, '\n', (size_t)(end - text));

		if (!stop)
			stop = end;
		*stop = '\0';
		bool whole = strlen(text) == (size_t)(stop - text);
		bool indented = isspace((unsigned char)*text);
		char *word = trim(text);
		if (!whole || *word) {
			if (whole)
				read_line(word, indented, &in_section, &line);
			each(data, &line);
		}
		text = stop + 1;
	}
}
