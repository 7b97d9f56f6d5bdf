/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <string.h>
#include <unistd.h>

#include <powerctl/log.h>
#include <powerctl/mem.h>

#include "command.h"
#include "say.h"
#include "text.h"

#define PERSONAL_FILE "powerctl/powerctl.yaml"

static void log_line(void *data, enum pctl_log_level level, const char *node, const char *line)
{
	struct pctl_buf buf;

	(void)data;
	pctl_buf_init(&buf, TEXT_LINE_MAX);
	text_clean(&buf, line);
	(void)fprintf(stderr, "%s %s%s%s\n", level == PCTL_LOG_TRACE ? "trace" : "debug",
		node ? node : "", node ? ": " : "", buf.data);
	pctl_buf_done(&buf);
}

void cli_init(struct cli *cli)
{
	*cli = (struct cli){ 0 };
	int r = uv_loop_init(&cli->loop);
	if (r < 0) {
		say("cannot begin: %s%s", uv_strerror(r),
			r == UV_EMFILE ? ": raise `ulimit -n`" : "");
		_exit(CLI_USAGE);
	}
}

static void on_core_closed(void *data)
{
	*(bool *)data = true;
}

void cli_done(struct cli *cli)
{
	struct pctl_error err = { 0 };
	bool closed = !cli->core;

	if (cli->core && pctl_core_save(cli->core, &err) < 0)
		say("what was learned is not kept for the next time: %s", err.text);
	if (cli->core)
		pctl_core_close(cli->core, on_core_closed, &closed);
	while (!closed)
		(void)uv_run(&cli->loop, UV_RUN_ONCE);
	/* A name look-up that nobody waits for any more cannot be stopped; the program does not
	 * wait. */
	(void)uv_run(&cli->loop, UV_RUN_NOWAIT);
	(void)uv_loop_close(&cli->loop);
	pctl_inventory_free(cli->inventory);
	options_done(&cli->options);
}

struct pctl_core *cli_core(struct cli *cli)
{
	if (cli->core)
		return cli->core;

	PCTL_AUTO(free) char *caller = pctl_xasprintf("powerctl %s", cli->command->name);
	const char *asked_by = getenv("POWERCTL_CALLER");
	const struct pctl_core_options options = {
		.plugin_dir = cli->options.plugin_dir,
		.caller = caller,
		.asked_by = cli->options.caller ? cli->options.caller : asked_by,
	};

	if (cli->options.trace)
		pctl_log_set_sink(log_line, NULL, PCTL_LOG_TRACE);
	else if (cli->options.verbose > 1)
		pctl_log_set_sink(log_line, NULL, PCTL_LOG_DEBUG);
	cli->core = pctl_core_new(&cli->loop, &options);
	return cli->core;
}

bool cli_is_terminal(int fd)
{
	return isatty(fd) == 1;
}

static void say_how_to_begin(const char *where)
{
	say("%s", where);
	(void)fputs("To begin:\n"
		    "  powerctl add nuc1 10.0.0.5    adds a machine, asks for user and password\n"
		    "  powerctl status               shows the power of all machines\n"
		    "  powerctl help                 lists what else there is\n",
		stderr);
}

int cli_inventory_path(const struct cli *cli, char **ret, struct pctl_error *err)
{
	const char *env = getenv("POWERCTL_INVENTORY");
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	bool shadowed = false;

	if (cli->options.inventory || (env && *env)) {
		*ret = pctl_xstrdup(cli->options.inventory ? cli->options.inventory : env);
		return 0;
	}
	if (pctl_inventory_find(NULL, ret, &shadowed, NULL) == 0)
		return 0;
	if (config && *config == '/')
		*ret = pctl_xasprintf("%s/" PERSONAL_FILE, config);
	else if (home && *home == '/')
		*ret = pctl_xasprintf("%s/.config/" PERSONAL_FILE, home);
	else
		return pctl_error_set(err, PCTL_E_CONFIG,
			"$HOME is not set, so there is no place for an inventory; name one with "
			"--inventory FILE");
	return 0;
}

static void say_sources(const struct cli *cli, const struct pctl_inventory *inventory)
{
	bool asked = cli->command == &command_check ||
		     (cli->command == &command_list && cli->options.verbose > 0);

	for (size_t i = 0; i < pctl_inventory_source_count(inventory); i++) {
		PCTL_AUTO(free) char *warning = pctl_inventory_source_warning(inventory, i);
		PCTL_AUTO(free)
		char *words = asked ? pctl_inventory_source_words(inventory, i) : NULL;

		if (words)
			say("%s", words);
		if (warning)
			say("%s", warning);
	}
}

int cli_inventory_reload(struct cli *cli, const char *path)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_inventory *inventory = NULL;
	bool check = cli->command == &command_check;
	int r = pctl_inventory_load_fresh(
		path, check ? PCTL_SOURCES_NOW : PCTL_SOURCES_DUE, &inventory, problems);

	/* Whoever asks what is wrong wants to know all of it. */
	if (inventory && check &&
		pctl_core_check(cli_core(cli), inventory, NULL, 0, true, problems) < 0)
		r = PCTL_E_CONFIG;
	if (inventory && check)
		pctl_inventory_check_sources(inventory, problems);
	if (pctl_problems_count(problems))
		r = PCTL_E_CONFIG;
	if (inventory && !cli->options.quiet)
		say_sources(cli, inventory);
	say_problems(problems);
	pctl_problems_free(problems);
	if (r < 0) {
		pctl_inventory_free(inventory);
		return CLI_USAGE;
	}
	pctl_inventory_free(cli->inventory);
	cli->inventory = inventory;
	cli->inventory_count = pctl_inventory_count(inventory);
	return CLI_OK;
}

int cli_inventory(struct cli *cli, bool only_urls)
{
	PCTL_AUTO(free) char *path = NULL;
	struct pctl_error err = { 0 };
	bool shadowed = false;

	if (only_urls && !cli->options.inventory && !cli->options.credential) {
		cli->inventory = pctl_inventory_new();
		return CLI_OK;
	}
	if (pctl_inventory_find(cli->options.inventory, &path, &shadowed, &err) < 0) {
		say_how_to_begin(err.text);
		return CLI_USAGE;
	}
	if (shadowed && !cli->options.quiet && cli_is_terminal(STDERR_FILENO))
		say("%s is used; /etc/powerctl/powerctl.yaml is not read", path);
	return cli_inventory_reload(cli, path);
}
