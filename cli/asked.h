/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of a method's parameters that are asked for at the terminal: NAME_file=- says so. */
#ifndef POWERCTL_CLI_ASKED_H
#define POWERCTL_CLI_ASKED_H

#include <powerctl/driver.h>

#define ASKED_MAX 4u

/* Files without a name that hold the answers; all zero at first. */
struct asked {
	int files[ASKED_MAX];
	size_t n;
};

/*
 * Asks for each secret of method whose file in map is "-", once for all nodes (a new one is
 * typed twice), and puts the path of a file there
 * that only this process has. PCTL_E_CONFIG: there is no terminal, or no answer;
 * PCTL_E_STATE: two that differ. asked_done() in
 * any case, once the arguments were read.
 */
int asked_take(struct asked *asked, const struct pctl_method *method, struct pctl_value *map,
	struct pctl_error *err);
void asked_done(struct asked *asked);

#endif
