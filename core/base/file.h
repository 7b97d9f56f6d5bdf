/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and replacing whole files. */
#ifndef POWERCTL_CORE_FILE_H
#define POWERCTL_CORE_FILE_H

#include <stdint.h>
#include <sys/stat.h>

#include <powerctl/buf.h>
#include <powerctl/error.h>

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

/*
 * Appends a file's content to buf, whose maximum holds. Anything that can be read to its end will
 * do (a pipe too). *ret_st may be NULL. PCTL_E_CONFIG: it is missing, unreadable, a folder or too
 * large; the text begins with the path.
 */
int pctl_file_read(
	const char *path, struct pctl_buf *buf, struct stat *ret_st, struct pctl_error *err);
/*
 * The same for what this program keeps itself: only a regular file will do, and nothing is waited
 * for, such as whoever is to write to a pipe.
 */
int pctl_file_read_kept(
	const char *path, struct pctl_buf *buf, struct stat *ret_st, struct pctl_error *err);

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

/* Writes all of it. -1, and errno says why: some of it may be written. */
int pctl_file_write(int fd, const void *data, size_t len);

/*
 * Puts data in path's place in one step: a new file in the same folder, flushed to the disk, then
 * renamed. Owner, group and mode are those of *like, or ours and mode if like is NULL. A symbolic
 * link stays and what it points to is replaced. PCTL_E_INTERNAL: nothing has changed.
 */
int pctl_file_replace(const char *path, const void *data, size_t len, mode_t mode,
	const struct stat *like, struct pctl_error *err);

/*
 * The same for what may be lost: a new file of ours that nobody else reads, not flushed. A power
 * failure may leave an empty or a damaged one.
 */
int pctl_file_put(const char *path, const void *data, size_t len, struct pctl_error *err);

#endif
