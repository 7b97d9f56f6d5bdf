/* SPDX-License-Identifier: Apache-2.0 */
#include "power.h"

#include "request.h"
#include "sim.h"

enum {
	EVENT_IPMI = 0x10,
	CAUSE_COMMAND = 0x01, /* Chassis Control */
	TYPE_POWER_UNIT = 0x09,
	ASSERTED = 0x6F,
	DEASSERTED = 0x80 | ASSERTED,
};

struct action {
	const char *word;
	/* What it needs the host to be; reset and cycle have a knob for that. */
	bool needs_on;
	bool off_first;
	bool target;
	bool boots;
	size_t counter;
};

#define AT(member) offsetof(struct counters, member)

static const struct action actions[POWER_ACTIONS] = {
	[POWER_DOWN] = { "off", false, false, false, false, AT(power_off) },
	[POWER_UP] = { "on", false, false, true, true, AT(power_on) },
	[POWER_CYCLE] = { "cycle", true, true, true, true, AT(power_cycle) },
	[POWER_RESET] = { "reset", true, false, true, true, AT(power_reset) },
	[POWER_DIAG] = { "diag", true, false, true, false, AT(diag) },
	[POWER_SOFT] = { "soft", true, false, false, false, AT(soft) },
};

const char *power_action_word(unsigned action)
{
	return action < POWER_ACTIONS ? actions[action].word : "?";
}

static void become(struct device *dev, bool on, uint64_t when)
{
	struct power *p = &dev->power;

	if (p->on == on)
		return;
	p->was_on = p->on;
	p->on = on;
	sel_event(dev, TYPE_POWER_UNIT, SENSOR_POWER_UNIT, on ? DEASSERTED : ASSERTED, 0);
	p->changed = when;
}

static void settle(struct device *dev)
{
	struct power *p = &dev->power;

	p->changing = false;
	become(dev, p->target, p->ends);
	if (p->boots)
		boot_start(dev);
	p->boots = false;
}

void power_update(struct device *dev)
{
	if (dev->power.changing && sim_now(dev->sim) >= dev->power.ends)
		settle(dev);
}

bool power_shown(struct device *dev)
{
	struct power *p = &dev->power;

	power_update(dev);
	if (p->changed && sim_now(dev->sim) < p->changed + dev->knobs.lag_ms)
		return p->was_on;
	return p->on;
}

void power_set(struct device *dev, bool on)
{
	dev->power.changing = false;
	dev->power.boots = false;
	dev->power.on = dev->power.target = on;
	dev->power.changed = 0;
}

static void begin(struct device *dev, unsigned action, uint64_t ms)
{
	const struct action *a = &actions[action];
	struct power *p = &dev->power;

	if (a->off_first)
		become(dev, false, sim_now(dev->sim));
	p->changing = true;
	p->target = a->target;
	p->boots = a->boots && !(action == POWER_UP && p->on);
	p->ends = sim_now(dev->sim) + ms;
	p->event = a->target ? EVENT_IPMI : p->event & (uint8_t)~EVENT_IPMI;
	if (p->boots) {
		p->cause = CAUSE_COMMAND;
		boot_arm(dev);
	}
	if (!ms)
		settle(dev);
}

static void execute(struct device *dev, unsigned action)
{
	uint64_t ms = dev->knobs.transition_ms;

	if (action == POWER_DIAG || (action == POWER_SOFT && dev->knobs.soft_ignored))
		return;
	begin(dev, action, action == POWER_SOFT ? ms + dev->knobs.soft_ms : ms);
}

uint8_t power_request(struct device *dev, unsigned action)
{
	bool on;

	power_update(dev);
	on = dev->power.on || (dev->power.changing && dev->power.target);
	if (actions[action].needs_on && !on) {
		if (action == POWER_SOFT || action == POWER_DIAG)
			return CC_STATE;
		if (dev->knobs.off_reset == OFF_RESET_REFUSE)
			return CC_STATE;
		if (dev->knobs.off_reset == OFF_RESET_IGNORE)
			return CC_OK;
	}
	++*(uint64_t *)(void *)((char *)&dev->counters + actions[action].counter);
	if (!dev->knobs.power_lie)
		execute(dev, action);
	return CC_OK;
}
