/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "wire_inside.h"

#define ICV_FIELD "integrity_check_value"
#define KEC_FIELD "key_exchange_authentication_code"

/* --- What the workarounds make of name and password. ------------------------------------------ */

struct user {
	char name[WIRE_USER_MAX + 1];
	unsigned name_len;
	const char *password; /* NULL: none */
	unsigned password_len;
};

/* An old Intel BMC wants the name padded, and cuts passwords with MD5 (table 13-11 forbids both).
 */
static struct user user_of(const struct security *s, const struct credential *credential)
{
	bool intel = works_around(credential, WORKAROUND_INTEL20);
	bool cut = intel && s->authentication == IPMI_AUTHENTICATION_ALGORITHM_RAKP_HMAC_MD5;
	struct user user = { .name_len = (unsigned)strlen(credential->username) };

	memcpy(user.name, credential->username, user.name_len);
	if (intel)
		user.name_len = WIRE_USER_MAX;
	user.password = credential->password ? pctl_secret_data(credential->password) : NULL;
	if (user.password)
		user.password_len =
			password_len(credential, cut ? WIRE_PASSWORD_15 : WIRE_PASSWORD_20);
	if (!user.password_len)
		user.password = NULL;
	return user;
}

static const char *name_of(const struct user *user)
{
	return user->name_len ? user->name : NULL;
}

bool rmcpplus_set_suite(struct security *s, uint8_t suite)
{
	return ipmi_cipher_suite_id_to_algorithms(
		       suite, &s->authentication, &s->integrity, &s->confidentiality) == 0;
}

/* --- Logging in. ------------------------------------------------------------------------------ */

static size_t pack_setup(
	struct wire *wire, const struct security *s, uint8_t type, fiid_obj_t body, uint8_t *packet)
{
	if (fiid_obj_clear(wire->plus) < 0 ||
		fill_rmcpplus_session_hdr(type, 0, 0, 0, 0, 0, 0, wire->plus) < 0 ||
		fill_rmcpplus_session_trlr(wire->plus_tail) < 0)
		return 0;
	int len = assemble_ipmi_rmcpplus_pkt(s->authentication, IPMI_INTEGRITY_ALGORITHM_NONE,
		IPMI_CONFIDENTIALITY_ALGORITHM_NONE, NULL, 0, NULL, 0, NULL, 0, wire->rmcp,
		wire->plus, wire->request_head, body, wire->plus_tail, packet, WIRE_PACKET_MAX,
		IPMI_INTERFACE_FLAGS_DEFAULT);
	return len > 0 ? (size_t)len : 0;
}

/* 0 asks for the highest that the suite allows, which the BMC then tells (section 13.17). */
size_t rmcpplus_pack_open(struct wire *wire, const struct security *s,
	const struct credential *credential, uint8_t tag, uint8_t *packet)
{
	bool itself = works_around(credential, WORKAROUND_OPENSESSPRIV) ||
		      works_around(credential, WORKAROUND_INTEL20) ||
		      works_around(credential, WORKAROUND_SUN20);

	if (fill_rmcpplus_open_session(tag, itself ? s->privilege : 0, s->console_id,
		    s->authentication, s->integrity, s->confidentiality, wire->open) < 0)
		return 0;
	return pack_setup(
		wire, s, IPMI_PAYLOAD_TYPE_RMCPPLUS_OPEN_SESSION_REQUEST, wire->open, packet);
}

size_t rmcpplus_pack_rakp1(struct wire *wire, const struct security *s,
	const struct credential *credential, uint8_t tag, uint8_t *packet)
{
	struct user user = user_of(s, credential);

	if (fiid_obj_clear(wire->rakp1) < 0 ||
		fill_rmcpplus_rakp_message_1(tag, s->system_id, s->console_random, WIRE_RANDOM,
			s->privilege, IPMI_NAME_ONLY_LOOKUP, name_of(&user), user.name_len,
			wire->rakp1) < 0)
		return 0;
	return pack_setup(wire, s, IPMI_PAYLOAD_TYPE_RAKP_MESSAGE_1, wire->rakp1, packet);
}

size_t rmcpplus_pack_rakp3(struct wire *wire, const struct security *s,
	const struct credential *credential, uint8_t tag, uint8_t status, uint8_t *packet)
{
	uint8_t lookup = works_around(credential, WORKAROUND_INTEL20)
				 ? IPMI_USER_NAME_PRIVILEGE_LOOKUP
				 : IPMI_NAME_ONLY_LOOKUP;
	struct user user = user_of(s, credential);
	uint8_t code[WIRE_KEY_MAX] = { 0 };
	int len = 0;

	if (!status)
		len = ipmi_calculate_rakp_3_key_exchange_authentication_code(s->authentication,
			user.password, user.password_len, s->system_random, WIRE_RANDOM,
			s->console_id, lookup, s->privilege, name_of(&user), user.name_len, code,
			sizeof(code));
	if (len < 0 || fiid_obj_clear(wire->rakp3) < 0 ||
		fill_rmcpplus_rakp_message_3(tag, status, s->system_id, len ? code : NULL,
			(unsigned)len, wire->rakp3) < 0)
		return 0;
	return pack_setup(wire, s, IPMI_PAYLOAD_TYPE_RAKP_MESSAGE_3, wire->rakp3, packet);
}

static uint64_t get(fiid_obj_t object, const char *name)
{
	uint64_t value = 0;

	(void)fiid_obj_get(object, name, &value);
	return value;
}

static void read_open(fiid_obj_t in, const struct security *s, struct setup *ret)
{
	ret->privilege = (uint8_t)get(in, "maximum_privilege_level");
	ret->system_id = (uint32_t)get(in, "managed_system_session_id");
	ret->same_algorithms =
		get(in, "authentication_payload.authentication_algorithm") == s->authentication &&
		get(in, "integrity_payload.integrity_algorithm") == s->integrity &&
		get(in, "confidentiality_payload.confidentiality_algorithm") == s->confidentiality;
}

static bool read_rakp2(fiid_obj_t in, struct setup *ret)
{
	int len = fiid_obj_field_len_bytes(in, KEC_FIELD);

	ret->code_len = len > 0 ? (size_t)len : 0;
	return fiid_obj_get_data(in, "managed_system_random_number", ret->random, WIRE_RANDOM) ==
		       (int)WIRE_RANDOM &&
	       fiid_obj_get_data(in, "managed_system_guid", ret->guid, WIRE_GUID) == (int)WIRE_GUID;
}

bool rmcpplus_unpack_setup(struct wire *wire, const struct security *s, enum setup_kind kind,
	const uint8_t *packet, size_t len, struct setup *ret)
{
	static const uint8_t types[] = {
		[SETUP_OPEN] = IPMI_PAYLOAD_TYPE_RMCPPLUS_OPEN_SESSION_RESPONSE,
		[SETUP_RAKP2] = IPMI_PAYLOAD_TYPE_RAKP_MESSAGE_2,
		[SETUP_RAKP4] = IPMI_PAYLOAD_TYPE_RAKP_MESSAGE_4,
	};
	fiid_obj_t in[] = { wire->open_in, wire->rakp2_in, wire->rakp4_in };
	struct setup setup = { 0 };

	/* libfreeipmi wants the object that belongs to the type, so that one is looked at first. */
	if (len < 16 || (packet[5] & 0x3f) != types[kind])
		return false;
	if (unassemble_ipmi_rmcpplus_pkt(s->authentication, IPMI_INTEGRITY_ALGORITHM_NONE,
		    IPMI_CONFIDENTIALITY_ALGORITHM_NONE, NULL, 0, NULL, 0, packet, (unsigned)len,
		    wire->rmcp_in, wire->plus_in, wire->plus_payload, wire->answer_head, in[kind],
		    wire->answer_tail, wire->plus_tail_in,
		    IPMI_INTERFACE_FLAGS_NO_LEGAL_CHECK) != 1)
		return false;
	setup.tag = (uint8_t)get(in[kind], "message_tag");
	setup.status = (uint8_t)get(in[kind], "rmcpplus_status_code");
	setup.console_id = (uint32_t)get(in[kind], "remote_console_session_id");
	if (!setup.status && kind == SETUP_OPEN)
		read_open(in[kind], s, &setup);
	if (!setup.status && kind == SETUP_RAKP2 && !read_rakp2(in[kind], &setup))
		return false;
	*ret = setup;
	return true;
}

/* Some BMCs send one byte more than the algorithm makes. */
static void shorten_code(struct wire *wire, const struct security *s)
{
	static const unsigned lengths[] = {
		[IPMI_AUTHENTICATION_ALGORITHM_RAKP_NONE] = 0,
		[IPMI_AUTHENTICATION_ALGORITHM_RAKP_HMAC_SHA1] = IPMI_HMAC_SHA1_DIGEST_LENGTH,
		[IPMI_AUTHENTICATION_ALGORITHM_RAKP_HMAC_MD5] = IPMI_HMAC_MD5_DIGEST_LENGTH,
		[IPMI_AUTHENTICATION_ALGORITHM_RAKP_HMAC_SHA256] = IPMI_HMAC_SHA256_DIGEST_LENGTH,
	};
	unsigned due = lengths[s->authentication];
	uint8_t code[WIRE_KEY_MAX];
	int len = fiid_obj_get_data(wire->rakp2_in, KEC_FIELD, code, sizeof(code));

	if (len < 0 || (unsigned)len != due + 1)
		return;
	(void)fiid_obj_clear_field(wire->rakp2_in, KEC_FIELD);
	if (due)
		(void)fiid_obj_set_data(wire->rakp2_in, KEC_FIELD, code, due);
}

int rmcpplus_check_rakp2(
	struct wire *wire, const struct security *s, const struct credential *credential)
{
	struct user user = user_of(s, credential);

	if (works_around(credential, WORKAROUND_SUPERMICRO20) ||
		works_around(credential, WORKAROUND_SUN20))
		shorten_code(wire, s);
	return ipmi_rmcpplus_check_rakp_2_key_exchange_authentication_code(s->authentication,
		user.password, user.password_len, s->console_id, s->system_id, s->console_random,
		WIRE_RANDOM, s->system_random, WIRE_RANDOM, s->guid, WIRE_GUID,
		IPMI_NAME_ONLY_LOOKUP, s->privilege, name_of(&user), user.name_len, wire->rakp2_in);
}

/* libfreeipmi takes a key away by setting the pointer to NULL. */
static void settle(struct key *key, const void *made, unsigned len)
{
	key->len = made ? len : 0;
}

bool rmcpplus_derive_keys(struct security *s, const struct credential *credential)
{
	struct user user = user_of(s, credential);
	void *sik = s->sik.bytes, *k1 = s->k1.bytes, *k2 = s->k2.bytes;
	unsigned sik_len = WIRE_KEY_MAX, k1_len = WIRE_KEY_MAX, k2_len = WIRE_KEY_MAX;

	if (ipmi_calculate_rmcpplus_session_keys(s->authentication, s->integrity,
		    s->confidentiality, user.password, user.password_len,
		    credential->kg_len ? credential->kg : NULL, (unsigned)credential->kg_len,
		    s->console_random, WIRE_RANDOM, s->system_random, WIRE_RANDOM,
		    IPMI_NAME_ONLY_LOOKUP, s->privilege, name_of(&user), user.name_len, &sik,
		    &sik_len, &k1, &k1_len, &k2, &k2_len) < 0)
		return false;
	settle(&s->sik, sik, sik_len);
	settle(&s->k1, k1, k1_len);
	settle(&s->k2, k2, k2_len);
	return true;
}

/* An old Intel BMC makes the value with the algorithm of the integrity of packets instead. */
static uint8_t check_value_algorithm(const struct security *s, const struct credential *credential)
{
	static const uint8_t by_integrity[] = {
		[IPMI_INTEGRITY_ALGORITHM_NONE] = IPMI_AUTHENTICATION_ALGORITHM_RAKP_NONE,
		[IPMI_INTEGRITY_ALGORITHM_HMAC_SHA1_96] =
			IPMI_AUTHENTICATION_ALGORITHM_RAKP_HMAC_SHA1,
		[IPMI_INTEGRITY_ALGORITHM_HMAC_MD5_128] =
			IPMI_AUTHENTICATION_ALGORITHM_RAKP_HMAC_MD5,
		[IPMI_INTEGRITY_ALGORITHM_MD5_128] = IPMI_AUTHENTICATION_ALGORITHM_RAKP_HMAC_MD5,
		[IPMI_INTEGRITY_ALGORITHM_HMAC_SHA256_128] =
			IPMI_AUTHENTICATION_ALGORITHM_RAKP_HMAC_SHA256,
	};

	return works_around(credential, WORKAROUND_INTEL20) ? by_integrity[s->integrity]
							    : s->authentication;
}

int rmcpplus_check_rakp4(
	struct wire *wire, const struct security *s, const struct credential *credential)
{
	if (works_around(credential, WORKAROUND_INTEGRITYCHECKVALUE) &&
		s->authentication == IPMI_AUTHENTICATION_ALGORITHM_RAKP_NONE)
		(void)fiid_obj_clear_field(wire->rakp4_in, ICV_FIELD);
	return ipmi_rmcpplus_check_rakp_4_integrity_check_value(
		check_value_algorithm(s, credential), s->sik.len ? s->sik.bytes : NULL, s->sik.len,
		s->console_random, WIRE_RANDOM, s->system_id, s->guid, WIRE_GUID, wire->rakp4_in);
}

/* --- Within a session. ------------------------------------------------------------------------ */

static const void *bytes_of(const struct key *key)
{
	return key->len ? key->bytes : NULL;
}

size_t rmcpplus_pack(struct wire *wire, struct security *s, const struct credential *credential,
	const struct message *message, uint8_t *packet)
{
	bool authenticated = s->integrity != IPMI_INTEGRITY_ALGORITHM_NONE;
	bool encrypted = s->confidentiality != IPMI_CONFIDENTIALITY_ALGORITHM_NONE;
	struct user user = user_of(s, credential);

	if (!wire_set_request(wire, message) || fiid_obj_clear(wire->plus) < 0 ||
		fill_rmcpplus_session_hdr(IPMI_PAYLOAD_TYPE_IPMI, authenticated, encrypted, 0, 0,
			s->system_id, s->sequence, wire->plus) < 0 ||
		fill_rmcpplus_session_trlr(wire->plus_tail) < 0)
		return 0;
	int len = assemble_ipmi_rmcpplus_pkt(s->authentication, s->integrity, s->confidentiality,
		bytes_of(&s->k1), s->k1.len, bytes_of(&s->k2), s->k2.len, user.password,
		user.password_len, wire->rmcp, wire->plus, wire->request_head, wire->request,
		wire->plus_tail, packet, WIRE_PACKET_MAX, IPMI_INTERFACE_FLAGS_DEFAULT);
	if (len <= 0)
		return 0;
	/* Number 0 is for packets outside of a session (section 6.12.13). */
	if (++s->sequence == 0)
		s->sequence = 1;
	return (size_t)len;
}

static bool of_session(struct wire *wire, struct security *s, const struct credential *credential,
	const uint8_t *packet, size_t len)
{
	struct user user = user_of(s, credential);
	uint32_t sequence = (uint32_t)get(wire->plus_in, "session_sequence_number");

	if (get(wire->plus_in, "session_id") != s->console_id ||
		get(wire->plus_in, "payload_type") != IPMI_PAYLOAD_TYPE_IPMI)
		return false;
	if (s->integrity != IPMI_INTEGRITY_ALGORITHM_NONE &&
		(get(wire->plus_in, "payload_type.authenticated") != 1 ||
			ipmi_rmcpplus_check_integrity_pad(wire->plus_tail_in) != 1 ||
			ipmi_rmcpplus_check_packet_session_authentication_code(s->integrity, packet,
				(unsigned)len, bytes_of(&s->k1), s->k1.len, user.password,
				user.password_len, wire->plus_tail_in) != 1))
		return false;
	if (s->confidentiality != IPMI_CONFIDENTIALITY_ALGORITHM_NONE &&
		(get(wire->plus_in, "payload_type.encrypted") != 1 ||
			ipmi_rmcpplus_check_payload_pad(s->confidentiality, wire->plus_payload) !=
				1))
		return false;
	return ipmi_check_session_sequence_number_2_0(sequence, &s->highest, &s->window, 0) == 1;
}

bool rmcpplus_unpack(struct wire *wire, struct security *s, const struct credential *credential,
	const uint8_t *packet, size_t len, struct message *ret)
{
	if (len < 16 || (packet[5] & 0x3f) != IPMI_PAYLOAD_TYPE_IPMI)
		return false;
	if (unassemble_ipmi_rmcpplus_pkt(s->authentication, s->integrity, s->confidentiality,
		    bytes_of(&s->k1), s->k1.len, bytes_of(&s->k2), s->k2.len, packet, (unsigned)len,
		    wire->rmcp_in, wire->plus_in, wire->plus_payload, wire->answer_head,
		    wire->answer, wire->answer_tail, wire->plus_tail_in,
		    IPMI_INTERFACE_FLAGS_NO_LEGAL_CHECK) != 1)
		return false;
	return of_session(wire, s, credential, packet, len) &&
	       wire_get_answer(wire, credential, ret);
}
