/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices tell nobody when they note something, so their logs are read again and again: what is new
 * since the last time is shown, a line per event. Nodes that could not be read are asked apart from
 * the others, less often, so that nobody waits for them.
 */
#include "log_follow.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "command.h"
#include "json.h"
#include "outflow.h"
#include "render.h"
#include "report.h"
#include "run.h"
#include "say.h"
#include "signals.h"
#include "text.h"

#define EVERY_MS       ((uint64_t)5000)
#define EVERY_LEAST_MS ((uint64_t)1000)
/* What could not be read is asked so much less often. */
#define TROUBLE_TIMES 3u

enum { LANE_WELL, LANE_TROUBLE, LANES };

struct follow;

struct followed {
	size_t node;
	char *said; /* of it last: the same again is not said again; NULL: it was read */
	unsigned lane;
	bool over;
};

/* Those that are read together, one run after the other. */
struct lane {
	struct follow *follow;
	struct pctl_run *run; /* NULL: it waits */
	uv_timer_t timer;
	uint64_t every_ms, began;
	bool held; /* its time has come, but the reader of what there is takes his */
};

struct follow {
	struct cli *cli;
	struct followed *nodes;
	size_t count, left;
	size_t *places; /* of nodes, by their index in the inventory */
	struct lane lanes[LANES];
	struct outflow out;
	struct signals signals;
	bool failed, over;
	int status; /* of a round that could not begin */
};

static void begin_round(struct lane *lane);

/* --- What is shown. --------------------------------------------------------------------------- */

static void on_output_fault(struct follow *f)
{
	f->cli->output_fault = f->out.fault;
	if (f->out.fault != EPIPE && !f->over)
		say("standard output cannot be written: %s", strerror(f->out.fault));
	f->failed = f->over = true;
}

/* Whether nobody will ever read what comes: known before there is anything to write. */
static bool reader_is_gone(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	return poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP));
}

static void on_output_gone(void *data)
{
	struct follow *f = data;

	if (f->out.fault) {
		on_output_fault(f);
		return;
	}
	for (size_t i = 0; i < LANES; i++)
		if (f->lanes[i].held)
			begin_round(&f->lanes[i]);
}

static void print(struct follow *f, const char *text)
{
	outflow_add(&f->out, text, strlen(text));
	if (f->out.fault)
		on_output_fault(f);
}

static void print_json(struct follow *f, const struct pctl_result *result)
{
	PCTL_AUTO(free) char *text = json_result(result, f->cli->command->name);
	PCTL_AUTO(free) char *line = pctl_xasprintf("%s\n", text);

	print(f, line);
}

/* Each line behind the name of its node. */
static void print_events(
	struct follow *f, const struct pctl_result *result, const struct pctl_value *events)
{
	struct pctl_buf lines, all;
	const char *line, *end;

	pctl_buf_init(&lines, TEXT_ANSWER_MAX);
	pctl_buf_init(&all, TEXT_LINE_MAX);
	report_events(&lines, events, false);
	for (line = lines.data; line && *line; line = *end ? end + 1 : end) {
		end = line + strcspn(line, "\n");
		pctl_buf_addf(&all, "%s: ", result->name);
		pctl_buf_add(&all, line, (size_t)(end - line));
		pctl_buf_adds(&all, "\n");
	}
	print(f, all.data);
	pctl_buf_done(&lines);
	pctl_buf_done(&all);
}

/* --- What becomes of a node. ------------------------------------------------------------------ */

/* Waiting helps against these. */
static bool mends(int code)
{
	return code == PCTL_E_UNREACHABLE || code == PCTL_E_TIMEOUT || code == PCTL_E_BUSY ||
	       code == PCTL_E_PROTOCOL || code == PCTL_E_STATE || code == PCTL_E_REFUSED;
}

static void give_up(struct follow *f, struct followed *n)
{
	n->over = true;
	if (--f->left == 0)
		f->over = true;
}

static void on_read(struct follow *f, struct followed *n, const struct pctl_result *result)
{
	const struct pctl_value *events = pctl_value_get(result->tree, "events");

	if (n->said && !f->cli->options.quiet)
		say("%s: its log is read again", result->name);
	free(n->said);
	n->said = NULL;
	n->lane = LANE_WELL;
	if (!events || !pctl_value_count(events))
		return;
	if (f->cli->options.json)
		print_json(f, result);
	else
		print_events(f, result, events);
}

static void on_failure(struct follow *f, struct followed *n, const struct pctl_result *result)
{
	const struct render_style style = { .verbose = f->cli->options.verbose > 0 };
	bool again = mends(result->error.code);
	PCTL_AUTO(free) char *text = render_result(result, &style);

	if (!n->said || strcmp(n->said, text) != 0) {
		say("%s: %s%s", result->name, text, again ? "; trying again" : "");
		if (f->cli->options.json)
			print_json(f, result);
		free(n->said);
		n->said = pctl_xstrdup(text);
	}
	n->lane = LANE_TROUBLE;
	if (again)
		return;
	f->failed = f->failed || !result->ok;
	give_up(f, n);
}

static void on_result(void *data, const struct pctl_result *result)
{
	struct lane *lane = data;
	struct follow *f = lane->follow;
	struct followed *n = &f->nodes[f->places[result->node]];

	if (f->over && !result->ok) /* it was interrupted: that is no news */
		return;
	if (result->ok && !result->error.code)
		on_read(f, n, result);
	else
		on_failure(f, n, result);
}

/* --- Rounds. ---------------------------------------------------------------------------------- */

static void on_time(uv_timer_t *timer)
{
	begin_round(timer->data);
}

static void wait_for_next(struct lane *lane)
{
	uint64_t took = uv_now(&lane->follow->cli->loop) - lane->began;
	uint64_t wait = took < lane->every_ms ? lane->every_ms - took : 0;

	/* A round that takes long leaves the devices alone for a while all the same. */
	(void)uv_timer_start(
		&lane->timer, on_time, wait < EVERY_LEAST_MS ? EVERY_LEAST_MS : wait, 0);
}

static void on_round_done(void *data)
{
	struct lane *lane = data;

	lane->run = NULL;
	if (!lane->follow->over)
		wait_for_next(lane);
}

static void run_round(struct lane *lane, const size_t *nodes, size_t count)
{
	struct follow *f = lane->follow;
	struct pctl_request request = run_request_from(f->cli, PCTL_VERB_LOG);
	struct pctl_problems *problems = pctl_problems_new();
	const struct pctl_run_callbacks callbacks = {
		.result = on_result, .done = on_round_done, .data = lane
	};

	request.log_new = true;
	int e = pctl_run_new(
		cli_core(f->cli), f->cli->inventory, nodes, count, &request, &lane->run, problems);
	say_problems(problems);
	pctl_problems_free(problems);
	if (e < 0) {
		f->status = CLI_USAGE;
		f->over = true;
	} else {
		pctl_run_start(lane->run, &callbacks);
	}
}

static void begin_round(struct lane *lane)
{
	struct follow *f = lane->follow;
	PCTL_AUTO(free) size_t *nodes = pctl_xcalloc(f->count, sizeof(*nodes));
	size_t count = 0;

	if (reader_is_gone()) {
		f->cli->output_fault = EPIPE;
		f->failed = f->over = true;
	}
	lane->held = outflow_waits(&f->out);
	if (lane->held || f->over || lane->run)
		return;
	lane->began = uv_now(&f->cli->loop);
	for (size_t i = 0; i < f->count; i++)
		if (!f->nodes[i].over && &f->lanes[f->nodes[i].lane] == lane)
			nodes[count++] = f->nodes[i].node;
	if (count)
		run_round(lane, nodes, count);
	else
		wait_for_next(lane);
}

/* --- Begin and end. --------------------------------------------------------------------------- */

static void on_first_signal(void *data)
{
	struct follow *f = data;

	f->over = true;
}

static void start(struct follow *f, const struct selection *selection)
{
	uv_loop_t *loop = &f->cli->loop;
	uint64_t every = f->cli->options.every_ms ? f->cli->options.every_ms : EVERY_MS;
	size_t most = 0;

	f->count = f->left = selection->count;
	f->nodes = pctl_xcalloc(f->count + 1, sizeof(*f->nodes));
	for (size_t i = 0; i < f->count; i++)
		most = selection->nodes[i] > most ? selection->nodes[i] : most;
	f->places = pctl_xcalloc(most + 1, sizeof(*f->places));
	for (size_t i = 0; i < f->count; i++) {
		f->nodes[i].node = selection->nodes[i];
		f->places[selection->nodes[i]] = i;
	}
	outflow_init(&f->out, loop, STDOUT_FILENO, on_output_gone, f);
	signals_start(&f->signals, loop, on_first_signal, NULL, f);
	for (size_t i = 0; i < LANES; i++) {
		struct lane *lane = &f->lanes[i];

		lane->follow = f;
		lane->every_ms = i == LANE_WELL ? every : every * TROUBLE_TIMES;
		(void)uv_timer_init(loop, &lane->timer);
		lane->timer.data = lane;
		begin_round(lane);
	}
}

static bool is_running(const struct follow *f)
{
	return f->lanes[LANE_WELL].run || f->lanes[LANE_TROUBLE].run;
}

static void finish(struct follow *f)
{
	for (size_t i = 0; i < LANES; i++)
		if (f->lanes[i].run)
			pctl_run_cancel(f->lanes[i].run);
	while (is_running(f) || (!f->signals.came && !f->out.fault && outflow_waits(&f->out)))
		(void)uv_run(&f->cli->loop, UV_RUN_ONCE);
	for (size_t i = 0; i < LANES; i++)
		uv_close((uv_handle_t *)&f->lanes[i].timer, NULL);
	for (size_t i = 0; i < f->count; i++)
		free(f->nodes[i].said);
	signals_stop(&f->signals);
	outflow_close(&f->out);
	(void)uv_run(&f->cli->loop, UV_RUN_NOWAIT); /* our handles end here */
	free(f->nodes);
	free(f->places);
}

int log_follow(struct cli *cli, const struct selection *selection)
{
	struct follow f = { .cli = cli, .status = CLI_OK };

	if (cli->options.every_ms && cli->options.every_ms < EVERY_LEAST_MS) {
		say("--every: devices are asked once a second at most");
		return CLI_USAGE;
	}
	start(&f, selection);
	while (!f.over)
		(void)uv_run(&cli->loop, UV_RUN_ONCE);
	finish(&f);
	if (f.status != CLI_OK)
		return f.status;
	if (f.signals.came)
		return CLI_INTERRUPTED;
	return f.failed ? CLI_FAILED : CLI_OK;
}
