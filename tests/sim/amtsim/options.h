/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: one table, from which the help is made. */
#ifndef POWERCTL_AMTSIM_OPTIONS_H
#define POWERCTL_AMTSIM_OPTIONS_H

#include "option.h"

/* Strings point into argv, password into memory of its own. */
struct options {
	const char *address;
	const char *user;
	const char *profile;
	const char *state;
	const char *tls_max;
	const char *client_ca;
	const char *cert;
	const char *key;
	struct option_sets sets;
	uint32_t devices;
	uint32_t port;
	uint32_t tls_port;
	uint32_t control;
	uint32_t ready_fd;
	uint32_t seed;
	char password[OPTION_PASSWORD + 1];
	bool by_port;
	bool no_tls;
	bool no_plain;
	bool quiet;
	bool old_tls;
};

/* As option_parse, with defaults and what options forbid each other. */
enum option_result options_parse(struct options *o, int argc, char **argv);

#endif
