/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How every redirection session begins: switched on where it is off, connected, started, logged in.
 * What is spoken then is its owner's, who gets the wire. Within an op that was begun:
 *
 *	amt_begin(dev, op);
 *	redirection_open(dev, &(struct redirection_want){ .what = REDIRECTION_SOL, ... });
 *
 * opened() then follows, or the op ends with why not; aborting the op ends all of it.
 */
#ifndef POWERCTL_AMT_REDIRECTION_OPENING_H
#define POWERCTL_AMT_REDIRECTION_OPENING_H

#include "amt.h"
#include "redirection/wire.h"

struct redirection_facts {
	unsigned major, minor; /* of the firmware, as the redirection port says */
	bool switched_on;      /* it, or the listener, was off before */
	bool tls;
};

struct redirection_want {
	enum redirection what;
	bool steal; /* end the session that somebody else has */
	bool leave; /* what is switched off is left off: PCTL_E_REFUSED */
	bool as_is; /* whether it is switched off is not asked */
	/*
	 * The session is started and logged in. wire is the callee's from here on: wire_use() it,
	 * or wire_take() its descriptor, and close it in the end. It speaks
	 * redirection_speech(what) and has read nothing beyond the login. The op is still to be
	 * ended.
	 */
	void (*opened)(struct amt_dev *dev, struct wire *wire,
		const struct redirection_facts *facts, void *data);
	/* In place of the op's end with why not; NULL: that. The op is still to be ended. */
	void (*failed)(struct amt_dev *dev, const struct pctl_error *err, void *data);
	void *data;
};

void redirection_open(struct amt_dev *dev, const struct redirection_want *want);

#endif
