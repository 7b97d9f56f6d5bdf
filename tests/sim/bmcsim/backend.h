/* SPDX-License-Identifier: Apache-2.0 */
/* The other end of the serial line: the terminal, or a TCP or Unix socket. */
#ifndef POWERCTL_BMCSIM_BACKEND_H
#define POWERCTL_BMCSIM_BACKEND_H

#include "util.h"

struct device;
struct backend;

typedef void backend_output_fn(void *arg, const uint8_t *p, size_t n);

/* "terminal", "tcp:ADDRESS:PORT" or "unix:PATH". */
bool backend_valid(struct str where);
/* Calls output only later, from the loop or from within input and brk. */
struct backend *backend_open(struct device *dev, backend_output_fn *output, void *arg);
/* No further output; its memory goes when the loop has let go of it. NULL is fine. */
void backend_close(struct backend *b);
/* How many of the bytes it took. */
size_t backend_input(struct backend *b, const uint8_t *p, size_t n);
void backend_break(struct backend *b);
/* A socket is not read while paused. */
void backend_pause(struct backend *b, bool paused);

#endif
