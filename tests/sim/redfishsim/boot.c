/* SPDX-License-Identifier: Apache-2.0 */
#include "boot.h"

#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "sim.h"

enum { URL_MAX = 1024 };

static const char *const enabled_words[] = {
	[BOOT_DISABLED] = "Disabled",
	[BOOT_ONCE] = "Once",
	[BOOT_CONTINUOUS] = "Continuous",
};
static const char *const mode_words[] = { [BOOT_UEFI] = "UEFI", [BOOT_LEGACY] = "Legacy" };

/* What a PATCH asks for; -1 or NULL: not mentioned. */
struct wish {
	int enabled;
	int mode;
	const char *target;
	const char *url;
};

const char *boot_enabled_word(enum boot_enabled enabled)
{
	return enabled_words[enabled];
}

const char *boot_mode_word(enum boot_mode mode)
{
	return mode_words[mode];
}

static enum boot_mode default_mode(const struct host *sys)
{
	const char *mode = sys->dev->profile->mode;

	return mode && strcmp(mode, "Legacy") == 0 ? BOOT_LEGACY : BOOT_UEFI;
}

static void set_target(struct boot *b, const char *target)
{
	str_copy(str_of(target), b->target, sizeof(b->target));
}

void boot_init(struct host *sys)
{
	sys->boot.enabled = BOOT_DISABLED;
	sys->boot.mode = default_mode(sys);
	set_target(&sys->boot, "None");
}

void boot_done(struct boot *b)
{
	free(b->url);
	free(b->last_url);
	b->url = b->last_url = NULL;
}

static char *copy(const char *text)
{
	char *p = text ? strdup(text) : NULL;

	if (text && !p)
		abort();
	return p;
}

void boot_start(struct host *sys)
{
	struct boot *b = &sys->boot;
	const struct knobs *k = &sys->dev->knobs;
	bool armed = b->enabled != BOOT_DISABLED && !k->ignore_boot;

	b->starts++;
	str_copy(str_of(armed ? b->target : "None"), b->last, sizeof(b->last));
	b->last_mode = b->mode;
	free(b->last_url);
	b->last_url = armed && strcmp(b->target, "UefiHttp") == 0 ? copy(b->url) : NULL;
	if (b->enabled == BOOT_ONCE && !k->keep_override) {
		b->enabled = BOOT_DISABLED;
		set_target(b, "None");
	}
	sys->power.post_until = sim_now(sys->dev->sim) + k->post_ms;
}

json_t *boot_document(struct host *sys, bool writable)
{
	const struct boot *b = &sys->boot;
	const struct profile *p = sys->dev->profile;
	json_t *doc = json_pack("{s:s, s:s}", "BootSourceOverrideEnabled",
		boot_enabled_word(b->enabled), "BootSourceOverrideTarget", b->target);

	if (!(p->quirks & QUIRK_NO_MODE))
		json_object_set_new(
			doc, "BootSourceOverrideMode", json_string(boot_mode_word(b->mode)));
	if (p->quirks & QUIRK_HTTP_BOOT)
		json_object_set_new(doc, "HttpBootUri", b->url ? json_string(b->url) : json_null());
	if (!writable)
		return doc;
	json_object_set_new(
		doc, "BootSourceOverrideTarget@Redfish.AllowableValues", call_words(p->targets));
	if (p->quirks & QUIRK_OLD_ERRORS) { /* iLO 4 knows them by this name only */
		json_object_set_new(doc, "BootSourceOverrideSupported", call_words(p->targets));
		json_object_del(doc, "BootSourceOverrideTarget@Redfish.AllowableValues");
		return doc;
	}
	json_object_set_new(doc, "BootSourceOverrideEnabled@Redfish.AllowableValues",
		call_words(p->quirks & QUIRK_NO_CONTINUOUS ? "Disabled Once"
							   : "Disabled Once Continuous"));
	if (!(p->quirks & (QUIRK_NO_MODE | QUIRK_MODE_FIXED)))
		json_object_set_new(doc, "BootSourceOverrideMode@Redfish.AllowableValues",
			call_words("UEFI Legacy"));
	return doc;
}

static bool not_in_list(struct call *c, const char *value, const char *name)
{
	call_fail(c, 400, "PropertyValueNotInList",
		"The value %s for the property %s is not in the list of acceptable values.", value,
		name);
	return false;
}

static bool take_enabled(struct call *c, const char *value, struct wish *w)
{
	for (size_t i = 0; i < COUNT(enabled_words); i++)
		if (strcmp(value, enabled_words[i]) == 0) {
			w->enabled = (int)i;
			if (i == BOOT_CONTINUOUS && (c->p->quirks & QUIRK_NO_CONTINUOUS))
				break;
			return true;
		}
	return not_in_list(c, value, "BootSourceOverrideEnabled");
}

static bool take_mode(struct call *c, const char *value, struct wish *w)
{
	if (c->p->quirks & QUIRK_NO_MODE) {
		call_fail(c, 400, "PropertyUnknown",
			"The property BootSourceOverrideMode is not in the list of valid "
			"properties for the resource.");
		return false;
	}
	if (c->p->quirks & QUIRK_MODE_FIXED) {
		call_fail(c, 400, "PropertyNotWritableOrUnknown",
			"The property BootSourceOverrideMode is a read-only property, or is "
			"unknown.");
		return false;
	}
	for (size_t i = 0; i < COUNT(mode_words); i++)
		if (strcmp(value, mode_words[i]) == 0) {
			w->mode = (int)i;
			return true;
		}
	return not_in_list(c, value, "BootSourceOverrideMode");
}

static bool take_target(struct call *c, const char *value, struct wish *w)
{
	if (!call_in_words(c->p->targets, str_of(value)))
		return not_in_list(c, value, "BootSourceOverrideTarget");
	w->target = value;
	return true;
}

static bool take_url(struct call *c, const char *value, struct wish *w)
{
	if (!(c->p->quirks & QUIRK_HTTP_BOOT) || strlen(value) > URL_MAX) {
		call_fail(c, 400, "PropertyUnknown",
			"The property HttpBootUri is not in the list of valid properties for the "
			"resource.");
		return false;
	}
	w->url = value;
	return true;
}

static const struct {
	const char *name;
	bool (*take)(struct call *c, const char *value, struct wish *w);
} members[] = {
	{ "BootSourceOverrideEnabled", take_enabled },
	{ "BootSourceOverrideMode", take_mode },
	{ "BootSourceOverrideTarget", take_target },
	{ "HttpBootUri", take_url },
};

static bool take(struct call *c, const char *name, const json_t *value, struct wish *w)
{
	if (strchr(name, '@'))
		return true;
	for (size_t i = 0; i < COUNT(members); i++) {
		if (strcmp(name, members[i].name) != 0)
			continue;
		if (json_is_string(value))
			return members[i].take(c, json_string_value(value), w);
		call_fail(c, 400, "PropertyValueTypeError",
			"The value for the property %s is of a different type than the property "
			"can accept.",
			name);
		return false;
	}
	call_fail(c, 400, "PropertyUnknown",
		"The property %s is not in the list of valid properties for the resource.", name);
	return false;
}

/* What the vendor does not take as it is. */
static bool allowed(struct call *c, const struct wish *w)
{
	if ((c->p->quirks & QUIRK_BOOT_WHOLE) && (!w->target || w->enabled < 0 || w->mode < 0)) {
		call_fail(c, 400, "PropertyMissing",
			"The properties BootSourceOverrideEnabled, BootSourceOverrideMode and "
			"BootSourceOverrideTarget are required together.");
		return false;
	}
	if ((c->p->quirks & QUIRK_TARGET_FIRST) && w->enabled >= 0 &&
		strcmp(w->target ? w->target : c->sys->boot.target, "None") == 0) {
		call_fail(c, 400, "PropertyValueIncompatible",
			"The value for the property BootSourceOverrideEnabled does not go with the "
			"target None.");
		return false;
	}
	if (power_now(c->sys) == POWER_ON && sim_now(c->dev->sim) < c->sys->power.post_until &&
		(c->p->quirks & QUIRK_POST_LOCKS_BOOT)) {
		call_fail(c, 400, "UnableToModifyDuringSystemPOST",
			"The value may not be changed while the system is in POST.");
		return false;
	}
	return true;
}

static void apply(struct call *c, const struct wish *w)
{
	struct boot *b = &c->sys->boot;

	if (w->mode >= 0)
		b->mode = (enum boot_mode)w->mode;
	else if (c->p->quirks & QUIRK_MODE_RESETS)
		b->mode = BOOT_LEGACY;
	if (w->target)
		set_target(b, w->target);
	if (w->enabled >= 0)
		b->enabled = (enum boot_enabled)w->enabled;
	else if (w->target && (c->p->quirks & QUIRK_BOOT_ENABLED))
		b->enabled = BOOT_DISABLED;
	else if (w->target && strcmp(w->target, "None") != 0 && b->enabled == BOOT_DISABLED)
		b->enabled = BOOT_ONCE;
	if (b->enabled == BOOT_DISABLED)
		set_target(b, "None");
	else if (strcmp(b->target, "None") == 0)
		b->enabled = BOOT_DISABLED;
	if (w->url) {
		free(b->url);
		b->url = copy(w->url);
	}
}

bool boot_patch(struct call *c, json_t *boot)
{
	struct wish w = { .enabled = -1, .mode = -1 };
	const char *name;
	json_t *value;

	if (!json_is_object(boot)) {
		call_fail(c, 400, "PropertyValueTypeError", "The property Boot is an object.");
		return false;
	}
	json_object_foreach(boot, name, value) if (!take(c, name, value, &w)) return false;
	if (!allowed(c, &w))
		return false;
	c->dev->counters.boot_patches++;
	apply(c, &w);
	return true;
}
