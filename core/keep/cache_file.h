/* SPDX-License-Identifier: Apache-2.0 */
/* Files that may be lost at any time; what was damaged meanwhile is seen when one is read. */
#ifndef POWERCTL_CORE_CACHE_H
#define POWERCTL_CORE_CACHE_H

#include <powerctl/buf.h>
#include <powerctl/error.h>

/*
 * Puts what was written in place of ret's content. False, and ret is empty: there is no such file,
 * it is damaged, or it has more than ret may hold.
 */
bool pctl_cache_read_file(const char *path, struct pctl_buf *ret);
/* Replaces the file, as pctl_file_put() does. */
int pctl_cache_write_file(const char *path, const void *data, size_t len, struct pctl_error *err);

#endif
