/* SPDX-License-Identifier: Apache-2.0 */
/* A change to the inventory's files, from the lock to the check of what would be written. */
#ifndef POWERCTL_CORE_EDIT_H
#define POWERCTL_CORE_EDIT_H

#include <sys/stat.h>

#include "inventory/inventory.h"
#include "inventory/splice.h"

struct pctl_edit {
	const char *path;           /* the inventory */
	struct pctl_inventory *inv; /* as it was */
	struct pctl_problems *before;
	int locks[2];
	size_t lock_count;

	/* The one file that is changed: the inventory or one that it includes. */
	const char *file;
	bool exists;
	struct stat st;
	struct pctl_buf text;
	struct pctl_splice splice;
	struct pctl_value *wanted; /* what the new text is to read as */
};

/* Locks the inventory and reads it; it may be missing. end in any case. */
int pctl_edit_begin(struct pctl_edit *e, const char *path, struct pctl_error *err);
void pctl_edit_end(struct pctl_edit *e);

/* Chooses the file to change and reads it. */
int pctl_edit_open(struct pctl_edit *e, const char *file, struct pctl_error *err);

/* The new text, if it reads as wanted. */
int pctl_edit_render(struct pctl_edit *e, struct pctl_buf *text, struct pctl_error *err);

/* Whether the inventory has no new mistake then. more: what changes along with it, or NULL. */
int pctl_edit_check(const struct pctl_edit *e, const struct pctl_buf *text,
	const struct pctl_inventory_draft *more, struct pctl_error *err);

/* What a new file's mode is. */
mode_t pctl_edit_mode(void);

/* An empty text or map. */
bool pctl_edit_is_nothing(const struct pctl_value *v);
/* PCTL_E_CONFIG if there is something else than a map. */
int pctl_edit_need_map(const struct pctl_edit *e, const struct pctl_spot *spot, const char *what,
	struct pctl_error *err);

#endif
