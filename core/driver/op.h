/* SPDX-License-Identifier: Apache-2.0 */
/* The core's side of an op (see <powerctl/op.h>): start, cancel, and what came of it. */
#ifndef POWERCTL_CORE_OP_H
#define POWERCTL_CORE_OP_H

#include <pthread.h>
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
	bool untouched;              /* as pctl_op_untouched() says */
	bool taken;                  /* as pctl_op_taken() says; holds until the next begin */
	struct pctl_op_order *order; /* NULL: done comes in any */
	struct pctl_op *next;        /* that ended after it */
	bool closed;                 /* nothing of libuv's is in it any more */
	const char *program;         /* that runs for it; NULL: none */
	bool waits;                  /* in a line of this host's */
	uint64_t left_ms, since;     /* while it waits: until the deadline; the loop's time */

	/* How long it waited; read by whoever counts time. */
	uint64_t waited_ms;

	/* For whoever has to say what a driver did wrong: borrowed; NULL: not known. */
	const char *driver, *call, *node;
	pthread_t thread; /* the loop's */
	bool dry;         /* nothing may be sent that changes the device; set after begin */
	char would[160];  /* then: what would have been; "": nothing */
	bool abandoned;   /* by its deadline or by cancel: no more the driver's */
};

/*
 * Arms op. The caller owns its memory until done runs. The next call is to the driver's function
 * that gets the op; done comes from the loop, never from within.
 */
void pctl_op_begin(struct pctl_op *op, uv_loop_t *loop, uint64_t timeout_ms, pctl_op_done_fn *done,
	void *data);

/*
 * Around the call of the driver's function: names the op for errors and crashes ("x",
 * "power.get", "nuc1"; they outlive it), and says afterwards what a driver must not do. A driver
 * that ends an op twice, after an abort or from another thread is always a fault.
 */
void pctl_op_enter(struct pctl_op *op, const char *driver, const char *call, const char *node);
void pctl_op_leave(struct pctl_op *op);

/* What a driver did wrong, in words. The default says it on standard error and aborts. Called on
 * whatever thread it happened on; where it returns, the op is as broken as the driver made it. */
typedef void pctl_op_fault_fn(const char *words);
extern pctl_op_fault_fn *pctl_op_on_fault;
/*
 * Whether it is a fault as well to go on with an op without pctl_op_pending(): nobody can stop it
 * then, and it never ends if it was forgotten. So in debug builds; elsewhere it times out.
 */
extern bool pctl_op_strict;

/* done() comes in the order of the ends. Set between begin and the driver's call. */
void pctl_op_in_order(struct pctl_op *op, struct pctl_op_order *order);

/* done() follows with PCTL_E_CANCELED, unless op has ended already. */
void pctl_op_cancel(struct pctl_op *op);

#endif
