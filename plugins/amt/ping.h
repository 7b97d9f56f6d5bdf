/* SPDX-License-Identifier: Apache-2.0 */
/* The UDP sockets through which all searches of a loop send their pings. */
#ifndef POWERCTL_AMT_PING_H
#define POWERCTL_AMT_PING_H

#include <powerctl/driver.h>

#include "rmcp.h"

struct pings;

struct pings *pings_new(uv_loop_t *loop);
/* Nobody waits. closed follows from the loop. */
void pings_close(struct pings *pings, pctl_closed_fn *closed, void *data);

struct ping;
typedef void ping_answered_fn(struct ping *ping, const struct rmcp_pong *pong);

/* Somebody who waits for a pong of one address; all zero is nobody. */
struct ping {
	struct pings *pings; /* NULL: nobody */
	struct ping *next, *previous;
	struct sockaddr_storage addr;
	socklen_t len;
	ping_answered_fn *answered;
};

/* Waits from now on. answered may come any number of times, until ping_leave(). PCTL_E_INTERNAL:
 * there is no socket. */
int ping_join(struct pings *pings, struct ping *ping, const struct sockaddr_storage *addr,
	socklen_t len, ping_answered_fn *answered, struct pctl_error *err);
/* 0, or an errno value: there is no way to that address. Other losses are silence. */
int ping_send(const struct ping *ping);
/*
 * Hands out what has come and was not read yet: the loop runs timers first, and one that was late
 * would miss it.
 */
void ping_look(const struct ping *ping);
void ping_leave(struct ping *ping);

#endif
