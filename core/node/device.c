/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "driver/crash.h"
#include "node/core.h"

int pctl_device_open(
	const struct pctl_target *target, struct pctl_device **ret, struct pctl_error *err)
{
	struct pctl_loaded *loaded = target->loaded;
	int r = pctl_core_start(target->core, loaded, err);
	if (r < 0)
		return r;

	struct pctl_device *device = pctl_xcalloc(1, sizeof(*device));
	device->target = target;
	pctl_crash_enter(loaded->name, "open", target->name);
	r = loaded->driver->open(loaded->ctx, device, &device->dev, err);
	pctl_crash_leave();
	if (r < 0) {
		free(device);
		return r;
	}
	*ret = device;
	return 0;
}

struct closing {
	struct pctl_device *device;
	pctl_closed_fn *closed;
	void *data;
};

static void on_closed(void *data)
{
	struct closing c = *(struct closing *)data;

	free(data);
	pctl_channels_free(c.device->channels);
	free(c.device);
	c.closed(c.data);
}

void pctl_device_close(struct pctl_device *device, pctl_closed_fn *closed, void *data)
{
	struct closing *c = pctl_xcalloc(1, sizeof(*c));

	*c = (struct closing){ .device = device, .closed = closed, .data = data };
	pctl_crash_enter(device->target->loaded->name, "close", device->target->name);
	device->target->loaded->driver->close(device->dev, on_closed, c);
	pctl_crash_leave();
}

uv_loop_t *pctl_device_loop(const struct pctl_device *device)
{
	return device->target->core->loop;
}

const char *pctl_device_name(const struct pctl_device *device)
{
	return device->target->name;
}

const char *pctl_device_host(const struct pctl_device *device)
{
	return device->target->address;
}

uint64_t pctl_device_connect_ms(const struct pctl_device *device)
{
	return device->target->connect_ms;
}

uint64_t pctl_device_answer_ms(const struct pctl_device *device)
{
	return device->target->answer_ms;
}

enum pctl_trust pctl_device_trust(const struct pctl_device *device)
{
	return device->target->trust;
}

/* --- Settings. -------------------------------------------------------------------------------- */

const char *pctl_setting_text(const struct pctl_device *device, const char *name)
{
	const struct pctl_setting *s = pctl_settings_at(&device->target->settings, name);

	assert(!(s->property->flags & PCTL_PROPERTY_SECRET));
	return s->text;
}

bool pctl_setting_bool(const struct pctl_device *device, const char *name)
{
	return pctl_settings_number(&device->target->settings, name, PCTL_TYPE_BOOL) != 0;
}

uint64_t pctl_setting_uint(const struct pctl_device *device, const char *name)
{
	return pctl_settings_number(&device->target->settings, name, PCTL_TYPE_UINT);
}

uint64_t pctl_setting_duration(const struct pctl_device *device, const char *name)
{
	return pctl_settings_number(&device->target->settings, name, PCTL_TYPE_DURATION);
}

int pctl_setting_choice(const struct pctl_device *device, const char *name)
{
	return (int)pctl_settings_number(&device->target->settings, name, PCTL_TYPE_CHOICE);
}

uint64_t pctl_setting_flags(const struct pctl_device *device, const char *name)
{
	return pctl_settings_number(&device->target->settings, name, PCTL_TYPE_FLAGS);
}

static const struct pctl_value *texts_of(const struct pctl_device *device, const char *name)
{
	const struct pctl_setting *s = pctl_settings_at(&device->target->settings, name);

	assert(s->property->type == PCTL_TYPE_TEXTS);
	return s->list;
}

size_t pctl_setting_texts(const struct pctl_device *device, const char *name)
{
	return pctl_value_count(texts_of(device, name));
}

const char *pctl_setting_texts_at(const struct pctl_device *device, const char *name, size_t i)
{
	const struct pctl_value *list = texts_of(device, name);

	return i < pctl_value_count(list) ? pctl_value_text(pctl_value_at(list, i)) : NULL;
}

bool pctl_setting_given(const struct pctl_device *device, const char *name)
{
	return pctl_settings_at(&device->target->settings, name)->given;
}

const struct pctl_secret *pctl_setting_secret(const struct pctl_device *device, const char *name)
{
	const struct pctl_setting *s = pctl_settings_at(&device->target->settings, name);

	assert(s->property->flags & PCTL_PROPERTY_SECRET);
	return s->secret;
}

/* --- Facts and pins. -------------------------------------------------------------------------- */

const char *pctl_fact_get(const struct pctl_device *device, const char *key)
{
	if (device->stranger)
		return NULL;
	return pctl_store_get(device->target->core->facts, device->target->endpoint, key);
}

void pctl_fact_put(struct pctl_device *device, const char *key, const char *value)
{
	if (device->stranger)
		return;
	pctl_store_put(device->target->core->facts, device->target->endpoint, key, value);
}

#define LACKS      "core_lacks"
#define LACKS_BOOT "core_lacks_boot"
#define FACT_MAX   200u

static const char *action_word(unsigned i)
{
	return pctl_action_name((enum pctl_action)i);
}

static const char *boot_word(unsigned i)
{
	return pctl_boot_device_name((enum pctl_boot_device)i);
}

static void remember_bits(const struct pctl_target *target, const char *key, uint32_t bits,
	const char *(*word)(unsigned i), unsigned n)
{
	struct pctl_store *facts = target->core->facts;
	const char *known = pctl_store_get(facts, target->machine, key);
	struct pctl_buf words;

	pctl_buf_init(&words, FACT_MAX);
	for (unsigned i = 0; i < n; i++)
		if (bits & 1u << i)
			pctl_buf_addf(&words, "%s%s", words.len ? " " : "", word(i));
	if (strcmp(words.data ? words.data : "", known ? known : "") != 0)
		pctl_store_put(facts, target->machine, key, words.len ? words.data : NULL);
	pctl_buf_done(&words);
}

static uint32_t recall_bits(const struct pctl_target *target, const char *key,
	const char *(*word)(unsigned i), unsigned n)
{
	const char *known = pctl_store_get(target->core->facts, target->machine, key);
	PCTL_AUTO(free) char *text = pctl_xstrdup(known ? known : "");
	char *rest = text;
	uint32_t bits = 0;

	for (char *one; (one = strsep(&rest, " "));)
		for (unsigned i = 0; i < n; i++)
			if (strcmp(one, word(i)) == 0)
				bits |= 1u << i;
	return bits;
}

void pctl_target_remember_lacks(const struct pctl_target *target, uint32_t actions)
{
	remember_bits(target, LACKS, actions & target->loaded->driver->power->actions, action_word,
		PCTL_ACTION_COUNT);
}

uint32_t pctl_target_lacks(const struct pctl_target *target)
{
	return recall_bits(target, LACKS, action_word, PCTL_ACTION_COUNT);
}

void pctl_target_remember_lacks_boot(const struct pctl_target *target, uint32_t devices)
{
	remember_bits(target, LACKS_BOOT, devices & (target->boot_once | target->boot_persistent),
		boot_word, PCTL_BOOT_COUNT);
}

uint32_t pctl_target_lacks_boot(const struct pctl_target *target)
{
	return recall_bits(target, LACKS_BOOT, boot_word, PCTL_BOOT_COUNT);
}

/*
 * A realm of zeros, an unset UUID: many machines have it, so it names none. One that is too long to
 * keep cannot be compared later.
 */
static bool names_none(const char *value)
{
	const char *colon = strrchr(value, ':');
	const char *digits = colon ? colon + 1 : value;

	return digits[strspn(digits, "0-")] == '\0' || strlen(value) >= PCTL_PIN_SIZE;
}

static struct pctl_seen *seen_of(struct pctl_device *device, const char *kind)
{
	for (size_t i = 0; i < device->seen_n; i++)
		if (strcmp(device->seen[i].kind, kind) == 0)
			return &device->seen[i];
	if (device->seen_n == sizeof(device->seen) / sizeof(device->seen[0]))
		return NULL;
	return &device->seen[device->seen_n++];
}

/* What it showed last is what the op that ends well was done with. */
static void remember_later(struct pctl_device *device, const char *kind, const char *value)
{
	struct pctl_seen *seen = seen_of(device, kind);

	if (!seen)
		return;
	(void)snprintf(seen->kind, sizeof(seen->kind), "%s", kind);
	(void)snprintf(seen->value, sizeof(seen->value), "%s", value);
}

/* Whoever answers at the endpoint has these; whatever else is shown names one machine. */
static const char *pin_key(const struct pctl_device *device, const char *kind)
{
	static const char *const of_endpoint[] = { "tls", "realm", NULL };

	return pctl_parse_choice(kind, of_endpoint) >= 0 ? device->target->endpoint
							 : device->target->machine;
}

/* What is not known is not the same as nothing: nobody is trusted for the first time then. */
static int check_pins(struct pctl_store *pins, struct pctl_error *err)
{
	struct pctl_error why = { 0 };
	int r = pctl_store_check(pins, &why);

	return r == 0 ? 0
		      : pctl_error_set(err, r,
				"whether it is the remembered machine cannot be told, and nothing "
				"is sent: %.180s; make that file readable to this user",
				why.text);
}

int pctl_pin_check(
	struct pctl_device *device, const char *kind, const char *value, struct pctl_error *err)
{
	struct pctl_store *pins = device->target->core->pins;
	const char *key = pin_key(device, kind);
	char offered[32];

	if (device->stranger)
		return 0;
	int r = check_pins(pins, err);
	if (r < 0)
		return r;
	(void)snprintf(offered, sizeof(offered), "%s?", kind);
	const char *known = pctl_store_get(pins, key, kind);
	if (known ? strcmp(known, value) == 0 : names_none(value))
		return 0;
	if (!known && !(device->target->trust == PCTL_TRUST_STRICT && strcmp(kind, "tls") == 0)) {
		remember_later(device, kind, value);
		return 0;
	}
	pctl_store_put(pins, key, offered, value);
	/* Which node it is stands before it: a fleet's equal errors fold. */
	if (!known)
		return pctl_error_set(err, PCTL_E_TRUST,
			"no CA vouches for its certificate and it is not known here; "
			"`powerctl trust --accept NODES` trusts it");
	return pctl_error_set(err, PCTL_E_TRUST,
		"%s is not the remembered one: another machine answers, or this one was set up "
		"anew; "
		"`powerctl trust NODES` shows both",
		strcmp(kind, "tls") == 0 ? "its certificate" : "its identity");
}

bool pctl_pin_known(const struct pctl_device *device, const char *kind)
{
	struct pctl_store *pins = device->target->core->pins;

	if (device->stranger)
		return false;
	return pctl_store_check(pins, NULL) < 0 ||
	       pctl_store_get(pins, pin_key(device, kind), kind) != NULL;
}

void pctl_device_settle_pins(struct pctl_device *device, int code)
{
	for (size_t i = 0; code == 0 && i < device->seen_n; i++)
		pctl_store_put(device->target->core->pins, pin_key(device, device->seen[i].kind),
			device->seen[i].kind, device->seen[i].value);
	if (code == 0 || code == PCTL_E_AUTH || code == PCTL_E_TRUST)
		device->seen_n = 0;
}

/* --- Addresses. ------------------------------------------------------------------------------- */

void pctl_device_set_address(struct pctl_device *device, const struct sockaddr *addr)
{
	device->addr_len = addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						       : sizeof(struct sockaddr_in);
	memcpy(&device->addr, addr, device->addr_len);
}

bool pctl_device_needs_resolving(const struct pctl_device *device)
{
	return !device->target->dialer->gateway && !device->addr_len && *device->target->address &&
	       device->target->loaded->driver->default_port;
}

int pctl_dial(
	struct pctl_device *device, uint16_t port, struct pctl_dial *ret, struct pctl_error *err)
{
	return device->target->dialer->dial(device, port, ret, err);
}

int pctl_device_datagram_address(struct pctl_device *device, uint16_t port,
	struct sockaddr_storage *ret_addr, socklen_t *ret_len, struct pctl_error *err)
{
	struct pctl_dial dial;

	if (device->target->dialer != &pctl_dial_direct)
		return pctl_error_set(err, PCTL_E_UNSUPPORTED,
			"%s carries no datagrams, and driver %s needs them; nothing was sent",
			device->target->via ? device->target->via->text : "this channel",
			device->target->loaded->driver->name);
	int r = pctl_dial_direct.dial(device, port, &dial, err);
	if (r < 0)
		return r;
	*ret_addr = dial.addr;
	*ret_len = dial.addr_len;
	return 0;
}

int pctl_dial_error(const struct pctl_device *device, int fd, struct pctl_error *err)
{
	return pctl_channel_error(device->channels, fd, err);
}
