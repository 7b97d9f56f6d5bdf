/* SPDX-License-Identifier: Apache-2.0 */
/* What a machine asks redirected drives for, one after the other. */
#ifndef POWERCTL_AMTSIM_REDIR_IDER_STEPS_H
#define POWERCTL_AMTSIM_REDIR_IDER_STEPS_H

#include <stdbool.h>
#include <stdint.h>

/* What a command is to end with. */
enum ider_wish {
	GOOD,
	SOME,      /* data, at least one byte */
	ATTENTION, /* a medium that is new, or none */
	UNKNOWN,   /* an invalid command */
	RANGE,
	PROTECTED,
	CAPACITY,
	ALL,   /* the whole medium is read, one after the other */
	MIXED, /* the same, in pieces of differing size */
};

struct ider_step {
	bool cd;
	enum ider_wish wish;
	uint8_t cdb[12];
};

enum { IDER_STEPS = 33 };
extern const struct ider_step ider_steps[IDER_STEPS];

#endif
