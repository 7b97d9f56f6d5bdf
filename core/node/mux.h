/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What OpenSSH's client speaks on its control socket (PROTOCOL.mux of its source): one connection
 * of ours asks for one forwarded TCP connection and lends it a descriptor. Bytes in, bytes out.
 */
#ifndef POWERCTL_CORE_MUX_H
#define POWERCTL_CORE_MUX_H

#include <stdint.h>

#include <powerctl/error.h>

#define PCTL_MUX_TAKE_MAX 2048u
#define PCTL_MUX_SEND_MAX 512u

struct pctl_mux {
	uint8_t taken[PCTL_MUX_TAKE_MAX];
	size_t taken_n;
};

/*
 * Our hello and the wish to be connected to host and port. Behind it go two descriptors, each with
 * a byte of zero: what is read from and what is written to. Their number of bytes, or
 * PCTL_E_CONFIG: the name is too long.
 */
int pctl_mux_ask(
	uint8_t bytes[PCTL_MUX_SEND_MAX], const char *host, uint16_t port, struct pctl_error *err);

/*
 * Takes what came. 1: the connection is there; what follows is of no interest. 0: go on. Negative:
 * it is not, for this reason; PCTL_E_REFUSED: the far side did not get through, and why only stands
 * in what the program prints.
 */
int pctl_mux_take(struct pctl_mux *mux, const uint8_t *data, size_t len, struct pctl_error *err);

#endif
