/* SPDX-License-Identifier: Apache-2.0 */
/* Packets of IPMI 1.5 and RMCP+ against logins that BMCs took, and against broken ones. */
#include "test.h"

#include "ipmi.h"
#include "vectors/ipmi/sessions.h"
#include "wire.h"

struct bytes {
	const uint8_t *at;
	size_t len;
};
#define BYTES(array)                 \
	{                            \
		array, sizeof(array) \
	}

static const struct login {
	uint8_t suite;
	struct bytes open, open_answer, rakp1, rakp2, rakp3, rakp4, answer;
} logins[] = {
	{ 3, BYTES(suite3_open), BYTES(suite3_open_answer), BYTES(suite3_rakp1),
		BYTES(suite3_rakp2), BYTES(suite3_rakp3), BYTES(suite3_rakp4),
		BYTES(suite3_answer) },
	{ 17, BYTES(suite17_open), BYTES(suite17_open_answer), BYTES(suite17_rakp1),
		BYTES(suite17_rakp2), BYTES(suite17_rakp3), BYTES(suite17_rakp4),
		BYTES(suite17_answer) },
};

struct bench {
	struct wire *wire;
	struct credential credential;
	struct pctl_secret *password;
	struct security security;
};

static void begin(struct bench *b, const char *password)
{
	struct pctl_error err = { 0 };

	*b = (struct bench){ .security.privilege = 3 };
	assert_int_equal(wire_new(&b->wire, &err), 0);
	b->password = pctl_secret_new(password, strlen(password));
	b->credential = (struct credential){ .username = "admin", .password = b->password };
}

static void end(struct bench *b)
{
	wire_free(b->wire);
	pctl_secret_free(b->password);
}

static void assert_packet(const uint8_t *packet, size_t len, struct bytes wanted)
{
	assert_int_equal(len, wanted.len);
	assert_memory_equal(packet, wanted.at, wanted.len);
}

static struct setup read_setup(struct bench *b, enum setup_kind kind, struct bytes packet)
{
	struct setup setup = { 0 };

	assert_true(
		rmcpplus_unpack_setup(b->wire, &b->security, kind, packet.at, packet.len, &setup));
	assert_int_equal(setup.status, 0);
	return setup;
}

/* Up to RAKP 2. */
static void log_in(struct bench *b, const struct login *l)
{
	uint8_t packet[WIRE_PACKET_MAX];

	b->security.console_id = 0x11223344;
	b->security.sequence = 1;
	for (unsigned i = 0; i < WIRE_RANDOM; i++)
		b->security.console_random[i] = (uint8_t)(i * 7 + 1);
	assert_true(rmcpplus_set_suite(&b->security, l->suite));
	assert_packet(packet, rmcpplus_pack_open(b->wire, &b->security, &b->credential, 1, packet),
		l->open);
	struct setup setup = read_setup(b, SETUP_OPEN, l->open_answer);
	assert_int_equal(setup.tag, 1);
	assert_true(setup.same_algorithms);
	assert_int_equal(setup.console_id, 0x11223344);
	b->security.system_id = setup.system_id;
	assert_packet(packet, rmcpplus_pack_rakp1(b->wire, &b->security, &b->credential, 2, packet),
		l->rakp1);
	setup = read_setup(b, SETUP_RAKP2, l->rakp2);
	assert_int_equal(setup.code_len, l->suite == 17 ? 32 : 20);
	memcpy(b->security.system_random, setup.random, WIRE_RANDOM);
	memcpy(b->security.guid, setup.guid, WIRE_GUID);
}

static void test_login(void **state)
{
	uint8_t packet[WIRE_PACKET_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(logins) / sizeof(logins[0]); i++) {
		const struct login *l = &logins[i];
		struct message m;
		struct bench b;

		begin(&b, "secret");
		log_in(&b, l);
		assert_int_equal(rmcpplus_check_rakp2(b.wire, &b.security, &b.credential), 1);
		assert_true(rmcpplus_derive_keys(&b.security, &b.credential));
		size_t len = rmcpplus_pack_rakp3(b.wire, &b.security, &b.credential, 3, 0, packet);
		assert_packet(packet, len, l->rakp3);
		(void)read_setup(&b, SETUP_RAKP4, l->rakp4);
		assert_int_equal(rmcpplus_check_rakp4(b.wire, &b.security, &b.credential), 1);
		assert_true(rmcpplus_unpack(
			b.wire, &b.security, &b.credential, l->answer.at, l->answer.len, &m));
		assert_int_equal(m.netfn, 1);
		assert_int_equal(m.command, 1);
		assert_int_equal(m.sequence, 5);
		assert_int_equal(m.code, 0);
		assert_true(m.len >= 3);
		/* Once only. */
		assert_false(rmcpplus_unpack(
			b.wire, &b.security, &b.credential, l->answer.at, l->answer.len, &m));
		end(&b);
	}
}

static void test_wrong_password(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(logins) / sizeof(logins[0]); i++) {
		struct bench b;

		begin(&b, "Secret");
		log_in(&b, &logins[i]);
		assert_int_equal(rmcpplus_check_rakp2(b.wire, &b.security, &b.credential), 0);
		end(&b);
	}
}

static void test_wrong_kg(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(logins) / sizeof(logins[0]); i++) {
		struct bench b;

		begin(&b, "secret");
		b.credential.kg[0] = 'k';
		b.credential.kg_len = 1;
		log_in(&b, &logins[i]);
		assert_int_equal(rmcpplus_check_rakp2(b.wire, &b.security, &b.credential), 1);
		assert_true(rmcpplus_derive_keys(&b.security, &b.credential));
		(void)read_setup(&b, SETUP_RAKP4, logins[i].rakp4);
		assert_int_equal(rmcpplus_check_rakp4(b.wire, &b.security, &b.credential), 0);
		end(&b);
	}
}

static void enter_session(struct bench *b, const struct login *l)
{
	begin(b, "secret");
	log_in(b, l);
	assert_true(rmcpplus_derive_keys(&b->security, &b->credential));
}

/* Nothing that is cut, longer or changed in any bit after the RMCP header is taken. */
static void test_broken_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(logins) / sizeof(logins[0]); i++) {
		struct bytes answer = logins[i].answer;
		uint8_t packet[WIRE_PACKET_MAX + 1] = { 0 };
		struct message m;
		struct bench b;

		enter_session(&b, &logins[i]);
		for (size_t len = 0; len < answer.len; len++)
			assert_false(rmcpplus_unpack(
				b.wire, &b.security, &b.credential, answer.at, len, &m));
		memcpy(packet, answer.at, answer.len);
		assert_false(rmcpplus_unpack(
			b.wire, &b.security, &b.credential, packet, answer.len + 1, &m));
		for (size_t bit = (size_t)8 * 4; bit < answer.len * 8; bit++) {
			memcpy(packet, answer.at, answer.len);
			packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_false(rmcpplus_unpack(
				b.wire, &b.security, &b.credential, packet, answer.len, &m));
		}
		/* The real one is still good: nothing of the broken ones was remembered. */
		assert_true(rmcpplus_unpack(
			b.wire, &b.security, &b.credential, answer.at, answer.len, &m));
		end(&b);
	}
}

static void test_broken_logins(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(logins) / sizeof(logins[0]); i++) {
		struct setup setup;
		struct bench b;

		begin(&b, "secret");
		log_in(&b, &logins[i]);
		for (size_t len = 0; len < logins[i].rakp2.len - 36; len++)
			assert_false(rmcpplus_unpack_setup(
				b.wire, &b.security, SETUP_RAKP2, logins[i].rakp2.at, len, &setup));
		/* One kind is not the other. */
		assert_false(rmcpplus_unpack_setup(b.wire, &b.security, SETUP_OPEN,
			logins[i].rakp2.at, logins[i].rakp2.len, &setup));
		assert_false(rmcpplus_unpack_setup(b.wire, &b.security, SETUP_RAKP4,
			logins[i].rakp2.at, logins[i].rakp2.len, &setup));
		end(&b);
	}
}

/* --- IPMI 1.5. -------------------------------------------------------------------------------- */

static void log_in_lan(struct bench *b, const char *password)
{
	struct message m;

	begin(b, password);
	b->security.auth_type = 2;
	b->security.highest = 0x04030201;
	assert_true(lan_unpack(b->wire, NULL, &b->credential, lan_challenge_answer,
		sizeof(lan_challenge_answer), &m));
	assert_int_equal(m.command, 0x39);
	assert_int_equal(m.len, 20);
}

static void test_lan(void **state)
{
	uint8_t packet[WIRE_PACKET_MAX], challenge[17] = { 2, 'a', 'd', 'm', 'i', 'n' };
	const struct message ask = {
		.netfn = 6, .sequence = 1, .command = 0x39, .data = challenge, .len = 17
	};
	const struct message status = { .netfn = 0, .sequence = 5, .command = 1 };
	struct message m;
	struct bench b;

	(void)state;
	log_in_lan(&b, "secret");
	assert_packet(packet, lan_pack(b.wire, NULL, &b.credential, &ask, packet),
		(struct bytes)BYTES(lan_challenge));
	assert_true(lan_unpack_activate(b.wire, &b.security, &b.credential, lan_activate_answer,
		sizeof(lan_activate_answer), &m));
	assert_int_equal(m.len, 10);
	memcpy(&b.security.system_id, m.data + 1, 4);
	memcpy(&b.security.sequence, m.data + 5, 4);
	b.security.per_message = true;
	size_t len = lan_pack(b.wire, &b.security, &b.credential, &status, packet);
	assert_packet(packet, len, (struct bytes)BYTES(lan_request));
	for (size_t cut = 0; cut < sizeof(lan_answer); cut++)
		assert_false(lan_unpack(b.wire, &b.security, &b.credential, lan_answer, cut, &m));
	assert_true(
		lan_unpack(b.wire, &b.security, &b.credential, lan_answer, sizeof(lan_answer), &m));
	assert_int_equal(m.command, 1);
	end(&b);
}

static void test_lan_other_password(void **state)
{
	struct message m;
	struct bench b;

	(void)state;
	log_in_lan(&b, "Secret");
	assert_false(lan_unpack_activate(b.wire, &b.security, &b.credential, lan_activate_answer,
		sizeof(lan_activate_answer), &m));
	b.credential.workarounds = WORKAROUND_BIT(WORKAROUND_NOAUTHCODECHECK);
	assert_true(lan_unpack_activate(b.wire, &b.security, &b.credential, lan_activate_answer,
		sizeof(lan_activate_answer), &m));
	end(&b);
}

static void test_lan_broken(void **state)
{
	uint8_t packet[sizeof(lan_answer)];
	struct message m;
	struct bench b;

	(void)state;
	log_in_lan(&b, "secret");
	b.security.per_message = true;
	b.security.system_id = lan_answer[9] | (uint32_t)lan_answer[10] << 8;
	for (size_t bit = (size_t)8 * 4; bit < sizeof(packet) * 8; bit++) {
		memcpy(packet, lan_answer, sizeof(packet));
		packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
		/* The upper half of the type of authentication is reserved. */
		if (bit / 8 == 4 && bit % 8 >= 4)
			continue;
		assert_false(
			lan_unpack(b.wire, &b.security, &b.credential, packet, sizeof(packet), &m));
	}
	end(&b);
}

static void test_formats(void **state)
{
	static const uint8_t pong[] = { 0x06, 0, 0xff, 0x06, 0, 0, 0x11, 0xbe, 0x40, 0, 0, 0x10, 0,
		0, 0x11, 0xbe };

	(void)state;
	assert_int_equal(wire_format(suite3_open, sizeof(suite3_open)), WIRE_RMCPPLUS);
	assert_int_equal(wire_format(lan_request, sizeof(lan_request)), WIRE_LAN);
	assert_int_equal(wire_format(pong, sizeof(pong)), WIRE_OTHER);
	assert_int_equal(wire_format(suite3_open, 13), WIRE_OTHER);
}

/* ^C, or its time was over: what a request had in it, a password say, is not kept. */
static void test_what_was_sent_is_wiped(void **state)
{
	static const uint8_t nothing[COMMAND_DATA_MAX];
	struct ipmi_dev dev = { 0 };
	struct session s = { .dev = &dev,
		.phase = PHASE_COMMAND,
		.command = &command_set_user_password,
		.len = COMMAND_DATA_MAX };
	uv_loop_t loop;

	(void)state;
	dev.session = &s;
	memset(s.data, 'x', sizeof(s.data));
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(uv_timer_init(&loop, &s.timer), 0);
	session_cancel(&dev);
	assert_int_equal(s.phase, PHASE_READY);
	assert_memory_equal(s.data, nothing, sizeof(s.data));
	uv_close((uv_handle_t *)&s.timer, NULL);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_login),
		cmocka_unit_test(test_wrong_password),
		cmocka_unit_test(test_wrong_kg),
		cmocka_unit_test(test_broken_answers),
		cmocka_unit_test(test_broken_logins),
		cmocka_unit_test(test_lan),
		cmocka_unit_test(test_lan_other_password),
		cmocka_unit_test(test_lan_broken),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_what_was_sent_is_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
