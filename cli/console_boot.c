/* SPDX-License-Identifier: Apache-2.0 */
#include "console_boot.h"

#include <powerctl/mem.h>

#include "command.h"
#include "render.h"
#include "run.h"
#include "say.h"

static void on_result(void *data, const struct pctl_result *result)
{
	struct console_boot *boot = data;
	const struct render_style style = { .verbose = boot->cli->options.verbose > 0 };
	PCTL_AUTO(free) char *text = render_result(result, &style);

	if (!boot->stopped)
		boot->done(boot->data, result->ok, text);
}

static void on_done(void *data)
{
	struct console_boot *boot = data;

	boot->run = NULL;
}

static int start(struct console_boot *boot, size_t node, const struct pctl_request *request)
{
	struct cli *cli = boot->cli;
	const struct pctl_run_callbacks callbacks = {
		.result = on_result, .done = on_done, .data = boot
	};
	struct pctl_problems *problems = pctl_problems_new();

	int r = pctl_run_new(
		cli_core(cli), cli->inventory, &node, 1, request, &boot->run, problems);
	say_problems(problems);
	pctl_problems_free(problems);
	if (r < 0)
		return CLI_USAGE;
	pctl_run_start(boot->run, &callbacks);
	return CLI_OK;
}

int console_boot_start(struct console_boot *boot, size_t node, const struct pctl_boot *what)
{
	struct pctl_request request = run_request_from(boot->cli, PCTL_VERB_BOOT);

	request.boot = *what;
	/* What it does from here on is seen there. */
	request.no_wait = true;
	return start(boot, node, &request);
}

int console_boot_look(struct console_boot *boot, size_t node, const struct pctl_boot *what)
{
	struct pctl_request request = run_request_from(boot->cli, PCTL_VERB_BOOT);

	request.boot = *what;
	request.dry_run = true;
	return start(boot, node, &request);
}

int console_boot_eject(struct console_boot *boot, size_t node)
{
	const struct pctl_request request = run_request_from(boot->cli, PCTL_VERB_MEDIA_DETACH);

	return start(boot, node, &request);
}

void console_boot_stop(struct console_boot *boot)
{
	boot->stopped = true;
	if (boot->run)
		pctl_run_cancel(boot->run);
}

bool console_boot_is_gone(const struct console_boot *boot)
{
	return !boot->run;
}
