/* SPDX-License-Identifier: Apache-2.0 */
/* What sessions of all kinds share: a timer that outlives their connection, numbered frames, and
 * frames that make no sense. */
#ifndef POWERCTL_AMTSIM_REDIR_SESSION_H
#define POWERCTL_AMTSIM_REDIR_SESSION_H

#include "redir.h"

/* The first member of each. */
struct redir_session {
	uv_timer_t timer;
	struct redir_conn *conn; /* NULL: it has ended */
	struct device *dev;
	uint32_t number; /* of the next frame from here */
	bool open;
	void (*done)(void *session); /* releases what is its own; NULL: nothing */
};

/* Zeroed but for that, of size bytes. */
void *redir_session_begin(struct redir_conn *c, size_t size, void (*done)(void *session));
/* As struct redir_protocol has it. */
void redir_session_end(void *session);

/* Eight bytes, and n more. */
void redir_frame(struct redir_session *s, uint8_t command, const void *p, size_t n);

/* What a kind of session makes of the words that all have. */
struct redir_nonsense {
	uint8_t cut; /* a frame of this command ends after ten bytes, and so does the connection */
	uint8_t large; /* one of this command, with its length at large_at, is as large as can be */
	uint8_t large_at;
	const char *alien; /* a frame of another kind */
	uint8_t alien_n;
};

/* unknown, interleave, truncate, oversize; false: another word. */
bool redir_talk_nonsense(
	struct redir_session *s, const struct redir_nonsense *how, struct str word);

#endif
