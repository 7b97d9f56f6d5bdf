/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include <string.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "complete.h"
#include "methods.h"
#include "say.h"
#include "text.h"

const struct command *const commands[] = {
	&command_status,
	&command_on,
	&command_off,
	&command_reboot,
	&command_cycle,
	&command_ac_cycle,
	&command_reset,
	&command_bootdev,
	&command_boot,
	&command_pxeboot,
	&command_nmi,
	&command_sleep,
	&command_identify,
	&command_wait,
	&command_info,
	&command_hardware,
	&command_caps,
	&command_log,
	&command_sensors,
	&command_console,
	&command_kvm,
	&command_consent,
	&command_media,
	&command_discover,
	&command_add,
	&command_import,
	&command_rm,
	&command_list,
	&command_expand,
	&command_fold,
	&command_coprocess,
	&command_show,
	&command_set,
	&command_check,
	&command_trust,
	&command_passwd,
	&command_history,
	&command_drivers,
	&command_help,
	NULL,
};

/* What people type who come from elsewhere. */
static const struct habit {
	const char *word, *command;
	const enum option_id *options;
} habits[] = {
	{ "stat", "status", NULL },
	{ "soft", "off", OPTIONS(OPTION_SOFT) },
};
#define HABITS (sizeof(habits) / sizeof(habits[0]))

static const struct habit *habit_of(const char *word)
{
	for (size_t i = 0; i < HABITS; i++)
		if (strcmp(habits[i].word, word) == 0)
			return &habits[i];
	return NULL;
}

const struct command *command_find(const char *word)
{
	const struct habit *habit = habit_of(word);

	for (size_t i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, habit ? habit->command : word) == 0)
			return commands[i];
	return NULL;
}

const enum option_id *command_implied(const char *word)
{
	const struct habit *habit = habit_of(word);

	return habit ? habit->options : NULL;
}

static const char *nearest_verb(const char *word)
{
	const char *names[sizeof(commands) / sizeof(commands[0]) + HABITS] = { NULL };
	size_t n = 0;

	for (size_t i = 0; commands[i]; i++)
		names[n++] = commands[i]->name;
	for (size_t i = 0; i < HABITS; i++)
		names[n++] = habits[i].word;
	names[n] = NULL;
	return pctl_parse_nearest(word, names);
}

/* `power on n1`, `chassis power on`: what others have before their verbs. */
static bool is_filler(const char *word)
{
	static const char *const fillers[] = { "power", "chassis", NULL };

	return pctl_parse_choice(word, fillers) >= 0;
}

/* `powerctl nuc1 reboot`: the same words, the verb first. */
static bool say_swapped(const char *const *words)
{
	struct pctl_buf line;
	size_t verb = 1;

	while (words[verb] && !command_find(words[verb]))
		verb++;
	if (!words[verb])
		return false;
	pctl_buf_init(&line, TEXT_LINE_MAX);
	for (size_t i = verb + 1; words[i]; i++)
		pctl_buf_addf(&line, " %s", words[i]);
	for (size_t i = 0; i < verb; i++)
		if (!is_filler(words[i]))
			pctl_buf_addf(&line, " %s", words[i]);
	say("the verb comes first: powerctl %s%s", words[verb], line.data);
	pctl_buf_done(&line);
	return true;
}

int command_unknown(struct cli *cli, const char *const *words)
{
	PCTL_AUTO(free) char *driver = method_nearest_driver(cli, words[0]);
	const char *near = nearest_verb(words[0]);
	size_t n = 1;

	while (words[n])
		n++;
	if (!near)
		near = driver;
	/* A verb at the very end was meant as one, whatever the first word resembles. */
	if (n > 1 && command_find(words[n - 1]))
		near = NULL;
	if (near)
		say("unknown verb '%s'; did you mean '%s'?", words[0], near);
	else if (!say_swapped(words))
		say("unknown verb '%s'; `powerctl help` lists them", words[0]);
	return CLI_USAGE;
}

int command_check_words(const struct cli *cli)
{
	const struct command *c = cli->command;
	bool shown = (c->flags & COMMAND_NO_ARGUMENT) && cli->options.show;
	size_t arguments = shown ? 0 : c->arguments;
	bool nodes = cli->nargs > arguments;

	if (cli->nargs < arguments) {
		say("something is missing: powerctl %s %s", c->name, c->usage);
		return CLI_USAGE;
	}
	if (!(c->flags & COMMAND_NODES))
		return CLI_OK;
	if (nodes && cli->options.all) {
		say("both -a and NODES are given: leave one of them out");
		return CLI_USAGE;
	}
	if (!nodes && cli->options.names) {
		say("no names follow --names");
		return CLI_USAGE;
	}
	if (!nodes && !cli->options.all && !(c->flags & COMMAND_ALL)) {
		bool many = strstr(c->usage, "NODES");

		say("no NODES are given: powerctl %s %s%s", c->name, c->usage,
			many && options_have(c->options, OPTION_ALL) ? " (-a for all)" : "");
		return CLI_USAGE;
	}
	return CLI_OK;
}

/* --coprocess stands for the verb, and all words are its own. */
static int dispatch(struct cli *cli)
{
	static const char *const none[] = { NULL };
	const struct words *words = &cli->options.words;
	struct pctl_error err = { 0 };
	size_t verb = cli->options.coprocess ? 0 : 1;

	cli->command = verb ? command_find(words->v[0]) : &command_coprocess;
	if (!cli->command)
		return method_exec(cli);
	if (cli->options.help) {
		help_command(stdout, cli->command);
		return CLI_OK;
	}
	options_set(&cli->options, verb ? command_implied(words->v[0]) : NULL);
	if (options_check(&cli->options, cli->command->options, cli->command->name, &err) < 0) {
		say("%s", err.text);
		return CLI_USAGE;
	}
	cli->args = words->v ? words->v + verb : none;
	cli->nargs = words->n - verb;
	int status = command_check_words(cli);
	return status == CLI_OK ? cli->command->exec(cli) : status;
}

int command_main(struct cli *cli, int argc, char **argv)
{
	struct pctl_error err = { 0 };

	if (argc > 1 && strcmp(argv[1], "complete") == 0)
		return complete_main(cli, (const char *const *)argv + 2);
	if (options_parse(&cli->options, argc, argv, &err) < 0) {
		say("%s", err.text);
		return CLI_USAGE;
	}
	if (cli->options.version) {
		help_version(stdout);
		return CLI_OK;
	}
	if (cli->options.words.n > 0 || cli->options.coprocess)
		return dispatch(cli);
	help_overview(cli->options.help ? stdout : stderr);
	return cli->options.help ? CLI_OK : CLI_USAGE;
}
