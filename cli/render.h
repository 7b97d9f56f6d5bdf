/* SPDX-License-Identifier: Apache-2.0 */
/* A node's result as people read it: what stands behind "NAME: ". The words are a contract. */
#ifndef POWERCTL_CLI_RENDER_H
#define POWERCTL_CLI_RENDER_H

#include <powerctl/powerctl.h>

struct render_style {
	bool verbose;  /* add address, device code and hint */
	bool folded;   /* verbose without the address, which no two share */
	bool indented; /* trees as indented lines, not as lines that stand alone */
	bool many;     /* of several nodes: hardware as a line of a table, unless verbose */
	bool mend;     /* errors say which command mends them (`check`) */
};

/* A text for output_add(): free() it. What `check` found is not in it. */
char *render_result(const struct pctl_result *result, const struct render_style *style);

/* The same of one finding of `check`; name: the node's. */
char *render_finding(
	const struct pctl_value *finding, const char *name, const struct render_style *style);

/* The word of a result: on, off, ..., unknown for a status that cannot be read. */
const char *render_word(const struct pctl_result *result);

#endif
