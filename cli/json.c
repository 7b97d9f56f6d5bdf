/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <jansson.h>
#include <time.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>

#include "render.h"
#include "text.h"

#define FORMAT (JSON_COMPACT | JSON_ENSURE_ASCII)

static json_t *text(const char *s)
{
	struct pctl_buf buf;

	if (!s)
		return json_null();
	pctl_buf_init(&buf, TEXT_ANSWER_MAX);
	text_utf8(&buf, s);
	json_t *json = json_string(buf.data);
	pctl_buf_done(&buf);
	return json;
}

/* Drivers make trees, not devices: their depth is bounded by code. */
static json_t *tree(const struct pctl_value *v) /* NOLINT(misc-no-recursion) */
{
	json_t *json = NULL;

	switch (pctl_value_kind(v)) {
	case PCTL_VALUE_TEXT:
		return text(pctl_value_text(v));
	case PCTL_VALUE_INT:
		return json_integer(pctl_value_int(v));
	case PCTL_VALUE_BOOL:
		return json_boolean(pctl_value_bool(v));
	case PCTL_VALUE_LIST:
		json = json_array();
		for (size_t i = 0; i < pctl_value_count(v); i++)
			(void)json_array_append_new(json, tree(pctl_value_at(v, i)));
		return json;
	case PCTL_VALUE_MAP:
		json = json_object();
		for (size_t i = 0; i < pctl_value_count(v); i++)
			(void)json_object_set_new(
				json, pctl_value_key_at(v, i), tree(pctl_value_at(v, i)));
		return json;
	}
	return json_null();
}

static json_t *now(void)
{
	struct timespec ts = { 0 };
	struct tm tm;
	char day[32] = "", all[48];

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	(void)gmtime_r(&ts.tv_sec, &tm);
	(void)strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(all, sizeof(all), "%s.%03ldZ", day, ts.tv_nsec / 1000000);
	return json_string(all);
}

static json_t *error_of(const struct pctl_error *error)
{
	if (!error->code)
		return json_null();
	json_t *json = json_object();
	(void)json_object_set_new(json, "class", text(pctl_error_name(error->code)));
	(void)json_object_set_new(json, "message", text(error->text));
	(void)json_object_set_new(
		json, "code", text(*error->device_code ? error->device_code : NULL));
	return json;
}

/* A tree, or what else is to be said about it. */
static json_t *result_of(const struct pctl_result *r)
{
	if (r->tree)
		return tree(r->tree);
	if (!r->note || r->error.code)
		return json_null();
	json_t *json = json_object();
	(void)json_object_set_new(json, "note", text(r->note));
	return json;
}

/* Each of several things that power the node; else none. */
static json_t *feeds_of(const struct pctl_result *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->feed_count; i++) {
		const struct pctl_feed_result *f = &r->feeds[i];
		json_t *json = json_object();

		(void)json_object_set_new(json, "feed", text(f->feed));
		(void)json_object_set_new(json, "driver", text(f->driver));
		(void)json_object_set_new(
			json, "address", text(f->address && *f->address ? f->address : NULL));
		(void)json_object_set_new(json, "state",
			text(pctl_power_state_name(
				f->state_known ? f->state : PCTL_POWER_UNKNOWN)));
		(void)json_object_set_new(json, "ok", json_boolean(f->ok));
		(void)json_object_set_new(json, "error", error_of(&f->error));
		(void)json_array_append_new(list, json);
	}
	return list;
}

static char *dump_as(json_t *take_json, size_t format)
{
	char *s = json_dumps(take_json, format);

	json_decref(take_json);
	if (!s)
		pctl_out_of_memory();
	return s;
}

static char *dump(json_t *take_json)
{
	return dump_as(take_json, FORMAT);
}

/* Nobody asked these for the power state: that it is not known says nothing about the machine. */
static bool asks_state(enum pctl_verb verb)
{
	static const enum pctl_verb others[] = { PCTL_VERB_BOOTDEV, PCTL_VERB_BOOTDEV_SHOW,
		PCTL_VERB_IDENTIFY, PCTL_VERB_INFO, PCTL_VERB_HARDWARE, PCTL_VERB_CAPS,
		PCTL_VERB_WAIT_READY, PCTL_VERB_LOG, PCTL_VERB_LOG_CLEAR, PCTL_VERB_SENSORS,
		PCTL_VERB_METHOD, PCTL_VERB_KVM, PCTL_VERB_KVM_DIRECT, PCTL_VERB_CONSENT_STATUS,
		PCTL_VERB_CONSENT_REQUEST, PCTL_VERB_CONSENT_SUBMIT, PCTL_VERB_CONSENT_CANCEL,
		PCTL_VERB_PASSWD, PCTL_VERB_MEDIA_ATTACH, PCTL_VERB_MEDIA_DETACH,
		PCTL_VERB_MEDIA_STATUS };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (others[i] == verb)
			return false;
	return true;
}

char *json_result(const struct pctl_result *r, const char *verb)
{
	json_t *json = json_object();
	const char *state = NULL;

	if (r->state_known || asks_state(r->verb))
		state = pctl_power_state_name(r->state_known ? r->state : PCTL_POWER_UNKNOWN);
	(void)json_object_set_new(json, "v", json_integer(1));
	(void)json_object_set_new(json, "time", now());
	(void)json_object_set_new(json, "node", text(r->name));
	(void)json_object_set_new(json, "driver", text(r->driver));
	(void)json_object_set_new(
		json, "address", text(r->address && *r->address ? r->address : NULL));
	(void)json_object_set_new(json, "verb", text(verb));
	(void)json_object_set_new(json, "ok", json_boolean(r->ok));
	(void)json_object_set_new(json, "state", text(state));
	(void)json_object_set_new(json, "changed", json_boolean(r->changed));
	(void)json_object_set_new(json, "confirmed", text(r->confirmed));
	(void)json_object_set_new(json, "attempts", json_integer(r->attempts));
	(void)json_object_set_new(json, "elapsed_ms", json_integer((json_int_t)r->elapsed_ms));
	(void)json_object_set_new(json, "result", result_of(r));
	(void)json_object_set_new(json, "error", error_of(&r->error));
	(void)json_object_set_new(json, "feeds", feeds_of(r));
	(void)json_object_set_new(json, "warning", text(r->warning));
	(void)json_object_set_new(json, "overtook", text(r->overtook));
	(void)json_object_set_new(json, "via", text(r->via));
	return dump(json);
}

char *json_node(const char *name, const struct pctl_value *map)
{
	json_t *json = json_object();
	json_t *keys = tree(map);

	(void)json_object_set_new(json, "v", json_integer(1));
	if (name)
		(void)json_object_set_new(json, "node", text(name));
	(void)json_object_update(json, keys);
	json_decref(keys);
	return dump(json);
}

char *json_pretty(const struct pctl_value *v)
{
	return dump_as(tree(v), JSON_INDENT(1) | JSON_ENSURE_ASCII);
}
