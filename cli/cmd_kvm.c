/* SPDX-License-Identifier: Apache-2.0 */
/* kvm: a machine's screen, keyboard and mouse for a VNC viewer, and pictures of its screen. */
#include "kvm.h"

#include <string.h>

#include <powerctl/mem.h>

#include "command.h"
#include "consent.h"
#include "login.h"
#include "prompt.h"
#include "run.h"
#include "say.h"

struct pctl_request kvm_request(const struct cli *cli)
{
	struct pctl_request request = run_request_from(cli, PCTL_VERB_KVM);

	request.steal = cli->options.steal;
	request.display = (unsigned)cli->options.display;
	return request;
}

/* Which options belong to which of the three ways; the first column is the way itself. */
static const struct {
	enum option_id option, way;
} belongs[] = {
	{ OPTION_VNC_PASSWORD_FILE, OPTION_DIRECT },
	{ OPTION_OFF, OPTION_DIRECT },
};
static const struct {
	enum option_id way, option;
} excludes[] = {
	{ OPTION_SCREENSHOT, OPTION_SOCKET },
	{ OPTION_SCREENSHOT, OPTION_VIEW },
	{ OPTION_SCREENSHOT, OPTION_DIRECT },
	{ OPTION_DIRECT, OPTION_SOCKET },
	{ OPTION_DIRECT, OPTION_VIEW },
	{ OPTION_DIRECT, OPTION_STEAL },
	{ OPTION_DIRECT, OPTION_DISPLAY },
	{ OPTION_DIRECT, OPTION_CONSENT_CODE },
	{ OPTION_SOCKET, OPTION_VIEW },
	{ OPTION_OFF, OPTION_VNC_PASSWORD_FILE },
};

static int check_way(const struct cli *cli)
{
	const bool *given = cli->options.given;

	for (size_t i = 0; i < sizeof(belongs) / sizeof(belongs[0]); i++) {
		if (!given[belongs[i].option] || given[belongs[i].way])
			continue;
		say("--%s goes with --%s: add --%s", option_rows[belongs[i].option].name,
			option_rows[belongs[i].way].name, option_rows[belongs[i].way].name);
		return CLI_USAGE;
	}
	for (size_t i = 0; i < sizeof(excludes) / sizeof(excludes[0]); i++) {
		if (!given[excludes[i].way] || !given[excludes[i].option])
			continue;
		say("--%s and --%s exclude each other: choose one",
			option_rows[excludes[i].way].name, option_rows[excludes[i].option].name);
		return CLI_USAGE;
	}
	if (cli->options.all && !given[OPTION_SCREENSHOT] && !given[OPTION_DIRECT]) {
		say("kvm is for one node; pictures of several: powerctl kvm --screenshot DIR/ -a");
		return CLI_USAGE;
	}
	return CLI_OK;
}

/* --- The device's own port. ------------------------------------------------------------------- */

static int read_password(const struct cli *cli, struct pctl_secret **ret, struct pctl_error *err)
{
	if (cli->options.vnc_password_file)
		return login_read_file(
			cli->options.vnc_password_file, "vnc-password-file", ret, err);
	int r = prompt_secret_twice("password for VNC viewers: ", ret, err);
	if (r == 0 || r == PCTL_E_STATE)
		return r;
	PCTL_AUTO(free) char *why = pctl_xstrdup(err->text);
	return pctl_error_set(err, r, "%s; --vnc-password-file FILE takes it from a file", why);
}

static int set_direct(struct cli *cli, const struct selection *selection)
{
	struct pctl_request request = run_request_from(cli, PCTL_VERB_KVM_DIRECT);
	struct pctl_secret *password = NULL;
	struct pctl_error err = { 0 };

	if (!cli->options.off && !cli->options.dry_run && read_password(cli, &password, &err) < 0) {
		say("%s", err.text);
		return CLI_USAGE;
	}
	if (cli->options.dry_run && !cli->options.off)
		password = pctl_secret_new("", 0);
	request.display_password = password;
	int status = run_request(cli, selection, &request, NULL);
	pctl_secret_free(password);
	return status;
}

/* --- The command. ----------------------------------------------------------------------------- */

static int serve(struct cli *cli, const struct selection *selection)
{
	if (selection->count == 1)
		return kvm_serve(cli, selection->nodes[0]);
	PCTL_AUTO(free) char *folded = selection_fold(cli, selection);
	say("kvm is for one node; pictures of several: powerctl kvm --screenshot DIR/ %s", folded);
	return CLI_USAGE;
}

static int go(struct cli *cli, const struct selection *selection)
{
	if (cli->options.direct)
		return set_direct(cli, selection);
	if (cli->options.screenshot)
		return kvm_shoot(cli, selection, cli->options.screenshot);
	return serve(cli, selection);
}

static int exec_kvm(struct cli *cli)
{
	struct selection selection;
	int status = check_way(cli);

	if (status == CLI_OK)
		status = select_nodes(cli, cli->args, &selection);
	if (status != CLI_OK)
		return status;
	status = consent_check(cli, selection.count);
	if (status == CLI_OK)
		status = go(cli, &selection);
	selection_done(&selection);
	return status;
}

const struct command command_kvm = {
	.name = "kvm",
	.usage = "NODE",
	.summary = "the machine's screen, keyboard and mouse, for a VNC viewer",
	.help = "Logs in to the machine's screen, prints an address on this host, and waits there "
		"for one VNC\nviewer (--view starts $VNCVIEWER, or one that is found). It ends "
		"when the viewer leaves, or with\n^C. Viewers of other users are turned away; "
		"--socket PATH is a place of this user alone.\n--screenshot FILE.png writes a "
		"picture "
		"instead; of several nodes: powerctl kvm --screenshot DIR/\nNODES.\n--direct sets "
		"up the machine's own VNC port instead, where it has one, with a password for\n"
		"viewers that is asked for or read from --vnc-password-file; --direct --off closes "
		"it.",
	.flags = COMMAND_NODES,
	.options = OPTIONS(OPTIONS_NODES, OPTIONS_FORM, OPTIONS_SECRET, OPTION_SORT, OPTION_TIMEOUT,
		OPTION_DEADLINE, OPTION_FANOUT, OPTION_MAINTENANCE, OPTION_TRY_ANYWAY,
		OPTION_EXIT_CLASS, OPTION_CALLER, OPTION_DRY_RUN, OPTION_LOCK_WAIT, OPTION_STEAL,
		OPTION_CONSENT_CODE, OPTION_YES, OPTION_DISPLAY, OPTION_VIEW, OPTION_SOCKET,
		OPTION_SCREENSHOT, OPTION_DIRECT, OPTION_OFF, OPTION_VNC_PASSWORD_FILE),
	.exec = exec_kvm,
	.verb = PCTL_VERB_KVM,
};
