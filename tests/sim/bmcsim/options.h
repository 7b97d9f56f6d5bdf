/* SPDX-License-Identifier: Apache-2.0 */
/* The command line. */
#ifndef POWERCTL_BMCSIM_OPTIONS_H
#define POWERCTL_BMCSIM_OPTIONS_H

#include "option.h"

/* Strings point into argv, the password into memory of its own. */
struct options {
	struct fleet_options fleet;
};

/* As option_parse, with defaults and what options forbid each other. */
enum option_result options_parse(struct options *o, int argc, char **argv);

#endif
