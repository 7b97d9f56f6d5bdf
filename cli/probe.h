/* SPDX-License-Identifier: Apache-2.0 */
/* Which driver talks to what is at an address: each that is there tries to read its state. */
#ifndef POWERCTL_CLI_PROBE_H
#define POWERCTL_CLI_PROBE_H

#include "cli.h"

struct probe_login {
	const char *user;        /* NULL: the driver's default */
	const char *via;         /* the gateway on the way, or NULL */
	const char *secret_path; /* a file for `password_file`, or NULL */
};

/*
 * Tries all drivers that have a port of their own at once; blocks. free() *ret: the name of the
 * first, in the order of names, that got an answer of its kind: the state, or else an error that
 * only such a device gives. PCTL_E_UNREACHABLE: none; err says what was tried and what each said.
 * PCTL_E_AUTH: there is one, and it refused the login; trying once more might lock the account.
 */
int probe_driver(struct cli *cli, const char *address, const struct probe_login *login, char **ret,
	struct pctl_error *err);

#endif
