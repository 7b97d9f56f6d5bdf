/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `media attach` tells: lines of words or of JSON on stdout, notes beside them, and where
 * stderr is a terminal a line with how much was read.
 */
#ifndef POWERCTL_CLI_MEDIA_TOLD_H
#define POWERCTL_CLI_MEDIA_TOLD_H

#include <powerctl/value.h>

#include "cli.h"
#include "outflow.h"

struct media_told {
	struct cli *cli;  /* borrowed */
	const char *name; /* the node's; borrowed */
	struct outflow out;
	bool shown;                  /* the line of progress stands on the terminal */
	uint64_t read, total;        /* bytes of this session; of all before it */
	uint64_t last_read, last_at; /* when they were measured last; loop time in ms */
	double rate;                 /* bytes a second */
};

/* An object with this as its `event`. */
struct pctl_value *media_event(const char *word);
/* The same, of what went wrong. */
struct pctl_value *media_error_event(const struct pctl_error *err);
/* A line: of take_map, or of text, where NULL is none. */
void media_tell(struct media_told *told, struct pctl_value *take_map, const char *text);
/* Beside the results: on stderr for people, an event for programs. */
void media_tell_note(struct media_told *told, const char *word, const char *text);
void media_tell_error(struct media_told *told, const struct pctl_error *err, const char *text);
/* facts: the stream's, or NULL where the device has it by itself. cd may be NULL. */
void media_tell_attached(
	struct media_told *told, const struct pctl_value *facts, const char *cd, bool again);
/* How starting the machine went. */
void media_tell_boot(struct media_told *told, bool ok, const char *text);
void media_tell_detached(struct media_told *told, const char *how);

/* Takes the line of progress away, before others write. */
void media_told_clear(struct media_told *told);
/* A session begins, and is over. */
void media_told_begin(struct media_told *told);
void media_told_end(struct media_told *told);
/* Whether more was read since, by the facts of its drives. */
bool media_told_measure(struct media_told *told, const struct pctl_value *facts);
/* moved: what media_told_measure() said. */
void media_told_progress(
	struct media_told *told, const struct pctl_value *facts, bool cd, bool moved);

#endif
