/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One console and a person at a terminal, or a script at a pipe. A person gets raw mode, escape
 * sequences, words about what happens, and a new connection when one is lost. A script gets and
 * gives bytes; it ends when its input has ended and the console has been quiet for a while, and a
 * lost connection is a failure, since nobody knows what was lost with it.
 */
#include "console.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "console_boot.h"
#include "console_link.h"
#include "console_log.h"
#include "escape.h"
#include "inflow.h"
#include "outflow.h"
#include "progress.h"
#include "say.h"
#include "signals.h"
#include "terminal.h"
#include "text.h"

#define QUIET_MS ((uint64_t)2000)
#define ETX      '\x03' /* ^C */

struct talk {
	struct cli *cli;
	struct console_link link;
	struct inflow in;
	struct outflow out;
	struct outflow words; /* to standard error: a terminal that takes nothing blocks nobody */
	struct console_log log;
	struct console_boot look, boot;
	bool booted;
	struct escape escape;
	struct signals signals;
	uv_signal_t stop, go, resize; /* SIGTSTP, SIGCONT, SIGWINCH */
	uv_timer_t quiet;
	struct tally tally;
	struct progress progress;
	bool person;   /* standard input is a terminal */
	bool in_ended; /* a script's */
	bool deaf;     /* what was typed did not fit, and that was said */
	bool lent;     /* the terminal, for a question */
	bool over;
	int status;
};

static void leave(struct talk *t, int status)
{
	if (t->over)
		return;
	t->over = true;
	t->status = status;
	console_link_stop(&t->link);
	console_boot_stop(&t->look);
	console_boot_stop(&t->boot);
	inflow_stop(&t->in);
	(void)uv_timer_stop(&t->quiet);
}

/* --- Words. ----------------------------------------------------------------------------------- */

static void show(struct talk *t, const char *words)
{
	if (!outflow_waits(&t->words))
		outflow_add(&t->words, words, strlen(words));
}

/* In brackets on a line of its own; in raw mode a line break does not return the carriage. */
__attribute__((format(printf, 2, 3))) static void notice(struct talk *t, const char *fmt, ...)
{
	const char *end = terminal_is_raw() ? "\r\n" : "\n";
	struct pctl_buf line;
	va_list ap;

	if (!t->person || t->cli->options.quiet)
		return;
	va_start(ap, fmt);
	char *s = pctl_xvasprintf(fmt, ap);
	va_end(ap);
	progress_clear(&t->progress);
	pctl_buf_init(&line, TEXT_LINE_MAX);
	pctl_buf_addf(&line, "%s[powerctl: ", terminal_is_raw() ? end : "");
	text_clean(&line, s);
	pctl_buf_addf(&line, "]%s", end);
	show(t, line.data);
	pctl_buf_done(&line);
	free(s);
}

static void say_help(struct talk *t)
{
	char name[ESCAPE_NAME_SIZE];
	const char *e = escape_name(t->escape.character, name);

	PCTL_AUTO(free)
	char *help = pctl_xasprintf("\r\n[powerctl: console of %s; after Enter:\r\n"
				    " %s.   leave\r\n"
				    " %sB   send a break\r\n"
				    " %s?   show this\r\n"
				    " %s^Z  suspend powerctl\r\n"
				    " %s%s   send %s]\r\n",
		t->link.name, e, e, e, e, e, e, e);
	show(t, help);
}

/* A failure that ends the command. */
static void say_failure(struct talk *t, const char *text)
{
	progress_clear(&t->progress);
	if (terminal_is_raw())
		(void)fputs("\r\n", stderr);
	terminal_restore();
	say("%s: %s", t->link.name, text);
}

static void on_log_trouble(void *data, const char *text)
{
	struct talk *t = data;

	if (t->person)
		notice(t, "%s", text);
	else
		say("%s", text);
}

/* --- The machine. ----------------------------------------------------------------------------- */

/* A person's terminal's. */
static void tell_size(struct talk *t)
{
	struct winsize size;

	if (t->person && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_row)
		console_link_resize(&t->link, size.ws_col, size.ws_row);
}

static void on_resize(uv_signal_t *signal, int signum)
{
	(void)signum;
	tell_size(signal->data);
}

static void not_started(struct talk *t, const char *text)
{
	PCTL_AUTO(free) char *said = pctl_xasprintf("not started: %s", text);

	say_failure(t, said);
	leave(t, CLI_FAILED);
}

static void on_booted(void *data, bool ok, const char *text)
{
	if (ok)
		notice(data, "it starts, with its BIOS on the console");
	else
		not_started(data, text);
}

static const struct pctl_boot boot_what = {
	.size = sizeof(boot_what), .device = PCTL_BOOT_NONE, .flags = PCTL_BOOT_WITH_CONSOLE
};

/* Once: a console that is lost while the machine starts is only opened again. */
static void boot(struct talk *t)
{
	if (!t->cli->options.boot || t->booted)
		return;
	t->booted = true;
	t->boot = (struct console_boot){ .cli = t->cli, .done = on_booted, .data = t };
	if (console_boot_start(&t->boot, t->link.node, &boot_what) != CLI_OK)
		leave(t, CLI_USAGE);
}

static void on_opened(void *data)
{
	struct talk *t = data;
	const char *kind = console_link_fact(&t->link, "kind");
	char name[ESCAPE_NAME_SIZE];

	progress_stop(&t->progress);
	t->deaf = false;
	escape_restart(&t->escape);
	PCTL_AUTO(free)
	char *of =
		pctl_xasprintf("%s%s%s%s", t->link.name, *kind ? " (" : "", kind, *kind ? ")" : "");
	if (t->escape.character == ESCAPE_NONE)
		notice(t, "console of %s", of);
	else
		notice(t, "console of %s; %s. leaves, %s? helps", of,
			escape_name(t->escape.character, name), name);
	if (t->person)
		(void)terminal_raw(STDIN_FILENO);
	tell_size(t);
	inflow_start(&t->in);
	boot(t);
}

static void wait_for_quiet(struct talk *t);

/* A script has sent all it had, and the machine had a while for its answers. */
static void on_quiet(uv_timer_t *timer)
{
	struct talk *t = timer->data;

	if (outflow_waits(&t->out))
		wait_for_quiet(t);
	else
		leave(t, CLI_OK);
}

static void wait_for_quiet(struct talk *t)
{
	if (t->in_ended && !t->over && !console_link_types(&t->link))
		(void)uv_timer_start(&t->quiet, on_quiet, QUIET_MS, 0);
}

static void on_output_fault(struct talk *t)
{
	t->cli->output_fault = t->out.fault;
	if (t->out.fault != EPIPE)
		say_failure(t, "standard output cannot be written");
	leave(t, CLI_FAILED);
}

static void on_printed(void *data, const char *bytes, size_t n)
{
	struct talk *t = data;

	if (t->over)
		return;
	console_log_add(&t->log, bytes, n);
	outflow_add(&t->out, bytes, n);
	if (t->out.fault)
		on_output_fault(t);
	else if (outflow_waits(&t->out))
		console_link_hold(&t->link, true);
	wait_for_quiet(t);
}

static void on_words_gone(void *data)
{
	(void)data;
}

static void on_output_gone(void *data)
{
	struct talk *t = data;

	if (t->out.fault)
		on_output_fault(t);
	else
		console_link_hold(&t->link, false);
}

static void on_typed(void *data)
{
	struct talk *t = data;

	t->deaf = false;
	if (!t->over && !t->person && !t->in_ended)
		inflow_start(&t->in);
	wait_for_quiet(t);
}

/* A code is asked for before it can be opened again. */
static void on_lend(void *data, bool lent)
{
	struct talk *t = data;

	t->lent = lent;
	if (lent) {
		inflow_stop(&t->in);
		terminal_restore();
	} else if (!t->over && t->person && t->link.was_open) {
		(void)terminal_raw(STDIN_FILENO);
		inflow_start(&t->in);
	}
}

static void on_lost(struct talk *t, const struct console_failure *failure)
{
	char name[ESCAPE_NAME_SIZE];
	const char *key = "^C";

	if (t->escape.character != ESCAPE_NONE)
		key = escape_name(t->escape.character, name);
	escape_restart(&t->escape);
	notice(t, "%s%s; trying again in %" PRIu64 " s, %s%s leaves",
		failure->was_open ? "connection lost: " : "", failure->text,
		failure->again_ms / 1000, key, t->escape.character == ESCAPE_NONE ? "" : ".");
}

/*
 * A machine that ends the session takes the console from a person, and from a script that has more
 * to send. A script that has sent all it had ("exit") has got what it wanted.
 */
static bool ends_well(struct talk *t, const struct console_failure *failure)
{
	if (t->person || failure->code != 0)
		return failure->skipped;
	if (!t->in_ended)
		inflow_look(&t->in);
	return t->in_ended;
}

static void on_failed(void *data, const struct console_failure *failure)
{
	struct talk *t = data;
	if (failure->again_ms) {
		on_lost(t, failure);
		return;
	}
	bool fine = ends_well(t, failure);
	if (!fine || failure->skipped)
		say_failure(t, failure->text);
	leave(t, fine ? CLI_OK : CLI_FAILED);
}

static void on_noted(void *data, const char *text)
{
	notice(data, "%s", text);
}

static const struct console_events events = {
	.noted = on_noted,
	.opened = on_opened,
	.printed = on_printed,
	.typed = on_typed,
	.failed = on_failed,
	.lend = on_lend,
};

/* --- The person. ------------------------------------------------------------------------------ */

/* The terminal is the shell's until this program is in the foreground again. */
static void suspend(struct talk *t)
{
	terminal_restore();
	/* By default, so that a shell that could not go on without us is not left alone. */
	(void)uv_signal_stop(&t->stop);
	(void)raise(SIGTSTP);
}

static void on_stop(uv_signal_t *signal, int signum);

static void on_go(uv_signal_t *signal, int signum)
{
	struct talk *t = signal->data;

	(void)signum;
	(void)uv_signal_start(&t->stop, on_stop, SIGTSTP);
	if (!t->lent && (console_link_is_open(&t->link) || t->link.was_open))
		(void)terminal_raw(STDIN_FILENO);
}

static void on_stop(uv_signal_t *signal, int signum)
{
	struct talk *t = signal->data;

	(void)signum;
	suspend(t);
	on_go(&t->go, SIGCONT);
}

static void send_break(struct talk *t)
{
	struct pctl_error err = { 0 };

	if (console_link_break(&t->link, &err) < 0)
		notice(t, "no break was sent: %s", err.text);
}

static void obey(struct talk *t, enum escape_order order)
{
	switch (order) {
	case ESCAPE_LEAVE:
		leave(t, CLI_OK);
		break;
	case ESCAPE_BREAK:
		send_break(t);
		break;
	case ESCAPE_HELP:
		say_help(t);
		break;
	case ESCAPE_SUSPEND:
		/* All of the job, as the terminal does it. */
		(void)kill(0, SIGTSTP);
		break;
	case ESCAPE_NOTHING:
		break;
	}
}

/* What a machine that takes nothing does not take is lost; the escape sequences always work. */
static void type(struct talk *t, const char *bytes, size_t n)
{
	if (console_link_type(&t->link, bytes, n) == n || t->deaf)
		return;
	t->deaf = true;
	if (console_link_is_open(&t->link))
		notice(t, "the console takes nothing at the moment; what is typed is lost");
}

static void take_keys(struct talk *t, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n && !t->over; i++) {
		char out[2];
		size_t len;

		enum escape_order order =
			escape_type(&t->escape, (unsigned char)bytes[i], out, &len);
		obey(t, order);
		/* Nobody is there to whom ^C could be meant but us. */
		if (!console_link_is_open(&t->link) && bytes[i] == ETX)
			leave(t, CLI_INTERRUPTED);
		else if (len > 0)
			type(t, out, len);
	}
}

static void on_input(void *data, const char *bytes, size_t n)
{
	struct talk *t = data;

	if (n == 0 && t->person) {
		leave(t, CLI_INTERRUPTED); /* the terminal is gone */
	} else if (n == 0) {
		t->in_ended = true;
		wait_for_quiet(t);
	} else if (t->person) {
		take_keys(t, bytes, n);
	} else {
		/* As much as there is room for is read, so that all of it is taken. */
		(void)console_link_type(&t->link, bytes, n);
		if (console_link_types(&t->link))
			inflow_stop(&t->in);
	}
}

/* --- Beginning and end. ----------------------------------------------------------------------- */

static void on_first_signal(void *data)
{
	leave(data, CLI_INTERRUPTED);
}

static void on_second_signal(void *data)
{
	(void)data;
	terminal_restore();
}

static void start(struct talk *t, int escape)
{
	uv_loop_t *loop = &t->cli->loop;

	t->person = cli_is_terminal(STDIN_FILENO);
	t->link.again =
		t->person && !t->cli->options.no_reconnect ? CONSOLE_IF_OPENED : CONSOLE_NEVER;
	t->link.events = &events;
	t->link.progress = &t->progress;
	t->link.data = t;
	t->log.trouble = on_log_trouble;
	t->log.data = t;
	t->tally.total = 1;
	escape_init(&t->escape, escape);
	console_link_init(&t->link);
	inflow_init(&t->in, loop, STDIN_FILENO, on_input, t);
	outflow_init(&t->out, loop, STDOUT_FILENO, on_output_gone, t);
	outflow_init(&t->words, loop, STDERR_FILENO, on_words_gone, t);
	signals_start(&t->signals, loop, on_first_signal, on_second_signal, t);
	(void)uv_timer_init(loop, &t->quiet);
	(void)uv_signal_init(loop, &t->stop);
	(void)uv_signal_init(loop, &t->go);
	(void)uv_signal_init(loop, &t->resize);
	t->quiet.data = t->stop.data = t->go.data = t->resize.data = t;
	if (t->person) {
		(void)uv_signal_start(&t->stop, on_stop, SIGTSTP);
		(void)uv_signal_start(&t->go, on_go, SIGCONT);
		(void)uv_signal_start(&t->resize, on_resize, SIGWINCH);
	}
	progress_start(&t->progress, loop, t->cli->options.quiet, "console", &t->tally);
}

static int open_it(struct talk *t)
{
	struct console_link *link = &t->link;

	return console_links_open(&link, 1);
}

static void on_looked(void *data, bool ok, const char *text)
{
	struct talk *t = data;
	int status = CLI_OK;

	if (!ok)
		not_started(t, text);
	else if ((status = open_it(t)) != CLI_OK)
		leave(t, status);
}

/* What guards the node, and its driver, are asked before anything is switched on. */
static int look(struct talk *t)
{
	t->look = (struct console_boot){ .cli = t->cli, .done = on_looked, .data = t };
	return console_boot_look(&t->look, t->link.node, &boot_what);
}

static void finish(struct talk *t)
{
	bool was_raw = terminal_is_raw();

	if (was_raw)
		notice(t, "console of %s closed", t->link.name);
	terminal_restore();
	/* A person who leaves wants no more; a script wants what came before the end. */
	while (!console_link_is_gone(&t->link) || !console_boot_is_gone(&t->look) ||
		!console_boot_is_gone(&t->boot) ||
		(!t->person && !t->signals.came && outflow_waits(&t->out)))
		(void)uv_run(&t->cli->loop, UV_RUN_ONCE);
	console_link_done(&t->link);
	console_log_close(&t->log);
	inflow_close(&t->in);
	outflow_close(&t->out);
	outflow_close(&t->words);
	signals_stop(&t->signals);
	progress_stop(&t->progress);
	uv_close((uv_handle_t *)&t->quiet, NULL);
	uv_close((uv_handle_t *)&t->stop, NULL);
	uv_close((uv_handle_t *)&t->go, NULL);
	uv_close((uv_handle_t *)&t->resize, NULL);
	(void)uv_run(&t->cli->loop, UV_RUN_NOWAIT); /* our handles end here */
}

int console_talk(struct cli *cli, size_t node, int escape)
{
	struct talk *t = pctl_xcalloc(1, sizeof(*t));
	struct pctl_error err = { 0 };

	t->cli = t->link.cli = cli;
	t->link.node = node;
	t->link.name = pctl_inventory_name(cli->inventory, node);
	if (console_log_open(&t->log, cli->options.log, &err) < 0) {
		say("%s", err.text);
		free(t);
		return CLI_USAGE;
	}
	start(t, escape);
	int begun = cli->options.boot ? look(t) : open_it(t);
	if (begun != CLI_OK)
		leave(t, begun);
	while (!t->over)
		(void)uv_run(&cli->loop, UV_RUN_ONCE);
	finish(t);
	int status = t->status;
	explicit_bzero(t, sizeof(*t));
	free(t);
	return status;
}
