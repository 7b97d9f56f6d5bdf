/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A joint is one verb on a node that several feeds power. It has all their machines and locks from
 * the first read to the last confirmation, and does its verb in steps: each starts a task at some
 * of the feeds at once and names the step that follows when all of them have ended. A task does at
 * its feed what it does at a node of its own: joint_power.c only says in which order.
 *
 * What is waited for, in this order, so that nobody waits in a circle: the trials of all logins,
 * while it has nothing; the machines, by their keys; the locks between processes, by the same keys;
 * a limit's place, for which it gives back all of these and begins anew; and, part by part, turns
 * at the endpoints, whose holders wait for none of the former.
 */
#ifndef POWERCTL_CORE_JOINT_H
#define POWERCTL_CORE_JOINT_H

#include "engine/task.h"

typedef void pctl_joint_fn(struct pctl_joint *joint);

/* A feed, and what the latest task at it brought. */
struct pctl_part {
	const struct pctl_feed *feed;
	struct pctl_request request; /* of the task */
	struct pctl_task *task;      /* NULL: none is under way */
	bool held;                   /* is in its login's trial, for its first task */
	bool asked;                  /* there was a task */
	bool ok, read, changed;      /* read: state is what it said */
	enum pctl_power_state state;
	const char *word, *confirmed;
	char *note;
	struct pctl_value *tree;
	struct pctl_error error;
	uint64_t waited; /* ms of the step that it waited for its turn */
};

struct pctl_joint {
	struct pctl_run *run;
	const struct pctl_target *target; /* the node's */
	const struct pctl_request *request;
	const struct pctl_feeds *feeds;
	uv_timer_t timer;
	enum {
		PCTL_JOINT_CLAIMS, /* machines */
		PCTL_JOINT_PAUSES, /* for a lock, or between two steps */
		PCTL_JOINT_WORKS,  /* its parts do */
		PCTL_JOINT_HOOKS,
		PCTL_JOINT_ENDED
	} busy;
	pctl_joint_fn *then;
	size_t working; /* parts that have a task */

	const struct pctl_target *order[PCTL_FEEDS_MAX]; /* by the keys of the machines */
	size_t claimed, locked;                          /* so many of them */
	struct pctl_hold holds[PCTL_FEEDS_MAX];          /* of those that are locked */
	struct pctl_hold_line line;
	bool waits_lock, begun;

	uint64_t started, deadline, until, poll_ms; /* loop time in ms; a time in ms */
	bool was_on, was_on_known;                  /* before an outage */
	bool lit;                                   /* outlets were turned on for it */
	bool sent;                                  /* in this step: a start (limit.h) */
	struct pctl_error dark_failed;              /* why an outage did not come about */
	unsigned attempts;
	char *note;
	const struct pctl_value *tree; /* of a part: the result's; NULL: none */
	struct pctl_hook_round *hooks;
	bool hooks_asked, hooks_passed;
	struct pctl_result result; /* word NULL: it has not ended */
	struct pctl_feed_result *told;
	char *warning;
	struct pctl_part ready; /* the machine's own test */
	struct pctl_feed ready_feed;

	struct pctl_joint *before, *after; /* in the run's list */
	size_t n;
	struct pctl_part parts[];
};

/* Begins, from the loop: none of its feeds has to wait for the trial of its login. */
void pctl_joint_start(
	struct pctl_run *run, const struct pctl_target *target, const struct pctl_request *request);
/* What one of its tasks is a part for. */
struct pctl_target *pctl_joint_part_target(struct pctl_joint *joint, const struct pctl_task *task);
/* Ends it soon with what is known, as pctl_task_cancel(), which its tasks hear of on their own. */
void pctl_joint_cancel(struct pctl_joint *joint);
/* The run's: the machine that it waited for is its own now. */
void pctl_joint_claimed(struct pctl_joint *joint);

struct pctl_run *pctl_joint_run(const struct pctl_joint *joint);
const struct pctl_target *pctl_joint_target(const struct pctl_joint *joint);
const struct pctl_request *pctl_joint_request(const struct pctl_joint *joint);

/* --- What its tasks say. ---------------------------------------------------------------------- */

/* The earlier of a deadline and its own. */
uint64_t pctl_joint_bound(const struct pctl_joint *joint, uint64_t deadline);
void pctl_joint_part_ended(
	struct pctl_joint *joint, const struct pctl_task *task, const struct pctl_result *result);
void pctl_joint_part_gone(struct pctl_joint *joint, const struct pctl_task *task);
/* As pctl_task_is_overtaken(), at any of its machines. */
bool pctl_joint_is_overtaken(const struct pctl_joint *joint, char *who, size_t size);
/* As pctl_run_send(): feeds that are turned on in one step are one start. */
uint64_t pctl_joint_send(struct pctl_joint *joint);
/* Only the machine itself is waited for from now on. */
void pctl_joint_let_others(struct pctl_joint *joint);

/* --- Steps (joint.c). ------------------------------------------------------------------------- */

/* Starts a task; pctl_joint_go() follows the last of a step. */
void pctl_joint_begin_part(
	struct pctl_joint *joint, struct pctl_part *part, const struct pctl_request *request);
/* Goes on when all parts have ended, also where there is none. */
void pctl_joint_go(struct pctl_joint *joint, pctl_joint_fn *then);
/* Before anything is sent: goes on, or runs the node's hooks and begins the verb anew. */
void pctl_joint_change(struct pctl_joint *joint, pctl_joint_fn *then);
void pctl_joint_pause(struct pctl_joint *joint, uint64_t ms, pctl_joint_fn *then);
/* Reads these feeds: own, the outlets, or both. */
void pctl_joint_read(struct pctl_joint *joint, bool own, bool outlets, pctl_joint_fn *then);
/* Goes on with the node's places (limit.h), or ends and is begun anew when there are any. */
void pctl_joint_place(struct pctl_joint *joint, pctl_joint_fn *then);
/* The machine is on: ends, or waits for its own test where that is asked for. */
void pctl_joint_end_on(struct pctl_joint *joint);

/* word NULL: the state's. */
void pctl_joint_end_ok(
	struct pctl_joint *joint, const char *word, enum pctl_power_state state, bool known);
void pctl_joint_end_error(struct pctl_joint *joint, const struct pctl_error *err);
/* An error of class code; behind text come the feeds that failed, and how the others are. */
void pctl_joint_end_fail(struct pctl_joint *joint, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void pctl_joint_note(struct pctl_joint *joint, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* --- What is known (joint_words.c). ----------------------------------------------------------- */

/* The node's own driver; NULL: it is not among the feeds. */
struct pctl_part *pctl_joint_own(struct pctl_joint *joint);
/* Whether it was silent: that is how a management processor without power is. */
bool pctl_part_is_silent(const struct pctl_part *part);
/* An outlet is, or all of them are, certainly in a state. */
bool pctl_part_is(const struct pctl_part *part, enum pctl_power_state state);
bool pctl_joint_outlets_are(const struct pctl_joint *joint, enum pctl_power_state state);

/*
 * The state of all feeds together: on if all are on, off if all are off. A management processor
 * that is silent while all outlets are off has no power: off as well (*ret_silent). False: none of
 * these, as far as is known.
 */
bool pctl_joint_state(const struct pctl_joint *joint, enum pctl_power_state *ret, bool *ret_silent);

/* "fence 2: refused; bmc and fence 1 are off": what failed first. Returns buf. */
const char *pctl_joint_words(const struct pctl_joint *joint, char *buf, size_t size);
/* "bmc, fence 1 and fence 2", those that which() picks. Returns buf. */
typedef bool pctl_part_fn(const struct pctl_part *part);
const char *pctl_joint_names(
	const struct pctl_joint *joint, pctl_part_fn *which, char *buf, size_t size);
/*
 * The class that stands for all failures: a doubt before all others, silence behind them; else the
 * first; 0: none.
 */
int pctl_joint_code(const struct pctl_joint *joint);

/* --- The verbs (joint_power.c). --------------------------------------------------------------- */

/* It has everything: the verb's first step. */
pctl_joint_fn pctl_joint_begin_verb;
/* How long the verb may take. */
uint64_t pctl_joint_limit(const struct pctl_joint *joint);

/* --- The run's side. -------------------------------------------------------------------------- */

void pctl_run_track_joint(struct pctl_run *run, struct pctl_joint *joint);
void pctl_run_untrack_joint(struct pctl_run *run, struct pctl_joint *joint);
/* Everything of it is released; it is freed by now. */
void pctl_run_joint_gone(struct pctl_run *run);

#endif
