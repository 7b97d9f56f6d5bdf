/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/gate.h"

#include <powerctl/mem.h>

struct pctl_gate_queue {
	struct pctl_login *login;
	size_t *waiting;
	size_t n, cap, next;
	struct pctl_gate_queue *other;
};

static void free_queue(struct pctl_gate_queue *queue)
{
	free(queue->waiting);
	free(queue);
}

void pctl_gate_done(struct pctl_gate *gate)
{
	while (gate->queues) {
		struct pctl_gate_queue *queue = gate->queues;

		gate->queues = queue->other;
		free_queue(queue);
	}
	pctl_strmap_done(&gate->by_login);
}

void pctl_gate_add(struct pctl_gate *gate, struct pctl_login *login, size_t node)
{
	void **place = pctl_strmap_put(&gate->by_login, pctl_login_id(login));
	struct pctl_gate_queue *queue = *place;

	if (!queue) {
		queue = *place = pctl_xcalloc(1, sizeof(*queue));
		queue->login = login;
		queue->other = gate->queues;
		gate->queues = queue;
	}
	queue->waiting =
		pctl_xgrow(queue->waiting, &queue->cap, queue->n + 1, sizeof(*queue->waiting));
	queue->waiting[queue->n++] = node;
}

bool pctl_gate_next(struct pctl_gate *gate, bool all, size_t *ret)
{
	struct pctl_gate_queue **link = &gate->queues;

	while (*link && !all && pctl_login_waits((*link)->login))
		link = &(*link)->other;
	struct pctl_gate_queue *queue = *link;
	if (!queue)
		return false;
	*ret = queue->waiting[queue->next++];
	if (queue->next < queue->n)
		return true;
	*link = queue->other;
	(void)pctl_strmap_remove(&gate->by_login, pctl_login_id(queue->login));
	free_queue(queue);
	return true;
}
