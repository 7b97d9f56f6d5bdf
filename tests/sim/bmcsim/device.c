/* SPDX-License-Identifier: Apache-2.0 */
#include "device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "counter.h"
#include "json.h"
#include "knobs.h"
#include "server.h"
#include "sim.h"

/* All that authenticate: 1 to 3, 6 to 8, 11, 12, 15 to 17. */
enum { DEFAULT_SUITES = 0x399CE };

static const struct counter counters[] = {
	COUNTER(datagrams),
	COUNTER(replies),
	COUNTER(malformed),
	COUNTER(dropped),
	COUNTER(queued),
	COUNTER(pings),
	COUNTER(caps),
	COUNTER(opens),
	COUNTER(open_refused),
	COUNTER(rakp1),
	COUNTER(rakp3),
	COUNTER(logins),
	COUNTER(bad_logins),
	COUNTER(locked_out),
	COUNTER(sessions_closed),
	COUNTER(sessions_expired),
	COUNTER_PEAK(peak_sessions),
	COUNTER(bad_auth_code),
	COUNTER(not_encrypted),
	COUNTER(bad_session),
	COUNTER(replayed),
	COUNTER(commands),
	COUNTER(duplicates),
	COUNTER(refused_privilege),
	COUNTER(refused),
	COUNTER(chassis_control),
	COUNTER(passwords_asked),
	COUNTER(passwords_set),
	COUNTER(power_off),
	COUNTER(power_on),
	COUNTER(power_cycle),
	COUNTER(power_reset),
	COUNTER(diag),
	COUNTER(soft),
	COUNTER(identify),
	COUNTER(boot_flags_set),
	COUNTER(cold_resets),
	COUNTER(warm_resets),
	COUNTER(sol_activations),
	COUNTER(sol_packets_in),
	COUNTER(sol_packets_out),
	COUNTER(sol_bytes_in),
	COUNTER(sol_bytes_out),
	COUNTER(sol_repeats),
	COUNTER(sol_retries),
	COUNTER(sol_lost),
	COUNTER(sol_too_long),
	COUNTER(sol_breaks),
};

const struct counter_table device_counters = { counters, COUNT(counters),
	offsetof(struct device, counters) };

static void make_guid(struct device *dev)
{
	char text[64];

	snprintf(text, sizeof(text), "bmcsim/%u/%u", dev->sim->options.fleet.seed, dev->n);

	const struct part part = { text, strlen(text) };

	crypt_md5(&dev->sim->crypt, &part, 1, dev->guid);
	dev->guid[6] = (uint8_t)((dev->guid[6] & 0x0F) | 0x40);
	dev->guid[8] = (uint8_t)((dev->guid[8] & 0x3F) | 0x80);
}

void device_init(struct device *dev, struct sim *sim, uint32_t n)
{
	dev->sim = sim;
	dev->n = n;
	dev->fd = -1;
	dev->users = &sim->users;
	dev->firmware[0] = 1;
	dev->firmware[1] = 0x00;
	dev->power.policy = 1; /* as before */
	sol_settings_init(&dev->sol_settings);
	sensor_init(dev);
	knob_init(&knobs_table, dev);
	dev->knobs.suites = DEFAULT_SUITES;
	dev->knobs.auth_types = 1U << AUTH_MD5 | 1U << AUTH_PASSWORD;
	power_set(dev, strcmp(sim->options.fleet.state, "on") == 0);
	make_guid(dev);
}

void device_done(struct device *dev)
{
	session_free_all(dev);
	if (dev->users != &dev->sim->users)
		free(dev->users);
	free(dev->sol_backend);
	sel_done(dev);
}

void device_reset(struct device *dev)
{
	session_free_all(dev);
	dev->bad_logins = 0;
	dev->locked_until = 0;
	server_vanish(dev, dev->knobs.reset_ms);
}

void device_reset_counters(struct device *dev)
{
	memset(&dev->counters, 0, sizeof(dev->counters));
	dev->counters.peak_sessions = session_count(dev, true);
	dev->logged = 0;
}

void device_json_identity(const struct device *dev, struct buf *out)
{
	char text[INET6_ADDRSTRLEN] = "", guid[UUID_TEXT];

	uv_ip_name((const struct sockaddr *)&dev->address, text, sizeof(text));
	uuid_text(dev->guid, guid);
	json_member_text(out, "address", text);
	json_member_number(out, "port", dev->port);
	json_member_text(out, "guid", guid);
}

static void state(struct device *dev, struct buf *out)
{
	power_update(dev);
	json_member_text(out, "power", dev->power.on ? "on" : "off");
	json_member_text(out, "power_shown", power_shown(dev) ? "on" : "off");
	json_member_bool(out, "changing", dev->power.changing);
	json_member_number(out, "boots", dev->boot.boots);
	json_member_text(out, "last_boot", boot_device_word(&dev->boot));
	json_member_text(out, "last_mode",
		!dev->boot.boots      ? NULL
		: dev->boot.last_uefi ? "uefi"
				      : "legacy");
	json_member_text(out, "boot_set", boot_set_word(dev));
	json_member_number(out, "sel", dev->sel.count);
	json_member_number(out, "sessions", session_count(dev, true));
}

static void boot_state(const struct device *dev, struct buf *out)
{
	json_member(out, "boot_flags");
	buf_char(out, '"');
	buf_hex(out, dev->boot.flags, BOOT_FLAGS);
	buf_char(out, '"');
	json_member_number(out, "boot_clearing", dev->boot.clearing);
	json_member_number(out, "restore_policy", dev->power.policy);
	json_member_text(out, "identify",
		dev->identify_forever                     ? "on"
		: sim_now(dev->sim) < dev->identify_until ? "timed"
							  : "off");
}

uint32_t device_calls(const struct device *dev)
{
	return dev->logged;
}

void device_json_call(const struct device *dev, uint32_t i, struct buf *out)
{
	const struct log_entry *e = &dev->log[i];

	buf_fmt(out, "\"%02x:%02x %02x =%02x\"", e->netfn, e->command, e->first, e->cc);
}

void device_json(struct device *dev, struct buf *out)
{
	state(dev, out);
	boot_state(dev, out);
}

void device_json_brief(struct device *dev, struct buf *out)
{
	state(dev, out);
	json_member_number(out, "commands", dev->counters.commands);
}

void device_json_ports(const struct control *control, struct buf *out)
{
	const struct fleet *fleet = control->fleet;

	json_member(out, "ports");
	for (uint32_t i = 0; i < fleet->count; i++)
		buf_fmt(out, "%c%u", i ? ',' : '[', fleet_device(fleet, i)->port);
	buf_char(out, ']');
}
