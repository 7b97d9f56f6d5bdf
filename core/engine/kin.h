/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chassis and blades (`parent:`): what stands in something needs its power, and goes with it.
 *
 *   a verb that starts a machine     waits until its parent is on: for the end of the parent's own
 *                                    verb where that is in the run, else for a look at it
 *   a verb that disrupts a machine   waits until its children are off: for the end of their own
 *                                    verbs where all are turned off, else for a look at them
 *
 * Who is looked at is read once, by a task whose result nobody else hears of; its target stands
 * behind those of the run's nodes. A relative in maintenance is left alone, and in nobody's way. A
 * node that waits holds nothing.
 */
#ifndef POWERCTL_CORE_KIN_H
#define POWERCTL_CORE_KIN_H

#include "engine/run.h"

struct pctl_kin;

/* Of the nodes of a request; flags: PCTL_VERB_, of its method too. NULL: none of them has to mind
 * another one. */
struct pctl_kin *pctl_kin_new(const struct pctl_inventory *inventory, const size_t *nodes,
	size_t count, const struct pctl_request *request, unsigned flags);
void pctl_kin_free(struct pctl_kin *kin);

/* How many are only looked at, and which nodes these are: targets count, count + 1 and so on. */
size_t pctl_kin_looks(const struct pctl_kin *kin);
size_t pctl_kin_node(const struct pctl_kin *kin, size_t i);

/*
 * 1: the run's i-th node may go. 0: it waits, and pctl_kin_next() returns it one day.
 * PCTL_E_STATE: it may not, and err says why.
 */
int pctl_kin_check(
	struct pctl_kin *kin, const struct pctl_run *run, size_t i, struct pctl_error *err);
/* What became of the run's i-th target. */
void pctl_kin_heard(struct pctl_kin *kin, size_t i, const struct pctl_result *result);
/* Takes out one that waits no longer; all: or that waits. false: there is none. */
bool pctl_kin_next(struct pctl_kin *kin, bool all, size_t *ret);

#endif
