/* SPDX-License-Identifier: Apache-2.0 */
/* Whose program it is at the other end of a connection on this host. */
#ifndef POWERCTL_CLI_DISPLAY_PEER_H
#define POWERCTL_CLI_DISPLAY_PEER_H

#include <stdbool.h>

/*
 * Whether the other end of an IPv4 connection over the loopback is this user's, or root's. The
 * kernel's table says so; where it cannot be read, or does not have it, nobody knows: false.
 */
bool display_peer_is_ours(int fd);

#endif
