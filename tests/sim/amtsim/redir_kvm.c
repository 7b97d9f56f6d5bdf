/* SPDX-License-Identifier: Apache-2.0 */
/* What stands before RFB: a frame at the redirection ports, nothing at the VNC port. */
#include "redir_kvm.h"

#include "redir_session.h"
#include "rfb.h"
#include "sim.h"

enum { OPEN = 0x40, OPENED = 0x41, REFUSED = 1, FRAME = 8 };

static void *begin(struct redir_conn *c)
{
	return rfb_begin(c, false);
}

static void agree(struct redir_session *s)
{
	static const struct redir_nonsense nonsense = { .alien = "\x2A\0\0\0\0\0\0\0\2\0hi",
		.alien_n = 12 };
	static const uint8_t agreed[FRAME] = { OPENED }, refused[FRAME] = { OPENED, REFUSED };

	switch (s->dev->knobs.kvm_fault) {
	case KVM_FAULT_FRAME_UNKNOWN:
		(void)redir_talk_nonsense(s, &nonsense, STR("unknown"));
		return;
	case KVM_FAULT_FRAME_INTERLEAVE:
		(void)redir_talk_nonsense(s, &nonsense, STR("interleave"));
		return;
	case KVM_FAULT_FRAME_TRUNCATE:
		redir_send(s->conn, agreed, FRAME / 2);
		redir_hang_up(s->conn);
		return;
	case KVM_FAULT_FRAME_REFUSED:
		redir_send(s->conn, refused, FRAME);
		return;
	default:
		redir_send(s->conn, agreed, FRAME);
		break;
	}
	if (s->dev->knobs.kvm_fault != KVM_FAULT_SILENT)
		rfb_greet(s);
}

static size_t take(struct redir_conn *c, void *session, const uint8_t *p, size_t n)
{
	struct redir_session *s = session;

	if (s->open)
		return rfb_take(c, session, p, n);
	if (n < FRAME)
		return 0;
	if (p[0] == OPEN)
		agree(s);
	else
		redir_hang_up(c);
	return FRAME;
}

const struct redir_protocol redir_kvm = {
	.name = "KVM",
	.magic = "KVMR",
	.begin = begin,
	.take = take,
	.room = rfb_room,
	.end = redir_session_end,
};

static void *begin_vnc(struct redir_conn *c)
{
	void *session = rfb_begin(c, true);

	rfb_greet(session);
	return session;
}

const struct redir_protocol redir_vnc = {
	.name = "VNC",
	.begin = begin_vnc,
	.take = rfb_take,
	.room = rfb_room,
	.end = redir_session_end,
};
