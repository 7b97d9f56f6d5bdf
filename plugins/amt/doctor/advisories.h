/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of Intel's security advisories a version of the firmware is open to, no I/O.
 *
 * Only ranges with a source are in the table: Intel's advisories (intel.com, security center,
 * INTEL-SA-...), as NVD and other vendors repeat them. What is not there is not known, which is
 * less than "not affected": advisories that tell no versions of the firmware, or whose versions
 * could not be found, are left out.
 */
#ifndef POWERCTL_AMT_ADVISORIES_H
#define POWERCTL_AMT_ADVISORIES_H

#include <powerctl/buf.h>

#include "version.h"

struct advisory {
	const char *id; /* "INTEL-SA-00075" */
	/* By it somebody who reaches the firmware, or is in its subnet, may take it over without a
	 * login. */
	bool open;
};

/* The first version that is open to none of those that are known; major 0: there is none. */
struct advisories_end {
	struct version fixed;
	bool never; /* its maker mends this one no more */
};

/*
 * Adds the ids of what version is open to, "INTEL-SA-00241, INTEL-SA-00295", to ret: those that
 * need no login, or the others. How many; *ret_end is raised to the first version without them.
 */
unsigned advisories_find(const struct version *version, bool open, struct pctl_buf *ret,
	struct advisories_end *ret_end);

#endif
