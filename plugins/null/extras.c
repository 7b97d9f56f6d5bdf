/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What not every driver has: a log, sensors, and methods of the driver's own. A driver that has
 * none of them leaves this file out.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <powerctl/buf.h>
#include <powerctl/driver.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "null.h"

#define TEXT_MAX 4096u

/* --- log. ------------------------------------------------------------------------------------- */

/* The log repeats these, a minute after another. */
static const struct {
	const char *sensor, *sensor_type, *event, *severity;
	bool asserted;
} events[] = {
	{ "Fan 1", "fan", "below its lower limit", "critical", true },
	{ "Fan 1", "fan", "below its lower limit", "ok", false },
	{ NULL, "system_event", "log emptied", "info", true },
};
#define EVENTS (sizeof(events) / sizeof(events[0]))

static struct pctl_value *new_event(uint64_t id)
{
	struct pctl_value *map = pctl_value_new_map();
	size_t i = (size_t)((id - 1) % EVENTS);
	char text[64];

	(void)snprintf(text, sizeof(text), "%" PRIu64, id);
	pctl_value_set_text(map, "id", text);
	(void)snprintf(text, sizeof(text), "2026-11-20T%02u:%02u:05Z", (unsigned)(id / 60 % 24),
		(unsigned)(id % 60));
	pctl_value_set_text(map, "time", text);
	pctl_value_set_text(map, "severity", events[i].severity);
	pctl_value_set_text(map, "sensor", events[i].sensor);
	pctl_value_set_text(map, "sensor_type", events[i].sensor_type);
	pctl_value_set_text(map, "event", events[i].event);
	pctl_value_set_bool(map, "asserted", events[i].asserted);
	return map;
}

static void read_log(void *data, struct pctl_op *op, const char *after, struct pctl_value *ret)
{
	uint64_t n = pctl_setting_uint(((const struct null_dev *)data)->device, "events"), seen = 0;
	struct pctl_value *list = pctl_value_new_list();
	char cursor[32];

	pctl_value_set(ret, "events", list);
	if (null_failed(data, op, "fail_reads"))
		return;
	/* An event that is gone: all are new. */
	if (after && (pctl_parse_uint(after, UINT64_MAX, &seen) < 0 || seen > n))
		seen = 0;
	for (uint64_t id = seen + 1; id <= n; id++)
		pctl_value_add(list, new_event(id));
	(void)snprintf(cursor, sizeof(cursor), "%" PRIu64, n);
	pctl_value_set_text(ret, "cursor", n ? cursor : NULL);
	pctl_op_done(op);
}

/* Anything that may get lost on the way commits first. */
static void clear_log(void *data, struct pctl_op *op)
{
	if (null_failed(data, op, "fail"))
		return;
	pctl_op_committed(op);
	pctl_op_done(op);
}

const struct pctl_log_if null_log = {
	.size = sizeof(null_log),
	.read = read_log,
	.clear = clear_log,
};

/* --- sensors. --------------------------------------------------------------------------------- */

static struct pctl_value *new_sensor(
	const char *name, const char *type, const char *value, const char *unit, const char *state)
{
	struct pctl_value *map = pctl_value_new_map();

	pctl_value_set_text(map, "name", name);
	pctl_value_set_text(map, "type", type);
	pctl_value_set_text(map, "value", value);
	pctl_value_set_text(map, "unit", unit);
	pctl_value_set_text(map, "state", state);
	return map;
}

static void read_sensors(void *data, struct pctl_op *op, struct pctl_value *ret)
{
	struct pctl_value *list = pctl_value_new_list(), *limits = pctl_value_new_map();
	struct pctl_value *words = pctl_value_new_list();

	pctl_value_set(ret, "sensors", list);
	if (null_failed(data, op, "fail_reads")) {
		pctl_value_free(limits);
		pctl_value_free(words);
		return;
	}
	struct pctl_value *cpu = new_sensor("CPU", "temperature", "45.5", "C", "ok");
	pctl_value_set_text(limits, "upper_warning", "85");
	pctl_value_set_text(limits, "upper_critical", "95");
	pctl_value_set(cpu, "thresholds", limits);
	pctl_value_add(list, cpu);
	struct pctl_value *fan = new_sensor("Fan 1", "fan", "0", "rpm", "critical");
	pctl_value_add(words, pctl_value_new_text("below its lower limit"));
	pctl_value_set(fan, "events", words);
	pctl_value_add(list, fan);
	pctl_op_done(op);
}

const struct pctl_sensors_if null_sensors = {
	.size = sizeof(null_sensors),
	.read = read_sensors,
};

/* --- Methods. --------------------------------------------------------------------------------- */

static const char *const cases[] = { "keep", "upper", "lower", NULL };
enum { CASE_KEEP, CASE_UPPER, CASE_LOWER };

static const struct pctl_property echo_parameters[] = {
	PCTL_PROPERTY(.name = "text", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_REQUIRED,
		.help = "what to say"),
	PCTL_PROPERTY(.name = "times", .type = PCTL_TYPE_UINT, .max = 9, .default_text = "1",
		.help = "how often"),
	PCTL_PROPERTY(.name = "case", .type = PCTL_TYPE_CHOICE, .choices = cases,
		.default_text = "keep", .help = "how letters come back"),
	{ 0 },
};

static char in_case(char c, int how)
{
	if (how == CASE_UPPER && c >= 'a' && c <= 'z')
		return (char)(c - 'a' + 'A');
	if (how == CASE_LOWER && c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c;
}

static void echo(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct pctl_buf said;

	if (null_failed(data, op, "fail_reads"))
		return;
	pctl_buf_init(&said, TEXT_MAX);
	for (uint64_t i = 0; i < pctl_argument_uint(args, "times"); i++) {
		pctl_buf_adds(&said, i ? " " : "");
		for (const char *s = pctl_argument_text(args, "text"); *s; s++) {
			char c = in_case(*s, pctl_argument_choice(args, "case"));
			pctl_buf_add(&said, &c, 1);
		}
	}
	pctl_value_set_text(ret, "said", said.data);
	pctl_buf_done(&said);
	pctl_op_done(op);
}

/* What it changes it does as if over a network: fails, or commits and is done. */
static void trip(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	(void)args, (void)ret;
	if (null_failed(data, op, "fail"))
		return;
	pctl_op_committed(op);
	null_set_state(data, PCTL_POWER_OFF);
	pctl_op_done(op);
}

static void forget(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	(void)args, (void)ret;
	if (null_failed(data, op, "fail"))
		return;
	pctl_op_committed(op);
	null_forget_boot(data);
	pctl_op_done(op);
}

#define METHOD(...)                                             \
	{                                                       \
		.size = sizeof(struct pctl_method), __VA_ARGS__ \
	}

const struct pctl_method null_methods[] = {
	METHOD(.name = "echo", .help = "say a text back", .parameters = echo_parameters,
		.run = echo),
	METHOD(.name = "trip", .help = "take the power away as a breaker would",
		.flags = PCTL_METHOD_CHANGES | PCTL_METHOD_DISRUPTS, .run = trip),
	METHOD(.name = "forget-boot", .help = "forget the boot device that is set",
		.flags = PCTL_METHOD_CHANGES | PCTL_METHOD_REPEATABLE | PCTL_METHOD_CONFIRM,
		.run = forget),
	{ 0 },
};

/* --- Its account: any password is right, whatever it is set to. --------------------------------
 */

static void login(void *data, struct pctl_op *op)
{
	if (!null_failed(data, op, "fail_reads"))
		pctl_op_done(op);
}

static void set_password(void *data, struct pctl_op *op, const struct pctl_secret *password)
{
	(void)password;
	if (null_failed(data, op, "fail"))
		return;
	pctl_op_committed(op);
	pctl_op_done(op);
}

const struct pctl_account_if null_account = {
	.size = sizeof(null_account),
	.min = 1,
	.setting = "password",
	.login = login,
	.set_password = set_password,
};
