/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What several consoles print, a line at a time behind the node's name, as text that does a
 * terminal no harm. Nothing is sent. It goes on until it is interrupted or no console is left.
 */
#include "console.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "console_link.h"
#include "console_log.h"
#include "lines.h"
#include "outflow.h"
#include "say.h"
#include "signals.h"

/* A line that is not ended is shown when nothing was added to it for so long: a prompt. */
#define PART_MS ((uint64_t)300)

struct follow;

struct followed {
	struct follow *follow;
	struct console_link link;
	struct lines lines;
	uv_timer_t part;
	char *last; /* what was said of it last: the same again is not said again */
};

struct follow {
	struct cli *cli;
	struct followed *nodes;
	size_t count, left; /* left: that may still print something */
	struct outflow out;
	struct console_log log;
	struct signals signals;
	bool failed, over;
};

static void hold_all(struct follow *f, bool held)
{
	for (size_t i = 0; i < f->count; i++)
		console_link_hold(&f->nodes[i].link, held);
}

static void on_line(void *data, const char *line)
{
	struct followed *n = data;
	struct follow *f = n->follow;
	PCTL_AUTO(free) char *whole = pctl_xasprintf("%s: %s\n", n->link.name, line);

	console_log_add(&f->log, whole, strlen(whole));
	outflow_add(&f->out, whole, strlen(whole));
}

static void on_output_fault(struct follow *f)
{
	f->cli->output_fault = f->out.fault;
	if (f->out.fault != EPIPE && !f->over)
		say("standard output cannot be written: %s", strerror(f->out.fault));
	f->failed = f->over = true;
}

static void after_output(struct follow *f)
{
	if (f->out.fault)
		on_output_fault(f);
	else if (outflow_waits(&f->out))
		hold_all(f, true);
}

static void on_output_gone(void *data)
{
	struct follow *f = data;

	if (f->out.fault)
		on_output_fault(f);
	else
		hold_all(f, false);
}

static void on_part(uv_timer_t *timer)
{
	struct followed *n = timer->data;

	if (outflow_waits(&n->follow->out)) {
		(void)uv_timer_start(timer, on_part, PART_MS, 0);
		return;
	}
	lines_flush(&n->lines);
	after_output(n->follow);
}

static void on_printed(void *data, const char *bytes, size_t n)
{
	struct followed *node = data;

	if (node->follow->over)
		return;
	lines_add(&node->lines, bytes, n);
	if (lines_waits(&node->lines))
		(void)uv_timer_start(&node->part, on_part, PART_MS, 0);
	else
		(void)uv_timer_stop(&node->part);
	after_output(node->follow);
}

static void on_opened(void *data)
{
	struct followed *n = data;

	if (n->last && !n->follow->cli->options.quiet)
		say("%s: connected again", n->link.name);
	free(n->last);
	n->last = NULL;
}

static void say_again(struct followed *n, const struct console_failure *failure)
{
	if (n->follow->cli->options.quiet || (n->last && strcmp(n->last, failure->text) == 0))
		return;
	free(n->last);
	n->last = pctl_xstrdup(failure->text);
	say("%s: %s%s; trying again", n->link.name, failure->was_open ? "connection lost: " : "",
		failure->text);
}

static void on_failed(void *data, const struct console_failure *failure)
{
	struct followed *n = data;
	struct follow *f = n->follow;

	lines_flush(&n->lines);
	if (failure->again_ms) {
		say_again(n, failure);
		return;
	}
	say("%s: %s", n->link.name, failure->text);
	f->failed = f->failed || !failure->skipped;
	if (--f->left == 0)
		f->over = true;
}

static void ignore_typed(void *data)
{
	(void)data;
}

static void on_noted(void *data, const char *text)
{
	struct followed *n = data;

	if (!n->follow->cli->options.quiet)
		say("%s: %s", n->link.name, text);
}

static const struct console_events events = {
	.noted = on_noted,
	.opened = on_opened,
	.printed = on_printed,
	.typed = ignore_typed,
	.failed = on_failed,
};

static void on_signal(void *data)
{
	struct follow *f = data;

	f->over = true;
}

static void on_log_trouble(void *data, const char *text)
{
	(void)data;
	say("%s", text);
}

static void start(struct follow *f, const struct selection *selection)
{
	uv_loop_t *loop = &f->cli->loop;

	f->count = f->left = selection->count;
	f->nodes = pctl_xcalloc(f->count, sizeof(*f->nodes));
	for (size_t i = 0; i < f->count; i++) {
		struct followed *n = &f->nodes[i];

		n->follow = f;
		n->link.cli = f->cli;
		n->link.node = selection->nodes[i];
		n->link.name = pctl_inventory_name(f->cli->inventory, selection->nodes[i]);
		n->link.again = f->cli->options.no_reconnect ? CONSOLE_NEVER : CONSOLE_ALWAYS;
		n->link.events = &events;
		n->link.data = n;
		console_link_init(&n->link);
		lines_init(&n->lines, on_line, n);
		(void)uv_timer_init(loop, &n->part);
		n->part.data = n;
	}
	outflow_init(&f->out, loop, STDOUT_FILENO, on_output_gone, f);
	signals_start(&f->signals, loop, on_signal, NULL, f);
}

static int open_all(struct follow *f)
{
	PCTL_AUTO(free)
	struct console_link **links = pctl_xcalloc(f->count, sizeof(struct console_link *));

	for (size_t i = 0; i < f->count; i++)
		links[i] = &f->nodes[i].link;
	return console_links_open(links, f->count);
}

static bool all_gone(const struct follow *f)
{
	for (size_t i = 0; i < f->count; i++)
		if (!console_link_is_gone(&f->nodes[i].link))
			return false;
	return true;
}

static void finish(struct follow *f)
{
	for (size_t i = 0; i < f->count; i++)
		console_link_stop(&f->nodes[i].link);
	while (!all_gone(f) || (!f->signals.came && outflow_waits(&f->out)))
		(void)uv_run(&f->cli->loop, UV_RUN_ONCE);
	for (size_t i = 0; i < f->count; i++) {
		struct followed *n = &f->nodes[i];

		if (!f->out.fault)
			lines_flush(&n->lines);
		lines_done(&n->lines);
		console_link_done(&n->link);
		uv_close((uv_handle_t *)&n->part, NULL);
		free(n->last);
	}
	signals_stop(&f->signals);
	outflow_close(&f->out);
	console_log_close(&f->log);
	(void)uv_run(&f->cli->loop, UV_RUN_NOWAIT); /* our handles end here */
	free(f->nodes);
}

int console_follow(struct cli *cli, const struct selection *selection)
{
	struct follow f = { .cli = cli, .log.trouble = on_log_trouble };
	struct pctl_error err = { 0 };

	if (console_log_open(&f.log, cli->options.log, &err) < 0) {
		say("%s", err.text);
		return CLI_USAGE;
	}
	start(&f, selection);
	int status = open_all(&f);
	while (status == CLI_OK && !f.over)
		(void)uv_run(&cli->loop, UV_RUN_ONCE);
	finish(&f);
	if (status == CLI_OK && f.signals.came)
		return CLI_INTERRUPTED;
	return status == CLI_OK && f.failed ? CLI_FAILED : status;
}
