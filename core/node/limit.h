/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many machines start at once, and how far apart: what a rack's fuses stand. A limit is a
 * group's of the inventory, shared with other processes (places.h), or a command's own. A node goes
 * through the limits that it is under with a ticket: in each, in the same order for everybody, it
 * waits in line for a place and for its time; once it has a place in all of them it is granted, and
 * keeps them until its start was confirmed. Then, right before it sends, it is made sure that the
 * latest start in each of its groups is long enough ago. Who waits costs no timer and no look at
 * the disk of its own.
 */
#ifndef POWERCTL_CORE_LIMIT_H
#define POWERCTL_CORE_LIMIT_H

#include <powerctl/powerctl.h>

/* How long a start counts as one that nobody sees the end of: --no-wait, interrupted. */
#define PCTL_UNSEEN_MS ((uint64_t)5000)

struct pctl_limits; /* all of a loop */
struct pctl_limit;

struct pctl_limits *pctl_limits_new(uv_loop_t *loop);
/* No ticket is out. closed runs from the loop. */
void pctl_limits_close(struct pctl_limits *limits, pctl_closed_fn *closed, void *data);

/* So many groups have limits here; each may come to have a file open. */
size_t pctl_limits_count(const struct pctl_limits *limits);

/* A command's own limit, which comes behind those of groups; limit->group is what it is called. */
struct pctl_limit *pctl_limit_new(
	struct pctl_limits *limits, const struct pctl_inventory_limit *limit);
/* No ticket is in it. */
void pctl_limit_free(struct pctl_limit *limit);

/* A node on its way. All zero is one under no limits. It does not move while it is in use. */
struct pctl_ticket {
	/* The owner's. From the loop: it waits no longer, and has all its places. */
	void (*granted)(struct pctl_ticket *ticket);
	/*
	 * Another process has all places: "a place in rack1 (8 at once): root, powerctl on, pid 4".
	 * Once while there is a line; also from within pctl_ticket_take().
	 */
	void (*held_up)(struct pctl_ticket *ticket, const char *what);
	void *data;

	/* The room's. */
	struct pctl_limit_step *steps;
	size_t n, entered; /* limits; has a place in so many of them */
	bool waits, waited;
	uint64_t sent; /* when it started its machine; 0: not yet */
	struct pctl_ticket *before, *behind;
};

/* Finds the limits of a node; own may be NULL. */
void pctl_ticket_init(struct pctl_ticket *ticket, struct pctl_limits *limits,
	const struct pctl_inventory *inventory, size_t node, struct pctl_limit *own);
void pctl_ticket_done(struct pctl_ticket *ticket);

/*
 * 1: it has all its places (also if it had them before). 0: it waits, and granted() follows, unless
 * it is given back before. PCTL_E_INTERNAL: a group's file cannot be used.
 */
int pctl_ticket_take(struct pctl_ticket *ticket, struct pctl_error *err);
/*
 * What it waits for, or waited for last: "a place in rack1 (8 at once, 500 ms apart)". It is under
 * a limit. Returns buf.
 */
const char *pctl_ticket_words(const struct pctl_ticket *ticket, char *buf, size_t size);

/*
 * Right before the machine is started: 0, and this is when it was; or it is too soon, and how many
 * ms later this is to be called again. It has its places.
 */
uint64_t pctl_ticket_send(struct pctl_ticket *ticket);

/*
 * Gives back its places, or its wait for them; also if it has neither. unseen: what it started was
 * not seen to its end, and counts for PCTL_UNSEEN_MS from when it was sent.
 */
void pctl_ticket_give(struct pctl_ticket *ticket, bool unseen);

#endif
