/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures of screens, of many nodes at once: each is opened, and its picture is taken. A device
 * that hangs up on RGB565 is asked once more, for RGB332.
 */
#include "kvm.h"

#include <stdio.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "command.h"
#include "consent.h"
#include "failed.h"
#include "json.h"
#include "kvm_files.h"
#include "kvm_grab.h"
#include "opened.h"
#include "output.h"
#include "progress.h"
#include "render.h"
#include "run.h"
#include "say.h"
#include "signals.h"
#include "text.h"

/* So many have a picture in memory at a time, and its PNG: of full HD 30 MB each at worst. */
#define AT_ONCE ((size_t)16)
/* A device that hung up needs a moment until it takes the next session. */
#define AGAIN_MS ((uint64_t)300)

struct shots;

/* One node. */
struct shot {
	struct shots *all;
	size_t node;
	char *path;
	struct kvm_grab grab;
	uv_timer_t timer;
	struct pctl_run *second; /* that opens it once more, or NULL */
	/* Of the result. */
	char *driver, *address, *credential, *user;
	unsigned attempts;
	uint64_t started;
};

struct shots {
	struct cli *cli;
	struct pctl_request request;
	struct pctl_run *run; /* the one of all nodes, while it runs */
	struct shot *shots;
	size_t count, left, open;
	size_t seconds; /* runs that open one once more */
	bool paused;
	struct output *output;
	struct render_style style;
	struct tally tally;
	struct progress progress;
	struct signals signals;
	struct consent_prompt consent;
	struct pctl_names *failed;
	bool gave_up;
};

/* --- What became of it. ----------------------------------------------------------------------- */

static struct pctl_value *tree_of(const struct shot *s)
{
	struct pctl_value *map = pctl_value_new_map();

	pctl_value_set_text(map, "file", s->path);
	pctl_value_set_int(map, "width", s->grab.width);
	pctl_value_set_int(map, "height", s->grab.height);
	return map;
}

static void tell(struct shot *s, const struct pctl_result *result)
{
	struct shots *all = s->all;
	const char *mark = s->node < all->cli->inventory_count ? "" : "url:";
	PCTL_AUTO(free) char *name = pctl_xasprintf("%s%s", mark, result->name);

	tally_add(&all->tally, result);
	if (!result->ok)
		(void)pctl_names_add(all->failed, name);
	progress_clear(&all->progress);
	output_add(all->output, s->node, result->ok ? 0 : (unsigned)-result->error.code,
		result->name,
		all->cli->options.json ? json_result(result, all->cli->command->name)
				       : opened_text(all->cli, result, &all->style));
	all->left--;
}

static void finish(struct shot *s)
{
	bool ok = !s->grab.err.code;
	struct pctl_value *tree = ok && s->all->cli->options.json ? tree_of(s) : NULL;
	const struct pctl_result result = {
		.node = s->node,
		.name = pctl_inventory_name(s->all->cli->inventory, s->node),
		.driver = s->driver,
		.address = s->address,
		.credential = s->credential,
		.user = s->user,
		.verb = PCTL_VERB_KVM,
		.ok = ok,
		.attempts = s->attempts,
		.elapsed_ms = uv_now(&s->all->cli->loop) - s->started,
		.word = ok ? "ok" : "error",
		.note = ok ? s->path : NULL,
		.tree = tree,
		.error = s->grab.err,
	};

	tell(s, &result);
	pctl_value_free(tree);
	s->all->open--;
	if (s->all->paused && s->all->run) {
		s->all->paused = false;
		pctl_run_pause(s->all->run, false);
	}
}

/* --- Opening. --------------------------------------------------------------------------------- */

static void keep(struct shot *s, const struct pctl_result *r)
{
	if (!s->driver) {
		s->driver = pctl_xstrdup(r->driver ? r->driver : "");
		s->address = r->address ? pctl_xstrdup(r->address) : NULL;
		s->credential = r->credential ? pctl_xstrdup(r->credential) : NULL;
		s->user = r->user ? pctl_xstrdup(r->user) : NULL;
		s->started = uv_now(&s->all->cli->loop) - r->elapsed_ms;
	}
	s->attempts += r->attempts;
}

static struct shot *find(struct shots *all, size_t node)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->shots[i].node == node)
			return &all->shots[i];
	return NULL;
}

/* That something was switched on for it, say. */
static void say_note(const struct shot *s, const struct pctl_stream *stream)
{
	const char *note = pctl_value_text(pctl_value_get(pctl_stream_facts(stream), "note"));

	if (!note || s->all->cli->options.quiet)
		return;
	progress_clear(&s->all->progress);
	say("%s: %s", pctl_inventory_name(s->all->cli->inventory, s->node), note);
}

static void on_result(void *data, const struct pctl_result *r)
{
	struct shots *all = data;
	struct shot *s = find(all, r->node);

	if (!s)
		return;
	if (!r->stream) {
		tell(s, r);
		return;
	}
	keep(s, r);
	say_note(s, r->stream);
	kvm_grab_begin(&s->grab, r->stream);
	if (++all->open >= AT_ONCE && all->run && !all->paused) {
		all->paused = true;
		pctl_run_pause(all->run, true);
	}
}

static void on_run_done(void *data)
{
	((struct shots *)data)->run = NULL;
}

static void on_consent(void *data, const struct pctl_consent_question *question)
{
	struct shots *all = data;

	consent_ask(&all->consent, question);
}

/* --- Once more. ------------------------------------------------------------------------------- */

static void on_second_result(void *data, const struct pctl_result *r)
{
	struct shot *s = data;

	if (r->stream) {
		keep(s, r);
		kvm_grab_begin(&s->grab, r->stream);
		if (s->all->signals.came)
			kvm_grab_cancel(&s->grab);
		return;
	}
	s->grab.err = r->error;
	finish(s);
}

static void on_second_done(void *data)
{
	struct shot *s = data;

	s->second = NULL;
	s->all->seconds--;
}

/* Nobody is asked for a code: who agreed to the first one did so a moment ago, and that holds. */
static int open_again(struct shot *s)
{
	const struct pctl_run_callbacks callbacks = {
		.result = on_second_result, .done = on_second_done, .data = s
	};
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_request request = s->all->request;

	request.consent_code = NULL;
	int r = pctl_run_new(cli_core(s->all->cli), s->all->cli->inventory, &s->node, 1, &request,
		&s->second, problems);
	say_problems(problems);
	pctl_problems_free(problems);
	if (r < 0)
		return pctl_error_set(
			&s->grab.err, PCTL_E_CONFIG, "its settings are not right any more");
	s->all->seconds++;
	pctl_run_start(s->second, &callbacks);
	return 0;
}

static void on_wait_closed(uv_handle_t *handle)
{
	struct shot *s = handle->data;
	int r = s->all->signals.came ? pctl_error_set(&s->grab.err, PCTL_E_CANCELED, "interrupted")
				     : open_again(s);

	if (r < 0)
		finish(s);
}

static void on_waited(uv_timer_t *timer)
{
	uv_close((uv_handle_t *)timer, on_wait_closed);
}

static void on_grabbed(void *data)
{
	struct shot *s = data;

	if (!s->grab.too_wide) {
		finish(s);
		return;
	}
	s->grab.format = RFB_RGB332;
	(void)uv_timer_init(&s->all->cli->loop, &s->timer);
	s->timer.data = s;
	(void)uv_timer_start(&s->timer, on_waited, AGAIN_MS, 0);
}

/* --- All of them. ----------------------------------------------------------------------------- */

static void on_signal(void *data)
{
	struct shots *all = data;

	if (!all->left) {
		all->gave_up = true;
		return;
	}
	consent_ask(&all->consent, NULL);
	progress_clear(&all->progress);
	say("interrupted: what is in flight is reported; once more ends at once");
	if (all->run)
		pctl_run_cancel(all->run);
	for (size_t i = 0; i < all->count; i++) {
		kvm_grab_cancel(&all->shots[i].grab);
		if (all->shots[i].second)
			pctl_run_cancel(all->shots[i].second);
	}
}

static void on_second_signal(void *data)
{
	struct shots *all = data;

	progress_clear(&all->progress);
	output_abandon(all->output);
}

/* An enum cli_status. */
static int start(
	struct shots *all, const struct selection *selection, const char *path, bool folder)
{
	struct pctl_names *paths = pctl_names_new();
	struct cli *cli = all->cli;
	mode_t mode = kvm_files_mode();
	int status = CLI_OK;

	all->shots = pctl_xcalloc(all->count, sizeof(*all->shots));
	for (size_t i = 0; status == CLI_OK && i < all->count; i++) {
		struct shot *s = &all->shots[i];

		s->all = all;
		s->node = selection->nodes[i];
		s->path = kvm_files_path(cli, s->node, path, folder);
		s->grab = (struct kvm_grab){ .loop = &cli->loop,
			.path = s->path,
			.mode = mode,
			.timeout_ms = cli->options.timeout_ms,
			.done = on_grabbed,
			.data = s };
		status = kvm_files_add(paths, cli, s->node, s->path);
	}
	pctl_names_free(paths);
	return status;
}

static void free_all(struct shots *all)
{
	for (size_t i = 0; all->shots && i < all->count; i++) {
		struct shot *s = &all->shots[i];

		free(s->path);
		free(s->driver);
		free(s->address);
		free(s->credential);
		free(s->user);
	}
	free(all->shots);
}

static void forget_failed(void)
{
	struct pctl_error err = { 0 };

	(void)failed_forget(&err);
}

static void keep_failed(const struct shots *all)
{
	struct pctl_error err = { 0 };

	if (failed_save(all->failed, &err) < 0 && all->tally.failed && !all->cli->options.quiet)
		say("%s", err.text);
}

static void show_summary(const struct shots *all)
{
	struct pctl_buf line;

	if (all->cli->options.quiet || all->tally.total < 2 || !all->tally.failed)
		return;
	pctl_buf_init(&line, TEXT_ANSWER_MAX);
	tally_summary(&all->tally, &line);
	(void)fprintf(stderr, "%s\n", line.data);
	pctl_buf_done(&line);
}

static int run_to_end(struct shots *all)
{
	const struct pctl_run_callbacks callbacks = {
		.result = on_result,
		.done = on_run_done,
		.data = all,
		.consent = consent_can_ask(all->cli) ? on_consent : NULL,
	};
	struct cli *cli = all->cli;

	signals_start(&all->signals, &cli->loop, on_signal, on_second_signal, all);
	progress_start(
		&all->progress, &cli->loop, cli->options.quiet, cli->command->name, &all->tally);
	forget_failed();
	all->consent =
		(struct consent_prompt){ .cli = cli, .progress = &all->progress, .run = all->run };
	pctl_run_start(all->run, &callbacks);
	while (all->run || all->left || all->seconds)
		(void)uv_run(&cli->loop, UV_RUN_ONCE);
	keep_failed(all);
	progress_stop(&all->progress);
	int status = tally_status(&all->tally, cli->options.exit_class);
	status = output_end(all->output, &all->gave_up, status);
	signals_stop(&all->signals);
	show_summary(all);
	(void)uv_run(&cli->loop, UV_RUN_NOWAIT); /* our handles live on this stack */
	return all->signals.came ? CLI_INTERRUPTED : status;
}

static int prepare(struct shots *all, const struct selection *selection)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct cli *cli = all->cli;

	all->request = kvm_request(cli);
	if (!all->request.fanout || all->request.fanout > AT_ONCE)
		all->request.fanout = AT_ONCE;
	int r = pctl_run_new(cli_core(cli), cli->inventory, selection->nodes, selection->count,
		&all->request, &all->run, problems);
	say_problems(problems);
	pctl_problems_free(problems);
	return r < 0 ? CLI_USAGE : CLI_OK;
}

int kvm_shoot(struct cli *cli, const struct selection *selection, const char *path)
{
	enum output_mode mode = output_choose(cli);
	struct shots all = { .cli = cli,
		.count = selection->count,
		.left = selection->count,
		.tally.total = selection->count,
		.style = { .verbose = cli->options.verbose > 0,
			.folded = mode == OUTPUT_FOLD && selection->count > 1 } };

	bool folder = false;
	int status = prepare(&all, selection);
	if (status == CLI_OK)
		status = kvm_files_check(path, all.count, !cli->options.dry_run, &folder);
	if (status == CLI_OK)
		status = start(&all, selection, path, folder);
	if (status != CLI_OK) {
		pctl_run_free(all.run);
		free_all(&all);
		return status;
	}
	all.output = output_new(cli, STDOUT_FILENO, mode, cli->options.json);
	all.failed = pctl_names_new();
	status = run_to_end(&all);
	pctl_names_free(all.failed);
	free_all(&all);
	return status;
}
