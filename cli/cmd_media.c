/* SPDX-License-Identifier: Apache-2.0 */
/* media: files as CDs and floppies of a machine. */
#include <string.h>

#include <powerctl/mem.h>

#include "choice.h"
#include "command.h"
#include "guard.h"
#include "json.h"
#include "media_attach.h"
#include "media_socket.h"
#include "medium.h"
#include "render.h"
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

/* In place of the device the powerctl that serves the medium has answered. */
static void put(struct cli *cli, size_t node, enum pctl_verb verb, struct pctl_value *tree)
{
	struct pctl_result result = { .node = node,
		.name = pctl_inventory_name(cli->inventory, node),
		.driver = pctl_inventory_text(cli->inventory, node, "driver"),
		.address = pctl_inventory_text(cli->inventory, node, "address"),
		.verb = verb,
		.ok = true,
		.changed = verb == PCTL_VERB_MEDIA_DETACH,
		.word = "ok",
		.tree = tree };
	const struct render_style style = { .indented = true };
	PCTL_AUTO(free)
	char *text = cli->options.json ? json_result(&result, pctl_verb_name(verb))
				       : render_result(&result, &style);

	if (cli->options.json)
		(void)printf("%s\n", text);
	else
		(void)printf("%s:%s%s\n", result.name, *text == '\n' ? "" : " ", text);
}

static bool answered_here(struct cli *cli, size_t node, enum action action)
{
	PCTL_AUTO(free) char *answer = NULL;

	if (!media_socket_ask(cli, node, actions[action], &answer))
		return false;
	if (action == DETACH) {
		put(cli, node, PCTL_VERB_MEDIA_DETACH, NULL);
		return true;
	}
	struct pctl_value *tree = media_attach_tree(answer);
	if (tree)
		put(cli, node, PCTL_VERB_MEDIA_STATUS, tree);
	pctl_value_free(tree);
	return tree != NULL;
}

static int ask(struct cli *cli, enum action action)
{
	struct pctl_request request = run_request_from(
		cli, action == DETACH ? PCTL_VERB_MEDIA_DETACH : PCTL_VERB_MEDIA_STATUS);
	struct selection selection;
	size_t left = 0;

	if (!cli->args[1] && !cli->options.all) {
		say("no NODES are given: powerctl media %s NODES (-a for all)", actions[action]);
		return CLI_USAGE;
	}
	int status = select_nodes(cli, cli->args + 1, &selection);
	if (status != CLI_OK)
		return status;
	for (size_t i = 0; i < selection.count; i++)
		if (request.dry_run || !answered_here(cli, selection.nodes[i], action))
			selection.nodes[left++] = selection.nodes[i];
	(void)fflush(stdout);
	selection.count = left;
	if (left > 0)
		status = run_request(cli, &selection, &request, NULL);
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
