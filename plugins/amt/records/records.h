/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The events of both logs: in order, as the map that `log` answers, and how far they were seen.
 * Pure, no I/O.
 *
 *	records_add_event(r, base64), records_add_audit(r, base64)    as they came
 *	records_tell(r, ret)                                          once, at the end
 */
#ifndef POWERCTL_AMT_RECORDS_H
#define POWERCTL_AMT_RECORDS_H

#include "records/audit.h"
#include "records/event.h"

/* More than any firmware keeps: they end a log that goes on for ever. */
#define RECORDS_EVENTS_MAX 4096u
#define RECORDS_AUDITS_MAX 16384u

struct records;

/* after is the cursor of an earlier read, or NULL; what is no cursor of ours counts as NULL. */
struct records *records_new(const char *after);
void records_free(struct records *r);

/* In the order of the log, which is the newest first, or the oldest where its times say so. */
bool records_add_event(struct records *r, const char *base64);
/*
 * Behind the events of one answer. False where they are those that the log begins with, once more:
 * they are dropped then.
 */
bool records_end_events(struct records *r);

/*
 * Where to begin reading the audit log, from 1: at the record that was seen last, so that it can
 * be recognised, or at the first.
 */
uint32_t records_audit_start(const struct records *r);
/* index is the record's own in the log, from 1. False where there are too many. */
bool records_add_audit(struct records *r, uint32_t index, const char *base64);
/*
 * Whether the record that was seen last is where it was. Where it is not, the log is another one
 * by now: records_audit_again() forgets what came of it, to be read from 1.
 */
bool records_audit_holds(const struct records *r);
void records_audit_again(struct records *r);

/* Sets "events" and "cursor". */
void records_tell(struct records *r, struct pctl_value *ret);

#endif
