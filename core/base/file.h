/* SPDX-License-Identifier: Apache-2.0 */
/* What of files only core does: descriptors that are kept for them, locks, who may do what. */
#ifndef POWERCTL_CORE_FILE_H
#define POWERCTL_CORE_FILE_H

#include <stdint.h>

#include <powerctl/file.h>

/*
 * open() for what this program keeps on disk, which connections must not be in the way of: where
 * they have used up the descriptors that pctl_file_spare() left to them there are a few more.
 */
int pctl_file_open(const char *path, int flags, mode_t mode);
/*
 * Raises how many descriptors there may be as far as that goes, but for the few that
 * pctl_file_open() keeps for itself. Returns how many.
 */
uint64_t pctl_file_spare(void);

/*
 * Opens a file that stands for a lock, makes it where it is missing, and blocks until the lock is
 * ours. Returns a descriptor; closing it lets others in. PCTL_E_INTERNAL: it cannot be opened or
 * locked. mode is that of a new one; a symbolic link is not followed.
 */
int pctl_file_lock(const char *path, mode_t mode, struct pctl_error *err);
/* The same without waiting: PCTL_E_INTERNAL also if somebody has it. */
int pctl_file_try_lock(const char *path, mode_t mode, struct pctl_error *err);

/* Whether it is the same file and nobody has written to it in between. One that is missing is all
 * zero. */
bool pctl_file_is_as_it_was(const struct stat *was, const struct stat *is);

/*
 * PCTL_E_CONFIG if a file that holds a secret can be read by others; the text has the chmod that
 * mends it. What is not a regular file has no permissions to speak of.
 */
int pctl_file_check_private(const char *path, const struct stat *st, struct pctl_error *err);

/*
 * PCTL_E_CONFIG unless a file may be run on behalf of the inventory's owner: it is there,
 * executable, root's or owner's, and neither it nor its folder can be written by a group or others,
 * nor (but for folders like /tmp) the folders above by others. The text says what is wrong and what
 * mends it.
 */
int pctl_file_check_program(const char *path, uid_t owner, struct pctl_error *err);

#endif
