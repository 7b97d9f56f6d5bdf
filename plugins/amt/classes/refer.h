/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of the device as parameters name them: by the id that `amt certs` shows. */
#ifndef POWERCTL_AMT_REFER_H
#define POWERCTL_AMT_REFER_H

#include "classes/chain.h"

#define REFER_SIZE 96

/* Reads the certificates that there are, into the answer's "certificates", and goes on. */
void refer_read(struct amt_dev *dev, chain_fn *then);
/*
 * Whether what the parameter names is there: one that the device trusts, or one of its own. 0 where
 * it is not given; PCTL_E_REFUSED.
 */
int refer_check(struct amt_dev *dev, const char *parameter, bool trusted, struct pctl_error *err);
/* The list is no part of the answer. */
void refer_done(struct amt_dev *dev);
/* The InstanceID that goes with an id; of NULL, some text. */
void refer_id(const char *id, char out[REFER_SIZE]);
/* Adds the reference name to the one that a parameter names; nothing where it is not given. */
void refer_add(struct amt_dev *dev, struct wsman *w, const char *name, const char *parameter);

#endif
