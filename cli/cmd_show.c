/* SPDX-License-Identifier: Apache-2.0 */
/* show: what holds for a node, with its classes and its credential merged and no secret in it. */
#include <unistd.h>

#include <powerctl/mem.h>

#include "command.h"
#include "json.h"
#include "login.h"
#include "output.h"
#include "select.h"
#include "text.h"
#include "tree.h"

/* Inventories are as deep as people write them; the reader has bounded that. */
static void redact(struct pctl_value *v) /* NOLINT(misc-no-recursion) */
{
	for (size_t i = 0; i < pctl_value_count(v); i++) {
		const char *key =
			pctl_value_kind(v) == PCTL_VALUE_MAP ? pctl_value_key_at(v, i) : NULL;

		if (key && pctl_key_is_secret(key))
			pctl_value_set_text(v, key, "(set)");
		else
			redact(pctl_value_at(v, i));
	}
}

/* The limits that a node is under: for people as texts, else as maps; NULL: none. */
static struct pctl_value *limits_of(const struct cli *cli, size_t node)
{
	const struct pctl_inventory_limit *limit;
	struct pctl_value *list = NULL;
	char words[200];

	for (size_t i = 0; (limit = pctl_inventory_limit_of(cli->inventory, node, i)); i++) {
		struct pctl_value *map = NULL;

		(void)pctl_inventory_limit_words(limit, words, sizeof(words));
		if (cli->options.json) {
			map = pctl_value_new_map();
			pctl_value_set_text(map, "group", limit->group);
			pctl_value_set_int(map, "max_at_once", limit->max_at_once);
			pctl_value_set_int(map, "stagger_ms", (int64_t)limit->stagger_ms);
		}
		list = list ? list : pctl_value_new_list();
		pctl_value_add(list, map ? map : pctl_value_new_text(words));
	}
	return list;
}

static char *render(const struct cli *cli, size_t node, struct pctl_value *settings, bool indented)
{
	const char *name = pctl_inventory_name(cli->inventory, node);
	struct pctl_value *limits = limits_of(cli, node);
	struct pctl_buf buf;

	redact(settings);
	if (cli->options.json) {
		struct pctl_value *map = pctl_value_new_map();

		pctl_value_set(map, "settings", pctl_value_copy(settings));
		pctl_value_set(map, "limits", limits ? limits : pctl_value_new_list());
		char *line = json_node(name, map);
		pctl_value_free(map);
		return line;
	}
	if (limits)
		pctl_value_set(settings, "limits", limits);
	pctl_buf_init(&buf, TEXT_ANSWER_MAX);
	if (indented)
		tree_indent(&buf, settings);
	else
		tree_flat(&buf, settings);
	return pctl_buf_steal(&buf);
}

static int exec_show(struct cli *cli)
{
	enum output_mode mode = output_choose(cli);
	struct selection selection;

	int status = select_nodes(cli, cli->args, &selection);
	if (status != CLI_OK)
		return status;
	struct output *output = output_new(cli, STDOUT_FILENO, mode, cli->options.json);
	for (size_t i = 0; i < selection.count; i++) {
		const char *name = pctl_inventory_name(cli->inventory, selection.nodes[i]);
		struct pctl_value *settings =
			pctl_inventory_settings(cli->inventory, selection.nodes[i]);

		output_add(output, i, 0, name,
			render(cli, selection.nodes[i], settings,
				mode == OUTPUT_FOLD || selection.count == 1));
		pctl_value_free(settings);
	}
	selection_done(&selection);
	return output_end(output, NULL, CLI_OK);
}

const struct command command_show = {
	.name = "show",
	.usage = "NODES",
	.summary = "show the settings that hold for nodes",
	.help = "Classes and credentials merged, as the drivers get them. Secrets read `(set)`.",
	.flags = COMMAND_NODES,
	.options = OPTIONS(OPTIONS_NODES, OPTIONS_FORM),
	.exec = exec_show,
};
