/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may be redirected and whether anybody listens, over WS-Management: AMT_RedirectionService
 * for SOL, IDER and the listener, CIM_KVMRedirectionSAP for KVM. The firmware's own switches in the
 * BIOS stand above them and cannot be reached.
 */
#ifndef POWERCTL_AMT_REDIRECTION_SWITCH_H
#define POWERCTL_AMT_REDIRECTION_SWITCH_H

#include "amt.h"
#include "redirection/frame.h"

struct switch_state {
	bool sol, ider, kvm;
	bool listener; /* common to all of them */
};

/*
 * From an instance of AMT_RedirectionService all but kvm, which is left as it is. PCTL_E_PROTOCOL:
 * it does not say.
 */
int switch_read(const struct xml_node *service, struct switch_state *state, struct pctl_error *err);
/* Only kvm, from one of CIM_KVMRedirectionSAP. It is on where that does not say that it is off. */
void switch_read_kvm(const struct xml_node *port, struct switch_state *state);

/* Lives until then() or the op's end. */
struct switch_work {
	/* The caller's. */
	struct switch_state is, wanted;
	bool acts; /* this is what the op is for: see amt_changes() */
	void (*then)(struct amt_dev *dev);
	amt_except_fn *except; /* NULL: the op ends with what the device says */
	/* Whether anything was changed. */
	bool changed;
	/* Private. */
	enum redirection what;
	bool leave;
};

/* Sends what makes a wanted state of the one that is, and nothing where both are the same. */
void switch_change(struct amt_dev *dev, struct switch_work *work);

/*
 * Switches `what` and the listener on where they are off; then() follows, or the op ends with why
 * not. leave: they are left off, which is PCTL_E_REFUSED. Users who may not look at this are let
 * pass: the redirection port says more. Nothing of work needs to be set; its `changed` says whether
 * anything was off.
 */
void redirection_switch_on(struct amt_dev *dev, struct switch_work *work, enum redirection what,
	bool leave, void (*then)(struct amt_dev *dev));
/* KVM alone, whatever it is now. except may be NULL. */
void switch_kvm_on(struct amt_dev *dev, amt_then_fn *then, amt_except_fn *except);

/*
 * Ends sessions of that kind, whoever has them; then() follows, or except() with why not. Firmware
 * that has no such method is PCTL_E_UNSUPPORTED.
 */
void redirection_end_others(
	struct amt_dev *dev, enum redirection what, amt_then_fn *then, amt_except_fn *except);

/* Consoles, media and screens, for pctl_console_if.end_sessions. */
void redirection_end_all(void *data, struct pctl_op *op);

#endif
