/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A relay in front of the device, with faults: a process of its own, so that nothing of it counts
 * as the driver's. TCP and UDP on the same port numbers; the mode is changed through shared memory.
 */
#ifndef POWERCTL_CONFORM_RELAY_H
#define POWERCTL_CONFORM_RELAY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RELAY_PORTS 4u
#define RELAY_TURNS 64u

enum relay_mode {
	RELAY_PASS,
	RELAY_SILENT,  /* takes everything, says nothing: a half-open connection */
	RELAY_DEAF,    /* and takes no new connection either: nobody is there any more */
	RELAY_RESET,   /* resets the connection at the first request; drops datagrams */
	RELAY_GARBAGE, /* answers each request with nonsense */
	RELAY_TRICKLE, /* answers come one byte at a time; datagrams whole */
	RELAY_SLOW,    /* each answer is arg ms late */
	RELAY_CUT,  /* ends the connection after arg bytes of answers; datagrams are cut to that */
	RELAY_LOSE, /* the first arg requests are answered; of those after them the answers are lost
		     */
};

/* What is counted begins at 0 when the mode is set. */
struct relay_shared {
	_Atomic(enum relay_mode) mode;
	_Atomic(unsigned) arg;
	_Atomic(unsigned)
		requests; /* parts, as they happen to come, and datagrams from the driver */
	_Atomic(unsigned) datagrams;
	_Atomic(unsigned) connections; /* that were taken */
	/*
	 * Over TCP, however the bytes are cut on their way: what the driver sent from one answer to
	 * the next, or, where it is encrypted, each record of data. How many, and of the first ones
	 * how many bytes.
	 */
	_Atomic(unsigned) turns_n;
	_Atomic(unsigned) turns[RELAY_TURNS];
	_Atomic(unsigned) repeats;    /* of the turns: byte for byte what came before */
	_Atomic(unsigned) generation; /* how often the mode was set */
	_Atomic(unsigned) applied;    /* up to which of these the relay has seen it */
	bool runs;
	int wake; /* what is written to it wakes the relay */
};

struct relay_ports {
	size_t n;
	uint16_t relay[RELAY_PORTS];  /* where the relay listens */
	uint16_t nobody[RELAY_PORTS]; /* where nobody does; the same numbers are kept from others */
};

/*
 * Starts it in front of these ports of host. The process id, or -1 with a text in why (of size
 * bytes). It ends with its parent, or by SIGTERM.
 */
pid_t relay_start(const char *host, const uint16_t *ports, size_t n, struct relay_shared *shared,
	struct relay_ports *ret, char *why, size_t size);
void relay_stop(pid_t pid);

/* Sets what happens from now on, and returns when it does. */
void relay_set(struct relay_shared *shared, enum relay_mode mode, unsigned arg);

#endif
