/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes of a run that wait for places (limit.h): those have ended as tasks, and begin anew once
 * they have them.
 */
#include <powerctl/mem.h>

#include "engine/run.h"

struct pctl_ticket *pctl_run_ticket(const struct pctl_run *run, const struct pctl_target *target)
{
	size_t i = (size_t)(target - run->targets);

	return run->tickets && i < run->count ? &run->tickets[i] : NULL;
}

static void tell_queue(struct pctl_run *run, size_t i, const char *what)
{
	if (run->callbacks.queued)
		run->callbacks.queued(run->callbacks.data, run->targets[i].name, what, run->queued);
}

/* It waits no longer: to begin anew, or to be told why not. */
static void take_from_queue(struct pctl_run *run, size_t i)
{
	run->placed =
		pctl_xgrow(run->placed, &run->placed_cap, run->placed_n + 1, sizeof(*run->placed));
	run->placed[run->placed_n++] = i;
	run->queued--;
	tell_queue(run, i, NULL);
	pctl_run_feed(run);
}

static void on_granted(struct pctl_ticket *ticket)
{
	struct pctl_run *run = ticket->data;

	take_from_queue(run, (size_t)(ticket - run->tickets));
}

static void on_held_up(struct pctl_ticket *ticket, const char *what)
{
	struct pctl_run *run = ticket->data;

	pctl_run_waiting(run, &run->targets[ticket - run->tickets], what);
}

void pctl_run_find_limits(struct pctl_run *run)
{
	const struct pctl_inventory_limit own = { .group = "this command's line",
		.max_at_once = run->request.max_at_once,
		.stagger_ms = run->request.stagger_ms };
	size_t limited = 0;

	if (!(run->flags & PCTL_VERB_STARTS) || run->request.dry_run)
		return;
	if (own.max_at_once || own.stagger_ms)
		run->own = pctl_limit_new(run->core->limits, &own);
	run->tickets = pctl_xcalloc(run->count, sizeof(*run->tickets));
	for (size_t i = 0; i < run->count; i++) {
		struct pctl_ticket *ticket = &run->tickets[i];

		*ticket = (struct pctl_ticket){
			.granted = on_granted, .held_up = on_held_up, .data = run
		};
		pctl_ticket_init(
			ticket, run->core->limits, run->inventory, run->targets[i].node, run->own);
		limited += ticket->n;
	}
	if (limited)
		return;
	free(run->tickets);
	run->tickets = NULL;
}

int pctl_run_place(struct pctl_run *run, const struct pctl_target *target, struct pctl_error *err)
{
	struct pctl_ticket *ticket = pctl_run_ticket(run, target);
	char what[200];

	int r = ticket ? pctl_ticket_take(ticket, err) : 1;
	if (r == 0) {
		run->queued++;
		tell_queue(run, (size_t)(target - run->targets),
			pctl_ticket_words(ticket, what, sizeof(what)));
	}
	return r;
}

uint64_t pctl_run_send(struct pctl_run *run, const struct pctl_target *target)
{
	struct pctl_ticket *ticket = pctl_run_ticket(run, target);

	return ticket ? pctl_ticket_send(ticket) : 0;
}

void pctl_run_give(struct pctl_run *run, const struct pctl_target *target, bool unseen)
{
	struct pctl_ticket *ticket = pctl_run_ticket(run, target);

	if (ticket)
		pctl_ticket_give(ticket, unseen);
}

void pctl_run_empty_queue(struct pctl_run *run)
{
	for (size_t i = 0; run->queued && i < run->count; i++) {
		if (!run->tickets[i].waits)
			continue;
		pctl_ticket_give(&run->tickets[i], false);
		take_from_queue(run, i);
	}
}

bool pctl_run_next_placed(struct pctl_run *run, size_t *ret)
{
	if (run->placed_next == run->placed_n)
		return false;
	*ret = run->placed[run->placed_next++];
	return true;
}

void pctl_run_free_places(struct pctl_run *run)
{
	for (size_t i = 0; run->tickets && i < run->count; i++)
		pctl_ticket_done(&run->tickets[i]);
	free(run->tickets);
	pctl_limit_free(run->own);
	free(run->placed);
}
