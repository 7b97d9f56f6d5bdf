/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gateways that are reached by the system's ssh: one program and one login for each, which all
 * nodes behind it share, and which ends with us. How it logs in is ssh's own configuration's matter
 * (keys, agents, known_hosts); it never asks anybody anything.
 */
#ifndef POWERCTL_CORE_GATEWAY_H
#define POWERCTL_CORE_GATEWAY_H

#include <powerctl/driver.h>

#include "node/via.h"

struct pctl_gateways;
struct pctl_gateway;

struct pctl_gateways *pctl_gateways_new(uv_loop_t *loop);
/* Ends them; closed comes from the loop, or at once. Frees it all. Nobody waits any more. */
void pctl_gateways_close(struct pctl_gateways *all, pctl_closed_fn *closed, void *data);

struct pctl_gateway *pctl_gateway_get(struct pctl_gateways *all, const struct pctl_via *via);

/* Somebody who wants to go through one; the caller's memory. */
struct pctl_gateway_wait {
	struct pctl_gateway *gateway; /* NULL: not waiting */
	/* err NULL: it is up. Never from within pctl_gateway_join(). */
	void (*told)(struct pctl_gateway_wait *wait, const struct pctl_error *err);
	struct pctl_gateway_wait *next;
};

/*
 * 1: it is up. 0: it logs in, wait->told follows unless pctl_gateway_leave() comes first. Negative:
 * it has failed a moment ago, or has as many connections as it may have (which is a shortage: the
 * node waits until another one has ended).
 */
int pctl_gateway_join(
	struct pctl_gateway *gw, struct pctl_gateway_wait *wait, struct pctl_error *err);
void pctl_gateway_leave(struct pctl_gateway_wait *wait);

/* Each connection through it, from pctl_gateway_join() to its end. */
void pctl_gateway_count(struct pctl_gateway *gw, int difference);

/* Its control socket; NULL while it is not up. */
const char *pctl_gateway_socket(const struct pctl_gateway *gw);

/*
 * Why it did not get through to a node, from what it has printed by now. Where several failed at
 * the same time and for different reasons, all are named.
 */
int pctl_gateway_why(struct pctl_gateway *gw, struct pctl_error *err);

/* Looks now whether it is still there; if not, false and why. */
bool pctl_gateway_alive(struct pctl_gateway *gateway, struct pctl_error *err);

/* Pure, for tests: what ssh printed, as a class and words; PCTL_E_UNREACHABLE where it is unclear.
 */
int pctl_gateway_explain(const char *said, const char *destination, struct pctl_error *err);
/* The reason in a line "channel 3: open failed: connect failed: Connection refused", or NULL. */
const char *pctl_gateway_reason(const char *line);
int pctl_gateway_explain_open(const char *reason, struct pctl_error *err);

#endif
