/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The places of one limited group, between the processes of a user: a small file for each group,
 * <runtime folder>/limits/<hash of the name>. A place is taken by a lock on its bytes, which the
 * kernel drops with the process; what the bytes say is until when it stays taken all the same,
 * though nobody holds it. The file's first bytes are when the group's latest start was. All times
 * are ms of CLOCK_BOOTTIME; one that cannot be true counts as none.
 */
#ifndef POWERCTL_CORE_PLACES_H
#define POWERCTL_CORE_PLACES_H

#include <powerctl/error.h>

struct pctl_places;

/* Opens nothing yet. */
struct pctl_places *pctl_places_new(const char *group);
/* Gives everything back. */
void pctl_places_free(struct pctl_places *places);

uint64_t pctl_places_clock(void);

/* PCTL_E_INTERNAL: the folder or file cannot be used. Then, and before, nothing else is called. */
int pctl_places_open(struct pctl_places *places, struct pctl_error *err);

/*
 * Whether place i, which this process does not hold, is its own now. If not, *ret_until is when it
 * will be free; 0: when the process that has it gives it back. keep_max: no time that a place is
 * kept for is further away.
 */
bool pctl_places_take(
	struct pctl_places *places, size_t i, uint64_t now, uint64_t keep_max, uint64_t *ret_until);
/* keep_until in the past: it is free at once. */
void pctl_places_give(struct pctl_places *places, size_t i, uint64_t keep_until);

/* Who has one of the first n places, as pctl_lock_try() says it. false: no other process. */
bool pctl_places_holder(struct pctl_places *places, size_t n, char *holder, size_t size);

/* Tells other processes that this one waits for places, or does not any more. */
void pctl_places_wait(struct pctl_places *places, bool waits);
bool pctl_places_others_wait(struct pctl_places *places);

/* When the latest start was; 0: never. */
uint64_t pctl_places_last(struct pctl_places *places, uint64_t now);
void pctl_places_set_last(struct pctl_places *places, uint64_t now);
/* Around reading and writing that time; held for an instant. false: another process is at it. */
bool pctl_places_lock(struct pctl_places *places);
void pctl_places_unlock(struct pctl_places *places);

#endif
