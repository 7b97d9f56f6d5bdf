/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include <stdio.h>

#include "sim.h"

/* Messages of the made-up entries. */
static const struct {
	const char *severity;
	const char *text;
	const char *id;
	const char *sensor;
	int number;
} made[] = {
	{ "OK", "Log area cleared", "LogCleared", "Event Logging Disabled", 1 },
	{ "Warning", "Fan 1 below its lower threshold", "FanLow", "Fan", 17 },
	{ "Critical", "Power supply 2 lost its input", "PowerInputLost", "Power Supply", 33 },
	{ "OK", "Power supply 2 has its input again", "PowerInputBack", "Power Supply", 33 },
	{ "Warning", "Corrected memory error at DIMM A1", "MemoryCorrected", "Memory", 65 },
};

static uint32_t made_up(const struct host *sys)
{
	return sys->events.cleared ? 0 : sys->dev->knobs.log_entries;
}

static uint32_t kept(const struct host *sys)
{
	return sys->events.added < EVENTS_KEPT ? sys->events.added : EVENTS_KEPT;
}

void event_add(struct host *sys, const char *text)
{
	struct events *e = &sys->events;

	e->ring[e->added++ % EVENTS_KEPT] = (struct event){ time(NULL), text };
}

void events_clear(struct host *sys)
{
	sys->events = (struct events){ .cleared = true };
}

uint32_t events_count(const struct host *sys)
{
	return made_up(sys) + kept(sys);
}

static json_t *entry(uint32_t index, const char *when, const char *severity, const char *text)
{
	char id[16];

	snprintf(id, sizeof(id), "%u", index + 1);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "@odata.type",
		"#LogEntry.v1_10_0.LogEntry", "Id", id, "Name", "Log Entry", "EntryType", "SEL",
		"Created", when, "Severity", severity, "Message", text);
}

json_t *events_entry(const struct host *sys, uint32_t index)
{
	uint32_t first = sys->events.added - kept(sys);
	char when[40];

	if (index < made_up(sys)) {
		size_t which = index % COUNT(made);

		snprintf(when, sizeof(when), "2026-01-%02uT%02u:%02u:00+00:00",
			index / 1440 % 28 + 1, index / 60 % 24, index % 60);

		json_t *doc = entry(index, when, made[which].severity, made[which].text);

		json_object_set_new(doc, "MessageId", json_string(made[which].id));
		json_object_set_new(doc, "SensorType", json_string(made[which].sensor));
		json_object_set_new(doc, "SensorNumber", json_integer(made[which].number));
		return doc;
	}

	const struct event *e = &sys->events.ring[(first + index - made_up(sys)) % EVENTS_KEPT];
	struct tm tm;

	gmtime_r(&e->at, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S+00:00", &tm);
	return entry(index, when, "OK", e->text);
}
