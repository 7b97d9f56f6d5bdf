/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/kin.h"

#include <string.h>

#include <powerctl/mem.h>

/* One has to mind another one; numbers are the run's, 1 + an edge's number is a link. */
struct edge {
	uint32_t who, whom;
	uint32_t next_of, next_to; /* further ones of who, and to whom */
	bool child;                /* whom is a child of who; else its parent */
};

struct member {
	uint32_t of, to;  /* its edges: those it minds, those that mind it */
	uint32_t pending; /* of those it minds, so many have not been heard of */
	bool waits;
	bool heard, ok, skipped, known;
	enum pctl_power_state state;
};

struct pctl_kin {
	size_t count; /* of the run's nodes; behind them are those that are only looked at */
	enum pctl_verb verb;
	unsigned flags; /* PCTL_VERB_ of the verb, or of the method */
	bool unseen;    /* nobody waits for the state that is asked for */
	bool maintenance;
	size_t *looks, n, cap; /* nodes of the inventory */
	struct edge *edges;
	size_t edge_n, edge_cap;
	struct member *members;
	size_t *ready, ready_n, ready_cap, ready_next;
	size_t swept; /* up to where those that wait were taken out */
	/* While it is made: by node of the inventory, 1 + its number here; 0: none. */
	uint32_t *number;
};

void pctl_kin_free(struct pctl_kin *kin)
{
	if (!kin)
		return;
	free(kin->looks);
	free(kin->edges);
	free(kin->members);
	free(kin->ready);
	free(kin->number);
	free(kin);
}

/* --- Making. ---------------------------------------------------------------------------------- */

/* The number of a node that is to be minded; it is looked at if it is not one of the run's. */
static uint32_t number_of(struct pctl_kin *kin, size_t node)
{
	if (!kin->number[node]) {
		kin->looks = pctl_xgrow(kin->looks, &kin->cap, kin->n + 1, sizeof(*kin->looks));
		kin->looks[kin->n++] = node;
		kin->number[node] = (uint32_t)(kin->count + kin->n);
	}
	return kin->number[node] - 1;
}

static void add_edge(
	struct pctl_kin *kin, const struct pctl_inventory *inv, size_t who, size_t node, bool child)
{
	if (!kin->maintenance && pctl_inventory_text(inv, node, "maintenance"))
		return;
	kin->edges = pctl_xgrow(kin->edges, &kin->edge_cap, kin->edge_n + 1, sizeof(*kin->edges));
	kin->edges[kin->edge_n++] =
		(struct edge){ .who = (uint32_t)who, .whom = number_of(kin, node), .child = child };
}

static bool minds_children(const struct pctl_kin *kin)
{
	return (kin->flags & PCTL_VERB_DISRUPTS) && kin->verb != PCTL_VERB_NMI;
}

static void find_edges(
	struct pctl_kin *kin, const struct pctl_inventory *inv, size_t i, size_t node)
{
	int64_t parent = pctl_inventory_parent(inv, node), child;

	if (parent >= 0 && (kin->flags & PCTL_VERB_STARTS))
		add_edge(kin, inv, i, (size_t)parent, false);
	for (size_t k = 0; minds_children(kin) && (child = pctl_inventory_child(inv, node, k)) >= 0;
		k++)
		add_edge(kin, inv, i, (size_t)child, true);
}

/*
 * A child that is in the run as well is waited for if all of them are turned off; else it would
 * wait for its parent, and is looked at by a number of its own.
 */
static void part_circles(struct pctl_kin *kin, const size_t *nodes)
{
	for (size_t e = 0; kin->verb != PCTL_VERB_OFF && e < kin->edge_n; e++) {
		struct edge *edge = &kin->edges[e];

		if (!edge->child || edge->whom >= kin->count)
			continue;
		kin->looks = pctl_xgrow(kin->looks, &kin->cap, kin->n + 1, sizeof(*kin->looks));
		kin->looks[kin->n++] = nodes[edge->whom];
		edge->whom = (uint32_t)(kin->count + kin->n - 1);
	}
}

static void link_edges(struct pctl_kin *kin)
{
	kin->members = pctl_xcalloc(kin->count + kin->n, sizeof(*kin->members));
	for (size_t e = kin->edge_n; e-- > 0;) {
		struct edge *edge = &kin->edges[e];
		struct member *who = &kin->members[edge->who], *whom = &kin->members[edge->whom];

		edge->next_of = who->of;
		edge->next_to = whom->to;
		who->of = whom->to = (uint32_t)e + 1;
		who->pending++;
	}
}

struct pctl_kin *pctl_kin_new(const struct pctl_inventory *inv, const size_t *nodes, size_t count,
	const struct pctl_request *request, unsigned flags)
{
	if (!(flags & (PCTL_VERB_STARTS | PCTL_VERB_DISRUPTS)) || !pctl_inventory_has_kin(inv))
		return NULL;
	struct pctl_kin *kin = pctl_xcalloc(1, sizeof(*kin));
	kin->count = count;
	kin->verb = request->verb;
	kin->flags = flags;
	kin->unseen = request->no_wait || request->dry_run;
	kin->maintenance = request->maintenance;
	kin->number = pctl_xcalloc(pctl_inventory_count(inv), sizeof(*kin->number));
	for (size_t i = 0; i < count; i++)
		kin->number[nodes[i]] = (uint32_t)i + 1;
	for (size_t i = 0; i < count; i++)
		find_edges(kin, inv, i, nodes[i]);
	free(kin->number);
	kin->number = NULL;
	part_circles(kin, nodes);
	if (kin->edge_n) {
		link_edges(kin);
		return kin;
	}
	pctl_kin_free(kin);
	return NULL;
}

size_t pctl_kin_looks(const struct pctl_kin *kin)
{
	return kin ? kin->n : 0;
}

size_t pctl_kin_node(const struct pctl_kin *kin, size_t i)
{
	return kin->looks[i];
}

/* --- Who may go. ------------------------------------------------------------------------------ */

static bool is_fine(const struct pctl_kin *kin, const struct edge *edge)
{
	const struct member *whom = &kin->members[edge->whom];
	enum pctl_power_state wanted = edge->child ? PCTL_POWER_OFF : PCTL_POWER_ON;
	bool its_own_verb = edge->whom < kin->count;

	if (its_own_verb && whom->ok && (whom->skipped || kin->unseen))
		return true;
	return whom->ok && whom->known && whom->state == wanted;
}

static int refuse_parent(
	const struct member *parent, bool its_own_verb, const char *name, struct pctl_error *err)
{
	if (its_own_verb)
		return pctl_error_set(
			err, PCTL_E_STATE, "nothing was sent: its parent %s failed", name);
	if (!parent->known)
		return pctl_error_set(err, PCTL_E_STATE,
			"nothing was sent: whether its parent %s is on could not be read", name);
	return pctl_error_set(err, PCTL_E_STATE,
		"nothing was sent: its parent %s is %s; turn it on first, or name it as well: it "
		"goes first",
		name, pctl_power_state_name(parent->state));
}

static int refuse_children(
	const struct pctl_kin *kin, const struct pctl_run *run, size_t i, struct pctl_error *err)
{
	struct pctl_names *names = pctl_names_new();
	bool off = kin->verb == PCTL_VERB_OFF;

	for (uint32_t e = kin->members[i].of; e; e = kin->edges[e - 1].next_of)
		if (kin->edges[e - 1].child && !is_fine(kin, &kin->edges[e - 1]))
			(void)pctl_names_add(names, run->targets[kin->edges[e - 1].whom].name);
	PCTL_AUTO(free) char *folded = pctl_names_fold(names);
	pctl_names_free(names);
	return pctl_error_set(err, PCTL_E_STATE,
		"nothing was sent: what stands in it is not off for certain: %.120s; turn that off "
		"first%s",
		folded, off ? ", or name it as well (--with-children): it goes first" : "");
}

int pctl_kin_check(
	struct pctl_kin *kin, const struct pctl_run *run, size_t i, struct pctl_error *err)
{
	struct member *member = &kin->members[i];

	member->waits = member->pending > 0;
	if (member->waits)
		return 0;
	for (uint32_t e = member->of; e; e = kin->edges[e - 1].next_of) {
		const struct edge *edge = &kin->edges[e - 1];

		if (is_fine(kin, edge))
			continue;
		if (edge->child)
			return refuse_children(kin, run, i, err);
		return refuse_parent(&kin->members[edge->whom], edge->whom < kin->count,
			run->targets[edge->whom].name, err);
	}
	return 1;
}

static void push_ready(struct pctl_kin *kin, size_t i)
{
	kin->members[i].waits = false;
	kin->ready = pctl_xgrow(kin->ready, &kin->ready_cap, kin->ready_n + 1, sizeof(*kin->ready));
	kin->ready[kin->ready_n++] = i;
}

void pctl_kin_heard(struct pctl_kin *kin, size_t i, const struct pctl_result *r)
{
	struct member *member = &kin->members[i];

	if (member->heard)
		return;
	member->heard = true;
	member->ok = r->ok;
	member->skipped = r->error.code == PCTL_E_SKIPPED;
	member->known = r->state_known;
	member->state = r->state;
	for (uint32_t e = member->to; e; e = kin->edges[e - 1].next_to) {
		struct member *who = &kin->members[kin->edges[e - 1].who];

		if (--who->pending == 0 && who->waits)
			push_ready(kin, kin->edges[e - 1].who);
	}
}

bool pctl_kin_next(struct pctl_kin *kin, bool all, size_t *ret)
{
	for (; all && kin->swept < kin->count; kin->swept++)
		if (kin->members[kin->swept].waits)
			push_ready(kin, kin->swept);
	if (kin->ready_next == kin->ready_n)
		return false;
	*ret = kin->ready[kin->ready_next++];
	return true;
}
