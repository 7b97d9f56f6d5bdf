/* SPDX-License-Identifier: Apache-2.0 */
#include "ask.h"

struct asker {
	struct ask *ask;
	pctl_result_fn *result;
	void *data;
};

static void on_result(void *data, const struct pctl_result *result)
{
	const struct asker *asker = data;

	asker->result(asker->data, result);
}

static void on_done(void *data)
{
	const struct asker *asker = data;

	asker->ask->run = NULL;
	asker->ask->done = true;
}

int ask_nodes(struct cli *cli, const struct selection *selection,
	const struct pctl_request *request, struct ask *ask, pctl_result_fn *result, void *data,
	struct pctl_problems *problems)
{
	struct asker asker = { .ask = ask, .result = result, .data = data };
	const struct pctl_run_callbacks callbacks = {
		.result = on_result, .done = on_done, .data = &asker
	};

	*ask = (struct ask){ 0 };
	int r = pctl_run_new(cli_core(cli), cli->inventory, selection->nodes, selection->count,
		request, &ask->run, problems);
	if (r < 0)
		return r;
	pctl_run_start(ask->run, &callbacks);
	while (!ask->done)
		(void)uv_run(&cli->loop, UV_RUN_ONCE);
	return 0;
}
