/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An IDER session: the machine has two more drives, a floppy and a CD, and what it does to them
 * comes here as commands. Begun within an op, which ends with it; then it lives until it is closed.
 */
#ifndef POWERCTL_AMT_REDIRECTION_IDER_H
#define POWERCTL_AMT_REDIRECTION_IDER_H

#include "amt.h"
#include "redirection/image.h"

/* What is in the drives, which the session owns from now on; NULL: nothing. */
struct ider_media {
	struct image *floppy, *cd;
	bool again; /* see struct pctl_media */
};

void ider_open(struct amt_dev *dev, struct pctl_op *op, const struct ider_media *media,
	struct pctl_session **ret_session);

#endif
