/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the service root to the system that is meant, and its document. More than one system
 * without the setting `system` is an error: what is sent to the wrong one cannot be taken back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>

#include "redfish.h"

#define PAGES_MAX 64u
#define NAMED_MAX 6u

/* A collection being read for a system. */
struct search {
	char found[DOC_PATH_MAX];
	size_t n;                   /* systems so far */
	unsigned pages;             /* of the collection */
	char named[NAMED_MAX][160]; /* paths of the first few, for the error that lists them */
	size_t at;
	char text[280];
};

static void search_end(struct redfish_dev *dev)
{
	free(dev->call.search);
	dev->call.search = NULL;
}

void redfish_forget_system(struct redfish_dev *dev)
{
	json_decref(dev->host);
	dev->host = NULL;
	dev->etag[0] = '\0';
}

const struct quirks *redfish_quirks(const struct redfish_dev *dev)
{
	const char *chosen = pctl_setting_text(dev->device, "quirks");
	const struct quirks *q = quirks_named(chosen);

	if (q)
		return q;
	if (!dev->root)
		q = quirks_named(pctl_fact_get(dev->device, FACT_VENDOR));
	return q ? q : quirks_find(dev->root, dev->host);
}

const char *redfish_chassis(const struct redfish_dev *dev)
{
	return doc_link(dev->host, "Links/Chassis/0");
}

const char *redfish_manager(const struct redfish_dev *dev)
{
	return doc_link(dev->host, "Links/ManagedBy/0");
}

/* --- The system's document. ------------------------------------------------------------------- */

static void remember(struct redfish_dev *dev)
{
	const char *known = pctl_fact_get(dev->device, FACT_VENDOR);
	const char *vendor = redfish_quirks(dev)->name;

	if (!dev->unit && strlen(dev->system_path) < 200) {
		const char *path = pctl_fact_get(dev->device, FACT_SYSTEM);
		if (!path || strcmp(path, dev->system_path) != 0)
			pctl_fact_put(dev->device, FACT_SYSTEM, dev->system_path);
	}
	if (dev->root && (!known || strcmp(known, vendor) != 0))
		pctl_fact_put(dev->device, FACT_VENDOR, vendor);
}

static bool is_system(const json_t *doc)
{
	const char *type = doc_text(doc, "@odata.type");

	return doc_at(doc, "PowerState") || (type && strncmp(type, "#ComputerSystem.", 16) == 0);
}

static void got_system(struct redfish_dev *dev, const struct reply *reply)
{
	const char *etag = reply->etag ? reply->etag : doc_text(reply->doc, "@odata.etag");
	struct pctl_error err = { 0 };
	char uuid[37];

	if (!is_system(reply->doc)) {
		redfish_fail(dev, PCTL_E_PROTOCOL, "what answers at %.200s is no computer system",
			reply->path);
		return;
	}
	if (doc_uuid(doc_text(reply->doc, "UUID"), uuid) &&
		pctl_pin_check(dev->device, "uuid", uuid, &err) < 0) {
		redfish_end(dev, &err);
		return;
	}
	redfish_forget_system(dev);
	dev->host = json_incref((json_t *)(uintptr_t)reply->doc);
	if (etag && strlen(etag) < sizeof(dev->etag))
		(void)snprintf(dev->etag, sizeof(dev->etag), "%s", etag);
	(void)snprintf(dev->system_path, sizeof(dev->system_path), "%s", reply->path);
	dev->no_patch = reply->allow && !strstr(reply->allow, "PATCH");
	remember(dev);
	dev->call.system_then(dev, NULL);
}

static void begin_search(struct redfish_dev *dev);

/* What an earlier command found may have moved; what was found just now has not. */
static void no_system(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply)
{
	bool known = *dev->system_path != '\0';

	if (reply->status != 404 || !known) {
		redfish_end(dev, err);
		return;
	}
	dev->system_path[0] = '\0';
	if (!dev->unit)
		pctl_fact_put(dev->device, FACT_SYSTEM, NULL);
	pctl_fact_put(dev->device, FACT_SYSTEMS, NULL);
	begin_search(dev);
}

static void get_system(struct redfish_dev *dev, const char *path)
{
	redfish_get(dev, path, 0, got_system, no_system);
}

/* --- The collection. -------------------------------------------------------------------------- */

static bool is_meant(const struct redfish_dev *dev, const char *path)
{
	size_t len;
	const char *id = doc_last_part(path, &len);

	return !dev->unit || (strlen(dev->unit) == len && memcmp(dev->unit, id, len) == 0);
}

static void tell_systems(struct redfish_dev *dev)
{
	struct search *s = dev->call.search;
	size_t more = s->n - (s->n < NAMED_MAX ? s->n : NAMED_MAX);
	char text[sizeof(s->text)], rest[40] = "";

	(void)snprintf(text, sizeof(text), "%s", s->text);
	if (more)
		(void)snprintf(rest, sizeof(rest), " and %zu more", more);
	search_end(dev);
	if (dev->unit)
		redfish_fail(dev, PCTL_E_CONFIG, "system: there is no '%s' here, but %s%s",
			dev->unit, text, rest);
	else
		redfish_fail(dev, PCTL_E_CONFIG, "system: is not set, and there are several: %s%s",
			text, rest);
}

static void name_next(struct redfish_dev *dev);

static void add_name(struct redfish_dev *dev, const char *name)
{
	struct search *s = dev->call.search;
	size_t used = strlen(s->text), len;
	const char *id = doc_last_part(s->named[s->at], &len);
	bool plain = !name || (strlen(name) == len && memcmp(name, id, len) == 0);

	(void)snprintf(s->text + used, sizeof(s->text) - used, "%s%.60s%s%.40s%s", used ? ", " : "",
		s->named[s->at], plain ? "" : " (", plain ? "" : name, plain ? "" : ")");
	s->at++;
	name_next(dev);
}

static void got_name(struct redfish_dev *dev, const struct reply *reply)
{
	const char *name = doc_text(reply->doc, "HostName");

	add_name(dev, name ? name : doc_text(reply->doc, "Name"));
}

static void no_name(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply)
{
	(void)reply;
	if (redfish_lacks(err)) {
		add_name(dev, NULL);
		return;
	}
	search_end(dev);
	redfish_end(dev, err);
}

static void name_next(struct redfish_dev *dev)
{
	struct search *s = dev->call.search;
	char path[160];

	if (s->at >= s->n || s->at >= NAMED_MAX) {
		tell_systems(dev);
		return;
	}
	(void)snprintf(path, sizeof(path), "%s", s->named[s->at]);
	redfish_get(dev, path, 0, got_name, no_name);
}

static void end_search(struct redfish_dev *dev)
{
	struct search *s = dev->call.search;
	char path[DOC_PATH_MAX];
	size_t n = s->n;

	(void)snprintf(path, sizeof(path), "%s", s->found);
	if (*path && (dev->unit || n == 1)) {
		search_end(dev);
		get_system(dev, path);
	} else if (!n) {
		search_end(dev);
		redfish_fail(dev, PCTL_E_UNSUPPORTED, "the service has no computer system%s",
			dev->unit ? " at all" : "");
	} else {
		name_next(dev);
	}
}

static void got_page(struct redfish_dev *dev, const struct reply *reply);

static void no_page(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply)
{
	(void)reply;
	search_end(dev);
	redfish_end(dev, err);
}

static void got_page(struct redfish_dev *dev, const struct reply *reply)
{
	struct search *s = dev->call.search;
	const char *next = doc_text(reply->doc, "Members@odata.nextLink");

	for (size_t i = 0; i < doc_count(reply->doc, "Members"); i++) {
		const char *path = doc_link(json_array_get(doc_at(reply->doc, "Members"), i), "");

		if (!path)
			continue;
		if (s->n < NAMED_MAX)
			(void)snprintf(s->named[s->n], sizeof(s->named[0]), "%s", path);
		s->n++;
		if (is_meant(dev, path))
			(void)snprintf(s->found, sizeof(s->found), "%s", path);
	}
	bool enough = *s->found && dev->unit;
	if (next && doc_is_path(next) && !enough && ++s->pages < PAGES_MAX)
		redfish_get(dev, next, 0, got_page, no_page);
	else
		end_search(dev);
}

static void on_root(struct redfish_dev *dev, const struct reply *reply)
{
	const char *systems = doc_link(dev->root, "Systems");

	(void)reply;
	if (!systems) {
		redfish_fail(dev, PCTL_E_UNSUPPORTED, "the service has no computer systems");
		return;
	}
	search_end(dev);
	dev->call.search = pctl_xcalloc(1, sizeof(struct search));
	redfish_get(dev, systems, 0, got_page, no_page);
}

static void begin_search(struct redfish_dev *dev)
{
	redfish_with_root(dev, on_root);
}

/* --- The way there. --------------------------------------------------------------------------- */

/* What is known of it: the path itself, or that of the collection and the id. */
static bool known_path(struct redfish_dev *dev)
{
	const char *fact = pctl_fact_get(dev->device, dev->unit ? FACT_SYSTEMS : FACT_SYSTEM);
	char *path = dev->system_path;

	if (*path)
		return true;
	if (!fact || !doc_is_path(fact))
		return false;
	size_t len = strlen(fact);
	while (len > 1 && fact[len - 1] == '/')
		len--;
	if (dev->unit)
		(void)snprintf(
			path, sizeof(dev->system_path), "%.*s/%s", (int)len, fact, dev->unit);
	else
		(void)snprintf(path, sizeof(dev->system_path), "%s", fact);
	if (doc_is_path(path))
		return true;
	path[0] = '\0';
	return false;
}

void redfish_read_system(struct redfish_dev *dev, redfish_then_fn *then)
{
	char path[DOC_PATH_MAX];

	dev->call.system_then = then;
	if (!known_path(dev)) {
		begin_search(dev);
		return;
	}
	(void)snprintf(path, sizeof(path), "%s", dev->system_path);
	get_system(dev, path);
}

void redfish_with_system(struct redfish_dev *dev, redfish_then_fn *then)
{
	if (dev->host)
		then(dev, NULL);
	else
		redfish_read_system(dev, then);
}
