/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conman.conf(5) of conman 0.2.7: directives of one line each (a backslash joins lines), keywords
 * in any case. What counts are `console` with a device "ipmi:HOST", and `global ipmiopts` before
 * it; ipmiopts are KEY:VALUE between commas, and those of a console take the place of the global
 * ones.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <powerctl/mem.h>

#include "import/import.h"

struct conman {
	struct import *im;
	struct pctl_place place;
	const char *options; /* the global ones; "" : none */
	/* Of one console. */
	const char *name, *device, *own_options;
};

/* What is not IPMI, and what there is for it. */
static const char other_device[] =
	"'%s' is at '%s', which is no management processor: it is a console only; keep it in "
	"conman";

static const struct {
	const char *word, *privilege;
} privileges[] = { { "user", "user" }, { "op", "operator" }, { "operator", "operator" },
	{ "admin", "admin" } };

static void set_privilege(struct conman *c, struct import_node *node, const char *value)
{
	for (size_t i = 0; i < sizeof(privileges) / sizeof(privileges[0]); i++) {
		if (!import_same(privileges[i].word, value))
			continue;
		import_set(node, "privilege", privileges[i].privilege);
		return;
	}
	import_left(c->im, c->place, "'%s': the privilege '%s' is not known here", c->name, value);
}

/* Below 0: it is none. */
static int digit_of(char c)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;
	int n = at ? (int)(at - digits) : -1;

	return n < 16 ? n : n - 6;
}

/* A password in hexadecimal is what its digits stand for. In place; false: it cannot be a text. */
static bool undo_hex(char *text)
{
	char *out = text;

	if (strncmp(text, "0x", 2) != 0)
		return true;
	for (const char *in = text + 2; *in; in += 2) {
		int high = digit_of(in[0]), low = digit_of(in[1]);

		if (high < 0 || low < 0 || (!high && !low))
			return false;
		*out++ = (char)(high << 4 | low);
	}
	*out = '\0';
	return true;
}

struct opts {
	char *user, *password, *kg;
	struct pctl_buf flags;
};

static void take_value(
	struct conman *c, struct import_node *node, struct opts *o, char key, char *value)
{
	switch (toupper((unsigned char)key)) {
	case 'U':
		o->user = value;
		break;
	case 'P':
		o->password = value;
		break;
	case 'K':
		o->kg = value;
		break;
	case 'C':
		import_set(node, "cipher_suite", value);
		break;
	case 'L':
		if (*value)
			set_privilege(c, node, value);
		break;
	case 'W':
		pctl_buf_addf(&o->flags, "%s,", value);
		break;
	default:
		import_left(c->im, c->place, "'%s': the IPMI option '%c' is not known here",
			c->name, isprint((unsigned char)key) ? key : '?');
	}
}

static void take_option(struct conman *c, struct import_node *node, struct opts *o, char *word)
{
	if (*word && word[1] == ':') {
		take_value(c, node, o, *word, word + 2);
		return;
	}
	import_left(c->im, c->place, "'%s': ipmiopts are KEY:VALUE between commas", c->name);
	node->dropped = true;
}

static void take_options(struct conman *c, struct import_node *node, const char *options)
{
	struct opts o = { NULL, NULL, NULL, { 0 } };
	struct pctl_buf copy;

	pctl_buf_init_secret(&copy, IMPORT_FILE_MAX);
	pctl_buf_adds(&copy, options);
	pctl_buf_init(&o.flags, IMPORT_FILE_MAX);
	char *rest = copy.data;
	for (char *word; (word = import_word(&rest, ","));)
		take_option(c, node, &o, import_trim(word));
	import_set_list(node, "workarounds", o.flags.data, ",");
	if (o.password && !undo_hex(o.password)) {
		import_left(
			c->im, c->place, "'%s': its password has bytes that are no text", c->name);
		node->dropped = true;
	} else {
		node->login = import_login(c->im, o.user, o.password, o.kg);
	}
	pctl_buf_done(&o.flags);
	pctl_buf_done(&copy);
}

static void finish_console(struct conman *c)
{
	struct import_node *node;

	if (!c->name || !c->device) {
		import_left(c->im, c->place, "a console needs a name and a dev");
		return;
	}
	if (strncasecmp(c->device, "ipmi:", 5) != 0) {
		PCTL_AUTO(free)
		char *first = pctl_xstrndup(c->device, strcspn(c->device, " \t"));

		import_left(c->im, c->place, other_device, c->name, first);
		return;
	}
	node = import_add(c->im, c->place, c->name);
	if (!node)
		return;
	import_set(node, "driver", "ipmi");
	if (!import_set_address(node, c->device + 5)) {
		import_left(c->im, c->place, "'%s': '%s' is no address", c->name, c->device + 5);
		node->dropped = true;
	}
	take_options(c, node, c->own_options ? c->own_options : c->options);
}

/* One KEY = VALUE; false: there is none. Both are cut out of the text. */
static bool next_pair(char **text, char **ret_key, char **ret_value)
{
	char *s = *text + strspn(*text, " \t"), *end;

	*ret_key = s;
	s += strcspn(s, " \t=");
	end = s + strspn(s, " \t");
	if (s == *ret_key || *end != '=')
		return false;
	*s = '\0';
	s = end + 1 + strspn(end + 1, " \t");
	char quote = *s == '"' || *s == '\'' ? *s : '\0';
	*ret_value = s + (quote != '\0');
	end = *ret_value;
	while (*end && (quote ? *end != quote : !strchr(" \t#", *end)))
		end++;
	if (quote && !*end)
		return false;
	*text = *end ? end + 1 : end;
	*end = '\0';
	return true;
}

static bool at_end(const char *text)
{
	text += strspn(text, " \t");
	return !*text || *text == '#';
}

static void take_directive(struct conman *c, char *line)
{
	char *rest = line, *key, *value;
	char *word = at_end(rest) ? NULL : import_word(&rest, " \t");

	if (!word || import_same(word, "server"))
		return;
	bool console = import_same(word, "console");
	if (!console && !import_same(word, "global")) {
		import_left(c->im, c->place,
			"this begins with none of 'server', 'global', "
			"'console'");
		return;
	}
	c->name = c->device = c->own_options = NULL;
	while (!at_end(rest)) {
		if (!next_pair(&rest, &key, &value)) {
			import_left(c->im, c->place, "after '%s' comes KEY=\"VALUE\"", word);
			return;
		}
		if (import_same(key, "ipmiopts") && console)
			c->own_options = value;
		else if (import_same(key, "ipmiopts"))
			c->options = value;
		else if (import_same(key, "name"))
			c->name = value;
		else if (import_same(key, "dev"))
			c->device = value;
	}
	if (console)
		finish_console(c);
}

/* Joins lines whose break has a backslash before it; returns the first, or NULL at the end. */
static char *next_directive(struct import_text *text, struct conman *c)
{
	c->place = import_at(c->im, text->line + 1);
	char *line = import_line(text), *part = line;

	while (part) {
		size_t len = strlen(part);

		if (!len || part[len - 1] != '\\')
			break;
		part[len - 1] = ' ';
		char *more = import_line(text);
		/* Over the break, and the return before it. */
		if (more)
			memset(part + len, ' ', (size_t)(more - (part + len)));
		part = more;
	}
	return line;
}

void import_conman(struct import *im, char *text)
{
	struct conman c = { .im = im, .options = "" };
	struct import_text rest;

	import_text_begin(&rest, text);
	for (char *line; (line = next_directive(&rest, &c));)
		take_directive(&c, line);
}
