/* SPDX-License-Identifier: Apache-2.0 */
/* The core's side of an op (see <powerctl/op.h>): start, cancel, and what came of it. */
#ifndef POWERCTL_CORE_OP_H
#define POWERCTL_CORE_OP_H

#include <uv.h>

#include <powerctl/op.h>

/*
 * Once, from the loop. result->code is 0 or a class; after a commit that was not taken back,
 * unreachable, timeout, busy and canceled arrive as PCTL_E_OUTCOME_UNKNOWN. op may be freed or
 * begun again inside.
 */
typedef void pctl_op_done_fn(struct pctl_op *op, const struct pctl_error *result);

/*
 * Ops that end in one turn of the loop tell of it in the order in which they ended; libuv closes
 * handles the other way round. All zero is empty. One loop's.
 */
struct pctl_op_order {
	struct pctl_op *first, *last;
};

struct pctl_op {
	/* The caller's; never read here. */
	void *data;

	/* Private. */
	uv_timer_t deadline;
	pctl_op_done_fn *done;
	pctl_op_abort_fn *abort; /* set while a driver holds a reference */
	void *work;              /* the driver's; passed back to abort() */
	uint64_t timeout_ms;
	struct pctl_error result;
	bool settled;
	bool committed;
	bool taken;                  /* as pctl_op_taken() says; holds until the next begin */
	struct pctl_op_order *order; /* NULL: done comes in any */
	struct pctl_op *next;        /* that ended after it */
	bool closed;                 /* nothing of libuv's is in it any more */
	bool waits;                  /* in a line of this host's */
	uint64_t left_ms, since;     /* while it waits: until the deadline; the loop's time */

	/* How long it waited; read by whoever counts time. */
	uint64_t waited_ms;
};

/*
 * Arms op. The caller owns its memory until done runs. The next call is to the driver's function
 * that gets the op; done comes from the loop, never from within.
 */
void pctl_op_begin(struct pctl_op *op, uv_loop_t *loop, uint64_t timeout_ms, pctl_op_done_fn *done,
	void *data);

/* done() comes in the order of the ends. Set between begin and the driver's call. */
void pctl_op_in_order(struct pctl_op *op, struct pctl_op_order *order);

/* done() follows with PCTL_E_CANCELED, unless op has ended already. */
void pctl_op_cancel(struct pctl_op *op);

#endif
