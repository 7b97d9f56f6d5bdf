/* SPDX-License-Identifier: Apache-2.0 */
#include "digest.h"

#include <string.h>

#include "device.h"
#include "security.h"
#include "sim.h"

enum {
	NONCE_BYTES = 24,
	NONCE_COUNT_BYTES = 6,
};

struct credentials {
	struct str username;
	struct str realm;
	struct str nonce;
	struct str uri;
	struct str response;
	struct str qop;
	struct str nc;
	struct str cnonce;
};

static const struct {
	const char *name;
	size_t at;
} parameters[] = {
	{ "username", offsetof(struct credentials, username) },
	{ "realm", offsetof(struct credentials, realm) },
	{ "nonce", offsetof(struct credentials, nonce) },
	{ "uri", offsetof(struct credentials, uri) },
	{ "response", offsetof(struct credentials, response) },
	{ "qop", offsetof(struct credentials, qop) },
	{ "nc", offsetof(struct credentials, nc) },
	{ "cnonce", offsetof(struct credentials, cnonce) },
};

static void md5_parts(struct sim *sim, const struct str *parts, size_t n, uint8_t out[16])
{
	EVP_DigestInit_ex(sim->md, sim->md5, NULL);
	for (size_t i = 0; i < n; i++)
		EVP_DigestUpdate(sim->md, parts[i].p, parts[i].n);
	EVP_DigestFinal_ex(sim->md, out, NULL);
}

void digest_md5(struct sim *sim, struct str text, uint8_t out[16])
{
	md5_parts(sim, &text, 1, out);
}

/* The hash of the parts with colons between them, lower-case. */
static void hash_joined(struct sim *sim, const struct str *parts, size_t n, char out[33])
{
	static const char digits[] = "0123456789abcdef";
	struct str joined[16];
	uint8_t hash[16];
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (i)
			joined[k++] = STR(":");
		joined[k++] = parts[i];
	}
	md5_parts(sim, joined, k, hash);
	for (size_t i = 0; i < 16; i++) {
		out[2 * i] = digits[hash[i] >> 4];
		out[2 * i + 1] = digits[hash[i] & 15];
	}
	out[32] = '\0';
}

static void hash_user(struct device *dev, struct str user, struct str password, char ha1[33])
{
	struct str parts[] = { user, str_of(dev->realm), password };

	hash_joined(dev->sim, parts, COUNT(parts), ha1);
}

void digest_ha1(struct device *dev)
{
	hash_user(dev, str_of(dev->sim->options.user), str_of(dev->password), dev->ha1);
}

/* The hash is all that there is of a password that somebody has set. */
static bool know(struct device *dev, struct str user, char ha1[33])
{
	if (!str_is(user, dev->sim->options.user))
		return security_login(dev, user, ha1);
	return str_copy(str_of(dev->ha1), ha1, 33);
}

/*
 * Six bytes of a counter, zeros, and what looks random: a hash that nobody else can make. So a
 * nonce needs no memory until somebody uses it, and one of another device is known as such.
 */
static void nonce_bytes(struct device *dev, uint64_t id, uint8_t out[NONCE_BYTES])
{
	size_t head = NONCE_COUNT_BYTES + dev->profile->nonce_zeros;
	uint8_t salt[8], hash[16];

	memset(out, 0, NONCE_BYTES);
	for (size_t i = 0; i < NONCE_COUNT_BYTES; i++)
		out[i] = (uint8_t)(id >> 8 * i);
	memcpy(salt, &dev->n, 4);
	memcpy(salt + 4, &dev->nonce_epoch, 4);

	struct str parts[] = { { (const char *)dev->sim->secret, sizeof(dev->sim->secret) },
		{ (const char *)salt, sizeof(salt) }, { (const char *)out, head } };

	md5_parts(dev->sim, parts, COUNT(parts), hash);
	memcpy(out + head, hash, NONCE_BYTES - head);
}

void digest_new_nonce(struct device *dev, char *out)
{
	uint64_t id = dev->nonce_next++;
	uint8_t bytes[NONCE_BYTES];

	dev->nonces[id % SIM_NONCES] = (struct nonce){ .id = id };
	nonce_bytes(dev, id, bytes);
	base64_encode(bytes, sizeof(bytes), out);
}

void digest_challenge(struct device *dev, bool stale, struct buf *out)
{
	char nonce[SIM_NONCE_TEXT + 1];

	digest_new_nonce(dev, nonce);
	buf_text(out, "Digest realm=\"");
	buf_text(out, dev->realm);
	buf_text(out, "\", nonce=\"");
	buf_text(out, nonce);
	buf_text(out, stale && dev->knobs.stale_word ? "\",stale=\"true\",qop=\""
						     : "\",stale=\"false\",qop=\"");
	buf_text(out, dev->profile->qop);
	buf_text(out, "\"");
}

/* Takes one name=value or name="value" from *rest; false at the end or at nonsense. */
static bool next_parameter(struct str *rest, struct str *ret_name, struct str *ret_value)
{
	while (rest->n && (rest->p[0] == ',' || rest->p[0] == ' ' || rest->p[0] == '\t')) {
		rest->p++;
		rest->n--;
	}
	if (!rest->n || !str_split(rest, '=', ret_name) || !rest->p)
		return false;
	*ret_name = str_trim(*ret_name);
	if (rest->n && rest->p[0] == '"') {
		rest->p++;
		rest->n--;
		return str_split(rest, '"', ret_value) && rest->p;
	}
	str_split(rest, ',', ret_value);
	*ret_value = str_trim(*ret_value);
	return true;
}

static bool parse(struct str header, struct credentials *ret)
{
	struct str scheme, name, value;

	if (!str_split(&header, ' ', &scheme) || !str_is_nocase(scheme, "Digest") || !header.p)
		return false;
	while (header.p && next_parameter(&header, &name, &value))
		for (size_t i = 0; i < COUNT(parameters); i++)
			if (str_is_nocase(name, parameters[i].name))
				*(struct str *)(void *)((char *)ret + parameters[i].at) = value;
	return true;
}

/* True and its number if this device gave it out. */
static bool own_nonce(struct device *dev, struct str text, uint64_t *ret_id)
{
	uint8_t bytes[NONCE_BYTES], expected[NONCE_BYTES];
	uint64_t id = 0;

	if (text.n != SIM_NONCE_TEXT || base64_decode(text, bytes, sizeof(bytes)) != NONCE_BYTES)
		return false;
	for (size_t i = 0; i < NONCE_COUNT_BYTES; i++)
		id |= (uint64_t)bytes[i] << 8 * i;
	nonce_bytes(dev, id, expected);
	if (memcmp(bytes, expected, sizeof(bytes)) != 0)
		return false;
	*ret_id = id;
	return true;
}

static bool parse_nc(const struct device *dev, struct str nc, uint32_t *ret)
{
	uint32_t value = 0;

	if (!nc.n || nc.n > 8 || (dev->profile->strict_nc && nc.n != 8))
		return false;
	for (size_t i = 0; i < nc.n; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *at = nc.p[i] ? strchr(digits, nc.p[i] | 0x20) : NULL;

		if (!at)
			return false;
		value = value << 4 | (uint32_t)(at - digits);
	}
	*ret = value;
	return true;
}

static bool right_response(
	struct device *dev, const struct http_request *request, const struct credentials *c)
{
	bool whole = str_is(c->qop, "auth-int");
	char ha1[33], ha2[33], body[33], response[33];

	if (!know(dev, c->username, ha1))
		return false;
	if (!str_is(c->qop, "auth") && !(whole && dev->profile->auth_int))
		return false;
	if (whole)
		hash_joined(dev->sim, &request->body, 1, body);
	else
		body[0] = '\0';

	struct str second[] = { request->method, c->uri, str_of(body) };

	hash_joined(dev->sim, second, whole ? 3 : 2, ha2);

	struct str all[] = { str_of(ha1), c->nonce, c->nc, c->cnonce, c->qop, str_of(ha2) };

	hash_joined(dev->sim, all, COUNT(all), response);
	return str_is(c->response, response);
}

static bool locked(struct device *dev)
{
	return dev->knobs.lock_after && sim_now(dev->sim) < dev->locked_until;
}

static enum verdict bad(struct device *dev)
{
	uint64_t now = sim_now(dev->sim);

	dev->counters.r401_bad++;
	logs_note_login(dev);
	if (now > dev->bad_since + dev->knobs.lock_within_s * 1000ULL)
		dev->bad_logins = 0;
	if (!dev->bad_logins++)
		dev->bad_since = now;
	if (dev->knobs.lock_after && dev->bad_logins >= dev->knobs.lock_after)
		dev->locked_until = now + dev->knobs.lock_s * 1000ULL;
	return LOGIN_BAD;
}

static enum verdict stale(struct device *dev)
{
	dev->counters.r401_stale++;
	return LOGIN_STALE;
}

/* The login is right; is its nonce still good? */
static enum verdict use_nonce(struct device *dev, uint64_t id, uint32_t nc)
{
	struct nonce *nonce = &dev->nonces[id % SIM_NONCES];

	if (nonce->id != id)
		return stale(dev);
	if (nc <= nonce->last_nc) {
		dev->counters.replay++;
		return LOGIN_BAD;
	}
	if (dev->knobs.nonce_uses && nonce->uses >= dev->knobs.nonce_uses)
		return stale(dev);
	if (web_every(dev->knobs.stale_every, &dev->stale_seq)) {
		nonce->id = 0;
		return stale(dev);
	}
	nonce->last_nc = nc;
	nonce->uses++;
	dev->bad_logins = 0;
	return LOGIN_GOOD;
}

static enum verdict count_as_bad(uint64_t *counter)
{
	++*counter;
	return LOGIN_BAD;
}

enum verdict digest_check(struct device *dev, const struct http_request *request)
{
	struct credentials c = { .nc = { "", 0 } };
	uint64_t id;
	uint32_t nc;

	if (!request->authorization.n) {
		dev->counters.r401_none++;
		return LOGIN_NONE;
	}
	if (!parse(request->authorization, &c))
		return bad(dev);
	if (c.response.p && !c.response.n)
		return count_as_bad(&dev->counters.empty_response);
	if (!own_nonce(dev, c.nonce, &id))
		return count_as_bad(&dev->counters.foreign_nonce);
	if (locked(dev)) {
		dev->counters.r401_locked++;
		return LOGIN_LOCKED;
	}
	if (!parse_nc(dev, c.nc, &nc))
		return count_as_bad(&dev->counters.bad_nc);
	if (!str_is(c.realm, dev->realm) || !str_eq(c.uri, request->target) || !c.cnonce.n ||
		!right_response(dev, request, &c))
		return bad(dev);
	return use_nonce(dev, id, nc);
}

bool digest_is_password(struct device *dev, struct str user, struct str password)
{
	char ha1[33], given[33];

	hash_user(dev, user, password, given);
	return know(dev, user, ha1) && strcmp(given, ha1) == 0;
}

bool digest_is_right(struct device *dev, const struct digest_parts *p)
{
	struct str what[] = { p->method, p->uri };
	char ha1[33], ha2[33], response[33];

	if (!str_is(p->realm, dev->realm) || !know(dev, p->user, ha1))
		return false;
	hash_joined(dev->sim, what, COUNT(what), ha2);

	struct str old[] = { str_of(ha1), p->nonce, str_of(ha2) };
	struct str now[] = { str_of(ha1), p->nonce, p->nc, p->cnonce, p->qop, str_of(ha2) };

	if (p->qop.n && !str_is(p->qop, "auth"))
		return false;
	if (p->qop.n)
		hash_joined(dev->sim, now, COUNT(now), response);
	else
		hash_joined(dev->sim, old, COUNT(old), response);
	return str_is(p->response, response);
}
