/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to a redirection port: bytes out through a bounded queue, frames in. Who uses it
 * changes when a login is over; see session.h.
 */
#ifndef POWERCTL_AMT_REDIRECTION_WIRE_H
#define POWERCTL_AMT_REDIRECTION_WIRE_H

#include "redirection/frame.h"

struct amt_dev;
struct wire;

/* From the loop, never from within a function below; all of them may be called in there. */
struct wire_user {
	/* The connection is there. NULL: it is there already. */
	void (*opened)(void *data);
	/* A whole frame, which lives for the call. NULL: none is read until wire_use(). */
	void (*frame)(void *data, const struct frame *frame);
	/* All that was written has left. May be NULL. */
	void (*drained)(void *data);
	/* No connection, it ended, or what came makes no sense: last, once. Then close it. */
	void (*ended)(void *data, const struct pctl_error *err);
};

/*
 * Connects to the redirection port that goes with the WS-Management port in use, over TLS where
 * that is. On failure nothing is there and nothing follows.
 */
int wire_open(struct amt_dev *dev, const struct wire_user *user, void *data, struct wire **ret,
	struct pctl_error *err);
/* From here on another user, another speech. */
void wire_use(struct wire *wire, const struct wire_user *user, void *data);
void wire_speak(struct wire *wire, enum frame_speech speech);

bool wire_is_tls(const struct wire *wire);
/* Whether a frame has begun to come and not ended, also where the connection has. */
bool wire_is_inside(const struct wire *wire);

/*
 * Sends out's bytes, or as many as go, and the rest later; out is empty then. PCTL_E_BUSY, and
 * nothing is sent: more than 64 kB wait already; drained() says when to go on.
 */
int wire_send(struct wire *wire, struct pctl_buf *out, struct pctl_error *err);
/* How many bytes wait to leave. */
size_t wire_queued(const struct wire *wire);

/* The next frame comes within ms, or it is over with PCTL_E_TIMEOUT. 0: whenever it comes. */
void wire_expect(struct wire *wire, uint64_t ms);

/* Reads nothing from the device, until it is told to again: it will wait, or lose what it has. */
void wire_pause(struct wire *wire, bool pause);

/*
 * The descriptor, for a protocol without frames: nothing beyond the last frame was read, and the
 * wire is gone as after wire_close(). -1, and nothing has changed: it is over TLS
 * (wire_use_bytes()), or something waits to leave.
 */
int wire_take(struct wire *wire);

/*
 * Bytes in place of frames: from now on data() has them as they come, within a call of it. It takes
 * all of them; wire_pause() holds back further ones.
 */
void wire_use_bytes(struct wire *wire, void (*data)(void *user, const uint8_t *bytes, size_t len));

/* Hangs up; what waits to leave is lost. Takes NULL. */
void wire_close(struct wire *wire);

#endif
