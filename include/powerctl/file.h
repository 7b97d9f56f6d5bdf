/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and replacing whole files. These calls wait for the disk: what a driver does from the
 * loop's callbacks is for small files of this host.
 */
#ifndef POWERCTL_FILE_H
#define POWERCTL_FILE_H

#include <sys/stat.h>

#include <powerctl/buf.h>
#include <powerctl/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Appends a file's content to buf, whose maximum holds. Anything that can be read to its end will
 * do (a pipe too). *ret_st may be NULL. PCTL_E_CONFIG: it is missing, unreadable, a folder or too
 * large; the text begins with the path.
 */
PCTL_API int pctl_file_read(
	const char *path, struct pctl_buf *buf, struct stat *ret_st, struct pctl_error *err);
/*
 * The same for what this program keeps itself: only a regular file will do, and nothing is waited
 * for, such as whoever is to write to a pipe.
 */
PCTL_API int pctl_file_read_kept(
	const char *path, struct pctl_buf *buf, struct stat *ret_st, struct pctl_error *err);
/* Reads an open file to its end, as pctl_file_read() does; path is for the text. It stays open. */
PCTL_API int pctl_file_read_fd(
	int fd, const char *path, struct pctl_buf *buf, struct pctl_error *err);

/* Writes all of it. -1, and errno says why: some of it may be written. */
PCTL_API int pctl_file_write(int fd, const void *data, size_t len);

/*
 * Puts data in path's place in one step: a new file in the same folder, flushed to the disk, then
 * renamed. It has no name until it is whole, where the file system can do that, so that whoever is
 * killed meanwhile leaves no part of it behind. Owner, group and mode are those of *like, or ours
 * and mode if like is NULL. A symbolic link stays and what it points to is replaced.
 * PCTL_E_INTERNAL: nothing has changed.
 */
PCTL_API int pctl_file_replace(const char *path, const void *data, size_t len, mode_t mode,
	const struct stat *like, struct pctl_error *err);
/*
 * The same for what may be lost: a new file of ours that nobody else reads, not flushed, in the
 * place of a link too. A power failure may leave an empty or a damaged one.
 */
PCTL_API int pctl_file_put(const char *path, const void *data, size_t len, struct pctl_error *err);

#ifdef __cplusplus
}
#endif

#endif
