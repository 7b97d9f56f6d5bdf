/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What not every driver has: a log, sensors, findings, methods of the driver's own, an account, a
 * way to be found. A driver that has none of them leaves this file out.
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

/* --- check. ----------------------------------------------------------------------------------- */

/* "warning its fan is loud": its class by its first word, and a fault if that is none. */
static void add_finding(struct pctl_value *ret, const char *text)
{
	size_t len = strcspn(text, " ");
	PCTL_AUTO(free) char *class = pctl_xstrndup(text, len);

	(void)pctl_finding_add(ret, pctl_finding_class_of(class), "told",
		"`powerctl set findings= NODE` forgets it", "%s",
		text[len] ? text + len + 1 : text);
}

void null_check(void *data, struct pctl_op *op, struct pctl_value *ret)
{
	const struct pctl_device *device = ((const struct null_dev *)data)->device;

	for (size_t i = 0; i < pctl_setting_texts(device, "findings"); i++)
		add_finding(ret, pctl_setting_texts_at(device, "findings", i));
	pctl_op_done(op);
}

/* --- Consent. --------------------------------------------------------------------------------- */

/*
 * Kept as a fact, by its word, so that one command can ask for the code and the next one give it;
 * a driver whose device knows this itself keeps nothing.
 */
#define CONSENT "consent"

static enum pctl_consent_state consent_of(const struct null_dev *dev)
{
	const char *fact = pctl_fact_get(dev->device, CONSENT);
	int i = PCTL_CONSENT_IN_SESSION;

	while (i > 0 && (!fact || strcmp(fact, pctl_consent_state_name(i)) != 0))
		i--;
	return (enum pctl_consent_state)i;
}

static void set_consent(const struct null_dev *dev, enum pctl_consent_state state)
{
	pctl_fact_put(dev->device, CONSENT, pctl_consent_state_name(state));
}

bool null_lacks_consent(struct null_dev *dev, struct pctl_op *op)
{
	if (!pctl_setting_given(dev->device, "consent_code") ||
		consent_of(dev) >= PCTL_CONSENT_RECEIVED)
		return false;
	pctl_op_fail(op, PCTL_E_CONSENT, "boot devices need somebody's consent on this machine");
	return true;
}

static void consent_get(void *data, struct pctl_op *op, struct pctl_consent *ret)
{
	const struct null_dev *dev = data;
	bool needed = pctl_setting_given(dev->device, "consent_code");

	ret->required = needed ? PCTL_CONSENT_ALL : PCTL_CONSENT_NONE;
	ret->state = consent_of(dev);
	pctl_op_done(op);
}

static void consent_request(void *data, struct pctl_op *op, struct pctl_consent *ret)
{
	struct null_dev *dev = data;

	if (!pctl_setting_given(dev->device, "consent_code")) {
		pctl_op_fail(op, PCTL_E_STATE, "this machine needs nobody's consent");
		return;
	}
	if (consent_of(dev) < PCTL_CONSENT_RECEIVED) {
		set_consent(dev, PCTL_CONSENT_DISPLAYED);
		dev->wrong_codes = 0;
	}
	ret->turned_on = dev->state != PCTL_POWER_ON;
	if (ret->turned_on)
		null_set_state(dev, PCTL_POWER_ON);
	consent_get(dev, op, ret);
}

/* A device counts wrong codes: what gives it one commits. */
static void consent_submit(void *data, struct pctl_op *op, const char *code)
{
	struct null_dev *dev = data;
	const char *right = pctl_setting_text(dev->device, "consent_code");

	if (null_failed(dev, op, "fail"))
		return;
	pctl_op_committed(op);
	if (consent_of(dev) != PCTL_CONSENT_DISPLAYED) {
		pctl_op_fail(op, PCTL_E_STATE, "it shows no code");
	} else if (right && strcmp(code, right) == 0) {
		set_consent(dev, PCTL_CONSENT_RECEIVED);
		pctl_op_done(op);
	} else if (++dev->wrong_codes < null_consent.tries) {
		pctl_op_fail(op, PCTL_E_CONSENT, "the code is not the one that it shows");
	} else {
		set_consent(dev, PCTL_CONSENT_IDLE);
		pctl_op_fail(op, PCTL_E_FORBIDDEN, "the code was wrong for the last time");
	}
}

static void consent_cancel(void *data, struct pctl_op *op)
{
	set_consent(data, PCTL_CONSENT_IDLE);
	pctl_op_done(op);
}

const struct pctl_consent_if null_consent = {
	.size = sizeof(null_consent),
	.digits = 6,
	.tries = 3,
	.get = consent_get,
	.request = consent_request,
	.submit = consent_submit,
	.cancel = consent_cancel,
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

/* --- How it is found: nowhere, unless a setting says otherwise. ------------------------------- */

static void find(void *ctx, struct pctl_device *device, struct pctl_op *op, struct pctl_value *ret)
{
	(void)ctx;
	if (!pctl_setting_bool(device, "found")) {
		pctl_op_fail(op, PCTL_E_UNREACHABLE, "nothing is there");
		return;
	}
	pctl_value_set_text(ret, "product", "Null");
	pctl_op_done(op);
}

const struct pctl_discover_if null_discover = {
	.size = sizeof(null_discover),
	.limit_ms = 100,
	.rank = 1,
	.find = find,
};
