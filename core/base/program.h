/* SPDX-License-Identifier: Apache-2.0 */
/* The line that programs of one core wait in (see <powerctl/program.h>). */
#ifndef POWERCTL_CORE_PROGRAM_H
#define POWERCTL_CORE_PROGRAM_H

#include <uv.h>

#include <powerctl/buf.h>
#include <powerctl/program.h>

struct pctl_programs;

/* At most max run at a time; 0: some dozens. */
struct pctl_programs *pctl_programs_new(uv_loop_t *loop, unsigned max);

/*
 * Ends what still runs, as pctl_program_abort() does, waits for it and frees; closed runs from the
 * loop, or at once where nothing runs.
 */
void pctl_programs_close(struct pctl_programs *programs, void (*closed)(void *data), void *data);

/* As pctl_program_run(). */
struct pctl_program *pctl_programs_run(struct pctl_programs *programs,
	const struct pctl_program_options *options, pctl_program_done_fn *done, void *data);

/* Ends it, as a signal that would end us asks; done follows. */
void pctl_program_interrupt(struct pctl_program *program);

/* --- In words (program_text.c). --------------------------------------------------------------- */

#define PCTL_PROGRAM_LAST_SIZE 160u

/* The last line that is not blank, cut and printable, into so many bytes. */
void pctl_program_last_line(const struct pctl_buf *said, char *ret);
/* Fills in result->err, which has nothing yet. */
void pctl_program_explain(const char *name, const struct pctl_program_options *options,
	const char *last, struct pctl_program_result *result);

#endif
