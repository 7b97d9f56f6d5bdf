/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <stddef.h>
#include <string.h>

#include <powerctl/inventory.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#define ROW(option, letter, kind, argument, member, help)                              \
	{                                                                              \
		option, letter, kind, argument, help, offsetof(struct options, member) \
	}

const struct option_row option_rows[OPTION_COUNT] = {
	[OPTION_HELP] = ROW("help", 'h', OPTION_FLAG, NULL, help, "say what the command does"),
	[OPTION_VERSION] = ROW("version", 'V', OPTION_FLAG, NULL, version, "say the version"),
	[OPTION_QUIET] = ROW("quiet", 'q', OPTION_FLAG, NULL, quiet,
		"no progress, summary or notices on stderr"),
	[OPTION_VERBOSE] = ROW("verbose", 'v', OPTION_TIMES, NULL, verbose,
		"add addresses and hints; twice: what the program decides"),
	[OPTION_INVENTORY] =
		ROW("inventory", 0, OPTION_TEXT, "FILE", inventory, "the inventory to use"),
	[OPTION_PLUGIN_DIR] =
		ROW("plugin-dir", 0, OPTION_TEXT, "DIR", plugin_dir, "where the drivers are"),
	[OPTION_TRACE] = ROW("trace", 0, OPTION_FLAG, NULL, trace,
		"show every exchange with the devices on stderr, secrets left out"),

	[OPTION_SOFT] =
		ROW("soft", 0, OPTION_FLAG, NULL, soft, "ask the operating system to do it"),
	[OPTION_FORCE_AFTER] = ROW("force-after", 0, OPTION_DURATION, "DURATION", force_after_ms,
		"with --soft: hard after this time"),
	[OPTION_ON_IF_OFF] =
		ROW("on-if-off", 0, OPTION_FLAG, NULL, on_if_off, "turn on what is off"),
	[OPTION_PERSISTENT] = ROW("persistent", 0, OPTION_FLAG, NULL, persistent,
		"for every start, not only the next"),
	[OPTION_URL] = ROW("url", 0, OPTION_TEXT, "URL", url, "what to load, for http"),
	[OPTION_NO_URL_CHECK] = ROW("no-url-check", 0, OPTION_FLAG, NULL, no_url_check,
		"do not ask for it here first: only the machine reaches it"),
	[OPTION_LEGACY] = ROW("legacy", 0, OPTION_FLAG, NULL, legacy, "start the BIOS way"),
	[OPTION_UEFI] = ROW("uefi", 0, OPTION_FLAG, NULL, uefi, "start the UEFI way"),
	[OPTION_SHOW] = ROW("show", 0, OPTION_FLAG, NULL, show, "only read what is set"),
	[OPTION_OFF] = ROW("off", 0, OPTION_FLAG, NULL, off, "end it"),
	[OPTION_NO_WAIT] = ROW("no-wait", 0, OPTION_FLAG, NULL, no_wait,
		"end when the device has accepted, without confirmation"),
	[OPTION_UNTIL] = ROW("until", 0, OPTION_TEXT, "ready", until,
		"then wait until the machine's own test passes"),
	[OPTION_DRY_RUN] = ROW(
		"dry-run", 0, OPTION_FLAG, NULL, dry_run, "say what would be sent; change nothing"),
	[OPTION_YES] = ROW("yes", 'y', OPTION_FLAG, NULL, yes,
		"do not ask (discover: addresses that are not private, too)"),
	[OPTION_NO_HOOKS] = ROW("no-hooks", 0, OPTION_FLAG, NULL, no_hooks,
		"run none of the inventory's hooks, for emergencies"),
	[OPTION_CONSENT_CODE] = ROW("consent-code", 0, OPTION_TEXT, "CODE", consent_code,
		"what the machine's screen shows, where somebody there has to agree"),

	[OPTION_FOLLOW] = ROW("follow", 0, OPTION_FLAG, NULL, follow,
		"go on showing what comes, of several nodes; send nothing"),
	[OPTION_STEAL] =
		ROW("steal", 0, OPTION_FLAG, NULL, steal, "take it from whoever else is using it"),
	[OPTION_FLOPPY] = ROW("floppy", 0, OPTION_TEXT, "FILE", floppy,
		"with media attach: the image of a floppy"),
	[OPTION_WRITABLE] = ROW("writable", 0, OPTION_FLAG, NULL, writable,
		"the machine may write to the medium, where its controller can"),
	[OPTION_BOOT] = ROW("boot", 0, OPTION_FLAG, NULL, boot,
		"then reset the machine, or turn it on, to start with that"),
	[OPTION_END_SESSIONS] = ROW("end-sessions", 0, OPTION_FLAG, NULL, end_sessions,
		"first end consoles, media and screens that forbid it, whoever has them"),
	[OPTION_LOG] = ROW("log", 0, OPTION_TEXT, "FILE", log, "append what is printed to a file"),
	[OPTION_ESCAPE] = ROW("escape", 0, OPTION_TEXT, "CHARACTER", escape,
		"what escape sequences begin with: ~, ^], none"),
	[OPTION_NO_RECONNECT] = ROW(
		"no-reconnect", 0, OPTION_FLAG, NULL, no_reconnect, "a lost connection is the end"),
	[OPTION_EVERY] = ROW("every", 0, OPTION_DURATION, "DURATION", every_ms,
		"with --follow: how often logs are read (5s)"),
	[OPTION_NEW] =
		ROW("new", 0, OPTION_FLAG, NULL, log_new, "only what came since you last looked"),
	[OPTION_CLEAR] = ROW("clear", 0, OPTION_FLAG, NULL, clear, "empty the log"),

	[OPTION_DISPLAY] =
		ROW("display", 0, OPTION_NUMBER, "N", display, "which of several displays, from 1"),
	[OPTION_VIEW] = ROW("view", 0, OPTION_FLAG, NULL, view,
		"start a VNC viewer for it: $VNCVIEWER, or one that is found"),
	[OPTION_SOCKET] = ROW("socket", 0, OPTION_TEXT, "PATH", socket,
		"wait for the viewer at a socket that is this user's alone"),
	[OPTION_SCREENSHOT] = ROW("screenshot", 0, OPTION_TEXT, "FILE", screenshot,
		"write a picture of the screen (PNG); of several nodes into a folder"),
	[OPTION_DIRECT] = ROW("direct", 0, OPTION_FLAG, NULL, direct,
		"set up the machine's own VNC port, with a password for viewers"),
	[OPTION_VNC_PASSWORD_FILE] = ROW("vnc-password-file", 0, OPTION_TEXT, "FILE",
		vnc_password_file, "a file that holds that password"),

	[OPTION_SINCE] = ROW("since", 0, OPTION_TEXT, "TIME", since,
		"only what is newer: 30m, 2h or 7d ago, or a time in UTC (2026-11-20 10:00)"),
	[OPTION_LINES] =
		ROW("lines", 'n', OPTION_NUMBER, "N", lines, "at most so many, the newest"),
	[OPTION_LAST] = ROW("last", 0, OPTION_ONE, "VERB", last,
		"of each node the newest line of this verb; start, any: of several"),

	[OPTION_KIND] = ROW("kind", 0, OPTION_ONE, "LOG", kind,
		"with log: one of several logs of a device: event, audit"),

	[OPTION_DRIVER] =
		ROW("driver", 0, OPTION_ONE, "NAME", driver, "the driver, instead of looking"),
	[OPTION_CLASS] = ROW("class", 0, OPTION_ONE, "NAME", node_class, "the class of the node"),
	[OPTION_TAG] = ROW("tag", 0, OPTION_TAGS, "TAG", tags, "a tag of the node"),
	[OPTION_SET] = ROW("set", 0, OPTION_LIST, "KEY=VALUE", settings,
		"a setting of the node (discover: DRIVER.KEY=VALUE)"),
	[OPTION_VIA] = ROW("via", 0, OPTION_TEXT, "GATEWAY", via,
		"the gateway on the way: ssh://HOST, socks5://HOST"),
	[OPTION_ADD] =
		ROW("add", 0, OPTION_FLAG, NULL, add, "write what is found into the inventory"),
	[OPTION_NAME] = ROW("name", 0, OPTION_TEXT, "PATTERN", name,
		"with --add: names that count up, n[001-]; else what DNS calls the addresses"),

	[OPTION_ACCEPT] = ROW("accept", 0, OPTION_FLAG, NULL, accept,
		"trust from now on what the device showed last"),
	[OPTION_FORGET] = ROW("forget", 0, OPTION_FLAG, NULL, forget,
		"forget the device: trust what it shows next"),
	[OPTION_SCHEMA] = ROW("schema", 0, OPTION_FLAG, NULL, schema,
		"a JSON Schema of the inventory, for editors"),
	[OPTION_MAN] = ROW("man", 0, OPTION_FLAG, NULL, man,
		"the settings as part of a manual page, for scdoc"),
	[OPTION_DIR] = ROW("dir", 0, OPTION_TEXT, "DIR", dir, "where `drivers new` makes a folder"),
	[OPTION_COPROCESS] = ROW(
		"coprocess", 0, OPTION_FLAG, NULL, coprocess, "the same as the verb of that name"),

	[OPTION_ALL] = ROW("all", 'a', OPTION_FLAG, NULL, all, "all nodes of the inventory"),
	[OPTION_EXCLUDE] =
		ROW("exclude", 'x', OPTION_LIST, "NODES", exclude, "leave these nodes out"),
	[OPTION_NAMES] = ROW("names", 0, OPTION_FLAG, NULL, names,
		"what follows are only names and ranges of the inventory's nodes"),
	[OPTION_WITH_CHILDREN] = ROW("with-children", 0, OPTION_FLAG, NULL, with_children,
		"also what stands in these nodes, the blades of a chassis, in the right order"),
	[OPTION_MAINTENANCE] = ROW("maintenance", 0, OPTION_FLAG, NULL, maintenance,
		"include nodes that are in maintenance"),
	[OPTION_PROTECTED] = ROW("protected", 0, OPTION_FLAG, NULL, override_protected,
		"include nodes that are protected"),

	[OPTION_TIMEOUT] = ROW("timeout", 0, OPTION_DURATION, "DURATION", timeout_ms,
		"for one node's whole verb, waiting in the queue not counted"),
	[OPTION_DEADLINE] = ROW(
		"deadline", 0, OPTION_DURATION, "DURATION", deadline_ms, "for the whole command"),
	[OPTION_LOCK_WAIT] = ROW("lock-wait", 0, OPTION_DURATION, "DURATION", lock_wait_ms,
		"wait so long for another command's lock, then go first"),
	[OPTION_FANOUT] = ROW("fanout", 0, OPTION_NUMBER, "N", fanout, "nodes at a time"),
	[OPTION_RATE] = ROW("rate", 0, OPTION_NUMBER, "N", rate, "addresses a second (500)"),
	[OPTION_MAX_AT_ONCE] = ROW("max-at-once", 0, OPTION_NUMBER, "N", max_at_once,
		"start at most so many machines at once; the inventory's limits hold as well"),
	[OPTION_STAGGER] = ROW("stagger", 0, OPTION_DURATION, "DURATION", stagger_ms,
		"start machines at least so far apart; the inventory's limits hold as well"),

	[OPTION_JSON] = ROW("json", 0, OPTION_FLAG, NULL, json, "JSON, one object per line"),
	[OPTION_METRICS] = ROW("metrics", 0, OPTION_FLAG, NULL, metrics,
		"the states as metrics for Prometheus, when all are there"),
	[OPTION_OUTPUT] = ROW("output", 'o', OPTION_TEXT, "FILE", output,
		"with --metrics: replace this file in one step"),
	[OPTION_SORT] =
		ROW("sort", 0, OPTION_FLAG, NULL, sort, "lines in the order of the inventory"),
	[OPTION_FOLD] = ROW("fold", 0, OPTION_FLAG, NULL, fold, "one line for equal results"),
	[OPTION_NO_FOLD] =
		ROW("no-fold", 0, OPTION_FLAG, NULL, no_fold, "one line per node, at once"),
	[OPTION_EXIT_CLASS] = ROW("exit-class", 0, OPTION_FLAG, NULL, exit_class,
		"exit 3, 4 or 5 where all failures are of one kind"),
	[OPTION_CALLER] = ROW("caller", 0, OPTION_TEXT, "NAME", caller,
		"the program that asks, for the history ($POWERCTL_CALLER)"),

	[OPTION_CREDENTIAL] = ROW("credential", 0, OPTION_TEXT, "NAME", credential,
		"a credential of the inventory, for URLs, add and import"),
	[OPTION_USER] =
		ROW("user", 'u', OPTION_TEXT, "NAME", user, "the user, for URLs, add and import"),
	[OPTION_PASSWORD_FILE] = ROW("password-file", 0, OPTION_TEXT, "FILE", password_file,
		"a file that holds the password: of URLs, add and import; with passwd the new one"),
	[OPTION_PASSWORD_STDIN] = ROW("password-stdin", 0, OPTION_FLAG, NULL, password_stdin,
		"read the password from standard input"),
	[OPTION_GENERATE] = ROW("generate", 0, OPTION_FLAG, NULL, generate,
		"make up the new password, another one for each file"),
	[OPTION_RESUME] = ROW("resume", 0, OPTION_FLAG, NULL, resume,
		"go on with what was interrupted; without NODES: with all of it"),
	[OPTION_TRY_ANYWAY] = ROW("try-anyway", 0, OPTION_FLAG, NULL, try_anyway,
		"log in also where the credential was refused a moment ago"),
};

const enum option_id options_global[] = {
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_QUIET,
	OPTION_VERBOSE,
	OPTION_INVENTORY,
	OPTION_PLUGIN_DIR,
	OPTION_TRACE,
	OPTION_COUNT,
};

bool options_have(const enum option_id *list, enum option_id id)
{
	while (list && *list != OPTION_COUNT)
		if (*list++ == id)
			return true;
	return false;
}

void words_add(struct words *words, const char *word)
{
	words->v = pctl_xgrow(words->v, &words->cap, words->n + 2, sizeof(*words->v));
	words->v[words->n++] = word;
	words->v[words->n] = NULL;
}

void words_done(struct words *words)
{
	free(words->v);
	*words = (struct words){ 0 };
}

/* Where we are in argv. */
struct cursor {
	char **argv;
	int argc, i;
};

static int unknown(const char *name, size_t len, struct pctl_error *err)
{
	PCTL_AUTO(free) char *word = pctl_xstrndup(name, len);
	const char *names[OPTION_COUNT + 1] = { NULL };

	for (size_t i = 0; i < OPTION_COUNT; i++)
		names[i] = option_rows[i].name;
	const char *near = pctl_parse_nearest(word, names);
	if (near)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "unknown option --%s; did you mean --%s?", word, near);
	return pctl_error_set(err, PCTL_E_CONFIG,
		"unknown option --%s; `powerctl help VERB` lists those of a verb", word);
}

static int store_duration(
	const char *name, const char *value, uint64_t *ret, struct pctl_error *err)
{
	uint64_t ms = 0;

	if (pctl_parse_duration(value, &ms) < 0 || ms == 0)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"--%s: '%s' is not a duration; write 500ms, 60s or 2m", name, value);
	*ret = ms;
	return 0;
}

static int store_number(const char *name, const char *value, uint64_t *ret, struct pctl_error *err)
{
	uint64_t n = 0;

	if (pctl_parse_uint(value, PCTL_FANOUT_MAX, &n) < 0 || n == 0)
		return pctl_error_set(err, PCTL_E_CONFIG, "--%s: '%s' is not a number from 1 to %u",
			name, value, PCTL_FANOUT_MAX);
	*ret = n;
	return 0;
}

static int store_tag(const char *value, struct words *ret, struct pctl_error *err)
{
	const char *wrong = pctl_inventory_wrong_tag(value);

	if (wrong)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"--tag '%s': %s; write --tag once for each", value, wrong);
	words_add(ret, value);
	return 0;
}

static int store(struct options *o, enum option_id id, const char *value, struct pctl_error *err)
{
	const struct option_row *row = &option_rows[id];
	void *at = (char *)o + row->offset;

	if (o->given[id] && row->kind == OPTION_ONE)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"--%s is given twice, and takes one: leave the other out", row->name);
	o->given[id] = true;
	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)at = true;
		return 0;
	case OPTION_TIMES:
		++*(unsigned *)at;
		return 0;
	case OPTION_TEXT:
	case OPTION_ONE:
		*(const char **)at = value;
		return 0;
	case OPTION_LIST:
		words_add(at, value);
		return 0;
	case OPTION_TAGS:
		return store_tag(value, at, err);
	case OPTION_DURATION:
		return store_duration(row->name, value, at, err);
	case OPTION_NUMBER:
		return store_number(row->name, value, at, err);
	}
	return 0;
}

/* The next word as a value. A word that looks like an option is more likely one than a value. */
static int next_value(
	struct cursor *c, const struct option_row *row, const char **ret, struct pctl_error *err)
{
	const char *value = c->i + 1 < c->argc ? c->argv[c->i + 1] : NULL;

	if (!value || strncmp(value, "--", 2) == 0)
		return pctl_error_set(err, PCTL_E_CONFIG, "--%s needs a value: --%s %s", row->name,
			row->name, row->argument);
	c->i++;
	*ret = value;
	return 0;
}

static int find_long(const char *name, size_t len)
{
	for (int i = 0; i < OPTION_COUNT; i++)
		if (strlen(option_rows[i].name) == len &&
			strncmp(option_rows[i].name, name, len) == 0)
			return i;
	return -1;
}

static int parse_long(struct options *o, struct cursor *c, struct pctl_error *err)
{
	const char *name = c->argv[c->i] + 2;
	size_t len = strcspn(name, "=");
	const char *value = name[len] == '=' ? name + len + 1 : NULL;
	int id = find_long(name, len);

	if (id < 0)
		return unknown(name, len, err);
	const struct option_row *row = &option_rows[id];
	if (!row->argument && value)
		return pctl_error_set(err, PCTL_E_CONFIG, "--%s takes no value", row->name);
	if (row->argument && !value) {
		int r = next_value(c, row, &value, err);
		if (r < 0)
			return r;
	}
	return store(o, (enum option_id)id, value, err);
}

static int find_letter(char letter)
{
	for (int i = 0; i < OPTION_COUNT; i++)
		if (option_rows[i].letter == letter)
			return i;
	return -1;
}

static int parse_letters(struct options *o, struct cursor *c, struct pctl_error *err)
{
	for (const char *p = c->argv[c->i] + 1; *p; p++) {
		int id = find_letter(*p);

		if (id < 0)
			return pctl_error_set(err, PCTL_E_CONFIG,
				"unknown option -%c; `powerctl help` lists the options", *p);
		const struct option_row *row = &option_rows[id];
		const char *value = NULL;
		if (row->argument) {
			int r = 0;

			if (p[1])
				value = p + 1;
			else
				r = next_value(c, row, &value, err);
			return r < 0 ? r : store(o, (enum option_id)id, value, err);
		}
		int r = store(o, (enum option_id)id, NULL, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int options_parse(struct options *ret, int argc, char **argv, struct pctl_error *err)
{
	struct cursor c = { argv, argc, 1 };
	bool ended = false;
	int r = 0;

	*ret = (struct options){ 0 };
	for (; c.i < argc && r >= 0; c.i++) {
		const char *word = argv[c.i];

		if (ended || word[0] != '-' || word[1] == '\0')
			words_add(&ret->words, word);
		else if (strcmp(word, "--") == 0)
			ended = true;
		else if (word[1] == '-')
			r = parse_long(ret, &c, err);
		else
			r = parse_letters(ret, &c, err);
		ended = ended || ret->names;
	}
	return r;
}

void options_done(struct options *options)
{
	words_done(&options->words);
	words_done(&options->exclude);
	words_done(&options->tags);
	words_done(&options->settings);
}

/* Pairs that contradict each other. */
static const struct {
	enum option_id a, b;
} rivals[] = {
	{ OPTION_SCHEMA, OPTION_JSON },
	{ OPTION_SCHEMA, OPTION_MAN },
	{ OPTION_JSON, OPTION_MAN },
	{ OPTION_FOLD, OPTION_NO_FOLD },
	{ OPTION_FOLD, OPTION_JSON },
	{ OPTION_METRICS, OPTION_JSON },
	{ OPTION_METRICS, OPTION_FOLD },
	{ OPTION_LEGACY, OPTION_UEFI },
	{ OPTION_ACCEPT, OPTION_FORGET },
	{ OPTION_NEW, OPTION_CLEAR },
	{ OPTION_FOLLOW, OPTION_CLEAR },
	{ OPTION_FOLLOW, OPTION_DEADLINE },
	{ OPTION_FOLLOW, OPTION_DRY_RUN },
	{ OPTION_FOLLOW, OPTION_FOLD },
	{ OPTION_FOLLOW, OPTION_SORT },
	{ OPTION_NO_WAIT, OPTION_UNTIL },
	{ OPTION_PASSWORD_FILE, OPTION_PASSWORD_STDIN },
	{ OPTION_NAMES, OPTION_ALL },
	{ OPTION_CREDENTIAL, OPTION_USER },
	{ OPTION_CREDENTIAL, OPTION_PASSWORD_FILE },
	{ OPTION_CREDENTIAL, OPTION_PASSWORD_STDIN },
};

int options_check(const struct options *options, const enum option_id *allowed, const char *command,
	struct pctl_error *err)
{
	for (enum option_id id = 0; id < OPTION_COUNT; id++)
		if (options->given[id] && !options_have(allowed, id) &&
			!options_have(options_global, id))
			return pctl_error_set(err, PCTL_E_CONFIG,
				"--%s is no option of %s; `powerctl help %s` lists them",
				option_rows[id].name, command, command);
	for (size_t i = 0; i < sizeof(rivals) / sizeof(rivals[0]); i++)
		if (options->given[rivals[i].a] && options->given[rivals[i].b])
			return pctl_error_set(err, PCTL_E_CONFIG,
				"--%s and --%s exclude each other: choose one",
				option_rows[rivals[i].a].name, option_rows[rivals[i].b].name);
	if (options->force_after_ms && !options->soft)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "--force-after goes with --soft: add --soft");
	if (options->output && !options->metrics)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "--output goes with --metrics: add --metrics");
	return 0;
}

void options_set(struct options *options, const enum option_id *list)
{
	for (; list && *list != OPTION_COUNT; list++) {
		*(bool *)(void *)((char *)options + option_rows[*list].offset) = true;
		options->given[*list] = true;
	}
}
