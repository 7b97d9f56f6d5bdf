/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"
#include "sol.h"

enum {
	SLOT_BITS = 5,
	WINDOW_AHEAD_V20 = 15,
	WINDOW_BACK_V20 = 16,
	WINDOW_V15 = 8,
	PENDING_MS = 5000, /* a login that stops half way */
};

static uint64_t age(const struct device *dev, const struct session *s)
{
	return sim_now(dev->sim) - s->last_used;
}

static bool expired(const struct device *dev, const struct session *s)
{
	uint64_t limit = s->state == SESSION_ACTIVE ? dev->knobs.session_timeout_ms : PENDING_MS;

	return limit && age(dev, s) >= limit;
}

void session_free(struct device *dev, struct session *s)
{
	for (size_t i = 0; i < SESSION_SLOTS; i++)
		if (dev->sessions[i] == s)
			dev->sessions[i] = NULL;
	sol_session_gone(dev, s);
	free(s->last_answer);
	OPENSSL_cleanse(s, sizeof(*s));
	free(s);
}

void session_free_all(struct device *dev)
{
	for (size_t i = 0; i < SESSION_SLOTS; i++)
		if (dev->sessions[i])
			session_free(dev, dev->sessions[i]);
}

uint32_t session_count(const struct device *dev, bool active_only)
{
	uint32_t n = 0;

	for (size_t i = 0; i < SESSION_SLOTS; i++)
		n += dev->sessions[i] &&
		     (!active_only || dev->sessions[i]->state == SESSION_ACTIVE);
	return n;
}

static void drop_expired(struct device *dev)
{
	for (size_t i = 0; i < SESSION_SLOTS; i++)
		if (dev->sessions[i] && expired(dev, dev->sessions[i])) {
			dev->counters.sessions_expired++;
			session_free(dev, dev->sessions[i]);
		}
}

static uint32_t free_slot(const struct device *dev)
{
	uint32_t slot = 0;

	while (slot < SESSION_SLOTS && dev->sessions[slot])
		slot++;
	return slot;
}

struct session *session_new(struct device *dev)
{
	uint32_t slot, random;

	drop_expired(dev);
	slot = free_slot(dev);
	if (slot == SESSION_SLOTS || session_count(dev, false) >= dev->knobs.session_limit)
		return NULL;

	struct session *s = xcalloc(1, sizeof(*s));

	crypt_random(&dev->sim->crypt, &random, sizeof(random));
	s->id = (random | 1) << SLOT_BITS | slot;
	s->last_used = sim_now(dev->sim);
	s->window[0].seen = s->window[1].seen = UINT64_MAX;
	dev->sessions[slot] = s;
	return s;
}

struct session *session_find(struct device *dev, uint32_t id)
{
	struct session *s = dev->sessions[id & (SESSION_SLOTS - 1)];

	if (!s || s->id != id)
		return NULL;
	if (expired(dev, s)) {
		dev->counters.sessions_expired++;
		session_free(dev, s);
		return NULL;
	}
	return s;
}

uint32_t session_handle(const struct device *dev, const struct session *s)
{
	for (uint32_t i = 0; i < SESSION_SLOTS; i++)
		if (dev->sessions[i] == s)
			return i + 1;
	return 0;
}

bool session_sequence(struct session *s, bool authenticated, uint32_t sequence)
{
	struct window *w = &s->window[authenticated];
	int32_t ahead = (int32_t)(sequence - w->highest);
	int32_t most = s->v20 ? WINDOW_AHEAD_V20 : WINDOW_V15;
	int32_t back = s->v20 ? WINDOW_BACK_V20 : WINDOW_V15;

	if (!sequence || ahead > most || ahead < -back)
		return false;
	s->used = true;
	if (ahead > 0) {
		w->seen = w->seen << ahead | 1;
		w->highest = sequence;
		return true;
	}
	if (w->seen >> -ahead & 1)
		return false;
	w->seen |= (uint64_t)1 << -ahead;
	return true;
}

uint32_t session_next_sequence(struct session *s, bool authenticated)
{
	uint32_t *at = &s->out_sequence[authenticated];

	if (!++*at)
		++*at;
	return *at;
}

const struct user *session_user(const struct device *dev, const char *name)
{
	for (uint32_t i = 0; i < dev->users->count; i++)
		if (strcmp(dev->users->user[i].name, name) == 0)
			return &dev->users->user[i];
	return NULL;
}

bool session_locked(struct device *dev)
{
	if (sim_now(dev->sim) < dev->locked_until)
		return true;
	if (dev->locked_until) {
		dev->locked_until = 0;
		dev->bad_logins = 0;
	}
	return false;
}

void session_login_failed(struct device *dev)
{
	dev->counters.bad_logins++;
	dev->bad_logins++;
	if (dev->knobs.lockout_after && dev->bad_logins >= dev->knobs.lockout_after)
		dev->locked_until = sim_now(dev->sim) + dev->knobs.lockout_ms;
}

void session_activate(struct device *dev, struct session *s)
{
	uint32_t n;

	s->state = SESSION_ACTIVE;
	s->privilege = s->limit < PRIV_USER ? s->limit : PRIV_USER;
	dev->bad_logins = 0;
	dev->counters.logins++;
	n = session_count(dev, true);
	if (n > dev->counters.peak_sessions)
		dev->counters.peak_sessions = n;
}
