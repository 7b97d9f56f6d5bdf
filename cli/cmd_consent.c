/* SPDX-License-Identifier: Apache-2.0 */
/* consent: the agreement of somebody at the machine, by hand and step by step. */
#include <string.h>

#include "choice.h"
#include "command.h"
#include "consent.h"
#include "run.h"
#include "say.h"
#include "select.h"

static const char *const actions[] = { "status", "request", "submit", "cancel", NULL };
static const enum pctl_verb verbs[] = { PCTL_VERB_CONSENT_STATUS, PCTL_VERB_CONSENT_REQUEST,
	PCTL_VERB_CONSENT_SUBMIT, PCTL_VERB_CONSENT_CANCEL };

/* The code that stands before NODES. */
static int take_code(const struct cli *cli, struct pctl_request *request)
{
	const char *code = cli->args[1];

	if (!code || !consent_is_code(code)) {
		say("submit needs the code that somebody at the machine read out: "
		    "powerctl consent submit CODE NODE");
		return CLI_USAGE;
	}
	request->consent_code = code;
	if (cli->args[2])
		return CLI_OK;
	say("no NODE is given: powerctl consent submit %s NODE", code);
	return CLI_USAGE;
}

static int run(struct cli *cli, const struct selection *selection, struct pctl_request *request)
{
	if (request->verb == PCTL_VERB_CONSENT_SUBMIT && selection->count != 1) {
		say("submit is for one node: each machine shows a code of its own");
		return CLI_USAGE;
	}
	return run_request(cli, selection, request, NULL);
}

static int exec_consent(struct cli *cli)
{
	struct pctl_request request = run_request_from(cli, PCTL_VERB_CONSENT_STATUS);
	struct selection selection;
	size_t words = 1;
	int status = CLI_OK, action = choose(cli, "action of consent", actions);

	if (action < 0)
		return CLI_USAGE;
	request.verb = verbs[action];
	if (request.verb == PCTL_VERB_CONSENT_SUBMIT) {
		status = take_code(cli, &request);
		words = 2;
	}
	if (status == CLI_OK)
		status = select_nodes(cli, cli->args + words, &selection);
	if (status != CLI_OK)
		return status;
	status = run(cli, &selection, &request);
	selection_done(&selection);
	return status;
}

const struct command command_consent = {
	.name = "consent",
	.usage = "ACTION [CODE] NODES",
	.summary = "the agreement of somebody at the machine",
	.help = "Some machines let boot devices, screen and media be used from afar only when "
		"somebody there\nagrees. Verbs that need it ask for it by themselves; this does it "
		"step by step. ACTION is\none of:\nstatus: what it is required for, and whether "
		"somebody has agreed.\nrequest: the machine's screen shows a code; a machine that "
		"is off is turned on for that.\nsubmit CODE: gives the code to the machine, as "
		"somebody there read it out. For one node.\ncancel: takes the code from the "
		"screen, or the agreement back.",
	.flags = COMMAND_NODES,
	.arguments = 1,
	.options = OPTIONS(OPTIONS_CHANGE),
	.exec = exec_consent,
	.verb = PCTL_VERB_CONSENT_STATUS,
};
