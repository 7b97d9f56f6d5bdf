/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard output: a text per node, written as it comes, or in order, or folded when all are there.
 * Adding never waits: devices are timed by the same loop, and what a slow reader does not take yet
 * is kept. A fault while writing is kept and does not stop anything else.
 */
#ifndef POWERCTL_CLI_OUTPUT_H
#define POWERCTL_CLI_OUTPUT_H

#include <powerctl/nodeset.h>

#include "cli.h"

enum output_mode {
	OUTPUT_STREAM, /* each line at once: those of one turn of the loop together */
	OUTPUT_SORT,   /* by order, when all are there */
	OUTPUT_FOLD,   /* names with equal texts in one line, when all are there */
};

struct output;
typedef void output_fn(void *data);

/* What the options and the terminal ask for. */
enum output_mode output_choose(const struct cli *cli);

/* fd: standard output, but for tests. bare: texts are whole lines and get no name before them
 * (JSON). */
struct output *output_new(struct cli *cli, int fd, enum output_mode mode, bool bare);

/*
 * gone runs from the loop whenever all that was kept for the reader is gone, or there is a fault.
 */
void output_on_gone(struct output *output, output_fn *gone, void *data);

/*
 * order sorts, and what has the same stays in the order in which it came. group comes before it
 * where lines are folded: the lower first. A text is one or more lines, each of which gets "NAME: "
 * before it; one that begins with a line break is printed behind "NAME:" as it is, and so is one
 * whose other lines are indented.
 */
void output_add(
	struct output *output, size_t order, unsigned group, const char *name, char *take_text);

/*
 * The same; take_alone (or NULL) is written instead where no other name has the same take_text,
 * which is what is compared.
 */
void output_add_or(struct output *output, size_t order, unsigned group, const char *name,
	char *take_text, char *take_alone);

/* Nothing that is added any more will be read. */
bool output_has_failed(const struct output *output);

/* Lines as they are, with no name before them, ahead of all that is held back. */
void output_table(struct output *output, const char *lines);

/* How many bytes the reader has not taken yet. */
size_t output_kept(const struct output *output);

/* Writes what is held back for sorting or folding; the reader may take its time. */
void output_flush(struct output *output);

/*
 * Flushes, waits until the reader has all (or *stop), and frees. Says what is wrong: a fault is in
 * cli->output_fault and makes CLI_FAILED out of a status that is CLI_OK. Not from within a callback
 * of the loop.
 */
int output_end(struct output *output, const bool *stop, int status);
/* For a program that ends at once: what the reader takes now. */
void output_abandon(struct output *output);

#endif
