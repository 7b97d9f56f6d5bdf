/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks of the inventory around a verb on one node. A round is all that run before it, or all that
 * run after it, one behind the other; what they are told is JSON on standard input. While a round
 * runs, its node has its lock, but no slot of the fanout, and some dozens of programs run at a
 * time: nodes without hooks do not wait for those that have some.
 */
#ifndef POWERCTL_CORE_HOOK_H
#define POWERCTL_CORE_HOOK_H

#include "node/core.h"

/* A result's warning where somebody lost patience. */
#define PCTL_HOOKS_LEFT "hooks did not run to their end: interrupted"

/* What a hook is told that would change what the powerctl that waits for it has in hand. */
#define PCTL_HOOKS_OWN                                                                      \
	"the command that this hook belongs to has it, and waits for the hook: what is to " \
	"happen to it then is that command's"

struct pctl_run;
struct pctl_hook_round;

/* What a node's hooks are told. */
struct pctl_hook_event {
	const struct pctl_target *target;
	const char *action; /* what is to be sent first; NULL: not known, or after */
	enum pctl_power_state state;
	bool state_known;
	const struct pctl_result *result; /* NULL: before */
};

/* What came of a round. */
struct pctl_hook_end {
	struct pctl_error
		err;         /* why nothing may be sent; it names the hook. Code 0: all went well */
	const char *warning; /* what went wrong afterwards, or NULL */
	bool some_passed;    /* before: at least one did what it had to do */
};

/* From the loop, once, unless the round was aborted; it is freed by then. */
typedef void pctl_hook_done_fn(void *data, const struct pctl_hook_end *end);

/* Finds the hooks of the run's verb. PCTL_E_CONFIG: one of them may not be run, problems says why.
 */
int pctl_hooks_prepare(struct pctl_run *run, struct pctl_problems *problems);
/* Whether a node has any, after its verb or before. */
bool pctl_hooks_any(const struct pctl_run *run, const struct pctl_target *target, bool after);
/* Names them behind a dry run's note: "; hooks: drain before, tell after". */
void pctl_hooks_note(const struct pctl_run *run, const struct pctl_target *target, char **note);

/* The event's texts and its result are read before this returns. */
struct pctl_hook_round *pctl_hooks_start(struct pctl_run *run, const struct pctl_hook_event *event,
	pctl_hook_done_fn *done, void *data);
/*
 * Those that run after a verb that changes nodes, where something was sent or (passed) a hook did
 * something before it: whoever undoes that has to be told also where nothing was sent. The node's
 * places are given back first. NULL: none runs, and done does not; where the run was interrupted
 * *ret_warning says so.
 */
struct pctl_hook_round *pctl_hooks_start_after(struct pctl_run *run,
	const struct pctl_target *target, const struct pctl_result *result, bool passed,
	char **ret_warning, pctl_hook_done_fn *done, void *data);
/* Ends what runs, with its children; done does not run. */
void pctl_hooks_abort(struct pctl_hook_round *round);
/* Whether a round has ended that may go on; room: with something to send. */
bool pctl_hooks_next(const struct pctl_run *run, bool room);
/* The run's: that one goes on. */
void pctl_hooks_resume(struct pctl_run *run);

#endif
