/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who did what to which node, with what outcome: <state folder>/history.jsonl, one line of JSON for
 * each event, read by <powerctl/history.h>. Lines are gathered and go out together, in one write
 * that the kernel appends as a whole: any number of processes may do so at once, and nobody waits
 * for a lock. A file that has grown large is renamed to history.jsonl.1, that one to .2, and so on;
 * whoever still writes to it then writes to what is read as well.
 */
#ifndef POWERCTL_CORE_HISTORY_H
#define POWERCTL_CORE_HISTORY_H

#include <powerctl/buf.h>
#include <powerctl/error.h>

#define PCTL_HISTORY_FILE     "history.jsonl"
#define PCTL_HISTORY_FILES    4u
#define PCTL_HISTORY_MAX      ((uint64_t)8 << 20) /* of one file */
#define PCTL_HISTORY_LINE_MAX ((size_t)16 << 10)
#define PCTL_HISTORY_CALLER   64u

struct pctl_history;

/*
 * Opens nothing yet. path NULL: the state folder's. caller: the program on whose behalf this is
 * done ("slurm"), cleaned and cut; NULL or empty: a person.
 */
struct pctl_history *pctl_history_new(const char *path, uint64_t max, const char *caller);
/* What was not written is lost: pctl_history_flush() comes before. */
void pctl_history_free(struct pctl_history *history);

/*
 * Who does it, as members of a JSON object: "user":"root","sudo_user":"anna","pid":17,
 * "host":"head","caller":null.
 */
const char *pctl_history_who(const struct pctl_history *history);

/* An empty buffer for the next line; pctl_history_end() takes what is in it then. */
struct pctl_buf *pctl_history_begin(struct pctl_history *history);
/* The line has no break of its own. What cannot be kept shows in pctl_history_status(). */
void pctl_history_end(struct pctl_history *history);
void pctl_history_flush(struct pctl_history *history);

/* PCTL_E_INTERNAL: some lines are lost, err says why the first of them is. */
int pctl_history_status(const struct pctl_history *history, struct pctl_error *err);

#endif
