/* SPDX-License-Identifier: Apache-2.0 */
/* passwd: gives devices new passwords; what is interrupted is gone on with. */
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <powerctl/mem.h>
#include <powerctl/passwd.h>

#include "command.h"
#include "guard.h"
#include "login.h"
#include "passwd/change.h"
#include "prompt.h"
#include "run.h"
#include "say.h"

/* --- The new password. ------------------------------------------------------------------------ */

static int ask_twice(struct pctl_secret **ret, struct pctl_error *err)
{
	int r = prompt_secret_twice("New password: ", ret, err);

	if (r < 0 && r != PCTL_E_STATE)
		r = pctl_error_set(err, PCTL_E_CONFIG,
			"a new password is needed and there is no terminal to ask on; --generate "
			"makes one up, --password-file FILE and --password-stdin give one");
	return r;
}

/* NULL in *ret: each file gets one of its own, made up. */
static int get_password(struct cli *cli, struct pctl_secret **ret, struct pctl_error *err)
{
	const struct options *o = &cli->options;

	if (o->generate)
		return 0;
	if (o->password_file || o->password_stdin)
		return login_password(cli, "", ret, err);
	return ask_twice(ret, err);
}

static size_t count_new(const struct pctl_rotation *rotation)
{
	size_t n = 0;

	for (size_t i = 0; i < pctl_rotation_files(rotation); i++)
		n += !pctl_rotation_begun(rotation, i);
	return n;
}

static int set_passwords(struct cli *cli, struct pctl_rotation *rotation, struct pctl_error *err)
{
	struct pctl_secret *password = NULL;
	int r = 0;

	if (!cli->options.resume && count_new(rotation) > 0)
		r = get_password(cli, &password, err);
	for (size_t i = 0; r == 0 && i < pctl_rotation_files(rotation); i++)
		if (!pctl_rotation_begun(rotation, i))
			r = pctl_rotation_set(rotation, i, password, err);
	pctl_secret_free(password);
	return r;
}

/* --- What there is to do. --------------------------------------------------------------------- */

static int check_words(const struct cli *cli)
{
	const struct options *o = &cli->options;
	int given = o->generate + (o->password_file != NULL) + o->password_stdin;

	if (!o->resume && cli->nargs == 0 && !o->all) {
		say("no NODES are given: powerctl passwd NODES (-a for all)");
		return CLI_USAGE;
	}
	if (o->resume && given) {
		say("--resume goes on with the password that is pending: leave the other option "
		    "out");
		return CLI_USAGE;
	}
	if (given > 1) {
		say("--generate, --password-file and --password-stdin: give one of them");
		return CLI_USAGE;
	}
	return CLI_OK;
}

static int plan(struct cli *cli, const struct selection *selection, struct pctl_rotation **ret)
{
	struct pctl_problems *problems = pctl_problems_new();
	unsigned flags = (cli->options.resume ? PCTL_ROTATION_RESUME : 0) |
			 (cli->options.dry_run ? PCTL_ROTATION_DRY : 0);
	int r = pctl_rotation_new(cli_core(cli), cli->inventory, selection->nodes, selection->count,
		flags, ret, problems);

	say_problems(problems);
	pctl_problems_free(problems);
	return r < 0 ? CLI_USAGE : CLI_OK;
}

/* What was begun is gone on with, whatever was asked for now. */
static void say_begun(const struct cli *cli, const struct pctl_rotation *rotation)
{
	for (size_t i = 0; !cli->options.quiet && i < pctl_rotation_files(rotation); i++)
		if (pctl_rotation_begun(rotation, i))
			say("going on with the new password that is pending in %s",
				pctl_rotation_pending(rotation, i));
}

static void take_selection(const struct pctl_rotation *rotation, struct selection *selection)
{
	for (size_t i = 0; i < pctl_rotation_count(rotation); i++)
		selection->nodes[i] = pctl_rotation_node(rotation, i);
	selection->count = pctl_rotation_count(rotation);
}

static const char *first_begun(const struct pctl_rotation *rotation)
{
	size_t i = 0;

	while (!pctl_rotation_begun(rotation, i))
		i++;
	return pctl_rotation_pending(rotation, i);
}

static int begin(struct cli *cli, struct pctl_rotation *rotation, struct selection *selection)
{
	struct pctl_error err = { 0 };
	bool mixed = count_new(rotation) < pctl_rotation_files(rotation);

	if (mixed && (cli->options.password_file || cli->options.password_stdin)) {
		say("a change is pending in %s; end it first: powerctl passwd --resume",
			first_begun(rotation));
		return CLI_USAGE;
	}
	if (set_passwords(cli, rotation, &err) < 0) {
		say("%s", err.text);
		return CLI_USAGE;
	}
	int status = guard_always(cli, "passwd", selection);
	if (status != CLI_OK)
		return status;
	if (pctl_rotation_write(rotation, &err) < 0) {
		say("%s; nothing was sent", err.text);
		return CLI_FAILED;
	}
	say_begun(cli, rotation);
	return change_passwords(cli, rotation, selection);
}

static int work(struct cli *cli, struct selection *selection)
{
	struct pctl_rotation *rotation = NULL;
	int status = plan(cli, selection, &rotation);

	if (status != CLI_OK)
		return status;
	take_selection(rotation, selection);
	if (selection->count == 0) {
		if (!cli->options.quiet)
			say("no change of a password is pending");
	} else if (cli->options.dry_run) {
		struct pctl_request request = run_request_from(cli, PCTL_VERB_PASSWD);

		request.rotation = rotation;
		status = run_request(cli, selection, &request, NULL);
	} else {
		status = begin(cli, rotation, selection);
	}
	pctl_rotation_free(rotation);
	return status;
}

static int exec_passwd(struct cli *cli)
{
	const struct rlimit none = { 0 };
	struct selection selection = { 0 };
	int status = check_words(cli);

	if (status == CLI_OK)
		status = select_nodes(cli, cli->args, &selection);
	if (status != CLI_OK)
		return status;
	(void)setrlimit(RLIMIT_CORE, &none); /* it would have both passwords */
	status = work(cli, &selection);
	selection_done(&selection);
	return status;
}

const struct command command_passwd = {
	.name = "passwd",
	.usage = "NODES",
	.summary = "give management processors a new password",
	.help = "Gives the users that powerctl logs in as at NODES a new password, which is asked "
		"for twice,\nread (--password-file, --password-stdin) or made up (--generate). It "
		"is kept beside the old\none before anything is sent, and takes its place in the "
		"password's file when every node that\nhas this file took a login with it. "
		"Whatever interrupts that, --resume or the same command goes\non; until then every "
		"other command logs in to each node with the password it has.",
	.flags = COMMAND_NODES | COMMAND_ALL,
	.options = OPTIONS(OPTIONS_NODES, OPTIONS_OUTPUT, OPTION_GENERATE, OPTION_PASSWORD_FILE,
		OPTION_PASSWORD_STDIN, OPTION_RESUME, OPTION_DRY_RUN, OPTION_YES, OPTION_NO_HOOKS,
		OPTION_MAINTENANCE, OPTION_LOCK_WAIT, OPTION_TIMEOUT, OPTION_DEADLINE,
		OPTION_FANOUT, OPTION_EXIT_CLASS, OPTION_CALLER, OPTION_TRY_ANYWAY),
	.exec = exec_passwd,
};
