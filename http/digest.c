/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP Digest (RFC 2069, 2617, 7616) as bytes in and bytes out. Quoted strings are kept as they
 * stand between their quotes, escapes included: that is what goes into the hash and what is sent
 * back.
 */
/* EVP makes ready all digests that OpenSSL has before it calculates one: a tenth of a command. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "internal.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <openssl/md5.h>
#include <openssl/sha.h>

#define HEX_MAX PCTL_DIGEST_RESPONSE

/* --- The challenge. --------------------------------------------------------------------------- */

struct span {
	const char *at;
	size_t len;
};

struct scan {
	const char *at, *end;
};

struct param {
	struct span name, value; /* a scheme has a name only */
	bool is_scheme;
};

static bool span_is(struct span span, const char *word)
{
	return span.len == strlen(word) && strncasecmp(span.at, word, span.len) == 0;
}

/* RFC 7230 tchar. */
static bool is_token(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static void skip(struct scan *scan, const char *set)
{
	while (scan->at < scan->end && *scan->at && strchr(set, *scan->at))
		scan->at++;
}

static struct span take_token(struct scan *scan)
{
	struct span token = { .at = scan->at };

	while (scan->at < scan->end && is_token(*scan->at))
		scan->at++;
	token.len = (size_t)(scan->at - token.at);
	return token;
}

static int take_quoted(struct scan *scan, struct span *ret)
{
	const char *start = ++scan->at;

	while (scan->at < scan->end && *scan->at != '"')
		scan->at += *scan->at == '\\' && scan->at + 1 < scan->end ? 2 : 1;
	if (scan->at == scan->end)
		return PCTL_E_PROTOCOL;
	*ret = (struct span){ .at = start, .len = (size_t)(scan->at++ - start) };
	return 0;
}

/* "Negotiate oRQwEg==": the padding of a token68, which is no value. */
static bool is_padding(const struct scan *scan)
{
	const char *p = scan->at;

	while (p < scan->end && (*p == '=' || *p == ' ' || *p == '\t'))
		p++;
	return p == scan->end || *p == ',';
}

/* 1: one element of the list, 0: its end, negative: no list. */
static int next(struct scan *scan, struct param *ret)
{
	skip(scan, ", \t");
	if (scan->at == scan->end)
		return 0;

	*ret = (struct param){ .name = take_token(scan), .value = { .at = "" } };
	if (!ret->name.len)
		return PCTL_E_PROTOCOL;
	skip(scan, " \t");
	ret->is_scheme = scan->at == scan->end || *scan->at != '=';
	if (ret->is_scheme)
		return 1;
	if (is_padding(scan)) {
		skip(scan, "= \t");
		return 1;
	}
	scan->at++;
	skip(scan, " \t");
	if (scan->at < scan->end && *scan->at == '"')
		return take_quoted(scan, &ret->value) < 0 ? PCTL_E_PROTOCOL : 1;
	ret->value = take_token(scan);
	return ret->value.len ? 1 : PCTL_E_PROTOCOL;
}

/* Once, whole, and without anything that could end a header line or a file's line. */
static int store(char *field, size_t size, struct span value)
{
	if (*field || value.len >= size)
		return PCTL_E_PROTOCOL;
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.at[i];
		if (c < ' ' || c == 0x7f)
			return PCTL_E_PROTOCOL;
	}
	memcpy(field, value.at, value.len);
	field[value.len] = '\0';
	return 0;
}

/* The hash of parts joined by colons. */
static bool md5(const struct span *parts, size_t n, unsigned char *sum)
{
	MD5_CTX ctx;
	bool ok = MD5_Init(&ctx) == 1;

	for (size_t i = 0; ok && i < n; i++)
		ok = (i == 0 || MD5_Update(&ctx, ":", 1) == 1) &&
		     MD5_Update(&ctx, parts[i].at, parts[i].len) == 1;
	ok = ok && MD5_Final(sum, &ctx) == 1;
	explicit_bzero(&ctx, sizeof(ctx));
	return ok;
}

static bool sha256(const struct span *parts, size_t n, unsigned char *sum)
{
	SHA256_CTX ctx;
	bool ok = SHA256_Init(&ctx) == 1;

	for (size_t i = 0; ok && i < n; i++)
		ok = (i == 0 || SHA256_Update(&ctx, ":", 1) == 1) &&
		     SHA256_Update(&ctx, parts[i].at, parts[i].len) == 1;
	ok = ok && SHA256_Final(sum, &ctx) == 1;
	explicit_bzero(&ctx, sizeof(ctx));
	return ok;
}

static const struct algorithm {
	const char *name;
	bool (*hash)(const struct span *parts, size_t n, unsigned char *sum);
	size_t len;
	bool session;
} algorithms[] = {
	{ "MD5", md5, MD5_DIGEST_LENGTH, false },
	{ "MD5-sess", md5, MD5_DIGEST_LENGTH, true },
	{ "SHA-256", sha256, SHA256_DIGEST_LENGTH, false },
	{ "SHA-256-sess", sha256, SHA256_DIGEST_LENGTH, true },
};

static const struct algorithm *find_algorithm(struct span name)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++) {
		if (span_is(name, algorithms[i].name))
			return &algorithms[i];
	}
	return NULL;
}

/* A list of words, of which those we do not know are passed over. */
static int store_qop(struct pctl_digest *digest, struct span value)
{
	struct scan words = { .at = value.at, .end = value.at + value.len };

	if (digest->qop_auth || digest->qop_auth_int)
		return PCTL_E_PROTOCOL;
	for (;;) {
		skip(&words, ", \t");
		struct span word = take_token(&words);
		if (!word.len)
			break;
		digest->qop_auth |= span_is(word, "auth");
		digest->qop_auth_int |= span_is(word, "auth-int");
	}
	return words.at == words.end && (digest->qop_auth || digest->qop_auth_int)
		       ? 0
		       : PCTL_E_PROTOCOL;
}

static int store_param(struct pctl_digest *digest, const struct param *param)
{
	if (span_is(param->name, "realm"))
		return store(digest->realm, sizeof(digest->realm), param->value);
	if (span_is(param->name, "nonce"))
		return store(digest->nonce, sizeof(digest->nonce), param->value);
	if (span_is(param->name, "opaque"))
		return store(digest->opaque, sizeof(digest->opaque), param->value);
	if (span_is(param->name, "qop"))
		return store_qop(digest, param->value);
	if (span_is(param->name, "stale"))
		digest->stale = span_is(param->value, "true");
	if (!span_is(param->name, "algorithm"))
		return 0;

	const struct algorithm *algorithm = find_algorithm(param->value);
	if (!algorithm)
		return PCTL_E_PROTOCOL;
	return store(digest->algorithm, sizeof(digest->algorithm),
		(struct span){ .at = algorithm->name, .len = strlen(algorithm->name) });
}

int pctl_digest_parse(const char *header, size_t len, struct pctl_digest *ret)
{
	struct pctl_digest digest = { .stale = false };
	struct scan scan = { .at = header, .end = header + len };
	struct param param;
	bool ours = false, found = false;
	int r;

	/* A list of challenges: the parameters after the first "Digest" up to the next scheme. */
	while ((r = next(&scan, &param)) > 0) {
		if (param.is_scheme) {
			ours = !found && span_is(param.name, "Digest");
			found |= ours;
		} else if (ours && store_param(&digest, &param) < 0) {
			return PCTL_E_PROTOCOL;
		}
	}
	if (r < 0 || !*digest.realm || !*digest.nonce)
		return PCTL_E_PROTOCOL;
	if (!*digest.algorithm)
		(void)snprintf(digest.algorithm, sizeof(digest.algorithm), "MD5");
	*ret = digest;
	return 0;
}

/* --- The answer. ------------------------------------------------------------------------------ */

void digest_hex(const unsigned char *bytes, size_t n, char *hex)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*hex++ = digits[bytes[i] >> 4];
		*hex++ = digits[bytes[i] & 15];
	}
	*hex = '\0';
}

struct sum {
	const struct algorithm *algorithm;
	const struct pctl_digest *challenge;
	const struct pctl_digest_answer *answer;
	const char *qop; /* NULL: RFC 2069 */
	char nc[9];
	char ha1[HEX_MAX], ha2[HEX_MAX], response[HEX_MAX];
};

/* The same in lower-case hex. */
static int hash(const struct sum *sum, const struct span *parts, size_t n, char hex[HEX_MAX])
{
	unsigned char bytes[SHA256_DIGEST_LENGTH];
	bool ok = sum->algorithm->hash(parts, n, bytes);

	if (ok)
		digest_hex(bytes, sum->algorithm->len, hex);
	explicit_bzero(bytes, sizeof(bytes));
	return ok ? 0 : PCTL_E_INTERNAL;
}

static struct span text(const char *s)
{
	return (struct span){ .at = s, .len = strlen(s) };
}

static int sum_ha1(struct sum *sum)
{
	const struct pctl_digest_answer *a = sum->answer;
	const struct span user[] = { text(a->username), text(sum->challenge->realm),
		{ .at = a->password, .len = a->password_len } };
	int r = hash(sum, user, 3, sum->ha1);

	if (r < 0 || !sum->algorithm->session)
		return r;
	const struct span session[] = { text(sum->ha1), text(sum->challenge->nonce),
		text(a->cnonce) };
	return hash(sum, session, 3, sum->ha1);
}

static int sum_ha2(struct sum *sum)
{
	const struct pctl_digest_answer *a = sum->answer;
	const struct span body = { .at = a->body ? a->body : "", .len = a->body_len };
	char body_hex[HEX_MAX] = "";
	struct span parts[] = { text(a->method), text(a->uri), { .at = body_hex } };
	bool whole = sum->qop && strcmp(sum->qop, "auth-int") == 0;

	if (whole && hash(sum, &body, 1, body_hex) < 0)
		return PCTL_E_INTERNAL;
	parts[2].len = strlen(body_hex);
	return hash(sum, parts, whole ? 3 : 2, sum->ha2);
}

static int sum_response(struct sum *sum)
{
	const struct span old[] = { text(sum->ha1), text(sum->challenge->nonce), text(sum->ha2) };

	if (!sum->qop)
		return hash(sum, old, 3, sum->response);
	const struct span now[] = { old[0], old[1], text(sum->nc), text(sum->answer->cnonce),
		text(sum->qop), old[2] };
	return hash(sum, now, 6, sum->response);
}

struct out {
	char *buf;
	size_t size, len;
	bool full;
};

static void put(struct out *out, const char *s, size_t len)
{
	out->full |= len >= out->size - out->len;
	if (out->full)
		return;
	memcpy(out->buf + out->len, s, len);
	out->len += len;
	out->buf[out->len] = '\0';
}

static void puts_out(struct out *out, const char *const *pieces)
{
	for (; *pieces; pieces++)
		put(out, *pieces, strlen(*pieces));
}

/* Only a user name is ours to escape: all else came quoted or has no quotes. */
static void put_username(struct out *out, const char *name)
{
	for (; *name; name++) {
		if (*name == '"' || *name == '\\')
			put(out, "\\", 1);
		put(out, name, 1);
	}
}

static void put_answer(struct out *out, const struct sum *sum)
{
	const struct pctl_digest *c = sum->challenge;
	const struct pctl_digest_answer *a = sum->answer;

	put(out, "Digest username=\"", strlen("Digest username=\""));
	put_username(out, a->username);
	puts_out(out, (const char *[]){ "\", realm=\"", c->realm, "\", nonce=\"", c->nonce,
			      "\", uri=\"", a->uri, "\", response=\"", sum->response, "\"", NULL });
	/* AMT's own clients send no algorithm where it is MD5, and RFC 2617 lets them. */
	if (strcmp(sum->algorithm->name, "MD5") != 0)
		puts_out(out, (const char *[]){ ", algorithm=", sum->algorithm->name, NULL });
	if (*c->opaque)
		puts_out(out, (const char *[]){ ", opaque=\"", c->opaque, "\"", NULL });
	if (sum->qop)
		puts_out(out, (const char *[]){ ", qop=", sum->qop, ", nc=", sum->nc, NULL });
	if (sum->qop || sum->algorithm->session)
		puts_out(out, (const char *[]){ ", cnonce=\"", a->cnonce, "\"", NULL });
}

/* Whether s can stand in a header: printable, and where it goes unescaped no quote. */
static bool is_clean(const char *s, const char *forbidden)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c < ' ' || c == 0x7f || strchr(forbidden, *s))
			return false;
	}
	return true;
}

static int calculate(struct sum *sum)
{
	if (sum_ha1(sum) < 0 || sum_ha2(sum) < 0 || sum_response(sum) < 0)
		return PCTL_E_INTERNAL;
	/* CVE-2017-5689: some firmware compares only as much of a response as it is given. */
	if (strlen(sum->response) != 2 * sum->algorithm->len)
		return PCTL_E_INTERNAL;
	return 0;
}

/* Wipe *ret in any case. */
static int sum_up(const struct pctl_digest *challenge, const struct pctl_digest_answer *answer,
	struct sum *ret)
{
	*ret = (struct sum){ .challenge = challenge, .answer = answer };
	ret->algorithm = find_algorithm(text(challenge->algorithm));
	if (!ret->algorithm || !is_clean(answer->username, "") || !is_clean(answer->uri, "\"\\") ||
		!is_clean(answer->cnonce, "\"\\"))
		return PCTL_E_INTERNAL;
	if (challenge->qop_auth || challenge->qop_auth_int)
		ret->qop = challenge->qop_auth ? "auth" : "auth-int";
	(void)snprintf(ret->nc, sizeof(ret->nc), "%08x", (unsigned int)answer->nc);
	return calculate(ret);
}

int pctl_digest_response(const struct pctl_digest *challenge,
	const struct pctl_digest_answer *answer, char ret[PCTL_DIGEST_RESPONSE])
{
	struct sum sum;

	int r = sum_up(challenge, answer, &sum);
	if (r == 0)
		memcpy(ret, sum.response, PCTL_DIGEST_RESPONSE);
	explicit_bzero(&sum, sizeof(sum));
	return r;
}

int pctl_digest_answer(const struct pctl_digest *challenge, const struct pctl_digest_answer *answer,
	char *buf, size_t size)
{
	struct sum sum;
	struct out out = { .buf = buf, .size = size, .full = !size };

	int r = sum_up(challenge, answer, &sum);
	if (r == 0)
		put_answer(&out, &sum);
	explicit_bzero(&sum, sizeof(sum));
	if (r == 0 && !out.full)
		return 0;
	if (size)
		explicit_bzero(buf, size);
	return PCTL_E_INTERNAL;
}
