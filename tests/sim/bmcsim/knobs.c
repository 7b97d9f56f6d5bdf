/* SPDX-License-Identifier: Apache-2.0 */
#include "knobs.h"

#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "device.h"
#include "login.h"
#include "request.h"
#include "sim.h"

/* --- Lists of numbers ------------------------------------------------------------------------- */

static bool parse_mask(struct str value, uint32_t allowed, uint32_t *ret)
{
	uint32_t mask = 0;
	struct str part;
	uint64_t n;

	if (str_is(value, "none"))
		value = (struct str){ NULL, 0 };
	while (str_split(&value, ',', &part)) {
		if (!parse_uint(str_trim(part), 31, &n) || !(allowed >> n & 1))
			return false;
		mask |= 1U << n;
	}
	*ret = mask;
	return true;
}

static void show_mask(uint32_t mask, struct buf *out)
{
	bool first = true;

	buf_char(out, '"');
	for (uint32_t i = 0; i < 32; i++)
		if (mask >> i & 1) {
			buf_fmt(out, "%s%u", first ? "" : ",", i);
			first = false;
		}
	buf_text(out, mask ? "\"" : "none\"");
}

static bool set_suites(struct device *dev, struct str value)
{
	return parse_mask(value, login_suites(), &dev->knobs.suites);
}

static void show_suites(const struct device *dev, struct buf *out)
{
	show_mask(dev->knobs.suites, out);
}

static bool set_refuse_params(struct device *dev, struct str value)
{
	return parse_mask(value, 0xFF, &dev->knobs.refuse_params);
}

static void show_refuse_params(const struct device *dev, struct buf *out)
{
	show_mask(dev->knobs.refuse_params, out);
}

/* --- Words ------------------------------------------------------------------------------------ */

static const char *const auth_words[] = {
	[AUTH_NONE] = "none",
	[AUTH_MD5] = "md5",
	[AUTH_PASSWORD] = "password",
};

static bool set_auth_types(struct device *dev, struct str value)
{
	struct str part;
	uint32_t mask = 0;

	while (str_split(&value, ',', &part)) {
		size_t i = 0;

		while (i < COUNT(auth_words) &&
			(!auth_words[i] || !str_is(str_trim(part), auth_words[i])))
			i++;
		if (i == COUNT(auth_words))
			return false;
		mask |= 1U << i;
	}
	dev->knobs.auth_types = mask;
	return true;
}

static void show_auth_types(const struct device *dev, struct buf *out)
{
	const char *comma = "\"";

	for (size_t i = 0; i < COUNT(auth_words); i++)
		if (dev->knobs.auth_types >> i & 1) {
			buf_text(out, comma);
			buf_text(out, auth_words[i]);
			comma = ",";
		}
	buf_char(out, '"');
}

static bool set_skew(struct device *dev, struct str value)
{
	return parse_int(value, UINT32_MAX, &dev->sel.offset);
}

static void show_skew(const struct device *dev, struct buf *out)
{
	buf_fmt(out, "%lld", (long long)dev->sel.offset);
}

static bool set_power(struct device *dev, struct str value)
{
	if (!str_is(value, "on") && !str_is(value, "off"))
		return false;
	power_set(dev, str_is(value, "on"));
	return true;
}

static void show_power(const struct device *dev, struct buf *out)
{
	buf_text(out, dev->power.on ? "\"on\"" : "\"off\"");
}

/* --- Accounts and keys ------------------------------------------------------------------------ */

static const char *const privilege_words[] = { NULL, "callback", "user", "operator", "admin",
	"oem" };

static bool parse_user(struct str text, struct user *ret)
{
	struct user u = { .password_n = 0 };
	struct str name, privilege;

	if (!str_split(&text, ':', &name) || !str_split(&text, ':', &privilege) || !text.p ||
		!str_copy(name, u.name, sizeof(u.name)) || text.n > SIM_SECRET)
		return false;
	for (unsigned i = 1; i < COUNT(privilege_words); i++)
		if (str_is(privilege, privilege_words[i]))
			u.privilege = (uint8_t)i;
	if (text.n)
		memcpy(u.password, text.p, text.n);
	u.password_n = (uint8_t)text.n;
	*ret = u;
	return u.privilege != PRIV_NONE;
}

/* Sessions point at their users, and end with them. */
static bool set_users(struct device *dev, struct str value)
{
	struct users users = { .count = 0 }, *own;
	struct str part;

	while (str_split(&value, ',', &part))
		if (users.count == SIM_USERS || !parse_user(part, &users.user[users.count++]))
			return false;
	session_free_all(dev);
	own = dev->users == &dev->sim->users ? xcalloc(1, sizeof(*own)) : dev->users;
	*own = users;
	dev->users = own;
	return true;
}

static void show_users(const struct device *dev, struct buf *out)
{
	char text[SIM_NAME + SIM_SECRET + 16];

	buf_char(out, '"');
	for (uint32_t i = 0; i < dev->users->count; i++) {
		const struct user *u = &dev->users->user[i];

		snprintf(text, sizeof(text), "%s%s:%s:", i ? "," : "", u->name,
			privilege_words[u->privilege]);
		buf_text(out, text);
		for (uint8_t k = 0; k < u->password_n; k++)
			buf_char(out, u->password[k] < ' ' || strchr("\"\\", u->password[k])
					      ? '?'
					      : (char)u->password[k]);
	}
	buf_char(out, '"');
}

static bool set_kg(struct device *dev, struct str value)
{
	uint8_t key[SIM_SECRET] = { 0 };

	if (str_starts(value, "0x")) {
		value.p += 2;
		value.n -= 2;
		if (hex_decode(value, key, sizeof(key)) < 0)
			return false;
	} else if (value.n > sizeof(key)) {
		return false;
	} else if (value.n) {
		memcpy(key, value.p, value.n);
	}
	memcpy(dev->kg, key, sizeof(key));
	dev->has_kg = value.n > 0;
	return true;
}

static void show_kg(const struct device *dev, struct buf *out)
{
	buf_text(out, dev->has_kg ? "\"0x" : "\"");
	if (dev->has_kg)
		buf_hex(out, dev->kg, sizeof(dev->kg));
	buf_char(out, '"');
}

static bool set_guid(struct device *dev, struct str value)
{
	char digits[33];
	uint8_t guid[16];
	size_t n = 0;

	for (size_t i = 0; i < value.n && n < 33; i++)
		if (value.p[i] != '-')
			digits[n++] = value.p[i];
	if (n != 32 || hex_decode((struct str){ digits, n }, guid, 16) != 16)
		return false;
	memcpy(dev->guid, guid, 16);
	return true;
}

static void show_guid(const struct device *dev, struct buf *out)
{
	char text[37];

	uuid_text(dev->guid, text);
	buf_json(out, str_of(text));
}

static bool set_firmware(struct device *dev, struct str value)
{
	struct str major;
	uint64_t high, low;

	if (!str_split(&value, '.', &major) || !parse_uint(major, 127, &high) || !value.p ||
		!parse_uint(value, 99, &low))
		return false;
	dev->firmware[0] = (uint8_t)high;
	dev->firmware[1] = (uint8_t)(low / 10 << 4 | low % 10);
	return true;
}

static void show_firmware(const struct device *dev, struct buf *out)
{
	buf_fmt(out, "\"%u.%02x\"", dev->firmware[0], dev->firmware[1]);
}

static bool set_sel(struct device *dev, struct str value)
{
	uint8_t record[SEL_RECORD];

	if (str_is(value, "clear")) {
		sel_clear(dev);
		return true;
	}
	return hex_decode(value, record, SEL_RECORD) == SEL_RECORD && sel_add(dev, record);
}

static void show_sel(const struct device *dev, struct buf *out)
{
	buf_uint(out, dev->sel.count);
}

static bool set_sensors(struct device *dev, struct str value)
{
	struct str part, number;
	uint64_t n, raw;

	while (str_split(&value, ',', &part)) {
		if (!str_split(&part, ':', &number) || !part.p ||
			!parse_uint(number, SENSOR_MAX - 1, &n) || !parse_uint(part, 255, &raw) ||
			!sensor_find((uint8_t)n))
			return false;
		dev->readings[n] = (uint8_t)raw;
	}
	return true;
}

static void show_sensors(const struct device *dev, struct buf *out)
{
	const char *comma = "";

	buf_char(out, '"');
	for (unsigned i = 0; i < SENSOR_MAX; i++)
		if (sensor_find((uint8_t)i)) {
			buf_fmt(out, "%s%u:%u", comma, i, dev->readings[i]);
			comma = ",";
		}
	buf_char(out, '"');
}

static bool set_sol_backend(struct device *dev, struct str value)
{
	char *where;

	if (!backend_valid(value))
		return false;
	where = xcalloc(1, value.n + 1);
	str_copy(value, where, value.n + 1);
	free(dev->sol_backend);
	dev->sol_backend = where;
	if (str_is(value, "terminal")) {
		free(where);
		dev->sol_backend = NULL;
	}
	return true;
}

static void show_sol_backend(const struct device *dev, struct buf *out)
{
	buf_json(out, str_of(dev->sol_backend ? dev->sol_backend : "terminal"));
}

/* --- Completion codes ------------------------------------------------------------------------- */

/* NETFN:COMMAND:CC, hexadecimal, and perhaps *TIMES. */
static bool parse_forced(struct str text, struct forced *ret)
{
	struct str part, times = { NULL, 0 };
	uint64_t byte[3], count = 0;

	if (!str_split(&text, '*', &part))
		return false;
	times = text;
	text = part;
	for (size_t i = 0; i < 3; i++)
		if (!str_split(&text, ':', &part) || !parse_hex(part, 0xFF, &byte[i]))
			return false;
	if (text.p || !byte[2] || (times.p && (!parse_uint(times, UINT32_MAX, &count) || !count)))
		return false;
	*ret = (struct forced){
		.netfn = (uint8_t)byte[0],
		.command = (uint8_t)byte[1],
		.cc = (uint8_t)byte[2],
		.counted = times.p != NULL,
		.left = (uint32_t)count,
	};
	return true;
}

static bool set_cc(struct device *dev, struct str value)
{
	struct forced forced[SIM_FORCED] = { { .cc = 0 } };
	struct str part;
	size_t n = 0;

	if (str_is(value, "no"))
		value = (struct str){ NULL, 0 };
	while (str_split(&value, ',', &part))
		if (n == SIM_FORCED || !parse_forced(part, &forced[n++]))
			return false;
	memcpy(dev->forced, forced, sizeof(forced));
	return true;
}

static void show_cc(const struct device *dev, struct buf *out)
{
	const char *comma = "";

	buf_char(out, '"');
	for (size_t i = 0; i < SIM_FORCED; i++) {
		const struct forced *f = &dev->forced[i];

		if (!f->cc)
			continue;
		buf_fmt(out, "%s%02x:%02x:%02x", comma, f->netfn, f->command, f->cc);
		if (f->counted)
			buf_fmt(out, "*%u", f->left);
		comma = ",";
	}
	buf_text(out, *comma ? "\"" : "no\"");
}

static bool set_refuse_control(struct device *dev, struct str value)
{
	uint8_t refuse[POWER_ACTIONS] = { 0 };
	struct str part, word;
	uint64_t cc;

	if (str_is(value, "no"))
		value = (struct str){ NULL, 0 };
	while (str_split(&value, ',', &part)) {
		unsigned i = 0;

		if (!str_split(&part, ':', &word) || !part.p || !parse_hex(part, 0xFF, &cc))
			return false;
		while (i < POWER_ACTIONS && !str_is(word, power_action_word(i)))
			i++;
		if (i == POWER_ACTIONS)
			return false;
		refuse[i] = (uint8_t)cc;
	}
	memcpy(dev->refuse_control, refuse, sizeof(refuse));
	return true;
}

static void show_refuse_control(const struct device *dev, struct buf *out)
{
	const char *comma = "";

	buf_char(out, '"');
	for (unsigned i = 0; i < POWER_ACTIONS; i++)
		if (dev->refuse_control[i]) {
			buf_fmt(out, "%s%s:%02x", comma, power_action_word(i),
				dev->refuse_control[i]);
			comma = ",";
		}
	buf_text(out, *comma ? "\"" : "no\"");
}

/* --- The table -------------------------------------------------------------------------------- */

#define ANY  UINT32_MAX
#define NUM  KNOB_NUM
#define WORD KNOB_CHOICE
#define OWN  KNOB_CUSTOM

static const struct knob table[] = {
	OWN("power", "on or off", "the host's state, set at once", set_power, show_power),
	OWN("users", "NAME:PRIVILEGE:PASSWORD,...",
		"accounts, at most 8; callback, user, operator, admin or oem", set_users,
		show_users),
	OWN("kg", "text or 0x...", "the BMC's key; empty: there is none", set_kg, show_kg),
	OWN("suites", "numbers, none", "cipher suites that are enabled, e.g. 0,3,17", set_suites,
		show_suites),
	OWN("auth_types", "none, md5, password", "IPMI 1.5 authentication, a list", set_auth_types,
		show_auth_types),
	OWN("guid", "32 digits", "of the system, as it is on the wire", set_guid, show_guid),
	OWN("firmware", "MAJOR.MINOR", "revision", set_firmware, show_firmware),
	NUM(manufacturer, 0xFFFFFF, 0, "enterprise number"),
	NUM(product, 0xFFFF, 1, "product number"),

	NUM(dead, 1, 0, "no answer to anything"),
	NUM(delay_ms, 600000, 0, "every command takes that long; others wait meanwhile"),
	NUM(control_delay_ms, 600000, 0, "Chassis Control takes that much longer"),
	NUM(drop_percent, 100, 0, "so many datagrams are lost, either way"),
	NUM(drop_requests, ANY, 0, "the next N datagrams are lost on their way in"),
	NUM(drop_replies, ANY, 0, "the next N answers are lost (the request acts)"),
	NUM(late_ms, 600000, 1000, "by how much answers are late ..."),
	NUM(late_next, ANY, 0, "... for the next N"),
	NUM(duplicate, 1, 0, "every answer is sent twice"),
	NUM(bad_checksum, ANY, 0, "the next N messages have a wrong checksum"),
	NUM(bad_auth_code, ANY, 0, "the next N authentication codes are wrong"),
	NUM(bad_session_id, ANY, 0, "the next N answers name another session"),
	NUM(truncate, ANY, 0, "the next N answers end half way"),
	NUM(garbage, ANY, 0, "the next N answers are random bytes behind the RMCP header"),
	NUM(ping, 1, 1, "RMCP presence pings are answered"),

	NUM(busy_next, ANY, 0, "the next N commands of sessions are answered C0h, busy"),
	NUM(busy_caps, ANY, 0, "the next N Get Channel Authentication Capabilities as well"),
	OWN("cc", "no or NETFN:COMMAND:CC[*TIMES],...",
		"completion codes (hexadecimal) instead of what commands do", set_cc, show_cc),
	WORD(dedup, "again cf off",
		"a request with the last one's number: same answer, CFh, or acts again", NULL),
	NUM(seq_check, 1, 1, "session sequence numbers must be new and within the window"),
	NUM(enforce_privilege, 1, 1, "privilege levels count"),

	NUM(session_limit, SESSION_SLOTS, 8, "sessions, those being set up included"),
	NUM(session_timeout_ms, 86400000, 60000, "a session ends after so long a silence"),
	NUM(lockout_after, ANY, 0, "this many bad passwords lock all accounts; 0: never"),
	NUM(lockout_ms, 86400000, 60000, "... for so long"),
	WORD(lockout_answer, "silent name", "... answering nothing, or that there is no such name",
		NULL),
	NUM(lockout_unfinished, 1, 0, "a RAKP 1 counts as bad until its login succeeds"),
	WORD(passwd, "do refuse ignore lie lose hang",
		"a new password is set; not (FFh); not, but answered well; the same, and so is a "
		"test of it; set, and not answered; neither",
		NULL),
	WORD(no_ipmi20, "no ignore refuse",
		"IPMI 1.5 only: the bit that asks for 2.0 is ignored, or refused CCh", NULL),
	NUM(no_ipmi15, 1, 0, "no IPMI 1.5 sessions"),
	NUM(per_message, 1, 1, "IPMI 1.5 authenticates every message, not the login only"),
	NUM(cipher_suites_answer, 1, 1, "Get Channel Cipher Suites is answered without a session"),
	NUM(echo_privilege_zero, 1, 0, "Open Session echoes privilege 0 instead of the highest"),
	NUM(open_status, 0xFF, 0, "status of every Open Session Response"),
	NUM(rakp2_status, 0xFF, 0, "status of every RAKP message 2"),
	NUM(rakp4_status, 0xFF, 0, "status of every RAKP message 4"),
	NUM(rakp2_bad, 1, 0, "RAKP message 2 has a wrong code, as if passwords differed"),
	NUM(rakp4_bad, 1, 0, "RAKP message 4 has a wrong check value, as if K_g differed"),
	WORD(mute, "no open rakp1 rakp3 challenge activate", "a step of the login gets no answer",
		NULL),

	NUM(transition_ms, 3600000, 0, "a change of power takes that long"),
	NUM(lag_ms, 3600000, 0, "the old state is shown so much longer"),
	WORD(power_lie, "no ignore", "actions are answered well and not done", NULL),
	WORD(off_reset, "refuse ignore on", "reset or cycle while off: D5h, nothing, or starts",
		NULL),
	NUM(soft_ms, 3600000, 0, "the OS needs so long to shut down"),
	NUM(soft_ignored, 1, 0, "the OS ignores the power button"),
	OWN("refuse_control", "no or ACTION:CC,...",
		"off, on, cycle, reset, diag, soft answered with a code, e.g. diag:cc",
		set_refuse_control, show_refuse_control),
	NUM(reset_ms, 3600000, 2000, "after a reset the BMC is away for so long"),

	NUM(boot_timeout_ms, 3600000, 60000,
		"boot flags lapse after so long without a start, unless parameter 3 says not to; "
		"0: "
		"never"),
	OWN("refuse_params", "numbers, none", "boot option parameters answered 80h",
		set_refuse_params, show_refuse_params),
	NUM(readback_invalid, 1, 0, "boot flags read back as not valid"),
	NUM(no_persistent, 1, 0, "the persistent bit is forgotten"),
	WORD(default_uefi, "legacy uefi", "mode of a start without boot flags", NULL),

	OWN("clock_skew", "seconds, - before them: behind",
		"by how much the event log's clock is ahead of this host's", set_skew, show_skew),
	NUM(utc_offset_known, 1, 0, "the event log says that its clock is in UTC"),
	NUM(suite_level, 4, 4, "the highest privilege that all cipher suites are said to give"),
	NUM(sel_capacity, SEL_CAPACITY, SEL_CAPACITY, "records that the event log takes"),
	NUM(sel_events, 1, 1, "changes of power are logged"),
	OWN("sel", "clear or 16 bytes", "empties the event log, or adds a record to it", set_sel,
		show_sel),
	OWN("sensors", "NUMBER:RAW,...", "readings, e.g. 1:99 for a hot processor", set_sensors,
		show_sensors),
	NUM(sdr_max_read, 255, 0, "longer reads of records are answered CAh; 0: any length"),
	NUM(sdr_cancel, ANY, 0, "the next N partial reads find their reservation cancelled"),
	NUM(fru_max_read, 255, 0, "longer reads of inventory are answered CAh; 0: any length"),
	NUM(fru_bad_checksum, 1, 0, "the inventory's header does not add up"),

	OWN("sol_backend", "terminal, tcp:ADDRESS:PORT or unix:PATH",
		"what hangs on the serial line, from the next activation on", set_sol_backend,
		show_sol_backend),
	NUM(sol_max_in, 259, 255, "bytes in a SOL payload from the console"),
	NUM(sol_max_out, 259, 255, "bytes in a SOL payload to it"),
	WORD(sol_sizes, "right swapped zero", "how Activate Payload tells them", NULL),
	NUM(sol_port, 65535, 0, "port that Activate Payload tells; 0: the right one"),
	NUM(sol_instances, SOL_INSTANCES, 1, "consoles at the same time"),
	WORD(sol_encryption, "any force refuse", "activation with or without encryption fails",
		NULL),
	WORD(sol_taken, "no taken held",
		"somebody else has the first instance: now, and cannot be turned out", sol_take),
	NUM(sol_drop, ANY, 0, "the next N SOL packets to the console are lost"),
	NUM(sol_drop_in, ANY, 0, "the next N from it"),
	NUM(sol_repeat, ANY, 0, "the next N to the console come twice"),
	NUM(sol_nack, ANY, 0, "the next N with characters are refused"),
	NUM(sol_accept, 255, 0, "no more characters of a packet are taken; 0: all"),
	NUM(sol_piggyback, 1, 0, "characters ride on an acknowledgement if there are any"),
	NUM(sol_retries, 255, 7, "a packet without an answer is sent so often again"),
	NUM(sol_retry_ms, 60000, 500, "... after this time"),
};

const struct knob_table knobs_table = { table, COUNT(table), offsetof(struct device, knobs) };
