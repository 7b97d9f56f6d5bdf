/* SPDX-License-Identifier: Apache-2.0 */
#include "escape.h"

#include <string.h>

#define CONTROL(letter) ((letter)&0x1f)

static const struct {
	char key;
	enum escape_order order;
} orders[] = {
	{ '.', ESCAPE_LEAVE },
	{ 'B', ESCAPE_BREAK },
	{ '?', ESCAPE_HELP },
	{ CONTROL('Z'), ESCAPE_SUSPEND },
};
#define ORDERS (sizeof(orders) / sizeof(orders[0]))

void escape_init(struct escape *e, int character)
{
	*e = (struct escape){ .character = character, .fresh = true };
}

void escape_restart(struct escape *e)
{
	e->fresh = true;
	e->seen = false;
}

static enum escape_order order_of(unsigned char c)
{
	for (size_t i = 0; i < ORDERS; i++)
		if ((unsigned char)orders[i].key == c)
			return orders[i].order;
	return ESCAPE_NOTHING;
}

enum escape_order escape_type(struct escape *e, unsigned char c, char out[2], size_t *ret_n)
{
	bool seen = e->seen;

	*ret_n = 0;
	e->seen = false;
	if (!seen && e->fresh && c == e->character) {
		e->seen = true;
		return ESCAPE_NOTHING;
	}
	if (seen) {
		enum escape_order order = order_of(c);

		/* The line is as fresh as before: one order may follow another. */
		if (order != ESCAPE_NOTHING)
			return order;
		if (c != e->character)
			out[(*ret_n)++] = (char)e->character;
	}
	out[(*ret_n)++] = (char)c;
	e->fresh = c == '\r' || c == '\n';
	return ESCAPE_NOTHING;
}

int escape_parse(const char *text, int *ret, struct pctl_error *err)
{
	size_t len = strlen(text);
	int c = (unsigned char)text[0];

	if (strcmp(text, "none") == 0) {
		*ret = ESCAPE_NONE;
		return 0;
	}
	if (len == 2 && c == '^' && text[1] >= 'A' && text[1] <= '_')
		c = CONTROL(text[1]);
	else if (len != 1 || c <= ' ' || c >= 0x7f)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"--escape: '%s' is no character; write one like ~ or ^], or none", text);
	if (order_of((unsigned char)c) != ESCAPE_NOTHING || c == '\r' || c == '\n')
		return pctl_error_set(err, PCTL_E_CONFIG,
			"--escape: %s has a meaning of its own; take another one, like ^]", text);
	*ret = c;
	return 0;
}

const char *escape_name(int character, char buf[ESCAPE_NAME_SIZE])
{
	bool control = character >= 0 && character < ' ';
	size_t n = 0;

	if (control)
		buf[n++] = '^';
	buf[n++] = (char)(control ? character + '@' : character);
	buf[n] = '\0';
	return buf;
}
