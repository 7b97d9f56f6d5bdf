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

#define TIME_SIZE sizeof("2030-01-01T00:00:00Z")

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
	uint64_t theirs = chain_number(answer, "Ta0", 0);
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
	pctl_value_set_int(w->ret, "skew", (int64_t)theirs - (int64_t)time(NULL));
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
	PCTL_PROPERTY(.name = "add", .type = PCTL_TYPE_TEXT,
		.help = "name of an alarm that turns the machine on"),
	PCTL_PROPERTY(.name = "at", .type = PCTL_TYPE_TEXT,
		.help = "when: 2030-01-31T07:00:00Z, with +01:00 or so in place of the Z; without "
			"either the time of this host"),
	PCTL_PROPERTY(.name = "every", .type = PCTL_TYPE_DURATION,
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
		/* What is no day the calendar makes another one of. */
		return tm.tm_mday == day;
	}
	return false;
}

static void add_alarm(struct amt_dev *dev, time_t at)
{
	const char *name = chain_text(dev, "add");
	uint64_t every = pctl_argument_duration(chain_work(dev)->args, "every") / 60000;
	struct wsman *w = amt_invoke(dev, &alarm_service, "AddAlarm", STATUS_PLAIN);
	char when[TIME_SIZE], interval[48];

	time_text(at, when);
	wsman_open(w, "AlarmTemplate", &class_alarm.class);
	wsman_text(w, "InstanceID", name);
	wsman_text(w, "ElementName", name);
	wsman_common(w, "StartTime", "Datetime", when);
	if (every) {
		(void)snprintf(interval, sizeof(interval), "P%lluDT%lluH%lluM",
			(unsigned long long)every / 1440, (unsigned long long)every / 60 % 24,
			(unsigned long long)every % 60);
		wsman_common(w, "Interval", "Interval", interval);
	}
	wsman_text(w, "DeleteOnCompletion", every ? "false" : "true");
	wsman_close(w, "AlarmTemplate");
	chain_send(dev, list_alarms);
}

static void remove_alarm(struct amt_dev *dev)
{
	const struct wsman_selector s[] = { { "InstanceID", chain_text(dev, "remove") },
		{ NULL, NULL } };

	(void)amt_request(dev,
		&(struct wsman_head){
			.verb = WSMAN_DELETE, .class = &class_alarm.class, .selectors = s },
		STATUS_PLAIN);
	chain_send(dev, list_alarms);
}

static int check_alarm(struct amt_dev *dev, time_t *ret, struct pctl_error *err)
{
	uint64_t every = pctl_argument_duration(chain_work(dev)->args, "every");
	const char *at = chain_text(dev, "at");

	if (chain_given(dev, "add") == chain_given(dev, "remove"))
		return pctl_error_set(
			err, PCTL_E_CONFIG, "add: or remove, one of them and not both");
	if (chain_given(dev, "remove"))
		return 0;
	if (!at)
		return pctl_error_set(err, PCTL_E_CONFIG, "at: is missing; say when the alarm is");
	if (!parse_time(at, ret))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"at: '%s' is no time; write 2030-01-31T07:00:00Z, or leave the Z out for "
			"the time of this host",
			at);
	if (*ret <= time(NULL))
		return pctl_error_set(err, PCTL_E_CONFIG, "at: '%s' is over already", at);
	if (every % 60000)
		return pctl_error_set(err, PCTL_E_CONFIG, "every: is in whole minutes: 90m, 24h");
	return 0;
}

/* What is to be removed has to be there, what is to be added not. */
static void change_alarms(struct amt_dev *dev)
{
	bool add = chain_given(dev, "add");
	const char *name = chain_text(dev, add ? "add" : "remove");
	bool there = chain_find(dev, "alarms", "name", name) != NULL;

	if (add && there)
		amt_fail(dev, PCTL_E_REFUSED, "there is an alarm '%s' already", name);
	else if (!add && !there)
		amt_fail(dev, PCTL_E_REFUSED, "there is no alarm '%s'", name);
	else if (add)
		add_alarm(dev, (time_t)chain_work(dev)->number);
	else
		remove_alarm(dev);
}

void alarms_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct amt_dev *dev = data;
	struct pctl_error err = { 0 };
	time_t when = 0;

	chain_begin(dev, op, args, ret);
	if (!chain_any(dev, alarms_parameters)) {
		list_alarms(dev);
	} else if (check_alarm(dev, &when, &err) < 0) {
		amt_end(dev, &err);
	} else {
		chain_work(dev)->number = (uint64_t)when;
		chain_read(dev, alarm_steps, change_alarms);
	}
}
