/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User and password as the command line gives them, for URLs and for `add`. A password never comes
 * from an argument and never enters the environment or argv of anything.
 */
#ifndef POWERCTL_CLI_LOGIN_H
#define POWERCTL_CLI_LOGIN_H

#include <powerctl/secret.h>

#include "cli.h"

/*
 * --password-stdin, --password-file, $POWERCTL_PASSWORD, else the prompt with the question given.
 * The caller frees *ret. PCTL_E_CONFIG: none of them worked.
 */
int login_password(const struct cli *cli, const char *question, struct pctl_secret **ret,
	struct pctl_error *err);

/* A secret that a file holds, by the rules for the inventory's files. The caller frees *ret. */
int login_read_file(
	const char *path, const char *option, struct pctl_secret **ret, struct pctl_error *err);

/*
 * The secret as a file that only this process can open, for `password_file`; close *ret_fd when
 * nobody reads it any more. free() *ret_path.
 */
int login_secret_file(
	const struct pctl_secret *secret, char **ret_path, int *ret_fd, struct pctl_error *err);

/*
 * A URL with the login that the options give added as settings, where its driver has a password
 * and the URL names none. Asks at most once a command: *secret_path keeps the answer's file and is
 * free()d by the caller. free() *ret.
 */
int login_url(
	struct cli *cli, const char *url, char **secret_path, char **ret, struct pctl_error *err);

/* Appends a setting to a URL's query, percent-encoded. free() what is returned. */
char *login_url_with(const char *url, const char *key, const char *value);

/*
 * The row of a driver's setting, or NULL; also of those that value brings with it, which is one of
 * the driver's selector or NULL.
 */
const struct pctl_property *login_property(
	struct cli *cli, const struct pctl_driver *driver, const char *value, const char *name);

/* The property whose value brings others with it, or NULL. */
const struct pctl_property *login_selector(const struct pctl_driver *driver);

#endif
