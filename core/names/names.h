/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a set of names (see <powerctl/nodeset.h>): also a table that numbers texts. */
#ifndef POWERCTL_CORE_NAMES_H
#define POWERCTL_CORE_NAMES_H

#include <powerctl/nodeset.h>

/* What the name of a group or a tag may have. */
#define PCTL_GROUP_CHARACTERS                                  \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789_.:=-"

/* All zero is an empty set. The texts do not move as long as the set lives. */
struct pctl_names {
	const char **items;
	size_t n, cap;
	struct pctl_names_slot *slots; /* open addressing; a power of two of them, or none */
	size_t nslots;
	struct pctl_names_block *blocks; /* what the texts are in, the newest first */
};

void pctl_names_done(struct pctl_names *names);

/* The number of a text, which is added if it was not there. */
size_t pctl_names_put(struct pctl_names *names, const char *text, size_t len);

/* The number of a text, or SIZE_MAX. */
size_t pctl_names_find(const struct pctl_names *names, const char *text);

/* Adds what a plain pattern stands for; one without brackets is a name whatever else is in it. */
int pctl_names_add_pattern(struct pctl_names *names, const char *pattern, struct pctl_error *err);

/* <0, 0, >0 in the order of pctl_names_sort(). 0 only for equal texts. */
int pctl_names_compare(const char *a, const char *b);

#endif
