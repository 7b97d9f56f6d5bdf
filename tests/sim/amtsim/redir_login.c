/* SPDX-License-Identifier: Apache-2.0 */
#include "redir_login.h"

#include <stdio.h>
#include <string.h>

#include "digest.h"
#include "redir.h"
#include "security.h"
#include "sim.h"

enum { TYPE_PLAIN = 1, TYPE_OLD = 3, TYPE_DIGEST = 4, FIELDS = 8 };

/* The order of the fields in an answer; type 3 has no qop. */
enum { USER, REALM, NONCE, URI, CNONCE, NC, RESPONSE, QOP };

void redir_login_init(struct redir_login *login, bool tls)
{
	*login = (struct redir_login){ .tls = tls };
}

void redir_login_done(struct redir_login *login)
{
	memset(login, 0, sizeof(*login));
}

static void reply(struct buf *out, uint8_t status, uint8_t type, struct str data)
{
	const uint8_t head[9] = { 0x14, status, 0, 0, type, (uint8_t)data.n, (uint8_t)(data.n >> 8),
		0, 0 };

	buf_add(out, (const char *)head, sizeof(head));
	buf_str(out, data);
}

static bool offers(const struct device *dev, uint8_t type)
{
	enum redir_offer which = (enum redir_offer)dev->knobs.redirection_login;

	switch (type) {
	case TYPE_PLAIN:
		return which == REDIR_PLAIN || which == REDIR_ANY;
	case TYPE_OLD:
		return which == REDIR_DIGEST_OLD || which == REDIR_ANY;
	case TYPE_DIGEST:
		return which == REDIR_DIGEST || which == REDIR_ANY;
	default:
		return false;
	}
}

static void list_types(const struct device *dev, struct buf *out)
{
	char types[4];
	size_t n = 0;

	for (uint8_t t = TYPE_PLAIN; t <= TYPE_DIGEST; t++)
		if (offers(dev, t))
			types[n++] = (char)t;
	reply(out, 0, 0, (struct str){ types, n });
}

/* Exactly n texts with a byte of length each. */
static bool split(const uint8_t *p, size_t len, struct str *fields, size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		if (at >= len || p[at] > len - at - 1)
			return false;
		fields[i] = (struct str){ (const char *)p + at + 1, p[at] };
		at += 1 + (size_t)p[at];
	}
	return at == len;
}

static void add_field(struct buf *out, const char *text)
{
	buf_char(out, (char)strlen(text));
	buf_text(out, text);
}

static enum redir_verdict challenge(
	struct redir_login *login, struct device *dev, uint8_t type, struct buf *out)
{
	struct buf data;

	login->type = type;
	snprintf(login->realm, sizeof(login->realm), "%s", dev->realm);
	if (dev->knobs.redirection_realm)
		snprintf(login->realm, sizeof(login->realm), "Digest:%032X",
			dev->knobs.redirection_realm);
	digest_new_nonce(dev, login->nonce);
	buf_init(&data, 1024);
	add_field(&data, login->realm);
	add_field(&data, login->nonce);
	if (type == TYPE_DIGEST)
		add_field(&data, dev->profile->qop);
	reply(out, 1, type, (struct str){ data.p, data.n });
	buf_done(&data);
	return REDIR_CHALLENGED;
}

static enum redir_verdict verdict(struct device *dev, uint8_t type, bool good, struct buf *out)
{
	if (!good)
		dev->counters.redir_bad_logins++;
	reply(out, good ? 0 : 1, type, STR(""));
	return good ? REDIR_LOGGED_IN : REDIR_REFUSED;
}

/* Others than the account need the realm; who lacks it is told no more than of a wrong password. */
static bool may_enter(struct device *dev, struct str user)
{
	return str_is(user, dev->sim->options.user) || security_redirects(dev, user);
}

static enum redir_verdict take_plain(
	struct device *dev, const uint8_t *data, size_t len, struct buf *out)
{
	struct str f[2];
	bool good = split(data, len, f, 2) && digest_is_password(dev, f[0], f[1]) &&
		    may_enter(dev, f[0]);

	return verdict(dev, TYPE_PLAIN, good, out);
}

static bool right(const struct redir_login *login, struct device *dev, const struct str *f)
{
	const struct digest_parts parts = {
		.user = f[USER],
		.realm = f[REALM],
		.nonce = f[NONCE],
		.method = STR("POST"),
		.uri = f[URI],
		.cnonce = f[CNONCE],
		.nc = f[NC],
		.response = f[RESPONSE],
		.qop = f[QOP],
	};

	return str_is(f[REALM], login->realm) && str_is(f[NONCE], login->nonce) &&
	       str_is(f[URI], "/RedirectionService") && f[CNONCE].n && f[NC].n == 8 &&
	       f[RESPONSE].n == 32 && digest_is_right(dev, &parts) && may_enter(dev, f[USER]);
}

static enum redir_verdict take_digest(struct redir_login *login, struct device *dev, uint8_t type,
	const uint8_t *data, size_t len, struct buf *out)
{
	struct str f[FIELDS] = { { "", 0 } };
	size_t n = type == TYPE_DIGEST ? FIELDS : FIELDS - 1;

	if (!split(data, len, f, n) || !f[USER].n)
		return verdict(dev, type, false, out);
	if (!f[RESPONSE].n && login->type != type)
		return challenge(login, dev, type, out);
	return verdict(dev, type, login->type == type && right(login, dev, f), out);
}

enum redir_verdict redir_login_take(struct redir_login *login, struct device *dev,
	const uint8_t *frame, size_t n, struct buf *out)
{
	uint8_t type = frame[4];

	if (!type) {
		list_types(dev, out);
		return REDIR_GOES_ON;
	}
	if (!offers(dev, type))
		return verdict(dev, type, false, out);
	if (type == TYPE_PLAIN)
		return take_plain(dev, frame + 9, n - 9, out);
	return take_digest(login, dev, type, frame + 9, n - 9, out);
}
