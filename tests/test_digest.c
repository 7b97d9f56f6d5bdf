/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <powerctl/http.h>

static int parse(const char *header, struct pctl_digest *ret)
{
	return pctl_digest_parse(header, strlen(header), ret);
}

static struct pctl_digest parsed(const char *header)
{
	struct pctl_digest digest;

	assert_int_equal(parse(header, &digest), 0);
	return digest;
}

static struct pctl_digest_answer mufasa(const char *password, const char *cnonce)
{
	return (struct pctl_digest_answer){ .username = "Mufasa",
		.method = "GET",
		.uri = "/dir/index.html",
		.password = password,
		.password_len = strlen(password),
		.cnonce = cnonce,
		.nc = 1 };
}

static void assert_answers(
	const char *challenge, const struct pctl_digest_answer *answer, const char *response)
{
	struct pctl_digest digest = parsed(challenge);
	char buf[2048], want[160];

	assert_int_equal(pctl_digest_answer(&digest, answer, buf, sizeof(buf)), 0);
	(void)snprintf(want, sizeof(want), ", response=\"%s\"", response);
	if (!strstr(buf, want))
		fail_msg("%s is not in %s", want, buf);
}

#define RFC2617                                                        \
	"Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", " \
	"nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "               \
	"opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""
#define RFC7616                                                                          \
	"Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=%s, " \
	"nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "                       \
	"opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
#define RFC7616_CNONCE "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"

static void test_rfc2617(void **state)
{
	struct pctl_digest_answer a = mufasa("Circle Of Life", "0a4f113b");
	struct pctl_digest digest = parsed(RFC2617);
	char buf[1024];

	(void)state;
	assert_answers(RFC2617, &a, "6629fae49393a05397450978507c4ef1");
	assert_int_equal(pctl_digest_answer(&digest, &a, buf, sizeof(buf)), 0);
	assert_string_equal(buf,
		"Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
		"nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", "
		"response=\"6629fae49393a05397450978507c4ef1\", "
		"opaque=\"5ccc069c403ebaf9f0171e9517f40e41\", qop=auth, nc=00000001, "
		"cnonce=\"0a4f113b\"");
}

static void test_rfc7616(void **state)
{
	struct pctl_digest_answer a = mufasa("Circle of Life", RFC7616_CNONCE);
	char challenge[512];

	(void)state;
	(void)snprintf(challenge, sizeof(challenge), RFC7616, "SHA-256");
	assert_answers(
		challenge, &a, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
	(void)snprintf(challenge, sizeof(challenge), RFC7616, "MD5");
	assert_answers(challenge, &a, "8ca523f5e9506fed4657c9700eebdbec");
}

/* Calculated with Python's hashlib from the formulas of RFC 7616, section 3.4. */
static void test_other_kinds(void **state)
{
	struct pctl_digest_answer a = mufasa("Circle Of Life", "0a4f113b");

	(void)state;
	a.body = "Hello";
	a.body_len = 5;
	assert_answers("Digest realm=r, nonce=n", &a, "e2f9f8bed08c50a66181679ee5b58085");
	assert_answers(
		"Digest realm=r, nonce=n, qop=auth-int", &a, "07bb8bcb3e2e1f369c453c4e342227d2");
	assert_answers("Digest realm=r, nonce=n, qop=\"auth\", algorithm=MD5-sess", &a,
		"572c194376aa2c028df6d47c837d2721");
	assert_answers("Digest realm=r, nonce=n, qop=\"auth\", algorithm=\"sha-256-SESS\"", &a,
		"f4ef9675a0cabd9f8afa6460ba81dc10ec6fe92b6d6c98e33726d2e374ca35ca");
	a.nc = 0xabc;
	assert_answers("Digest realm=r, nonce=n, qop=auth", &a, "0dc8e822d9cbc57bf284f8daac11c9b2");
}

static void test_recorded_amt(void **state)
{
	struct pctl_digest d;

	(void)state;
	/* Firmware 8.0.3. */
	d = parsed("Digest realm=\"Digest:10DF0000000000000000000000000000\", "
		   "nonce=\"+S5HDg4iAACIkRUMJoai5Xyxlc9qWHgc\",stale=\"false\",qop=\"auth\"");
	assert_string_equal(d.realm, "Digest:10DF0000000000000000000000000000");
	assert_string_equal(d.nonce, "+S5HDg4iAACIkRUMJoai5Xyxlc9qWHgc");
	assert_string_equal(d.algorithm, "MD5");
	assert_string_equal(d.opaque, "");
	assert_true(d.qop_auth);
	assert_false(d.qop_auth_int);
	assert_false(d.stale);

	/* Firmware 16.1.25: a list in quotes. */
	d = parsed("Digest realm=\"Digest:727734D63A1FC0423736E48DA554E462\", "
		   "nonce=\"QYePBLMVAAAAAAAAjfXveceOM5bNfu/K\",stale=\"true\","
		   "qop=\"auth-int, auth\"");
	assert_string_equal(d.nonce, "QYePBLMVAAAAAAAAjfXveceOM5bNfu/K");
	assert_true(d.qop_auth && d.qop_auth_int);
	assert_true(d.stale);
}

static void test_auth_is_preferred_and_nc_has_eight_digits(void **state)
{
	struct pctl_digest d = parsed("Digest realm=r,nonce=n,qop=\"auth-int, auth\"");
	struct pctl_digest_answer a = mufasa("x", "c");
	char buf[512];

	(void)state;
	a.nc = 0x1f;
	assert_int_equal(pctl_digest_answer(&d, &a, buf, sizeof(buf)), 0);
	assert_non_null(strstr(buf, ", qop=auth, nc=0000001f, cnonce=\"c\""));
	assert_null(strstr(buf, "algorithm"));
	assert_null(strstr(buf, "opaque"));
}

static void test_any_order_and_spelling(void **state)
{
	(void)state;
	struct pctl_digest d = parsed("dIGEST  QOP = auth ,,STALE=TRUE,  nonce\t=\t\"a,b=c\\\"d\" "
				      ", domain=\"/a /b\",Realm=\"\xc3\xa4\"");
	assert_string_equal(d.nonce, "a,b=c\\\"d");
	assert_string_equal(d.realm, "\xc3\xa4");
	assert_true(d.stale && d.qop_auth);

	/* Among other schemes, in one line. */
	d = parsed("Negotiate oRQwEqAD==, Digest realm=\"r\", nonce=\"n\", Basic realm=\"b\"");
	assert_string_equal(d.realm, "r");
	d = parsed("Digest realm=\"r\", nonce=\"n\", Digest realm=\"s\", nonce=\"m\"");
	assert_string_equal(d.realm, "r");
	d = parsed("Negotiate, Basic realm=\"b\", Digest realm=\"r\", nonce=\"n\"");
	assert_string_equal(d.realm, "r");
}

static void test_refused_challenges(void **state)
{
	static const char *const bad[] = {
		"",
		"Digest",
		"Basic realm=\"r\", nonce=\"n\"",
		"Digest realm=\"r\"",
		"Digest nonce=\"n\"",
		"Digest realm=\"\", nonce=\"n\"",
		"Digest realm=\"r\", nonce=\"\"",
		"Digest realm=\"r\", nonce=\"n",
		"Digest realm=\"r\", nonce=\"n\\\"",
		"Digest realm=\"r\", nonce=\"n\\",
		"Digest realm=\"r\", nonce=",
		"Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256",
		"Digest realm=\"r\", nonce=\"n\", algorithm=token",
		"Digest realm=\"r\", nonce=\"n\", qop=\"frob\"",
		"Digest realm=\"r\", nonce=\"n\", qop=\"auth;auth-int\"",
		"Digest realm=\"r\", nonce=\"n\", nonce=\"m\"",
		"Digest realm=\"r\", realm=\"s\", nonce=\"n\"",
		"Digest realm=\"a\nb\", nonce=\"n\"",
		"Digest realm=\"a\x7f\", nonce=\"n\"",
		"Digest realm=\"r\", nonce=\"n\"; x",
		"Digest \"realm\"=\"r\", nonce=\"n\"",
		"realm=\"r\", nonce=\"n\"",
		"Digest realm=\"r\", Basic nonce=\"n\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct pctl_digest d = { .realm = "untouched" };

		if (parse(bad[i], &d) != PCTL_E_PROTOCOL)
			fail_msg("taken: %s", bad[i]);
		assert_string_equal(d.realm, "untouched");
	}
	struct pctl_digest d;
	static const char zero[] = "Digest realm=\"a\0b\", nonce=\"n\"";
	assert_int_equal(pctl_digest_parse(zero, sizeof(zero) - 1, &d), PCTL_E_PROTOCOL);
}

static int parse_long(const char *field, size_t len, struct pctl_digest *ret)
{
	char header[1024], value[512];

	memset(value, 'x', len);
	value[len] = '\0';
	(void)snprintf(header, sizeof(header), "Digest %s=\"%s\", %s", field, value,
		strcmp(field, "realm") == 0   ? "nonce=n"
		: strcmp(field, "nonce") == 0 ? "realm=r"
					      : "realm=r, nonce=n");
	return parse(header, ret);
}

static void test_fields_are_capped(void **state)
{
	static const char *const fields[] = { "realm", "nonce", "opaque" };
	struct pctl_digest d;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(parse_long(fields[i], 255, &d), 0);
		assert_int_equal(parse_long(fields[i], 256, &d), PCTL_E_PROTOCOL);
	}
	assert_int_equal(strlen(d.opaque), 255);
}

static void test_every_prefix_is_safe(void **state)
{
	static const char whole[] = RFC2617;

	(void)state;
	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		/* Exactly as long as it is, so that reading on is seen. */
		char *part = test_malloc(len + 1);
		struct pctl_digest d;

		memcpy(part, whole, len);
		(void)pctl_digest_parse(part, len, &d);
		test_free(part);
	}
}

static void test_small_buffers_hold_nothing(void **state)
{
	struct pctl_digest d = parsed(RFC2617);
	struct pctl_digest_answer a = mufasa("Circle Of Life", "0a4f113b");
	char whole[1024], buf[1024];

	(void)state;
	assert_int_equal(pctl_digest_answer(&d, &a, whole, sizeof(whole)), 0);
	size_t need = strlen(whole) + 1;
	for (size_t size = 0; size < need; size++) {
		memset(buf, 'x', sizeof(buf));
		assert_int_equal(pctl_digest_answer(&d, &a, buf, size), PCTL_E_INTERNAL);
		assert_int_equal(buf[size], 'x');
		assert_true(!size || !buf[0]);
		assert_null(memmem(buf, sizeof(buf), "6629fae4", 8));
	}
	assert_int_equal(pctl_digest_answer(&d, &a, buf, need), 0);
	assert_string_equal(buf, whole);
}

static void test_nothing_can_be_smuggled(void **state)
{
	struct pctl_digest d = parsed(RFC2617);
	struct pctl_digest_answer a = mufasa("x", "c");
	char buf[1024];

	(void)state;
	a.username = "a\"b\\c";
	assert_int_equal(pctl_digest_answer(&d, &a, buf, sizeof(buf)), 0);
	assert_non_null(strstr(buf, "username=\"a\\\"b\\\\c\","));
	a.username = "a\r\nX: y";
	assert_int_equal(pctl_digest_answer(&d, &a, buf, sizeof(buf)), PCTL_E_INTERNAL);
	a.username = "a";
	a.uri = "/\"";
	assert_int_equal(pctl_digest_answer(&d, &a, buf, sizeof(buf)), PCTL_E_INTERNAL);
	a.uri = "/";
	(void)snprintf(d.algorithm, sizeof(d.algorithm), "MD4");
	assert_int_equal(pctl_digest_answer(&d, &a, buf, sizeof(buf)), PCTL_E_INTERNAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc2617),
		cmocka_unit_test(test_rfc7616),
		cmocka_unit_test(test_other_kinds),
		cmocka_unit_test(test_recorded_amt),
		cmocka_unit_test(test_auth_is_preferred_and_nc_has_eight_digits),
		cmocka_unit_test(test_any_order_and_spelling),
		cmocka_unit_test(test_refused_challenges),
		cmocka_unit_test(test_fields_are_capped),
		cmocka_unit_test(test_every_prefix_is_safe),
		cmocka_unit_test(test_small_buffers_hold_nothing),
		cmocka_unit_test(test_nothing_can_be_smuggled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
