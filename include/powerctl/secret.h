/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret: an allocation of its own that nothing prints and that is wiped before it is freed. It
 * never takes part in logs, errors, settings dumps or argv.
 */
#ifndef POWERCTL_SECRET_H
#define POWERCTL_SECRET_H

#include <powerctl/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pctl_secret;

#define PCTL_SECRET_MAX 4096u

/* A copy of len bytes; NULL if len is over PCTL_SECRET_MAX. The caller wipes its own original. */
PCTL_API struct pctl_secret *pctl_secret_new(const void *data, size_t len);
PCTL_API struct pctl_secret *pctl_secret_copy(const struct pctl_secret *secret);
PCTL_API void pctl_secret_free(struct pctl_secret *secret);

/* The bytes, followed by a zero byte. Do not keep the pointer longer than the secret. */
PCTL_API const char *pctl_secret_data(const struct pctl_secret *secret);
PCTL_API size_t pctl_secret_len(const struct pctl_secret *secret);

#ifdef __cplusplus
}
#endif

#endif
