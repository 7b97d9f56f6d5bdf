/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets from inside: what stands beside the file of one while it is being changed. */
#ifndef POWERCTL_CORE_CREDENTIAL_H
#define POWERCTL_CORE_CREDENTIAL_H

#include <powerctl/inventory.h>

#include "keep/pending.h"

/*
 * Another round: each file that was read is looked at once more before it is used, and is read anew
 * where it has changed, as is what is pending beside it. What was given out before stays valid.
 */
void pctl_secrets_look_again(struct pctl_secrets *secrets);

/*
 * The change that is pending of the secret `name` of a node's settings, read once and borrowed;
 * NULL in *ret: none is, or the secret is in no file. PCTL_E_CONFIG as for pctl_pending_read().
 */
int pctl_secrets_pending(struct pctl_secrets *secrets, const struct pctl_value *settings,
	const char *name, const struct pctl_pending **ret, struct pctl_error *err);

/*
 * Whether a change of the secret `name` can be pending: not where it is in no file, or in one that
 * does not stay, or that is missing and has nothing beside it. True also where that cannot be seen.
 */
bool pctl_secret_may_be_pending(const struct pctl_value *settings, const char *name);
/*
 * The file that the secret `name` is in, without symbolic links; free() *ret. PCTL_E_CONFIG: it is
 * in none, in one that nothing can be put in place of, or in one that cannot be looked at.
 */
int pctl_secret_file(
	const struct pctl_value *settings, const char *name, char **ret, struct pctl_error *err);

#endif
