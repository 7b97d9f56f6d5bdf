/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all sessions share: they begin within an op, beat, end by themselves or are closed with a
 * goodbye, and say who took them. A kind of session is a table; its own struct begins with a struct
 * session:
 *
 *	session_begin(&s->session, &kind, dev, op, ret_session);
 *	session_start(&s->session, false);	now, or from a callback of one of the op's requests
 *
 * It ends the op well by session_opened(), or with why not by session_end(); aborting the op ends
 * all of it.
 */
#ifndef POWERCTL_AMT_REDIRECTION_SESSION_H
#define POWERCTL_AMT_REDIRECTION_SESSION_H

#include "amt.h"
#include "redirection/asking.h"
#include "redirection/opening.h"
#include "redirection/tap.h"

struct session;

struct session_kind {
	enum redirection what;
	const char *word; /* `kind` in its facts */
	const char *name; /* as people know it: "Serial over LAN" */
	const struct pctl_control *controls;
	/* What it means where the device hangs up before it is open; NULL: nothing of its own. */
	const char *not_opened;
	uint64_t beat_ms;    /* 0: no beat() */
	uint64_t silence_ms; /* see session_expect() */

	/* Logged in: sends what opens it. */
	void (*start)(struct session *s);
	/* A frame before it is open; then one of an open one. NULL: then there are only bytes. */
	void (*opening)(struct session *s, const struct frame *frame);
	void (*frame)(struct session *s, const struct frame *frame);
	/* What the user types, where the session has a tap: what is to be sent is added to out. */
	void (*typed)(struct session *s, const char *bytes, size_t len, struct pctl_buf *out);
	/* All that was sent has left. May be NULL, as those that follow. */
	void (*room)(struct session *s);
	void (*beat)(struct session *s);
	void (*tell_facts)(struct session *s, struct pctl_value *facts);
	/* Adds what the device answers by a frame `goodbye`; NULL: just hang up. */
	void (*farewell)(struct session *s, struct pctl_buf *out);
	uint8_t goodbye;
	/* Last; frees all of it. */
	void (*free)(struct session *s);
};

enum session_state {
	SESSION_OPENING, /* within the op */
	SESSION_OPEN,
	SESSION_ASKING,   /* the connection is gone, and the device is asked who has it now */
	SESSION_DRAINING, /* it is over, and the user has not read all of it */
	SESSION_OVER,     /* said so, or about to when it is closed */
	SESSION_LEAVING,  /* closed; the goodbye is on its way */
	SESSION_GONE,
};

struct session {
	struct pctl_session user; /* what the user sees */
	const struct session_kind *kind;
	struct amt_dev *dev;
	struct pctl_session **ret_session;
	enum session_state state;
	/* NULL: it is over, or its descriptor is the user's (wire_take()). */
	struct wire *wire;
	bool again;     /* set before session_start(): what is switched off is left off */
	struct tap tap; /* where the user does not have the device's own descriptor */
	struct redirection_facts facts;
	/* Private. */
	uv_timer_t timer;
	unsigned handles;
	struct asking asking;
	bool asked_again;
	bool closed;
	uint64_t silence_ms;
	struct pctl_error why; /* it ended */
};

/* s is zeroed but for the kind's own. From here on it frees itself. */
void session_begin(struct session *s, const struct session_kind *kind, struct amt_dev *dev,
	struct pctl_op *op, struct pctl_session **ret_session);
/* steal: ends the one that somebody else has. */
void session_start(struct session *s, bool steal);

/* Gives the user a tap as his descriptor. */
int session_tap(struct session *s, struct pctl_error *err);
/* Whether that is the frame by which the device agrees; it has ended where it does not. */
bool session_agreed(struct session *s, const struct frame *frame, uint8_t command);
/* It is open, and the op ends well. */
void session_opened(struct session *s);

/* A line for whoever looks at it. */
void session_note(struct session *s, const char *text);

/* Sends out and empties it. What the device does not take is lost. */
void session_send(struct session *s, struct pctl_buf *out);
/* Sends what is in out; a device that does not take it ends the session. */
void session_send_all(struct session *s, struct pctl_buf *out);

/*
 * From the next frame on a device that says nothing for so long is gone; 0: it may. Not while the
 * user does not take what there is.
 */
void session_expect(struct session *s, uint64_t silence_ms);

/* What came for the user, where there is a tap. */
void session_give(struct session *s, const void *bytes, size_t len);

/* Ends what opens or is open, all else stays as it is. err NULL: as it should be. */
void session_end(struct session *s, const struct pctl_error *err);
void session_fail(struct session *s, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
