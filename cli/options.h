/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line's options: one table, from which parsing, help and "did you mean" are made.
 * Options may stand anywhere; `--name value`, `--name=value`, `-x value`, `-xvalue`; `--` ends
 * them; `-` is a word. Texts are borrowed from argv.
 */
#ifndef POWERCTL_CLI_OPTIONS_H
#define POWERCTL_CLI_OPTIONS_H

#include <powerctl/error.h>

/* In the order of help: cmd_help.c has the headings. */
enum option_id {
	/* Of all verbs. */
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_QUIET,
	OPTION_VERBOSE,
	OPTION_INVENTORY,
	OPTION_PLUGIN_DIR,
	OPTION_TRACE,

	/* What a verb is to do. */
	OPTION_SOFT,
	OPTION_FORCE_AFTER,
	OPTION_ON_IF_OFF,
	OPTION_PERSISTENT,
	OPTION_URL,
	OPTION_NO_URL_CHECK,
	OPTION_LEGACY,
	OPTION_UEFI,
	OPTION_SHOW,
	OPTION_OFF,
	OPTION_NO_WAIT,
	OPTION_UNTIL,
	OPTION_DRY_RUN,
	OPTION_YES,
	OPTION_NO_HOOKS,
	OPTION_CONSENT_CODE,

	/* Of consoles and logs. */
	OPTION_FOLLOW,
	OPTION_STEAL,
	OPTION_FLOPPY,
	OPTION_WRITABLE,
	OPTION_BOOT,
	OPTION_END_SESSIONS,
	OPTION_LOG,
	OPTION_ESCAPE,
	OPTION_NO_RECONNECT,
	OPTION_EVERY,
	OPTION_NEW,
	OPTION_CLEAR,

	/* Of screens. */
	OPTION_DISPLAY,
	OPTION_VIEW,
	OPTION_SOCKET,
	OPTION_SCREENSHOT,
	OPTION_DIRECT,
	OPTION_VNC_PASSWORD_FILE,

	/* Of the history. */
	OPTION_SINCE,
	OPTION_LINES,
	OPTION_LAST,
	OPTION_KIND,

	/* What is written into the inventory. */
	OPTION_DRIVER,
	OPTION_CLASS,
	OPTION_TAG,
	OPTION_SET,
	OPTION_VIA,
	OPTION_ADD,
	OPTION_NAME,

	/* Of trust, drivers and coprocess. */
	OPTION_ACCEPT,
	OPTION_FORGET,
	OPTION_SCHEMA,
	OPTION_MAN,
	OPTION_DIR,
	OPTION_COPROCESS,

	/* Which nodes. */
	OPTION_ALL,
	OPTION_EXCLUDE,
	OPTION_NAMES,
	OPTION_WITH_CHILDREN,
	OPTION_MAINTENANCE,
	OPTION_PROTECTED,

	/* How long, and how many at a time. */
	OPTION_TIMEOUT,
	OPTION_DEADLINE,
	OPTION_LOCK_WAIT,
	OPTION_FANOUT,
	OPTION_RATE,
	OPTION_MAX_AT_ONCE,
	OPTION_STAGGER,

	/* How it is told. */
	OPTION_JSON,
	OPTION_METRICS,
	OPTION_OUTPUT,
	OPTION_SORT,
	OPTION_FOLD,
	OPTION_NO_FOLD,
	OPTION_EXIT_CLASS,
	OPTION_CALLER,

	/* Logins. */
	OPTION_CREDENTIAL,
	OPTION_USER,
	OPTION_PASSWORD_FILE,
	OPTION_PASSWORD_STDIN,
	OPTION_GENERATE,
	OPTION_RESUME,
	OPTION_TRY_ANYWAY,

	OPTION_COUNT,
};

/* A list of them, for tables outside of functions: OPTIONS(OPTION_JSON, OPTION_SORT). NULL is an
 * empty one. */
#define OPTIONS(...) ((const enum option_id[]){ __VA_ARGS__, OPTION_COUNT })

/* Every command takes these. */
extern const enum option_id options_global[];

bool options_have(const enum option_id *list, enum option_id id);

enum option_kind {
	OPTION_FLAG,     /* bool */
	OPTION_TIMES,    /* unsigned: how often it was given */
	OPTION_TEXT,     /* const char *; the last one holds */
	OPTION_ONE,      /* const char *: one of what could be several, so that a second is wrong */
	OPTION_LIST,     /* struct words: may be given several times */
	OPTION_TAGS,     /* the same, of tags */
	OPTION_DURATION, /* uint64_t, milliseconds, not 0 */
	OPTION_NUMBER,   /* uint64_t, not 0 */
};

struct option_row {
	const char *name;
	char letter; /* 0: none */
	enum option_kind kind;
	const char *argument; /* what help calls the value */
	const char *help;
	size_t offset; /* in struct options */
};

extern const struct option_row option_rows[OPTION_COUNT];

/* A list of borrowed words. v is NULL-terminated as soon as there is one, NULL before. */
struct words {
	const char **v;
	size_t n, cap;
};

void words_add(struct words *words, const char *word);
void words_done(struct words *words);

/* What was said, in the order of enum option_id. */
struct options {
	bool given[OPTION_COUNT];
	struct words words; /* that are no options */

	bool help, version, quiet, trace;
	unsigned verbose;
	const char *inventory, *plugin_dir;

	bool soft, on_if_off, persistent, no_url_check, legacy, uefi, show, off;
	bool no_wait, dry_run, yes, no_hooks;
	uint64_t force_after_ms;
	const char *url, *until, *consent_code;

	bool follow, steal, boot, end_sessions, no_reconnect, log_new, clear;
	bool writable;
	uint64_t every_ms;
	const char *log, *escape, *floppy;

	uint64_t display;
	bool view, direct;
	const char *socket, *screenshot, *vnc_password_file;

	const char *since, *last, *kind;
	uint64_t lines;

	const char *driver, *node_class, *via, *name;
	struct words tags, settings;

	bool add, accept, forget, schema, man, coprocess;
	const char *dir;

	bool all, names, with_children, maintenance, override_protected;
	struct words exclude;

	uint64_t timeout_ms, deadline_ms, lock_wait_ms, fanout, rate, max_at_once, stagger_ms;

	bool json, metrics, sort, fold, no_fold, exit_class;
	const char *output, *caller;

	const char *credential, *user, *password_file;
	bool password_stdin, try_anyway, generate, resume;
};

/*
 * PCTL_E_CONFIG: err says which option, what is wrong and what would be right. Of what is given
 * twice the last holds, as aliases have it, but for OPTION_ONE.
 */
int options_parse(struct options *ret, int argc, char **argv, struct pctl_error *err);
void options_done(struct options *options);

/*
 * Whether a command that takes the options of allowed and the global ones got no other, and none
 * that contradict each other. PCTL_E_CONFIG otherwise.
 */
int options_check(const struct options *options, const enum option_id *allowed, const char *command,
	struct pctl_error *err);

/* Sets those of a list, which are flags, as if they had been typed. */
void options_set(struct options *options, const enum option_id *list);

#endif
