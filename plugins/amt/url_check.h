/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks for the beginning of an image as a machine's firmware will, before the machine is restarted:
 * from this computer, trusting nobody but the machine's own root certificates. Machines that wait
 * for the same answer wait for one request.
 */
#ifndef POWERCTL_AMT_URL_CHECK_H
#define POWERCTL_AMT_URL_CHECK_H

#include "amt.h"
#include "recovery.h"

/* Of all root certificates of a machine together, in base64 of DER. */
#define URL_CHECK_ROOTS_MAX ((size_t)256 << 10)

struct url_check_wish {
	struct recovery_wish what;
	const char *roots; /* in base64 of DER, a line each; "" if it has none */
	bool secure_boot;
};

struct url_check;

struct url_waiter {
	struct url_check *check; /* NULL: it does not wait */
	struct url_waiter *next;
	/* err is NULL where the firmware can be expected to load what is there. */
	void (*done)(struct url_waiter *waiter, const struct pctl_error *err);
};

/*
 * done() follows from the loop, never from within this. PCTL_E_CONFIG: no answer to this computer.
 * PCTL_E_REFUSED: the firmware would not take what answers. Everything is copied but waiter.
 */
void url_check_begin(struct amt *amt, const struct url_check_wish *wish, struct url_waiter *waiter);
/* done() does not follow any more. */
void url_check_leave(struct url_waiter *waiter);

/* Once nobody waits: stopped() follows when no request is on its way, perhaps at once. */
void url_checks_stop(struct amt *amt, void (*stopped)(struct amt *amt));

#endif
