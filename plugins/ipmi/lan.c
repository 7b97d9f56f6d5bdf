/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <string.h>

#include "wire_inside.h"

static size_t pack(struct wire *wire, uint8_t auth_type, uint32_t sequence, uint32_t session_id,
	const struct credential *credential, const struct message *message, uint8_t *packet)
{
	bool secret = auth_type != IPMI_AUTHENTICATION_TYPE_NONE && credential->password;

	if (!wire_set_request(wire, message) ||
		fill_lan_session_hdr(auth_type, sequence, session_id, wire->lan) < 0)
		return 0;
	int len = assemble_ipmi_lan_pkt(wire->rmcp, wire->lan, wire->request_head, wire->request,
		secret ? pctl_secret_data(credential->password) : NULL,
		secret ? password_len(credential, WIRE_PASSWORD_15) : 0, packet, WIRE_PACKET_MAX,
		IPMI_INTERFACE_FLAGS_DEFAULT);
	return len > 0 ? (size_t)len : 0;
}

size_t lan_pack(struct wire *wire, struct security *s, const struct credential *credential,
	const struct message *message, uint8_t *packet)
{
	if (!s)
		return pack(wire, IPMI_AUTHENTICATION_TYPE_NONE, 0, 0, credential, message, packet);

	uint8_t type = s->per_message ? s->auth_type : IPMI_AUTHENTICATION_TYPE_NONE;
	uint32_t sequence =
		works_around(credential, WORKAROUND_ENDIANSEQ) ? htonl(s->sequence) : s->sequence;
	size_t len = pack(wire, type, sequence, s->system_id, credential, message, packet);
	/* Number 0 is for packets outside of a session (section 6.12.8). */
	if (len && ++s->sequence == 0)
		s->sequence = 1;
	return len;
}

size_t lan_pack_activate(struct wire *wire, const struct security *s,
	const struct credential *credential, const struct message *message, uint8_t *packet)
{
	return pack(wire, s->auth_type, 0, s->system_id, credential, message, packet);
}

/* libfreeipmi compares all 16 bytes, but fills in only those of the password: it gets them all. */
static bool authentic(
	const struct credential *credential, uint8_t auth_type, const uint8_t *packet, size_t len)
{
	uint8_t password[WIRE_PASSWORD_15] = { 0 };

	if (credential->password)
		memcpy(password, pctl_secret_data(credential->password),
			password_len(credential, sizeof(password)));
	int good = ipmi_lan_check_packet_session_authentication_code(
		packet, (unsigned)len, auth_type, password, sizeof(password));
	explicit_bzero(password, sizeof(password));
	return good == 1;
}

static bool number(const struct wire *wire, const char *name, uint32_t *ret)
{
	uint64_t value = 0;

	if (fiid_obj_get(wire->lan_in, name, &value) != 1)
		return false;
	*ret = (uint32_t)value;
	return true;
}

/* The message's length is not covered by the authentication, so it is compared with what came. */
static bool take_apart(
	struct wire *wire, const struct credential *credential, const uint8_t *packet, size_t len)
{
	uint32_t said;

	if (unassemble_ipmi_lan_pkt(packet, (unsigned)len, wire->rmcp_in, wire->lan_in,
		    wire->answer_head, wire->answer, wire->answer_tail,
		    IPMI_INTERFACE_FLAGS_NO_LEGAL_CHECK) != 1 ||
		!number(wire, "ipmi_msg_len", &said))
		return false;
	int rest = fiid_obj_len_bytes(wire->answer_head) + fiid_obj_len_bytes(wire->answer) +
		   fiid_obj_len_bytes(wire->answer_tail);
	return (int64_t)said == rest || works_around(credential, WORKAROUND_NOCHECKSUMCHECK);
}

/*
 * Some BMCs begin with the number that the activation had: the first packet of a session is taken
 * as it is. Without authentication some do not count at all.
 */
static bool is_new(struct security *s, const struct credential *credential, uint32_t sequence)
{
	if (works_around(credential, WORKAROUND_ENDIANSEQ))
		sequence = ntohl(sequence);
	bool fresh =
		ipmi_check_session_sequence_number_1_5(sequence, &s->highest, &s->window, 0) == 1;
	bool first = !s->any_came;

	s->any_came = true;
	return fresh || first || (sequence == 0 && !s->per_message);
}

static bool of_session(const struct wire *wire, struct security *s,
	const struct credential *credential, const uint8_t *packet, size_t len)
{
	uint8_t type = s->per_message ? s->auth_type : IPMI_AUTHENTICATION_TYPE_NONE;
	uint32_t id, sequence;

	if (!number(wire, "session_id", &id) || !number(wire, "session_sequence_number", &sequence))
		return false;
	if (id != s->system_id && (id != 0 || !works_around(credential, WORKAROUND_IDZERO)))
		return false;
	bool good = authentic(credential, type, packet, len) ||
		    works_around(credential, WORKAROUND_NOAUTHCODECHECK) ||
		    (works_around(credential, WORKAROUND_UNEXPECTEDAUTH) && !s->per_message &&
			    authentic(credential, s->auth_type, packet, len));
	return good && is_new(s, credential, sequence);
}

bool lan_unpack(struct wire *wire, struct security *s, const struct credential *credential,
	const uint8_t *packet, size_t len, struct message *ret)
{
	uint32_t id;

	if (!take_apart(wire, credential, packet, len))
		return false;
	if (s ? !of_session(wire, s, credential, packet, len)
	      : !number(wire, "session_id", &id) || id != 0)
		return false;
	return wire_get_answer(wire, credential, ret);
}

/* It may come with the session's new id already, which only its data tells. */
bool lan_unpack_activate(struct wire *wire, const struct security *s,
	const struct credential *credential, const uint8_t *packet, size_t len, struct message *ret)
{
	if (!take_apart(wire, credential, packet, len) || !wire_get_answer(wire, credential, ret))
		return false;
	/* A refusal is not authenticated: there is nothing to authenticate it with. */
	return ret->code || works_around(credential, WORKAROUND_NOAUTHCODECHECK) ||
	       authentic(credential, s->auth_type, packet, len);
}
