/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a request whose results are not printed as those of verbs are. */
#ifndef POWERCTL_CLI_ASK_H
#define POWERCTL_CLI_ASK_H

#include "consent.h"
#include "select.h"

struct ask {
	struct pctl_run *run; /* while it runs: for pctl_run_cancel() */
	/* Private. */
	bool done;
	pctl_result_fn *result;
	void *data;
	struct consent_prompt consent;
};

/*
 * Runs the loop until the request has ended; result hears of each node, nobody is asked anything.
 * PCTL_E_CONFIG: nothing was sent, problems has every mistake.
 */
int ask_nodes(struct cli *cli, const struct selection *selection,
	const struct pctl_request *request, struct ask *ask, pctl_result_fn *result, void *data,
	struct pctl_problems *problems);

/* The same, where somebody at the terminal is asked for a code that a machine shows. */
int ask_nodes_consent(struct cli *cli, const struct selection *selection,
	const struct pctl_request *request, struct ask *ask, pctl_result_fn *result, void *data,
	struct pctl_problems *problems);

/* Ends it early: a question is taken back, as is what the machine shows. */
void ask_cancel(struct ask *ask);

#endif
