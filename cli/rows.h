/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What several nodes answered with flat maps, as one table: a row for each, those that say the same
 * folded, and the keys as headings. Where one of them is not flat, or the terminal is narrower,
 * they are written as they would be without this.
 */
#ifndef POWERCTL_CLI_ROWS_H
#define POWERCTL_CLI_ROWS_H

#include <powerctl/powerctl.h>

#include "output.h"
#include "render.h"

struct rows;

struct rows *rows_new(const struct render_style *style);
void rows_add(struct rows *rows, const struct pctl_result *result);
/* Gives them to output, and frees them. width: of the terminal. */
void rows_end(struct rows *rows, struct output *output, size_t width);

#endif
