/* SPDX-License-Identifier: Apache-2.0 */
/* ComputerSystem: state, settings, Reset. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "resources.h"
#include "sim.h"
#include "system.h"

static const char led_words[] = "Off Lit Blinking";
static const char policy_words[] = "AlwaysOff AlwaysOn LastState";

static void system_id(const struct call *c, uint32_t i, char *out, size_t size)
{
	profile_id(c->p->system_name, i, out, size);
}

void get_systems(struct call *c)
{
	collection(c, "ComputerSystemCollection", "Computer System Collection", c->dev->nsystems,
		system_id, NULL);
}

static uint64_t hash(uint64_t h, const char *text)
{
	for (; *text; text++)
		h = (h ^ (uint8_t)*text) * 0x100000001B3ULL;
	return h;
}

static enum etag_kind etag_kind(const struct call *c)
{
	static const enum etag_kind own[] = { ETAG_NONE, ETAG_NONE, ETAG_STRONG, ETAG_WEAK,
		ETAG_BODY };
	uint32_t knob = c->dev->knobs.etag;

	return knob ? own[knob] : c->p->etag;
}

/* Of what can be set; of everything where the service does so. */
static uint64_t state_hash(struct call *c, const json_t *doc)
{
	const struct host *sys = c->sys;
	uint64_t h = 0xCBF29CE484222325ULL;

	if (etag_kind(c) == ETAG_BODY) {
		char *text = json_dumps(doc, JSON_COMPACT);

		h = hash(h, text ? text : "");
		free(text);
		return h;
	}
	h = hash(h, sys->boot.target);
	h = hash(h, sys->boot.url ? sys->boot.url : "");
	h = hash(h, sys->asset_tag);
	h = (h ^ sys->boot.enabled) * 0x100000001B3ULL;
	h = (h ^ sys->boot.mode) * 0x100000001B3ULL;
	h = (h ^ sys->led) * 0x100000001B3ULL;
	return (h ^ sys->policy) * 0x100000001B3ULL;
}

void system_etag(struct call *c, json_t *doc)
{
	enum etag_kind kind = etag_kind(c);

	if (kind == ETAG_NONE || c->sys == NULL)
		return;
	snprintf(c->etag, sizeof(c->etag), "%s\"%016llX\"", kind == ETAG_WEAK ? "W/" : "",
		(unsigned long long)state_hash(c, doc));
	if (kind != ETAG_BODY)
		json_object_set_new(doc, "@odata.etag", json_string(c->etag));
}

static struct str without_weak(struct str tag)
{
	if (str_starts(tag, "W/")) {
		tag.p += 2;
		tag.n -= 2;
	}
	return tag;
}

static bool same_etag(const struct call *c, struct str given)
{
	struct str own = str_of(c->etag);

	if (str_is(given, "*") || str_eq(given, own))
		return true;
	return !(c->p->quirks & QUIRK_STRICT_ETAG) &&
	       str_eq(without_weak(given), without_weak(own));
}

bool system_match(struct call *c, json_t *doc)
{
	struct str given;
	bool there = http_request_field(c->request, "If-Match", &given);

	system_etag(c, doc);
	json_decref(doc);
	if (!there && (c->p->quirks & QUIRK_NEED_ETAG) && c->etag[0]) {
		c->etag[0] = '\0';
		call_fail(c, 428, "PreconditionRequired",
			"A precondition header or annotation is required to change this resource.");
		return false;
	}
	if (there && c->etag[0] &&
		(!same_etag(c, given) || web_every(c->dev->knobs.etag_every, &c->dev->etag_seq))) {
		c->etag[0] = '\0';
		call_fail(c, 412, "PreconditionFailed",
			"The ETag supplied did not match the ETag required to change this "
			"resource.");
		return false;
	}
	c->etag[0] = '\0';
	return true;
}

void system_lights(const struct call *c, json_t *doc)
{
	char word[16];

	if ((c->p->quirks & QUIRK_LED) && word_at(led_words, c->sys->led, word, sizeof(word)))
		json_object_set_new(doc, "IndicatorLED", json_string(word));
	if (c->p->quirks & QUIRK_LOCATION)
		json_object_set_new(doc, "LocationIndicatorActive", json_boolean(c->sys->led));
}

static void add_actions(const struct call *c, const char *id, json_t *doc)
{
	char target[CALL_PATH], info[CALL_PATH];
	json_t *reset;

	call_uri(c, target, "Systems/%s/Actions/ComputerSystem.Reset", id);
	call_uri(c, info, "Systems/%s/ResetActionInfo", id);
	reset = json_pack("{s:s}", "target", target);
	if (c->p->quirks & QUIRK_ACTION_INFO)
		json_object_set_new(reset, "@Redfish.ActionInfo", json_string(info));
	else
		json_object_set_new(
			reset, "ResetType@Redfish.AllowableValues", call_words(c->p->resets));
	json_object_set_new(doc, "Actions", json_pack("{s:o}", "#ComputerSystem.Reset", reset));
}

static void add_identity(const struct call *c, json_t *doc)
{
	char uuid[UUID_TEXT], serial[24];

	uuid_text(c->sys->uuid, uuid);
	snprintf(serial, sizeof(serial), "SN%02X%02X%02X%02X", c->sys->uuid[0], c->sys->uuid[1],
		c->sys->uuid[2], c->sys->uuid[3]);
	json_object_set_new(doc, "SystemType", json_string("Physical"));
	json_object_set_new(doc, "Manufacturer", json_string(c->p->manufacturer));
	json_object_set_new(doc, "Model", json_string(c->p->model));
	json_object_set_new(doc, "SerialNumber", json_string(serial));
	json_object_set_new(doc, "SKU", json_string("8675309"));
	json_object_set_new(doc, "PartNumber", json_string("224071-J23"));
	json_object_set_new(doc, "AssetTag", json_string(c->sys->asset_tag));
	json_object_set_new(doc, "UUID", json_string(uuid));
	json_object_set_new(doc, "BiosVersion", json_string("2.14.2"));
	json_object_set_new(doc, "ProcessorSummary",
		json_pack("{s:i, s:s}", "Count", 2, "Model", "Multi-Core Stand-in Processor"));
	json_object_set_new(doc, "MemorySummary", json_pack("{s:i}", "TotalSystemMemoryGiB", 64));
}

static void add_links(const struct call *c, const char *id, json_t *doc)
{
	static const char *const parts[] = { "Processors", "Memory", "EthernetInterfaces" };
	char chassis[CALL_ITEM];

	profile_id(c->p->chassis, c->sys->n, chassis, sizeof(chassis));
	for (size_t i = 0; i < COUNT(parts); i++)
		json_object_set_new(doc, parts[i], call_ref(c, "Systems/%s/%s", id, parts[i]));
	if (c->p->log_place == LOG_OF_SYSTEM)
		json_object_set_new(doc, "LogServices", call_ref(c, "Systems/%s/LogServices", id));
	if (c->p->quirks & QUIRK_SYSTEM_MEDIA)
		json_object_set_new(
			doc, "VirtualMedia", call_ref(c, "Systems/%s/VirtualMedia", id));
	json_object_set_new(doc, "Links",
		json_pack("{s:[o], s:[o]}", "Chassis", call_ref(c, "Chassis/%s", chassis),
			"ManagedBy", call_ref(c, "Managers/%s", c->p->manager)));
}

const char *const healths[] = { "OK", "Warning", "Critical" };

static void add_state(const struct call *c, json_t *doc)
{
	const char *shown = power_shown(c->sys);
	char word[16];

	json_object_set_new(doc, "PowerState", shown ? json_string(shown) : json_null());
	json_object_set_new(doc, "Status",
		json_pack("{s:s, s:s, s:s}", "State",
			c->sys->power.state == POWER_OFF ? "Disabled" : "Enabled", "Health", "OK",
			"HealthRollup", healths[c->dev->knobs.health]));
	if (c->p->quirks & QUIRK_RESTORE_POLICY &&
		word_at(policy_words, c->sys->policy, word, sizeof(word)))
		json_object_set_new(doc, "PowerRestorePolicy", json_string(word));
	if (c->p->quirks & QUIRK_SENSORS)
		json_object_set_new(doc, "SerialConsole",
			json_pack("{s:i, s:{s:b, s:i, s:s, s:s}}", "MaxConcurrentSessions", 1,
				"SSH", "ServiceEnabled", (int)c->dev->knobs.console, "Port",
				c->dev->knobs.ssh_port ? (int)c->dev->knobs.ssh_port : 2200,
				"ConsoleEntryCommand", "start /console1", "HotKeySequenceDisplay",
				"Press ^] and then q"));
	system_lights(c, doc);
}

static json_t *document(struct call *c)
{
	char id[CALL_ITEM];
	json_t *doc;

	system_id(c, c->sys->n, id, sizeof(id));
	doc = resource(c, "#ComputerSystem.v1_16_0.ComputerSystem", id, "System");
	add_identity(c, doc);
	add_state(c, doc);
	json_object_set_new(doc, "Boot", boot_document(c->sys, !(c->p->quirks & QUIRK_SETTINGS)));
	add_links(c, id, doc);
	add_actions(c, id, doc);
	if (c->p->quirks & QUIRK_SETTINGS)
		json_object_set_new(doc, "@Redfish.Settings",
			json_pack("{s:s, s:o}", "@odata.type", "#Settings.v1_3_3.Settings",
				"SettingsObject", call_ref(c, "Systems/%s/SD", id)));
	return doc;
}

void get_system(struct call *c)
{
	struct str known;

	c->out = document(c);
	system_etag(c, c->out);
	if (c->etag[0] && http_request_field(c->request, "If-None-Match", &known) &&
		str_is(known, c->etag)) {
		json_decref(c->out);
		c->out = NULL;
		c->status = 304;
	}
}

static json_t *settings(struct call *c)
{
	char id[CALL_ITEM];
	json_t *doc;

	system_id(c, c->sys->n, id, sizeof(id));
	doc = resource(c, "#ComputerSystem.v1_16_0.ComputerSystem", id, "System settings");
	json_object_set_new(doc, "Boot", boot_document(c->sys, true));
	return doc;
}

void get_settings(struct call *c)
{
	c->out = settings(c);
	system_etag(c, c->out);
}

static bool take_boot(struct call *c, json_t *value)
{
	if (!(c->p->quirks & QUIRK_SETTINGS) || strstr(c->path, "/SD"))
		return boot_patch(c, value);
	call_fail(c, 400, "Ami.1.0.OperationSupportedInFutureStateURI",
		"Support of this Operation for Boot Properties is moved to FutureState URI(%s/SD)",
		c->path);
	return false;
}

static bool refuse_value(struct call *c, const char *name)
{
	call_fail(c, 400, "PropertyValueNotInList",
		"The value for the property %s is not in the list of acceptable values.", name);
	return false;
}

static bool take_led(struct call *c, json_t *value)
{
	int led = json_is_string(value) ? word_index(led_words, json_string_value(value)) : -1;

	if (led < 0 || !(c->p->quirks & QUIRK_LED))
		return refuse_value(c, "IndicatorLED");
	c->sys->led = (uint8_t)led;
	c->dev->counters.led_patches++;
	return true;
}

static bool take_location(struct call *c, json_t *value)
{
	if (!json_is_boolean(value) || !(c->p->quirks & QUIRK_LOCATION))
		return refuse_value(c, "LocationIndicatorActive");
	c->sys->led = json_is_true(value) ? 2 : 0;
	c->dev->counters.led_patches++;
	return true;
}

static bool take_policy(struct call *c, json_t *value)
{
	int n = json_is_string(value) ? word_index(policy_words, json_string_value(value)) : -1;

	if (n < 0 || !(c->p->quirks & QUIRK_RESTORE_POLICY))
		return refuse_value(c, "PowerRestorePolicy");
	c->sys->policy = (uint8_t)n;
	c->dev->counters.policy_patches++;
	return true;
}

static bool take_tag(struct call *c, json_t *value)
{
	if (!json_is_string(value) || !str_copy(str_of(json_string_value(value)), c->sys->asset_tag,
					      sizeof(c->sys->asset_tag)))
		return refuse_value(c, "AssetTag");
	return true;
}

static const struct {
	const char *name;
	bool (*take)(struct call *c, json_t *value);
	/* Of a chassis as well. */
	bool chassis;
} members[] = {
	{ "Boot", take_boot, false },
	{ "IndicatorLED", take_led, true },
	{ "LocationIndicatorActive", take_location, true },
	{ "PowerRestorePolicy", take_policy, false },
	{ "AssetTag", take_tag, false },
};

static bool take(struct call *c, const char *name, json_t *value, bool chassis)
{
	for (size_t i = 0; i < COUNT(members); i++)
		if (strcmp(name, members[i].name) == 0 && (members[i].chassis || !chassis))
			return members[i].take(c, value);
	call_fail(c, 400, "PropertyUnknown",
		"The property %s is not in the list of valid properties for the resource.", name);
	return false;
}

bool system_take(struct call *c, bool chassis)
{
	const char *name;
	json_t *value;

	if (!c->in || !json_object_size(c->in)) {
		call_fail(c, 400, "UnrecognizedRequestBody",
			"The service detected a malformed request body.");
		return false;
	}
	json_object_foreach(c->in, name, value) if (!take(c, name, value, chassis)) return false;
	return true;
}

static void answer_patch(struct call *c, json_t *(*show)(struct call *c))
{
	if (c->dev->knobs.tasks == TASKS_ALL) {
		task_answer(c, "Change of settings");
		return;
	}
	call_done(c, c->p->patch_status);
	if (c->p->patch_status != 200 || (c->p->quirks & QUIRK_SUCCESS_BODY))
		return;
	c->out = show(c);
	system_etag(c, c->out);
}

void patch_system(struct call *c)
{
	if (system_match(c, document(c)) && system_take(c, false))
		answer_patch(c, document);
}

void patch_settings(struct call *c)
{
	if (system_match(c, settings(c)) && system_take(c, false))
		answer_patch(c, settings);
}

void get_reset_info(struct call *c)
{
	c->out = resource(
		c, "#ActionInfo.v1_2_0.ActionInfo", "ResetActionInfo", "Reset Action Info");
	json_object_set_new(c->out, "Parameters",
		json_pack("[{s:s, s:b, s:s, s:o}]", "Name", "ResetType", "Required", 1, "DataType",
			"String", "AllowableValues", call_words(c->p->resets)));
}

static void count_reset(struct counters *n, enum reset reset)
{
	uint64_t *const of[] = {
		[RESET_ON] = &n->reset_on,
		[RESET_OFF] = &n->reset_off,
		[RESET_SOFT_OFF] = &n->reset_soft_off,
		[RESET_RESTART] = &n->reset_restart,
		[RESET_SOFT_RESTART] = &n->reset_soft_restart,
		[RESET_CYCLE] = &n->reset_cycle,
		[RESET_NMI] = &n->reset_nmi,
		[RESET_BUTTON] = &n->reset_button,
	};

	n->resets++;
	if ((size_t)reset < COUNT(of) && of[reset])
		++*of[reset];
}

/* What the machine's state forbids. */
static bool state_forbids(struct call *c, enum reset reset)
{
	const struct power *p = &c->sys->power;
	uint32_t busy = c->dev->knobs.off_busy_ms;
	bool off = power_now(c->sys) == POWER_OFF;

	if (reset == RESET_ON && off && busy && p->off_at &&
		sim_now(c->dev->sim) - p->off_at < busy) {
		call_fail(c, 409, "ActionParameterValueConflict",
			"The parameter ResetType with the requested value of On does not meet the "
			"constraints of the implementation.");
		return true;
	}
	if ((power_is_so(c->sys, reset) && (c->p->quirks & QUIRK_ON_IS_ERROR)) ||
		(off && power_needs_on(reset) && (c->p->quirks & QUIRK_RESET_NEEDS_ON))) {
		call_fail(c, c->p->same_status, c->p->same_message, "%s%s.", c->p->same_text,
			off ? "OFF" : "ON");
		return true;
	}
	if (off && power_needs_on(reset) && reset != RESET_RESTART && reset != RESET_SOFT_OFF) {
		call_fail(c, 409, "ActionParameterValueConflict",
			"The system is off: this ResetType is for one that runs.");
		return true;
	}
	return false;
}

static bool refused(struct call *c, const char *type, enum reset *ret)
{
	unsigned status = c->dev->knobs.refuse_reset;

	if (!type) {
		call_fail(c, 400, "ActionParameterMissing",
			"The action Reset requires the parameter ResetType.");
		return true;
	}
	if (!call_in_words(c->p->resets, str_of(type)) || !reset_of_word(str_of(type), ret)) {
		call_fail(c, 400, "ActionParameterNotSupported",
			"The parameter ResetType with the value %s is not supported.", type);
		return true;
	}
	if (status) {
		call_fail(c, status < 400 ? 400 : status, "GeneralError",
			"A general error has occurred.");
		return true;
	}
	return state_forbids(c, *ret);
}

void post_reset(struct call *c)
{
	struct device *dev = c->dev;
	const char *type = call_string(c, "ResetType");
	enum reset reset;

	if (refused(c, type, &reset)) {
		dev->counters.resets_refused++;
		return;
	}
	count_reset(&dev->counters, reset);
	snprintf(c->sys->last_reset, sizeof(c->sys->last_reset), "%s", type);
	if (!dev->knobs.ignore_reset)
		power_reset(c->sys, reset);
	if (dev->knobs.hang == HANG_RESET || dev->knobs.lose_reset_answer) {
		c->silent = dev->knobs.hang == HANG_RESET;
		c->lost = !c->silent;
		dev->knobs.lose_reset_answer -= dev->knobs.lose_reset_answer && c->lost;
		dev->counters.resets_unsaid++;
	} else if (dev->knobs.tasks != TASKS_NO) {
		task_answer(c, "Reset");
	} else {
		call_done(c, c->p->reset_status);
	}
}
