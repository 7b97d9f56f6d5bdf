/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: one table, from which the help is made. */
#ifndef POWERCTL_REDFISHSIM_OPTIONS_H
#define POWERCTL_REDFISHSIM_OPTIONS_H

#include "option.h"
#include "web.h"

/* Strings point into argv. */
struct options {
	struct fleet_options fleet;
	struct web_options web;
	const char *user;
	const char *profile;
	uint32_t systems;
};

/* As option_parse, with defaults and what options forbid each other. */
enum option_result options_parse(struct options *o, int argc, char **argv);

#endif
