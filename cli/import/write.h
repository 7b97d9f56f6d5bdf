/* SPDX-License-Identifier: Apache-2.0 */
/* What is taken over, as the text of an inventory's file. */
#ifndef POWERCTL_CLI_IMPORT_WRITE_H
#define POWERCTL_CLI_IMPORT_WRITE_H

#include "import/import.h"

struct import_plan {
	struct import *im;
	const char *format;                     /* where it comes from */
	struct pctl_names *classes;             /* that there are; those of the text are added */
	const struct pctl_inventory *inventory; /* what there is already, or NULL */
};

/*
 * Logins of nodes that are taken over get a name that taken does not have, and that is added there.
 */
void import_name_logins(struct import *im, const char *format, struct pctl_names *taken);

/* The secret's path as the written file says it, below conf.d; free() it. key: password, kg. */
char *import_secret_path(const struct import_login *login, const char *key);
/* The same below secrets/. */
char *import_secret_name(const struct import_login *login, const char *key);

/* The text; out has room for it or is full. */
void import_write(struct import_plan *plan, struct pctl_buf *out);

#endif
