/* SPDX-License-Identifier: Apache-2.0 */
/*
 * amtctrl's hosts.cfg, as Python's ConfigParser writes it: a section for each machine with host,
 * passwd and perhaps vncpasswd. The user is always admin; a percent sign is written twice.
 */
#include <ctype.h>
#include <string.h>

#include <powerctl/mem.h>

#include "import/import.h"

struct host {
	struct import *im;
	struct pctl_place place;
	const char *name; /* NULL: before the first section */
	char *address, *password;
	bool display; /* it has a password for that */
};

static void finish(struct host *host)
{
	struct import_node *node;

	if (!host->name)
		return;
	if (!host->address || !*host->address) {
		import_left(host->im, host->place, "'%s' has no host", host->name);
		return;
	}
	node = import_add(host->im, host->place, host->name);
	if (!node)
		return;
	import_set(node, "driver", "amt");
	if (!import_set_address(node, host->address)) {
		import_left(host->im, host->place, "'%s': '%s' is no address", host->name,
			host->address);
		node->dropped = true;
	}
	node->login = import_login(host->im, "admin", host->password, NULL);
	if (host->display)
		import_left(host->im, host->place,
			"'%s': vncpasswd is not taken over: nothing here uses it yet", host->name);
}

/* In place; false: a reference to another value. */
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

static void take_value(struct host *host, uint32_t line, char *key, char *value)
{
	bool whole = undo_percents(value);

	if (!whole)
		import_left(host->im, import_at(host->im, line),
			"'%s' refers to another value; write it out", key);
	else if (import_same(key, "host"))
		host->address = value;
	else if (import_same(key, "passwd"))
		host->password = value;
	else if (import_same(key, "vncpasswd"))
		host->display = true;
	else
		import_left(host->im, import_at(host->im, line), "'%s' is not known here", key);
}

static void take_line(struct host *host, char *line, uint32_t number)
{
	char *word = import_trim(line), *end;

	if (!*word || *word == '#' || *word == ';')
		return;
	if (*word == '[' && (end = strrchr(word, ']'))) {
		*end = '\0';
		finish(host);
		*host = (struct host){
			.im = host->im,
			.place = import_at(host->im, number),
			.name = word + 1,
		};
		return;
	}
	end = word + strcspn(word, "=:");
	if (!*end || !host->name || isspace((unsigned char)*line)) {
		import_left(host->im, import_at(host->im, number),
			"this is neither '[name]' nor 'key = value' below one");
		return;
	}
	*end = '\0';
	take_value(host, number, import_trim(word), import_trim(end + 1));
}

void import_amtctrl(struct import *im, char *text)
{
	struct host host = { .im = im };
	struct import_text rest;

	import_text_begin(&rest, text);
	for (char *line; (line = import_line(&rest));)
		take_line(&host, line, rest.line);
	finish(&host);
}
