/* SPDX-License-Identifier: Apache-2.0 */
/* --log FILE: what a console printed, appended to a file as it came. */
#ifndef POWERCTL_CLI_CONSOLE_LOG_H
#define POWERCTL_CLI_CONSOLE_LOG_H

#include <powerctl/error.h>

struct console_log {
	int fd; /* -1: there is none */
	const char *path;
	uint64_t missing; /* bytes since it could not be written; 0: all well */
	/* Told when it stops being written, and when it goes on. */
	void (*trouble)(void *data, const char *text);
	void *data;
};

/* path NULL: no log. A new file is 0600. PCTL_E_CONFIG: it cannot be written. */
int console_log_open(struct console_log *log, const char *path, struct pctl_error *err);
/* Never fails: what cannot be written is missing, and said once. */
void console_log_add(struct console_log *log, const char *bytes, size_t n);
/* Says so if the file system only now finds that something is missing. */
void console_log_close(struct console_log *log);

#endif
