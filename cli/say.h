/* SPDX-License-Identifier: Apache-2.0 */
/* What a person is told beside the results: one line each on stderr. */
#ifndef POWERCTL_CLI_SAY_H
#define POWERCTL_CLI_SAY_H

#include <powerctl/inventory.h>

/* "powerctl: " and the text, cleaned as text_clean() does. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Every problem on a line of its own, and how many there are beyond those that were kept. */
void say_problems(const struct pctl_problems *problems);

#endif
