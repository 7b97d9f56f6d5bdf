/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console --boot, media attach --boot: whether the machine can be started is looked at first; once
 * that is open, it is started with it.
 */
#ifndef POWERCTL_CLI_CONSOLE_BOOT_H
#define POWERCTL_CLI_CONSOLE_BOOT_H

#include "cli.h"

struct console_boot {
	struct cli *cli;
	/* From the loop, once: text says what became of it ("accepted", "refused: ..."). What is
	 * passed over is ok. */
	void (*done)(void *data, bool ok, const char *text);
	void *data;

	/* Private. */
	struct pctl_run *run;
	bool stopped;
};

/* The first three members are filled in. CLI_USAGE: mistakes were said, and nothing follows. */
int console_boot_start(struct console_boot *boot, size_t node, const struct pctl_boot *what);
/* As a dry run does: nothing is changed, and what guards the node is looked at. */
int console_boot_look(struct console_boot *boot, size_t node, const struct pctl_boot *what);
/* Takes the medium out again that a machine was not started from: as `media detach`. */
int console_boot_eject(struct console_boot *boot, size_t node);
/* Nothing is said any more. */
void console_boot_stop(struct console_boot *boot);
/* Whether nothing of it is under way. */
bool console_boot_is_gone(const struct console_boot *boot);

#endif
