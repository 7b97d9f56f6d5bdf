/* SPDX-License-Identifier: Apache-2.0 */
/* trust: what is remembered of devices, and what to do when one shows something else. */
#include <unistd.h>

#include <powerctl/mem.h>

#include "command.h"
#include "guard.h"
#include "json.h"
#include "output.h"
#include "say.h"
#include "select.h"
#include "text.h"

#define PINS_MAX 16u

static void add_pin(struct pctl_buf *buf, const struct pctl_pin *pin)
{
	pctl_buf_addf(buf, "%s%s%s%s%s%s ", buf->len ? "\n" : "",
		pin->interface ? pin->interface : "", pin->interface ? " " : "", pin->feed,
		*pin->feed ? " " : "", pin->kind);
	text_clean(buf, pin->value ? pin->value : "nothing remembered");
	if (pin->shared)
		pctl_buf_adds(buf, " (shared)");
	if (pin->offered) {
		pctl_buf_adds(buf, "; last refused: ");
		text_clean(buf, pin->offered);
	}
}

static struct pctl_value *pin_map(const struct pctl_pin *pin)
{
	struct pctl_value *map = pctl_value_new_map();

	pctl_value_set_text(map, "kind", pin->kind);
	pctl_value_set_text(map, "value", pin->value);
	pctl_value_set_text(map, "offered", pin->offered);
	pctl_value_set_text(map, "interface", pin->interface);
	if (*pin->feed)
		pctl_value_set_text(map, "feed", pin->feed);
	if (pin->shared)
		pctl_value_set_bool(map, "shared", true);
	return map;
}

static char *render_pins(
	const struct cli *cli, const char *name, const struct pctl_pin *pins, size_t n)
{
	struct pctl_buf buf;

	if (cli->options.json) {
		struct pctl_value *map = pctl_value_new_map();
		struct pctl_value *list = pctl_value_new_list();

		for (size_t i = 0; i < n; i++)
			pctl_value_add(list, pin_map(&pins[i]));
		pctl_value_set(map, "pins", list);
		char *line = json_node(name, map);
		pctl_value_free(map);
		return line;
	}
	pctl_buf_init(&buf, TEXT_ANSWER_MAX);
	for (size_t i = 0; i < n; i++)
		add_pin(&buf, &pins[i]);
	if (n == 0)
		pctl_buf_adds(&buf, "nothing is remembered");
	return pctl_buf_steal(&buf);
}

static char *render_count(const struct cli *cli, const char *name, int n)
{
	const char *done = cli->options.accept ? "accepted" : "forgotten";

	if (cli->options.json) {
		struct pctl_value *map = pctl_value_new_map();

		pctl_value_set_int(map, done, n);
		char *line = json_node(name, map);
		pctl_value_free(map);
		return line;
	}
	if (n == 0)
		return pctl_xasprintf("ok: nothing to be %s", done);
	return pctl_xasprintf("ok: %d %s", n, done);
}

/* One node; a text for output_add(), or NULL with err. */
static char *handle(struct cli *cli, size_t node, struct pctl_error *err)
{
	const char *name = pctl_inventory_name(cli->inventory, node);
	struct pctl_pin pins[PINS_MAX] = { { 0 } };
	int n;

	if (cli->options.accept)
		n = pctl_trust_accept(cli_core(cli), cli->inventory, node, err);
	else if (cli->options.forget)
		n = pctl_trust_forget(cli_core(cli), cli->inventory, node, err);
	else
		n = pctl_trust_list(cli_core(cli), cli->inventory, node, pins, PINS_MAX, err);
	if (n < 0)
		return NULL;
	if (cli->options.accept || cli->options.forget)
		return render_count(cli, name, n);
	return render_pins(cli, name, pins, (size_t)n < PINS_MAX ? (size_t)n : PINS_MAX);
}

static int exec_trust(struct cli *cli)
{
	bool changes = cli->options.accept || cli->options.forget;
	struct selection selection;

	int status = select_nodes(cli, cli->args, &selection);
	if (status == CLI_OK && changes)
		status = guard_confirm(
			cli, cli->options.accept ? "trust --accept" : "trust --forget", &selection);
	struct output *output =
		output_new(cli, STDOUT_FILENO, output_choose(cli), cli->options.json);
	for (size_t i = 0; status != CLI_USAGE && i < selection.count; i++) {
		const char *name = pctl_inventory_name(cli->inventory, selection.nodes[i]);
		struct pctl_error err = { 0 };
		char *text = handle(cli, selection.nodes[i], &err);

		if (text) {
			output_add(output, i, 0, name, text);
		} else {
			say("%s: %s", name, err.text);
			status = CLI_FAILED;
		}
	}
	selection_done(&selection);
	return output_end(output, NULL, status);
}

const struct command command_trust = {
	.name = "trust",
	.usage = "NODES",
	.summary = "show, accept or forget remembered identities",
	.help = "Shows by which certificate and identity NODES are known, and what one showed "
		"instead when it was\nlast refused. --accept takes that over; --forget makes the "
		"next contact a first one.",
	.flags = COMMAND_NODES,
	.options = OPTIONS(OPTIONS_NODES, OPTIONS_FORM, OPTION_ACCEPT, OPTION_FORGET, OPTION_YES),
	.exec = exec_trust,
};
