/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks the person at the terminal which code a machine shows, while the loop goes on: always on
 * /dev/tty. ^C stays what it is.
 */
#ifndef POWERCTL_CLI_CONSENT_H
#define POWERCTL_CLI_CONSENT_H

#include "cli.h"

struct consent_wire;
struct progress;

struct consent_prompt {
	struct cli *cli;
	struct progress *progress; /* that is drawn meanwhile, or NULL */
	struct pctl_run *run;
	/* Of whoever has the terminal in raw mode: gives it back (true), as a question is to be
	 * asked there, and may take it again (false). NULL: nobody has. */
	void (*lend)(void *data, bool lent);
	void *data;
	/* Private. */
	struct consent_wire *wire; /* NULL: nothing is asked */
	size_t node;
	unsigned digits;
};

/*
 * Whether there is somebody to ask: a terminal, in its usual mode, and no --yes. Without one, leave
 * the callback of the run at NULL.
 */
bool consent_can_ask(const struct cli *cli);
/* The same where the prompt has lend(): raw mode does not matter. */
bool consent_can_borrow(const struct cli *cli);

/*
 * For the run's callback of that name: asks, and answers the run; question NULL: asks no longer.
 * cli and run are set.
 */
void consent_ask(struct consent_prompt *prompt, const struct pctl_consent_question *question);

/* A digit and nothing but digits. */
bool consent_is_code(const char *word);

/*
 * Whether --consent-code, where it is given, can be meant for so many nodes. CLI_OK or CLI_USAGE,
 * everything said.
 */
int consent_check(const struct cli *cli, size_t nodes);

#endif
