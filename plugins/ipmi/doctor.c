/* SPDX-License-Identifier: GPL-3.0-or-later */
/* check: the BMC's clock, and logins that take no password. What one BMC lacks is left out. */
#include <string.h>
#include <time.h>

#include "records.h"
#include "suites.h"

/* Of LAN configuration parameters (table 23-4). */
#define PARAMETER_SUITES 23u
#define PARAMETER_LEVELS 24u
#define CHANNEL_THIS     0x0eu

#define TIME_UNSPECIFIED   0xffffffffu
#define OFFSET_UNSPECIFIED 0x07ff
#define MINUTE             INT64_C(60)
/* Time zones are so far apart, and go so far (tolerating what a clock may be wrong by). */
#define ZONE      (15 * MINUTE)
#define ZONES_END (INT64_C(14) * 60 * MINUTE)
#define SLACK     (5 * MINUTE)

struct doctor {
	struct records records;
	uint32_t time;
	struct suites suites;
};

static struct doctor *job_of(const struct ipmi_dev *dev)
{
	return ipmi_kept(dev);
}

static struct pctl_value *ret_of(const struct ipmi_dev *dev)
{
	return records_of(dev)->ret;
}

/* Whether the rest can still be asked for. */
static bool goes_on(const struct pctl_error *err, int code)
{
	return records_lacks(err, code) || err->code == PCTL_E_FORBIDDEN;
}

/* --- Suites: RMCP+ without a password. -------------------------------------------------------- */

static void on_levels(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	const struct suites *suites = &job_of(dev)->suites;

	if (suites_takes(suites, 0, data + 1, len - 1))
		(void)pctl_finding_add(ret_of(dev), PCTL_FINDING_FAULT, "cipher_suite",
			"take every privilege from suite 0 in the BMC's own settings, or with "
			"`ipmitool lan set CHANNEL cipher_privs`",
			"cipher suite 0 is on: who knows the name of a user logs in without the "
			"password (CVE-2013-4782)");
	if (suites_takes(suites, 1, data + 1, len - 1))
		(void)pctl_finding_add(ret_of(dev), PCTL_FINDING_INFO, "cipher_suite",
			"take every privilege from suite 1 in the BMC's own settings, or with "
			"`ipmitool lan set CHANNEL cipher_privs`",
			"cipher suite 1 is on: sessions that are neither encrypted nor checked "
			"for changes on the way");
	ipmi_end(dev, NULL);
}

static void on_no_suites(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	ipmi_end(dev, goes_on(err, code) ? NULL : err);
}

static void ask_parameter(struct ipmi_dev *dev, uint8_t parameter, ipmi_then_fn *then)
{
	const uint8_t data[] = { CHANNEL_THIS, parameter, 0, 0 };

	ipmi_send(dev, &command_get_lan_settings, data, sizeof(data), then, on_no_suites);
}

static void on_suites(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	struct suites *suites = &job_of(dev)->suites;

	suites_read(data + 1, len - 1, suites);
	ask_parameter(dev, PARAMETER_LEVELS, on_levels);
}

/* --- Logins (table 22-15). -------------------------------------------------------------------- */

#define LOGIN_ANONYMOUS  0x01u
#define LOGIN_NAMELESS   0x02u
#define TYPE_NONE        0x01u
#define TYPES_ARE_2_0    0x80u
#define PROTOCOL_TAKES_1 0x01u

static void on_logins(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	bool takes_15 = !(data[1] & TYPES_ARE_2_0) || (data[3] & PROTOCOL_TAKES_1);

	(void)len;
	if (data[2] & LOGIN_ANONYMOUS)
		(void)pctl_finding_add(ret_of(dev), PCTL_FINDING_FAULT, "login",
			"give user 1 a password or disable it in the BMC's own settings, or with "
			"`ipmitool user disable 1`",
			"it takes a login without a user name and without a password");
	else if (data[2] & LOGIN_NAMELESS)
		(void)pctl_finding_add(ret_of(dev), PCTL_FINDING_INFO, "login",
			"`ipmitool user disable 1`, if nobody needs it",
			"there is a user without a name: only its password has to be found");
	if (takes_15 && (data[1] & TYPE_NONE))
		(void)pctl_finding_add(ret_of(dev), PCTL_FINDING_FAULT, "login",
			"take authentication type NONE away in the BMC's own settings, or with "
			"`ipmitool lan set CHANNEL auth`",
			"IPMI 1.5 sessions need no password: authentication type NONE is on");
	ask_parameter(dev, PARAMETER_SUITES, on_suites);
}

static void on_no_logins(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	if (goes_on(err, code))
		ask_parameter(dev, PARAMETER_SUITES, on_suites);
	else
		ipmi_end(dev, err);
}

static void ask_logins(struct ipmi_dev *dev)
{
	const uint8_t data[] = { 0x80u | CHANNEL_THIS, PRIVILEGE_USER };

	ipmi_send(dev, &command_get_channel_auth_capabilities, data, sizeof(data), on_logins,
		on_no_logins);
}

/* --- The clock (sections 31.10, 31.11a, 37). -------------------------------------------------- */

static void judge_clock(struct ipmi_dev *dev, int64_t theirs)
{
	(void)pctl_finding_clock(ret_of(dev), theirs,
		"set its clock, or NTP, in the BMC's own settings; on the machine itself "
		"`ipmitool sel time set now` does it");
	ask_logins(dev);
}

/* Whether what it is wrong by may be that it shows the time of some zone. */
static bool is_zone(int64_t skew)
{
	int64_t apart = skew < 0 ? -skew : skew, rest = apart % ZONE;

	return apart <= ZONES_END + SLACK && (rest <= SLACK || rest >= ZONE - SLACK);
}

static void on_no_offset(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	uint32_t theirs = job_of(dev)->time;

	if (!goes_on(err, code))
		ipmi_end(dev, err);
	else if (is_zone((int64_t)theirs - (int64_t)time(NULL)))
		ask_logins(dev);
	else
		judge_clock(dev, theirs);
}

static void on_offset(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	const struct pctl_error unspecified = { .code = PCTL_E_UNSUPPORTED };
	int offset = (int16_t)get_le16(data);

	(void)len;
	if (offset == OFFSET_UNSPECIFIED)
		on_no_offset(dev, &unspecified, 0);
	else
		judge_clock(dev, (int64_t)job_of(dev)->time - (int64_t)offset * MINUTE);
}

static void on_time(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	struct doctor *d = job_of(dev);

	(void)len;
	d->time = get_le32(data);
	if (d->time == TIME_UNSPECIFIED)
		judge_clock(dev, 0);
	else
		ipmi_send(dev, &command_get_sel_utc_offset, NULL, 0, on_offset, on_no_offset);
}

static void on_no_time(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	if (goes_on(err, code))
		ask_logins(dev);
	else
		ipmi_end(dev, err);
}

void doctor_run(void *data, struct pctl_op *op, struct pctl_value *ret)
{
	struct ipmi_dev *dev = data;

	(void)records_begin(dev, op, sizeof(struct doctor), ret);
	ipmi_send(dev, &command_get_sel_time, NULL, 0, on_time, on_no_time);
}
