/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names to addresses. Each name is looked up once, by a worker thread of libuv's, and the answer is
 * shared and kept for a while. A name server that does not answer holds such a thread for as long
 * as the system's resolver likes; so names wait here for a free one, and whoever asks hears when
 * there is no sense in waiting any longer.
 */
#ifndef POWERCTL_CORE_RESOLVE_H
#define POWERCTL_CORE_RESOLVE_H

#include <sys/socket.h>
#include <uv.h>

#define PCTL_RESOLVED_KEPT_MS   ((uint64_t)300000)
#define PCTL_UNRESOLVED_KEPT_MS ((uint64_t)5000)
/* What is asked while the name servers are known to be silent waits this long for them. */
#define PCTL_RESOLVE_GRACE_MS ((uint64_t)1000)

struct pctl_resolver;
struct pctl_lookup;
struct pctl_asking;

/* addr NULL: there is none, and status is libuv's (or the system's, as libuv has it) reason. */
typedef void pctl_resolved_fn(struct pctl_asking *asking, const struct sockaddr *addr, int status);

/* Somebody who waits for an answer; the caller's memory. */
struct pctl_asking {
	pctl_resolved_fn *resolved;
	struct pctl_lookup *lookup; /* NULL: not waiting */
	struct pctl_asking *next;
	uint64_t asked; /* loop time in ms */
};

struct pctl_resolver *pctl_resolver_new(uv_loop_t *loop);
/* Nobody waits. Look-ups that run cannot be stopped: they end by themselves, unheard. */
void pctl_resolver_free(struct pctl_resolver *resolver);

/*
 * 1: *ret is the answer, without a port. Negative: libuv's reason, found out a moment ago. 0:
 * asking->resolved follows, once, from the loop, unless pctl_asking_leave() comes first.
 */
int pctl_resolve(struct pctl_resolver *resolver, const char *name, struct pctl_asking *asking,
	struct sockaddr_storage *ret);
void pctl_asking_leave(struct pctl_asking *asking);

/*
 * The loop time (ms) at which waiting makes no sense any more for whoever has limit_ms for an
 * answer: the look-up has had that long, or no name server has answered anything for that long. A
 * name that still waits for a thread while others are answered has all its time before it, so ask
 * again when that time has come.
 */
uint64_t pctl_asking_due(const struct pctl_asking *asking, uint64_t limit_ms);

#endif
