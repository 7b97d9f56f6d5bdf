/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a verb has of a machine between processes (keep/lock.h): its lock, or the right of who would
 * not wait for it any longer.
 */
#ifndef POWERCTL_CORE_HOLD_H
#define POWERCTL_CORE_HOLD_H

#include "node/core.h"

/* All zero: nothing is held. */
struct pctl_hold {
	const struct pctl_target *target; /* whose machine */
	uint64_t mark;                    /* as it was then */
};

/* The way to one or several of them. */
struct pctl_hold_line {
	bool told;      /* of who has it */
	uint64_t until; /* loop time in ms from which it goes first; 0: never */
	char *overtook; /* whom it did not wait for; NULL: nobody. Freed by the owner */
};

/*
 * 0: it is held now. PCTL_E_BUSY: another process has it; holder (if not NULL) is told as by
 * pctl_lock_try(), and until begins to run if the request says how long it waits. Once that is
 * over, and where locks cannot be had at all, it is 0 without the lock, and overtook says so.
 */
int pctl_hold_take(struct pctl_hold *hold, const struct pctl_target *target,
	const struct pctl_request *request, struct pctl_hold_line *line, char *holder,
	size_t holder_size, struct pctl_error *err);
void pctl_hold_give(struct pctl_hold *hold);

/* How long to wait before it is tried again. */
uint64_t pctl_hold_delay(const struct pctl_core *core, const struct pctl_hold_line *line);

/* Whether somebody went first since it was taken; then who is "root, powerctl off, pid 4711". */
bool pctl_hold_is_overtaken(const struct pctl_hold *hold, char *who, size_t size);

#endif
