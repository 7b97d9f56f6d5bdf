/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node goes through steps; each phase runs one request over the nodes that are at its step, and
 * what came of it decides on the next. What is on the disk is never behind what was sent.
 */
#include "passwd/change.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/history.h>
#include <powerctl/mem.h>

#include "ask.h"
#include "command.h"
#include "json.h"
#include "output.h"
#include "progress.h"
#include "render.h"
#include "run.h"
#include "say.h"
#include "signals.h"
#include "text.h"

#define RESUME "`powerctl passwd --resume` goes on"
#define LEAVE_OUT                                                                         \
	"to leave it out give it a password file of its own with the old password, then " \
	"`powerctl passwd --resume`"
#define HAD_NEW   "it took the new password before"
#define NOT_BEGUN "the next step could not begin: standard error says why"

enum step {
	STEP_ASK_NEW,   /* interrupted before: has it the new one, or still has it? */
	STEP_ASK_OLD,   /* it does not take the new one: has it the old one? */
	STEP_SET,       /* it has the old one, and is to get the new one */
	STEP_CHECK_OLD, /* it said no: the old one should hold */
	STEP_VERIFY,    /* it said yes, or nothing: the new one should hold */
	STEP_RECHECK,   /* it does not: does the old one? */
	STEP_ENDED,
};

struct item {
	size_t node;
	enum step step;
	struct pctl_error said; /* what setting ended with; code 0: well */
	uint64_t elapsed_ms;    /* of a setting that was interrupted before it was sent */
	unsigned attempts;
};

struct change {
	struct cli *cli;
	struct pctl_rotation *rotation;
	struct item *items;
	size_t count;
	size_t *item_of;           /* 1 + index, by node */
	struct pctl_names *proved; /* took a login with the new one just now */
	const struct phase *phase;
	struct ask ask;
	struct output *output;
	struct render_style style;
	struct tally tally;
	struct progress progress;
	struct signals signals;
	bool broken; /* a run could not begin, and why was said */
};

/* --- What became of a node. ------------------------------------------------------------------- */

static void tell(struct change *c, struct item *item, const struct pctl_result *about)
{
	struct pctl_result r = *about;

	item->step = STEP_ENDED;
	r.verb = PCTL_VERB_PASSWD;
	tally_add(&c->tally, &r);
	progress_clear(&c->progress);
	char *text = c->cli->options.json ? json_result(&r, c->cli->command->name)
					  : render_result(&r, &c->style);
	output_add(c->output, r.node, r.ok ? 0 : (unsigned)-r.error.code, r.name, text);
}

static void end_ok(struct change *c, struct item *item, const struct pctl_result *about)
{
	struct pctl_result r = *about;

	r.ok = true;
	r.word = "ok";
	r.changed = true;
	r.confirmed = "seen";
	(void)pctl_names_add(c->proved, r.name);
	tell(c, item, &r);
}

static void end_error(struct change *c, struct item *item, const struct pctl_result *about,
	int code, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void end_error(struct change *c, struct item *item, const struct pctl_result *about,
	int code, const char *fmt, ...)
{
	struct pctl_result r = *about;
	va_list ap;

	r.ok = false;
	r.word = "error";
	r.note = NULL;
	r.error = (struct pctl_error){ 0 };
	va_start(ap, fmt);
	(void)pctl_error_setv(&r.error, code, fmt, ap);
	va_end(ap);
	tell(c, item, &r);
}

/* false: it could not be written, and the node has ended with that. */
static bool mark(struct change *c, struct item *item, enum pctl_password_state state,
	const struct pctl_result *about)
{
	struct pctl_error err = { 0 };

	if (pctl_rotation_mark(c->rotation, item->node, state, &err) == 0)
		return true;
	end_error(c, item, about, PCTL_E_INTERNAL,
		"it has the %s password, but that cannot be noted: %.160s; " RESUME,
		pctl_password_state_name(state), err.text);
	return false;
}

/* --- Steps. ----------------------------------------------------------------------------------- */

/*
 * In the middle: a password that left this host, before now or in an earlier run, may have been
 * taken; one that never did was not, and code says what kept it.
 */
static void end_early(struct change *c, struct item *item, const struct pctl_result *about,
	int code, const char *why)
{
	struct pctl_result r = *about;
	enum pctl_password_state state = pctl_rotation_state(c->rotation, item->node);

	r.changed = state == PCTL_PASSWORD_SENT;
	if (state == PCTL_PASSWORD_NEW)
		end_error(c, item, &r, code, "%.200s; " HAD_NEW "; " RESUME, why);
	else if (r.changed)
		end_error(c, item, &r, PCTL_E_OUTCOME_UNKNOWN,
			"%.200s; the new password was sent, and whether it is taken is not "
			"known; " RESUME,
			why);
	else
		end_error(c, item, &r, code, "%.200s; the new password was not sent%s", why,
			pctl_rotation_is_left(c->rotation, item->node) ? "; " RESUME : "");
}

/* ^C, or a deadline. */
static void end_interrupted(struct change *c, struct item *item, const struct pctl_result *about)
{
	end_early(c, item, about, PCTL_E_CANCELED, "interrupted");
}

static void end_neither(struct change *c, struct item *item, const struct pctl_result *about)
{
	end_error(c, item, about, PCTL_E_AUTH,
		"it takes neither the new nor the old password (%.160s); both are kept",
		about->error.text);
}

static void asked_new(struct change *c, struct item *item, const struct pctl_result *r)
{
	if (r->ok) {
		if (mark(c, item, PCTL_PASSWORD_NEW, r))
			end_ok(c, item, r);
	} else if (r->error.code == PCTL_E_AUTH) {
		item->step = STEP_ASK_OLD;
	} else if (pctl_rotation_state(c->rotation, item->node) == PCTL_PASSWORD_NEW) {
		end_error(c, item, r, r->error.code, "%.200s; " HAD_NEW, r->error.text);
	} else {
		end_error(c, item, r, r->error.code, "%.200s; which password it has is not known",
			r->error.text);
	}
}

static void asked_old(struct change *c, struct item *item, const struct pctl_result *r)
{
	if (r->ok) {
		if (mark(c, item, PCTL_PASSWORD_OLD, r))
			item->step = STEP_SET;
	} else if (r->error.code == PCTL_E_AUTH) {
		end_neither(c, item, r);
	} else {
		end_error(c, item, r, r->error.code, "%.200s; which password it has is not known",
			r->error.text);
	}
}

/* Another name of a machine that got the new one a moment ago takes the old one no more. */
static bool may_have_it(const struct change *c, const struct item *item)
{
	const struct pctl_secret *own =
		pctl_rotation_secret(c->rotation, item->node, PCTL_PASSWORD_NEW);
	const char *mine = pctl_inventory_text(c->cli->inventory, item->node, "address");

	for (size_t i = 0; mine && i < c->count; i++) {
		const struct item *other = &c->items[i];
		const char *its = pctl_inventory_text(c->cli->inventory, other->node, "address");

		if (other != item && its && strcmp(mine, its) == 0 &&
			own == pctl_rotation_secret(c->rotation, other->node, PCTL_PASSWORD_NEW) &&
			pctl_rotation_state(c->rotation, other->node) != PCTL_PASSWORD_OLD)
			return true;
	}
	return false;
}

/* The device's own words: it was there, and did not do it, or says so. */
static bool is_verdict(int code)
{
	return code == PCTL_E_REFUSED || code == PCTL_E_STATE || code == PCTL_E_FORBIDDEN ||
	       code == PCTL_E_UNSUPPORTED || code == PCTL_E_CONSENT;
}

/* It said yes, or nothing, or knows the old one no more. */
static bool may_be_taken(
	const struct change *c, const struct item *item, const struct pctl_result *r, bool sent)
{
	return r->ok || r->error.code == PCTL_E_OUTCOME_UNKNOWN ||
	       r->error.code == PCTL_E_PROTOCOL || r->changed ||
	       (sent && r->error.code == PCTL_E_AUTH && may_have_it(c, item));
}

static void set(struct change *c, struct item *item, const struct pctl_result *r)
{
	bool sent = pctl_rotation_state(c->rotation, item->node) == PCTL_PASSWORD_SENT;

	item->said = r->error;
	if (may_be_taken(c, item, r, sent)) {
		item->step = STEP_VERIFY;
	} else if (sent && is_verdict(r->error.code)) {
		item->step = STEP_CHECK_OLD;
	} else if (sent && !mark(c, item, PCTL_PASSWORD_OLD, r)) {
		return;
	} else if (r->error.code == PCTL_E_CANCELED) {
		/* What is left for others is known when all of them are: end_rest(). */
		item->elapsed_ms = r->elapsed_ms;
		item->attempts = r->attempts;
	} else if (r->error.code == PCTL_E_CONFIG &&
		   pctl_rotation_is_left(c->rotation, item->node)) {
		end_error(c, item, r, r->error.code, "%.150s; " LEAVE_OUT, r->error.text);
	} else {
		tell(c, item, r);
	}
}

static void checked_old(struct change *c, struct item *item, const struct pctl_result *r)
{
	if (r->ok) {
		if (mark(c, item, PCTL_PASSWORD_OLD, r))
			end_error(c, item, r, item->said.code, "%.280s", item->said.text);
	} else if (r->error.code == PCTL_E_AUTH) {
		item->step = STEP_VERIFY;
	} else {
		end_error(c, item, r, r->error.code, "%.100s; then: %.130s", item->said.text,
			r->error.text);
	}
}

static void verified(struct change *c, struct item *item, const struct pctl_result *r)
{
	if (r->ok) {
		if (mark(c, item, PCTL_PASSWORD_NEW, r))
			end_ok(c, item, r);
	} else if (r->error.code == PCTL_E_AUTH) {
		item->step = STEP_RECHECK;
	} else {
		end_error(c, item, r, PCTL_E_OUTCOME_UNKNOWN,
			"the new password was sent, but whether it is taken is not known "
			"(%.140s); " RESUME,
			r->error.text);
	}
}

static void rechecked(struct change *c, struct item *item, const struct pctl_result *r)
{
	if (r->ok) {
		if (!mark(c, item, PCTL_PASSWORD_OLD, r))
			return;
		if (item->said.code)
			end_error(c, item, r, item->said.code, "the password is as it was (%.240s)",
				item->said.text);
		else
			end_error(c, item, r, PCTL_E_REFUSED,
				"it said that it took the new password, and still takes only the "
				"old one");
	} else if (r->error.code == PCTL_E_AUTH) {
		end_neither(c, item, r);
	} else {
		end_error(c, item, r, r->error.code, "%.200s; which password it has is not known",
			r->error.text);
	}
}

/*
 * In their order. Where a device has just accepted a password, a refusal of it that is remembered
 * from before says nothing.
 */
static const struct phase {
	enum step step;
	enum pctl_verb verb;
	bool login_new, try_anyway;
	void (*ended)(struct change *c, struct item *item, const struct pctl_result *r);
} phases[] = {
	{ STEP_ASK_NEW, PCTL_VERB_LOGIN, true, false, asked_new },
	{ STEP_ASK_OLD, PCTL_VERB_LOGIN, false, false, asked_old },
	{ STEP_SET, PCTL_VERB_PASSWD, false, false, set },
	{ STEP_CHECK_OLD, PCTL_VERB_LOGIN, false, true, checked_old },
	{ STEP_VERIFY, PCTL_VERB_LOGIN, true, true, verified },
	{ STEP_RECHECK, PCTL_VERB_LOGIN, false, true, rechecked },
};

/* --- Phases. ---------------------------------------------------------------------------------- */

static void on_result(void *data, const struct pctl_result *result)
{
	struct change *c = data;
	struct item *item = &c->items[c->item_of[result->node] - 1];

	if (result->ok && result->error.code == PCTL_E_SKIPPED)
		tell(c, item,
			result); /* nothing was asked of it: no answer to any phase's question */
	else if (!result->ok && result->error.code == PCTL_E_CANCELED &&
		 c->phase->verb == PCTL_VERB_LOGIN)
		end_interrupted(c, item, result);
	else
		c->phase->ended(c, item, result);
}

static void run_phase(struct change *c, const struct phase *phase)
{
	struct pctl_request request = run_request_from(c->cli, phase->verb);
	size_t *nodes = pctl_xcalloc(c->count + 1, sizeof(*nodes));
	struct selection selection = { .nodes = nodes };

	for (size_t i = 0; i < c->count; i++)
		if (c->items[i].step == phase->step)
			nodes[selection.count++] = c->items[i].node;
	request.rotation = c->rotation;
	request.login_new = phase->login_new;
	request.try_anyway |= phase->try_anyway;
	c->phase = phase;
	if (selection.count > 0) {
		struct pctl_problems *problems = pctl_problems_new();

		if (ask_nodes(c->cli, &selection, &request, &c->ask, on_result, c, problems) < 0)
			c->broken = true;
		say_problems(problems);
		pctl_problems_free(problems);
	}
	free(nodes);
}

static void on_first_signal(void *data)
{
	struct change *c = data;

	progress_clear(&c->progress);
	say("interrupted: what is in flight is reported; once more ends at once");
	if (c->ask.run)
		pctl_run_cancel(c->ask.run);
}

static void on_second_signal(void *data)
{
	struct change *c = data;

	progress_clear(&c->progress);
	output_abandon(c->output);
}

/* Of a node that nothing was asked of. */
static struct pctl_result nothing_of(const struct change *c, const struct item *item)
{
	const struct pctl_inventory *inventory = c->cli->inventory;

	return (struct pctl_result){ .node = item->node,
		.name = pctl_inventory_name(inventory, item->node),
		.driver = pctl_inventory_text(inventory, item->node, "driver"),
		.address = pctl_inventory_text(inventory, item->node, "address"),
		.elapsed_ms = item->elapsed_ms,
		.attempts = item->attempts };
}

/* Whom the interruption, or what was wrong here, kept from its next step. */
static void end_rest(struct change *c)
{
	for (size_t i = 0; i < c->count; i++) {
		struct item *item = &c->items[i];
		const struct pctl_result about = nothing_of(c, item);

		if (item->step != STEP_ENDED && c->broken)
			end_early(c, item, &about, PCTL_E_CONFIG, NOT_BEGUN);
		else if (item->step != STEP_ENDED)
			end_interrupted(c, item, &about);
	}
}

static void run_phases(struct change *c)
{
	const size_t n = sizeof(phases) / sizeof(phases[0]);

	for (size_t i = 0; i < n && !c->signals.came && !c->broken; i++)
		run_phase(c, &phases[i]);
	end_rest(c);
}

/* --- Before and after. ------------------------------------------------------------------------ */

static void take_items(struct change *c, const struct selection *selection)
{
	c->count = selection->count;
	c->items = pctl_xcalloc(c->count + 1, sizeof(*c->items));
	c->item_of = pctl_xcalloc(pctl_inventory_count(c->cli->inventory) + 1, sizeof(*c->item_of));
	for (size_t i = 0; i < c->count; i++) {
		size_t node = selection->nodes[i];
		enum pctl_password_state state = pctl_rotation_state(c->rotation, node);

		c->item_of[node] = i + 1;
		c->items[i].node = node;
		c->items[i].step = state == PCTL_PASSWORD_OLD ? STEP_SET : STEP_ASK_NEW;
	}
}

/* Whoever has the file's password and is in a state, folded; NULL: nobody is. */
static char *fold_state(const struct change *c, size_t file, enum pctl_password_state state)
{
	struct pctl_names *names = pctl_names_new();

	pctl_rotation_names(c->rotation, file, state, names);
	char *folded = pctl_names_count(names) ? pctl_names_fold(names) : NULL;
	pctl_names_free(names);
	return folded;
}

/* Which password each of them has, as far as anybody knows. */
static void say_pending(const struct change *c, size_t file)
{
	PCTL_AUTO(free) char *old = fold_state(c, file, PCTL_PASSWORD_OLD);
	PCTL_AUTO(free) char *sent = fold_state(c, file, PCTL_PASSWORD_SENT);
	PCTL_AUTO(free) char *new = fold_state(c, file, PCTL_PASSWORD_NEW);
	struct pctl_buf line;

	pctl_buf_init(&line, TEXT_ANSWER_MAX);
	pctl_buf_adds(&line, pctl_rotation_file(c->rotation, file));
	if (old)
		pctl_buf_addf(&line, " keeps the old password for %s", old);
	if (sent)
		pctl_buf_addf(&line, "%s whether %s took the new one is not known", old ? ";" : ":",
			sent);
	if (new)
		pctl_buf_addf(&line, "; %s took the new one", new);
	if (new && !old && !sent)
		pctl_buf_adds(&line, " before, and a login now is what the file waits for");
	say("%s; the new one is pending in %s; " RESUME, line.data,
		pctl_rotation_pending(c->rotation, file));
	pctl_buf_done(&line);
}

/* Noted long ago is not proof enough to throw the old one away: a board may have been exchanged. */
static bool is_proved(const struct change *c, size_t file)
{
	struct pctl_names *names = pctl_names_new();
	bool all = true;

	pctl_rotation_names(c->rotation, file, PCTL_PASSWORD_NEW, names);
	for (size_t i = 0; all && i < pctl_names_count(names); i++)
		all = pctl_names_has(c->proved, pctl_names_at(names, i));
	pctl_names_free(names);
	return all;
}

/* 1: it is done; 0: something is left. */
static int finish(struct change *c, size_t file)
{
	bool fresh = !pctl_rotation_begun(c->rotation, file);
	const char *path = pctl_rotation_file(c->rotation, file);
	struct pctl_error err = { 0 };
	int r = is_proved(c, file) ? pctl_rotation_finish(c->rotation, file, fresh, &err) : 0;

	if (r < 0)
		say("%s; all nodes have the new password, which stays in %s; " RESUME, err.text,
			pctl_rotation_pending(c->rotation, file));
	else if (r > 0 && !c->cli->options.quiet)
		say("%s has the new password now", path);
	else if (r == 0 && access(pctl_rotation_pending(c->rotation, file), F_OK) < 0)
		say("%s is as it was: no node took a new password", path);
	else if (r == 0)
		say_pending(c, file);
	return r > 0;
}

static int finish_all(struct change *c, int status)
{
	bool all = true;

	for (size_t i = 0; i < pctl_rotation_files(c->rotation); i++)
		all = finish(c, i) && all;
	return status == CLI_OK && !all ? CLI_FAILED : status;
}

static void say_rest(struct change *c)
{
	struct pctl_error err = { 0 };
	struct pctl_buf line;

	if (c->cli->options.quiet)
		return;
	if (pctl_core_history(c->cli->core, &err) < 0)
		say("this is missing in the history: %s", err.text);
	if (c->tally.total < 2 || !c->tally.failed)
		return;
	pctl_buf_init(&line, TEXT_ANSWER_MAX);
	tally_summary(&c->tally, &line);
	(void)fprintf(stderr, "%s\n", line.data);
	pctl_buf_done(&line);
}

int change_passwords(
	struct cli *cli, struct pctl_rotation *rotation, const struct selection *selection)
{
	enum output_mode mode = output_choose(cli);
	struct change c = { .cli = cli,
		.rotation = rotation,
		.tally.total = selection->count,
		.style = { .verbose = cli->options.verbose > 0,
			.folded = mode == OUTPUT_FOLD && selection->count > 1 } };

	c.proved = pctl_names_new();
	take_items(&c, selection);
	c.output = output_new(cli, STDOUT_FILENO, mode, cli->options.json);
	signals_start(&c.signals, &cli->loop, on_first_signal, on_second_signal, &c);
	progress_start(&c.progress, &cli->loop, cli->options.quiet, cli->command->name, &c.tally);
	run_phases(&c);
	progress_stop(&c.progress);
	int status = finish_all(&c, tally_status(&c.tally, cli->options.exit_class));
	status = output_end(c.output, &c.signals.came, status);
	signals_stop(&c.signals);
	say_rest(&c);
	(void)uv_run(&cli->loop, UV_RUN_NOWAIT); /* our handles live on this stack */
	free(c.items);
	free(c.item_of);
	pctl_names_free(c.proved);
	return c.signals.came ? CLI_INTERRUPTED : status;
}
