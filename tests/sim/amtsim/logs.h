/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event log (platform events, 21 bytes each, little endian) and the audit log (who did what,
 * big endian). Both are filled when they are first needed.
 */
#ifndef POWERCTL_AMTSIM_LOGS_H
#define POWERCTL_AMTSIM_LOGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device;

enum {
	LOGS_EVENT = 21,
	/* An event log has no more: the oldest give way. */
	LOGS_EVENTS_MAX = 390,
	LOGS_AUDIT_MAX = 64,
};

struct audit_record {
	uint8_t n;
	uint8_t bytes[LOGS_AUDIT_MAX - 1];
};

struct logs {
	bool filled;
	uint8_t (*events)[LOGS_EVENT];
	struct audit_record *audits;
	size_t nevents;
	size_t events_cap;
	size_t naudits;
	size_t audits_cap;
	/* Of SetAuditLock; 0: nobody has it. */
	uint32_t lock;
	uint32_t locks;
};

/* Oldest first. Both may be empty. */
const struct logs *logs_of(struct device *dev);
void logs_done(struct device *dev);

/* What is noted of an accepted RequestPowerStateChange, and of a login that was refused. */
void logs_note_power(struct device *dev, unsigned action);
void logs_note_login(struct device *dev);
/* Of One-Click Recovery: an error, or a step with what was chosen. */
void logs_note_recovery(struct device *dev, bool error, unsigned what, unsigned option);
/* n events of a machine that starts. */
void logs_add_starts(struct device *dev, unsigned n);

void logs_clear_events(struct device *dev);
void logs_clear_audits(struct device *dev);

#endif
