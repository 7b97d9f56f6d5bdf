/* SPDX-License-Identifier: Apache-2.0 */
/* A rotation from inside (<powerctl/passwd.h>): rotation_plan.c makes it, rotation.c goes on. */
#ifndef POWERCTL_CORE_ROTATION_H
#define POWERCTL_CORE_ROTATION_H

#include <powerctl/powerctl.h>

#include "base/strmap.h"
#include "driver/password.h"
#include "keep/pending.h"

/* A file with one password, which all of its nodes have. */
struct pctl_rotation_file {
	char *path; /* without symbolic links */
	struct pctl_secret *old;
	struct pctl_pending *pending; /* NULL: there is no new one yet */
	bool begun;                   /* it was on the disk before */
	struct pctl_password_rules rules;
	struct pctl_names *nodes; /* of the inventory, that have it as their password */
};

struct pctl_rotation {
	struct pctl_core *core;
	struct pctl_inventory *inventory;
	struct pctl_rotation_file *files;
	size_t file_count, file_cap;
	struct pctl_strmap by_path; /* 1 + index */
	size_t *nodes, node_count, node_cap;
	size_t *file_of; /* 1 + index, by node of the inventory; 0: it has no part in it */
	struct pctl_strmap folders; /* 1 + descriptor of the lock */
};

#endif
