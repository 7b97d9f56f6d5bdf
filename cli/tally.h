/* SPDX-License-Identifier: Apache-2.0 */
/* What became of all nodes: counts, the summary and the exit status. */
#ifndef POWERCTL_CLI_TALLY_H
#define POWERCTL_CLI_TALLY_H

#include <powerctl/buf.h>
#include <powerctl/powerctl.h>

#define TALLY_WORDS   8u
#define TALLY_CLASSES 17u

struct tally {
	size_t total; /* nodes of the command */
	size_t done, failed;
	size_t waiting;                /* for places, now */
	size_t locked_out;             /* wait for other commands, now */
	size_t words[TALLY_WORDS];     /* of those that did not fail */
	size_t classes[TALLY_CLASSES]; /* of those that did; by -code */
};

void tally_add(struct tally *tally, const struct pctl_result *result);

/* What did not fail, "3,900 on, 88 off", or nothing. */
void tally_words(const struct tally *tally, struct pctl_buf *ret);

/* "3,988 on, 12 failed (9 unreachable, 3 auth)" */
void tally_summary(const struct tally *tally, struct pctl_buf *ret);

/* An enum cli_status; by_class: --exit-class. */
int tally_status(const struct tally *tally, bool by_class);

#endif
