/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the person at the terminal: always on /dev/tty, so that pipes do not matter. */
#ifndef POWERCTL_CLI_PROMPT_H
#define POWERCTL_CLI_PROMPT_H

#include <powerctl/secret.h>

/*
 * An answer without its line break. PCTL_E_CONFIG: there is no terminal, the line ended without an
 * answer (^D) or was too long. A signal ends the program as it would have without the prompt, with
 * the terminal as it was before.
 */
int prompt_text(const char *question, char *ret, size_t size, struct pctl_error *err);

/* The same without echo. Never NULL in *ret on success; it may be empty. */
int prompt_secret(const char *question, struct pctl_secret **ret, struct pctl_error *err);

/* That, and once more: PCTL_E_STATE where the two are not the same. */
int prompt_secret_twice(const char *question, struct pctl_secret **ret, struct pctl_error *err);

/* 1: "y" or "yes"; 0: anything else; PCTL_E_CONFIG as above. */
int prompt_yes(const char *question, struct pctl_error *err);

#endif
