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

int guard_confirm(const struct cli *cli, const char *what, const struct selection *selection)
{
	uint64_t most = confirm_above(cli);
	struct pctl_error err = { 0 };
	char count[TEXT_COUNT_SIZE];

	if (cli->options.yes || cli->options.dry_run || selection->count <= most)
		return CLI_OK;

	PCTL_AUTO(free) char *folded = selection_fold(cli, selection);
	PCTL_AUTO(free)
	char *question = pctl_xasprintf("powerctl %s on %s nodes: %s\nGo on? [y/N] ", what,
		text_count(selection->count, count), folded);
	int r = prompt_yes(question, &err);
	if (r > 0)
		return CLI_OK;
	if (r == 0)
		say("not confirmed: nothing was sent");
	else
		say("%s on %s nodes (more than confirm_above, %llu) has to be confirmed and %s; "
		    "add --yes",
			what, count, (unsigned long long)most, err.text);
	return CLI_USAGE;
}
