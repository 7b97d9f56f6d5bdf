/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a machine is of use yet, which its management processor cannot know: `ready:` of a node
 * or class names a TCP port of the machine that is open then, or a command that ends with status 0,
 * or both, the port first. A watch tries again and again, as states are polled.
 */
#ifndef POWERCTL_CORE_READY_H
#define POWERCTL_CORE_READY_H

#include "node/core.h"

#define PCTL_READY_WHY_SIZE 200u

/* --- What the inventory says. ----------------------------------------------------------------- */

/*
 * Reads `ready:` of a target into target->ready and checks what can be known beforehand. False:
 * there is none; what is wrong with one goes to problems.
 */
bool pctl_ready_read(struct pctl_target *target, struct pctl_problems *problems);

/* --- A watch. --------------------------------------------------------------------------------- */

struct pctl_ready_watch;
typedef void pctl_ready_fn(void *data);

/*
 * Begins to try, from the loop. restarted: the machine may not have gone down yet, so that nothing
 * counts before the test has failed once. passed runs at most once, and not before settle.
 */
struct pctl_ready_watch *pctl_ready_watch_new(
	const struct pctl_target *target, bool restarted, pctl_ready_fn *passed, void *data);

/*
 * From now on a try that begins counts. seen_down: the machine was seen not on since the watch
 * began, so that the test need not have failed.
 */
void pctl_ready_watch_settle(struct pctl_ready_watch *watch, bool seen_down);

/* Why the latest try did not pass; "": none has ended yet, or it passed. */
const char *pctl_ready_watch_why(const struct pctl_ready_watch *watch);
/* Whether tries passed that did not count, for the test has not failed since the restart. */
bool pctl_ready_watch_never_failed(const struct pctl_ready_watch *watch);

/* Ends what is under way and frees; closed comes from the loop. */
void pctl_ready_watch_stop(struct pctl_ready_watch *watch, pctl_ready_fn *closed, void *data);

#endif
