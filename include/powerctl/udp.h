/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The UDP sockets that all devices of a loop share: one for IPv4, one for IPv6, opened when
 * somebody needs them. What comes in is handed to whoever joined for the address it comes from.
 * Nothing is sent again, and the sockets alone keep no loop running: whoever waits has a timer.
 */
#ifndef POWERCTL_UDP_H
#define POWERCTL_UDP_H

#include <sys/socket.h>
#include <uv.h>

#include <powerctl/driver.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pctl_udp;

/* Somebody who talks to one address. All zero is nobody; filled in by pctl_udp_join(). */
struct pctl_udp_member {
	struct pctl_udp *udp;
	struct pctl_udp_peer *peer;
	struct pctl_udp_member *next; /* at the same address */
	bool joined;
};

/*
 * Whether the datagram was for that member; else the next one at the same address is asked. A
 * longer one than pctl_udp_new() was told of is cut to one byte more than that. The member may
 * leave here if it then says true.
 */
typedef bool pctl_udp_receive_fn(struct pctl_udp_member *member, const uint8_t *packet, size_t len);

/* packet_max: of what is received, in bytes. */
PCTL_API struct pctl_udp *pctl_udp_new(
	uv_loop_t *loop, size_t packet_max, pctl_udp_receive_fn *receive);
/* Nobody is a member any more. closed follows from the loop, or at once where nothing was open. */
PCTL_API void pctl_udp_close(struct pctl_udp *udp, pctl_closed_fn *closed, void *data);

/*
 * From now on the member receives what comes from addr, which is copied. Once: it leaves before it
 * joins again. PCTL_E_INTERNAL: there is no socket.
 */
PCTL_API int pctl_udp_join(struct pctl_udp *udp, struct pctl_udp_member *member,
	const struct sockaddr *addr, socklen_t len, struct pctl_error *err);
/* May be called at any time, for what never joined as well. */
PCTL_API void pctl_udp_leave(struct pctl_udp_member *member);

/*
 * To the address of a member that has joined, at once. 0, or an errno value: a loss on the way,
 * for whoever sends waits for an answer in any case; but it may say why none comes.
 */
PCTL_API int pctl_udp_send(struct pctl_udp_member *member, const uint8_t *packet, size_t len);

/*
 * Hands out what has come and was not read yet, to whomever it is for: the loop runs timers first,
 * and one that was late would miss it. The member may have left afterwards. Nothing within a
 * pctl_udp_receive_fn.
 */
PCTL_API void pctl_udp_look(struct pctl_udp_member *member);

#ifdef __cplusplus
}
#endif

#endif
