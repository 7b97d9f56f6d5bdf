/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether a BMC is at an address: a presence ping of RMCP (section 13.2.3) and Get Channel
 * Authentication Capabilities (22.13), which anybody may ask, and then Get System GUID (22.14),
 * which some BMCs answer without a session.
 */
#include <errno.h>
#include <string.h>

#include <powerctl/mem.h>

#include "device_id.h"
#include "ipmi.h"

#define LIMIT_MS 2000u
#define RANK     10u
#define AGAIN_MS 500u /* between packets that were not answered */
#define GUID_MS  500u /* how long the GUID is worth waiting for */

enum stage { STAGE_CAPS, STAGE_GUID };

struct find {
	struct pctl_udp_member member;
	struct ipmi *ipmi;
	struct pctl_op *op;
	struct pctl_value *ret;
	uv_timer_t timer;
	uint64_t began;
	enum stage stage;
	bool plain_caps, ponged;
	uint8_t sequence;
	int fault; /* errno of a packet that could not leave; 0: none */
};

/* Whoever has not logged in has no name. */
static const struct credential nobody = { .username = "" };

/* --- The end. --------------------------------------------------------------------------------- */

static void on_timer_closed(uv_handle_t *handle)
{
	free(pctl_container_of((uv_timer_t *)handle, struct find, timer));
}

static void let_go(struct find *f)
{
	pctl_udp_leave(&f->member);
	uv_close((uv_handle_t *)&f->timer, on_timer_closed);
}

static void on_abort(struct pctl_op *op, void *work)
{
	(void)op;
	let_go(work);
}

static void finish(struct find *f)
{
	struct pctl_op *op = f->op;
	bool found = f->stage == STAGE_GUID || f->ponged;
	int fault = f->fault;

	let_go(f);
	if (found)
		pctl_op_done(op);
	else if (fault)
		pctl_op_fail(op, PCTL_E_INTERNAL, "nothing can be sent there: %s", strerror(fault));
	else
		pctl_op_fail(op, PCTL_E_UNREACHABLE, "no BMC answers");
}

/* --- Questions. ------------------------------------------------------------------------------- */

/* Enterprise 4542 (ASF), type 80h, tag 0; sequence FFh: no acknowledgement. */
static const uint8_t ping[] = { 0x06, 0x00, 0xff, 0x06, 0x00, 0x00, 0x11, 0xbe, 0x80, 0x00, 0x00,
	0x00 };

/* Where there is no way, nobody knows what is there. */
static void note(struct find *f, int e)
{
	if (e == ENETUNREACH || e == EPERM || e == EACCES)
		f->fault = e;
}

static void send_message(
	struct find *f, const struct command *command, const uint8_t *data, size_t len)
{
	uint8_t packet[WIRE_PACKET_MAX];
	const struct message message = { .netfn = command->netfn,
		.sequence = f->sequence,
		.command = command->cmd,
		.data = data,
		.len = len };
	size_t n = lan_pack(f->ipmi->wire, NULL, &nobody, &message, packet);

	if (n)
		note(f, pctl_udp_send(&f->member, packet, n));
}

static void ask(struct find *f)
{
	/* This channel; bit 7: and what there is of IPMI 2.0. */
	const uint8_t data[] = { f->plain_caps ? 0x0e : 0x8e, PRIVILEGE_USER };

	f->sequence = (f->sequence + 1) & 0x3f;
	if (f->stage == STAGE_GUID) {
		send_message(f, &command_get_system_guid, NULL, 0);
		return;
	}
	if (!f->ponged)
		note(f, pctl_udp_send(&f->member, ping, sizeof(ping)));
	send_message(f, &command_get_channel_auth_capabilities, data, sizeof(data));
}

static void on_timer(uv_timer_t *timer)
{
	struct find *f = pctl_container_of(timer, struct find, timer);
	uint64_t limit = f->stage == STAGE_GUID ? GUID_MS : LIMIT_MS;

	if (uv_now(timer->loop) - f->began >= limit)
		finish(f);
	else
		ask(f);
}

static void begin_stage(struct find *f, enum stage stage)
{
	f->stage = stage;
	f->began = uv_now(f->timer.loop);
	(void)uv_timer_start(&f->timer, on_timer, AGAIN_MS, AGAIN_MS);
	ask(f);
}

/* --- Answers. --------------------------------------------------------------------------------- */

/* A pong that says IPMI (table 13-3: supported entities, bit 7). */
static bool is_pong(const uint8_t *p, size_t len)
{
	return len >= 21 && p[0] == ping[0] && p[3] == ping[3] && memcmp(p + 4, ping + 4, 4) == 0 &&
	       p[8] == 0x40 && p[20] & 0x80;
}

/* Table 22-15. */
static void read_capabilities(struct find *f, const struct message *m)
{
	bool extended = !f->plain_caps && (m->data[1] & 0x80);
	uint32_t maker = m->data[4] | (uint32_t)m->data[5] << 8 | (uint32_t)m->data[6] << 16;
	struct pctl_value *security = pctl_value_new_map();

	pctl_value_set_text(
		f->ret, "ipmi_version", extended && (m->data[3] & 0x02) ? "2.0" : "1.5");
	if (maker)
		pctl_value_set_int(f->ret, "vendor_id", maker);
	/* Someone without name and password is let in; K_g is set. */
	pctl_value_set_bool(security, "anonymous_login", m->data[2] & 0x01);
	pctl_value_set_bool(security, "kg", m->data[2] & 0x20);
	pctl_value_set(f->ret, "security", security);
}

static void on_capabilities(struct find *f, const struct message *m)
{
	if (m->code && !f->plain_caps) {
		f->plain_caps = true; /* an old BMC may not know the bit */
		ask(f);
		return;
	}
	if (!m->code && m->len >= command_get_channel_auth_capabilities.least)
		read_capabilities(f, m);
	begin_stage(f, STAGE_GUID);
}

static void on_guid(struct find *f, const struct message *m)
{
	char uuid[GUID_TEXT_SIZE];

	if (!m->code && m->len >= command_get_system_guid.least && guid_format(m->data, uuid))
		pctl_value_set_text(f->ret, "uuid", uuid);
	finish(f);
}

bool ipmi_discover_receive(struct pctl_udp_member *member, const uint8_t *packet, size_t len)
{
	struct find *f = pctl_container_of(member, struct find, member);
	struct message m;

	if (is_pong(packet, len)) {
		f->ponged = true;
		return true;
	}
	if (wire_format(packet, len) != WIRE_LAN ||
		!lan_unpack(f->ipmi->wire, NULL, &nobody, packet, len, &m))
		return false;
	if (f->stage == STAGE_CAPS && m.command == command_get_channel_auth_capabilities.cmd)
		on_capabilities(f, &m);
	else if (f->stage == STAGE_GUID && m.command == command_get_system_guid.cmd)
		on_guid(f, &m);
	return true;
}

static void find(void *ctx, struct pctl_device *device, struct pctl_op *op, struct pctl_value *ret)
{
	struct find *f = pctl_xcalloc(1, sizeof(*f));
	struct sockaddr_storage addr;
	socklen_t len = 0;
	struct pctl_error err = { 0 };

	f->ipmi = ctx;
	f->op = op;
	f->ret = ret;
	int r = pctl_device_datagram_address(
		device, (uint16_t)pctl_setting_uint(device, "port"), &addr, &len, &err);
	if (r == 0)
		r = pctl_udp_join(
			f->ipmi->finder, &f->member, (const struct sockaddr *)&addr, len, &err);
	if (r < 0) {
		free(f);
		pctl_op_fail_error(op, &err);
		return;
	}
	(void)uv_timer_init(pctl_device_loop(device), &f->timer);
	pctl_op_pending(op, on_abort, f);
	begin_stage(f, STAGE_CAPS);
}

const struct pctl_discover_if ipmi_discover = {
	.size = sizeof(ipmi_discover),
	.limit_ms = LIMIT_MS,
	.rank = RANK,
	.find = find,
};
