/* SPDX-License-Identifier: Apache-2.0 */
/* What the values of drivers' selectors stand for: asked once for each, kept until the core closes.
 */
#ifndef POWERCTL_CORE_DESCRIBE_H
#define POWERCTL_CORE_DESCRIBE_H

#include <powerctl/driver.h>

#include "base/strmap.h"

struct pctl_selector {
	const struct pctl_driver *driver;
	const char *value, *file;
};

/* A description as the core uses it: of full size, and its table copied and checked. */
struct pctl_described {
	struct pctl_description full;
	const struct pctl_driver *driver;
	struct pctl_description *own; /* the driver's, which device_description() returns */
	struct pctl_property *properties;
	char *with;            /* " with agent 'fence_apc'", for errors */
	struct pctl_error err; /* code is 0: all is well */
	struct pctl_described *next;
};

/* All zero is none. */
struct pctl_descriptions {
	struct pctl_strmap by_value;
	struct pctl_described *first;
};
void pctl_descriptions_done(struct pctl_descriptions *all);

/*
 * driver has a selector. file is the one that value stands in, or NULL. Never NULL; where err.code
 * is not 0 there is nothing else in it.
 */
const struct pctl_described *pctl_descriptions_get(struct pctl_descriptions *all,
	const struct pctl_driver *driver, const char *value, const char *file);

#endif
