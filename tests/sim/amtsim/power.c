/* SPDX-License-Identifier: Apache-2.0 */
#include "power.h"

#include <string.h>

#include "sim.h"

enum from {
	FROM_ON = 1,
	FROM_SLEEP = 2,
	FROM_OFF = 4,
};

/* Which request is legal from which state, and what it makes of it. */
struct action {
	uint8_t request;
	uint8_t from;
	uint8_t target;
	uint8_t min_major;
	bool boots;
	bool via_off;
	bool agent;
};

/* In the order in which AvailableRequestedPowerStates was recorded. */
static const struct action actions[] = {
	{ .request = 10, .from = FROM_ON, .target = POWER_ON, .boots = true },
	{ .request = 8, .from = FROM_ON | FROM_SLEEP, .target = POWER_OFF },
	{ .request = 5,
		.from = FROM_ON | FROM_SLEEP,
		.target = POWER_ON,
		.boots = true,
		.via_off = true },
	{ .request = 11, .from = FROM_ON, .target = POWER_ON, .min_major = 12 },
	{ .request = 4, .from = FROM_ON, .target = POWER_SLEEP, .min_major = 9, .agent = true },
	{ .request = 7, .from = FROM_ON, .target = POWER_HIBERNATE, .min_major = 9, .agent = true },
	{ .request = 14,
		.from = FROM_ON,
		.target = POWER_ON,
		.min_major = 9,
		.boots = true,
		.agent = true },
	{ .request = 12, .from = FROM_ON, .target = POWER_OFF, .min_major = 9, .agent = true },
	{ .request = 2, .from = FROM_SLEEP | FROM_OFF, .target = POWER_ON, .boots = true },
};

static const struct {
	uint8_t state;
	const char *word;
} words[] = {
	{ POWER_ON, "on" },
	{ POWER_SLEEP, "sleep" },
	{ POWER_HIBERNATE, "hibernate" },
	{ POWER_OFF, "off" },
	{ POWER_SLEEP_LIGHT, "sleep" },
	{ POWER_OFF_HARD, "off" },
	{ POWER_CYCLE, "changing" },
	{ 12, "off" },
	{ 13, "off" },
};

const char *power_word(unsigned state)
{
	for (size_t i = 0; i < COUNT(words); i++)
		if (words[i].state == state)
			return words[i].word;
	return "unknown";
}

unsigned power_of_word(const char *word)
{
	uint64_t number;

	for (size_t i = 0; i < 4; i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].state;
	return parse_uint(str_of(word), 13, &number) ? (unsigned)number : 0;
}

static enum from from_of(unsigned state)
{
	switch (state) {
	case POWER_ON:
		return FROM_ON;
	case POWER_SLEEP_LIGHT:
	case POWER_SLEEP:
		return FROM_SLEEP;
	default:
		return FROM_OFF;
	}
}

static void settle(struct device *dev)
{
	struct power *p = &dev->power;

	p->changing = false;
	p->state = p->target;
	if (p->state == POWER_ON)
		p->os_saving = 2;
	if (p->boots)
		boot_start(dev);
	p->boots = false;
}

void power_update(struct device *dev)
{
	if (dev->power.changing && sim_now(dev->sim) >= dev->power.ends)
		settle(dev);
}

unsigned power_shown(struct device *dev)
{
	struct power *p = &dev->power;

	power_update(dev);
	if (dev->knobs.lie_state)
		return dev->knobs.lie_state;
	if (!p->changing)
		return p->state;
	if (dev->knobs.transition_state)
		return dev->knobs.transition_state;

	uint64_t third = (p->ends - p->began) / 3;

	return p->via_off && sim_now(dev->sim) >= p->began + third ? POWER_OFF : p->state;
}

void power_set(struct device *dev, unsigned state)
{
	dev->power.changing = false;
	dev->power.boots = false;
	dev->power.state = dev->power.target = (uint8_t)state;
	dev->power.os_saving = state == POWER_ON ? 2 : 0;
}

static bool supported(const struct device *dev, const struct action *a)
{
	return dev->profile->major >= a->min_major;
}

static bool legal(const struct device *dev, const struct action *a)
{
	return supported(dev, a) && !dev->power.changing && (a->from & from_of(dev->power.state));
}

size_t power_available(struct device *dev, uint8_t *ret)
{
	size_t n = 0;

	power_update(dev);
	for (size_t i = 0; i < COUNT(actions); i++)
		if (legal(dev, &actions[i]))
			ret[n++] = actions[i].request;
	return n;
}

static void begin(struct device *dev, const struct action *a, unsigned target)
{
	struct power *p = &dev->power;
	bool resume = a->request == 2 && from_of(p->state) == FROM_SLEEP;

	p->target = (uint8_t)target;
	p->boots = a->boots && !resume;
	p->via_off = a->via_off;
	p->changing = true;
	p->began = sim_now(dev->sim);
	p->ends = p->began + dev->knobs.transition_ms;
	if (!dev->knobs.transition_ms)
		settle(dev);
}

/* Without its agent in the OS: sleep and the graceful ones do nothing, hibernate ends plain off. */
static uint32_t without_agent(struct device *dev, const struct action *a)
{
	if (dev->knobs.no_agent_value)
		return dev->knobs.no_agent_value;
	if (a->request == POWER_HIBERNATE)
		begin(dev, a, POWER_OFF);
	return POWER_ACCEPTED;
}

static uint32_t execute(struct device *dev, const struct action *a)
{
	if (!legal(dev, a))
		return POWER_NOT_READY;
	if ((dev->knobs.redirection_open || redir_is_open(dev)) &&
		(a->request == 5 || a->request == 8))
		return POWER_NOT_READY;
	if (a->agent && !dev->knobs.os_agent)
		return without_agent(dev, a);
	if (a->request == 11)
		dev->counters.nmi++;
	else
		begin(dev, a, a->target);
	return POWER_ACCEPTED;
}

static bool too_soon(const struct device *dev)
{
	return dev->power.accepted &&
	       sim_now(dev->sim) < dev->power.accepted + dev->knobs.power_busy_ms;
}

static uint32_t decide(struct device *dev, unsigned action)
{
	const struct knobs *k = &dev->knobs;

	if (action < 2 || action > 17)
		return POWER_INVALID_PARAMETER;
	if (k->refuse_value && (!k->refuse_action || k->refuse_action == action))
		return k->refuse_value;
	if (too_soon(dev))
		return POWER_NOT_READY;
	if (action == 2 && dev->power.state == POWER_ON && dev->power.os_saving == 3)
		return POWER_ACCEPTED;
	for (size_t i = 0; i < COUNT(actions); i++)
		if (actions[i].request == action)
			return execute(dev, &actions[i]);
	return POWER_NOT_READY;
}

uint32_t power_request(struct device *dev, unsigned action)
{
	power_update(dev);

	uint32_t value = decide(dev, action);

	if (value) {
		dev->counters.refused_power++;
	} else {
		dev->counters.set_power++;
		dev->power.accepted = sim_now(dev->sim);
		logs_note_power(dev, action);
	}
	return value;
}

uint32_t power_request_os_saving(struct device *dev, unsigned state)
{
	power_update(dev);
	if (state != 2 && state != 3)
		return POWER_INVALID_PARAMETER;
	if (dev->power.state != POWER_ON || dev->power.changing)
		return POWER_NOT_READY;
	dev->power.os_saving = (uint8_t)state;
	return POWER_ACCEPTED;
}
