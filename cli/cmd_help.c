/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <powerctl/mem.h>

#include "command.h"
#include "methods.h"

#ifndef POWERCTL_VERSION
#error "POWERCTL_VERSION is set by the build"
#endif

#define COLUMN 28

void help_version(FILE *out)
{
	(void)fprintf(out, "powerctl %s\n", POWERCTL_VERSION);
}

static void show_option(FILE *out, const struct option_row *row)
{
	char letter[8] = "    ";
	PCTL_AUTO(free)
	char *name = pctl_xasprintf("--%s%s%s", row->name, row->argument ? " " : "",
		row->argument ? row->argument : "");

	if (row->letter)
		(void)snprintf(letter, sizeof(letter), "-%c, ", row->letter);
	(void)fprintf(out, "  %s%-*s %s\n", letter, COLUMN, name, row->help);
}

/* In the order of enum option_id: which option is the first below which heading. */
static const struct {
	enum option_id from;
	const char *heading;
} groups[] = {
	{ OPTION_HELP, "Options of all verbs" },
	{ OPTION_SOFT, "Options" },
	{ OPTION_ALL, "Which nodes" },
	{ OPTION_TIMEOUT, "How long, and how many at a time" },
	{ OPTION_JSON, "How it is told" },
	{ OPTION_CREDENTIAL, "Logins" },
	{ OPTION_COUNT, NULL },
};

static void show_options(FILE *out, const enum option_id *options)
{
	for (size_t i = 0; groups[i].heading; i++) {
		const char *heading = groups[i].heading;

		for (enum option_id id = groups[i].from; id < groups[i + 1].from; id++) {
			if (!options_have(options, id))
				continue;
			if (heading)
				(void)fprintf(out, "\n%s:\n", heading);
			heading = NULL;
			show_option(out, &option_rows[id]);
		}
	}
}

void help_overview(FILE *out)
{
	(void)fputs("usage: powerctl [options] VERB [argument] NODES...\n\nVerbs:\n", out);
	for (size_t i = 0; commands[i]; i++)
		(void)fprintf(out, "  %-10s %-18s %s\n", commands[i]->name, commands[i]->usage,
			commands[i]->summary);
	method_overview(out);
	(void)fputs(
		"\nNODES: names and ranges (n[1-3,7]), @group, %tag, -a for all, - for standard "
		"input, @failed,\nn[1-9]!n5, or a URL such as amt://admin@10.0.0.5\n",
		out);
	show_options(out, options_global);
	(void)fputs(
		"\n`powerctl help VERB` says more; so do powerctl(1) and powerctl.yaml(5).\n", out);
}

void help_command(FILE *out, const struct command *c)
{
	(void)fprintf(out, "usage: powerctl [options] %s %s\n\n%s\n", c->name, c->usage, c->help);
	if (c->more)
		c->more(out);
	show_options(out, c->options);
	show_options(out, options_global);
}

static int exec_help(struct cli *cli)
{
	if (cli->nargs == 0) {
		help_overview(stdout);
		return CLI_OK;
	}
	const struct command *c = command_find(cli->args[0]);
	if (!c)
		return method_help(cli);
	help_command(stdout, c);
	return CLI_OK;
}

const struct command command_help = {
	.name = "help",
	.usage = "[VERB]",
	.summary = "say what there is, or what a verb does",
	.help = "Without VERB: all verbs and the options that all of them take. VERB may also be a "
		"driver, or\nDRIVER METHOD.",
	.exec = exec_help,
};
