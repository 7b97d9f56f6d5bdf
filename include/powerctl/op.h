/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An op is one request to one device through one interface of its driver. The core starts it by
 * calling the interface's function; the driver ends it, exactly once, with pctl_op_done() or
 * pctl_op_fail(), at once or later, always on the loop's thread. Whoever asked hears of it from the
 * loop, never before the starting call has returned, so a driver may end an op wherever it finds
 * out.
 *
 * The core owns the deadline. A driver that waits for something says so with pctl_op_pending():
 * when the deadline passes or the user cancels, its abort function is called once, and with that
 * the op is no longer the driver's: it must neither be ended nor touched again.
 */
#ifndef POWERCTL_OP_H
#define POWERCTL_OP_H

#include <stdbool.h>

#include <powerctl/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pctl_op;

/* Stop working on op now; do not end it. work is what pctl_op_pending() was given. */
typedef void pctl_op_abort_fn(struct pctl_op *op, void *work);

/*
 * The driver goes on with op later, and abort stops that. May be called again to change both, but
 * not while pctl_op_work() works for op.
 */
PCTL_API void pctl_op_pending(struct pctl_op *op, pctl_op_abort_fn *abort, void *work);

/*
 * The commit point: call it right before the first byte of a request that changes the device can
 * leave this host. Before it, unreachable, timeout, busy and cancel mean that nothing happened, and
 * the core may try again; after it the core reports them as PCTL_E_OUTCOME_UNKNOWN, and the driver
 * must not send the request again. Calling it twice is the same as once.
 */
PCTL_API void pctl_op_committed(struct pctl_op *op);

/*
 * Takes the commit point back: the device itself answered that it did not take the request (an HTTP
 * 401 or 503 instead of an answer, an IPMI "node busy"), so nothing happened.
 */
PCTL_API void pctl_op_not_taken(struct pctl_op *op);

/*
 * Of a call that makes several requests and commits to none of them, as boot->set may: between true
 * and false the driver is busy with what comes before the first that changes the device, and ending
 * it there, by its deadline or cancel, means that nothing happened. Each call begins with false.
 */
PCTL_API void pctl_op_untouched(struct pctl_op *op, bool untouched);

/*
 * The device itself answered that it took the request, and what follows is waiting for its effect:
 * failures keep their class from now on, and the core does not try again.
 */
PCTL_API void pctl_op_taken(struct pctl_op *op);

/*
 * A dry run of a method with PCTL_METHOD_DRY: op reads what it always reads. Where a request would
 * leave that changes the device, the driver says so by pctl_op_would(), in words for people
 * ("ClearLog of AMT_AuditLog"), sends nothing and ends op well. To commit it is a fault.
 */
PCTL_API bool pctl_op_dry(const struct pctl_op *op);
PCTL_API void pctl_op_would(struct pctl_op *op, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Ends op well. Results were written where the interface's function said. */
PCTL_API void pctl_op_done(struct pctl_op *op);

/* Ends op with a class and a text as struct pctl_error describes them. */
PCTL_API void pctl_op_fail(struct pctl_op *op, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
PCTL_API void pctl_op_fail_error(struct pctl_op *op, const struct pctl_error *err);

/*
 * What op needs is this host's and not the device's, and it waits in line for that: its time stands
 * still until it goes on, so that no device is blamed. It can be aborted meanwhile.
 */
PCTL_API void pctl_op_waits(struct pctl_op *op);
PCTL_API void pctl_op_goes_on(struct pctl_op *op);

/*
 * A program runs for op, and is killed where op is aborted: when the deadline passes, the error
 * names it. program is borrowed until this is called with NULL. pctl_program_run() does both.
 */
PCTL_API void pctl_op_runs(struct pctl_op *op, const char *program);

/* Milliseconds left until the deadline. */
PCTL_API uint64_t pctl_op_time_left(const struct pctl_op *op);

/*
 * Runs work(job) on a worker thread and then after(job, op) on the loop. job was allocated by the
 * caller with malloc() and is the worker's alone until after() runs; the core frees it then. If op
 * was aborted meanwhile, after() gets op == NULL and only cleans up inside job. A secret in job is
 * after()'s to wipe: free() leaves it in memory.
 */
typedef void pctl_work_fn(void *job);
typedef void pctl_work_after_fn(void *job, struct pctl_op *op);
PCTL_API void pctl_op_work(
	struct pctl_op *op, void *take_job, pctl_work_fn *work, pctl_work_after_fn *after);

/*
 * The same for work that may wait for somebody. When op is aborted meanwhile give_up(job) is called
 * once, on the loop and while work(job) may be running: it makes that end soon (a byte in a pipe
 * that the work waits for, too), for a program does not end before its workers.
 */
PCTL_API void pctl_op_work_until(struct pctl_op *op, void *take_job, pctl_work_fn *work,
	pctl_work_fn *give_up, pctl_work_after_fn *after);

#ifdef __cplusplus
}
#endif

#endif
