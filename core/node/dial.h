/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a device's TCP ports are reached. Direct: the driver connects to a numeric address by itself.
 * Otherwise it gets one end of a socketpair, and the dialer opens the channel behind the other.
 */
#ifndef POWERCTL_CORE_DIAL_H
#define POWERCTL_CORE_DIAL_H

#include <powerctl/device.h>

#include "node/via.h"

struct pctl_target;

struct pctl_dialer {
	bool gateway;   /* which looks names up, too: here they may mean nothing */
	unsigned files; /* how many descriptors of ours a connection takes beside the device's */
	/* As pctl_dial(). */
	int (*dial)(struct pctl_device *device, uint16_t port, struct pctl_dial *ret,
		struct pctl_error *err);
};

extern const struct pctl_dialer pctl_dial_direct;
/* Through a socketpair to the same address: what tunnels look like to a driver. */
extern const struct pctl_dialer pctl_dial_pump;
extern const struct pctl_dialer pctl_dial_socks5;
extern const struct pctl_dialer pctl_dial_ssh;

const struct pctl_dialer *pctl_dialer_of(enum pctl_via_kind kind);

/*
 * The errors of channels that never came about: nothing has left for the device. Both name the
 * gateway, and nothing that differs between the nodes behind it, so that equal ones fold. blame: it
 * is the gateway's own fault. quote: it got as far as the node's address and says what it met.
 */
void pctl_dial_blame(struct pctl_error *err, const struct pctl_via *via);
void pctl_dial_quote(struct pctl_error *err, const struct pctl_via *via);
/* There was no channel within the target's time: what there is to blame or to quote. */
void pctl_dial_late(struct pctl_error *err, const struct pctl_target *target);

#endif
