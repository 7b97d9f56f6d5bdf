/* SPDX-License-Identifier: Apache-2.0 */
/* history: who did what to which node, and what came of it; as runs wrote it down. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <powerctl/history.h>
#include <powerctl/mem.h>
#include <powerctl/nodeset.h>
#include <powerctl/parse.h>

#include "command.h"
#include "output.h"
#include "say.h"
#include "select.h"
#include "since.h"
#include "table.h"
#include "text.h"

#define LINES   50u /* of text, where nobody says how many */
#define LONGEST 65536u

/* One line of the history, or of what is shown: several that say the same. */
struct event {
	json_t *json;
	char *raw;                                                 /* --json: as it was written */
	const char *time, *run, *verb, *user, *sudo_user, *caller; /* json's */
	char *node, *outcome;
	size_t order; /* 0: the newest */
};

struct history {
	struct cli *cli;
	const struct pctl_names *wanted; /* NULL: all */
	struct pctl_names *found;        /* --last: those that have their line */
	char since[SINCE_CHARS + 1];
	struct event *events; /* newest first */
	size_t n, cap, most, bad;
	bool fold;
};

/* --- What is asked for. ----------------------------------------------------------------------- */

/* Beside the verbs that the history knows: what stands for several of them, and for `boot`. */
#define WORDS 3

/* NULL-terminated. */
static void list_verbs(const char *ret[WORDS + PCTL_VERB_COUNT + 1])
{
	static const char *const words[WORDS] = { "any", "start", "pxeboot" };
	size_t n = WORDS;

	memcpy(ret, words, sizeof(words));
	for (int verb = 0; verb < PCTL_VERB_COUNT; verb++)
		if (pctl_verb_word((enum pctl_verb)verb))
			ret[n++] = pctl_verb_word((enum pctl_verb)verb);
	ret[n] = NULL;
}

static bool starts_machines(const char *word)
{
	for (int verb = 0; verb < PCTL_VERB_COUNT; verb++)
		if (pctl_verb_word((enum pctl_verb)verb) &&
			strcmp(pctl_verb_word((enum pctl_verb)verb), word) == 0)
			return pctl_verb_flags((enum pctl_verb)verb) & PCTL_VERB_STARTS;
	return false;
}

static int check_last(const struct cli *cli)
{
	const char *word = cli->options.last, *verbs[WORDS + PCTL_VERB_COUNT + 1];

	list_verbs(verbs);
	if (!word || strchr(word, ' ') || pctl_parse_choice(word, verbs) >= 0)
		return CLI_OK;
	const char *near = pctl_parse_nearest(word, verbs);
	if (near)
		say("--last: '%s' is no verb that changes nodes; did you mean '%s'?", word, near);
	else
		say("--last: '%s' is no verb that changes nodes; it is one of them (on, off, ...), "
		    "'DRIVER METHOD', start or any",
			word);
	return CLI_USAGE;
}

static int read_since(struct history *h)
{
	return since_read(h->cli->options.since, h->since);
}

/* --- Reading. --------------------------------------------------------------------------------- */

static const char *text_of(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

static bool is_one_of(const char *verb, const char *word)
{
	if (strcmp(word, "any") == 0)
		return true;
	if (strcmp(word, "start") == 0)
		return starts_machines(verb);
	return strcmp(verb, strcmp(word, "pxeboot") == 0 ? "boot" : word) == 0;
}

/* `start`: what found the machine on, and was done with that, started nothing. */
static bool fits(const struct history *h, const json_t *json)
{
	const char *last = h->cli->options.last, *node = text_of(json, "node");
	const char *verb = text_of(json, "verb"), *time = text_of(json, "time");

	if (!node || !verb || !time || strcmp(time, h->since) < 0)
		return false;
	if (h->wanted && !pctl_names_has(h->wanted, node))
		return false;
	if (!last)
		return true;
	if (!is_one_of(verb, last) || pctl_names_has(h->found, node))
		return false;
	return strcmp(last, "start") != 0 || json_is_true(json_object_get(json, "changed"));
}

static void add_error(struct pctl_buf *buf, const json_t *json)
{
	const json_t *error = json_object_get(json, "error");
	const char *class = text_of(error, "class"), *message = text_of(error, "message");

	if (class && strcmp(class, "skipped") != 0)
		pctl_buf_addf(buf, ": %s", class);
	if (message)
		pctl_buf_addf(buf, ": %s", message);
}

/* "off", "on (nothing was sent)", "error: unreachable: no answer in 6 s" */
static char *outcome_of(const json_t *json)
{
	const char *word = text_of(json, "outcome"), *warning = text_of(json, "warning");
	bool ok = json_is_true(json_object_get(json, "ok"));
	bool changed = json_is_true(json_object_get(json, "changed"));
	struct pctl_buf buf;

	pctl_buf_init(&buf, TEXT_ANSWER_MAX);
	pctl_buf_adds(&buf, word ? word : "?");
	if (!ok || (word && strcmp(word, "skipped") == 0))
		add_error(&buf, json);
	else if (!changed)
		pctl_buf_adds(&buf, " (nothing was sent)");
	if (warning)
		pctl_buf_addf(&buf, " (%s)", warning);
	return pctl_buf_steal(&buf);
}

static void add_event(struct history *h, json_t *take_json, const char *line, size_t len)
{
	h->events = pctl_xgrow(h->events, &h->cap, h->n + 1, sizeof(*h->events));
	h->events[h->n] = (struct event){ .json = take_json,
		.raw = h->cli->options.json ? pctl_xstrndup(line, len) : NULL,
		.time = text_of(take_json, "time"),
		.run = text_of(take_json, "run"),
		.verb = text_of(take_json, "verb"),
		.user = text_of(take_json, "user"),
		.sudo_user = text_of(take_json, "sudo_user"),
		.caller = text_of(take_json, "caller"),
		.node = pctl_xstrdup(text_of(take_json, "node")),
		.outcome = outcome_of(take_json),
		.order = h->n };
	h->n++;
}

static bool on_line(void *data, const char *line, size_t len)
{
	struct history *h = data;
	json_t *json = len <= LONGEST ? json_loadb(line, len, 0, NULL) : NULL;

	if (!json_is_object(json)) {
		h->bad++;
		json_decref(json);
		return true;
	}
	if (!fits(h, json)) {
		json_decref(json);
		return true;
	}
	if (h->cli->options.last)
		(void)pctl_names_add(h->found, text_of(json, "node"));
	add_event(h, json, line, len);
	if (h->cli->options.last)
		return !h->wanted || pctl_names_count(h->found) < pctl_names_count(h->wanted);
	return h->fold || !h->most || h->n < h->most;
}

/* --- Showing. --------------------------------------------------------------------------------- */

static int compare(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int by_likeness(const void *va, const void *vb)
{
	const struct event *a = va, *b = vb;
	int r = compare(a->run, b->run);

	if (!r)
		r = compare(a->verb, b->verb);
	if (!r)
		r = compare(a->outcome, b->outcome);
	return r ? r : (a->order > b->order) - (a->order < b->order);
}

static int by_order(const void *va, const void *vb)
{
	const struct event *a = va, *b = vb;

	return (a->order > b->order) - (a->order < b->order);
}

static void done_event(struct event *e)
{
	json_decref(e->json);
	free(e->raw);
	free(e->node);
	free(e->outcome);
}

/* Those of one run that say the same become one, as new as the newest of them. */
static void fold(struct history *h)
{
	size_t kept = 0;

	if (h->n)
		qsort(h->events, h->n, sizeof(*h->events), by_likeness);
	for (size_t i = 0, next = 0; i < h->n; i = next) {
		struct pctl_names *names = pctl_names_new();
		struct event *e = &h->events[i];

		for (; next < h->n && compare(h->events[next].run, e->run) == 0 &&
			compare(h->events[next].verb, e->verb) == 0 &&
			compare(h->events[next].outcome, e->outcome) == 0;
			next++)
			(void)pctl_names_add(names, h->events[next].node);
		for (size_t k = i + 1; k < next; k++)
			done_event(&h->events[k]);
		free(e->node);
		e->node = pctl_names_fold(names);
		pctl_names_free(names);
		h->events[kept++] = *e;
	}
	h->n = kept;
	qsort(h->events, h->n, sizeof(*h->events), by_order);
}

static void add_row(struct table *t, const struct event *e)
{
	PCTL_AUTO(free) char *when = NULL;
	PCTL_AUTO(free) char *who = NULL;
	PCTL_AUTO(free) char *what = pctl_xasprintf("%s: %s", e->node, e->outcome);

	when = e->time ? pctl_xasprintf("%.10s %.8sZ", e->time,
				 strlen(e->time) >= SINCE_CHARS ? e->time + 11 : "")
		       : pctl_xstrdup("-");
	who = e->sudo_user && e->user ? pctl_xasprintf("%s (%s)", e->sudo_user, e->user)
				      : pctl_xstrdup(e->user ? e->user : "");
	table_add(t, when);
	table_add(t, who);
	table_add(t, e->caller ? e->caller : "");
	table_add(t, e->verb ? e->verb : "");
	table_add(t, what);
}

static void show_text(const struct history *h, size_t n)
{
	static const unsigned columns[] = { 0, 0, 0, 0, 0 };
	struct pctl_buf buf;
	struct table t;

	pctl_buf_init(&buf, (size_t)1 << 30);
	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = n; i-- > 0;)
		add_row(&t, &h->events[i]);
	table_write(&t, &buf, "", "\n");
	if (buf.len)
		(void)printf("%s\n", buf.data);
	table_done(&t);
	pctl_buf_done(&buf);
}

static void show(struct history *h)
{
	if (h->fold)
		fold(h);
	size_t n = h->most && h->n > h->most ? h->most : h->n;
	if (!h->cli->options.json) {
		show_text(h, n);
		return;
	}
	for (size_t i = n; i-- > 0;)
		(void)printf("%s\n", h->events[i].raw);
}

/* --last: nodes that have no line get one that says so. */
static void add_missing(struct history *h)
{
	static const char *const keys[] = { "time", "run", "user", "sudo_user", "pid", "host",
		"caller", "verb", "request", "driver", "outcome", "ok", "state", "changed",
		"confirmed", "attempts", "elapsed_ms", "error", "warning" };

	for (size_t i = pctl_names_count(h->wanted); i-- > 0;) {
		const char *node = pctl_names_at(h->wanted, i);
		json_t *json = json_object();

		if (pctl_names_has(h->found, node)) {
			json_decref(json);
			continue;
		}
		(void)json_object_set_new(json, "v", json_integer(1));
		(void)json_object_set_new(json, "node", json_string(node));
		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
			(void)json_object_set_new(json, keys[k], json_null());
		char *line = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII);
		if (!line)
			pctl_out_of_memory();
		add_event(h, json, line, strlen(line));
		free(line);
		free(h->events[h->n - 1].outcome);
		h->events[h->n - 1].outcome = pctl_xstrdup("never");
	}
}

/* Neither silence nor a cut is to be taken for all there is. */
static void say_rest(const struct history *h)
{
	const struct options *o = &h->cli->options;

	if (o->quiet)
		return;
	if (h->bad)
		say("%zu line%s of the history cannot be read and %s left out", h->bad,
			h->bad == 1 ? "" : "s", h->bad == 1 ? "is" : "are");
	if (h->n == 0)
		say("nothing was written down%s%s%s", h->wanted ? " of these nodes" : " yet",
			o->last ? " of this verb" : "", *h->since ? " since then" : "");
	else if (!o->lines && h->most && h->n >= h->most)
		say("these are the newest; -n N shows more, --since 2h all since then");
}

/* NODES need not be in the inventory any more. */
static int read_nodes(struct cli *cli, struct pctl_names **ret)
{
	struct pctl_names *names;

	if (!cli->nargs && !cli->options.all && !cli->options.exclude.n)
		return CLI_OK;
	names = pctl_names_new();
	if (!cli->nargs)
		cli->options.all = true;
	int status = select_names(cli, cli->args, names);
	if (status == CLI_OK && pctl_names_count(names) == 0) {
		say("these NODES stand for no node");
		status = CLI_USAGE;
	}
	*ret = names;
	return status;
}

static int read_and_show(struct history *h)
{
	const struct options *o = &h->cli->options;
	struct pctl_error err = { 0 };

	h->fold = output_choose(h->cli) == OUTPUT_FOLD;
	h->most = o->lines;
	if (!h->most && !o->json && !o->last && !*h->since)
		h->most = LINES;
	if (pctl_history_read(on_line, h, &err) < 0) {
		say("%s", err.text);
		return CLI_FAILED;
	}
	if (o->last && h->wanted)
		add_missing(h);
	show(h);
	say_rest(h);
	return CLI_OK;
}

static int exec_history(struct cli *cli)
{
	struct pctl_names *wanted = NULL;
	struct history h = { .cli = cli, .found = pctl_names_new() };

	int status = check_last(cli);
	if (status == CLI_OK)
		status = read_since(&h);
	if (status == CLI_OK)
		status = read_nodes(cli, &wanted);
	h.wanted = wanted;
	if (status == CLI_OK)
		status = read_and_show(&h);
	for (size_t i = 0; i < h.n; i++)
		done_event(&h.events[i]);
	free(h.events);
	pctl_names_free(h.found);
	pctl_names_free(wanted);
	return status;
}

const struct command command_history = {
	.name = "history",
	.usage = "[NODES]",
	.summary = "who did what to which node, and what came of it",
	.help = "What your commands were to change, newest last, times in UTC; what only reads is "
		"not written\ndown. --last VERB shows of each node only the newest line of that "
		"verb, "
		"and 'never' where there\nis none; --last start: of all verbs that start machines, "
		"where something was sent. NODES need\nnot be in the inventory any more.",
	.flags = COMMAND_NODES | COMMAND_ALL,
	.options = OPTIONS(OPTIONS_NODES, OPTIONS_FORM, OPTION_SINCE, OPTION_LINES, OPTION_LAST),
	.exec = exec_history,
};
