/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The history: every node that a verb was to change, by whom, when and with what outcome, one line
 * of JSON each (docs/json.md), in the state folder of the user. Runs write it by themselves.
 */
#ifndef POWERCTL_HISTORY_H
#define POWERCTL_HISTORY_H

#include <powerctl/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pctl_core;

/* A line without its break, valid for the call; false: no more of them. */
typedef bool pctl_history_line_fn(void *data, const char *line, size_t len);

/*
 * Goes through what this user's commands wrote, newest first: lines of one moment may come in any
 * order, and what a full disk or a crash left half is among them. 0 also where there is none yet.
 * PCTL_E_CONFIG: it is there and cannot be read.
 */
PCTL_API int pctl_history_read(pctl_history_line_fn *line, void *data, struct pctl_error *err);

/*
 * PCTL_E_INTERNAL: some of what this core did is not in the history, err says why. Its verbs went
 * on all the same.
 */
PCTL_API int pctl_core_history(const struct pctl_core *core, struct pctl_error *err);

#ifdef __cplusplus
}
#endif

#endif
