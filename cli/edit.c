/* SPDX-License-Identifier: Apache-2.0 */
#include "edit.h"

#include <powerctl/mem.h>

#include "say.h"

struct edit {
	struct cli *cli;
	const char *path;
	edit_fn *change;
	void *data;
};

/* The nodes that a word stands for, one by one. The first that fails is said and ends it. */
static int change_expanded(struct edit *e, const char *word)
{
	struct pctl_problems *problems = pctl_problems_new();
	const char *words[] = { word, NULL };
	const struct pctl_selection selection = { .words = words };
	size_t *nodes = NULL, count = 0;
	int status = CLI_OK;

	if (pctl_inventory_select(e->cli->inventory, &selection, &nodes, &count, problems) < 0) {
		say_problems(problems);
		status = CLI_USAGE;
	}
	pctl_problems_free(problems);
	for (size_t i = 0; i < count && status == CLI_OK; i++) {
		const char *name = pctl_inventory_name(e->cli->inventory, nodes[i]);
		struct pctl_error err = { 0 };

		if (e->change(e->path, name, e->data, &err) < 0) {
			say("%s: %s", name, err.text);
			status = CLI_FAILED;
		}
	}
	free(nodes);
	return status;
}

static int change_word(struct edit *e, const char *word)
{
	struct pctl_error err = { 0 };

	/* Where the word is no entry, it may be a set; a fault of another kind is met and said
	 * again. */
	if (e->change(e->path, word, e->data, &err) == 0)
		return CLI_OK;
	return change_expanded(e, word);
}

/* What the drivers of the nodes say to their settings; no secret is read and nothing is sent. */
int edit_check(struct cli *cli, const char *const *words)
{
	const struct pctl_selection selection = { .words = words };
	struct pctl_problems *problems = pctl_problems_new();
	size_t *nodes = NULL, count = 0;
	PCTL_AUTO(free) char *path = pctl_xstrdup(pctl_inventory_path(cli->inventory));

	int status = cli_inventory_reload(cli, path);
	if (status == CLI_OK &&
		(pctl_inventory_select(cli->inventory, &selection, &nodes, &count, problems) < 0 ||
			pctl_core_check(cli_core(cli), cli->inventory, nodes, count, false,
				problems) < 0)) {
		say_problems(problems);
		status = CLI_USAGE;
	}
	pctl_problems_free(problems);
	free(nodes);
	return status;
}

int edit_each(struct cli *cli, const char *const *words, edit_fn *change, void *data)
{
	struct edit e = { .cli = cli, .change = change, .data = data };

	int status = cli_inventory(cli, false);
	if (status != CLI_OK)
		return status;
	PCTL_AUTO(free) char *path = pctl_xstrdup(pctl_inventory_path(cli->inventory));
	e.path = path;
	for (; *words && status == CLI_OK; words++)
		status = change_word(&e, *words);
	if (status == CLI_OK && !cli->options.quiet)
		say("%s is changed", path);
	return status;
}
