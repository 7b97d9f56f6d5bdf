/* SPDX-License-Identifier: Apache-2.0 */
/* Trees of values as people read them. Everything in them is cleaned as text_clean() does. */
#ifndef POWERCTL_CLI_TREE_H
#define POWERCTL_CLI_TREE_H

#include <powerctl/buf.h>
#include <powerctl/value.h>

/*
 * Indented lines, each with a line break before it:
 *   system:
 *     serial: 4711
 *   boot: pxe, disk
 */
void tree_indent(struct pctl_buf *buf, const struct pctl_value *tree);

/* The same as lines that stand alone, with line breaks between: "system.serial: 4711". */
void tree_flat(struct pctl_buf *buf, const struct pctl_value *tree);

/* Whether each of its values fits on a line; one that does. */
bool tree_is_flat(const struct pctl_value *tree);
void tree_short(struct pctl_buf *buf, const struct pctl_value *v);

#endif
