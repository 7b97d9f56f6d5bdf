/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One BMC's session. It logs in when there is something to send, has one request on its way at a
 * time, repeats what got lost, and says goodbye. session.c does this for whatever phase it is in;
 * login.c has the phases of a login (specification section 13, figures 13-5 and 13-6).
 */
#ifndef POWERCTL_IPMI_SESSION_H
#define POWERCTL_IPMI_SESSION_H

#include <powerctl/driver.h>
#include <powerctl/udp.h>

#include "command.h"
#include "wire.h"

struct ipmi_dev;
struct session;

enum phase {
	PHASE_IDLE,      /* no session */
	PHASE_CAPS,      /* is it there, and what does it speak? */
	PHASE_CHALLENGE, /* IPMI 1.5: */
	PHASE_ACTIVATE,
	PHASE_OPEN, /* RMCP+: */
	PHASE_RAKP1,
	PHASE_RAKP3,
	PHASE_PRIVILEGE,
	PHASE_READY, /* logged in, nothing under way */
	PHASE_COMMAND,
	PHASE_CLOSE,
	PHASE_COUNT,
};

#define SUITES_MAX 2u

struct session {
	struct ipmi_dev *dev;
	struct pctl_udp_member member;
	uv_timer_t timer;
	enum phase phase;
	struct security security;

	/* The message of this phase, if it is one. */
	const struct command *command;
	uint8_t data[COMMAND_DATA_MAX];
	size_t len;
	uint8_t sequence; /* 6 bits; the same when it is repeated, so that the BMC can tell */
	uint8_t tag;      /* the same for RMCP+ */

	int send_errno;                  /* of the latest packet; 0: it left */
	unsigned sent;                   /* how often, in this phase */
	uint64_t began, limit;           /* of this phase, in loop time */
	uint64_t login_began, last_came; /* the same */
	unsigned busy;                   /* answers "node busy" in a row */
	bool rmcpplus, privilege_set, plain_caps;
	uint8_t suites[SUITES_MAX]; /* to be tried */
	size_t suites_n, suite;
	bool suite_refused; /* the one before: not just without an answer */
	unsigned restarts;  /* of this login */

	pctl_closed_fn *closed;
	void *closed_data;
};

/*
 * Sends dev's command (dev->call), logging in first where needed. ipmi_call_answered() follows,
 * from the loop.
 */
void session_send(struct ipmi_dev *dev);
/* The answer is of no interest any more. */
void session_cancel(struct ipmi_dev *dev);
/* Says goodbye, frees the session, then calls closed; dev->session is NULL at once. */
void session_close(struct ipmi_dev *dev, pctl_closed_fn *closed, void *data);
/* What came from its address. */
bool session_receive(struct pctl_udp_member *member, const uint8_t *packet, size_t len);

/* --- For login.c. ----------------------------------------------------------------------------- */

/* Goes to a phase and sends its packet; limit_ms: how long the BMC may be silent. */
void session_enter(struct session *s, enum phase phase, uint64_t limit_ms);
/* The same with an IPMI message. */
void session_enter_message(struct session *s, enum phase phase, uint64_t limit_ms,
	const struct command *command, const void *data, size_t len);
/* The login is over: sends what was waiting. */
void session_ready(struct session *s);
/* Sends Close Session, once, and waits for nothing. */
void session_say_goodbye(struct session *s);
/* Nothing is left of the session; the call fails with err. */
void session_fail(struct session *s, const struct pctl_error *err);

/* --- login.c ---------------------------------------------------------------------------------- */

void login_begin(struct session *s);
/* Packets of the phases of a login: 0 on failure. */
size_t login_pack(struct session *s, uint8_t *packet);
/* Whether it was the answer that this phase waits for. */
bool login_receive(struct session *s, const uint8_t *packet, size_t len);
/* The phase's limit is over and nothing came. */
void login_silence(struct session *s);
/* It is not gone on with: a BMC that waits for the next step is told. */
void login_break_off(struct session *s);

#endif
