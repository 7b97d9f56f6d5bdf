/* SPDX-License-Identifier: Apache-2.0 */
/* Which driver talks to what is at an address. */
#ifndef POWERCTL_CLI_PROBE_H
#define POWERCTL_CLI_PROBE_H

#include "cli.h"

struct probe_login {
	const char *user;        /* NULL: the driver's default */
	const char *via;         /* the gateway on the way, or NULL */
	const char *secret_path; /* a file for `password_file`, or NULL */
};

/*
 * Asks what is there without a login first, as discover does; then the driver that found something
 * tries to read the state, the best one first, and others only if it gets no answer of its kind.
 * Where drivers cannot be asked so (behind a gateway, ADDRESS with a port, drivers that cannot
 * find) all of those that have a port of their own try the login at once. Blocks. free() *ret: the
 * driver's name. PCTL_E_UNREACHABLE: none; err says what each said. PCTL_E_AUTH: there is one, and
 * it refused the login; trying once more might lock the account.
 */
int probe_driver(struct cli *cli, const char *address, const struct probe_login *login, char **ret,
	struct pctl_error *err);

#endif
