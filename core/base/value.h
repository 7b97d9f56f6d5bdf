/* SPDX-License-Identifier: Apache-2.0 */
/* What the core may do with values beyond the public contract. */
#ifndef POWERCTL_CORE_VALUE_H
#define POWERCTL_CORE_VALUE_H

#include <powerctl/value.h>

/* pctl_value_set() for a key that is known not to be there: no search, for maps of any size. */
void pctl_value_append(struct pctl_value *map, const char *key, struct pctl_value *take_v);

/* Gives back the room that a list or map no longer grows into. */
void pctl_value_trim(struct pctl_value *v);

#endif
