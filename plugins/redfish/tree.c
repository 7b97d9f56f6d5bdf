/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <powerctl/parse.h>

#define TEXT_MAX 500

/* A text of the service's, one line of bounded length. */
static void set_text(struct pctl_value *map, const char *key, const char *text)
{
	char line[TEXT_MAX + 1] = "";
	size_t n = 0;

	for (; text && *text && n < TEXT_MAX; text++) {
		bool control = (unsigned char)*text < ' ' || *text == 0x7f;
		line[n++] = (char)(control ? ' ' : *text);
	}
	/* Not within a character of several bytes. */
	while (text && (*text & 0xc0) == 0x80 && n && (line[n - 1] & 0x80))
		if ((line[--n] & 0xc0) == 0xc0)
			break;
	while (n && line[n - 1] == ' ')
		n--;
	line[n] = '\0';
	if (*line)
		pctl_value_set_text(map, key, line);
}

struct field {
	const char *key, *place;
};

static void copy(struct pctl_value *map, const json_t *doc, const struct field *fields)
{
	for (; fields->key; fields++)
		if (!pctl_value_get(map, fields->key))
			set_text(map, fields->key, doc_text(doc, fields->place));
}

static void set_nonempty(struct pctl_value *map, const char *key, struct pctl_value *take_v)
{
	if (pctl_value_count(take_v))
		pctl_value_set(map, key, take_v);
	else
		pctl_value_free(take_v);
}

/* --- info. ------------------------------------------------------------------------------------ */

static const struct field policies[] = {
	{ "always-off", "AlwaysOff" },
	{ "previous", "LastState" },
	{ "always-on", "AlwaysOn" },
	{ NULL, NULL },
};

const char *tree_policy(const char *redfish_word)
{
	for (const struct field *p = policies; redfish_word && p->key; p++)
		if (strcmp(p->place, redfish_word) == 0)
			return p->key;
	return NULL;
}

const char *tree_policy_word(const char *name)
{
	for (const struct field *p = policies; name && p->key; p++)
		if (strcmp(p->key, name) == 0)
			return p->place;
	return NULL;
}

static void add_console(
	struct pctl_value *list, const json_t *serial, const char *place, const char *protocol)
{
	const json_t *one = doc_at(serial, place);

	if (!doc_is_true(one, "ServiceEnabled"))
		return;
	struct pctl_value *map = pctl_value_new_map();
	pctl_value_set_text(map, "protocol", protocol);
	if (json_is_integer(doc_at(one, "Port")))
		pctl_value_set_int(map, "port", json_integer_value(doc_at(one, "Port")));
	set_text(map, "command", doc_text(one, "ConsoleEntryCommand"));
	pctl_value_add(list, map);
}

static const char *health_word(const char *health)
{
	static const struct field words[] = { { "ok", "OK" }, { "warning", "Warning" },
		{ "critical", "Critical" }, { NULL, NULL } };

	for (const struct field *w = words; health && w->key; w++)
		if (strcasecmp(w->place, health) == 0)
			return w->key;
	return NULL;
}

void tree_info(const json_t *root, const json_t *host, bool tls, struct pctl_value *ret)
{
	static const struct field of_root[] = { { "vendor", "Vendor" }, { "product", "Product" },
		{ "redfish_version", "RedfishVersion" }, { NULL, NULL } };
	static const struct field of_system[] = { { "hostname", "HostName" }, { "system", "Id" },
		{ NULL, NULL } };
	struct pctl_value *consoles = pctl_value_new_list();
	struct pctl_value *security = pctl_value_new_map();
	const json_t *serial = doc_at(host, "SerialConsole");
	const char *health = doc_text(host, "Status/HealthRollup");
	char uuid[37];

	copy(ret, root, of_root);
	copy(ret, host, of_system);
	if (doc_uuid(doc_text(host, "UUID"), uuid))
		pctl_value_set_text(ret, "uuid", uuid);
	pctl_value_set_text(
		ret, "health", health_word(health ? health : doc_text(host, "Status/Health")));
	pctl_value_set_text(ret, "power_policy", tree_policy(doc_text(host, "PowerRestorePolicy")));
	add_console(consoles, serial, "SSH", "ssh");
	add_console(consoles, serial, "Telnet", "telnet");
	add_console(consoles, serial, "IPMI", "ipmi");
	set_nonempty(ret, "serial_console", consoles);
	pctl_value_set_bool(security, "tls", tls);
	pctl_value_set(ret, "security", security);
	if (doc_text(host, "BiosVersion")) {
		struct pctl_value *firmware = pctl_value_new_map();
		set_text(firmware, "bios", doc_text(host, "BiosVersion"));
		pctl_value_set(ret, "firmware", firmware);
	}
}

/* Which kinds of consoles a manager has, where the system does not tell more. */
static void add_kinds(struct pctl_value *ret, const char *key, const json_t *console)
{
	struct pctl_value *list = pctl_value_new_list();
	const json_t *kind;
	size_t i;
	char word[40];

	json_array_foreach(doc_at(console, "ConnectTypesSupported"), i, kind)
	{
		const char *text = json_string_value(kind);
		struct pctl_value *map = pctl_value_new_map();

		for (size_t c = 0; c < sizeof(word); c++)
			word[c] = '\0';
		for (size_t c = 0; text && text[c] && c + 1 < sizeof(word); c++)
			word[c] =
				(char)(text[c] >= 'A' && text[c] <= 'Z' ? text[c] | 0x20 : text[c]);
		set_text(map, "protocol", word);
		if (pctl_value_count(map) && doc_is_true(console, "ServiceEnabled"))
			pctl_value_add(list, map);
		else
			pctl_value_free(map);
	}
	if (pctl_value_get(ret, key))
		pctl_value_free(list);
	else
		set_nonempty(ret, key, list);
}

void tree_manager(const json_t *manager, struct pctl_value *ret)
{
	static const struct field of_manager[] = { { "vendor", "Manufacturer" },
		{ "product", "Model" }, { NULL, NULL } };
	struct pctl_value *firmware = pctl_value_get(ret, "firmware");

	copy(ret, manager, of_manager);
	if (doc_text(manager, "FirmwareVersion")) {
		if (!firmware) {
			firmware = pctl_value_new_map();
			pctl_value_set(ret, "firmware", firmware);
		}
		set_text(firmware, "version", doc_text(manager, "FirmwareVersion"));
	}
	add_kinds(ret, "serial_console", doc_at(manager, "SerialConsole"));
	add_kinds(ret, "graphical_console", doc_at(manager, "GraphicalConsole"));
}

/* --- hardware. -------------------------------------------------------------------------------- */

static const struct field of_thing[] = { { "manufacturer", "Manufacturer" }, { "name", "Model" },
	{ "part_number", "PartNumber" }, { "part_number", "SKU" }, { "serial", "SerialNumber" },
	{ "asset_tag", "AssetTag" }, { "version", "Version" }, { NULL, NULL } };

void tree_product(const json_t *host, struct pctl_value *ret)
{
	struct pctl_value *map = pctl_value_new_map();

	copy(map, host, of_thing);
	set_nonempty(ret, "product", map);
}

void tree_chassis(const json_t *chassis, struct pctl_value *ret)
{
	struct pctl_value *map = pctl_value_new_map();
	char type[64];

	copy(map, chassis, of_thing);
	if (doc_text(chassis, "ChassisType")) {
		doc_words(doc_text(chassis, "ChassisType"), type, sizeof(type));
		pctl_value_set_text(map, "type", type);
	}
	set_nonempty(ret, "chassis", map);
}

static bool is_absent(const json_t *doc)
{
	const char *state = doc_text(doc, "Status/State");

	return state && strcmp(state, "Absent") == 0;
}

struct pctl_value *tree_part(const json_t *doc, const char *type)
{
	static const struct field of_part[] = { { "name", "DeviceLocator" }, { "name", "Socket" },
		{ "name", "Name" }, { "name", "Id" }, { "product", "Model" },
		{ "manufacturer", "Manufacturer" }, { "part_number", "PartNumber" },
		{ "serial", "SerialNumber" }, { "version", "FirmwareVersion" }, { NULL, NULL } };
	static const struct field numbers[] = { { "cores", "TotalCores" },
		{ "threads", "TotalThreads" }, { "size_mib", "CapacityMiB" }, { NULL, NULL } };

	if (is_absent(doc) || !json_is_object(doc))
		return NULL;
	struct pctl_value *map = pctl_value_new_map();
	copy(map, doc, of_part);
	pctl_value_set_text(map, "type", type);
	for (const struct field *f = numbers; f->key; f++)
		if (json_is_integer(doc_at(doc, f->place)))
			pctl_value_set_int(map, f->key, json_integer_value(doc_at(doc, f->place)));
	return map;
}

struct pctl_value *tree_firmware(const json_t *doc)
{
	static const struct field fields[] = { { "name", "Name" }, { "name", "Id" },
		{ "version", "Version" }, { "manufacturer", "Manufacturer" }, { NULL, NULL } };

	if (!doc_text(doc, "Version"))
		return NULL;
	struct pctl_value *map = pctl_value_new_map();
	copy(map, doc, fields);
	return map;
}

/* --- sensors. --------------------------------------------------------------------------------- */

struct threshold {
	const char *key, *old_place, *place;
};

static const struct threshold thresholds[] = {
	{ "lower_warning", "LowerThresholdNonCritical", "Thresholds/LowerCaution/Reading" },
	{ "lower_critical", "LowerThresholdCritical", "Thresholds/LowerCritical/Reading" },
	{ "lower_fatal", "LowerThresholdFatal", "Thresholds/LowerFatal/Reading" },
	{ "upper_warning", "UpperThresholdNonCritical", "Thresholds/UpperCaution/Reading" },
	{ "upper_critical", "UpperThresholdCritical", "Thresholds/UpperCritical/Reading" },
	{ "upper_fatal", "UpperThresholdFatal", "Thresholds/UpperFatal/Reading" },
};

static void set_thresholds(struct pctl_value *map, const json_t *doc)
{
	struct pctl_value *found = pctl_value_new_map();
	char number[40];

	for (size_t i = 0; i < sizeof(thresholds) / sizeof(thresholds[0]); i++)
		if (doc_number(doc, thresholds[i].old_place, number, sizeof(number)) ||
			doc_number(doc, thresholds[i].place, number, sizeof(number)))
			pctl_value_set_text(found, thresholds[i].key, number);
	set_nonempty(map, "thresholds", found);
}

static const char *state_of(const json_t *doc)
{
	const char *health = health_word(doc_text(doc, "Status/Health"));

	if (is_absent(doc))
		return "absent";
	return health ? health : "unknown";
}

/* Units as Redfish writes them (UCUM), and as docs/names.md does; all others stay. */
static const struct field units[] = { { "C", "Cel" }, { "rpm", "RPM" }, { "rpm", "{rev}/min" },
	{ "%", "Percent" }, { "W", "Watts" }, { "V", "Volts" }, { "A", "Amps" }, { NULL, NULL } };

static void set_unit(struct pctl_value *map, const char *unit)
{
	for (const struct field *u = units; unit && u->key; u++)
		if (strcasecmp(u->place, unit) == 0)
			unit = u->key;
	set_text(map, "unit", unit);
}

static struct pctl_value *begin_sensor(const json_t *doc, const char *type, const char *reading)
{
	struct pctl_value *map = pctl_value_new_map();
	const char *name = doc_text(doc, "Name");
	char number[40];

	if (!name)
		name = doc_text(doc, "FanName");
	set_text(map, "name", name ? name : doc_text(doc, "MemberId"));
	pctl_value_set_text(map, "type", type);
	if (!is_absent(doc) && doc_number(doc, reading, number, sizeof(number)))
		pctl_value_set_text(map, "value", number);
	return map;
}

struct pctl_value *tree_sensor(const json_t *doc)
{
	static const struct field types[] = { { "fan", "Rotational" }, { "energy", "EnergyJoules" },
		{ "energy", "EnergykWh" }, { "energy", "EnergyWh" }, { "fan", "Fan" },
		{ NULL, NULL } };
	const char *type = doc_text(doc, "ReadingType");
	char words[64] = "other";

	if (!doc_text(doc, "Name") || (!type && !doc_at(doc, "Reading")))
		return NULL;
	if (type)
		doc_words(type, words, sizeof(words));
	for (const struct field *t = types; type && t->key; t++)
		if (strcmp(t->place, type) == 0)
			(void)snprintf(words, sizeof(words), "%s", t->key);
	struct pctl_value *map = begin_sensor(doc, words, "Reading");
	set_unit(map, doc_text(doc, "ReadingUnits"));
	pctl_value_set_text(map, "state", state_of(doc));
	set_thresholds(map, doc);
	return map;
}

struct old_list {
	const char *list, *type, *reading, *unit; /* unit: NULL: in ReadingUnits */
};

static void add_old(const json_t *doc, const struct old_list *l, struct pctl_value *sensors)
{
	const json_t *one;
	size_t i;

	json_array_foreach(doc_at(doc, l->list), i, one)
	{
		if (!doc_at(one, l->reading) && !doc_text(one, "Name"))
			continue;
		struct pctl_value *map = begin_sensor(one, l->type, l->reading);
		const char *unit = doc_text(one, "ReadingUnits");
		set_unit(map, l->unit ? l->unit : unit ? unit : "RPM");
		pctl_value_set_text(map, "state", state_of(one));
		set_thresholds(map, one);
		pctl_value_add(sensors, map);
	}
}

void tree_thermal(const json_t *doc, struct pctl_value *sensors)
{
	static const struct old_list lists[] = { { "Temperatures", "temperature", "ReadingCelsius",
							 "C" },
		{ "Fans", "fan", "Reading", NULL } };

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		add_old(doc, &lists[i], sensors);
}

void tree_power(const json_t *doc, struct pctl_value *sensors)
{
	static const struct old_list lists[] = { { "Voltages", "voltage", "ReadingVolts", "V" },
		{ "PowerControl", "power", "PowerConsumedWatts", "W" } };

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		add_old(doc, &lists[i], sensors);
}

/* --- log. ------------------------------------------------------------------------------------- */

struct pctl_value *tree_event(const json_t *entry)
{
	struct pctl_value *map = pctl_value_new_map();
	const char *severity = doc_text(entry, "Severity");
	const char *code = doc_text(entry, "EntryCode");
	const char *sensor = doc_text(entry, "SensorType");
	char time[DOC_TIME_SIZE], words[64];

	set_text(map, "id", doc_text(entry, "Id"));
	if (doc_time(doc_text(entry, "Created"), time))
		pctl_value_set_text(map, "time", time);
	severity = health_word(severity);
	pctl_value_set_text(map, "severity", severity ? severity : "unknown");
	if (sensor) {
		doc_words(sensor, words, sizeof(words));
		pctl_value_set_text(map, "sensor_type", words);
	}
	set_text(map, "event", doc_text(entry, "Message"));
	if (!pctl_value_get(map, "event"))
		set_text(map, "event", doc_text(entry, "MessageId"));
	if (!pctl_value_get(map, "event"))
		set_text(map, "event", doc_text(entry, "Name"));
	if (code && (strcmp(code, "Assert") == 0 || strcmp(code, "Deassert") == 0))
		pctl_value_set_bool(map, "asserted", strcmp(code, "Assert") == 0);
	return map;
}

static const char *text_at(const struct pctl_value *event, const char *key)
{
	const char *text = pctl_value_text(pctl_value_get(event, key));

	return text ? text : "";
}

/* Times where both have one and they differ, else the numbers that ids most often are. */
static int compare(const struct pctl_value *a, const struct pctl_value *b)
{
	const char *ta = text_at(a, "time"), *tb = text_at(b, "time");
	uint64_t na, nb;
	int r = *ta && *tb ? strcmp(ta, tb) : 0;

	if (r)
		return r;
	if (pctl_parse_uint(text_at(a, "id"), UINT64_MAX, &na) < 0 ||
		pctl_parse_uint(text_at(b, "id"), UINT64_MAX, &nb) < 0)
		return 0;
	return (na > nb) - (na < nb);
}

struct pctl_value *tree_in_order(struct pctl_value *take_events)
{
	size_t n = pctl_value_count(take_events);

	if (n < 2 || compare(pctl_value_at(take_events, 0), pctl_value_at(take_events, n - 1)) <= 0)
		return take_events;
	struct pctl_value *ordered = pctl_value_new_list();
	while (n--)
		pctl_value_add(ordered, pctl_value_copy(pctl_value_at(take_events, n)));
	pctl_value_free(take_events);
	return ordered;
}

static void cursor_of(const struct pctl_value *event, char cursor[TREE_CURSOR_SIZE])
{
	(void)snprintf(cursor, TREE_CURSOR_SIZE, "%.150s %.40s", text_at(event, "id"),
		text_at(event, "time"));
}

void tree_new_events(struct pctl_value *take_events, const char *after, struct pctl_value *ret)
{
	size_t n = pctl_value_count(take_events), from = 0;
	struct pctl_value *fresh = pctl_value_new_list();
	char cursor[TREE_CURSOR_SIZE];

	for (size_t i = n; after && i-- && !from;) {
		cursor_of(pctl_value_at(take_events, i), cursor);
		if (strcmp(cursor, after) == 0)
			from = i + 1;
	}
	for (size_t i = from; i < n; i++)
		pctl_value_add(fresh, pctl_value_copy(pctl_value_at(take_events, i)));
	if (n) {
		cursor_of(pctl_value_at(take_events, n - 1), cursor);
		pctl_value_set_text(ret, "cursor", cursor);
	}
	pctl_value_free(take_events);
	pctl_value_set(ret, "events", fresh);
}

/* Of several logs that of the hardware, as makers call it. Others are of logins, or of dumps. */
unsigned tree_log_rank(const json_t *service)
{
	static const struct {
		const char *id;
		unsigned rank;
	} ranks[] = { { "SEL", 9 }, { "IML", 8 }, { "PlatformLog", 8 }, { "EventLog", 7 },
		{ "Log1", 6 }, { "Log", 6 }, { "Event", 5 } };
	static const char *const others[] = { "Dump", "Audit", "PostCode", "Journal", "HostLogger",
		"Security", "Debug", NULL };
	const char *id = doc_text(service, "Id"), *type = doc_text(service, "LogEntryType");

	if (!id || !doc_link(service, "Entries"))
		return 0;
	for (size_t i = 0; others[i]; i++)
		if (strcasestr(id, others[i]))
			return 0;
	for (size_t i = 0; i < sizeof(ranks) / sizeof(ranks[0]); i++)
		if (strcasecmp(id, ranks[i].id) == 0)
			return ranks[i].rank;
	return type && strcmp(type, "SEL") == 0 ? 9 : type && strcmp(type, "Event") == 0 ? 3 : 2;
}
