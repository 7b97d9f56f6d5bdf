/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of amtctrl's hosts.cfg, as Python's ConfigParser writes them: a section for each
 * machine, keys and values below it, a percent sign in a value written twice.
 */
#ifndef POWERCTL_CLI_AMTCTRL_LINES_H
#define POWERCTL_CLI_AMTCTRL_LINES_H

#include <stddef.h>

struct amtctrl_line {
	enum {
		AMTCTRL_SECTION,   /* name; the pairs that follow are its own */
		AMTCTRL_PAIR,      /* name and value, whose percent signs are not doubled */
		AMTCTRL_REFERENCE, /* name: its value refers to another one */
		AMTCTRL_COMMENT,
		AMTCTRL_ODD /* none of these, or a pair below no section */
	} what;
	unsigned number; /* from 1 */
	char *name, *value;
};

typedef void amtctrl_line_fn(void *data, const struct amtctrl_line *line);

/*
 * Calls each for every line that is not empty. The text, behind which is a zero byte, is cut into
 * what lines point to.
 */
void amtctrl_lines_read(char *text, size_t len, amtctrl_line_fn *each, void *data);

#endif
