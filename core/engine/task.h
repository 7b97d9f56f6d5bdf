/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task is one verb at one binding of a node: steps, each of which starts an op or a pause and
 * names the step that follows. Those of step.c retry, poll and give up, so that a verb reads as
 * what it does: read, act, wait until on.
 */
#ifndef POWERCTL_CORE_TASK_H
#define POWERCTL_CORE_TASK_H

#include "driver/method.h"
#include "driver/op.h"
#include "engine/hold.h"
#include "engine/ready.h"
#include "engine/stream.h"
#include "node/core.h"

struct pctl_task;
struct pctl_joint;
struct pctl_consent_work;
typedef void pctl_step_fn(struct pctl_task *task);

/* What of a call is known to the device. */
struct pctl_sent {
	enum {
		PCTL_SENT_NOTHING,
		PCTL_SENT_DOUBTFUL, /* it may have been taken: no answer came */
		PCTL_SENT_ACCEPTED,
	} how;
	const char *what;       /* in the user's words: an action, a method */
	struct pctl_error lost; /* why there is a doubt */
};

/* One of the driver's functions, as tasks call it. */
struct pctl_call {
	const char *name;                          /* for the trace */
	const char *what;                          /* in the user's words; NULL: its argument */
	uint64_t (*early)(struct pctl_task *task); /* by how many ms it is; 0: not; or NULL */
	void (*start)(struct pctl_task *task, const struct pctl_driver *driver, void *dev);
	void (*well)(struct pctl_task *task); /* before the step that follows; or NULL */
	/* For the trace, or NULL: what it is called with, what it brought. */
	const char *(*argument)(const struct pctl_task *task);
	const char *(*outcome)(const struct pctl_task *task);
	size_t limit_offset; /* which of the target's times it may take; 0: all that is left */
	unsigned times;      /* that many of them */
	size_t sent_offset;  /* which of the task's records it belongs to; 0: it changes nothing */
	unsigned flags;      /* PCTL_CALL_ */
};

/* Twice is as good as once: tried again also where the answer was lost. */
#define PCTL_CALL_REPEATABLE 1u
/* Several requests, of which some may have left before it was interrupted. */
#define PCTL_CALL_MANY 2u
/* Somebody else has it for as long as he likes: busy is final. */
#define PCTL_CALL_BUSY_IS_FINAL 4u
/* It may find that there is nothing to change: where it ended well and never committed it was so.
 */
#define PCTL_CALL_MAY_BE_SO 8u

/* A call being tried, and what to do with its end. */
struct pctl_try {
	const struct pctl_call *call;
	unsigned tries;
	uint64_t first, last; /* loop time in ms of the first and of the latest try */
	pctl_step_fn *then;
	pctl_step_fn *failed; /* sees task->error; NULL: the task ends with it */
};

/* Of several tries of one call that were late, the one that had most time. */
struct pctl_late {
	const struct pctl_call *call; /* NULL: none was */
	uint64_t had_ms;
	struct pctl_error error;
};

struct pctl_task {
	struct pctl_run *run;
	struct pctl_joint *joint; /* that it is a part of; NULL: it is all there is of its node */
	const struct pctl_target *target;
	struct pctl_target *other; /* with the other one of two passwords; ours; NULL: not tried */
	struct pctl_device *device;
	const struct pctl_request *request;

	struct pctl_op op;
	struct pctl_try trying;
	struct pctl_error error; /* of the latest op */
	char trouble[160];       /* why the latest op is being tried again, or "" */
	bool trouble_silent;     /* that was silence */
	uv_timer_t timer;
	pctl_step_fn *after_pause;
	struct pctl_asking asking; /* for the address */
	pctl_step_fn *on_address;
	enum {
		PCTL_TASK_IDLE,
		PCTL_TASK_OP,
		PCTL_TASK_PAUSE,
		PCTL_TASK_RESOLVE,
		PCTL_TASK_READY,
		PCTL_TASK_TURN,   /* for its endpoint */
		PCTL_TASK_HOOKS,  /* until its hooks have ended */
		PCTL_TASK_PARKED, /* until another one gives back what this host is short of */
		PCTL_TASK_ASKS,   /* a person for a code, or waits for its turn to (consent.h) */
		PCTL_TASK_ENDED
	} busy;
	struct pctl_hold hold; /* of the machine, where this is no part */
	struct pctl_hold_line line;
	bool waits_lock; /* is one of the core's lock_waiters */
	bool hooks_asked, hooks_passed;
	bool on_trial; /* is one of those that try its login */
	unsigned turn; /* PCTL_TURN_: what it has of its turn, in this run */

	uint64_t started, deadline; /* loop time in ms */

	/* What the verb is about. */
	struct pctl_power power, reading; /* as last read; being read */
	bool power_read;
	struct pctl_boot boot;
	char *boot_url; /* owns boot.url where a held intent gave it */
	bool from_intent;
	unsigned get_flags;      /* PCTL_GET_ of the next reading */
	enum pctl_action action; /* the latest */
	bool sessions_ended;
	bool tree_stands; /* tree is told of a failed task as well: it says why */
	pctl_step_fn *act_then, *act_failed;
	struct pctl_sent sent;  /* of the latest action or other change */
	struct pctl_sent armed; /* of the boot device for the next start */
	bool resent;            /* on and off may be sent a second time, not more */
	bool seen;              /* after an action it was read in another state than on */
	enum pctl_power_state wanted;
	uint64_t poll_ms, wait_until;
	struct pctl_late late;
	pctl_step_fn *on_state, *on_time_over;

	struct pctl_ready_watch *ready; /* of the machine's own test */

	struct pctl_hook_round *hooks; /* that run, or have ended and wait for room */
	char *warning;                 /* what its hooks had to say afterwards */

	struct pctl_session *session; /* as the driver opened it */
	struct pctl_display_wish wish;
	struct pctl_display_direct direct;
	struct pctl_stream *stream; /* has device, other and session from then on */
	struct pctl_value *tree;
	char *note;
	struct pctl_result result;
	struct pctl_task *before, *after; /* in the run's list */
	struct pctl_task *next_parked;
	uint64_t parked_at; /* loop time in ms */

	struct pctl_consent_work *consent; /* NULL: nobody's was needed */

	char *log_after; /* up to where this user has read, or NULL */
};

/* --- Life (task.c). --------------------------------------------------------------------------- */

/*
 * Begins from the loop's thread; the run hears of the end through pctl_run_task_result().
 * on_trial: it is one of those that try its login (breaker.h).
 */
void pctl_task_start(struct pctl_run *run, const struct pctl_target *target,
	const struct pctl_request *request, bool on_trial);
/*
 * The same for a part of a joint, which has the machine and its lock; it hears of the end through
 * pctl_joint_part_ended() and _gone(). request outlives the task.
 */
struct pctl_task *pctl_task_start_part(struct pctl_joint *joint, const struct pctl_target *target,
	const struct pctl_request *request, bool on_trial);
/* Loop time in ms. */
uint64_t pctl_task_now(const struct pctl_task *task);
/* The target of the whole node, where this is a part. */
const struct pctl_target *pctl_task_node(const struct pctl_task *task);
/* Whether it is for the run's own verb: not a look at a node that others mind (kin.h). */
bool pctl_task_changes(const struct pctl_task *task);
/* The run's: its turn at its endpoint has come. */
void pctl_task_has_turn(struct pctl_task *task);
/* What it holds of its endpoint, others may have: it only waits for the machine from now on. */
void pctl_task_let_others(struct pctl_task *task);
/* Ends it soon with what is known. */
void pctl_task_cancel(struct pctl_task *task);

/*
 * Whether hooks have to run before action is sent: then they do, and the verb begins anew behind
 * them, with a look at the state as it is then. Once for a task.
 */
bool pctl_task_run_hooks(struct pctl_task *task, const char *action);

/* Ends without a result: the run begins it anew once it has its places (pctl_run_place()). */
void pctl_task_yield(struct pctl_task *task);

/* Ends. Word as in struct pctl_result; NULL: the state's. */
void pctl_task_end_ok(struct pctl_task *task, const char *word);
/* The same once the result has its word, and its error where there is one. */
void pctl_task_end(struct pctl_task *task);

/*
 * A dry run: true, and the task has ended well, its note saying what it would do ("would open the
 * console"). False: it is none, and nothing was done.
 */
bool pctl_task_would(struct pctl_task *task, const char *what);

/* More about the result; formatted; replaces an earlier one. */
void pctl_task_note(struct pctl_task *task, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Whether an error only says that this host is short of something: then the task waits, and goes on
 * with again. false: it is another error, or there is nobody to wait for.
 */
bool pctl_task_park(struct pctl_task *task, const struct pctl_error *err, pctl_step_fn *again);
/* The run's: its turn has come. */
void pctl_task_unpark(struct pctl_task *task);

/* Whether another command went first at its machine: who is filled with whose. */
bool pctl_task_is_overtaken(const struct pctl_task *task, char *who, size_t size);

/*
 * Whether what it just failed with is a password that its device may not have yet or any more
 * (<powerctl/passwd.h>): then it opens the device anew with the other one, once, and goes on with
 * again.
 */
bool pctl_task_try_other(struct pctl_task *task, pctl_step_fn *again);

/* Of two passwords that target may have, one was refused here: it begins with the other. */
void pctl_login_choose(struct pctl_target *target, const struct pctl_request *request);
/* The login that target takes part in the trial of (breaker.h), or NULL. */
struct pctl_login *pctl_login_on_trial(
	const struct pctl_target *target, const struct pctl_request *request);

/* A result that says only who and when. Shared with nodes that never become a task. */
void pctl_result_init(
	struct pctl_result *result, const struct pctl_target *target, enum pctl_verb verb);

/* --- The address (task_address.c). ------------------------------------------------------------ */

/* Gives the device its address, looked up where it is a name; then goes on, or ends the task. */
void pctl_task_find_address(struct pctl_task *task, pctl_step_fn *then);
/* Looks no longer. */
void pctl_task_leave_address(struct pctl_task *task);

/* --- How it ends that failed (task_failed.c). ------------------------------------------------- */

/* With an error; where something was sent and never answered, that outweighs it. */
void pctl_task_end_error(struct pctl_task *task, const struct pctl_error *err);
/* Nobody knows whether task->sent was taken; done: what was done about that. */
void pctl_task_end_doubtful(struct pctl_task *task, const char *done);
void pctl_task_end_fail(struct pctl_task *task, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The run was interrupted: says what is known of this node. */
void pctl_task_end_interrupted(struct pctl_task *task);

/* --- Steps (step.c). -------------------------------------------------------------------------- */

/* Reads the state into task->power, then goes on. flags as PCTL_GET_. */
void pctl_step_get(struct pctl_task *task, unsigned flags, pctl_step_fn *then);
/* The same; failed goes on where it cannot be read, with t->error. */
void pctl_step_get_or(
	struct pctl_task *t, unsigned flags, pctl_step_fn *then, pctl_step_fn *failed);
/* Ends the task where the driver cannot do it or the state forbids it. */
void pctl_step_act(
	struct pctl_task *task, enum pctl_action action, pctl_step_fn *then, pctl_step_fn *failed);
/* The other interfaces: call says which; the driver has it. */
void pctl_step_try(struct pctl_task *task, const struct pctl_call *call, pctl_step_fn *then);
/* failed sees task->error. */
void pctl_step_try_or(struct pctl_task *task, const struct pctl_call *call, pctl_step_fn *then,
	pctl_step_fn *failed);
/* A call beside the verb: no hooks, and also where the run was interrupted. */
void pctl_step_send(struct pctl_task *task, const struct pctl_call *call, pctl_step_fn *then,
	pctl_step_fn *failed);
/* For a call's start: where it puts what it reads; of an earlier try nothing is left in it. */
struct pctl_value *pctl_task_new_tree(struct pctl_task *task);

/*
 * Before anything is sent that leads to a start: goes on with a place in each of the node's limits.
 * Where it has to wait for one, everything is let go, the node's lock too, and the verb begins anew
 * afterwards, with a look at the state as it is then.
 */
void pctl_step_place(struct pctl_task *task, pctl_step_fn *then);

void pctl_step_pause(struct pctl_task *task, uint64_t ms, pctl_step_fn *then);

/*
 * Reads after first_ms, then again and again, until the state is wanted; then on_state. If it is
 * not at until (loop ms; at most the task's deadline), on_time_over, or the task ends where that is
 * NULL.
 */
void pctl_step_wait_state(struct pctl_task *task, enum pctl_power_state wanted, uint64_t first_ms,
	uint64_t until, pctl_step_fn *on_state, pctl_step_fn *on_time_over);

/* Whether driver and present state take an action. */
bool pctl_task_can(const struct pctl_task *task, enum pctl_action action);

/* --- Verbs (verb.c, verb_*.c). ---------------------------------------------------------------- */

struct pctl_verb_def {
	const char *name;
	unsigned flags;
	pctl_step_fn *begin;
	/* Which of the target's times is the verb's own limit. */
	size_t limit_offset, soft_limit_offset;
	const char *interface; /* which driver it is for: of pctl_target_init() */
};

const struct pctl_verb_def *pctl_verb_def(enum pctl_verb verb);

pctl_step_fn pctl_verb_status, pctl_verb_on, pctl_verb_off, pctl_verb_reboot, pctl_verb_reset,
	pctl_verb_boot, pctl_verb_bootdev, pctl_verb_bootdev_show, pctl_verb_plain_action,
	pctl_verb_identify, pctl_verb_wait, pctl_verb_wait_ready, pctl_verb_info,
	pctl_verb_hardware, pctl_verb_ac_cycle, pctl_verb_caps, pctl_verb_console, pctl_verb_kvm,
	pctl_verb_kvm_direct, pctl_verb_log, pctl_verb_log_clear, pctl_verb_sensors,
	pctl_verb_method, pctl_verb_consent_status, pctl_verb_consent_request,
	pctl_verb_consent_submit, pctl_verb_consent_cancel, pctl_verb_passwd, pctl_verb_login,
	pctl_verb_media, pctl_verb_check;

/* Whether what check found has a fault; err says which (verb_check.c). */
bool pctl_check_failed(const struct pctl_value *tree, struct pctl_error *err);

/* A restart was accepted: watches the machine from now on, where the request is to wait for it. */
void pctl_task_watch_restart(struct pctl_task *task);
/* It is on and confirmed: ends, at once or when it is ready (verb_ready.c). */
void pctl_task_end_on(struct pctl_task *task);

/* Sets the boot device to task->boot (verb_boot.c). */
extern const struct pctl_call pctl_call_boot_set;
/*
 * Its session becomes its stream, which has the device from then on, and what that was opened with
 * (verb_console.c).
 */
void pctl_task_keep_session(struct pctl_task *task);
/* For a call's `then`: the same, and the task ends. */
void pctl_task_end_opened(struct pctl_task *task);
/* How long a method may take (verb_method.c). */
uint64_t pctl_task_method_ms(const struct pctl_task *task);

/* Whether the driver can do the boot that is asked for; ends the task if not (verb_boot.c). */
bool pctl_task_can_boot(struct pctl_task *task);

/* Held boot intents (verb_boot.c). */
void pctl_intent_hold(struct pctl_core *core, const char *key, const struct pctl_boot *boot);
bool pctl_intent_get(
	struct pctl_core *core, const char *key, struct pctl_boot *ret, char **ret_url);
void pctl_intent_drop(struct pctl_core *core, const char *key);

/* --- The run's side (run.c, run_places.c). -----------------------------------------------------
 */

void pctl_run_task_result(
	struct pctl_run *run, const struct pctl_target *target, const struct pctl_result *result);
/* Everything of it is released; it is freed by now. whole: not the part of a joint. */
void pctl_run_task_gone(struct pctl_run *run, bool whole);
/* The node's ticket (limit.h): pctl_ticket_take(), _send() and _give(). */
int pctl_run_place(struct pctl_run *run, const struct pctl_target *target, struct pctl_error *err);
uint64_t pctl_run_send(struct pctl_run *run, const struct pctl_target *target);
void pctl_run_give(struct pctl_run *run, const struct pctl_target *target, bool unseen);
/* As pctl_turns_take(); who hears is pctl_task_has_turn() or, of a machine, a joint. */
bool pctl_run_take_turn(
	struct pctl_run *run, const struct pctl_target *target, unsigned parts, void *who);
/* It needs these parts no more: whoever waits for them is next. */
void pctl_run_give_turn(struct pctl_run *run, const struct pctl_target *target, unsigned parts);
/* An op of a task that has its turn ended well. */
void pctl_run_proved(struct pctl_run *run, const struct pctl_target *target);
/* holder NULL: it waits for its lock no longer. */
void pctl_run_waiting(struct pctl_run *run, const struct pctl_target *target, const char *holder);
/* 0, or why everything is to end: a class and the words for it. */
int pctl_run_interrupted(const struct pctl_run *run, const char **ret_why);
/* Whether this is the request of the run's own verb, and changes nodes. */
bool pctl_run_changes(const struct pctl_run *run, const struct pctl_request *request);
const struct pctl_inventory *pctl_run_inventory(const struct pctl_run *run);
/* As pctl_served_fn: whether somebody else ends op. */
bool pctl_run_served(const struct pctl_run *run, const struct pctl_target *target,
	struct pctl_op *op, struct pctl_value *ret);
/* METHOD: the method and what it is called with. */
const struct pctl_arguments *pctl_run_arguments(const struct pctl_run *run);
/* Puts it behind the tasks that wait for another one to end; false: no other one runs. */
bool pctl_run_park(struct pctl_run *run, struct pctl_task *task);
void pctl_run_unpark(struct pctl_run *run, struct pctl_task *task);
/* The list of running tasks, for cancel. */
void pctl_run_track(struct pctl_run *run, struct pctl_task *task);
void pctl_run_untrack(struct pctl_run *run, struct pctl_task *task);
/* Keeps the targets, also after the run is done, until it is released as often. */
void pctl_run_hold(struct pctl_run *run);
void pctl_run_release(struct pctl_run *run);

#endif
