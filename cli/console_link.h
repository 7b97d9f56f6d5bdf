/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console of one node over time: opened, lost, opened again. What it prints is handed out as it
 * comes, unless whoever takes it asks to wait: then nothing is read from the machine either.
 */
#ifndef POWERCTL_CLI_CONSOLE_LINK_H
#define POWERCTL_CLI_CONSOLE_LINK_H

#include "again.h"
#include "cli.h"

/* Bytes on their way to the machine that it does not take yet. */
#define CONSOLE_TYPED_MAX 4096u

struct console_link;
struct progress;

/* When it is opened again. */
enum console_again {
	CONSOLE_NEVER,
	CONSOLE_IF_OPENED, /* a first failure is the end */
	CONSOLE_ALWAYS,
};

/* Not opened, lost, or ended by the device (code 0). */
struct console_failure {
	int code;          /* a class */
	bool skipped;      /* deliberately not opened: that is no failure */
	const char *text;  /* as people read it: "auth: password refused" */
	bool was_open;     /* until now */
	uint64_t again_ms; /* when it is opened again; 0: never, this is the last that is heard */
};

/* All from the loop. */
struct console_events {
	void (*opened)(void *data);
	void (*printed)(void *data, const char *bytes, size_t n);
	/* All that was typed is with the machine. */
	void (*typed)(void *data);
	/* Something to know about it: "the machine is off". */
	void (*noted)(void *data, const char *text);
	void (*failed)(void *data, const struct console_failure *failure);
	/* The terminal is needed for a question (true), and no longer (false). NULL: a terminal in
	 * raw mode is asked nothing. */
	void (*lend)(void *data, bool lent);
};

struct console_link {
	struct cli *cli;
	size_t node;
	const char *name; /* of the node */
	enum console_again again;
	const struct console_events *events;
	void *data;
	struct progress *progress; /* that is drawn until it is open, or NULL */

	/* Private. */
	struct console_opening *opening;
	struct pctl_stream *stream;
	struct console_wire *wire; /* watches the descriptor while it is open */
	uv_timer_t timer;
	bool was_open, held, over;
	bool ended; /* the device said so; the rest is being read */
	struct again tries;
	char kept[CONSOLE_TYPED_MAX];
	size_t kept_n;
	uint64_t rate;              /* of typing, bytes a second; 0: as fast as it takes them */
	uint64_t credit, credit_at; /* bytes that may go at once, as of then */
	struct console_link *next;  /* those that are opened together */
};

/* The first five members are filled in. */
void console_link_init(struct console_link *link);

/*
 * Opens n of them at once: later nothing but events. CLI_OK, or CLI_USAGE with every mistake in
 * their settings said, and nothing sent.
 */
int console_links_open(struct console_link *const *links, size_t n);

bool console_link_is_open(const struct console_link *link);
/* Takes as much as there is room for while it is open; returns how much. */
size_t console_link_type(struct console_link *link, const char *bytes, size_t n);
/* Whether something typed is still on its way. */
bool console_link_types(const struct console_link *link);
int console_link_break(struct console_link *link, struct pctl_error *err);
/* Tells the machine how large the terminal is, where it has a place for that. */
void console_link_resize(struct console_link *link, unsigned columns, unsigned rows);
/* A text of the open one's facts, or "". */
const char *console_link_fact(const struct console_link *link, const char *name);
/* Hands out nothing until it is called with false. */
void console_link_hold(struct console_link *link, bool held);

/* Ends it for good, without a further event. */
void console_link_stop(struct console_link *link);
/* Whether all of it is closed. */
bool console_link_is_gone(const struct console_link *link);
/* It is gone. The handle is closed by the loop's next turn. */
void console_link_done(struct console_link *link);

#endif
