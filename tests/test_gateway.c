/* SPDX-License-Identifier: Apache-2.0 */
/* Ways through gateways: the setting, SOCKS 5, ssh's control protocol and what ssh prints. */
#include "test.h"

#include "node/gateway.h"
#include "node/mux.h"
#include "node/socks5.h"
#include "node/ssh_login.h"
#include "node/via.h"

/* --- The setting. ----------------------------------------------------------------------------- */

static void test_via_is_understood(void **state)
{
	static const struct {
		const char *text;
		enum pctl_via_kind kind;
		const char *user, *host;
		unsigned port;
		const char *key;
	} rows[] = {
		{ "direct", PCTL_VIA_DIRECT, NULL, NULL, 0, NULL },
		{ "pump", PCTL_VIA_PUMP, NULL, NULL, 0, NULL },
		{ "socks5://gw", PCTL_VIA_SOCKS5, NULL, "gw", 1080, "gw:1080" },
		{ "socks5://me@GW.example:99", PCTL_VIA_SOCKS5, "me", "gw.example", 99,
			"gw.example:99" },
		{ "socks5://[fd00::1]:9", PCTL_VIA_SOCKS5, NULL, "fd00::1", 9, "[fd00::1]:9" },
		{ "ssh://gw", PCTL_VIA_SSH, NULL, "gw", 0, "gw" },
		{ "ssh://root@10.0.0.1:2222", PCTL_VIA_SSH, "root", "10.0.0.1", 2222,
			"10.0.0.1:2222" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pctl_via *via = NULL;

		assert_int_equal(pctl_via_parse(rows[i].text, &via, NULL), 0);
		assert_int_equal(via->kind, rows[i].kind);
		assert_int_equal(via->port, rows[i].port);
		assert_string_equal(via->user ? via->user : "", rows[i].user ? rows[i].user : "");
		assert_string_equal(via->host ? via->host : "", rows[i].host ? rows[i].host : "");
		assert_string_equal(via->key ? via->key : "", rows[i].key ? rows[i].key : "");
		pctl_via_free(via);
	}
}

static void test_via_mistakes_say_what_is_right(void **state)
{
	static const char *const rows[][2] = {
		{ "sock5://gw", "did you mean 'socks5'?" },
		{ "carrier-pigeon", "carrier-pigeon" },
		{ "ssh", "needs a gateway" },
		{ "ssh://", "no host name" },
		{ "ssh://-oProxyCommand=x", "no host name" },
		{ "ssh://-l@gw", "no user name" },
		{ "ssh://a b@gw", "no user name" },
		{ "ssh://gw:0", "no port" },
		{ "ssh://gw:65536", "no port" },
		{ "ssh://gw:22x", "no port" },
		{ "ssh://gw/path", "no host name" },
		{ "socks5://[::1", "no host name" },
		{ "socks5://[::1]x", "no host name" },
		{ "socks5://[gw]", "no host name" },
		{ "socks5://u:hunter2@gw", "no password in `via`" },
		{ "direct://gw", "stands alone" },
		{ "", "there is no way" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pctl_via *via = NULL;
		struct pctl_error err = { 0 };

		assert_int_equal(pctl_via_parse(rows[i][0], &via, &err), PCTL_E_CONFIG);
		assert_null(via);
		assert_non_null(strstr(err.text, rows[i][1]));
		assert_null(strstr(err.text, "hunter2"));
	}
}

/* --- SOCKS 5. --------------------------------------------------------------------------------- */

struct talk {
	struct pctl_socks5 s;
	struct pctl_secret *secret;
	struct pctl_error err;
};

static void begin(struct talk *t, const char *host, const char *user, const char *password)
{
	*t = (struct talk){ .secret =
				    password ? pctl_secret_new(password, strlen(password)) : NULL };
	assert_int_equal(pctl_socks5_begin(&t->s, host, 16992, user, t->secret, &t->err), 0);
}

/* Fed byte by byte, and then what is behind it must not be touched. */
static int say(struct talk *t, const char *bytes, size_t len)
{
	size_t used = 0;
	int r = 0;

	for (size_t i = 0; i < len && r == 0; i++) {
		r = pctl_socks5_take(&t->s, (const uint8_t *)bytes + i, 1, &used, &t->err);
		assert_int_equal(used, 1);
	}
	return r;
}

static void sent(const struct talk *t, const char *bytes, size_t len)
{
	assert_int_equal(t->s.send_n, len);
	assert_memory_equal(t->s.send, bytes, len);
}

#define SAY(t, text)  say(t, text, sizeof(text) - 1)
#define SENT(t, text) sent(t, text, sizeof(text) - 1)

static void test_socks_without_login(void **state)
{
	struct talk t;
	size_t used = 0;

	(void)state;
	begin(&t, "bmc7", NULL, NULL);
	SENT(&t, "\5\1\0");
	assert_int_equal(SAY(&t, "\5\0"), 0);
	SENT(&t, "\5\1\0\3\4bmc7\x42\x60");
	static const uint8_t reply[] = "\5\0\0\1\x7f\0\0\1\x04\x38HTTP";
	assert_int_equal(pctl_socks5_take(&t.s, reply, sizeof(reply) - 1, &used, &t.err), 1);
	assert_int_equal(used, 10);
	assert_string_equal((const char *)reply + used, "HTTP");
}

static void test_socks_numbers_are_numbers(void **state)
{
	struct talk t;

	(void)state;
	begin(&t, "10.0.0.5", NULL, NULL);
	assert_int_equal(SAY(&t, "\5\0"), 0);
	SENT(&t, "\5\1\0\1\x0a\0\0\5\x42\x60");
	begin(&t, "fd00::1", NULL, NULL);
	assert_int_equal(SAY(&t, "\5\0"), 0);
	SENT(&t, "\5\1\0\4\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\x42\x60");
	assert_int_equal(SAY(&t, "\5\0\0\3\2ab\0\0"), 1);
}

static void test_socks_login(void **state)
{
	struct talk t;

	(void)state;
	begin(&t, "n", "me", "secret!");
	SENT(&t, "\5\2\0\2");
	assert_int_equal(SAY(&t, "\5\2"), 0);
	SENT(&t, "\1\2me\7secret!");
	assert_int_equal(SAY(&t, "\1\0"), 0);
	assert_memory_not_equal(t.s.send, "\1\2me\7secret!", 12);
	SENT(&t, "\5\1\0\3\1n\x42\x60");
	pctl_secret_free(t.secret);

	begin(&t, "n", "me", "secret!");
	(void)SAY(&t, "\5\2");
	assert_int_equal(SAY(&t, "\1\1"), PCTL_E_AUTH);
	assert_null(strstr(t.err.text, "secret!"));
	pctl_secret_free(t.secret);
}

static void test_socks_refusals_in_words(void **state)
{
	static const struct {
		const char *bytes;
		int code;
		const char *text;
		unsigned flags;
	} rows[] = {
		{ "\5\1", PCTL_E_UNREACHABLE, "does not say why", 0 },
		{ "\5\2", PCTL_E_FORBIDDEN, "rules", 0 },
		{ "\5\3", PCTL_E_UNREACHABLE, "network", 0 },
		{ "\5\4", PCTL_E_UNREACHABLE, "no route", 0 },
		{ "\5\5", PCTL_E_UNREACHABLE, "refused", PCTL_ERROR_NOT_LISTENING },
		{ "\5\6", PCTL_E_UNREACHABLE, "TTL", 0 },
		{ "\5\7", PCTL_E_UNSUPPORTED, "CONNECT", 0 },
		{ "\5\x08", PCTL_E_UNSUPPORTED, "address", 0 },
		{ "\5\x09", PCTL_E_PROTOCOL, "without a name", 0 },
		{ "\4\1", PCTL_E_PROTOCOL, "not SOCKS", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct talk t;

		begin(&t, "n", NULL, NULL);
		(void)SAY(&t, "\5\0");
		assert_int_equal(say(&t, rows[i].bytes, 2), rows[i].code);
		assert_non_null(strstr(t.err.text, rows[i].text));
		assert_int_equal(t.err.flags, rows[i].flags);
	}
}

static void test_socks_nonsense(void **state)
{
	char name[300];
	struct talk t;

	(void)state;
	begin(&t, "n", NULL, NULL);
	assert_int_equal(SAY(&t, "HT"), PCTL_E_PROTOCOL);
	begin(&t, "n", NULL, NULL);
	assert_int_equal(SAY(&t, "\5\xff"), PCTL_E_AUTH);
	assert_non_null(strstr(t.err.text, "via_credential"));
	begin(&t, "n", NULL, NULL);
	assert_int_equal(SAY(&t, "\5\2"), PCTL_E_PROTOCOL); /* was not offered */
	begin(&t, "n", NULL, NULL);
	(void)SAY(&t, "\5\0");
	assert_int_equal(SAY(&t, "\5\0\0\7\0"), PCTL_E_PROTOCOL);
	memset(name, 'a', sizeof(name));
	name[256] = '\0';
	assert_int_equal(pctl_socks5_begin(&t.s, name, 1, NULL, NULL, &t.err), PCTL_E_CONFIG);
}

/* --- ssh's control socket. -------------------------------------------------------------------- */

static void test_mux_asks(void **state)
{
	static const char wanted[] =
		"\0\0\0\x08\0\0\0\1\0\0\0\4"
		"\0\0\0\x18\x10\0\0\x08\0\0\0\1\0\0\0\0\0\0\0\4bmc7\0\0\x42\x60";
	uint8_t bytes[PCTL_MUX_SEND_MAX];
	char name[300];

	(void)state;
	assert_int_equal(pctl_mux_ask(bytes, "bmc7", 16992, NULL), sizeof(wanted) - 1);
	assert_memory_equal(bytes, wanted, sizeof(wanted) - 1);
	memset(name, 'a', sizeof(name));
	name[255] = '\0';
	assert_true(pctl_mux_ask(bytes, name, 1, NULL) <= (int)sizeof(bytes));
	name[255] = 'a';
	name[256] = '\0';
	assert_int_equal(pctl_mux_ask(bytes, name, 1, NULL), PCTL_E_CONFIG);
}

static int mux_says(const char *bytes, size_t len, struct pctl_error *err)
{
	struct pctl_mux mux = { .taken_n = 0 };
	int r = 0;

	for (size_t i = 0; i < len && r == 0; i++)
		r = pctl_mux_take(&mux, (const uint8_t *)bytes + i, 1, err);
	return r;
}
#define MUX(text) mux_says(text, sizeof(text) - 1, &err)
#define HELLO     "\0\0\0\x08\0\0\0\1\0\0\0\4"

static void test_mux_answers(void **state)
{
	struct pctl_error err = { 0 };

	(void)state;
	assert_int_equal(MUX(HELLO), 0);
	assert_int_equal(MUX(HELLO "\0\0\0\x0c\x80\0\0\6\0\0\0\1\0\0\0\2"), 1);
	assert_int_equal(MUX(HELLO "\0\0\0\x0e\x80\0\0\3\0\0\0\1\0\0\0\2no"), PCTL_E_REFUSED);
	assert_string_equal(err.text, "no");
	assert_int_equal(MUX(HELLO "\0\0\0\x0e\x80\0\0\2\0\0\0\1\0\0\0\2no"), PCTL_E_FORBIDDEN);
	assert_int_equal(MUX("\0\0\0\x08\0\0\0\1\0\0\0\5"), PCTL_E_UNSUPPORTED);
	assert_int_equal(MUX("\0\0\0\x04\0\0\0\1"), PCTL_E_PROTOCOL);
	assert_int_equal(MUX("\0\0\0\x03\0\0\0"), PCTL_E_PROTOCOL);
	assert_int_equal(MUX("\0\0\x08\0"), PCTL_E_PROTOCOL); /* more than is kept */
	assert_int_equal(MUX(HELLO "\0\0\0\x0e\x80\0\0\3\0\0\0\1\0\0\0\3no"), PCTL_E_PROTOCOL);
}

static void test_what_ssh_prints(void **state)
{
	static const struct {
		const char *said;
		int code;
		const char *text;
	} rows[] = {
		{ "ssh: connect to host gw port 22: Connection refused\r\n", PCTL_E_UNREACHABLE,
			"connection refused" },
		{ "Host key verification failed.\r\n", PCTL_E_TRUST, "`ssh ssh://gw`" },
		{ "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\r\nHost key verification "
		  "failed.\r\n",
			PCTL_E_TRUST, "has changed" },
		{ "me@gw: Permission denied (publickey).\r\n", PCTL_E_AUTH, "refused the login" },
		{ "ssh: Could not resolve hostname gw: Name or service not known\r\n",
			PCTL_E_UNREACHABLE, "Could not resolve hostname gw" },
		{ "Something\r\n\r\nchannel 3: open failed: x\r\n", PCTL_E_UNREACHABLE,
			"Something" },
		{ "", PCTL_E_UNREACHABLE, "without a word" },
	};
	struct pctl_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
			pctl_gateway_explain(rows[i].said, "ssh://gw", &err), rows[i].code);
		assert_non_null(strstr(err.text, rows[i].text));
	}
	assert_null(pctl_gateway_reason("channel x: open failed: no"));
	assert_null(pctl_gateway_reason("a channel 1: open failed: no"));
	const char *reason =
		pctl_gateway_reason("channel 12: open failed: connect failed: Connection refused");
	assert_string_equal(reason, "connect failed: Connection refused");
	assert_int_equal(pctl_gateway_explain_open(reason, &err), PCTL_E_UNREACHABLE);
	assert_int_equal(err.flags, PCTL_ERROR_NOT_LISTENING);
	assert_int_equal(
		pctl_gateway_explain_open("administratively prohibited: open failed", &err),
		PCTL_E_FORBIDDEN);
	(void)pctl_gateway_explain_open("resource shortage", &err);
	assert_true(pctl_error_is_shortage(&err));
}

/* wait statuses as Linux has them: an exit's number is in the second byte, a signal in the first */
#define FAILED (255 << 8)
#define CLOSED "Connection to bmc closed.\r\n"
#define DENIED "admin@bmc: Permission denied (publickey,password).\r\n"

static void test_how_an_ssh_login_ends(void **state)
{
	static const struct {
		struct pctl_ssh_end end;
		int code;
		const char *text;
	} rows[] = {
		{ { .open = true, .said = CLOSED }, 0, "" },
		{ { .open = true, .status = 3 << 8 }, 0, "" },
		{ { .open = true, .said = CLOSED, .status = FAILED }, 0, "" },
		{ { .open = true,
			  .said = "Connection to bmc closed by remote host.\r\n" CLOSED,
			  .status = FAILED },
			PCTL_E_UNREACHABLE, "over SSH: it closed the connection" },
		{ { .open = true,
			  .said = "Timeout, server bmc not responding.\r\n" CLOSED,
			  .status = FAILED },
			PCTL_E_UNREACHABLE, "does not answer any more" },
		{ { .said = "Host key verification failed.\r\n", .status = FAILED }, PCTL_E_TRUST,
			"`ssh -p 7 bmc`" },
		{ { .open = true, .status = FAILED }, PCTL_E_UNREACHABLE, "without a word" },
		{ { .open = true, .said = CLOSED, .status = 9 }, PCTL_E_UNREACHABLE, "signal 9" },
		{ { .said = CLOSED, .shown = "All sessions are in use" }, PCTL_E_REFUSED,
			"the login over SSH ended before there was a console; its last words: 'All "
			"sessions are in use'" },
		{ { .said = "Connection to bmc closed by remote host.\r\n",
			  .status = FAILED,
			  .password = PCTL_SSH_PASSWORD_TAKEN },
			PCTL_E_REFUSED, "before there was a console: it closed the connection" },
		{ { .said = DENIED, .status = FAILED, .password = PCTL_SSH_PASSWORD_TAKEN },
			PCTL_E_AUTH, "neither a key of yours nor the password" },
		{ { .said = DENIED, .status = FAILED, .password = PCTL_SSH_PASSWORD_KEPT },
			PCTL_E_AUTH, "did not ask for the password: see PasswordAuthentication" },
		{ { .said = "bmc: Permission denied (publickey,hostbased).",
			  .status = FAILED,
			  .password = PCTL_SSH_PASSWORD_KEPT },
			PCTL_E_AUTH, "takes no password, only publickey,hostbased, and no key" },
		{ { .said = DENIED, .status = FAILED, .no_password = "there is no helper" },
			PCTL_E_AUTH, "ssh was given no password: there is no helper" },
		{ { .said = DENIED, .status = FAILED }, PCTL_E_AUTH, "it takes no key of yours" },
	};
	struct pctl_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pctl_ssh_end end = rows[i].end;

		end.said = end.said ? end.said : "";
		end.shown = end.shown ? end.shown : "";
		end.spot = "-p 7 bmc";
		assert_int_equal(pctl_ssh_explain_end(&end, &err), rows[i].code);
		assert_int_equal(err.code, rows[i].code);
		assert_non_null(strstr(err.text, rows[i].text));
		assert_true(err.code == 0 || (err.flags & PCTL_ERROR_GATEWAY));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_via_is_understood),
		cmocka_unit_test(test_via_mistakes_say_what_is_right),
		cmocka_unit_test(test_socks_without_login),
		cmocka_unit_test(test_socks_numbers_are_numbers),
		cmocka_unit_test(test_socks_login),
		cmocka_unit_test(test_socks_refusals_in_words),
		cmocka_unit_test(test_socks_nonsense),
		cmocka_unit_test(test_mux_asks),
		cmocka_unit_test(test_mux_answers),
		cmocka_unit_test(test_what_ssh_prints),
		cmocka_unit_test(test_how_an_ssh_login_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
