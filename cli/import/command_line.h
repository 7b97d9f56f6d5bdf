/* SPDX-License-Identifier: Apache-2.0 */
/* The command lines by which powermand runs its helpers: ipmipower -h bmc[0-7] -u x -p y |& */
#ifndef POWERCTL_CLI_IMPORT_COMMAND_LINE_H
#define POWERCTL_CLI_IMPORT_COMMAND_LINE_H

#include <powerctl/error.h>

struct import_command {
	const char *program; /* without its folder; "" : there is none */
	const char *driver;  /* of ours, that takes its place; NULL: none */
	/* What its options say, in the text that was read; NULL: nothing. */
	const char *user, *password, *kg, *login; /* login: USER:PASSWORD */
	const char *protocol, *cipher_suite, *privilege, *auth_type, *workarounds;
	const char *system_path;
	const char *unknown; /* an option that is not known, or has no value */
	const char *refused; /* one that no driver here does */
};

/* text is cut into words. PCTL_E_CONFIG: a quote is not closed. */
int import_command_read(struct import_command *ret, char *text, struct pctl_error *err);

/* FreeIPMI's words for our own; NULL: it is none of them. */
const char *import_command_value(const char *setting, const char *word);

#endif
