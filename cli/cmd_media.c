/* SPDX-License-Identifier: Apache-2.0 */
/* media: files as CDs and floppies of a machine. */
#include <powerctl/op.h>

#include "choice.h"
#include "command.h"
#include "guard.h"
#include "media_answer.h"
#include "media_attach.h"
#include "media_socket.h"
#include "medium.h"
#include "run.h"
#include "say.h"
#include "select.h"

static const char *const actions[] = { "attach", "detach", "status", NULL };
enum action { ATTACH, DETACH, STATUS };

/* --- attach. ---------------------------------------------------------------------------------- */

static int attach(struct cli *cli)
{
	const char *const *words = cli->args + 1;
	/* With --floppy a single word is the node: then there is no CD. */
	bool cd = words[0] && (words[1] || !cli->options.floppy);
	struct selection selection;

	bool node = cli->options.all || words[cd];

	if (!node || (!cd && !cli->options.floppy)) {
		say("something is missing: powerctl media attach FILE NODE");
		return CLI_USAGE;
	}
	int status = select_nodes(cli, words + cd, &selection);
	if (status != CLI_OK)
		return status;
	if (selection.count != 1) {
		say("media attach is for one node at a time, and these are %zu", selection.count);
		status = CLI_USAGE;
	} else if (cli->options.boot) {
		status = guard_confirm(cli, "boot", &selection);
	}
	if (status == CLI_OK)
		status = medium_check(cli, cd ? words[0] : NULL, cli->options.floppy);
	if (status == CLI_OK)
		status = media_attach(cli, selection.nodes[0], cd ? words[0] : NULL);
	selection_done(&selection);
	return status;
}

/* --- detach, status. -------------------------------------------------------------------------- */

static void no_answer(struct pctl_op *op)
{
	pctl_op_fail(op, PCTL_E_UNREACHABLE, "the powerctl that serves its media does not answer");
}

static void on_detached(struct pctl_op *op, const char *answer, struct pctl_value *ret)
{
	(void)ret;
	if (!answer) {
		no_answer(op);
		return;
	}
	pctl_op_committed(op);
	pctl_op_done(op);
}

static void on_status(struct pctl_op *op, const char *answer, struct pctl_value *ret)
{
	if (answer && media_answer_read(answer, ret))
		pctl_op_done(op);
	else
		no_answer(op);
}

static bool detach_served(
	void *data, const char *machine, struct pctl_op *op, struct pctl_value *ret)
{
	(void)data;
	return media_socket_ask(machine, op, actions[DETACH], on_detached, ret);
}

static bool status_served(
	void *data, const char *machine, struct pctl_op *op, struct pctl_value *ret)
{
	(void)data;
	return media_socket_ask(machine, op, actions[STATUS], on_status, ret);
}

static int ask(struct cli *cli, enum action action)
{
	const struct pctl_request request = run_request_from(
		cli, action == DETACH ? PCTL_VERB_MEDIA_DETACH : PCTL_VERB_MEDIA_STATUS);
	const struct run_style style = { .served =
						 action == DETACH ? detach_served : status_served };
	struct selection selection;

	if (!cli->args[1] && !cli->options.all) {
		say("no NODES are given: powerctl media %s NODES (-a for all)", actions[action]);
		return CLI_USAGE;
	}
	int status = select_nodes(cli, cli->args + 1, &selection);
	if (status != CLI_OK)
		return status;
	status = run_request(cli, &selection, &request, &style);
	selection_done(&selection);
	return status;
}

static int exec_media(struct cli *cli)
{
	int action = choose(cli, "action of media", actions);
	bool only_attach = cli->options.boot || cli->options.floppy || cli->options.writable ||
			   cli->options.no_reconnect;

	if (action < 0)
		return CLI_USAGE;
	if (action == ATTACH)
		return attach(cli);
	if (only_attach) {
		say("--floppy, --boot, --writable and --no-reconnect go with media attach only");
		return CLI_USAGE;
	}
	return ask(cli, (enum action)action);
}

const struct command command_media = {
	.name = "media",
	.usage = "attach FILE NODE | detach NODES | status NODES",
	.summary = "files as the CD and floppy of a machine",
	.help = "attach puts FILE, an image of a CD, into a drive of the machine; --floppy puts "
		"one into a floppy\ndrive, and without FILE there is no CD. Where the machine "
		"reads "
		"from this computer (Intel AMT)\nthe command stays and serves it, until ^C or "
		"`powerctl media detach`; a lost connection is made\nagain. Where its controller "
		"fetches images by itself (Redfish) FILE is a URL and the command ends.\n--boot "
		"then resets the machine, or turns it on, to start from it.\ndetach takes out what "
		"is there, whoever put it in. status says what is.",
	.arguments = 1,
	.options = OPTIONS(OPTIONS_NODES, OPTIONS_FORM, OPTION_SORT, OPTIONS_SECRET, OPTION_TIMEOUT,
		OPTION_TRY_ANYWAY, OPTION_DEADLINE, OPTION_FANOUT, OPTION_EXIT_CLASS,
		OPTION_MAINTENANCE, OPTION_CALLER, OPTION_NO_HOOKS, OPTION_LOCK_WAIT,
		OPTION_PROTECTED, OPTION_YES, OPTION_DRY_RUN, OPTION_FLOPPY, OPTION_BOOT,
		OPTION_WRITABLE, OPTION_NO_RECONNECT, OPTION_CONSENT_CODE),
	.exec = exec_media,
	.verb = PCTL_VERB_MEDIA_STATUS,
};
