/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a console prints, as lines that a terminal can show beside those of others: escape sequences
 * are dropped, tabs are blanks, a backspace takes a character away, other control characters and
 * what is no UTF-8 do no harm. Where the cursor is sent elsewhere a line ends. No I/O here.
 */
#ifndef POWERCTL_CLI_LINES_H
#define POWERCTL_CLI_LINES_H

#include <powerctl/buf.h>

/* A longer line is handed out in parts. */
#define LINES_MAX 512u

/* line: valid UTF-8 without control characters and without its break. */
typedef void lines_fn(void *data, const char *line);

struct lines {
	struct pctl_buf line;
	enum { LINES_PLAIN, LINES_ESCAPE, LINES_CSI, LINES_STRING, LINES_STRING_ESCAPE } state;
	bool returned; /* the last was a carriage return */
	bool parted;   /* a part of this line was handed out */
	lines_fn *take;
	void *data;
};

void lines_init(struct lines *lines, lines_fn *take, void *data);
void lines_add(struct lines *lines, const char *bytes, size_t n);
/* Whether a line has begun and not ended. */
bool lines_waits(const struct lines *lines);
/* Hands out what there is of it. */
void lines_flush(struct lines *lines);
void lines_done(struct lines *lines);

#endif
