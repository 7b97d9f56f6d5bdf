/* SPDX-License-Identifier: Apache-2.0 */
/* A driver's methods: finding one, and checking what it is called with before anything is sent. */
#ifndef POWERCTL_CORE_METHOD_H
#define POWERCTL_CORE_METHOD_H

#include <powerctl/driver.h>
#include <powerctl/inventory.h>

#include "driver/settings.h"

struct pctl_arguments {
	const struct pctl_method *method;
	struct pctl_value *map; /* what the settings borrow their texts from */
	struct pctl_secrets *secrets;
	struct pctl_settings settings;
};

/* NULL if the driver has none of that name. */
const struct pctl_method *pctl_method_find(const struct pctl_driver *driver, const char *name);

/*
 * Finds the method and checks map (texts, and lists of them, by the names of parameters; NULL:
 * none; copied) against its parameters, of which secrets are read. PCTL_E_CONFIG: problems has
 * every mistake. free with pctl_arguments_free().
 */
int pctl_arguments_new(const struct pctl_driver *driver, const char *method,
	const struct pctl_value *map, struct pctl_arguments **ret, struct pctl_problems *problems);
/* What they say about each other, the files they name, and the method's own check. */
int pctl_arguments_check(
	const struct pctl_arguments *args, const char *what, struct pctl_problems *problems);
/* What is wrong with a list of other parameters' names; NULL: nothing, or there is no list. */
const char *pctl_method_wrong_words(const struct pctl_property *table, const char *words);
void pctl_arguments_free(struct pctl_arguments *args);

/* What the method does with these arguments (NULL: none), as a verb's flags: PCTL_VERB_. */
unsigned pctl_method_verb_flags(
	const struct pctl_method *method, const struct pctl_value *arguments);

#endif
