/* SPDX-License-Identifier: Apache-2.0 */
/* Events, sensors and hardware as people read them: a line each, in columns. docs/names.md has
 * their keys. */
#ifndef POWERCTL_CLI_REPORT_H
#define POWERCTL_CLI_REPORT_H

#include <powerctl/buf.h>
#include <powerctl/value.h>

/*
 * The lists of `log` and `sensors`. indented: each line begins with a line break and two blanks;
 * else with nothing, and line breaks stand between them.
 */
void report_events(struct pctl_buf *buf, const struct pctl_value *events, bool indented);
void report_sensors(struct pctl_buf *buf, const struct pctl_value *sensors, bool indented);

/*
 * The tree of `hardware` as one line of a table: machine, serial number, processors, memory, disks,
 * BIOS, in columns of fixed width. Nothing where it has none of them.
 */
void report_hardware(struct pctl_buf *buf, const struct pctl_value *tree);

#endif
