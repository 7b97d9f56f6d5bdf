/* SPDX-License-Identifier: Apache-2.0 */
/* The service itself: root, sessions, tasks, firmware inventory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "resources.h"
#include "sim.h"

json_t *resource(const struct call *c, const char *type, const char *id, const char *name)
{
	char uri[CALL_PATH];

	/* What the client asked for, in the vendor's spelling. */
	call_uri(c, uri, "%s", strncmp(c->path, "/redfish/v1/", 12) == 0 ? c->path + 12 : "");
	return json_pack("{s:s, s:s, s:s, s:s}", "@odata.id", uri, "@odata.type", type, "Id", id,
		"Name", name);
}

bool word_at(const char *words, uint32_t index, char *out, size_t size)
{
	struct str rest = str_of(words), word = { "", 0 };

	do {
		if (!str_split(&rest, ' ', &word))
			return false;
	} while (index--);
	return word.n && str_copy(word, out, size);
}

int word_index(const char *words, const char *word)
{
	char each[CALL_ITEM];

	for (uint32_t i = 0; word_at(words, i, each, sizeof(each)); i++)
		if (strcmp(each, word) == 0)
			return (int)i;
	return -1;
}

/* A number of the query, like $skip; other is it where there is none. */
static uint32_t query_number(const struct call *c, const char *name, uint32_t other)
{
	struct str rest = c->query, part, key;
	uint64_t n;

	while (str_split(&rest, '&', &part))
		if (str_split(&part, '=', &key) && str_is(key, name) && part.p &&
			parse_uint(part, UINT32_MAX, &n))
			return (uint32_t)n;
	return other;
}

static json_t *member_at(
	const struct call *c, uint32_t i, member_name *id, member_document *document)
{
	char name[CALL_ITEM];
	json_t *ref, *doc;

	id(c, i, name, sizeof(name));
	ref = call_ref(c, "%s/%s", c->path + strlen("/redfish/v1/"), name);
	if (!document)
		return ref;
	doc = document(c, i);
	json_object_update(ref, doc);
	json_decref(doc);
	return ref;
}

void collection(struct call *c, const char *type, const char *name, uint32_t count, member_name *id,
	member_document *document)
{
	uint32_t skip = query_number(c, "$skip", 0);
	uint32_t top = query_number(c, "$top", UINT32_MAX);
	uint32_t page = c->dev->knobs.page ? c->dev->knobs.page : UINT32_MAX;
	uint32_t n = top < page ? top : page;
	json_t *list = json_array(), *doc;
	char odata[96];

	if (skip > count)
		skip = count;
	if (n > count - skip)
		n = count - skip;
	for (uint32_t i = skip; i < skip + n; i++)
		json_array_append_new(list, member_at(c, i, id, document));
	snprintf(odata, sizeof(odata), "#%s.%s", type, type);
	doc = resource(c, odata, "", name);
	json_object_del(doc, "Id");
	json_object_set_new(doc, "Members@odata.count", json_integer(count));
	json_object_set_new(doc, "Members", list);
	if (skip + n < count && page != UINT32_MAX && n == page) {
		char next[CALL_PATH + 32];

		call_uri(c, next, "%s", c->path + strlen("/redfish/v1/"));
		snprintf(next + strlen(next), 32, "?$skip=%u", skip + n);
		json_object_set_new(doc, "Members@odata.nextLink", json_string(next));
	}
	c->out = doc;
}

void get_versions(struct call *c)
{
	c->out = json_pack("{s:s}", "v1", "/redfish/v1/");
}

static const struct {
	const char *name;
	const char *path;
} services[] = {
	{ "Systems", "Systems" },
	{ "Chassis", "Chassis" },
	{ "Managers", "Managers" },
	{ "SessionService", "SessionService" },
	{ "AccountService", "AccountService" },
	{ "Tasks", "TaskService" },
	{ "UpdateService", "UpdateService" },
	{ "EventService", "EventService" },
};

static bool has_service(const struct call *c, size_t i)
{
	if (c->dev->knobs.no_accounts && strcmp(services[i].name, "AccountService") == 0)
		return false;
	return c->dev->knobs.auth != AUTH_BASIC || strcmp(services[i].name, "SessionService") != 0;
}

void get_root(struct call *c)
{
	char uuid[UUID_TEXT];

	uuid_text(c->dev->uuid, uuid);
	c->out = resource(c, "#ServiceRoot.v1_11_0.ServiceRoot", "RootService", "Root Service");
	json_object_set_new(c->out, "RedfishVersion", json_string(c->p->redfish_version));
	json_object_set_new(c->out, "UUID", json_string(uuid));
	if (!(c->p->quirks & QUIRK_OLD_ERRORS)) {
		json_object_set_new(c->out, "Vendor", json_string(c->p->vendor));
		json_object_set_new(c->out, "Product", json_string(c->p->product));
	}
	json_object_set_new(c->out, "Oem",
		json_pack("{s:{}}", strcmp(c->p->vendor, "HPE") == 0   ? "Hpe"
				    : strcmp(c->p->vendor, "HP") == 0  ? "Hp"
				    : strcmp(c->p->vendor, "AMI") == 0 ? "Ami"
								       : c->p->vendor));
	for (size_t i = 0; i < COUNT(services); i++)
		if (has_service(c, i))
			json_object_set_new(
				c->out, services[i].name, call_ref(c, "%s", services[i].path));
	json_object_set_new(c->out, "Links", json_object());
	if (c->dev->knobs.auth != AUTH_BASIC)
		json_object_set_new(c->out, "Links",
			json_pack("{s:o}", "Sessions", call_ref(c, "SessionService/Sessions")));
}

void get_odata(struct call *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < COUNT(services); i++) {
		char uri[CALL_PATH];

		if (!has_service(c, i))
			continue;
		call_uri(c, uri, "%s", services[i].path);
		json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name", services[i].name,
						    "kind", "Singleton", "url", uri));
	}
	c->out = json_pack("{s:s, s:o}", "@odata.context", "/redfish/v1/$metadata", "value", list);
}

/* Nobody reads it who has no schemas at hand. */
void get_metadata(struct call *c)
{
	call_fail(c, 404, "ResourceMissingAtURI", "This service has no metadata document.");
}

void get_session_service(struct call *c)
{
	c->out = resource(
		c, "#SessionService.v1_1_8.SessionService", "SessionService", "Session Service");
	json_object_set_new(c->out, "ServiceEnabled", json_true());
	json_object_set_new(c->out, "SessionTimeout", json_integer(c->dev->knobs.session_s));
	json_object_set_new(c->out, "Sessions", call_ref(c, "SessionService/Sessions"));
}

static const struct session *nth_session(const struct call *c, uint32_t n)
{
	for (size_t i = 0; c->dev->sessions.list && i < SESSIONS_MAX; i++)
		if (c->dev->sessions.list[i].id && !n--)
			return &c->dev->sessions.list[i];
	return NULL;
}

static void session_id(const struct call *c, uint32_t i, char *out, size_t size)
{
	const struct session *s = nth_session(c, i);

	snprintf(out, size, "%u", s ? s->id : 0);
}

void get_sessions(struct call *c)
{
	collection(c, "SessionCollection", "Session Collection", login_count(c->dev), session_id,
		NULL);
}

static void show_session(struct call *c, const struct session *s)
{
	char id[16];

	snprintf(id, sizeof(id), "%u", s->id);
	c->out = resource(c, "#Session.v1_3_0.Session", id, "User Session");
	json_object_set_new(c->out, "@odata.id", json_string(c->location));
	json_object_set_new(c->out, "UserName", json_string(c->dev->sim->options.user));
}

void post_session(struct call *c)
{
	const char *user = call_string(c, "UserName"), *password = call_string(c, "Password");
	struct session *s;

	if (!user || !password) {
		call_fail(c, 400, "PropertyMissing",
			"The properties UserName and Password are required.");
		return;
	}
	if (!login_right(c->dev, str_of(user), str_of(password))) {
		c->dev->counters.logins_bad++;
		login_refuse(c, "ResourceAtUriUnauthorized",
			"The service denied access with these credentials.");
		return;
	}
	s = login_open(c->dev);
	if (!s) {
		call_fail(c, 503, "SessionLimitExceeded",
			"The session establishment failed due to the number of simultaneous "
			"sessions exceeding the limit of the implementation.");
		return;
	}
	c->dev->counters.logins++;
	str_copy(str_of(s->token), c->token, sizeof(c->token));
	call_uri(c, c->location, "SessionService/Sessions/%u", s->id);
	c->status = 201;
	show_session(c, s);
}

static struct session *session_of(struct call *c)
{
	struct session *s = login_find(c->dev, str_of(c->item));

	if (!s)
		call_fail(c, 404, "ResourceMissingAtURI", "There is no such session.");
	return s;
}

void get_session(struct call *c)
{
	const struct session *s = session_of(c);

	if (!s)
		return;
	call_uri(c, c->location, "SessionService/Sessions/%u", s->id);
	show_session(c, s);
	c->location[0] = '\0';
}

void delete_session(struct call *c)
{
	struct session *s = session_of(c);

	if (!s)
		return;
	login_close(s);
	c->dev->counters.logouts++;
	call_done(c, c->p->quirks & QUIRK_SUCCESS_BODY ? 200 : 204);
}

void get_task_service(struct call *c)
{
	c->out = resource(c, "#TaskService.v1_2_0.TaskService", "TaskService", "Task Service");
	json_object_set_new(c->out, "ServiceEnabled", json_true());
	json_object_set_new(c->out, "Tasks", call_ref(c, "TaskService/Tasks"));
}

static void task_id(const struct call *c, uint32_t i, char *out, size_t size)
{
	uint32_t made = c->dev->tasks.made;

	snprintf(out, size, "%u", (made > TASKS_KEPT ? made - TASKS_KEPT : 0) + i + 1);
}

void get_tasks(struct call *c)
{
	uint32_t made = c->dev->tasks.made;

	collection(c, "TaskCollection", "Task Collection", made < TASKS_KEPT ? made : TASKS_KEPT,
		task_id, NULL);
}

static const struct task *task_of(struct call *c)
{
	const struct task *t = task_find(c->dev, str_of(c->item));

	if (!t)
		call_fail(c, 404, "ResourceMissingAtURI", "There is no such task.");
	return t;
}

void get_task(struct call *c)
{
	const struct task *t = task_of(c);

	c->dev->counters.task_polls++;
	if (t)
		c->out = task_document(c->dev, t);
}

void get_monitor(struct call *c)
{
	const struct task *t = task_of(c);

	c->dev->counters.task_polls++;
	if (!t)
		return;
	if (!task_done(c->dev, t)) {
		c->status = 202;
		c->retry_after = c->dev->knobs.retry_after;
		call_uri(c, c->location, "TaskService/TaskMonitors/%u", t->id);
		c->out = task_document(c->dev, t);
	} else if (t->failed) {
		call_fail(c, 500, "InternalError", "The task failed inside.");
	} else {
		call_done(c, 204);
	}
}

void get_update_service(struct call *c)
{
	c->out = resource(
		c, "#UpdateService.v1_11_0.UpdateService", "UpdateService", "Update Service");
	json_object_set_new(c->out, "ServiceEnabled", json_true());
	json_object_set_new(
		c->out, "FirmwareInventory", call_ref(c, "UpdateService/FirmwareInventory"));
	/* sushy wants the member, if it is empty. */
	json_object_set_new(c->out, "Actions", json_object());
}

static const struct {
	const char *id;
	const char *name;
	const char *version;
} firmware[] = {
	{ "BIOS", "System BIOS", "2.14.2" },
	{ "BMC", "Management Controller", NULL },
	{ "NIC1", "Network Adapter", "22.31.1" },
};

static void firmware_id(const struct call *c, uint32_t i, char *out, size_t size)
{
	(void)c;
	snprintf(out, size, "%s", firmware[i].id);
}

void get_firmwares(struct call *c)
{
	collection(c, "SoftwareInventoryCollection", "Firmware Inventory", COUNT(firmware),
		firmware_id, NULL);
}

void get_firmware(struct call *c)
{
	for (size_t i = 0; i < COUNT(firmware); i++) {
		if (strcmp(firmware[i].id, c->item) != 0)
			continue;
		c->out = resource(c, "#SoftwareInventory.v1_2_1.SoftwareInventory", c->item,
			firmware[i].name);
		json_object_set_new(c->out, "Version",
			json_string(firmware[i].version ? firmware[i].version : c->p->firmware));
		json_object_set_new(c->out, "Updateable", json_false());
		return;
	}
	call_fail(c, 404, "ResourceMissingAtURI", "There is no such firmware.");
}

void get_event_service(struct call *c)
{
	c->out = resource(c, "#EventService.v1_8_0.EventService", "EventService", "Event Service");
	json_object_set_new(c->out, "ServiceEnabled", json_false());
}
