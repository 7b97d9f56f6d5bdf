/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes of a run that are behind one endpoint, which answers one of them at a time. */
#ifndef POWERCTL_CORE_TURNS_H
#define POWERCTL_CORE_TURNS_H

#include "base/strmap.h"

/* All zero is empty. */
struct pctl_turns {
	struct pctl_strmap by_key; /* key → who waits, while somebody has the turn */
};

void pctl_turns_done(struct pctl_turns *turns);
/* true: it is the node's turn now. false: it waits in line until it is passed on. */
bool pctl_turns_take(struct pctl_turns *turns, const char *key, size_t node);
/* Passes the turn on to the next in line; false: nobody waits, and nobody has it. */
bool pctl_turns_pass(struct pctl_turns *turns, const char *key, size_t *ret);

#endif
