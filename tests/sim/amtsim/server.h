/* SPDX-License-Identifier: Apache-2.0 */
/* The devices' ports: listeners, connections, and every knob that spoils one. */
#ifndef POWERCTL_AMTSIM_SERVER_H
#define POWERCTL_AMTSIM_SERVER_H

#include <sys/socket.h>

#include "http.h"

/* More devices than this, told apart by address, share one listener. */
enum { SERVER_SHARED = 1000 };

struct conn;
struct device;
struct sim;

/* What the service made of a request. */
struct reply {
	/* Close the connection without a byte. */
	bool lost;
	/* Read it and stay silent. */
	bool silent;
	bool close;
	/* Where a cut answer ends; 0: it is whole. */
	size_t cut;
	/* Bytes that follow sim->out, made up as they go. */
	uint64_t filler;
};

/* Gives every device its address and opens the ports; 0, or -1 having said what is in the way. */
int server_start(struct sim *sim);
/* Closes listeners and connections. */
void server_stop(struct sim *sim);
/* Whose address that is; NULL: nobody's. */
struct device *server_find(struct sim *sim, const struct sockaddr *address);
/* Opens or closes a device's ports as its profile and knobs say now. */
void server_sync(struct device *dev);

#endif
