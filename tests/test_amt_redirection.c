/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of AMT's redirection ports and their login, against what AMT 11.8 and 12.0 sent. */
#include "test.h"

#include <powerctl/secret.h>

#include "redirection/login.h"

#define REALM "Digest:A4070000000000000000000000000000"
#define NONCE "wlbEK1EtAAAAAAAAWW5aUHFp+mQQ1j63"

static const uint8_t started_118[] = { 0x11, 0, 0, 0, 1, 0, 0x0b, 0x08, 0x57, 1, 0, 0, 0 };
static const uint8_t types_12[] = { 0x14, 0, 0, 0, 0, 1, 0, 0, 0, 4 };

struct bench {
	struct frame_reader reader;
	struct pctl_buf out;
	struct pctl_secret *password;
	struct login login;
	struct pctl_error err;
	const char *other_realm;
	char realm[64];
};

static int check_realm(void *data, const char *realm, struct pctl_error *err)
{
	struct bench *b = data;

	(void)snprintf(b->realm, sizeof(b->realm), "%s", realm);
	return b->other_realm ? pctl_error_set(err, PCTL_E_TRUST, "another machine") : 0;
}

static void begin(struct bench *b)
{
	*b = (struct bench){ .password = pctl_secret_new("P@ssw0rd", 8) };
	frame_reader_init(&b->reader, FRAME_FROM_DEVICE);
	pctl_buf_init_secret(&b->out, 4096);
	b->login = (struct login){
		.username = "admin", .password = b->password, .check_realm = check_realm, .data = b
	};
}

static void end(struct bench *b)
{
	frame_reader_done(&b->reader);
	frame_reader_done(&b->reader); /* once more does no harm */
	pctl_buf_done(&b->out);
	pctl_secret_free(b->password);
}

/* One byte after the other: nothing before the last, and no more wanted than is missing. */
static struct frame drip(struct bench *b, const void *data, size_t len)
{
	struct frame frame = { 0 };
	size_t used;

	for (size_t i = 0; i < len; i++) {
		assert_true(frame_reader_wants(&b->reader) <= len - i);
		assert_int_equal(frame_reader_feed(&b->reader, (const uint8_t *)data + i, 1, &used,
					 &frame, &b->err),
			i + 1 == len);
		assert_int_equal(used, 1);
		assert_int_equal(frame_reader_inside(&b->reader), i + 1 < len);
	}
	assert_int_equal(frame.len, len);
	assert_memory_equal(frame.data, data, len);
	return frame;
}

static void assert_refused(
	struct bench *b, enum frame_speech speech, const void *data, size_t len, const char *text)
{
	struct frame frame;
	size_t used;
	int r = 0;

	frame_reader_done(&b->reader);
	frame_reader_init(&b->reader, FRAME_FROM_DEVICE);
	b->reader.speech = speech;
	for (size_t i = 0; i < len && r == 0; i++)
		r = frame_reader_feed(
			&b->reader, (const uint8_t *)data + i, 1, &used, &frame, &b->err);
	assert_int_equal(r, PCTL_E_PROTOCOL);
	assert_string_equal(b->err.text, text);
}

static void test_frames_byte_by_byte(void **state)
{
	static const uint8_t data[] = { 0x2A, 0, 0, 0, 1, 0, 0, 0, 3, 0, 'a', 'b', 'c' };
	static const uint8_t none[] = { 0x2A, 0, 0, 0, 1, 0, 0, 0, 0, 0 };
	static const uint8_t oem[] = { 0x11, 0, 0, 0, 1, 0, 12, 0, 0x57, 1, 0, 0, 2, 'x', 'y' };
	static const uint8_t busy[] = { 0x11, 2, 0, 0 };
	struct bench b;
	struct frame f;
	struct frame_started started;
	const uint8_t *p;
	size_t n;

	(void)state;
	begin(&b);
	f = drip(&b, started_118, sizeof(started_118));
	assert_int_equal(frame_read_started(&f, &started, &b.err), 0);
	assert_int_equal(started.major, 11);
	assert_int_equal(started.minor, 8);
	(void)drip(&b, oem, sizeof(oem));
	f = drip(&b, busy, sizeof(busy));
	assert_int_equal(frame_read_started(&f, &started, &b.err), 0);
	assert_int_equal(started.status, START_BUSY);
	(void)drip(&b, types_12, sizeof(types_12));
	b.reader.speech = SPEECH_SOL;
	f = drip(&b, data, sizeof(data));
	assert_int_equal(frame_read_sol_data(&f, &p, &n, &b.err), 0);
	assert_int_equal(n, 3);
	assert_memory_equal(p, "abc", 3);
	f = drip(&b, none, sizeof(none));
	assert_int_equal(frame_read_sol_data(&f, &p, &n, &b.err), 0);
	assert_int_equal(n, 0);
	end(&b);
}

/* Many at once: each is found, and nothing of what follows is touched. */
static void test_frames_at_once(void **state)
{
	static const uint8_t all[] = { 0x2B, 0, 0, 0, 1, 0, 0, 0, 0x29, 0, 0, 0, 2, 0, 0, 0, 3, 4,
		0x24, 0, 0, 0, 9, 0, 0, 0, 0x2A };
	static const uint8_t commands[] = { 0x2B, 0x29, 0x24 };
	struct bench b;
	struct frame f;
	size_t at = 0, used;

	(void)state;
	begin(&b);
	b.reader.speech = SPEECH_SOL;
	for (size_t i = 0; i < sizeof(commands); i++) {
		assert_int_equal(
			frame_reader_feed(&b.reader, all + at, sizeof(all) - at, &used, &f, &b.err),
			1);
		assert_int_equal(f.command, commands[i]);
		assert_int_equal(used, f.len);
		if (f.command == FRAME_SOL_CONTROLS) {
			assert_int_equal(frame_read_sol_controls(&f).lines, SOL_RTS | SOL_DTR);
			assert_int_equal(frame_read_sol_controls(&f).status, SOL_POWER);
		}
		at += used;
	}
	assert_int_equal(
		frame_reader_feed(&b.reader, all + at, sizeof(all) - at, &used, &f, &b.err), 0);
	assert_true(frame_reader_inside(&b.reader));
	end(&b);
}

static void test_refused_frames(void **state)
{
	static const uint8_t large[] = { 0x14, 1, 0, 0, 4, 0xff, 0xff, 0xff, 0x7f };
	static const uint8_t just[] = { 0x14, 1, 0, 0, 4, 0xf8, 0x0f, 0, 0 };
	static const uint8_t data[] = { 0x2A, 0 };
	static const uint8_t unknown[] = { 0x99, 0 };
	static const uint8_t ours[] = { 0x13 };
	static const uint8_t login[] = { 0x14 };

	struct bench b;

	(void)state;
	begin(&b);
	assert_refused(&b, SPEECH_LOGIN, large, sizeof(large),
		"a redirection frame too large: login reply (14) of 2147483656 bytes");
	assert_refused(&b, SPEECH_LOGIN, just, sizeof(just),
		"a redirection frame too large: login reply (14) of 4097 bytes");
	assert_refused(&b, SPEECH_LOGIN, data, sizeof(data),
		"a redirection frame out of place: SOL data (2A) during the login");
	assert_refused(&b, SPEECH_SOL, login, sizeof(login),
		"a redirection frame out of place: login reply (14) during SOL");
	assert_refused(&b, SPEECH_KVM, unknown, sizeof(unknown),
		"an unknown redirection frame (99) during KVM");
	assert_refused(&b, SPEECH_LOGIN, ours, sizeof(ours),
		"an unknown redirection frame (13) during the login");
	end(&b);
}

static void test_start(void **state)
{
	static const struct {
		uint8_t status;
		int code;
	} statuses[] = { { 1, PCTL_E_UNSUPPORTED }, { 2, PCTL_E_BUSY }, { 3, PCTL_E_UNSUPPORTED },
		{ 5, PCTL_E_CONSENT }, { 255, PCTL_E_REFUSED }, { 77, PCTL_E_REFUSED } };
	struct bench b;

	(void)state;
	begin(&b);
	frame_put_start(&b.out, REDIRECTION_SOL);
	frame_put_start(&b.out, REDIRECTION_KVM);
	frame_put_start(&b.out, REDIRECTION_IDER);
	assert_memory_equal(b.out.data, "\x10\0\0\0SOL \x10\1\0\0KVMR\x10\0\0\0IDER", 24);
	for (size_t i = 0; i < TEST_COUNT(statuses); i++) {
		assert_int_equal(frame_start_refused(REDIRECTION_KVM, statuses[i].status, &b.err),
			statuses[i].code);
		assert_non_null(strstr(b.err.text, "KVM"));
	}
	end(&b);
}

static struct frame reply(uint8_t *buf, uint8_t status, uint8_t type, const char *const *texts)
{
	size_t n = 9;

	for (; *texts; texts++) {
		buf[n++] = (uint8_t)strlen(*texts);
		memcpy(buf + n, *texts, strlen(*texts));
		n += strlen(*texts);
	}
	memcpy(buf, (uint8_t[]){ 0x14, status, 0, 0, type, (uint8_t)(n - 9), 0, 0, 0 }, 9);
	return (struct frame){ .command = 0x14, .data = buf, .len = n };
}

static int take(struct bench *b, const struct frame *f)
{
	pctl_buf_cut(&b->out, 0);
	return login_take(&b->login, f, &b->out, &b->err);
}

static int take_types(struct bench *b, const char *types)
{
	uint8_t buf[32] = { 0x14, 0, 0, 0, 0, (uint8_t)strlen(types) };
	const struct frame f = { .command = 0x14, .data = buf, .len = 9 + strlen(types) };

	memcpy(buf + 9, types, strlen(types));
	return take(b, &f);
}

static const char *const challenge[] = { REALM, NONCE, "auth-int, auth", NULL };
static const char *const old_challenge[] = { REALM, NONCE, NULL };
static const char *const nothing[] = { NULL };

/* Type 3 hashes nothing random: its response was made with another program. */
static void assert_answer(struct bench *b, enum login_type type)
{
	const struct frame_login sent = { .data = (const uint8_t *)b->out.data + 9,
		.len = b->out.len - 9 };
	struct frame_field f[8];
	size_t n = type == LOGIN_DIGEST ? 8 : 7;

	assert_int_equal(b->out.data[0], 0x13);
	assert_int_equal(b->out.data[4], type);
	assert_int_equal(frame_read_fields(&sent, f, n, &b->err), 0);
	assert_memory_equal(f[0].data, "admin", f[0].len);
	assert_memory_equal(f[1].data, REALM, f[1].len);
	assert_memory_equal(f[2].data, NONCE, f[2].len);
	assert_memory_equal(f[3].data, "/RedirectionService", f[3].len);
	assert_int_equal(f[4].len, 32);
	assert_memory_equal(f[5].data, "00000001", f[5].len);
	assert_int_equal(f[6].len, 32);
	if (type == LOGIN_DIGEST)
		assert_memory_equal(f[7].data, "auth", f[7].len);
	else
		assert_memory_equal(f[6].data, "68c90433cee2987d74aaa35d1b3888c1", 32);
}

/* The lengths are those of a recorded login: 0x20, 0x4E, 0xB3. */
static void test_digest_login(void **state)
{
	static const char *const recorded[] = { REALM, NONCE, "auth", NULL };
	uint8_t buf[512];
	struct bench b;
	struct frame f;

	(void)state;
	begin(&b);
	login_begin(&b.login, &b.out);
	assert_int_equal(b.out.len, 9);
	assert_memory_equal(b.out.data, "\x13\0\0\0\0\0\0\0\0", 9);
	f = drip(&b, types_12, sizeof(types_12));
	assert_int_equal(take(&b, &f), 0);
	assert_int_equal(b.out.len, 9 + 0x20);
	assert_memory_equal(
		b.out.data, "\x13\0\0\0\4\x20\0\0\0\5admin\0\0\x13/RedirectionService", 37);
	assert_memory_equal(b.out.data + 37, "\0\0\0\0", 4);
	f = reply(buf, 1, LOGIN_DIGEST, recorded);
	assert_int_equal(buf[5], 0x4E);
	f = drip(&b, buf, f.len);
	assert_int_equal(take(&b, &f), 0);
	assert_int_equal((uint8_t)b.out.data[5], 0xB3);
	assert_int_equal(b.out.len, 9 + 0xB3);
	assert_string_equal(b.realm, REALM);
	assert_answer(&b, LOGIN_DIGEST);
	f = reply(buf, 0, LOGIN_DIGEST, nothing);
	assert_int_equal(take(&b, &f), 1);
	end(&b);
}

static void test_other_logins(void **state)
{
	uint8_t buf[512];
	struct bench b;
	struct frame f;

	(void)state;
	begin(&b);
	/* The best of those that there are. */
	assert_int_equal(take_types(&b, "\1\3\4\7"), 0);
	assert_int_equal(b.login.type, LOGIN_DIGEST);
	f = reply(buf, 1, LOGIN_DIGEST, challenge);
	assert_int_equal(take(&b, &f), 0);
	assert_answer(&b, LOGIN_DIGEST);

	b.login.step = LOGIN_ASKED;
	assert_int_equal(take_types(&b, "\3\1"), 0);
	assert_int_equal(b.out.data[5], 0x1F);
	f = reply(buf, 1, LOGIN_DIGEST_OLD, old_challenge);
	assert_int_equal(take(&b, &f), 0);
	assert_answer(&b, LOGIN_DIGEST_OLD);

	/* The password in clear: over TLS, and only where there is nothing else. */
	b.login.step = LOGIN_ASKED;
	assert_int_equal(take_types(&b, "\1"), PCTL_E_UNSUPPORTED);
	assert_null(memmem(b.out.data, b.out.len, "P@ssw0rd", 8));
	b.login.tls = true;
	assert_int_equal(take_types(&b, "\1"), 0);
	assert_memory_equal(b.out.data, "\x13\0\0\0\1\x0f\0\0\0\5admin\x08P@ssw0rd", 24);
	b.login.step = LOGIN_ASKED;
	assert_int_equal(take_types(&b, "\2"), PCTL_E_UNSUPPORTED);
	assert_int_equal(take_types(&b, ""), PCTL_E_UNSUPPORTED);
	end(&b);
}

static void begun(struct bench *b)
{
	b->login.step = LOGIN_ASKED;
	assert_int_equal(take_types(b, "\4"), 0);
}

static void test_refused_logins(void **state)
{
	static const char *const odd[][4] = { { "a\"b", NONCE, "auth", NULL },
		{ "", NONCE, "auth", NULL }, { REALM, "", "auth", NULL },
		{ REALM, "a\nb", "auth", NULL }, { REALM, NONCE, "other", NULL },
		{ REALM, NONCE, NULL, NULL } };
	uint8_t buf[512];
	struct bench b;
	struct frame f;

	(void)state;
	begin(&b);
	begun(&b);
	f = reply(buf, 1, LOGIN_DIGEST, challenge);
	assert_int_equal(take(&b, &f), 0);
	f = reply(buf, 1, LOGIN_DIGEST, nothing);
	assert_int_equal(take(&b, &f), PCTL_E_AUTH);
	assert_non_null(strstr(b.err.text, "'admin'"));
	f = reply(buf, 2, LOGIN_DIGEST, nothing);
	assert_int_equal(take(&b, &f), PCTL_E_FORBIDDEN);

	/* Another machine gets no answer that the password has a part in. */
	begun(&b);
	b.other_realm = "x";
	f = reply(buf, 1, LOGIN_DIGEST, challenge);
	assert_int_equal(take(&b, &f), PCTL_E_TRUST);
	assert_int_equal(b.out.len, 0);
	b.other_realm = NULL;

	for (size_t i = 0; i < TEST_COUNT(odd); i++) {
		begun(&b);
		f = reply(buf, 1, LOGIN_DIGEST, odd[i]);
		assert_int_equal(take(&b, &f), PCTL_E_PROTOCOL);
		assert_int_equal(b.out.len, 0);
	}
	begun(&b);
	f = reply(buf, 0, LOGIN_DIGEST, nothing);
	assert_int_equal(take(&b, &f), PCTL_E_PROTOCOL);
	begun(&b);
	f = reply(buf, 1, LOGIN_DIGEST_OLD, challenge);
	assert_int_equal(take(&b, &f), PCTL_E_PROTOCOL);
	f = drip(&b, started_118, sizeof(started_118));
	assert_int_equal(take(&b, &f), PCTL_E_PROTOCOL);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_byte_by_byte),
		cmocka_unit_test(test_frames_at_once),
		cmocka_unit_test(test_refused_frames),
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_digest_login),
		cmocka_unit_test(test_other_logins),
		cmocka_unit_test(test_refused_logins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
