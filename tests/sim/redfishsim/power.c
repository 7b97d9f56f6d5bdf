/* SPDX-License-Identifier: Apache-2.0 */
#include "power.h"

#include "boot.h"
#include "events.h"
#include "sim.h"

static const struct {
	const char *word;
	enum reset reset;
} resets[] = {
	{ "On", RESET_ON },
	{ "ForceOn", RESET_ON },
	{ "ForceOff", RESET_OFF },
	{ "GracefulShutdown", RESET_SOFT_OFF },
	{ "ForceRestart", RESET_RESTART },
	{ "GracefulRestart", RESET_SOFT_RESTART },
	{ "PowerCycle", RESET_CYCLE },
	{ "Nmi", RESET_NMI },
	{ "PushPowerButton", RESET_BUTTON },
	{ "Pause", RESET_PAUSE },
	{ "Resume", RESET_RESUME },
};

static const char *const words[] = {
	[POWER_OFF] = "off",
	[POWER_ON] = "on",
	[POWER_PAUSED] = "paused",
};

bool reset_of_word(struct str word, enum reset *ret)
{
	for (size_t i = 0; i < COUNT(resets); i++)
		if (str_is(word, resets[i].word)) {
			*ret = resets[i].reset;
			return true;
		}
	return false;
}

bool power_of_word(struct str word, enum power_state *ret)
{
	for (size_t i = 0; i < COUNT(words); i++)
		if (str_is(word, words[i])) {
			*ret = (enum power_state)i;
			return true;
		}
	return false;
}

const char *power_word(enum power_state state)
{
	return words[state];
}

static void arrive(struct host *sys, enum power_state state)
{
	struct power *p = &sys->power;

	p->state = state;
	if (state == POWER_OFF) {
		p->off_at = sim_now(sys->dev->sim);
		event_add(sys, "System power off");
	} else if (state == POWER_ON) {
		boot_start(sys);
		event_add(sys, "System power on");
	}
}

static void head_for(struct host *sys, enum power_state target, uint32_t ms)
{
	struct power *p = &sys->power;

	p->target = target;
	p->changing = true;
	p->until = sim_now(sys->dev->sim) + ms;
}

enum power_state power_now(struct host *sys)
{
	struct power *p = &sys->power;

	while (p->changing && sim_now(sys->dev->sim) >= p->until) {
		enum power_state from = p->state;

		p->changing = false;
		if (from != p->target || p->target == POWER_ON)
			arrive(sys, p->target);
		if (p->then_on) {
			p->then_on = false;
			p->target = POWER_ON;
			p->changing = true;
			p->until += sys->dev->knobs.transition_ms;
		}
	}
	return p->state;
}

void power_set(struct host *sys, enum power_state state)
{
	sys->power = (struct power){ .state = state };
}

const char *power_shown(struct host *sys)
{
	const struct knobs *k = &sys->dev->knobs;
	bool own = sys->dev->profile->quirks & QUIRK_TRANSITIONS;
	enum power_state state = power_now(sys);
	const struct power *p = &sys->power;
	static const char *const shown[] = { "Off", "On", "Paused" };

	if (k->lie_state)
		return k->lie_state == LIE_NULL ? NULL : shown[k->lie_state - LIE_OFF];
	if (!p->changing || k->shows == SHOWS_OLD || (k->shows == SHOWS_PROFILE && !own))
		return shown[state];
	if (k->shows == SHOWS_NULL)
		return NULL;
	if (p->target == POWER_ON)
		return state == POWER_ON ? "On" : "PoweringOn";
	return p->target == POWER_OFF ? "PoweringOff" : shown[state];
}

bool power_needs_on(enum reset reset)
{
	return reset != RESET_ON && reset != RESET_OFF && reset != RESET_BUTTON;
}

bool power_is_so(struct host *sys, enum reset reset)
{
	enum power_state state = power_now(sys);

	if (sys->power.changing)
		return false;
	if (reset == RESET_ON)
		return state == POWER_ON;
	return (reset == RESET_OFF || reset == RESET_SOFT_OFF) && state == POWER_OFF;
}

/* An operating system that does not listen keeps running. */
static void ask_os(struct host *sys, bool restart)
{
	const struct knobs *k = &sys->dev->knobs;

	if (!k->os_agent || sys->power.state == POWER_OFF)
		return;
	head_for(sys, restart ? POWER_ON : POWER_OFF, k->soft_ms);
}

static void push_button(struct host *sys)
{
	if (sys->power.state == POWER_OFF)
		head_for(sys, POWER_ON, sys->dev->knobs.transition_ms);
	else
		ask_os(sys, false);
}

void power_reset(struct host *sys, enum reset reset)
{
	uint32_t ms = sys->dev->knobs.transition_ms;
	enum power_state state = power_now(sys);

	switch (reset) {
	case RESET_ON:
		if (state != POWER_ON || sys->power.changing)
			head_for(sys, POWER_ON, ms);
		break;
	case RESET_OFF:
		sys->power.then_on = false;
		if (state != POWER_OFF || sys->power.changing)
			head_for(sys, POWER_OFF, ms);
		break;
	case RESET_RESTART:
		head_for(sys, POWER_ON, ms);
		break;
	case RESET_CYCLE:
		head_for(sys, POWER_OFF, ms);
		sys->power.then_on = true;
		break;
	case RESET_SOFT_OFF:
	case RESET_SOFT_RESTART:
		ask_os(sys, reset == RESET_SOFT_RESTART);
		break;
	case RESET_BUTTON:
		push_button(sys);
		break;
	case RESET_PAUSE:
		power_set(sys, POWER_PAUSED);
		break;
	case RESET_RESUME:
		power_set(sys, POWER_ON);
		break;
	case RESET_NMI:
		event_add(sys, "NMI");
		break;
	}
	power_now(sys);
}
