/* SPDX-License-Identifier: Apache-2.0 */
#include "boot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "optin.h"
#include "recovery.h"
#include "redir_sol.h"
#include "sim.h"

#define FLAG(name_, bit, major)                                                               \
	{                                                                                     \
		.name = (name_), .kind = BOOT_KIND_FLAG, .where = (bit), .min_major = (major) \
	}
#define NUMBER(name_, member, max_, major)                                                         \
	{                                                                                          \
		.name = (name_), .kind = BOOT_KIND_NUMBER, .where = offsetof(struct boot, member), \
		.max = (max_), .min_major = (major)                                                \
	}
#define FIXED(name_, value, major, ro)                                                           \
	{                                                                                        \
		.name = (name_), .kind = BOOT_KIND_TEXT, .fixed = (value), .min_major = (major), \
		.read_only = (ro)                                                                \
	}

/*
 * Alphabetical, as recorded. Which release brought which field is not written down anywhere we
 * know of: min_major is our reading of what peers guard against.
 */
#define HTTPS_ENABLED "UEFIHTTPSBootEnabled"

static const struct boot_field fields[] = {
	{ .name = "BIOSLastStatus", .kind = BOOT_KIND_STATUS, .min_major = 11, .read_only = true },
	FLAG("BIOSPause", BOOT_BIOS_PAUSE, 0),
	FLAG("BIOSSetup", BOOT_BIOS_SETUP, 0),
	NUMBER("BootMediaIndex", media_index, 255, 0),
	FIXED("BootguardStatus", "127", 15, true),
	FLAG("ConfigurationDataReset", BOOT_CONFIGURATION_RESET, 11),
	FIXED("ElementName", "Intel(r) AMT Boot Configuration Settings", 0, false),
	FLAG("EnforceSecureBoot", BOOT_ENFORCE_SECURE_BOOT, 11),
	NUMBER("FirmwareVerbosity", verbosity, 3, 0),
	FLAG("ForcedProgressEvents", BOOT_FORCED_PROGRESS, 0),
	NUMBER("IDERBootDevice", ider_device, 1, 0),
	FIXED("InstanceID", "Intel(r) AMT:BootSettingData 0", 0, false),
	FLAG("LockKeyboard", BOOT_LOCK_KEYBOARD, 0),
	FLAG("LockPowerButton", BOOT_LOCK_POWER, 0),
	FLAG("LockResetButton", BOOT_LOCK_RESET, 0),
	FLAG("LockSleepButton", BOOT_LOCK_SLEEP, 0),
	{ .name = "OptionsCleared",
		.kind = BOOT_KIND_FLAG,
		.where = BOOT_OPTIONS_CLEARED,
		.min_major = 11,
		.read_only = true },
	FIXED("OwningEntity", "Intel(r) AMT", 0, false),
	FLAG("PlatformErase", BOOT_PLATFORM_ERASE, 16),
	FIXED("RPEEnabled", "true", 16, true),
	FIXED("RSEPassword", "", 12, false),
	FLAG("ReflashBIOS", BOOT_REFLASH, 0),
	FIXED("SecureBootControlEnabled", "true", 15, true),
	FLAG("SecureErase", BOOT_SECURE_ERASE, 12),
	FIXED(HTTPS_ENABLED, "true", 15, true),
	FIXED("UEFILocalPBABootEnabled", "true", 15, true),
	NUMBER("UefiBootNumberOfParams", params, 255, 15),
	{ .name = "UefiBootParametersArray",
		.kind = BOOT_KIND_TEXT,
		.where = offsetof(struct boot, params_text),
		.min_major = 15 },
	FLAG("UseIDER", BOOT_USE_IDER, 0),
	FLAG("UseSOL", BOOT_USE_SOL, 0),
	FLAG("UseSafeMode", BOOT_SAFE_MODE, 0),
	FLAG("UserPasswordBypass", BOOT_PASSWORD_BYPASS, 0),
	FIXED("WinREBootEnabled", "true", 15, true),
};

static const struct boot_source sources[] = {
	{ .id = "Intel(r) AMT: Force Hard-drive Boot",
		.structured = "CIM:Hard-Disk:1",
		.word = "disk" },
	{ .id = "Intel(r) AMT: Force PXE Boot", .structured = "CIM:Network:1", .word = "pxe" },
	{ .id = "Intel(r) AMT: Force CD/DVD Boot", .structured = "CIM:CD/DVD:1", .word = "cd" },
	{ .id = "Intel(r) AMT: Force Diagnostic Boot",
		.structured = "CIM:Diagnostic:1",
		.word = "diag",
		.diag = true },
	{ .id = "Intel(r) AMT: Force OCR UEFI HTTPS Boot",
		.structured = "CIM:Network:1",
		.word = "http",
		.min_major = 15 },
	{ .id = "Intel(r) AMT: Force OCR UEFI Boot Option 1",
		.structured = "CIM:Hard-Disk:1",
		.boot_string = "HD(1,GPT,00000000-0000-0000-0000-000000000001)"
			       "/\\EFI\\WinRE\\bootmgfw.efi",
		.bios_string = "WinRe",
		.word = "winre",
		.min_major = 15 },
	{ .id = "Intel(r) AMT: Force OCR UEFI Boot Option 2",
		.structured = "CIM:Hard-Disk:1",
		.boot_string = "HD(1,GPT,00000000-0000-0000-0000-000000000001)/\\EFI\\PBA\\pba.efi",
		.bios_string = "Pba",
		.word = "pba",
		.min_major = 15 },
};

static bool flag(const struct boot *b, unsigned bit)
{
	return b->flags >> bit & 1;
}

static void set_flag(struct boot *b, unsigned bit, bool on)
{
	b->flags = on ? b->flags | 1U << bit : b->flags & ~(1U << bit);
}

static uint32_t *number_of(struct boot *b, const struct boot_field *f)
{
	return (uint32_t *)(void *)((char *)b + f->where);
}

void boot_init(struct boot *b)
{
	*b = (struct boot){ .last = "none", .last_image = "none", .service_state = 2 };
	set_flag(b, BOOT_OPTIONS_CLEARED, true);
}

void boot_done(struct boot *b)
{
	free(b->params_text);
	free(b->last_url);
	b->params_text = b->last_url = NULL;
}

const struct boot_field *boot_field_at(size_t i)
{
	return i < COUNT(fields) ? &fields[i] : NULL;
}

bool boot_has_field(const struct device *dev, const struct boot_field *f)
{
	return dev->profile->major >= f->min_major;
}

static bool is_params(const struct boot_field *f)
{
	return f->kind == BOOT_KIND_TEXT && !f->fixed;
}

const char *boot_field_value(const struct device *dev, const struct boot_field *f, char *scratch)
{
	const struct boot *b = &dev->boot;

	switch (f->kind) {
	case BOOT_KIND_FLAG:
		return flag(b, (unsigned)f->where) ? "true" : "false";
	case BOOT_KIND_NUMBER:
		snprintf(scratch, 11, "%u",
			*(const uint32_t *)(const void *)((const char *)b + f->where));
		return scratch;
	case BOOT_KIND_STATUS:
		return "0";
	case BOOT_KIND_TEXT:
		break;
	}
	if (dev->knobs.no_https_boot && strcmp(f->name, HTTPS_ENABLED) == 0)
		return "false";
	return is_params(f) ? b->params_text : f->fixed;
}

static bool set_params(struct boot *b, struct str value)
{
	free(b->params_text);
	b->params_text = NULL;
	if (!value.n)
		return true;
	if (value.n > 8192)
		return false;
	b->params_text = xcalloc(1, value.n + 1);
	return str_copy(value, b->params_text, value.n + 1);
}

bool boot_field_set(struct boot *b, const struct boot_field *f, struct str value)
{
	uint64_t number;
	bool on = str_is(value, "true") || str_is(value, "1");

	switch (f->kind) {
	case BOOT_KIND_FLAG:
		if (!on && !str_is(value, "false") && !str_is(value, "0"))
			return false;
		set_flag(b, (unsigned)f->where, on);
		return true;
	case BOOT_KIND_NUMBER:
		if (!parse_uint(value, f->max, &number))
			return false;
		*number_of(b, f) = (uint32_t)number;
		return true;
	case BOOT_KIND_TEXT:
		break;
	case BOOT_KIND_STATUS:
		return false;
	}
	if (is_params(f))
		return set_params(b, value);
	if (!*f->fixed)
		return value.n <= 32;
	return str_is(f->name[0] == 'I' ? value : str_of(f->fixed), f->fixed);
}

static bool has_source(const struct device *dev, const struct boot_source *s)
{
	return dev->profile->major >= s->min_major && (!s->diag || dev->knobs.diag_source);
}

const struct boot_source *boot_source_at(const struct device *dev, size_t i)
{
	for (size_t k = 0; k < COUNT(sources); k++)
		if (has_source(dev, &sources[k]) && i-- == 0)
			return &sources[k];
	return NULL;
}

bool boot_secure(const struct boot *b)
{
	return flag(b, BOOT_ENFORCE_SECURE_BOOT);
}

bool boot_progress(const struct boot *b)
{
	return flag(b, BOOT_FORCED_PROGRESS);
}

/* "Enabled", where there are no switches. */
uint32_t boot_service_state(const struct device *dev)
{
	enum { ENABLED = 2, BOTH_ON = 32771 };
	uint32_t state = dev->boot.service_state;

	return state == ENABLED && dev->profile->major >= 16 ? BOTH_ON : state;
}

bool boot_parameters_fit(const struct boot *b)
{
	struct recovery *r = xcalloc(1, sizeof(*r));
	bool ok = b->params_text
			  ? recovery_parse(str_of(b->params_text), r) && r->count == b->params
			  : b->params == 0;

	free(r);
	return ok;
}

bool boot_clashes(const struct boot *b)
{
	return flag(b, BOOT_USE_SOL) || flag(b, BOOT_USE_IDER) || flag(b, BOOT_REFLASH) ||
	       flag(b, BOOT_BIOS_PAUSE) || flag(b, BOOT_BIOS_SETUP);
}

bool boot_wants(const struct boot *b)
{
	uint32_t idle = 1U << BOOT_OPTIONS_CLEARED | 1U << BOOT_ENFORCE_SECURE_BOOT;

	return (b->flags & ~idle) || b->media_index || b->verbosity || b->params;
}

void boot_note_change(struct boot *b)
{
	set_flag(b, BOOT_OPTIONS_CLEARED, !boot_wants(b));
}

const char *boot_armed_word(const struct boot *b)
{
	if (!b->armed)
		return "default";
	if (flag(b, BOOT_BIOS_SETUP))
		return "bios";
	if (flag(b, BOOT_BIOS_PAUSE))
		return "pause";
	if (flag(b, BOOT_USE_IDER))
		return "ider";
	return b->source ? b->source->word : "default";
}

static void clear_settings(struct boot *b)
{
	b->flags = 1U << BOOT_OPTIONS_CLEARED;
	b->media_index = b->verbosity = b->ider_device = b->params = 0;
	free(b->params_text);
	b->params_text = NULL;
}

void boot_forget(struct device *dev)
{
	dev->boot.armed = false;
	dev->boot.source = NULL;
	clear_settings(&dev->boot);
}

void boot_start(struct device *dev)
{
	struct boot *b = &dev->boot;

	optin_state(dev); /* an agreement that is over takes what it allowed with it */
	b->boots++;
	b->last_sol = b->armed && flag(b, BOOT_USE_SOL);
	if (b->last_sol)
		sol_show_bios(dev);
	b->last = boot_armed_word(b);
	free(b->last_url);
	b->last_url = NULL;
	b->last_image = "none";
	if (b->armed && b->source && b->source->min_major && b->last == b->source->word)
		recovery_start(dev, b->source->word, b->source->boot_string);
	if (strcmp(b->last, "ider") == 0)
		ider_boot(dev);
	if (!b->armed)
		return;
	b->armed = false;
	clear_settings(b);
	if (!dev->knobs.keep_source)
		b->source = NULL;
}
