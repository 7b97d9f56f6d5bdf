/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task is one verb on one node: steps, each of which starts an op or a pause and names the step
 * that follows. Steps of this file retry, poll and give up as design.md section 8 says, so that a
 * verb reads as what it does: read, act, wait until on.
 */
#ifndef POWERCTL_CORE_TASK_H
#define POWERCTL_CORE_TASK_H

#include "core.h"
#include "method.h"
#include "op.h"
#include "stream.h"

struct pctl_task;
typedef void pctl_step_fn(struct pctl_task *task);

enum pctl_try_kind {
	PCTL_TRY_GET,
	PCTL_TRY_ACT,
	PCTL_TRY_BOOT_SET,
	PCTL_TRY_BOOT_GET,
	PCTL_TRY_INFO,
	PCTL_TRY_HARDWARE,
	PCTL_TRY_IDENTIFY,
	PCTL_TRY_CONSOLE,
	PCTL_TRY_LOG,
	PCTL_TRY_LOG_CLEAR,
	PCTL_TRY_SENSORS,
	PCTL_TRY_METHOD,
};

/* The op being tried, and what to do with its end. */
struct pctl_try {
	enum pctl_try_kind kind;
	unsigned flags;
	enum pctl_action action;
	unsigned tries;
	uint64_t first, last; /* loop time in ms of the first and of the latest try */
	pctl_step_fn *then;
	pctl_step_fn *failed; /* sees task->error; NULL: the task ends with it */
};

struct pctl_task {
	struct pctl_run *run;
	const struct pctl_target *target;
	struct pctl_device *device;
	const struct pctl_request *request;

	struct pctl_op op;
	struct pctl_try trying;
	struct pctl_error error; /* of the latest op */
	char trouble[160];       /* why the latest op is being tried again, or "" */
	uv_timer_t timer;
	pctl_step_fn *after_pause;
	struct pctl_asking asking; /* for the address */
	enum {
		PCTL_TASK_IDLE,
		PCTL_TASK_OP,
		PCTL_TASK_PAUSE,
		PCTL_TASK_RESOLVE,
		PCTL_TASK_PARKED, /* until another one gives back what this host is short of */
		PCTL_TASK_ENDED
	} busy;
	bool locked, lock_told;
	bool waits_lock; /* is one of the core's lock_waiters */
	bool on_trial;   /* holds a place in its login's trial */

	uint64_t started, deadline; /* loop time in ms */

	/* What the verb is about. */
	struct pctl_power power, reading; /* as last read; being read */
	bool power_read;
	struct pctl_boot boot;
	char *boot_url; /* owns boot.url where a held intent gave it */
	bool from_intent;
	enum pctl_action action;
	bool acted; /* an action was accepted: */
	enum pctl_action accepted;
	bool boot_touched;      /* requests that set the boot device have left */
	struct pctl_error lost; /* why, where doubtful */
	bool doubtful;          /* the latest action was sent and its answer lost */
	bool resent;            /* on and off may be sent a second time, not more */
	bool seen;              /* after an action it was read in another state than on */
	enum pctl_power_state wanted;
	uint64_t poll_ms, wait_until;
	pctl_step_fn *on_state, *on_time_over;

	struct pctl_session *session; /* as the driver opened it */
	struct pctl_stream *stream;   /* has device and session from then on */
	struct pctl_value *tree;
	char *note;
	struct pctl_result result;
	struct pctl_task *before, *after; /* in the run's list */
	struct pctl_task *next_parked;
	uint64_t parked_at; /* loop time in ms */

	char *log_after; /* up to where this user has read, or NULL */
};

/* --- Life (task.c). --------------------------------------------------------------------------- */

/*
 * Begins from the loop's thread; the run hears of the end through pctl_run_task_ended(). on_trial:
 * it has the place that the run took for it in its login's trial.
 */
void pctl_task_start(struct pctl_run *run, const struct pctl_target *target, bool on_trial);
/* Ends it soon with what is known. */
void pctl_task_cancel(struct pctl_task *task);

/* Ends. Word as in struct pctl_result; NULL: the state's. */
void pctl_task_end_ok(struct pctl_task *task, const char *word);
void pctl_task_end_error(struct pctl_task *task, const struct pctl_error *err);
void pctl_task_end_fail(struct pctl_task *task, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The run was interrupted: says what is known of this node. */
void pctl_task_end_interrupted(struct pctl_task *task);

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

/* A result that says only who and when. Shared with nodes that never become a task. */
void pctl_result_init(
	struct pctl_result *result, const struct pctl_target *target, enum pctl_verb verb);

/* --- Steps (step.c). -------------------------------------------------------------------------- */

/* Reads the state into task->power, then goes on. flags as PCTL_GET_. */
void pctl_step_get(struct pctl_task *task, unsigned flags, pctl_step_fn *then);
/* Ends the task where the driver cannot do it or the state forbids it. */
void pctl_step_act(
	struct pctl_task *task, enum pctl_action action, pctl_step_fn *then, pctl_step_fn *failed);
/* The other interfaces: kind says which; the driver has it. */
void pctl_step_try(struct pctl_task *task, enum pctl_try_kind kind, pctl_step_fn *then);
/* failed sees task->error. */
void pctl_step_try_or(
	struct pctl_task *task, enum pctl_try_kind kind, pctl_step_fn *then, pctl_step_fn *failed);

void pctl_step_pause(struct pctl_task *task, uint64_t ms, pctl_step_fn *then);

/*
 * Reads after first_ms, then again and again, until the state is wanted; then on_state. If it is
 * not at until (loop ms; at most the task's deadline), on_time_over, or the task ends where that is
 * NULL.
 */
void pctl_step_wait_state(struct pctl_task *task, enum pctl_power_state wanted, uint64_t first_ms,
	uint64_t until, pctl_step_fn *on_state, pctl_step_fn *on_time_over);

/* ms, give or take a quarter, so that thousands do not come at once. */
uint64_t pctl_jitter(uint64_t ms);

/* Whether driver and present state take an action. */
bool pctl_task_can(const struct pctl_task *task, enum pctl_action action);

/* --- Verbs (verb.c, verb_*.c). ---------------------------------------------------------------- */

struct pctl_verb_def {
	const char *name;
	unsigned flags;
	pctl_step_fn *begin;
	/* Which of the target's times is the verb's own limit. */
	size_t limit_offset, soft_limit_offset;
};

const struct pctl_verb_def *pctl_verb_def(enum pctl_verb verb);

pctl_step_fn pctl_verb_status, pctl_verb_on, pctl_verb_off, pctl_verb_reboot, pctl_verb_reset,
	pctl_verb_boot, pctl_verb_bootdev, pctl_verb_bootdev_show, pctl_verb_plain_action,
	pctl_verb_identify, pctl_verb_wait, pctl_verb_info, pctl_verb_hardware, pctl_verb_caps,
	pctl_verb_console, pctl_verb_log, pctl_verb_log_clear, pctl_verb_sensors, pctl_verb_method;

/* What was sent, in the user's words: an action, a method. */
const char *pctl_task_sent(const struct pctl_task *task);
/* What is no power action failed: says so where it may have been taken all the same. */
void pctl_task_end_call_failed(struct pctl_task *task);
/* How long a method may take (verb_method.c). */
uint64_t pctl_task_method_ms(const struct pctl_task *task);

/* Whether the driver can do the boot that is asked for; ends the task if not (verb_boot.c). */
bool pctl_task_can_boot(struct pctl_task *task);

/* Held boot intents (verb_boot.c). */
void pctl_intent_hold(struct pctl_core *core, const char *key, const struct pctl_boot *boot);
bool pctl_intent_get(
	struct pctl_core *core, const char *key, struct pctl_boot *ret, char **ret_url);
void pctl_intent_drop(struct pctl_core *core, const char *key);

/* --- The run's side (run.c). ------------------------------------------------------------------ */

void pctl_run_task_result(struct pctl_run *run, const struct pctl_result *result);
/* Everything of it is released; the task is freed by now. */
void pctl_run_task_gone(struct pctl_run *run, const struct pctl_target *target);
void pctl_run_waiting(struct pctl_run *run, const struct pctl_target *target, const char *holder);
/* 0, or why everything is to end: a class and the words for it. */
int pctl_run_interrupted(const struct pctl_run *run, const char **ret_why);
const struct pctl_request *pctl_run_request(const struct pctl_run *run);
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
