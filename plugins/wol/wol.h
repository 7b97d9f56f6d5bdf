/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POWERCTL_WOL_WOL_H
#define POWERCTL_WOL_WOL_H

#include <powerctl/driver.h>

#include "packet.h"

enum wol_status { WOL_STATUS_NONE, WOL_STATUS_PING, WOL_STATUS_TCP };

struct wol_dev {
	struct pctl_device *device;
	uv_timer_t timer;
	uint8_t packet[WOL_PACKET_MAX]; /* may hold a SecureOn password */
	size_t packet_n;
	struct sockaddr_storage to;
	socklen_t to_len;
	const char *interface; /* NULL: as the routes say */
	unsigned left;         /* packets of this op that are still to be sent */
	int fd;                /* of the op that runs; -1: none */
	uv_poll_t *poll;       /* on fd; NULL: none */
	struct pctl_op *op;    /* NULL: none */
	/* Of a look at its state. */
	struct pctl_power *power;
	unsigned flags;
	struct sockaddr_storage from;
	bool raw;
	uint64_t token, until;
	pctl_closed_fn *closed;
	void *closed_data;
};

void wol_get(void *data, struct pctl_op *op, unsigned flags, struct pctl_power *ret);
void wol_act(void *data, struct pctl_op *op, enum pctl_action action);

/* Closes what the op had open. */
void wol_let_go(struct wol_dev *dev);
/* The op it had; dev has none afterwards. */
struct pctl_op *wol_end(struct wol_dev *dev);
void wol_begin(struct wol_dev *dev, struct pctl_op *op);

#endif
