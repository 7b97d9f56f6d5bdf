/* SPDX-License-Identifier: Apache-2.0 */
/* A driver that is odd in one way, chosen at compile time by ODD_...: what the loader has to cope
 * with. */
#include <stdlib.h>

#include <powerctl/driver.h>

#ifndef ODD_NAME
#define ODD_NAME "odd"
#endif
#ifndef ODD_ABI
#define ODD_ABI PCTL_DRIVER_ABI
#endif
#ifndef ODD_SIZE
#define ODD_SIZE sizeof(struct pctl_driver)
#endif

#ifndef ODD_METHOD
#define ODD_METHOD "one"
#endif
#ifndef ODD_METHOD_SIZE
#define ODD_METHOD_SIZE sizeof(struct pctl_method)
#endif
#ifndef ODD_RUN
#define ODD_RUN odd_run
#endif
#ifndef ODD_HELP
#define ODD_HELP "helps"
#endif
#ifndef ODD_PARAMETER
#define ODD_PARAMETER "a_b"
#endif
#ifndef ODD_TYPE
#define ODD_TYPE PCTL_TYPE_TEXT
#endif
#ifndef ODD_FLAGS
#define ODD_FLAGS 0
#endif

#ifndef ODD_CHOICES
#define ODD_CHOICES
#endif
#ifndef ODD_PROPERTY_TYPE
#define ODD_PROPERTY_TYPE PCTL_TYPE_TEXT
#endif
#ifndef ODD_DEFAULT
#define ODD_DEFAULT NULL
#endif
#ifndef ODD_PROPERTY_FLAGS
#define ODD_PROPERTY_FLAGS 0
#endif
#define EIGHT  "1", "2", "3", "4", "5", "6", "7", "8",
#define EIGHTY EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT

#ifndef ODD_NO_SYMBOL
static int odd_open(void *ctx, struct pctl_device *device, void **ret_dev, struct pctl_error *err)
{
	(void)ctx, (void)device, (void)err;
	*ret_dev = NULL;
	return 0;
}

static void odd_close(void *dev, pctl_closed_fn *closed, void *data)
{
	(void)dev;
	closed(data);
}

static void odd_get(void *dev, struct pctl_op *op, unsigned flags, struct pctl_power *ret)
{
	(void)dev, (void)flags;
	ret->state = PCTL_POWER_ON;
	pctl_op_done(op);
}

#ifndef ODD_NO_ACT
static void odd_act(void *dev, struct pctl_op *op, enum pctl_action action)
{
	(void)dev, (void)action;
	pctl_op_done(op);
}
#else
#define odd_act NULL
#endif

static const struct pctl_power_if power = {
	.size = sizeof(power),
	.actions = PCTL_ACTION_BIT(PCTL_ACTION_ON),
	.get = odd_get,
	.act = odd_act,
};

#ifdef ODD_SOURCES
static void odd_read(void *dev, struct pctl_op *op, const char *after, struct pctl_value *ret)
{
	(void)dev, (void)after, (void)ret;
	pctl_op_done(op);
}

static void odd_clear(void *dev, struct pctl_op *op)
{
	(void)dev;
	pctl_op_done(op);
}

static const char *const sources[] = { ODD_SOURCES NULL };
static const struct pctl_log_if log_if = { .size = sizeof(log_if),
	.read = odd_read,
	.clear = odd_clear,
	.sources = sources + ODD_SOURCES_FROM };
#define ODD_LOG_IF &log_if
#elif defined(ODD_LOG)
static const struct pctl_log_if log_if = { .size = sizeof(log_if) };
#define ODD_LOG_IF &log_if
#else
#define ODD_LOG_IF NULL
#endif
#ifdef ODD_SENSORS
static const struct pctl_sensors_if sensors_if = { .size = sizeof(sensors_if) };
#define ODD_SENSORS_IF &sensors_if
#else
#define ODD_SENSORS_IF NULL
#endif

#ifdef ODD_DIGITS
#ifndef ODD_TRIES
#define ODD_TRIES 3
#endif
static void odd_ask(void *dev, struct pctl_op *op, struct pctl_consent *ret)
{
	(void)dev, (void)ret;
	pctl_op_done(op);
}

static void odd_submit(void *dev, struct pctl_op *op, const char *code)
{
	(void)dev, (void)code;
	pctl_op_done(op);
}

static void odd_cancel(void *dev, struct pctl_op *op)
{
	(void)dev;
	pctl_op_done(op);
}

static const struct pctl_consent_if consent_if = { .size = sizeof(consent_if),
	.digits = ODD_DIGITS,
	.tries = ODD_TRIES,
	.get = odd_ask,
	.request = odd_ask,
	.submit = odd_submit,
	.cancel = odd_cancel };
#define ODD_CONSENT_IF &consent_if
#elif defined(ODD_CONSENT)
static const struct pctl_consent_if consent_if = { .size = sizeof(consent_if) };
#define ODD_CONSENT_IF &consent_if
#else
#define ODD_CONSENT_IF NULL
#endif

static void __attribute__((unused))
odd_run(void *dev, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	(void)dev, (void)args, (void)ret;
	pctl_op_done(op);
}

static const struct pctl_property parameters[] = {
	PCTL_PROPERTY(.name = ODD_PARAMETER, .type = ODD_TYPE, .flags = ODD_FLAGS),
#ifdef ODD_WORD_BEHIND
	PCTL_PROPERTY(.name = "behind", .type = PCTL_TYPE_TEXT,
		.flags = PCTL_PROPERTY_WORD | PCTL_PROPERTY_REQUIRED),
#endif
	{ 0 },
};

#ifdef ODD_PROPERTY
static const char *const choices[] = { ODD_CHOICES NULL };
static const struct pctl_property properties[] = {
	PCTL_PROPERTY(.name = ODD_PROPERTY, .type = ODD_PROPERTY_TYPE, .choices = choices,
		.default_text = ODD_DEFAULT, .flags = ODD_PROPERTY_FLAGS),
#ifdef ODD_SECOND_FLAGS
	PCTL_PROPERTY(.name = "b", .flags = ODD_SECOND_FLAGS),
#endif
#ifdef ODD_TWO_UNITS
	PCTL_PROPERTY(.name = "b", .flags = PCTL_PROPERTY_UNIT),
#endif
	{ 0 },
};
#define ODD_PROPERTIES properties
#else
#define ODD_PROPERTIES NULL
#endif

#ifdef ODD_WIDE
static const struct wide {
	struct pctl_method method;
	uint64_t more;
} methods[] = {
	{ { .size = sizeof(struct wide),
		  .name = "one",
		  .help = "helps",
		  .parameters = parameters,
		  .flags = PCTL_METHOD_CONFIRM,
		  .run = odd_run },
		1 },
	{ { .size = sizeof(struct wide), .name = "two", .help = "helps", .run = odd_run }, 2 },
	{ { .size = sizeof(struct wide) }, 3 },
};
#define ODD_METHODS &methods[0].method
#else
static const struct pctl_method methods[] = {
	{ .size = ODD_METHOD_SIZE,
		.name = ODD_METHOD,
		.help = ODD_HELP,
		.parameters = parameters,
		.run = ODD_RUN },
	{ .size = sizeof(struct pctl_method), .name = "other", .help = "helps", .run = odd_run },
	{ 0 },
};
#define ODD_METHODS methods
#endif

#ifdef ODD_DESCRIBE
static int odd_describe(
	const struct pctl_selector *selector, struct pctl_description **ret, struct pctl_error *err)
{
	(void)ret;
	return pctl_error_set(err, PCTL_E_CONFIG, "%s is odd", pctl_selector_value(selector));
}

__attribute__((unused)) static void odd_undescribe(struct pctl_description *description)
{
	(void)description;
}
#endif

PCTL_API const struct pctl_driver pctl_driver = {
	.size = ODD_SIZE,
	.abi = ODD_ABI,
	.name = ODD_NAME,
	.summary = "odd on purpose",
	.open = odd_open,
	.close = odd_close,
	.properties = ODD_PROPERTIES,
	.power = &power,
	.default_port = 0xdead,
	.log = ODD_LOG_IF,
	.sensors = ODD_SENSORS_IF,
	.methods = ODD_METHODS,
	.flags = PCTL_DRIVER_REPEATS,
	.max_in_flight = 9,
#ifdef ODD_DESCRIBE
	.describe = odd_describe,
	.undescribe = ODD_DESCRIBE,
#endif
	.consent = ODD_CONSENT_IF,
};
#else
PCTL_API extern const int something_else;
const int something_else = 1;
#endif
