/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a verb that opens a stream (a console, a screen, media) ended with for one node. That it is
 * `ok` does not say that there is a stream: a node in maintenance is passed over, and a dry run
 * opens nothing.
 */
#ifndef POWERCTL_CLI_OPENED_H
#define POWERCTL_CLI_OPENED_H

#include "cli.h"
#include "render.h"

enum opened {
	OPENED_STREAM,  /* to be taken: result->stream */
	OPENED_DONE,    /* the device has it by itself: there is nothing to stay for */
	OPENED_SKIPPED, /* deliberately not opened */
	OPENED_WOULD,   /* a dry run */
	OPENED_FAILED,
};

enum opened opened_sort(const struct cli *cli, const struct pctl_result *result);

/* The exit status where it ends with that, as all verbs have it: an enum cli_status. */
int opened_status(enum opened how);

/*
 * As people read it, without the node's name: "skipped: PSU out", "error: busy: somebody else has
 * its console; --steal takes it". style NULL: what the options say. free() it.
 */
char *opened_text(
	const struct cli *cli, const struct pctl_result *result, const struct render_style *style);

/* A line on standard output, as that of any verb: words or JSON. */
void opened_print(const struct cli *cli, const struct pctl_result *result);

#endif
