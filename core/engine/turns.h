/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who goes at an endpoint, first come, first served: of one machine one node, of different machines
 * as many as the driver's max_in_flight says. Until an op there has ended well one goes alone:
 * where a password is wrong it is wrong for all of them, and is to be sent once.
 */
#ifndef POWERCTL_CORE_TURNS_H
#define POWERCTL_CORE_TURNS_H

#include "node/core.h"

/* What a turn is made of. */
#define PCTL_TURN_MACHINE  1u /* the machine is nobody else's */
#define PCTL_TURN_ENDPOINT 2u /* one of the places at its endpoint */
#define PCTL_TURN_WHOLE    (PCTL_TURN_MACHINE | PCTL_TURN_ENDPOINT)

/* Somebody who waits, or whose turn it is. */
struct pctl_turn {
	const struct pctl_target *target;
	unsigned parts; /* of a turn, that it asked for */
	void *who;      /* the caller's; NULL: the node itself, which has not begun */
};

/* Oldest first. */
struct pctl_turn_line {
	struct pctl_turn *v;
	size_t n, cap, next;
};

/* All zero at first. */
struct pctl_turns {
	struct pctl_strmap endpoints, machines; /* at which somebody is or waits */
	struct pctl_turn_line called, begun;    /* have their turn and do not know yet */
};
void pctl_turns_done(struct pctl_turns *turns);

/*
 * True: it has these parts, until it gives them back. False: pctl_turns_next() returns it one day.
 * Who asks for the endpoint alone has the machine already. Who asks for several machines does so in
 * the order of their keys, and for no endpoint before it has them all: nobody waits in a circle.
 */
bool pctl_turns_take(struct pctl_turns *turns, const struct pctl_turn *turn);
/* Who waited and has its turn now: whoever has begun first, nodes only with nodes. False: nobody.
 */
bool pctl_turns_next(struct pctl_turns *turns, bool nodes, struct pctl_turn *ret);
void pctl_turns_give(struct pctl_turns *turns, const struct pctl_target *target, unsigned parts);
/* An op of this node, which has its turn, has ended well. */
void pctl_turns_proved(struct pctl_turns *turns, const struct pctl_target *target);

#endif
