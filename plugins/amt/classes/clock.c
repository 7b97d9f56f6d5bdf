/* SPDX-License-Identifier: Apache-2.0 */
/* time and alarms. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <powerctl/mem.h>

#include "classes/chain.h"
#include "classes/methods.h"

/* A device whose clock was never set counts from some day in 2004. */
#define CLOCK_SET_SINCE 1262304000 /* 2010 */

#define TIME_SIZE     sizeof("2030-01-01T00:00:00Z")
#define INTERVAL_SIZE 48u

/* How far zones are from UTC: from -12:00 to +14:00. */
#define ZONE_FIRST 43200
#define ZONE_LAST  50400

static void time_text(time_t t, char out[TIME_SIZE])
{
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(out, TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm))
		*out = '\0';
}

/* --- time. ------------------------------------------------------------------------------------ */

static const char *const settings[] = { "now", NULL };

const struct pctl_property time_parameters[] = {
	PCTL_PROPERTY(.name = "set", .type = PCTL_TYPE_CHOICE, .choices = settings,
		.help = "set the clock by this host's"),
	{ .name = NULL },
};

static const struct class_method read_clock = {
	.class = &class_clock.class,
	.name = "GetLowAccuracyTimeSynch",
	.returns = STATUS_PLAIN,
	.inputs = { NULL },
};
static const struct class_method set_clock = {
	.class = &class_clock.class,
	.name = "SetHighAccuracyTimeSynch",
	.returns = STATUS_PLAIN,
	.inputs = { "Ta0", "Tm1", "Tm2" },
};

static const struct chain_step clock_steps[] = {
	{ &class_clock, NULL, STEP_MAY_LACK, NULL },
	{ .class = NULL },
};

static void ask_time(struct amt_dev *dev);

static void was_set(struct amt_dev *dev)
{
	chain_work(dev)->is.time.was_set = true;
	ask_time(dev);
}

static void set_time(struct amt_dev *dev, uint64_t theirs)
{
	char was[24], now[24];
	const struct class_input inputs[] = { { .name = "Ta0", .text = was },
		{ .name = "Tm1", .text = now }, { .name = "Tm2", .text = now }, { .name = NULL } };

	(void)snprintf(was, sizeof(was), "%llu", (unsigned long long)theirs);
	(void)snprintf(now, sizeof(now), "%lld", (long long)time(NULL));
	chain_call(dev, &set_clock, NULL, inputs, was_set);
}

static void got_time(struct amt_dev *dev, const struct xml_node *answer)
{
	struct chain_work *w = chain_work(dev);
	uint64_t theirs = xml_uint(answer, "Ta0", 0);
	char text[TIME_SIZE];

	if (!theirs) {
		amt_fail(dev, PCTL_E_PROTOCOL, "%s was answered without a time", read_clock.name);
		return;
	}
	if (chain_given(dev, "set") && !w->is.time.was_set) {
		set_time(dev, theirs);
		return;
	}
	time_text((time_t)theirs, text);
	pctl_value_set_text(w->ret, "time", text);
	pctl_value_set_int(w->ret, "skew_s", (int64_t)theirs - (int64_t)time(NULL));
	if (theirs < CLOCK_SET_SINCE)
		pctl_value_set_text(w->ret, "hint", "its clock was never set: amt time set=now");
	chain_read(dev, clock_steps, chain_end);
}

static void ask_time(struct amt_dev *dev)
{
	(void)amt_invoke(dev, read_clock.class, read_clock.name, read_clock.returns);
	amt_send(dev, got_time, NULL);
}

void time_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	chain_begin(data, op, args, ret);
	ask_time(data);
}

/* --- alarms. ---------------------------------------------------------------------------------- */

const struct pctl_property alarms_parameters[] = {
	PCTL_PROPERTY(.name = "add", .type = PCTL_TYPE_TEXT, .wants = "at", .excludes = "remove",
		.help = "name of an alarm that turns the machine on"),
	PCTL_PROPERTY(.name = "at", .type = PCTL_TYPE_TEXT, .needs = "add",
		.help = "when: 2030-01-31T07:00:00Z, with +01:00 or so in place of the Z; without "
			"either the time of this host"),
	PCTL_PROPERTY(.name = "every", .type = PCTL_TYPE_DURATION, .needs = "add",
		.help = "and again so much later, in whole minutes; without it once"),
	PCTL_PROPERTY(.name = "remove", .type = PCTL_TYPE_TEXT, .help = "name of an alarm"),
	{ .name = NULL },
};

static const struct wsman_class alarm_service = WSMAN_CLASS(WSMAN_AMT, "AMT_AlarmClockService");

static const struct chain_step alarm_steps[] = {
	{ &class_alarm, "alarms", STEP_LIST, NULL },
	{ .class = NULL },
};

static void list_alarms(struct amt_dev *dev)
{
	chain_read(dev, alarm_steps, chain_end);
}

/* With a zone or without; those without are this host's time. */
static const struct {
	const char *format;
	bool zone;
} formats[] = {
	{ "%Y-%m-%dT%H:%M:%S%z", true },
	{ "%Y-%m-%dT%H:%M%z", true },
	{ "%Y-%m-%d %H:%M:%S%z", true },
	{ "%Y-%m-%d %H:%M%z", true },
	{ "%Y-%m-%dT%H:%M:%S", false },
	{ "%Y-%m-%dT%H:%M", false },
	{ "%Y-%m-%d %H:%M:%S", false },
	{ "%Y-%m-%d %H:%M", false },
};

static bool parse_time(const char *text, time_t *ret)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct tm tm = { .tm_isdst = -1 };
		const char *end = strptime(text, formats[i].format, &tm);
		long offset = tm.tm_gmtoff;

		if (!end || *end)
			continue;
		int day = tm.tm_mday;
		*ret = formats[i].zone ? timegm(&tm) - offset : mktime(&tm);
		if (offset > ZONE_LAST || offset < -ZONE_FIRST)
			return false;
		/* What is no day the calendar makes another one of. */
		return tm.tm_mday == day;
	}
	return false;
}

/* Its interval as the device writes it; "": it is once. */
static void interval_text(struct amt_dev *dev, char out[INTERVAL_SIZE])
{
	uint64_t every = pctl_argument_duration(chain_work(dev)->args, "every") / 60000;

	*out = '\0';
	if (every)
		(void)snprintf(out, INTERVAL_SIZE, "P%lluDT%lluH%lluM",
			(unsigned long long)every / 1440, (unsigned long long)every / 60 % 24,
			(unsigned long long)every % 60);
}

static void add_alarm(struct amt_dev *dev, time_t at)
{
	const char *name = chain_text(dev, "add");
	struct wsman *w = amt_invoke(dev, &alarm_service, "AddAlarm", STATUS_PLAIN);
	char when[TIME_SIZE], interval[INTERVAL_SIZE];

	time_text(at, when);
	interval_text(dev, interval);
	wsman_open(w, "AlarmTemplate", &class_alarm.class);
	wsman_text(w, "InstanceID", name);
	wsman_text(w, "ElementName", name);
	wsman_common(w, "StartTime", "Datetime", when);
	if (*interval)
		wsman_common(w, "Interval", "Interval", interval);
	wsman_text(w, "DeleteOnCompletion", *interval ? "false" : "true");
	wsman_close(w, "AlarmTemplate");
	chain_send(dev, list_alarms);
}

static void remove_alarm(struct amt_dev *dev)
{
	chain_delete(dev, &class_alarm, "InstanceID", chain_text(dev, "remove"));
	chain_send(dev, list_alarms);
}

int alarms_check(const struct pctl_arguments *args, struct pctl_error *err)
{
	const char *at = pctl_argument_text(args, "at");
	uint64_t every = pctl_argument_duration(args, "every");
	time_t when = 0;

	if (at && !parse_time(at, &when))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"at: '%s' is no time; write 2030-01-31T07:00:00Z, or leave the Z out for "
			"the time of this host",
			at);
	if (at && when <= time(NULL))
		return pctl_error_set(err, PCTL_E_CONFIG, "at: '%s' is over already", at);
	if (pctl_argument_given(args, "every") && (!every || every % 60000))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"every: is in whole minutes: 90m, 24h; without it the alarm is once");
	if (at && !*pctl_argument_text(args, "add"))
		return pctl_error_set(err, PCTL_E_CONFIG, "add: an alarm has a name");
	return 0;
}

/* Whether an alarm is just what is asked for: then there is nothing to do. */
static bool is_the_same(struct amt_dev *dev, const struct pctl_value *alarm, time_t at)
{
	const char *is_at = pctl_value_text(pctl_value_get(alarm, "at"));
	const char *is_every = pctl_value_text(pctl_value_get(alarm, "every"));
	char when[TIME_SIZE], interval[INTERVAL_SIZE], words[CLASS_INTERVAL_SIZE];

	time_text(at, when);
	interval_text(dev, interval);
	class_interval(interval, words);
	return is_at && strcmp(is_at, when) == 0 && strcmp(is_every ? is_every : "", words) == 0;
}

/* What is to be removed has to be there, what is to be added not. */
static void change_alarms(struct amt_dev *dev)
{
	bool add = chain_given(dev, "add");
	const char *name = chain_text(dev, add ? "add" : "remove");
	const struct pctl_value *alarm = chain_find(dev, "alarms", "name", name);
	time_t at = 0;

	if (add)
		(void)parse_time(chain_text(dev, "at"), &at);
	if (add && alarm && is_the_same(dev, alarm, at))
		chain_end(dev);
	else if (add && alarm)
		amt_fail(dev, PCTL_E_REFUSED,
			"there is an alarm '%s' already, and it is another one: remove it first",
			name);
	else if (!add && !alarm)
		amt_fail(dev, PCTL_E_REFUSED, "there is no alarm '%s'", name);
	else if (add)
		add_alarm(dev, at);
	else
		remove_alarm(dev);
}

void alarms_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct amt_dev *dev = data;

	chain_begin(dev, op, args, ret);
	chain_read(dev, alarm_steps, chain_any(dev, alarms_parameters) ? change_alarms : chain_end);
}
