/* SPDX-License-Identifier: Apache-2.0 */
/*
 * powerctl --coprocess: commands on standard input, answers on standard output, for programs that
 * talk to a prompt as powermand does. One command at a time; what comes meanwhile waits. At the end
 * of the input the whole lines that came are still done; if nobody reads the answers either, what
 * is under way is ended.
 */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "ask.h"
#include "command.h"
#include "inflow.h"
#include "outflow.h"
#include "render.h"
#include "run.h"
#include "say.h"
#include "signals.h"
#include "text.h"

#define PROMPT       "powerctl> "
#define LINE_SIZE    ((size_t)256 << 10) /* a folded list of very many nodes */
#define PENDING_SIZE (LINE_SIZE + INFLOW_MAX)
#define READ_MS      UINT64_C(15000) /* unless --timeout is shorter */
#define CHANGE_MS    UINT64_C(45000) /* unless --timeout says otherwise */
#define QUEUE_MS     UINT64_C(5000)  /* for locks, limits and the fanout */
#define WORDS_MAX    64u             /* words of one command */

struct coprocess {
	struct cli *cli;
	struct selection scope;
	bool *in_scope; /* by node of the inventory */
	struct inflow in;
	struct outflow out;
	struct signals signals;
	char *pending; /* what came and was not looked at, PENDING_SIZE bytes */
	size_t n;
	bool skipping; /* the rest of a line that was too long */
	bool eof;      /* nothing comes any more */
	bool ended;    /* no command follows */
	struct ask ask;
	const struct row *row; /* of the command under way */
	size_t failed;
};

/* What can be typed. */
struct row {
	const char *word;
	enum pctl_verb verb;
	bool reads; /* a state: all nodes where none is named */
	bool off;   /* of identify */
	bool helps, ends;
	const char *help; /* what follows the word */
};

static const struct row rows[] = {
	{ .word = "stat", .verb = PCTL_VERB_STATUS, .reads = true, .help = "[NODES]" },
	{ .word = "status", .verb = PCTL_VERB_STATUS, .reads = true, .help = "[NODES]" },
	{ .word = "on", .verb = PCTL_VERB_ON, .help = "NODES" },
	{ .word = "off", .verb = PCTL_VERB_OFF, .help = "NODES" },
	{ .word = "cycle", .verb = PCTL_VERB_REBOOT, .help = "NODES" },
	{ .word = "reset", .verb = PCTL_VERB_RESET, .help = "NODES" },
	{ .word = "identify-on", .verb = PCTL_VERB_IDENTIFY, .help = "NODES" },
	{ .word = "identify-off", .verb = PCTL_VERB_IDENTIFY, .off = true, .help = "NODES" },
	{ .word = "help", .helps = true, .help = "" },
	{ .word = "quit", .ends = true, .help = "" },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* --- What is answered. ------------------------------------------------------------------------ */

static void tell(struct coprocess *c, const char *name, const char *text)
{
	struct pctl_buf line;

	pctl_buf_init(&line, TEXT_LINE_MAX);
	text_clean(&line, name);
	pctl_buf_adds(&line, ": ");
	text_clean(&line, text);
	pctl_buf_adds(&line, "\n");
	outflow_put(&c->out, line.data, line.len);
	pctl_buf_done(&line);
}

static void refuse(struct coprocess *c, const char *text)
{
	tell(c, "error", text);
	c->failed++;
}

/* The last line of an answer, and that the next command may come. */
static void finish(struct coprocess *c)
{
	PCTL_AUTO(free)
	char *line = c->failed ? pctl_xasprintf("= failed %zu\n" PROMPT, c->failed)
			       : pctl_xstrdup("= ok\n" PROMPT);

	outflow_put(&c->out, line, strlen(line));
	c->failed = 0;
}

static void on_result(void *data, const struct pctl_result *r)
{
	struct coprocess *c = data;
	const struct render_style style = { 0 };
	PCTL_AUTO(free) char *text = render_result(r, &style);

	if (!r->ok || r->error.code)
		c->failed++;
	if (r->ok && r->error.code) {
		PCTL_AUTO(free) char *skipped = pctl_xasprintf("error: %s", text);

		tell(c, r->name, skipped);
	} else {
		tell(c, r->name, r->ok && !c->row->reads ? "ok" : text);
	}
}

/* --- What is asked. --------------------------------------------------------------------------- */

static struct pctl_request request_of(const struct coprocess *c)
{
	struct pctl_request request = run_request_from(c->cli, c->row->verb);
	uint64_t given = request.timeout_ms, most = c->row->reads ? READ_MS : CHANGE_MS;

	if (!given || (c->row->reads && given > most))
		request.timeout_ms = most;
	request.deadline_ms = request.timeout_ms + QUEUE_MS;
	request.identify_off = c->row->off;
	request.maintenance = request.maintenance || c->row->reads;
	return request;
}

static void refuse_all(struct coprocess *c, const struct pctl_problems *problems)
{
	for (size_t i = 0; pctl_problems_at(problems, i); i++)
		refuse(c, pctl_problems_at(problems, i));
}

static void ask(struct coprocess *c, const struct selection *selection)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_request request = request_of(c);

	if (ask_nodes(c->cli, selection, &request, &c->ask, on_result, c, problems) < 0)
		refuse_all(c, problems);
	pctl_problems_free(problems);
}

/* Whether it was started for all of these; else it is told. */
static bool is_within(struct coprocess *c, const struct selection *selection)
{
	for (size_t i = 0; i < selection->count; i++) {
		if (c->in_scope[selection->nodes[i]])
			continue;
		PCTL_AUTO(free)
		char *text = pctl_xasprintf("node '%s' is none of those that this was started for",
			pctl_inventory_name(c->cli->inventory, selection->nodes[i]));
		refuse(c, text);
		return false;
	}
	return selection->count > 0;
}

/* What may stand for nodes here; else it is told. */
static bool are_names(struct coprocess *c, const char *const *words)
{
	for (; *words; words++) {
		if (select_is_names(*words))
			continue;
		PCTL_AUTO(free)
		char *text = pctl_xasprintf("'%.200s' is no name or range of names", *words);
		refuse(c, text);
		return false;
	}
	return true;
}

static void ask_words(struct coprocess *c, const char *const *words)
{
	const struct pctl_selection wanted = { .words = words };
	struct pctl_problems *problems = pctl_problems_new();
	struct selection selection = { 0 };

	if (pctl_inventory_select(
		    c->cli->inventory, &wanted, &selection.nodes, &selection.count, problems) < 0)
		refuse_all(c, problems);
	else if (is_within(c, &selection))
		ask(c, &selection);
	selection_done(&selection);
	pctl_problems_free(problems);
}

static void help(struct coprocess *c)
{
	for (size_t i = 0; i < ROWS; i++)
		tell(c, rows[i].word, rows[i].help);
}

static const struct row *find_row(const char *word)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strcmp(rows[i].word, word) == 0)
			return &rows[i];
	return NULL;
}

static void obey(struct coprocess *c, const char *const *words)
{
	const struct row *row = find_row(words[0]);

	c->row = row;
	if (!row)
		refuse(c, "unknown command; `help` lists them");
	else if (row->ends)
		c->ended = true;
	else if (row->helps)
		help(c);
	else if (!words[1] && row->reads)
		ask(c, &c->scope);
	else if (!words[1])
		refuse(c, "no nodes are named");
	else if (are_names(c, words + 1))
		ask_words(c, words + 1);
}

/* Takes the line apart; a text that no person and no program types is told so. */
static void do_line(struct coprocess *c, char *line, size_t len)
{
	const char *words[WORDS_MAX + 1] = { NULL };
	bool text = strlen(line) == len;
	char *rest = line, *word = NULL;
	size_t n = 0;

	while (text && n <= WORDS_MAX && (word = strtok_r(rest, " \t\r", &rest)) != NULL)
		if (n++ < WORDS_MAX)
			words[n - 1] = word;
	if (!text)
		refuse(c, "not a text");
	else if (n > WORDS_MAX)
		refuse(c, "too many words; write the nodes as ranges");
	else if (n)
		obey(c, words);
	if (!c->ended)
		finish(c);
}

/* --- Bytes. ----------------------------------------------------------------------------------- */

static void drop(struct coprocess *c, size_t len)
{
	c->n -= len;
	memmove(c->pending, c->pending + len, c->n);
}

/* Takes out the first line, or (without *ret_ends) a piece of one that is too long; false: there is
 * none yet. */
static bool next_line(struct coprocess *c, char **ret, size_t *ret_len, bool *ret_ends)
{
	char *end = memchr(c->pending, '\n', c->n);

	if (!end && c->n < LINE_SIZE)
		return false;
	size_t len = end ? (size_t)(end - c->pending) : c->n;
	*ret = pctl_xstrndup(c->pending, len);
	*ret_len = len;
	*ret_ends = end != NULL;
	drop(c, end ? len + 1 : len);
	return true;
}

static void take_line(struct coprocess *c, char *line, size_t len, bool ends)
{
	bool cut = c->skipping || len >= LINE_SIZE;

	c->skipping = !ends;
	if (!ends)
		return;
	if (!cut) {
		do_line(c, line, len);
		return;
	}
	refuse(c, "the line is too long");
	finish(c);
}

static void end_it(struct coprocess *c)
{
	c->ended = true;
	uv_stop(&c->cli->loop); /* which else might wait for what does not come any more */
	inflow_stop(&c->in);
	if (c->ask.run)
		pctl_run_cancel(c->ask.run);
}

static bool has_reader(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	return poll(&out, 1, 0) == 0;
}

static void on_bytes(void *data, const char *bytes, size_t n)
{
	struct coprocess *c = data;

	if (n == 0) {
		c->eof = true;
		if (!has_reader())
			end_it(c);
		return;
	}
	if (n > PENDING_SIZE - c->n) /* never: it was stopped before */
		n = PENDING_SIZE - c->n;
	memcpy(c->pending + c->n, bytes, n);
	c->n += n;
	if (c->n >= LINE_SIZE)
		inflow_stop(&c->in);
}

static void on_signal(void *data)
{
	end_it(data);
}

static void on_output(void *data)
{
	struct coprocess *c = data;

	if (c->out.fault)
		end_it(c);
}

/* --- The whole of it. ------------------------------------------------------------------------- */

static void serve(struct coprocess *c)
{
	struct pctl_error err = { 0 };
	size_t len;
	char *line;
	bool ends;

	outflow_put(&c->out, PROMPT, strlen(PROMPT));
	while (!c->ended) {
		if (!next_line(c, &line, &len, &ends)) {
			if (c->eof)
				return;
			inflow_start(&c->in);
			(void)uv_run(&c->cli->loop, UV_RUN_ONCE);
			continue;
		}
		take_line(c, line, len, ends);
		free(line);
		if (c->cli->core && pctl_core_save(c->cli->core, &err) < 0)
			say("%s", err.text);
	}
}

/* What was answered leaves, if somebody takes it. */
static void drain(struct coprocess *c)
{
	outflow_push(&c->out);
	while (outflow_waits(&c->out) && !c->out.fault && !c->signals.came)
		(void)uv_run(&c->cli->loop, UV_RUN_ONCE);
}

static int exec_coprocess(struct cli *cli)
{
	struct coprocess c = { .cli = cli };
	int status = select_nodes(cli, cli->args, &c.scope);

	if (status != CLI_OK)
		return status;
	c.in_scope = pctl_xcalloc(pctl_inventory_count(cli->inventory), sizeof(*c.in_scope));
	for (size_t i = 0; i < c.scope.count; i++)
		c.in_scope[c.scope.nodes[i]] = true;
	c.pending = pctl_xcalloc(PENDING_SIZE, 1);
	inflow_init(&c.in, &cli->loop, STDIN_FILENO, on_bytes, &c);
	outflow_init(&c.out, &cli->loop, STDOUT_FILENO, on_output, &c);
	signals_start(&c.signals, &cli->loop, on_signal, NULL, &c);
	serve(&c);
	drain(&c);
	status = c.signals.came ? CLI_INTERRUPTED : c.out.fault ? CLI_FAILED : CLI_OK;
	signals_stop(&c.signals);
	inflow_close(&c.in);
	outflow_close(&c.out);
	(void)uv_run(&cli->loop, UV_RUN_NOWAIT); /* our handles live on this stack */
	selection_done(&c.scope);
	free(c.in_scope);
	free(c.pending);
	return status;
}

const struct command command_coprocess = {
	.name = "coprocess",
	.usage = "[NODES]",
	.summary = "answer commands at a prompt, for powerman",
	.help = "Reads commands from standard input, one per line: stat [NODES], on, off, cycle, "
		"reset,\nidentify-on, identify-off NODES, help, quit. Answers with a line for each "
		"node, a line\n\"= ok\" or \"= failed N\", and the prompt. NODES of a command are "
		"names "
		"and ranges, and\namong those that it was started with. Nobody is asked anything. "
		"`powerctl --coprocess`\nis the same.",
	.flags = COMMAND_NODES | COMMAND_ALL,
	.options = OPTIONS(OPTIONS_NODES, OPTION_TIMEOUT, OPTION_FANOUT, OPTION_MAINTENANCE,
		OPTION_PROTECTED, OPTION_LOCK_WAIT, OPTION_COPROCESS),
	.exec = exec_coprocess,
};
