/* SPDX-License-Identifier: Apache-2.0 */
/* The command line. */
#ifndef POWERCTL_BMCSIM_OPTIONS_H
#define POWERCTL_BMCSIM_OPTIONS_H

#include "option.h"

/* Strings point into argv, the password into memory of its own. */
struct options {
	const char *address;
	const char *state;
	struct option_sets sets;
	uint32_t devices;
	uint32_t port;
	uint32_t control;
	uint32_t ready_fd;
	uint32_t seed;
	char password[OPTION_PASSWORD + 1];
	bool by_port;
	bool quiet;
};

/* As option_parse, with defaults and what options forbid each other. */
enum option_result options_parse(struct options *o, int argc, char **argv);

#endif
