/* SPDX-License-Identifier: Apache-2.0 */
#include "ask.h"

static void on_result(void *data, const struct pctl_result *result)
{
	const struct ask *ask = data;

	ask->result(ask->data, result);
}

static void on_done(void *data)
{
	struct ask *ask = data;

	ask->run = NULL;
	ask->done = true;
}

int ask_nodes(struct cli *cli, const struct selection *selection,
	const struct pctl_request *request, struct ask *ask, pctl_result_fn *result, void *data,
	struct pctl_problems *problems)
{
	const struct pctl_run_callbacks callbacks = {
		.result = on_result, .done = on_done, .data = ask
	};

	*ask = (struct ask){ .result = result, .data = data };
	int r = pctl_run_new(cli_core(cli), cli->inventory, selection->nodes, selection->count,
		request, &ask->run, problems);
	if (r < 0)
		return r;
	pctl_run_start(ask->run, &callbacks);
	while (!ask->done)
		(void)uv_run(&cli->loop, UV_RUN_ONCE);
	return 0;
}
