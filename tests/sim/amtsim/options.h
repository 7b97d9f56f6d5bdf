/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: one table, from which the help is made. */
#ifndef POWERCTL_AMTSIM_OPTIONS_H
#define POWERCTL_AMTSIM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OPTIONS_SETS = 256 };

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
	const char *sets[OPTIONS_SETS];
	size_t nsets;
	uint32_t devices;
	uint32_t port;
	uint32_t tls_port;
	uint32_t control;
	uint32_t ready_fd;
	uint32_t seed;
	char password[65];
	bool by_port;
	bool no_tls;
	bool no_plain;
	bool quiet;
	bool old_tls;
};

enum options_result {
	OPTIONS_RUN,
	OPTIONS_HELP,
	OPTIONS_BAD,
};

/* OPTIONS_BAD has said on stderr what is wrong; OPTIONS_HELP has printed it. */
enum options_result options_parse(struct options *o, int argc, char **argv);

#endif
