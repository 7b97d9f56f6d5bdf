/* SPDX-License-Identifier: Apache-2.0 */
#include "media_attach.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "again.h"
#include "command.h"
#include "consent.h"
#include "console_boot.h"
#include "json.h"
#include "media_answer.h"
#include "media_socket.h"
#include "media_told.h"
#include "opened.h"
#include "run.h"
#include "say.h"
#include "signals.h"

#define SHOW_MS ((uint64_t)1000)
/* Further ones hear nothing, and ask the device. */
#define DETACHERS_MAX ((size_t)8)

struct attach {
	struct cli *cli;
	size_t node;
	const char *cd;
	char *cd_path, *floppy_path; /* the whole of it: status is asked from other folders */
	struct pctl_run *run;
	struct consent_prompt consent;
	struct pctl_stream *stream;
	bool closing;
	struct console_boot look, boot, eject;
	bool booted, boot_failed;
	bool unbegun; /* the run: whether the machine can be started is looked at first */
	char *would;  /* of a dry run: how it would be started */
	uv_timer_t again, show;
	struct again tries;
	struct signals signals;
	struct media_socket socket;
	struct media_asker *detachers[DETACHERS_MAX]; /* who asked for the end */
	size_t detacher_n;
	struct media_told told;
	bool was_open; /* the medium was there */
	bool over, failed, ending;
	bool remains; /* in the drive: the device has it by itself */
	bool mistake; /* in the call: nothing was sent */
};

/* --- How far it is. --------------------------------------------------------------------------- */

/* Whether more was read since. */
static bool measure(struct attach *a)
{
	if (!a->stream || a->closing || pctl_stream_control(a->stream, "progress", NULL, NULL) < 0)
		return false;
	return media_told_measure(&a->told, pctl_stream_facts(a->stream));
}

static void stop(struct attach *a);

static void on_show(uv_timer_t *timer)
{
	struct attach *a = timer->data;

	if (a->told.out.fault && !a->ending) {
		stop(a); /* nobody hears what becomes of it */
		return;
	}
	bool moved = measure(a);
	if (a->stream && !a->closing)
		media_told_progress(&a->told, pctl_stream_facts(a->stream), a->cd != NULL, moved);
}

/* --- The end, and another beginning. ---------------------------------------------------------- */

/* Once it is so, and none is being attached any more. */
static void answer_detachers(struct attach *a)
{
	if (!a->over || a->stream || a->run)
		return;
	/* Where it is not out, who wants it out asks the device. */
	for (size_t i = 0; i < a->detacher_n; i++)
		media_socket_answer(a->detachers[i], a->remains ? "" : "detached\n");
	a->detacher_n = 0;
}

static void finish(struct attach *a, bool failed)
{
	a->over = true;
	a->failed |= failed;
	(void)uv_timer_stop(&a->again);
	(void)uv_timer_stop(&a->show);
	answer_detachers(a);
}

static int begin_run(struct attach *a);

static void on_again(uv_timer_t *timer)
{
	struct attach *a = timer->data;

	if (a->run)
		(void)uv_timer_start(timer, on_again, 100, 0);
	else if (begin_run(a) != CLI_OK)
		finish(a, true);
}

/* open: it was until now. */
static void lose(struct attach *a, const struct pctl_error *err, const char *text, bool open)
{
	bool again = a->was_open && !a->cli->options.no_reconnect && again_helps(err->code, open);

	if (a->over)
		return;
	if (!again) {
		a->mistake = !a->was_open && err->code == PCTL_E_CONFIG;
		if (a->mistake)
			say("%s: %s", a->told.name, err->text);
		else
			media_tell_error(&a->told, err, text);
		finish(a, true);
		return;
	}
	uint64_t ms = again_next(&a->tries, uv_now(&a->cli->loop), open);
	PCTL_AUTO(free)
	char *line = pctl_xasprintf("%s; trying again in %" PRIu64 " s", text, ms / 1000);
	media_tell_note(&a->told, "lost", line);
	(void)uv_timer_start(&a->again, on_again, ms, 0);
}

static void on_closed(void *data, const struct pctl_error *err)
{
	struct attach *a = data;

	a->stream = NULL;
	a->closing = false;
	media_told_end(&a->told);
	if (a->ending) {
		media_tell_detached(&a->told, "detached");
		finish(a, false);
	} else if (!err->code) {
		media_tell_detached(&a->told, "the device ended it");
		finish(a, true);
	} else {
		PCTL_AUTO(free)
		char *text = pctl_xasprintf("error: %s: %s", pctl_error_name(err->code), err->text);
		lose(a, err, text, true);
	}
}

static void close_stream(struct attach *a)
{
	if (!a->stream || a->closing)
		return;
	measure(a);
	a->closing = true;
	pctl_stream_close(a->stream, on_closed, a);
}

/* Nothing was sent yet. */
static void drop_run(struct attach *a)
{
	pctl_run_free(a->run);
	a->run = NULL;
	a->unbegun = false;
}

static void stop(struct attach *a)
{
	a->ending = true;
	console_boot_stop(&a->look);
	console_boot_stop(&a->boot);
	if (a->run && a->unbegun)
		drop_run(a);
	else if (a->run)
		pctl_run_cancel(a->run);
	if (a->stream)
		close_stream(a);
	else
		finish(a, false);
}

/* --- Starting the machine. -------------------------------------------------------------------- */

static void on_ejected(void *data, bool ok, const char *text)
{
	struct attach *a = data;
	PCTL_AUTO(free) char *line = NULL;

	a->remains = !ok;
	if (ok) {
		media_tell(&a->told, media_event("detached"), "detached");
		return;
	}
	line = pctl_xasprintf("the medium is still in: %s", text);
	media_tell_note(&a->told, "note", line);
}

/* A medium that nobody boots from is of no use to who asked for both. */
static void take_out(struct attach *a)
{
	a->failed = a->boot_failed = true;
	stop(a);
	if (!a->remains)
		return;
	a->eject = (struct console_boot){ .cli = a->cli, .done = on_ejected, .data = a };
	(void)console_boot_eject(&a->eject, a->node);
}

static void on_booted(void *data, bool ok, const char *text)
{
	struct attach *a = data;

	media_tell_boot(&a->told, ok, text);
	if (!ok)
		take_out(a);
}

static struct pctl_boot boot_what(const struct attach *a, bool session)
{
	return (struct pctl_boot){ .size = sizeof(struct pctl_boot),
		.device = a->cd ? PCTL_BOOT_CD : PCTL_BOOT_USB,
		.flags = session ? PCTL_BOOT_WITH_MEDIA : 0 };
}

static void boot(struct attach *a)
{
	const struct pctl_boot what = boot_what(a, a->stream);

	if (!a->cli->options.boot || a->booted || a->ending)
		return;
	a->booted = true;
	a->boot = (struct console_boot){ .cli = a->cli, .done = on_booted, .data = a };
	if (console_boot_start(&a->boot, a->node, &what) != CLI_OK)
		take_out(a);
}

/* --- Attached. -------------------------------------------------------------------------------- */

static void on_ended(void *data, const struct pctl_error *err)
{
	(void)err; /* comes again when it is closed */
	close_stream(data);
}

static void on_note(void *data, const char *text)
{
	struct attach *a = data;

	media_tell_note(&a->told, "note", text);
}

static void attached(struct attach *a)
{
	media_tell_attached(
		&a->told, a->stream ? pctl_stream_facts(a->stream) : NULL, a->cd, a->was_open);
	a->was_open = true;
	again_opened(&a->tries, uv_now(&a->cli->loop));
	boot(a);
}

static void begin(struct attach *a, struct pctl_stream *stream)
{
	a->stream = stream;
	pctl_stream_take(stream, on_ended, a);
	pctl_stream_on_note(stream, on_note);
	media_told_begin(&a->told);
	(void)uv_timer_start(&a->show, on_show, SHOW_MS, SHOW_MS);
	attached(a);
	if (a->ending)
		close_stream(a);
}

/* The line that any verb prints of a node that was passed over, or of a dry run. */
static void tell_not_attached(struct attach *a, const struct pctl_result *r)
{
	media_told_clear(&a->told);
	opened_print(a->cli, r);
	(void)fflush(stdout); /* ahead of what leaves by its descriptor */
	if (a->would)
		media_tell_boot(&a->told, true, a->would);
}

static void not_attached(struct attach *a, const struct pctl_result *r)
{
	PCTL_AUTO(free) char *text = opened_text(a->cli, r, NULL);

	if (!a->ending)
		lose(a, &r->error, text, false);
}

static void on_result(void *data, const struct pctl_result *r)
{
	struct attach *a = data;

	switch (opened_sort(a->cli, r)) {
	case OPENED_STREAM:
		begin(a, r->stream);
		break;
	case OPENED_DONE:
		a->remains = true;
		attached(a);
		finish(a, false);
		break;
	case OPENED_SKIPPED:
	case OPENED_WOULD:
		tell_not_attached(a, r);
		finish(a, false);
		break;
	case OPENED_FAILED:
		not_attached(a, r);
		break;
	}
}

static void on_done(void *data)
{
	struct attach *a = data;

	a->run = NULL;
	answer_detachers(a);
}

static void on_consent(void *data, const struct pctl_consent_question *question)
{
	struct attach *a = data;

	consent_ask(&a->consent, question);
}

/* Nothing is sent yet. */
static int prepare_run(struct attach *a)
{
	struct pctl_request request = run_request_from(a->cli, PCTL_VERB_MEDIA_ATTACH);

	if (consent_check(a->cli, 1) != CLI_OK)
		return CLI_USAGE;
	struct pctl_problems *problems = pctl_problems_new();
	request.media = (struct pctl_media){ .size = sizeof(request.media),
		.cd = a->cd_path,
		.floppy = a->floppy_path,
		.writable = a->cli->options.writable,
		.again = a->was_open };
	if (a->was_open)
		request.consent_code = NULL; /* it held once */
	int r = pctl_run_new(
		cli_core(a->cli), a->cli->inventory, &a->node, 1, &request, &a->run, problems);
	say_problems(problems);
	pctl_problems_free(problems);
	return r < 0 ? CLI_USAGE : CLI_OK;
}

static void start_run(struct attach *a)
{
	const struct pctl_run_callbacks callbacks = {
		.result = on_result,
		.done = on_done,
		.data = a,
		.consent = consent_can_ask(a->cli) ? on_consent : NULL,
	};

	a->consent = (struct consent_prompt){ .cli = a->cli, .run = a->run };
	pctl_run_start(a->run, &callbacks);
}

static int begin_run(struct attach *a)
{
	int status = prepare_run(a);

	if (status == CLI_OK)
		start_run(a);
	return status;
}

/* --- Whether it can be started. --------------------------------------------------------------- */

static void on_looked(void *data, bool ok, const char *text)
{
	struct attach *a = data;

	if (ok) {
		a->unbegun = false;
		if (a->cli->options.dry_run)
			a->would = pctl_xstrdup(text);
		start_run(a);
		return;
	}
	drop_run(a);
	media_tell_boot(&a->told, false, text);
	finish(a, true);
}

/* Before anything is attached or switched on. */
static void start(struct attach *a)
{
	const struct pctl_boot what = boot_what(a, true);

	if (!a->cli->options.boot) {
		start_run(a);
		return;
	}
	a->unbegun = true;
	a->look = (struct console_boot){ .cli = a->cli, .done = on_looked, .data = a };
	if (console_boot_look(&a->look, a->node, &what) == CLI_OK)
		return;
	drop_run(a);
	a->mistake = true;
	finish(a, true);
}

/* --- Others of this user. --------------------------------------------------------------------- */

static void answer_status(struct attach *a, struct media_asker *asker)
{
	measure(a);
	PCTL_AUTO(free)
	char *text = media_answer(a->told.name, a->stream ? pctl_stream_facts(a->stream) : NULL);
	media_socket_answer(asker, text);
}

static void on_asked(void *data, struct media_asker *asker, const char *word)
{
	struct attach *a = data;

	if (strcmp(word, "status") == 0) {
		answer_status(a, asker);
	} else if (strcmp(word, "detach") != 0) {
		media_socket_answer(asker, "what?\n");
	} else {
		if (a->detacher_n < DETACHERS_MAX)
			a->detachers[a->detacher_n++] = asker;
		stop(a);
	}
}

/* --- All of it. ------------------------------------------------------------------------------- */

static void on_signal(void *data)
{
	stop(data);
}

static void on_output_gone(void *data)
{
	struct attach *a = data;

	if (a->told.out.fault && !a->ending && !a->over)
		stop(a);
}

static bool busy(const struct attach *a)
{
	return !a->over || a->stream || a->run || !console_boot_is_gone(&a->look) ||
	       !console_boot_is_gone(&a->boot) || !console_boot_is_gone(&a->eject) ||
	       (outflow_waits(&a->told.out) && !a->signals.came);
}

static int status_of(const struct attach *a)
{
	a->cli->output_fault = a->told.out.fault;
	if (a->told.out.fault && a->told.out.fault != EPIPE)
		say("standard output cannot be written: %s", strerror(a->told.out.fault));
	if (a->signals.came)
		return CLI_INTERRUPTED;
	if (a->mistake)
		return CLI_USAGE;
	bool never_booted = a->cli->options.boot && a->ending && !a->booted;
	return a->failed || a->boot_failed || never_booted || a->told.out.fault ? CLI_FAILED
										: CLI_OK;
}

/* free() it. What is not there, and a URL, stays as it is. */
static char *whole_path(const char *file)
{
	char *path = file ? realpath(file, NULL) : NULL;

	return path || !file ? path : pctl_xstrdup(file);
}

/* Its machine is this one's to serve, of all that this user runs. */
static int open_socket(struct attach *a)
{
	struct pctl_error err = { 0 };

	if (media_socket_open(
		    &a->socket, &a->cli->loop, pctl_run_machine(a->run, 0), on_asked, a, &err) == 0)
		return CLI_OK;
	if (a->cli->options.json) {
		struct pctl_value *map = media_error_event(&err);
		PCTL_AUTO(free) char *line = json_node(a->told.name, map);
		(void)printf("%s\n", line);
		pctl_value_free(map);
	} else {
		say("%s: %s", a->told.name, err.text);
	}
	pctl_run_free(a->run);
	return CLI_FAILED;
}

static int serve(struct attach *a)
{
	struct cli *cli = a->cli;

	(void)uv_timer_init(&cli->loop, &a->again);
	(void)uv_timer_init(&cli->loop, &a->show);
	a->again.data = a->show.data = a;
	outflow_init(&a->told.out, &cli->loop, STDOUT_FILENO, on_output_gone, a);
	signals_start(&a->signals, &cli->loop, on_signal, NULL, a);
	start(a);
	while (busy(a))
		(void)uv_run(&cli->loop, UV_RUN_ONCE);
	media_told_clear(&a->told);
	int status = status_of(a);
	media_socket_close(&a->socket);
	signals_stop(&a->signals);
	outflow_close(&a->told.out);
	uv_close((uv_handle_t *)&a->again, NULL);
	uv_close((uv_handle_t *)&a->show, NULL);
	(void)uv_run(&cli->loop, UV_RUN_NOWAIT); /* our handles live on our caller's stack */
	return status;
}

int media_attach(struct cli *cli, size_t node, const char *cd)
{
	struct attach a = { .cli = cli, .node = node, .cd = cd, .told.cli = cli };

	a.told.name = pctl_inventory_name(cli->inventory, node);
	a.cd_path = whole_path(cd);
	a.floppy_path = whole_path(cli->options.floppy);
	int status = prepare_run(&a);
	if (status == CLI_OK)
		status = open_socket(&a);
	if (status == CLI_OK)
		status = serve(&a);
	free(a.would);
	free(a.cd_path);
	free(a.floppy_path);
	return status;
}
