/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ipmi.h"

#include <stdlib.h>
#include <string.h>

#include <powerctl/log.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#define FIRST_MS   400u /* until a packet is sent again; then half as long again each time */
#define MOST_MS    2000u
#define STEADY     8u /* as many of a first question go FIRST_MS apart */
#define CLOSE_MS   1200u
#define BUSY_MS    250u /* after "node busy", doubled each time */
#define BUSY_TRIES 5u
/* BMCs forget a silent session after 60 s, give or take 3 (section 6.12.15). */
#define FORGOTTEN_MS 50000u

#define CODE_NODE_BUSY  0xc0
#define CODE_DUPLICATE  0xcf
#define CODE_PRIVILEGED 0xd4

static uint64_t now(const struct session *s)
{
	return uv_now(s->timer.loop);
}

/* The BMC knows us by now. */
static bool established(const struct session *s)
{
	return s->phase >= PHASE_PRIVILEGE;
}

/* --- Sending, and sending again. -------------------------------------------------------------- */

static size_t pack_message(struct session *s, uint8_t *packet)
{
	const struct message message = {
		.netfn = s->command->netfn,
		.sequence = s->sequence,
		.command = s->command->cmd,
		.data = s->data,
		.len = s->len,
	};
	const struct credential *credential = &s->dev->credential;
	struct wire *wire = s->dev->ipmi->wire;

	return s->rmcpplus ? rmcpplus_pack(wire, &s->security, credential, &message, packet)
			   : lan_pack(wire, &s->security, credential, &message, packet);
}

static void on_timer(uv_timer_t *timer);
static void finish(struct session *s);

/*
 * A second reset would reset again: some BMCs take seconds for one, and know no duplicates. And a
 * second activation is a second try of the password, to which IPMI 1.5 says nothing if it is wrong.
 */
static bool once(const struct session *s)
{
	return s->phase == PHASE_ACTIVATE ||
	       (s->phase == PHASE_COMMAND && (s->command->flags & COMMAND_ONCE));
}

/*
 * A lost packet of what comes before a session makes a node "unreachable" or costs it a cipher
 * suite, within a few seconds: these go out at a steady pace while a node that is there would
 * answer. The others have the time that an answer takes, and BMCs that do something for each.
 */
static unsigned steady_sends(const struct session *s)
{
	return s->phase == PHASE_CAPS || s->phase == PHASE_OPEN ? STEADY : 1;
}

static void wait_for_answer(struct session *s)
{
	uint64_t end = s->began + s->limit, left = end > now(s) ? end - now(s) : 0;
	uint64_t pause = FIRST_MS;

	for (unsigned i = steady_sends(s); i < s->sent && pause < MOST_MS; i++)
		pause = pause * 3 / 2 < MOST_MS ? pause * 3 / 2 : MOST_MS;
	(void)uv_timer_start(&s->timer, on_timer, once(s) || pause > left ? left : pause, 0);
}

static void transmit(struct session *s)
{
	uint8_t packet[WIRE_PACKET_MAX];
	size_t len = established(s) ? pack_message(s, packet) : login_pack(s, packet);
	struct pctl_error err = { 0 };

	if (!len && s->phase == PHASE_CLOSE) {
		finish(s); /* no call waits for this one */
		return;
	}
	if (!len) {
		if (wire_need_descriptor(&err) == 0)
			pctl_error_set(
				&err, PCTL_E_INTERNAL, "libfreeipmi could not make the packet");
		session_fail(s, &err);
		return;
	}
	s->sent++;
	s->send_errno = pctl_udp_send(&s->member, packet, len);
	wait_for_answer(s);
}

void session_enter(struct session *s, enum phase phase, uint64_t limit_ms)
{
	s->phase = phase;
	s->sent = 0;
	s->began = now(s);
	s->limit = limit_ms;
	s->tag++;
	s->sequence = (s->sequence + 1) & 0x3f;
	transmit(s);
}

void session_enter_message(struct session *s, enum phase phase, uint64_t limit_ms,
	const struct command *command, const void *data, size_t len)
{
	s->command = command;
	s->len = len;
	if (len)
		memcpy(s->data, data, len);
	session_enter(s, phase, limit_ms);
}

/* --- Ends. ------------------------------------------------------------------------------------ */

/* Its command has come to its end: what was sent with it may be a password. */
static void rest(struct session *s)
{
	s->phase = PHASE_READY;
	explicit_bzero(s->data, sizeof(s->data));
}

static void set_goodbye(struct session *s)
{
	for (size_t i = 0; i < 4; i++)
		s->data[i] = (uint8_t)(s->security.system_id >> (8 * i));
	s->len = 4;
	s->command = &command_close_session;
	s->sequence = (s->sequence + 1) & 0x3f;
}

void session_say_goodbye(struct session *s)
{
	uint8_t packet[WIRE_PACKET_MAX];

	set_goodbye(s);
	size_t len = pack_message(s, packet);
	if (len)
		(void)pctl_udp_send(&s->member, packet, len);
}

/* Nothing is left; a BMC that may still hold the session is told, and not waited for. */
static void forget(struct session *s)
{
	/* After RAKP 3 the BMC may have opened it, whether we hear of that or not. */
	if (established(s) || s->phase == PHASE_RAKP3)
		session_say_goodbye(s);
	(void)uv_timer_stop(&s->timer);
	s->phase = PHASE_IDLE;
	explicit_bzero(&s->security, sizeof(s->security));
	explicit_bzero(s->data, sizeof(s->data));
}

void session_fail(struct session *s, const struct pctl_error *err)
{
	struct ipmi_dev *dev = s->dev;

	forget(s);
	ipmi_call_answered(dev, NULL, err);
}

void session_cancel(struct ipmi_dev *dev)
{
	struct session *s = dev->session;

	if (!s)
		return;
	(void)uv_timer_stop(&s->timer);
	if (established(s)) {
		rest(s);
		return;
	}
	login_break_off(s);
	forget(s);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct session *s = pctl_container_of((uv_timer_t *)handle, struct session, timer);
	pctl_closed_fn *closed = s->closed;
	void *data = s->closed_data;

	explicit_bzero(s, sizeof(*s));
	free(s);
	closed(data);
}

static void finish(struct session *s)
{
	pctl_udp_leave(&s->member);
	uv_close((uv_handle_t *)&s->timer, on_timer_closed);
}

void session_close(struct ipmi_dev *dev, pctl_closed_fn *closed, void *data)
{
	struct session *s = dev->session;

	if (!s) {
		closed(data);
		return;
	}
	dev->session = NULL;
	s->closed = closed;
	s->closed_data = data;
	if (!established(s)) {
		finish(s);
		return;
	}
	s->phase = PHASE_CLOSE;
	set_goodbye(s);
	s->sent = 0;
	s->began = now(s);
	s->limit = CLOSE_MS;
	transmit(s);
}

/* --- Silence. --------------------------------------------------------------------------------- */

static void give_up(struct session *s)
{
	struct pctl_error err = { 0 };
	char limit[32];

	if (s->phase == PHASE_CLOSE) {
		finish(s);
		return;
	}
	if (!established(s)) {
		login_silence(s);
		return;
	}
	pctl_format_duration(s->limit, limit, sizeof(limit));
	pctl_error_set(&err, PCTL_E_TIMEOUT, "no answer to '%s' in %s", s->command->name, limit);
	session_fail(s, &err);
}

static void on_timer(uv_timer_t *timer)
{
	struct session *s = pctl_container_of(timer, struct session, timer);

	if (now(s) >= s->began + s->limit)
		give_up(s);
	else
		transmit(s);
}

/* --- The user's command. ---------------------------------------------------------------------- */

static void send_command(struct session *s)
{
	struct call *call = &s->dev->call;

	if (call->command->flags & COMMAND_CHANGES)
		pctl_op_committed(call->op);
	session_enter_message(s, PHASE_COMMAND, pctl_device_answer_ms(s->dev->device),
		call->command, call->data, call->len);
}

/* A session begins with the rights of USER (section 6.12.16): more has to be asked for. */
static void ask_for_privilege(struct session *s)
{
	const uint8_t level = s->security.privilege;

	session_enter_message(s, PHASE_PRIVILEGE, pctl_device_answer_ms(s->dev->device),
		&command_set_session_privilege, &level, 1);
}

void session_ready(struct session *s)
{
	s->phase = PHASE_READY;
	s->busy = 0;
	if (s->security.privilege > PRIVILEGE_USER && !s->privilege_set)
		ask_for_privilege(s);
	else
		send_command(s);
}

static struct session *new_session(struct ipmi_dev *dev, struct pctl_error *err)
{
	struct session *s = pctl_xcalloc(1, sizeof(*s));
	struct sockaddr_storage addr;
	socklen_t len;

	int r = pctl_device_datagram_address(dev->device, dev->port, &addr, &len, err);
	if (r == 0)
		r = pctl_udp_join(
			dev->ipmi->udp, &s->member, (const struct sockaddr *)&addr, len, err);
	if (r < 0) {
		free(s);
		return NULL;
	}
	s->dev = dev;
	(void)uv_timer_init(pctl_device_loop(dev->device), &s->timer);
	return s;
}

/* What the session can do is not enough, or the BMC has forgotten it by now. */
static bool outworn(const struct session *s)
{
	return s->phase == PHASE_READY && (ipmi_privilege(s->dev) > s->security.privilege ||
						  now(s) - s->last_came > FORGOTTEN_MS);
}

void session_send(struct ipmi_dev *dev)
{
	struct pctl_error err = { 0 };

	if (!dev->session)
		dev->session = new_session(dev, &err);
	if (!dev->session) {
		ipmi_call_answered(dev, NULL, &err);
		return;
	}
	if (outworn(dev->session))
		forget(dev->session);
	if (dev->session->phase == PHASE_READY)
		session_ready(dev->session);
	else
		login_begin(dev->session);
}

/* --- Answers. --------------------------------------------------------------------------------- */

static void on_busy_over(uv_timer_t *timer)
{
	struct session *s = pctl_container_of(timer, struct session, timer);

	if (s->phase == PHASE_PRIVILEGE)
		ask_for_privilege(s);
	else
		send_command(s);
}

/* It was not taken, so the same may be sent again. */
static bool try_later(struct session *s, const struct message *answer)
{
	if (answer->code != CODE_NODE_BUSY || s->busy == BUSY_TRIES)
		return false;
	if (s->phase == PHASE_COMMAND && (s->command->flags & COMMAND_CHANGES))
		pctl_op_not_taken(s->dev->call.op);
	s->sequence = (s->sequence + 1) & 0x3f; /* the same answer, come twice, is not another */
	(void)uv_timer_start(&s->timer, on_busy_over, (uint64_t)BUSY_MS << s->busy++, 0);
	return true;
}

static void on_privilege(struct session *s, const struct message *answer)
{
	struct pctl_error err = { 0 };

	(void)uv_timer_stop(&s->timer);
	if (try_later(s, answer))
		return;
	/* The next try goes on in this session: a busy BMC has no room for one after the other. */
	if (answer->code == CODE_NODE_BUSY) {
		completion_error(s->command, answer->code, &err);
		s->phase = PHASE_READY;
		ipmi_call_answered(s->dev, NULL, &err);
		return;
	}
	if (answer->code) {
		completion_error(s->command, answer->code, &err);
		session_fail(s, &err);
		return;
	}
	s->privilege_set = true;
	session_ready(s);
}

static void on_command(struct session *s, const struct message *answer)
{
	/* What was repeated and is being worked on, or was: ask under another number. */
	if (answer->code == CODE_DUPLICATE && s->sent > 1) {
		s->sequence = (s->sequence + 1) & 0x3f;
		return;
	}
	(void)uv_timer_stop(&s->timer);
	if (try_later(s, answer))
		return;
	if (answer->code == CODE_PRIVILEGED && !s->privilege_set) {
		ask_for_privilege(s);
		return;
	}
	rest(s);
	ipmi_call_answered(s->dev, answer, NULL);
}

static bool receive_message(struct session *s, const uint8_t *packet, size_t len)
{
	const struct credential *credential = &s->dev->credential;
	struct wire *wire = s->dev->ipmi->wire;
	struct message m;

	if (s->phase == PHASE_READY ||
		!(s->rmcpplus ? rmcpplus_unpack(wire, &s->security, credential, packet, len, &m)
			      : lan_unpack(wire, &s->security, credential, packet, len, &m)))
		return false;
	/* Late answers to what nobody waits for any more. */
	if (m.netfn != (s->command->netfn | 1) || m.command != s->command->cmd ||
		m.sequence != s->sequence)
		return false;
	s->last_came = now(s);
	if (s->phase == PHASE_PRIVILEGE)
		on_privilege(s, &m);
	else if (s->phase == PHASE_COMMAND)
		on_command(s, &m);
	else if (m.code == CODE_NODE_BUSY)
		s->sequence = (s->sequence + 1) & 0x3f; /* of the next goodbye */
	else
		finish(s);
	return true;
}

bool session_receive(struct pctl_udp_member *member, const uint8_t *packet, size_t len)
{
	struct session *s = pctl_container_of(member, struct session, member);
	enum wire_format format = wire_format(packet, len);

	if (format == WIRE_OTHER || s->phase == PHASE_IDLE)
		return false;
	if (!established(s))
		return login_receive(s, packet, len);
	return (format == WIRE_RMCPPLUS) == s->rmcpplus && receive_message(s, packet, len);
}
