/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard output: a text per node, written as it comes, or in order, or folded when all are there.
 * A fault while writing is kept and does not stop anything else.
 */
#ifndef POWERCTL_CLI_OUTPUT_H
#define POWERCTL_CLI_OUTPUT_H

#include <stdio.h>

#include <powerctl/nodeset.h>

#include "cli.h"

enum output_mode {
	OUTPUT_STREAM, /* each line as it comes: at the latest with output_sync() */
	OUTPUT_SORT,   /* by order, when all are there */
	OUTPUT_FOLD,   /* names with equal texts in one line, when all are there */
};

struct output;

/* What the options and the terminal ask for. */
enum output_mode output_choose(const struct cli *cli);

/* bare: texts are whole lines and get no name before them (JSON). */
struct output *output_new(FILE *file, enum output_mode mode, bool bare);

/*
 * order sorts. A text is one or more lines, each of which gets "NAME: " before it; one that begins
 * with a line break is printed behind "NAME:" as it is.
 */
void output_add(struct output *output, size_t order, const char *name, char *take_text);

/* Writes out what was added in OUTPUT_STREAM. Call it before the program sleeps. */
void output_sync(struct output *output);

/* Writes what is held back. Returns 0, or the errno of the first fault; more may be added. */
int output_flush(struct output *output);
void output_free(struct output *output);

#endif
