/* SPDX-License-Identifier: Apache-2.0 */
/*
 * powerman's command line, its output and its exit statuses, without a daemon: what it asked of
 * powermand is done here. Where powerman calls a failure a success this does not: the manual page
 * has the differences.
 */
#include <getopt.h>
#include <string.h>

#include <powerctl/mem.h>

#include "ask.h"
#include "command.h"
#include "face.h"
#include "render.h"
#include "run.h"
#include "signals.h"

/* powermand's numbers, which powerman ends with. */
enum {
	DONE = 0,
	WRONG = 1, /* the command line */
	HOSTLIST_ERROR = 205,
	NO_SUCH_NODES = 209,
	COMMAND_FAILED = 210,
	QUERY_FAILED = 211,
};

/* What can be done; letters are powerman's. */
static const struct action {
	char letter;
	bool queries; /* all nodes where none is named */
	bool lists;
	bool off; /* of identify */
	enum pctl_verb verb;
} actions[] = {
	{ .letter = '1', .verb = PCTL_VERB_ON },
	{ .letter = '0', .verb = PCTL_VERB_OFF },
	{ .letter = 'c', .verb = PCTL_VERB_REBOOT },
	{ .letter = 'r', .verb = PCTL_VERB_RESET },
	{ .letter = 'f', .verb = PCTL_VERB_IDENTIFY },
	{ .letter = 'u', .verb = PCTL_VERB_IDENTIFY, .off = true },
	{ .letter = 'q', .queries = true, .verb = PCTL_VERB_STATUS },
	{ .letter = 'Q', .queries = true, .verb = PCTL_VERB_STATUS },
	{ .letter = 'l', .lists = true },
};

static const char letters[] = "10crfuqQlaxh:R:TgVH";
static const struct option words[] = {
	{ "on", no_argument, NULL, '1' },
	{ "off", no_argument, NULL, '0' },
	{ "cycle", no_argument, NULL, 'c' },
	{ "reset", no_argument, NULL, 'r' },
	{ "flash", no_argument, NULL, 'f' },
	{ "unflash", no_argument, NULL, 'u' },
	{ "query", no_argument, NULL, 'Q' },
	{ "query-all", no_argument, NULL, 'q' },
	{ "list", no_argument, NULL, 'l' },
	{ "all", no_argument, NULL, 'a' },
	{ "exprange", no_argument, NULL, 'x' },
	{ "server-host", required_argument, NULL, 'h' },
	{ "retry-connect", required_argument, NULL, 'R' },
	{ "telemetry", no_argument, NULL, 'T' },
	{ "genders", no_argument, NULL, 'g' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'H' },
	{ NULL, 0, NULL, 0 },
};

static const char usage[] = "Usage: powerman [options] [command] [targets]\n"
			    "Commands:\n"
			    "  -1,--on              Power on targets\n"
			    "  -0,--off             Power off targets\n"
			    "  -c,--cycle           Power cycle targets\n"
			    "  -r,--reset           Assert hardware reset on targets\n"
			    "  -f,--flash           Turn beacon on on targets\n"
			    "  -u,--unflash         Turn beacon off on targets\n"
			    "  -q,--query           Query power state on optional targets\n"
			    "  -l,--list            List available targets\n"
			    "Options:\n"
			    "  -a,--all             All nodes are targets\n"
			    "  -x,--exprange        Expand host ranges in query response\n"
			    "  -h,-R,-T             Accepted and not used: there is no server\n"
			    "This is powerctl in the shape of powerman: powerctl-powerman(1).\n";

struct face_run {
	struct cli *cli;
	const struct action *action;
	bool all, expand;
	struct pctl_names *on, *off, *unknown;
	size_t failed;
	struct ask ask;
};

/* --- Words. ----------------------------------------------------------------------------------- */

static int wrong(const char *what)
{
	(void)fprintf(stderr, "powerman: %s\n", what);
	return WRONG;
}

static const struct action *find_action(int letter)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (actions[i].letter == letter)
			return &actions[i];
	return NULL;
}

/* -1: go on; else the exit status. */
static int take_option(struct face_run *f, int letter)
{
	const struct action *action = find_action(letter);

	if (action && f->action)
		return wrong("Only one action may be specified");
	if (action)
		f->action = action;
	else if (letter == 'a')
		f->all = true;
	else if (letter == 'x')
		f->expand = true;
	else if (letter == 'h' || letter == 'R')
		(void)fprintf(stderr, "powerman: there is no server, -%c %s is not used\n", letter,
			optarg);
	else if (letter == 'g')
		return wrong("genders attributes are groups of powerctl's inventory");
	else if (letter != 'T')
		return wrong("Unknown option.  Try '--help' for more information.");
	return -1;
}

static int take_words(struct face_run *f, int argc, char **argv)
{
	int letter, status = -1;

	opterr = 0;
	while (status < 0 && (letter = getopt_long(argc, argv, letters, words, NULL)) != -1) {
		if (letter == 'H') {
			(void)fputs(usage, stdout);
			return DONE;
		}
		if (letter == 'V') {
			help_version(stdout);
			return DONE;
		}
		status = take_option(f, letter);
	}
	if (status >= 0)
		return status;
	if (!f->action)
		return wrong("No action was specified.");
	if (f->action->lists && optind < argc)
		return wrong("Command does not accept targets");
	if (f->all && optind < argc)
		return wrong("--all and targets exclude each other");
	if (!f->action->queries && !f->action->lists && !f->all && optind == argc)
		return wrong("Command requires targets");
	return -1;
}

/* --- Targets. --------------------------------------------------------------------------------- */

static int expand_targets(char **targets, struct pctl_names *out)
{
	for (; *targets; targets++) {
		struct pctl_error err = { 0 };

		if (!select_is_names(*targets))
			pctl_error_set(&err, PCTL_E_CONFIG, "no name or range of names");
		else if (pctl_names_expand(out, *targets, NULL, NULL, &err) == 0)
			continue;
		(void)printf("Hostlist error: %.200s: %s\n", *targets, err.text);
		return HOSTLIST_ERROR;
	}
	return DONE;
}

static int choose(struct face_run *f, const struct pctl_names *names, struct selection *ret)
{
	struct pctl_inventory *inventory = f->cli->inventory;
	struct pctl_names *none = pctl_names_new();

	ret->nodes = pctl_xcalloc(pctl_names_count(names) + 1, sizeof(*ret->nodes));
	for (size_t i = 0; i < pctl_names_count(names); i++) {
		int64_t node = pctl_inventory_index(inventory, pctl_names_at(names, i));

		if (node >= 0)
			ret->nodes[ret->count++] = (size_t)node;
		else
			(void)pctl_names_add(none, pctl_names_at(names, i));
	}
	PCTL_AUTO(free) char *folded = pctl_names_fold(none);
	size_t missing = pctl_names_count(none);
	pctl_names_free(none);
	if (missing)
		(void)printf("No such nodes: %s\n", folded);
	return missing ? NO_SUCH_NODES : DONE;
}

static int find_targets(struct face_run *f, char **targets, struct selection *ret)
{
	struct pctl_names *names = pctl_names_new();
	size_t all = f->all || !*targets ? pctl_inventory_count(f->cli->inventory) : 0;

	for (size_t i = 0; i < all; i++)
		(void)pctl_names_add(names, pctl_inventory_name(f->cli->inventory, i));
	int status = expand_targets(targets, names);
	if (status == DONE)
		status = choose(f, names, ret);
	pctl_names_free(names);
	return status;
}

/* --- Results. --------------------------------------------------------------------------------- */

static void complain(const struct pctl_result *r)
{
	const struct render_style style = { 0 };
	PCTL_AUTO(free) char *text = render_result(r, &style);

	(void)fprintf(stderr, "powerman: %s: %s\n", r->name, text);
}

static void on_result(void *data, const struct pctl_result *r)
{
	struct face_run *f = data;
	bool good = r->ok && !r->error.code;
	struct pctl_names *names = f->unknown;

	if (good && r->state_known && r->state == PCTL_POWER_ON)
		names = f->on;
	else if (good && r->state_known && r->state == PCTL_POWER_OFF)
		names = f->off;
	(void)pctl_names_add(names, r->name);
	if (!good || (f->action->queries && names == f->unknown)) {
		f->failed++;
		complain(r);
	}
}

static void show_bucket(const char *title, const struct pctl_names *names)
{
	PCTL_AUTO(free) char *folded = pctl_names_fold(names);

	(void)printf("%-9s%s\n", title, folded);
}

static void show_each(struct face_run *f, const struct selection *selection)
{
	for (size_t i = 0; i < selection->count; i++) {
		const char *name = pctl_inventory_name(f->cli->inventory, selection->nodes[i]);
		const char *word = pctl_names_has(f->on, name)    ? "on"
				   : pctl_names_has(f->off, name) ? "off"
								  : "unknown";

		(void)printf("%s: %s\n", name, word);
	}
}

static int show_query(struct face_run *f, const struct selection *selection)
{
	if (f->expand) {
		show_each(f, selection);
	} else {
		show_bucket("on:", f->on);
		show_bucket("off:", f->off);
		show_bucket("unknown:", f->unknown);
	}
	if (f->failed)
		(void)printf("Query completed with errors\n");
	return f->failed ? QUERY_FAILED : DONE;
}

static int show_done(const struct face_run *f)
{
	(void)printf("Command completed %s\n", f->failed ? "with errors" : "successfully");
	return f->failed ? COMMAND_FAILED : DONE;
}

static int list_nodes(const struct face_run *f, const struct selection *selection)
{
	struct pctl_names *names = pctl_names_new();

	for (size_t i = 0; i < selection->count; i++) {
		const char *name = pctl_inventory_name(f->cli->inventory, selection->nodes[i]);

		if (f->expand)
			(void)printf("%s\n", name);
		else
			(void)pctl_names_add(names, name);
	}
	PCTL_AUTO(free) char *folded = pctl_names_fold(names);
	if (!f->expand)
		(void)printf("%s\n", folded);
	pctl_names_free(names);
	return DONE;
}

/* --- The whole of it. ------------------------------------------------------------------------- */

static void on_signal(void *data)
{
	struct face_run *f = data;

	if (f->ask.run)
		pctl_run_cancel(f->ask.run);
}

static int do_action(struct face_run *f, const struct selection *selection)
{
	struct pctl_request request = run_request_from(f->cli, f->action->verb);
	struct pctl_problems *problems = pctl_problems_new();
	struct signals signals;

	request.identify_off = f->action->off;
	request.maintenance = f->action->queries;
	signals_start(&signals, &f->cli->loop, on_signal, NULL, f);
	int r = ask_nodes(f->cli, selection, &request, &f->ask, on_result, f, problems);
	signals_stop(&signals);
	(void)uv_run(&f->cli->loop, UV_RUN_NOWAIT); /* their handles live on this stack */
	for (size_t i = 0; r < 0 && pctl_problems_at(problems, i); i++)
		(void)fprintf(stderr, "powerman: %s\n", pctl_problems_at(problems, i));
	pctl_problems_free(problems);
	if (r < 0)
		return WRONG;
	int status = f->action->queries ? show_query(f, selection) : show_done(f);
	return signals.came ? CLI_INTERRUPTED : status;
}

static int run_face(struct cli *cli, int argc, char **argv)
{
	struct face_run f = { .cli = cli };
	struct selection selection = { 0 };
	int status = take_words(&f, argc, argv);

	if (status >= 0)
		return status;
	if (face_inventory(cli) != CLI_OK)
		return WRONG;
	f.on = pctl_names_new();
	f.off = pctl_names_new();
	f.unknown = pctl_names_new();
	status = find_targets(&f, argv + optind, &selection);
	if (status == DONE)
		status = f.action->lists ? list_nodes(&f, &selection) : do_action(&f, &selection);
	selection_done(&selection);
	pctl_names_free(f.on);
	pctl_names_free(f.off);
	pctl_names_free(f.unknown);
	return status;
}

static const struct command command_powerman = { .name = "powerman" };

const struct face face_powerman = {
	.name = "powerman",
	.main = run_face,
	.command = &command_powerman,
};
