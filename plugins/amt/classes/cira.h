/* SPDX-License-Identifier: Apache-2.0 */
/* The two halves of the method cira: cira.c reads and checks, cira_change.c changes. */
#ifndef POWERCTL_AMT_CIRA_H
#define POWERCTL_AMT_CIRA_H

#include "classes/chain.h"

/* How an address is told: InfoFormat. */
enum cira_format { CIRA_IPV4 = 3, CIRA_IPV6 = 4, CIRA_NAME = 201 };
enum cira_format cira_format(const char *address);
/* Hours and minutes of "03:30"; false: it is no time of the day. */
bool cira_parse_time(const char *text, unsigned *ret_hours, unsigned *ret_minutes);

/* The texts of what was read; "": there is none. */
const char *cira_text_in(const struct pctl_value *map, const char *key);
/* One selector of the reference in an element; NULL: it has none of that name. */
const char *cira_selector(const struct xml_node *element, const char *name);

/* How policies apply to servers, into the list "applied". */
extern const struct chain_step cira_applied_steps[];
/* Ends the op with what there is now. */
void cira_read(struct amt_dev *dev);
/* All that the parameters ask for, after they were checked and everything was read. */
void cira_change(struct amt_dev *dev);

#endif
