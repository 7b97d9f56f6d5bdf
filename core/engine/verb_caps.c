/* SPDX-License-Identifier: Apache-2.0 */
/*
 * caps: what can be done with a node, over all that it is made of: its own driver, interfaces that
 * come from other ones, feeds. Nothing is asked over the network; what was learned before counts.
 */
#include <powerctl/mem.h>

#include "engine/task.h"
#include "inventory/inventory.h"

static void add_words(struct pctl_value *map, const char *key, uint32_t bits,
	const char *(*name)(unsigned i), unsigned count)
{
	struct pctl_value *list = pctl_value_new_list();

	for (unsigned i = 0; i < count; i++)
		if (bits & (1u << i))
			pctl_value_add(list, pctl_value_new_text(name(i)));
	pctl_value_set(map, key, list);
}

static const char *action_word(unsigned i)
{
	return pctl_action_name((enum pctl_action)i);
}

static const char *device_word(unsigned i)
{
	return pctl_boot_device_name((enum pctl_boot_device)i);
}

static void add_actions(struct pctl_value *map, uint32_t has, uint32_t lacks)
{
	add_words(map, "power", has & ~lacks, action_word, PCTL_ACTION_COUNT);
	if (has & lacks)
		add_words(map, "power_lacks", has & lacks, action_word, PCTL_ACTION_COUNT);
}

/* --- Feeds. ----------------------------------------------------------------------------------- */

static struct pctl_value *one_feed(const struct pctl_feed *feed)
{
	const struct pctl_target *target = feed->target;
	struct pctl_value *map = pctl_value_new_map();

	pctl_value_set_text(map, "feed", feed->name);
	pctl_value_set_text(map, "driver", target->loaded->name);
	pctl_value_set_text(map, "address", *target->address ? target->address : NULL);
	add_actions(map, target->actions, pctl_target_lacks(target));
	return map;
}

/* As joint_power.c does them: outlets are turned off and on, all else is for what they feed. */
static void add_feeds(struct pctl_value *map, const struct pctl_feeds *feeds)
{
	const uint32_t on_off = PCTL_ACTION_BIT(PCTL_ACTION_ON) | PCTL_ACTION_BIT(PCTL_ACTION_OFF);
	struct pctl_value *list = pctl_value_new_list();
	uint32_t has = 0, lacks = 0, outlets = on_off;
	bool own = false;

	for (size_t i = 0; i < feeds->n; i++) {
		const struct pctl_feed *feed = &feeds->v[i];

		if (feed->own) {
			own = true;
			has = feed->target->actions;
			lacks = pctl_target_lacks(feed->target);
		} else {
			outlets &= feed->target->actions & ~pctl_target_lacks(feed->target);
		}
		pctl_value_add(list, one_feed(feed));
	}
	if (!own)
		has = outlets;
	if (outlets == on_off) {
		has |= PCTL_ACTION_BIT(PCTL_ACTION_AC_CYCLE);
		lacks &= ~PCTL_ACTION_BIT(PCTL_ACTION_AC_CYCLE);
		has |= own ? 0 : PCTL_ACTION_BIT(PCTL_ACTION_CYCLE);
	}
	add_actions(map, has, lacks);
	pctl_value_set(map, "feeds", list);
}

/* --- Interfaces. ------------------------------------------------------------------------------ */

static void add_power(struct pctl_value *map, const struct pctl_target *target)
{
	if (target->feeds)
		add_feeds(map, target->feeds);
	else if (target->loaded->driver->power)
		add_actions(map, target->actions, pctl_target_lacks(target));
}

static void add_boot(struct pctl_value *map, const struct pctl_target *target)
{
	const struct pctl_boot_if *boot = target->loaded->driver->boot;

	if (!boot)
		return;
	uint32_t has = target->boot_once | target->boot_persistent;
	uint32_t lacks = has & pctl_target_lacks_boot(target);
	add_words(map, "boot_once", target->boot_once & ~lacks, device_word, PCTL_BOOT_COUNT);
	add_words(map, "boot_persistent", target->boot_persistent & ~lacks, device_word,
		PCTL_BOOT_COUNT);
	if (lacks)
		add_words(map, "boot_lacks", lacks, device_word, PCTL_BOOT_COUNT);
	pctl_value_set_bool(map, "boot_held", (boot->flags & PCTL_BOOT_APPLY_AT_POWER_ACTION) != 0);
}

static void add_inspect(struct pctl_value *map, const struct pctl_target *target)
{
	const struct pctl_inspect_if *inspect = target->loaded->driver->inspect;

	pctl_value_set_bool(map, "info", inspect && inspect->info);
	pctl_value_set_bool(map, "hardware", inspect && inspect->hardware);
	pctl_value_set_bool(map, "check", inspect && inspect->check);
}

static void add_identify(struct pctl_value *map, const struct pctl_target *target)
{
	pctl_value_set_bool(map, "identify", target->loaded->driver->identify != NULL);
}

static void add_console(struct pctl_value *map, const struct pctl_target *target)
{
	pctl_value_set_bool(map, "console", target->loaded->driver->console != NULL);
}

static void add_display(struct pctl_value *map, const struct pctl_target *target)
{
	const struct pctl_display_if *display = target->loaded->driver->display;

	pctl_value_set_bool(map, "display", display != NULL);
	pctl_value_set_bool(map, "display_direct", display && display->direct);
}

static void add_log(struct pctl_value *map, const struct pctl_target *target)
{
	const struct pctl_log_if *log = target->loaded->driver->log;

	pctl_value_set_bool(map, "log", log != NULL);
	pctl_value_set_bool(map, "log_clear", log && log->clear);
}

static void add_sensors(struct pctl_value *map, const struct pctl_target *target)
{
	pctl_value_set_bool(map, "sensors", target->loaded->driver->sensors != NULL);
}

static void add_consent(struct pctl_value *map, const struct pctl_target *target)
{
	pctl_value_set_bool(map, "consent", target->loaded->driver->consent != NULL);
}

static void add_account(struct pctl_value *map, const struct pctl_target *target)
{
	pctl_value_set_bool(map, "passwd", target->loaded->driver->account != NULL);
}

static void add_media(struct pctl_value *map, const struct pctl_target *target)
{
	pctl_value_set_bool(map, "media", target->loaded->driver->media != NULL);
}

/* In the order of the answer; given_by: the setting that may say another driver. */
static const struct part {
	const char *interface, *given_by;
	void (*add)(struct pctl_value *map, const struct pctl_target *target);
} parts[] = {
	{ "power", "power", add_power },
	{ "boot", "power", add_boot },
	{ "inspect", "inspect", add_inspect },
	{ "identify", "identify", add_identify },
	{ "console", "console", add_console },
	{ "display", "display", add_display },
	{ "log", "log", add_log },
	{ "sensors", "sensors", add_sensors },
	{ "media", NULL, add_media },
};

static bool add_elsewhere(struct pctl_task *t, const struct part *part, struct pctl_value *from)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_target target;
	int r = pctl_target_init(&target, t->target->core, pctl_run_inventory(t->run),
		t->target->node, part->interface, false, problems);

	if (r == 0) {
		part->add(t->tree, &target);
		if (target.loaded != t->target->loaded && !target.feeds)
			pctl_value_set_text(from, part->interface, target.loaded->name);
	}
	pctl_target_done(&target);
	if (r < 0)
		pctl_task_end_fail(t, PCTL_E_CONFIG, "%s", pctl_problems_at(problems, 0));
	pctl_problems_free(problems);
	return r == 0;
}

static void add_methods(struct pctl_value *map, const struct pctl_driver *d)
{
	struct pctl_value *methods = pctl_value_new_list();

	for (const struct pctl_method *m = d->methods; m && m->name; m++)
		pctl_value_add(methods, pctl_value_new_text(m->name));
	pctl_value_set(map, "methods", methods);
}

void pctl_verb_caps(struct pctl_task *t)
{
	const struct pctl_inventory *inventory = pctl_run_inventory(t->run);
	struct pctl_value *from = pctl_value_new_map();
	bool good = true;

	t->tree = pctl_value_new_map();
	pctl_value_set_text(t->tree, "driver", t->target->loaded->driver->name);
	for (size_t i = 0; good && i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].given_by &&
			pctl_inventory_value(inventory, t->target->node, parts[i].given_by))
			good = add_elsewhere(t, &parts[i], from);
		else
			parts[i].add(t->tree, t->target);
	}
	if (good && pctl_value_count(from) > 0)
		pctl_value_set(t->tree, "from", from);
	else
		pctl_value_free(from);
	if (!good)
		return;
	add_consent(t->tree, t->target);
	add_account(t->tree, t->target);
	add_methods(t->tree, t->target->loaded->driver);
	pctl_value_set_bool(t->tree, "ready", pctl_value_get(t->target->map, "ready") != NULL);
	pctl_task_end_ok(t, "ok");
}
