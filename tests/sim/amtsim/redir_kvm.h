/* SPDX-License-Identifier: Apache-2.0 */
/* KVM redirection: an RFB server behind one frame. */
#ifndef POWERCTL_AMTSIM_REDIR_KVM_H
#define POWERCTL_AMTSIM_REDIR_KVM_H

#include "redir.h"

/* What is kept of the last picture that was packed, for all devices: they often show the same. */
void kvm_forget(struct sim *sim);

/* "kvm_sha256" and "kvm_sha256_8bit" of a picture that does not move; null of one that does. */
void kvm_json(const struct device *dev, struct buf *out);

#endif
