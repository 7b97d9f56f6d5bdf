/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device keeps of the descriptors that it was given in place of a connection: each is one
 * end of a socketpair, and something works behind the other until one of them has enough.
 */
#ifndef POWERCTL_CORE_CHANNEL_H
#define POWERCTL_CORE_CHANNEL_H

#include <powerctl/device.h>

struct pctl_channel {
	int fd; /* the device's end: a number only, it closes it */
	struct pctl_error err;
	bool told;                /* its error was asked for */
	void *work;               /* NULL once that has ended */
	void (*stop)(void *work); /* the device has gone: end, and tell nobody */
	void (*look)(void *work); /* somebody asks: if something has happened to it, say so now */
	struct pctl_channel *next;
};

/* pair[0] is for the device and non-blocking, pair[1] for what works behind it. */
int pctl_channel_pair(int pair[2], struct pctl_error *err);

/* Enters it among the device's; those of which nothing is left to tell are forgotten. */
struct pctl_channel *pctl_channel_new(struct pctl_device *device, int fd, void *work,
	void (*stop)(void *work), void (*look)(void *work));

/* The work has ended, with err or (NULL) as the other side wished. *channel is NULL afterwards. */
void pctl_channel_end(struct pctl_channel **channel, const struct pctl_error *err);

/* As pctl_dial_error(). */
int pctl_channel_error(struct pctl_channel *channels, int fd, struct pctl_error *err);

size_t pctl_channels_count(const struct pctl_channel *channels);
void pctl_channels_free(struct pctl_channel *channels);

#endif
