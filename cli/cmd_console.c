/* SPDX-License-Identifier: Apache-2.0 */
/* console: the machine's serial console, to talk to or to follow. */
#include <powerctl/mem.h>

#include "command.h"
#include "console.h"
#include "escape.h"
#include "guard.h"
#include "say.h"
#include "select.h"

/* Options that only one of the two ways has. */
static int check_way(const struct cli *cli)
{
	if (cli->options.follow && cli->options.escape) {
		say("--escape is for what is typed, and --follow sends nothing: leave one out");
		return CLI_USAGE;
	}
	if (cli->options.follow && cli->options.boot) {
		say("--boot is for one console, and --follow starts nothing: leave one out");
		return CLI_USAGE;
	}
	if (!cli->options.follow && cli->options.all) {
		say("console is for one node; --follow shows what several print: "
		    "powerctl console --follow -a");
		return CLI_USAGE;
	}
	return CLI_OK;
}

static int talk(struct cli *cli, const struct selection *selection, int escape)
{
	if (selection->count == 1) {
		int status = cli->options.boot ? guard_confirm(cli, "boot", selection) : CLI_OK;

		return status == CLI_OK ? console_talk(cli, selection->nodes[0], escape) : status;
	}
	PCTL_AUTO(free) char *folded = selection_fold(cli, selection);
	say("console is for one node; --follow shows what several print: "
	    "powerctl console --follow %s",
		folded);
	return CLI_USAGE;
}

static int exec_console(struct cli *cli)
{
	struct selection selection;
	struct pctl_error err = { 0 };
	int escape = ESCAPE_DEFAULT;

	if (cli->options.escape && escape_parse(cli->options.escape, &escape, &err) < 0) {
		say("%s", err.text);
		return CLI_USAGE;
	}
	int status = check_way(cli);
	if (status == CLI_OK)
		status = select_nodes(cli, cli->args, &selection);
	if (status != CLI_OK)
		return status;
	status = cli->options.follow ? console_follow(cli, &selection)
				     : talk(cli, &selection, escape);
	selection_done(&selection);
	return status;
}

const struct command command_console = {
	.name = "console",
	.usage = "NODE",
	.summary = "the machine's serial console",
	.help = "Connects the terminal to the console. At the beginning of a line ~. leaves, ~B "
		"sends a break,\n~^Z suspends, ~? shows all of them; --escape takes another "
		"character. A lost connection is\nmade again. Where standard input is no terminal "
		"it is sent as it is, and the command ends\nwhen it has ended and the console has "
		"been quiet for 2 s.\n--boot then resets the machine, or turns it on, with its "
		"BIOS on the console, where the\ndriver can do that.\n--follow shows what several "
		"nodes print, a line at a time, "
		"and sends nothing:\npowerctl console --follow NODES.",
	.flags = COMMAND_NODES,
	.options = OPTIONS(OPTIONS_NODES, OPTIONS_SECRET, OPTION_TIMEOUT, OPTION_TRY_ANYWAY,
		OPTION_FANOUT, OPTION_MAINTENANCE, OPTION_FOLLOW, OPTION_STEAL, OPTION_BOOT,
		OPTION_YES, OPTION_PROTECTED, OPTION_LOG, OPTION_ESCAPE, OPTION_NO_RECONNECT,
		OPTION_CONSENT_CODE),
	.exec = exec_console,
	.verb = PCTL_VERB_CONSOLE,
};
