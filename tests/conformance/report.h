/* SPDX-License-Identifier: Apache-2.0 */
/* What became of the checks: TAP as they end, JUnit and a summary at the end. */
#ifndef POWERCTL_CONFORM_REPORT_H
#define POWERCTL_CONFORM_REPORT_H

#include "conform.h"

enum outcome { PASSED, FAILED, SKIPPED };

struct verdict {
	const struct check *check;
	enum outcome outcome;
	char *why;  /* failed or skipped: one line or more */
	char *note; /* what was measured, or NULL */
	char *said; /* what the child printed, or NULL */
	uint64_t ms;
};

struct report {
	const char *driver;
	struct verdict *v;
	size_t n, planned;
	unsigned counts[3];
	bool without_device;
};

void report_begin(struct report *report, const char *driver, size_t planned);
/* Takes over why, note and said. */
void report_add(struct report *report, const struct verdict *verdict);
/* The line that a README can quote. */
void report_summary(const struct report *report);
/* False, with errno: it could not be written. */
bool report_junit(const struct report *report, const char *path);
void report_done(struct report *report);

#endif
