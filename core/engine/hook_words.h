/* SPDX-License-Identifier: Apache-2.0 */
/* What a hook is told, and what is told of it. */
#ifndef POWERCTL_CORE_HOOK_WORDS_H
#define POWERCTL_CORE_HOOK_WORDS_H

#include <powerctl/program.h>

#include "engine/hook.h"

struct pctl_hook;

/* An object in JSON without its end: the hook's name is still to come. */
void pctl_hook_write_event(
	struct pctl_buf *buf, const struct pctl_run *run, const struct pctl_hook_event *event);
/*
 * For programs that have no JSON; and so that a powerctl in a hook meets our files and locks. Free
 * both with pctl_command_free_argv().
 */
char **pctl_hook_environment(const struct pctl_run *run, const struct pctl_hook *hook,
	const struct pctl_target *target, bool after);
/* The path, and what stands behind it in a list. */
char **pctl_hook_argv(const struct pctl_hook *hook);

/*
 * Why it was no success, in words that are the same for all nodes: what it said is the hook's
 * affair.
 */
void pctl_hook_explain(const struct pctl_hook *hook, const struct pctl_program_result *result,
	struct pctl_error *err);

#endif
