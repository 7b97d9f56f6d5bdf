/* SPDX-License-Identifier: Apache-2.0 */
/* Network function 06h: the BMC itself (section 20) and its sessions (section 22). */
#include "request.h"

#include <string.h>

#include "address.h"
#include "login.h"
#include "server.h"

enum {
	CHANNEL = 1,
	CHANNEL_THIS = 0x0E,
	MEDIUM_LAN = 0x04,
	PROTOCOL_IPMB = 0x01,
	LIST_BY_SUITE = 0x80,
	LIST_STEP = 16,
	CC_NO_SUCH_USER = 0x81, /* Get Session Challenge */
	CC_NO_SLOT = 0x81,      /* Activate Session */
	CC_BAD_SEQUENCE = 0x84,
	CC_BAD_SESSION = 0x85,
	CC_LIMIT = 0x86,
	CC_LEVEL_REFUSED = 0x80, /* Set Session Privilege Level */
	CC_LEVEL_LIMIT = 0x81,
	CC_NO_SESSION = 0x87, /* Close Session */
};

/* --- The BMC ---------------------------------------------------------------------------------- */

static uint8_t get_device_id(struct request *rq)
{
	const struct device *dev = rq->dev;

	put8(rq, 0x20);
	put8(rq, 0x01);
	put_bytes(rq, dev->firmware, 2);
	put8(rq, dev->knobs.no_ipmi20 ? 0x51 : 0x02);
	put8(rq, 0x8F); /* chassis, FRU, SEL, SDR repository, sensors */
	put24(rq, dev->knobs.manufacturer);
	put16(rq, dev->knobs.product);
	put32(rq, 0);
	return CC_OK;
}

static uint8_t cold_reset(struct request *rq)
{
	rq->dev->counters.cold_resets++;
	rq->resets = true;
	return CC_OK;
}

static uint8_t warm_reset(struct request *rq)
{
	rq->dev->counters.warm_resets++;
	rq->resets = true;
	return CC_OK;
}

static uint8_t get_self_test(struct request *rq)
{
	put16(rq, 0x0055);
	return CC_OK;
}

static uint8_t get_guid(struct request *rq)
{
	put_bytes(rq, rq->dev->guid, 16);
	return CC_OK;
}

/* --- Before a session ------------------------------------------------------------------------- */

static bool channel_ok(unsigned byte)
{
	return (byte & 0x0F) == CHANNEL_THIS || (byte & 0x0F) == CHANNEL;
}

static bool null_user(const struct device *dev)
{
	return session_user(dev, "") != NULL;
}

/* Neither name nor password. */
static bool anonymous(const struct device *dev)
{
	const struct user *user = session_user(dev, "");

	return user && user->password_n == 0;
}

static uint8_t get_auth_capabilities(struct request *rq)
{
	const struct device *dev = rq->dev;
	const struct knobs *k = &dev->knobs;
	bool extended = rq->in[0] & 0x80 && !k->no_ipmi20;

	rq->dev->counters.caps++;
	if (sim_take(&rq->dev->knobs.busy_caps))
		return CC_BUSY;
	if (!channel_ok(rq->in[0]) || rq->in[1] > PRIV_OEM || (rq->in[1] & 0x0F) == 0 ||
		(rq->in[0] & 0x80 && k->no_ipmi20 == SUPPORT_REFUSE))
		return CC_INVALID_DATA;
	put8(rq, CHANNEL);
	put8(rq, k->auth_types | (extended ? 0x80 : 0));
	put8(rq, (extended && dev->has_kg ? 0x20U : 0) | (k->per_message ? 0 : 0x10U) | 0x04 |
			 (null_user(dev) ? 0x02U : 0) | (anonymous(dev) ? 0x01U : 0));
	put8(rq, extended ? 0x02U | !k->no_ipmi15 : 0);
	put24(rq, 0);
	put8(rq, 0);
	return CC_OK;
}

static uint8_t get_cipher_suites(struct request *rq)
{
	const struct device *dev = rq->dev;
	uint8_t list[SUITES * 5];
	size_t n = 0, from = (size_t)(rq->in[2] & 0x3F) * LIST_STEP;

	if (!dev->knobs.cipher_suites_answer && !rq->session) {
		rq->silent = true;
		return CC_OK;
	}
	if (!channel_ok(rq->in[0]))
		return CC_INVALID_DATA;
	for (unsigned i = 0; i < SUITES; i++)
		if (dev->knobs.suites >> i & 1)
			n += login_suite_record(i, list + n);
	put8(rq, CHANNEL);
	if (from < n)
		put_bytes(rq, list + from, n - from < LIST_STEP ? n - from : LIST_STEP);
	return CC_OK;
}

/* --- IPMI 1.5 sessions, 22.16 and 22.17 ------------------------------------------------------- */

static uint8_t get_challenge(struct request *rq)
{
	struct device *dev = rq->dev;
	const struct user *user;
	struct session *s;
	char name[SIM_NAME + 1] = "";

	if (dev->knobs.no_ipmi15 || !(dev->knobs.auth_types >> (rq->in[0] & 0x0F) & 1))
		return CC_INVALID_DATA;
	memcpy(name, rq->in + 1, SIM_NAME);
	user = session_user(dev, name);
	rq->silent = dev->knobs.mute == MUTE_CHALLENGE;
	if (session_locked(dev)) {
		dev->counters.locked_out++;
		rq->silent |= dev->knobs.lockout_answer == LOCKOUT_SILENT;
		return CC_NO_SUCH_USER;
	}
	if (!user)
		return CC_NO_SUCH_USER;
	if (rq->silent)
		return CC_OK;
	s = session_new(dev);
	if (!s)
		return CC_NOT_RETURNED;
	s->auth_type = rq->in[0] & 0x0F;
	s->user = user;
	memcpy(s->password, user->password, sizeof(s->password));
	memcpy(s->name, name, sizeof(name));
	crypt_random(&dev->sim->crypt, s->bmc_random, 16);
	put32(rq, s->id);
	put_bytes(rq, s->bmc_random, 16);
	return CC_OK;
}

static uint8_t check_activate(const struct request *rq, const struct session *s)
{
	const struct device *dev = rq->dev;
	unsigned asked = rq->in[1] & 0x0F;

	if ((rq->in[0] & 0x0F) != s->auth_type || memcmp(rq->in + 2, s->bmc_random, 16) != 0)
		return CC_INVALID_DATA;
	if (!get_u32(rq->in + 18))
		return CC_BAD_SEQUENCE;
	if (s->state != SESSION_ACTIVE && session_count(dev, true) >= dev->knobs.session_limit)
		return CC_NO_SLOT;
	if (!asked || asked > PRIV_OEM ||
		(dev->knobs.enforce_privilege && asked > s->user->privilege))
		return CC_LIMIT;
	return CC_OK;
}

static uint8_t activate(struct request *rq)
{
	struct device *dev = rq->dev;
	struct session *s = rq->session;
	uint32_t first;
	uint8_t cc;

	if (!s || s->v20 || s->used)
		return CC_BAD_SESSION;
	rq->silent = dev->knobs.mute == MUTE_ACTIVATE;
	cc = check_activate(rq, s);
	if (cc)
		return cc;
	s->asked = s->limit = rq->in[1] & 0x0F;
	s->out_sequence[0] = get_u32(rq->in + 18);
	if (s->state != SESSION_ACTIVE) {
		crypt_random(&dev->sim->crypt, &first, sizeof(first));
		s->window[0] = (struct window){ .highest = first & ~1U, .seen = UINT64_MAX };
		session_activate(dev, s);
	}
	first = s->window[0].highest + 1;
	put8(rq, dev->knobs.per_message ? s->auth_type : AUTH_NONE);
	put32(rq, s->id);
	put32(rq, first);
	put8(rq, s->limit);
	return CC_OK;
}

/* --- In a session ----------------------------------------------------------------------------- */

static uint8_t set_privilege(struct request *rq)
{
	struct session *s = rq->session;
	unsigned level = rq->in[0] & 0x0F;

	if (level == PRIV_CALLBACK || level > PRIV_OEM)
		return CC_INVALID_DATA;
	if (level && rq->dev->knobs.enforce_privilege) {
		if (level > s->user->privilege)
			return CC_LEVEL_REFUSED;
		if (level > s->limit)
			return CC_LEVEL_LIMIT;
	}
	if (level)
		s->privilege = (uint8_t)level;
	put8(rq, s->privilege);
	return CC_OK;
}

static uint8_t close_session(struct request *rq)
{
	uint32_t id = get_u32(rq->in);
	struct session *s = session_find(rq->dev, id);

	if (!s)
		return CC_NO_SESSION;
	if (s != rq->session && rq->session->privilege < PRIV_ADMIN)
		return CC_PRIVILEGE;
	rq->dev->counters.sessions_closed++;
	rq->closes = s;
	return CC_OK;
}

/* Index 0 and FFh: this one, by handle and by id. */
static struct session *asked_session(struct request *rq)
{
	struct device *dev = rq->dev;
	unsigned index = rq->in[0], seen = 0;

	if (index == 0xFF)
		return rq->in_n < 5 ? NULL : session_find(dev, get_u32(rq->in + 1));
	if (index == 0)
		return rq->session;
	if (index == 0xFE)
		return rq->in_n < 2 || !rq->in[1] || rq->in[1] > SESSION_SLOTS
			       ? NULL
			       : dev->sessions[rq->in[1] - 1];
	for (size_t i = 0; i < SESSION_SLOTS; i++)
		if (dev->sessions[i] && dev->sessions[i]->state == SESSION_ACTIVE &&
			++seen == index)
			return dev->sessions[i];
	return NULL;
}

static unsigned user_number(const struct device *dev, const struct user *user)
{
	return (unsigned)(user - dev->users->user) + 2; /* 1 is the null user's */
}

static uint8_t get_session_info(struct request *rq)
{
	const struct device *dev = rq->dev;
	const struct session *s = asked_session(rq);
	const uint8_t mac[6] = { 0x02, 0, 0, 0, 0, 1 };
	uint32_t ip;

	if (!s && rq->in[0] >= 0xFE)
		return CC_NOT_PRESENT;
	put8(rq, s ? session_handle(dev, s) : 0);
	put8(rq, dev->knobs.session_limit);
	put8(rq, session_count(dev, true));
	if (!s)
		return CC_OK;
	put8(rq, user_number(dev, s->user));
	put8(rq, s->privilege);
	put8(rq, (s->v20 ? 0x10U : 0) | CHANNEL);
	ip = htonl(address_last_word((const struct sockaddr *)&s->peer));
	put_bytes(rq, &ip, 4);
	put_bytes(rq, mac, sizeof(mac));
	put16(rq, address_port(&s->peer));
	return CC_OK;
}

/* --- Channels --------------------------------------------------------------------------------- */

static uint8_t get_channel_access(struct request *rq)
{
	if (!channel_ok(rq->in[0]))
		return CC_INVALID_DATA;
	put8(rq, 0x22 | (rq->dev->knobs.per_message ? 0
						    : 0x10U)); /* always available, alerting off */
	put8(rq, PRIV_ADMIN);
	return CC_OK;
}

static uint8_t get_channel_info(struct request *rq)
{
	if (!channel_ok(rq->in[0]))
		return CC_INVALID_DATA;
	put8(rq, CHANNEL);
	put8(rq, MEDIUM_LAN);
	put8(rq, PROTOCOL_IPMB);
	put8(rq, 0x80 | session_count(rq->dev, true)); /* multi-session */
	put24(rq, 0x001BF2); /* IPMI's own enterprise number, as the specification wants */
	put16(rq, 0);
	return CC_OK;
}

static const struct command table[] = {
	{ NETFN_APP, 0x01, PRIV_USER, 0, 0, get_device_id },
	{ NETFN_APP, 0x02, PRIV_ADMIN, 0, 0, cold_reset },
	{ NETFN_APP, 0x03, PRIV_ADMIN, 0, 0, warm_reset },
	{ NETFN_APP, 0x04, PRIV_USER, 0, 0, get_self_test },
	{ NETFN_APP, 0x08, PRIV_USER, 0, 0, get_guid },
	{ NETFN_APP, 0x37, PRIV_NONE, 0, 0, get_guid },
	{ NETFN_APP, 0x38, PRIV_NONE, 2, 2, get_auth_capabilities },
	{ NETFN_APP, 0x39, PRIV_NONE, 17, 17, get_challenge },
	{ NETFN_APP, 0x3A, PRIV_NONE, 22, 22, activate },
	{ NETFN_APP, 0x3B, PRIV_CALLBACK, 1, 1, set_privilege },
	{ NETFN_APP, 0x3C, PRIV_CALLBACK, 4, 5, close_session },
	{ NETFN_APP, 0x3D, PRIV_USER, 1, 5, get_session_info },
	{ NETFN_APP, 0x41, PRIV_USER, 2, 2, get_channel_access },
	{ NETFN_APP, 0x42, PRIV_USER, 1, 1, get_channel_info },
	{ NETFN_APP, 0x54, PRIV_NONE, 3, 3, get_cipher_suites },
};

const struct commands commands_app = { table, COUNT(table) };
