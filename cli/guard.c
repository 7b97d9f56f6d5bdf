/* SPDX-License-Identifier: Apache-2.0 */
#include "guard.h"

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "prompt.h"
#include "say.h"
#include "text.h"

#define CONFIRM_ABOVE 50u

static uint64_t confirm_above(const struct cli *cli)
{
	const struct pctl_value *defaults = pctl_inventory_defaults(cli->inventory);
	const char *text =
		pctl_value_text(defaults ? pctl_value_get(defaults, "confirm_above") : NULL);
	uint64_t n = CONFIRM_ABOVE;

	if (text)
		(void)pctl_parse_uint(text, UINT64_MAX, &n);
	return n;
}

/* Asks; because: why that is, in the refusal. */
static int ask(const struct cli *cli, const char *what, const struct selection *selection,
	const char *because)
{
	struct pctl_error err = { 0 };
	char count[TEXT_COUNT_SIZE];

	PCTL_AUTO(free) char *folded = selection_fold(cli, selection);
	PCTL_AUTO(free)
	char *on = pctl_xasprintf("%s on %s node%s", what, text_count(selection->count, count),
		selection->count == 1 ? "" : "s");
	PCTL_AUTO(free)
	char *question = pctl_xasprintf("powerctl %s: %s\nGo on? [y/N] ", on, folded);
	int r = prompt_yes(question, &err);
	if (r > 0)
		return CLI_OK;
	if (r == 0)
		say("not confirmed: nothing was sent");
	else
		say("%s%s has to be confirmed and %s; add --yes", on, because, err.text);
	return CLI_USAGE;
}

int guard_confirm(const struct cli *cli, const char *what, const struct selection *selection)
{
	uint64_t most = confirm_above(cli);

	if (cli->options.yes || cli->options.dry_run || selection->count <= most)
		return CLI_OK;
	PCTL_AUTO(free)
	char *because =
		pctl_xasprintf(" (more than confirm_above, %llu)", (unsigned long long)most);
	return ask(cli, what, selection, because);
}

int guard_always(const struct cli *cli, const char *what, const struct selection *selection)
{
	if (cli->options.yes || cli->options.dry_run)
		return CLI_OK;
	return ask(cli, what, selection, "");
}
