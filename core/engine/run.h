/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run as its own files see it; what tasks know of it is in task.h. run_prepare.c makes it and
 * finds every mistake, run.c feeds nodes to the drivers, run_places.c keeps those that wait for a
 * place.
 */
#ifndef POWERCTL_CORE_RUN_H
#define POWERCTL_CORE_RUN_H

#include <time.h>

#include "base/json_text.h"
#include "engine/gate.h"
#include "engine/hook.h"
#include "engine/task.h"
#include "engine/turns.h"
#include "node/limit.h"

struct pctl_kin;

#define PCTL_RUN_ID_SIZE 17u
#define PCTL_RUN_TEXTS   6u

struct pctl_run {
	struct pctl_core *core;
	struct pctl_inventory *inventory;
	struct pctl_request request;
	char *texts[PCTL_RUN_TEXTS];  /* those of request are these */
	struct pctl_target *targets;  /* of the nodes, and of those that are only looked at */
	size_t count, next;           /* next: so many were begun, those to look at first */
	struct pctl_kin *kin;         /* NULL: nobody minds another one */
	size_t looks, looked;         /* at how many */
	struct pctl_request look;     /* what these are asked */
	size_t active, ended, fanout; /* fanout: shrinks where this host is short of something */
	size_t tasks;                 /* that run: a node with several feeds has several */
	struct pctl_task *parked, **parked_end; /* of the active: wait for another one to end */
	size_t parked_n;
	struct pctl_task *asking; /* for a code, the first now, the others in turn (consent.h) */
	struct pctl_gate gate;    /* who waits for a login's trial */
	struct pctl_watch watch;
	struct pctl_limit *own;      /* the request's limit, or NULL */
	struct pctl_ticket *tickets; /* by target; NULL: nothing is limited */
	size_t queued;               /* so many wait for places */
	size_t *placed;              /* these have them */
	size_t placed_n, placed_cap, placed_next;
	struct pctl_turns turns;           /* who waits for an endpoint or a machine */
	struct pctl_task *oldest, *newest; /* that run */
	struct pctl_joint *joints;         /* that run, newest first */
	struct pctl_run_callbacks callbacks;
	uv_timer_t deadline;
	uv_idle_t feeder;
	int interrupted; /* a class: PCTL_E_CANCELED or PCTL_E_TIMEOUT */
	const char *why; /* its words */
	bool closing, paused;
	bool hooked;                              /* some of its nodes have hooks */
	size_t hooking;                           /* of the active: so many have hooks running */
	struct pctl_hook_round *back, **back_end; /* whose hooks have ended */
	size_t held;                              /* by streams, which need the targets */
	bool over;                        /* done was told: gone with the last that holds it */
	struct pctl_arguments *arguments; /* METHOD */
	unsigned flags;                   /* PCTL_VERB_ */
	char id[PCTL_RUN_ID_SIZE];        /* tells it from all others, in the history */
	char *record;                     /* what its lines there have in common */
	struct timespec noted;            /* when the latest of them was written */
	char noted_as[PCTL_JSON_TIME_SIZE];
};

/* Goes on soon: somebody may begin, or everybody has ended (run.c). */
void pctl_run_feed(struct pctl_run *run);

/* --- The history (record.c). ------------------------------------------------------------------ */

/* The verb's word there: "off", "log-clear", "DRIVER METHOD"; free() it. */
char *pctl_run_word(const struct pctl_run *run);
/* Makes what all lines of the run have in common, where they are kept. */
void pctl_run_begin_record(struct pctl_run *run);
/* Adds a line, where the verb changes nodes. */
void pctl_run_record(struct pctl_run *run, const struct pctl_result *result);

/* --- Places (run_places.c). ------------------------------------------------------------------- */

/* Gives every node a ticket, if one of them needs it. */
void pctl_run_find_limits(struct pctl_run *run);
/* NULL: nothing is limited. */
struct pctl_ticket *pctl_run_ticket(const struct pctl_run *run, const struct pctl_target *target);
/* Takes the next of those that have got their places, to begin anew; false: there is none. */
bool pctl_run_next_placed(struct pctl_run *run, size_t *ret);
/* Nobody waits for a place any longer. */
void pctl_run_empty_queue(struct pctl_run *run);
void pctl_run_free_places(struct pctl_run *run);

#endif
