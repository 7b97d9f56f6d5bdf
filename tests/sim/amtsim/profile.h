/* SPDX-License-Identifier: Apache-2.0 */
/* What one firmware generation has and another has not. */
#ifndef POWERCTL_AMTSIM_PROFILE_H
#define POWERCTL_AMTSIM_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

struct profile {
	const char *name;
	/* Of the Server header. */
	const char *server;
	/* Of CIM_SoftwareIdentity. */
	const char *version;
	const char *build;
	/* As it stands in the challenge. */
	const char *qop;
	unsigned major;
	/* Hex digits of the realm that are not zero. */
	unsigned realm_digits;
	/* Zero bytes behind the six leading ones of a nonce. */
	unsigned nonce_zeros;
	bool auth_int;
	/* nc of fewer than 8 digits is refused. */
	bool strict_nc;
	/* The plain port listens. */
	bool plain;
	bool available_states;
};

/* NULL: no such profile. */
const struct profile *profile_find(const char *name);
/* "8, 11, 12, 15 or 16.1". */
const char *profile_names(void);

#endif
