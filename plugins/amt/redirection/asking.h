/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether anybody has a session of a kind. AMT has no class that says so, but whoever asks its
 * redirection port for one hears that it is busy. No login is needed for that, and what was granted
 * is given back before there is one.
 */
#ifndef POWERCTL_AMT_REDIRECTION_ASKING_H
#define POWERCTL_AMT_REDIRECTION_ASKING_H

#include "amt.h"
#include "redirection/wire.h"

struct asking {
	/* The caller's. */
	struct amt_dev *dev;
	enum redirection what;
	/* From the loop, once, and never after asking_end(); err: it could not be heard. */
	void (*heard)(void *data, bool busy, const struct pctl_error *err);
	void *data;
	/* Private; zeroed. */
	struct wire *wire;
};

/* The port has as long as the node's settings give it. On failure nothing follows. */
int asking_begin(struct asking *asking, struct pctl_error *err);
/* Hangs up. As often as one likes, and of one that has not begun. */
void asking_end(struct asking *asking);

#endif
