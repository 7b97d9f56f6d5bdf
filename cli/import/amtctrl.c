/* SPDX-License-Identifier: Apache-2.0 */
/*
 * amtctrl's hosts.cfg: a section for each machine with host, passwd and perhaps vncpasswd. The user
 * is always admin.
 */
#include <string.h>

#include <powerctl/mem.h>

#include "amtctrl/lines.h"
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

static void take_value(struct host *host, const struct amtctrl_line *line)
{
	if (import_same(line->name, "host"))
		host->address = line->value;
	else if (import_same(line->name, "passwd"))
		host->password = line->value;
	else if (import_same(line->name, "vncpasswd"))
		host->display = true;
	else
		import_left(host->im, import_at(host->im, line->number), "'%s' is not known here",
			line->name);
}

static void take_line(void *data, const struct amtctrl_line *line)
{
	struct host *host = data;
	struct import *im = host->im;
	struct pctl_place place = import_at(im, line->number);

	switch (line->what) {
	case AMTCTRL_SECTION:
		finish(host);
		*host = (struct host){ .im = im, .place = place, .name = line->name };
		break;
	case AMTCTRL_PAIR:
		take_value(host, line);
		break;
	case AMTCTRL_REFERENCE:
		import_left(im, place, "'%s' refers to another value; write it out", line->name);
		break;
	case AMTCTRL_COMMENT:
		break;
	case AMTCTRL_ODD:
		import_left(im, place, "this is neither '[name]' nor 'key = value' below one");
		break;
	}
}

void import_amtctrl(struct import *im, char *text)
{
	struct host host = { .im = im };

	amtctrl_lines_read(text, strlen(text), take_line, &host);
	finish(&host);
}
