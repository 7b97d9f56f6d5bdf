/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The RMCP+ cipher suites that a channel takes: LAN configuration parameters 23 and 24 (IPMI 2.0,
 * table 23-4), as bytes. Pure, no I/O.
 */
#ifndef POWERCTL_IPMI_SUITES_H
#define POWERCTL_IPMI_SUITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SUITES_IDS_MAX 16u

struct suites {
	uint8_t id[SUITES_IDS_MAX];
	unsigned n;
};

/* Of the parameter's data, behind its revision: one reserved byte, then a number for each. */
void suites_read(const uint8_t *data, size_t len, struct suites *ret);

/*
 * Whether suite `id` is one of them, with a highest privilege (levels: parameter 24, behind its
 * revision) by which somebody can log in.
 */
bool suites_takes(const struct suites *suites, uint8_t id, const uint8_t *levels, size_t len);

#endif
