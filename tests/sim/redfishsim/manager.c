/* SPDX-License-Identifier: Apache-2.0 */
/* The management controller: its reset, virtual media, and the log wherever it is. */
#include <stdio.h>
#include <string.h>

#include "device.h"
#include "resources.h"
#include "sim.h"
#include "system.h"

static void manager_id(const struct call *c, uint32_t i, char *out, size_t size)
{
	(void)i;
	snprintf(out, size, "%s", c->p->manager);
}

void get_managers(struct call *c)
{
	collection(c, "ManagerCollection", "Manager Collection", 1, manager_id, NULL);
}

static json_t *all_of(const struct call *c, const char *folder, const char *name)
{
	json_t *list = json_array();
	char id[CALL_ITEM];

	for (uint32_t i = 0; i < c->dev->nsystems; i++) {
		profile_id(name, i, id, sizeof(id));
		json_array_append_new(list, call_ref(c, "%s/%s", folder, id));
	}
	return list;
}

void get_manager(struct call *c)
{
	char uuid[UUID_TEXT], when[40], target[CALL_PATH];
	json_t *reset;

	uuid_text(c->dev->uuid, uuid);
	sim_time(c->dev->knobs.clock_behind, when);
	call_uri(c, target, "Managers/%s/Actions/Manager.Reset", c->p->manager);
	c->out = resource(c, "#Manager.v1_11_0.Manager", c->p->manager, "Manager");
	json_object_update_new(c->out,
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s}}", "ManagerType", "BMC",
			"FirmwareVersion", c->p->firmware, "Model", c->p->product, "UUID", uuid,
			"DateTime", when, "DateTimeLocalOffset", "+00:00", "Status", "State",
			"Enabled", "Health", healths[c->dev->knobs.manager_health]));
	json_object_set_new(c->out, "Links",
		json_pack("{s:o, s:o}", "ManagerForServers",
			all_of(c, "Systems", c->p->system_name), "ManagerForChassis",
			all_of(c, "Chassis", c->p->chassis)));
	json_object_set_new(c->out, "GraphicalConsole",
		json_pack("{s:b, s:i, s:[s]}", "ServiceEnabled", 1, "MaxConcurrentSessions", 2,
			"ConnectTypesSupported", "KVMIP"));
	json_object_set_new(c->out, "SerialConsole",
		json_pack("{s:b, s:i, s:[s, s]}", "ServiceEnabled", (int)c->dev->knobs.console,
			"MaxConcurrentSessions", 1, "ConnectTypesSupported", "SSH", "IPMI"));
	json_object_set_new(c->out, "NetworkProtocol",
		call_ref(c, "Managers/%s/NetworkProtocol", c->p->manager));
	json_object_set_new(
		c->out, "VirtualMedia", call_ref(c, "Managers/%s/VirtualMedia", c->p->manager));
	if (c->p->log_place == LOG_OF_MANAGER)
		json_object_set_new(c->out, "LogServices",
			call_ref(c, "Managers/%s/LogServices", c->p->manager));
	reset = json_pack("{s:s}", "target", target);
	if (*c->p->manager_resets)
		json_object_set_new(reset, "ResetType@Redfish.AllowableValues",
			call_words(c->p->manager_resets));
	json_object_set_new(c->out, "Actions", json_pack("{s:o}", "#Manager.Reset", reset));
}

void get_network_protocol(struct call *c)
{
	c->out = resource(c, "#ManagerNetworkProtocol.v1_6_0.ManagerNetworkProtocol",
		"NetworkProtocol", "Manager Network Protocol");
	json_object_set_new(c->out, "SSH",
		json_pack("{s:b, s:i}", "ProtocolEnabled", 1, "Port",
			c->dev->knobs.ssh_port ? (int)c->dev->knobs.ssh_port : 22));
	json_object_set_new(
		c->out, "IPMI", json_pack("{s:b, s:i}", "ProtocolEnabled", 1, "Port", 623));
}

void post_manager_reset(struct call *c)
{
	const char *type = call_string(c, "ResetType");
	bool typed = *c->p->manager_resets;

	if (typed && (!type || !call_in_words(c->p->manager_resets, str_of(type)))) {
		call_fail(c, 400, "ActionParameterNotSupported",
			"The parameter ResetType with the value %s is not supported.",
			type ? type : "(none)");
		return;
	}
	if (!typed && type) {
		call_fail(c, 400, "ActionParameterUnknown",
			"The action Manager.Reset does not support the parameter ResetType.");
		return;
	}
	c->dev->counters.bmc_resets++;
	device_restart(c->dev);
	call_done(c, c->p->reset_status);
}

static void media_id(const struct call *c, uint32_t i, char *out, size_t size)
{
	if (!word_at(c->p->media, i, out, size))
		*out = '\0';
}

static uint32_t count_media(const struct call *c)
{
	char id[CALL_ITEM];
	uint32_t n = 0;

	while (n < MEDIA_SLOTS && word_at(c->p->media, n, id, sizeof(id)))
		n++;
	return n;
}

void get_media_list(struct call *c)
{
	collection(c, "VirtualMediaCollection", "Virtual Media Collection", count_media(c),
		media_id, NULL);
}

static struct media *media_of(struct call *c)
{
	int i = word_index(c->p->media, c->item);

	if (i >= 0 && i < MEDIA_SLOTS && c->sys)
		return &c->sys->media[i];
	call_fail(c, 404, "ResourceMissingAtURI", "There is no virtual medium %s.", c->item);
	return NULL;
}

/* Where it is, without what follows: the path of an action is behind it. */
static void add_media_actions(struct call *c, json_t *doc)
{
	char insert[CALL_PATH], eject[CALL_PATH];

	call_uri(c, insert, "%s/Actions/VirtualMedia.InsertMedia", c->path + 12);
	call_uri(c, eject, "%s/Actions/VirtualMedia.EjectMedia", c->path + 12);
	json_object_set_new(doc, "Actions",
		json_pack("{s:{s:s}, s:{s:s}}", "#VirtualMedia.InsertMedia", "target", insert,
			"#VirtualMedia.EjectMedia", "target", eject));
}

/* The first is a CD drive everywhere but at HPE, where it is the second. */
static bool is_cd(const struct call *c)
{
	bool hpe = c->p->quirks & QUIRK_SLASH;

	return word_index(c->p->media, c->item) == (hpe ? 1 : 0);
}

static json_t *media_document(struct call *c)
{
	const struct media *m = &c->sys->media[word_index(c->p->media, c->item)];
	json_t *doc = resource(c, "#VirtualMedia.v1_3_0.VirtualMedia", c->item, "Virtual Media");
	const char *slash = m->image ? strrchr(m->image, '/') : NULL;

	json_object_set_new(doc, "MediaTypes", call_words(is_cd(c) ? "CD DVD" : "Floppy USBStick"));
	json_object_set_new(doc, "Image", m->image ? json_string(m->image) : json_null());
	json_object_set_new(doc, "ImageName", slash ? json_string(slash + 1) : json_null());
	json_object_set_new(doc, "Inserted", json_boolean(m->image));
	json_object_set_new(doc, "WriteProtected", json_boolean(m->write_protected));
	json_object_set_new(doc, "ConnectedVia", json_string(m->image ? "URI" : "NotConnected"));
	if (!(c->p->quirks & QUIRK_MEDIA_PATCH))
		add_media_actions(c, doc);
	return doc;
}

void get_media(struct call *c)
{
	if (!media_of(c))
		return;
	c->out = media_document(c);
	if (c->p->quirks & QUIRK_NEED_ETAG)
		system_etag(c, c->out);
}

static void insert(struct call *c, struct media *m, const char *image)
{
	const json_t *protect = json_object_get(c->in, "WriteProtected");

	media_insert(m, image, !json_is_false(protect));
	c->dev->counters.media_inserts++;
}

static void eject(struct call *c, struct media *m)
{
	media_eject(m);
	c->dev->counters.media_ejects++;
}

void patch_media(struct call *c)
{
	struct media *m = media_of(c);
	const json_t *image = json_object_get(c->in, "Image");

	if (!m || !system_match(c, media_document(c)))
		return;
	if (!(c->p->quirks & QUIRK_MEDIA_PATCH)) {
		call_fail(c, 405, "OperationNotAllowed", "Use the actions of this resource.");
		return;
	}
	if (json_is_string(image) && *json_string_value(image)) {
		insert(c, m, json_string_value(image));
	} else if (json_is_null(image) || json_is_string(image)) {
		eject(c, m);
	} else {
		call_fail(c, 400, "PropertyMissing", "The property Image is required.");
		return;
	}
	call_done(c, c->p->patch_status);
	if (c->status == 200 && !c->out)
		c->out = media_document(c);
}

void post_insert(struct call *c)
{
	struct media *m = media_of(c);
	const char *image = call_string(c, "Image");

	if (!m)
		return;
	if (!image || !*image) {
		call_fail(c, 400, "ActionParameterMissing",
			"The action InsertMedia requires the parameter Image.");
	} else if (m->image) {
		call_fail(c, 400, "ResourceInUse",
			"The change to the requested resource failed because the resource is in "
			"use or in transition.");
	} else {
		insert(c, m, image);
		call_done(c, c->p->reset_status);
	}
}

void post_eject(struct call *c)
{
	struct media *m = media_of(c);

	if (!m)
		return;
	if (!m->image && (c->p->quirks & QUIRK_ON_IS_ERROR)) {
		call_fail(c, 400, "ResourceNotInUse", "There is no medium to eject.");
		return;
	}
	eject(c, m);
	call_done(c, c->p->reset_status);
}

static void log_id(const struct call *c, uint32_t i, char *out, size_t size)
{
	(void)i;
	snprintf(out, size, "%s", c->p->log);
}

void get_logs(struct call *c)
{
	collection(c, "LogServiceCollection", "Log Service Collection", 1, log_id, NULL);
}

static bool log_is_there(struct call *c)
{
	if (c->sys && strcmp(c->item, c->p->log) == 0)
		return true;
	call_fail(c, 404, "ResourceMissingAtURI", "There is no log %s.", c->item);
	return false;
}

void get_log(struct call *c)
{
	char target[CALL_PATH];

	if (!log_is_there(c))
		return;
	call_uri(c, target, "%s/Actions/LogService.ClearLog", c->path + 12);
	c->out = resource(c, "#LogService.v1_2_0.LogService", c->item, "System Event Log");
	json_object_update_new(c->out,
		json_pack("{s:b, s:s, s:i, s:s, s:o, s:{s:{s:s}}}", "ServiceEnabled", 1,
			"LogEntryType", "SEL", "MaxNumberOfRecords", 1000, "OverWritePolicy",
			"WrapsWhenFull", "Entries", call_ref(c, "%s/Entries", c->path + 12),
			"Actions", "#LogService.ClearLog", "target", target));
}

static void entry_id(const struct call *c, uint32_t i, char *out, size_t size)
{
	(void)c;
	snprintf(out, size, "%u", i + 1);
}

static json_t *entry_document(const struct call *c, uint32_t i)
{
	return events_entry(c->sys, i);
}

void get_entries(struct call *c)
{
	if (log_is_there(c))
		collection(c, "LogEntryCollection", "Log Entries", events_count(c->sys), entry_id,
			entry_document);
}

void get_entry(struct call *c)
{
	char uri[CALL_PATH];
	uint64_t n;

	if (!log_is_there(c))
		return;
	if (!parse_uint(str_of(c->entry), events_count(c->sys), &n) || !n) {
		call_fail(c, 404, "ResourceMissingAtURI", "There is no entry %s.", c->entry);
		return;
	}
	call_uri(c, uri, "%s", c->path + 12);
	c->out = events_entry(c->sys, (uint32_t)n - 1);
	json_object_set_new(c->out, "@odata.id", json_string(uri));
}

void post_clear(struct call *c)
{
	if (!log_is_there(c))
		return;
	events_clear(c->sys);
	c->dev->counters.log_clears++;
	call_done(c, c->p->reset_status);
}
