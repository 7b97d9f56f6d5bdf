/* SPDX-License-Identifier: Apache-2.0 */
#include "device.h"

#include <stdio.h>
#include <string.h>

#include "classes.h"
#include "counter.h"
#include "digest.h"
#include "json.h"
#include "knobs.h"
#include "optin.h"
#include "own_tls.h"
#include "redir_kvm.h"
#include "sim.h"
#include "store.h"

static const struct counter counters[] = {
	WEB_COUNTER_ROWS,
	COUNTER(cut),
	COUNTER(requests),
	COUNTER(r200),
	COUNTER(r400),
	COUNTER(r401),
	COUNTER(r401_none),
	COUNTER(r401_bad),
	COUNTER(r401_stale),
	COUNTER(r401_locked),
	COUNTER(bad_nc),
	COUNTER(foreign_nonce),
	COUNTER(replay),
	COUNTER(empty_response),
	COUNTER(r404),
	COUNTER(r503),
	COUNTER(expect),
	COUNTER(bodies),
	COUNTER(unauth_bodies),
	COUNTER(faults),
	COUNTER(set_power),
	COUNTER(asked_password),
	COUNTER(set_password),
	COUNTER(refused_power),
	COUNTER(unsaid_power),
	COUNTER(nmi),
	COUNTER(put_boot),
	COUNTER(writes),
	COUNTER(redir_connections),
	COUNTER(redir_logins),
	COUNTER(redir_bad_logins),
	COUNTER(redir_goodbyes),
	COUNTER(sol_heartbeats),
	COUNTER(sol_pongs),
	COUNTER(sol_quiet),
	COUNTER(sol_bytes_in),
	COUNTER(sol_bytes_out),
	COUNTER(kvm_sessions),
	COUNTER(kvm_updates),
	COUNTER(kvm_keys),
	COUNTER(kvm_bytes_out),
	COUNTER(ider_pings),
	COUNTER(ider_pongs),
	COUNTER(pings),
};

const struct counter_table device_counters = { counters, COUNT(counters),
	offsetof(struct device, counters) };

static void derive(const struct device *dev, const char *what, uint8_t out[16])
{
	char text[96];

	snprintf(text, sizeof(text), "amtsim/%u/%u/%u/%s", dev->sim->options.fleet.seed, dev->n,
		dev->knobs.wrong_realm, what);
	digest_md5(dev->sim, str_of(text), out);
}

static void make_realm(struct device *dev)
{
	uint8_t hash[16];
	char *digits = dev->realm + 7;

	derive(dev, "realm", hash);
	snprintf(dev->realm, sizeof(dev->realm), "Digest:");
	for (size_t i = 0; i < sizeof(hash); i++)
		snprintf(digits + 2 * i, 3, "%02X", hash[i]);
	for (size_t i = dev->profile->realm_digits; i < 32; i++)
		digits[i] = '0';
}

void device_identify(struct device *dev)
{
	uint8_t hash[16];

	make_realm(dev);
	derive(dev, "uuid", dev->uuid);
	dev->uuid[7] = (uint8_t)((dev->uuid[7] & 0x0F) | 0x40);
	dev->uuid[8] = (uint8_t)((dev->uuid[8] & 0x3F) | 0x80);
	derive(dev, "mac", hash);
	memcpy(dev->mac, hash, sizeof(dev->mac));
	dev->mac[0] = (uint8_t)((dev->mac[0] & 0xFC) | 2);
	digest_ha1(dev);
	device_forget_nonces(dev);
}

void device_forget_nonces(struct device *dev)
{
	dev->nonce_epoch++;
	memset(dev->nonces, 0, sizeof(dev->nonces));
}

void device_init(struct device *dev, struct sim *sim, uint32_t n)
{
	dev->sim = sim;
	dev->n = n;
	web_device_init(&dev->web, &sim->web, dev, n);
	dev->web.knobs = &dev->knobs.web;
	dev->web.counters = &dev->counters.web;
	dev->profile = profile_find(sim->options.profile);
	dev->nonce_next = 0x220E0E470000ULL + n;
	dev->next_context = (uint16_t)(n * 7);
	dev->next_message = n * 13;
	redir_init(dev);
	boot_init(&dev->boot);
	knob_init(&knobs_table, dev);
	power_set(dev, power_of_word(sim->options.fleet.state));
	str_copy(str_of(sim->options.fleet.password), dev->password, sizeof(dev->password));
	device_identify(dev);
	dev->nonce_epoch = 0;
}

void device_done(struct device *dev)
{
	boot_done(&dev->boot);
	ider_done(dev);
	logs_done(dev);
	store_free(dev);
	own_tls_forget(dev);
	web_device_done(&dev->web);
}

void device_reset_counters(struct device *dev)
{
	memset(&dev->counters, 0, sizeof(dev->counters));
	web_device_reset(&dev->web);
	device_start_faults(dev);
	dev->logged = 0;
}

void device_start_faults(struct device *dev)
{
	uint32_t ahead = dev->knobs.stagger ? dev->n : 0;

	/* Different steps: no device shall have all its faults at once. */
	dev->web.drop_seq = ahead;
	dev->e503_seq = ahead * 3;
	dev->cut_seq = ahead * 7;
	dev->stale_seq = ahead * 11;
}

bool device_asleep(struct device *dev)
{
	uint64_t now = sim_now(dev->sim);

	if (!dev->knobs.me_sleep_drop)
		return false;
	if (!dev->web.last_seen || now - dev->web.last_seen >= dev->knobs.me_sleep_ms)
		dev->sleep_dropped = 0;
	dev->web.last_seen = now;
	if (dev->sleep_dropped >= dev->knobs.me_sleep_drop)
		return false;
	dev->sleep_dropped++;
	return true;
}

void device_uuid_text(const struct device *dev, char out[UUID_TEXT])
{
	/* The first three groups of the 16 bytes are little endian. */
	static const uint8_t order[] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

	uint8_t uuid[16];

	for (size_t i = 0; i < 16; i++)
		uuid[i] = dev->uuid[order[i]];
	uuid_text(uuid, out);
}

void device_json_identity(const struct device *dev, struct buf *out)
{
	char uuid[UUID_TEXT];

	device_uuid_text(dev, uuid);
	web_device_json(&dev->web, out);
	redir_json_identity(dev, out);
	if (dev->rmcp_port)
		json_member_number(out, "rmcp_port", dev->rmcp_port);
	json_member_text(out, "realm", dev->realm);
	json_member_text(out, "uuid", uuid);
}

static void state(struct device *dev, struct buf *out)
{
	unsigned shown = power_shown(dev);

	json_member_number(out, "power", dev->power.state);
	json_member_text(out, "power_word", power_word(dev->power.state));
	json_member_number(out, "power_shown", shown);
	json_member_bool(out, "changing", dev->power.changing);
	json_member_number(out, "os_saving", dev->power.os_saving);
	json_member_number(out, "boots", dev->boot.boots);
	json_member_text(out, "last_boot", dev->boot.last);
	json_member_text(out, "last_url", dev->boot.last_url);
	json_member_text(out, "last_image", dev->boot.last_image);
	json_member_bool(out, "last_sol", dev->boot.last_sol);
}

static void boot_state(const struct device *dev, struct buf *out)
{
	char scratch[16];

	json_member_number(out, "boot_service_state", boot_service_state(dev));
	json_member_bool(out, "role_armed", dev->boot.armed);
	json_member_text(out, "armed", dev->boot.armed ? boot_armed_word(&dev->boot) : NULL);
	json_member_text(out, "source", dev->boot.source ? dev->boot.source->id : NULL);
	json_member(out, "boot_settings");
	buf_char(out, '{');
	for (size_t i = 0; boot_field_at(i); i++) {
		const struct boot_field *f = boot_field_at(i);

		if (boot_has_field(dev, f))
			json_member_text(out, f->name, boot_field_value(dev, f, scratch));
	}
	buf_char(out, '}');
}

static void consent_state(struct device *dev, struct buf *out)
{
	json_member_number(out, "optin_required", optin_required(dev));
	json_member_number(out, "optin_state", optin_state(dev));
	json_member(out, "optin_code");
	if (dev->optin.state)
		buf_fmt(out, "\"%06u\"", dev->optin.code);
	else
		buf_text(out, "null");
}

uint32_t device_calls(const struct device *dev)
{
	return dev->logged;
}

void device_json_call(const struct device *dev, uint32_t i, struct buf *out)
{
	buf_char(out, '"');
	classes_log_name(dev->log[i], out);
	buf_char(out, '"');
}

void device_json(struct device *dev, struct buf *out)
{
	state(dev, out);
	boot_state(dev, out);
	consent_state(dev, out);
	redir_json(dev, out);
	kvm_json(dev, out);
	json_member_bool(out, "unprovisioned", dev->unprovisioned);
	json_member_number(out, "commits", dev->store ? dev->store->commits : 0);
	json_member_number(out, "connections_open", dev->web.connections_open);
}

void device_json_brief(struct device *dev, struct buf *out)
{
	state(dev, out);
	json_member_number(out, "requests", dev->counters.requests);
}
