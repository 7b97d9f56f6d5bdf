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

static void on_consent(void *data, const struct pctl_consent_question *question)
{
	struct ask *ask = data;

	consent_ask(&ask->consent, question);
}

static int ask_all(struct cli *cli, const struct selection *selection,
	const struct pctl_request *request, struct ask *ask, pctl_result_fn *result, void *data,
	pctl_consent_fn *consent, struct pctl_problems *problems)
{
	const struct pctl_run_callbacks callbacks = {
		.result = on_result, .done = on_done, .data = ask, .consent = consent
	};

	*ask = (struct ask){ .result = result, .data = data };
	int r = pctl_run_new(cli_core(cli), cli->inventory, selection->nodes, selection->count,
		request, &ask->run, problems);
	if (r < 0)
		return r;
	ask->consent = (struct consent_prompt){ .cli = cli, .run = ask->run };
	pctl_run_start(ask->run, &callbacks);
	while (!ask->done)
		(void)uv_run(&cli->loop, UV_RUN_ONCE);
	return 0;
}

int ask_nodes(struct cli *cli, const struct selection *selection,
	const struct pctl_request *request, struct ask *ask, pctl_result_fn *result, void *data,
	struct pctl_problems *problems)
{
	return ask_all(cli, selection, request, ask, result, data, NULL, problems);
}

int ask_nodes_consent(struct cli *cli, const struct selection *selection,
	const struct pctl_request *request, struct ask *ask, pctl_result_fn *result, void *data,
	struct pctl_problems *problems)
{
	return ask_all(cli, selection, request, ask, result, data,
		consent_can_ask(cli) ? on_consent : NULL, problems);
}

void ask_cancel(struct ask *ask)
{
	if (!ask->run)
		return;
	consent_ask(&ask->consent, NULL);
	pctl_run_cancel(ask->run);
}
