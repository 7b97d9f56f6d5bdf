/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of property tables, a driver's settings or a method's parameters, for people and programs.
 */
#ifndef POWERCTL_CLI_PROPERTY_H
#define POWERCTL_CLI_PROPERTY_H

#include <powerctl/buf.h>
#include <powerctl/driver.h>

/* "one of off, on; default off" */
void property_describe(struct pctl_buf *buf, const struct pctl_property *property);

/* An item of a list in a manual page, as scdoc takes it: a line, and one that says what it does. */
void property_manual(struct pctl_buf *buf, const struct pctl_property *property);

/* "case=keep|upper|lower", in brackets where it may be left out. */
void property_usage(struct pctl_buf *buf, const struct pctl_property *property);

/*
 * The driver's own table and that which a value of its selector brings (NULL: none) as one, whose
 * rows are borrowed. free() it.
 */
struct pctl_property *property_join(
	const struct pctl_property *own, const struct pctl_property *more);

/* A list of maps, as in docs/json.md; table may be NULL. The caller frees it. */
struct pctl_value *property_list(const struct pctl_property *table);

#endif
