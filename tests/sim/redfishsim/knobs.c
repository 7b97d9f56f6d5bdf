/* SPDX-License-Identifier: Apache-2.0 */
#include "knobs.h"

#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "sim.h"

const size_t web_offset = offsetof(struct device, web);

/* "on", or "2:on" for the second system only. */
static bool set_power(struct device *dev, struct str value)
{
	enum power_state state;
	struct str number, rest = value;
	uint64_t only = 0;

	if (str_split(&rest, ':', &number) && rest.p) {
		if (!parse_uint(number, dev->nsystems, &only) || !only)
			return false;
		value = rest;
	}
	if (!power_of_word(value, &state))
		return false;
	for (uint32_t i = 0; i < dev->nsystems; i++)
		if (!only || only == i + 1)
			power_set(&dev->systems[i], state);
	return true;
}

static void show_power(const struct device *dev, struct buf *out)
{
	struct host *sys = dev->systems;

	if (dev->nsystems)
		buf_json(out, str_of(power_word(power_now(sys))));
	else
		buf_text(out, "null");
}

static bool set_profile(struct device *dev, struct str value)
{
	const struct profile *p = profile_find(value);

	if (!p)
		return false;
	dev->profile = p;
	for (uint32_t i = 0; i < dev->nsystems; i++) {
		boot_done(&dev->systems[i].boot);
		boot_init(&dev->systems[i]);
	}
	login_forget(dev);
	return true;
}

static void show_profile(const struct device *dev, struct buf *out)
{
	buf_json(out, str_of(dev->profile->name));
}

static bool set_password(struct device *dev, struct str value)
{
	return value.n && str_copy(value, dev->password, sizeof(dev->password));
}

static void show_password(const struct device *dev, struct buf *out)
{
	buf_json(out, str_of(dev->password));
}

static bool set_redirect(struct device *dev, struct str value)
{
	char *text = NULL;

	if (!str_is(value, "no")) {
		text = calloc(value.n + 1, 1);
		if (!text || !str_copy(value, text, value.n + 1) || strpbrk(text, " \r\n")) {
			free(text);
			return false;
		}
	}
	free(dev->redirect);
	dev->redirect = text;
	return true;
}

static void show_redirect(const struct device *dev, struct buf *out)
{
	buf_json(out, str_of(dev->redirect ? dev->redirect : "no"));
}

static bool set_forget(struct device *dev, struct str value)
{
	if (!str_is(value, "1"))
		return false;
	login_forget(dev);
	return true;
}

static void show_forget(const struct device *dev, struct buf *out)
{
	buf_uint(out, dev->sessions.next);
}

static bool set_second_ends(struct device *dev, struct str value)
{
	return parse_int(value, UINT32_MAX, &dev->second_ends);
}

static void show_second_ends(const struct device *dev, struct buf *out)
{
	buf_fmt(out, "%lld", (long long)dev->second_ends);
}

#define ANY  UINT32_MAX
#define NUM  KNOB_NUM
#define WORD KNOB_CHOICE
#define OWN  KNOB_CUSTOM

static const struct knob table[] = {
	OWN("power", "on, off or paused; 2:on is the second system only",
		"the hosts' state, set at once", set_power, show_power),
	OWN("profile", "dmtf, dell, hpe, hpe-gen9, supermicro, lenovo, ami or openbmc",
		"whose service it is", set_profile, show_profile),
	OWN("password", "text", "of the account", set_password, show_password),
	WEB_KNOB_ROWS,
	NUM(e503_every, ANY, 0, "every N-th request is answered 503"),
	NUM(retry_after, 3600, 1, "Retry-After of a 503 and a 202, in seconds; 0: none"),
	NUM(cut_every, ANY, 0, "every N-th answer stops in the middle of its body"),
	{ .name = "stagger",
		.kind = KNOB_NUMBER,
		.at = offsetof(struct knobs, stagger),
		.max = 1,
		.help = "each service counts N from elsewhere: not all have it at once",
		.changed = device_start_faults },
	WORD(hang, "no all auth reset",
		"never answer: any request, those that logged in, or a Reset (which acts)", NULL),
	OWN("redirect", "no, or the beginning of a URL",
		"every request is answered 307 with this before its path", set_redirect,
		show_redirect),
	NUM(html, 1, 0, "200 with an HTML page instead of JSON"),
	NUM(garbage, 1, 0, "answers have a few wrong characters in their middle"),
	NUM(huge, 4096, 0, "200 with this many MB of an endless document"),
	NUM(deep, 1000000, 0, "200 with this many arrays inside each other"),
	NUM(truncate, 1, 0, "documents end in the middle, correctly framed"),
	NUM(wrong_type, 1, 0, "Content-Type: text/html before correct JSON"),
	NUM(chunked, 65535, 0, "bodies in chunks of this many bytes; 0: Content-Length"),
	WORD(auth, "both session basic", "basic: there is no SessionService", NULL),
	NUM(session_limit, SESSIONS_MAX, 0, "so many sessions at most; 0: as the profile has it"),
	NUM(session_s, 86400, 1800, "a session that was idle so long is over; 0: never"),
	NUM(session_every, ANY, 0, "every N-th request with a token ends its session: 401"),
	OWN("forget_sessions", "1", "no token given so far is good; reads: how many were given",
		set_forget, show_forget),
	NUM(lock_after, ANY, 0, "so many bad logins lock the account; 0: never"),
	NUM(lock_s, 86400, 60, "... for this many seconds"),
	NUM(lock_stays, 1, 0, "... and, so the service says, for ever"),
	NUM(lock_tells, 1, 0, "the 401 to a locked account says that it is locked"),
	WORD(second, "enabled disabled locked", "the account besides the own one", NULL),
	OWN("second_ends", "seconds, - before them: so long ago",
		"when that account's password expires; 0: never", set_second_ends,
		show_second_ends),
	WORD(passwd, "do refuse ignore lose mute hang",
		"a new password is set; not; not, but answered well; set, and the connection "
		"dropped; set, and never answered; not, and never answered",
		NULL),
	NUM(passwd_ends, 1, 0, "a new password ends all sessions"),
	NUM(password_min, 64, 0, "MinPasswordLength; 0: none is said"),
	NUM(password_max, 64, 0, "MaxPasswordLength; 0: none is said"),
	NUM(password_action, 1, 0, "a password is set by ChangePassword, and PATCH refused"),
	NUM(must_change, 1, 0, "403 to everything until the account has another password"),
	NUM(no_accounts, 1, 0, "there is no AccountService"),
	WEB_KNOB_NEWCERT,
	WEB_KNOB_CERT_ENDS,
	{ .name = "other_machine",
		.kind = KNOB_NUMBER,
		.at = offsetof(struct knobs, other_machine),
		.max = ANY,
		.help = "not 0: another machine answers: other UUIDs and serial numbers",
		.changed = device_identify },
	NUM(transition_ms, 3600000, 0, "on, off, and each half of a cycle take that long"),
	NUM(soft_ms, 3600000, 0, "what the operating system is asked for takes that long"),
	NUM(post_ms, 3600000, 0, "the host is in POST for so long after it started"),
	NUM(off_busy_ms, 3600000, 0, "On is answered 409 for so long after the host went off"),
	WORD(shows, "profile old transition null",
		"PowerState during a change: the old one, Powering..., null, or as the profile "
		"does",
		NULL),
	WORD(lie_state, "no off on paused null", "PowerState always reads this", NULL),
	NUM(os_agent, 1, 1, "0: the operating system ignores soft requests"),
	NUM(refuse_reset, 599, 0, "a Reset is answered with this HTTP status and does nothing"),
	NUM(ignore_reset, 1, 0, "a Reset is accepted and does nothing"),
	NUM(lose_reset_answer, ANY, 0, "the next N accepted Resets act but get no answer"),
	WORD(tasks, "no reset all", "what is answered 202 with a task", NULL),
	NUM(task_ms, 3600000, 0, "a task runs that long"),
	NUM(task_fails, 1, 0, "tasks end with Exception"),
	WORD(etag, "profile none strong weak body",
		"ETags; body: of all, so that each change of state makes a new one", NULL),
	NUM(etag_every, ANY, 0, "every N-th If-Match is refused with 412"),
	NUM(ignore_boot, 1, 0, "the host starts as if there were no boot override"),
	NUM(keep_override, 1, 0, "an override for once survives the start"),
	NUM(log_entries, 100000, 3, "so many entries of the log are made up"),
	NUM(page, 100000, 0, "members in one page of a collection; 0: all"),
	NUM(bmc_ms, 3600000, 1000, "a Manager.Reset closes the ports for so long"),
	NUM(console, 1, 1, "0: no serial console is enabled"),
	NUM(clock_behind, 1000000000, 0, "seconds by which the manager's clock is behind"),
	WORD(health, "OK Warning Critical", "what the system's health rolls up to", NULL),
	WORD(manager_health, "OK Warning Critical", "the manager's health", NULL),
	NUM(ssh_port, 65535, 0, "where the serial console is over SSH; 0: 2200, or 22"),
};

const struct knob_table knobs_table = { table, COUNT(table), offsetof(struct device, knobs) };
