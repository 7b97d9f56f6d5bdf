/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that the inventory names: what they print is a secret, or nodes and groups. */
#ifndef POWERCTL_CORE_COMMAND_H
#define POWERCTL_CORE_COMMAND_H

#include <powerctl/buf.h>
#include <powerctl/error.h>
#include <powerctl/mem.h>

#define PCTL_COMMAND_MS 30000u

struct pctl_command {
	char *const *argv;     /* NULL-terminated; argv[0] is looked for in $PATH */
	uint64_t timeout_ms;   /* 0: PCTL_COMMAND_MS */
	struct pctl_buf *out;  /* what it prints is appended; more than the maximum is a failure */
	struct pctl_buf *said; /* its standard error, what fits of it; NULL: it has ours */
};

/*
 * Runs a program without a shell, with nothing on its standard input. It gets a process group of
 * its own, which is killed when the time is over, when it prints too much, and when a signal would
 * end this process meanwhile: that signal is delivered then. Blocks. PCTL_E_CONFIG unless it ended
 * by itself with status 0.
 */
int pctl_command_run(const struct pctl_command *command, struct pctl_error *err);

/* What to do with the name of a program that a signal has interrupted, before that signal ends this
 * process, and nobody is told otherwise. NULL, the default: nothing. */
void pctl_command_on_interrupt(void (*say)(const char *name));

/* A list of texts as an argv; free it with pctl_command_free_argv(). */
struct pctl_value;
char **pctl_command_argv(const struct pctl_value *list);
void pctl_command_free_argv(char **argv);
PCTL_DEFINE_AUTO(char **, pctl_command_free_argv)

/*
 * The environment of a program that the inventory names: these n, "NAME=VALUE", and ours, but for
 * the password that somebody gave us in it. free() it, not what it points to.
 */
char **pctl_command_environment(char *const *more, size_t n);

#endif
