/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a device's TCP ports are reached. Direct: the driver connects to a numeric address by itself.
 * Otherwise it gets one end of a socketpair, and the dialer opens the channel behind the other.
 */
#ifndef POWERCTL_CORE_DIAL_H
#define POWERCTL_CORE_DIAL_H

#include <powerctl/device.h>

struct pctl_dialer {
	const char *via; /* the word of the setting `via` */
	/* As pctl_dial(). */
	int (*dial)(struct pctl_device *device, uint16_t port, struct pctl_dial *ret,
		struct pctl_error *err);
	/* As pctl_dial_error(). */
	int (*error)(const struct pctl_device *device, int fd, struct pctl_error *err);
};

extern const struct pctl_dialer pctl_dial_direct;
/* Through a socketpair to the same address: what tunnels look like to a driver. */
extern const struct pctl_dialer pctl_dial_pump;

/*
 * What a device keeps of the channels it was given: those that are open, and those that failed and
 * were not asked about yet. Freed with it, which ends them.
 */
struct pctl_channel;
size_t pctl_channels_count(const struct pctl_channel *channels);
void pctl_channels_free(struct pctl_channel *channels);

/* The dialer for a node's `via` (NULL: direct). NULL if there is none of that name. */
const struct pctl_dialer *pctl_dialer_find(const char *via);

#endif
