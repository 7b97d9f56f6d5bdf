/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Somebody at the machine has to agree first: where an op of any verb ends with that, the machine
 * is made to show a code, a person is asked for it, it is submitted, and the verb goes on. Nodes of
 * a run ask one after the other, and none has its code shown before it is its turn.
 */
#ifndef POWERCTL_CORE_CONSENT_H
#define POWERCTL_CORE_CONSENT_H

#include "engine/task.h"

struct pctl_consent_work {
	struct pctl_consent is; /* as last read */
	char code[PCTL_CONSENT_DIGITS_MAX + 1];

	/* What was interrupted by it. */
	struct pctl_try trying;
	struct pctl_error wanted;          /* what the op ended with */
	uint64_t began, started, deadline; /* loop time in ms; the latter the task's, before */
	struct pctl_error why;             /* what it ends with once the request is taken back */

	bool queued;  /* is in the run's line of those that ask */
	bool asks;    /* the question was put, and has no answer yet */
	bool shown;   /* the machine may show a code that is to be taken back */
	bool leaves;  /* it is being taken back */
	bool dropped; /* the answer: there is no code */
	bool turned_on;
	unsigned wrong;
	struct pctl_task *next; /* in the line */
};

/* The task's, made when it is first needed. */
struct pctl_consent_work *pctl_consent_of(struct pctl_task *task);
/* When the task ends. */
void pctl_consent_free(struct pctl_task *task);

/* Whether a code has the form that the driver's have; task->error is filled in where not. */
bool pctl_consent_takes(struct pctl_task *task, const char *code);

/* Adds how a code comes to be shown, where there was none to be submitted. */
void pctl_consent_explain(struct pctl_error *err);

/*
 * task->error says that consent is missing: true, and the task goes on by itself; false, and it has
 * to end with that, which then says what helps.
 */
bool pctl_consent_begin(struct pctl_task *task);
/*
 * The task is to end, for it was interrupted: true, the machine's screen is cleared first, and
 * pctl_task_end_interrupted() follows; false: there is nothing to take back.
 */
bool pctl_consent_takes_back(struct pctl_task *task);
/* Adds what its request did to the machine, whatever became of it. */
void pctl_consent_tell(const struct pctl_task *task, struct pctl_error *err);
/* It is taking a request back: that is not to be interrupted. */
bool pctl_consent_leaves(const struct pctl_task *task);
/* Its question is not waited for any longer. */
void pctl_consent_leave(struct pctl_task *task);

/* Of the driver's consent interface, which is there; into and from pctl_consent_of(). */
extern const struct pctl_call pctl_call_consent_get, pctl_call_consent_request,
	pctl_call_consent_submit, pctl_call_consent_cancel;

#endif
