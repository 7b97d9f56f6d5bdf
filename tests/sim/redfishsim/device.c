/* SPDX-License-Identifier: Apache-2.0 */
#include "device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "knobs.h"
#include "sim.h"
#include "web_conn.h"

static const struct counter counters[] = {
	WEB_COUNTER_ROWS,
	COUNTER(cut),
	COUNTER(requests),
	COUNTER(reads),
	COUNTER(patches),
	COUNTER(posts),
	COUNTER(deletes),
	COUNTER(r2xx),
	COUNTER(r202),
	COUNTER(r3xx),
	COUNTER(r400),
	COUNTER(r401),
	COUNTER(r404),
	COUNTER(r405),
	COUNTER(r409),
	COUNTER(r412),
	COUNTER(r428),
	COUNTER(r503),
	COUNTER(logins),
	COUNTER(logins_bad),
	COUNTER(logouts),
	COUNTER_PEAK(sessions_peak),
	COUNTER(basic),
	COUNTER(basic_bad),
	COUNTER(token_bad),
	COUNTER(resets),
	COUNTER(resets_refused),
	COUNTER(resets_unsaid),
	COUNTER(reset_on),
	COUNTER(reset_off),
	COUNTER(reset_soft_off),
	COUNTER(reset_restart),
	COUNTER(reset_soft_restart),
	COUNTER(reset_cycle),
	COUNTER(reset_nmi),
	COUNTER(reset_button),
	COUNTER(boot_patches),
	COUNTER(led_patches),
	COUNTER(policy_patches),
	COUNTER(media_inserts),
	COUNTER(media_ejects),
	COUNTER(log_clears),
	COUNTER(bmc_resets),
	COUNTER(task_polls),
	COUNTER(asked_password),
	COUNTER(set_password),
};

const struct counter_table device_counters = { counters, COUNT(counters),
	offsetof(struct device, counters) };

static uint64_t mix(uint64_t x)
{
	x += 0x9E3779B97F4A7C15ULL;
	x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
	x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
	return x ^ (x >> 31);
}

/* The same in every run: of the seed, the service, the system (0: the service itself). */
static void make_uuid(const struct device *dev, uint32_t which, uint8_t out[16])
{
	uint64_t x = mix((uint64_t)dev->sim->options.fleet.seed << 32 | dev->knobs.other_machine);

	x = mix(x ^ ((uint64_t)dev->n << 32 | which));
	for (size_t i = 0; i < 16; i++) {
		if (i == 8)
			x = mix(x);
		out[i] = (uint8_t)(x >> (i % 8 * 8));
	}
	out[6] = (uint8_t)((out[6] & 0x0F) | 0x40);
	out[8] = (uint8_t)((out[8] & 0x3F) | 0x80);
}

void device_identify(struct device *dev)
{
	make_uuid(dev, 0, dev->uuid);
	for (uint32_t i = 0; i < dev->nsystems; i++)
		make_uuid(dev, i + 1, dev->systems[i].uuid);
}

void device_init(struct device *dev, struct sim *sim, uint32_t n)
{
	enum power_state state = POWER_OFF;

	dev->sim = sim;
	dev->n = n;
	web_device_init(&dev->web, &sim->web, dev, n);
	dev->web.knobs = &dev->knobs.web;
	dev->web.counters = &dev->counters.web;
	dev->profile = profile_find(str_of(sim->options.profile));
	knob_init(&knobs_table, dev);
	str_copy(str_of(sim->options.fleet.password), dev->password, sizeof(dev->password));
	power_of_word(str_of(sim->options.fleet.state), &state);
	dev->nsystems = sim->options.systems;
	dev->systems = xcalloc(dev->nsystems, sizeof(*dev->systems));
	for (uint32_t i = 0; i < dev->nsystems; i++) {
		struct host *sys = &dev->systems[i];

		sys->dev = dev;
		sys->n = i;
		boot_init(sys);
		power_set(sys, state);
	}
	device_identify(dev);
}

void device_done(struct device *dev)
{
	for (uint32_t i = 0; i < dev->nsystems; i++) {
		boot_done(&dev->systems[i].boot);
		for (size_t m = 0; m < MEDIA_SLOTS; m++)
			media_eject(&dev->systems[i].media[m]);
	}
	free(dev->systems);
	free(dev->sessions.list);
	free(dev->redirect);
	web_device_done(&dev->web);
}

void device_reset_counters(struct device *dev)
{
	memset(&dev->counters, 0, sizeof(dev->counters));
	web_device_reset(&dev->web);
	device_start_faults(dev);
	dev->called = 0;
}

void device_start_faults(struct device *dev)
{
	uint32_t ahead = dev->knobs.stagger ? dev->n : 0;

	/* Different steps: no service shall have all its faults at once. */
	dev->web.drop_seq = ahead;
	dev->e503_seq = ahead * 3;
	dev->cut_seq = ahead * 7;
	dev->session_seq = ahead * 11;
	dev->etag_seq = ahead * 13;
}

void device_note(struct device *dev, struct str method, struct str target)
{
	char *out = dev->calls[dev->called++ % SIM_CALLS];

	snprintf(out, SIM_CALL_TEXT, "%.*s %.*s", (int)(method.n < 8 ? method.n : 8), method.p,
		(int)(target.n < SIM_CALL_TEXT ? target.n : SIM_CALL_TEXT), target.p);
	for (; *out; out++)
		if (*out < ' ' || *out > '~')
			*out = '?';
}

void device_restart(struct device *dev)
{
	dev->leaving = true;
}

/* Ports close a little after the answer: it has to be on its way. */
void device_tick(struct device *dev)
{
	if (dev->leaving) {
		dev->leaving = false;
		dev->gone = true;
		dev->gone_until = sim_now(dev->sim) + dev->knobs.bmc_ms;
		login_forget(dev);
		web_sync(dev);
		conn_close_all(&dev->sim->web, &dev->web);
	} else if (dev->gone_until && sim_now(dev->sim) >= dev->gone_until) {
		dev->gone = false;
		web_sync(dev);
		/* Until the ports could be had again. */
		if (web_device_is_open(&dev->web))
			dev->gone_until = 0;
	}
}

void device_json_identity(const struct device *dev, struct buf *out)
{
	char uuid[UUID_TEXT];

	uuid_text(dev->uuid, uuid);
	web_device_json(&dev->web, out);
	json_member_text(out, "profile", dev->profile->name);
	json_member_text(out, "uuid", uuid);
}

static void boot_json(const struct boot *b, struct buf *out)
{
	json_member_number(out, "boots", b->starts);
	json_member_text(out, "last_boot", b->last);
	json_member_text(out, "last_mode", b->starts ? boot_mode_word(b->last_mode) : NULL);
	json_member_text(out, "last_url", b->last_url);
	json_member_text(out, "override", boot_enabled_word(b->enabled));
	json_member_text(out, "target", b->target);
	json_member_text(out, "mode", boot_mode_word(b->mode));
	json_member_text(out, "url", b->url);
}

static void media_json(const struct host *sys, struct buf *out)
{
	json_member(out, "media");
	buf_char(out, '[');
	for (size_t i = 0; i < MEDIA_SLOTS; i++) {
		buf_text(out, i ? "," : "");
		if (sys->media[i].image)
			buf_json(out, str_of(sys->media[i].image));
		else
			buf_text(out, "null");
	}
	buf_char(out, ']');
}

static void state_json(struct host *sys, struct buf *out)
{
	char uuid[UUID_TEXT];

	json_member_text(out, "power", power_word(power_now(sys)));
	json_member_text(out, "power_shown", power_shown(sys));
	json_member_bool(out, "changing", sys->power.changing);
	json_member_text(out, "last_reset", sys->last_reset);
	boot_json(&sys->boot, out);
	json_member_number(out, "led", sys->led);
	json_member_number(out, "policy", sys->policy);
	json_member_number(out, "log_entries", events_count(sys));
	uuid_text(sys->uuid, uuid);
	json_member_text(out, "system_uuid", uuid);
	media_json(sys, out);
}

uint32_t device_calls(const struct device *dev)
{
	return dev->called;
}

void device_json_call(const struct device *dev, uint32_t i, struct buf *out)
{
	buf_json(out, str_of(dev->calls[i]));
}

/* The first system's state stands at the service itself as well. */
void device_json(struct device *dev, struct buf *out)
{
	if (dev->nsystems)
		state_json(&dev->systems[0], out);
	json_member(out, "systems");
	buf_char(out, '[');
	for (uint32_t i = 0; i < dev->nsystems; i++) {
		char id[64];

		buf_text(out, i ? ",{" : "{");
		profile_id(dev->profile->system_name, i, id, sizeof(id));
		json_member_text(out, "id", id);
		state_json(&dev->systems[i], out);
		buf_char(out, '}');
	}
	buf_char(out, ']');
	json_member_number(out, "sessions", login_count(dev));
	json_member_bool(out, "gone", dev->leaving || dev->gone_until);
	json_member_number(out, "connections_open", dev->web.connections_open);
}

void device_json_brief(struct device *dev, struct buf *out)
{
	if (dev->nsystems)
		state_json(&dev->systems[0], out);
	json_member_number(out, "requests", dev->counters.requests);
}
