/* SPDX-License-Identifier: Apache-2.0 */
#include "logs.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim.h"

enum {
	APP_SECURITY = 16,
	APP_REMOTE_CONTROL = 17,
	APP_AUDIT_LOG = 20,
	APP_EVENT_MANAGER = 24,
	SENSOR_LOGIN = 6,
	SENSOR_FIRMWARE = 15,
	SEEDED_AUDITS_FROM = 1700000000,
};

/* As they were recorded: two of a start in one second, and ten logins that were refused. */
static const uint8_t recorded_events[][LOGS_EVENT] = {
	{ 0x22, 0x06, 0x01, 0x65, 0xff, 0x0f, 0x6f, 0x02, 0x68, 0x01, 0xff, 0x22, 0x00, 0x40,
		0x07 },
	{ 0x22, 0x06, 0x01, 0x65, 0xff, 0x0f, 0x6f, 0x02, 0x68, 0x01, 0xff, 0x22, 0x00, 0x40,
		0x07 },
	{ 0x63, 0xc8, 0x98, 0x65, 0xff, 0x06, 0x6f, 0x05, 0x68, 0x10, 0xff, 0x26, 0x61, 0xaa,
		0x0a },
};

/* A firmware update, made while the clock was not set. */
static const uint8_t recorded_audit[] = { 0x00, 0x13, 0x00, 0x00, 0x02, 0x3f, 0xf4, 0xcd, 0x6e,
	0x02, 0x00, 0x10, 0x00, 0x0c, 0x00, 0x00, 0x00, 0x28, 0x05, 0x99, 0x00, 0x0c, 0x00, 0x00,
	0x00, 0x24, 0x05, 0x94 };

/* Room for one more. */
static void *grow(void *array, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return array;
	*cap = *cap ? *cap * 2 : 8;
	void *more = xcalloc(*cap, size);
	if (n)
		memcpy(more, array, n * size);
	free(array);
	return more;
}

static void add_event(struct logs *l, const uint8_t bytes[LOGS_EVENT])
{
	if (l->nevents == LOGS_EVENTS_MAX)
		memmove(l->events, l->events + 1, --l->nevents * LOGS_EVENT);
	l->events = grow(l->events, l->nevents, &l->events_cap, LOGS_EVENT);
	memcpy(l->events[l->nevents++], bytes, LOGS_EVENT);
}

static struct audit_record *new_audit(struct logs *l)
{
	l->audits = grow(l->audits, l->naudits, &l->audits_cap, sizeof(*l->audits));
	return &l->audits[l->naudits++];
}

static void put(struct audit_record *a, const void *bytes, size_t n)
{
	memcpy(a->bytes + a->n, bytes, n);
	a->n = (uint8_t)(a->n + n);
}

/* By the account, over the network. */
static void add_audit(struct logs *l, unsigned app, unsigned event, uint32_t when)
{
	static const char user[] = "admin", from[] = "127.0.0.1";
	struct audit_record *a = new_audit(l);
	const uint8_t head[] = { (uint8_t)(app >> 8), (uint8_t)app, (uint8_t)(event >> 8),
		(uint8_t)event, 0, sizeof(user) - 1 };
	const uint8_t tail[] = { (uint8_t)(when >> 24), (uint8_t)(when >> 16), (uint8_t)(when >> 8),
		(uint8_t)when, 0, sizeof(from) - 1 };

	a->n = 0;
	put(a, head, sizeof(head));
	put(a, user, sizeof(user) - 1);
	put(a, tail, sizeof(tail));
	put(a, from, sizeof(from) - 1);
	put(a, "", 1);
}

static struct logs *fill(struct device *dev)
{
	struct logs *l = &dev->logs;

	if (l->filled)
		return l;
	l->filled = true;
	for (size_t i = 0; i < COUNT(recorded_events); i++)
		add_event(l, recorded_events[i]);
	for (uint32_t i = 0; i < dev->knobs.audits; i++) {
		if (i == 0) {
			struct audit_record *a = new_audit(l);

			a->n = 0;
			put(a, recorded_audit, sizeof(recorded_audit));
		} else {
			add_audit(l, APP_REMOTE_CONTROL, i % 4, SEEDED_AUDITS_FROM + i * 60);
		}
	}
	return l;
}

const struct logs *logs_of(struct device *dev)
{
	return fill(dev);
}

void logs_done(struct device *dev)
{
	free(dev->logs.events);
	free(dev->logs.audits);
	memset(&dev->logs, 0, sizeof(dev->logs));
}

static void add_now(struct logs *l, uint8_t sensor, uint8_t offset, uint8_t severity,
	uint8_t entity, uint8_t data0, uint8_t data1)
{
	uint32_t now = (uint32_t)time(NULL);
	const uint8_t bytes[LOGS_EVENT] = { (uint8_t)now, (uint8_t)(now >> 8), (uint8_t)(now >> 16),
		(uint8_t)(now >> 24), 0xff, sensor, 0x6f, offset, 0x68, severity, 0xff, entity, 0,
		data0, data1 };

	add_event(l, bytes);
}

static void add_start(struct logs *l)
{
	add_now(l, SENSOR_FIRMWARE, 2, 1, 34, 0x40, 19);
}

void logs_note_power(struct device *dev, unsigned action)
{
	static const uint8_t events[18] = {
		[2] = 0, [4] = 7, [5] = 2, [7] = 8, [8] = 1, [10] = 3, [11] = 9, [12] = 5, [14] = 6
	};
	struct logs *l = fill(dev);

	if (action >= COUNT(events))
		return;
	add_audit(l, APP_REMOTE_CONTROL, events[action], (uint32_t)time(NULL));
	if (action == 2 || action == 5 || action == 10 || action == 14)
		add_start(l);
}

void logs_note_login(struct device *dev)
{
	struct logs *l = fill(dev);

	add_now(l, SENSOR_LOGIN, 5, 16, 38, 0xaa, 1);
	add_audit(l, APP_SECURITY, 5, (uint32_t)time(NULL));
}

void logs_note_recovery(struct device *dev, bool error, unsigned what, unsigned option)
{
	uint32_t now = (uint32_t)time(NULL);
	const uint8_t bytes[LOGS_EVENT] = { (uint8_t)now, (uint8_t)(now >> 8), (uint8_t)(now >> 16),
		(uint8_t)(now >> 24), 0xff, SENSOR_FIRMWARE, 0x6f, error ? 3 : 5, 0x68,
		error ? 8 : 1, 0xff, 34, 0, 0xaa, 0x30, (uint8_t)what, (uint8_t)option };

	add_event(fill(dev), bytes);
}

void logs_add_starts(struct device *dev, unsigned n)
{
	struct logs *l = fill(dev);

	while (n--)
		add_start(l);
}

void logs_clear_events(struct device *dev)
{
	struct logs *l = fill(dev);

	l->nevents = 0;
	add_audit(l, APP_EVENT_MANAGER, 2, (uint32_t)time(NULL));
}

void logs_clear_audits(struct device *dev)
{
	struct logs *l = fill(dev);

	l->naudits = 0;
	add_audit(l, APP_AUDIT_LOG, 0, (uint32_t)time(NULL));
}
