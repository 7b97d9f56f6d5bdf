/* SPDX-License-Identifier: Apache-2.0 */
/* check: is the inventory right, and can every node be talked to? */
#include "command.h"
#include "run.h"

static int exec_check(struct cli *cli)
{
	const struct pctl_request request = run_request_from(cli, PCTL_VERB_CHECK);
	const struct run_style style = { .mend = true };
	struct selection selection;

	int status = select_nodes(cli, cli->args, &selection);
	if (status != CLI_OK)
		return status;
	status = run_request(cli, &selection, &request, &style);
	selection_done(&selection);
	return status;
}

const struct command command_check = {
	.name = "check",
	.usage = "[NODES]",
	.summary = "check the inventory, then try every node",
	.help = "Names every mistake in the inventory. If there is none, reads the state of NODES, "
		"without NODES\nof all, and says of each what is wrong and which command mends it.",
	.flags = COMMAND_NODES | COMMAND_ALL,
	.options = OPTIONS(OPTIONS_RUN),
	.exec = exec_check,
};
