/* SPDX-License-Identifier: Apache-2.0 */
/* A file that a parameter names, read on a worker: a file system may be slow, the loop may not. */
#ifndef POWERCTL_AMT_FILE_H
#define POWERCTL_AMT_FILE_H

#include <powerctl/mem.h>

#include "amt.h"

typedef void file_fn(struct amt_dev *dev, const char *data, size_t len);

/*
 * Reads the file that the chain's parameter names and goes on with its bytes, of which there are at
 * most METHODS_FILE_MAX, followed by a zero byte, and which are wiped then; or ends the op. Before
 * any request of the chain. A pipe is read to its end, for which its writer has half a minute; an op
 * that is aborted ends the wait.
 */
void file_read(struct amt_dev *dev, const char *parameter, file_fn *then);

/*
 * The same at once, for what checks arguments before there is any device: 1 with its data, for
 * file_free(); 0: it is no regular file, so only its use can read it. PCTL_E_CONFIG.
 */
int file_check(const char *parameter, const char *path, char **ret, size_t *ret_len,
	struct pctl_error *err);

/* Wipes it, for a file may hold secrets. */
void file_free(char *data);
PCTL_DEFINE_AUTO(char *, file_free)

#endif
