/* SPDX-License-Identifier: Apache-2.0 */
#include "login.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "sim.h"

static uint32_t limit_of(const struct device *dev)
{
	uint32_t limit = dev->knobs.session_limit;

	return limit ? limit : dev->profile->sessions;
}

/* Those that nobody used for long are over. */
static void expire(struct device *dev)
{
	uint64_t now = sim_now(dev->sim);

	for (size_t i = 0; dev->sessions.list && i < SESSIONS_MAX; i++) {
		struct session *s = &dev->sessions.list[i];

		if (s->id && dev->knobs.session_s &&
			now - s->seen >= dev->knobs.session_s * 1000ULL)
			s->id = 0;
	}
}

uint32_t login_count(struct device *dev)
{
	uint32_t n = 0;

	expire(dev);
	for (size_t i = 0; dev->sessions.list && i < SESSIONS_MAX; i++)
		n += dev->sessions.list[i].id != 0;
	return n;
}

static void make_token(char *out)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bytes[TOKEN_TEXT / 2];

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		abort();
	for (size_t i = 0; i < sizeof(bytes); i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
}

struct session *login_open(struct device *dev)
{
	struct sessions *all = &dev->sessions;
	uint32_t open = login_count(dev);

	if (open >= limit_of(dev))
		return NULL;
	if (!all->list)
		all->list = xcalloc(SESSIONS_MAX, sizeof(*all->list));
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *s = &all->list[i];

		if (s->id)
			continue;
		s->id = ++all->next;
		s->seen = sim_now(dev->sim);
		make_token(s->token);
		if (open + 1 > dev->counters.sessions_peak)
			dev->counters.sessions_peak = open + 1;
		return s;
	}
	return NULL;
}

struct session *login_find(struct device *dev, struct str id)
{
	uint64_t n;

	expire(dev);
	if (!parse_uint(id, UINT32_MAX, &n) || !n)
		return NULL;
	for (size_t i = 0; dev->sessions.list && i < SESSIONS_MAX; i++)
		if (dev->sessions.list[i].id == n)
			return &dev->sessions.list[i];
	return NULL;
}

void login_close(struct session *s)
{
	s->id = 0;
}

void login_forget(struct device *dev)
{
	for (size_t i = 0; dev->sessions.list && i < SESSIONS_MAX; i++)
		dev->sessions.list[i].id = 0;
}

bool login_is_locked(const struct device *dev)
{
	return sim_now(dev->sim) < dev->sessions.locked_until;
}

bool login_right(struct device *dev, struct str user, struct str password)
{
	struct sessions *all = &dev->sessions;
	uint64_t now = sim_now(dev->sim);

	if (login_is_locked(dev))
		return false;
	if (str_is(user, dev->sim->options.user) && str_is(password, dev->password)) {
		all->bad = 0;
		return true;
	}
	if (dev->knobs.lock_after && ++all->bad >= dev->knobs.lock_after) {
		all->bad = 0;
		all->locked_until = now + dev->knobs.lock_s * 1000ULL;
	}
	return false;
}

void login_refuse(struct call *c, const char *id, const char *words)
{
	if (c->dev->knobs.lock_tells && login_is_locked(c->dev))
		call_fail(c, 401, "AccountLocked", "The account is locked. Try again later.");
	else
		call_fail(c, 401, id, "%s", words);
}

static bool basic(struct device *dev, struct str field)
{
	uint8_t text[256];
	struct str scheme, user, rest;
	int n;

	if (!str_split(&field, ' ', &scheme) || !field.p || !str_is_nocase(scheme, "Basic"))
		return false;
	n = base64_decode(str_trim(field), text, sizeof(text));
	if (n < 0)
		return false;
	rest = (struct str){ (const char *)text, (size_t)n };
	return str_split(&rest, ':', &user) && rest.p && login_right(dev, user, rest);
}

static bool token(struct device *dev, struct str text)
{
	expire(dev);
	for (size_t i = 0; dev->sessions.list && i < SESSIONS_MAX; i++) {
		struct session *s = &dev->sessions.list[i];

		if (!s->id || !str_is(text, s->token))
			continue;
		if (web_every(dev->knobs.session_every, &dev->session_seq)) {
			s->id = 0;
			return false;
		}
		s->seen = sim_now(dev->sim);
		return true;
	}
	return false;
}

bool login_check(struct call *c)
{
	struct device *dev = c->dev;
	struct str text;

	if (dev->knobs.auth != AUTH_BASIC &&
		http_request_field(c->request, "X-Auth-Token", &text)) {
		if (token(dev, text))
			return true;
		dev->counters.token_bad++;
	} else if (dev->knobs.auth != AUTH_SESSION && c->request->authorization.n) {
		if (basic(dev, c->request->authorization)) {
			dev->counters.basic++;
			return true;
		}
		dev->counters.basic_bad++;
	}
	c->challenge = true;
	login_refuse(c, "NoValidSession",
		"There is no valid session established with the "
		"implementation.");
	return false;
}
