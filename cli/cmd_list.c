/* SPDX-License-Identifier: Apache-2.0 */
/* list: which nodes there are. Nodes that differ in name and address only fold into one line. */
#include <string.h>
#include <unistd.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>

#include "command.h"
#include "json.h"
#include "output.h"
#include "select.h"
#include "text.h"

/* Nodes that are alike but for name and address; those without address are apart. */
struct group {
	char *driver, *rest;
	bool addressed;
	struct pctl_names *names, *addresses;
};

struct groups {
	struct group *v;
	size_t n, cap;
};

static void add_tags(struct pctl_buf *buf, const struct pctl_value *tags)
{
	char number[TEXT_COUNT_SIZE];

	if (!tags)
		return;
	pctl_buf_adds(buf, " ");
	if (pctl_value_kind(tags) != PCTL_VALUE_LIST) {
		const char *s = text_scalar(tags, number);

		text_clean(buf, s ? s : "");
		return;
	}
	for (size_t i = 0; i < pctl_value_count(tags); i++) {
		const char *s = text_scalar(pctl_value_at(tags, i), number);

		pctl_buf_addf(buf, "%s%%", i ? "," : "");
		text_clean(buf, s ? s : "");
	}
}

/* What stands behind driver and address. free() it. */
static char *rest_of(const struct pctl_value *settings)
{
	static const char *const reasons[] = { "maintenance", "protected" };
	struct pctl_buf buf;

	pctl_buf_init(&buf, TEXT_ANSWER_MAX);
	add_tags(&buf, pctl_value_get(settings, "tags"));
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		const char *why = pctl_value_text(pctl_value_get(settings, reasons[i]));

		if (!why)
			continue;
		pctl_buf_addf(&buf, " (%s: ", reasons[i]);
		text_clean(&buf, why);
		pctl_buf_adds(&buf, ")");
	}
	return pctl_buf_steal(&buf);
}

static const char *or_dash(const char *s)
{
	return s ? s : "-";
}

static struct group *find_group(
	struct groups *groups, const char *driver, bool addressed, const char *rest)
{
	for (size_t i = groups->n; i-- > 0;)
		if (strcmp(groups->v[i].driver, driver) == 0 &&
			strcmp(groups->v[i].rest, rest) == 0 && groups->v[i].addressed == addressed)
			return &groups->v[i];
	groups->v = pctl_xgrow(groups->v, &groups->cap, groups->n + 1, sizeof(*groups->v));
	groups->v[groups->n] = (struct group){
		.driver = pctl_xstrdup(driver),
		.rest = pctl_xstrdup(rest),
		.addressed = addressed,
		.names = pctl_names_new(),
		.addresses = pctl_names_new(),
	};
	return &groups->v[groups->n++];
}

static void print_groups(const struct groups *groups)
{
	for (size_t i = 0; i < groups->n; i++) {
		const struct group *g = &groups->v[i];
		PCTL_AUTO(free) char *names = pctl_names_fold(g->names);
		PCTL_AUTO(free) char *addresses = pctl_names_fold(g->addresses);

		(void)printf("%s: %s %s%s\n", names, g->driver, addresses, g->rest);
	}
}

static void groups_done(struct groups *groups)
{
	for (size_t i = 0; i < groups->n; i++) {
		free(groups->v[i].driver);
		free(groups->v[i].rest);
		pctl_names_free(groups->v[i].names);
		pctl_names_free(groups->v[i].addresses);
	}
	free(groups->v);
}

static void print_json(const char *name, const struct pctl_value *settings)
{
	static const char *const keys[] = { "driver", "address", "class", "tags", "maintenance",
		"protected" };
	struct pctl_value *map = pctl_value_new_map();

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct pctl_value *v = pctl_value_get(settings, keys[i]);

		if (v)
			pctl_value_set(map, keys[i], pctl_value_copy(v));
	}
	PCTL_AUTO(free) char *line = json_node(name, map);
	(void)printf("%s\n", line);
	pctl_value_free(map);
}

static void list_node(const struct cli *cli, size_t node, struct groups *folded)
{
	const char *name = pctl_inventory_name(cli->inventory, node);
	struct pctl_value *settings = pctl_inventory_settings(cli->inventory, node);
	const char *driver = or_dash(pctl_value_text(pctl_value_get(settings, "driver")));
	const char *address = or_dash(pctl_value_text(pctl_value_get(settings, "address")));
	PCTL_AUTO(free) char *rest = rest_of(settings);

	if (cli->options.json) {
		print_json(name, settings);
	} else if (folded) {
		struct group *g = find_group(folded, driver, *address != '-', rest);

		(void)pctl_names_add(g->names, name);
		(void)pctl_names_add(g->addresses, address);
	} else {
		(void)printf("%s: %s %s%s\n", name, driver, address, rest);
	}
	pctl_value_free(settings);
}

static int exec_list(struct cli *cli)
{
	bool fold = output_choose(cli) == OUTPUT_FOLD;
	struct selection selection;
	struct groups groups = { 0 };

	int status = select_nodes(cli, cli->args, &selection);
	if (status != CLI_OK)
		return status;
	for (size_t i = 0; i < selection.count; i++)
		list_node(cli, selection.nodes[i], fold ? &groups : NULL);
	print_groups(&groups);
	groups_done(&groups);
	selection_done(&selection);
	return CLI_OK;
}

const struct command command_list = {
	.name = "list",
	.usage = "[NODES]",
	.summary = "list nodes: driver, address, tags",
	.help = "What the inventory says; nothing is asked over the network.",
	.flags = COMMAND_NODES | COMMAND_ALL,
	.options = OPTIONS(OPTIONS_NODES, OPTIONS_FORM),
	.exec = exec_list,
};
