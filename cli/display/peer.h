/* SPDX-License-Identifier: Apache-2.0 */
/* Whose program it is at the other end of a connection on this host. */
#ifndef POWERCTL_CLI_DISPLAY_PEER_H
#define POWERCTL_CLI_DISPLAY_PEER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Whether the other end of an IPv4 connection over the loopback is open and this user's. The
 * kernel's tables say so; where they cannot be read, or do not have it, nobody knows: false. Root's
 * are not let in either: 0 is also what stands there for a socket that nobody has any more.
 */
bool display_peer_is_ours(int fd);

/*
 * Of a table as /proc/net/tcp or tcp6 (proc(5)): who has the far end of a connection, while that is
 * established. The row of a socket that its owner has closed stays for a while, and says 0.
 */
bool display_peer_uid(FILE *table, const struct sockaddr_in *near, const struct sockaddr_in *far,
	uint64_t *ret_uid);

#endif
