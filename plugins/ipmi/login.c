/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ipmi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <freeipmi/freeipmi.h>
#include <powerctl/log.h>
#include <powerctl/parse.h>

#include "status.h"
#include "text.h"

/* How long a BMC may say nothing to a cipher suite while there is another to try. */
#define SUITE_MS    1500u
#define ACTIVATE_MS 3000u
#define RESTARTS    5u

/* Table 13-15: what a BMC says to a step of the login that it has had already. */
#define STATUS_INVALID_SESSION  0x02
#define STATUS_INACTIVE_SESSION 0x08

static uint64_t now(const struct session *s)
{
	return uv_now(s->timer.loop);
}

/* What is left of the time that a login may take. */
static uint64_t time_left(const struct session *s)
{
	uint64_t end = s->login_began + pctl_device_answer_ms(s->dev->device);

	return end > now(s) ? end - now(s) : 1;
}

static void fail(struct session *s, int code, const char *text)
{
	struct pctl_error err = { 0 };

	pctl_error_set(&err, code, "%s", text);
	session_fail(s, &err);
}

/* Whether the answer is one to go on with; else the login ends here. */
static bool good(struct session *s, const struct message *m)
{
	struct pctl_error err = { 0 };

	if (m->code)
		completion_error(s->command, m->code, &err);
	else if (m->len < s->command->least)
		pctl_error_set(&err, PCTL_E_PROTOCOL, "the answer to '%s' is too short: %zu bytes",
			s->command->name, m->len);
	else
		return true;
	session_fail(s, &err);
	return false;
}

/* --- The first question: authentication capabilities (section 22.13). ------------------------- */

static void ask_capabilities(struct session *s, uint64_t limit)
{
	/* This channel; bit 7: and what there is of IPMI 2.0. */
	const uint8_t data[] = { s->plain_caps ? 0x0e : 0x8e, s->security.privilege };

	session_enter_message(
		s, PHASE_CAPS, limit, &command_get_channel_auth_capabilities, data, sizeof(data));
}

void login_begin(struct session *s)
{
	s->security = (struct security){ .privilege = ipmi_privilege(s->dev) };
	s->privilege_set = s->plain_caps = false;
	s->login_began = now(s);
	s->restarts = 0;
	ask_capabilities(s, pctl_device_connect_ms(s->dev->device));
}

static void choose_suites(struct session *s);
static void open_session(struct session *s);
static void ask_challenge(struct session *s, uint8_t types);

/* Bytes 2 and 4 of table 22-15. */
static void on_capabilities(struct session *s, const struct message *m)
{
	const struct ipmi_dev *dev = s->dev;
	bool trusted = !(dev->credential.workarounds & WORKAROUND_BIT(WORKAROUND_AUTHCAP));

	if (m->code && !s->plain_caps) {
		s->plain_caps = true; /* an old BMC may not know the bit */
		ask_capabilities(s, pctl_device_connect_ms(dev->device));
		return;
	}
	if (!good(s, m))
		return;
	bool extended = !s->plain_caps && (m->data[1] & 0x80);
	bool can_20 = extended && (m->data[3] & 0x02);
	bool can_15 = !extended || (m->data[3] & 0x01);

	s->login_began = now(s);
	s->rmcpplus = dev->protocol == PROTOCOL_20 || (dev->protocol == PROTOCOL_AUTO && can_20);
	if (trusted && (s->rmcpplus ? !can_20 : !can_15)) {
		fail(s, PCTL_E_UNSUPPORTED,
			s->rmcpplus ? "the BMC does not speak IPMI 2.0; set protocol: 1.5"
				    : "the BMC does not speak IPMI 1.5; set protocol: 2.0");
		return;
	}
	if (!s->rmcpplus && dev->protocol == PROTOCOL_AUTO && pctl_pin_known(dev->device, "guid")) {
		fail(s, PCTL_E_TRUST,
			"it showed who it is over IPMI 2.0 before, and now speaks 1.5 only, which "
			"shows "
			"nothing; `powerctl trust --forget` or protocol: 1.5 lets it in");
		return;
	}
	if (!s->rmcpplus) {
		ask_challenge(s, trusted ? m->data[1] & 0x3f : 0x3f);
		return;
	}
	choose_suites(s);
	open_session(s);
}

/* --- IPMI 1.5 (sections 22.16, 22.17). -------------------------------------------------------- */

/* A plain password on the wire, or none, has to be asked for. */
static int choose_auth_type(const struct ipmi_dev *dev, uint8_t types)
{
	static const uint8_t safe[] = { IPMI_AUTHENTICATION_TYPE_MD5,
		IPMI_AUTHENTICATION_TYPE_MD2 };

	for (size_t i = 0; dev->auth_type < 0 && i < sizeof(safe); i++)
		if (types & (1u << safe[i]))
			return safe[i];
	if (dev->auth_type >= 0 && (types & (1u << dev->auth_type)))
		return dev->auth_type;
	return -1;
}

static void ask_challenge(struct session *s, uint8_t types)
{
	int type = choose_auth_type(s->dev, types);
	uint8_t data[1 + WIRE_USER_MAX] = { 0 };

	if (type < 0) {
		fail(s, PCTL_E_UNSUPPORTED,
			s->dev->auth_type < 0
				? "the BMC offers no safe authentication over IPMI 1.5 (neither "
				  "MD5 nor MD2); auth_type: password allows it in clear text"
				: "the BMC does not offer that auth_type over IPMI 1.5");
		return;
	}
	s->security.auth_type = data[0] = (uint8_t)type;
	memcpy(data + 1, s->dev->credential.username, strlen(s->dev->credential.username));
	session_enter_message(s, PHASE_CHALLENGE, time_left(s), &command_get_session_challenge,
		data, sizeof(data));
}

/* ipmi_get_random() opens a file each time, and goes round for ever where it cannot. */
static void draw(void *ret, size_t len)
{
	if (getrandom(ret, len, 0) != (ssize_t)len)
		abort(); /* up to 256 bytes it never fails (getrandom(2)) */
}

static void on_challenge(struct session *s, const struct message *m)
{
	uint8_t data[22] = { s->security.auth_type, s->security.privilege };

	if (!good(s, m))
		return;
	s->security.system_id = get_le32(m->data);
	memcpy(data + 2, m->data + 4, 16);
	/* Where the BMC's own numbers begin: anything but 0. */
	draw(data + 18, 4);
	data[18] |= 1;
	s->security.highest = get_le32(data + 18);
	session_enter_message(s, PHASE_ACTIVATE,
		time_left(s) < ACTIVATE_MS ? time_left(s) : ACTIVATE_MS, &command_activate_session,
		data, sizeof(data));
}

static void on_activate(struct session *s, const struct message *m)
{
	bool forced = s->dev->credential.workarounds & WORKAROUND_BIT(WORKAROUND_FORCEPERMSG);

	if (!good(s, m))
		return;
	s->security.per_message = forced || (m->data[0] & 0x0f) != IPMI_AUTHENTICATION_TYPE_NONE;
	s->security.system_id = get_le32(m->data + 1);
	s->security.sequence = get_le32(m->data + 5);
	session_ready(s);
}

/* --- RMCP+ (sections 13.17 to 13.24). --------------------------------------------------------- */

/* The one that worked last time, then the better one, then the one that all have to have. */
static void choose_suites(struct session *s)
{
	static const uint8_t known[] = { 17, 3 };
	const char *fact = pctl_fact_get(s->dev->device, FACT_CIPHER_SUITE);
	bool three_first = fact && strcmp(fact, "3") == 0;

	s->suite = s->suites_n = 0;
	s->suite_refused = false;
	if (s->dev->cipher_suite >= 0) {
		s->suites[s->suites_n++] = (uint8_t)s->dev->cipher_suite;
		return;
	}
	s->suites[s->suites_n++] = known[three_first];
	s->suites[s->suites_n++] = known[!three_first];
}

/*
 * Only what was tried because nothing else was said; and not 3 where 17 was not refused: one packet
 * that got lost, or was kept back by somebody, must not decide for ever.
 */
static void remember_suite(struct session *s)
{
	char suite[8];

	if (s->dev->cipher_suite >= 0 || (s->suite > 0 && !s->suite_refused))
		return;
	(void)snprintf(suite, sizeof(suite), "%u", s->suites[s->suite]);
	pctl_fact_put(s->dev->device, FACT_CIPHER_SUITE, suite);
}

static bool more_suites(const struct session *s)
{
	return s->suite + 1 < s->suites_n;
}

static void open_session(struct session *s)
{
	struct security *security = &s->security;
	uint64_t limit = time_left(s);

	if (!rmcpplus_set_suite(security, s->suites[s->suite])) {
		fail(s, PCTL_E_CONFIG, "cipher_suite: libfreeipmi does not have that one");
		return;
	}
	security->system_id = 0;
	security->sequence = 1;
	do
		draw(&security->console_id, sizeof(security->console_id));
	while (!security->console_id);
	draw(security->console_random, WIRE_RANDOM);
	if (more_suites(s) && limit > SUITE_MS)
		limit = SUITE_MS;
	session_enter(s, PHASE_OPEN, limit);
}

/* refused: the BMC said no to this one, rather than nothing. */
static bool try_next_suite(struct session *s, bool refused)
{
	if (!more_suites(s))
		return false;
	s->suite_refused = refused;
	s->suite++;
	open_session(s);
	return true;
}

/* Ends a login that the BMC is in the middle of: it need not keep the place until it times out. */
static void break_off(struct session *s, const struct pctl_error *err)
{
	const uint8_t invalid_check_value = 0x0f;
	uint8_t packet[WIRE_PACKET_MAX];
	size_t len = rmcpplus_pack_rakp3(s->dev->ipmi->wire, &s->security, &s->dev->credential,
		s->tag, invalid_check_value, packet);

	if (len)
		(void)pctl_udp_send(&s->member, packet, len);
	if (err)
		session_fail(s, err);
}

void login_break_off(struct session *s)
{
	if (s->phase == PHASE_RAKP1)
		break_off(s, NULL);
}

static void on_open(struct session *s, const struct setup *setup)
{
	uint8_t asked = s->security.privilege;

	/* 0 is what we asked for, and what some BMCs just say again. */
	if (setup->privilege && setup->privilege < asked) {
		fail(s, PCTL_E_FORBIDDEN,
			"privilege level cannot be obtained: the BMC allows less with this cipher "
			"suite");
		return;
	}
	s->security.system_id = setup->system_id;
	if (!setup->same_algorithms && try_next_suite(s, true))
		return;
	if (!setup->same_algorithms) {
		fail(s, PCTL_E_UNSUPPORTED,
			"cipher suite unavailable: the BMC answered with another one");
		return;
	}
	session_enter(s, PHASE_RAKP1, time_left(s));
}

/* A GUID that is one byte over and over is the mark of a BMC that was never given one. */
static bool is_same_byte(const uint8_t *guid)
{
	return memcmp(guid, guid + 1, WIRE_GUID - 1) == 0;
}

static int check_identity(struct session *s, struct pctl_error *err)
{
	char hex[2 * WIRE_GUID + 1];

	if (is_same_byte(s->security.guid) && !pctl_pin_known(s->dev->device, "guid"))
		return 0;
	text_hex(s->security.guid, WIRE_GUID, "", hex, sizeof(hex));
	return pctl_pin_check(s->dev->device, "guid", hex, err);
}

/* Some BMCs agree to a suite and then go on with another: the length of the code shows it. */
static bool is_of_suite(const struct session *s, const struct setup *setup)
{
	return s->security.authentication != IPMI_AUTHENTICATION_ALGORITHM_RAKP_HMAC_SHA256 ||
	       setup->code_len == IPMI_HMAC_SHA256_DIGEST_LENGTH;
}

static void on_rakp2(struct session *s, const struct setup *setup)
{
	struct wire *wire = s->dev->ipmi->wire;
	struct pctl_error err = { 0 };

	memcpy(s->security.system_random, setup->random, WIRE_RANDOM);
	memcpy(s->security.guid, setup->guid, WIRE_GUID);
	if (!is_of_suite(s, setup) && more_suites(s)) {
		break_off(s, NULL);
		(void)try_next_suite(s, true);
		return;
	}
	int same = rmcpplus_check_rakp2(wire, &s->security, &s->dev->credential);
	if (same < 0) {
		fail(s, PCTL_E_INTERNAL, "libfreeipmi could not check the BMC's value (RAKP 2)");
		return;
	}
	if (!same) {
		pctl_error_set(&err, PCTL_E_AUTH,
			"password refused: the BMC's check value (RAKP 2) was made with another "
			"one");
		break_off(s, &err);
		return;
	}
	if (check_identity(s, &err) < 0) {
		break_off(s, &err);
		return;
	}
	if (!rmcpplus_derive_keys(&s->security, &s->dev->credential)) {
		fail(s, PCTL_E_INTERNAL, "libfreeipmi could not make the session's keys");
		return;
	}
	session_enter(s, PHASE_RAKP3, time_left(s));
}

static void on_rakp4(struct session *s, const struct setup *setup)
{
	(void)setup;
	int same = rmcpplus_check_rakp4(s->dev->ipmi->wire, &s->security, &s->dev->credential);
	if (same < 0) {
		fail(s, PCTL_E_INTERNAL, "libfreeipmi could not check the BMC's value (RAKP 4)");
		return;
	}
	if (!same) {
		fail(s, PCTL_E_AUTH,
			s->dev->credential.kg_len
				? "K_g refused: the BMC's check value (RAKP 4) was made with "
				  "another one"
				: "K_g refused: the BMC has one (RAKP 4), and none is set here; "
				  "set kg");
		return;
	}
	remember_suite(s);
	session_ready(s);
}

/* --- The phases. ------------------------------------------------------------------------------ */

static const struct row {
	const char *name;
	/* One of these: an IPMI message, or a part of RMCP+'s login. */
	void (*message)(struct session *s, const struct message *m);
	void (*setup)(struct session *s, const struct setup *setup);
	const char *silence; /* what it means; NULL: nobody is there */
	enum setup_kind kind;
	int silence_class;
} rows[] = {
	[PHASE_CAPS] = { .name = "Get Channel Authentication Capabilities",
		.message = on_capabilities },
	[PHASE_CHALLENGE] = { .name = "Get Session Challenge",
		.message = on_challenge,
		.silence = "session timeout: no answer to the login",
		.silence_class = PCTL_E_TIMEOUT },
	[PHASE_ACTIVATE] = { .name = "Activate Session",
		.message = on_activate,
		.silence = "password verification timeout: no answer to the login, which is how "
			   "IPMI 1.5 refuses a password; or it was lost, or the BMC has locked the "
			   "user out",
		.silence_class = PCTL_E_AUTH },
	[PHASE_OPEN] = { .name = "Open Session",
		.setup = on_open,
		.kind = SETUP_OPEN,
		.silence = "session timeout: no answer to the login (Open Session)",
		.silence_class = PCTL_E_TIMEOUT },
	[PHASE_RAKP1] = { .name = "RAKP 1",
		.setup = on_rakp2,
		.kind = SETUP_RAKP2,
		.silence = "password verification timeout: no answer to the login (RAKP 1); the "
			   "BMC may have locked the user out",
		.silence_class = PCTL_E_TIMEOUT },
	[PHASE_RAKP3] = { .name = "RAKP 3",
		.setup = on_rakp4,
		.kind = SETUP_RAKP4,
		.silence = "password verification timeout: no answer to the login (RAKP 3); the "
			   "BMC may have locked the user out",
		.silence_class = PCTL_E_TIMEOUT },
};

static void trace_sent(const struct session *s)
{
	char suite[24] = "";

	if (s->phase == PHASE_OPEN)
		(void)snprintf(suite, sizeof(suite), ", cipher suite %u", s->suites[s->suite]);
	pctl_log(PCTL_LOG_TRACE, s->dev->device, "-> login: %s%s%s", rows[s->phase].name, suite,
		s->sent ? ", again" : "");
}

static void trace_came(const struct session *s, uint8_t code)
{
	pctl_log(PCTL_LOG_TRACE, s->dev->device, "<- login: %s [%02x]", rows[s->phase].name, code);
}

size_t login_pack(struct session *s, uint8_t *packet)
{
	const struct credential *credential = &s->dev->credential;
	struct wire *wire = s->dev->ipmi->wire;
	struct message m = { .sequence = s->sequence, .data = s->data, .len = s->len };

	trace_sent(s);
	if (rows[s->phase].message) {
		m.netfn = s->command->netfn;
		m.command = s->command->cmd;
	}
	switch (s->phase) {
	case PHASE_CAPS:
	case PHASE_CHALLENGE:
		return lan_pack(wire, NULL, credential, &m, packet);
	case PHASE_ACTIVATE:
		return lan_pack_activate(wire, &s->security, credential, &m, packet);
	case PHASE_OPEN:
		return rmcpplus_pack_open(wire, &s->security, credential, s->tag, packet);
	case PHASE_RAKP1:
		return rmcpplus_pack_rakp1(wire, &s->security, credential, s->tag, packet);
	case PHASE_RAKP3:
		return rmcpplus_pack_rakp3(wire, &s->security, credential, s->tag, 0, packet);
	default:
		return 0;
	}
}

static bool receive_message(struct session *s, const uint8_t *packet, size_t len)
{
	const struct credential *credential = &s->dev->credential;
	struct wire *wire = s->dev->ipmi->wire;
	struct message m;
	bool whole = s->phase == PHASE_ACTIVATE
			     ? lan_unpack_activate(wire, &s->security, credential, packet, len, &m)
			     : lan_unpack(wire, NULL, credential, packet, len, &m);

	if (!whole || m.netfn != (s->command->netfn | 1) || m.command != s->command->cmd ||
		m.sequence != s->sequence)
		return false;
	trace_came(s, m.code);
	rows[s->phase].message(s, &m);
	return true;
}

/*
 * The answer was lost, and to the BMC, which did its part, the repetition is out of place: only a
 * new login helps. After RAKP 3 the session is even open on its side.
 */
static bool is_about_repetition(const struct session *s, uint8_t status)
{
	return s->sent > 1 && s->phase != PHASE_OPEN &&
	       (status == STATUS_INVALID_SESSION || status == STATUS_INACTIVE_SESSION);
}

static void on_status(struct session *s, uint8_t status)
{
	struct pctl_error why = { 0 }, err;

	if (is_about_repetition(s, status) && s->restarts++ < RESTARTS) {
		if (s->phase == PHASE_RAKP3)
			session_say_goodbye(s);
		open_session(s);
		return;
	}
	if (status_is_about_suite(status) && try_next_suite(s, true))
		return;
	status_rmcpplus(status, &why);
	err = why;
	if (status_is_about_suite(status)) {
		pctl_error_set(&err, why.code, "cipher suite %u %s", s->suites[s->suite], why.text);
		(void)pctl_error_device_code(&err, "%s", why.device_code);
	}
	session_fail(s, &err);
}

static bool receive_setup(struct session *s, const uint8_t *packet, size_t len)
{
	const struct row *row = &rows[s->phase];
	struct setup setup;

	if (!rmcpplus_unpack_setup(
		    s->dev->ipmi->wire, &s->security, row->kind, packet, len, &setup) ||
		setup.tag != s->tag)
		return false;
	trace_came(s, setup.status);
	if (setup.status) {
		on_status(s, setup.status);
		return true;
	}
	if (setup.console_id != s->security.console_id)
		return false;
	row->setup(s, &setup);
	return true;
}

bool login_receive(struct session *s, const uint8_t *packet, size_t len)
{
	bool plus = wire_format(packet, len) == WIRE_RMCPPLUS;
	bool taken = false;

	if (plus && rows[s->phase].setup)
		taken = receive_setup(s, packet, len);
	else if (!plus && rows[s->phase].message)
		taken = receive_message(s, packet, len);
	if (taken)
		s->last_came = now(s);
	return taken;
}

void login_silence(struct session *s)
{
	const struct row *row = &rows[s->phase];
	char limit[32];
	struct pctl_error err = { 0 };

	if (s->phase == PHASE_OPEN && try_next_suite(s, false))
		return;
	pctl_format_duration(s->limit, limit, sizeof(limit));
	if (row->silence)
		pctl_error_set(&err, row->silence_class, "%s", row->silence);
	else if (s->send_errno)
		pctl_error_set(&err, PCTL_E_UNREACHABLE, "no answer in %s: %s", limit,
			strerror(s->send_errno));
	else
		pctl_error_set(&err, PCTL_E_UNREACHABLE, "no answer in %s", limit);
	(void)pctl_error_flag(&err, row->silence ? 0 : PCTL_ERROR_SILENT);
	session_fail(s, &err);
}
