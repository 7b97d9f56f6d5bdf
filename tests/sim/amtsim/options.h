/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: one table, from which the help is made. */
#ifndef POWERCTL_AMTSIM_OPTIONS_H
#define POWERCTL_AMTSIM_OPTIONS_H

#include "option.h"
#include "web.h"

/* Strings point into argv, password into memory of its own. */
struct options {
	struct fleet_options fleet;
	const char *user;
	const char *profile;
	uint32_t rmcp; /* UDP port of presence pings, or RMCP_OFF */
	struct web_options web;
	bool no_redirection;
};

/* As option_parse, with defaults and what options forbid each other. */
enum option_result options_parse(struct options *o, int argc, char **argv);

#endif
