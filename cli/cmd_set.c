/* SPDX-License-Identifier: Apache-2.0 */
/* set: KEY=VALUE for nodes; an empty VALUE takes the setting away. */
#include <string.h>

#include <powerctl/mem.h>

#include "command.h"
#include "edit.h"
#include "login.h"
#include "say.h"

struct assignments {
	const char *const *words;
	size_t n;
};

static int assign(const char *path, const char *name, void *data, struct pctl_error *err)
{
	const struct assignments *a = data;

	for (size_t i = 0; i < a->n; i++) {
		size_t len = strcspn(a->words[i], "=");
		PCTL_AUTO(free) char *key = pctl_xstrndup(a->words[i], len);
		const char *value = a->words[i] + len + 1;

		int r = pctl_inventory_edit_set(path, name, key, *value ? value : NULL, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A secret must not come from an argument, where everybody on the host can read it. */
static int check(const struct assignments *a)
{
	for (size_t i = 0; i < a->n; i++) {
		size_t len = strcspn(a->words[i], "=");
		PCTL_AUTO(free) char *key = pctl_xstrndup(a->words[i], len);

		if (!len) {
			say("'%s' has no setting before '=': KEY=VALUE", a->words[i]);
			return CLI_USAGE;
		}
		if (pctl_key_is_secret(key) && a->words[i][len + 1]) {
			say("%s is a secret and is not taken from the command line: put it into a "
			    "file (chmod 600) and set %s_file=FILE",
				key, key);
			return CLI_USAGE;
		}
	}
	return CLI_OK;
}

/* Lists and maps are looked at when the file is edited; here it is what drivers say to plain
 * values. */
static struct pctl_value *as_map(const struct assignments *a)
{
	struct pctl_value *map = pctl_value_new_map();

	for (size_t i = 0; i < a->n; i++) {
		size_t len = strcspn(a->words[i], "=");
		PCTL_AUTO(free) char *key = pctl_xstrndup(a->words[i], len);
		const char *value = a->words[i] + len + 1;

		if (*value != '[' && *value != '{')
			pctl_value_set_text(map, key, value);
	}
	return map;
}

/* What would break the inventory is refused before the file is touched. */
static int try_out(struct cli *cli, const struct assignments *a, const char *const *words)
{
	const struct pctl_selection selection = { .words = words };
	struct pctl_problems *unknown = pctl_problems_new(), *problems = pctl_problems_new();
	struct pctl_value *changes = as_map(a);
	size_t *nodes = NULL, count = 0;
	int status = cli_inventory(cli, false);

	/* Words that are no nodes are the edit's to complain about. */
	if (status == CLI_OK)
		(void)pctl_inventory_select(cli->inventory, &selection, &nodes, &count, unknown);
	for (size_t i = 0; i < count; i++)
		if (pctl_core_check_change(
			    cli_core(cli), cli->inventory, nodes[i], changes, problems) < 0)
			status = CLI_USAGE;
	if (pctl_problems_count(problems)) {
		say_problems(problems);
		say("nothing is changed");
	}
	free(nodes);
	pctl_value_free(changes);
	pctl_problems_free(problems);
	pctl_problems_free(unknown);
	return status;
}

static int exec_set(struct cli *cli)
{
	struct assignments a = { .words = cli->args };

	while (a.n < cli->nargs && strchr(cli->args[a.n], '='))
		a.n++;
	if (!a.n) {
		say("nothing to set: powerctl set %s", cli->command->usage);
		return CLI_USAGE;
	}
	if (a.n == cli->nargs) {
		say("no NODES are given: powerctl set %s", cli->command->usage);
		return CLI_USAGE;
	}
	int status = check(&a);
	if (status == CLI_OK)
		status = try_out(cli, &a, cli->args + a.n);
	if (status == CLI_OK)
		status = edit_each(cli, cli->args + a.n, assign, &a);
	return status == CLI_OK ? edit_check(cli, cli->args + a.n) : status;
}

const struct command command_set = {
	.name = "set",
	.usage = "KEY=VALUE... NODES",
	.summary = "change settings of nodes in the inventory",
	.help = "An empty VALUE takes the setting away. Comments and order of the file survive. "
		"`powerctl\ndrivers DRIVER` lists the settings of a driver.",
	.arguments = 1,
	.exec = exec_set,
};
