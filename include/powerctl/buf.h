/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One growing byte buffer, created with the most it may ever hold. Adding more than that changes
 * nothing but sets `full`, which stays set: a caller may add many pieces and ask once at the end.
 * The content is always followed by a zero byte that len does not count.
 */
#ifndef POWERCTL_BUF_H
#define POWERCTL_BUF_H

#include <powerctl/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pctl_buf {
	char *data; /* never NULL after init */
	size_t len; /* read it; do not write it but through pctl_buf_cut() */
	size_t cap; /* private */
	size_t max;
	bool full;   /* something did not fit */
	bool secret; /* wipe memory that is given up */
};

PCTL_API void pctl_buf_init(struct pctl_buf *buf, size_t max);
PCTL_API void pctl_buf_init_secret(struct pctl_buf *buf, size_t max);
PCTL_API void pctl_buf_done(struct pctl_buf *buf);

PCTL_API void pctl_buf_add(struct pctl_buf *buf, const void *data, size_t len);
PCTL_API void pctl_buf_adds(struct pctl_buf *buf, const char *s);
PCTL_API void pctl_buf_addf(struct pctl_buf *buf, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Shortens the content to len bytes (no more than it has) and forgets that it was full. */
PCTL_API void pctl_buf_cut(struct pctl_buf *buf, size_t len);

/* The content as a string that the caller frees; the buffer is as after pctl_buf_done(). */
PCTL_API char *pctl_buf_steal(struct pctl_buf *buf);

#ifdef __cplusplus
}
#endif

#endif
