/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets from inside: what stands beside the file of one while it is being changed. */
#ifndef POWERCTL_CORE_CREDENTIAL_H
#define POWERCTL_CORE_CREDENTIAL_H

#include <powerctl/inventory.h>

#include "keep/pending.h"

/*
 * The change that is pending of the secret `name` of a node's settings, read once and borrowed;
 * NULL in *ret: none is, or the secret is in no file. PCTL_E_CONFIG as for pctl_pending_read().
 */
int pctl_secrets_pending(struct pctl_secrets *secrets, const struct pctl_value *settings,
	const char *name, const struct pctl_pending **ret, struct pctl_error *err);

/*
 * The file that the secret `name` is in, without symbolic links; free() *ret. PCTL_E_CONFIG: it is
 * in none, or in one that nothing can be put in place of.
 */
int pctl_secret_file(
	const struct pctl_value *settings, const char *name, char **ret, struct pctl_error *err);

#endif
