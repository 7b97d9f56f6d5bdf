/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AMT_RedirectionService: what may be redirected and whether anybody listens, over WS-Management.
 * The firmware's own switches in the BIOS stand above it and cannot be reached.
 */
#ifndef POWERCTL_AMT_REDIRECTION_SWITCH_H
#define POWERCTL_AMT_REDIRECTION_SWITCH_H

#include "amt.h"
#include "redirection/frame.h"

/* EnabledState of AMT_RedirectionService: this, and a bit for each. */
enum { SWITCH_BASE = 32768, SWITCH_IDER = 1, SWITCH_SOL = 2 };
/* CIM_KVMRedirectionSAP: what is requested; EnabledState is idle where it is on and not in use. */
enum { SWITCH_KVM_ON = 2, SWITCH_KVM_OFF = 3, SWITCH_KVM_IDLE = 6 };

struct switch_work {
	enum redirection what;
	bool changed; /* it was off */
	void (*then)(struct amt_dev *dev);
	uint64_t state, wanted;
	struct switch_fields {
		char creation_class[64], element[64], name[64], system_class[64], system_name[64];
	} fields; /* of the service, for its Put */
};

/*
 * Switches `what` and the listener on where they are off; then() follows, or the op ends with why
 * not. Users who may not look at this are let pass: the redirection port says more. work is the
 * caller's and lives until then; its `changed` says whether anything was off.
 */
void redirection_switch_on(struct amt_dev *dev, struct switch_work *work, enum redirection what,
	void (*then)(struct amt_dev *dev));

/*
 * Ends sessions of that kind, whoever has them; then() follows, or except() with why not. Firmware
 * that has no such method is PCTL_E_UNSUPPORTED.
 */
void redirection_end_others(
	struct amt_dev *dev, enum redirection what, amt_then_fn *then, amt_except_fn *except);

/* Consoles and media, for pctl_console_if.end_sessions. */
void redirection_end_all(void *data, struct pctl_op *op);

#endif
