/* SPDX-License-Identifier: Apache-2.0 */
/* bootdev: what the next start boots from. Held by the core where the device takes it only later.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "engine/task.h"

#define HELD_FOR_S ((uint64_t)24 * 3600)

/* --- Held intents. ---------------------------------------------------------------------------- */

void pctl_intent_hold(struct pctl_core *core, const char *key, const struct pctl_boot *boot)
{
	PCTL_AUTO(free) char *until = pctl_xasprintf("%" PRIu64, (uint64_t)time(NULL) + HELD_FOR_S);

	pctl_store_refresh(core->intents);
	pctl_store_put(core->intents, key, "device", pctl_boot_device_name(boot->device));
	pctl_store_put(core->intents, key, "mode", pctl_boot_mode_name(boot->mode));
	pctl_store_put(core->intents, key, "url", boot->url);
	pctl_store_put(
		core->intents, key, "unchecked", boot->flags & PCTL_BOOT_UNCHECKED ? "yes" : NULL);
	pctl_store_put(core->intents, key, "until", until);
}

static bool holds(struct pctl_core *core, const char *key)
{
	const char *until = pctl_store_get(core->intents, key, "until");
	uint64_t t;

	return until && pctl_parse_uint(until, UINT64_MAX, &t) == 0 && t > (uint64_t)time(NULL);
}

bool pctl_intent_get(struct pctl_core *core, const char *key, struct pctl_boot *ret, char **ret_url)
{
	pctl_store_refresh(core->intents);
	if (!holds(core, key))
		return false;

	const char *device = pctl_store_get(core->intents, key, "device");
	const char *mode = pctl_store_get(core->intents, key, "mode");
	const char *url = pctl_store_get(core->intents, key, "url");
	int i = device ? pctl_boot_device_from_name(device) : -1;
	if (i < 0)
		return false;

	*ret = (struct pctl_boot){ .size = sizeof(*ret), .device = (enum pctl_boot_device)i };
	for (int m = 0; mode && pctl_boot_mode_name((enum pctl_boot_mode)m); m++)
		if (strcmp(mode, pctl_boot_mode_name((enum pctl_boot_mode)m)) == 0)
			ret->mode = (enum pctl_boot_mode)m;
	if (pctl_store_get(core->intents, key, "unchecked"))
		ret->flags = PCTL_BOOT_UNCHECKED;
	free(*ret_url);
	*ret_url = url ? pctl_xstrdup(url) : NULL;
	ret->url = *ret_url;
	return true;
}

void pctl_intent_drop(struct pctl_core *core, const char *key)
{
	static const char *const fields[] = { "device", "mode", "url", "unchecked", "until" };

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		pctl_store_put(core->intents, key, fields[i], NULL);
	(void)pctl_store_append(core->intents, NULL);
}

/* --- bootdev. --------------------------------------------------------------------------------- */

bool pctl_task_can_boot(struct pctl_task *t)
{
	const struct pctl_driver *d = t->target->loaded->driver;
	const struct pctl_boot *boot = &t->request->boot;
	const char *word = pctl_boot_device_name(boot->device);

	if (!d->boot) {
		pctl_task_end_fail(
			t, PCTL_E_UNSUPPORTED, "driver %s cannot set the boot device", d->name);
		return false;
	}
	/* Redirected drives are none of the machine's own, which the masks are about. */
	bool media = boot->flags & PCTL_BOOT_WITH_MEDIA && d->boot->flags & PCTL_BOOT_TAKES_MEDIA;
	uint32_t can = boot->persistent ? t->target->boot_persistent : t->target->boot_once;
	if (!media && !(can & PCTL_BOOT_BIT(boot->device))) {
		pctl_task_end_fail(t, PCTL_E_UNSUPPORTED, "driver %s cannot boot from '%s'%s%s",
			d->name, word, boot->persistent ? " persistently" : "",
			pctl_target_with(t->target));
		return false;
	}
	if (boot->flags & PCTL_BOOT_WITH_CONSOLE && !(d->boot->flags & PCTL_BOOT_TAKES_CONSOLE)) {
		pctl_task_end_fail(t, PCTL_E_UNSUPPORTED,
			"driver %s cannot show the BIOS on the console", d->name);
		return false;
	}
	return true;
}

static void start_set(struct pctl_task *t, const struct pctl_driver *d, void *dev)
{
	d->boot->set(dev, &t->op, &t->boot);
}

static const char *device_word(const struct pctl_task *t)
{
	return pctl_boot_device_name(t->boot.device);
}

/* Five requests make a boot override on some devices: they get the time of two reads. */
const struct pctl_call pctl_call_boot_set = {
	.name = "boot.set",
	.start = start_set,
	.argument = device_word,
	.limit_offset = offsetof(struct pctl_target, read_ms),
	.times = 2,
	.sent_offset = offsetof(struct pctl_task, armed),
	.flags = PCTL_CALL_REPEATABLE | PCTL_CALL_MANY,
};

static void start_get(struct pctl_task *t, const struct pctl_driver *d, void *dev)
{
	t->boot = (struct pctl_boot){ .size = sizeof(t->boot) };
	d->boot->get(dev, &t->op, &t->boot);
}

static const struct pctl_call boot_get = {
	.name = "boot.get",
	.start = start_get,
	.limit_offset = offsetof(struct pctl_target, read_ms),
	.times = 1,
};

static void on_set(struct pctl_task *t)
{
	pctl_intent_drop(t->target->core, t->target->machine);
	pctl_task_end_ok(t, "ok");
}

static void hold(struct pctl_task *t)
{
	struct pctl_error err = { 0 };

	pctl_intent_hold(t->target->core, t->target->machine, &t->request->boot);
	if (pctl_store_append(t->target->core->intents, &err) < 0) {
		pctl_task_end_error(t, &err);
		return;
	}
	pctl_task_note(t,
		"held for the next on, reboot or reset by powerctl within 24 h: the device "
		"takes it only together with one");
	t->result.changed = true;
	pctl_task_end_ok(t, "ok");
}

void pctl_verb_bootdev(struct pctl_task *t)
{
	const struct pctl_boot_if *boot = t->target->loaded->driver->boot;

	if (!pctl_task_can_boot(t))
		return;
	t->boot = t->request->boot;
	t->boot.size = sizeof(t->boot);
	if (t->request->dry_run) {
		pctl_task_note(t, "would set the boot device to '%s'",
			pctl_boot_device_name(t->boot.device));
		pctl_task_end_ok(t, "ok");
	} else if ((boot->flags & PCTL_BOOT_APPLY_AT_POWER_ACTION) &&
		   t->boot.device != PCTL_BOOT_NONE) {
		hold(t);
	} else {
		pctl_step_try(t, &pctl_call_boot_set, on_set);
	}
}

static void show(struct pctl_task *t, bool held)
{
	t->tree = pctl_value_new_map();
	pctl_value_set_text(t->tree, "device", pctl_boot_device_name(t->boot.device));
	pctl_value_set_text(t->tree, "mode", pctl_boot_mode_name(t->boot.mode));
	pctl_value_set_bool(t->tree, "persistent", t->boot.persistent);
	pctl_value_set_bool(t->tree, "held", held);
	pctl_value_set_text(t->tree, "url", t->boot.url);
	pctl_task_end_ok(t, "ok");
}

static void on_shown(struct pctl_task *t)
{
	show(t, false);
}

void pctl_verb_bootdev_show(struct pctl_task *t)
{
	const struct pctl_boot_if *boot = t->target->loaded->driver->boot;

	if (pctl_intent_get(t->target->core, t->target->machine, &t->boot, &t->boot_url))
		show(t, true);
	else if (boot && boot->get)
		pctl_step_try(t, &boot_get, on_shown);
	else
		pctl_task_end_fail(t, PCTL_E_UNSUPPORTED, "driver %s cannot read the boot device",
			t->target->loaded->driver->name);
}
