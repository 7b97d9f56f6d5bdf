/* SPDX-License-Identifier: Apache-2.0 */
/*
 * null: a machine that exists only in memory. The template to copy for a new driver, and the double
 * that tests use: it can be slow, fail and lie as its settings say.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <powerctl/driver.h>
#include <powerctl/mem.h>

#include "null.h"

static const char *const states[] = { "unknown", "off", "on", "sleep", "hibernate", NULL };
static const char *const failures[] = { "none", "unreachable", "auth", "timeout", "busy", "refused",
	"protocol", "trust", "lost", "hang", NULL };

/* In the order of failures[]; "lost" is an answer lost after the commit point. */
static const int failure_codes[] = { 0, PCTL_E_UNREACHABLE, PCTL_E_AUTH, PCTL_E_TIMEOUT,
	PCTL_E_BUSY, PCTL_E_REFUSED, PCTL_E_PROTOCOL, PCTL_E_TRUST, PCTL_E_UNREACHABLE, 0 };
enum { FAIL_NONE = 0, FAIL_LOST = 8, FAIL_HANG = 9 };

static const struct pctl_property properties[] = {
	PCTL_PROPERTY(.name = "state", .type = PCTL_TYPE_CHOICE, .choices = states,
		.default_text = "off", .help = "the power state it begins with"),
	PCTL_PROPERTY(.name = "latency", .type = PCTL_TYPE_DURATION, .default_text = "0",
		.help = "how long each answer takes"),
	PCTL_PROPERTY(.name = "transition", .type = PCTL_TYPE_DURATION, .default_text = "0",
		.help = "how long it reads as before after a power action"),
	PCTL_PROPERTY(.name = "fail", .type = PCTL_TYPE_CHOICE, .choices = failures,
		.default_text = "none", .help = "how every action fails"),
	PCTL_PROPERTY(.name = "fail_reads", .type = PCTL_TYPE_CHOICE, .choices = failures,
		.default_text = "none", .help = "how every read fails"),
	PCTL_PROPERTY(.name = "fail_times", .type = PCTL_TYPE_UINT, .default_text = "0",
		.help = "only the first so many fail; 0: all"),
	PCTL_PROPERTY(.name = "lie", .type = PCTL_TYPE_CHOICE, .choices = states,
		.help = "the state it always claims to be in"),
	PCTL_PROPERTY(.name = "no_cycle", .type = PCTL_TYPE_BOOL, .default_text = "false",
		.help = "takes no cycle, so that it has to be turned off and on"),
	PCTL_PROPERTY(.name = "unit", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_UNIT,
		.help = "which machine it is of those with one address"),
	PCTL_PROPERTY(.name = "certificate", .type = PCTL_TYPE_TEXT,
		.help = "what its endpoint is remembered by"),
	PCTL_PROPERTY(.name = "uuid", .type = PCTL_TYPE_TEXT,
		.help = "what the machine is remembered by"),
	PCTL_PROPERTY(.name = "state_file", .type = PCTL_TYPE_FILE,
		.help = "a file that keeps the state between commands"),
	PCTL_PROPERTY(.name = "console_prints", .type = PCTL_TYPE_TEXT,
		.help = "what its console prints when it is opened"),
	PCTL_PROPERTY(.name = "console_fault", .type = PCTL_TYPE_CHOICE,
		.choices = null_console_faults, .default_text = "none",
		.help = "lost, stolen: ends after a line was typed; flood: prints without end"),
	PCTL_PROPERTY(.name = "console_lock", .type = PCTL_TYPE_FILE,
		.help = "its console is in use by another session while this file is there"),
	PCTL_PROPERTY(.name = "events", .type = PCTL_TYPE_UINT, .max = 100000, .default_text = "3",
		.help = "how many events its log holds"),
	PCTL_PROPERTY(.name = "findings", .type = PCTL_TYPE_TEXTS,
		.help = "what `check` finds: a list of \"CLASS WHAT\", CLASS being fault, warning "
			"or info"),
	PCTL_PROPERTY(.name = "consent_code", .type = PCTL_TYPE_TEXT,
		.help = "boot devices need somebody's consent, and this is the code to read out"),
	PCTL_PROPERTY(.name = "found", .type = PCTL_TYPE_BOOL, .default_text = "false",
		.help = "discover finds such a machine at every address"),
	PCTL_PROPERTY(.name = "username", .type = PCTL_TYPE_TEXT, .help = "not used"),
	PCTL_PROPERTY(.name = "password", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_SECRET,
		.help = "not used, but read"),
	{ 0 },
};

static void load_state(struct null_dev *dev)
{
	const char *path = pctl_setting_text(dev->device, "state_file");
	char word[16] = "";
	FILE *f = path ? fopen(path, "re") : NULL;

	if (!f)
		return;
	if (fgets(word, sizeof(word), f)) {
		word[strcspn(word, "\n")] = '\0';
		for (int i = 0; states[i]; i++)
			if (strcmp(word, states[i]) == 0)
				dev->state = dev->before = (enum pctl_power_state)i;
	}
	(void)fclose(f);
}

static void save_state(const struct null_dev *dev)
{
	const char *path = pctl_setting_text(dev->device, "state_file");
	FILE *f = path ? fopen(path, "we") : NULL;

	if (!f)
		return;
	(void)fprintf(f, "%s\n", states[dev->state]);
	(void)fclose(f);
}

/* Whether this op is one that is to fail; ends it then, or leaves it hanging. */
static bool failed(struct null_dev *dev, struct pctl_op *op, const char *setting)
{
	int how = pctl_setting_choice(dev->device, setting);
	uint64_t times = pctl_setting_uint(dev->device, "fail_times");

	if (how == FAIL_NONE || (times && dev->failed >= times))
		return false;
	dev->failed++;
	if (how == FAIL_LOST)
		pctl_op_committed(op);
	if (how == FAIL_HANG)
		dev->op = op;
	else
		pctl_op_fail(op, failure_codes[how], "told to fail: %s", failures[how]);
	return true;
}

bool null_failed(void *data, struct pctl_op *op, const char *setting)
{
	return failed(data, op, setting);
}

void null_set_state(void *data, enum pctl_power_state state)
{
	struct null_dev *dev = data;

	dev->before = dev->state = state;
	save_state(dev);
}

void null_forget_boot(void *data)
{
	struct null_dev *dev = data;

	dev->boot.device = PCTL_BOOT_NONE;
	dev->boot.persistent = false;
}

static void on_timer(uv_timer_t *timer)
{
	struct null_dev *dev = pctl_container_of(timer, struct null_dev, timer);
	struct pctl_op *op = dev->op;

	dev->op = NULL;
	dev->finish(dev, op);
}

static void null_abort(struct pctl_op *op, void *work)
{
	struct null_dev *dev = work;

	(void)op;
	dev->op = NULL;
	(void)uv_timer_stop(&dev->timer);
}

void null_finish_later(struct null_dev *dev, struct pctl_op *op, null_finish_fn *finish)
{
	dev->op = op;
	dev->finish = finish;
	pctl_op_pending(op, null_abort, dev);
	(void)uv_timer_start(
		&dev->timer, on_timer, pctl_setting_duration(dev->device, "latency"), 0);
}

/* Whether it is another one than the remembered one; ends op then. */
static bool is_another(struct null_dev *dev, struct pctl_op *op)
{
	const char *certificate = pctl_setting_text(dev->device, "certificate");
	const char *uuid = pctl_setting_text(dev->device, "uuid");
	struct pctl_error err = { 0 };
	int r = certificate ? pctl_pin_check(dev->device, "tls", certificate, &err) : 0;

	if (r == 0 && uuid)
		r = pctl_pin_check(dev->device, "uuid", uuid, &err);
	if (r < 0)
		pctl_op_fail(op, r, "%s", err.text);
	return r < 0;
}

static void finish_get(struct null_dev *dev, struct pctl_op *op)
{
	uint64_t since = uv_now(pctl_device_loop(dev->device)) - dev->changed_at;

	if (is_another(dev, op) || failed(dev, op, "fail_reads"))
		return;
	dev->power->changing =
		dev->changed_at && since < pctl_setting_duration(dev->device, "transition");
	dev->power->state = dev->power->changing ? dev->before : dev->state;
	if (pctl_setting_given(dev->device, "lie"))
		dev->power->state = (enum pctl_power_state)pctl_setting_choice(dev->device, "lie");
	(void)snprintf(dev->power->device_code, sizeof(dev->power->device_code), "%d",
		(int)dev->power->state);
	pctl_op_done(op);
}

static void null_get(void *data, struct pctl_op *op, unsigned flags, struct pctl_power *ret)
{
	struct null_dev *dev = data;

	(void)flags;
	load_state(dev);
	dev->power = ret;
	null_finish_later(dev, op, finish_get);
}

static enum pctl_power_state after(enum pctl_action action, enum pctl_power_state now)
{
	switch (action) {
	case PCTL_ACTION_OFF:
	case PCTL_ACTION_SOFT_OFF:
		return PCTL_POWER_OFF;
	case PCTL_ACTION_SLEEP:
		return PCTL_POWER_SLEEP;
	case PCTL_ACTION_NMI:
		return now;
	default:
		return PCTL_POWER_ON;
	}
}

static void finish_act(struct null_dev *dev, struct pctl_op *op)
{
	if (dev->action == PCTL_ACTION_CYCLE && pctl_setting_bool(dev->device, "no_cycle")) {
		pctl_op_fail(op, PCTL_E_UNSUPPORTED, "it cannot cycle");
		return;
	}
	if (failed(dev, op, "fail"))
		return;
	pctl_op_committed(op);
	dev->before = dev->state;
	dev->state = after(dev->action, dev->state);
	dev->changed_at = uv_now(pctl_device_loop(dev->device));
	if (dev->action != PCTL_ACTION_NMI && !dev->boot.persistent)
		dev->boot.device = PCTL_BOOT_NONE;
	save_state(dev);
	pctl_op_done(op);
}

static void null_act(void *data, struct pctl_op *op, enum pctl_action action)
{
	struct null_dev *dev = data;

	dev->action = action;
	null_finish_later(dev, op, finish_act);
}

static void null_boot_set(void *data, struct pctl_op *op, const struct pctl_boot *boot)
{
	struct null_dev *dev = data;

	if (null_lacks_consent(dev, op))
		return;
	dev->boot.device = boot->device;
	dev->boot.mode = boot->mode;
	dev->boot.persistent = boot->persistent;
	pctl_op_done(op);
}

static void null_boot_get(void *data, struct pctl_op *op, struct pctl_boot *ret)
{
	const struct null_dev *dev = data;

	ret->device = dev->boot.device;
	ret->persistent = dev->boot.persistent;
	ret->mode = dev->boot.mode;
	pctl_op_done(op);
}

static void null_info(void *data, struct pctl_op *op, struct pctl_value *ret)
{
	const struct null_dev *dev = data;

	pctl_value_set_text(ret, "product", "null");
	pctl_value_set_text(ret, "hostname", pctl_device_name(dev->device));
	pctl_op_done(op);
}

static void null_identify(void *data, struct pctl_op *op, bool on)
{
	(void)data, (void)on;
	pctl_op_done(op);
}

static int null_open(void *ctx, struct pctl_device *device, void **ret_dev, struct pctl_error *err)
{
	struct null_dev *dev = pctl_xcalloc(1, sizeof(*dev));

	(void)ctx, (void)err;
	dev->device = device;
	dev->state = dev->before = (enum pctl_power_state)pctl_setting_choice(device, "state");
	(void)uv_timer_init(pctl_device_loop(device), &dev->timer);
	*ret_dev = dev;
	return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct null_dev *dev = pctl_container_of((uv_timer_t *)handle, struct null_dev, timer);
	pctl_closed_fn *closed = dev->closed;
	void *data = dev->closed_data;

	free(dev);
	closed(data);
}

static void null_close(void *data, pctl_closed_fn *closed, void *closed_data)
{
	struct null_dev *dev = data;

	dev->closed = closed;
	dev->closed_data = closed_data;
	uv_close((uv_handle_t *)&dev->timer, on_timer_closed);
}

static const struct pctl_power_if power = {
	.size = sizeof(power),
	.actions = PCTL_ACTION_BIT(PCTL_ACTION_ON) | PCTL_ACTION_BIT(PCTL_ACTION_OFF) |
		   PCTL_ACTION_BIT(PCTL_ACTION_SOFT_OFF) | PCTL_ACTION_BIT(PCTL_ACTION_CYCLE) |
		   PCTL_ACTION_BIT(PCTL_ACTION_RESET) | PCTL_ACTION_BIT(PCTL_ACTION_SOFT_RESET) |
		   PCTL_ACTION_BIT(PCTL_ACTION_SLEEP) | PCTL_ACTION_BIT(PCTL_ACTION_NMI),
	.get = null_get,
	.act = null_act,
};

static const struct pctl_boot_if boot = {
	.size = sizeof(boot),
	.once = PCTL_BOOT_BIT(PCTL_BOOT_COUNT) - 1,
	.persistent = PCTL_BOOT_BIT(PCTL_BOOT_NONE) | PCTL_BOOT_BIT(PCTL_BOOT_PXE) |
		      PCTL_BOOT_BIT(PCTL_BOOT_DISK),
	.set = null_boot_set,
	.get = null_boot_get,
};

static const struct pctl_inspect_if inspect = {
	.size = sizeof(inspect), .info = null_info, .check = null_check,
	/* no .hardware: the core answers "unsupported" */
};

static const struct pctl_identify_if identify = {
	.size = sizeof(identify),
	.set = null_identify,
};

PCTL_API const struct pctl_driver pctl_driver = {
	.size = sizeof(pctl_driver),
	.abi = PCTL_DRIVER_ABI,
	.name = "null",
	.summary = "a machine that exists only in memory, for tests and as a template",
	.maturity = PCTL_STABLE,
	.properties = properties,
	.open = null_open,
	.close = null_close,
	.power = &power,
	.boot = &boot,
	.inspect = &inspect,
	.identify = &identify,
	.console = &null_console,
	.log = &null_log,
	.sensors = &null_sensors,
	.consent = &null_consent,
	.media = &null_media,
	.methods = null_methods,
	.max_in_flight = 2,
	.display = &null_display,
	.account = &null_account,
	.discover = &null_discover,
};
