/* SPDX-License-Identifier: Apache-2.0 */
#include "choice.h"

#include <powerctl/buf.h>
#include <powerctl/parse.h>

#include "command.h"
#include "say.h"

static void say_choices(const struct cli *cli, const char *what, const char *const *choices)
{
	const char *word = cli->args[0];
	struct pctl_buf line;

	/* `boot n1 pxe`: the argument is there, but behind the nodes. */
	for (size_t i = 1; i < cli->nargs; i++) {
		if (pctl_parse_choice(cli->args[i], choices) < 0)
			continue;
		say("'%s' is no %s; nodes come last: powerctl %s %s %s", word, what,
			cli->command->name, cli->args[i], word);
		return;
	}
	pctl_buf_init(&line, 1024);
	for (size_t i = 0; choices[i]; i++)
		pctl_buf_addf(&line, "%s%s", i ? ", " : "", choices[i]);
	const char *near = pctl_parse_nearest(word, choices);
	if (near)
		say("'%s' is no %s; did you mean '%s'?", word, what, near);
	else
		say("'%s' is no %s; it is one of: %s", word, what, line.data);
	pctl_buf_done(&line);
}

int choose(const struct cli *cli, const char *what, const char *const *choices)
{
	int i = pctl_parse_choice(cli->args[0], choices);

	if (i < 0)
		say_choices(cli, what, choices);
	return i;
}
