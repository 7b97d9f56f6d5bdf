/* SPDX-License-Identifier: Apache-2.0 */
/* The screen: an RFB server behind one frame, or at a port of its own. */
#ifndef POWERCTL_AMTSIM_REDIR_KVM_H
#define POWERCTL_AMTSIM_REDIR_KVM_H

#include "redir.h"

/* In the order of the words of the knob kvm_fault. */
enum kvm_fault {
	KVM_FAULT_NO,
	KVM_FAULT_RECTANGLE,
	KVM_FAULT_ZLIB,
	KVM_FAULT_TRUNCATE,
	KVM_FAULT_GARBAGE,
	KVM_FAULT_DROP,
	KVM_FAULT_CLOSE_INIT,
	KVM_FAULT_SILENT,
	KVM_FAULT_SECURITY,
	KVM_FAULT_EMPTY,
	KVM_FAULT_FRAME_UNKNOWN,
	KVM_FAULT_FRAME_INTERLEAVE,
	KVM_FAULT_FRAME_TRUNCATE,
	KVM_FAULT_FRAME_REFUSED,
};

/* What is kept of the last picture that was packed, for all devices: they often show the same. */
void kvm_forget(struct sim *sim);

/* "kvm_sha256" and "kvm_sha256_8bit" of a picture that does not move; null of one that does. */
void kvm_json(const struct device *dev, struct buf *out);

#endif
