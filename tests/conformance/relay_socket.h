/* SPDX-License-Identifier: Apache-2.0 */
/* The relay's own sockets, all on 127.0.0.1. */
#ifndef POWERCTL_CONFORM_RELAY_SOCKET_H
#define POWERCTL_CONFORM_RELAY_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

/* One for TCP and one for UDP, on one number that nobody had. False: there is none. */
bool relay_bind_pair(int *ret_tcp, int *ret_udp, uint16_t *ret_port);

/* The kernel drops what comes to a deaf listener: whoever connects waits. Source: socket(7). */
void relay_deafen(int listener, bool deaf);

#endif
