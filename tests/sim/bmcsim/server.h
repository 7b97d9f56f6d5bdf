/* SPDX-License-Identifier: Apache-2.0 */
/* The devices' sockets, and every knob that spoils a datagram. */
#ifndef POWERCTL_BMCSIM_SERVER_H
#define POWERCTL_BMCSIM_SERVER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct device;
struct sim;

/* Gives every device its address and opens the sockets; 0, or -1 having said what is in the way. */
int server_start(struct sim *sim);
void server_stop(struct sim *sim);
/* At once or later; n is at most PACKET_MAX. */
void server_send(struct device *dev, const struct sockaddr_storage *to, const uint8_t *p, size_t n,
	uint64_t after_ms);
/* As after a reset: what waited is forgotten, nothing is heard for that long. */
void server_vanish(struct device *dev, uint64_t ms);

#endif
