/* SPDX-License-Identifier: Apache-2.0 */
/* What ssh is started with: for gateways (gateway.h) and for logins (ssh_login.h). */
#ifndef POWERCTL_CORE_SSH_ARGS_H
#define POWERCTL_CORE_SSH_ARGS_H

#include <powerctl/ssh.h>

/* NULL-terminated once it is finished. What v points to is the caller's, but for port. */
struct pctl_ssh_args {
	char **v;
	size_t n, cap;
	char port[12];
};

/* With what no ssh of ours may do, whatever ssh_config(5) says. Free it with pctl_ssh_args_done().
 */
void pctl_ssh_args_init(struct pctl_ssh_args *ret, const char *flags);
void pctl_ssh_args_done(struct pctl_ssh_args *args);
/* setting: "NAME=VALUE" for -o. The first of a name counts. */
void pctl_ssh_args_set(struct pctl_ssh_args *args, const char *setting);
void pctl_ssh_args_add(struct pctl_ssh_args *args, const char *text);
/* Where to, which is its end. user NULL, port 0: as ssh decides. */
void pctl_ssh_args_finish(
	struct pctl_ssh_args *args, const char *user, unsigned port, const char *host);

/* For a login on a device. answers: there is a password for it. host: as ssh takes it. */
void pctl_ssh_args_init_login(struct pctl_ssh_args *ret, const struct pctl_ssh_options *options,
	const char *host, bool answers);

/* All of them on one line, to be read. free() it. */
char *pctl_ssh_args_text(const struct pctl_ssh_args *args);

/* The device's host without the brackets that an IPv6 address may have; free() it. */
char *pctl_ssh_host(const struct pctl_device *device);

#endif
