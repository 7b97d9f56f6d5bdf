/* SPDX-License-Identifier: Apache-2.0 */
/* expand, fold: the two ways to write a set of names, for scripts. */
#include <powerctl/mem.h>
#include <powerctl/nodeset.h>

#include "command.h"
#include "select.h"

static int exec_expand(struct cli *cli)
{
	struct pctl_names *names = pctl_names_new();
	int status = select_names(cli, cli->args, names);

	for (size_t i = 0; status == CLI_OK && i < pctl_names_count(names); i++)
		(void)printf("%s\n", pctl_names_at(names, i));
	pctl_names_free(names);
	return status;
}

static int exec_fold(struct cli *cli)
{
	struct pctl_names *names = pctl_names_new();
	int status = select_names(cli, cli->args, names);

	if (status == CLI_OK && pctl_names_count(names) > 0) {
		PCTL_AUTO(free) char *folded = pctl_names_fold(names);

		(void)printf("%s\n", folded);
	}
	pctl_names_free(names);
	return status;
}

#define NAMES_HELP                                                                               \
	"The names need not be in the inventory; it is read only where a group, a tag, @failed " \
	"or -a\nasks for it. Nothing is printed where nothing is left."

const struct command command_expand = {
	.name = "expand",
	.usage = "NODES",
	.summary = "print the names that NODES stand for, one per line",
	.help = "One name per line, in the order in which they are named, none twice.\n" NAMES_HELP,
	.flags = COMMAND_NODES,
	.options = OPTIONS(OPTIONS_NODES),
	.exec = exec_expand,
};

const struct command command_fold = {
	.name = "fold",
	.usage = "NODES",
	.summary = "print NODES in the shortest way to write them",
	.help = "One line: n[1-3,7]. `powerctl fold -` folds what standard input "
		"holds.\n" NAMES_HELP,
	.flags = COMMAND_NODES,
	.options = OPTIONS(OPTIONS_NODES),
	.exec = exec_fold,
};
