/* SPDX-License-Identifier: Apache-2.0 */
/* One accepted connection to a device. */
#ifndef POWERCTL_AMTSIM_CONN_H
#define POWERCTL_AMTSIM_CONN_H

#include <stdbool.h>

struct device;
struct listener;
struct sim;

/* Takes the connection that waits at the listener; it frees itself. */
void conn_accept(struct listener *listener);
/* Closes those that have been quiet for too long. */
void conn_sweep(struct sim *sim);
/* Closes those of one device, or all if dev is NULL. */
void conn_close_all(struct sim *sim, const struct device *dev);

#endif
