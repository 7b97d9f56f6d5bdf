/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the exec driver know of each other. */
#ifndef POWERCTL_EXEC_EXEC_H
#define POWERCTL_EXEC_EXEC_H

#include <sys/stat.h>

#include <powerctl/driver.h>

#define EXEC_VERSION      1                   /* of what program and driver say to each other */
#define EXEC_ANSWER_MAX   ((size_t)64 << 10)  /* bytes of an answer */
#define EXEC_DESCRIBE_MAX ((size_t)256 << 10) /* of what a program says of itself */
#define EXEC_DESCRIBE_MS  10000u

/* What a program said of itself. */
struct exec_description {
	struct pctl_description description; /* what the core has of it */
	struct pctl_property *properties;    /* its rows, ended by one without a name; ours */
	char *summary;
	bool reads_boot;
	char *path;
	uid_t owner; /* of the inventory, or root */
};

void exec_free_description(struct exec_description *d);

/*
 * Whether a program may be run, as whoever may write it decides what we do: it belongs to root, to
 * us or to owner, and neither it nor its folder is writable by others. PCTL_E_CONFIG with what
 * mends it.
 */
int exec_check_file(const char *path, uid_t owner, struct stat *ret_st, struct pctl_error *err);

/* As pctl_driver's. */
int exec_describe(const struct pctl_selector *selector, struct pctl_description **ret,
	struct pctl_error *err);
void exec_undescribe(struct pctl_description *description);

#endif
