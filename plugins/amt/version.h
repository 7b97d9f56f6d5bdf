/* SPDX-License-Identifier: Apache-2.0 */
/* Firmware versions ("12.0.67"), and what is known of them. */
#ifndef POWERCTL_AMT_VERSION_H
#define POWERCTL_AMT_VERSION_H

#include <stdbool.h>
#include <stdint.h>

struct version {
	uint32_t major, minor, patch;
};

/* Reads the leading "12.0.67" of a text; false if it does not begin with at least two numbers. */
bool version_parse(const char *s, struct version *ret);

bool version_before(const struct version *a, const struct version *b);

/* The version in "Intel(R) Active Management Technology 15.0.23.1706", or NULL. */
const char *version_in_server(const char *header);

enum cve_state {
	CVE_NOT_AFFECTED, /* never had the fault */
	CVE_FIXED,
	CVE_VULNERABLE,
};

/*
 * CVE-2017-5689 (INTEL-SA-00075): firmware 6 to 11.6 that logs in whoever sends an empty Digest
 * response.
 */
enum cve_state version_cve_2017_5689(const struct version *version);

/* The word for the Sku number of firmware of that major version. */
const char *version_sku(uint64_t sku, uint32_t major);

#endif
