/* SPDX-License-Identifier: Apache-2.0 */
/* What the core may do with problems beyond the public contract. */
#ifndef POWERCTL_CORE_PROBLEMS_H
#define POWERCTL_CORE_PROBLEMS_H

#include <powerctl/inventory.h>

void pctl_problems_addv(struct pctl_problems *problems, struct pctl_place place, const char *fmt,
	va_list ap) __attribute__((format(printf, 3, 0)));

/* How often something was added, also what had been before: one mistake may be that of many. */
size_t pctl_problems_said(const struct pctl_problems *problems);

#endif
