/* SPDX-License-Identifier: Apache-2.0 */
/* One check in a process of its own, with a time limit and a folder. */
#ifndef POWERCTL_CONFORM_CHILD_H
#define POWERCTL_CONFORM_CHILD_H

#include "report.h"

/* bench->folder is set by this. folder: where those of the checks are made. */
void child_run(const struct bench *bench, const char *folder, const struct check *check,
	struct verdict *ret);

/*
 * From now on SIGINT, SIGTERM and SIGHUP kill the check that runs, and child_interrupted() tells;
 * a reader of the report who left is no signal.
 */
void child_catch_signals(void);
bool child_interrupted(void);
/* In what was forked: they end it. */
void child_default_signals(void);

#endif
