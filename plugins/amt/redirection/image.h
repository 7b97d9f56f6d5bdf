/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file or block device of this computer as the medium of a drive. It is opened once and read
 * piece by piece, on worker threads unless the kernel has the piece in memory, never as a whole; at
 * most IMAGE_WINDOWS pieces are kept. What it loses while it is in use is an error of the pieces
 * that are gone, and of nothing else.
 */
#ifndef POWERCTL_AMT_REDIRECTION_IMAGE_H
#define POWERCTL_AMT_REDIRECTION_IMAGE_H

#include <uv.h>

#include <powerctl/error.h>

#define IMAGE_WINDOW  ((size_t)256 << 10)
#define IMAGE_WINDOWS 2u

struct image;

/* Blocks: for workers. path NULL: size zeros. PCTL_E_CONFIG: err says what is wrong with it. */
int image_open(const char *path, uint64_t size, struct image **ret, struct pctl_error *err);
/* Whatever is being read comes to nothing. Takes NULL. */
void image_close(struct image *image);

uint64_t image_size(const struct image *image); /* when it was opened */
const char *image_path(const struct image *image);

/*
 * What stands at an offset. Greater than 0: so many bytes are at *ret, at most want, which may be
 * fewer; they live until the next call. 0: they are being fetched, and ready(data) follows from the
 * loop. Negative: they cannot be read, err says why; the next call tries again. What the last block
 * lacks up to a multiple of pad bytes reads as zeros.
 */
int64_t image_read(struct image *image, uint64_t offset, size_t want, const uint8_t **ret,
	struct pctl_error *err);
void image_use(
	struct image *image, uv_loop_t *loop, uint32_t pad, void (*ready)(void *data), void *data);

#endif
