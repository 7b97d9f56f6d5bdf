/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The UDP sockets that all sessions of a loop share: one for IPv4, one for IPv6. What comes in is
 * handed to whoever joined for the address it comes from.
 */
#ifndef POWERCTL_IPMI_UDP_H
#define POWERCTL_IPMI_UDP_H

#include <sys/socket.h>
#include <uv.h>

#include <powerctl/driver.h>

struct udp;
struct udp_member;

/* Whether the datagram was for that member; else the next one at the same address is asked. */
typedef bool udp_receive_fn(struct udp_member *member, const uint8_t *packet, size_t len);

struct udp *udp_new(uv_loop_t *loop, udp_receive_fn *receive);
/* Nobody is a member any more. closed follows from the loop. */
void udp_close(struct udp *udp, pctl_closed_fn *closed, void *data);

/* Somebody who talks to one address. Filled in by udp_join(). */
struct udp_member {
	struct udp *udp;
	struct udp_peer *peer;
	struct udp_member *next; /* at the same address */
	bool joined;
};

/* PCTL_E_INTERNAL: there is no socket. */
int udp_join(struct udp *udp, struct udp_member *member, const struct sockaddr *addr, socklen_t len,
	struct pctl_error *err);
/* May be called at any time, for what never joined as well. */
void udp_leave(struct udp_member *member);

/*
 * To the member's address, at once. 0, or an errno value: a loss on the way, for whoever sends
 * waits for an answer in any case; but it may say why none comes.
 */
int udp_send(struct udp_member *member, const uint8_t *packet, size_t len);

#endif
