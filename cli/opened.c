/* SPDX-License-Identifier: Apache-2.0 */
#include "opened.h"

#include <stdio.h>

#include <powerctl/mem.h>

#include "json.h"

enum opened opened_sort(const struct cli *cli, const struct pctl_result *r)
{
	if (r->stream)
		return OPENED_STREAM;
	if (!r->ok)
		return OPENED_FAILED;
	if (r->error.code == PCTL_E_SKIPPED)
		return OPENED_SKIPPED;
	return cli->options.dry_run ? OPENED_WOULD : OPENED_DONE;
}

int opened_status(enum opened how)
{
	return how == OPENED_FAILED ? CLI_FAILED : CLI_OK;
}

/* What helps where somebody else has it, or NULL. */
static const char *way_out(const struct cli *cli, const struct pctl_result *r)
{
	if (r->ok || r->error.code != PCTL_E_BUSY)
		return NULL;
	if (r->verb == PCTL_VERB_MEDIA_ATTACH)
		return "`powerctl media detach NODE` ends that";
	return cli->options.steal ? NULL : "--steal takes it";
}

char *opened_text(
	const struct cli *cli, const struct pctl_result *r, const struct render_style *style)
{
	const struct render_style plain = { .verbose = cli->options.verbose > 0 };
	PCTL_AUTO(free) char *text = render_result(r, style ? style : &plain);
	const char *out = way_out(cli, r);

	return pctl_xasprintf("%s%s%s", text, out ? "; " : "", out ? out : "");
}

void opened_print(const struct cli *cli, const struct pctl_result *r)
{
	PCTL_AUTO(free)
	char *text = cli->options.json ? json_result(r, pctl_verb_name(r->verb))
				       : opened_text(cli, r, NULL);

	if (cli->options.json)
		(void)printf("%s\n", text);
	else
		(void)printf("%s: %s\n", r->name, text);
}
