/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who goes at an endpoint, first come, first served: of one machine one node, of different machines
 * as many as the driver's max_in_flight says. Until an op there has ended well one goes alone:
 * where a password is wrong it is wrong for all of them, and is to be sent once.
 */
#ifndef POWERCTL_CORE_TURNS_H
#define POWERCTL_CORE_TURNS_H

#include "node/core.h"

/* Nodes that wait, oldest first. */
struct pctl_turn_line {
	const struct pctl_target **v;
	size_t n, cap, next;
};

/* All zero at first. */
struct pctl_turns {
	struct pctl_strmap endpoints, machines; /* at which somebody is or waits */
	struct pctl_turn_line called;           /* have their turn and do not know yet */
};
void pctl_turns_done(struct pctl_turns *turns);

/* True: it has its turn, until it gives it back. False: pctl_turns_next() returns it one day. */
bool pctl_turns_take(struct pctl_turns *turns, const struct pctl_target *target);
/* Who waited and has its turn now; NULL: nobody. */
const struct pctl_target *pctl_turns_next(struct pctl_turns *turns);
void pctl_turns_give(struct pctl_turns *turns, const struct pctl_target *target);
/* An op of this node, which has its turn, has ended well. */
void pctl_turns_proved(struct pctl_turns *turns, const struct pctl_target *target);

#endif
