/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes of a run that wait for their login's trial, in a queue for each login. */
#ifndef POWERCTL_CORE_GATE_H
#define POWERCTL_CORE_GATE_H

#include "node/breaker.h"

/* All zero is empty. */
struct pctl_gate {
	struct pctl_strmap by_login; /* fingerprint → queue */
	struct pctl_gate_queue *queues;
};

void pctl_gate_done(struct pctl_gate *gate);
void pctl_gate_add(struct pctl_gate *gate, struct pctl_login *login, size_t node);
/* Takes out a node that need not wait any longer; all: any. false: there is none. */
bool pctl_gate_next(struct pctl_gate *gate, bool all, size_t *ret);

#endif
