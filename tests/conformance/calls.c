/* SPDX-License-Identifier: Apache-2.0 */
/* The driver's functions as ops. */
#include "rig.h"

static bool has_power(const struct pctl_driver *d)
{
	return d->power;
}

static void power_get(struct run *run, const struct pctl_driver *d, void *dev)
{
	d->power->get(dev, &run->op, 0, &run->power);
}

static bool has_boot_get(const struct pctl_driver *d)
{
	return d->boot && d->boot->get;
}

static void boot_get(struct run *run, const struct pctl_driver *d, void *dev)
{
	d->boot->get(dev, &run->op, &run->boot);
}

static bool has_info(const struct pctl_driver *d)
{
	return d->inspect && d->inspect->info;
}

static void info(struct run *run, const struct pctl_driver *d, void *dev)
{
	d->inspect->info(dev, &run->op, run->tree);
}

static bool has_hardware(const struct pctl_driver *d)
{
	return d->inspect && d->inspect->hardware;
}

static void hardware(struct run *run, const struct pctl_driver *d, void *dev)
{
	d->inspect->hardware(dev, &run->op, run->tree);
}

static bool has_check(const struct pctl_driver *d)
{
	return d->inspect && d->inspect->check;
}

static void check(struct run *run, const struct pctl_driver *d, void *dev)
{
	d->inspect->check(dev, &run->op, run->tree);
}

static bool has_log(const struct pctl_driver *d)
{
	return d->log;
}

static void log_read(struct run *run, const struct pctl_driver *d, void *dev)
{
	d->log->read(dev, &run->op, NULL, run->tree);
}

static bool has_account(const struct pctl_driver *d)
{
	return d->account;
}

static void account_login(struct run *run, const struct pctl_driver *d, void *dev)
{
	d->account->login(dev, &run->op);
}

static bool has_sensors(const struct pctl_driver *d)
{
	return d->sensors;
}

static void sensors_read(struct run *run, const struct pctl_driver *d, void *dev)
{
	d->sensors->read(dev, &run->op, run->tree);
}

static bool has_consent(const struct pctl_driver *d)
{
	return d->consent;
}

static void consent_get(struct run *run, const struct pctl_driver *d, void *dev)
{
	d->consent->get(dev, &run->op, &run->consent);
}

const struct call rig_reads[] = {
	{ "power.get", has_power, power_get, false, NULL },
	{ "boot.get", has_boot_get, boot_get, false, NULL },
	{ "inspect.info", has_info, info, false, NULL },
	{ "inspect.hardware", has_hardware, hardware, false, NULL },
	{ "inspect.check", has_check, check, false, NULL },
	{ "log.read", has_log, log_read, false, NULL },
	{ "sensors.read", has_sensors, sensors_read, false, NULL },
	{ "consent.get", has_consent, consent_get, false, NULL },
	{ "account.login", has_account, account_login, false, NULL },
	{ NULL, NULL, NULL, false, NULL },
};

static void power_act(struct run *run, const struct pctl_driver *d, void *dev)
{
	d->power->act(dev, &run->op, run->action);
}

const struct call rig_act = { "power.act", has_power, power_act, true, NULL };

static bool has_boot(const struct pctl_driver *d)
{
	return d->boot;
}

static void boot_set(struct run *run, const struct pctl_driver *d, void *dev)
{
	d->boot->set(dev, &run->op, &run->boot);
}

const struct call rig_boot_set = { "boot.set", has_boot, boot_set, true, NULL };

static bool has_identify(const struct pctl_driver *d)
{
	return d->identify;
}

static void identify_set(struct run *run, const struct pctl_driver *d, void *dev)
{
	d->identify->set(dev, &run->op, run->identify_on);
}

const struct call rig_identify = { "identify.set", has_identify, identify_set, true, NULL };

static bool has_console(const struct pctl_driver *d)
{
	return d->console;
}

static void console_open(struct run *run, const struct pctl_driver *d, void *dev)
{
	d->console->open(dev, &run->op, PCTL_CONSOLE_STEAL, &run->session);
}

static void console_open_free(struct run *run, const struct pctl_driver *d, void *dev)
{
	d->console->open(dev, &run->op, 0, &run->session);
}

static const struct call console_free = { "console.open", has_console, console_open_free, false,
	NULL };

const struct call rig_console = { "console.open", has_console, console_open, false, &console_free };

static bool has_display(const struct pctl_driver *d)
{
	return d->display;
}

static void display_open(struct run *run, const struct pctl_driver *d, void *dev)
{
	run->wish.size = sizeof(run->wish);
	run->wish.flags = PCTL_DISPLAY_STEAL;
	d->display->open(dev, &run->op, &run->wish, &run->session);
}

const struct call rig_display = { "display.open", has_display, display_open, false, NULL };
