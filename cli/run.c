/* SPDX-License-Identifier: Apache-2.0 */
#include "run.h"

#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <powerctl/finding.h>
#include <powerctl/history.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "command.h"
#include "consent.h"
#include "failed.h"
#include "guard.h"
#include "json.h"
#include "metrics.h"
#include "output.h"
#include "progress.h"
#include "render.h"
#include "rows.h"
#include "say.h"
#include "signals.h"
#include "text.h"

/* What several nodes were warned of in the same words. */
struct warning {
	char *text;
	struct pctl_names *names;
};

struct runner {
	struct cli *cli;
	struct pctl_run *run;
	struct output *output;
	struct metrics *metrics; /* NULL: results are written as they come */
	struct rows *rows;       /* NULL: so are the answers of methods */
	struct render_style style;
	struct tally tally;
	struct progress progress;
	struct consent_prompt consent;
	struct signals signals;
	struct pctl_names *failed, *holders; /* holders: those that were named */
	struct warning *warnings;
	size_t warning_n, warning_cap;
	uint64_t started;       /* loop time in ms */
	pctl_served_fn *served; /* or NULL */
	bool done;
	bool gave_up; /* ^C while the reader of the results took his time */
};

/* With so many bytes unread no further node is begun; those under way are served in time. */
#define UNREAD_MAX ((size_t)64 << 20)
/* A node takes some 600 bytes. */
#define METRICS_MAX ((size_t)1 << 30)
#define USUAL_WIDTH 80u

static size_t terminal_width(void)
{
	struct winsize size = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return USUAL_WIDTH;
	return size.ws_col;
}

/* What an option leaves open, the inventory's defaults may say; it was checked when it was read. */
static uint64_t or_default(const struct cli *cli, uint64_t given, const char *key)
{
	const struct pctl_value *defaults = pctl_inventory_defaults(cli->inventory);
	const char *text = defaults ? pctl_value_text(pctl_value_get(defaults, key)) : NULL;
	uint64_t ms = 0;

	if (!given && text && pctl_parse_duration(text, &ms) == 0)
		return ms;
	return given;
}

struct pctl_request run_request_from(const struct cli *cli, enum pctl_verb verb)
{
	const struct options *o = &cli->options;

	return (struct pctl_request){
		.verb = verb,
		.no_wait = o->no_wait,
		.soft = o->soft,
		.end_sessions = o->end_sessions,
		.force_after_ms = o->force_after_ms,
		.on_if_off = o->on_if_off,
		.dry_run = o->dry_run,
		.maintenance = o->maintenance,
		.override_protected = o->override_protected,
		.try_anyway = o->try_anyway,
		.no_hooks = o->no_hooks,
		.timeout_ms = o->timeout_ms,
		.deadline_ms = o->deadline_ms,
		.fanout = (unsigned)o->fanout,
		.max_at_once = (unsigned)o->max_at_once,
		.stagger_ms = o->stagger_ms,
		.lock_wait_ms = o->lock_wait_ms,
		.consent_code = o->consent_code,
	};
}

/* --- While it runs. --------------------------------------------------------------------------- */

/* Where results are folded: first what went well, then errors by their class. */
static unsigned group_of(const struct pctl_result *result)
{
	return result->ok ? 0 : (unsigned)-result->error.code;
}

/* What was given as a URL is no name of the inventory: it is only known that there was one. */
static void note_failed(struct runner *r, const struct pctl_result *result)
{
	const char *mark = result->node < r->cli->inventory_count ? "" : "url:";
	PCTL_AUTO(free) char *name = pctl_xasprintf("%s%s", mark, result->name);

	(void)pctl_names_add(r->failed, name);
}

/* The latest first: nodes that are warned of the same mostly come together. */
static void note_warning(struct runner *r, const struct pctl_result *result)
{
	size_t i = r->warning_n;

	while (i > 0 && strcmp(r->warnings[i - 1].text, result->warning) != 0)
		i--;
	if (i == 0) {
		r->warnings = pctl_xgrow(
			r->warnings, &r->warning_cap, r->warning_n + 1, sizeof(*r->warnings));
		r->warnings[r->warning_n] =
			(struct warning){ pctl_xstrdup(result->warning), pctl_names_new() };
		i = ++r->warning_n;
	}
	(void)pctl_names_add(r->warnings[i - 1].names, result->name);
}

/* Also where nobody wants notices: something did fail. */
static void say_warnings(struct runner *r)
{
	for (size_t i = 0; i < r->warning_n; i++) {
		PCTL_AUTO(free) char *names = pctl_names_fold(r->warnings[i].names);

		say("warning: %s: %s", names, r->warnings[i].text);
		pctl_names_free(r->warnings[i].names);
		free(r->warnings[i].text);
	}
	free(r->warnings);
}

/* Behind the nodes where they are folded, the worst first: nodes with the same trouble are one. */
#define GROUP_FINDINGS 100u

/* As a folded line reads that turns out to be of one node: with its name. NULL: as any. */
static const struct render_style *style_alone(const struct runner *r, struct render_style *ret)
{
	*ret = r->style;
	ret->folded = false;
	return r->style.folded && r->style.mend ? ret : NULL;
}

static void put_findings(struct runner *r, const struct pctl_result *result)
{
	struct render_style own;
	const struct render_style *alone = style_alone(r, &own);
	const struct pctl_value *list = pctl_value_get(result->tree, "findings");

	for (size_t i = 0; i < pctl_value_count(list); i++) {
		const struct pctl_value *finding = pctl_value_at(list, i);

		const char *class = pctl_value_text(pctl_value_get(finding, "class"));
		unsigned group = GROUP_FINDINGS + pctl_finding_class_of(class);

		output_add_or(r->output, result->node, group, result->name,
			render_finding(finding, result->name, &r->style),
			alone ? render_finding(finding, result->name, alone) : NULL);
	}
}

static void put_result(struct runner *r, const struct pctl_result *result)
{
	struct render_style own;
	const struct render_style *alone = style_alone(r, &own);
	char *text, *text_alone = NULL;

	const char *name = r->cli->command->name;
	const char *verb = pctl_verb_name(result->verb);

	/* `media` is several verbs. */
	if (strncmp(verb, name, strlen(name)) != 0 || verb[strlen(name)] != ' ')
		verb = name;
	if (r->cli->options.json)
		text = json_result(result, verb);
	else
		text = render_result(result, &r->style);
	if (alone && !r->cli->options.json)
		text_alone = render_result(result, alone);
	output_add_or(r->output, result->node, group_of(result), result->name, text, text_alone);
	if (result->verb == PCTL_VERB_CHECK && result->tree && !r->cli->options.json)
		put_findings(r, result);
	if (output_kept(r->output) > UNREAD_MAX)
		pctl_run_pause(r->run, true);
}

static void on_result(void *data, const struct pctl_result *result)
{
	struct runner *r = data;

	tally_add(&r->tally, result);
	if (!result->ok)
		note_failed(r, result);
	if (result->warning)
		note_warning(r, result);
	progress_clear(&r->progress);
	if (result->overtook && !r->cli->options.quiet)
		say("%s: went first, without its lock: %s", result->name, result->overtook);
	if (r->metrics)
		metrics_add(r->metrics, result);
	else if (r->rows && result->ok && result->tree)
		rows_add(r->rows, result);
	else
		put_result(r, result);
}

static void on_output_gone(void *data)
{
	struct runner *r = data;

	if (!r->done)
		pctl_run_pause(r->run, false);
}

/* Each holder is named once: behind one command thousands may wait. */
static void on_waiting(void *data, const char *name, const char *holder, size_t waiting)
{
	struct runner *r = data;

	r->tally.locked_out = waiting;
	if (!holder || r->cli->options.quiet)
		return;
	if (!pctl_names_add(r->holders, holder) && !r->cli->options.verbose)
		return;
	progress_clear(&r->progress);
	say("%s: waiting for %s", name, holder);
}

/* Thousands may: who wants to see each of them says so. */
static void on_queued(void *data, const char *name, const char *what, size_t waiting)
{
	struct runner *r = data;

	r->tally.waiting = waiting;
	if (!what || !r->cli->options.verbose || r->cli->options.quiet)
		return;
	progress_clear(&r->progress);
	say("%s: waiting for %s", name, what);
}

static void on_consent(void *data, const struct pctl_consent_question *question)
{
	struct runner *r = data;

	consent_ask(&r->consent, question);
}

static void on_done(void *data)
{
	struct runner *r = data;

	r->done = true;
}

static void on_first_signal(void *data)
{
	struct runner *r = data;

	if (r->done) {
		r->gave_up = true;
		return;
	}
	consent_ask(&r->consent, NULL);
	progress_clear(&r->progress);
	say("interrupted: what is in flight is reported; once more ends at once");
	pctl_run_cancel(r->run);
}

static void on_second_signal(void *data)
{
	struct runner *r = data;

	progress_clear(&r->progress);
	if (r->rows)
		rows_end(r->rows, r->output, terminal_width());
	r->rows = NULL;
	output_abandon(r->output);
}

/* --- Before and after. ------------------------------------------------------------------------ */

static void show_summary(const struct runner *r)
{
	struct pctl_buf line;

	if (r->cli->options.quiet || r->tally.total < 2 || !r->tally.failed)
		return;
	pctl_buf_init(&line, TEXT_ANSWER_MAX);
	tally_summary(&r->tally, &line);
	(void)fprintf(stderr, "%s\n", line.data);
	pctl_buf_done(&line);
}

static void forget_failed(const struct runner *r)
{
	struct pctl_error err = { 0 };

	if (failed_forget(&err) < 0 && !r->cli->options.quiet)
		say("%s", err.text);
}

/* Nobody needs them where none failed. */
static void keep_failed(const struct runner *r)
{
	struct pctl_error err = { 0 };

	if (failed_save(r->failed, &err) < 0 && r->tally.failed && !r->cli->options.quiet)
		say("%s", err.text);
}

/* It is no failure of the verb, which went on. */
static void say_history(const struct runner *r)
{
	struct pctl_error err = { 0 };

	if (pctl_core_history(r->cli->core, &err) < 0 && !r->cli->options.quiet)
		say("this is missing in the history: %s", err.text);
}

/* An enum cli_status. */
static int save_metrics(struct runner *r, const struct pctl_buf *text)
{
	const char *path = r->cli->options.output;
	struct pctl_error err = { 0 };

	if (r->signals.came) {
		say("%s is left as it was", path);
		return CLI_OK;
	}
	if (metrics_save(path, text, &err) == 0)
		return CLI_OK;
	say("%s", err.text);
	return CLI_FAILED;
}

/* An enum cli_status. */
static int put_metrics(struct runner *r)
{
	struct timespec now = { 0 };
	struct pctl_buf text;
	int status = CLI_OK;

	if (!r->metrics)
		return CLI_OK;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	const struct metrics_run run = {
		.ended_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000,
		.took_ms = uv_now(&r->cli->loop) - r->started,
		.success = r->tally.failed == 0,
	};
	pctl_buf_init(&text, METRICS_MAX);
	metrics_write(r->metrics, &run, &text);
	if (r->cli->options.output)
		pctl_buf_adds(&text, "\n");
	if (text.full) {
		say("so many nodes are more than one file of metrics may have; ask for fewer");
		status = CLI_FAILED;
	} else if (r->cli->options.output) {
		status = save_metrics(r, &text);
	} else {
		output_add(r->output, 0, 0, "", pctl_xstrdup(text.data));
	}
	pctl_buf_done(&text);
	return status;
}

static int run_to_end(struct runner *r)
{
	const struct pctl_run_callbacks callbacks = {
		.result = on_result,
		.waiting = on_waiting,
		.queued = on_queued,
		.done = on_done,
		.data = r,
		.consent = consent_can_ask(r->cli) ? on_consent : NULL,
		.served = r->served,
	};
	struct cli *cli = r->cli;

	signals_start(&r->signals, &cli->loop, on_first_signal, on_second_signal, r);
	progress_start(&r->progress, &cli->loop, cli->options.quiet, cli->command->name, &r->tally);
	output_on_gone(r->output, on_output_gone, r);
	forget_failed(r);
	r->started = uv_now(&cli->loop);
	r->consent = (struct consent_prompt){ .cli = cli, .progress = &r->progress, .run = r->run };
	pctl_run_start(r->run, &callbacks);
	while (!r->done)
		(void)uv_run(&cli->loop, UV_RUN_ONCE);
	keep_failed(r);
	progress_stop(&r->progress);
	say_warnings(r);
	say_history(r);
	int status = tally_status(&r->tally, cli->options.exit_class);
	int put = put_metrics(r);
	if (r->rows)
		rows_end(r->rows, r->output, terminal_width());
	r->rows = NULL;
	status = output_end(r->output, &r->gave_up, status == CLI_OK ? put : status);
	signals_stop(&r->signals);
	show_summary(r);
	(void)uv_run(&cli->loop, UV_RUN_NOWAIT); /* our handles live on this stack */
	return r->signals.came ? CLI_INTERRUPTED : status;
}

static int prepare(
	struct runner *r, const struct selection *selection, const struct pctl_request *request)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct cli *cli = r->cli;
	struct pctl_request whole = *request;

	whole.timeout_ms = or_default(cli, request->timeout_ms, "timeout");
	whole.deadline_ms = or_default(cli, request->deadline_ms, "deadline");
	int e = pctl_run_new(cli_core(cli), cli->inventory, selection->nodes, selection->count,
		&whole, &r->run, problems);
	say_problems(problems);
	pctl_problems_free(problems);
	if (e < 0)
		return CLI_USAGE;

	unsigned flags = pctl_run_flags(r->run);
	const char *what =
		request->verb == PCTL_VERB_LOG_CLEAR ? "log --clear" : cli->command->name;
	if (flags & PCTL_VERB_CONFIRM)
		return guard_always(cli, what, selection);
	if (flags & PCTL_VERB_DISRUPTS)
		return guard_confirm(cli, what, selection);
	return CLI_OK;
}

/* Where somebody reads them: answers of methods over several nodes make a table. */
static bool wants_rows(const struct runner *r, const struct pctl_request *request)
{
	return request->verb == PCTL_VERB_METHOD && r->style.folded && !r->style.verbose &&
	       !r->cli->options.json && cli_is_terminal(STDOUT_FILENO);
}

static int check_metrics(const struct cli *cli)
{
	struct pctl_error err = { 0 };

	if (!cli->options.output || metrics_check_file(cli->options.output, &err) == 0)
		return CLI_OK;
	say("%s", err.text);
	return CLI_USAGE;
}

int run_request(struct cli *cli, const struct selection *selection,
	const struct pctl_request *request, const struct run_style *style)
{
	enum output_mode mode = output_choose(cli);
	struct runner r = {
		.cli = cli,
		.tally.total = selection->count,
		.served = style ? style->served : NULL,
		.style = {
			.verbose = cli->options.verbose > 0,
			.folded = mode == OUTPUT_FOLD && selection->count > 1,
			.many = selection->count > 1,
			.indented = mode == OUTPUT_FOLD || selection->count == 1,
			.mend = style && style->mend,
		},
	};

	int status = check_metrics(cli);
	if (status == CLI_OK)
		status = consent_check(cli, selection->count);
	if (status == CLI_OK)
		status = prepare(&r, selection, request);
	if (status != CLI_OK) {
		pctl_run_free(r.run);
		return status;
	}
	r.metrics = cli->options.metrics ? metrics_new() : NULL;
	r.rows = wants_rows(&r, request) ? rows_new(&r.style) : NULL;
	r.output = output_new(cli, STDOUT_FILENO, r.metrics ? OUTPUT_STREAM : mode,
		r.metrics || cli->options.json);
	r.failed = pctl_names_new();
	r.holders = pctl_names_new();
	status = run_to_end(&r);
	pctl_names_free(r.failed);
	pctl_names_free(r.holders);
	metrics_free(r.metrics);
	return status;
}
