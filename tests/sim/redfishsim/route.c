/* SPDX-License-Identifier: Apache-2.0 */
#include "route.h"

#include <stdio.h>
#include <string.h>

#include "resources.h"
#include "sim.h"

/* When a path is there at all. */
enum when {
	ALWAYS,
	IF_SESSIONS,
	IF_SETTINGS,
	IF_ACTION_INFO,
	IF_OLD_THERMAL,
	IF_SENSORS,
	IF_SYSTEM_LOG,
	IF_MANAGER_LOG,
	IF_SYSTEM_MEDIA,
	IF_MEDIA_ACTIONS,
	IF_ACCOUNTS,
};

/*
 * {s}, {c}, {m} are the Ids of systems, chassis and the manager, {i} goes to item, {e} to entry.
 * open: without a login.
 */
struct route {
	const char *path;
	enum when when;
	bool open_get;
	bool open_post;
	handler *get;
	handler *patch;
	handler *post;
	handler *remove;
};

#define SYSTEM  "redfish/v1/Systems/{s}"
#define CHASSIS "redfish/v1/Chassis/{c}"
#define MANAGER "redfish/v1/Managers/{m}"

static const struct route routes[] = {
	{ "redfish", ALWAYS, true, false, get_versions, NULL, NULL, NULL },
	{ "redfish/v1", ALWAYS, true, false, get_root, NULL, NULL, NULL },
	{ "redfish/v1/odata", ALWAYS, true, false, get_odata, NULL, NULL, NULL },
	{ "redfish/v1/$metadata", ALWAYS, true, false, get_metadata, NULL, NULL, NULL },
	{ "redfish/v1/SessionService", IF_SESSIONS, false, false, get_session_service, NULL, NULL,
		NULL },
	{ "redfish/v1/SessionService/Sessions", IF_SESSIONS, false, true, get_sessions, NULL,
		post_session, NULL },
	{ "redfish/v1/SessionService/Sessions/{i}", IF_SESSIONS, false, false, get_session, NULL,
		NULL, delete_session },
	{ "redfish/v1/AccountService", IF_ACCOUNTS, false, false, get_account_service, NULL, NULL,
		NULL },
	{ "redfish/v1/AccountService/Accounts", IF_ACCOUNTS, false, false, get_accounts, NULL, NULL,
		NULL },
	{ "redfish/v1/AccountService/Accounts/{i}", IF_ACCOUNTS, false, false, get_account,
		patch_account, NULL, NULL },
	{ "redfish/v1/AccountService/Accounts/{i}/Actions/ManagerAccount.ChangePassword",
		IF_ACCOUNTS, false, false, NULL, NULL, post_password, NULL },
	{ "redfish/v1/TaskService", ALWAYS, false, false, get_task_service, NULL, NULL, NULL },
	{ "redfish/v1/TaskService/Tasks", ALWAYS, false, false, get_tasks, NULL, NULL, NULL },
	{ "redfish/v1/TaskService/Tasks/{i}", ALWAYS, false, false, get_task, NULL, NULL, NULL },
	{ "redfish/v1/TaskService/TaskMonitors/{i}", ALWAYS, false, false, get_monitor, NULL, NULL,
		NULL },
	{ "redfish/v1/UpdateService", ALWAYS, false, false, get_update_service, NULL, NULL, NULL },
	{ "redfish/v1/UpdateService/FirmwareInventory", ALWAYS, false, false, get_firmwares, NULL,
		NULL, NULL },
	{ "redfish/v1/UpdateService/FirmwareInventory/{i}", ALWAYS, false, false, get_firmware,
		NULL, NULL, NULL },
	{ "redfish/v1/EventService", ALWAYS, false, false, get_event_service, NULL, NULL, NULL },
	{ "redfish/v1/Systems", ALWAYS, false, false, get_systems, NULL, NULL, NULL },
	{ SYSTEM, ALWAYS, false, false, get_system, patch_system, NULL, NULL },
	{ SYSTEM "/SD", IF_SETTINGS, false, false, get_settings, patch_settings, NULL, NULL },
	{ SYSTEM "/ResetActionInfo", IF_ACTION_INFO, false, false, get_reset_info, NULL, NULL,
		NULL },
	{ SYSTEM "/Actions/ComputerSystem.Reset", ALWAYS, false, false, NULL, NULL, post_reset,
		NULL },
	{ SYSTEM "/Processors", ALWAYS, false, false, get_processors, NULL, NULL, NULL },
	{ SYSTEM "/Processors/{i}", ALWAYS, false, false, get_processor, NULL, NULL, NULL },
	{ SYSTEM "/Memory", ALWAYS, false, false, get_memories, NULL, NULL, NULL },
	{ SYSTEM "/Memory/{i}", ALWAYS, false, false, get_memory, NULL, NULL, NULL },
	{ SYSTEM "/EthernetInterfaces", ALWAYS, false, false, get_nics, NULL, NULL, NULL },
	{ SYSTEM "/EthernetInterfaces/{i}", ALWAYS, false, false, get_nic, NULL, NULL, NULL },
	{ SYSTEM "/LogServices", IF_SYSTEM_LOG, false, false, get_logs, NULL, NULL, NULL },
	{ SYSTEM "/LogServices/{i}", IF_SYSTEM_LOG, false, false, get_log, NULL, NULL, NULL },
	{ SYSTEM "/LogServices/{i}/Entries", IF_SYSTEM_LOG, false, false, get_entries, NULL, NULL,
		NULL },
	{ SYSTEM "/LogServices/{i}/Entries/{e}", IF_SYSTEM_LOG, false, false, get_entry, NULL, NULL,
		NULL },
	{ SYSTEM "/LogServices/{i}/Actions/LogService.ClearLog", IF_SYSTEM_LOG, false, false, NULL,
		NULL, post_clear, NULL },
	{ SYSTEM "/VirtualMedia", IF_SYSTEM_MEDIA, false, false, get_media_list, NULL, NULL, NULL },
	{ SYSTEM "/VirtualMedia/{i}", IF_SYSTEM_MEDIA, false, false, get_media, patch_media, NULL,
		NULL },
	{ SYSTEM "/VirtualMedia/{i}/Actions/VirtualMedia.InsertMedia", IF_SYSTEM_MEDIA, false,
		false, NULL, NULL, post_insert, NULL },
	{ SYSTEM "/VirtualMedia/{i}/Actions/VirtualMedia.EjectMedia", IF_SYSTEM_MEDIA, false, false,
		NULL, NULL, post_eject, NULL },
	{ "redfish/v1/Chassis", ALWAYS, false, false, get_all_chassis, NULL, NULL, NULL },
	{ CHASSIS, ALWAYS, false, false, get_chassis, patch_chassis, NULL, NULL },
	{ CHASSIS "/Thermal", IF_OLD_THERMAL, false, false, get_thermal, NULL, NULL, NULL },
	{ CHASSIS "/Power", IF_OLD_THERMAL, false, false, get_power, NULL, NULL, NULL },
	{ CHASSIS "/Sensors", IF_SENSORS, false, false, get_sensors, NULL, NULL, NULL },
	{ CHASSIS "/Sensors/{i}", IF_SENSORS, false, false, get_sensor, NULL, NULL, NULL },
	{ CHASSIS "/ThermalSubsystem", IF_SENSORS, false, false, get_thermal_subsystem, NULL, NULL,
		NULL },
	{ CHASSIS "/PowerSubsystem", IF_SENSORS, false, false, get_power_subsystem, NULL, NULL,
		NULL },
	{ "redfish/v1/Managers", ALWAYS, false, false, get_managers, NULL, NULL, NULL },
	{ MANAGER, ALWAYS, false, false, get_manager, NULL, NULL, NULL },
	{ MANAGER "/NetworkProtocol", ALWAYS, false, false, get_network_protocol, NULL, NULL,
		NULL },
	{ MANAGER "/Actions/Manager.Reset", ALWAYS, false, false, NULL, NULL, post_manager_reset,
		NULL },
	{ MANAGER "/LogServices", IF_MANAGER_LOG, false, false, get_logs, NULL, NULL, NULL },
	{ MANAGER "/LogServices/{i}", IF_MANAGER_LOG, false, false, get_log, NULL, NULL, NULL },
	{ MANAGER "/LogServices/{i}/Entries", IF_MANAGER_LOG, false, false, get_entries, NULL, NULL,
		NULL },
	{ MANAGER "/LogServices/{i}/Entries/{e}", IF_MANAGER_LOG, false, false, get_entry, NULL,
		NULL, NULL },
	{ MANAGER "/LogServices/{i}/Actions/LogService.ClearLog", IF_MANAGER_LOG, false, false,
		NULL, NULL, post_clear, NULL },
	{ MANAGER "/VirtualMedia", ALWAYS, false, false, get_media_list, NULL, NULL, NULL },
	{ MANAGER "/VirtualMedia/{i}", ALWAYS, false, false, get_media, patch_media, NULL, NULL },
	{ MANAGER "/VirtualMedia/{i}/Actions/VirtualMedia.InsertMedia", IF_MEDIA_ACTIONS, false,
		false, NULL, NULL, post_insert, NULL },
	{ MANAGER "/VirtualMedia/{i}/Actions/VirtualMedia.EjectMedia", IF_MEDIA_ACTIONS, false,
		false, NULL, NULL, post_eject, NULL },
};

static bool is_there(const struct call *c, enum when when)
{
	uint32_t q = c->p->quirks;

	switch (when) {
	case ALWAYS:
		return true;
	case IF_SESSIONS:
		return c->dev->knobs.auth != AUTH_BASIC;
	case IF_SETTINGS:
		return q & QUIRK_SETTINGS;
	case IF_ACTION_INFO:
		return q & QUIRK_ACTION_INFO;
	case IF_OLD_THERMAL:
		return q & QUIRK_OLD_THERMAL;
	case IF_SENSORS:
		return q & QUIRK_SENSORS;
	case IF_SYSTEM_LOG:
		return c->p->log_place == LOG_OF_SYSTEM;
	case IF_MANAGER_LOG:
		return c->p->log_place == LOG_OF_MANAGER;
	case IF_SYSTEM_MEDIA:
		return q & QUIRK_SYSTEM_MEDIA;
	case IF_ACCOUNTS:
		return !c->dev->knobs.no_accounts;
	case IF_MEDIA_ACTIONS:
		return !(q & QUIRK_MEDIA_PATCH);
	}
	return false;
}

static struct host *find_system(const struct call *c, const char *name, struct str id)
{
	char text[CALL_ITEM];

	for (uint32_t i = 0; i < c->dev->nsystems; i++) {
		profile_id(name, i, text, sizeof(text));
		if (str_is(id, text))
			return &c->dev->systems[i];
	}
	return NULL;
}

static bool match_part(struct call *c, struct str want, struct str have)
{
	if (want.n != 3 || want.p[0] != '{')
		return str_eq(want, have);
	switch (want.p[1]) {
	case 's':
		c->sys = find_system(c, c->p->system_name, have);
		return c->sys;
	case 'c':
		c->sys = find_system(c, c->p->chassis, have);
		return c->sys;
	case 'm':
		c->sys = c->dev->nsystems ? &c->dev->systems[0] : NULL;
		return str_is(have, c->p->manager);
	case 'i':
		return have.n && str_copy(have, c->item, sizeof(c->item));
	default:
		return have.n && str_copy(have, c->entry, sizeof(c->entry));
	}
}

static bool matches(struct call *c, const char *path)
{
	struct str want = str_of(path), have = str_of(c->path + 1), a, b;

	c->sys = NULL;
	while (str_split(&want, '/', &a))
		if (!str_split(&have, '/', &b) || !match_part(c, a, b))
			return false;
	return !have.p;
}

static const struct route *find(struct call *c)
{
	for (size_t i = 0; i < COUNT(routes); i++)
		if (is_there(c, routes[i].when) && matches(c, routes[i].path))
			return &routes[i];
	return NULL;
}

static int hex(char ch)
{
	struct str s = { &ch, 1 };
	uint64_t n;

	return parse_hex(s, 15, &n) ? (int)n : -1;
}

/* With %xx decoded; false: too long, or what no path has in it. */
static bool decode(struct str path, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < path.n; i++) {
		char ch = path.p[i];

		if (ch == '%' && i + 2 < path.n) {
			int high = hex(path.p[i + 1]), low = hex(path.p[i + 2]);

			if (high < 0 || low < 0)
				return false;
			ch = (char)(high << 4 | low);
			i += 2;
		}
		if (ch <= ' ' || ch > '~' || n + 1 >= size)
			return false;
		out[n++] = ch;
	}
	out[n] = '\0';
	return true;
}

/* Vendors that want a slash at the end send the client there. */
static bool redirected(struct call *c, bool slash)
{
	if (slash || !(c->p->quirks & QUIRK_SLASH) || strstr(c->path, "/Actions/") ||
		!str_is(c->request->method, "GET") || strcmp(c->path, "/redfish/v1/$metadata") == 0)
		return false;
	snprintf(c->location, sizeof(c->location), "%s/%s%.*s", c->path, c->query.p ? "?" : "",
		(int)(c->query.n < 48 ? c->query.n : 0), c->query.p ? c->query.p : "");
	c->status = 308;
	return true;
}

bool route_target(struct call *c)
{
	struct str target = c->request->target, path;
	size_t n;

	str_split(&target, '?', &path);
	c->query = target;
	if (!decode(path, c->path, sizeof(c->path)) || c->path[0] != '/') {
		call_fail(c, 400, "InvalidURI", "The URI is not one of this service.");
		return false;
	}
	n = strlen(c->path);

	bool slash = n > 1 && c->path[n - 1] == '/';

	if (slash)
		c->path[n - 1] = '\0';
	return !redirected(c, slash);
}

bool route_is_open(const struct call *c)
{
	struct call copy = *c;
	const struct route *r = find(&copy);

	if (!r)
		return false;
	return str_is(c->request->method, "POST") ? r->open_post : r->open_get;
}

static const char *allowed(const struct route *r)
{
	if (r->remove)
		return "GET, HEAD, DELETE";
	if (r->patch)
		return "GET, HEAD, PATCH";
	if (r->get)
		return r->post ? "GET, HEAD, POST" : "GET, HEAD";
	return "POST";
}

static handler *handler_of(const struct route *r, struct str method)
{
	if (str_is(method, "GET") || str_is(method, "HEAD"))
		return r->get;
	if (str_is(method, "PATCH"))
		return r->patch;
	if (str_is(method, "POST"))
		return r->post;
	return str_is(method, "DELETE") ? r->remove : NULL;
}

void route_run(struct call *c)
{
	const struct route *r = find(c);
	handler *run;

	if (!r) {
		call_fail(c, 404, "ResourceMissingAtURI",
			"The resource at the URI %s was not found.", c->path);
		return;
	}
	c->allow = allowed(r);
	run = handler_of(r, c->request->method);
	if (run)
		run(c);
	else
		call_fail(c, 405, "OperationNotAllowed",
			"The HTTP method is not allowed on this resource.");
}
