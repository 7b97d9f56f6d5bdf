/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>

/* Commands and answers are bytes here: what they mean is said in command.c and where they are used.
 */
static const fiid_field_t plain_bytes[] = {
	{ (WIRE_DATA_MAX)*8, "bytes", FIID_FIELD_OPTIONAL | FIID_FIELD_LENGTH_VARIABLE },
	{ 0, "", 0 },
};

static const struct part {
	size_t offset;
	const fiid_field_t *template;
} parts[] = {
#define PART(member, template)                          \
	{                                               \
		offsetof(struct wire, member), template \
	}
	PART(rmcp, tmpl_rmcp_hdr),
	PART(rmcp_in, tmpl_rmcp_hdr),
	PART(request_head, tmpl_lan_msg_hdr_rq),
	PART(request, plain_bytes),
	PART(answer_head, tmpl_lan_msg_hdr_rs),
	PART(answer, plain_bytes),
	PART(answer_tail, tmpl_lan_msg_trlr),
	PART(lan, tmpl_lan_session_hdr),
	PART(lan_in, tmpl_lan_session_hdr),
	PART(plus, tmpl_rmcpplus_session_hdr),
	PART(plus_tail, tmpl_rmcpplus_session_trlr),
	PART(plus_in, tmpl_rmcpplus_session_hdr),
	PART(plus_payload, tmpl_rmcpplus_payload),
	PART(plus_tail_in, tmpl_rmcpplus_session_trlr),
	PART(open, tmpl_rmcpplus_open_session_request),
	PART(rakp1, tmpl_rmcpplus_rakp_message_1),
	PART(rakp3, tmpl_rmcpplus_rakp_message_3),
	PART(open_in, tmpl_rmcpplus_open_session_response),
	PART(rakp2_in, tmpl_rmcpplus_rakp_message_2),
	PART(rakp4_in, tmpl_rmcpplus_rakp_message_4),
};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

static fiid_obj_t *part_of(struct wire *wire, size_t i)
{
	return (fiid_obj_t *)(void *)((char *)wire + parts[i].offset);
}

int wire_need_descriptor(struct pctl_error *err)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd < 0 && pctl_error_shortage(err, errno))
		return PCTL_E_INTERNAL;
	if (fd >= 0)
		(void)close(fd);
	return 0;
}

int wire_new(struct wire **ret, struct pctl_error *err)
{
	if (wire_need_descriptor(err) < 0)
		return PCTL_E_INTERNAL;
	if (ipmi_rmcpplus_init() < 0)
		return pctl_error_set(err, PCTL_E_INTERNAL,
			"libfreeipmi cannot use this libgcrypt: %s", strerror(errno));

	struct wire *wire = pctl_xcalloc(1, sizeof(*wire));
	for (size_t i = 0; i < PARTS; i++) {
		/* It only reads them. */
		*part_of(wire, i) = fiid_obj_create((fiid_field_t *)(uintptr_t)parts[i].template);
		if (!*part_of(wire, i)) {
			wire_free(wire);
			return pctl_error_set(err, PCTL_E_INTERNAL, "libfreeipmi's templates: %s",
				strerror(errno));
		}
	}
	(void)fill_rmcp_hdr_ipmi(wire->rmcp);
	*ret = wire;
	return 0;
}

void wire_free(struct wire *wire)
{
	if (!wire)
		return;
	for (size_t i = 0; i < PARTS; i++)
		fiid_obj_destroy(*part_of(wire, i));
	free(wire);
}

/* Section 13.1.3: RMCP version 6, class 7, then the type of authentication; 6 is RMCP+. */
enum wire_format wire_format(const uint8_t *packet, size_t len)
{
	if (len < 14 || len > WIRE_PACKET_MAX || packet[0] != 0x06 || (packet[3] & 0x9f) != 0x07)
		return WIRE_OTHER;
	return (packet[4] & 0x0f) == 0x06 ? WIRE_RMCPPLUS : WIRE_LAN;
}

bool wire_set_request(struct wire *wire, const struct message *message)
{
	uint8_t bytes[WIRE_DATA_MAX] = { message->command };

	if (message->len > sizeof(bytes) - 1)
		return false;
	if (message->len)
		memcpy(bytes + 1, message->data, message->len);
	return fill_lan_msg_hdr(IPMI_SLAVE_ADDRESS_BMC, message->netfn, IPMI_BMC_IPMB_LUN_BMC,
		       message->sequence, wire->request_head) == 0 &&
	       fiid_obj_clear(wire->request) == 0 &&
	       fiid_obj_set_all(wire->request, bytes, (unsigned)message->len + 1) >= 0;
}

static bool field(fiid_obj_t object, const char *name, uint8_t *ret)
{
	uint64_t value = 0;

	if (fiid_obj_get(object, name, &value) != 1)
		return false;
	*ret = (uint8_t)value;
	return true;
}

bool wire_get_answer(struct wire *wire, const struct credential *credential, struct message *ret)
{
	struct message m = { 0 };

	if (!works_around(credential, WORKAROUND_NOCHECKSUMCHECK) &&
		ipmi_lan_check_checksum(wire->answer_head, wire->answer, wire->answer_tail) != 1)
		return false;
	if (!field(wire->answer_head, "net_fn", &m.netfn) ||
		!field(wire->answer_head, "rq_seq", &m.sequence))
		return false;
	int len = fiid_obj_get_all(wire->answer, wire->body, sizeof(wire->body));
	if (len < 2)
		return false;
	m.command = wire->body[0];
	m.code = wire->body[1];
	m.data = wire->body + 2;
	m.len = (size_t)len - 2;
	*ret = m;
	return true;
}
