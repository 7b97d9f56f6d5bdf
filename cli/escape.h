/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Escape sequences of a console: what a person types to powerctl rather than to the machine. They
 * begin with a character (`~`) at the very beginning or right after a line break. No I/O here.
 */
#ifndef POWERCTL_CLI_ESCAPE_H
#define POWERCTL_CLI_ESCAPE_H

#include <powerctl/error.h>

#define ESCAPE_NONE    (-1) /* as the character: all that is typed goes to the machine */
#define ESCAPE_DEFAULT '~'

enum escape_order {
	ESCAPE_NOTHING,
	ESCAPE_LEAVE,   /* ~.  */
	ESCAPE_BREAK,   /* ~B  */
	ESCAPE_HELP,    /* ~?  */
	ESCAPE_SUSPEND, /* ~^Z */
};

struct escape {
	int character;
	bool fresh; /* at the beginning of a line */
	bool seen;  /* the character was typed there */
};

void escape_init(struct escape *escape, int character);

/* As after a line break: nothing of what was typed before counts. */
void escape_restart(struct escape *escape);

/*
 * One byte typed. out gets what goes to the machine, *ret_n bytes of it: none, the byte, or the
 * character that was held back and the byte.
 */
enum escape_order escape_type(struct escape *escape, unsigned char c, char out[2], size_t *ret_n);

/* "~", "^]" or "none" into a character. PCTL_E_CONFIG for what is none of them. */
int escape_parse(const char *text, int *ret, struct pctl_error *err);

/* As people write it: "~", "^]". */
#define ESCAPE_NAME_SIZE 3u
const char *escape_name(int character, char buf[ESCAPE_NAME_SIZE]);

#endif
