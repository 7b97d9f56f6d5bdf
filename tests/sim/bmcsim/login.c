/* SPDX-License-Identifier: Apache-2.0 */
#include "login.h"

#include <openssl/crypto.h>
#include <string.h>

#include "sim.h"

/* RMCP+ status codes, table 13-15. */
enum {
	STATUS_OK = 0x00,
	STATUS_NO_RESOURCES = 0x01,
	STATUS_BAD_SESSION = 0x02,
	STATUS_BAD_AUTH = 0x04,
	STATUS_BAD_INTEGRITY = 0x05,
	STATUS_NO_AUTH_PAYLOAD = 0x06,
	STATUS_NO_INTEGRITY_PAYLOAD = 0x07,
	STATUS_BAD_ROLE = 0x09,
	STATUS_ROLE_REFUSED = 0x0A,
	STATUS_BAD_NAME_LENGTH = 0x0C,
	STATUS_NAME_REFUSED = 0x0D,
	STATUS_BAD_CHECK_VALUE = 0x0F,
	STATUS_BAD_CONFIDENTIALITY = 0x10,
	STATUS_NO_SUITE = 0x11,
	STATUS_ILLEGAL = 0x12,
};

enum {
	OPEN_REQUEST = 32,
	RAKP1_HEAD = 28,
	RAKP3_HEAD = 8,
	SHORT_REPLY = 8, /* of every refusal */
	ROLE_PRIVILEGE = 0x0F,
	KEY_CONST = 20,
};

/* Section 13.28.4: authentication, integrity, confidentiality. XRC4 is left out. */
struct suite {
	uint8_t number;
	uint8_t hash;
	uint8_t integrity;
	uint8_t confidentiality;
};

static const struct suite suites[] = {
	{ 0, 0, 0, 0 },
	{ 1, 1, 0, 0 },
	{ 2, 1, 1, 0 },
	{ 3, 1, 1, 1 },
	{ 6, 2, 0, 0 },
	{ 7, 2, 2, 0 },
	{ 8, 2, 2, 1 },
	{ 11, 2, 3, 0 },
	{ 12, 2, 3, 1 },
	{ 15, 3, 0, 0 },
	{ 16, 3, 4, 0 },
	{ 17, 3, 4, 1 },
};

/* By integrity algorithm: how many bytes of the hash a packet carries. */
static const uint8_t code_sizes[] = { 0, 12, 16, 16, 16 };
/* By authentication algorithm: those of the check value in RAKP 4. */
static const uint8_t check_sizes[HASHES] = { 0, 12, 16, 16 };

uint32_t login_suites(void)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < COUNT(suites); i++)
		mask |= 1U << suites[i].number;
	return mask;
}

static const struct suite *suite_of(unsigned number)
{
	for (size_t i = 0; i < COUNT(suites); i++)
		if (suites[i].number == number)
			return &suites[i];
	return NULL;
}

size_t login_suite_record(unsigned number, uint8_t *out)
{
	const struct suite *s = suite_of(number);

	if (!s)
		return 0;
	out[0] = 0xC0;
	out[1] = s->number;
	out[2] = s->hash;
	out[3] = 0x40 | s->integrity;
	out[4] = 0x80 | s->confidentiality;
	return 5;
}

/* A refusal: tag, status, zeroes, the console's session. */
static size_t refuse(uint8_t tag, uint8_t status, uint32_t console_id, uint8_t *out)
{
	out[0] = tag;
	out[1] = status;
	out[2] = out[3] = 0;
	put_u32(out + 4, console_id);
	return SHORT_REPLY;
}

/* One of the three algorithm payloads; false: not of that type, or of a strange length. */
static bool algorithm(const uint8_t *p, uint8_t type, int *ret)
{
	if (p[0] != type || (p[3] != 8 && p[3] != 0))
		return false;
	*ret = p[3] ? p[4] & 0x3F : -1;
	return true;
}

static bool enabled(const struct device *dev, const struct suite *s)
{
	return dev->knobs.suites >> s->number & 1;
}

static bool matches(const struct suite *s, int hash, int integrity, int confidentiality)
{
	return (hash < 0 || s->hash == hash) && (integrity < 0 || s->integrity == integrity) &&
	       (confidentiality < 0 || s->confidentiality == confidentiality);
}

/* The highest numbered one that fits; a status if none does. */
static const struct suite *choose(
	const struct device *dev, int hash, int integrity, int confidentiality, uint8_t *ret_status)
{
	const struct suite *found = NULL;
	bool has_hash = false, has_integrity = false, has_confidentiality = false;

	for (size_t i = 0; i < COUNT(suites); i++) {
		const struct suite *s = &suites[i];

		if (!enabled(dev, s))
			continue;
		has_hash |= matches(s, hash, -1, -1);
		has_integrity |= matches(s, -1, integrity, -1);
		has_confidentiality |= matches(s, -1, -1, confidentiality);
		if (matches(s, hash, integrity, confidentiality))
			found = s;
	}
	*ret_status = !has_hash              ? STATUS_BAD_AUTH
		      : !has_integrity       ? STATUS_BAD_INTEGRITY
		      : !has_confidentiality ? STATUS_BAD_CONFIDENTIALITY
					     : STATUS_NO_SUITE;
	return found;
}

static void put_algorithm(uint8_t *p, uint8_t type, uint8_t value)
{
	memset(p, 0, 8);
	p[0] = type;
	p[3] = 8;
	p[4] = value;
}

static size_t accept_open(struct device *dev, struct session *s, const struct suite *suite,
	const uint8_t *p, uint8_t *out)
{
	uint8_t asked = p[1] & ROLE_PRIVILEGE;

	s->v20 = true;
	s->console_id = get_u32(p + 4);
	s->hash = suite->hash;
	s->integrity = suite->integrity;
	s->confidentiality = suite->confidentiality;
	s->code_n = code_sizes[suite->integrity];
	s->asked = asked ? asked : PRIV_OEM;
	refuse(p[0], STATUS_OK, s->console_id, out);
	/* 0 asks for the highest one of the suite. */
	out[2] = asked || dev->knobs.echo_privilege_zero ? asked : PRIV_ADMIN;
	put_u32(out + 8, s->id);
	put_algorithm(out + 12, 0, suite->hash);
	put_algorithm(out + 20, 1, suite->integrity);
	put_algorithm(out + 28, 2, suite->confidentiality);
	return 36;
}

size_t login_open(struct device *dev, const uint8_t *p, size_t n, uint8_t *out)
{
	int hash, integrity, confidentiality;
	const struct suite *suite;
	struct session *s;
	uint8_t status;

	dev->counters.opens++;
	if (n < OPEN_REQUEST || dev->knobs.mute == MUTE_OPEN)
		return 0;
	if (dev->knobs.open_status)
		status = (uint8_t)dev->knobs.open_status;
	else if ((p[1] & ROLE_PRIVILEGE) > PRIV_OEM)
		status = STATUS_BAD_ROLE;
	else if (!algorithm(p + 8, 0, &hash))
		status = STATUS_NO_AUTH_PAYLOAD;
	else if (!algorithm(p + 16, 1, &integrity))
		status = STATUS_NO_INTEGRITY_PAYLOAD;
	else if (!algorithm(p + 24, 2, &confidentiality))
		status = STATUS_ILLEGAL;
	else if (!get_u32(p + 4))
		status = STATUS_BAD_SESSION;
	else if ((suite = choose(dev, hash, integrity, confidentiality, &status))) {
		s = session_new(dev);
		if (s)
			return accept_open(dev, s, suite, p, out);
		status = STATUS_NO_RESOURCES;
	}
	dev->counters.open_refused++;
	return refuse(p[0], status, get_u32(p + 4), out);
}

static void hmac(struct device *dev, const struct session *s, const uint8_t *key, size_t key_n,
	const struct part *parts, size_t n, uint8_t *out)
{
	crypt_hmac(&dev->sim->crypt, s->hash, key, key_n, parts, n, out);
}

/* The name, and what of the role and the user's limit speaks against it. */
static uint8_t check_name(struct device *dev, struct session *s, const uint8_t *p, size_t n)
{
	uint8_t name_n = p[27], asked = p[24] & ROLE_PRIVILEGE;

	if (name_n > SIM_NAME || n < RAKP1_HEAD + (size_t)name_n)
		return STATUS_BAD_NAME_LENGTH;
	memcpy(s->name, p + RAKP1_HEAD, name_n);
	s->name[name_n] = '\0';
	s->role = p[24];
	s->user = session_user(dev, s->name);
	if (s->user)
		memcpy(s->password, s->user->password, sizeof(s->password));
	if (!s->user || strlen(s->name) != name_n)
		return STATUS_NAME_REFUSED;
	if (asked > PRIV_OEM)
		return STATUS_BAD_ROLE;
	if (!asked)
		asked = s->user->privilege;
	if (dev->knobs.enforce_privilege && asked > s->user->privilege)
		return STATUS_ROLE_REFUSED;
	s->limit = asked < s->asked ? asked : s->asked;
	return STATUS_OK;
}

static uint8_t *id_bytes(uint8_t out[4], uint32_t id)
{
	put_u32(out, id);
	return out;
}

/* 13.31: over both sessions and random numbers, the GUID, the role and the name. */
static size_t rakp2_code(struct device *dev, const struct session *s, uint8_t *out)
{
	uint8_t console[4], bmc[4], name_n = (uint8_t)strlen(s->name);
	const struct part parts[] = {
		{ id_bytes(console, s->console_id), 4 },
		{ id_bytes(bmc, s->id), 4 },
		PART(s->console_random),
		PART(s->bmc_random),
		PART(dev->guid),
		/* The role and the name's length are neighbours, and the name follows. */
		{ (uint8_t[]){ s->role, name_n }, 2 },
		{ s->name, name_n },
	};

	hmac(dev, s, s->user->password, SIM_SECRET, parts, COUNT(parts), out);
	return crypt_hash_size(s->hash);
}

static uint8_t rakp1_status(struct device *dev, struct session *s, const uint8_t *p, size_t n)
{
	if (!s || !s->v20 || s->state == SESSION_ACTIVE)
		return STATUS_BAD_SESSION;
	if (dev->knobs.rakp2_status)
		return (uint8_t)dev->knobs.rakp2_status;
	if (session_locked(dev))
		return STATUS_NAME_REFUSED;
	return check_name(dev, s, p, n);
}

size_t login_rakp1(struct device *dev, const uint8_t *p, size_t n, uint8_t *out)
{
	struct session *s;
	uint8_t status;

	dev->counters.rakp1++;
	if (n < RAKP1_HEAD || dev->knobs.mute == MUTE_RAKP1)
		return 0;
	s = session_find(dev, get_u32(p + 4));
	status = rakp1_status(dev, s, p, n);
	if (session_locked(dev)) {
		dev->counters.locked_out++;
		if (dev->knobs.lockout_answer == LOCKOUT_SILENT)
			return 0;
	}
	refuse(p[0], status, s ? s->console_id : 0, out);
	if (status != STATUS_OK)
		return SHORT_REPLY;
	/* The same again for a console that did not hear the answer. */
	if (s->state == SESSION_OPENED || memcmp(s->console_random, p + 8, 16) != 0) {
		memcpy(s->console_random, p + 8, 16);
		crypt_random(&dev->sim->crypt, s->bmc_random, 16);
		if (dev->knobs.lockout_unfinished && s->state == SESSION_OPENED)
			session_login_failed(dev);
	}
	s->state = SESSION_KEYED;
	s->last_used = sim_now(dev->sim);
	memcpy(out + 8, s->bmc_random, 16);
	memcpy(out + 24, dev->guid, 16);
	n = 40 + rakp2_code(dev, s, out + 40);
	if (dev->knobs.rakp2_bad)
		out[40] ^= 0xFF;
	return n;
}

static void make_keys(struct device *dev, struct session *s)
{
	uint8_t constant[KEY_CONST], name_n = (uint8_t)strlen(s->name);
	const uint8_t *kg = dev->has_kg ? dev->kg : s->user->password;
	const struct part parts[] = {
		PART(s->console_random),
		PART(s->bmc_random),
		{ (uint8_t[]){ s->role, name_n }, 2 },
		{ s->name, name_n },
	};
	const struct part one = PART(constant);
	size_t size = crypt_hash_size(s->hash);

	hmac(dev, s, kg, SIM_SECRET, parts, COUNT(parts), s->sik);
	memset(constant, 1, KEY_CONST);
	hmac(dev, s, s->sik, size, &one, 1, s->k1);
	memset(constant, 2, KEY_CONST);
	hmac(dev, s, s->sik, size, &one, 1, s->k2);
}

static bool rakp3_good(struct device *dev, const struct session *s, const uint8_t *code, size_t n)
{
	uint8_t console[4], want[CRYPT_KEY], name_n = (uint8_t)strlen(s->name);
	const struct part parts[] = {
		PART(s->bmc_random),
		{ id_bytes(console, s->console_id), 4 },
		{ (uint8_t[]){ s->role, name_n }, 2 },
		{ s->name, name_n },
	};
	size_t size = crypt_hash_size(s->hash);

	hmac(dev, s, s->user->password, SIM_SECRET, parts, COUNT(parts), want);
	return n == size && CRYPTO_memcmp(code, want, size) == 0;
}

/* 13.32 */
static size_t rakp4_code(struct device *dev, const struct session *s, uint8_t *out)
{
	uint8_t bmc[4], code[CRYPT_KEY];
	const struct part parts[] = {
		PART(s->console_random),
		{ id_bytes(bmc, s->id), 4 },
		PART(dev->guid),
	};

	hmac(dev, s, s->sik, crypt_hash_size(s->hash), parts, COUNT(parts), code);
	memcpy(out, code, check_sizes[s->hash]);
	return check_sizes[s->hash];
}

/* A login that failed is over: the console has to begin anew. */
static size_t give_up(struct device *dev, struct session *s, uint8_t tag, uint8_t *out)
{
	size_t n = refuse(tag, STATUS_BAD_CHECK_VALUE, s->console_id, out);

	session_login_failed(dev);
	session_free(dev, s);
	return n;
}

static size_t finish(struct device *dev, struct session *s, uint8_t tag, uint8_t *out)
{
	size_t n;

	if (s->state != SESSION_ACTIVE) {
		make_keys(dev, s);
		session_activate(dev, s);
	}
	s->last_used = sim_now(dev->sim);
	n = refuse(tag, STATUS_OK, s->console_id, out);
	n += rakp4_code(dev, s, out + n);
	if (dev->knobs.rakp4_bad)
		out[SHORT_REPLY] ^= 0xFF;
	return n;
}

size_t login_rakp3(struct device *dev, const uint8_t *p, size_t n, uint8_t *out)
{
	struct session *s;
	bool again;

	dev->counters.rakp3++;
	if (n < RAKP3_HEAD || dev->knobs.mute == MUTE_RAKP3)
		return 0;
	s = session_find(dev, get_u32(p + 4));
	/* A console that did not hear RAKP 4 asks again; not once it has used the session. */
	again = s && s->state == SESSION_ACTIVE && !s->used;
	if (!s || !s->v20 || (s->state != SESSION_KEYED && !again))
		return refuse(p[0], STATUS_BAD_SESSION, s ? s->console_id : 0, out);
	if (p[1] != STATUS_OK) { /* the console did not like RAKP 2: nobody wants an answer */
		give_up(dev, s, p[0], out);
		return 0;
	}
	if (dev->knobs.rakp4_status) {
		n = refuse(p[0], (uint8_t)dev->knobs.rakp4_status, s->console_id, out);
		session_free(dev, s);
		return n;
	}
	if (!rakp3_good(dev, s, p + RAKP3_HEAD, n - RAKP3_HEAD))
		return give_up(dev, s, p[0], out);
	return finish(dev, s, p[0], out);
}
