/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The credential breaker: one wrong password must not lock a fleet out. A
 * login (credential, user and secrets) goes to PCTL_TRIAL_NODES nodes first; once one took it in
 * this run, to all; once PCTL_TRIAL_REFUSALS refused it and none took it since, to no further one.
 * What was refused is remembered for PCTL_REFUSAL_S seconds, also for other processes, by endpoint
 * and fingerprint; what was taken only clears the refusals before it, and opens no later run.
 */
#ifndef POWERCTL_CORE_BREAKER_H
#define POWERCTL_CORE_BREAKER_H

#include "node/core.h"

#define PCTL_TRIAL_NODES    4u
#define PCTL_TRIAL_REFUSALS 3u
/* So many more may go for each one that said neither yes nor no: dead nodes prove nothing. */
#define PCTL_TRIAL_GROWTH 8u
#define PCTL_REFUSAL_S    ((uint64_t)600)

struct pctl_breaker;
struct pctl_login;

/* Hears when nodes that wait may no longer have to. */
struct pctl_watch {
	void (*changed)(void *data);
	void *data;
	struct pctl_watch *next;
};

/* Takes the store over. salt_path: of the fingerprints' key, or NULL. */
struct pctl_breaker *pctl_breaker_new(struct pctl_store *take_store, const char *salt_path);
void pctl_breaker_free(struct pctl_breaker *breaker);
/* Seconds since the epoch; for tests. */
void pctl_breaker_set_clock(struct pctl_breaker *breaker, uint64_t (*clock)(void));

/* What other processes have learned meanwhile. */
void pctl_breaker_refresh(struct pctl_breaker *breaker);
/* Before a run: that too, and what was right for the run before is to be tried again. */
void pctl_breaker_begin(struct pctl_breaker *breaker);
/*
 * Whether a run of so many nodes has to know its logins before it begins: not where all are in the
 * trial anyway and nothing is remembered. (Making out a login costs as much as asking one device.)
 */
bool pctl_breaker_matters(const struct pctl_breaker *breaker, size_t nodes);
/* Keeps what was learned. A fault only costs the next command a trial of its own. */
void pctl_breaker_save(struct pctl_breaker *breaker);

void pctl_breaker_watch(struct pctl_breaker *breaker, struct pctl_watch *watch);
void pctl_breaker_unwatch(struct pctl_breaker *breaker, struct pctl_watch *watch);

/* The login of a node whose secrets were read; NULL: it has none. Lives as long as the breaker. */
struct pctl_login *pctl_breaker_login(
	struct pctl_breaker *breaker, const struct pctl_target *target);
/* Its fingerprint. */
const char *pctl_login_id(const struct pctl_login *login);

/* Whether a node would have to wait for what others say. */
bool pctl_login_waits(const struct pctl_login *login);
/* PCTL_E_AUTH, with the words for it: the login is not to be sent to this node. Else 0. */
int pctl_login_check(
	struct pctl_login *login, const struct pctl_target *target, struct pctl_error *err);

/*
 * A node that goes is in the trial (*held) until it tells how it went; then *held becomes false.
 * Whoever is not in it (--try-anyway) may tell as well.
 */
void pctl_login_hold(struct pctl_login *login, bool *held);
void pctl_login_took(struct pctl_login *login, const struct pctl_target *target, bool *held);
void pctl_login_refused(struct pctl_login *login, const struct pctl_target *target, bool *held);
/* It has to wait for something else, and lets another node be tried meanwhile. */
void pctl_login_step_aside(struct pctl_login *login, bool *held);
/* Neither: it could not be reached, was busy, or was given up. */
void pctl_login_left(struct pctl_login *login, bool *held);

#endif
