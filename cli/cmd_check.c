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
	.summary = "check the inventory, then what is wrong with every node",
	.help = "Names every mistake in the inventory. If there is none, reads the state of NODES, "
		"without NODES\nof all, and looks for what else is wrong with each: clock, "
		"certificate, firmware with known\nholes, weak logins, what is switched off. Each "
		"finding says what mends it. A fault makes the exit\nstatus 1; warnings and infos "
		"do not.",
	.flags = COMMAND_NODES | COMMAND_ALL,
	.options = OPTIONS(OPTIONS_RUN),
	.exec = exec_check,
};
