/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a request over the selected nodes and shows what becomes of each. */
#ifndef POWERCTL_CLI_RUN_H
#define POWERCTL_CLI_RUN_H

#include "select.h"

struct run_style {
	bool mend;              /* errors say which command mends them */
	pctl_served_fn *served; /* who has a machine's media here; NULL: not asked */
};

/*
 * Checks, asks where that is needed, runs, prints. Returns an enum cli_status. style NULL: plain.
 */
int run_request(struct cli *cli, const struct selection *selection,
	const struct pctl_request *request, const struct run_style *style);

/* What the options say to any request. */
struct pctl_request run_request_from(const struct cli *cli, enum pctl_verb verb);

#endif
