/* SPDX-License-Identifier: Apache-2.0 */
/* One accepted connection to a device. */
#ifndef POWERCTL_SIM_WEB_CONN_H
#define POWERCTL_SIM_WEB_CONN_H

#include <stdbool.h>

struct web_device;
struct web_listener;
struct web;

/* Takes the connection that waits at the listener; it frees itself. */
void conn_accept(struct web_listener *listener);
/* Closes those that have been quiet for too long. */
void conn_sweep(struct web *web);
/* Closes those of one device, or all if dev is NULL. */
void conn_close_all(struct web *web, const struct web_device *dev);

#endif
